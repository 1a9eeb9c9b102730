//! A state as a pill: a word, a colour and a shape, so that none of them carries it alone.

use leptos::prelude::*;

use crate::{sentence, view::RequestState};

/// A state.
#[component]
pub(crate) fn Pill(
    /// Which.
    state: RequestState,
) -> impl IntoView {
    view! {
        <span class=format!("pill pill-{}", tone(state))>{sentence::request_state(state)}</span>
    }
}

const fn tone(state: RequestState) -> &'static str {
    match state {
        RequestState::Pending | RequestState::Scheduled => "wait",
        RequestState::Granting | RequestState::Revoking => "busy",
        RequestState::Active => "good",
        RequestState::Denied | RequestState::Overdue => "bad",
        RequestState::Ended
        | RequestState::Withdrawn
        | RequestState::Expired
        | RequestState::Mixed => "calm",
    }
}
