//! Two admins, neither of whom holds it, for a while: and nothing less.

#![expect(clippy::expect_used, reason = "tests")]

use domain::adoption::{
    Admin, Agreement, Bearing, Course, Holds, KEPT_MAX, Over, PROPOSAL_GOOD_FOR, Refused, Unfit,
};
use domain::event::Kind;
use domain::finding::{Closed, Difference, Finding};
use domain::id::{AccountId, FindingId, PermissionSetArn, UserId};
use domain::request::{Names, Who};
use domain::revocation::REVOCATION_GOOD_FOR;
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const DAY: SignedDuration = SignedDuration::from_secs(86_400);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn person(number: u8) -> Who {
    Who {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}"))
            .expect("a user id"),
        name: format!("Person {number}"),
        email: None,
    }
}

/// Whose access it is.
fn owner() -> Who {
    person(0)
}

fn finding(difference: Difference) -> Finding {
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Finding {
        id: FindingId::new(Uuid::from_u128(1)),
        difference,
        key: Key {
            user: owner().id,
            target: Target::Account {
                account: AccountId::parse("111122223333").expect("an account id"),
                permission_set: PermissionSetArn::parse(set).expect("an ARN"),
            },
        },
        names: Names {
            account: "Payments".to_owned(),
            permission_set: "AdministratorAccess".to_owned(),
            session_seconds: 3_600,
        },
        who: owner(),
        grants: Vec::new(),
        opened_at: at(0),
        read: None,
        why: None,
        proposal: None,
        proposals: 0,
        revocation: None,
        failed: None,
    }
}

fn unmanaged() -> Finding {
    finding(Difference::Unmanaged)
}

/// Proposed by the first person, at 10 s, for a day.
fn proposed() -> Finding {
    let (proposed, (kind, _)) = unmanaged()
        .propose(Course::Adopt, (person(1), "known"), DAY, at(10))
        .expect("a proposal");
    assert_eq!(kind, Kind::FindingProposed);
    proposed
}

fn agreed() -> Agreement {
    let (agreement, closed, (kind, _)) =
        proposed().confirm(person(2), 1, at(20)).expect("confirmed");
    assert_eq!((closed, kind), (Closed::Adopted, Kind::FindingClosed));
    agreement
}

#[test]
fn an_admin_without_it_decides_and_nobody_else() {
    let judge = |user: &UserId, admin, holds| {
        let bearing = Bearing { user, admin, holds };
        unmanaged().may_decide(&bearing)
    };
    let one = person(1).id;
    assert_eq!(judge(&one, Admin::Yes, Holds::Nothing), Ok(()));
    assert_eq!(judge(&one, Admin::No, Holds::Nothing), Err(Unfit::NotAdmin));
    for holds in [Holds::Grant, Holds::Assignment] {
        assert_eq!(judge(&one, Admin::Yes, holds), Err(Unfit::Holder));
    }
    // Also where a read did not show it any more.
    let own = owner().id;
    assert_eq!(judge(&own, Admin::Yes, Holds::Nothing), Err(Unfit::Holder));
}

#[test]
fn two_agree_and_it_is_closed_until_then() {
    let agreement = agreed();
    assert_eq!(agreement.proposal.by, person(1));
    assert_eq!(agreement.confirmed_by, person(2));
    assert_eq!(agreement.finding.proposal, None);
    assert_eq!(agreement.until(), at(10) + DAY);
    assert!(!agreement.is_over(at(10 + 86_399)));
    assert!(agreement.is_over(at(10 + 86_400)));
    let (kind, details) = agreement.ended(Over::Expired);
    assert_eq!(kind, Kind::FindingAgreementEnded);
    assert_eq!(details.more["ended_as"], "expired");
    assert_eq!(details.more["proposed_by"], person(1).id.as_str());
}

