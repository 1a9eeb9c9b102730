//! Who acts: one server at a time holds the executor lease, and it alone writes to AWS.
//!
//! The lease is one item whose counter its holder moves on. No clocks are compared: whoever stands
//! by takes over when it has seen the counter stand still for [`TTL`] on its own clock. The holder
//! stops believing in itself earlier than that, by a clock that goes on while a machine sleeps; it
//! looks at it immediately before each write ([`crate::assignments`]).
//!
//! Deliberately absent: a promise that two never act. A server may freeze between that look and
//! the network; what limits the harm is the intent on record, and AWS refusing old signatures.

mod clock;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::id::ServerId;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::aws::RemoteClock;
use crate::store::{LeaseItem, Store, StoreError};

/// The counter stood still this long: its holder is gone. With a look each second, somebody else
/// leads at most eight seconds after the last renewal (DESIGN 9 allows ten).
const TTL: Duration = Duration::from_secs(6);

/// How long a renewal is believed in, from before it was sent: a second less than [`TTL`], so that
/// the holder has stopped before anybody takes over, whatever the rates of their clocks.
const BELIEVED_FOR: Duration = Duration::from_secs(5);

/// The holder renews this often: one lost renewal does not lose the lease.
const RENEW_EVERY: Duration = Duration::from_secs(2);

/// Whoever stands by looks this often, and so does a holder whose renewal failed.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Whether this server holds the executor lease. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lease(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    me: ServerId,
    /// Until when it is held, on [`clock`], in milliseconds; 0: it is not.
    until: AtomicU64,
    gained: Notify,
}

/// What is known of the item.
#[derive(Debug)]
enum Known {
    /// Nothing.
    Nothing,
    /// We hold it with this counter.
    Held { counter: u64 },
    /// Somebody held it with this counter when it was first seen.
    Seen { counter: u64, since: Instant },
}

impl Lease {
    /// Not held yet.
    #[must_use]
    pub fn new(me: ServerId) -> Self {
        Self(Arc::new(Inner {
            me,
            until: AtomicU64::new(0),
            gained: Notify::new(),
        }))
    }

    /// Held for as long as this process lives, without an item that says so: the table that it would
    /// be in is lost, and a person has said that this is so.
    #[must_use]
    pub fn without_a_table(me: ServerId) -> Self {
        let lease = Self::new(me);
        lease.0.until.store(u64::MAX, Ordering::Release);
        lease
    }

    /// Whether this server may write to AWS at this instant.
    #[must_use]
    pub fn held(&self) -> bool {
        clock::milliseconds() < self.0.until.load(Ordering::Acquire)
    }

    /// Waits until this server holds it.
    pub async fn gained(&self) {
        while !self.held() {
            tokio::select! {
                () = self.0.gained.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Stands by, leads, renews, until told to stop; then gives it back.
    pub async fn keep(self, store: Store, clock: RemoteClock, stop: CancellationToken) {
        let mut known = Known::Nothing;
        while !stop.is_cancelled() {
            match self.turn(&store, &clock, &known).await {
                Ok(next) => known = next,
                Err(error) => {
                    tracing::warn!(%error, "the executor lease cannot be looked at");
                }
            }
            let pause = match known {
                Known::Held { .. } if self.held() => RENEW_EVERY,
                _ => LOOK_EVERY,
            };
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Gives it back, once nothing is under way any more: whoever stands by need not wait.
    pub async fn give_back(&self, store: &Store) {
        if !self.held() {
            return;
        }
        self.0.until.store(0, Ordering::Release);
        let outcome = async {
            match store.lease().await? {
                Some(item) if item.holder == Some(self.0.me) => {
                    let free = LeaseItem {
                        holder: None,
                        version: item.version + 1,
                    };
                    store.set_lease(&free, Some(item.version)).await
                }
                _ => Ok(()),
            }
        };
        if let Err(error) = outcome.await {
            tracing::warn!(%error, "the executor lease could not be given back; it runs out");
        }
    }

    async fn turn(
        &self,
        store: &Store,
        clock: &RemoteClock,
        known: &Known,
    ) -> Result<Known, StoreError> {
        if let Err(why) = clock.is_right() {
            // It would end access too early or too late. Others lead.
            self.lose(&why);
            return Ok(Known::Nothing);
        }
        if let Known::Held { counter } = known {
            return self.renew(store, *counter).await;
        }
        let Some(item) = store.lease().await? else {
            return self.take(store, None).await;
        };
        if item.holder.is_none() {
            return self.take(store, Some(item.version)).await;
        }
        match known {
            Known::Seen { counter, since } if *counter == item.version => {
                if since.elapsed() >= TTL {
                    self.take(store, Some(item.version)).await
                } else {
                    Ok(Known::Seen {
                        counter: *counter,
                        since: *since,
                    })
                }
            }
            _ => Ok(Known::Seen {
                counter: item.version,
                since: Instant::now(),
            }),
        }
    }

    async fn take(&self, store: &Store, counter: Option<u64>) -> Result<Known, StoreError> {
        let known = self.write(store, counter).await?;
        if matches!(known, Known::Held { .. }) {
            tracing::info!("this server leads: it alone changes assignments");
            self.0.gained.notify_waiters();
        }
        Ok(known)
    }

    async fn renew(&self, store: &Store, counter: u64) -> Result<Known, StoreError> {
        let known = self.write(store, Some(counter)).await?;
        if !matches!(known, Known::Held { .. }) {
            self.lose("another server took over");
        }
        Ok(known)
    }

    async fn write(&self, store: &Store, counter: Option<u64>) -> Result<Known, StoreError> {
        let version = counter.unwrap_or(0) + 1;
        let mine = LeaseItem {
            holder: Some(self.0.me),
            version,
        };
        // From before it was sent: nobody can have seen it earlier.
        let until = clock::milliseconds() + millis(BELIEVED_FOR);
        match store.set_lease(&mine, counter).await {
            Ok(()) => {
                self.0.until.store(until, Ordering::Release);
                Ok(Known::Held { counter: version })
            }
            Err(StoreError::Changed) => Ok(Known::Nothing),
            Err(error) => Err(error),
        }
    }

    fn lose(&self, why: &str) {
        if self.0.until.swap(0, Ordering::AcqRel) != 0 {
            tracing::warn!(why, "this server does not lead any more");
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
