//! `belay doctor`: everything that a server needs, one finding each, with what to do.
//!
//! Nothing is changed, and the checks use the clients that a server would use.

mod identity_center;
mod issuer;
mod policy;
mod storage;

use serde::Serialize;

use crate::aws::Clients;
use crate::config::{Config, Oidc, Problems};

use super::{Doctor, Outcome, print, print_json, runtime, say};

/// How one check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Health {
    /// As it should be.
    Ok,
    /// Not as it should be.
    Problem,
    /// It could not be found out.
    Unknown,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    check: &'static str,
    health: Health,
    /// What was found.
    found: String,
    /// What to do; empty where nothing is to be done.
    fix: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self {
            check,
            health: Health::Ok,
            found: found.into(),
            fix: String::new(),
        }
    }

    fn problem(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            check,
            health: Health::Problem,
            found: found.into(),
            fix: fix.into(),
        }
    }

    fn unknown(check: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            health: Health::Unknown,
            ..Self::problem(check, found, fix)
        }
    }
}

/// Checks, prints, and says how it ended.
pub(super) fn run(command: &Doctor) -> Outcome {
    let config = match command.config.load(command.role) {
        Ok(config) => config,
        Err(outcome) => return outcome,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(outcome) => return outcome,
    };
    let findings = match runtime.block_on(examine(&config)) {
        Ok(findings) => findings,
        Err(problems) => {
            say(&problems.to_string());
            return Outcome::Usage;
        }
    };
    if command.json {
        print_json(&findings);
    } else {
        findings.iter().for_each(show);
    }
    outcome(&findings)
}

async fn examine(config: &Config) -> Result<Vec<Finding>, Problems> {
    let clients = Clients::load(config).await?;
    let (table, bucket, center, store, policy, issuer) = tokio::join!(
        storage::table(&clients, config),
        storage::bucket(&clients, config),
        identity_center::instance(&clients, config),
        identity_center::identity_store(&clients, config),
        policy::valid(&clients, config),
        provider(config.oidc.as_ref(), config),
    );
    let mut findings = vec![table, bucket, center, store, policy];
    findings.extend(issuer);
    Ok(findings)
}

async fn provider(oidc: Option<&Oidc>, config: &Config) -> Option<Finding> {
    Some(issuer::discovery(oidc?, config).await)
}

fn show(finding: &Finding) {
    let mark = match finding.health {
        Health::Ok => "ok      ",
        Health::Problem => "problem ",
        Health::Unknown => "unknown ",
    };
    print(&format!("{mark} {}: {}", finding.check, finding.found));
    if !finding.fix.is_empty() {
        print(&format!("         -> {}", finding.fix));
    }
}

/// A problem that was found matters more than something that could not be.
fn outcome(findings: &[Finding]) -> Outcome {
    let any = |health| findings.iter().any(|finding| finding.health == health);
    if any(Health::Problem) {
        Outcome::No
    } else if any(Health::Unknown) {
        Outcome::Unknown
    } else {
        Outcome::Yes
    }
}
