//! The pages that need nobody signed in.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    browser::title,
    components::{Logo, refuse},
    link,
    view::WireError,
};

/// Signed out, by choice or by time.
#[component]
pub(crate) fn SignedOut() -> impl IntoView {
    title("Signed out");
    let query = use_query_map();
    let why = match query.read_untracked().get_str("why") {
        Some("expired") => {
            "Your session ended after a while of rest, or at the end of the day. Sign in to go on."
        }
        _ => "Access that you hold goes on to its end, and then goes away by itself.",
    };
    view! {
        <section class="refusal">
            <p class="refusal-mark"><Logo/></p>
            <h1>"You are signed out"</h1>
            <p class="lead">{why}</p>
            <p class="actions">
                <a class="button button-main" rel="external" href=link::sign_in("/")>"Sign in"</a>
            </p>
        </section>
    }
}

/// An address that is none of ours.
#[component]
pub(crate) fn NotFound() -> impl IntoView {
    refuse(WireError::NotFound)
}
