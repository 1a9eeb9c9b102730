//! The change feed: what other servers changed, so that pages opened here follow, and the worker
//! here wakes. It carries no data that anyone acts on.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::sync::broadcast::error::TryRecvError;
use tokio_util::sync::CancellationToken;

use crate::store::{Store, Topic, keys, now};

/// How often the feed is read: a page follows another server's change within about this long.
const EVERY: Duration = Duration::from_secs(1);

/// Commits remembered so that none is told twice: two buckets of a busy organisation.
const REMEMBERED: usize = 5_000;

/// Follows the feed until told to stop.
pub async fn follow(store: Store, stop: CancellationToken) {
    let mut own = store.news();
    let mut seen = Seen::default();
    let mut first = true;
    let mut missed = false;
    loop {
        // What this server changed has been told already.
        loop {
            match own.try_recv() {
                Ok(committed) => {
                    seen.add(committed.id.to_string());
                }
                Err(TryRecvError::Lagged(_)) => {}
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let at = now();
        let mut failed = false;
        let mut topics: Vec<String> = Vec::new();
        // The bucket before, too: a commit may become visible just after its bucket is over.
        for bucket in [keys::feed_bucket(at, 1), keys::feed_bucket(at, 0)] {
            match store.feed(bucket).await {
                Ok(entries) => {
                    for (commit, entry) in entries {
                        if seen.add(commit) && !first {
                            topics.extend(entry.topics);
                        }
                    }
                }
                Err(error) => {
                    failed = true;
                    tracing::warn!(%error, "the change feed cannot be read; pages may lag");
                }
            }
        }
        first = false;
        if missed && !failed {
            // Whatever was in the buckets that could not be read.
            topics.push(Topic::Missed.to_string());
        }
        missed = failed;
        if !topics.is_empty() {
            topics.sort_unstable();
            topics.dedup();
            if topics.contains(&Topic::Work.to_string()) {
                store.signals().work.notify_one();
            }
            store.signals().outbox.notify_one();
            store.tell_others(topics);
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// The commits that were told, the oldest forgotten first.
#[derive(Debug, Default)]
struct Seen {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Seen {
    /// Whether it is new.
    fn add(&mut self, commit: String) -> bool {
        if !self.known.insert(commit.clone()) {
            return false;
        }
        self.order.push_back(commit);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
