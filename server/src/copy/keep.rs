//! Writes the copy, for as long as this server leads.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::primitives::ByteStream;
use domain::grant::Grant;
use domain::id::ServerId;
use jiff::{SignedDuration, Timestamp};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{CopiedKey, Copy, LAYOUT, NotACopy, name};
use crate::config::AuditLog;
use crate::lease::Lease;
use crate::live::LiveReadings;
use crate::store::item::StoredKey;
use crate::store::{LiveEntry, Store, StoreError};

/// Looks whether anything changed this often. What changed since the last copy is what would have to
/// be found by hand, should the table be lost just then.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// If nothing changed one is written after this long, so that its age tells that somebody looks.
const ANYWAY_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// Keys that are read at once.
const READ_AT_ONCE: usize = 100;

/// Why there is no newer copy.
#[derive(Debug, Error)]
enum KeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Pack(#[from] NotACopy),
    #[error("S3 did not take it: {0}")]
    Put(String),
    #[error("packing it was interrupted: {0}")]
    Interrupted(#[from] tokio::task::JoinError),
}

/// What tells, of a due entry, whether its key has changed in what a copy keeps.
type Print = (Timestamp, Option<Timestamp>);

/// What the last copy says.
#[derive(Debug, Default)]
struct Known {
    /// `None`: one that could not be read.
    keys: BTreeMap<String, (Print, Option<CopiedKey>)>,
    written_at: Option<Timestamp>,
}

/// What writes it.
#[derive(Debug, Clone)]
pub struct Copier {
    store: Store,
    live: LiveReadings,
    s3: aws_sdk_s3::Client,
    log: AuditLog,
    table: String,
    lease: Lease,
    me: ServerId,
}

impl Copier {
    /// From the table to the log's bucket, while this lease is held.
    #[must_use]
    pub fn new(
        (store, live): (Store, LiveReadings),
        s3: aws_sdk_s3::Client,
        log: AuditLog,
        table: String,
        lease: Lease,
        me: ServerId,
    ) -> Self {
        Self {
            store,
            live,
            s3,
            log,
            table,
            lease,
            me,
        }
    }

    /// Writes until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let mut known = Known::default();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.lease.gained() => {}
            }
            if let Err(error) = self.look(&mut known).await {
                // Nothing else waits for it (invariant 11); whoever watches its age hears of it.
                tracing::error!(%error, "the copy of the live grants is not up to date");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    async fn look(&self, known: &mut Known) -> Result<(), KeepError> {
        // A fresh one: what changed is copied within a minute.
        let reading = self.live.fresh().await?;
        let of = reading.of;
        let entries = prints(&reading.entries);
        let before = known.keys.len();
        known.keys.retain(|key, _| entries.contains_key(key));
        let mut changed = known.keys.len() != before;
        let stale: Vec<(&String, &Print)> = entries
            .iter()
            .filter(|(key, print)| known.keys.get(*key).is_none_or(|(had, _)| had != *print))
            .collect();
        for some in stale.chunks(READ_AT_ONCE) {
            let read = self.store.with_grants(some.iter().map(|(key, _)| *key));
            let mut read = read.await?;
            for (key, print) in some {
                let copied = read.remove(*key).map(copied);
                known.keys.insert((*key).clone(), (**print, copied));
                changed = true;
            }
        }
        let is_due = known
            .written_at
            .is_none_or(|at| of.duration_since(at) >= ANYWAY_EVERY);
        if (changed || is_due) && self.lease.held() {
            // Only once it is there is it known: a copy that failed is written a minute later.
            known.written_at = None;
            self.write(known, of).await?;
            known.written_at = Some(of);
        }
        Ok(())
    }

    async fn write(&self, known: &Known, of: Timestamp) -> Result<(), KeepError> {
        let keys: Vec<CopiedKey> = known
            .keys
            .values()
            .filter_map(|(_, copied)| copied.clone())
            .collect();
        let copy = Copy {
            layout: LAYOUT,
            of,
            by: self.me,
            table: self.table.clone(),
            left_out: known.keys.len() - keys.len(),
            keys,
        };
        let (name, count, left_out) = (name(&self.log, &copy), copy.keys.len(), copy.left_out);
        let bytes = tokio::task::spawn_blocking(move || copy.pack()).await??;
        self.s3
            .put_object()
            .bucket(&self.log.bucket)
            .key(&name)
            .content_type("application/zstd")
            .if_none_match("*")
            .body(ByteStream::from(bytes))
            .send()
            .await
            .map_err(|error| KeepError::Put(DisplayErrorContext(&error).to_string()))?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds and keys are far below 2^53"
        )]
        {
            metrics::gauge!("belay_copy_written_timestamp_seconds").set(of.as_second() as f64);
            metrics::gauge!("belay_copy_keys").set(count as f64);
            metrics::gauge!("belay_copy_keys_left_out").set(left_out as f64);
        }
        tracing::debug!(name, keys = count, left_out, "the live grants were copied");
        Ok(())
    }
}

/// A key that an answer which was lost left two entries of counts by the later one.
fn prints(entries: &[LiveEntry]) -> BTreeMap<String, Print> {
    let mut prints = BTreeMap::new();
    for entry in entries {
        let print = (entry.at, entry.until);
        let at: &mut Print = prints.entry(entry.key.clone()).or_insert(print);
        *at = (*at).max(print);
    }
    prints
}

fn copied((stored, grants): (StoredKey, Vec<Grant>)) -> CopiedKey {
    CopiedKey {
        state: stored.state,
        grants,
    }
}
