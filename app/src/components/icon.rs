//! The few icons, drawn on a grid of 20 with strokes in the text's colour.

use leptos::prelude::*;

/// An icon. It always stands beside words, so it is hidden from those who listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Icon {
    /// A key: what may be asked for.
    Access,
    /// A carabiner: what one holds.
    Mine,
    /// A tick in a circle: what waits for review.
    Approvals,
    /// A clock turned back.
    History,
    /// A magnifying glass.
    Search,
    /// A sheet with lines.
    Policy,
    /// An arrow that leaves its box.
    External,
    /// A chevron.
    Next,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Access => {
                "M12.5 11a4.5 4.5 0 1 0-4.2-2.9L3 13.4V17h3.6v-2H9v-2.4l1-1a4.5 4.5 0 0 0 2.5-.6ZM13.4 6.6h.01"
            }
            Self::Mine => {
                "M13.5 3.2a4.3 4.3 0 0 0-7 1.6L4 11.5a4.4 4.4 0 0 0 8.1 3.2L16 6.3M13.5 3.2 12 8.4"
            }
            Self::Approvals => {
                "M10 17.5a7.5 7.5 0 1 0 0-15 7.5 7.5 0 0 0 0 15ZM6.8 10.2l2.2 2.2 4.3-4.6"
            }
            Self::History => "M3 10a7 7 0 1 0 2.2-5.1L3 7M3 3v4h4M10 6v4.2l2.8 1.6",
            Self::Search => "M9 15A6 6 0 1 0 9 3a6 6 0 0 0 0 12ZM13.4 13.4 17 17",
            Self::Policy => "M5 3h7l3 3v11H5V3ZM8 8h4M8 11h4M8 14h2",
            Self::External => "M8 4H4v12h12v-4M11 3h6v6M17 3l-8 8",
            Self::Next => "m8 5 5 5-5 5",
        }
    }
}

impl Icon {
    /// Draws it.
    pub(crate) fn draw(self) -> AnyView {
        view! {
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
                <path d=self.path()></path>
            </svg>
        }
        .into_any()
    }
}

/// The mark: a carabiner, its gate, and the rope that runs through it.
#[component]
pub(crate) fn Logo() -> impl IntoView {
    view! {
        <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
            <path class="logo-ring" d="M21.5 4.2a6.5 6.5 0 0 1 3 8.7l-5.3 11a6.5 6.5 0 0 1-11.7-5.6l2.4-5m3.3-6.8a6.5 6.5 0 0 1 8.3-2.3"></path>
            <path class="logo-gate" d="M12.6 8 9.4 14.6"></path>
            <path class="logo-rope" d="M2 29c3.5-1 5-6 9-7.5s6 2.5 9.5 1.5c4-1.1 5-5 9.5-5"></path>
        </svg>
    }
}
