//! Counts how late ends were, for as long as this server leads: takes the notes that ends leave, and
//! adds them to their day. One that dies in the middle has counted all of a transaction or nothing.
//!
//! Deliberately absent: any part in ending. What is not counted yet is shown with the rest.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::event::{Actor, Source};
use domain::id::ServerId;
use tokio_util::sync::CancellationToken;

use crate::lease::Lease;
use crate::store::{Commit, Store, StoreError, now};

/// Often enough that few notes wait, and one small query each time.
const EVERY: Duration = Duration::from_secs(5);

/// Notes that are counted at once: with their day and the news of it, within the hundred items that a
/// transaction takes.
const AT_ONCE: i32 = 90;

/// What counts.
#[derive(Debug, Clone)]
pub struct Counter {
    store: Store,
    lease: Lease,
    me: ServerId,
}

impl Counter {
    /// In this table, while this lease is held.
    #[must_use]
    pub const fn new(store: Store, lease: Lease, me: ServerId) -> Self {
        Self { store, lease, me }
    }

    /// Counts until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.lease.gained() => {}
            }
            match self.count().await {
                // Whoever led before has counted some of it.
                Ok(()) | Err(StoreError::Changed) => {}
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "how late ends were cannot be counted");
                }
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    }

    async fn count(&self) -> Result<(), StoreError> {
        let mut after = None;
        while self.lease.held() {
            let uncounted = self.store.uncounted_ends(AT_ONCE, after).await?;
            let mut days: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for end in uncounted.ends {
                days.entry(end.day()).or_default().push(end);
            }
            for (day, ends) in days {
                let before = self.store.ends_of_day(day).await?;
                let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
                commit.looked_after();
                commit.count_ends(day, &before, &ends)?;
                self.store.commit(commit).await?;
            }
            after = uncounted.next;
            if after.is_none() {
                break;
            }
        }
        Ok(())
    }
}
