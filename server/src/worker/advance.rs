//! One key, step by step, until there is nothing to do for it.

use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;

use domain::id::{GroupId, OperationId};
use domain::key::{Action, KeyState, Phase, Stage};
use domain::plan::{self, Change, Purpose, Step};
use domain::progress::{self, Sent, Status};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{LEFT_ALONE, LOOK_EVERY, TABLE_PAUSE, Worker, until};
use crate::assignments::{Looked, Place, is_throttle};
use crate::limiter::{Class, Try, Turn};
use crate::store::item::StoredKey;
use crate::store::keys::At;
use crate::store::{StoreError, now};

/// Steps of one key in one go. A grant takes about six, and an operation is asked about every 5 s
/// at most; a key that needs more than this in one breath is looked at again in the next, so that
/// it cannot keep its place for ever.
const STEPS_MAX: u32 = 200;

/// Waits that are shorter than this are waited for here, so that a place stays with its operation.
/// Polls are at most 5 s apart.
const SHORT_WAIT: Duration = Duration::from_secs(6);

/// What a task of one key holds while it works.
#[derive(Debug, Default)]
struct Hands {
    /// One of AWS's fifteen places, for as long as an operation is outstanding.
    place: Option<Place>,
    /// Leave to make the next call.
    turn: Option<Turn>,
    /// What this task has stored itself: the next step need not read it again.
    stored: Option<StoredKey>,
    /// How often it was asked how the operation is going. Not stored: whoever takes over asks at
    /// once.
    polls: u32,
}

/// After a longer wait for a place or a turn, the key is planned again: what was planned may no
/// longer be wanted, and an intent is only good for seconds.
const PLAN_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A read that waited longer than this for its consequence is made again.
const READ_GOOD_FOR: Duration = Duration::from_secs(10);

