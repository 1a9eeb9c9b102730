//! Time, chance, and what happens next.

use std::collections::BTreeMap;

use domain::grant::{Evidence, GrantChange};
use domain::id::{GrantId, ServerId};
use domain::key::{KeyState, Stage};
use domain::plan::Change;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::aws::{Aws, Request};
use crate::check::{self, Committed, Violation};
use crate::fate::key_of;
use crate::faults::{Dice, Faults, HOUR, MINUTE, Millis, SECOND};
use crate::lease::{Lease, Life};
use crate::server::{Act, Commission, Server, Who};
use crate::store::{Commit, Store};

/// More than this many events in a world means that somebody runs in circles.
const EVENTS_MAX: u32 = 60_000;

/// After the faults stop, whatever they left behind (operations of 14 min, signatures of 15,
/// pauses of 5) is over by then, and what is wanted is there.
pub(crate) const RECOVERY: Millis = 30 * MINUTE;

/// With nothing left behind, a start or an end takes at most this: AWS's own time, its lag, and
/// the clocks.
const PROMPT: Millis = 45 * SECOND;

/// Clocks are off by at most this: together less than [`domain::plan::GRACE`] leaves ...
const SKEW: Millis = 2 * SECOND;

/// ... except in some worlds, where they are off by nearly as much as a leader's may be (30 s from
/// the table's).
const WILD_SKEW: Millis = 14 * SECOND;

/// Writes the next line of the story, if anybody listens.
macro_rules! tell {
    ($world:expr, $($what:tt)*) => {
        if $world.listened() {
            let line = format!($($what)*);
            $world.write(&line);
        }
    };
}
pub(crate) use tell;

pub(crate) enum Event {
    /// An approval.
    Promise {
        key: usize,
        from: Millis,
        until: Millis,
    },
    /// One of the grants is to end sooner.
    EndEarly {
        key: usize,
    },
    /// Somebody else edits the assignment.
    ByHand {
        key: usize,
        adds: bool,
    },
    /// What it is about ceases to exist.
    Vanish {
        key: usize,
    },
    Wake {
        who: Who,
        timer: Option<u32>,
    },
    Act {
        who: Who,
        act: Act,
    },
    Restart {
        server: usize,
    },
    /// A server that was frozen or cut off is so no more.
    Back {
        life: Life,
    },
    /// The lease's holder renews it again.
    Renew {
        life: Life,
        counter: u64,
    },
    /// Whoever stands by has seen the lease's counter stand still.
    TakeOver {
        life: Life,
        counter: u64,
    },
    /// A commit whose answer was lost reaches the store.
    LateCommit {
        key: usize,
        commission: Box<Commission>,
    },
    /// A request reaches AWS; somebody may wait for its answer.
    Arrive {
        request: Request,
        waits: Option<Who>,
    },
    /// A job changes an assignment.
    Effect {
        job: usize,
    },
    /// A job is over.
    Finish {
        job: usize,
    },
    FaultsStop,
    /// Whoever is wanted must have access.
    Served {
        key: usize,
    },
    /// A grant has had more time than its end may take.
    Ended {
        grant: GrantId,
    },
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) dawn: Timestamp,
    pub(crate) quiet_at: Millis,
    pub(crate) ends_at: Millis,
    /// Clocks of servers differ from the true time by at most this.
    pub(crate) skew_max: Millis,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) aws: Aws,
    pub(crate) store: Store,
    pub(crate) lease: Lease,
    pub(crate) servers: Vec<Server>,
    queue: BTreeMap<(Millis, u64), Event>,
    counter: u64,
    story: Option<Vec<String>>,
    seen: BTreeMap<&'static str, u64>,
}

