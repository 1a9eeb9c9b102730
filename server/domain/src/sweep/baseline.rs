//! What was there when two admins agreed that the sweep may begin: it is known, and left alone.
//!
//! One admin proposes the findings that are open, as one list with a digest; another agrees to that
//! very list. A baseline lasts: what leaves it is only what two complete looks no longer show. So it
//! closes no finding, and adopting one stays what it was. Deliberately absent: an end by the clock,
//! which would hand over everything in it to the sweep at once.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::adoption::PROPOSAL_GOOD_FOR;
use crate::event::{Details, Kind, hex};
use crate::id::UserId;
use crate::request::Who;
use crate::target::Key;

/// What an admin proposes to leave alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedBaseline {
    /// By whom.
    pub by: Who,
    /// Why, in their words.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Of the list: whoever agrees says which they have read.
    pub digest: String,
    /// The keys, as texts, sorted.
    pub keys: BTreeSet<String>,
}

/// What two admins agreed to leave alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Baseline {
    /// Grows by one with each change; every change is conditional on it.
    pub version: u64,
    /// Who proposed it.
    pub proposed_by: Who,
    /// When.
    pub proposed_at: Timestamp,
    /// Who agreed.
    pub agreed_by: Who,
    /// When.
    pub agreed_at: Timestamp,
    /// Of the list that both have read.
    pub digest: String,
    /// Its keys, without those that two complete looks in a row have not shown.
    pub keys: BTreeSet<String>,
    /// Those of them that the last complete look did not show.
    #[serde(default)]
    pub missing: BTreeSet<String>,
}

/// Why a baseline does not change so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotAgreed {
    /// Nothing is proposed, or not what they have read.
    #[error("that is not the baseline that is proposed")]
    NotProposed,
    /// It was proposed too long ago.
    #[error("the proposed baseline has lapsed")]
    Lapsed,
    /// It is their own: somebody else has to agree.
    #[error("nobody agrees to the baseline that they proposed themselves")]
    Own,
}

/// The digest of a list of texts, whatever order they come in.
pub(super) fn digest_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let sorted: BTreeSet<&str> = lines.into_iter().collect();
    let mut hash = Sha256::new();
    for line in sorted {
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    hex(&hash.finalize())
}

impl ProposedBaseline {
    /// The list as it is now, proposed by somebody.
    #[must_use]
    pub fn new<'k>(
        keys: impl IntoIterator<Item = &'k Key>,
        (by, reason): (Who, &str),
        at: Timestamp,
    ) -> Self {
        let keys: BTreeSet<String> = keys.into_iter().map(ToString::to_string).collect();
        Self {
            by,
            reason: reason.to_owned(),
            at,
            digest: digest_of(keys.iter().map(String::as_str)),
            keys,
        }
    }

    /// When it lapses: nobody remembers later what they looked at.
    #[must_use]
    pub fn lapses_at(&self) -> Timestamp {
        self.at.saturating_add(PROPOSAL_GOOD_FOR).unwrap_or(self.at)
    }

    /// What happened when it was proposed.
    #[must_use]
    pub fn proposed(&self) -> (Kind, Details) {
        (Kind::SweepBaselineProposed, self.details())
    }

    /// What happened when it was taken back or refused.
    #[must_use]
    pub fn dropped(&self) -> (Kind, Details) {
        (Kind::SweepBaselineDropped, self.details())
    }

    /// Somebody else agrees to the list of that digest, in the place of the baseline before.
    pub fn agree(
        self,
        by: Who,
        digest: &str,
        before: Option<&Baseline>,
        now: Timestamp,
    ) -> Result<(Baseline, (Kind, Details)), NotAgreed> {
        if self.digest != digest {
            return Err(NotAgreed::NotProposed);
        }
        if self.lapses_at() <= now {
            return Err(NotAgreed::Lapsed);
        }
        if self.is_of(&by.id) {
            return Err(NotAgreed::Own);
        }
        let mut details = self.details();
        details.approver = Some(by.clone());
        let baseline = Baseline {
            version: before.map_or(0, |before| before.version) + 1,
            proposed_by: self.by,
            proposed_at: self.at,
            agreed_by: by,
            agreed_at: now,
            digest: self.digest,
            keys: self.keys,
            missing: BTreeSet::new(),
        };
        Ok((baseline, (Kind::SweepBaselineAgreed, details)))
    }

    /// Whether this person proposed it.
    #[must_use]
    pub fn is_of(&self, user: &UserId) -> bool {
        self.by.id == *user
    }

    fn details(&self) -> Details {
        let mut details = Details {
            reason: Some(self.reason.clone()),
            requester: Some(self.by.clone()),
            ..Details::default()
        };
        details.note("digest", &self.digest);
        details.note("keys", &self.keys.len().to_string());
        details.note("proposed_at", &self.at.to_string());
        details
    }
}

impl Baseline {
    /// Whether this is known and left alone.
    #[must_use]
    pub fn covers(&self, key: &Key) -> bool {
        self.keys.contains(&key.to_string())
    }

    /// Without what this complete look did not show, and the one before it neither: whoever gives it
    /// again gives it anew. One look alone may have missed something, and what it missed would be
    /// handed over to the sweep. `None`: nothing changes.
    #[must_use]
    pub fn after(&self, seen: &BTreeSet<Key>) -> Option<Self> {
        let seen: BTreeSet<String> = seen.iter().map(ToString::to_string).collect();
        let missing: BTreeSet<String> = self.keys.difference(&seen).cloned().collect();
        let gone: BTreeSet<String> = missing.intersection(&self.missing).cloned().collect();
        if gone.is_empty() && missing == self.missing {
            return None;
        }
        Some(Self {
            version: self.version + 1,
            keys: self.keys.difference(&gone).cloned().collect(),
            missing: missing.difference(&gone).cloned().collect(),
            ..self.clone()
        })
    }
}
