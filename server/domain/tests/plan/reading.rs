//! What a read tells, and when it tells nothing.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::grant::{Evidence, GrantChange};
use domain::key::{Action, Before, Phase, Stage, Standing};
use domain::plan::{FRESH, Purpose, READS_LAG, SECOND_READ_AFTER, Step};
use domain::progress::{Presence, Sent, Status, read, unread};
use jiff::SignedDuration;

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
fn a_read_of_before_the_deletion_does_not_prove_it() {
    let (mut bench, grant) = Bench::active(MINUTE);
    bench.wait();
    let before = bench.sighting(Presence::Absent);
    bench.pass_secs(1);
    bench.delete();
    let operation = bench.key.operation.as_ref().expect("an operation").id;
    let at = bench.context();
    assert_eq!(
        read(&bench.key, Purpose::Absence(operation), &before, at),
        None
    );
    assert_eq!(bench.phase(grant), Some(Phase::Revoking));
}

#[test]
fn a_read_so_soon_after_a_deletion_does_not_show_what_is_there() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    let code = "ThrottlingException".to_owned();
    bench.send(Action::Delete, Sent::Refused { code });
    bench.grant(0, HOUR);
    bench.record();
    assert_eq!(bench.key.operation, None);
    // Another server had ordered it, a moment after the deletion was tried.
    bench.pass_secs(1);
    let seen = bench.sighting(Presence::Present);
    let at = bench.context();
    assert_eq!(read(&bench.key, Purpose::Presence, &seen, at), None);
}

#[test]
fn an_absence_that_may_only_not_show_yet_is_not_relied_upon() {
    for (seconds, before) in [(1, Before::Uncertain), (6, Before::Absent)] {
        let mut bench = Bench::new();
        bench.grant(0, 20);
        bench.grant(0, HOUR);
        bench.start();
        bench.pass_secs(20);
        bench.record();
        bench.grant(0, HOUR);
        let write = bench.key.last_write_at.expect("a write");
        bench.now = write + SignedDuration::from_secs(seconds);
        let unseen = bench.sighting(Presence::Absent);
        let at = bench.context();
        let change = read(&bench.key, Purpose::Presence, &unseen, at).expect("a conclusion");
        bench.store(change);
        let operation = bench.key.operation.as_ref().expect("a create");
        assert_eq!(operation.before, before, "{seconds} s after a write");
    }
}
