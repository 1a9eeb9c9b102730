//! How late ends were: from the instant that was promised to the one at which the proof was on
//! record. Pure: what counts, and how it is added up.
//!
//! Counted is each grant whose receipt says that access is gone ([`Receipt::access_is_gone`]),
//! once, on the day (UTC) on which that was recorded:
//!
//! - one that somebody ended early, or whose person has left, counts from the instant at which they
//!   said so: its end moved there, and that is what was promised from then on;
//! - one that was absent already when its time was up counts as any other. The second read, half a
//!   minute after the first, makes it look later than it was, never earlier;
//! - one that waited for a lost create to settle has no receipt before that, and counts with the
//!   whole of the wait. Nothing provisional is ever counted.
//!
//! Not counted is what says nothing of how long taking away took, and would only flatter: access
//! that somebody else removed before its time ([`Cause::RemovedByHand`]); what remains, by another
//! grant or since before us (`held-by`, `standing`); what never was (`never-granted`); and what ended
//! with its account, set, group or person (`target-gone`), since nobody could say when it was gone.
//!
//! A figure made of these is never better than the truth. Delays are counted under the next bound
//! above, and a share of them is said to lie within that; only the worst is kept as it was. Times are
//! those of the servers' clocks, which may differ by seconds: an end that was recorded before its
//! time, by such a clock, counts as one without delay.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::grant::{Cause, Grant, GrantState, Receipt};

/// Delays are counted under these, in milliseconds: each at most half as much again as the one before
/// where it matters, from a second to a minute, with the 30 s between two reads a bound of its own.
/// What is above the last is counted under none, and is only as good as the worst.
const BOUNDS_MS: [u64; 33] = [
    250,
    500,
    750,
    1_000,
    1_500,
    2_000,
    2_500,
    3_000,
    4_000,
    5_000,
    6_000,
    8_000,
    10_000,
    12_000,
    15_000,
    20_000,
    25_000,
    30_000,
    35_000,
    40_000,
    50_000,
    60_000,
    90_000,
    120_000,
    180_000,
    300_000,
    600_000,
    1_200_000,
    1_800_000,
    3_600_000,
    4 * 3_600_000,
    24 * 3_600_000,
    7 * 24 * 3_600_000,
];

/// What the figure is of: this many days, today included, as days are in UTC.
pub const WINDOW_DAYS: i8 = 30;

/// How late one end was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// When its proof was recorded.
    pub at: Timestamp,
    /// How long after the promised instant, in milliseconds, rounded up.
    pub late_ms: u64,
}

impl End {
    /// How late this grant's end was; `None`: it is not counted, or has not ended.
    #[must_use]
    pub fn of(grant: &Grant) -> Option<Self> {
        let GrantState::Ended { at, receipt } = &grant.state else {
            return None;
        };
        let is_ours = match receipt {
            Receipt::Removed { .. } => true,
            Receipt::AbsentAlready { cause, .. } => match cause {
                None => true,
                Some(Cause::RemovedByHand) => false,
            },
            Receipt::HeldBy { .. }
            | Receipt::Standing
            | Receipt::TargetGone { .. }
            | Receipt::NeverGranted => false,
        };
        let late = at.duration_since(grant.until).as_nanos().max(0);
        let late_ms = u64::try_from(late).unwrap_or(u64::MAX).div_ceil(1_000_000);
        is_ours.then_some(Self { at: *at, late_ms })
    }

    /// The day on which it is counted.
    #[must_use]
    pub fn day(&self) -> Date {
        day(self.at)
    }
}

/// The day of an instant, in UTC.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The first day of the window that this instant is in.
#[must_use]
pub fn first_day(now: Timestamp) -> Date {
    let before = jiff::Span::new().days(WINDOW_DAYS - 1);
    day(now).saturating_sub(before)
}

/// How late ends were, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delays {
    /// How many were within each bound, and above the one before.
    within_ms: BTreeMap<u64, u64>,
    /// The worst, as it was.
    worst_ms: u64,
}

impl Delays {
    /// Adds one.
    pub fn count(&mut self, late_ms: u64) {
        let bound = BOUNDS_MS.into_iter().find(|bound| late_ms <= *bound);
        let within = self.within_ms.entry(bound.unwrap_or(u64::MAX)).or_default();
        *within = within.saturating_add(1);
        self.worst_ms = self.worst_ms.max(late_ms);
    }

    /// Adds all of another's, whatever bounds they were counted under.
    pub fn merge(&mut self, other: &Self) {
        for (bound, ends) in &other.within_ms {
            let within = self.within_ms.entry(*bound).or_default();
            *within = within.saturating_add(*ends);
        }
        self.worst_ms = self.worst_ms.max(other.worst_ms);
    }

    /// How many there are.
    #[must_use]
    pub fn ends(&self) -> u64 {
        self.within_ms
            .values()
            .fold(0, |all, ends| all.saturating_add(*ends))
    }

    /// So many of a hundred were no later than this, in milliseconds: at least the true value of the
    /// nearest rank. 0: there are none.
    #[must_use]
    pub fn within(&self, of_a_hundred: u8) -> u64 {
        let share = u128::from(self.ends()) * u128::from(of_a_hundred.min(100));
        let rank = share.div_ceil(100).max(1);
        let mut counted = 0;
        for (bound, ends) in &self.within_ms {
            counted += u128::from(*ends);
            if counted >= rank {
                return (*bound).min(self.worst_ms);
            }
        }
        self.worst_ms
    }

    /// The worst, in milliseconds; 0: there are none.
    #[must_use]
    pub const fn worst(&self) -> u64 {
        self.worst_ms
    }
}
