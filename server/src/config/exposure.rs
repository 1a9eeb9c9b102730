//! What must not be configured once people can reach the portal from elsewhere.
//!
//! On a laptop Belay is pointed at a sandbox by endpoint overrides, speaks to a provider without
//! TLS and signs with keys that are no secret. Each of these, forgotten in production, would hand
//! over the keys; so each is refused there unless `BELAY_ALLOW` names it.

use std::net::IpAddr;

use secrecy::ExposeSecret;
use url::{Host, Url};

use super::variables::{
    BELAY_ALLOW, BELAY_OIDC_CLIENT_SECRET, BELAY_OIDC_ISSUER, BELAY_PUBLIC_URL,
};
use super::{Config, Problem};

/// The keys and the client secret that the sandbox is started with, for all to read.
const SANDBOX_SECRETS: [&str; 2] = ["sandbox", "belay-sandbox-secret"];

/// A protection that can be lifted by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// AWS is called where AWS is.
    AwsEndpoint,
    /// The provider is reached by TLS, elsewhere.
    OidcIssuer,
    /// Keys are secret.
    SandboxKeys,
}

impl Protection {
    pub(super) const ALL: [Self; 3] = [Self::AwsEndpoint, Self::OidcIssuer, Self::SandboxKeys];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::AwsEndpoint => "aws-endpoint",
            Self::OidcIssuer => "oidc-issuer",
            Self::SandboxKeys => "sandbox-keys",
        }
    }
}

/// The part of the environment that is AWS's own and matters here.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Names of set `AWS_ENDPOINT_URL*` variables.
    endpoint_overrides: Vec<String>,
    /// Names of set key variables whose value is the sandbox's.
    sandbox_keys: Vec<String>,
}

impl Surroundings {
    pub(super) fn of(environment: &[(String, String)]) -> Self {
        let names = |keep: &dyn Fn(&str, &str) -> bool| {
            environment
                .iter()
                .filter(|(name, value)| keep(name, value))
                .map(|(name, _)| name.clone())
                .collect()
        };
        Self {
            endpoint_overrides: names(&|name, value| {
                name.starts_with("AWS_ENDPOINT_URL") && !value.is_empty()
            }),
            sandbox_keys: names(&|name, value| {
                matches!(name, "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY")
                    && SANDBOX_SECRETS.contains(&value)
            }),
        }
    }
}

/// Adds a problem for each thing that a public portal must not have.
pub(super) fn check(config: &Config, surroundings: &Surroundings, problems: &mut Vec<Problem>) {
    if config.public_url.is_loopback() {
        return;
    }
    let mut refuse = |protection: Protection, variable: &str, why: &str, fix: &str| {
        if !config.lifted.contains(&protection) {
            problems.push(Problem::new(
                variable,
                format!("{why}, and {BELAY_PUBLIC_URL} is not this machine alone"),
                format!("{fix}, or add {} to {BELAY_ALLOW}", protection.name()),
            ));
        }
    };
    for name in &surroundings.endpoint_overrides {
        refuse(
            Protection::AwsEndpoint,
            name,
            "sends AWS calls elsewhere",
            "remove it",
        );
    }
    for name in &surroundings.sandbox_keys {
        refuse(
            Protection::SandboxKeys,
            name,
            "is the sandbox's, which everybody knows",
            "use the role of the machine",
        );
    }
    let Some(oidc) = &config.oidc else { return };
    if oidc.issuer_url.scheme() != "https" {
        refuse(
            Protection::OidcIssuer,
            BELAY_OIDC_ISSUER,
            "is not https",
            "give an https issuer",
        );
    } else if is_loopback(&oidc.issuer_url) {
        refuse(
            Protection::OidcIssuer,
            BELAY_OIDC_ISSUER,
            "is on this machine",
            "give the issuer's public address",
        );
    }
    if let Some(secret) = &oidc.client_secret
        && SANDBOX_SECRETS.contains(&secret.expose_secret())
    {
        refuse(
            Protection::SandboxKeys,
            BELAY_OIDC_CLIENT_SECRET,
            "is the sandbox's, which everybody knows",
            "give the secret of your own client",
        );
    }
}

/// Refuses an endpoint of an AWS profile where a variable would be refused.
pub(super) fn permit_endpoint(config: &Config, endpoint: Option<&str>) -> Result<(), Problem> {
    match endpoint {
        Some(endpoint)
            if !config.public_url.is_loopback()
                && !config.lifted.contains(&Protection::AwsEndpoint) =>
        {
            Err(Problem::new(
                "endpoint_url",
                format!(
                    "of the AWS profile sends calls to {endpoint}, and {BELAY_PUBLIC_URL} is not \
                     this machine alone"
                ),
                format!("remove it, or add aws-endpoint to {BELAY_ALLOW}"),
            ))
        }
        _ => Ok(()),
    }
}

/// Whether an address can only be reached from this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        // RFC 6761, section 6.3: `localhost` and everything below it is loopback.
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        None => false,
    }
}
