//! A model of Identity Center for a few keys: asynchronous, forgetful, and lagging.
//!
//! What its documents leave open is drawn from the seed, one answer a world: what creating what
//! exists gives, and what deleting what does not exist gives.

use domain::id::OperationId;
use domain::key::Action;
use domain::progress::{Presence, Sent, Status};

use crate::faults::{Dice, Faults, LAG_MAX, MINUTE, Millis, SECOND, SIGNATURE_MAX};

/// A late request's operation has to be over before Z, or Z means nothing. See
/// [`domain::plan::SETTLED_AFTER`].
const LATE_JOB_MAX: Millis = 40 * SECOND;

pub(crate) struct Aws {
    pub(crate) pairs: Vec<Pair>,
    pub(crate) jobs: Vec<Job>,
    /// Sent, and neither arrived nor given up by the network.
    pub(crate) under_way: Vec<Request>,
    creating_what_exists_conflicts: bool,
    deleting_what_is_missing_is_refused: bool,
}

/// One key's truth.
pub(crate) struct Pair {
    pub(crate) present: bool,
    /// Somebody assigned it by hand, before us.
    pub(crate) by_hand: bool,
    /// Every change, in order, from the state at the beginning.
    history: Vec<(Millis, bool)>,
    running: Option<usize>,
}

/// A request on its way.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) number: u64,
    pub(crate) operation: OperationId,
    pub(crate) action: Action,
    pub(crate) key: usize,
    pub(crate) signed_at: Millis,
}

/// An operation that AWS accepted.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) operation: OperationId,
    pub(crate) action: Action,
    pub(crate) key: usize,
    /// When it changes the assignment, if it does.
    pub(crate) effect_at: Option<Millis>,
    /// From when its status is final.
    pub(crate) ends_at: Millis,
    pub(crate) succeeds: bool,
}

impl Aws {
    pub(crate) fn new(standing: &[bool], dice: &mut Dice) -> Self {
        let pair = |by_hand: &bool| Pair {
            present: *by_hand,
            by_hand: *by_hand,
            history: vec![(Millis::MIN, *by_hand)],
            running: None,
        };
        Self {
            pairs: standing.iter().map(pair).collect(),
            jobs: Vec::new(),
            under_way: Vec::new(),
            creating_what_exists_conflicts: dice.flip(),
            deleting_what_is_missing_is_refused: dice.flip(),
        }
    }

    /// A request arrives. A new job, if it is accepted, is the last of [`Self::jobs`].
    pub(crate) fn arrive(
        &mut self,
        request: &Request,
        now: Millis,
        faults: &Faults,
        dice: &mut Dice,
    ) -> Sent {
        self.under_way
            .retain(|other| other.number != request.number);
        let refused = |code: &str| Sent::Refused { code: code.into() };
        let contradicted = |code: &str| Sent::Contradicted { code: code.into() };
        let late = now - request.signed_at > MINUTE;
        if now - request.signed_at > SIGNATURE_MAX {
            return refused("InvalidSignatureException");
        }
        if dice.chance(faults.throttle) {
            return refused("ThrottlingException");
        }
        let pair = &self.pairs[request.key];
        if pair.running.is_some() {
            return contradicted("ConflictException");
        }
        let changes = match request.action {
            Action::Create if pair.present && self.creating_what_exists_conflicts => {
                return contradicted("ConflictException");
            }
            Action::Delete if !pair.present && self.deleting_what_is_missing_is_refused => {
                return contradicted("ResourceNotFoundException");
            }
            Action::Create => !pair.present,
            Action::Delete => pair.present,
        };
        self.accept(request, changes, late, now, faults, dice)
    }

    fn accept(
        &mut self,
        request: &Request,
        changes: bool,
        late: bool,
        now: Millis,
        faults: &Faults,
        dice: &mut Dice,
    ) -> Sent {
        let lasts = if late {
            dice.between(100, LATE_JOB_MAX)
        } else if dice.chance(faults.stall) {
            dice.between(10 * SECOND, 14 * MINUTE)
        } else {
            dice.between(100, 6 * SECOND)
        };
        let fails = dice.chance(faults.fail);
        let fails_though_done = !fails && dice.chance(faults.fail_though_done);
        // Deleting what is not there ends FAILED; creating what is there succeeds.
        let missing = request.action == Action::Delete && !changes;
        let job = self.jobs.len();
        self.pairs[request.key].running = Some(job);
        self.jobs.push(Job {
            operation: request.operation,
            action: request.action,
            key: request.key,
            effect_at: (changes && !fails).then(|| now + dice.between(50, lasts)),
            ends_at: now + lasts,
            succeeds: !fails && !fails_though_done && !missing,
        });
        Sent::Accepted {
            aws_request_id: job.to_string(),
        }
    }

    /// A job changes the assignment. Says whether that changed anything.
    pub(crate) fn take_effect(&mut self, job: usize, now: Millis) -> bool {
        let job = &mut self.jobs[job];
        job.effect_at = None;
        let present = job.action == Action::Create;
        let pair = &mut self.pairs[job.key];
        let changed = pair.present != present;
        pair.present = present;
        pair.history.push((now, present));
        changed
    }

    /// A job is over: its key may be changed again.
    pub(crate) fn finish(&mut self, job: usize) {
        self.pairs[self.jobs[job].key].running = None;
    }

    pub(crate) fn status(
        &self,
        aws_request_id: &str,
        now: Millis,
        faults: &Faults,
        dice: &mut Dice,
    ) -> Status {
        if dice.chance(faults.unread) {
            return Status::Unavailable;
        }
        if dice.chance(faults.forget) {
            return Status::Forgotten;
        }
        let job = self.job(aws_request_id).expect("a job that was accepted");
        if now < job.ends_at {
            Status::InProgress
        } else if job.succeeds {
            Status::Succeeded
        } else {
            Status::Failed {
                reason: "FAILED".into(),
            }
        }
    }

    pub(crate) fn job(&self, aws_request_id: &str) -> Option<&Job> {
        self.jobs.get(aws_request_id.parse::<usize>().ok()?)
    }

    /// What a complete read shows: the truth of some seconds ago.
    pub(crate) fn look(
        &self,
        key: usize,
        now: Millis,
        faults: &Faults,
        dice: &mut Dice,
    ) -> Presence {
        let lag = if dice.chance(faults.lag) {
            dice.between(0, LAG_MAX)
        } else {
            0
        };
        let (_, present) = self.pairs[key]
            .history
            .iter()
            .rfind(|(at, _)| *at <= now - lag)
            .expect("a history has a beginning");
        if *present {
            Presence::Present
        } else {
            Presence::Absent
        }
    }

    /// Whether it was there at any instant from `start` to `end`.
    pub(crate) fn was_present(&self, key: usize, start: Millis, end: Millis) -> bool {
        let history = &self.pairs[key].history;
        history.iter().enumerate().any(|(at, (since, present))| {
            let until = history.get(at + 1).map_or(Millis::MAX, |(next, _)| *next);
            *present && *since <= end && until > start
        })
    }

    /// Whether a create that was sent may still take effect.
    pub(crate) fn may_still_appear(&self, key: usize, now: Millis) -> bool {
        let running = self
            .jobs
            .iter()
            .any(|job| job.key == key && job.action == Action::Create && job.effect_at.is_some());
        let arriving = self.under_way.iter().any(|request| {
            request.key == key
                && request.action == Action::Create
                && now - request.signed_at <= SIGNATURE_MAX
        });
        running || arriving
    }
}
