//! Break-glass on a request: how loudly it stands there, who signed, and the form to do so.

use leptos::prelude::*;

use crate::{
    components::{Problems, TextArea, Time, problem_at, quote, sign_in_again, which_asks},
    link, sentence,
    view::{
        ActionsView, ClosureView, Field, FormState, GlassState, GlassView, ReviewKind, ReviewView,
        SignInAgain,
    },
};

/// What was granted first, and how its signatures stand.
pub(crate) fn glass(glass: &GlassView) -> AnyView {
    let (class, title) = match glass.state {
        GlassState::Unsigned => ("verdict verdict-wait", "Break-glass, not signed yet"),
        GlassState::Overdue => (
            "verdict verdict-bad",
            "Break-glass, not signed in time: admins may sign it now",
        ),
        GlassState::Signed => ("verdict", "Break-glass, signed afterwards"),
        GlassState::Rejected => ("verdict verdict-bad", "Break-glass, rejected"),
    };
    let is_open = matches!(glass.state, GlassState::Unsigned | GlassState::Overdue);
    let missing = is_open.then(|| {
        let who = sentence::approver_names(&glass.signers, glass.signers_total);
        let said = if glass.signers.is_empty() {
            format!(
                "{} missing, and nobody could give it: an admin has to look at the policy.",
                count(glass.missing)
            )
        } else {
            format!("{} missing, by {who}.", count(glass.missing))
        };
        let by = (glass.state == GlassState::Unsigned).then(|| {
            view! { " After " <Time at=glass.sign_by/> " it goes to the admins." }.into_any()
        });
        view! { <p>{said} {by}</p> }.into_any()
    });
    let signatures: Vec<_> = glass.signatures.iter().map(signature).collect();
    let signatures =
        (!signatures.is_empty()).then(|| view! { <ul class="plain">{signatures}</ul> }.into_any());
    view! {
        <div class=class>
            <p class="verdict-title">{title}</p>
            {missing}
            {signatures}
        </div>
    }
    .into_any()
}

fn count(missing: u32) -> String {
    let verb = if missing == 1 { "is" } else { "are" };
    format!("{} {verb}", sentence::count(missing, "signature"))
}

fn signature(one: &ReviewView) -> AnyView {
    let did = match one.kind {
        ReviewKind::Approve => " signed ",
        ReviewKind::Deny => " rejected it ",
    };
    let counts = (!one.counts).then(|| {
        view! { <span class="quiet">" · does not count: may not sign it any more"</span> }
            .into_any()
    });
    view! {
        <li class="review-line">
            <p><strong>{one.by.name.clone()}</strong> {did} <Time at=one.at/> {counts}</p>
            {quote(&one.note)}
        </li>
    }
    .into_any()
}

/// Sign or reject, with a note.
#[component]
pub(crate) fn SignForm(
    /// The request to sign.
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
    let from = (!from.is_empty())
        .then(|| view! { <input type="hidden" name="from" value=from/> }.into_any());
    let sign = match actions.sign_in_again {
        SignInAgain::Needed => "Sign in again to sign",
        SignInAgain::NotNeeded | SignInAgain::Done { .. } => "Sign",
    };
    let which = which_asks("Your signature is about", &actions.signable, &before);
    view! {
        <form class="review" method="post" action=link::request(&request_id) novalidate>
            <Problems problems=before.problems.clone()/>
            {from}
            {which}
            <TextArea
                name="note"
                id=format!("sign-{request_id}")
                label="Note"
                hint="The requester and auditors see it. If you reject it, say why: the access ends at once, and \
                      they cannot break glass again before an admin lets them."
                rows=2
                max_chars=actions.note_max_chars
                value=before.value("note").to_owned()
                problem=problem_at(&before.problems, Field::Note)
            />
            {sign_in_again(actions.sign_in_again)}
            <div class="actions">
                <button class="button button-main" type="submit" name="act" value="sign">{sign}</button>
                <button class="button button-bad" type="submit" name="act" value="reject">
                    "Reject and end it"
                </button>
            </div>
        </form>
    }
}

/// That break-glass is closed for the requester, and the form that opens it for them again.
pub(crate) fn closure(
    request_id: &str,
    closure: &ClosureView,
    before: &FormState,
    max_chars: u32,
) -> AnyView {
    let refused = if before.value("act") == "reopen" {
        before.clone()
    } else {
        FormState::default()
    };
    let form = closure.can_reopen.then(|| {
        view! {
            <form class="stack" method="post" action=link::request(request_id) novalidate>
                <TextArea
                    name="note"
                    id="reopen"
                    label="Why may they again?"
                    hint="It is kept with the record."
                    rows=2
                    max_chars=max_chars
                    value=refused.value("note").to_owned()
                    problem=problem_at(&refused.problems, Field::Note)
                />
                <div class="actions">
                    <button class="button" type="submit" name="act" value="reopen">
                        "Open break-glass again"
                    </button>
                </div>
            </form>
        }
        .into_any()
    });
    view! {
        <section class="card stack" aria-labelledby="closure">
            <h2 id="closure">"Break-glass is closed for this person"</h2>
            <p>
                {closure.by.clone()} " rejected " <a href=link::request(&closure.request_id)>"one of theirs"</a> " "
                <Time at=closure.at/> ". They can ask for access as everybody can."
            </p>
            {form}
        </section>
    }
    .into_any()
}
