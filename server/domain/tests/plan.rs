//! One key, planned by hand: the situations that are too rare, or too subtle, to be left to the
//! simulation alone. Several of them are bugs that it found.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

use domain::grant::{Evidence, GrantChange, ReadEvidence, Receipt};
use domain::id::{AccountId, GrantId, OperationId, PermissionSetArn, ServerId, UserId};
use domain::key::{Action, KeyState, Phase, Stage, Standing};
use domain::plan::{
    Change, Context, FRESH, GRACE, Purpose, READS_LAG, SECOND_READ_AFTER, SEND_WITHIN,
    SETTLED_AFTER, STALLED, Step, TOUCHED, VERIFY_EVERY, due, plan,
};
use domain::progress::{Presence, Sent, Sighting, Status, polled, read, sent, unread};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

/// A key, a server that works on it, and its clock.
struct Bench {
    key: KeyState,
    dawn: Timestamp,
    now: Timestamp,
    me: ServerId,
    ids: u128,
}

impl Bench {
    fn new() -> Self {
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
    fn active(seconds: i64) -> (Self, GrantId) {
        let mut bench = Self::new();
        let grant = bench.grant(0, seconds);
        bench.start();
        (bench, grant)
    }

    fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    /// Another server takes over.
    fn another_server(&mut self) {
        self.me = ServerId::new(self.id());
    }

    fn context(&mut self) -> Context {
        Context {
            now: self.now,
            me: self.me,
            fresh: OperationId::new(self.id()),
        }
    }

    /// So many seconds since the beginning.
    fn second(&self, second: i64) -> Timestamp {
        self.dawn + SignedDuration::from_secs(second)
    }

    /// A grant from that second since the beginning until that one.
    fn grant(&mut self, from: i64, until: i64) -> GrantId {
        let id = GrantId::new(self.id());
        let (from, until) = (self.second(from), self.second(until));
        self.key = self.key.clone().with(id, from, until);
        id
    }

    fn pass(&mut self, time: SignedDuration) {
        self.now += time;
    }

    fn pass_secs(&mut self, seconds: i64) {
        self.pass(SignedDuration::from_secs(seconds));
    }

    fn plan(&mut self) -> Step {
        let at = self.context();
        plan(&self.key, at)
    }

    fn store(&mut self, change: Change) -> Vec<(GrantId, GrantChange)> {
        self.key = KeyState {
            version: change.key.version + 1,
            ..change.key
        };
        change.grants
    }

    /// Takes a step that only records.
    fn record(&mut self) -> Vec<(GrantId, GrantChange)> {
        match self.plan() {
            Step::Record(change) => self.store(change),
            other => panic!("{other:?}"),
        }
    }

    /// Waits as planned, and says for how long.
    fn wait(&mut self) -> SignedDuration {
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
    fn send(&mut self, expected: Action, answer: Sent) -> Vec<(GrantId, GrantChange)> {
        let Step::Send { operation, action } = self.plan() else {
            panic!("{:?}", self.plan());
        };
        assert_eq!(action, expected);
        let change = sent(&self.key, operation, answer, self.now).expect("news");
        self.store(change)
    }

    fn accepted(&mut self, expected: Action) {
        let aws_request_id = format!("aws-{}", self.ids);
        self.send(expected, Sent::Accepted { aws_request_id });
    }

    /// Asks AWS how it is going, when that is due.
    fn poll(&mut self, status: &Status) -> Vec<(GrantId, GrantChange)> {
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
    fn look(&mut self, presence: Presence) -> (Purpose, Vec<(GrantId, GrantChange)>) {
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

    fn sighting(&self, presence: Presence) -> Sighting {
        Sighting {
            presence,
            read: ReadEvidence {
                began_at: self.now,
                finished_at: self.now,
                pages: 1,
            },
        }
    }

    /// From nothing to active, with nothing going wrong.
    fn start(&mut self) {
        if let Step::Read(_) = self.plan() {
            self.look(Presence::Absent);
        } else {
            self.record();
        }
        self.accepted(Action::Create);
        self.poll(&Status::Succeeded);
    }

    /// From over to deleted, but not yet read about.
    fn delete(&mut self) {
        self.record();
        self.accepted(Action::Delete);
        self.poll(&Status::Succeeded);
    }

    fn stage(&self) -> &Stage {
        &self.key.operation.as_ref().expect("an operation").stage
    }

    fn phase(&self, grant: GrantId) -> Option<Phase> {
        let live = self.key.live.iter().find(|live| live.grant == grant)?;
        Some(live.phase)
    }
}

/// The words of what became of the grants.
fn words(changes: &[(GrantId, GrantChange)]) -> Vec<&'static str> {
    let word = |(_, change): &(GrantId, GrantChange)| match change {
        GrantChange::Granting => "granting",
        GrantChange::Activated { .. } => "activated",
        GrantChange::Revoking => "revoking",
        GrantChange::Ended { receipt } => receipt.word(),
    };
    changes.iter().map(word).collect()
}

#[test]
fn a_grant_goes_from_a_read_to_a_proven_removal() {
    let mut bench = Bench::new();
    let grant = bench.grant(0, 15 * MINUTE);

    let (purpose, changes) = bench.look(Presence::Absent);
    assert_eq!(purpose, Purpose::Standing);
    assert_eq!(changes, [(grant, GrantChange::Granting)]);
    assert_eq!(bench.key.standing, Standing::Ours);
    bench.accepted(Action::Create);
    assert_eq!(words(&bench.poll(&Status::InProgress)), [""; 0]);
    assert_eq!(
        bench.phase(grant),
        Some(Phase::Granting),
        "IN_PROGRESS is not success"
    );
    assert_eq!(words(&bench.poll(&Status::Succeeded)), ["activated"]);

    bench.wait();
    assert_eq!(
        bench.now,
        bench.second(15 * MINUTE),
        "it waits for the end, and for nothing else"
    );
    assert_eq!(words(&bench.record()), ["revoking"]);
    bench.accepted(Action::Delete);
    assert_eq!(words(&bench.poll(&Status::InProgress)), [""; 0]);
    assert_eq!(words(&bench.poll(&Status::Succeeded)), [""; 0]);
    assert_eq!(
        bench.phase(grant),
        Some(Phase::Revoking),
        "success is not evidence"
    );
    let (purpose, changes) = bench.look(Presence::Absent);
    assert!(matches!(purpose, Purpose::Absence(_)));
    assert_eq!(words(&changes), ["removed"]);
    assert_eq!(bench.plan(), Step::Wait { until: None });
    assert_eq!(bench.key.standing, Standing::Unknown);
}

#[test]
fn due_is_when_there_is_something_to_do() {
    let mut bench = Bench::new();
    let at = bench.context();
    assert_eq!(due(&bench.key, at), None);
    bench.grant(MINUTE, HOUR);
    assert_eq!(
        due(&bench.key, at),
        Some(bench.now + SignedDuration::from_mins(1))
    );
    bench.pass_secs(2 * MINUTE);
    let at = bench.context();
    assert_eq!(due(&bench.key, at), Some(bench.now));
}

#[test]
fn what_was_there_before_us_is_called_standing_and_left() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    let (_, changes) = bench.look(Presence::Present);
    assert_eq!(words(&changes), ["granting", "activated"]);
    bench.wait();
    assert_eq!(words(&bench.record()), ["revoking", "standing"]);
    assert_eq!(bench.plan(), Step::Wait { until: None });
}

#[test]
fn an_extension_does_not_turn_our_own_access_into_standing_access() {
    // It begins as the other ends, so long after our last write that only the verdict on record
    // tells whose the assignment is.
    let (mut bench, first) = Bench::active(3 * HOUR);
    let second = bench.grant(3 * HOUR, 4 * HOUR);
    bench.wait();
    let changes = bench.record();
    assert_eq!(words(&changes), ["granting", "revoking", "held-by"]);
    assert_eq!(bench.phase(first), None);
    assert_eq!(bench.phase(second), Some(Phase::Granting));
    assert_eq!(bench.key.standing, Standing::Ours);
    let (purpose, changes) = bench.look(Presence::Present);
    assert_eq!(
        (purpose, words(&changes)),
        (Purpose::Presence, vec!["activated"])
    );
    bench.wait();
    bench.delete();
    assert_eq!(words(&bench.look(Presence::Absent).1), ["removed"]);
}

#[test]
fn whoever_takes_over_a_key_answers_for_it_even_if_nobody_attends_to_its_window() {
    let (mut bench, _) = Bench::active(HOUR);
    let second = bench.grant(HOUR, HOUR + MINUTE);
    bench.wait();
    bench.record();
    // All servers are away for the whole of the second window.
    bench.pass_secs(10 * MINUTE);
    assert_eq!(words(&bench.record()), ["revoking"]);
    assert_eq!(bench.phase(second), Some(Phase::Revoking));
    bench.accepted(Action::Delete);
}

#[test]
fn a_window_that_nobody_attended_to_lapses() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.pass_secs(2 * MINUTE);
    assert_eq!(words(&bench.record()), ["never-granted"]);
    assert_eq!(bench.key.operation, None);
}

#[test]
fn overlapping_grants_keep_the_access_until_the_last_ends() {
    let (mut bench, short) = Bench::active(10 * MINUTE);
    bench.pass_secs(MINUTE);
    let long = bench.grant(0, HOUR);
    assert_eq!(
        words(&bench.look(Presence::Present).1),
        ["granting", "activated"]
    );
    bench.wait();
    let changes = bench.record();
    let held = Receipt::HeldBy { grants: vec![long] };
    assert_eq!(changes[1], (short, GrantChange::Ended { receipt: held }));
    assert_eq!(bench.key.operation, None);
    bench.wait();
    assert_eq!(bench.now, bench.second(HOUR));
    assert_eq!(words(&bench.record()), ["revoking"]);
}

#[test]
fn a_grant_on_its_way_out_holds_nothing_for_a_server_whose_clock_is_behind() {
    let (mut bench, _) = Bench::active(HOUR);
    bench.wait();
    bench.record();
    let code = "ThrottlingException".to_owned();
    bench.send(Action::Delete, Sent::Refused { code });
    // Another server takes over; by its clock the window has two seconds to go.
    bench.another_server();
    bench.pass_secs(-2);
    while let Step::Wait { .. } = bench.plan() {
        bench.wait();
    }
    assert_eq!(words(&bench.record()), [""; 0]);
    bench.accepted(Action::Delete);
}

#[test]
fn a_key_that_was_touched_within_the_hour_is_never_judged_standing() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.delete();
    bench.look(Presence::Absent);
    bench.pass(TOUCHED - SignedDuration::from_secs(1));
    bench.grant(HOUR, 2 * HOUR);
    bench.record();
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    bench.wait();
    bench.delete();
    bench.look(Presence::Absent);
    bench.pass(TOUCHED);
    bench.grant(3 * HOUR, 4 * HOUR);
    assert_eq!(bench.plan(), Step::Read(Purpose::Standing));
}

