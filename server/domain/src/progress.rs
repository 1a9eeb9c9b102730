//! What a key becomes when something was seen in AWS.
//!
//! The worker reports; these functions judge. A report about an operation that is no longer the
//! current one changes nothing (`None`): somebody else has read about it since.

use jiff::{SignedDuration, Timestamp};

use crate::grant::{Evidence, ReadEvidence, Receipt};
use crate::id::OperationId;
use crate::key::{Action, KeyState, Operation, Stage, Standing};
use crate::plan::{
    Change, Context, Purpose, SECOND_READ_AFTER, SETTLED_AFTER, STALLED, STILL_PRESENT,
};

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
fn poll_after(polls: u32) -> SignedDuration {
    let millis = 250_i64 << polls.min(5);
    SignedDuration::from_millis(millis.min(5_000))
}

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
    let stage = match &answer {
        Sent::Accepted { aws_request_id } => Stage::Sent {
            aws_request_id: aws_request_id.clone(),
            accepted_at: now,
            poll_at: after(now, poll_after(0)),
            polls: 0,
        },
        Sent::Refused { code } => Stage::Backoff {
            reason: code.clone(),
            retry_at: after(now, backoff(operation.attempt)),
        },
        Sent::Contradicted { .. } | Sent::Unheard => Stage::Unknown {
            read_at: after(now, backoff(operation.attempt)),
            failures: 0,
        },
    };
    let mut change = with_stage(key, operation, stage);
    change.key.last_write_at = Some(now);
    if answer == Sent::Unheard && operation.action == Action::Create {
        change.key.unresolved_create_at = Some(now);
    }
    Some(change)
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
    let read_about = Stage::Unknown {
        read_at: now,
        failures: 0,
    };
    let change = match (status, operation.action) {
        (Status::InProgress, _) if now.duration_since(*accepted_at) > STALLED => {
            let mut change = with_stage(key, operation, read_about);
            if operation.action == Action::Create {
                change.key.unresolved_create_at = Some(now);
            }
            change
        }
        (Status::InProgress | Status::Unavailable, _) => {
            let polls = polls.saturating_add(1);
            with_stage(
                key,
                operation,
                Stage::Sent {
                    aws_request_id: aws_request_id.clone(),
                    accepted_at: *accepted_at,
                    poll_at: after(now, poll_after(polls)),
                    polls,
                },
            )
        }
        (Status::Succeeded, Action::Create) => {
            let evidence = Evidence::Created {
                aws_request_id: aws_request_id.clone(),
                accepted_at: *accepted_at,
                succeeded_at: now,
            };
            granted(key, &evidence, now)
        }
        (Status::Succeeded, Action::Delete) => with_stage(
            key,
            operation,
            Stage::Deleted {
                aws_request_id: aws_request_id.clone(),
                accepted_at: *accepted_at,
                succeeded_at: now,
                read_at: now,
                reads: 0,
            },
        ),
        (Status::Failed { reason }, Action::Create) => with_stage(
            key,
            operation,
            Stage::Backoff {
                reason: reason.clone(),
                retry_at: after(now, backoff(operation.attempt)),
            },
        ),
        // A deletion fails too where there is nothing to delete: a read tells which it was.
        (Status::Failed { .. } | Status::Forgotten, _) => with_stage(key, operation, read_about),
    };
    Some(change)
}

/// The assignment is there, and it is ours: those being granted have it.
fn granted(key: &KeyState, evidence: &Evidence, now: Timestamp) -> Change {
    let mut change = Change::to(key.clone());
    change.key.operation = None;
    change.key.unresolved_create_at = None;
    change.key.last_write_at = Some(now);
    change.activate(evidence);
    change
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
    // Something began since this read was ordered: it says nothing about now.
    let stale = key.operation.is_some()
        || key
            .last_write_at
            .is_some_and(|write| write >= sighting.read.began_at)
        || (purpose == Purpose::Standing) != (key.standing == Standing::Unknown);
    if stale || !key.wanted(at.now) {
        return None;
    }
    let mut change = Change::to(key.clone());
    match sighting.presence {
        Presence::Present => {
            if purpose == Purpose::Standing {
                change.key.standing = Standing::Standing;
            }
            change.begin(at.now);
            change.activate(&Evidence::Seen {
                read: sighting.read.clone(),
            });
        }
        Presence::Absent => change.create(at),
    }
    Some(change)
}

fn read_outcome(
    key: &KeyState,
    operation: &Operation,
    sighting: &Sighting,
    now: Timestamp,
) -> Option<Change> {
    if !matches!(operation.stage, Stage::Unknown { .. }) {
        return None;
    }
    let again = Stage::Backoff {
        reason: "outcome-unknown".to_owned(),
        retry_at: after(now, backoff(operation.attempt)),
    };
    Some(match (operation.action, sighting.presence) {
        (Action::Create, Presence::Present) => {
            let evidence = Evidence::Seen {
                read: sighting.read.clone(),
            };
            granted(key, &evidence, now)
        }
        (Action::Create, Presence::Absent) | (Action::Delete, Presence::Present) => {
            with_stage(key, operation, again)
        }
        (Action::Delete, Presence::Absent) => {
            with_stage(key, operation, first_absence(key, &sighting.read, now))
        }
    })
}

/// The second read waits until no earlier create of ours can take effect any more.
fn first_absence(key: &KeyState, read: &ReadEvidence, now: Timestamp) -> Stage {
    let second = after(now, SECOND_READ_AFTER);
    let settled = key
        .unresolved_create_at
        .map_or(second, |create| after(create, SETTLED_AFTER));
    Stage::Absent {
        first: read.clone(),
        read_at: second.max(settled),
        failures: 0,
    }
}

fn read_absence(
    key: &KeyState,
    operation: &Operation,
    sighting: &Sighting,
    now: Timestamp,
) -> Option<Change> {
    let send_again = |reason: &str| {
        let retry_at = after(now, backoff(operation.attempt));
        let reason = reason.to_owned();
        with_stage(key, operation, Stage::Backoff { reason, retry_at })
    };
    match (&operation.stage, sighting.presence) {
        (Stage::Deleted { succeeded_at, .. }, Presence::Absent) => {
            // A read that began before the deletion succeeded proves nothing.
            if sighting.read.began_at < *succeeded_at {
                return None;
            }
            // Nor does one while a lost create may still take effect.
            if let Some(settled) = key
                .unresolved_create_at
                .map(|create| after(create, SETTLED_AFTER))
                .filter(|settled| sighting.read.began_at < *settled)
            {
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
        (Stage::Absent { first, read_at, .. }, Presence::Absent) => {
            if sighting.read.began_at < *read_at {
                return None;
            }
            let receipt = Receipt::AbsentAlready {
                first: first.clone(),
                second: sighting.read.clone(),
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
    let failures = match &operation.stage {
        Stage::Deleted { reads, .. } => *reads,
        Stage::Unknown { failures, .. } | Stage::Absent { failures, .. } => *failures,
        Stage::Intended | Stage::Sent { .. } | Stage::Backoff { .. } => return None,
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
    };
    ended(key, &receipt, now)
}

fn ended(key: &KeyState, receipt: &Receipt, now: Timestamp) -> Change {
    let mut change = Change::to(key.clone());
    change.key.operation = None;
    change.key.unresolved_create_at = None;
    change.key.last_write_at = Some(now);
    change.end(receipt);
    change.settle()
}
