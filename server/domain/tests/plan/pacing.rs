//! From a promise to its proven end, and how long each step of it may wait for another.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::grant::GrantChange;
use domain::id::OperationId;
use domain::key::{Action, Phase, Stage, Standing};
use domain::plan::{GRACE, Purpose, SEND_WITHIN, STALLED, Step, due};
use domain::progress::{Presence, Sent, Status, polled, read, sent, unread};
use jiff::SignedDuration;

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
fn a_window_that_nobody_attended_to_lapses() {
    let mut bench = Bench::new();
    bench.grant(0, MINUTE);
    bench.pass_secs(2 * MINUTE);
    assert_eq!(words(&bench.record()), ["never-granted"]);
    assert_eq!(bench.key.operation, None);
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

#[test]
fn an_answer_about_what_went_on_since_changes_nothing() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    let operation = bench.key.operation.as_ref().expect("a create").id;
    let first = bench.me;
    bench.another_server();
    bench.wait();
    bench.record();
    assert!(matches!(bench.stage(), Stage::Unknown { .. }));
    bench.me = first;
    let code = "ThrottlingException".to_owned();
    for answer in [Sent::Refused { code }, Sent::Unheard] {
        assert_eq!(sent(&bench.key, operation, answer, bench.now), None);
    }
}

#[test]
fn whatever_may_have_been_written_is_remembered_with_its_time() {
    let (mut bench, _) = Bench::active(MINUTE);
    assert_eq!(bench.key.last_write_at, Some(bench.now), "a success");
    bench.wait();
    bench.record();
    assert_eq!(bench.key.last_write_at, Some(bench.now), "an intent");
    assert_eq!(bench.key.last_delete_at, Some(bench.now), "to delete");
    bench.pass_secs(2);
    bench.accepted(Action::Delete);
    assert_eq!(bench.key.last_write_at, Some(bench.now), "an answer");
    assert_eq!(bench.key.last_delete_at, Some(bench.now), "to a deletion");
    bench.poll(&Status::Succeeded);
    assert_eq!(bench.key.last_delete_at, Some(bench.now), "its success");
    bench.pass_secs(30);
    bench.look(Presence::Absent);
    assert_eq!(bench.key.last_write_at, Some(bench.now), "the proof");
}

#[test]
fn what_is_on_its_way_out_is_taken_away_even_if_nothing_is_under_way() {
    let (mut bench, grant) = Bench::active(HOUR);
    bench.key.live[0].phase = Phase::Revoking;
    bench.record();
    bench.accepted(Action::Delete);
    assert_eq!(bench.phase(grant), Some(Phase::Revoking));
}

#[test]
fn a_window_that_passes_while_others_wait_for_aws_lapses_all_the_same() {
    let mut bench = Bench::new();
    bench.grant(0, HOUR);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    let waiting = bench.grant(0, MINUTE);
    // Nobody can tell what became of the create, and it is wanted for an hour.
    bench.pass_secs(MINUTE);
    assert_eq!(words(&bench.record()), ["never-granted"]);
    assert_eq!(bench.phase(waiting), None);
    assert!(matches!(bench.stage(), Stage::Unknown { .. }));
}
