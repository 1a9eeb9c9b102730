//! The gate before a later start: what was promised then is decided again now.
//!
//! It stands between what the plan would begin and the intent, in the key itself: a grant whose
//! gate is shut wants nothing, so no plan begins it, whoever plans. Deliberately absent: any way to
//! begin without an answer. A look-up that fails is made again until the grant's own end.

use std::time::Duration;

use domain::event::{Actor, Source, Stream};
use domain::id::GrantId;
use domain::key::{Gate, KeyState};
use domain::plan;
use jiff::SignedDuration;

use super::Worker;
use crate::service::Begin;
use crate::store::item::StoredKey;
use crate::store::{Commit, StoreError, now};

/// A decision waits no longer than this: other grants may have to end on the same key. A look-up
/// takes tens of milliseconds.
const DECIDE_WITHIN: Duration = Duration::from_secs(3);

/// After a look-up that failed. Parts that are away are mostly back within seconds, and people wait.
const ASK_AGAIN_AFTER: SignedDuration = SignedDuration::from_secs(5);

impl Worker {
    /// The grant that has to be decided before this key is planned.
    pub(super) fn to_decide(state: &KeyState) -> Option<GrantId> {
        let now = now();
        let mut undecided = state.live.iter().filter(|live| live.undecided(now));
        undecided.next().map(|live| live.grant)
    }

    /// Decides whether a grant may begin, and stores that.
    pub(super) async fn decide(
        &self,
        before: &StoredKey,
        grant: GrantId,
    ) -> Result<StoredKey, StoreError> {
        let (mut grants, heads) = self.store.grants_with_heads(&[grant]).await?;
        let Some(found) = grants.pop() else {
            tracing::error!(%grant, "a key names a grant that is not there");
            return self.gated(before, grant, None).await;
        };
        let asked = tokio::time::timeout(DECIDE_WITHIN, self.service.may_begin(&found)).await;
        match asked {
            Ok(Ok(Begin::May { policy })) => {
                let mut commit = self.commit();
                commit.under_policy(&policy)?;
                let gate = Gate::Passed { at: commit.at() };
                let state = before.state.clone().gated(grant, gate);
                self.store_gate(commit, before, state).await
            }
            Ok(Ok(Begin::MayNot { policy, why })) => {
                let mut commit = self.commit();
                commit.under_policy(&policy)?;
                for (id, head) in heads {
                    commit.continue_stream(&Stream::Grant(id), head);
                }
                let Ok((cancelled, (kind, details))) = found.cancelled_at(&why, commit.at()) else {
                    tracing::error!(%grant, "a grant did not follow its key");
                    return self.gated(before, grant, None).await;
                };
                commit.event(&Stream::Grant(grant), kind, &details)?;
                commit.change_grant(&cancelled, [])?;
                let state = before.state.clone().without(grant);
                self.store_gate(commit, before, state).await
            }
            Ok(Err(error)) => self.gated(before, grant, Some(error.to_string())).await,
            Err(_) => {
                let why = "it took too long".to_owned();
                self.gated(before, grant, Some(why)).await
            }
        }
    }

    /// It stays shut, and is asked about again.
    async fn gated(
        &self,
        before: &StoredKey,
        grant: GrantId,
        why: Option<String>,
    ) -> Result<StoredKey, StoreError> {
        metrics::counter!("belay_starts_undecided_total").increment(1);
        tracing::warn!(%grant, why, "whether a grant may begin cannot be told yet");
        let commit = self.commit();
        let at = commit.at();
        let ask_at = at.saturating_add(ASK_AGAIN_AFTER).unwrap_or(at);
        let state = before.state.clone().gated(grant, Gate::Shut { ask_at });
        self.store_gate(commit, before, state).await
    }

    fn commit(&self) -> Commit {
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
        // The task that works on the key goes on with it.
        commit.looked_after();
        commit
    }

    async fn store_gate(
        &self,
        mut commit: Commit,
        before: &StoredKey,
        state: KeyState,
    ) -> Result<StoredKey, StoreError> {
        let due_at = plan::due(&state, self.context());
        let mut stored = StoredKey { state, due_at };
        commit.change_key(Some(before), &stored)?;
        self.store.commit(commit).await?;
        stored.state.version = before.state.version + 1;
        Ok(stored)
    }
}
