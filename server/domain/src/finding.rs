//! Places where grants and assignments differ, as somebody has to look at them.
//!
//! A finding is about one key and of one kind, and there is at most one of each at a time: what is
//! found again is the same. It opens with one event and closes with one. What people may do about
//! one is in [`crate::adoption`]; when it is taken away, in [`crate::sweep::plan`].

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::adoption::Proposal;
use crate::event::{Details, Kind};
use crate::grant::ReadEvidence;
use crate::id::{FindingId, GrantId};
use crate::request::{Names, Who};
use crate::revocation::Revocation;
use crate::target::Key;

/// How grants and assignments differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// A grant is active, and a complete read did not show its assignment.
    Missing,
    /// A grant's time is up for minutes, and its end is not proved.
    Overdue,
    /// A person has an assignment of their own that no grant wants and nobody adopted.
    Unmanaged,
    /// A grant is live that today's policy would refuse. It runs on: a policy ends nothing.
    NoLongerAllowed,
}

impl Difference {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Missing,
        Self::Overdue,
        Self::Unmanaged,
        Self::NoLongerAllowed,
    ];

    /// Its word, as pages and records show it, and part of storage keys.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Overdue => "overdue",
            Self::Unmanaged => "unmanaged",
            Self::NoLongerAllowed => "no-longer-allowed",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One difference, for as long as it is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Ours.
    pub id: FindingId,
    /// Which.
    pub difference: Difference,
    /// Who, and to what.
    pub key: Key,
    /// How people called the target when it was found.
    pub names: Names,
    /// How the person was called; by their id where they are not known (any more).
    pub who: Who,
    /// The grants that it is about; none where there are none.
    #[serde(default)]
    pub grants: Vec<GrantId>,
    /// When it was found.
    pub opened_at: Timestamp,
    /// The complete read that showed it, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read: Option<ReadEvidence>,
    /// More about it, for people: the policy's code, for one that it would refuse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What an admin proposes to do about it, and nobody has answered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Box<Proposal>>,
    /// How often that was proposed.
    #[serde(default)]
    pub proposals: u32,
    /// What two admins agreed to take away, for as long as the worker has not begun with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation: Option<Box<Revocation>>,
    /// The last time that taking it away failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<Failed>,
}

/// A removal that did not happen, or is not proved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// When that was known.
    pub at: Timestamp,
    /// What AWS said, or what stood in the way, as a code.
    pub reason: String,
}

/// Why a finding is no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Closed {
    /// A complete read shows what was missing.
    Seen,
    /// A complete read does not show what was not wanted.
    Gone,
    /// A grant wants it now.
    Wanted,
    /// The grant has ended.
    Ended,
    /// The policy allows it (again), or the sweep's allow-list does.
    Allowed,
    /// It was adopted: it stays, and is known.
    Adopted,
    /// Two admins leave it for now, although it is not right.
    Ignored,
    /// It was taken away, and that is proved.
    Removed,
}

impl Closed {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Gone => "gone",
            Self::Wanted => "wanted",
            Self::Ended => "ended",
            Self::Allowed => "allowed",
            Self::Adopted => "adopted",
            Self::Ignored => "ignored",
            Self::Removed => "removed",
        }
    }
}

impl Finding {
    pub(crate) fn details(&self) -> Details {
        let mut details = Details {
            requester: Some(self.who.clone()),
            ..Details::default()
        };
        details.about(&self.key.target, &self.names);
        details.note("finding", &self.id.to_string());
        details.note("difference", self.difference.word());
        let grants: Vec<String> = self.grants.iter().map(ToString::to_string).collect();
        details.more.insert("grants", grants.into());
        if let Some(why) = &self.why {
            details.note("why", why);
        }
        details
    }

    /// What happened when it was found.
    #[must_use]
    pub fn opened(&self) -> (Kind, Details) {
        let mut details = self.details();
        if let Some(read) = &self.read {
            details.evidence("evidence", read);
        }
        (Kind::FindingOpened, details)
    }

    /// What happened when it was no more.
    #[must_use]
    pub fn closed(&self, why: Closed) -> (Kind, Details) {
        let mut details = self.details();
        details.note("closed_as", why.word());
        details.note("opened_at", &self.opened_at.to_string());
        (Kind::FindingClosed, details)
    }
}
