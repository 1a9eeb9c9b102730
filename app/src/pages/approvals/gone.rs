//! What waited here a moment ago and does not any more: a line in its place, so that nothing vanishes under
//! anybody's hands.

use leptos::prelude::*;

use super::card;
#[cfg(feature = "hydrate")]
use crate::view::{EventKind, RequestView};
use crate::{
    components::{Time, changing, quote},
    form_state::focus,
    link, sentence,
    view::{ApprovalView, EpochMs},
};

/// How its card was left.
#[derive(Clone, Debug)]
pub(super) struct Left {
    /// The reader was in it.
    had_focus: bool,
    /// What they had written; may be empty.
    note: String,
}

/// What happened, and when.
type Said = RwSignal<Option<(String, EpochMs)>>;

/// The line, until the page is left or it is dismissed. Who decided is learned from the request itself, as far as the
/// reader may see it.
pub(super) fn gone(one: &ApprovalView, left: &Left, dismissed: RwSignal<Vec<String>>) -> AnyView {
    let said: Said = RwSignal::new(None);
    let line = format!("gone-{}", card::id(&one.request_id));
    learn(&one.request_id, said);
    if left.had_focus {
        let line = line.clone();
        Effect::new(move |_| focus(&line));
    }
    let what = changing(move || {
        let what = said
            .get()
            .map(|(what, at)| view! { " " {what} ", " <Time at/> "." }.into_any());
        what.into_any()
    });
    let note = (!left.note.is_empty()).then(|| {
        view! { <p>"This is the note that you wrote:"</p> {quote(&left.note)} }.into_any()
    });
    let id = one.request_id.clone();
    let dismiss = move |_| {
        dismissed.update(|all| all.push(id.clone()));
        focus("main");
    };
    view! {
        <div class="notice" id=line tabindex="-1">
            <p>
                {one.requester.name.clone()} "'s request for "
                <a href=link::request(&one.request_id)>{sentence::targets(&one.targets)}</a>
                " does not wait for you any more." {what}
            </p>
            {note}
            <p class="actions">
                <button class="button button-small" type="button" on:click=dismiss>"Dismiss"</button>
            </p>
        </div>
    }
    .into_any()
}

/// Looked at while the card is still there. Whoever is sending their answer is about to be told what became of it,
/// and needs no line.
#[cfg(feature = "hydrate")]
pub(super) fn left_behind(request_id: &str) -> Option<Left> {
    let document = document();
    let card = document.get_element_by_id(&card::id(request_id))?;
    // The mark that `hydration` leaves on a form that is being sent.
    if card.query_selector("[data-sent]").ok().flatten().is_some() {
        return None;
    }
    let focused = document.active_element();
    let field = card.query_selector("textarea").ok().flatten();
    let typed = field.and_then(|field| js_sys::Reflect::get(&field, &"value".into()).ok());
    Some(Left {
        had_focus: focused.is_some_and(|focused| card.contains(Some(&focused))),
        note: typed
            .and_then(|typed| typed.as_string())
            .unwrap_or_default(),
    })
}

/// Nothing leaves a page that is being made.
#[cfg(not(feature = "hydrate"))]
pub(super) const fn left_behind(_request_id: &str) -> Option<Left> {
    None
}

#[cfg(feature = "hydrate")]
fn learn(request_id: &str, said: Said) {
    let request_id = request_id.to_owned();
    leptos::task::spawn_local(async move {
        let Ok(answer) = crate::read::read_request(request_id).await else {
            return;
        };
        let Ok(request) = answer.open::<RequestView>() else {
            return;
        };
        let decisive = request
            .events
            .iter()
            .rev()
            .find(|event| decides(&event.kind));
        if let Some(event) = decisive {
            // The page may have been left meanwhile.
            said.try_set(Some((sentence::event(&event.kind, &event.actor), event.at)));
        }
    });
}

#[cfg(not(feature = "hydrate"))]
const fn learn(_request_id: &str, _said: Said) {}

/// What ends somebody's wait for a word.
#[cfg(feature = "hydrate")]
const fn decides(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::ReviewedApprove
            | EventKind::ReviewedDeny
            | EventKind::Approved
            | EventKind::Denied
            | EventKind::Withdrawn
            | EventKind::Expired
            | EventKind::Signed
            | EventKind::Rejected
            | EventKind::Unsigned
    )
}
