//! What a deletion is about may have ceased to exist.

use crate::bench::{Bench, HOUR, MINUTE, words};
use domain::grant::{GrantChange, Part, Receipt};
use domain::key::{Action, Phase, Stage};
use domain::plan::{GONE_AFTER, INSPECT_EVERY, SETTLED_AFTER, SUSPECT_AFTER, Step};
use domain::progress::{Presence, Sent, inspected};
use jiff::SignedDuration;

fn refused() -> Sent {
    Sent::Refused {
        code: "ValidationException".to_owned(),
    }
}

/// A grant whose deletion is refused until somebody suspects something, whatever the refusal says.
fn suspect() -> (Bench, domain::id::GrantId) {
    let (mut bench, grant) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    for attempt in 1..SUSPECT_AFTER {
        bench.send(Action::Delete, refused());
        assert!(
            matches!(bench.plan(), Step::Wait { .. }),
            "{attempt} failures are a hiccup"
        );
        bench.wait();
        bench.record();
    }
    bench.send(Action::Delete, refused());
    (bench, grant)
}

#[test]
fn a_target_is_gone_when_two_looks_say_so_and_never_by_one() {
    let (mut bench, grant) = suspect();
    assert_eq!(words(&bench.inspect(&[Part::Account])), [""; 0]);
    assert_eq!(bench.phase(grant), Some(Phase::Revoking));
    let first_at = bench.now;
    // It is tried again all the same, meanwhile.
    while bench.now < first_at + GONE_AFTER {
        match bench.plan() {
            Step::Wait { .. } => {
                bench.wait();
            }
            Step::Record(change) => {
                assert!(change.intends());
                bench.store(change);
                bench.send(Action::Delete, refused());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.now, first_at + GONE_AFTER);
    let changes = bench.inspect(&[Part::Account, Part::Person]);
    assert_eq!(words(&changes), ["target-gone"]);
    let (_, GrantChange::Ended { receipt }) = &changes[0] else {
        panic!("{changes:?}");
    };
    assert!(!receipt.access_is_gone(), "nobody saw it gone");
    let Receipt::TargetGone { gone, .. } = receipt else {
        panic!("{receipt:?}");
    };
    assert!(gone.iter().eq([&Part::Account]), "{gone:?}: what both said");
    assert!(bench.key.operation.is_none() && bench.key.inspected.is_none());
}

#[test]
fn two_looks_that_are_too_close_are_one() {
    let (mut bench, _) = suspect();
    bench.inspect(&[Part::PermissionSet]);
    bench.pass(GONE_AFTER - SignedDuration::from_secs(1));
    let id = bench.key.operation.as_ref().expect("an operation").id;
    let early = bench.inspection(&[Part::PermissionSet]);
    let change = inspected(&bench.key, id, &early, bench.now).expect("news");
    assert_eq!(words(&bench.store(change)), [""; 0]);
    // The first still counts.
    bench.pass_secs(1);
    assert_eq!(
        words(&bench.inspect(&[Part::PermissionSet])),
        ["target-gone"]
    );
}

#[test]
fn looks_that_disagree_prove_nothing() {
    let (mut bench, _) = suspect();
    bench.inspect(&[Part::PermissionSet]);
    bench.pass(GONE_AFTER);
    assert_eq!(words(&bench.inspect(&[Part::Person])), [""; 0]);
    bench.pass(GONE_AFTER);
    // A look that heard nothing begins all anew.
    assert_eq!(words(&bench.inspect(&[])), [""; 0]);
    bench.pass(INSPECT_EVERY);
    assert_eq!(words(&bench.inspect(&[Part::Person])), [""; 0]);
}

#[test]
fn what_exists_is_tried_for_ever_and_looked_at_now_and_then() {
    let (mut bench, grant) = suspect();
    let begun = bench.now;
    let mut looks = 0;
    let mut tries = 0;
    while bench.now.duration_since(begun) < SignedDuration::from_hours(3) {
        match bench.plan() {
            Step::Wait { .. } => {
                bench.wait();
            }
            Step::Inspect(_) => {
                looks += 1;
                bench.inspect(&[]);
            }
            Step::Record(change) => {
                tries += 1;
                bench.store(change);
                bench.send(Action::Delete, refused());
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.phase(grant), Some(Phase::Revoking));
    assert!((35..=37).contains(&looks), "{looks}");
    assert!((35..=50).contains(&tries), "{tries}");
}

#[test]
fn reads_that_fail_are_a_reason_to_look_too() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.record();
    bench.send(Action::Delete, Sent::Unheard);
    for _ in 0..SUSPECT_AFTER {
        bench.wait();
        bench.fail_to_look();
    }
    assert!(matches!(bench.stage(), Stage::Unknown { .. }));
    bench.inspect(&[Part::PermissionSet]);
    bench.pass(GONE_AFTER);
    assert_eq!(
        words(&bench.inspect(&[Part::PermissionSet])),
        ["target-gone"]
    );
}

#[test]
fn a_deletion_that_succeeded_and_cannot_be_read_about_is_a_reason_too() {
    let (mut bench, _) = Bench::active(MINUTE);
    bench.wait();
    bench.delete();
    let succeeded_at = bench.now;
    while !matches!(bench.plan(), Step::Inspect(_)) {
        if let Step::Wait { .. } = bench.plan() {
            bench.wait();
        } else {
            bench.fail_to_look();
        }
    }
    assert!(bench.now.duration_since(succeeded_at) < SignedDuration::from_mins(5));
    bench.inspect(&[Part::PermissionSet]);
    bench.pass(GONE_AFTER);
    assert_eq!(
        words(&bench.inspect(&[Part::PermissionSet])),
        ["target-gone"]
    );
}

#[test]
fn a_create_at_large_keeps_a_target_from_being_called_gone() {
    let mut bench = Bench::new();
    bench.grant(0, 20);
    bench.look(Presence::Absent);
    bench.send(Action::Create, Sent::Unheard);
    let lost_at = bench.now;
    bench.pass_secs(30);
    // The read of what became of it fails, and then the time is up.
    bench.fail_to_look();
    bench.record();
    for _ in 0..SUSPECT_AFTER {
        bench.send(Action::Delete, refused());
        while let Step::Wait { .. } = bench.plan() {
            bench.wait();
        }
        if let Step::Record(change) = bench.plan() {
            bench.store(change);
        }
    }
    bench.inspect(&[Part::Account]);
    bench.pass(GONE_AFTER);
    let id = bench.key.operation.as_ref().expect("an operation").id;
    let second = bench.inspection(&[Part::Account]);
    let change = inspected(&bench.key, id, &second, bench.now).expect("news");
    assert_eq!(words(&bench.store(change)), [""; 0]);
    bench.now = lost_at + SETTLED_AFTER;
    let third = bench.inspection(&[Part::Account]);
    let change = inspected(&bench.key, id, &third, bench.now).expect("news");
    assert_eq!(words(&change.grants), ["target-gone"]);
}

#[test]
fn whoever_wants_the_key_again_is_not_ended_by_an_old_look() {
    let (mut bench, _) = suspect();
    bench.inspect(&[Part::Account]);
    let id = bench.key.operation.as_ref().expect("an operation").id;
    bench.grant(0, HOUR);
    bench.pass(GONE_AFTER);
    let second = bench.inspection(&[Part::Account]);
    assert_eq!(inspected(&bench.key, id, &second, bench.now), None);
}
