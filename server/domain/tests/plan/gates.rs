//! Later starts, and ends that somebody moved.

use domain::grant::{GrantChange, Receipt};
use domain::id::{GrantId, OperationId};
use domain::key::{Gate, KeyState, Phase};
use domain::plan::{self, Context, Step};
use domain::target::Key;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::bench::Bench;

fn at(second: i64) -> Timestamp {
    Bench::new().second(second)
}

fn key() -> Key {
    Bench::new().key.key
}

const fn grant(number: u128) -> GrantId {
    GrantId::new(Uuid::from_u128(number))
}

fn context(second: i64) -> Context {
    Context {
        now: at(second),
        me: Bench::new().me,
        fresh: OperationId::new(Uuid::from_u128(1)),
    }
}

/// A grant from 100 to 200 that has yet to be decided.
fn gated() -> KeyState {
    KeyState::new(key())
        .with(grant(1), at(100), at(200))
        .gated(grant(1), Gate::Shut { ask_at: at(100) })
}

#[test]
fn what_has_yet_to_be_decided_wants_nothing_and_is_looked_at_when_it_would_begin() {
    let state = gated();
    assert_eq!(plan::due(&state, context(50)), Some(at(100)));
    assert!(!state.live[0].undecided(at(99)));
    assert!(state.live[0].undecided(at(100)));
    assert!(!state.wanted(at(150)));
    assert_eq!(
        plan::plan(&state, context(150)),
        Step::Wait {
            until: Some(at(200))
        }
    );
    assert_eq!(
        plan::due(&state, context(150)),
        Some(at(150)),
        "there is something to decide"
    );
}

#[test]
fn a_decision_that_could_not_be_made_is_tried_again() {
    let state = gated().gated(grant(1), Gate::Shut { ask_at: at(160) });
    assert!(!state.live[0].undecided(at(159)));
    assert_eq!(plan::due(&state, context(150)), Some(at(160)));
}

#[test]
fn what_nobody_could_decide_until_its_end_was_never_granted() {
    let Step::Record(change) = plan::plan(&gated(), context(200)) else {
        panic!("it lapses");
    };
    let receipt = Receipt::NeverGranted;
    assert_eq!(change.grants, [(grant(1), GrantChange::Ended { receipt })]);
    assert!(change.key.live.is_empty());
}

#[test]
fn what_may_begin_begins_and_a_decision_grows_old() {
    let state = gated().gated(grant(1), Gate::Passed { at: at(100) });
    assert!(state.wanted(at(101)));
    assert!(!state.live[0].undecided(at(101)));
    assert!(matches!(
        plan::plan(&state, context(101)),
        Step::Read(plan::Purpose::Standing)
    ));
    assert!(state.live[0].undecided(at(161)), "much may have changed");
}

#[test]
fn an_end_moves_earlier_and_never_later() {
    let state = KeyState::new(key()).with(grant(1), at(100), at(200));
    assert_eq!(
        state.clone().ending(grant(1), at(150)).live[0].until,
        at(150)
    );
    assert_eq!(
        state.clone().ending(grant(1), at(250)).live[0].until,
        at(200)
    );
    assert_eq!(state.ending(grant(2), at(150)).live[0].until, at(200));
}

#[test]
fn only_what_never_began_is_forgotten() {
    let mut state = KeyState::new(key()).with(grant(1), at(100), at(200));
    assert!(state.clone().without(grant(1)).live.is_empty());
    for phase in [Phase::Granting, Phase::Active, Phase::Revoking] {
        state.live[0].phase = phase;
        assert_eq!(state.clone().without(grant(1)), state);
    }
}

#[test]
fn what_was_stored_before_there_were_gates_is_open() {
    let state = KeyState::new(key()).with(grant(1), at(100), at(200));
    let mut value = serde_json::to_value(&state).expect("JSON");
    let live = value["live"][0].as_object_mut().expect("a grant");
    assert!(live.remove("gate").is_some());
    let read: KeyState = serde_json::from_value(value).expect("a key of an earlier version");
    assert_eq!(read, state);
    let after = SignedDuration::from_secs(150);
    assert!(read.wanted(at(0) + after));
}
