//! What happened.

use leptos::prelude::*;

use crate::{
    components::{Time, quote},
    sentence,
    view::{EventKind, EventView},
};

/// A request's events, oldest first. With several asks each event says which one it is about.
pub(crate) fn timeline(events: &[EventView], asks: usize) -> AnyView {
    let moments: Vec<_> = events.iter().map(|event| moment(event, asks)).collect();
    view! { <ol class="timeline">{moments}</ol> }.into_any()
}

fn moment(event: &EventView, asks: usize) -> AnyView {
    let what = sentence::event(&event.kind, &event.actor);
    let which = event
        .ask
        .filter(|_| asks > 1)
        .map(|index| format!(" (no. {})", index + 1));
    view! {
        <li class=format!("moment moment-{}", tone(&event.kind))>
            <p class="moment-what">{what} {which}</p>
            <p class="moment-when"><Time at=event.at/></p>
            {quote(&event.note)}
        </li>
    }
    .into_any()
}

const fn tone(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Active | EventKind::Approved | EventKind::ReviewedApprove => "good",
        EventKind::Denied
        | EventKind::ReviewedDeny
        | EventKind::Reopened
        | EventKind::Attempted => "bad",
        EventKind::Granting | EventKind::Revoking | EventKind::EndedEarly => "busy",
        _ => "calm",
    }
}
