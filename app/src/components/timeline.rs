//! What happened, oldest first.

use leptos::prelude::*;

use crate::{
    components::Time,
    sentence,
    view::{EventKind, EventView},
};

/// A request's events.
#[component]
pub(crate) fn Timeline(
    /// Oldest first.
    events: Signal<Vec<EventView>>,
    /// Whether to say which ask an event is about.
    several_asks: bool,
) -> impl IntoView {
    view! {
        <ol class="timeline">
            <For each=move || events.get() key=|event| event.id.clone() let:event>
                {moment(event, several_asks)}
            </For>
        </ol>
    }
}

fn moment(event: EventView, several_asks: bool) -> impl IntoView {
    let what = sentence::event(&event.kind, &event.actor);
    let which = event
        .ask
        .filter(|_| several_asks)
        .map(|index| format!(" (no. {})", index + 1));
    view! {
        <li class=format!("moment moment-{}", tone(&event.kind))>
            <p class="moment-what">
                {what} {which}
            </p>
            <p class="moment-when"><Time at=event.at/></p>
            {(!event.note.is_empty()).then(|| view! { <blockquote class="quote">{event.note}</blockquote> })}
        </li>
    }
}

const fn tone(kind: &EventKind) -> &'static str {
    match kind {
        EventKind::Active | EventKind::Approved | EventKind::ReviewedApprove => "good",
        EventKind::Denied | EventKind::ReviewedDeny | EventKind::Attempted => "bad",
        EventKind::Granting | EventKind::Revoking => "busy",
        _ => "calm",
    }
}
