//! What must be true, whatever happens: DESIGN's invariants, as far as they concern one key.

use std::fmt;

use domain::event::Kind;
use domain::grant::{Cause, Evidence, GrantChange, Inspection, ReadEvidence, Receipt};
use domain::id::{GrantId, ServerId};
use domain::key::{Action, KeyState, Operation, Phase, Stage, Standing};
use domain::plan::Purpose;
use domain::progress::Presence;
use jiff::{SignedDuration, Timestamp};

use crate::aws::{Aws, Job, Pair, Request};
use crate::faults::{LAG_MAX, Millis};
use crate::server::{Commission, Report};
use crate::store::Store;

/// Two reads that prove an absence are this far apart (DESIGN 4). Said here once more, so that the
/// planner's own number can be wrong.
const APART: SignedDuration = SignedDuration::from_secs(30);

/// What we touched so long ago may have become somebody else's (DESIGN 4).
const TOUCHED: SignedDuration = SignedDuration::from_hours(1);

/// The two reads that show that somebody else removed it are this far apart, and the first this far
/// from anything we did (DESIGN 4).
const QUIET: SignedDuration = SignedDuration::from_secs(60);

/// What was read longer ago says nothing of a key any more: others may have been there since.
const FRESH: SignedDuration = SignedDuration::from_mins(2);

/// A promise that was broken.
#[derive(Debug)]
pub(crate) struct Violation {
    pub(crate) promise: &'static str,
    what: String,
}

impl Violation {
    pub(crate) const fn new(promise: &'static str, what: String) -> Self {
        Self { promise, what }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.promise, self.what)
    }
}

type Verdict = Result<(), Violation>;

fn ensure(holds: bool, promise: &'static str, what: impl FnOnce() -> String) -> Verdict {
    if holds {
        Ok(())
    } else {
        Err(Violation::new(promise, what()))
    }
}

/// A change that has just become durable.
pub(crate) struct Committed<'a> {
    pub(crate) key: usize,
    pub(crate) before: &'a KeyState,
    pub(crate) commission: &'a Commission,
    pub(crate) store: &'a Store,
    pub(crate) aws: &'a Aws,
    /// When it is.
    pub(crate) now: Millis,
    /// When the world began.
    pub(crate) dawn: Timestamp,
    /// How far clocks may be off.
    pub(crate) skew_max: Millis,
}

/// Whose an assignment is after a change, for whoever knows the truth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// Whose it was.
    Unchanged,
    /// Ours, on record: it was not there at that instant.
    OursSince(Millis),
    /// Ours is gone. What came later than a certain instant is somebody else's, and so is what
    /// was added by hand, if it is there.
    Gone {
        as_of: Millis,
        added: Option<Millis>,
    },
}

