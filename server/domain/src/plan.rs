//! What must happen next to a key. Pure: it leaves the worker no choices.
//!
//! [`plan`] looks at one key at one instant and orders one [`Step`]. The worker takes it, reports
//! what it saw to [`crate::progress`], stores the [`Change`] that comes back, and asks again. So a
//! server that dies between any two steps loses nothing: the next one plans from what is stored.
//!
//! Rules that hold everywhere here:
//!
//! - an intent is recorded before anything is sent (invariants 3, 9);
//! - an intent that another server recorded is never sent, only read about (invariant 12);
//! - once an intent to create is on record, no grant ends except through `Revoking`;
//! - a key that is wanted is never deleted, a standing one never at all (invariant 5).

use jiff::{SignedDuration, Timestamp};

use crate::grant::{Evidence, GrantChange, Receipt};
use crate::id::{GrantId, OperationId, ServerId};
use crate::key::{Action, KeyState, Operation, Phase, Stage, Standing};

/// How long a key that we wrote to counts as ours without a read. AWS's reads lag its writes by
/// seconds; an hour is far beyond any of that, and short enough not to claim what others added.
pub const TOUCHED: SignedDuration = SignedDuration::from_secs(3600);

/// How long an intent of another server is left to it before its outcome is read instead. Its
/// server may be alive: sending takes at most one attempt's time-out, which is shorter.
pub const GRACE: SignedDuration = SignedDuration::from_secs(10);

/// Between the two reads that prove an absence which no deletion of ours explains: six times the
/// longest lag that we assume of AWS's reads.
pub const SECOND_READ_AFTER: SignedDuration = SignedDuration::from_secs(30);

/// Z: a signed request that is this old is refused by AWS, so whatever was sent before can no
/// longer take effect. AWS's limit is about 15 min; one more for clocks.
pub const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(16 * 60);

/// A deletion that AWS calls done, while reads still show the assignment, is sent again after
/// this long: twelve times the longest lag that we assume.
pub const STILL_PRESENT: SignedDuration = SignedDuration::from_secs(60);

/// An operation that AWS still calls `IN_PROGRESS` after this long is read about instead.
pub const STALLED: SignedDuration = SignedDuration::from_secs(300);

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing before this instant; `None`: nothing until somebody wants something.
    Wait {
        /// When to plan again.
        until: Option<Timestamp>,
    },
    /// Store this; nothing is to be done in AWS for it.
    Record(Change),
    /// Read every page of the pair's assignments.
    Read(Purpose),
    /// Send this operation. Its intent is on record.
    Send {
        /// Which.
        operation: OperationId,
        /// What it does.
        action: Action,
    },
    /// Ask AWS how it is going.
    Poll {
        /// Which.
        operation: OperationId,
        /// What it does.
        action: Action,
        /// AWS's id of it.
        aws_request_id: String,
    },
}

/// What a read is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Whether the assignment was there before us.
    Standing,
    /// Whether it is (still) there, so that one more grant can use it.
    Presence,
    /// What became of an operation whose outcome was never heard.
    Outcome(OperationId),
    /// Whether it is gone.
    Absence(OperationId),
}

/// A new state of a key, and what that means for its grants. Stored as one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a change that is not stored has not happened"]
pub struct Change {
    /// The key's new state. Its version is still the one that was read: storing is conditional on
    /// that, and adds one.
    pub key: KeyState,
    /// The steps of its grants, in order.
    pub grants: Vec<(GrantId, GrantChange)>,
}

impl Change {
    pub(crate) const fn to(key: KeyState) -> Self {
        Self {
            key,
            grants: Vec::new(),
        }
    }

    fn set(&mut self, grant: GrantId, phase: Phase, change: GrantChange) {
        if let Some(live) = self.key.live.iter_mut().find(|live| live.grant == grant) {
            live.phase = phase;
        }
        self.grants.push((grant, change));
    }

