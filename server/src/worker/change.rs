//! Stores what a step made of a key and its grants, with one event for each change.

use std::time::Duration;

use domain::delay::End;
use domain::event::{Actor, Source, Stream};
use domain::finding::{Difference, Finding};
use domain::grant::{Grant, GrantChange};
use domain::id::{FindingId, GrantId};
use domain::plan::{self, Change};
use domain::sweep::remove::Swept;
use domain::target::Key;
use jiff::Timestamp;

use super::Worker;
use crate::store::item::StoredKey;
use crate::store::{Commit, StoreError, Then, keys, now};

impl Worker {
    /// Stores a change, or nothing of it, and gives the key as it is then.
    pub(crate) async fn record(
        &self,
        before: &StoredKey,
        change: Change,
    ) -> Result<StoredKey, StoreError> {
        let context = self.context();
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, context.now);
        // The task that works on the key goes on with it, and wakes the worker when it is done.
        commit.looked_after();
        let mut ids: Vec<GrantId> = change.grants.iter().map(|(id, _)| *id).collect();
        ids.sort_unstable();
        ids.dedup();
        let (mut grants, heads) = self.store.grants_with_heads(&ids).await?;
        for (id, head) in heads {
            commit.continue_stream(&Stream::Grant(id), head);
        }
        for (id, step) in &change.grants {
            let Some(grant) = grants.iter_mut().find(|grant| grant.id == *id) else {
                tracing::error!(grant = %id, "a key names a grant that is not there");
                continue;
            };
            apply(&mut commit, grant, step)?;
        }
        for grant in &grants {
            let steps = change.grants.iter();
            let took = steps.filter_map(|(id, step)| (*id == grant.id).then_some(step));
            commit.change_grant(grant, took)?;
        }
        let state = change.key;
        if let Some((finding, swept)) = &change.swept {
            Box::pin(self.tell_swept(&mut commit, &state.key, *finding, swept)).await?;
        }
        let due_at = plan::due(&state, context);
        let mut stored = StoredKey { state, due_at };
        commit.change_key(Some(before), &stored)?;
        self.store.commit(commit).await?;
        grants.iter().for_each(measure);
        self.late.meet(&stored.state, context.now);
        stored.state.version = before.state.version + 1;
        Ok(stored)
    }

    /// What became of a removal by the sweep, on its finding's stream. Where a pass has closed that
    /// already, what was done is on record all the same.
    async fn tell_swept(
        &self,
        commit: &mut Commit,
        key: &Key,
        id: FindingId,
        swept: &Swept,
    ) -> Result<(), StoreError> {
        // In this order: what is read after the head is what the head is of.
        let head = self.store.head(&Stream::Finding(id)).await?;
        let name = keys::finding(Difference::Unmanaged, key).sk;
        let found = self.store.finding_at(&name).await?;
        let found = found.filter(|found| found.id == id);
        let is_open = found.is_some();
        let finding = found.unwrap_or_else(|| Finding::nameless(id, key, commit.at()));
        let event = finding.swept(swept);
        let (finding, then) = match swept {
            _ if !is_open => (finding, Then::WasClosed),
            Swept::NotRemoved { reason } => (finding.not_removed(reason, commit.at()), Then::Stays),
            Swept::Removed(receipt) => (finding, Then::Closes(Swept::closes_as(receipt))),
        };
        match swept {
            Swept::Removed(_) => {
                tracing::warn!(%key, finding = %id, "what nobody promised is gone");
            }
            Swept::NotRemoved { reason } => {
                tracing::error!(%key, finding = %id, reason, "what nobody promised could not be taken away; its finding stays open");
            }
        }
        commit.swept(&finding, head, then, event)
    }

    /// Nothing changes but when the key is looked at again.
    pub(super) async fn reschedule(
        &self,
        before: &StoredKey,
        due_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
        commit.looked_after();
        let state = before.state.clone();
        commit.change_key(Some(before), &StoredKey { state, due_at })?;
        self.store.commit(commit).await?;
        Ok(())
    }
}

fn apply(commit: &mut Commit, grant: &mut Grant, step: &GrantChange) -> Result<(), StoreError> {
    match grant.clone().apply(step, commit.at()) {
        Ok(next) => {
            let (kind, details) = next.changed(step);
            commit.event(&Stream::Grant(next.id), kind, &details)?;
            *grant = next;
            Ok(())
        }
        Err(illegal) => {
            // The key and its grants are written together, so this cannot happen; and if it ever
            // did, ending access matters more than a tidy record.
            tracing::error!(grant = %grant.id, %illegal, "a grant did not follow its key");
            Ok(())
        }
    }
}

/// The delay between promised and proven end.
fn measure(grant: &Grant) {
    if let Some(end) = End::of(grant) {
        let late = Duration::from_millis(end.late_ms);
        metrics::histogram!("belay_end_delay_seconds").record(late.as_secs_f64());
    }
}
