//! Time, chance, and the story of one seed.

use std::collections::BTreeMap;

use domain::grant::{Grant, GrantChange, GrantState};
use domain::id::{
    AccountId, AskIndex, GrantId, OperationId, PermissionSetArn, RequestId, ServerId, UserId,
};
use domain::key::{Action, KeyState, Stage};
use domain::plan::Change;
use domain::progress::Sent;
use domain::request::{Names, Who as Person};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::aws::{Aws, Request};
use crate::check::{self, Committed, Violation};
use crate::faults::{Dice, Faults, HOUR, MINUTE, Millis, SECOND};
use crate::server::{Act, Report, Server, Task, Who};
use crate::store::{Commit, Store};

/// More than this many events in a world means that somebody runs in circles.
const EVENTS_MAX: u32 = 60_000;

/// After the faults stop, whatever they left behind (operations of 14 min, signatures of 15,
/// pauses of 5) is over by then, and what is wanted is there.
const RECOVERY: Millis = 30 * MINUTE;

/// With nothing left behind, a start or an end takes at most this: AWS's own time, its lag, and
/// the clocks.
const PROMPT: Millis = 45 * SECOND;

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
    /// A commit whose answer was lost reaches the store.
    LateCommit {
        key: usize,
        change: Box<Change>,
        planned_at: Timestamp,
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
    /// A grant that began and ended in quiet times must have ended.
    Ended {
        grant: GrantId,
    },
}