impl Committed<'_> {
    pub(crate) fn check(&self) -> Result<Claim, Violation> {
        self.phases_agree()?;
        self.in_time()?;
        let mut claim = self.judged()?;
        if let Some(operation) = self.new_intent() {
            self.remembered(operation)?;
            match operation.action {
                Action::Create => self.creating(operation)?,
                Action::Delete => self.deleting(operation)?,
            }
        }
        for (_, step) in &self.commission.change.grants {
            match step {
                GrantChange::Activated { evidence } => self.activated(evidence)?,
                GrantChange::Ended { receipt } => {
                    if let Some(gone) = self.ended(receipt)? {
                        claim = gone;
                    }
                }
                GrantChange::Granting | GrantChange::Revoking => {}
            }
        }
        Ok(claim)
    }

    const fn after(&self) -> &KeyState {
        &self.commission.change.key
    }

    fn pair(&self) -> &Pair {
        &self.aws.pairs[self.key]
    }

    /// The earliest that a read which began then may tell of.
    fn shown_from(&self, read: &ReadEvidence) -> Millis {
        self.millis(read.began_at) - self.skew_max - LAG_MAX
    }

    /// The latest that a read may tell of.
    fn shown_until(&self, read: &ReadEvidence) -> Millis {
        self.millis(read.finished_at) + self.skew_max
    }

    /// Nothing begins before its time, and nothing is taken before it.
    fn in_time(&self) -> Verdict {
        for (id, step) in &self.commission.change.grants {
            let grant = self.store.grant(*id);
            let now = self.commission.planned_at;
            if self.is_taken(*id) {
                // Its own evidence is looked at by `removed_by_hand`.
                continue;
            }
            let holds = match step {
                GrantChange::Granting => grant.from <= now && now < grant.until,
                // By another server's clock its time was up before.
                GrantChange::Ended { .. } if self.was_on_its_way_out(*id) => true,
                GrantChange::Revoking | GrantChange::Ended { .. } => grant.until <= now,
                GrantChange::Activated { .. } => true,
            };
            ensure(holds, "a window is kept", || {
                format!("{step:?} at {now}, {} until {}", grant.from, grant.until)
            })?;
        }
        Ok(())
    }

    fn was_on_its_way_out(&self, id: GrantId) -> bool {
        let mut before = self.before.live.iter();
        before.any(|live| live.grant == id && live.phase == Phase::Revoking)
    }

    /// Whether the grant ends by this because somebody removed it.
    fn is_taken(&self, id: GrantId) -> bool {
        self.commission.change.grants.iter().any(|(of, step)| {
            let GrantChange::Ended { receipt } = step else {
                return false;
            };
            let cause = Some(Cause::RemovedByHand);
            *of == id
                && matches!(receipt, Receipt::AbsentAlready { cause: why, .. } if *why == cause)
        })
    }

    /// Invariant 5: whose it is is judged once, by a fresh complete read, or because we have just
    /// had it.
    fn judged(&self) -> Result<Claim, Violation> {
        let read = match &self.commission.report {
            Some(Report::Read(Purpose::Standing | Purpose::Presence, sighting)) => Some(sighting),
            _ => None,
        };
        if let Some(seen) = read
            && self.before.standing == Standing::Unknown
        {
            let age = self
                .commission
                .planned_at
                .duration_since(seen.read.began_at);
            ensure(
                age <= FRESH,
                "whose it is is judged by a fresh read",
                || format!("{:?} at {}", seen.read, self.commission.planned_at),
            )?;
        }
        match (self.before.standing, self.after().standing) {
            (Standing::Ours, Standing::Ours | Standing::Unknown)
            | (Standing::Standing, Standing::Standing | Standing::Unknown)
            | (Standing::Unknown, Standing::Unknown) => Ok(Claim::Unchanged),
            (Standing::Unknown | Standing::Standing, Standing::Ours) => {
                let earliest = match (read, self.before.last_write_at) {
                    (Some(seen), _) => Some(self.shown_from(&seen.read)),
                    (None, Some(write)) => {
                        let touched = self.commission.planned_at.duration_since(write) < TOUCHED;
                        let gone_as_of = self.pair().gone_as_of;
                        touched.then(|| gone_as_of.unwrap_or(Millis::MIN))
                    }
                    (None, None) => None,
                };
                let theirs = self.pair().theirs;
                let came_later = earliest.is_some_and(|at| theirs.is_none_or(|since| since > at));
                ensure(
                    came_later,
                    "what stood there before us is never claimed",
                    || format!("theirs since {theirs:?}, looked at {earliest:?}"),
                )?;
                Ok(Claim::OursSince(if read.is_some() {
                    earliest.unwrap_or(self.now)
                } else {
                    self.now
                }))
            }
            (Standing::Unknown, Standing::Standing) => {
                let pair = self.pair();
                let was_theirs = read.is_some_and(|seen| {
                    let until = pair.theirs_until.unwrap_or(Millis::MIN);
                    pair.theirs.is_some() || until >= self.shown_from(&seen.read)
                });
                ensure(
                    was_theirs,
                    "only what stood there before us is called standing",
                    || format!("{read:?}"),
                )?;
                Ok(Claim::Unchanged)
            }
            (Standing::Ours, Standing::Standing) => Err(Violation::new(
                "what is ours stays ours until it is gone",
                format!("{:?}", self.before),
            )),
        }
    }

    fn new_intent(&self) -> Option<&Operation> {
        let after = self.after().operation.as_ref()?;
        let known = self.before.operation.as_ref().map(|operation| operation.id);
        (known != Some(after.id)).then_some(after)
    }

    /// Invariant 2: what the key says of its grants is what the grants say of themselves, so each
    /// difference between two states of a key was ordered, once, as a step of a grant.
    fn phases_agree(&self) -> Verdict {
        for live in &self.after().live {
            let grant = self.store.grant(live.grant);
            ensure(
                grant.phase() == Some(live.phase) && grant.until == live.until,
                "each state change of a grant is exactly one step",
                || format!("{live:?}, but the grant is {}", grant.state.word()),
            )?;
        }
        for live in &self.before.live {
            let after = self.after().live.iter().find(|l| l.grant == live.grant);
            ensure(
                after.is_none_or(|after| (after.from, after.until) == (live.from, live.until)),
                "a window is nobody's to move but people's",
                || format!("{live:?}, then {after:?}"),
            )?;
            ensure(
                after.is_some() || self.store.grant(live.grant).phase().is_none(),
                "a grant leaves its key only by ending",
                || format!("{live:?}"),
            )?;
        }
        Ok(())
    }

    /// From its intent on an operation may have been sent, and reads that follow may not show it.
    fn remembered(&self, operation: &Operation) -> Verdict {
        let is_known = |at: Option<Timestamp>| at >= Some(operation.intended_at);
        let key = self.after();
        let deletes = operation.action == Action::Delete;
        ensure(
            is_known(key.last_write_at) && (!deletes || is_known(key.last_delete_at)),
            "an intent counts as a write",
            || {
                format!(
                    "{operation:?}, {:?}, {:?}",
                    key.last_write_at, key.last_delete_at
                )
            },
        )
    }

    /// Invariant 3.
    fn creating(&self, operation: &Operation) -> Verdict {
        let begun = self.after().live.iter().any(|live| {
            matches!(live.phase, Phase::Granting | Phase::Active)
                && live.wanted(operation.intended_at)
        });
        ensure(
            begun,
            "nothing is created that no begun grant wants",
            || format!("{operation:?}"),
        )?;
        ensure(
            operation.stage == Stage::Intended && self.after().standing == Standing::Ours,
            "whose it is is judged and on record before it is created",
            || format!("{operation:?}, {:?}", self.after().standing),
        )
    }

    /// Invariant 5.
    fn deleting(&self, operation: &Operation) -> Verdict {
        ensure(
            self.pair().theirs.is_none() && self.after().standing == Standing::Ours,
            "what stood there before us is never deleted",
            || format!("{operation:?}, {:?}", self.after().standing),
        )?;
        ensure(
            !self.after().wanted(operation.intended_at),
            "nothing is deleted that a live grant wants",
            || format!("{operation:?}, {:?}", self.after().live),
        )
    }

    fn activated(&self, evidence: &Evidence) -> Verdict {
        let true_ = match evidence {
            Evidence::Created { aws_request_id, .. } => {
                self.aws.job(aws_request_id).is_some_and(|job| {
                    job.action == Action::Create && job.succeeds && job.ends_at <= self.now
                })
            }
            Evidence::Seen { read } => {
                self.was_made(read, Presence::Present)?;
                let (from, until) = (self.shown_from(read), self.shown_until(read));
                self.pair().was_present(from, until)
            }
        };
        ensure(true_, "access is called active only on evidence", || {
            format!("{evidence:?}")
        })
    }

    /// Invariant 6: what is concluded from a read was read, every page of it.
    fn was_made(&self, read: &ReadEvidence, presence: Presence) -> Verdict {
        let made = self.pair().reads.iter().rev();
        let mut of_it = made.filter(|(other, _)| other == read);
        ensure(
            of_it.any(|(_, seen)| *seen == presence),
            "only complete reads are evidence",
            || format!("{presence:?} by {read:?}"),
        )
    }

    /// Invariant 4. If it is said to be gone, as of when.
    fn ended(&self, receipt: &Receipt) -> Result<Option<Claim>, Violation> {
        match receipt {
            Receipt::Removed {
                aws_request_id,
                succeeded_at,
                read,
                ..
            } => {
                let job = self.aws.job(aws_request_id);
                let proven = job.is_some_and(|job| job.action == Action::Delete && job.succeeds)
                    && read.began_at >= *succeeded_at;
                ensure(proven, "a removal has its evidence", || {
                    format!("{receipt:?}")
                })?;
                self.is_gone(receipt, read)
            }
            Receipt::AbsentAlready {
                first,
                second,
                cause,
                ..
            } => {
                if *cause == Some(Cause::RemovedByHand) {
                    self.removed_by_hand(first, second)?;
                }
                let apart = second.began_at.duration_since(first.finished_at);
                let skew = SignedDuration::from_millis(2 * self.skew_max);
                ensure(
                    apart >= APART - skew,
                    "two reads that prove an absence are far apart",
                    || format!("{receipt:?}"),
                )?;
                self.was_made(first, Presence::Absent)?;
                self.is_gone(receipt, second)
            }
            Receipt::HeldBy { grants } => {
                let holds = |id| {
                    self.after().live.iter().any(|live| {
                        live.grant == id
                            && live.wanted(self.commission.planned_at)
                            && matches!(live.phase, Phase::Granting | Phase::Active)
                    })
                };
                ensure(
                    !grants.is_empty() && grants.iter().all(|id| holds(*id)),
                    "whoever is said to hold the key does, and will answer for it",
                    || format!("{receipt:?}, {:?}", self.after().live),
                )?;
                Ok(None)
            }
            Receipt::Standing => {
                ensure(
                    self.before.standing == Standing::Standing,
                    "only what stood there before us is called standing",
                    || format!("{:?}", self.before),
                )?;
                Ok(None)
            }
            Receipt::TargetGone {
                gone,
                first,
                second,
            } => {
                let skew = SignedDuration::from_millis(2 * self.skew_max);
                let made = |look: &Inspection| {
                    self.pair().inspections.contains(look) && gone.is_subset(&look.gone)
                };
                let apart = second.began_at.duration_since(first.finished_at) >= QUIET - skew;
                ensure(
                    !gone.is_empty() && made(first) && made(second) && apart,
                    "what is called gone for good was found gone twice",
                    || format!("{receipt:?}"),
                )?;
                ensure(
                    self.pair().vanished.is_some()
                        && !self.aws.may_still_appear(self.key, self.now),
                    "only what vanished is called gone for good",
                    || format!("{receipt:?}"),
                )?;
                Ok(None)
            }
            // That its grant was only promised is what `Grant::apply` insists on.
            Receipt::NeverGranted => Ok(None),
        }
    }

    /// A grant ends before its time only where somebody removed it, nothing of ours can have, and
    /// two reads say so that are far from anything we did and from each other.
    fn removed_by_hand(&self, first: &ReadEvidence, second: &ReadEvidence) -> Verdict {
        let skew = SignedDuration::from_millis(2 * self.skew_max);
        let quiet_since = self.before.last_write_at.max(self.before.active_at);
        let is_far = |since: Timestamp, read: &ReadEvidence| {
            read.began_at.duration_since(since) >= QUIET - skew
        };
        ensure(
            self.before.operation.is_none()
                && self.before.lost_delete_at.is_none()
                && quiet_since.is_none_or(|since| is_far(since, first))
                && is_far(first.finished_at, second),
            "what others removed is told by two reads in quiet times",
            || format!("{first:?}, {second:?}, {:?}", self.before),
        )?;
        ensure(
            self.pair().removed_by_hand.is_some() || self.pair().vanished.is_some(),
            "a grant ends before its time only where somebody removed it",
            || format!("{:?}", self.before),
        )
    }

    fn is_gone(&self, receipt: &Receipt, last: &ReadEvidence) -> Result<Option<Claim>, Violation> {
        self.was_made(last, Presence::Absent)?;
        let pair = self.pair();
        let added = (pair.present && pair.is_blurred()).then_some(self.now);
        ensure(
            !pair.present || added.is_some(),
            "access is called gone only when it is gone",
            || format!("{receipt:?}"),
        )?;
        ensure(
            !self.aws.may_still_appear(self.key, self.now) || self.pair().is_blurred(),
            "access is called gone only when no create is at large",
            || format!("{receipt:?}"),
        )?;
        Ok(Some(Claim::Gone {
            as_of: self.shown_from(last),
            added,
        }))
    }

    fn millis(&self, at: Timestamp) -> Millis {
        millis_since(self.dawn, at)
    }
}

