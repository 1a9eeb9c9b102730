//! Ships events to the audit bucket: each at least once, exactly the bytes that were hashed.
//!
//! The outbox entry is written with the event and removed once the object is there, so a server
//! may die anywhere between. An object is put only where none is; if one is there already it must
//! be ours, byte for byte, or the event stays undelivered and somebody is told.

use std::time::Duration;

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::primitives::ByteStream;
use futures::StreamExt as _;
use jiff::tz::TimeZone;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::config::AuditLog;
use crate::store::{Store, StoreError, Undelivered, Waiting, keys};

/// Commits whose events are shipped in one go from one shard.
const A_LOOK: i32 = 50;
/// Objects put at once: S3 takes thousands a second; four hide its latency.
const AT_ONCE: usize = 4;
/// Without a wake-up: finds what another process left.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// What one act leads to comes in twos and threes within moments: it is shipped together, and
/// after the act rather than in its way.
const GATHER: Duration = Duration::from_millis(500);
/// The longest pause after failures.
const PAUSE_MAX: Duration = Duration::from_mins(1);

/// Why an event was not shipped.
#[derive(Debug, Error)]
enum ShipError {
    #[error("S3 did not take the object ({code}): {detail}")]
    Put { code: String, detail: String },
    #[error("the object is there already and could not be compared: {0}")]
    Compare(String),
    #[error("another object is at {0}: it is not ours")]
    NotOurs(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What ships.
#[derive(Debug, Clone)]
pub struct Shipper {
    store: Store,
    s3: aws_sdk_s3::Client,
    log: AuditLog,
}

impl Shipper {
    /// Ships from the table to the log.
    #[must_use]
    pub const fn new(store: Store, s3: aws_sdk_s3::Client, log: AuditLog) -> Self {
        Self { store, s3, log }
    }

    /// Ships until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = LOOK_EVERY;
        loop {
            let mut more = false;
            let mut failed = false;
            for shard in 0..keys::OUTBOX_SHARDS {
                match self.ship_shard(shard).await {
                    Ok(full) => more |= full,
                    Err(error) => {
                        failed = true;
                        tracing::error!(error = %error, "events wait to be shipped to the audit bucket");
                    }
                }
            }
            metrics::gauge!("belay_audit_shipping").set(if failed { 0.0 } else { 1.0 });
            pause = if failed {
                (pause * 2).min(PAUSE_MAX)
            } else {
                LOOK_EVERY
            };
            if more && !failed {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = async {
                    self.store.signals().outbox.notified().await;
                    tokio::time::sleep(GATHER).await;
                }, if !failed => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Ships what waits in a shard; says whether there may be more.
    async fn ship_shard(&self, shard: u8) -> Result<bool, ShipError> {
        let (waiting, more) = self.store.undelivered(shard, A_LOOK).await?;
        let shipped: Vec<Result<(), ShipError>> = futures::stream::iter(waiting)
            .map(|waiting| async move { self.ship_all(&waiting).await })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        shipped.into_iter().collect::<Result<(), _>>()?;
        Ok(more)
    }

    /// Ships the events of an entry, and then removes it. A server that dies between has the next
    /// one find objects that are there already.
    async fn ship_all(&self, waiting: &Waiting) -> Result<(), ShipError> {
        for event in &waiting.events {
            self.ship(event).await?;
        }
        self.store.delivered(&waiting.entry).await?;
        Ok(())
    }

    async fn ship(&self, event: &Undelivered) -> Result<(), ShipError> {
        let key = self.place(event);
        let put = self
            .s3
            .put_object()
            .bucket(&self.log.bucket)
            .key(&key)
            .content_type("application/json")
            .if_none_match("*")
            .body(ByteStream::from(event.bytes.clone().into_bytes()))
            .send()
            .await;
        if let Err(error) = put {
            if error.code() != Some("PreconditionFailed") {
                return Err(ShipError::Put {
                    code: error.code().unwrap_or("no answer").to_owned(),
                    detail: DisplayErrorContext(&error).to_string(),
                });
            }
            self.must_be_ours(&key, event).await?;
        }
        metrics::counter!("belay_audit_events_shipped_total").increment(1);
        Ok(())
    }

    async fn must_be_ours(&self, key: &str, event: &Undelivered) -> Result<(), ShipError> {
        let object = self
            .s3
            .get_object()
            .bucket(&self.log.bucket)
            .key(key)
            .send()
            .await
            .map_err(|error| ShipError::Compare(DisplayErrorContext(&error).to_string()))?;
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|error| ShipError::Compare(error.to_string()))?
            .into_bytes();
        if bytes == event.bytes.as_bytes() {
            Ok(())
        } else {
            Err(ShipError::NotOurs(key.to_owned()))
        }
    }

    fn place(&self, event: &Undelivered) -> String {
        let date = event.at.to_zoned(TimeZone::UTC).strftime("%Y/%m/%d");
        format!("{}/{date}/{}.json", self.log.prefix, event.id)
    }
}
