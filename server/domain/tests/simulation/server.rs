//! A server, as far as keys concern it: load, plan, take the step, report, store, again.
//!
//! Each word of that is an act of its own, so that the world can end or freeze a server between any
//! two: between signing and the last look at the clock, between that and the network, between two
//! pages of a read.

use std::fmt;

use domain::grant::{Inspection, Part, ReadEvidence};
use domain::id::{OperationId, ServerId};
use domain::key::{Action, KeyState, Phase};
use domain::plan::{Change, Context, Purpose, SEND_WITHIN, Step, plan};
use domain::progress::{
    Presence, Sent, Sighting, Status, backoff, inspected, observed, polled, read, sent, unread,
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::aws::Request;
use crate::check::{self, Violation, millis_since};
use crate::faults::{MINUTE, Millis, SECOND};
use crate::store::Commit;
use crate::world::{Event, World, tell};

/// A worker looks at a key now and then even if nobody wakes it.
const TICK: Millis = 10 * MINUTE;

pub(crate) struct Server {
    pub(crate) id: ServerId,
    /// Grows at each death: what an earlier life began is nobody's.
    pub(crate) life: u32,
    pub(crate) up: bool,
    /// Nothing of it moves before.
    pub(crate) frozen_until: Millis,
    /// It does not reach the store before.
    pub(crate) cut_off_until: Millis,
    /// How far its clock is off.
    pub(crate) skew: Millis,
    pub(crate) tasks: Vec<Task>,
}

impl Server {
    pub(crate) fn new(keys: usize) -> Self {
        Self {
            id: ServerId::new(Uuid::nil()),
            life: 0,
            up: false,
            frozen_until: 0,
            cut_off_until: 0,
            skew: 0,
            tasks: vec![Task::default(); keys],
        }
    }
}

/// What a server remembers of a key between acts. Lost when it dies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    busy: bool,
    woken: bool,
    timer: u32,
    /// What it has just stored itself, which it does not read again.
    stored: Option<KeyState>,
    /// How often a read failed in a row that no operation paces.
    unread: u32,
    /// The operation that it handed to the network last: it never does so twice.
    handed: Option<OperationId>,
}

impl Task {
    /// Nothing is done until somebody wakes it. Gives the timer that may.
    fn rest(&mut self) -> u32 {
        self.busy = false;
        self.stored = None;
        self.timer += 1;
        self.timer
    }
}

/// One life of one server, and one key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Who {
    pub(crate) server: usize,
    pub(crate) life: u32,
    pub(crate) key: usize,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "server {} on key {}", self.server, self.key)
    }
}

/// A change that a server wants stored.
#[derive(Debug, Clone)]
pub(crate) struct Commission {
    pub(crate) change: Change,
    /// When the server thought it was.
    pub(crate) planned_at: Timestamp,
    /// What it came of; told again if it cannot be stored.
    pub(crate) report: Option<Report>,
}

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Plan,
    Commit(Box<Commission>),
    Sign {
        operation: OperationId,
        action: Action,
        intended_at: Timestamp,
    },
    /// The last look before the network.
    Send {
        request: Request,
        intended_at: Timestamp,
    },
    Read(Reading),
    Poll {
        operation: OperationId,
        aws_request_id: String,
    },
    Report(Report),
}

/// A read of all pages, some of them made.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    /// `None`: somebody looks after everything.
    purpose: Option<Purpose>,
    began_at: Timestamp,
    /// How many pages there are, and on which one the key's assignment has its place.
    pages: i64,
    place: i64,
    made: i64,
    presence: Presence,
}

/// What a server saw.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    Sent(OperationId, Sent),
    Polled(OperationId, Status),
    Read(Purpose, Sighting),
    Unread(Purpose),
    /// Seen by somebody who looks after everything.
    Observed(Sighting),
    Inspected(OperationId, Inspection),
}

impl Report {
    fn judge(&self, key: &KeyState, at: Context) -> Option<Change> {
        match self {
            Self::Sent(id, answer) => sent(key, *id, answer.clone(), at.now),
            Self::Polled(id, status) => polled(key, *id, status, at.now),
            Self::Read(purpose, sighting) => read(key, *purpose, sighting, at),
            Self::Unread(purpose) => unread(key, *purpose, at.now),
            Self::Observed(sighting) => observed(key, sighting, at),
            Self::Inspected(id, inspection) => inspected(key, *id, inspection, at.now),
        }
    }
}

