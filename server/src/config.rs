//! Configuration, in two stages: what was typed ([`typed`]), then what it means ([`Config`]).
//!
//! Every problem is found before any is reported, each with the variable's name, what is wrong and
//! what to do. Deliberately absent: defaults that open something, and a switch for the clock.

mod claims;
mod exposure;
mod meaning;
mod typed;
mod variables;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use domain::id::AccountId;
use domain::sweep::{AllowList, Sweep};
use jiff::SignedDuration;
use secrecy::SecretString;
use thiserror::Error;
use url::Url;

pub use claims::{Attribute, ClaimRule, Unverified};
pub use meaning::PublicUrl;
pub use variables::{Absent, VARIABLES, Variable};

/// What this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Portal and worker in one process: a laptop, or a small organisation.
    All,
    /// Serves people; its AWS role cannot write assignments.
    Portal,
    /// Grants, revokes and reconciles; serves no people.
    Worker,
}

impl Role {
    /// Whether people are served.
    #[must_use]
    pub const fn serves_people(self) -> bool {
        matches!(self, Self::All | Self::Portal)
    }

    /// Whether assignments are written.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::All | Self::Worker)
    }
}

/// What was configured, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where people find the portal.
    pub public_url: PublicUrl,
    /// Where the portal listens.
    pub listen: SocketAddr,
    /// Where `/metrics` listens.
    pub metrics_listen: SocketAddr,
    /// Where the policy is.
    pub policy: PolicySource,
    /// The table's name.
    pub table: String,
    /// Where the audit log goes.
    pub audit: AuditLog,
    /// What is changed.
    pub identity_center: IdentityCenter,
    /// Accounts that no policy can open.
    pub protected_accounts: Vec<AccountId>,
    /// Who says who people are; there whenever the role serves people.
    pub oidc: Option<Oidc>,
    /// Ceiling of calls a second, for each of sso-admin and Identity Store.
    pub aws_rate: NonZeroU32,
    /// What is done about what nobody promised.
    pub sweep: Sweep,
    /// How long that is known before it is taken away.
    pub sweep_grace: SignedDuration,
    /// Where that is known.
    pub sweep_allow: AllowList,
    /// `tracing` directives, checked.
    pub log: String,
    /// Where the pages' assets are (`LEPTOS_SITE_ROOT`).
    pub site_root: PathBuf,
    /// The protections that were lifted by name.
    lifted: Vec<exposure::Protection>,
}

/// Where the policy is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicySource {
    /// A file of this machine.
    File(PathBuf),
    /// An S3 object.
    S3 {
        /// The bucket.
        bucket: String,
        /// The object's key.
        key: String,
    },
}

impl fmt::Display for PolicySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::S3 { bucket, key } => write!(f, "s3://{bucket}/{key}"),
        }
    }
}

/// Where the audit log goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditLog {
    /// The bucket.
    pub bucket: String,
    /// The folder, without slashes at its ends.
    pub prefix: String,
}

/// The Identity Center that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityCenter {
    /// The instance's ARN.
    pub instance_arn: String,
    /// The Identity Store's id.
    pub identity_store_id: String,
    /// The AWS access portal, without a slash at its end.
    pub access_portal_url: String,
}

/// The OIDC provider, and Belay's registration there.
#[derive(Debug, Clone)]
pub struct Oidc {
    /// The issuer as typed: compared with the `iss` of tokens byte for byte.
    pub issuer: String,
    /// The same as an address.
    pub issuer_url: Url,
    /// Belay's client id.
    pub client_id: String,
    /// Its secret; a public client has none.
    pub client_secret: Option<SecretString>,
    /// How a login finds its person, in order.
    pub claims: Vec<ClaimRule>,
    /// The audience of access tokens for the HTTP API; none is taken without it.
    pub api_audience: Option<String>,
}

/// One thing that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: String,
    /// What is wrong, to be read after the name.
    pub why: String,
    /// What to do.
    pub fix: String,
}

impl Problem {
    fn new(variable: &str, why: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            variable: variable.to_owned(),
            why: why.into(),
            fix: fix.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}; {}", self.variable, self.why, self.fix)
    }
}

/// Everything that is wrong with the configuration. Never empty.
#[derive(Debug, Error)]
#[error("{}", lines(.0))]
pub struct Problems(pub Vec<Problem>);

fn lines(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

impl Config {
    /// Whether AWS's services may be called at this address, which the SDK has found in a profile:
    /// variables are checked before the SDK is asked.
    pub fn permit_endpoint(&self, endpoint: Option<&str>) -> Result<(), Problems> {
        exposure::permit_endpoint(self, endpoint).map_err(|problem| Problems(vec![problem]))
    }

    /// Reads the environment of this process and, if named, a file.
    pub fn load(role: Role, file: Option<&Path>) -> Result<Self, Problems> {
        // Names or values that are not Unicode cannot be ours, nor AWS's.
        let environment = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::from_sources(role, environment.collect(), file)
    }

    /// The same from given sources, for tests.
    pub fn from_sources(
        role: Role,
        environment: Vec<(String, String)>,
        file: Option<&Path>,
    ) -> Result<Self, Problems> {
        let mut problems = Vec::new();
        let surroundings = exposure::Surroundings::of(&environment);
        let site_root = environment
            .iter()
            .find(|(name, _)| name == "LEPTOS_SITE_ROOT")
            .map_or_else(|| PathBuf::from("target/site"), |(_, path)| path.into());
        let typed = typed::Typed::collect(environment, file, &mut problems);
        let config = meaning::read(&typed, role, site_root, &mut problems);
        if let Some(config) = &config {
            exposure::check(config, &surroundings, &mut problems);
        }
        match config {
            Some(config) if problems.is_empty() => Ok(config),
            _ => Err(Problems(problems)),
        }
    }
}

#[cfg(test)]
mod tests;
