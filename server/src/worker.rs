//! Observe, plan, act, report: the only part of Belay that changes assignments (invariant 1).
//!
//! It takes no input. A wake-up says "look", and what it looks at is the table: whatever is due is
//! loaded, planned by `domain::plan`, done, and what came of it is stored before the next step. So
//! it may be killed anywhere, and the next one goes on.

mod advance;
mod change;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::{OperationId, ServerId};
use domain::plan::Context;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::assignments::Assignments;
use crate::service::{Service, ServiceError};
use crate::store::{Due, DueWhat, Store, StoreError, keys, now};

/// Due entries read at once from one shard. Fifteen operations are under way at most, so this is
/// more than one pass can start.
const DUE_A_LOOK: i32 = 100;

/// Operations that AWS lets be outstanding.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>
const OUTSTANDING_MAX: usize = 15;

/// Keys that are worked on at once: enough to keep every slot busy while others read.
const KEYS_AT_ONCE: usize = 64;

/// Without a wake-up it looks this often: what another process made due is found by the change
/// feed within about a second, and this is the net below that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// After the table did not answer.
const TABLE_PAUSE: Duration = Duration::from_secs(1);

/// What takes and ends access.
#[derive(Debug, Clone)]
pub struct Worker {
    store: Store,
    service: Service,
    assignments: Assignments,
    me: ServerId,
    busy: Arc<Busy>,
    handed: Arc<Mutex<HashSet<OperationId>>>,
    keys: Arc<Semaphore>,
    slots: Arc<Semaphore>,
}

/// Keys that a task of this process is working on.
#[derive(Debug, Default)]
struct Busy {
    keys: Mutex<HashSet<String>>,
}

/// Marks a key as being worked on, until dropped.
#[derive(Debug)]
struct Mark {
    busy: Arc<Busy>,
    key: String,
}

impl Busy {
    fn mark(self: &Arc<Self>, key: &str) -> Option<Mark> {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.to_owned()).then(|| Mark {
            busy: Arc::clone(self),
            key: key.to_owned(),
        })
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        let mut keys = self
            .busy
            .keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        keys.remove(&self.key);
    }
}

impl Worker {
    /// Works with these parts.
    #[must_use]
    pub fn new(store: Store, service: Service, assignments: Assignments, me: ServerId) -> Self {
        Self {
            store,
            service,
            assignments,
            me,
            busy: Arc::new(Busy::default()),
            handed: Arc::new(Mutex::new(HashSet::new())),
            keys: Arc::new(Semaphore::new(KEYS_AT_ONCE)),
            slots: Arc::new(Semaphore::new(OUTSTANDING_MAX)),
        }
    }

    /// Marks an operation as handed to the network; `false` if it was before.
    fn hand_over(&self, operation: OperationId) -> bool {
        self.handed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(operation)
    }

    /// What came of it is stored, so that it cannot be met again.
    fn forget(&self, operation: OperationId) {
        self.handed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&operation);
    }

    fn context(&self) -> Context {
        Context {
            now: now(),
            me: self.me,
            fresh: OperationId::new(Uuid::now_v7()),
        }
    }

    /// Works until told to stop, and then finishes the steps it is in.
    pub async fn run(&self, stop: CancellationToken) {
        let tasks = TaskTracker::new();
        while !stop.is_cancelled() {
            let pause = match self.look(&tasks, &stop).await {
                Ok(next) => next.map_or(LOOK_EVERY, |at| until(at).min(LOOK_EVERY)),
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "what is due cannot be read");
                    TABLE_PAUSE
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.store.signals().work.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
    }

    /// Starts what is due, and says when the next thing will be.
    async fn look(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>, StoreError> {
        let shards = (0..keys::DUE_SHARDS).map(|shard| self.store.due(shard, DUE_A_LOOK));
        let mut next: Option<Timestamp> = None;
        let mut overdue = 0_u32;
        let now = now();
        for due in futures::future::try_join_all(shards).await?.into_iter().flatten() {
            if due.at > now {
                next = Some(next.map_or(due.at, |next| next.min(due.at)));
                continue;
            }
            overdue = overdue.saturating_add(1);
            self.start(due, tasks, stop);
        }
        metrics::gauge!("belay_due_entries").set(f64::from(overdue));
        Ok(next)
    }

    fn start(&self, due: Due, tasks: &TaskTracker, stop: &CancellationToken) {
        // One task a key, so that a key's steps are never interleaved in this process.
        let Some(mark) = self.busy.mark(&due.entry.sk) else {
            return;
        };
        let worker = self.clone();
        let stop = stop.clone();
        tasks.spawn(async move {
            let Ok(_permit) = worker.keys.acquire().await else {
                return;
            };
            match &due.what {
                DueWhat::Key(key) => {
                    // The entry's time is part of its place; the key is what must not be shared.
                    if let Some(_key_mark) = worker.busy.mark(key) {
                        worker.advance(key, &due.entry, &stop).await;
                    }
                }
                DueWhat::Request(id) => match worker.service.expire(*id).await {
                    Ok(()) | Err(ServiceError::Changed) => {}
                    Err(error) => {
                        tracing::error!(%error, request = %id, "a request could not be expired");
                        tokio::time::sleep(TABLE_PAUSE).await;
                    }
                },
                DueWhat::Unknown => {
                    tracing::error!(entry = due.entry.sk, "a due entry of another version is left alone");
                }
            }
            drop(mark);
            worker.store.signals().work.notify_one();
        });
    }
}

fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now())).unwrap_or(Duration::ZERO)
}
