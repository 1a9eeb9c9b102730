//! How late ends were: what counts, and that the figure is never better than the truth.

#![expect(clippy::expect_used, reason = "tests")]

use domain::delay::{Delays, End, WINDOW_DAYS, first_day};
use domain::event::NO_HASH;
use domain::grant::{Cause, Evidence, Grant, GrantState, Inspection, Part, ReadEvidence, Receipt};
use domain::id::{AccountId, AskIndex, GrantId, PermissionSetArn, RequestId, UserId};
use domain::request::{Names, Who};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + millis).expect("a date in 2027")
}

/// Promised until one minute after the beginning.
fn grant(state: GrantState) -> Grant {
    let who = Who {
        id: UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").expect("an id"),
        name: "Carla".to_owned(),
        email: None,
    };
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Grant {
        id: GrantId::new(Uuid::from_u128(1)),
        request: RequestId::new(Uuid::from_u128(2)),
        ask: AskIndex(0),
        key: Key {
            user: who.id.clone(),
            target: Target::Account {
                account: AccountId::parse("111122223333").expect("an id"),
                permission_set: PermissionSetArn::parse(set).expect("an ARN"),
            },
        },
        names: Names {
            account: "Payments Production".to_owned(),
            permission_set: "ReadOnlyAccess".to_owned(),
            session_seconds: 3_600,
        },
        requester: who,
        approver: None,
        reason: "INC-1".to_owned(),
        ticket: None,
        from: at(0),
        until: at(60_000),
        run_from: None,
        state,
        approved_by: NO_HASH.to_owned(),
        break_glass: false,
    }
}

fn read(millis: i64) -> ReadEvidence {
    ReadEvidence {
        began_at: at(millis),
        finished_at: at(millis),
        pages: 1,
    }
}

fn removed() -> Receipt {
    Receipt::Removed {
        aws_request_id: "aws".to_owned(),
        accepted_at: at(60_100),
        succeeded_at: at(61_000),
        read: read(62_000),
        still_given_by: None,
    }
}

fn absent(cause: Option<Cause>) -> Receipt {
    Receipt::AbsentAlready {
        first: read(61_000),
        second: read(91_000),
        cause,
        still_given_by: None,
    }
}

fn ended(millis: i64, receipt: Receipt) -> Option<u64> {
    let state = GrantState::Ended {
        at: at(millis),
        receipt,
    };
    End::of(&grant(state)).map(|end| end.late_ms)
}

#[test]
fn what_says_that_access_is_gone_counts_from_the_promised_instant() {
    assert_eq!(ended(62_345, removed()), Some(2_345));
    assert_eq!(ended(92_000, absent(None)), Some(32_000));
    // A clock that is behind.
    assert_eq!(ended(59_000, removed()), Some(0));
}

#[test]
fn part_of_a_millisecond_counts_as_a_whole_one() {
    let late = SignedDuration::from_nanos(2_345_000_001);
    let state = GrantState::Ended {
        at: at(60_000) + late,
        receipt: removed(),
    };
    assert_eq!(End::of(&grant(state)).expect("it counts").late_ms, 2_346);
}

#[test]
fn what_somebody_ended_early_counts_from_when_they_said_so() {
    let active = grant(GrantState::Active {
        since: at(1_000),
        evidence: Evidence::Seen { read: read(1_000) },
    });
    let (mut early, _) = active
        .ended_early("Done sooner", at(20_000))
        .expect("it is active");
    early.state = GrantState::Ended {
        at: at(23_000),
        receipt: removed(),
    };
    assert_eq!(End::of(&early).expect("it counts").late_ms, 3_000);
}

