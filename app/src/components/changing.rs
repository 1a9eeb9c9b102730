//! Parts of a page that change by themselves.
//!
//! Every closure that Leptos is given to draw has a type of its own, and brings a copy of the machinery for it to the
//! browser, some kilobytes each. Here they are boxed first, so that all of them share one.

use leptos::prelude::*;

/// Draws again whenever a signal that it reads has changed.
pub(crate) fn changing(draw: impl Fn() -> AnyView + Send + 'static) -> AnyView {
    boxed(Box::new(draw))
}

fn boxed(draw: Box<dyn Fn() -> AnyView + Send>) -> AnyView {
    (move || draw()).into_any()
}
