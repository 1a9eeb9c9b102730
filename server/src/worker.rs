//! Observe, plan, act, report: the only part of Belay that changes assignments (invariant 1).
//!
//! It takes no input. A wake-up says "look", and what it looks at is the table: whatever is due is
//! loaded, planned by `domain::plan`, done, and what came of it is stored before the next step. So
//! it may be killed anywhere, and the next one goes on. Of many servers, the one that holds the
//! executor lease works; a lease that is lost ends every task after the step that it is in.

mod advance;
mod change;
mod gate;
mod late;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::id::{OperationId, ServerId};
use domain::plan::Context;
use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::assignments::Assignments;
use crate::lease::Lease;
use crate::people::People;
use crate::service::{Service, ServiceError};
use crate::store::{Due, DueWhat, Store, StoreError, keys, now};

pub use late::Late;

/// Due entries read at once from one shard: more than one pass can start.
const DUE_A_LOOK: i32 = 100;

/// Pages of due entries that are read to find something that can be started: 5,000 entries of a
/// shard that are all being worked on, or left alone.
const PAGES_A_LOOK: u32 = 50;

/// What this version cannot do is tried again after this long: another version may be deployed.
const LEFT_ALONE: Duration = Duration::from_mins(1);

/// Keys that are worked on at once. Most of them wait: for a place, of which no pair should have
/// two, and for reads, which one call answers for all of a pair. So there must be many more than
/// places for every place to be busy; each costs a few kilobytes.
const KEYS_AT_ONCE: usize = 512;

/// Without a wake-up it looks this often: what another process made due is found by the change
/// feed within about a second, and this is the net below that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The longest that wake-ups are left to gather.
const REST_MAX: Duration = Duration::from_millis(100);

/// After the table did not answer.
const TABLE_PAUSE: Duration = Duration::from_secs(1);

/// What takes and ends access.
#[derive(Debug, Clone)]
pub struct Worker {
    store: Store,
    service: Service,
    assignments: Assignments,
    people: People,
    lease: Lease,
    me: ServerId,
    busy: Arc<Busy>,
    handed: Arc<Mutex<HashSet<OperationId>>>,
    keys: Arc<Semaphore>,
    /// Keys whose last attempt AWS refused only because of too many calls: the next is no retry.
    excused: Arc<Mutex<HashSet<String>>>,
    /// How often a read that no operation paces failed in a row.
    unread: Arc<Mutex<HashMap<String, u32>>>,
    late: Late,
}

/// What a task of this process is working on, and what is left alone for a while.
#[derive(Debug, Default)]
struct Busy {
    marked: Mutex<HashSet<String>>,
    /// What was due while it was marked: it is looked at again.
    missed: Mutex<HashSet<String>>,
    /// What could not be advanced, until when: held here and not by a sleeping task, so that it
    /// takes no place from anything else.
    parked: Mutex<HashMap<String, Instant>>,
}

/// Marks something as being worked on, until dropped.
#[derive(Debug)]
struct Mark {
    busy: Arc<Busy>,
    what: String,
    store: Store,
}

impl Busy {
    fn mark(self: &Arc<Self>, what: &str, store: &Store) -> Option<Mark> {
        if self.is_parked(what) {
            return None;
        }
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        if marked.insert(what.to_owned()) {
            return Some(Mark {
                busy: Arc::clone(self),
                what: what.to_owned(),
                store: store.clone(),
            });
        }
        // With `marked` held: whoever is about to let go sees this.
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.insert(what.to_owned());
        None
    }

    /// Lets go of a mark; says whether it was due again meanwhile.
    fn unmark(&self, what: &str) -> bool {
        let mut marked = self.marked.lock().unwrap_or_else(PoisonError::into_inner);
        marked.remove(what);
        let mut missed = self.missed.lock().unwrap_or_else(PoisonError::into_inner);
        missed.remove(what)
    }

    fn is_parked(&self, what: &str) -> bool {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        match parked.get(what) {
            Some(until) if *until > Instant::now() => true,
            Some(_) => {
                parked.remove(what);
                false
            }
            None => false,
        }
    }

    fn park(&self, what: &str, pause: Duration) {
        let mut parked = self.parked.lock().unwrap_or_else(PoisonError::into_inner);
        parked.insert(what.to_owned(), Instant::now() + pause);
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        if self.busy.unmark(&self.what) {
            self.store.signals().work.notify_one();
        }
    }
}

/// What a due entry is about: one of these is worked on by one task at a time, wherever its entry
/// moves meanwhile.
fn subject(due: &Due) -> &str {
    match &due.what {
        DueWhat::Key(key) => key,
        DueWhat::Request(_) | DueWhat::Signing(_) | DueWhat::Unknown => &due.entry.sk,
    }
}

