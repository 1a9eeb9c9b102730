//! How long a grant still lasts.

use leptos::prelude::*;

use crate::{clock, components::changing, view::EpochMs};

/// A countdown to the second. It speaks at five minutes, at one minute and at the end, and is silent otherwise.
#[component]
pub(crate) fn Countdown(
    /// The server's clock when the view was made.
    now: EpochMs,
    /// Start of the window.
    from: EpochMs,
    /// End of the window.
    until: EpochMs,
) -> impl IntoView {
    let left = RwSignal::new(seconds_left(until, now));
    let spoken = RwSignal::new("");
    #[cfg(feature = "hydrate")]
    tick(now, until, left, spoken);

    let whole = seconds_left(until, from).max(1);
    view! {
        <span class="countdown">
            {changing(move || bar(left.get(), whole))}
            <span class="sr" aria-live="polite">{changing(move || spoken.get().into_any())}</span>
        </span>
    }
}

fn bar(left: i64, whole: i64) -> AnyView {
    let soon = if left <= 60 {
        "countdown-left countdown-soon"
    } else {
        "countdown-left"
    };
    view! {
        <span class=soon role="timer">{clock::left(left)}</span>
        <progress
            class="countdown-bar"
            aria-hidden="true"
            max=whole.to_string()
            value=left.clamp(0, whole).to_string()
        ></progress>
    }
    .into_any()
}

/// Rounded up, so that it reads 0 only when nothing is left.
const fn seconds_left(until: EpochMs, now: EpochMs) -> i64 {
    let left = until - now;
    if left <= 0 { 0 } else { (left + 999) / 1000 }
}

/// What to say when this many seconds are left, if anything.
#[cfg(any(feature = "hydrate", test))]
const fn said_at(left: i64) -> Option<&'static str> {
    match left {
        300 => Some("5 minutes left"),
        60 => Some("1 minute left"),
        0 => Some("Time is up. The access is being removed."),
        _ => None,
    }
}

#[cfg(feature = "hydrate")]
fn tick(now: EpochMs, until: EpochMs, left: RwSignal<i64>, spoken: RwSignal<&'static str>) {
    use std::time::Duration;

    use crate::browser;

    /// A page takes a while to arrive and come alive, so a small difference says nothing about the browser's clock;
    /// one of more than this does, and is corrected for.
    const CLOCK_TRUSTED_WITHIN_MS: i64 = 10_000;

    let difference = now - browser::now();
    let correction = if difference.abs() > CLOCK_TRUSTED_WITHIN_MS {
        difference
    } else {
        0
    };
    let tick = move || {
        let seconds = seconds_left(until, browser::now() + correction);
        let before = left.get_untracked();
        if seconds == before {
            return;
        }
        left.set(seconds);
        // A sleeping tab wakes late: whatever threshold was passed last is said.
        if let Some(said) = (seconds..before).find_map(said_at) {
            spoken.set(said);
        }
    };
    Effect::new(move |_| {
        tick();
        // Four times a second, so that a second never seems to be skipped.
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_millis(250)) {
            on_cleanup(move || handle.clear());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::{said_at, seconds_left};

    #[test]
    fn nothing_is_left_only_at_the_end() {
        assert_eq!(seconds_left(1_000, 1), 1);
        assert_eq!(seconds_left(1_000, 1_000), 0);
        assert_eq!(seconds_left(1_000, 9_000), 0);
    }

    #[test]
    fn it_speaks_three_times_in_an_hour() {
        assert_eq!((0..3600).filter(|left| said_at(*left).is_some()).count(), 3);
    }
}