pub(crate) fn millis_since(dawn: Timestamp, at: Timestamp) -> Millis {
    Millis::try_from(at.duration_since(dawn).as_millis()).expect("a world lasts some hours")
}

/// An operation is about to be sent.
pub(crate) fn sending(store: &Store, request: &Request, by: ServerId) -> Verdict {
    let intent = store.intent(request.operation);
    ensure(
        intent.is_some_and(|intent| intent.action == request.action && intent.by == by),
        "only the server whose intent is on record sends it",
        || format!("{request:?}"),
    )
}

/// The same, where clocks are so near each other that nobody takes an intent over too soon.
pub(crate) fn sending_its_own(store: &Store, request: &Request) -> Verdict {
    let current = store.key(request.key).operation.as_ref();
    ensure(
        current.is_some_and(|current| {
            current.id == request.operation && current.stage == Stage::Intended
        }),
        "nobody sends what another has taken over",
        || format!("{request:?}, {current:?}"),
    )
}

/// An assignment has just appeared by a job of ours. Says whether nobody answers for it, because
/// an edit by hand hid that it was still to come.
pub(crate) fn appeared(key: &KeyState, aws: &Aws, job: &Job) -> Result<bool, Violation> {
    let answered_for =
        key.operation.is_some() || key.live.iter().any(|live| live.phase != Phase::Scheduled);
    let hidden = aws.pairs[job.key].hid(job);
    ensure(
        answered_for || hidden,
        "nothing of ours appears after its end was proved",
        || format!("{key:?}"),
    )?;
    Ok(!answered_for)
}