#[test]
fn nobody_answers_their_own() {
    assert_eq!(proposed().confirm(person(1), 1, at(20)), Err(Refused::Own));
    let refused = proposed().refuse(&person(1), "no", 1, at(20));
    assert_eq!(refused, Err(Refused::Own));
    let taken = proposed().take_back(&person(2).id, 1, at(20));
    assert_eq!(taken, Err(Refused::NotTheirs));
}

#[test]
fn only_what_was_read_is_answered() {
    // Taken back, and proposed anew for much longer.
    let (open, _) = proposed()
        .take_back(&person(1).id, 1, at(15))
        .expect("taken back");
    assert_eq!(open.proposal, None);
    let confirmed = open.clone().confirm(person(2), 1, at(16));
    assert_eq!(confirmed, Err(Refused::NotProposed));
    let (again, _) = open
        .propose(Course::Ignore, (person(1), "known"), KEPT_MAX, at(17))
        .expect("a proposal");
    assert_eq!(
        again.clone().confirm(person(2), 1, at(20)),
        Err(Refused::NotProposed)
    );
    let (agreement, closed, _) = again.confirm(person(2), 2, at(20)).expect("confirmed");
    assert_eq!(closed, Closed::Ignored);
    assert_eq!(agreement.proposal.number, 2);
}

#[test]
fn a_second_proposal_waits_for_the_first() {
    let twice = proposed().propose(Course::Ignore, (person(3), "me too"), DAY, at(20));
    assert!(matches!(twice, Err(Refused::Proposed(first)) if first.by == person(1)));
    let (open, (kind, _)) = proposed()
        .refuse(&person(2), "not known", 1, at(20))
        .expect("refused");
    assert_eq!(kind, Kind::FindingRefused);
    let again = open.propose(Course::Ignore, (person(3), "me too"), DAY, at(30));
    assert!(again.is_ok());
}

#[test]
fn it_lapses_after_a_week_or_when_it_would_be_over() {
    let (long, _) = unmanaged()
        .propose(Course::Adopt, (person(1), "known"), KEPT_MAX, at(0))
        .expect("a proposal");
    let week = at(0) + PROPOSAL_GOOD_FOR;
    let before = week - SignedDuration::from_secs(1);
    assert_eq!(long.lapse(before), None);
    assert!(long.clone().confirm(person(2), 1, before).is_ok());
    assert_eq!(
        long.clone().confirm(person(2), 1, week),
        Err(Refused::Lapsed)
    );
    let (open, (kind, _)) = long.lapse(week).expect("lapsed");
    assert_eq!((open.proposal, kind), (None, Kind::FindingLapsed));
    // A day is sooner.
    let over = at(10) + DAY;
    assert_eq!(proposed().confirm(person(2), 1, over), Err(Refused::Lapsed));
    assert!(proposed().lapse(over).is_some());
    assert_eq!(unmanaged().lapse(over), None);
}

#[test]
fn what_is_ours_to_put_right_is_not_agreed_away() {
    for difference in Difference::ALL {
        for course in Course::ALL {
            let outcome = finding(difference).propose(course, (person(1), "known"), DAY, at(10));
            let fits = matches!(
                (difference, course),
                (Difference::Unmanaged, _) | (Difference::NoLongerAllowed, Course::Ignore)
            );
            match outcome {
                Ok(_) => assert!(fits, "{difference} {course:?}"),
                Err(refused) => {
                    assert!(!fits, "{difference} {course:?}");
                    assert_eq!(refused, Refused::NotForThis(difference));
                }
            }
        }
    }
}

#[test]
fn the_end_of_a_finding_ends_what_was_agreed_unless_a_grant_wants_it() {
    assert_eq!(Over::with(Closed::Gone), Some(Over::Gone));
    assert_eq!(Over::with(Closed::Ended), Some(Over::Ended));
    assert_eq!(Over::with(Closed::Allowed), Some(Over::Allowed));
    for closed in [
        Closed::Seen,
        Closed::Wanted,
        Closed::Adopted,
        Closed::Ignored,
    ] {
        assert_eq!(Over::with(closed), None);
    }
}

