//! What is live, read once for all who look after it: the copy, those with grants, and whether people
//! are still there. With 10,000 live grants each reading is several megabytes.
//!
//! It only says where to look. Whoever decides anything about a key reads the key itself, then, and
//! whoever must not miss one that is new says how old a reading may be.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::store::{LiveEntry, Store, StoreError, now};

/// A reading that is good enough to choose where to look: the copier makes one each minute, and is
/// not in step with anybody.
pub const RECENT: Duration = Duration::from_secs(75);

/// Each key that had something to come.
#[derive(Debug)]
pub struct Reading {
    /// When it began to be read: whatever was promised or changed later may be missing.
    pub of: jiff::Timestamp,
    /// The entries, in no order.
    pub entries: Vec<LiveEntry>,
    began: Instant,
}

/// The last reading. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LiveReadings {
    store: Store,
    last: Arc<Mutex<Option<Arc<Reading>>>>,
}

impl LiveReadings {
    /// Of this table.
    #[must_use]
    pub fn new(store: Store) -> Self {
        let last = Arc::default();
        Self { store, last }
    }

    /// One that begins now.
    pub async fn fresh(&self) -> Result<Arc<Reading>, StoreError> {
        self.since(Instant::now()).await
    }

    /// One that is [`RECENT`], made now if there is none.
    pub async fn recent(&self) -> Result<Arc<Reading>, StoreError> {
        let now = Instant::now();
        self.since(now.checked_sub(RECENT).unwrap_or(now)).await
    }

    /// One that began at that instant or later. Those who ask during a reading wait for it, and share
    /// it if it is new enough for them.
    async fn since(&self, since: Instant) -> Result<Arc<Reading>, StoreError> {
        let mut last = self.last.lock().await;
        if let Some(reading) = last.as_ref().filter(|reading| reading.began >= since) {
            return Ok(Arc::clone(reading));
        }
        let (of, began) = (now(), Instant::now());
        let reading = Arc::new(Reading {
            of,
            began,
            entries: self.store.live_entries().await?,
        });
        *last = Some(Arc::clone(&reading));
        Ok(reading)
    }
}
