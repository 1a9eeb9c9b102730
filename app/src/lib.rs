//! What people see: pages, the values they show, and the reads that a browser may make.
//!
//! No authority lives here: everything a page knows comes from a [`Backend`] that the server has already bound to the
//! signed-in person, and everything a person does is a plain HTML form that the server handles.
//!
//! Deliberately absent, under every feature: AWS, the domain, the server, a runtime, a clock.

pub mod backend;
mod document;
mod read;
mod router;
pub mod view;

pub use backend::Backend;
pub use document::{Assets, Theme, problem_page, shell};
pub use router::App;
pub use view::FormState;
