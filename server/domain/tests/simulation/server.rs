//! A server, as far as keys concern it: load, plan, take the step, report, store, again.
//!
//! Each line of that is an act of its own, so that the world can end a server between any two.

use std::fmt;

use domain::grant::Inspection;
use domain::id::{OperationId, ServerId};
use domain::key::{Action, KeyState};
use domain::plan::{Change, Context, Purpose, SEND_WITHIN, Step, plan};
use domain::progress::{Sent, Sighting, Status, inspected, polled, read, sent, unread};
use jiff::Timestamp;

use crate::check::{self, Violation, millis_since};
use crate::faults::{MINUTE, Millis, SECOND};
use crate::store::Commit;
use crate::world::{Event, World, tell};

/// One attempt at a call to AWS. With [`SEND_WITHIN`] shorter than the planner's grace.
const TIMEOUT: Millis = 3 * SECOND;

/// A worker looks at a key now and then even if nobody wakes it.
const TICK: Millis = 10 * MINUTE;

pub(crate) struct Server {
    pub(crate) id: ServerId,
    /// Grows at each death: what an earlier life began is nobody's.
    pub(crate) life: u32,
    pub(crate) up: bool,
    /// How far its clock is off.
    pub(crate) skew: Millis,
    pub(crate) tasks: Vec<Task>,
}

/// What a server remembers of a key between acts. Lost when it dies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Task {
    busy: bool,
    woken: bool,
    timer: u32,
    /// The operation that it handed to the network last: it never does so twice.
    handed: Option<OperationId>,
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

#[derive(Debug, Clone)]
pub(crate) enum Act {
    Plan,
    Commit {
        change: Box<Change>,
        planned_at: Timestamp,
        /// What it came of; told again if the commit fails.
        report: Option<Report>,
    },
    Send {
        operation: OperationId,
        action: Action,
        intended_at: Timestamp,
    },
    Read {
        purpose: Purpose,
        began_at: Timestamp,
    },
    Poll {
        operation: OperationId,
        aws_request_id: String,
    },
    Report(Report),
}

/// What a server saw.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    Sent(OperationId, Sent),
    Polled(OperationId, Status),
    Read(Purpose, Sighting),
    Unread(Purpose),
    Inspected(OperationId, Inspection),
}