#[test]
fn an_intent_of_another_server_is_read_about_and_never_sent() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    bench.another_server();
    assert_eq!(bench.wait(), GRACE);
    bench.record();
    let (purpose, _) = bench.look(Presence::Present);
    assert!(matches!(purpose, Purpose::Outcome(_)));
    assert_eq!(bench.key.live[0].phase, Phase::Active);
}

#[test]
fn an_intent_that_is_not_fresh_is_not_sent_even_by_its_own_server() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    bench.pass(SEND_WITHIN + SignedDuration::from_millis(1));
    bench.record();
    assert!(matches!(bench.stage(), Stage::Unknown { .. }));
    assert!(bench.key.lost_create.is_some(), "it may have been sent");
}

#[test]
fn an_intent_that_is_turned_round_is_not_believed_to_be_unsent() {
    let mut bench = Bench::new();
    bench.grant(0, 2);
    bench.look(Presence::Absent);
    // The window ends between the intent and its sending; or was it after?
    bench.pass_secs(2);
    assert_eq!(words(&bench.record()), ["revoking"]);
    assert!(bench.key.lost_create.is_some());
}

#[test]
fn an_operation_that_aws_forgot_or_never_finishes_may_still_take_effect() {
    for (status, times) in [(Status::Forgotten, 1), (Status::InProgress, 100)] {
        let mut bench = Bench::new();
        bench.grant(0, HOUR);
        bench.look(Presence::Absent);
        bench.accepted(Action::Create);
        for _ in 0..times {
            if matches!(bench.stage(), Stage::Sent { .. }) {
                bench.poll(&status);
            }
        }
        assert!(matches!(bench.stage(), Stage::Unknown { .. }), "{status:?}");
        assert!(bench.key.lost_create.is_some(), "{status:?}");
    }
}

