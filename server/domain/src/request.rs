//! The life of a request: what was asked, what reviewers said, how each ask ended.
//!
//! Transitions consume the request and give back its next state with exactly one event for each
//! state change. An illegal one is refused with the state that was found, because two people
//! clicking at once is normal.

mod change;
mod glass;
mod promise;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::{Details, Kind};
use crate::id::{AskIndex, GrantId, PolicyVersion, RequestId, UserId};
use crate::target::Target;

pub use glass::{Glass, SIGN_WITHIN, Stands};

/// A reason longer than this is a document; link to it. Also bounds the item in the store.
pub const REASON_MAX_CHARS: usize = 2_000;
/// A note on a review: as long as a reason.
pub const NOTE_MAX_CHARS: usize = 2_000;
/// Asks in one request: what a person can review at a glance, and what fits in a transaction.
pub const ASKS_MAX: usize = 10;

/// Approvers are reminded of one request at most this often: a nudge is heard, two are noise.
pub const NUDGED_AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(30);

/// A person, for the record: compared by id, shown by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// What they are compared by.
    pub id: UserId,
    /// Their display name then.
    pub name: String,
    /// Their primary address then, if they had one.
    pub email: Option<String>,
}

/// How people call a target, as it was when it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// The account's name; empty for a group.
    pub account: String,
    /// The permission set's name, or the group's.
    pub permission_set: String,
    /// How long a session opened with it lives, in seconds; of what a group gives, the longest.
    pub session_seconds: u32,
}

/// What a person submits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Ours.
    pub id: RequestId,
    /// Who asks, and for whom: nobody asks for others.
    pub requester: Who,
    /// Why. People's text: never parsed.
    pub reason: String,
    /// For how long, in seconds, from approval.
    pub duration_seconds: u32,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// When it expires if nobody decides.
    pub expires_at: Timestamp,
    /// The policy that judged the submission.
    pub policy: PolicyVersion,
    /// What else was asked for. It never changes after submission.
    #[serde(default)]
    pub terms: Terms,
    /// One for each target.
    pub asks: Vec<Ask>,
    /// When its approvers were last reminded of it.
    #[serde(default)]
    pub nudged_at: Option<Timestamp>,
    /// Grows by one with each change; every change is conditional on it.
    pub version: u64,
}

/// What a request asks for besides targets and a duration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The ticket that it is for.
    #[serde(default)]
    pub ticket: Option<String>,
    /// From when, if later than its approval.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// Whether its asks wait for each other.
    #[serde(default)]
    pub granting: Granting,
    /// The access that it continues, if it does.
    #[serde(default)]
    pub extends: Option<Extends>,
}

/// Whether the asks of a request wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Granting {
    /// Nothing is granted until all of it is approved; what ends one ends all.
    #[default]
    Together,
    /// Each by itself.
    Separately,
}

impl Granting {
    /// The word for it, as records show it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Together => "together",
            Self::Separately => "separately",
        }
    }
}

/// Access that a request continues without a gap: as it was at submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extends {
    /// The grant that was looked at.
    pub grant: GrantId,
    /// Since when there has been access without a gap.
    pub run_from: Timestamp,
}

/// One target of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Its place in the request.
    pub index: AskIndex,
    /// To what.
    pub target: Target,
    /// How people call it.
    pub names: Names,
    /// How far it has come.
    pub state: AskState,
    /// What policy said at submission, as stored; see `policy::Verdict`.
    pub verdict: serde_json::Value,
    /// What reviewers said, in order.
    pub reviews: Vec<Review>,
    /// If it was break-glass: who signed it afterwards. It stays for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glass: Option<Glass>,
}

/// How far an ask has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum AskState {
    /// Waits for review.
    Pending,
    /// Policy or reviewers agreed.
    Approved {
        /// When.
        at: Timestamp,
        /// The rule whose route completed.
        rule: String,
        /// The grant that comes of it.
        grant: GrantId,
        /// For how long, in seconds: at most what was asked.
        #[serde(default)]
        seconds: u32,
        /// The hash of the event that says so, which the grant will name.
        #[serde(default)]
        approved_by: String,
        /// Whether its grant has been promised.
        #[serde(default)]
        promise: Promise,
    },
    /// A reviewer said no.
    Denied {
        /// When.
        at: Timestamp,
        /// Who.
        by: Who,
    },
    /// The requester took it back.
    Withdrawn {
        /// When.
        at: Timestamp,
    },
    /// Nobody decided in time.
    Expired {
        /// When.
        at: Timestamp,
    },
}

/// Whether an approved ask's grant has been promised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// Not yet: the asks that it is granted together with are not all approved.
    Waits,
    /// It has. (What was stored before there were others to wait for was promised at once.)
    #[default]
    Made,
}

