//! The second line: one look at whether anything is late, and the worker's work if nobody does it.

use std::time::Duration;

use domain::reconcile::OVERDUE_AFTER;
use domain::target::Key;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Engine;
use crate::store::{StoreError, now};
use crate::sweep::Draft;
use crate::worker::Worker;
use crate::world::{WorldError, stored_directory};

/// A lease that stands still is taken over after six seconds, looked at each second; one that is
/// alive moves every two. Twice that tells which, on a slow machine too.
const TELLS_WITHIN: Duration = Duration::from_secs(16);

/// How often the lease and what is late are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// A run that leads ends what is late for at most this long: whatever runs it runs it again, and a
/// key that fails is tried again within five minutes by then.
const LEADS_FOR: Duration = Duration::from_mins(10);

/// What came of one run.
#[derive(Debug)]
pub struct Swept {
    /// Whether this run led.
    pub led: bool,
    /// What is past its end for too long, and since when; where this run led, whatever is past it.
    pub overdue: Vec<(Key, Timestamp)>,
}

impl Engine {
    /// Takes the lease and ends what is late; or, where somebody else holds it and is alive, only
    /// looks. `None`: it could not be told which.
    pub async fn sweep(&self) -> Result<Option<Swept>, StoreError> {
        let stop = CancellationToken::new();
        let _ends = stop.clone().drop_guard();
        let keep = self.lease.clone();
        tokio::spawn(keep.keep(self.store.clone(), self.clock.clone(), stop.clone()));
        match self.leads_or_another().await? {
            None => Ok(None),
            Some(Leads::This) => {
                let late = self.end_what_is_late(&stop).await?;
                Ok(Some(Swept {
                    led: true,
                    overdue: late,
                }))
            }
            Some(Leads::Another) => {
                // It must not be taken over while we look.
                stop.cancel();
                let now = now();
                let mut late = self.store.late_keys(now).await?;
                late.retain(|(_, since)| now.duration_since(*since) > OVERDUE_AFTER);
                Ok(Some(Swept {
                    led: false,
                    overdue: late,
                }))
            }
        }
    }

    /// What the sweep would do by the last complete look, and by the snapshot of the organisation;
    /// `None`: nobody has looked at all of it yet.
    pub async fn draft(&self) -> Result<Option<Draft>, WorldError> {
        let Some(directory) = stored_directory(&self.store).await? else {
            return Ok(None);
        };
        let beyond = Some(&directory.beyond);
        let draft = Draft::make(&self.store, self.service.rules(), beyond, now()).await?;
        Ok(draft.known.looks.last().is_some().then_some(draft))
    }

    async fn leads_or_another(&self) -> Result<Option<Leads>, StoreError> {
        let begun = Instant::now();
        let mut first = None;
        while begun.elapsed() < TELLS_WITHIN {
            if self.lease.held() {
                return Ok(Some(Leads::This));
            }
            if let Some(item) = self.store.lease().await?
                && item.holder.is_some()
            {
                // Whoever moves it on is alive.
                let moved = first.is_some_and(|first| first != item.version);
                if moved && !self.lease.held() {
                    return Ok(Some(Leads::Another));
                }
                first = first.or(Some(item.version));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        Ok(None)
    }

    /// Works as the worker does until nothing is late, and gives the lease back.
    async fn end_what_is_late(
        &self,
        stop: &CancellationToken,
    ) -> Result<Vec<(Key, Timestamp)>, StoreError> {
        let worker = tokio::spawn(run(self.worker.clone(), stop.child_token()));
        let begun = Instant::now();
        let late = loop {
            let late = self.store.late_keys(now()).await?;
            if late.is_empty() || begun.elapsed() > LEADS_FOR || worker.is_finished() {
                break late;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        stop.cancel();
        // It finishes the steps that it is in, and gives the lease back.
        if worker.await.is_err() {
            tracing::error!("the worker ended by itself");
        }
        Ok(late)
    }
}

async fn run(worker: Worker, stop: CancellationToken) {
    worker.run(stop).await;
}

enum Leads {
    This,
    Another,
}
