//! How outstanding operations are going: one list tells of all of them.
//!
//! Whoever follows an operation names it here. While one operation of a kind is followed it is
//! asked about by itself; while there are more, one `List...Status` answers for all. Of an end
//! everyone hears at once, asked or not. Why an operation failed only its own description says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_ssoadmin::types::StatusValues;
use domain::key::Action;
use domain::progress::Status;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::call::Api;
use crate::limiter::{Class, Try};

/// Polls of a kind of operation take at most this part of the calls: each tells of all, so more
/// often would only take calls from what they wait for. At 20 a second that is one in 170 ms,
/// while AWS takes one to a few seconds for an operation.
const PART: f64 = 3.0 / 10.0;

/// An operation that is still not among the latest after this long is asked about by itself: the
/// list may lag a little, and is not promised to be in any order.
const LISTED_WITHIN: Duration = Duration::from_secs(3);

/// The followed operations of one instance. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Statuses {
    api: Api,
    creations: Arc<Mutex<Kind>>,
    deletions: Arc<Mutex<Kind>>,
}

/// The followed operations of one kind.
#[derive(Debug, Default)]
struct Kind {
    followed: HashMap<String, Followed>,
    /// Whether a task asks for those who want to know.
    asking: bool,
    asked_at: Option<Instant>,
}

#[derive(Debug)]
struct Followed {
    tell: oneshot::Sender<Status>,
    since: Instant,
    /// It wants to know now, ended or not.
    wants: bool,
}

/// Takes an operation off the list, however following it ends.
struct Guard<'a> {
    kind: &'a Mutex<Kind>,
    id: &'a str,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        lock(self.kind).followed.remove(self.id);
    }
}

fn lock(kind: &Mutex<Kind>) -> std::sync::MutexGuard<'_, Kind> {
    kind.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Statuses {
    pub(super) fn new(api: Api) -> Self {
        Self {
            api,
            creations: Arc::default(),
            deletions: Arc::default(),
        }
    }

    const fn kind(&self, action: Action) -> &Arc<Mutex<Kind>> {
        match action {
            Action::Create => &self.creations,
            Action::Delete => &self.deletions,
        }
    }

    /// Asks after a pause; answers sooner if somebody else's question shows that it has ended.
    pub(super) async fn follow(&self, action: Action, id: &str, pause: Duration) -> Status {
        let kind = self.kind(action);
        let (tell, mut told) = oneshot::channel();
        let followed = Followed {
            tell,
            since: Instant::now(),
            wants: false,
        };
        lock(kind).followed.insert(id.to_owned(), followed);
        let _guard = Guard { kind, id };
        tokio::select! {
            biased;
            status = &mut told => return status.unwrap_or(Status::Unavailable),
            () = tokio::time::sleep(pause) => {}
        }
        let ask = {
            let mut kind = lock(kind);
            if let Some(followed) = kind.followed.get_mut(id) {
                followed.wants = true;
            }
            !std::mem::replace(&mut kind.asking, true)
        };
        if ask {
            tokio::spawn(self.clone().ask(action));
        }
        told.await.unwrap_or(Status::Unavailable)
    }

    /// Asks for as long as somebody wants to know.
    async fn ask(self, action: Action) {
        let kind = self.kind(action);
        let class = match action {
            Action::Create => Class::Follow,
            Action::Delete => Class::Poll,
        };
        loop {
            let last = lock(kind).asked_at;
            if let Some(last) = last {
                let every = Duration::from_secs_f64(1.0 / (PART * self.api.limiter.allowed()));
                tokio::time::sleep_until(last + every).await;
            }
            let turn = self.api.limiter.acquire(class, Try::First).await;
            let ids = {
                let mut kind = lock(kind);
                if !kind.followed.values().any(|followed| followed.wants) {
                    kind.asking = false;
                    return;
                }
                kind.asked_at = Some(Instant::now());
                kind.followed.keys().cloned().collect::<Vec<_>>()
            };
            turn.spend();
            match ids.as_slice() {
                [id] => {
                    let status = self.api.status(action, id).await;
                    tell(kind, id, status);
                }
                ids => self.list(action, class, ids).await,
            }
        }
    }

    async fn list(&self, action: Action, class: Class, ids: &[String]) {
        let kind = self.kind(action);
        let Some(rows) = self.api.statuses(action).await else {
            for id in ids {
                tell_if_wanted(kind, id, Status::Unavailable);
            }
            return;
        };
        let rows: HashMap<&str, &StatusValues> = rows
            .iter()
            .filter_map(|row| Some((row.request_id()?, row.status()?)))
            .collect();
        for id in ids {
            match rows.get(id.as_str()) {
                Some(StatusValues::InProgress) => tell_if_wanted(kind, id, Status::InProgress),
                Some(StatusValues::Succeeded) => tell(kind, id, Status::Succeeded),
                None if is_new(kind, id) => tell_if_wanted(kind, id, Status::InProgress),
                // Why it failed, what became of it, or a word that this version does not know.
                _ => {
                    self.api.limiter.pass(class).await;
                    let status = self.api.status(action, id).await;
                    tell(kind, id, status);
                }
            }
        }
    }
}

fn is_new(kind: &Mutex<Kind>, id: &str) -> bool {
    lock(kind)
        .followed
        .get(id)
        .is_some_and(|followed| followed.since.elapsed() < LISTED_WITHIN)
}

fn tell(kind: &Mutex<Kind>, id: &str, status: Status) {
    let followed = lock(kind).followed.remove(id);
    if let Some(followed) = followed {
        // Who left needs no answer.
        let _ = followed.tell.send(status);
    }
}

fn tell_if_wanted(kind: &Mutex<Kind>, id: &str, status: Status) {
    let wanted = lock(kind)
        .followed
        .get(id)
        .is_some_and(|followed| followed.wants);
    if wanted {
        tell(kind, id, status);
    }
}
