//! How late ends were, and what is late now, for auditors and admins.

use serde::{Deserialize, Serialize};

use super::EpochMs;

/// The figure. Delays are from the promised instant to the one at which the proof was on record, in milliseconds, and
/// never better than the truth.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndsView {
    /// When it was read.
    pub at: EpochMs,
    /// How many days it is of, today included, as days are in UTC.
    pub days: u32,
    /// The first of them, in UTC: `2026-11-03`.
    pub since: String,
    /// How many ends were proven in them.
    pub ends: u64,
    /// Half of them were no later than this.
    pub half_within_ms: u64,
    /// 99 of 100 were no later than this.
    pub most_within_ms: u64,
    /// None was later than this.
    pub worst_ms: u64,
    /// Whether some are still being counted, and are not in it.
    pub is_behind: bool,
    /// How many are past their end now, and not proven gone.
    pub overdue: u32,
    /// Whether there may be more.
    pub overdue_at_least: bool,
    /// Since when the longest of them is.
    pub overdue_since: Option<EpochMs>,
}
