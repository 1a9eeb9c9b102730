//! Ends what is past its end, from a copy: the worker's plan and proof, with nothing to remember them
//! in but this process.
//!
//! What was standing stays; what is still wanted stays until another run. Nothing is ever created.
//! Deliberately absent: the lease, which was lost with the table. A person's word stands in its place,
//! and two runs at once delete the same, which harms nobody.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::grant::{Grant, GrantState, Receipt};
use domain::id::{GroupId, OperationId, ServerId};
use domain::key::{Action, KeyState, Phase, Standing};
use domain::plan::{self, Change, Context, Purpose, Step};
use domain::progress::{self, Presence, Sent};
use futures::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::CopiedKey;
use crate::assignments::{Assignments, Looked, Place};
use crate::limiter::{Class, Try, Turn};
use crate::people::People;
use crate::store::now;

/// Keys that are worked on at once: AWS takes 15 changes, the rest read and wait.
const AT_ONCE: usize = 40;

/// A key is given up after this long: by then a deletion that fails was tried some ten times. Another
/// run tries again.
const TRIED_FOR: Duration = Duration::from_mins(10);

/// After a longer wait for a place or a turn the key is planned again: an intent is good for seconds.
const PLAN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How a key is to be seen, by a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stand {
    /// Some of its grants are past their end, and no other keeps the access.
    PastItsEnd,
    /// A grant's window covers now.
    Wanted,
    /// The access was there before us: it stays.
    Standing,
    /// Nothing of it has begun, as far as the copy knows.
    NotBegun,
}

/// What came of a key.
#[derive(Debug, Clone, Serialize)]
pub struct Finished {
    /// Who, and to what, as a text.
    pub key: String,
    /// Its grants as they are now, those that ended with their receipts.
    pub grants: Vec<Grant>,
    /// Why its end is not proved. Another run tries again, or somebody looks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open: Option<String>,
}

impl CopiedKey {
    /// How it is to be seen at this instant.
    #[must_use]
    pub fn stand(&self, now: Timestamp) -> Stand {
        let state = &self.state;
        let begun = |phase| phase != Phase::Scheduled;
        if state.live.iter().any(|live| live.wanted(now)) {
            Stand::Wanted
        } else if state.live.iter().all(|live| live.until > now) {
            Stand::NotBegun
        } else if state.standing == Standing::Standing {
            Stand::Standing
        } else if state.operation.is_some() || state.live.iter().any(|live| begun(live.phase)) {
            Stand::PastItsEnd
        } else {
            Stand::NotBegun
        }
    }

    /// Whether something is to be done about it: some grant's time is up.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.state.live.iter().any(|live| live.until <= now)
    }
}

/// What ends.
#[derive(Debug, Clone)]
pub struct Finisher {
    assignments: Assignments,
    people: People,
    me: ServerId,
}

/// A place among AWS's fifteen and leave to make a call.
#[derive(Debug, Default)]
struct Hands {
    place: Option<Place>,
    turn: Option<Turn>,
    polls: u32,
    unread: u32,
}

/// A key on its way.
struct Way {
    state: KeyState,
    grants: Vec<Grant>,
    hands: Hands,
}

impl Finisher {
    /// By these means, under this name.
    #[must_use]
    pub const fn new(assignments: Assignments, people: People, me: ServerId) -> Self {
        Self {
            assignments,
            people,
            me,
        }
    }