/// An assignment is about to go, by a job of ours.
pub(crate) fn disappearing(aws: &Aws, job: &Job) -> Verdict {
    let theirs = aws.pairs[job.key].theirs;
    ensure(
        theirs.is_none_or(|since| since > job.signed_at),
        "what stood there before us is never deleted",
        || format!("{job:?}, theirs since {theirs:?}"),
    )
}

/// Whoever is wanted at this instant, and has been since the other, has access.
pub(crate) fn served(
    store: &Store,
    aws: &Aws,
    key: usize,
    since: Timestamp,
    at: Timestamp,
) -> Verdict {
    if aws.pairs[key].vanished.is_some() {
        // Nobody can be given it.
        return Ok(());
    }
    let state = store.key(key);
    let mut steady = state
        .holders(at)
        .filter(|live| live.wanted(since))
        .peekable();
    let wanted = steady.peek().is_some();
    let waiting = steady.find(|live| live.phase != Phase::Active);
    ensure(
        waiting.is_none(),
        "what is wanted becomes active soon after the faults stop",
        || format!("{waiting:?} of {state:?}"),
    )?;
    ensure(
        !wanted || aws.pairs[key].present || aws.pairs[key].was_taken_by_hand(),
        "what is active is there",
        || format!("{state:?}"),
    )
}

