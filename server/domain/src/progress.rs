//! What a key becomes when something was seen in AWS.
//!
//! The worker reports; these functions judge. A report about an operation that is no longer the
//! current one changes nothing (`None`): somebody else has read about it since.

use jiff::{SignedDuration, Timestamp};

use crate::grant::{Cause, Evidence, Inspection, Part, ReadEvidence, Receipt};
use crate::id::OperationId;
use crate::key::{Action, Before, Inspected, KeyState, Operation, Phase, Stage, Standing};
use crate::plan::{
    Change, Context, FRESH, GONE_AFTER, Purpose, REMOVED_AFTER, SECOND_READ_AFTER, SETTLED_AFTER,
    STALLED, STILL_PRESENT, VERIFY_EVERY,
};
use crate::target::Target;

/// Every page of the pair's assignments was read. A read that failed anywhere is no sighting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// Whether the person's own assignment was among them. Group assignments do not count.
    pub presence: Presence,
    /// The read.
    pub read: ReadEvidence,
}

/// Whether the assignment is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It is.
    Present,
    /// It is not.
    Absent,
}

/// What AWS said when an operation was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// Accepted: it is at work, or already done; the status tells.
    Accepted {
        /// AWS's id of the operation.
        aws_request_id: String,
    },
    /// Refused: it has not happened and will not. With AWS's error code.
    Refused {
        /// AWS's error code.
        code: String,
    },
    /// Refused because of what is there, or is not, or is under way: worth a look.
    Contradicted {
        /// AWS's error code.
        code: String,
    },
    /// No answer: it may have happened.
    Unheard,
}

/// What AWS said of an operation's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// `IN_PROGRESS`, which is not success.
    InProgress,
    /// `SUCCEEDED`.
    Succeeded,
    /// `FAILED`, with AWS's reason.
    Failed {
        /// AWS's words.
        reason: String,
    },
    /// AWS does not know the id (any more).
    Forgotten,
    /// The question itself failed; nothing is known.
    Unavailable,
}

/// How long to wait before the n-th retry (from 1): 1 s, doubling, up to 5 min, so that a broken
/// key costs a call every 5 min and a hiccup costs a second.
#[must_use]
pub fn backoff(attempt: u32) -> SignedDuration {
    let seconds = 1_i64 << attempt.saturating_sub(1).min(9);
    SignedDuration::from_secs(seconds.min(300))
}

/// How long to wait before the n-th status poll (from 0): AWS needs one to a few seconds, so the
/// first is soon, and then up to 5 s apart.
#[must_use]
pub fn poll_after(polls: u32) -> SignedDuration {
    let millis = 250_i64 << polls.min(5);
    SignedDuration::from_millis(millis.min(5_000))
}

/// Between two reads about one outcome, while AWS's reads may still lag.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(2);

/// Why an operation is sent again whose outcome was never heard, and that reads do not show.
const UNKNOWN: &str = "outcome-unknown";

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.saturating_add(wait).unwrap_or(now)
}

/// The current operation, if it is still this one.
fn current(key: &KeyState, id: OperationId) -> Option<&Operation> {
    key.operation
        .as_ref()
        .filter(|operation| operation.id == id)
}

fn with_stage(key: &KeyState, operation: &Operation, stage: Stage) -> Change {
    let mut change = Change::to(key.clone());
    change.key.operation = Some(Operation {
        stage,
        ..operation.clone()
    });
    change
}

/// AWS answered, or did not, when an operation was sent.
#[must_use]
pub fn sent(key: &KeyState, id: OperationId, answer: Sent, now: Timestamp) -> Option<Change> {
    let operation = current(key, id)?;
    if operation.stage != Stage::Intended {
        return None;
    }
    let mut membership = key.membership.clone();
    let mut change = match answer {
        Sent::Accepted { aws_request_id } => {
            let is_group = matches!(key.key.target, Target::Group { .. });
            if operation.action == Action::Create && is_group {
                membership = Some(aws_request_id.clone());
            }
            let stage = Stage::Sent {
                aws_request_id,
                accepted_at: now,
                poll_at: after(now, poll_after(0)),
                polls: 0,
            };
            with_stage(key, operation, stage)
        }
        // It did not happen: the next attempt meets what this one met.
        Sent::Refused { code } => with_stage(key, operation, try_again(operation, &code, now)),
        Sent::Contradicted { .. } | Sent::Unheard => {
            let stage = Stage::Unknown {
                read_at: after(now, backoff(operation.attempt)),
                failures: 0,
            };
            let mut change = with_stage(key, operation, stage);
            if answer == Sent::Unheard {
                change.key.lose(operation, now);
            }
            change
        }
    };
    change.key.membership = membership;
    touch(&mut change.key, operation, now);
    Some(change)
}