/// Proposed by the first person, at 10 s, to be taken away.
fn to_go() -> Finding {
    let asked = unmanaged().propose(Course::Revoke, (person(1), "nobody's"), DAY, at(10));
    asked.expect("a proposal").0
}

#[test]
fn two_agree_that_it_goes_and_it_stays_open_until_that_is_begun() {
    let own = to_go().confirm_revocation(person(1), 1, at(20));
    assert_eq!(own, Err(Refused::Own));
    let other = to_go().confirm_revocation(person(2), 2, at(20));
    assert_eq!(other, Err(Refused::NotProposed));
    let late = to_go().confirm_revocation(person(2), 1, at(10) + DAY);
    assert_eq!(late, Err(Refused::Lapsed));
    // What is proposed is what is agreed to, and nothing else.
    let kept = to_go().confirm(person(2), 1, at(20));
    assert_eq!(kept, Err(Refused::NotProposed));
    let gone = proposed().confirm_revocation(person(2), 1, at(20));
    assert_eq!(gone, Err(Refused::NotProposed));

    assert_eq!(to_go().begin_revocation(), None, "one is not enough");
    let (agreed, (kind, details)) = to_go()
        .confirm_revocation(person(2), 1, at(20))
        .expect("agreed");
    assert_eq!(kind, Kind::FindingRevoking);
    assert_eq!(details.approver, Some(person(2)));
    assert_eq!(details.more["proposed_by"], person(1).id.as_str());
    assert_eq!(agreed.proposal, None);
    let again = agreed
        .clone()
        .propose(Course::Adopt, (person(3), "ours"), DAY, at(21));
    assert_eq!(again, Err(Refused::Revoking));

    let (begun, (kind, _)) = agreed.begin_revocation().expect("begun");
    assert_eq!(kind, Kind::FindingRemoving);
    assert_eq!(begun.begin_revocation(), None, "once");
    // What failed may be proposed again.
    let (again, _) = begun
        .propose(Course::Revoke, (person(2), "still"), DAY, at(30))
        .expect("a proposal");
    assert_eq!(again.proposal.map(|one| one.number), Some(2));
}

#[test]
fn what_could_not_be_begun_within_a_day_is_not_done_any_more() {
    let (agreed, _) = to_go()
        .confirm_revocation(person(2), 1, at(20))
        .expect("agreed");
    let day = at(20) + REVOCATION_GOOD_FOR;
    assert_eq!(agreed.lapse(day - SignedDuration::from_secs(1)), None);
    let (lapsed, (kind, _)) = agreed.lapse(day).expect("lapsed");
    assert_eq!((lapsed.revocation, kind), (None, Kind::FindingLapsed));
}

proptest! {
    #[test]
    fn nothing_is_kept_longer_than_a_quarter_or_for_no_time(
        seconds in prop_oneof![any::<i64>(), -1_i64..=8_000_000],
        later in 0_i64..10_000_000,
    ) {
        let keep = SignedDuration::from_secs(seconds);
        let asked = unmanaged().propose(Course::Adopt, (person(1), "known"), keep, at(0));
        match asked {
            Err(refused) => {
                prop_assert_eq!(refused, Refused::Duration);
                prop_assert!(seconds <= 0 || keep > KEPT_MAX);
            }
            Ok((proposed, _)) => {
                prop_assert!(seconds > 0 && keep <= KEPT_MAX);
                // Whenever it is confirmed, it is not over yet, and ends within a quarter.
                if let Ok((agreement, _, _)) = proposed.confirm(person(2), 1, at(later)) {
                    prop_assert!(!agreement.is_over(at(later)));
                    prop_assert!(agreement.until() <= at(0) + KEPT_MAX);
                    prop_assert!(later < PROPOSAL_GOOD_FOR.as_secs());
                }
            }
        }
    }
}
