//! What was sent, or may have been, and not heard of.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::key::{Action, Phase, Stage};
use domain::plan::{Purpose, READS_LAG, SETTLED_AFTER, Step, VERIFY_EVERY};
use domain::progress::{Presence, Sent, Status};

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
fn what_others_added_since_it_was_proved_gone_does_not_pass_for_a_lost_create() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.delete();
    assert_eq!(words(&bench.look(Presence::Absent).1), ["removed"]);
    // Within the hour nobody looks before the next create, and somebody may have been there.
    bench.pass_secs(10 * MINUTE);
    let now = bench.now.duration_since(bench.dawn).as_secs();
    bench.grant(now, now + MINUTE);
    bench.record();
    bench.send(Action::Create, Sent::Unheard);
    let lost_at = bench.now;
    bench.pass(READS_LAG);
    assert_eq!(words(&bench.look(Presence::Present).1), ["activated"]);
    bench.wait();
    bench.delete();
    assert_eq!(words(&bench.look(Presence::Absent).1), [""; 0]);
    bench.wait();
    assert_eq!(bench.now, lost_at + SETTLED_AFTER);
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
