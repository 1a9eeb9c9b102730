//! What must be true, whatever happens: DESIGN's invariants, as far as they concern one key.

use std::fmt;

use domain::grant::{Evidence, GrantChange, Receipt};
use domain::key::{Action, KeyState, Operation, Phase, Stage, Standing};
use domain::plan::{Change, SECOND_READ_AFTER};
use jiff::Timestamp;

use crate::aws::Aws;
use crate::faults::{LAG_MAX, Millis, SECOND};
use crate::store::Store;

/// Clocks of servers differ from the true time by at most this.
pub(crate) const SKEW_MAX: Millis = 2 * SECOND;

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
    pub(crate) change: &'a Change,
    /// When the server that made it thought it was.
    pub(crate) planned_at: Timestamp,
    pub(crate) store: &'a Store,
    pub(crate) aws: &'a Aws,
    /// When it is.
    pub(crate) now: Millis,
    /// When the world began.
    pub(crate) dawn: Timestamp,
}

impl Committed<'_> {
    pub(crate) fn check(&self) -> Verdict {
        self.phases_agree()?;
        if let Some(operation) = self.new_intent() {
            match operation.action {
                Action::Create => self.creating(operation)?,
                Action::Delete => self.deleting(operation)?,
            }
        }
        for (_, step) in &self.change.grants {
            match step {
                GrantChange::Activated { evidence } => self.activated(evidence)?,
                GrantChange::Ended { receipt } => self.ended(receipt)?,
                GrantChange::Granting | GrantChange::Revoking => {}
            }
        }
        Ok(())
    }

    fn new_intent(&self) -> Option<&Operation> {
        let after = self.change.key.operation.as_ref()?;
        let known = self.before.operation.as_ref().map(|operation| operation.id);
        (known != Some(after.id)).then_some(after)
    }

    /// Invariant 2: what the key says of its grants is what the grants say of themselves, so each
    /// difference between two states of a key was ordered, once, as a step of a grant.
    fn phases_agree(&self) -> Verdict {
        for live in &self.change.key.live {
            let grant = self.store.grant(live.grant);
            ensure(
                grant.phase() == Some(live.phase) && grant.until == live.until,
                "each state change of a grant is exactly one step",
                || format!("{live:?}, but the grant is {}", grant.state.word()),
            )?;
        }
        for live in &self.before.live {
            let stays = self.change.key.live.iter().any(|l| l.grant == live.grant);
            ensure(
                stays || self.store.grant(live.grant).phase().is_none(),
                "a grant leaves its key only by ending",
                || format!("{live:?}"),
            )?;
        }
        Ok(())
    }

    /// Invariant 3.
    fn creating(&self, operation: &Operation) -> Verdict {
        let begun = self.change.key.live.iter().any(|live| {
            matches!(live.phase, Phase::Granting | Phase::Active)
                && live.wanted(operation.intended_at)
        });
        ensure(
            begun,
            "nothing is created that no begun grant wants",
            || format!("{operation:?}"),
        )?;
        ensure(
            operation.stage == Stage::Intended && self.change.key.standing == Standing::Ours,
            "whose it is is judged and on record before it is created",
            || format!("{operation:?}, {:?}", self.change.key.standing),
        )
    }

    /// Invariant 5.
    fn deleting(&self, operation: &Operation) -> Verdict {
        ensure(
            !self.aws.pairs[self.key].by_hand,
            "what stood there before us is never deleted",
            || format!("{operation:?}"),
        )?;
        ensure(
            !self.change.key.wanted(operation.intended_at),
            "nothing is deleted that a live grant wants",
            || format!("{operation:?}, {:?}", self.change.key.live),
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
                let began = self.millis(read.began_at) - SKEW_MAX - LAG_MAX;
                let finished = self.millis(read.finished_at) + SKEW_MAX;
                self.aws.was_present(self.key, began, finished)
            }
        };
        ensure(true_, "access is called active only on evidence", || {
            format!("{evidence:?}")
        })
    }

    /// Invariant 4.
    fn ended(&self, receipt: &Receipt) -> Verdict {
        if receipt.access_is_gone() {
            ensure(
                !self.aws.pairs[self.key].present,
                "access is called gone only when it is gone",
                || format!("{receipt:?}"),
            )?;
            ensure(
                !self.aws.may_still_appear(self.key, self.now),
                "access is called gone only when no create is at large",
                || format!("{receipt:?}"),
            )?;
        }
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
                })
            }
            Receipt::AbsentAlready { first, second, .. } => {
                let apart = second.began_at.duration_since(first.finished_at);
                ensure(
                    apart >= SECOND_READ_AFTER - jiff::SignedDuration::from_millis(2 * SKEW_MAX),
                    "two reads that prove an absence are far apart",
                    || format!("{receipt:?}"),
                )
            }
            Receipt::HeldBy { grants } => {
                let holds = |id| {
                    self.change.key.live.iter().any(|live| {
                        live.grant == id
                            && live.wanted(self.planned_at)
                            && matches!(live.phase, Phase::Granting | Phase::Active)
                    })
                };
                ensure(
                    !grants.is_empty() && grants.iter().all(|id| holds(*id)),
                    "whoever is said to hold the key does, and will answer for it",
                    || format!("{receipt:?}, {:?}", self.change.key.live),
                )
            }
            Receipt::Standing => ensure(
                self.aws.pairs[self.key].by_hand,
                "only what stood there before us is called standing",
                || format!("{receipt:?}"),
            ),
            Receipt::TargetGone { .. } => {
                ensure(false, "nothing vanishes in this world", String::new)
            }
            // That its grant was only promised is what `Grant::apply` insists on.
            Receipt::NeverGranted => Ok(()),
        }
    }

    fn millis(&self, at: Timestamp) -> Millis {
        millis_since(self.dawn, at)
    }
}

pub(crate) fn millis_since(dawn: Timestamp, at: Timestamp) -> Millis {
    Millis::try_from(at.duration_since(dawn).as_millis()).expect("a world lasts some hours")
}

/// An operation is about to be sent.
pub(crate) fn sending(
    store: &Store,
    operation: domain::id::OperationId,
    action: Action,
    by: domain::id::ServerId,
) -> Verdict {
    let intent = store.intent(operation);
    ensure(
        intent.is_some_and(|intent| intent.action == action && intent.by == by),
        "only the server whose intent is on record sends it",
        || format!("{action:?} {operation}"),
    )
}

/// An assignment has just appeared.
pub(crate) fn appeared(key: &KeyState) -> Verdict {
    let answered_for =
        key.operation.is_some() || key.live.iter().any(|live| live.phase != Phase::Scheduled);
    ensure(
        answered_for,
        "nothing of ours appears after its end was proved",
        || format!("{key:?}"),
    )
}

/// An assignment has just gone, by a job of ours.
pub(crate) fn disappeared(aws: &Aws, key: usize) -> Verdict {
    ensure(
        !aws.pairs[key].by_hand,
        "what stood there before us is never deleted",
        || format!("key {key}"),
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
        !wanted || aws.pairs[key].present,
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
    }
    for (key, pair) in aws.pairs.iter().enumerate() {
        let state = store.key(key);
        ensure(
            state.live.is_empty() && state.operation.is_none(),
            "a key comes to rest",
            || format!("{state:?}"),
        )?;
        ensure(
            pair.present == pair.by_hand,
            "nothing of ours remains, and nothing else goes",
            || {
                format!(
                    "key {key} by hand: {}, present: {}",
                    pair.by_hand, pair.present
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
        "in quiet times a grant ends promptly",
        || format!("{} is {}", grant.id, grant.state.word()),
    )
}