fn touch(key: &mut KeyState, operation: &Operation, now: Timestamp) {
    key.last_write_at = Some(now);
    if operation.action == Action::Delete {
        key.last_delete_at = Some(now);
    }
}

fn try_again(operation: &Operation, reason: &str, now: Timestamp) -> Stage {
    Stage::Backoff {
        reason: reason.to_owned(),
        retry_at: after(now, backoff(operation.attempt)),
    }
}

/// AWS said how an operation is going.
#[must_use]
pub fn polled(key: &KeyState, id: OperationId, status: &Status, now: Timestamp) -> Option<Change> {
    let operation = current(key, id)?;
    let Stage::Sent {
        aws_request_id,
        accepted_at,
        polls,
        ..
    } = &operation.stage
    else {
        return None;
    };
    let stalled = now.duration_since(*accepted_at) > STALLED;
    let mut change = match (status, operation.action) {
        (Status::InProgress | Status::Unavailable, _) if !stalled => {
            let polls = polls.saturating_add(1);
            let stage = Stage::Sent {
                aws_request_id: aws_request_id.clone(),
                accepted_at: *accepted_at,
                poll_at: after(now, poll_after(polls)),
                polls,
            };
            return Some(with_stage(key, operation, stage));
        }
        (Status::InProgress | Status::Unavailable | Status::Forgotten, _) => {
            let mut change = read_about(key, operation, now);
            change.key.lose(operation, now);
            change
        }
        (Status::Succeeded, Action::Create) => {
            let evidence = Evidence::Created {
                aws_request_id: aws_request_id.clone(),
                accepted_at: *accepted_at,
                succeeded_at: now,
            };
            // It may have succeeded any time since it was accepted, and be gone again.
            let mut change = granted(key, &evidence, *accepted_at);
            change.key.blur();
            change
        }
        (Status::Succeeded, Action::Delete) => {
            let stage = Stage::Deleted {
                aws_request_id: aws_request_id.clone(),
                accepted_at: *accepted_at,
                succeeded_at: now,
                read_at: now,
                reads: 0,
            };
            with_stage(key, operation, stage)
        }
        (Status::Failed { reason }, Action::Create) => {
            let mut change = with_stage(key, operation, try_again(operation, reason, now));
            // It may have happened all the same.
            change.key.blur();
            doubt(&mut change);
            change
        }
        // A deletion fails too where there is nothing to delete: a read tells which it was.
        (Status::Failed { .. }, Action::Delete) => read_about(key, operation, now),
    };
    touch(&mut change.key, operation, now);
    Some(change)
}

fn read_about(key: &KeyState, operation: &Operation, now: Timestamp) -> Change {
    let stage = Stage::Unknown {
        read_at: now,
        failures: 0,
    };
    with_stage(key, operation, stage)
}

/// What the next attempt meets is no longer known.
fn doubt(change: &mut Change) {
    if let Some(operation) = &mut change.key.operation {
        operation.before = Before::Uncertain;
    }
}

/// The assignment was there at that instant, or later, and it is ours: those being granted have it.
fn granted(key: &KeyState, evidence: &Evidence, as_of: Timestamp) -> Change {
    let mut change = Change::to(key.clone());
    change.key.operation = None;
    change.activate(evidence);
    look_after(&mut change.key, as_of);
    change
}

/// A lost deletion may yet take what was there at that instant: until it no longer can, somebody
/// looks again.
fn look_after(key: &mut KeyState, as_of: Timestamp) {
    let settled = key.lost_delete_at.map(|lost| after(lost, SETTLED_AFTER));
    key.verify_at = settled
        .filter(|settled| as_of < *settled)
        .map(|settled| after(as_of, VERIFY_EVERY).min(settled));
    if key.verify_at.is_none() {
        key.lost_delete_at = None;
    }
}

