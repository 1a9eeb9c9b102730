//! The life of a request: what was asked, what reviewers said, how each ask ended.
//!
//! Transitions consume the request and give back its next state with exactly one event for each
//! state change. An illegal one is refused with the state that was found, because two people
//! clicking at once is normal.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::event::{Details, Kind};
use crate::grant::{Grant, GrantState};
use crate::id::{AskIndex, GrantId, PolicyVersion, RequestId, UserId};
use crate::target::{Key, Target};

/// A reason longer than this is a document; link to it. Also bounds the item in the store.
pub const REASON_MAX_CHARS: usize = 2_000;
/// A note on a review: as long as a reason.
pub const NOTE_MAX_CHARS: usize = 2_000;
/// Asks in one request: what a person can review at a glance, and what fits in a transaction.
pub const ASKS_MAX: usize = 10;

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
    /// The account's name.
    pub account: String,
    /// The permission set's name.
    pub permission_set: String,
    /// How long a session opened with it lives, in seconds.
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
    /// One for each target.
    pub asks: Vec<Ask>,
    /// Grows by one with each change; every change is conditional on it.
    pub version: u64,
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
        /// The grant that came of it.
        grant: GrantId,
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

impl AskState {
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

    /// What happened when it was submitted.
    #[must_use]
    pub fn submitted(&self) -> (Kind, Details) {
        let mut details = self.details();
        details.asks(&self.asks);
        details.note("expires_at", &self.expires_at.to_string());
        details.note("policy", self.policy.as_str());
        (Kind::RequestSubmitted, details)
    }

    /// An approval that does not complete the ask yet.
    pub fn approved_in_part(
        mut self,
        index: AskIndex,
        review: Review,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&review);
        self.pending(index, review.at)?.review(review)?;
        Ok(self.into_next(Kind::AskReviewed, details))
    }

    /// The approval that completes the ask; without a review if policy alone does.
    pub fn approved(
        mut self,
        index: AskIndex,
        review: Option<Review>,
        completion: &Completion,
        at: Timestamp,
    ) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.note("rule", &completion.rule);
        details.note("policy", completion.policy.as_str());
        details.note("grant", &completion.grant.to_string());
        details.permission_duration = Some(self.granted_seconds(completion));
        let ask = self.pending(index, at)?;
        if let Some(review) = review {
            details.reviewed(&review);
            ask.review(review)?;
        }
        ask.state = AskState::Approved {
            at,
            rule: completion.rule.clone(),
            grant: completion.grant,
        };
        Ok(self.into_next(Kind::AskApproved, details))
    }

    /// One "no" by someone who could approve ends the ask.
    pub fn denied(mut self, index: AskIndex, review: Review) -> Result<Transition, Refused> {
        let mut details = self.details_of(index)?;
        details.reviewed(&review);
        let ask = self.pending(index, review.at)?;
        ask.state = AskState::Denied {
            at: review.at,
            by: review.by.clone(),
        };
        // Someone who approved before may change their mind: the denial is what counts.
        ask.reviews.push(review);
        Ok(self.into_next(Kind::AskDenied, details))
    }

    /// The requester takes it back.
    pub fn withdrawn(mut self, index: AskIndex, at: Timestamp) -> Result<Transition, Refused> {
        let details = self.details_of(index)?;
        self.pending(index, at)?.state = AskState::Withdrawn { at };
        Ok(self.into_next(Kind::AskWithdrawn, details))
    }

    /// Nobody decided in time. For the caller to ask when it has passed: [`Self::expires_at`].
    pub fn expired(mut self, index: AskIndex, at: Timestamp) -> Result<Transition, Refused> {
        let details = self.details_of(index)?;
        self.undecided(index)?.state = AskState::Expired { at };
        Ok(self.into_next(Kind::AskExpired, details))
    }

    /// The promise that comes of an approved ask. `approved_by` is the hash of the approving event.
    #[must_use]
    pub fn grant(
        &self,
        index: AskIndex,
        completion: &Completion,
        from: Timestamp,
        approved_by: String,
    ) -> Option<Grant> {
        let ask = self.ask(index)?;
        let length = SignedDuration::from_secs(i64::from(self.granted_seconds(completion)));
        Some(Grant {
            id: completion.grant,
            request: self.id,
            ask: index,
            key: Key {
                user: self.requester.id.clone(),
                target: ask.target.clone(),
            },
            names: ask.names.clone(),
            requester: self.requester.clone(),
            approver: ask
                .reviews
                .iter()
                .rfind(|review| review.opinion == Opinion::Approve)
                .map(|review| review.by.clone()),
            reason: self.reason.clone(),
            from,
            until: from.saturating_add(length).ok()?,
            state: GrantState::Scheduled,
            approved_by,
        })
    }

    /// Whatever completes it, nobody is given more time than they asked for.
    fn granted_seconds(&self, completion: &Completion) -> u32 {
        completion.duration_seconds.min(self.duration_seconds)
    }

    /// The ask, if it can still be decided at this instant. One whose time is up cannot, even if
    /// nobody has recorded that yet.
    fn pending(&mut self, index: AskIndex, at: Timestamp) -> Result<&mut Ask, Refused> {
        let expires_at = self.expires_at;
        let ask = self.undecided(index)?;
        if at < expires_at {
            Ok(ask)
        } else {
            Err(Refused::Decided {
                found: Box::new(AskState::Expired { at: expires_at }),
            })
        }
    }

    fn undecided(&mut self, index: AskIndex) -> Result<&mut Ask, Refused> {
        let ask = self
            .asks
            .iter_mut()
            .find(|ask| ask.index == index)
            .ok_or(Refused::NoSuchAsk(index))?;
        if ask.state == AskState::Pending {
            Ok(ask)
        } else {
            Err(Refused::Decided {
                found: Box::new(ask.state.clone()),
            })
        }
    }

    /// What every event of this request says.
    fn details(&self) -> Details {
        Details {
            reason: Some(self.reason.clone()),
            requester: Some(self.requester.clone()),
            permission_duration: Some(self.duration_seconds),
            belay_request_id: Some(self.id),
            ..Details::default()
        }
    }

    fn details_of(&self, index: AskIndex) -> Result<Details, Refused> {
        let ask = self.ask(index).ok_or(Refused::NoSuchAsk(index))?;
        let mut details = self.details();
        details.about(&ask.target, &ask.names);
        details.note("ask", &index.to_string());
        Ok(details)
    }

    fn into_next(self, kind: Kind, details: Details) -> Transition {
        Transition {
            request: self,
            event: (kind, details),
        }
    }
}

impl Ask {
    fn review(&mut self, review: Review) -> Result<(), Refused> {
        if self.reviews.iter().any(|have| have.by.id == review.by.id) {
            return Err(Refused::ReviewedAlready);
        }
        self.reviews.push(review);
        Ok(())
    }
}
