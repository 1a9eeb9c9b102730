//! What the policy answers anybody, and why.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{ask, head, lines, places, version};
use crate::{
    browser::title,
    components::{Interruption, changing, line, refuse, skeleton},
    follow::{Followed, follow},
    view::{Answer, ExplainField, ExplainFilter, ExplainPage, ExplainView},
};

/// The question is an ordinary form whose fields stand in the address, so that an answer can be kept and sent.
#[component]
pub(crate) fn Explain() -> impl IntoView {
    title("Explain");
    let query = use_query_map();
    changing(move || {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        let filter = ExplainFilter {
            person: field("person"),
            account: field("account"),
            permission_set: field("permission_set"),
            group: field("group"),
            duration: field("duration"),
            ticket: field("ticket"),
            break_glass: field("break_glass"),
        };
        let asked = filter.clone();
        follow(
            move || {
                let fields = [
                    &filter.person,
                    &filter.account,
                    &filter.permission_set,
                    &filter.group,
                    &filter.duration,
                    &filter.ticket,
                    &filter.break_glass,
                ];
                ask("explain", fields.into_iter().cloned().collect())
            },
            |topic| topic == "policy",
            skeleton,
            move |found| page(found, asked),
            refuse,
        )
    })
}

fn page(found: Followed<ExplainPage>, filter: ExplainFilter) -> AnyView {
    let value = found.value;
    view! {
        <Interruption problem=found.problem/>
        {head("Explain", "What the policy would answer somebody now. Asking here asks nobody, and nothing is recorded.")}
        {places("/policy/explain")}
        {changing(move || {
            let value = value.read();
            let answer = match &*value {
                ExplainPage::Answer(answer) => Some(self::answer(answer)),
                ExplainPage::Empty | ExplainPage::Problems(_) => None,
            };
            let problems: &[_] = match &*value {
                ExplainPage::Problems(problems) => problems,
                ExplainPage::Empty | ExplainPage::Answer(_) => &[],
            };
            view! { <div class="stack">{answer} {form(&filter, problems)}</div> }.into_any()
        })}
    }
    .into_any()
}

fn answer(answer: &ExplainView) -> AnyView {
    let (pill, word) = match answer.answer {
        Answer::Granted => ("pill pill-good", "Granted"),
        Answer::Pending => ("pill pill-wait", "Needs approval"),
        Answer::Refused => ("pill pill-bad", "Refused"),
    };
    let reasons: Vec<_> = answer
        .reasons
        .iter()
        .map(|reason| view! { <li>{reason.clone()}</li> }.into_any())
        .collect();
    let routes: Vec<_> = answer
        .routes
        .iter()
        .map(|route| {
            view! { <section class="stack"><h3>"By rule " {route.name.clone()}</h3> {lines(&route.lines)}</section> }
                .into_any()
        })
        .collect();
    view! {
        <section class="card stack" aria-labelledby="answer" role="status">
            <h2 id="answer">{answer.asked.clone()}</h2>
            <p>
                <span class=pill>{word}</span> " " {answer.sentence.clone()} " "
                <code class="quiet">{answer.code.clone()}</code>
            </p>
            <ul class="plain">{reasons}</ul>
            {routes}
            <p class="quiet">"By policy version " {version(&answer.version)} "."</p>
        </section>
    }
    .into_any()
}

fn form(filter: &ExplainFilter, problems: &[(ExplainField, String)]) -> AnyView {
    let at = |field: ExplainField| {
        problems
            .iter()
            .find(|(at, _)| *at == field)
            .map(|(_, problem)| problem.clone())
            .unwrap_or_default()
    };
    let ticked = !filter.break_glass.is_empty();
    view! {
        <form class="card filter" method="get" action="/policy/explain" novalidate>
            {line("person", "Person", "text", &filter.person, "E-mail, user name or id", at(ExplainField::Person))}
            {line("account", "Account", "text", &filter.account, "Id or name", at(ExplainField::Account))}
            {line("permission_set", "Permission set", "text", &filter.permission_set, "Name or ARN", at(ExplainField::PermissionSet))}
            {line("group", "Or a group to join", "text", &filter.group, "Name or id", at(ExplainField::Group))}
            {line("duration", "How long", "text", &filter.duration, "Such as 4h; empty: the shortest", at(ExplainField::Duration))}
            {line("ticket", "Ticket", "text", &filter.ticket, "If one is to be given", String::new())}
            <label class="choice">
                <input type="checkbox" name="break_glass" value="yes" checked=ticked/> " By break-glass"
            </label>
            <div class="actions filter-actions">
                <button class="button button-main" type="submit">"Explain"</button>
                <a class="button button-quiet" href="/policy/explain">"Clear"</a>
            </div>
        </form>
    }
    .into_any()
}