#[test]
fn a_create_that_failed_may_be_what_is_seen_so_a_lost_one_stays_lost() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    bench.pass(READS_LAG);
    bench.look(Presence::Absent);
    bench.wait();
    bench.record();
    bench.accepted(Action::Create);
    let reason = "FAILED".to_owned();
    bench.poll(&Status::Failed { reason });
    bench.wait();
    bench.record();
    let code = "ConflictException".to_owned();
    bench.send(Action::Create, Sent::Contradicted { code });
    bench.wait();
    assert_eq!(words(&bench.look(Presence::Present).1), ["activated"]);
    assert!(bench.key.lost_create.is_some());
}

#[test]
fn a_read_that_took_too_long_says_nothing() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    let old = bench.sighting(Presence::Absent);
    bench.pass(FRESH + SignedDuration::from_secs(1));
    let at = bench.context();
    assert_eq!(read(&bench.key, Purpose::Standing, &old, at), None);
}

#[test]
fn a_read_that_began_before_a_write_of_ours_says_nothing() {
    let mut bench = Bench::new();
    // A slow server read a key that nobody had touched, and another has since.
    let absent = bench.sighting(Presence::Absent);
    let present = bench.sighting(Presence::Present);
    bench.pass_secs(1);
    bench.grant(0, 20);
    bench.start();
    let at = bench.context();
    assert_eq!(read(&bench.key, Purpose::Presence, &absent, at), None);
    bench.wait();
    bench.delete();
    bench.look(Presence::Absent);
    bench.grant(0, HOUR);
    let at = bench.context();
    assert!(at.now.duration_since(bench.dawn) < FRESH);
    assert_eq!(bench.key.standing, Standing::Unknown);
    assert_eq!(read(&bench.key, Purpose::Standing, &present, at), None);
}

