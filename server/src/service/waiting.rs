//! How much waits for a person: the number in the header of every page.
//!
//! It is counted from one reading of what waits, which all who look at any page share until something of
//! it changes. So a page view reads nothing of it, and neither do the hundred pages that follow live.
//! It is a number and nothing else: what somebody may review is judged anew where they do it.

use std::sync::Arc;
use std::time::Duration;

use domain::request::Request;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::look::waits_for;
use super::signing::waits_for_signature;
use super::{Caller, OPEN_MAX, Service, ServiceError};
use crate::store::{Store, StoreError};

/// The longest that a reading is used, whatever is heard: the change feed may be out of reach.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// What waited at one moment.
#[derive(Debug)]
struct Reading {
    /// [`Store::waiting_changes`] before it was read.
    changes: u64,
    began: Instant,
    for_review: Vec<Request>,
    to_sign: Vec<Request>,
}

/// The last reading. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting {
    last: Arc<Mutex<Option<Arc<Reading>>>>,
}

impl Waiting {
    /// One in which everything is that this server has heard of. Those who ask during a reading wait
    /// for it.
    async fn read(&self, store: &Store) -> Result<Arc<Reading>, StoreError> {
        let mut last = self.last.lock().await;
        let (changes, began) = (store.waiting_changes(), Instant::now());
        let is_good = |reading: &&Arc<Reading>| {
            reading.changes == changes && began.duration_since(reading.began) < STALE_AFTER
        };
        if let Some(reading) = last.as_ref().filter(is_good) {
            return Ok(Arc::clone(reading));
        }
        let (for_review, to_sign) = tokio::try_join!(
            store.open_requests(OPEN_MAX),
            store.unsigned_requests(OPEN_MAX)
        )?;
        let reading = Arc::new(Reading {
            changes,
            began,
            for_review,
            to_sign,
        });
        *last = Some(Arc::clone(&reading));
        Ok(reading)
    }
}

impl Service {
    /// How many requests wait for the person's review or signature.
    pub async fn waiting_count(&self, caller: &Caller) -> Result<usize, ServiceError> {
        let world = self.world()?;
        let reading = self.waiting.read(&self.store).await?;
        let mut count = 0;
        for request in &reading.for_review {
            if waits_for(&world, caller, request)?.is_some() {
                count += 1;
            }
        }
        for request in &reading.to_sign {
            if waits_for_signature(&world, caller, request).is_some() {
                count += 1;
            }
        }
        Ok(count)
    }
}
