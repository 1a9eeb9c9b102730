//! A draft, compared with what is in force. Nothing here puts it in force.

use leptos::prelude::*;

use super::{ask, changes, head, places};
use crate::{
    browser::title,
    components::{Interruption, TextArea, changing, refuse, skeleton},
    follow::{Followed, follow},
    form_state::Arrived,
    view::{DraftPage, PolicyProblem},
};

/// The form is posted, because a policy is too long for an address; what comes back is this page with it.
#[component]
pub(crate) fn Draft() -> impl IntoView {
    title("Compare a draft");
    let before = Arrived::form();
    let text = before.value("draft").to_owned();
    let notation = before.value("notation").to_owned();
    let (sent, written) = (text.clone(), notation.clone());
    follow(
        move || ask("draft", vec![text.clone(), notation.clone()]),
        |_| false,
        skeleton,
        move |found| page(found, sent, written),
        refuse,
    )
}

fn page(found: Followed<DraftPage>, text: String, notation: String) -> AnyView {
    let value = found.value;
    let is_json = notation == "json";
    view! {
        <Interruption problem=found.problem/>
        {head("Compare a draft", "Who would gain and who would lose what, if it came into force now. It does not: that happens where the policy is kept.")}
        {places("/policy/draft")}
        {changing(move || result(&value.read()))}
        <form class="card stack" method="post" action="/policy/draft">
            <TextArea
                name="draft"
                label="The draft"
                hint="All of it, up to about 200 kB. Files that it includes are those of today."
                rows=16
                value=text
            />
            <fieldset class="choices">
                <legend class="label">"Written in"</legend>
                <label class="choice"><input type="radio" name="notation" value="toml" checked=!is_json/> " TOML"</label>
                <label class="choice"><input type="radio" name="notation" value="json" checked=is_json/> " JSON"</label>
            </fieldset>
            <p class="actions"><button class="button button-main" type="submit">"Compare"</button></p>
        </form>
    }
    .into_any()
}

fn result(found: &DraftPage) -> AnyView {
    match found {
        DraftPage::Empty => ().into_any(),
        DraftPage::Invalid(found) => view! {
            <div class="notice notice-bad result" role="alert">
                <p>"This is not a policy yet."</p>
                {problems(found)}
            </div>
        }
        .into_any(),
        DraftPage::Valid {
            warnings,
            changes: found,
            more,
            is_in_force,
        } => {
            let nothing = if *is_in_force {
                "This is what is in force."
            } else {
                "Nobody gains or loses anything."
            };
            let warnings = (!warnings.is_empty()).then(|| {
                view! {
                    <div class="notice notice-wait">
                        <p>"It can be used. Think about this first:"</p>
                        {problems(warnings)}
                    </div>
                }
                .into_any()
            });
            view! {
                <section class="stack result" aria-labelledby="result">
                    <h2 id="result">"Compared with what is in force"</h2>
                    {changes(found.as_deref(), *more, nothing)}
                    {warnings}
                </section>
            }
            .into_any()
        }
    }
}

fn problems(problems: &[PolicyProblem]) -> AnyView {
    let rows: Vec<_> = problems
        .iter()
        .map(|problem| {
            view! { <li><code>{problem.place.clone()}</code> " " {problem.text.clone()}</li> }
                .into_any()
        })
        .collect();
    view! { <ul class="listed">{rows}</ul> }.into_any()
}
