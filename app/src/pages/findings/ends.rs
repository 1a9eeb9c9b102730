//! How late ends were, and what is late now: what the promise to take access away on time was worth.

use leptos::prelude::*;

use crate::{
    clock,
    components::{Time, changing},
    follow::follow,
    read, sentence,
    view::{EndsView, WireError},
};

/// The figure, in a panel of its own: where it cannot be read, everything else stands.
#[component]
pub(super) fn Ends() -> impl IntoView {
    follow::<EndsView>(
        || Box::pin(read::read_ends()),
        // Ends are news of history when they are recorded, and of findings when they are counted.
        |topic| topic == "findings" || topic == "history",
        || ().into_any(),
        |ends| changing(move || panel(&ends.value.read(), ends.problem.read().is_some())),
        unknown,
    )
}

fn panel(ends: &EndsView, is_old: bool) -> AnyView {
    let worth = if ends.ends == 0 {
        ().into_any()
    } else {
        view! {
            <div><dt>"Half within"</dt><dd>{clock::late(ends.half_within_ms)}</dd></div>
            <div><dt>"99 of 100 within"</dt><dd>{clock::late(ends.most_within_ms)}</dd></div>
            <div><dt>"Worst"</dt><dd>{clock::late(ends.worst_ms)}</dd></div>
        }
        .into_any()
    };
    let behind = ends
        .is_behind
        .then_some(" Some more are still being counted.");
    let old = is_old.then_some(" It could not be read again since.");
    view! {
        <section class="card stack ends" aria-labelledby="ends">
            <h2 id="ends">"Ends in the last " {ends.days} " days"</h2>
            <dl class="facts">
                <div><dt>"Proven gone"</dt><dd>{proven(ends)}</dd></div>
                {worth}
                <div><dt>"Overdue now"</dt><dd>{overdue(ends)}</dd></div>
            </dl>
            <p class="quiet row-more">
                "From the promised end to the proof on record, rounded up. Days as in UTC, since "
                {ends.since.clone()} ". As of " <Time at=ends.at/> "." {behind} {old}
            </p>
        </section>
    }
    .into_any()
}

fn proven(ends: &EndsView) -> String {
    match ends.ends {
        0 => "none yet".to_owned(),
        number => sentence::number(number),
    }
}

fn overdue(ends: &EndsView) -> AnyView {
    let more = if ends.overdue_at_least {
        "at least "
    } else {
        ""
    };
    let number = sentence::number(ends.overdue.into());
    match ends.overdue_since {
        None if more.is_empty() => "none".into_any(),
        None => view! { "none among the first" }.into_any(),
        Some(since) => view! {
            <span class="pill pill-bad">{more} {number}</span> ", the longest since " <Time at=since/>
        }
        .into_any(),
    }
}

/// Whoever may not see it sees a page that says so already.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape of what `follow` calls"
)]
fn unknown(error: WireError) -> AnyView {
    match error {
        WireError::Unavailable { .. } | WireError::Stale => view! {
            <p class="quiet">"How late ends were cannot be read just now."</p>
        }
        .into_any(),
        WireError::SignedOut
        | WireError::NotFound
        | WireError::NotAllowed
        | WireError::BeyondReach => ().into_any(),
    }
}