#[test]
fn what_says_nothing_of_taking_away_is_not_counted() {
    let look = Inspection {
        began_at: at(61_000),
        finished_at: at(61_000),
        gone: [Part::Account].into(),
    };
    let others = [
        // It would count as one without delay that nobody here has taken away.
        absent(Some(Cause::RemovedByHand)),
        Receipt::HeldBy { grants: Vec::new() },
        Receipt::Standing,
        Receipt::NeverGranted,
        Receipt::TargetGone {
            gone: [Part::Account].into(),
            first: look.clone(),
            second: look,
        },
    ];
    for receipt in others {
        assert_eq!(ended(62_000, receipt.clone()), None, "{receipt:?}");
    }
    let revoking = GrantState::Revoking { since: at(60_000) };
    assert_eq!(End::of(&grant(revoking)), None, "nothing is proven yet");
}

#[test]
fn an_end_counts_on_the_day_on_which_it_was_recorded_in_utc() {
    let midnight: Timestamp = "2027-03-01T00:00:00Z".parse().expect("an instant");
    let moment = SignedDuration::from_millis(1);
    let of = |at| End { at, late_ms: 0 }.day().to_string();
    assert_eq!(of(midnight), "2027-03-01");
    assert_eq!(of(midnight - moment), "2027-02-28");
    assert_eq!(first_day(midnight).to_string(), "2027-01-31");
    assert_eq!(first_day(midnight - moment).to_string(), "2027-01-30");
    assert_eq!(WINDOW_DAYS, 30);
}

#[test]
fn no_ends_are_never_late() {
    let none = Delays::default();
    let shown = (none.ends(), none.within(50), none.within(99), none.worst());
    assert_eq!(shown, (0, 0, 0, 0));
}

#[test]
fn of_few_ends_all_but_one_of_a_hundred_is_all_of_them() {
    let mut delays = Delays::default();
    for late in [1_900, 1_950, 9_000] {
        delays.count(late);
    }
    let shown = (delays.within(50), delays.within(99), delays.worst());
    assert_eq!(shown, (2_000, 9_000, 9_000));
}

fn counted(all: &[u64]) -> Delays {
    let mut delays = Delays::default();
    for late in all {
        delays.count(*late);
    }
    delays
}

fn merged(mut one: Delays, other: &Delays) -> Delays {
    one.merge(other);
    one
}

/// Mostly what ends take, and now and then what they must not.
fn late() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0_u64..12_000,
        2 => 0_u64..4_000_000,
        1 => prop::sample::select(vec![0, 250, 251, 30_000, 30_001, 604_800_000, 604_800_001]),
        1 => any::<u64>(),
    ]
}

fn lates(most: usize) -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(late(), 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_figure_is_never_better_than_the_truth(mut all in lates(400), share in 1_u8..=100) {
        let delays = counted(&all);
        all.sort_unstable();
        prop_assert_eq!(delays.ends(), all.len() as u64);
        prop_assert_eq!(delays.worst(), all.last().copied().unwrap_or_default());
        if !all.is_empty() {
            let rank = (all.len() * usize::from(share)).div_ceil(100);
            let truth = all[rank - 1];
            let said = delays.within(share);
            prop_assert!(truth <= said, "{} of a hundred within {}, said {}", share, truth, said);
            // And no more than is rounded away, up to the last bound.
            prop_assert!(truth > 3_600_000 || said <= truth.max(125) * 2, "{truth} became {said}");
        }
    }

    #[test]
    fn half_is_no_later_than_most_and_most_no_later_than_the_worst(all in lates(400)) {
        let delays = counted(&all);
        prop_assert!(delays.within(50) <= delays.within(99));
        prop_assert!(delays.within(99) <= delays.worst());
        prop_assert_eq!(delays.within(100), delays.worst());
    }

    #[test]
    fn it_does_not_matter_in_what_parts_they_are_added_up(
        a in lates(60), b in lates(60), c in lates(60),
    ) {
        let whole = counted(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (counted(&a), counted(&b), counted(&c));
        prop_assert_eq!(&merged(merged(a.clone(), &b), &c), &whole);
        prop_assert_eq!(&merged(a.clone(), &merged(b.clone(), &c)), &whole);
        prop_assert_eq!(&merged(merged(c, &b), &a), &whole);
        prop_assert_eq!(&merged(whole.clone(), &Delays::default()), &whole);
    }
}