#[test]
fn nobody_reads_before_a_write_that_another_clock_puts_later() {
    let mut bench = Bench::new();
    bench.pass_secs(5);
    bench.grant(0, HOUR);
    bench.start();
    bench.grant(0, HOUR);
    // The create was told of by a server whose clock is ahead.
    bench.pass_secs(-2);
    let wait = bench.wait();
    assert!(wait > SignedDuration::from_secs(1), "{wait:?}");
    assert_eq!(bench.plan(), Step::Read(Purpose::Presence));
}

#[test]
fn a_create_that_was_lost_and_is_seen_needs_no_more_patience() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    bench.wait();
    assert_eq!(words(&bench.look(Presence::Absent).1), [""; 0]);
    assert!(
        matches!(bench.stage(), Stage::Unknown { .. }),
        "a read that may lag is no reason to send a second",
    );
    bench.wait();
    assert_eq!(words(&bench.look(Presence::Present).1), ["activated"]);
    assert_eq!(bench.key.lost_create, None);
    bench.wait();
    bench.delete();
    assert_eq!(words(&bench.look(Presence::Absent).1), ["removed"]);
}

#[test]
fn while_a_lost_create_may_still_arrive_nothing_is_called_gone() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    let lost_at = bench.now;
    bench.pass(READS_LAG);
    bench.look(Presence::Absent);
    bench.wait();
    bench.record();
    // The second one succeeds, so that seeing the assignment tells nothing of the first.
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    bench.wait();
    bench.delete();
    assert_eq!(words(&bench.look(Presence::Absent).1), [""; 0]);
    bench.wait();
    assert_eq!(bench.now, lost_at + SETTLED_AFTER);
    assert_eq!(words(&bench.look(Presence::Absent).1), ["removed"]);
}

