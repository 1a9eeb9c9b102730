//! Whether what was promised and what AWS has are the same, looked after in the background.
//!
//! Three passes, by whoever holds the executor lease. [`near`] reads the pairs on which somebody has
//! or lately had a grant, about once a minute; [`far`] reads the whole organisation about once an
//! hour, by the cheapest set of calls there is, and goes on where it was interrupted. Both take a
//! small part of the calls, in the limiter's class for it. [`people`] looks whether those who have
//! access are still there.
//!
//! What is ours to put right is handed to the same steps as everything else
//! ([`domain::progress::observed`]); the rest becomes a finding ([`findings`]), and what the sweep
//! ([`sweep`]) or two admins ([`revocations`]) take away of it becomes an intent. Deliberately absent: any write to AWS, and any
//! conclusion from a read that failed (invariant 6): what could not be read is left as it was.

mod far;
mod findings;
mod near;
mod people;
mod removal;
mod revocations;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use domain::event::{Actor, Source};
use domain::finding::{Closed, Difference};
use domain::grant::ReadEvidence;
use domain::id::{ServerId, UserId};
use domain::key::KeyState;
use domain::progress::{self, Presence, Sighting};
use domain::reconcile::{is_overdue, is_unmanaged};
use domain::sweep::Sweep;
use domain::target::{Key, Target};
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::assignments::Assignments;
use crate::config::Config;
use crate::lease::Lease;
use crate::limiter::{Class, Limiter};
use crate::live::LiveReadings;
use crate::store::item::StoredKey;
use crate::store::{Commit, Store, StoreError, now};
use crate::sweep::Rules;
use crate::worker::Worker;
use crate::world::Keeper;

use findings::Findings;

/// Each of the passes takes at most this part of the calls: one a second of the 15 that are
/// ours by default, so that people never wait for it.
const PART: f64 = 1.0 / 15.0;

/// The class of its calls.
const CLASS: Class = Class::Reconcile;

/// After a takeover, the first pass waits this long: what was under way is settled first.
const FIRST_AFTER: Duration = Duration::from_secs(30);

/// What looks after the whole of it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reconciler {
    store: Store,
    live: LiveReadings,
    assignments: Assignments,
    keeper: Arc<Keeper>,
    worker: Worker,
    lease: Lease,
    limiter: Limiter,
    me: ServerId,
    rules: Rules,
    /// What the ARNs of all permission sets begin with.
    sets: String,
}

/// Spaces calls evenly.
#[derive(Debug)]
struct Pace {
    limiter: Limiter,
    next: Mutex<Instant>,
}

impl Pace {
    fn new(limiter: Limiter) -> Self {
        Self {
            limiter,
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits until the next call may be made.
    async fn step(&self) {
        let every = Duration::from_secs_f64(1.0 / (self.limiter.allowed() * PART).max(0.1));
        let mut next = self.next.lock().await;
        tokio::time::sleep_until(*next).await;
        *next = (*next).max(Instant::now()) + every;
    }
}

/// What one complete read of a target showed.
struct Seen<'r> {
    target: &'r Target,
    /// Everybody who has it by themselves, of a group with the id of their membership.
    people: BTreeMap<UserId, Option<String>>,
    read: &'r ReadEvidence,
}

impl Seen<'_> {
    /// Whether what the key wants is there.
    fn sighting(&self, state: &KeyState) -> Sighting {
        let there = match (self.people.get(&state.key.user), &state.membership) {
            (None, _) => false,
            // Somebody else's is another.
            (Some(Some(id)), Some(own)) => id == own,
            (Some(_), _) => true,
        };
        Sighting {
            presence: if there {
                Presence::Present
            } else {
                Presence::Absent
            },
            read: self.read.clone(),
        }
    }
}

impl Reconciler {
    /// Of these parts. The permission sets' ARNs begin as the instance's does.
    #[must_use]
    pub fn new(
        (store, live): (Store, LiveReadings),
        assignments: Assignments,
        keeper: Arc<Keeper>,
        worker: Worker,
        (lease, limiter): (Lease, Limiter),
        me: ServerId,
        config: &Config,
    ) -> Self {
        let instance_arn = config.identity_center.instance_arn.as_str();
        let sets = instance_arn
            .split_once(":instance/")
            .map_or(instance_arn, |(before, _)| before);
        Self {
            store,
            live,
            assignments,
            keeper,
            worker,
            lease,
            limiter,
            me,
            rules: Rules::of(config),
            sets: format!("{sets}:permissionSet/"),
        }
    }

