//! The way into the AWS console.

use leptos::prelude::*;

use crate::{components::Icon, link, view::GrantState};

/// A button that opens the console with this access; nothing unless AWS says that the access is there.
pub(crate) fn console_link(state: GrantState, url: Option<&str>) -> AnyView {
    let button = url
        .filter(|_| state == GrantState::Active)
        .and_then(link::external)
        .map(|url| {
            view! {
                <a
                    class="button button-main"
                    href=url.to_owned()
                    target="_blank"
                    rel="external noopener noreferrer"
                >
                    "Open console" {Icon::External.draw()}
                </a>
            }
            .into_any()
        });
    button.into_any()
}
