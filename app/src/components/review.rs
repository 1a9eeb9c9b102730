//! The form by which an approver answers.

use leptos::prelude::*;

use crate::components::{Problems, problem_at};
use crate::{
    components::TextArea,
    link,
    view::{ActionsView, Field, FormState},
};

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
    /// What was typed before, and what was wrong with it.
    #[prop(optional)]
    before: FormState,
) -> impl IntoView {
    let id = format!("note-{request_id}");
    let hint = "The requester and auditors see it. A word on why helps when you deny.";
    view! {
        <form class="review" method="post" action=link::request(&request_id) novalidate>
            <Problems problems=before.problems.clone()/>
            {(!from.is_empty()).then(|| view! { <input type="hidden" name="from" value=from/> })}
            <TextArea
                name="note"
                id=id
                label="Note"
                hint=hint
                rows=2
                max_chars=actions.note_max_chars
                value=before.value("note").to_owned()
                problem=problem_at(&before.problems, Field::Note)
            />
            <div class="actions">
                {actions
                    .can_approve
                    .then(|| {
                        view! {
                            <button class="button button-main" type="submit" name="act" value="approve">
                                "Approve"
                            </button>
                        }
                    })}
                {actions
                    .can_deny
                    .then(|| {
                        view! {
                            <button class="button button-bad" type="submit" name="act" value="deny">
                                "Deny"
                            </button>
                        }
                    })}
            </div>
        </form>
    }
}