/// What is recorded of an operation that never left this machine.
const NOT_SENT: &str = "NotSent";

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
            if stop.is_cancelled() || !self.lease.held() {
                return None;
            }
            match Box::pin(self.step(key, entry, &mut hands, stop)).await {
                Ok(None) => {}
                Err(StoreError::Changed) => hands.stored = None,
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
        let stored = match hands.stored.take() {
            Some(stored) => Some(stored),
            None => self.store.key_at(key).await?,
        };
        let Some(stored) = stored else {
            tracing::error!(key, "a due entry names a key that is not there");
            return Ok(Some(Leave::Later(TABLE_PAUSE)));
        };
        if let Some(grant) = Self::to_decide(&stored.state) {
            hands.stored = Some(self.decide(&stored, grant).await?);
            return Ok(None);
        }
        if let Some(operation) = self.never_sent(&stored.state) {
            hands.place = None;
            return self.take_back(key, stored, operation, hands, stop).await;
        }
        let context = self.context();
        self.late.meet(&stored.state, context.now);
        let next = plan::plan(&stored.state, context);
        if !matches!(next, Step::Wait { .. } | Step::Poll { .. }) {
            hands.polls = 0;
        }
        match next {
            Step::Wait { until: at } => {
                return self.wait(stored, at, entry, hands, stop).await;
            }
            Step::Record(change) if change.intends() => {
                return self.intend(key, &stored, change, hands).await;
            }
            Step::Record(change) => hands.stored = Some(self.record(&stored, change).await?),
            Step::Read(purpose) => {
                return Box::pin(self.read(key, &stored, purpose, hands)).await;
            }
            Step::Send { operation, action } => {
                let answer = self.send(&stored.state, operation, action, hands).await;
                if !matches!(answer, Sent::Accepted { .. }) {
                    hands.place = None;
                }
                self.excuse(key, &answer);
                let at = now();
                hands.stored = self
                    .report(key, Some(stored), stop, |state| {
                        progress::sent(state, operation, answer.clone(), at)
                    })
                    .await?;
                self.forget(operation);
            }
            Step::Inspect(operation) => {
                let inspection = Box::pin(self.assignments.inspect(&stored.state.key)).await;
                let at = now();
                hands.stored = self
                    .report(key, Some(stored), stop, |state| {
                        progress::inspected(state, operation, &inspection, at)
                    })
                    .await?;
            }
            Step::Poll {
                operation,
                action,
                aws_request_id,
            } => {
                let of = (operation, action, aws_request_id.as_str());
                return self.poll(&stored, of, Duration::ZERO, hands, stop).await;
            }
        }
        Ok(None)
    }

    /// An intent of this very process that is too old to be sent and was not handed over: the answer
    /// to the transaction that recorded it was lost, and with it the seconds in which it was good.
    /// From here on nobody can hand it over.
    fn never_sent(&self, state: &KeyState) -> Option<OperationId> {
        let operation = state.operation.as_ref()?;
        let is_old = now().duration_since(operation.intended_at) > plan::SEND_WITHIN;
        let is_mine = operation.stage == Stage::Intended && operation.by == self.me;
        (is_mine && is_old && self.hand_over(operation.id)).then_some(operation.id)
    }

    /// Records that an operation was not sent, and so has no outcome that anybody must wait for.
    async fn take_back(
        &self,
        key: &str,
        stored: StoredKey,
        operation: OperationId,
        hands: &mut Hands,
        stop: &CancellationToken,
    ) -> Result<Option<Leave>, StoreError> {
        let answer = Sent::Refused {
            code: NOT_SENT.to_owned(),
        };
        let at = now();
        hands.stored = self
            .report(key, Some(stored), stop, |state| {
                progress::sent(state, operation, answer.clone(), at)
            })
            .await?;
        self.forget(operation);
        Ok(None)
    }

    /// Stores an intent. What sending has to wait for comes first: a recorded intent is sent at
    /// once.
    async fn intend(
        &self,
        key: &str,
        stored: &StoredKey,
        change: Change,
        hands: &mut Hands,
    ) -> Result<Option<Leave>, StoreError> {
        let waited = self.prepare(key, &change, hands).await;
        if !self.lease.held() {
            // Whoever leads now plans for itself.
            return Ok(None);
        }
        if waited < PLAN_AGAIN_AFTER {
            hands.stored = Some(self.record(stored, change).await?);
        }
        Ok(None)
    }

    /// Asks how an operation is going, after a pause. Only what it came to is stored: that it
    /// still goes on is nothing new, and a server that takes over asks at once.
    async fn poll(
        &self,
        stored: &StoredKey,
        (operation, action, aws_request_id): (OperationId, Action, &str),
        pause: Duration,
        hands: &mut Hands,
        stop: &CancellationToken,
    ) -> Result<Option<Leave>, StoreError> {
        let key = stored.state.key.to_string();
        if hands.place.is_none() {
            // After a restart the operation has no place yet; it counts against AWS's limit.
            hands.place = Some(self.assignments.occupy(&stored.state.key, action));
        }
        let pause = pause.max(if hands.polls == 0 {
            Duration::ZERO
        } else {
            Duration::try_from(progress::poll_after(hands.polls)).unwrap_or_default()
        });
        let status = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            status = self.assignments.follow(&stored.state.key, action, aws_request_id, pause) => status,
        };
        let goes_on = matches!(status, Status::InProgress | Status::Unavailable);
        if goes_on && !is_stalled(&stored.state) {
            hands.polls = hands.polls.saturating_add(1);
            return Ok(None);
        }
        if matches!(status, Status::Succeeded | Status::Failed { .. }) {
            hands.place = None;
        }
        let at = now();
        hands.stored = self
            .report(&key, None, stop, |state| {
                progress::polled(state, operation, &status, at)
            })
            .await?;
        Ok(None)
    }

    /// Hands an operation to the network: once, whatever happens.
    async fn send(
        &self,
        state: &KeyState,
        operation: OperationId,
        action: Action,
        hands: &mut Hands,
    ) -> Sent {
        if !self.hand_over(operation) {
            // Handed over before, by a task that did not live to say what came of it.
            return Sent::Unheard;
        }
        if hands.place.is_none() {
            hands.place = Some(self.assignments.place(&state.key, action).await);
        }
        let turn = match hands.turn.take() {
            Some(turn) => turn,
            None => self.assignments.turn(&state.key, action, Try::First).await,
        };
        self.assignments
            .send(state, action, Self::send_by(state), turn)
            .await
    }

    /// Takes a place and a turn for the intent of a change, and says how long that took.
    async fn prepare(&self, key: &str, change: &Change, hands: &mut Hands) -> Duration {
        let Some(operation) = &change.key.operation else {
            return Duration::ZERO;
        };
        let began = Instant::now();
        if hands.place.is_none() {
            let place = self.assignments.place(&change.key.key, operation.action);
            hands.place = Some(place.await);
        }
        if hands.turn.is_none() {
            let attempt = if operation.attempt > 1 && !self.is_excused(key) {
                Try::Again
            } else {
                Try::First
            };
            let turn = self
                .assignments
                .turn(&change.key.key, operation.action, attempt);
            hands.turn = Some(turn.await);
        }
        began.elapsed()
    }

    async fn wait(
        &self,
        stored: StoredKey,
        at: Option<Timestamp>,
        entry: &At,
        hands: &mut Hands,
        stop: &CancellationToken,
    ) -> Result<Option<Leave>, StoreError> {
        let pause = at.map_or(Duration::MAX, until);
        if let Some(operation) = &stored.state.operation
            && let Stage::Sent { aws_request_id, .. } = &operation.stage
            && pause <= SHORT_WAIT
        {
            let of = (operation.id, operation.action, aws_request_id.as_str());
            return self.poll(&stored, of, pause, hands, stop).await;
        }
        if stored.due_at == at {
            // An entry of an earlier time that a lost answer left behind.
            if at.is_none_or(|at| crate::store::keys::due_key(at, &stored.state.key) != *entry) {
                self.store.delivered(entry).await?;
            }
            return Ok(Some(Leave::Done));
        }
        self.reschedule(&stored, at).await?;
        if pause < LOOK_EVERY {
            // Sooner than the next look would come by itself.
            self.store.signals().work.notify_one();
        }
        Ok(Some(Leave::Done))
    }

    async fn read(
        &self,
        key: &str,
        stored: &StoredKey,
        purpose: Purpose,
        hands: &mut Hands,
    ) -> Result<Option<Leave>, StoreError> {
        let state = &stored.state;
        let (class, attempt) = kind_of_read(state, purpose);
        let seen = self.assignments.read(state, class, attempt).await;
        let read_at = Instant::now();
        let judge = |state: &KeyState| match &seen {
            Ok(looked) => progress::read(state, purpose, &looked.sighting, self.context()),
            Err(_) => progress::unread(state, purpose, now()),
        };
        let Some(mut change) = judge(state) else {
            // Nothing was concluded: the read is repeated if it is still wanted.
            if seen.is_err() {
                let again = now()
                    .saturating_add(self.unread(key))
                    .unwrap_or_else(|_| now());
                self.reschedule(stored, Some(again)).await?;
                return Ok(Some(Leave::Done));
            }
            return Ok(None);
        };
        if let Ok(looked) = &seen {
            self.was_read(key);
            self.name_groups(&mut change, looked).await;
        }
        if !change.intends() {
            hands.stored = Some(self.record(stored, change).await?);
            return Ok(None);
        }
        let waited = self.prepare(key, &change, hands).await;
        if !self.lease.held() {
            // Whoever leads now plans for itself.
            return Ok(None);
        }
        if waited < PLAN_AGAIN_AFTER {
            hands.stored = Some(self.record(stored, change).await?);
        } else if read_at.elapsed() < READ_GOOD_FOR
            && let Some(fresh) = self.store.key_at(key).await?
            && let Some(change) = judge(&fresh.state)
        {
            // What was read still tells, of the key as it is now.
            hands.stored = Some(self.record(&fresh, change).await?);
        }
        Ok(None)
    }

    /// What says that access is gone says by which groups it remains. Not knowing that keeps
    /// nothing from ending (invariant 11).
    pub(crate) async fn name_groups(&self, change: &mut Change, looked: &Looked) {
        if !change.says_gone() {
            return;
        }
        let assigned: BTreeSet<GroupId> = match self.service.world() {
            // AWS would refuse the question for one that is gone, and nobody is in it.
            Ok(world) => looked
                .groups
                .iter()
                .filter(|group| world.directory.groups.contains_key(group))
                .cloned()
                .collect(),
            Err(_) => looked.groups.iter().cloned().collect(),
        };
        match self.people.groups_of(&change.key.key.user, &assigned).await {
            Ok(found) => change.name_groups(&Vec::from_iter(found)),
            Err(error) => {
                tracing::warn!(%error, "whether a group still gives the access is not known");
            }
        }
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
        mut known: Option<StoredKey>,
        stop: &CancellationToken,
        judge: impl Fn(&KeyState) -> Option<Change>,
    ) -> Result<Option<StoredKey>, StoreError> {
        loop {
            let known = known.take();
            let outcome = async {
                let stored = match known {
                    Some(stored) => stored,
                    None => match self.store.key_at(key).await? {
                        Some(stored) => stored,
                        None => return Ok(None),
                    },
                };
                match judge(&stored.state) {
                    None => {
                        metrics::counter!("belay_late_answers_total").increment(1);
                        tracing::warn!(key, "AWS answered about what is no longer under way");
                        Ok(None)
                    }
                    Some(change) => self.record(&stored, change).await.map(Some),
                }
            };
            match outcome.await {
                Ok(stored) => return Ok(stored),
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

    /// Being refused for too many calls says nothing against the key: its next attempt is no retry.
    fn excuse(&self, key: &str, answer: &Sent) {
        let throttled = matches!(answer, Sent::Refused { code } if is_throttle(code));
        let mut excused = self.excused.lock().unwrap_or_else(PoisonError::into_inner);
        if throttled {
            excused.insert(key.to_owned());
        } else {
            excused.remove(key);
        }
    }

    fn is_excused(&self, key: &str) -> bool {
        let excused = self.excused.lock().unwrap_or_else(PoisonError::into_inner);
        excused.contains(key)
    }

    /// How long until a read is tried again that no operation paces.
    fn unread(&self, key: &str) -> SignedDuration {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = unread.entry(key.to_owned()).or_insert(0);
        *failures = failures.saturating_add(1);
        progress::backoff(failures.saturating_add(1))
    }

    fn was_read(&self, key: &str) {
        let mut unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner);
        unread.remove(key);
    }
}

/// What a read is for, as the budget of calls counts it.
fn kind_of_read(state: &KeyState, purpose: Purpose) -> (Class, Try) {
    let failed = match state.operation.as_ref().map(|operation| &operation.stage) {
        Some(Stage::Unknown { failures, .. } | Stage::Absent { failures, .. }) => *failures > 0,
        _ => false,
    };
    let attempt = if failed { Try::Again } else { Try::First };
    let deletes = state
        .operation
        .as_ref()
        .is_some_and(|operation| operation.action == Action::Delete);
    let starts = state
        .live
        .iter()
        .any(|live| matches!(live.phase, Phase::Scheduled | Phase::Granting));
    let class = match purpose {
        Purpose::Standing => Class::Grant,
        Purpose::Presence if starts => Class::Grant,
        Purpose::Presence => Class::Reconcile,
        Purpose::Outcome(_) | Purpose::Absence(_) if deletes => Class::Proof,
        Purpose::Outcome(_) | Purpose::Absence(_) => Class::Follow,
    };
    (class, attempt)
}

/// Whether AWS has taken so long that the domain has it read about instead.
fn is_stalled(state: &KeyState) -> bool {
    state.operation.as_ref().is_some_and(|operation| {
        matches!(&operation.stage, Stage::Sent { accepted_at, .. }
            if now().duration_since(*accepted_at) > plan::STALLED)
    })
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