    /// Scheduled grants whose time has come are now on record as being granted.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| live.phase == Phase::Scheduled && live.wanted(now)) {
            self.set(grant, Phase::Granting, GrantChange::Granting);
        }
    }

    /// The assignment is known to be there: those being granted have it.
    pub(crate) fn activate(&mut self, evidence: &Evidence) {
        for grant in self.chosen(|live| live.phase == Phase::Granting) {
            let evidence = evidence.clone();
            self.set(grant, Phase::Active, GrantChange::Activated { evidence });
        }
    }

    /// Grants whose time is up are on their way out.
    pub(crate) fn revoke(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| {
            live.until <= now && matches!(live.phase, Phase::Granting | Phase::Active)
        }) {
            self.set(grant, Phase::Revoking, GrantChange::Revoking);
        }
    }

    /// Those on their way out have ended, all with this receipt.
    pub(crate) fn end(&mut self, receipt: &Receipt) {
        for grant in self.chosen(|live| live.phase == Phase::Revoking) {
            self.finish(grant, receipt.clone());
        }
    }

    fn finish(&mut self, grant: GrantId, receipt: Receipt) {
        self.key.live.retain(|live| live.grant != grant);
        self.grants.push((grant, GrantChange::Ended { receipt }));
    }

    /// Grants whose window passed before any intent was recorded for them.
    fn lapse(&mut self, now: Timestamp) {
        for grant in self.chosen(|live| live.phase == Phase::Scheduled && live.until <= now) {
            self.finish(grant, Receipt::NeverGranted);
        }
    }

    /// An idle key forgets its verdict: what appears on it from now on is not ours. (For an hour
    /// more, [`TOUCHED`] remembers.)
    pub(crate) fn settle(mut self) -> Self {
        let idle = self.key.operation.is_none()
            && self
                .key
                .live
                .iter()
                .all(|live| live.phase == Phase::Scheduled);
        if idle {
            self.key.standing = Standing::Unknown;
        }
        self
    }

    fn chosen(&self, choose: impl Fn(&crate::key::Live) -> bool) -> Vec<GrantId> {
        self.key
            .live
            .iter()
            .filter(|live| choose(live))
            .map(|live| live.grant)
            .collect()
    }
}

/// Who plans, when, and a fresh id in case an operation begins.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// This instant.
    pub now: Timestamp,
    /// This run of this server.
    pub me: ServerId,
    /// Used if an operation begins.
    pub fresh: OperationId,
}

/// Orders one step.
#[must_use]
pub fn plan(key: &KeyState, at: Context) -> Step {
    match &key.operation {
        Some(operation) => continue_with(key, operation, at),
        None => start_or_end(key, at),
    }
}

/// When the key must be planned again, for its due entry: now, if there is something to do.
#[must_use]
pub fn due(key: &KeyState, at: Context) -> Option<Timestamp> {
    match plan(key, at) {
        Step::Wait { until } => until,
        _ => Some(at.now),
    }
}

fn start_or_end(key: &KeyState, at: Context) -> Step {
    let now = at.now;
    let mut change = Change::to(key.clone());
    change.lapse(now);
    let over = key
        .live
        .iter()
        .any(|live| live.phase != Phase::Scheduled && live.until <= now);
    if over {
        change.revoke(now);
        if key.standing == Standing::Standing {
            change.end(&Receipt::Standing);
        } else if key.wanted(now) {
            change.end(&held_by(key, now));
        } else {
            change.intend(Action::Delete, 1, at);
        }
    }
    if !change.grants.is_empty() || change.key.operation.is_some() {
        return Step::Record(change.settle());
    }
    let starting = key
        .holders(now)
        .any(|live| matches!(live.phase, Phase::Scheduled | Phase::Granting));
    if starting {
        return start(key, at);
    }
    Step::Wait {
        until: next_edge(key, now),
    }
}

fn start(key: &KeyState, at: Context) -> Step {
    match key.standing {
        Standing::Unknown if !touched(key, at.now) => Step::Read(Purpose::Standing),
        Standing::Standing => Step::Read(Purpose::Presence),
        Standing::Ours if key.live.iter().any(|live| live.phase == Phase::Active) => {
            Step::Read(Purpose::Presence)
        }
        Standing::Unknown | Standing::Ours => {
            let mut change = Change::to(key.clone());
            change.create(at);
            Step::Record(change)
        }
    }
}

fn touched(key: &KeyState, now: Timestamp) -> bool {
    key.last_write_at
        .is_some_and(|at| now.duration_since(at) < TOUCHED)
}

impl Change {
    /// Whatever appears on this key from here on is ours.
    pub(crate) fn create(&mut self, at: Context) {
        self.key.standing = Standing::Ours;
        self.begin(at.now);
        self.intend(Action::Create, 1, at);
    }

