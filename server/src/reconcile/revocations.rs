//! What two admins agreed to take away, done within seconds where AWS can be read.
//!
//! Each is judged once more, by a complete read of its pair and by the table as it is at that moment;
//! from the intent on it is the worker's, as every other deletion, and tried once. What cannot be
//! judged yet is looked at again, until the agreement lapses. Deliberately absent: any judgement of
//! whether it should go. That was two people's.

use std::time::Duration;

use domain::finding::{Closed, Finding};
use domain::sweep::plan::judge_revocation;

use super::removal::{Judged, Shown};
use super::{Pace, Reconciler};
use crate::store::{StoreError, now};

/// Looks whether there is something to take away: one small read, and two people wait for it.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// After the table did not answer.
const PAUSE: Duration = Duration::from_secs(30);

impl Reconciler {
    pub(super) async fn keep_revocations(&self) {
        loop {
            self.lead().await;
            let pause = match self.revocations().await {
                Ok(()) => LOOK_EVERY,
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "what two admins agreed to take away cannot be looked after");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn revocations(&self) -> Result<(), StoreError> {
        let pace = Pace::new(self.limiter.clone());
        for (name, id) in self.store.revocations().await? {
            let found = self.store.finding_at(&name).await?;
            let found = found.filter(|found| found.id.to_string() == id);
            let Some(finding) = found.filter(|found| found.revocation.is_some()) else {
                // It is no more, or has lapsed.
                let mut commit = self.bookkeeping();
                commit.forget_revocation(&name, &id)?;
                self.commit_unless_changed(commit).await?;
                continue;
            };
            if finding.lapse(now()).is_some() {
                // Whoever looks after the findings is about to say so.
                continue;
            }
            pace.step().await;
            if !self.lease.held() {
                return Ok(());
            }
            let outcome = match self.revoke(&finding).await {
                Ok(Judged::Intended) => {
                    tracing::warn!(key = %finding.key, finding = %finding.id, "what two admins agreed on is taken away");
                    "intended"
                }
                Ok(Judged::Left(why)) => {
                    tracing::warn!(key = %finding.key, finding = %finding.id, why, "it cannot be taken away yet");
                    "left"
                }
                // What was judged by is not so any more; it is looked at again.
                Err(StoreError::Changed) => "changed",
                Err(error) => return Err(error),
            };
            metrics::counter!("belay_revocations_total", "outcome" => outcome).increment(1);
        }
        Ok(())
    }

    async fn revoke(&self, finding: &Finding) -> Result<Judged, StoreError> {
        let present = match self.look_again(finding).await? {
            Shown::Present(present) => *present,
            Shown::Untold(why) => return Ok(Judged::Left(why)),
            Shown::Gone(None) => return Ok(Judged::Left("closed")),
            Shown::Gone(Some((finding, head))) => {
                let mut commit = self.bookkeeping();
                commit.close_finding(&finding, head, Closed::Gone)?;
                commit.revocation_is_over(&finding)?;
                self.commit_unless_changed(commit).await?;
                return Ok(Judged::Left("gone"));
            }
        };
        let world = self.keeper.world();
        let beyond = world.as_deref().map(|world| &world.directory.beyond);
        let protected = &self.rules.protected;
        if let Err(left) = judge_revocation(&present.finding, present.ours(), protected, beyond) {
            return Ok(Judged::Left(left.word()));
        }
        let Some((begun, event)) = present.finding.begin_revocation() else {
            return Ok(Judged::Left("closed"));
        };
        self.intend(present, |commit, _, head| {
            commit.begin_revocation(&begun, head, event)
        })
        .await
    }
}