/// A complete read was made.
#[must_use]
pub fn read(key: &KeyState, purpose: Purpose, sighting: &Sighting, at: Context) -> Option<Change> {
    match purpose {
        Purpose::Standing | Purpose::Presence => read_before_start(key, purpose, sighting, at),
        Purpose::Outcome(id) => read_outcome(key, current(key, id)?, sighting, at.now),
        Purpose::Absence(id) => read_absence(key, current(key, id)?, sighting, at.now),
    }
}

fn read_before_start(
    key: &KeyState,
    purpose: Purpose,
    sighting: &Sighting,
    at: Context,
) -> Option<Change> {
    let began_at = sighting.read.began_at;
    // Something began since this read was ordered, or it was so long ago that anything may have.
    let stale = key.operation.is_some()
        || key.last_write_at.is_some_and(|write| write >= began_at)
        || at.now.duration_since(began_at) > FRESH
        || (purpose == Purpose::Standing) != (key.standing == Standing::Unknown);
    if stale || !key.wanted(at.now) {
        return None;
    }
    let mut change = Change::to(key.clone());
    match sighting.presence {
        Presence::Present if shows_the_deleted(key, sighting) => return None,
        Presence::Present => {
            if purpose == Purpose::Standing {
                change.key.standing = Standing::Standing;
            }
            change.key.seen();
            change.begin(at.now);
            change.activate(&Evidence::Seen {
                read: sighting.read.clone(),
            });
            look_after(&mut change.key, began_at);
        }
        Presence::Absent if !is_starting(key, at.now) && key.lost_delete_at.is_none() => {
            // Nothing of ours can have taken it.
            return Some(missed(key, &sighting.read));
        }
        Presence::Absent => {
            let shown = key.writes_shown_from().is_none_or(|from| from <= began_at);
            let before = if shown {
                Before::Absent
            } else {
                Before::Uncertain
            };
            change.create(before, at);
        }
    }
    Some(change)
}

/// Whether somebody waits for the key to be given.
fn is_starting(key: &KeyState, now: Timestamp) -> bool {
    key.holders(now)
        .any(|live| matches!(live.phase, Phase::Scheduled | Phase::Granting))
}

/// A complete read was made that no step of this key ordered: somebody looks after everything.
/// `None`: it is as it should be, or the read does not tell.
#[must_use]
pub fn observed(key: &KeyState, sighting: &Sighting, at: Context) -> Option<Change> {
    let read = &sighting.read;
    let stale = key.operation.is_some()
        || key
            .last_write_at
            .is_some_and(|write| write >= read.began_at)
        || at.now.duration_since(read.began_at) > FRESH;
    let active = key.holders(at.now).any(|live| live.phase == Phase::Active);
    if stale || !active || is_starting(key, at.now) || key.over(at.now) {
        // Whatever is to be done about it orders reads of its own.
        return None;
    }
    match sighting.presence {
        Presence::Present => {
            key.missed.as_ref()?;
            let mut change = Change::to(key.clone());
            change.key.missed = None;
            look_after(&mut change.key, read.began_at);
            Some(change)
        }
        // It may be a lost deletion of ours: that is looked after by itself, and put back.
        Presence::Absent if key.lost_delete_at.is_some() => None,
        // The second look is on its way.
        Presence::Absent if key.missed.is_some() && key.verify_at.is_some() => None,
        Presence::Absent => Some(missed(key, read)),
    }
}

/// What is active was not there, and nothing of ours explains that.
fn missed(key: &KeyState, read: &ReadEvidence) -> Change {
    let mut change = Change::to(key.clone());
    let quiet_from = key
        .last_write_at
        .max(key.active_at)
        .map(|busy| after(busy, REMOVED_AFTER));
    if let Some(quiet_from) = quiet_from.filter(|from| read.began_at < *from) {
        change.key.missed = None;
        change.key.verify_at = Some(quiet_from);
        return change;
    }
    // An older one than our last write would be of another life of the key.
    let first = key
        .missed
        .as_ref()
        .filter(|first| quiet_from.is_none_or(|from| from <= first.began_at));
    let Some(first) = first else {
        change.key.missed = Some(read.clone());
        change.key.verify_at = Some(after(read.finished_at, REMOVED_AFTER));
        return change;
    };
    let mut second = after(first.finished_at, REMOVED_AFTER);
    // A lost create of ours may yet bring it back.
    if let Some(settled) = key.unsettled_until(second) {
        second = settled;
    }
    if read.began_at < second {
        change.key.verify_at = Some(second);
        return change;
    }
    let receipt = Receipt::AbsentAlready {
        first: first.clone(),
        second: read.clone(),
        cause: Some(Cause::RemovedByHand),
        still_given_by: None,
    };
    change.key.missed = None;
    change.key.verify_at = None;
    change.key.lost_create = None;
    change.gone(&receipt);
    change.settle()
}

