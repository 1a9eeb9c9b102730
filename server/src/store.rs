//! What Belay remembers: one DynamoDB table.
//!
//! Deliberately absent: scans, reads of an index where a decision rests on them, and writes
//! without a condition (bookkeeping aside). A state change goes through [`commit::Commit`] with
//! its events, or does not happen.

mod agreements;
mod answers;
pub mod commit;
mod delays;
mod favourites;
mod findings;
mod glass;
pub mod history;
pub mod item;
pub mod keys;
mod lease;
mod live;
mod once;
mod parts;
pub(crate) mod policies;
mod reads;
mod records;
mod requests;
pub(crate) mod sessions;
mod snapshot;
mod sweep;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata};
use domain::id::{GrantId, RequestId};
use thiserror::Error;
use tokio::sync::{Notify, broadcast};

pub use agreements::Listed;
pub use commit::{Commit, Committed, Expect};
pub use delays::{DayOfEnds, EndsFound, LateNow, UncountedEnd, UncountedEnds};
pub use favourites::{Favourite, Favourites};
pub use findings::{ClosedFinding, FINDINGS_MAX, Pass};
pub use item::{Tally, Undelivered};
pub use lease::LeaseItem;
pub use live::LiveEntry;
pub use parts::PartsError;
pub use policies::{Loaded, VERSIONS_A_PAGE, Versions};
pub use reads::{Due, DueWhat, Waiting};
pub(crate) use records::ENDED_KEPT;
pub use requests::{RequestPage, RequestPlace};
pub use snapshot::{LAYOUT as SNAPSHOT_LAYOUT, Manifest};
pub use sweep::Then;

/// News that wait for a slow listener; one that lags further refetches everything anyway.
const NEWS_KEPT: usize = 256;

/// The table, and who in this process wants to know about changes.
#[derive(Debug, Clone)]
pub struct Store {
    dynamodb: aws_sdk_dynamodb::Client,
    table: String,
    signals: Arc<Signals>,
}

/// Wake-ups inside this process. They carry no data that anyone acts on (invariant 1).
#[derive(Debug)]
pub struct Signals {
    /// Something may be due.
    pub work: Notify,
    /// Something is to be shipped.
    pub outbox: Notify,
    news: broadcast::Sender<Arc<Committed>>,
    /// Grows whenever something that waits for review or a signature has changed, or may have.
    waiting: AtomicU64,
}

/// Why the store did not do what it was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// A condition did not hold: somebody was faster. Read again and decide again.
    #[error("it changed while this was decided")]
    Changed,
    /// The table did not answer, or refused; nothing is known to have happened.
    #[error("DynamoDB did not do {operation} ({code})")]
    Unavailable {
        /// What was asked of it.
        operation: &'static str,
        /// DynamoDB's error code, or what kept it from answering.
        code: String,
        /// The whole story, for the log.
        detail: String,
    },
    /// An item that this server cannot read: written by another version, or damaged.
    #[error("the item {what} cannot be read by this version")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        source: serde_dynamo::Error,
    },
    /// More items than a transaction takes: a defect here, since every list is bounded.
    #[error("a change of {items} items does not fit in one transaction")]
    TooLarge {
        /// How many.
        items: usize,
    },
    /// A request to DynamoDB that could not be built: a defect here.
    #[error("a request to DynamoDB could not be built")]
    Build(#[source] BuildError),
}

impl StoreError {
    fn build(error: BuildError) -> Self {
        Self::Build(error)
    }

    fn unavailable<E>(operation: &'static str, error: &E) -> Self
    where
        E: std::error::Error + ProvideErrorMetadata,
    {
        let code = error
            .code()
            .map_or_else(|| "no answer".to_owned(), str::to_owned);
        Self::Unavailable {
            operation,
            code,
            detail: DisplayErrorContext(error).to_string(),
        }
    }

    /// The SDK's whole story, where there is one.
    #[must_use]
    pub fn detail(&self) -> Option<&str> {
        match self {
            Self::Unavailable { detail, .. } => Some(detail),
            _ => None,
        }
    }
}

impl Store {
    /// The table of that name. It is not created here: `terraform/table.json` defines it.
    #[must_use]
    pub fn new(dynamodb: aws_sdk_dynamodb::Client, table: String) -> Self {
        let (news, _) = broadcast::channel(NEWS_KEPT);
        Self {
            dynamodb,
            table,
            signals: Arc::new(Signals {
                work: Notify::new(),
                outbox: Notify::new(),
                news,
                waiting: AtomicU64::new(0),
            }),
        }
    }

    /// Wake-ups inside this process.
    #[must_use]
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// What changes from now on, here and (by the change feed) on other servers.
    #[must_use]
    pub fn news(&self) -> broadcast::Receiver<Arc<Committed>> {
        self.signals.news.subscribe()
    }

    /// Grows whenever something that waits for review or a signature has changed: here before whoever
    /// changed it hears so, and by another server when the change feed tells.
    #[must_use]
    pub fn waiting_changes(&self) -> u64 {
        self.signals.waiting.load(Ordering::SeqCst)
    }

    /// Passes on what another server changed.
    pub(crate) fn tell_others(&self, topics: Vec<String>) {
        self.pass_on(Committed {
            id: uuid::Uuid::now_v7(),
            topics,
            events: Vec::new(),
            wakes: false,
        });
    }

    fn tell(&self, committed: &Committed) {
        if committed.wakes {
            self.signals.work.notify_one();
        }
        if !committed.events.is_empty() {
            self.signals.outbox.notify_one();
        }
        self.pass_on(committed.clone());
    }

    fn pass_on(&self, committed: Committed) {
        let of_waiting = [Topic::Approvals, Topic::Missed].map(|topic| topic.to_string());
        if committed
            .topics
            .iter()
            .any(|topic| of_waiting.contains(topic))
        {
            self.signals.waiting.fetch_add(1, Ordering::SeqCst);
        }
        // No listener is fine: nobody has a page open.
        let _ = self.signals.news.send(Arc::new(committed));
    }
}

/// What changed, as the live pages know it. The words are the pages' own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// What waits for review.
    Approvals,
    /// Somebody's own requests and grants.
    Mine,
    /// History.
    History,
    /// Findings.
    Findings,
    /// One request.
    Request(RequestId),
    /// Due entries: for workers in other processes.
    Work,
    /// Changes that could not be read: live pages begin anew.
    Missed,
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approvals => f.write_str("approvals"),
            Self::Mine => f.write_str("mine"),
            Self::History => f.write_str("history"),
            Self::Findings => f.write_str("findings"),
            Self::Request(id) => write!(f, "request:{id}"),
            Self::Work => f.write_str("work"),
            Self::Missed => f.write_str("missed"),
        }
    }
}

/// This instant, to the millisecond: what is stored and what sorts are the same.
#[must_use]
pub fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now)
}

/// A fresh id of a grant.
#[must_use]
pub fn fresh_grant() -> GrantId {
    GrantId::new(uuid::Uuid::now_v7())
}