/// How a world ended.
pub(crate) struct Ending {
    pub(crate) violation: Option<Violation>,
    pub(crate) story: Vec<String>,
    pub(crate) seen: BTreeMap<&'static str, u64>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let faults = Faults::drawn(&mut dice);
        let keys = usize::try_from(dice.between(1, 3)).expect("small");
        let standing: Vec<bool> = (0..keys).map(|_| dice.chance(0.2)).collect();
        let servers = usize::try_from(dice.between(1, 3)).expect("small");
        let quiet_at = dice.between(20 * MINUTE, 5 * HOUR);
        let mut world = Self {
            now: 0,
            dawn: Timestamp::from_second(1_800_000_000).expect("a date in 2027"),
            quiet_at,
            ends_at: quiet_at,
            skew_max: if dice.chance(0.2) { WILD_SKEW } else { SKEW },
            aws: Aws::new(&standing, &mut dice),
            store: Store::new((0..keys).map(|key| KeyState::new(key_of(key))).collect()),
            lease: Lease::drawn(&mut dice),
            dice,
            faults,
            servers: Vec::new(),
            queue: BTreeMap::new(),
            counter: 0,
            story: None,
            seen: BTreeMap::new(),
        };
        for server in 0..servers {
            world.servers.push(Server::new(keys));
            world.at(0, Event::Restart { server });
        }
        for key in 0..keys {
            world.write_fate(key);
        }
        if !world.clocks_are_near() {
            world.count("clocks far apart");
        }
        world.at(quiet_at, Event::FaultsStop);
        world
    }

    /// Writes its story down.
    pub(crate) fn told(mut self) -> Self {
        self.story = Some(vec![format!("{:?}", self.faults)]);
        self
    }

    pub(crate) fn run(mut self) -> Ending {
        let violation = self.live().err();
        if let Some(violation) = &violation {
            tell!(self, "*** {violation}");
        }
        Ending {
            violation,
            story: self.story.unwrap_or_default(),
            seen: self.seen,
        }
    }

    fn live(&mut self) -> Result<(), Violation> {
        let mut events = 0;
        while let Some(((at, _), event)) = self.queue.pop_first() {
            if at > self.ends_at {
                break;
            }
            self.now = at;
            events += 1;
            if events > EVENTS_MAX {
                let what = format!("{events} events by {at} ms");
                return Err(Violation::new("nobody runs in circles", what));
            }
            self.happen(event)?;
        }
        check::over(&self.store, &self.aws)
    }

    fn happen(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Promise { key, from, until } => self.promise(key, from, until),
            Event::EndEarly { key } => self.end_early(key),
            Event::ByHand { key, adds } => self.edit_by_hand(key, adds),
            Event::Vanish { key } => self.vanish(key),
            Event::Wake { who, timer } => match self.thaws_at(who) {
                Some(thaws_at) => self.at(thaws_at, Event::Wake { who, timer }),
                None => self.wake(who, timer),
            },
            Event::Act { who, act } => match self.thaws_at(who) {
                Some(thaws_at) => self.at(thaws_at, Event::Act { who, act }),
                None => return self.act(who, act),
            },
            Event::Restart { server } => self.restart(server),
            Event::Back { life } => self.is_back(life),
            Event::Renew { life, counter } => self.renew(life, counter),
            Event::TakeOver { life, counter } => self.take_over(life, counter),
            Event::LateCommit { key, commission } => {
                if let Commit::Stored(_) = self.commit(key, &commission)? {
                    self.count("commit applied late");
                    tell!(
                        self,
                        "a commit that was not heard of is applied to key {key}"
                    );
                }
            }
            Event::Arrive { request, waits } => self.arrive(&request, waits),
            Event::Effect { job } => return self.take_effect(job),
            Event::Finish { job } => self.aws.finish(job),
            Event::FaultsStop => {
                tell!(self, "the faults stop");
                self.faults = self.faults.stopped();
            }
            Event::Served { key } => {
                let since = self.instant(self.now - self.prompt());
                let now = self.instant(self.now);
                return check::served(&self.store, &self.aws, key, since, now);
            }
            Event::Ended { grant } => return check::ended_by_now(&self.store, grant),
        }
        Ok(())
    }

    /// A wake-up carries no data, and while things go wrong it may not come at all.
    pub(crate) fn wake_all(&mut self, key: usize) {
        for server in 0..self.servers.len() {
            if self.faults.crash > 0.0 && self.dice.chance(0.05) {
                continue;
            }
            let life = self.servers[server].life;
            let who = Who { server, life, key };
            let when = self.now + self.dice.between(1, 1_500);
            self.at(when, Event::Wake { who, timer: None });
        }
    }

    /// A commit reaches the store.
    pub(crate) fn commit(
        &mut self,
        key: usize,
        commission: &Commission,
    ) -> Result<Commit, Violation> {
        let change = &commission.change;
        let commit = self.store.commit(key, change, commission.planned_at)?;
        if let Commit::Stored(before) = &commit {
            let committed = Committed {
                key,
                before,
                commission,
                store: &self.store,
                aws: &self.aws,
                now: self.now,
                dawn: self.dawn,
                skew_max: self.skew_max,
            };
            let theirs = committed.check()?;
            self.aws.pairs[key].settle(theirs, self.now);
            self.remember(before, change);
            self.wake_all(key);
        }
        Ok(commit)
    }

    fn remember(&mut self, before: &KeyState, change: &Change) {
        for (_, step) in &change.grants {
            match step {
                GrantChange::Activated { evidence } => self.count(match evidence {
                    Evidence::Created { .. } => "activated by a success",
                    Evidence::Seen { .. } => "activated by a sighting",
                }),
                GrantChange::Ended { receipt } => self.count(match receipt.word() {
                    "removed" => "receipt removed",
                    "absent-already" if is_taken(receipt) => "ended by whoever removed it",
                    "absent-already" => "receipt absent-already",
                    "held-by" => "receipt held-by",
                    "standing" => "receipt standing",
                    "target-gone" => "receipt target-gone",
                    _ => "receipt never-granted",
                }),
                GrantChange::Granting | GrantChange::Revoking => {}
            }
        }
        if let (Some(old), Some(new)) = (&before.operation, &change.key.operation)
            && old.id == new.id
            && matches!(new.stage, Stage::Unknown { .. })
        {
            match old.stage {
                Stage::Intended if old.by != new.by => self.count("intent adopted"),
                Stage::Sent { .. } => self.count("stalled"),
                _ => {}
            }
        }
    }

    pub(crate) fn count(&mut self, situation: &'static str) {
        *self.seen.entry(situation).or_default() += 1;
    }

    pub(crate) fn at(&mut self, when: Millis, event: Event) {
        self.counter += 1;
        self.queue.insert((when, self.counter), event);
    }

    pub(crate) fn instant(&self, at: Millis) -> Timestamp {
        self.dawn + SignedDuration::from_millis(at)
    }

    /// How long a start or an end may take if nothing is in its way.
    pub(crate) const fn prompt(&self) -> Millis {
        if self.clocks_are_near() {
            PROMPT
        } else {
            // A server whose clock is far ahead takes an intent for lost that is on its way: that
            // costs Z, and nothing else.
            RECOVERY
        }
    }

    pub(crate) const fn clocks_are_near(&self) -> bool {
        self.skew_max <= SKEW
    }

    /// How far somebody's clock is off.
    pub(crate) fn a_skew(&mut self) -> Millis {
        self.dice.between(-self.skew_max, self.skew_max)
    }

    pub(crate) fn fresh_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(crate) fn fresh_id(&mut self) -> Uuid {
        Uuid::from_u128(u128::from(self.fresh_number()))
    }

    pub(crate) fn fresh_server(&mut self) -> ServerId {
        ServerId::new(self.fresh_id())
    }

    pub(crate) const fn listened(&self) -> bool {
        self.story.is_some()
    }

    pub(crate) fn write(&mut self, line: &str) {
        let (minutes, millis) = (self.now / MINUTE, self.now % MINUTE);
        if let Some(story) = &mut self.story {
            story.push(format!("{minutes:>4}m{:06.3}s {line}", seconds(millis)));
        }
    }
}

fn seconds(millis: Millis) -> f64 {
    f64::from(i32::try_from(millis).expect("less than a minute")) / 1_000.0
}

/// Whether somebody's removal by hand ended the grant.
const fn is_taken(receipt: &domain::grant::Receipt) -> bool {
    matches!(
        receipt,
        domain::grant::Receipt::AbsentAlready { cause: Some(_), .. }
    )
}
