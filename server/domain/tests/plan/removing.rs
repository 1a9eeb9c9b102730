//! What somebody else removed while a grant is active.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::grant::{Cause, GrantChange, Receipt};
use domain::id::GroupId;
use domain::key::{Action, Phase, Standing};
use domain::plan::{Purpose, REMOVED_AFTER, SETTLED_AFTER, Step};
use domain::progress::{Presence, Sent, Status, observed};
use jiff::SignedDuration;

/// One active grant of an hour, long enough ago that reads tell.
fn quiet() -> (Bench, domain::id::GrantId) {
    let (mut bench, grant) = Bench::active(HOUR);
    bench.pass(REMOVED_AFTER);
    bench.pass_secs(1);
    (bench, grant)
}

#[test]
fn what_somebody_removed_ends_after_two_reads_with_its_own_evidence() {
    let (mut bench, grant) = quiet();
    let first_at = bench.now;
    assert_eq!(bench.observe(Presence::Absent), Some(Vec::new()));
    assert_eq!(bench.phase(grant), Some(Phase::Active), "one read is none");
    assert_eq!(bench.wait(), REMOVED_AFTER);
    let (purpose, changes) = bench.look(Presence::Absent);
    assert_eq!(purpose, Purpose::Presence);
    assert_eq!(words(&changes), ["revoking", "absent-already"]);
    let GrantChange::Ended { receipt } = &changes[1].1 else {
        panic!("{changes:?}");
    };
    let Receipt::AbsentAlready {
        first,
        second,
        cause,
        ..
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!(*cause, Some(Cause::RemovedByHand));
    assert_eq!(first.began_at, first_at);
    assert!(second.began_at.duration_since(first.finished_at) >= REMOVED_AFTER);
    assert!(bench.key.live.is_empty() && bench.key.operation.is_none());
    assert_eq!(bench.key.standing, Standing::Unknown);
    assert_eq!(bench.plan(), Step::Wait { until: None });
}

#[test]
fn all_who_hold_the_key_end_together_and_those_to_come_are_served() {
    let (mut bench, one) = Bench::active(HOUR);
    let two = bench.grant(1, HOUR);
    bench.pass_secs(1);
    bench.look(Presence::Present);
    let later = bench.grant(2 * HOUR, 3 * HOUR);
    bench.pass(REMOVED_AFTER);
    bench.pass_secs(1);
    bench.observe(Presence::Absent);
    bench.wait();
    let (_, changes) = bench.look(Presence::Absent);
    let ended: Vec<_> = changes
        .iter()
        .filter(|(_, change)| matches!(change, GrantChange::Ended { .. }))
        .map(|(grant, _)| *grant)
        .collect();
    assert_eq!(ended, [one, two]);
    assert_eq!(bench.phase(later), Some(Phase::Scheduled));
    bench.wait();
    bench.start();
    assert_eq!(bench.phase(later), Some(Phase::Active));
}

#[test]
fn a_read_soon_after_activation_or_a_write_proves_nothing() {
    let (mut bench, grant) = Bench::active(HOUR);
    bench.pass_secs(59);
    bench.observe(Presence::Absent);
    assert!(bench.key.missed.is_none());
    // It is looked at again once a read tells.
    assert!(bench.wait() <= SignedDuration::from_secs(1));
    assert_eq!(words(&bench.look(Presence::Absent).1), [""; 0]);
    assert!(bench.key.missed.is_some());
    bench.wait();
    assert_eq!(
        words(&bench.look(Presence::Absent).1),
        ["revoking", "absent-already"]
    );
    assert_eq!(bench.phase(grant), None);
}

#[test]
fn what_was_active_by_a_sighting_counts_from_that_sighting() {
    // Standing access: nothing of ours was ever written.
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Present);
    assert_eq!(bench.key.last_write_at, None);
    bench.pass_secs(30);
    bench.observe(Presence::Absent);
    assert!(bench.key.missed.is_none());
}

#[test]
fn a_second_read_that_shows_it_forgets_the_first() {
    let (mut bench, grant) = quiet();
    bench.observe(Presence::Absent);
    bench.wait();
    assert_eq!(words(&bench.look(Presence::Present).1), [""; 0]);
    assert!(bench.key.missed.is_none());
    assert_eq!(bench.key.verify_at, None);
    bench.pass(REMOVED_AFTER);
    assert_eq!(bench.observe(Presence::Absent), Some(Vec::new()));
    assert_eq!(bench.phase(grant), Some(Phase::Active));
}