#[test]
fn an_absence_that_nothing_explains_outlasts_a_lost_create_too() {
    let mut bench = Bench::new();
    bench.grant(0, 20);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    let lost_at = bench.now;
    bench.pass_secs(30);
    bench.look(Presence::Absent);
    bench.record();
    let code = "ResourceNotFoundException".to_owned();
    bench.send(Action::Delete, Sent::Contradicted { code });
    bench.wait();
    bench.look(Presence::Absent);
    bench.wait();
    assert_eq!(bench.now, lost_at + SETTLED_AFTER);
    assert_eq!(words(&bench.look(Presence::Absent).1), ["absent-already"]);
}

#[test]
fn a_start_is_not_held_up_by_a_removal_that_waits_for_a_lost_create() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    bench.pass_secs(MINUTE);
    bench.look(Presence::Absent);
    bench.delete();
    bench.look(Presence::Absent);
    bench.pass_secs(MINUTE);
    let next = bench.grant(0, HOUR);
    assert_eq!(words(&bench.record()), ["granting", "held-by"]);
    bench.look(Presence::Absent);
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    assert_eq!(bench.phase(next), Some(Phase::Active));
    assert!(
        bench.key.lost_create.is_some(),
        "the first may still arrive"
    );
}

#[test]
fn a_read_that_failed_for_one_thing_does_not_hasten_another() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    let failed = Status::Failed {
        reason: "FAILED".into(),
    };
    bench.accepted(Action::Delete);
    bench.poll(&failed);
    let Step::Read(outcome) = bench.plan() else {
        panic!("{:?}", bench.plan());
    };
    bench.look(Presence::Absent);
    // Another server had ordered the same read, and failed.
    assert_eq!(unread(&bench.key, outcome, bench.now), None);
    assert_eq!(bench.wait(), SECOND_READ_AFTER);
}

#[test]
fn two_reads_of_an_absence_are_far_apart_whoever_orders_them() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    bench.accepted(Action::Delete);
    bench.poll(&Status::Forgotten);
    bench.look(Presence::Absent);
    let operation = bench.key.operation.as_ref().expect("an operation").id;
    bench.pass_secs(20);
    let sighting = bench.sighting(Presence::Absent);
    let at = bench.context();
    let change = read(&bench.key, Purpose::Absence(operation), &sighting, at).expect("news");
    assert_eq!(words(&bench.store(change)), [""; 0]);
    assert_eq!(bench.wait(), SignedDuration::from_secs(10));
    assert_eq!(words(&bench.look(Presence::Absent).1), ["absent-already"]);
}

#[test]
fn the_end_of_a_window_waits_neither_for_a_retry_nor_for_a_read() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    for _ in 0..6 {
        let code = "ThrottlingException".to_owned();
        bench.send(Action::Create, Sent::Refused { code });
        bench.wait();
        if bench.key.live[0].until <= bench.now {
            break;
        }
        bench.record();
    }
    assert_eq!(bench.now, bench.key.live[0].until);
    assert_eq!(words(&bench.record()), ["revoking"]);

    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    while bench.now < bench.key.live[0].until {
        bench.wait();
        if let Step::Read(purpose) = bench.plan() {
            let change = unread(&bench.key, purpose, bench.now).expect("a later read");
            bench.store(change);
        }
    }
    assert_eq!(bench.now, bench.key.live[0].until);
    assert_eq!(words(&bench.record()), ["revoking"]);
}

#[test]
fn those_whose_time_is_up_do_not_wait_for_a_create_that_only_others_need() {
    let mut bench = Bench::new();
    let short = bench.grant(0, MINUTE);
    let long = bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    bench.accepted(Action::Create);
    bench.pass_secs(MINUTE);
    assert_eq!(words(&bench.record()), ["revoking", "held-by"]);
    assert_eq!(bench.phase(short), None);
    bench.poll(&Status::Succeeded);
    assert_eq!(bench.phase(long), Some(Phase::Active));
}

