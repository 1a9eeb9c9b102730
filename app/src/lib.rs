//! What people see: pages, the values they show, and the reads that a browser may make.
//!
//! No authority lives here: everything a page knows comes from a [`Backend`] that the server has already bound to the
//! signed-in person, and everything a person does is a plain HTML form that the server handles.
//!
//! Deliberately absent, under every feature: AWS, the domain, the server, a runtime, a clock.

#![expect(
    unreachable_pub,
    reason = "`#[component]` writes its items as pub, also where they are the crate's own"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "a component owns its props, and what is boxed for the browser outlives its caller"
)]

pub mod backend;
mod browser;
mod cli;
mod clock;
mod components;
mod document;
#[cfg(feature = "hydrate")]
mod fetch;
mod follow;
mod form_state;
#[cfg(feature = "hydrate")]
mod hydration;
mod layout;
mod link;
mod live;
mod pages;
#[cfg(any(feature = "hydrate", test))]
mod query;
#[cfg(not(feature = "hydrate"))]
mod read;
mod router;
pub mod search;
mod sentence;
pub mod view;
mod wire;
mod zone;

pub use backend::{Backend, Reader};
pub use document::{Assets, Theme};
#[cfg(feature = "ssr")]
pub use document::{problem_page, shell};
#[cfg(feature = "hydrate")]
use fetch as read;
#[cfg(feature = "hydrate")]
pub use hydration::hydrate;
pub use router::App;
#[cfg(feature = "ssr")]
pub use sentence::{told, told_reason};
pub use view::{FormState, Stay};
pub use zone::Zone;
