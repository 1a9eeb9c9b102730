//! The OIDC provider.

use crate::config::{Config, Oidc};
use crate::web;

use super::Finding;

/// The provider can be discovered, as it will be at a sign-in.
pub(super) async fn discovery(oidc: &Oidc, config: &Config) -> Finding {
    const CHECK: &str = "oidc-issuer";
    match web::discover(oidc, &config.public_url).await {
        Ok(()) => Finding::ok(CHECK, format!("{} was discovered", oidc.issuer)),
        Err(error) => Finding::problem(
            CHECK,
            format!("{}: {error}", oidc.issuer),
            format!(
                "check BELAY_OIDC_ISSUER against the `issuer` in {}/.well-known/openid-configuration",
                oidc.issuer.trim_end_matches('/')
            ),
        ),
    }
}