    fn intend(&mut self, action: Action, attempt: u32, at: Context) {
        self.key.operation = Some(Operation {
            id: at.fresh,
            action,
            intended_at: at.now,
            by: at.me,
            attempt,
            stage: Stage::Intended,
        });
        self.key.last_write_at = Some(at.now);
    }

    /// The key is wanted again before anything was deleted: nothing is.
    fn keep(&mut self, now: Timestamp) {
        let receipt = held_by(&self.key, now);
        self.key.operation = None;
        self.end(&receipt);
    }
}

fn held_by(key: &KeyState, now: Timestamp) -> Receipt {
    Receipt::HeldBy {
        grants: key.holders(now).map(|live| live.grant).collect(),
    }
}

fn continue_with(key: &KeyState, operation: &Operation, at: Context) -> Step {
    let now = at.now;
    let wait = |until: Timestamp| Step::Wait { until: Some(until) };
    match &operation.stage {
        Stage::Intended if operation.by != at.me => {
            let theirs_until = operation.intended_at.saturating_add(GRACE).unwrap_or(now);
            if now < theirs_until {
                wait(theirs_until)
            } else {
                Step::Record(adopt(key, operation, at))
            }
        }
        Stage::Intended => turn_round(key, operation, at).unwrap_or(Step::Send {
            operation: operation.id,
            action: operation.action,
        }),
        Stage::Backoff { retry_at, .. } => turn_round(key, operation, at).unwrap_or_else(|| {
            if *retry_at <= now {
                let mut change = Change::to(key.clone());
                // Those that became wanted meanwhile are served by the same attempt.
                if operation.action == Action::Create {
                    change.begin(now);
                }
                change.intend(operation.action, operation.attempt.saturating_add(1), at);
                Step::Record(change)
            } else {
                // The end of the window does not wait for a retry.
                let edge = next_edge(key, now).map_or(*retry_at, |edge| edge.min(*retry_at));
                wait(edge)
            }
        }),
        Stage::Unknown { read_at, .. } if *read_at <= now => {
            Step::Read(Purpose::Outcome(operation.id))
        }
        Stage::Absent { .. } if operation.action == Action::Delete && key.wanted(now) => {
            turn_round(key, operation, at).unwrap_or(Step::Wait { until: Some(now) })
        }
        Stage::Deleted { read_at, .. } | Stage::Absent { read_at, .. } if *read_at <= now => {
            Step::Read(Purpose::Absence(operation.id))
        }
        Stage::Sent {
            aws_request_id,
            poll_at,
            ..
        } if *poll_at <= now => Step::Poll {
            operation: operation.id,
            action: operation.action,
            aws_request_id: aws_request_id.clone(),
        },
        Stage::Sent { poll_at, .. } => wait(*poll_at),
        // A start that comes meanwhile turns the deletion round.
        Stage::Absent { read_at, .. } => {
            wait(next_edge(key, now).map_or(*read_at, |edge| edge.min(*read_at)))
        }
        Stage::Unknown { read_at, .. } | Stage::Deleted { read_at, .. } => wait(*read_at),
    }
}

/// An operation that nobody is sending, and that no longer fits what is wanted.
fn turn_round(key: &KeyState, operation: &Operation, at: Context) -> Option<Step> {
    let wanted = key.wanted(at.now);
    let mut change = Change::to(key.clone());
    match operation.action {
        Action::Create if !wanted => {
            // The intent is on record: it may still appear, so it is deleted and proved gone.
            change.revoke(at.now);
            change.intend(Action::Delete, 1, at);
        }
        Action::Delete if wanted => change.keep(at.now),
        _ => return None,
    }
    Some(Step::Record(change.settle()))
}

/// Takes over an intent whose server did not say what became of it.
fn adopt(key: &KeyState, operation: &Operation, at: Context) -> Change {
    let mut change = Change::to(key.clone());
    if operation.action == Action::Create {
        change.key.unresolved_create_at = Some(at.now);
    }
    change.key.operation = Some(Operation {
        by: at.me,
        stage: Stage::Unknown {
            read_at: at.now,
            failures: 0,
        },
        ..operation.clone()
    });
    change
}

/// The next start or end of a window.
fn next_edge(key: &KeyState, now: Timestamp) -> Option<Timestamp> {
    key.live
        .iter()
        .flat_map(|live| [live.from, live.until])
        .filter(|edge| *edge > now)
        .min()
}
