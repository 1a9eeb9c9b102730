//! The sweep: after a complete look at the whole organisation, what came after the baseline and has
//! been known for long enough is taken away.
//!
//! Each removal is judged once more, by a complete read of its pair and by the table as it is at that
//! moment, and what was judged by is a condition of the intent. From there on it is the worker's, as
//! every other deletion. Deliberately absent: a second try, and any removal after a look that was
//! not complete.

use std::collections::BTreeSet;

use domain::sweep::Sweep;
use domain::sweep::baseline::Baseline;
use domain::sweep::look::Look;
use domain::sweep::plan::{
    Agreed, CONFIRMED_FOR, Candidate, Confirmation, Halt, Outcome, Removal, judge, odd,
};
use domain::target::Key;

use super::removal::{Judged, Shown};
use super::{Pace, Reconciler};
use crate::store::{Pass, StoreError, now};
use crate::sweep::{Draft, Known};

/// What one pass counts for the sweep.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// People's own assignments that it read.
    seen: u32,
    /// As it was when the pass began.
    baseline: Option<Baseline>,
    /// What of that it read.
    there: BTreeSet<Key>,
}

impl Tally {
    /// One assignment was read.
    pub(super) fn count(&mut self, key: Key) {
        self.seen = self.seen.saturating_add(1);
        let is_in_baseline = |baseline: &Baseline| baseline.covers(&key);
        if self.baseline.as_ref().is_some_and(is_in_baseline) {
            self.there.insert(key);
        }
    }
}

impl Reconciler {
    /// What a pass begins to count with.
    pub(super) async fn tally(&self) -> Result<Tally, StoreError> {
        Ok(Tally {
            baseline: self.store.baseline().await?,
            ..Tally::default()
        })
    }

    /// Whether somebody waits for a pass: they have just let a list go.
    pub(super) async fn is_asked_for(&self, pass: &Pass) -> Result<bool, StoreError> {
        if self.rules.mode != Sweep::Enforce {
            return Ok(false);
        }
        let confirmation = self.store.confirmation().await?;
        Ok(confirmation.is_some_and(|one| {
            one.used_at.is_none()
                && now().duration_since(one.at) <= CONFIRMED_FOR
                && pass.completed_at.is_none_or(|at| at < one.at)
        }))
    }

