//! The state of one key: what is wanted of it, and what we are doing about it in AWS.
//!
//! There is exactly one of these for each (person, target), stored as one item whose version
//! guards it. Whoever changes what a key wants changes this in the same transaction, and the
//! worker claims it before each write to AWS, so two servers can never act on one key unaware.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::grant::{Inspection, ReadEvidence};
use crate::id::{FindingId, GrantId, OperationId, ServerId};
use crate::plan::{READS_LAG, SETTLED_AFTER};
use crate::target::Key;

/// What is wanted of a key, and what we are doing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    /// Who, and to what.
    pub key: Key,
    /// Grows by one with each change; every change is conditional on it.
    pub version: u64,
    /// Whether the assignment was there before us.
    pub standing: Standing,
    /// The grants on this key that have not ended.
    pub live: Vec<Live>,
    /// The change that is under way in AWS.
    pub operation: Option<Operation>,
    /// When we last wrote, or may have written, to this key in AWS.
    pub last_write_at: Option<Timestamp>,
    /// When we last deleted, or may have deleted. A read that follows closely may still show what
    /// is gone.
    pub last_delete_at: Option<Timestamp>,
    /// Creates that are unaccounted for, and so may still take effect: until they no longer can,
    /// nothing is called gone.
    pub lost_create: Option<LostCreate>,
    /// The last deletion that is unaccounted for, and so may still take effect: until it no longer
    /// can, what is active is looked after. It is remembered beyond the end of its grant.
    pub lost_delete_at: Option<Timestamp>,
    /// When to look next whether what is active is still there.
    pub verify_at: Option<Timestamp>,
    /// When it was last learned that what is wanted is there.
    #[serde(default)]
    pub active_at: Option<Timestamp>,
    /// A complete read that did not show what is active, and that nothing of ours explains. A
    /// second one must agree.
    #[serde(default)]
    pub missed: Option<ReadEvidence>,
    /// What was found when somebody looked why a deletion gets nowhere.
    #[serde(default)]
    pub inspected: Option<Inspected>,
    /// AWS's id of the membership that we made, where that is what the key is about and AWS's
    /// answer was heard: that one is ours, and no other.
    #[serde(default)]
    pub membership: Option<String>,
}

/// What is known of whether a key's parts still exist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    /// When the last look ended.
    pub looked_at: Timestamp,
    /// The first look that found something gone, since everything was last found to exist.
    pub first: Option<Inspection>,
}

/// Creates that were sent, or may have been, and whose outcome was never heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LostCreate {
    /// When the last of them was given up. It was signed before, so that from
    /// [`crate::plan::SETTLED_AFTER`] on none of them can take effect any more.
    pub last_at: Timestamp,
    /// What seeing the assignment would tell of them.
    pub sighting: Telling,
}

/// What seeing the assignment tells of the creates that are unaccounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Telling {
    /// All: there is only one, there was no assignment before it, and nothing else can have made
    /// one since. It has taken effect, and will not do so again.
    Settles,
    /// Nothing: it may come of another.
    Ambiguous,
}

/// A grant on a key, as much of it as the planner needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Which.
    pub grant: GrantId,
    /// Wanted from this instant ...
    pub from: Timestamp,
    /// ... until, and not including, this one. It only ever moves earlier.
    pub until: Timestamp,
    /// How far it has come.
    pub phase: Phase,
    /// Whether it may begin.
    #[serde(default)]
    pub gate: Gate,
}

/// Whether a grant may begin. One that was promised for a later start is decided again when that
/// comes, and wants nothing before it has been.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "gate", rename_all = "kebab-case")]
pub enum Gate {
    /// It was decided when it was promised.
    #[default]
    Open,
    /// It has yet to be decided.
    Shut {
        /// When to do that, or to try again.
        ask_at: Timestamp,
    },
    /// It was decided then that it may.
    Passed {
        /// When.
        at: Timestamp,
    },
}

/// A decision to let a grant begin is good for this long. It begins within a second or two; if it
/// cannot, because AWS or a server is away, much may have changed by the time it can.
const PASSED_GOOD_FOR: SignedDuration = SignedDuration::from_secs(60);

