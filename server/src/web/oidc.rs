//! The OIDC provider: who says who people are.
//!
//! Deliberately absent: what a login means to Belay. That is `sign_in`'s.

mod access_token;
mod failure;
mod http_client;
mod login;
mod provider;

pub(super) use access_token::{AccessToken, TokenError};
pub(super) use failure::LoginError;
pub(super) use login::{Fresh, Login, Pending};
pub(super) use provider::Provider;
