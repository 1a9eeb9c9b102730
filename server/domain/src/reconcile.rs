//! What differs between what was promised and what one complete read shows. Pure.
//!
//! The worker reads pairs; these functions say what that means for one key. Deliberately absent:
//! any consequence. What is ours to put right is put right by [`crate::progress::observed`], by the
//! same steps as everything else; the rest is a finding.

use jiff::{SignedDuration, Timestamp};

use crate::grant::ReadEvidence;
use crate::key::{KeyState, Phase};
use crate::plan::READS_LAG;

/// A grant whose time is up, and whose end is not proved, is found after this long. A deletion
/// takes seconds, and minutes where AWS is slow.
pub const OVERDUE_AFTER: SignedDuration = SignedDuration::from_secs(300);

/// Whether an assignment that a complete read shows is nobody's: no grant wants it, nothing of
/// ours is under way or at large that could have made it, and the read cannot be showing what we
/// have just deleted. `None`: nobody ever wanted the key.
#[must_use]
pub fn is_unmanaged(key: Option<&KeyState>, read: &ReadEvidence) -> bool {
    let Some(key) = key else {
        return true;
    };
    // A grant that has not begun has made nothing; whatever is there will be judged when it does.
    let begun = key.live.iter().any(|live| live.phase != Phase::Scheduled);
    let busy = begun || key.operation.is_some() || key.unsettled_until(read.began_at).is_some();
    // By a clock that may be a little behind the one of the server that wrote.
    let shows_ours = [key.last_write_at, key.last_delete_at]
        .into_iter()
        .flatten()
        .any(|write| {
            write
                .saturating_add(READS_LAG * 2)
                .is_ok_and(|shown| read.began_at < shown)
        });
    !busy && !shows_ours
}

/// The earliest promised end that is past and not proved, if there is one.
#[must_use]
pub fn late_since(key: &KeyState, now: Timestamp) -> Option<Timestamp> {
    key.live
        .iter()
        .filter(|live| live.phase != Phase::Scheduled && live.until <= now)
        .map(|live| live.until)
        .min()
}

/// Whether that is so long ago that somebody must look.
#[must_use]
pub fn is_overdue(key: &KeyState, now: Timestamp) -> bool {
    late_since(key, now).is_some_and(|until| now.duration_since(until) > OVERDUE_AFTER)
}
