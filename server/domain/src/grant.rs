//! What we promised, how far the promise has come, and the evidence of its end.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::{Details, Kind};
use crate::id::{AskIndex, GrantId, GroupId, RequestId};
use crate::key::Phase;
use crate::request::{Names, Who};
use crate::target::Key;

/// This key, from this instant, until that one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Ours.
    pub id: GrantId,
    /// The request that asked for it.
    pub request: RequestId,
    /// Which ask of it.
    pub ask: AskIndex,
    /// Who, and to what.
    pub key: Key,
    /// How people call the target, as it was when approved.
    pub names: Names,
    /// For the record: who asked, by name and address.
    pub requester: Who,
    /// For the record: whose review completed it; none if it was automatic.
    pub approver: Option<Who>,
    /// For the record: why.
    pub reason: String,
    /// For the record: the ticket that it is for.
    #[serde(default)]
    pub ticket: Option<String>,
    /// From this instant ...
    pub from: Timestamp,
    /// ... until, and not including, this one.
    pub until: Timestamp,
    /// Since when there has been access to this key without a gap, if that began before this.
    #[serde(default)]
    pub run_from: Option<Timestamp>,
    /// How far it has come.
    pub state: GrantState,
    /// The hash of the event that approved it, which its own first event names.
    pub approved_by: String,
    /// Whether nobody was asked before, and it is signed afterwards. It says so for ever.
    #[serde(default, skip_serializing_if = "is_ordinary")]
    pub break_glass: bool,
}

/// What is not break-glass is stored as it was before there was any.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
const fn is_ordinary(break_glass: &bool) -> bool {
    !*break_glass
}

/// How far a grant has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum GrantState {
    /// Promised; nothing done yet.
    Scheduled,
    /// The intent is on record, AWS is at work.
    Granting {
        /// Since when.
        since: Timestamp,
    },
    /// The person has the access.
    Active {
        /// Since when.
        since: Timestamp,
        /// How we know.
        evidence: Evidence,
    },
    /// Its time is up, and we have not yet proved that the access is gone.
    Revoking {
        /// Since when.
        since: Timestamp,
    },
    /// Over.
    Ended {
        /// When this was recorded.
        at: Timestamp,
        /// How we know.
        receipt: Receipt,
    },
}

impl GrantState {
    /// The word for it, as pages and records show it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Granting { .. } => "granting",
            Self::Active { .. } => "active",
            Self::Revoking { .. } => "revoking",
            Self::Ended { .. } => "ended",
        }
    }
}

/// One complete read of the pair's assignments, every page of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadEvidence {
    /// When the first page was asked for.
    pub began_at: Timestamp,
    /// When the last page had come.
    pub finished_at: Timestamp,
    /// How many pages there were.
    pub pages: u32,
}

/// How we know something about AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Evidence {
    /// AWS called the creation `SUCCEEDED`.
    Created {
        /// AWS's id of the operation.
        aws_request_id: String,
        /// When it was accepted.
        accepted_at: Timestamp,
        /// When we learned that it had succeeded.
        succeeded_at: Timestamp,
    },
    /// A complete read showed it.
    Seen {
        /// The read.
        read: ReadEvidence,
    },
}

/// Why access was gone before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Somebody else removed it, while nothing of ours was under way.
    RemovedByHand,
}

/// What access is made of, that may cease to exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// Who has it.
    Person,
    /// Where.
    Account,
    /// What.
    PermissionSet,
    /// What they are a member of.
    Group,
}

/// One look at whether everything that a key is made of still exists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// When the first question was asked.
    pub began_at: Timestamp,
    /// When the last answer had come.
    pub finished_at: Timestamp,
    /// What AWS said does not exist. A question that was not answered says nothing of its part.
    pub gone: BTreeSet<Part>,
}

/// The evidence of how a grant ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Receipt {
    /// The deletion succeeded, and an independent complete read shows it absent.
    Removed {
        /// AWS's id of the deletion.
        aws_request_id: String,
        /// When it was accepted.
        accepted_at: Timestamp,
        /// When we learned that it had succeeded.
        succeeded_at: Timestamp,
        /// The read that showed it absent.
        read: ReadEvidence,
        /// Groups of the person that are assigned the same, as they were then: the access remains
        /// by them. `None`: that was not found out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still_given_by: Option<Vec<GroupId>>,
    },
    /// Two complete reads at least 30 s apart show it absent; no deletion of ours is known to
    /// have removed it.
    AbsentAlready {
        /// The first.
        first: ReadEvidence,
        /// The second.
        second: ReadEvidence,
        /// Whether that ended the grant before its time; `None`: its time was up.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cause: Option<Cause>,
        /// As in [`Receipt::Removed`].
        #[serde(default, skip_serializing_if = "Option::is_none")]
        still_given_by: Option<Vec<GroupId>>,
    },
    /// Other live grants need the key: the access remains.
    HeldBy {
        /// Which.
        grants: Vec<GrantId>,
    },
    /// The access was there before us: it remains.
    Standing,
    /// The account, permission set, group or person no longer exists, so that nothing could be
    /// deleted or read any more: AWS said so twice.
    TargetGone {
        /// What both looks found gone.
        gone: BTreeSet<Part>,
        /// The first.
        first: Inspection,
        /// The second.
        second: Inspection,
    },
    /// No intent to create was ever recorded.
    NeverGranted,
}

