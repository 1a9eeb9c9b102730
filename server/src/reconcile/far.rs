//! The whole organisation, about once an hour: permission sets, where each is provisioned, and the
//! assignments of those pairs, which is the cheapest set of calls that shows everything.
//!
//! How far it is, is remembered after each permission set, so that whoever leads next goes on from
//! there. What could not be read is left as it was, and makes the pass incomplete: then nothing is
//! concluded from what it did not come across.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::directory::Holdings;
use domain::finding::{Closed, Difference};
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::target::{Key, Target};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::findings::Findings;
use super::sweep::Tally;
use super::{CLASS, Pace, Reconciler, Seen};
use crate::assignments::Pair;
use crate::store::{Pass, StoreError, now};

/// A pass begins this long after the one before was complete. 300 accounts with 20 permission sets
/// take half an hour at a call a second.
const EVERY: SignedDuration = SignedDuration::from_hours(1);

/// One that was interrupted this long ago begins anew: what it read is old.
const STALE_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// After something could not be read.
const PAUSE: Duration = Duration::from_secs(30);

/// Looks whether it is time for the next: two small reads, and whoever has just let the sweep go on
/// waits for it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Reads under way at once: they are paced, and each takes a fraction of a second.
const AT_ONCE: usize = 4;

/// What groups were come across with.
type Held = BTreeMap<GroupId, BTreeSet<(AccountId, PermissionSetArn)>>;

impl Reconciler {
    pub(super) async fn keep_far(&self) {
        loop {
            self.lead().await;
            let pause = match self.far().await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "the organisation cannot be looked after");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Begins a pass or goes on with one, if it is time.
    async fn far(&self) -> Result<(), StoreError> {
        let now = now();
        let mut pass = self.store.pass().await?;
        let is_older = |at: Timestamp, age| now.duration_since(at) > age;
        if pass.began_at.is_none_or(|at| is_older(at, STALE_AFTER)) {
            let is_due = pass.completed_at.is_none_or(|at| is_older(at, EVERY));
            if !is_due && !self.is_asked_for(&pass).await? {
                return Ok(());
            }
            pass = Pass {
                began_at: Some(now),
                completed_at: pass.completed_at,
                ..Pass::default()
            };
        }
        let resumed = pass.after.is_some();
        let pace = Pace::new(self.limiter.clone());
        let Ok(sets) = self.assignments.permission_sets(CLASS).await else {
            // Nothing was begun.
            return Ok(());
        };
        let mut findings = Findings::load(self).await?;
        let mut come_across = BTreeSet::new();
        let mut found = (Held::new(), self.tally().await?);
        for set in &sets {
            if pass
                .after
                .as_deref()
                .is_some_and(|after| set.as_str() <= after)
            {
                continue;
            }
            let read = self.read_set(set, &pace, &mut found, &mut findings).await?;
            if !self.lease.held() {
                return Ok(());
            }
            match read {
                Some(pairs) => come_across.extend(pairs),
                None => pass.incomplete = true,
            }
            pass.after = Some(set.to_string());
            self.store.set_pass(&pass).await?;
        }
        // Whoever did not come across all of it itself cannot say what is not there.
        let began_at = pass.began_at.unwrap_or(now);
        let (held, tally) = found;
        let is_whole = !pass.incomplete && !resumed;
        if is_whole {
            self.close_what_is_nowhere(&come_across, began_at, &mut findings)
                .await?;
            self.tell_what_groups_hold(held);
        }
        let completed = !pass.incomplete;
        metrics::counter!("belay_reconcile_passes_total", "complete" => if completed { "true" } else { "false" })
            .increment(1);
        tracing::info!(
            permission_sets = sets.len(),
            pairs = come_across.len(),
            completed,
            resumed,
            "the organisation was looked through",
        );
        pass = Pass {
            began_at: None,
            after: None,
            incomplete: false,
            // What could not be read is read again in an hour, as everything.
            completed_at: Some(super::now()),
        };
        self.store.set_pass(&pass).await?;
        findings.show();
        if is_whole {
            self.sweep(began_at, tally, findings.untold()).await?;
        }
        Ok(())
    }

    /// Reads every pair of a permission set; `None`: not all of it could be read.
    async fn read_set(
        &self,
        set: &PermissionSetArn,
        pace: &Pace,
        (held, tally): &mut (Held, Tally),
        findings: &mut Findings,
    ) -> Result<Option<BTreeSet<Pair>>, StoreError> {
        pace.step().await;
        let Ok(pairs) = self.assignments.provisioned(set, CLASS).await else {
            return Ok(None);
        };
        let mut whole = true;
        let reads = futures::stream::iter(pairs.clone()).map(|pair| async move {
            pace.step().await;
            let read = self.assignments.read_pair(pair.clone(), CLASS).await;
            (pair, read)
        });
        let mut reads = std::pin::pin!(reads.buffer_unordered(AT_ONCE));
        while let Some((pair, read)) = reads.next().await {
            if !self.lease.held() {
                return Ok(None);
            }
            let Ok(read) = read else {
                whole = false;
                continue;
            };
            for group in &read.groups {
                held.entry(group.clone())
                    .or_default()
                    .insert((pair.account.clone(), set.clone()));
            }
            let target = pair.target();
            let people: BTreeMap<UserId, Option<String>> = read
                .people
                .iter()
                .map(|user| (user.clone(), None))
                .collect();
            for user in people.keys() {
                tally.count(Key {
                    user: user.clone(),
                    target: target.clone(),
                });
            }
            let known = findings.people_of(&target).collect::<Vec<_>>();
            let judged = people.keys().cloned().chain(known).collect();
            let seen = Seen {
                target: &target,
                people,
                read: &read.read,
            };
            self.judge(&seen, &judged, findings).await?;
        }
        Ok(whole.then_some(pairs))
    }

    /// Every group of the organisation, with what all of it was read to be assigned: one that was not
    /// come across is assigned nothing.
    fn tell_what_groups_hold(&self, mut held: Held) {
        let Some(world) = self.keeper.world() else {
            return;
        };
        let mut holdings = Holdings::default();
        holdings.read_at = Some(now());
        for group in world.directory.groups.keys() {
            holdings.insert(group.clone(), held.remove(group).unwrap_or_default());
        }
        self.keeper.learn(holdings);
    }

    /// Closes what was found unmanaged on pairs that are not provisioned any more: nothing is
    /// assigned there.
    async fn close_what_is_nowhere(
        &self,
        come_across: &BTreeSet<Pair>,
        began_at: Timestamp,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        for key in findings.known(Difference::Unmanaged) {
            let is_there = match &key.target {
                Target::Account { .. } => {
                    Pair::of(&key.target).is_some_and(|pair| come_across.contains(&pair))
                }
                Target::Group { .. } => true,
            };
            if !is_there {
                let is_newer = |opened| began_at > opened;
                findings
                    .close_if(self, Difference::Unmanaged, &key, Closed::Gone, is_newer)
                    .await?;
            }
        }
        Ok(())
    }
}
