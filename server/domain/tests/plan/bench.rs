//! A key, a server that works on it, and hands that turn the clock.

use std::collections::BTreeSet;

use domain::grant::{GrantChange, Inspection, Part, ReadEvidence};
use domain::id::{AccountId, GrantId, OperationId, PermissionSetArn, ServerId, UserId};
use domain::key::{Action, KeyState, Phase, Stage};
use domain::plan::{Change, Context, Purpose, Step, plan};
use domain::progress::{
    Presence, Sent, Sighting, Status, inspected, observed, polled, read, sent, unread,
};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 3_600;

/// A key, a server that works on it, and its clock.
pub(crate) struct Bench {
    pub(crate) key: KeyState,
    pub(crate) dawn: Timestamp,
    pub(crate) now: Timestamp,
    pub(crate) me: ServerId,
    ids: u128,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let user = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b";
        let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
        let key = Key {
            user: UserId::parse(user).expect("a user id"),
            target: Target::Account {
                account: AccountId::parse("111122223333").expect("an account id"),
                permission_set: PermissionSetArn::parse(set).expect("an ARN"),
            },
        };
        let dawn = Timestamp::from_second(1_800_000_000).expect("a date in 2027");
        Self {
            key: KeyState::new(key),
            dawn,
            now: dawn,
            me: ServerId::new(Uuid::from_u128(1)),
            ids: 100,
        }
    }

    /// A key with one grant, active from now for that many seconds.
    pub(crate) fn active(seconds: i64) -> (Self, GrantId) {
        let mut bench = Self::new();
        let grant = bench.grant(0, seconds);
        bench.start();
        (bench, grant)
    }

    pub(crate) fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// Another server takes over.
    pub(crate) fn another_server(&mut self) {
        self.me = ServerId::new(self.id());
    }

    pub(crate) fn context(&mut self) -> Context {
        Context {
            now: self.now,
            me: self.me,
            fresh: OperationId::new(self.id()),
        }
    }

    /// So many seconds since the beginning.
    pub(crate) fn second(&self, second: i64) -> Timestamp {
        self.dawn + SignedDuration::from_secs(second)
    }

    /// A grant from that second since the beginning until that one.
    pub(crate) fn grant(&mut self, from: i64, until: i64) -> GrantId {
        let id = GrantId::new(self.id());
        let (from, until) = (self.second(from), self.second(until));
        self.key = self.key.clone().with(id, from, until);
        id
    }

    pub(crate) fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    pub(crate) fn pass_secs(&mut self, seconds: i64) {
        self.pass(SignedDuration::from_secs(seconds));
    }

    pub(crate) fn plan(&mut self) -> Step {
        let at = self.context();
        plan(&self.key, at)
    }

    pub(crate) fn store(&mut self, change: Change) -> Vec<(GrantId, GrantChange)> {
        self.key = KeyState {
            version: change.key.version + 1,
            ..change.key
        };
        change.grants
    }

    /// Takes a step that only records.
    pub(crate) fn record(&mut self) -> Vec<(GrantId, GrantChange)> {
        match self.plan() {
            Step::Record(change) => self.store(change),
            other => panic!("{other:?}"),
        }
    }

    /// Waits as planned, and says for how long.
    pub(crate) fn wait(&mut self) -> SignedDuration {
        match self.plan() {
            Step::Wait { until: Some(until) } => {
                let time = until.duration_since(self.now);
                self.now = until;
                time
            }
            other => panic!("{other:?}"),
        }
    }

    /// Sends what is planned, to that end.
    pub(crate) fn send(&mut self, expected: Action, answer: Sent) -> Vec<(GrantId, GrantChange)> {
        let Step::Send { operation, action } = self.plan() else {
            panic!("{:?}", self.plan());
        };
        assert_eq!(action, expected);
        let change = sent(&self.key, operation, answer, self.now).expect("news");
        self.store(change)
    }

    pub(crate) fn accepted(&mut self, expected: Action) {
        let aws_request_id = format!("aws-{}", self.ids);
        self.send(expected, Sent::Accepted { aws_request_id });
    }

    /// Asks AWS how it is going, when that is due.
    pub(crate) fn poll(&mut self, status: &Status) -> Vec<(GrantId, GrantChange)> {
        if let Step::Wait { .. } = self.plan() {
            self.wait();
        }
        let Step::Poll { operation, .. } = self.plan() else {
            panic!("{:?}", self.plan());
        };
        let change = polled(&self.key, operation, status, self.now).expect("news");
        self.store(change)
    }

    /// Looks, as planned, or a moment later.
    pub(crate) fn look(&mut self, presence: Presence) -> (Purpose, Vec<(GrantId, GrantChange)>) {
        if let Step::Wait { until: Some(until) } = self.plan()
            && until.duration_since(self.now) <= SignedDuration::from_millis(1)
        {
            self.now = until;
        }
        let Step::Read(purpose) = self.plan() else {
            panic!("{:?}", self.plan());
        };
        let sighting = self.sighting(presence);
        let at = self.context();
        let change = read(&self.key, purpose, &sighting, at).expect("a conclusion");
        (purpose, self.store(change))
    }

    pub(crate) fn sighting(&self, presence: Presence) -> Sighting {
        Sighting {
            presence,
            read: ReadEvidence {
                began_at: self.now,
                finished_at: self.now,
                pages: 1,
            },
        }
    }

    /// Looks, as planned, and hears nothing.
    pub(crate) fn fail_to_look(&mut self) {
        let Step::Read(purpose) = self.plan() else {
            panic!("{:?}", self.plan());
        };
        let change = unread(&self.key, purpose, self.now).expect("news");
        self.store(change);
    }

    /// Somebody who looks after everything reads; says whether that is news.
    pub(crate) fn observe(&mut self, presence: Presence) -> Option<Vec<(GrantId, GrantChange)>> {
        let sighting = self.sighting(presence);
        let at = self.context();
        let change = observed(&self.key, &sighting, at)?;
        Some(self.store(change))
    }

    /// Asks whether everything exists, as planned.
    pub(crate) fn inspect(&mut self, gone: &[Part]) -> Vec<(GrantId, GrantChange)> {
        let Step::Inspect(operation) = self.plan() else {
            panic!("{:?}", self.plan());
        };
        let inspection = self.inspection(gone);
        let change = inspected(&self.key, operation, &inspection, self.now).expect("news");
        self.store(change)
    }

    pub(crate) fn inspection(&self, gone: &[Part]) -> Inspection {
        Inspection {
            began_at: self.now,
            finished_at: self.now,
            gone: gone.iter().copied().collect::<BTreeSet<Part>>(),
        }
    }

    /// From nothing to active, with nothing going wrong.
    pub(crate) fn start(&mut self) {
        if let Step::Read(_) = self.plan() {
            self.look(Presence::Absent);
        } else {
            self.record();
        }
        self.accepted(Action::Create);
        self.poll(&Status::Succeeded);
    }

    /// From over to deleted, but not yet read about.
    pub(crate) fn delete(&mut self) {
        self.record();
        self.accepted(Action::Delete);
        self.poll(&Status::Succeeded);
    }

    pub(crate) fn stage(&self) -> &Stage {
        &self.key.operation.as_ref().expect("an operation").stage
    }

    pub(crate) fn phase(&self, grant: GrantId) -> Option<Phase> {
        let live = self.key.live.iter().find(|live| live.grant == grant)?;
        Some(live.phase)
    }
}

/// The words of what became of the grants.
pub(crate) fn words(changes: &[(GrantId, GrantChange)]) -> Vec<&'static str> {
    let word = |(_, change): &(GrantId, GrantChange)| match change {
        GrantChange::Granting => "granting",
        GrantChange::Activated { .. } => "activated",
        GrantChange::Revoking => "revoking",
        GrantChange::Ended { receipt } => receipt.word(),
    };
    changes.iter().map(word).collect()
}