impl World {
    /// Somebody says that there may be something to do for a key; or its time has come.
    pub(crate) fn wake(&mut self, who: Who, timer: Option<u32>) {
        let server = &mut self.servers[who.server];
        if server.life != who.life || !server.up {
            return;
        }
        let task = &mut server.tasks[who.key];
        if timer.is_some_and(|timer| timer != task.timer) {
            return;
        }
        if task.busy {
            task.woken = true;
        } else {
            task.busy = true;
            self.soon(who, Act::Plan);
        }
    }

    pub(crate) fn act(&mut self, who: Who, act: Act) -> Result<(), Violation> {
        if self.servers[who.server].life != who.life {
            return Ok(());
        }
        let dies = self.dice.chance(self.faults.crash);
        if dies && self.dice.flip() {
            self.die(who.server);
            return Ok(());
        }
        if self.dice.chance(self.faults.freeze) {
            self.freeze(who.server);
            self.at(
                self.servers[who.server].frozen_until,
                Event::Act { who, act },
            );
            return Ok(());
        }
        match act {
            Act::Plan => self.plan(who)?,
            Act::Commit(commission) => self.try_commit(who, *commission)?,
            Act::Sign {
                operation,
                action,
                intended_at,
            } => self.prepare(who, operation, action, intended_at),
            Act::Send {
                request,
                intended_at,
            } => self.send(who, request, intended_at)?,
            Act::Read(reading) => self.look(who, reading),
            Act::Poll {
                operation,
                aws_request_id,
            } => {
                let status =
                    self.aws
                        .status(&aws_request_id, self.now, &self.faults, &mut self.dice);
                tell!(self, "{who} is told {status:?}");
                self.soon(who, Act::Report(Report::Polled(operation, status)));
            }
            Act::Report(report) => self.report(who, report),
        }
        if dies {
            self.die(who.server);
        }
        Ok(())
    }

    /// What a server that knows nothing of a key but what is stored does next.
    fn plan(&mut self, who: Who) -> Result<(), Violation> {
        if !self.leads(who) {
            // Whoever leads looks at every key.
            self.servers[who.server].tasks[who.key].rest();
            return Ok(());
        }
        let task = &mut self.servers[who.server].tasks[who.key];
        task.woken = false;
        let stored = task.stored.take();
        let key = match stored {
            Some(stored) => stored,
            None if self.is_cut_off(who) => {
                self.later(who, Act::Plan);
                return Ok(());
            }
            None => self.store.key(who.key).clone(),
        };
        let at = self.context(who);
        let step = plan(&key, at);
        if !matches!(step, Step::Wait { .. }) {
            tell!(self, "{who} plans {}", brief(&step));
        }
        match step {
            Step::Wait { .. } if self.looks_after(&key) => {
                let reading = self.reading(None, at.now);
                self.soon(who, Act::Read(reading));
            }
            Step::Wait { until } => self.rest(who, &key, until, at.now)?,
            Step::Record(change) => self.wants_stored(who, change, at.now, None),
            Step::Read(purpose) => {
                let reading = self.reading(Some(purpose), at.now);
                self.soon(who, Act::Read(reading));
            }
            Step::Send { operation, action } => {
                // Whether there is an intent is for `check::sending` to say.
                let intended_at = key
                    .operation
                    .as_ref()
                    .map_or(at.now, |operation| operation.intended_at);
                self.soon(
                    who,
                    Act::Sign {
                        operation,
                        action,
                        intended_at,
                    },
                );
            }
            Step::Inspect(operation) => {
                let inspection = self.inspect(who, at.now);
                self.soon(who, Act::Report(Report::Inspected(operation, inspection)));
            }
            Step::Poll {
                operation,
                aws_request_id,
                ..
            } => self.soon(
                who,
                Act::Poll {
                    operation,
                    aws_request_id,
                },
            ),
        }
        Ok(())
    }

    /// Asks whether everything still exists. A question that is not answered says nothing.
    fn inspect(&mut self, who: Who, now: Timestamp) -> Inspection {
        let answered = !self.dice.chance(self.faults.unread);
        let pair = &mut self.aws.pairs[who.key];
        let gone = (answered && pair.vanished.is_some()).then_some(Part::Account);
        let inspection = Inspection {
            began_at: now,
            finished_at: now,
            gone: gone.into_iter().collect(),
        };
        pair.inspections.push(inspection.clone());
        inspection
    }

