//! The form by which an approver answers.

use leptos::prelude::*;

use crate::{
    clock,
    components::{Problems, TextArea, Time, problem_at},
    link, sentence,
    view::{ActionsView, Field, FormState, ReviewableView, SignInAgain},
};

/// What another sign-in is for, and how it stands with it.
pub(crate) fn sign_in_again(stands: SignInAgain) -> AnyView {
    match stands {
        SignInAgain::NotNeeded => ().into_any(),
        SignInAgain::Needed => view! {
            <p class="quiet">
                "For this the policy asks you to sign in again. You come back here with what you typed, \
                 and then press the button once more."
            </p>
        }
        .into_any(),
        SignInAgain::Done { until } => view! {
            <p class="notice notice-good" role="status">
                "You have signed in again. Nothing is decided until you press the button. Your sign-in \
                 counts for this, once, until "
                <Time at=until/> "."
            </p>
        }
        .into_any(),
    }
}

/// Approve or deny, with a note.
#[component]
pub(crate) fn ReviewForm(
    /// The request to answer.
    request_id: String,
    /// What the person looking may do.
    actions: ActionsView,
    /// The list that the form stands in, if it stands in one: the server leads back there.
    #[prop(optional)]
    from: &'static str,
    /// Nothing of it is granted unless all of it is.
    #[prop(optional)]
    denies_all: bool,
    /// What was typed before, and what was wrong with it.
    #[prop(optional)]
    before: FormState,
) -> impl IntoView {
    let from = (!from.is_empty())
        .then(|| view! { <input type="hidden" name="from" value=from/> }.into_any());
    let again = actions.can_approve.then_some(actions.sign_in_again);
    let approve = match actions.sign_in_again {
        SignInAgain::Needed => "Sign in again to approve",
        SignInAgain::NotNeeded | SignInAgain::Done { .. } => "Approve",
    };
    let buttons: Vec<_> = [
        (
            actions.can_approve,
            "approve",
            approve,
            "button button-main",
        ),
        (actions.can_deny, "deny", "Deny", "button button-bad"),
    ]
    .into_iter()
    .filter(|(may, ..)| *may)
    .map(|(_, act, name, class)| {
        view! { <button class=class type="submit" name="act" value=act>{name}</button> }.into_any()
    })
    .collect();
    let denies_all = (denies_all && actions.can_deny).then(|| {
        view! { <p class="quiet">"Denying one of these ends all of them."</p> }.into_any()
    });
    let asks = which_asks("Your answer is about", &actions.reviewable, &before);
    let shorter = shorter(&request_id, &actions, &before);
    view! {
        <form class="review" method="post" action=link::request(&request_id) novalidate>
            <Problems problems=before.problems.clone()/>
            {from}
            {asks}
            {shorter}
            <TextArea
                name="note"
                id=format!("note-{request_id}")
                label="Note"
                hint="The requester and auditors see it. A word on why helps when you deny."
                rows=2
                max_chars=actions.note_max_chars
                value=before.value("note").to_owned()
                problem=problem_at(&before.problems, Field::Note)
            />
            {again.map(sign_in_again)}
            {denies_all}
            <div class="actions">{buttons}</div>
        </form>
    }
}

/// Which of several the answer is about: all of them, to begin with.
pub(crate) fn which_asks(
    legend: &'static str,
    asks: &[ReviewableView],
    before: &FormState,
) -> AnyView {
    let was_refused = !before.value("act").is_empty();
    let boxes: Vec<_> = asks
        .iter()
        .map(|ask| {
            let value = ask.index.to_string();
            let is_ticked = !was_refused || before.has("asks", &value);
            view! {
                <label class="choice">
                    <input type="checkbox" name="asks" value=value checked=is_ticked/>
                    <span>{sentence::target(&ask.target)}</span>
                </label>
            }
            .into_any()
        })
        .collect();
    let field = (!boxes.is_empty()).then(|| {
        view! {
            <fieldset class="field">
                <legend class="label">{legend}</legend>
                <div class="choices">{boxes}</div>
            </fieldset>
        }
        .into_any()
    });
    field.into_any()
}

/// For how long an approval is: as asked, or less.
fn shorter(request_id: &str, actions: &ActionsView, before: &FormState) -> AnyView {
    if !actions.can_approve || actions.shorter_seconds.is_empty() {
        return ().into_any();
    }
    let problem = problem_at(&before.problems, Field::Duration);
    let problem =
        (!problem.is_empty()).then(|| view! { <p class="field-problem">{problem}</p> }.into_any());
    let choices: Vec<_> = actions
        .shorter_seconds
        .iter()
        .map(|seconds| {
            let value = seconds.to_string();
            let is_chosen = before.value("seconds") == value;
            view! {
                <option value=value selected=is_chosen>
                    {clock::duration(*seconds)}
                </option>
            }
            .into_any()
        })
        .collect();
    let id = format!("seconds-{request_id}");
    view! {
        <div class="field">
            <label class="label" for=id.clone()>"If you approve, for how long?"</label>
            {problem}
            <select class="input" id=id name="seconds">
                <option value="">"As asked"</option>
                {choices}
            </select>
        </div>
    }
    .into_any()
}