impl Live {
    /// Whether the window covers this instant. A grant on its way out wants nothing any more, even
    /// to a server whose clock says that its window is not over; nor does one that may not begin.
    #[must_use]
    pub fn wanted(&self, now: Timestamp) -> bool {
        let may_begin = !matches!(self.gate, Gate::Shut { .. });
        self.phase != Phase::Revoking && may_begin && self.from <= now && now < self.until
    }

    /// Whether it has to be decided now whether this may begin.
    #[must_use]
    pub fn undecided(&self, now: Timestamp) -> bool {
        let due = self.phase == Phase::Scheduled && self.from <= now && now < self.until;
        due && match self.gate {
            Gate::Open => false,
            Gate::Shut { ask_at } => ask_at <= now,
            Gate::Passed { at } => now.duration_since(at) > PASSED_GOOD_FOR,
        }
    }
}

/// The states of a grant in which its key matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Promised; nothing done yet.
    Scheduled,
    /// An intent to create is on record.
    Granting,
    /// AWS said `SUCCEEDED`, or a complete read showed it.
    Active,
    /// On its way out.
    Revoking,
}

/// Whose the assignment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Not judged. Nothing was ever created for the grants that are live now.
    Unknown,
    /// Judged, and written down before the first create: whatever appears here is ours.
    Ours,
    /// It was there before us and is never ours to remove.
    Standing,
}

/// A change to one key in AWS, on record before it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// Ours. AWS's own request id comes with [`Stage::Sent`].
    pub id: OperationId,
    /// To do what.
    pub action: Action,
    /// When the intent was recorded.
    pub intended_at: Timestamp,
    /// The server that means to send it.
    pub by: ServerId,
    /// How many times it has been meant to be sent, this one included; paces retries.
    pub attempt: u32,
    /// What was known of the assignment then.
    pub before: Before,
    /// How far it has come.
    pub stage: Stage,
    /// The finding that it removes, where the sweep wants that and no grant does: it is tried once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<FindingId>,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// `CreateAccountAssignment`.
    Create,
    /// `DeleteAccountAssignment`.
    Delete,
}

/// What is known of an assignment at the time of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Before {
    /// That it is not there.
    Absent,
    /// Nothing for sure.
    Uncertain,
}

/// How far an operation has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "kebab-case")]
pub enum Stage {
    /// On record; not known to have been sent.
    Intended,
    /// AWS may or may not have heard it: nothing is sent again before a read.
    Unknown {
        /// When the next read is due.
        read_at: Timestamp,
        /// Reads that failed so far; paces the next.
        failures: u32,
    },
    /// Accepted; AWS works on it.
    Sent {
        /// AWS's id of the operation.
        aws_request_id: String,
        /// When it was accepted.
        accepted_at: Timestamp,
        /// When to ask next how it is going.
        poll_at: Timestamp,
        /// How often we asked.
        polls: u32,
    },
    /// A deletion that AWS calls `SUCCEEDED`, until an independent read agrees.
    Deleted {
        /// AWS's id of the operation.
        aws_request_id: String,
        /// When it was accepted.
        accepted_at: Timestamp,
        /// When we learned that it had succeeded.
        succeeded_at: Timestamp,
        /// When the next read is due.
        read_at: Timestamp,
        /// Reads so far that failed or still showed it.
        reads: u32,
    },
    /// Gone, though no deletion of ours is known to have succeeded: a second read must agree.
    Absent {
        /// The first complete read that did not show it.
        first: ReadEvidence,
        /// When the second is due.
        read_at: Timestamp,
        /// Second reads that failed so far.
        failures: u32,
    },
    /// Refused or failed; tried again later, for ever.
    Backoff {
        /// What AWS said, as a code of its own.
        reason: String,
        /// When to try again.
        retry_at: Timestamp,
    },
}

impl KeyState {
    /// A key that nobody has wanted before.
    #[must_use]
    pub const fn new(key: Key) -> Self {
        Self {
            key,
            version: 0,
            standing: Standing::Unknown,
            live: Vec::new(),
            operation: None,
            last_write_at: None,
            last_delete_at: None,
            lost_create: None,
            lost_delete_at: None,
            verify_at: None,
            active_at: None,
            missed: None,
            inspected: None,
            membership: None,
        }
    }

