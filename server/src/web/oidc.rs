//! The OIDC provider: who says who people are.
//!
//! Deliberately absent: what a login means to Belay. That is `sign_in`'s.

mod http_client;
mod provider;

pub(super) use provider::{Login, LoginError, Pending, Provider};