impl AskState {
    /// Whether nothing has been promised of it, and still may be.
    #[must_use]
    pub const fn is_undecided(&self) -> bool {
        matches!(
            self,
            Self::Pending
                | Self::Approved {
                    promise: Promise::Waits,
                    ..
                }
        )
    }

    /// The word for it, as pages and records show it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved { .. } => "approved",
            Self::Denied { .. } => "denied",
            Self::Withdrawn { .. } => "withdrawn",
            Self::Expired { .. } => "expired",
        }
    }
}

/// What an approver said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who.
    pub by: Who,
    /// Approve or deny.
    pub opinion: Opinion,
    /// In their words; may be empty.
    pub note: String,
    /// The longest that they agree to, in seconds; `None`: what was asked for.
    #[serde(default)]
    pub seconds: Option<u32>,
    /// When.
    pub at: Timestamp,
}

/// Approve or deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opinion {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// A state change of a request, and the one event that records it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change that is not stored has not happened"]
pub struct Transition {
    /// The next state.
    pub request: Request,
    /// What happened.
    pub event: (Kind, Details),
}

/// Why a change is not possible.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refused {
    /// It has been decided; the state says how, when and by whom.
    #[error("the ask is already {}", .found.word())]
    Decided {
        /// What was found.
        found: Box<AskState>,
    },
    /// There is no such ask.
    #[error("the request has no ask {0}")]
    NoSuchAsk(AskIndex),
    /// One review a person; the first counts until it is retracted.
    #[error("this person has reviewed the ask already")]
    ReviewedAlready,
    /// There is no approval of theirs to take back.
    #[error("this person has not approved the ask")]
    NothingToRetract,
    /// Its asks are granted together, and not all of them are approved.
    #[error("the asks that it is granted together with are not all approved")]
    NotAllApproved,
    /// It is granted by itself: nothing that ends another ask ends it.
    #[error("the asks of the request do not wait for each other")]
    Separate,
    /// Its approvers were reminded a moment ago.
    #[error("its approvers were reminded already; the next time is {again_at}")]
    NudgedAlready {
        /// When they may be again.
        again_at: Timestamp,
    },
    /// A window that no calendar has.
    #[error("the window has no end")]
    Endless,
    /// Somebody was asked before this was granted: there is nothing to sign.
    #[error("the ask was not granted as break-glass")]
    NotBreakGlass,
    /// Nobody signs for themselves.
    #[error("the requester cannot sign their own break-glass")]
    OwnBreakGlass,
    /// This person signed it before; one signature a person.
    #[error("this person has signed it already")]
    SignedAlready,
    /// It has been signed by enough, or rejected.
    #[error("the break-glass is {}", .found.word())]
    Settled {
        /// What was found.
        found: Box<Stands>,
    },
    /// Its approvers have more time.
    #[error("it may be signed until {sign_by}")]
    InTime {
        /// Until when.
        sign_by: Timestamp,
    },
}

/// What completes an ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The rule whose route completed.
    pub rule: String,
    /// For how long, in seconds: at most what was asked.
    pub duration_seconds: u32,
    /// The id for the grant that comes of it.
    pub grant: GrantId,
    /// The policy that judged it.
    pub policy: PolicyVersion,
}

impl Request {
    /// The ask of that number.
    #[must_use]
    pub fn ask(&self, index: AskIndex) -> Option<&Ask> {
        self.asks.iter().find(|ask| ask.index == index)
    }

    /// Whether some ask still waits for review.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.asks.iter().any(|ask| ask.state == AskState::Pending)
    }

    /// The asks of which nothing has been promised and still may be: those that wait for review,
    /// and those that wait for them.
    #[must_use]
    pub fn undecided(&self) -> Vec<AskIndex> {
        self.asks
            .iter()
            .filter(|ask| ask.state.is_undecided())
            .map(|ask| ask.index)
            .collect()
    }

    /// The asks that end with this one, because all are granted together or not at all.
    #[must_use]
    pub fn bound_to(&self, index: AskIndex) -> Vec<AskIndex> {
        match self.terms.granting {
            Granting::Separately => Vec::new(),
            Granting::Together => self
                .undecided()
                .into_iter()
                .filter(|other| *other != index)
                .collect(),
        }
    }

    /// The approved asks whose grants can be promised now.
    #[must_use]
    pub fn promisable(&self) -> Vec<AskIndex> {
        let approved = |ask: &Ask| matches!(ask.state, AskState::Approved { .. });
        if self.terms.granting == Granting::Together && !self.asks.iter().all(approved) {
            return Vec::new();
        }
        self.asks
            .iter()
            .filter(|ask| approved(ask) && ask.state.is_undecided())
            .map(|ask| ask.index)
            .collect()
    }

    /// When access would begin if it were promised at this instant.
    #[must_use]
    pub fn begins(&self, at: Timestamp) -> Timestamp {
        self.terms.start.map_or(at, |start| start.max(at))
    }
}
