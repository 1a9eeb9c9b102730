//! An instant, in the reader's zone as soon as that is known: to the server by a cookie, to the browser's half by
//! itself. In UTC before that.

use leptos::prelude::*;

use crate::{
    browser::{Alive, at_first, now, zone_offset_ms},
    clock,
    components::changing,
    view::EpochMs,
};

/// An instant; UTC to the second where one points at it.
#[component]
pub(crate) fn Time(
    /// When.
    at: EpochMs,
) -> impl IntoView {
    let first = at_first(at);
    view! {
        <time datetime=clock::iso(at) title=clock::utc_to_the_second(at)>
            {changing(move || said(at, &first).into_any())}
        </time>
    }
}

fn said(at: EpochMs, first: &str) -> String {
    if Alive::get() {
        clock::local(at, zone_offset_ms(at), now(), zone_offset_ms(now()))
    } else {
        first.to_owned()
    }
}
