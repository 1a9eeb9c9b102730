//! A model of Identity Center for a few keys: asynchronous, forgetful, and lagging.
//!
//! What its documents leave open is drawn from the seed, one answer a world: what creating what
//! exists gives, and what deleting what does not exist gives.

use domain::grant::{Inspection, ReadEvidence};
use domain::id::OperationId;
use domain::key::Action;
use domain::progress::{Presence, Sent, Status};

use crate::check::Claim;
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
    /// Otherwise they show nothing, as where a person is gone and the account is not.
    reads_of_what_vanished_fail: bool,
}

/// One key's truth.
pub(crate) struct Pair {
    pub(crate) present: bool,
    /// Since when it is somebody else's: put there by hand while we had no claim to the key.
    pub(crate) theirs: Option<Millis>,
    /// Until when it last was.
    pub(crate) theirs_until: Option<Millis>,
    /// When it was last added by hand.
    pub(crate) added_by_hand: Option<Millis>,
    /// When it was last removed by hand.
    pub(crate) removed_by_hand: Option<Millis>,
    /// Since when what it is made of does not exist any more: an account, a person.
    pub(crate) vanished: Option<Millis>,
    /// Every look whether it exists.
    pub(crate) inspections: Vec<Inspection>,
    /// As of when it was last known that nobody else had one, before we made ours.
    claimed_as_of: Millis,
    /// As of when ours was last proved gone.
    pub(crate) gone_as_of: Option<Millis>,
    /// Every complete read.
    pub(crate) reads: Vec<(ReadEvidence, Presence)>,
    /// Every change, in order, from the state at the beginning.
    history: Vec<(Millis, bool)>,
    running: Option<usize>,
}

impl Pair {
    fn new(is_standing: bool) -> Self {
        Self {
            present: is_standing,
            theirs: is_standing.then_some(Millis::MIN),
            theirs_until: None,
            added_by_hand: None,
            removed_by_hand: None,
            vanished: None,
            inspections: Vec::new(),
            claimed_as_of: Millis::MIN,
            gone_as_of: None,
            reads: Vec::new(),
            history: vec![(Millis::MIN, is_standing)],
            running: None,
        }
    }

    fn change(&mut self, present: bool, now: Millis) -> bool {
        let changed = self.present != present;
        self.present = present;
        self.history.push((now, present));
        if !present {
            self.is_ours(now);
        }
        changed
    }

    /// It is nobody else's any more.
    pub(crate) fn is_ours(&mut self, now: Millis) {
        if self.theirs.take().is_some() {
            self.theirs_until = Some(now);
        }
    }

    /// Whose it is after a change that has just become durable.
    pub(crate) fn settle(&mut self, claim: Claim, now: Millis) {
        match claim {
            Claim::Unchanged => {}
            Claim::OursSince(since) => {
                self.claimed_as_of = since;
                self.is_ours(now);
            }
            Claim::Gone { as_of, added } => {
                self.gone_as_of = Some(as_of);
                self.theirs = self.theirs.or(added);
            }
        }
    }

    /// Whether it is missing because somebody removed it by hand.
    pub(crate) fn was_taken_by_hand(&self) -> bool {
        let last = self.history.last().map(|(at, _)| *at);
        !self.present && self.removed_by_hand.is_some() && last == self.removed_by_hand
    }

    /// Whether somebody added it by hand since it was ours: what is seen then may be theirs, while
    /// a create of ours is still at large. Nothing can tell (DESIGN 4).
    pub(crate) fn is_blurred(&self) -> bool {
        self.added_by_hand
            .is_some_and(|added| added >= self.claimed_as_of)
    }

    /// Whether an edit by hand kept this create from being waited for.
    pub(crate) fn hid(&self, create: &Job) -> bool {
        self.is_blurred() || create.signed_at < self.claimed_as_of
    }

    /// Whether it was there at any instant from `start` to `end`.
    pub(crate) fn was_present(&self, start: Millis, end: Millis) -> bool {
        self.history
            .iter()
            .enumerate()
            .any(|(at, (since, present))| {
                let until = self
                    .history
                    .get(at + 1)
                    .map_or(Millis::MAX, |(next, _)| *next);
                *present && *since <= end && until > start
            })
    }
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
    pub(crate) signed_at: Millis,
    /// When it changes the assignment, if it does.
    pub(crate) effect_at: Option<Millis>,
    /// From when its status is final.
    pub(crate) ends_at: Millis,
    pub(crate) succeeds: bool,
}

impl Aws {
    pub(crate) fn new(standing: &[bool], dice: &mut Dice) -> Self {
        Self {
            pairs: standing.iter().map(|is| Pair::new(*is)).collect(),
            jobs: Vec::new(),
            under_way: Vec::new(),
            creating_what_exists_conflicts: dice.flip(),
            deleting_what_is_missing_is_refused: dice.flip(),
            reads_of_what_vanished_fail: dice.flip(),
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
        if pair.vanished.is_some() {
            return refused("ValidationException");
        }
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
            signed_at: request.signed_at,
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
        pair.vanished.is_none() && pair.change(present, now)
    }

    /// An account is closed, or a person deleted, and what they had with it.
    pub(crate) fn vanish(&mut self, key: usize, now: Millis) {
        let pair = &mut self.pairs[key];
        pair.vanished.get_or_insert(now);
        pair.change(false, now);
    }

    /// Whether a read of it fails because there is nothing to read about.
    pub(crate) fn is_unreadable(&self, key: usize) -> bool {
        self.reads_of_what_vanished_fail && self.pairs[key].vanished.is_some()
    }

    /// Somebody else adds or removes an assignment. Says whether that changed anything: AWS lets
    /// nobody in while it works on the pair, and what exists cannot be added.
    pub(crate) fn change_by_hand(&mut self, key: usize, present: bool, now: Millis) -> bool {
        let pair = &mut self.pairs[key];
        if pair.running.is_some() || pair.present == present || pair.vanished.is_some() {
            return false;
        }
        pair.change(present, now);
        if present {
            pair.added_by_hand = Some(now);
        } else {
            pair.removed_by_hand = Some(now);
        }
        true
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

    /// What the page of a read shows that has the key's place: the truth of some seconds ago.
    pub(crate) fn shows(&self, key: usize, now: Millis, faults: &Faults, dice: &mut Dice) -> bool {
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
        *present
    }

    /// Whether a create may still take effect that was sent since the key was claimed. (What was
    /// sent before was judged when the key was last called gone.)
    pub(crate) fn may_still_appear(&self, key: usize, now: Millis) -> bool {
        let claimed_as_of = self.pairs[key].claimed_as_of;
        let running = self.jobs.iter().any(|job| {
            job.key == key
                && job.action == Action::Create
                && job.effect_at.is_some()
                && job.signed_at >= claimed_as_of
        });
        let arriving = self.under_way.iter().any(|request| {
            request.key == key
                && request.action == Action::Create
                && now - request.signed_at <= SIGNATURE_MAX
                && request.signed_at >= claimed_as_of
        });
        running || arriving
    }
}
