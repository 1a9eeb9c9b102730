//! One key, step by step, until there is nothing to do for it.

use std::sync::Arc;
use std::time::Duration;

use domain::id::OperationId;
use domain::key::{Action, KeyState, Stage};
use domain::plan::{self, Change, Purpose, Step};
use domain::progress::{self, Sent};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LEFT_ALONE, TABLE_PAUSE, Worker, until};
use crate::assignments::{Turn, UnknownKind};
use crate::store::item::StoredKey;
use crate::store::keys::At;
use crate::store::{StoreError, now};

/// Steps of one key in one go. A grant takes about six; a key that needs more than this in one
/// breath is looked at again in the next, so that it cannot keep its place for ever.
const STEPS_MAX: u32 = 200;

/// A read that no operation paces is repeated after this long: AWS's limits refill in a second.
const READ_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// Waits that are shorter than this are waited for here, so that a slot stays with its operation.
/// Polls are at most 5 s apart.
const SHORT_WAIT: Duration = Duration::from_secs(6);

/// What a task of one key holds while it works.
#[derive(Debug, Default)]
struct Hands {
    /// One of AWS's fifteen places, for as long as an operation is outstanding.
    slot: Option<OwnedSemaphorePermit>,
    /// Leave to make the next call.
    turn: Option<Turn>,
}

/// After a longer wait for a place or a turn, the key is planned again: what was planned may no
/// longer be wanted, and an intent is only good for seconds.
const PLAN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Why a key is left for later.
enum Leave {
    Done,
    Later(Duration),
}

