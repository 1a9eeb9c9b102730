//! What a person has on a key already: the access that a new grant would stand beside or continue.

use domain::grant::Grant;
use domain::id::GrantId;
use domain::key::Phase;
use domain::policy::Run;
use domain::target::Key;
use jiff::Timestamp;

use super::{Service, ServiceError};
use crate::store::item::StoredKey;

/// A key with the grants on it that have not ended.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) key: Key,
    /// The key, if anybody ever wanted it.
    pub(super) stored: Option<StoredKey>,
    pub(super) grants: Vec<Grant>,
}

/// Access without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    /// Since when; some of it may be over.
    pub(super) from: Timestamp,
    /// Until when it is promised.
    pub(super) until: Timestamp,
}

impl Running {
    /// As policy judges it.
    pub(super) const fn run(self, extended: bool) -> Run {
        Run {
            from: self.from,
            extended,
        }
    }
}

impl Service {
    /// Reads a key, consistently, and what is on it.
    pub(super) async fn held(&self, key: Key) -> Result<Held, ServiceError> {
        let stored = self.store.key(&key).await?;
        let live: Vec<GrantId> = stored
            .iter()
            .flat_map(|stored| &stored.state.live)
            .map(|live| live.grant)
            .collect();
        let grants = if live.is_empty() {
            Vec::new()
        } else {
            self.store.grants(&live).await?
        };
        Ok(Held {
            key,
            stored,
            grants,
        })
    }
}

impl Held {
    /// The access that goes on at that instant, or ends just then.
    pub(super) fn running_at(&self, at: Timestamp) -> Option<Running> {
        let windows: Vec<Running> = self
            .stored
            .iter()
            .flat_map(|stored| &stored.state.live)
            .filter(|live| live.phase != Phase::Revoking)
            .map(|live| {
                let grant = self.grants.iter().find(|grant| grant.id == live.grant);
                let run_from = grant.and_then(|grant| grant.run_from);
                Running {
                    from: run_from.map_or(live.from, |run_from| run_from.min(live.from)),
                    until: live.until,
                }
            })
            .collect();
        joined(&windows, at)
    }

    /// The access that this grant is part of.
    pub(super) fn running_with(&self, grant: GrantId) -> Option<Running> {
        let live = self.stored.iter().flat_map(|stored| &stored.state.live);
        let live = live
            .filter(|live| live.phase != Phase::Revoking)
            .find(|live| live.grant == grant)?;
        self.running_at(live.until)
    }
}

/// All windows that touch each other, beginning with those that touch that instant.
fn joined(windows: &[Running], at: Timestamp) -> Option<Running> {
    let mut run = Running {
        from: at,
        until: at,
    };
    let mut found = false;
    // Each pass takes in at least one more, or is the last.
    for _ in 0..=windows.len() {
        let before = run;
        for window in windows {
            if window.from <= run.until && run.from <= window.until {
                run.from = run.from.min(window.from);
                run.until = run.until.max(window.until);
                found = true;
            }
        }
        if run == before {
            break;
        }
    }
    found.then_some(run)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap_or_default()
    }

    fn window(from: i64, until: i64) -> Running {
        Running {
            from: at(from),
            until: at(until),
        }
    }

    #[test]
    fn windows_that_touch_are_one_run_and_a_gap_ends_it() {
        let windows = [
            window(20, 30),
            window(0, 10),
            window(10, 20),
            window(31, 40),
        ];
        assert_eq!(joined(&windows, at(5)), Some(window(0, 30)));
        assert_eq!(joined(&windows, at(30)), Some(window(0, 30)));
        assert_eq!(joined(&windows, at(31)), Some(window(31, 40)));
        assert_eq!(joined(&windows, at(41)), None);
        assert_eq!(joined(&[], at(0)), None);
    }
}