impl Receipt {
    /// Whether this receipt says that access is gone. Only evidence may.
    #[must_use]
    pub const fn access_is_gone(&self) -> bool {
        matches!(self, Self::Removed { .. } | Self::AbsentAlready { .. })
    }

    /// Names the groups of the person that are assigned the same: by them the access remains.
    pub(crate) fn name_groups(&mut self, groups: &[GroupId]) {
        if let Self::Removed { still_given_by, .. } | Self::AbsentAlready { still_given_by, .. } =
            self
        {
            *still_given_by = Some(groups.to_vec());
        }
    }

    /// The word for it, as pages and records show it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Removed { .. } => "removed",
            Self::AbsentAlready { .. } => "absent-already",
            Self::HeldBy { .. } => "held-by",
            Self::Standing => "standing",
            Self::TargetGone { .. } => "target-gone",
            Self::NeverGranted => "never-granted",
        }
    }
}

/// A step in a grant's life, as the planner orders it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum GrantChange {
    /// The intent is on record.
    Granting,
    /// The person has the access.
    Activated {
        /// How we know.
        evidence: Evidence,
    },
    /// Its time is up.
    Revoking,
    /// Over.
    Ended {
        /// How we know.
        receipt: Receipt,
    },
}

/// A change that the state it met does not allow.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a grant that is {found} cannot become {wanted}")]
pub struct IllegalChange {
    /// The state that was found.
    pub found: &'static str,
    /// What was to become of it.
    pub wanted: &'static str,
}

impl Grant {
    /// Applies one change.
    pub fn apply(mut self, change: &GrantChange, at: Timestamp) -> Result<Self, IllegalChange> {
        let found = self.state.word();
        let illegal = |wanted| Err(IllegalChange { found, wanted });
        self.state = match (self.state, change) {
            (GrantState::Scheduled, GrantChange::Granting) => GrantState::Granting { since: at },
            (GrantState::Granting { .. }, GrantChange::Activated { evidence }) => {
                GrantState::Active {
                    since: at,
                    evidence: evidence.clone(),
                }
            }
            (GrantState::Granting { .. } | GrantState::Active { .. }, GrantChange::Revoking) => {
                GrantState::Revoking { since: at }
            }
            // Without an intent on record there is nothing in AWS to undo.
            (
                GrantState::Scheduled,
                GrantChange::Ended {
                    receipt: Receipt::NeverGranted,
                },
            ) => GrantState::Ended {
                at,
                receipt: Receipt::NeverGranted,
            },
            (GrantState::Revoking { .. }, GrantChange::Ended { receipt }) => GrantState::Ended {
                at,
                receipt: receipt.clone(),
            },
            (_, GrantChange::Granting) => return illegal("granting"),
            (_, GrantChange::Activated { .. }) => return illegal("active"),
            (_, GrantChange::Revoking) => return illegal("revoking"),
            (_, GrantChange::Ended { .. }) => return illegal("ended"),
        };
        Ok(self)
    }

    /// Somebody ends it now, before its time: its end moves here, and only ever earlier. What was
    /// only promised is over at once. With the event that records it.
    pub fn ended_early(
        mut self,
        why: &str,
        at: Timestamp,
    ) -> Result<(Self, (Kind, Details)), IllegalChange> {
        let found = self.state.word();
        match self.state {
            GrantState::Scheduled => self.cancelled_at(why, at),
            GrantState::Granting { .. } | GrantState::Active { .. } if at < self.until => {
                let before = self.until;
                // A server whose clock is behind ends it no earlier than it began.
                self.until = at.max(self.from);
                let event = self.shortened(before, why);
                Ok((self, event))
            }
            _ => Err(IllegalChange {
                found: match self.state {
                    GrantState::Granting { .. } | GrantState::Active { .. } => "at its end",
                    _ => found,
                },
                wanted: "ended early",
            }),
        }
    }

    /// It never begins. Only what was merely promised can be cancelled: without an intent on record
    /// there is nothing in AWS to undo.
    pub fn cancelled_at(
        self,
        why: &str,
        at: Timestamp,
    ) -> Result<(Self, (Kind, Details)), IllegalChange> {
        let change = GrantChange::Ended {
            receipt: Receipt::NeverGranted,
        };
        if !matches!(self.state, GrantState::Scheduled) {
            return Err(IllegalChange {
                found: self.state.word(),
                wanted: "cancelled",
            });
        }
        let grant = self.apply(&change, at)?;
        let event = grant.cancelled(&change, why);
        Ok((grant, event))
    }

    /// The last instant at which a session opened with this grant can still be alive. AWS does not
    /// close open sessions when an assignment goes.
    #[must_use]
    pub fn sessions_may_last_until(&self) -> Timestamp {
        let session = SignedDuration::from_secs(i64::from(self.names.session_seconds));
        let ended = match &self.state {
            GrantState::Ended { at, .. } => (*at).max(self.until),
            _ => self.until,
        };
        ended.saturating_add(session).unwrap_or(ended)
    }

    /// How far it has come, for its key; `None` once it has ended.
    #[must_use]
    pub const fn phase(&self) -> Option<Phase> {
        match self.state {
            GrantState::Scheduled => Some(Phase::Scheduled),
            GrantState::Granting { .. } => Some(Phase::Granting),
            GrantState::Active { .. } => Some(Phase::Active),
            GrantState::Revoking { .. } => Some(Phase::Revoking),
            GrantState::Ended { .. } => None,
        }
    }
}
