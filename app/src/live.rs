//! What changes elsewhere appears here: one stream from the server, and whoever wants to know about a topic.
//!
//! A message says only which topic moved. Whoever shows it reads again, and so is authorised again; nothing that is
//! shown ever comes from the stream itself.

#[cfg(feature = "hydrate")]
mod listeners;
#[cfg(any(feature = "hydrate", test))]
mod pause;
#[cfg(feature = "hydrate")]
mod stream;

#[cfg(feature = "hydrate")]
pub(crate) use {
    listeners::{News, moved_here, on_change},
    pause::pause,
    stream::{connect, heard, try_again},
};

use leptos::prelude::*;

/// In context: what people have to know about the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Interrupted(pub(crate) RwSignal<Silence>);

/// Why changes that are made elsewhere have not arrived for a while.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "hydrate"),
    expect(dead_code, reason = "only browsers wait for anything")
)]
pub(crate) enum Silence {
    /// They do arrive; or reading says for itself that nobody is signed in.
    #[default]
    None,
    /// Nothing gets through.
    Unreachable,
    /// Belay answers, but has no stream for this page, or something between drops it.
    Untold,
}

/// There is no stream on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn connect(_interrupted: Interrupted) {}

/// Nobody listens on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn moved_here(_topic: &'static str) {}

/// Nothing has failed yet on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn try_again() {}
