//! The state of one key: what is wanted of it, and what we are doing about it in AWS.
//!
//! There is exactly one of these for each (person, target), stored as one item whose version
//! guards it. Whoever changes what a key wants changes this in the same transaction, and the
//! worker claims it before each write to AWS, so two servers can never act on one key unaware.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::grant::ReadEvidence;
use crate::id::{GrantId, OperationId, ServerId};
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
    /// Since when a create has been unaccounted for: it may still take effect until AWS refuses
    /// its signature ([`crate::plan::SETTLED_AFTER`]). Cleared once the assignment is seen.
    pub unresolved_create_at: Option<Timestamp>,
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
}

impl Live {
    /// Whether the window covers this instant.
    #[must_use]
    pub fn wanted(&self, now: Timestamp) -> bool {
        self.from <= now && now < self.until
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
    /// How far it has come.
    pub stage: Stage,
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
            unresolved_create_at: None,
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
            });
        }
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
}
