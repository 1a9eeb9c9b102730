//! Grants that share a key, with each other and with what was there before us.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::grant::{GrantChange, Receipt};
use domain::key::{Action, Phase, Stage, Standing};
use domain::plan::{Purpose, Step, TOUCHED};
use domain::progress::{Presence, Sent, Status};
use jiff::SignedDuration;

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
fn a_start_is_not_held_up_by_an_absence_that_waits_for_its_second_read() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    let code = "ResourceNotFoundException".to_owned();
    bench.send(Action::Delete, Sent::Contradicted { code });
    bench.wait();
    bench.look(Presence::Absent);
    assert!(matches!(bench.stage(), Stage::Absent { .. }));
    let next = bench.grant(0, HOUR);
    assert_eq!(words(&bench.record()), ["granting", "held-by"]);
    assert_eq!(bench.phase(next), Some(Phase::Granting));
}

#[test]
fn those_who_come_while_a_create_is_tried_again_are_served_by_it() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    let code = "ThrottlingException".to_owned();
    bench.send(Action::Create, Sent::Refused { code });
    let next = bench.grant(0, 2 * HOUR);
    bench.wait();
    assert_eq!(words(&bench.record()), ["granting"]);
    bench.accepted(Action::Create);
    assert_eq!(
        words(&bench.poll(&Status::Succeeded)),
        ["activated", "activated"]
    );
    assert_eq!(bench.phase(next), Some(Phase::Active));
}