    /// Ends of these keys what is past its end.
    pub async fn finish(&self, keys: Vec<CopiedKey>) -> Vec<Finished> {
        futures::stream::iter(keys)
            .map(|key| self.finish_one(key))
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    async fn finish_one(&self, copied: CopiedKey) -> Finished {
        let knew_nothing = copied.state.standing == Standing::Unknown;
        let mut way = Way {
            state: copied.state,
            grants: copied.grants,
            hands: Hands::default(),
        };
        let until = Instant::now() + TRIED_FOR;
        let mut open = None;
        while is_open(&way.state, now()) {
            let wait = match self.step(&mut way).await {
                Next::Go => Duration::ZERO,
                Next::Stop => break,
                Next::Wait(wait) => wait,
            };
            if Instant::now() + wait > until {
                open = Some(why_open(&way.state));
                break;
            }
            tokio::time::sleep(wait).await;
        }
        if open.is_none() && is_open(&way.state, now()) {
            open = Some(why_open(&way.state));
        }
        if knew_nothing && open.is_none() {
            open = self.may_have_begun_since(&way).await;
        }
        Finished {
            key: way.state.key.to_string(),
            grants: way.grants,
            open,
        }
    }

    async fn step(&self, way: &mut Way) -> Next {
        let context = self.context();
        let next = plan::plan(&way.state, context);
        if !matches!(next, Step::Wait { .. } | Step::Poll { .. }) {
            way.hands.polls = 0;
        }
        match next {
            Step::Wait { until } => {
                let Some(until) = until else {
                    return Next::Stop;
                };
                let wait = until.duration_since(now()).max(SignedDuration::ZERO);
                return Next::Wait(wait.try_into().unwrap_or_default());
            }
            Step::Record(change) => return self.take(way, change).await,
            Step::Read(purpose) => return self.read(way, purpose).await,
            Step::Send { operation, action } => {
                let sent = self.send(way, action).await;
                if !matches!(sent, Sent::Accepted { .. }) {
                    way.hands.place = None;
                }
                let change = progress::sent(&way.state, operation, sent, now());
                way.apply(change);
            }
            Step::Inspect(operation) => {
                let inspection = Box::pin(self.assignments.inspect(&way.state.key)).await;
                let change = progress::inspected(&way.state, operation, &inspection, now());
                way.apply(change);
            }
            Step::Poll {
                operation,
                action,
                aws_request_id,
            } => {
                let key = way.state.key.clone();
                if way.hands.place.is_none() {
                    way.hands.place = Some(self.assignments.occupy(&key, action));
                }
                let pause = progress::poll_after(way.hands.polls);
                let pause = pause.try_into().unwrap_or_default();
                let status = self
                    .assignments
                    .follow(&key, action, &aws_request_id, pause);
                let status = status.await;
                way.hands.polls = way.hands.polls.saturating_add(1);
                if matches!(
                    status,
                    progress::Status::Succeeded | progress::Status::Failed { .. }
                ) {
                    way.hands.place = None;
                }
                let change = progress::polled(&way.state, operation, &status, now());
                way.apply(change);
            }
        }
        Next::Go
    }

    /// Makes a change ours. An intent waits for what sending needs, and is planned again if that took
    /// long; one to create is not made ours.
    async fn take(&self, way: &mut Way, change: Change) -> Next {
        if change.intends() {
            let operation = change.key.operation.as_ref();
            let Some((action, attempt)) = operation.map(|it| (it.action, it.attempt)) else {
                return Next::Stop;
            };
            if action == Action::Create {
                return Next::Stop;
            }
            let began = Instant::now();
            let key = &change.key.key;
            if way.hands.place.is_none() {
                way.hands.place = Some(self.assignments.place(key, action).await);
            }
            if way.hands.turn.is_none() {
                let attempt = if attempt > 1 { Try::Again } else { Try::First };
                way.hands.turn = Some(self.assignments.turn(key, action, attempt).await);
            }
            if began.elapsed() >= PLAN_AGAIN_AFTER {
                return Next::Go;
            }
        }
        way.apply(Some(change));
        Next::Go
    }

    async fn read(&self, way: &mut Way, purpose: Purpose) -> Next {
        if purpose == Purpose::Standing {
            // It would be given, not taken.
            return Next::Stop;
        }
        let read = self.assignments.read(&way.state, Class::Proof, Try::First);
        match read.await {
            Ok(looked) => {
                way.hands.unread = 0;
                let sighting = &looked.sighting;
                let Some(mut change) =
                    progress::read(&way.state, purpose, sighting, self.context())
                else {
                    return Next::Go;
                };
                self.name_groups(&mut change, &looked).await;
                self.take(way, change).await
            }
            Err(error) => {
                tracing::warn!(%error, key = %way.state.key, "it could not be read");
                if let Some(change) = progress::unread(&way.state, purpose, now()) {
                    way.apply(Some(change));
                    return Next::Go;
                }
                way.hands.unread = way.hands.unread.saturating_add(1);
                let wait = progress::backoff(way.hands.unread);
                Next::Wait(wait.try_into().unwrap_or_default())
            }
        }
    }

    async fn send(&self, way: &mut Way, action: Action) -> Sent {
        let state = &way.state;
        let intended_at = state.operation.as_ref().map(|it| it.intended_at);
        let Some(by) = intended_at.and_then(|at| at.saturating_add(plan::SEND_WITHIN).ok()) else {
            return Sent::Unheard;
        };
        if way.hands.place.is_none() {
            way.hands.place = Some(self.assignments.place(&state.key, action).await);
        }
        let turn = match way.hands.turn.take() {
            Some(turn) => turn,
            None => self.assignments.turn(&state.key, action, Try::First).await,
        };
        self.assignments.send(state, action, by, turn).await
    }

    /// What says that access is gone says by which groups it remains.
    async fn name_groups(&self, change: &mut Change, looked: &Looked) {
        if !change.says_gone() {
            return;
        }
        let assigned: BTreeSet<GroupId> = looked.groups.iter().cloned().collect();
        match self.people.groups_of(&change.key.key.user, &assigned).await {
            Ok(found) => change.name_groups(&Vec::from_iter(found)),
            Err(error) => {
                tracing::warn!(%error, "whether a group still gives the access is not known");
            }
        }
    }

    /// A key of which nothing had begun when it was copied may have begun in the minute after: then
    /// nothing tells whether what is there is ours, and it stays.
    async fn may_have_begun_since(&self, way: &Way) -> Option<String> {
        let lapsed = way.grants.iter().any(|grant| {
            matches!(&grant.state, GrantState::Ended { receipt, .. } if *receipt == Receipt::NeverGranted)
        });
        if !lapsed {
            return None;
        }
        match self.assignments.read(&way.state, Class::Proof, Try::First).await {
            Ok(looked) if looked.sighting.presence == Presence::Absent => None,
            Ok(_) => Some(
                "nothing had begun when it was copied, and the access is there now: whether it was \
                 there before, nobody can tell any more; if nobody else gave it, remove it by hand"
                    .to_owned(),
            ),
            Err(error) => Some(format!("whether the access is there could not be read: {error}")),
        }
    }

    fn context(&self) -> Context {
        Context {
            now: now(),
            me: self.me,
            fresh: OperationId::new(Uuid::now_v7()),
        }
    }
}

/// What comes next.
enum Next {
    Go,
    Stop,
    Wait(Duration),
}

impl Way {
    fn apply(&mut self, change: Option<Change>) {
        // `None`: it was about what is no longer under way.
        let Some(change) = change else { return };
        let version = self.state.version;
        self.state = change.key;
        self.state.version = version + 1;
        for (id, step) in &change.grants {
            let Some(grant) = self.grants.iter_mut().find(|grant| grant.id == *id) else {
                // It could not be read when it was copied; its key is ended all the same.
                continue;
            };
            match grant.clone().apply(step, now()) {
                Ok(next) => *grant = next,
                Err(illegal) => {
                    tracing::error!(grant = %id, %illegal, "a grant did not follow its key");
                }
            }
        }
    }
}

/// Whether some grant's time is up and its end is not proved.
fn is_open(state: &KeyState, now: Timestamp) -> bool {
    state.live.iter().any(|live| live.until <= now)
}

fn why_open(state: &KeyState) -> String {
    match state.operation.as_ref().map(|operation| &operation.stage) {
        Some(domain::key::Stage::Backoff { reason, .. }) => {
            format!("AWS does not delete it: {reason}")
        }
        _ if state.lost_create.is_some() => "what was sent last may still take effect for some \
             minutes: run this again in a quarter of an hour"
            .to_owned(),
        _ => "its end was not proved in time: run this again".to_owned(),
    }
}