impl Report {
    fn judge(&self, key: &KeyState, at: Context) -> Option<Change> {
        match self {
            Self::Sent(id, answer) => sent(key, *id, answer.clone(), at.now),
            Self::Polled(id, status) => polled(key, *id, status, at.now),
            Self::Read(purpose, sighting) => read(key, *purpose, sighting, at),
            Self::Unread(purpose) => unread(key, *purpose, at.now),
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
        match act {
            Act::Plan => self.plan(who)?,
            Act::Commit {
                change,
                planned_at,
                report,
            } => self.try_commit(who, change, planned_at, report)?,
            Act::Send {
                operation,
                action,
                intended_at,
            } => self.send(who, operation, action, intended_at)?,
            Act::Read { purpose, began_at } => self.look(who, purpose, began_at),
            Act::Poll {
                operation,
                aws_request_id,
            } => {
                let status =
                    self.aws
                        .status(&aws_request_id, self.now, &self.faults, &mut self.dice);
                tell!(self, "{} is told {status:?}", who);
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
        self.servers[who.server].tasks[who.key].woken = false;
        let at = self.context(who);
        let key = self.store.key(who.key).clone();
        let step = plan(&key, at);
        if !matches!(step, Step::Wait { .. }) {
            tell!(self, "{} plans {}", who, brief(&step));
        }
        match step {
            Step::Wait { until } => self.rest(who, until, at.now)?,
            Step::Record(change) => self.soon(
                who,
                Act::Commit {
                    change: Box::new(change),
                    planned_at: at.now,
                    report: None,
                },
            ),
            Step::Read(purpose) => {
                let began_at = at.now;
                self.soon(who, Act::Read { purpose, began_at });
            }
            Step::Send { operation, action } => {
                // Whether there is an intent is for `check::sending` to say.
                let intended_at = key
                    .operation
                    .as_ref()
                    .map_or(at.now, |operation| operation.intended_at);
                self.soon(
                    who,
                    Act::Send {
                        operation,
                        action,
                        intended_at,
                    },
                );
            }
            Step::Inspect(operation) => {
                // Nothing vanishes in this world.
                let inspection = Inspection {
                    began_at: at.now,
                    finished_at: at.now,
                    gone: std::collections::BTreeSet::new(),
                };
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

    fn rest(
        &mut self,
        who: Who,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Violation> {
        if until.is_some_and(|until| until <= now) {
            let what = format!("{:?}", self.store.key(who.key));
            return Err(Violation::new("nobody waits for the past", what));
        }
        let server = &mut self.servers[who.server];
        let task = &mut server.tasks[who.key];
        if task.woken {
            self.soon(who, Act::Plan);
            return Ok(());
        }
        task.busy = false;
        task.timer += 1;
        let timer = Some(task.timer);
        let skew = server.skew;
        let tick = self.now + TICK;
        // Rounded up: waking before the time would only mean waiting again.
        let wake_at = until.map_or(tick, |until| {
            (millis_since(self.dawn, until) + 1 - skew).clamp(self.now + 1, tick)
        });
        self.at(wake_at, Event::Wake { who, timer });
        Ok(())
    }

    fn try_commit(
        &mut self,
        who: Who,
        change: Box<Change>,
        planned_at: Timestamp,
        report: Option<Report>,
    ) -> Result<(), Violation> {
        let stored = if self.dice.chance(self.faults.store_down) {
            tell!(self, "{} cannot reach the store", who);
            false
        } else if self.dice.chance(self.faults.commit_late) {
            tell!(self, "{} hears nothing of a commit", who);
            let when = self.now + self.dice.between(1, 20 * SECOND);
            let key = who.key;
            let event = Event::LateCommit {
                key,
                change,
                planned_at,
            };
            self.at(when, event);
            false
        } else {
            let done = self.commit(who.key, &change, planned_at)?;
            let heard = !self.dice.chance(self.faults.commit_unheard);
            tell!(
                self,
                "{} commits: {}{}",
                who,
                if matches!(done, Commit::Stored(_)) {
                    "stored"
                } else {
                    "conflict"
                },
                if heard { "" } else { ", but does not hear it" },
            );
            matches!(done, Commit::Stored(_)) && heard
        };
        match report.filter(|_| !stored) {
            // What was seen is told until it is recorded, or means nothing any more.
            Some(report) => self.later(who, Act::Report(report)),
            None if stored => self.soon(who, Act::Plan),
            None => self.later(who, Act::Plan),
        }
        Ok(())
    }

    fn report(&mut self, who: Who, report: Report) {
        let at = self.context(who);
        let key = self.store.key(who.key).clone();
        match report.judge(&key, at) {
            Some(change) => self.soon(
                who,
                Act::Commit {
                    change: Box::new(change),
                    planned_at: at.now,
                    report: Some(report),
                },
            ),
            None => self.later(who, Act::Plan),
        }
    }

    fn send(
        &mut self,
        who: Who,
        operation: OperationId,
        action: Action,
        intended_at: Timestamp,
    ) -> Result<(), Violation> {
        let now = self.context(who).now;
        if now.duration_since(intended_at) > SEND_WITHIN {
            tell!(self, "{} finds its intent too old to send", who);
            self.later(who, Act::Plan);
            return Ok(());
        }
        let server = &mut self.servers[who.server];
        let task = &mut server.tasks[who.key];
        if task.handed == Some(operation) {
            let report = Report::Sent(operation, Sent::Unheard);
            self.soon(who, Act::Report(report));
            return Ok(());
        }
        task.handed = Some(operation);
        check::sending(&self.store, operation, action, server.id)?;
        self.dispatch(who, operation, action, TIMEOUT);
        Ok(())
    }

    fn look(&mut self, who: Who, purpose: Purpose, began_at: Timestamp) {
        let finished_at = self.context(who).now;
        let report = if self.dice.chance(self.faults.unread) {
            Report::Unread(purpose)
        } else {
            let presence = self
                .aws
                .look(who.key, self.now, &self.faults, &mut self.dice);
            let read = domain::grant::ReadEvidence {
                began_at,
                finished_at,
                pages: 1,
            };
            Report::Read(purpose, Sighting { presence, read })
        };
        tell!(self, "{} sees {report:?}", who);
        self.soon(who, Act::Report(report));
    }

    fn die(&mut self, server: usize) {
        tell!(self, "server {server} dies");
        self.count("server died");
        let keys = self.servers[server].tasks.len();
        let dead = &mut self.servers[server];
        dead.life += 1;
        dead.up = false;
        dead.tasks = vec![Task::default(); keys];
        let away = if self.dice.chance(self.faults.crash_for_long) {
            self.dice.between(MINUTE, 150 * MINUTE)
        } else {
            self.dice.between(100, 30 * SECOND)
        };
        let back_at = (self.now + away).min(self.quiet_at.max(self.now + 100));
        self.at(back_at, Event::Restart { server });
    }

    pub(crate) fn restart(&mut self, server: usize) {
        let id = ServerId::new(self.fresh_id());
        let skew = self.dice.between(-check::SKEW_MAX, check::SKEW_MAX);
        let reborn = &mut self.servers[server];
        reborn.id = id;
        reborn.skew = skew;
        reborn.up = true;
        let life = reborn.life;
        tell!(self, "server {server} starts, its clock off by {skew} ms");
        for key in 0..self.servers[server].tasks.len() {
            self.wake(Who { server, life, key }, None);
        }
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
        if self.dice.chance(self.faults.freeze) {
            pause = self.dice.between(SECOND, 20 * MINUTE);
        }
        // Whoever is frozen when the faults stop thaws then.
        let when = (self.now + pause).min(self.quiet_at.max(self.now + 60));
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
