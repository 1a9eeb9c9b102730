//! Account assignments in Identity Center: the only place that changes or reads them.
//!
//! Each method is one attempt, and says what was learned rather than what was hoped: an answer
//! that did not come is [`Sent::Unheard`], and a read that failed on any page is no sighting.
//! One read of a pair serves everyone who waits for it ([`reads`]), one list of statuses every
//! operation that is outstanding ([`statuses`]).

mod call;
mod gate;
mod places;
mod reads;
mod statuses;

use domain::id::{AccountId, PermissionSetArn};
use domain::key::Action;
use domain::progress::{Sent, Sighting, Status};
use domain::target::{Key, Target};
use jiff::Timestamp;
use thiserror::Error;

use crate::aws::Clients;
use crate::lease::Lease;
use crate::limiter::{Class, Limiter, Try, Turn};

pub use places::Place;
pub use reads::ReadFailed;

use call::Api;
use gate::Gate;
use places::Places;
use reads::Reads;
use statuses::Statuses;

/// What one `ListAccountAssignments` is about, and what AWS works on one change of at a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pair {
    account: AccountId,
    permission_set: PermissionSetArn,
}

impl Pair {
    fn of(key: &Key) -> Result<Self, UnknownKind> {
        match &key.target {
            Target::Account {
                account,
                permission_set,
            } => Ok(Self {
                account: account.clone(),
                permission_set: permission_set.clone(),
            }),
            Target::Group { .. } => Err(UnknownKind),
        }
    }
}

/// Identity Center's account assignments. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Assignments {
    api: Api,
    reads: Reads,
    statuses: Statuses,
    places: Places,
    lease: Lease,
}

/// A key whose kind of target this version does not know how to change: it is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this version cannot change this kind of target")]
pub struct UnknownKind;

impl Assignments {
    /// Of this instance, within this budget of calls, while this lease is held.
    #[must_use]
    pub fn new(clients: Clients, instance_arn: String, limiter: Limiter, lease: Lease) -> Self {
        let api = Api::new(clients, instance_arn, limiter);
        Self {
            reads: Reads::new(api.clone()),
            statuses: Statuses::new(api.clone()),
            places: Places::new(),
            lease,
            api,
        }
    }

    /// Whether the person's own assignment is there: every page, or an error. The read begins
    /// after this was called.
    pub async fn read(
        &self,
        key: &Key,
        class: Class,
        attempt: Try,
    ) -> Result<Result<Sighting, ReadFailed>, UnknownKind> {
        let pair = Pair::of(key)?;
        Ok(self.reads.read(pair, &key.user, class, attempt).await)
    }

    /// Waits for one of AWS's places for an outstanding operation.
    pub async fn place(&self, key: &Key, action: Action) -> Result<Place, UnknownKind> {
        Ok(self.places.take(Pair::of(key)?, action).await)
    }

    /// The place of an operation that is outstanding already: it counts, wait or not.
    pub fn occupy(&self, key: &Key, action: Action) -> Result<Place, UnknownKind> {
        Ok(self.places.occupy(Pair::of(key)?, action))
    }

    /// Waits for a turn. Whoever means to send takes one before the intent is recorded, so that
    /// nothing stands between that and sending.
    pub async fn turn(&self, action: Action, attempt: Try) -> Turn {
        let class = match action {
            Action::Create => Class::Grant,
            Action::Delete => Class::Revoke,
        };
        self.api.limiter.acquire(class, attempt).await
    }

    /// Sends an operation whose intent is on record: at once, or not at all. After `by` it is too
    /// late, and it is not sent.
    pub async fn send(
        &self,
        key: &Key,
        action: Action,
        by: Timestamp,
        turn: Turn,
    ) -> Result<Sent, UnknownKind> {
        let pair = Pair::of(key)?;
        let gate = Gate::new(by, self.lease.clone());
        turn.spend();
        let sent = self.api.send(&pair, &key.user, action, &gate).await;
        if gate.was_shut() {
            tracing::warn!("an intent was too old, or the lease lost: it was not sent");
            return Ok(Sent::Refused {
                code: "not-sent-in-time".to_owned(),
            });
        }
        Ok(sent)
    }

    /// Asks how an operation is going, after a pause; sooner if it is heard to have ended.
    pub async fn follow(
        &self,
        action: Action,
        aws_request_id: &str,
        pause: std::time::Duration,
    ) -> Status {
        self.statuses.follow(action, aws_request_id, pause).await
    }
}

/// Whether AWS's error says that it was asked too often.
#[must_use]
pub fn is_throttle(code: &str) -> bool {
    matches!(code, "ThrottlingException" | "TooManyRequestsException")
}