/// Somebody looked whether everything that a key is made of still exists.
#[must_use]
pub fn inspected(
    key: &KeyState,
    id: OperationId,
    inspection: &Inspection,
    now: Timestamp,
) -> Option<Change> {
    let operation = current(key, id)?;
    if operation.action != Action::Delete || key.wanted(now) {
        return None;
    }
    let first = key
        .inspected
        .as_ref()
        .and_then(|inspected| inspected.first.as_ref());
    let both: std::collections::BTreeSet<Part> = first
        .map(|first| first.gone.intersection(&inspection.gone).copied().collect())
        .unwrap_or_default();
    if let Some(first) = first.filter(|_| !both.is_empty()) {
        let far_apart = after(first.finished_at, GONE_AFTER) <= inspection.began_at;
        if far_apart && key.unsettled_until(inspection.began_at).is_none() {
            let receipt = Receipt::TargetGone {
                gone: both,
                first: first.clone(),
                second: inspection.clone(),
            };
            return Some(ended(key, &receipt, now));
        }
    }
    let first = match first {
        // It is still gone, only not for long enough.
        Some(first) if !both.is_empty() => Some(first.clone()),
        _ => Some(inspection.clone()).filter(|found| !found.gone.is_empty()),
    };
    let mut change = Change::to(key.clone());
    change.key.inspected = Some(Inspected {
        looked_at: now,
        first,
    });
    Some(change)
}

/// Whether a read began so soon after a deletion that it may show what was there before.
fn shows_the_deleted(key: &KeyState, sighting: &Sighting) -> bool {
    key.deletes_shown_from()
        .is_some_and(|from| sighting.read.began_at < from)
}

fn read_outcome(
    key: &KeyState,
    operation: &Operation,
    sighting: &Sighting,
    now: Timestamp,
) -> Option<Change> {
    let Stage::Unknown { failures, .. } = operation.stage else {
        return None;
    };
    let look_again = |read_at: Timestamp| {
        let read_at = after(now, LOOK_AGAIN).min(read_at);
        with_stage(key, operation, Stage::Unknown { read_at, failures })
    };
    let began_at = sighting.read.began_at;
    Some(match (operation.action, sighting.presence) {
        (Action::Create, Presence::Present) => {
            if let Some(from) = key.deletes_shown_from().filter(|from| began_at < *from) {
                return Some(look_again(from));
            }
            let evidence = Evidence::Seen {
                read: sighting.read.clone(),
            };
            let mut change = granted(key, &evidence, began_at);
            change.key.seen();
            change
        }
        (Action::Create, Presence::Absent) => {
            // Sending it once more while the first may only not show yet would leave two of them
            // unaccounted for, and nothing to tell them apart by.
            if let Some(from) = key.writes_shown_from().filter(|from| began_at < *from) {
                return Some(look_again(from));
            }
            let mut change = with_stage(key, operation, try_again(operation, UNKNOWN, now));
            doubt(&mut change);
            change
        }
        (Action::Delete, Presence::Present) => {
            with_stage(key, operation, try_again(operation, UNKNOWN, now))
        }
        (Action::Delete, Presence::Absent) => {
            with_stage(key, operation, first_absence(key, &sighting.read))
        }
    })
}

fn first_absence(key: &KeyState, read: &ReadEvidence) -> Stage {
    Stage::Absent {
        first: read.clone(),
        read_at: second_read_from(key, read),
        failures: 0,
    }
}

/// The second read waits until no earlier create of ours can take effect any more.
fn second_read_from(key: &KeyState, first: &ReadEvidence) -> Timestamp {
    let second = after(first.finished_at, SECOND_READ_AFTER);
    key.unsettled_until(second).unwrap_or(second)
}

