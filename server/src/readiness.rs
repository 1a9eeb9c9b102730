//! What this server still waits for.
//!
//! Each part reports on itself; `/readyz` and the pages read it. A part that nobody has reported on
//! counts as not ready, so that forgetting one shows.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

/// A part that must work before people are sent here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The DynamoDB table answers a consistent read.
    Table,
    /// A valid policy has been loaded.
    Policy,
    /// The directory snapshot is there.
    Directory,
    /// The OIDC provider has been discovered.
    Issuer,
    /// The worker runs: it leads or stands by.
    Worker,
}

/// Whether a part is ready, and why not.
pub type Report = Result<(), String>;

/// The reports of all parts that this role needs. Cheap to clone; all clones share the reports.
#[derive(Debug, Clone)]
pub struct Readiness {
    reports: Arc<RwLock<BTreeMap<Part, Report>>>,
}

impl Readiness {
    /// Waits for these parts, and for no others.
    #[must_use]
    pub fn of(parts: &[Part]) -> Self {
        let reports = parts
            .iter()
            .map(|part| (*part, Err("has not been tried yet".to_owned())))
            .collect();
        Self {
            reports: Arc::new(RwLock::new(reports)),
        }
    }

    /// Records how a part is; says so in the log when that changes. Parts that this role does not
    /// need are ignored.
    pub fn report(&self, part: Part, report: Report) {
        let mut reports = self.reports.write().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = reports.get_mut(&part) else {
            return;
        };
        if *known == report {
            return;
        }
        match &report {
            Ok(()) => tracing::info!(?part, "ready"),
            Err(why) => tracing::warn!(?part, why, "not ready"),
        }
        *known = report;
    }

    /// How each part is.
    #[must_use]
    pub fn reports(&self) -> BTreeMap<Part, Report> {
        self.reports
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether all parts are ready.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.reports().values().all(Result::is_ok)
    }

    /// Whether one part is ready; a part that this role does not need never is.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        matches!(self.reports().get(&part), Some(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_ready_only_when_every_part_has_said_so() {
        let readiness = Readiness::of(&[Part::Table, Part::Policy]);
        readiness.report(Part::Table, Ok(()));
        assert!(!readiness.is_ready());
        readiness.report(Part::Policy, Ok(()));
        assert!(readiness.is_ready());
        readiness.report(Part::Table, Err("is gone".to_owned()));
        assert!(!readiness.is_ready());
        assert!(!readiness.has(Part::Issuer));
    }
}
