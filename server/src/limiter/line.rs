//! Who is next. Pure: time is given.
//!
//! Higher classes first. A class that waits is owed a share of the calls, or one every so often,
//! and is served first once that is due: so a flood of ends cannot stop grants, nor the other way
//! round. Lower classes leave some permits behind, so that a click finds one at once.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::rate::Rate;

/// What a call is for, the first first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Takes access away.
    Revoke,
    /// Gives access: what a person waits for, live look-ups included.
    Grant,
    /// How deletions go: each that has ended leaves its place to the next.
    Poll,
    /// The reads that prove an end. Those that wait are made together, a pair at a time.
    Proof,
    /// How a creation goes.
    Follow,
    /// Whether what should be there is still there.
    Reconcile,
    /// The directory.
    Refresh,
}

/// How often this has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Try {
    /// It is new.
    First,
    /// It failed before: all of these together take at most a fifth of the calls.
    Again,
}

/// What a class that waits is owed at least.
#[derive(Debug, Clone, Copy)]
enum Owed {
    /// Nothing: nobody goes before it.
    Nothing,
    /// This part of all calls.
    Share(f64),
    /// One call each such time.
    Every(Duration),
}

const CLASSES: [Class; 7] = [
    Class::Revoke,
    Class::Grant,
    Class::Poll,
    Class::Proof,
    Class::Follow,
    Class::Reconcile,
    Class::Refresh,
];

impl Class {
    /// A fifth for grants and one a second for reconciling are DESIGN 9's. Polls tell of many at a
    /// time. Proofs get little while others wait, for the longer they wait the more one read
    /// proves; but receipts must not wait for the last end of a thousand.
    const fn owed(self) -> Owed {
        match self {
            Self::Revoke => Owed::Nothing,
            Self::Grant | Self::Poll => Owed::Share(0.2),
            Self::Proof => Owed::Share(0.05),
            Self::Follow => Owed::Share(0.1),
            Self::Reconcile => Owed::Every(Duration::from_secs(1)),
            Self::Refresh => Owed::Every(Duration::from_secs(2)),
        }
    }

    /// Permits that it leaves to those before it. A grant needs two at once: its read and itself.
    /// Proofs take what would be lost: where ends come as fast as calls allow, each read that waits
    /// spares others, and no end waits for one.
    const fn leaves(self) -> f64 {
        match self {
            Self::Revoke | Self::Grant => 0.0,
            Self::Poll | Self::Follow | Self::Reconcile => 2.0,
            Self::Proof => f64::INFINITY,
            Self::Refresh => 3.0,
        }
    }
}

/// Somebody who may have left meanwhile.
pub(super) trait Waiting {
    fn has_left(&self) -> bool;
}

impl<T> Waiting for oneshot::Sender<T> {
    fn has_left(&self) -> bool {
        self.is_closed()
    }
}

#[derive(Debug)]
struct Lane<T> {
    class: Class,
    first: VecDeque<(u64, T)>,
    again: VecDeque<(u64, T)>,
    /// Calls that it is owed.
    credit: f64,
    /// When it was served last, or began to wait.
    since: Instant,
}

#[derive(Debug)]
pub(super) struct Line<T> {
    lanes: [Lane<T>; 7],
    joined: u64,
}

/// What to do now.
#[derive(Debug, PartialEq)]
pub(super) enum Next<T> {
    /// Nobody waits.
    Nobody,
    /// Nobody can go before there are this many permits, or time has passed.
    NotBefore { permits: f64 },
    /// Only retries wait, and they have had their share for now.
    NotYet,
    /// This one goes.
    Serve { waiter: T, attempt: Try },
}

impl<T: Waiting> Line<T> {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            lanes: CLASSES.map(|class| Lane {
                class,
                first: VecDeque::new(),
                again: VecDeque::new(),
                credit: 0.0,
                since: now,
            }),
            joined: 0,
        }
    }

    pub(super) fn join(&mut self, class: Class, attempt: Try, waiter: T, now: Instant) {
        self.joined += 1;
        let joined = self.joined;
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.class == class) else {
            return;
        };
        if lane.is_empty() {
            lane.since = now;
            lane.credit = 0.0;
        }
        match attempt {
            Try::First => lane.first.push_back((joined, waiter)),
            Try::Again => lane.again.push_back((joined, waiter)),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.lanes.iter().all(Lane::is_empty)
    }

    pub(super) fn next(&mut self, now: Instant, rate: &Rate) -> Next<T> {
        for lane in &mut self.lanes {
            lane.tidy();
        }
        if self.is_empty() {
            return Next::Nobody;
        }
        let retries = rate.has_retry();
        let able = |lane: &Lane<T>| lane.head(retries).is_some();
        let owed = self
            .lanes
            .iter()
            .position(|lane| able(lane) && lane.is_owed(now));
        let Some(chosen) = owed.or_else(|| self.lanes.iter().position(able)) else {
            return Next::NotYet;
        };
        let leaves = if owed.is_some() {
            0.0
        } else {
            // Never more than ever gathers.
            self.lanes[chosen].class.leaves().min(rate.gathers() - 1.0)
        };
        if !rate.has(1.0 + leaves) {
            return Next::NotBefore {
                permits: 1.0 + leaves,
            };
        }
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            if index == chosen {
                lane.credit = (lane.credit - 1.0).max(0.0);
                lane.since = now;
            } else if let (Owed::Share(share), true) = (lane.class.owed(), able(lane)) {
                lane.credit = (lane.credit + share).min(2.0);
            }
        }
        self.lanes[chosen].pop(retries).unwrap_or(Next::Nobody)
    }
}

impl<T: Waiting> Lane<T> {
    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.again.is_empty()
    }

    /// Forgets those who left.
    fn tidy(&mut self) {
        for queue in [&mut self.first, &mut self.again] {
            while queue.front().is_some_and(|(_, waiter)| waiter.has_left()) {
                queue.pop_front();
            }
        }
    }

    /// Who goes first here: in the order in which they came, retries only while they may.
    fn head(&self, retries: bool) -> Option<Try> {
        let first = self.first.front().map(|(joined, _)| *joined);
        let again = self.again.front().map(|(joined, _)| *joined);
        match (first, again.filter(|_| retries)) {
            (None, None) => None,
            (Some(first), Some(again)) if again < first => Some(Try::Again),
            (Some(_), _) => Some(Try::First),
            (None, Some(_)) => Some(Try::Again),
        }
    }

    fn pop(&mut self, retries: bool) -> Option<Next<T>> {
        let attempt = self.head(retries)?;
        let (_, waiter) = match attempt {
            Try::First => self.first.pop_front(),
            Try::Again => self.again.pop_front(),
        }?;
        Some(Next::Serve { waiter, attempt })
    }

    fn is_owed(&self, now: Instant) -> bool {
        match self.class.owed() {
            Owed::Nothing => false,
            Owed::Share(_) => self.credit >= 1.0,
            Owed::Every(time) => now.saturating_duration_since(self.since) >= time,
        }
    }
}