#[test]
fn a_status_that_is_not_to_be_had_does_not_keep_a_grant_from_ending() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.look(Presence::Absent);
    bench.accepted(Action::Create);
    let accepted_at = bench.now;
    while matches!(bench.stage(), Stage::Sent { .. }) {
        assert!(bench.now <= accepted_at + STALLED + SignedDuration::from_secs(6));
        bench.poll(&Status::Unavailable);
    }
    bench.look(Presence::Present);
    assert_eq!(words(&bench.record()), ["revoking"]);
    bench.accepted(Action::Delete);
}

#[test]
fn what_a_lost_deletion_took_after_all_is_put_back() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    bench.send(Action::Delete, Sent::Unheard);
    let next = bench.grant(0, HOUR);
    bench.pass_secs(10);
    bench.look(Presence::Present);
    assert_eq!(words(&bench.record()), ["granting", "held-by"]);
    bench.look(Presence::Present);
    assert_eq!(bench.phase(next), Some(Phase::Active));
    assert_eq!(bench.wait(), VERIFY_EVERY);
    let (purpose, _) = bench.look(Presence::Absent);
    assert_eq!(purpose, Purpose::Presence);
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    // It is looked at until the deletion can no longer strike, and no longer.
    for _ in 0..20 {
        bench.wait();
        if !matches!(bench.plan(), Step::Read(_)) {
            break;
        }
        bench.look(Presence::Present);
    }
    assert_eq!(bench.key.lost_delete_at, None);
    assert_eq!(bench.now, bench.key.live[0].until);
}

#[test]
fn a_success_that_is_learned_late_is_looked_at_before_it_is_trusted() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    bench.send(Action::Delete, Sent::Unheard);
    bench.grant(0, 2 * HOUR);
    bench.pass_secs(10);
    bench.look(Presence::Present);
    bench.record();
    bench.look(Presence::Absent);
    bench.accepted(Action::Create);
    // Its server freezes, and the lost deletion strikes meanwhile.
    bench.pass(SETTLED_AFTER);
    assert_eq!(words(&bench.poll(&Status::Succeeded)), ["activated"]);
    let (purpose, _) = bench.look(Presence::Absent);
    assert_eq!(purpose, Purpose::Presence);
    bench.accepted(Action::Create);
}

#[test]
fn what_was_just_deleted_is_not_taken_for_what_is_there() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.delete();
    bench.look(Presence::Absent);
    let next = bench.grant(0, HOUR);
    bench.record();
    let code = "ConflictException".to_owned();
    bench.send(Action::Create, Sent::Contradicted { code });
    bench.wait();
    bench.look(Presence::Present);
    assert_eq!(bench.phase(next), Some(Phase::Granting), "reads lag");
    bench.pass(READS_LAG);
    let (_, changes) = bench.look(Presence::Present);
    let [(_, GrantChange::Activated { evidence })] = changes.as_slice() else {
        panic!("{changes:?}");
    };
    assert!(matches!(evidence, Evidence::Seen { .. }));
}

#[test]
fn a_deletion_that_reads_do_not_confirm_is_sent_again() {
    let (mut bench, grant) = Bench::active(MINUTE);
    bench.wait();
    bench.delete();
    let succeeded_at = bench.now;
    while matches!(bench.stage(), Stage::Deleted { .. }) {
        assert_eq!(words(&bench.look(Presence::Present).1), [""; 0]);
        bench.wait();
    }
    assert!(bench.now.duration_since(succeeded_at) > SignedDuration::from_mins(1));
    assert_eq!(bench.phase(grant), Some(Phase::Revoking));
    bench.record();
    bench.accepted(Action::Delete);
}

#[test]
fn a_report_about_an_operation_that_is_no_longer_current_changes_nothing() {
    let (mut bench, _) = Bench::active(MINUTE);
    let stranger = OperationId::new(bench.id());
    let at = bench.context();
    let seen = bench.sighting(Presence::Absent);
    assert_eq!(sent(&bench.key, stranger, Sent::Unheard, bench.now), None);
    assert_eq!(
        polled(&bench.key, stranger, &Status::Succeeded, bench.now),
        None
    );
    for purpose in [Purpose::Outcome(stranger), Purpose::Absence(stranger)] {
        assert_eq!(read(&bench.key, purpose, &seen, at), None);
        assert_eq!(unread(&bench.key, purpose, bench.now), None);
    }
}