    /// Now and then somebody reads what nothing is planned for: the whole organisation.
    fn looks_after(&mut self, key: &KeyState) -> bool {
        let is_active = key.live.iter().any(|live| live.phase == Phase::Active);
        is_active && self.dice.chance(0.2)
    }

    fn reading(&mut self, purpose: Option<Purpose>, began_at: Timestamp) -> Reading {
        let pages = self.dice.between(1, 3);
        Reading {
            purpose,
            began_at,
            pages,
            place: self.dice.between(1, pages),
            made: 0,
            presence: Presence::Absent,
        }
    }

    fn rest(
        &mut self,
        who: Who,
        key: &KeyState,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Violation> {
        if until.is_some_and(|until| until <= now) {
            let what = format!("{key:?}");
            return Err(Violation::new("nobody waits for the past", what));
        }
        let server = &mut self.servers[who.server];
        let task = &mut server.tasks[who.key];
        if task.woken {
            self.soon(who, Act::Plan);
            return Ok(());
        }
        let timer = Some(task.rest());
        let skew = server.skew;
        let tick = self.now + TICK;
        // Rounded up: waking before the time would only mean waiting again.
        let wake_at = until.map_or(tick, |until| {
            (millis_since(self.dawn, until) + 1 - skew).clamp(self.now + 1, tick)
        });
        let wake_at = if self.dice.chance(self.faults.stale_list) {
            // It is not listed as due yet, although it is.
            wake_at + self.dice.between(SECOND, MINUTE)
        } else {
            wake_at
        };
        self.at(wake_at, Event::Wake { who, timer });
        Ok(())
    }

    fn wants_stored(
        &mut self,
        who: Who,
        change: Change,
        planned_at: Timestamp,
        report: Option<Report>,
    ) {
        let commission = Commission {
            change,
            planned_at,
            report,
        };
        self.soon(who, Act::Commit(Box::new(commission)));
    }

    fn try_commit(&mut self, who: Who, commission: Commission) -> Result<(), Violation> {
        if self.dice.chance(self.faults.cut_off) {
            self.cut_off(who.server);
        }
        let report = commission.report.clone();
        let mut stored = None;
        if self.is_cut_off(who) || self.dice.chance(self.faults.store_down) {
            tell!(self, "{who} cannot reach the store");
        } else if self.dice.chance(self.faults.commit_late) {
            tell!(self, "{who} hears nothing of a commit");
            let when = self.now + self.dice.between(1, 20 * SECOND);
            let key = who.key;
            let commission = Box::new(commission);
            self.at(when, Event::LateCommit { key, commission });
        } else {
            let done = self.commit(who.key, &commission)?;
            let heard = !self.dice.chance(self.faults.commit_unheard);
            let done = matches!(done, Commit::Stored(_));
            tell!(
                self,
                "{who} commits: {}{}",
                if done { "stored" } else { "conflict" },
                if heard { "" } else { ", but does not hear it" },
            );
            stored = (done && heard).then(|| self.store.key(who.key).clone());
        }
        let is_stored = stored.is_some();
        self.servers[who.server].tasks[who.key].stored = stored;
        match report.filter(|_| !is_stored) {
            // What was seen is told until it is recorded, or means nothing any more.
            Some(report) => self.later(who, Act::Report(report)),
            None if is_stored => self.soon(who, Act::Plan),
            None => self.later(who, Act::Plan),
        }
        Ok(())
    }

    fn report(&mut self, who: Who, report: Report) {
        if self.is_cut_off(who) {
            self.later(who, Act::Report(report));
            return;
        }
        let at = self.context(who);
        let key = self.store.key(who.key).clone();
        match report.judge(&key, at) {
            Some(change) => self.wants_stored(who, change, at.now, Some(report)),
            None if matches!(report, Report::Unread(_)) => self.paced(who),
            None => self.later(who, Act::Plan),
        }
    }

    /// Nothing was concluded from a read that failed: it is made again later and later.
    fn paced(&mut self, who: Who) {
        let task = &mut self.servers[who.server].tasks[who.key];
        task.unread += 1;
        let pause = backoff(task.unread).as_millis();
        let when = self.now + Millis::try_from(pause).expect("five minutes at most");
        self.at(
            when,
            Event::Act {
                who,
                act: Act::Plan,
            },
        );
    }

    /// Signs a request, once.
    fn prepare(
        &mut self,
        who: Who,
        operation: OperationId,
        action: Action,
        intended_at: Timestamp,
    ) {
        let task = &mut self.servers[who.server].tasks[who.key];
        if task.handed == Some(operation) {
            let report = Report::Sent(operation, Sent::Unheard);
            self.soon(who, Act::Report(report));
            return;
        }
        task.handed = Some(operation);
        let request = self.sign(who, operation, action);
        let act = Act::Send {
            request,
            intended_at,
        };
        self.soon(who, act);
    }

    /// Looks at the clock and at the lease, and hands the request over, or does not.
    fn send(
        &mut self,
        who: Who,
        request: Request,
        intended_at: Timestamp,
    ) -> Result<(), Violation> {
        let now = self.context(who).now;
        if now.duration_since(intended_at) > SEND_WITHIN || !self.leads(who) {
            tell!(self, "{who} does not send what it means to: it is too late");
            self.count("not sent in time");
            let code = "not-sent-in-time".to_owned();
            let report = Report::Sent(request.operation, Sent::Refused { code });
            self.soon(who, Act::Report(report));
            return Ok(());
        }
        let by = self.servers[who.server].id;
        check::sending(&self.store, &request, by)?;
        if self.clocks_are_near() {
            check::sending_its_own(&self.store, &request)?;
        }
        self.dispatch(who, request);
        Ok(())
    }

    /// Asks for the next page.
    fn look(&mut self, who: Who, mut reading: Reading) {
        if self.aws.is_unreadable(who.key) || self.dice.chance(self.faults.unread) {
            tell!(self, "{who} does not get a page of a read");
            self.count("page lost");
            match reading.purpose {
                Some(purpose) => self.soon(who, Act::Report(Report::Unread(purpose))),
                // Nothing is concluded, and nobody waits for it.
                None => self.later(who, Act::Plan),
            }
            return;
        }
        reading.made += 1;
        let shows = |world: &mut Self| {
            let (aws, dice) = (&world.aws, &mut world.dice);
            aws.shows(who.key, world.now, &world.faults, dice)
        };
        if reading.made == reading.place && shows(self) {
            reading.presence = Presence::Present;
        }
        if reading.made < reading.pages {
            self.soon(who, Act::Read(reading));
            return;
        }
        let read = ReadEvidence {
            began_at: reading.began_at,
            finished_at: self.context(who).now,
            pages: u32::try_from(reading.pages).expect("small"),
        };
        let presence = reading.presence;
        tell!(self, "{who} sees it {presence:?}");
        self.servers[who.server].tasks[who.key].unread = 0;
        self.aws.pairs[who.key].reads.push((read.clone(), presence));
        let sighting = Sighting { presence, read };
        let report = match reading.purpose {
            Some(purpose) => Report::Read(purpose, sighting),
            None => Report::Observed(sighting),
        };
        self.soon(who, Act::Report(report));
    }

    fn context(&mut self, who: Who) -> Context {
        let fresh = OperationId::new(self.fresh_id());
        let server = &self.servers[who.server];
        Context {
            now: self.instant(self.now + server.skew),
            me: server.id,
            fresh,
        }
    }

    /// The next act, after as long as such a thing takes.
    fn soon(&mut self, who: Who, act: Act) {
        let mut pause = self.dice.between(1, 60);
        if self.dice.chance(self.faults.slow) {
            pause = self.dice.between(60, 30 * SECOND);
        }
        let when = self.recovers_at(pause);
        self.at(when, Event::Act { who, act });
    }

    /// The same, where the worker paces itself.
    fn later(&mut self, who: Who, act: Act) {
        let when = self.now + self.dice.between(100, 2 * SECOND);
        self.at(when, Event::Act { who, act });
    }
}

fn brief(step: &Step) -> String {
    match step {
        Step::Record(change) => format!(
            "to record {:?}, standing {:?}, grants {:?}",
            change.key.operation, change.key.standing, change.grants
        ),
        other => format!("{other:?}"),
    }
}