    /// Adds a grant that was just approved. A grant is added once.
    #[must_use]
    pub fn with(mut self, grant: GrantId, from: Timestamp, until: Timestamp) -> Self {
        if !self.live.iter().any(|live| live.grant == grant) {
            self.live.push(Live {
                grant,
                from,
                until,
                phase: Phase::Scheduled,
                gate: Gate::Open,
            });
        }
        self
    }

    /// Says whether a grant may begin.
    #[must_use]
    pub fn gated(mut self, grant: GrantId, gate: Gate) -> Self {
        let mut live = self.live.iter_mut();
        if let Some(live) = live.find(|live| live.grant == grant) {
            live.gate = gate;
        }
        self
    }

    /// Moves a grant's end earlier, never later.
    #[must_use]
    pub fn ending(mut self, grant: GrantId, until: Timestamp) -> Self {
        let mut live = self.live.iter_mut();
        if let Some(live) = live.find(|live| live.grant == grant) {
            live.until = live.until.min(until);
        }
        self
    }

    /// Forgets a grant that never began. One that did ends through `Revoking`.
    #[must_use]
    pub fn without(mut self, grant: GrantId) -> Self {
        self.live
            .retain(|live| live.grant != grant || live.phase != Phase::Scheduled);
        self
    }

    /// Whether some grant's window covers this instant.
    #[must_use]
    pub fn wanted(&self, now: Timestamp) -> bool {
        self.live.iter().any(|live| live.wanted(now))
    }

    /// The grants that need the key now.
    pub fn holders(&self, now: Timestamp) -> impl Iterator<Item = &Live> {
        self.live.iter().filter(move |live| live.wanted(now))
    }

    /// Whether some grant that was begun has had its time.
    #[must_use]
    pub fn over(&self, now: Timestamp) -> bool {
        self.live.iter().any(|live| match live.phase {
            Phase::Scheduled => false,
            Phase::Granting | Phase::Active => live.until <= now,
            Phase::Revoking => true,
        })
    }

    /// Whether the access, if a read that begins now shows it, may be there by us.
    #[must_use]
    pub fn may_be_ours(&self, now: Timestamp) -> bool {
        self.standing == Standing::Ours
            || self.unsettled_until(now).is_some()
            || self.deletes_shown_from().is_some_and(|from| now < from)
    }

    /// From when no create that is unaccounted for can take effect any more, if that is not yet.
    #[must_use]
    pub fn unsettled_until(&self, now: Timestamp) -> Option<Timestamp> {
        let lost = self.lost_create.as_ref()?;
        let settled = lost.last_at.saturating_add(SETTLED_AFTER).ok()?;
        (now < settled).then_some(settled)
    }

    /// An operation is given up: it may have been sent, and may yet take effect.
    pub(crate) fn lose(&mut self, operation: &Operation, now: Timestamp) {
        match operation.action {
            Action::Create => {
                let only = self.unsettled_until(now).is_none();
                let sighting = if only && operation.before == Before::Absent {
                    Telling::Settles
                } else {
                    Telling::Ambiguous
                };
                self.lost_create = Some(LostCreate {
                    last_at: now,
                    sighting,
                });
            }
            Action::Delete => self.lost_delete_at = Some(now),
        }
    }

    /// Something else may have made the assignment: seeing it tells nothing of lost creates.
    pub(crate) const fn blur(&mut self) {
        if let Some(lost) = &mut self.lost_create {
            lost.sighting = Telling::Ambiguous;
        }
    }

    /// It was seen, by a read that cannot be showing what a deletion of ours took away.
    pub(crate) fn seen(&mut self) {
        if self
            .lost_create
            .is_some_and(|lost| lost.sighting == Telling::Settles)
        {
            self.lost_create = None;
        }
    }

    /// A read that begins before this may not show yet what we wrote.
    pub(crate) fn writes_shown_from(&self) -> Option<Timestamp> {
        self.last_write_at?.saturating_add(READS_LAG).ok()
    }

    /// A read that begins before this may still show what we deleted.
    pub(crate) fn deletes_shown_from(&self) -> Option<Timestamp> {
        self.last_delete_at?.saturating_add(READS_LAG).ok()
    }
}