impl Worker {
    /// Advances a key as far as it goes now. `Some`: it is left alone for that long.
    pub(super) async fn advance(
        &self,
        key: &str,
        entry: &At,
        stop: &CancellationToken,
    ) -> Option<Duration> {
        let mut hands = Hands::default();
        for _ in 0..STEPS_MAX {
            if stop.is_cancelled() {
                return None;
            }
            match self.step(key, entry, &mut hands, stop).await {
                Ok(None) | Err(StoreError::Changed) => {}
                Ok(Some(Leave::Done)) => return None,
                Ok(Some(Leave::Later(pause))) => return Some(pause),
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), key, "a key could not be advanced");
                    return Some(pause_after(&error));
                }
            }
        }
        tracing::warn!(key, "a key took many steps and is left for the next look");
        None
    }

    async fn step(
        &self,
        key: &str,
        entry: &At,
        hands: &mut Hands,
        stop: &CancellationToken,
    ) -> Result<Option<Leave>, StoreError> {
        let Some(stored) = self.store.key_at(key).await? else {
            tracing::error!(key, "a due entry names a key that is not there");
            return Ok(Some(Leave::Later(TABLE_PAUSE)));
        };
        match plan::plan(&stored.state, self.context()) {
            Step::Wait { until: at } => return self.wait(&stored, at, entry, stop).await,
            Step::Record(change) if change.intends() => {
                // What sending has to wait for comes first: a recorded intent is sent at once.
                if self.prepare(hands).await < PLAN_AGAIN_AFTER {
                    self.record(&stored, change).await?;
                }
            }
            Step::Record(change) => self.record(&stored, change).await?,
            Step::Read(purpose) => {
                if matches!(purpose, Purpose::Standing | Purpose::Presence) {
                    // This read may lead straight to an intent.
                    self.prepare(hands).await;
                }
                return self.read(&stored, purpose).await;
            }
            Step::Send { operation, action } => {
                let answer = self.send(&stored.state, operation, action, hands).await;
                let Ok(answer) = answer else {
                    return Ok(Some(left_alone(key)));
                };
                let at = now();
                self.report(key, stop, |state| {
                    progress::sent(state, operation, answer.clone(), at)
                })
                .await?;
                self.forget(operation);
            }
            Step::Poll {
                operation,
                action,
                aws_request_id,
            } => {
                // After a restart the operation has no place yet; it counts against AWS's limit.
                self.take_slot(hands).await;
                let status = self.assignments.status(action, &aws_request_id).await;
                let at = now();
                self.report(key, stop, |state| {
                    progress::polled(state, operation, &status, at)
                })
                .await?;
            }
        }
        Ok(None)
    }

    /// Hands an operation to the network: once, whatever happens.
    async fn send(
        &self,
        state: &KeyState,
        operation: OperationId,
        action: Action,
        hands: &mut Hands,
    ) -> Result<Sent, UnknownKind> {
        if !self.hand_over(operation) {
            // Handed over before, by a task that did not live to say what came of it.
            return Ok(Sent::Unheard);
        }
        self.take_slot(hands).await;
        let turn = match hands.turn.take() {
            Some(turn) => turn,
            None => self.assignments.turn().await,
        };
        self.assignments
            .send(&state.key, action, Self::send_by(state), turn)
            .await
    }

    /// Takes a place and a turn, and says how long that took.
    async fn prepare(&self, hands: &mut Hands) -> Duration {
        let began = Instant::now();
        self.take_slot(hands).await;
        if hands.turn.is_none() {
            hands.turn = Some(self.assignments.turn().await);
        }
        began.elapsed()
    }

    async fn take_slot(&self, hands: &mut Hands) {
        if hands.slot.is_none() {
            // The semaphore is never closed.
            hands.slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        }
    }

    async fn wait(
        &self,
        stored: &StoredKey,
        at: Option<Timestamp>,
        entry: &At,
        stop: &CancellationToken,
    ) -> Result<Option<Leave>, StoreError> {
        let sent = matches!(
            stored
                .state
                .operation
                .as_ref()
                .map(|operation| &operation.stage),
            Some(Stage::Sent { .. })
        );
        let pause = at.map_or(Duration::MAX, until);
        if sent && pause <= SHORT_WAIT {
            tokio::select! {
                () = stop.cancelled() => {}
                () = tokio::time::sleep(pause) => {}
            }
            return Ok(None);
        }
        if stored.due_at == at {
            // An entry of an earlier time that a lost answer left behind.
            if at.is_none_or(|at| crate::store::keys::due_key(at, &stored.state.key) != *entry) {
                self.store.delivered(entry).await?;
            }
            return Ok(Some(Leave::Done));
        }
        self.reschedule(stored, at).await?;
        Ok(Some(Leave::Done))
    }

    async fn read(
        &self,
        stored: &StoredKey,
        purpose: Purpose,
    ) -> Result<Option<Leave>, StoreError> {
        let state = &stored.state;
        let Ok(seen) = self.assignments.read(&state.key).await else {
            return Ok(Some(left_alone(&state.key.to_string())));
        };
        let change = match &seen {
            Ok(sighting) => progress::read(state, purpose, sighting, self.context()),
            Err(_) => progress::unread(state, purpose, now()),
        };
        match change {
            // Nothing was concluded: the read is repeated if it is still wanted.
            None => {
                if seen.is_err() {
                    let again = now().saturating_add(READ_AGAIN).unwrap_or_else(|_| now());
                    self.reschedule(stored, Some(again)).await?;
                    return Ok(Some(Leave::Done));
                }
            }
            Some(change) => self.record(stored, change).await?,
        }
        Ok(None)
    }

    /// An intent is good for some seconds after it was recorded.
    fn send_by(state: &KeyState) -> Timestamp {
        let intended_at = state
            .operation
            .as_ref()
            .map_or_else(now, |operation| operation.intended_at);
        intended_at
            .saturating_add(plan::SEND_WITHIN)
            .unwrap_or(intended_at)
    }

    /// What AWS said is stored however long the table is away: it will not be said again. Only
    /// being stopped, or an item that cannot be read, gives that up; the intent is on record, and
    /// what became of it is then read.
    async fn report(
        &self,
        key: &str,
        stop: &CancellationToken,
        judge: impl Fn(&KeyState) -> Option<Change>,
    ) -> Result<(), StoreError> {
        loop {
            let outcome = async {
                let Some(stored) = self.store.key_at(key).await? else {
                    return Ok(());
                };
                match judge(&stored.state) {
                    None => {
                        metrics::counter!("belay_late_answers_total").increment(1);
                        tracing::warn!(key, "AWS answered about what is no longer under way");
                        Ok(())
                    }
                    Some(change) => self.record(&stored, change).await,
                }
            };
            match outcome.await {
                Ok(()) => return Ok(()),
                Err(StoreError::Changed) => {}
                Err(error @ StoreError::Unavailable { .. }) if !stop.is_cancelled() => {
                    tracing::error!(%error, detail = error.detail(), key, "what AWS said cannot be stored yet");
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = tokio::time::sleep(TABLE_PAUSE) => {}
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// The table comes back in a second; an item that this version cannot read does not.
fn pause_after(error: &StoreError) -> Duration {
    match error {
        StoreError::Changed | StoreError::Unavailable { .. } => TABLE_PAUSE,
        StoreError::Unreadable { .. } | StoreError::TooLarge { .. } | StoreError::Build(_) => {
            LEFT_ALONE
        }
    }
}

fn left_alone(key: &str) -> Leave {
    tracing::error!(
        key,
        "this version cannot change this kind of target; it is left alone"
    );
    Leave::Later(LEFT_ALONE)
}