    /// A pass has read everything by itself: remembers that, and removes what is ripe.
    pub(super) async fn sweep(
        &self,
        began_at: jiff::Timestamp,
        tally: Tally,
        untold: u32,
    ) -> Result<(), StoreError> {
        if self.rules.mode == Sweep::Off {
            return Ok(());
        }
        let look = Look {
            began_at,
            finished_at: now(),
            seen: tally.seen,
            untold,
        };
        let mut looks = self.store.looks().await?;
        looks.add(look, self.rules.grace);
        // A look that shows far less than the one before says of nothing that it is gone.
        let is_odd = odd(&looks).is_some();
        let mut commit = self.bookkeeping();
        commit.put_looks(looks)?;
        self.store.commit(commit).await?;
        if !is_odd {
            self.forget_what_is_gone(&tally).await?;
        }
        if self.rules.mode != Sweep::Enforce {
            return Ok(());
        }
        let world = self.keeper.world();
        let beyond = world.as_deref().map(|world| &world.directory.beyond);
        let draft = Draft::make(&self.store, &self.rules, beyond, now()).await?;
        show(&draft);
        let Some(baseline) = &draft.known.baseline else {
            return Ok(());
        };
        if draft.plan.outcome == Outcome::Confirmed {
            match self
                .use_confirmation(draft.known.confirmation.as_ref())
                .await
            {
                Ok(()) => {}
                // Somebody confirmed another list a moment ago.
                Err(StoreError::Changed) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        let pace = Pace::new(self.limiter.clone());
        for removal in draft.plan.removals() {
            pace.step().await;
            if !self.lease.held() {
                return Ok(());
            }
            let outcome = match self.remove(removal, baseline).await {
                Ok(Judged::Intended) => {
                    tracing::warn!(key = %removal.finding.key, finding = %removal.finding.id, "what nobody promised is taken away");
                    "intended"
                }
                Ok(Judged::Left(why)) => {
                    tracing::info!(key = %removal.finding.key, why, "it is left after all");
                    "left"
                }
                // What was judged by is not so any more.
                Err(StoreError::Changed) => "changed",
                Err(error) => return Err(error),
            };
            metrics::counter!("belay_sweep_removals_total", "outcome" => outcome).increment(1);
        }
        Ok(())
    }

    /// What of the baseline was not there in two complete looks leaves it.
    async fn forget_what_is_gone(&self, tally: &Tally) -> Result<(), StoreError> {
        let before = tally.baseline.as_ref();
        let Some(rest) = before.and_then(|one| one.after(&tally.there)) else {
            return Ok(());
        };
        let mut commit = self.bookkeeping();
        commit.put_baseline(&rest)?;
        // Perhaps another one was agreed on while this pass read.
        self.commit_unless_changed(commit).await
    }

    /// A confirmation counts for one pass, whatever becomes of that.
    async fn use_confirmation(&self, one: Option<&Confirmation>) -> Result<(), StoreError> {
        let Some(one) = one else {
            return Err(StoreError::Changed);
        };
        let used = Confirmation {
            version: one.version + 1,
            used_at: Some(now()),
            ..one.clone()
        };
        let mut commit = self.bookkeeping();
        commit.put_confirmation(&used)?;
        self.store.commit(commit).await.map(drop)
    }

    /// Judges one removal anew, and records the intent if it is still one.
    async fn remove(&self, removal: &Removal, baseline: &Baseline) -> Result<Judged, StoreError> {
        let present = match self.look_again(&removal.finding).await? {
            Shown::Present(present) => *present,
            Shown::Gone(_) => return Ok(Judged::Left("gone")),
            Shown::Untold(why) => return Ok(Judged::Left(why)),
        };
        let is_agreed = self.store.is_agreed(&present.finding).await?;
        let known = Known::load(&self.store).await?;
        if known.baseline.as_ref() != Some(baseline) {
            return Ok(Judged::Left(Halt::NoBaseline.word()));
        }
        let world = self.keeper.world();
        let beyond = world.as_deref().map(|world| &world.directory.beyond);
        let candidate = Candidate {
            finding: &present.finding,
            ours: present.ours(),
            agreed: if is_agreed { Agreed::Yes } else { Agreed::No },
        };
        let setting = self.rules.setting(&known, beyond);
        let known_since = match judge(&candidate, &setting, present.context.now) {
            Ok(since) => since,
            Err(left) => return Ok(Judged::Left(left.word())),
        };
        self.intend(present, |commit, finding, head| {
            commit.under_baseline(baseline)?;
            let event = finding.removing(known_since, &baseline.digest);
            commit.removing(finding, head, event)
        })
        .await
    }
}

/// Shows what was planned, to whoever watches.
fn show(draft: &Draft) {
    let plan = &draft.plan;
    let waits = plan.outcome == Outcome::Waits;
    let count = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    metrics::gauge!("belay_sweep_ripe").set(count(plan.ripe.len()));
    metrics::gauge!("belay_sweep_waiting").set(if waits { count(plan.ripe.len()) } else { 0.0 });
    match plan.outcome {
        Outcome::Waits => tracing::error!(
            ripe = plan.ripe.len(),
            cap = plan.cap,
            digest = plan.digest,
            "more is to be taken away than one pass does by itself; an admin has to look at the findings"
        ),
        Outcome::Halted(halt) => {
            tracing::warn!(why = halt.word(), "nothing is taken away");
        }
        Outcome::Within | Outcome::Confirmed => {
            tracing::info!(
                ripe = plan.ripe.len(),
                cap = plan.cap,
                "the sweep was planned"
            );
        }
    }
}
