//! Account assignments in Identity Center, and memberships in its Identity Store: the only place
//! that changes them, and that reads them for a key.
//!
//! Each method is one attempt, and says what was learned rather than what was hoped: an answer
//! that did not come is [`Sent::Unheard`], and a read that failed on any page is no sighting.
//! One read of a pair serves everyone who waits for it ([`reads`]), one list of statuses every
//! operation that is outstanding ([`statuses`]).

mod call;
mod everything;
mod existence;
mod gate;
mod holders;
mod memberships;
mod places;
mod reads;
mod statuses;

use domain::grant::Inspection;
use domain::id::{AccountId, GroupId, PermissionSetArn};
use domain::key::{Action, KeyState};
use domain::progress::{Sent, Sighting, Status};
use domain::target::{Key, Target};
use jiff::Timestamp;

use crate::aws::Clients;
use crate::config::IdentityCenter;
use crate::lease::Lease;
use crate::limiter::{Class, Limiter, Try, Turn};

pub use everything::GroupRead;
pub use holders::Holders;
pub use places::Place;
pub use reads::{PairRead, ReadFailed};

use call::{Api, classify, count, refused};
use existence::Existence;
use gate::Gate;
use memberships::Memberships;
use places::Places;
use reads::Reads;
use statuses::Statuses;

/// What one `ListAccountAssignments` is about, and what AWS works on one change of at a time.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair {
    /// Where.
    pub account: AccountId,
    /// What.
    pub permission_set: PermissionSetArn,
}

impl Pair {
    /// Of a target, if it is one.
    #[must_use]
    pub fn of(target: &Target) -> Option<Self> {
        match target {
            Target::Account {
                account,
                permission_set,
            } => Some(Self {
                account: account.clone(),
                permission_set: permission_set.clone(),
            }),
            Target::Group { .. } => None,
        }
    }

    /// As a target.
    #[must_use]
    pub fn target(&self) -> Target {
        Target::Account {
            account: self.account.clone(),
            permission_set: self.permission_set.clone(),
        }
    }
}

/// What a key is made of, by how AWS changes it.
enum Kind<'k> {
    Pair(Pair),
    Group(&'k GroupId),
}

fn place_of(key: &Key) -> Kind<'_> {
    match &key.target {
        Target::Account {
            account,
            permission_set,
        } => Kind::Pair(Pair {
            account: account.clone(),
            permission_set: permission_set.clone(),
        }),
        Target::Group { group } => Kind::Group(group),
    }
}

/// What a complete read for a key showed.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Whether it is there.
    pub sighting: Sighting,
    /// The groups that are assigned the same; of a membership, its group, where somebody else's
    /// membership of it is there.
    pub groups: Vec<GroupId>,
}

/// Identity Center's account assignments and memberships. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Assignments {
    api: Api,
    reads: Reads,
    statuses: Statuses,
    places: Places,
    memberships: Memberships,
    existence: Existence,
    lease: Lease,
}

impl Assignments {
    /// Of this instance and its Identity Store, within these budgets of calls, while this lease is
    /// held.
    #[must_use]
    pub fn new(
        clients: Clients,
        center: &IdentityCenter,
        (sso, identity): (Limiter, Limiter),
        lease: Lease,
    ) -> Self {
        let instance_arn = center.instance_arn.clone();
        let store = center.identity_store_id.clone();
        let api = Api::new(clients.clone(), instance_arn, sso);
        Self {
            reads: Reads::new(api.clone()),
            statuses: Statuses::new(api.clone()),
            places: Places::new(),
            existence: Existence::new(api.clone(), store.clone(), identity.clone()),
            memberships: Memberships::new(clients, store, identity),
            lease,
            api,
        }
    }

    /// Whether what the key wants is there: every page, or an error. The read begins after this
    /// was called.
    pub async fn read(
        &self,
        state: &KeyState,
        class: Class,
        attempt: Try,
    ) -> Result<Looked, ReadFailed> {
        let user = &state.key.user;
        match place_of(&state.key) {
            Kind::Pair(pair) => {
                let read = self.reads.read(pair, class, attempt).await?;
                Ok(Looked {
                    sighting: read.sighting(user),
                    groups: read.groups.iter().cloned().collect(),
                })
            }
            Kind::Group(group) => {
                let own = state.membership.as_deref();
                let (sighting, by_another) = self
                    .memberships
                    .read(user, group, own, class, attempt)
                    .await?;
                Ok(Looked {
                    sighting,
                    groups: by_another.then(|| group.clone()).into_iter().collect(),
                })
            }
        }
    }

    /// Which of what a key is made of AWS says does not exist.
    pub async fn inspect(&self, key: &Key) -> Inspection {
        self.existence.inspect(key).await
    }

    /// Waits for one of AWS's places for an outstanding operation. A membership needs none: it is
    /// changed by the time that AWS answers.
    pub async fn place(&self, key: &Key, action: Action) -> Place {
        match place_of(key) {
            Kind::Pair(pair) => self.places.take(pair, action).await,
            Kind::Group(_) => Place::none(),
        }
    }

    /// The place of an operation that is outstanding already: it counts, wait or not.
    #[must_use]
    pub fn occupy(&self, key: &Key, action: Action) -> Place {
        match place_of(key) {
            Kind::Pair(pair) => self.places.occupy(pair, action),
            Kind::Group(_) => Place::none(),
        }
    }

    /// Waits for a turn. Whoever means to send takes one before the intent is recorded, so that
    /// nothing stands between that and sending.
    pub async fn turn(&self, key: &Key, action: Action, attempt: Try) -> Turn {
        let class = match action {
            Action::Create => Class::Grant,
            Action::Delete => Class::Revoke,
        };
        match place_of(key) {
            Kind::Pair(_) => self.api.limiter.acquire(class, attempt).await,
            Kind::Group(_) => self.memberships.limiter.acquire(class, attempt).await,
        }
    }

    /// Sends an operation whose intent is on record: at once, or not at all. After `by` it is too
    /// late, and it is not sent.
    pub async fn send(&self, state: &KeyState, action: Action, by: Timestamp, turn: Turn) -> Sent {
        let key = &state.key;
        let gate = Gate::new(by, self.lease.clone());
        turn.spend();
        let sent = match (place_of(key), action) {
            (Kind::Pair(pair), _) => self.api.send(&pair, &key.user, action, &gate).await,
            (Kind::Group(group), Action::Create) => {
                self.memberships.create(&key.user, group, &gate).await
            }
            (Kind::Group(group), Action::Delete) => {
                let own = state.membership.as_deref();
                self.memberships.delete(&key.user, group, own, &gate).await
            }
        };
        if gate.was_shut() {
            tracing::warn!("an intent was too old, or the lease lost: it was not sent");
            return Sent::Refused {
                code: "not-sent-in-time".to_owned(),
            };
        }
        sent
    }

    /// Asks how an operation is going, after a pause; sooner if it is heard to have ended.
    pub async fn follow(
        &self,
        key: &Key,
        action: Action,
        aws_request_id: &str,
        pause: std::time::Duration,
    ) -> Status {
        match place_of(key) {
            Kind::Pair(_) => self.statuses.follow(action, aws_request_id, pause).await,
            Kind::Group(_) => {
                tokio::time::sleep(pause).await;
                self.memberships.status(action, aws_request_id).await
            }
        }
    }
}

/// Whether AWS's error says that it was asked too often.
#[must_use]
pub fn is_throttle(code: &str) -> bool {
    matches!(code, "ThrottlingException" | "TooManyRequestsException")
}