/// Everything has had its time.
pub(crate) fn over(store: &Store, aws: &Aws) -> Verdict {
    for grant in store.grants() {
        ensure(grant.phase().is_none(), "every grant ends", || {
            format!("{} is {}", grant.id, grant.state.word())
        })?;
        let kinds: Vec<u8> = store
            .events(grant.id)
            .iter()
            .map(|kind| place(*kind))
            .collect();
        ensure(
            kinds.first() == Some(&0)
                && kinds.last() == Some(&4)
                && kinds.is_sorted_by(|one, next| one < next),
            "each state change is exactly one event",
            || format!("{:?}", store.events(grant.id)),
        )?;
    }
    for (key, pair) in aws.pairs.iter().enumerate() {
        let state = store.key(key);
        ensure(
            state.live.is_empty() && state.operation.is_none(),
            "a key comes to rest",
            || format!("{state:?}"),
        )?;
        ensure(
            pair.present == pair.theirs.is_some(),
            "nothing of ours remains, and nothing else goes",
            || {
                format!(
                    "key {key} theirs since: {:?}, present: {}",
                    pair.theirs, pair.present
                )
            },
        )?;
    }
    Ok(())
}

/// A grant that nothing stood in the way of has ended.
pub(crate) fn ended_by_now(store: &Store, grant: domain::id::GrantId) -> Verdict {
    let grant = store.grant(grant);
    ensure(
        grant.phase().is_none(),
        "a grant ends promptly, or soon after the faults stop",
        || format!("{} is {}", grant.id, grant.state.word()),
    )
}

/// The place of an event in the life of a grant.
const fn place(kind: Kind) -> u8 {
    match kind {
        Kind::GrantScheduled => 0,
        Kind::GrantGranting => 1,
        Kind::GrantActivated => 2,
        Kind::GrantRevoking => 3,
        Kind::GrantEnded => 4,
        _ => u8::MAX,
    }
}
