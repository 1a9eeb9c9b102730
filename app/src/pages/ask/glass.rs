//! Going in first: a path of its own at the end of the form, that nobody takes by accident.

use leptos::prelude::*;

use super::fields::{Text, field};
use crate::{
    clock,
    components::{problem_at, sign_in_again},
    link,
    view::{AskFormView, BreakGlassStands, BreakGlassView, Field, FormState, SignInAgain},
};

/// What it means, and its own button; nothing where there is no such way.
pub(super) fn break_glass(form: &AskFormView, before: &FormState) -> AnyView {
    let Some(glass) = &form.break_glass else {
        return ().into_any();
    };
    let is_open = glass.is_only_way || before.value("break_glass") == "yes";
    let may = match &glass.stands {
        BreakGlassStands::Open => way_in(glass, before),
        BreakGlassStands::Unsigned { request_id } => view! {
            <p class="notice notice-wait">
                "Your last break-glass has to be signed before you can do this again. "
                <a href=link::request(request_id)>"See who can sign it"</a> "."
            </p>
        }
        .into_any(),
        BreakGlassStands::Closed { request_id } => view! {
            <p class="notice notice-bad">
                "An approver rejected "
                <a href=link::request(request_id)>"a break-glass of yours"</a>
                ", so this is closed for you until an admin opens it again."
            </p>
        }
        .into_any(),
    };
    view! {
        <details class="more glass" open=is_open>
            <summary>"Break glass: go in now, explain afterwards"</summary>
            {may}
        </details>
    }
    .into_any()
}

fn way_in(glass: &BreakGlassView, before: &FormState) -> AnyView {
    let label = format!("Type “{}” to confirm", glass.confirmation);
    let button = match glass.sign_in_again {
        SignInAgain::Needed => "Sign in again to break glass",
        SignInAgain::NotNeeded | SignInAgain::Done { .. } => "Break glass",
    };
    view! {
        <div class="stack">
            <p>
                "For an emergency that cannot wait for an approval. You get this at once, for up to "
                {clock::duration(glass.up_to_seconds)} ". What follows:"
            </p>
            <ul>
                <li>"Those who would have been asked see it at once, with your reason."</li>
                <li>
                    "They have to sign it within 24 hours. Until then you can neither do this again nor \
                    extend it this way; after that it goes to the admins."
                </li>
                <li>
                    "If one of them rejects it, your access ends there and then, and this is closed for you \
                    until an admin opens it again."
                </li>
                <li>"That it was break-glass stays on the record for ever."</li>
            </ul>
            {field(Text {
                name: "confirmation",
                kind: "text",
                label,
                hint: String::new(),
                value: before.value("confirmation").to_owned(),
                problem: problem_at(&before.problems, Field::Confirmation),
            })}
            {sign_in_again(glass.sign_in_again)}
            <div class="actions">
                <button class="button button-bad" type="submit" name="break_glass" value="yes">
                    {button}
                </button>
            </div>
        </div>
    }
    .into_any()
}