fn read_absence(
    key: &KeyState,
    operation: &Operation,
    sighting: &Sighting,
    now: Timestamp,
) -> Option<Change> {
    let send_again = |reason| with_stage(key, operation, try_again(operation, reason, now));
    match (&operation.stage, sighting.presence) {
        (Stage::Deleted { succeeded_at, .. }, Presence::Absent) => {
            // A read that began before the deletion succeeded proves nothing.
            if sighting.read.began_at < *succeeded_at {
                return None;
            }
            // Nor does one while a lost create may still take effect.
            if let Some(settled) = key.unsettled_until(sighting.read.began_at) {
                return Some(read_again(key, operation, settled));
            }
            Some(removed(key, operation, &sighting.read, now))
        }
        (
            Stage::Deleted {
                succeeded_at,
                reads,
                ..
            },
            Presence::Present,
        ) => {
            if now.duration_since(*succeeded_at) > STILL_PRESENT {
                Some(send_again("still-present"))
            } else {
                let pause = backoff(reads.saturating_add(1)).min(SignedDuration::from_secs(5));
                Some(read_again(key, operation, after(now, pause)))
            }
        }
        (Stage::Absent { first, .. }, Presence::Absent) => {
            let second = second_read_from(key, first);
            if sighting.read.began_at < second {
                return Some(read_again(key, operation, second));
            }
            let receipt = Receipt::AbsentAlready {
                first: first.clone(),
                second: sighting.read.clone(),
                cause: None,
                still_given_by: None,
            };
            Some(ended(key, &receipt, now))
        }
        (Stage::Absent { .. }, Presence::Present) => Some(send_again("appeared-again")),
        _ => None,
    }
}

fn read_again(key: &KeyState, operation: &Operation, when: Timestamp) -> Change {
    let mut stage = operation.stage.clone();
    match &mut stage {
        Stage::Deleted { read_at, reads, .. } => {
            *read_at = when;
            *reads = reads.saturating_add(1);
        }
        Stage::Unknown { read_at, failures }
        | Stage::Absent {
            read_at, failures, ..
        } => {
            *read_at = when;
            *failures = failures.saturating_add(1);
        }
        Stage::Intended | Stage::Sent { .. } | Stage::Backoff { .. } => {}
    }
    with_stage(key, operation, stage)
}

/// A read failed, or was not complete: nothing is concluded (invariant 6), it is made again later.
/// `None` where the read was not for an operation: the worker paces those itself.
#[must_use]
pub fn unread(key: &KeyState, purpose: Purpose, now: Timestamp) -> Option<Change> {
    let (Purpose::Outcome(id) | Purpose::Absence(id)) = purpose else {
        return None;
    };
    let operation = current(key, id)?;
    let failures = match (purpose, &operation.stage) {
        (Purpose::Outcome(_), Stage::Unknown { failures, .. })
        | (Purpose::Absence(_), Stage::Absent { failures, .. }) => *failures,
        (Purpose::Absence(_), Stage::Deleted { reads, .. }) => *reads,
        // It was for something that has been found out since.
        _ => return None,
    };
    let when = after(now, backoff(failures.saturating_add(1)));
    Some(read_again(key, operation, when))
}

fn removed(key: &KeyState, operation: &Operation, read: &ReadEvidence, now: Timestamp) -> Change {
    let Stage::Deleted {
        aws_request_id,
        accepted_at,
        succeeded_at,
        ..
    } = &operation.stage
    else {
        return Change::to(key.clone());
    };
    let receipt = Receipt::Removed {
        aws_request_id: aws_request_id.clone(),
        accepted_at: *accepted_at,
        succeeded_at: *succeeded_at,
        read: read.clone(),
        still_given_by: None,
    };
    ended(key, &receipt, now)
}

fn ended(key: &KeyState, receipt: &Receipt, now: Timestamp) -> Change {
    let mut change = Change::to(key.clone());
    change.removed(key.operation.as_ref(), receipt);
    change.key.operation = None;
    // Only what can no longer take effect lets a key be called gone.
    change.key.lost_create = None;
    change.key.last_write_at = Some(now);
    change.key.inspected = None;
    change.end(receipt);
    change.settle()
}