impl Worker {
    /// Works with these parts.
    #[must_use]
    pub fn new(
        store: Store,
        service: Service,
        assignments: Assignments,
        people: People,
        lease: Lease,
        me: ServerId,
    ) -> Self {
        Self {
            store,
            service,
            assignments,
            people,
            lease,
            me,
            busy: Arc::new(Busy::default()),
            handed: Arc::new(Mutex::new(HashSet::new())),
            keys: Arc::new(Semaphore::new(KEYS_AT_ONCE)),
            excused: Arc::default(),
            unread: Arc::default(),
            late: Late::default(),
        }
    }

    /// The keys whose promised end is past and not proved.
    #[must_use]
    pub const fn late(&self) -> &Late {
        &self.late
    }

    /// The use cases, for what reconciling finds.
    pub(crate) const fn service(&self) -> &Service {
        &self.service
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

    pub(crate) fn context(&self) -> Context {
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
            tokio::select! {
                () = stop.cancelled() => break,
                // Whoever stands by looks at nothing: it could do nothing about it.
                () = self.stand_by() => {}
            }
            let began = Instant::now();
            self.late.show(now());
            let pause = match self.look(&tasks, &stop).await {
                Ok(next) => next.map_or(LOOK_EVERY, |at| until(at).min(LOOK_EVERY)),
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "what is due cannot be read");
                    TABLE_PAUSE
                }
            };
            // Wake-ups gather for as long as a look takes, so that under load looking takes at most
            // half of the time; otherwise that is a few milliseconds.
            let rest = began.elapsed().min(REST_MAX);
            tokio::select! {
                () = stop.cancelled() => break,
                () = async {
                    tokio::time::sleep(rest).await;
                    self.store.signals().work.notified().await;
                } => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
        tasks.close();
        tasks.wait().await;
        self.lease.give_back(&self.store).await;
    }

    async fn stand_by(&self) {
        if !self.lease.held() {
            self.late.forget();
            self.late.show(now());
            self.lease.gained().await;
        }
    }

    /// Starts what is due, and says when the next thing will be.
    async fn look(
        &self,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>, StoreError> {
        let shards = (0..keys::DUE_SHARDS).map(|shard| self.look_at(shard, tasks, stop));
        let nexts = futures::future::try_join_all(shards).await?;
        Ok(nexts.into_iter().flatten().min())
    }

    /// Starts what is due in one shard, however much of what comes first cannot be started.
    async fn look_at(
        &self,
        shard: u8,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut after = None;
        let mut started = 0;
        // What is due later than the next look is read by that.
        let before = now().saturating_add(LOOK_EVERY).unwrap_or_else(|_| now());
        for _ in 0..PAGES_A_LOOK {
            let page = self.store.due_before(shard, before, DUE_A_LOOK, after);
            let (page, more) = page.await?;
            let now = now();
            for due in page {
                if due.at > now {
                    return Ok(Some(due.at));
                }
                started += usize::from(self.start(due, tasks, stop));
            }
            if more.is_none() || started >= KEYS_AT_ONCE {
                break;
            }
            after = more;
        }
        Ok(None)
    }

    /// Starts a task for what is due, unless there is one, or it is left alone for now.
    fn start(&self, due: Due, tasks: &TaskTracker, stop: &CancellationToken) -> bool {
        let Some(mark) = self.busy.mark(subject(&due), &self.store) else {
            return false;
        };
        if due.what == DueWhat::Unknown {
            tracing::error!(
                entry = due.entry.sk,
                "a due entry of another version is left alone"
            );
            self.busy.park(&due.entry.sk, LEFT_ALONE);
            return false;
        }
        let worker = self.clone();
        let stop = stop.clone();
        tasks.spawn(async move {
            let Ok(permit) = worker.keys.acquire().await else {
                return;
            };
            match &due.what {
                DueWhat::Key(key) => {
                    let advanced = Box::pin(worker.advance(key, &due.entry, &stop));
                    if let Some(pause) = advanced.await {
                        worker.busy.park(key, pause);
                    }
                }
                DueWhat::Request(id) => match worker.service.expire(*id).await {
                    Ok(()) | Err(ServiceError::Changed) => {}
                    Err(error) => {
                        tracing::error!(%error, request = %id, "a request could not be expired");
                        worker.busy.park(&due.entry.sk, LEFT_ALONE);
                    }
                },
                DueWhat::Signing(id) => match worker.service.overdue(*id, &due.entry).await {
                    Ok(()) | Err(ServiceError::Changed) => {}
                    Err(error) => {
                        tracing::error!(%error, request = %id, "a break-glass could not be handed to admins");
                        worker.busy.park(&due.entry.sk, LEFT_ALONE);
                    }
                },
                DueWhat::Unknown => {}
            }
            drop(permit);
            drop(mark);
        });
        true
    }
}

fn until(at: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now())).unwrap_or(Duration::ZERO)
}