pub(crate) struct World {
    pub(crate) now: Millis,
    pub(crate) dawn: Timestamp,
    pub(crate) quiet_at: Millis,
    ends_at: Millis,
    pub(crate) dice: Dice,
    pub(crate) faults: Faults,
    pub(crate) aws: Aws,
    pub(crate) store: Store,
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
        let servers = dice.between(1, 2);
        let quiet_at = dice.between(20 * MINUTE, 5 * HOUR);
        let mut world = Self {
            now: 0,
            dawn: Timestamp::from_second(1_800_000_000).expect("a date in 2027"),
            quiet_at,
            ends_at: quiet_at + RECOVERY,
            aws: Aws::new(&standing, &mut dice),
            store: Store::new((0..keys).map(|key| KeyState::new(key_of(key))).collect()),
            dice,
            faults,
            servers: Vec::new(),
            queue: BTreeMap::new(),
            counter: 0,
            story: None,
            seen: BTreeMap::new(),
        };
        for server in 0..servers {
            world.servers.push(Server {
                id: ServerId::new(Uuid::nil()),
                life: 0,
                up: false,
                skew: 0,
                tasks: vec![Task::default(); keys],
            });
            let server = usize::try_from(server).expect("small");
            world.at(0, Event::Restart { server });
        }
        for key in 0..keys {
            world.write_fate(key);
        }
        world.at(quiet_at, Event::FaultsStop);
        world
    }

    /// Decides what will be asked of a key, and when.
    fn write_fate(&mut self, key: usize) {
        let mut last_end = 0;
        for _ in 0..self.dice.between(1, 6) {
            let approved = self.dice.between(0, self.quiet_at);
            let from = match self.dice.between(0, 3) {
                // Exactly when another ends, as an extension does.
                0 if last_end > 0 => last_end,
                1 => approved + self.dice.between(0, 30 * MINUTE),
                _ => approved,
            };
            let lasts = match self.dice.between(0, 4) {
                0 => 20 * SECOND,
                1 => MINUTE,
                2 | 3 => self.dice.between(5 * MINUTE, 20 * MINUTE),
                _ => self.dice.between(HOUR, 3 * HOUR),
            };
            let until = from + lasts;
            last_end = until;
            self.ends_at = self.ends_at.max(until + RECOVERY);
            let when = approved.min(from);
            self.at(when, Event::Promise { key, from, until });
        }
        let settled = self.quiet_at + RECOVERY;
        self.at(settled, Event::Served { key });
        // Not always: a last grant would also clear up what the others left.
        if self.dice.flip() {
            let from = settled + MINUTE;
            let until = from + self.dice.between(2 * MINUTE, 20 * MINUTE);
            self.at(from, Event::Promise { key, from, until });
            self.at(from + PROMPT, Event::Served { key });
            self.at(until - 10 * SECOND, Event::Served { key });
            self.ends_at = self.ends_at.max(until + RECOVERY);
        }
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
            Event::Wake { who, timer } => self.wake(who, timer),
            Event::Act { who, act } => return self.act(who, act),
            Event::Restart { server } => self.restart(server),
            Event::LateCommit {
                key,
                change,
                planned_at,
            } => {
                if let Commit::Stored(_) = self.commit(key, &change, planned_at)? {
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
                let since = self.instant(self.now - PROMPT);
                let now = self.instant(self.now);
                return check::served(&self.store, &self.aws, key, since, now);
            }
            Event::Ended { grant } => return check::ended_by_now(&self.store, grant),
        }
        Ok(())
    }

    fn promise(&mut self, key: usize, from: Millis, until: Millis) {
        let id = GrantId::new(self.fresh_id());
        tell!(self, "grant {id} on key {key} from {from} until {until}");
        let grant = Grant {
            id,
            request: RequestId::new(id.uuid()),
            ask: AskIndex(0),
            key: key_of(key),
            names: Names {
                account: "Payments Production".into(),
                permission_set: "ReadOnlyAccess".into(),
                session_seconds: 3_600,
            },
            requester: Person {
                id: key_of(key).user,
                name: "Ana Silva".into(),
                email: None,
            },
            approver: None,
            reason: "because".into(),
            ticket: None,
            from: self.instant(from),
            until: self.instant(until),
            run_from: None,
            state: GrantState::Scheduled,
            approved_by: String::new(),
        };
        self.store.promise(key, grant);
        if self.now > self.quiet_at + RECOVERY {
            self.at(until + PROMPT, Event::Ended { grant: id });
        }
        self.wake_all(key);
    }

    /// A wake-up carries no data, and while things go wrong it may not come at all.
    fn wake_all(&mut self, key: usize) {
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
        change: &Change,
        planned_at: Timestamp,
    ) -> Result<Commit, Violation> {
        let commit = self.store.commit(key, change, planned_at)?;
        if let Commit::Stored(before) = &commit {
            let committed = Committed {
                key,
                before,
                change,
                planned_at,
                store: &self.store,
                aws: &self.aws,
                now: self.now,
                dawn: self.dawn,
            };
            committed.check()?;
            self.remember(before, change);
            self.wake_all(key);
        }
        Ok(commit)
    }

    /// Hands a request to the network, which may do with it what it likes.
    pub(crate) fn dispatch(
        &mut self,
        who: Who,
        operation: OperationId,
        action: Action,
        timeout: Millis,
    ) {
        self.counter += 1;
        let request = Request {
            number: self.counter,
            operation,
            action,
            key: who.key,
            signed_at: self.now,
        };
        let undelivered = self.dice.chance(self.faults.undelivered);
        let late = self.dice.chance(self.faults.late);
        let heard = !undelivered && !late && !self.dice.chance(self.faults.unheard);
        tell!(
            self,
            "{} sends {action:?} {operation}{}",
            who,
            match (undelivered, late, heard) {
                (true, ..) => ", which is lost",
                (_, true, _) => ", which will arrive late",
                (.., false) => ", whose answer will be lost",
                _ => "",
            }
        );
        if !undelivered {
            let travels = if late {
                self.dice.between(SECOND, 16 * MINUTE)
            } else {
                self.dice.between(5, 300)
            };
            self.aws.under_way.push(request.clone());
            let waits = heard.then_some(who);
            self.at(self.now + travels, Event::Arrive { request, waits });
        }
        if !heard {
            let act = Act::Report(Report::Sent(operation, Sent::Unheard));
            self.at(self.now + timeout, Event::Act { who, act });
        }
    }

    fn arrive(&mut self, request: &Request, waits: Option<Who>) {
        let answer = self
            .aws
            .arrive(request, self.now, &self.faults, &mut self.dice);
        tell!(
            self,
            "AWS answers {:?} {}: {answer:?}",
            request.action,
            request.operation
        );
        match &answer {
            Sent::Accepted { .. } => {
                let number = self.aws.jobs.len() - 1;
                let job = self.aws.jobs[number].clone();
                if let Some(effect_at) = job.effect_at {
                    self.at(effect_at, Event::Effect { job: number });
                    self.count_fate(&job, request, waits);
                }
                self.at(job.ends_at, Event::Finish { job: number });
            }
            Sent::Refused { code } if code == "InvalidSignatureException" => {
                self.count("signature too old");
            }
            Sent::Contradicted { .. } => self.count("conflict"),
            Sent::Refused { .. } | Sent::Unheard => {}
        }
        if let Some(who) = waits {
            let when = self.now + self.dice.between(5, 300);
            let act = Act::Report(Report::Sent(request.operation, answer));
            self.at(when, Event::Act { who, act });
        }
    }

    fn count_fate(&mut self, job: &crate::aws::Job, request: &Request, waits: Option<Who>) {
        match (job.action, waits, job.succeeds) {
            (Action::Create, None, _) if self.now - request.signed_at > MINUTE => {
                self.count("answer lost, create happened minutes later");
            }
            (Action::Create, None, _) => self.count("answer lost, create happened"),
            (Action::Delete, None, _) => self.count("answer lost, delete happened"),
            (Action::Create, _, false) => self.count("create failed although it happened"),
            (Action::Delete, _, false) => self.count("delete failed although it happened"),
            _ => {}
        }
    }

    fn take_effect(&mut self, number: usize) -> Result<(), Violation> {
        let job = self.aws.jobs[number].clone();
        let changed = self.aws.take_effect(number, self.now);
        tell!(
            self,
            "AWS: {:?} takes effect on key {}",
            job.action,
            job.key
        );
        let key = self.store.key(job.key);
        match job.action {
            Action::Create => check::appeared(key),
            Action::Delete => {
                check::disappeared(&self.aws, job.key)?;
                let current = key.operation.as_ref().map(|operation| operation.id);
                if changed && current != Some(job.operation) && key.wanted(self.instant(self.now)) {
                    self.count("lost delete took a re-granted assignment");
                }
                Ok(())
            }
        }
    }

    fn remember(&mut self, before: &KeyState, change: &Change) {
        for (_, step) in &change.grants {
            match step {
                GrantChange::Activated { evidence } => self.count(match evidence {
                    domain::grant::Evidence::Created { .. } => "activated by a success",
                    domain::grant::Evidence::Seen { .. } => "activated by a sighting",
                }),
                GrantChange::Ended { receipt } => self.count(match receipt.word() {
                    "removed" => "receipt removed",
                    "absent-already" => "receipt absent-already",
                    "held-by" => "receipt held-by",
                    "standing" => "receipt standing",
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

    pub(crate) fn fresh_id(&mut self) -> Uuid {
        self.counter += 1;
        Uuid::from_u128(u128::from(self.counter))
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

fn key_of(number: usize) -> Key {
    let user = format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}");
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Key {
        user: UserId::parse(&user).expect("a user id"),
        target: Target::Account {
            account: AccountId::parse("111122223333").expect("an account id"),
            permission_set: PermissionSetArn::parse(set).expect("an ARN"),
        },
    }
}