    /// Looks after everything for as long as this server leads, until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let all = async {
            tokio::join!(
                self.keep_near(),
                self.keep_far(),
                self.keep_people(),
                self.keep_revocations(),
            )
        };
        tokio::select! {
            () = stop.cancelled() => {}
            _ = all => {}
        }
    }

    /// Waits until this server leads, and a little longer, so that what was under way is settled.
    async fn lead(&self) {
        if self.lease.held() {
            return;
        }
        loop {
            self.lease.gained().await;
            tokio::time::sleep(FIRST_AFTER).await;
            if self.lease.held() {
                return;
            }
        }
    }

    /// A change by this server, now, that nobody has to be woken for.
    fn bookkeeping(&self) -> Commit {
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
        commit.looked_after();
        commit
    }

    /// Stores it, unless the other passes, another server or people were faster: the next look sees.
    async fn commit_unless_changed(&self, commit: Commit) -> Result<(), StoreError> {
        match self.store.commit(commit).await {
            Ok(_) | Err(StoreError::Changed) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Judges the keys of these people by what was seen of their target.
    async fn judge(
        &self,
        seen: &Seen<'_>,
        people: &BTreeSet<UserId>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let keys: Vec<Key> = people
            .iter()
            .map(|user| Key {
                user: user.clone(),
                target: seen.target.clone(),
            })
            .collect();
        let stored = self.store.keys_of(&keys).await?;
        let mut stored: BTreeMap<Key, StoredKey> = stored
            .into_iter()
            .map(|stored| (stored.state.key.clone(), stored))
            .collect();
        for key in keys {
            if !self.lease.held() {
                return Ok(());
            }
            let state = match stored.remove(&key) {
                Some(stored) => Some(self.put_right(stored, seen).await?),
                None => None,
            };
            self.compare(&key, state.as_ref(), seen, findings).await?;
        }
        Ok(())
    }

    /// Hands what was seen of a key to the steps that put it right, and gives the key as it is.
    async fn put_right(&self, stored: StoredKey, seen: &Seen<'_>) -> Result<KeyState, StoreError> {
        let sighting = seen.sighting(&stored.state);
        let context = self.worker.context();
        let Some(change) = progress::observed(&stored.state, &sighting, context) else {
            return Ok(stored.state);
        };
        tracing::warn!(
            key = %stored.state.key,
            presence = ?sighting.presence,
            "a complete read shows an active grant's assignment otherwise than it should be",
        );
        match self.worker.record(&stored, change).await {
            Ok(stored) => {
                self.store.signals().work.notify_one();
                Ok(stored.state)
            }
            // Whoever changed it meanwhile plans for itself.
            Err(StoreError::Changed) => Ok(stored.state),
            Err(error) => Err(error),
        }
    }

    /// Opens and closes what is to be found about a key.
    async fn compare(
        &self,
        key: &Key,
        state: Option<&KeyState>,
        seen: &Seen<'_>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let there = seen.people.contains_key(&key.user);
        if let Some(state) = state {
            self.compare_promise(state, Some(seen.read), findings)
                .await?;
        }
        // Being in a group is a person's ordinary state: only account assignments are looked for.
        let is_account = matches!(key.target, Target::Account { .. });
        let sweeps = |state: &KeyState| {
            let operation = state.operation.as_ref();
            operation.is_some_and(|operation| operation.finding.is_some())
        };
        if state.is_some_and(sweeps) {
            // The worker is about to say what became of it.
            return Ok(());
        }
        let is_nobodys = is_account && there && is_unmanaged(state, seen.read);
        if is_nobodys && self.rules.mode == Sweep::Off {
            // What was found before stays as it was: nothing says that it is no more.
            return Ok(());
        }
        let is_allowed = self.rules.allowed.covers(key);
        if is_nobodys && !is_allowed {
            let read = Some(seen.read.clone());
            return findings
                .open(self, Difference::Unmanaged, key, state, read, None)
                .await;
        }
        let closed = match (there, is_nobodys) {
            (true, true) => Closed::Allowed,
            // Nobody wants it, and whose it is cannot be told yet: it stays as it was.
            (true, false) if state.is_none_or(|state| state.live.is_empty()) => return Ok(()),
            (true, false) => Closed::Wanted,
            (false, _) => Closed::Gone,
        };
        let is_newer = |opened| seen.read.began_at > opened;
        findings
            .close_if(self, Difference::Unmanaged, key, closed, is_newer)
            .await
    }

    /// What is to be found about a promise by itself.
    async fn compare_promise(
        &self,
        state: &KeyState,
        read: Option<&ReadEvidence>,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let key = &state.key;
        let over = state.live.is_empty();
        if let Some(missed) = &state.missed {
            let read = read.unwrap_or(missed).clone();
            findings
                .open(
                    self,
                    Difference::Missing,
                    key,
                    Some(state),
                    Some(read),
                    None,
                )
                .await?;
        } else {
            let closed = if over { Closed::Ended } else { Closed::Seen };
            findings
                .close_if(self, Difference::Missing, key, closed, |_| true)
                .await?;
        }
        if is_overdue(state, now()) {
            findings
                .open(self, Difference::Overdue, key, Some(state), None, None)
                .await
        } else {
            findings
                .close_if(self, Difference::Overdue, key, Closed::Ended, |_| true)
                .await
        }
    }
}
