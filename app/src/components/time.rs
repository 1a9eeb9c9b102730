//! An instant, in UTC from the server and in the reader's zone once the browser's half is alive.

use leptos::prelude::*;

use crate::{
    browser::{Alive, now, zone_offset_ms},
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
    view! {
        <time datetime=clock::iso(at) title=clock::utc_to_the_second(at)>
            {changing(move || said(at).into_any())}
        </time>
    }
}

/// The reader's zone is known only where the reader is.
fn said(at: EpochMs) -> String {
    if Alive::get() {
        clock::local(at, zone_offset_ms(at), now(), zone_offset_ms(now()))
    } else {
        clock::utc(at)
    }
}