#[test]
fn whoever_looks_in_passing_between_the_two_reads_hastens_nothing() {
    let (mut bench, grant) = quiet();
    bench.observe(Presence::Absent);
    let before = bench.key.clone();
    bench.pass_secs(59);
    assert_eq!(bench.observe(Presence::Absent), None);
    assert_eq!(bench.key, before);
    assert_eq!(bench.phase(grant), Some(Phase::Active));
    assert_eq!(bench.observe(Presence::Present), Some(Vec::new()));
    assert!(bench.key.missed.is_none());
}

#[test]
fn what_is_as_it_should_be_is_no_news() {
    let (mut bench, _) = quiet();
    assert_eq!(bench.observe(Presence::Present), None);
}

#[test]
fn a_read_that_began_before_a_write_of_ours_or_long_ago_says_nothing() {
    let (mut bench, _) = Bench::active(2 * HOUR);
    let mut early = bench.sighting(Presence::Absent);
    early.read.began_at = bench.dawn;
    let at = bench.context();
    assert_eq!(observed(&bench.key, &early, at), None);
    bench.pass_secs(HOUR);
    let old = bench.sighting(Presence::Absent);
    bench.pass_secs(121);
    let at = bench.context();
    assert_eq!(observed(&bench.key, &old, at), None);
}

#[test]
fn while_a_deletion_of_ours_is_at_large_what_is_missing_is_put_back() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    bench.send(Action::Delete, Sent::Unheard);
    let next = bench.grant(0, HOUR);
    bench.pass_secs(10);
    bench.look(Presence::Present);
    bench.record();
    bench.look(Presence::Present);
    bench.pass(REMOVED_AFTER);
    bench.pass_secs(1);
    assert_eq!(bench.observe(Presence::Absent), None);
    bench.look(Presence::Absent);
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    assert_eq!(bench.phase(next), Some(Phase::Active));
}

#[test]
fn while_a_create_of_ours_is_at_large_nothing_is_called_removed() {
    let mut bench = Bench::new();
    bench.grant(0, 2 * HOUR);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    let lost_at = bench.now;
    bench.pass_secs(5);
    bench.look(Presence::Absent);
    bench.wait();
    bench.record();
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    assert!(bench.key.lost_create.is_some());
    bench.pass(REMOVED_AFTER);
    bench.pass_secs(1);
    bench.observe(Presence::Absent);
    bench.wait();
    assert_eq!(words(&bench.look(Presence::Absent).1), [""; 0]);
    bench.wait();
    assert_eq!(bench.now, lost_at + SETTLED_AFTER);
    assert_eq!(
        words(&bench.look(Presence::Absent).1),
        ["revoking", "absent-already"]
    );
}

#[test]
fn a_grant_that_begins_meanwhile_has_the_access_put_there() {
    let (mut bench, old) = quiet();
    bench.observe(Presence::Absent);
    let new = bench.grant(0, HOUR);
    assert_eq!(words(&bench.look(Presence::Absent).1), ["granting"]);
    assert!(bench.key.missed.is_none(), "a write of ours is under way");
    bench.accepted(Action::Create);
    bench.poll(&Status::Succeeded);
    assert_eq!(bench.phase(new), Some(Phase::Active));
    assert_eq!(bench.phase(old), Some(Phase::Active));
}

#[test]
fn whose_time_is_up_before_the_second_read_is_deleted_as_ever() {
    let (mut bench, _) = Bench::active(2 * MINUTE);
    bench.pass(REMOVED_AFTER);
    bench.pass_secs(30);
    bench.observe(Presence::Absent);
    bench.wait();
    assert_eq!(bench.now, bench.second(2 * MINUTE));
    assert_eq!(words(&bench.record()), ["revoking"]);
    assert!(bench.key.missed.is_none());
    bench.accepted(Action::Delete);
}

#[test]
fn a_receipt_names_the_groups_that_still_give_the_access() {
    let (mut bench, _) = quiet();
    bench.observe(Presence::Absent);
    bench.wait();
    let sighting = bench.sighting(Presence::Absent);
    let at = bench.context();
    let mut change =
        domain::progress::read(&bench.key, Purpose::Presence, &sighting, at).expect("news");
    assert!(change.says_gone());
    let group = GroupId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").expect("an id");
    change.name_groups(std::slice::from_ref(&group));
    let named: Vec<_> = change
        .grants
        .iter()
        .filter_map(|(_, change)| match change {
            GrantChange::Ended {
                receipt: Receipt::AbsentAlready { still_given_by, .. },
            } => still_given_by.clone(),
            _ => None,
        })
        .collect();
    assert_eq!(named, [vec![group]]);
}
