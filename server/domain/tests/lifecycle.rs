//! The life of a request and of a grant: what can follow what, and how the rest is refused.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use domain::event::Kind;
use domain::grant::{
    Evidence, Grant, GrantChange, GrantState, Inspection, Part, ReadEvidence, Receipt,
};
use domain::id::{
    AccountId, AskIndex, GrantId, GroupId, PermissionSetArn, PolicyVersion, RequestId, UserId,
};
use domain::key::{KeyState, Phase};
use domain::request::{
    Ask, AskState, Completion, Granting, Names, Opinion, Refused, Request, Review, Terms,
    Transition, Who,
};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

const FIRST: AskIndex = AskIndex(0);
const SECOND: AskIndex = AskIndex(1);

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn person(number: u8, name: &str) -> Who {
    Who {
        id: UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}"))
            .expect("a user id"),
        name: name.to_owned(),
        email: None,
    }
}

fn target() -> Target {
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    Target::Account {
        account: AccountId::parse("111122223333").expect("an account id"),
        permission_set: PermissionSetArn::parse(set).expect("an ARN"),
    }
}

/// Two asks that do not wait for each other, submitted at 0, that expire after an hour.
fn request() -> Request {
    let ask = |index| Ask {
        index,
        target: target(),
        names: Names {
            account: "Payments Production".to_owned(),
            permission_set: "ReadOnlyAccess".to_owned(),
            session_seconds: 3_600,
        },
        state: AskState::Pending,
        verdict: serde_json::Value::Null,
        reviews: Vec::new(),
        glass: None,
    };
    Request {
        id: RequestId::new(Uuid::from_u128(7)),
        requester: person(1, "Ana Silva"),
        reason: "Ledger drifted".to_owned(),
        duration_seconds: 900,
        submitted_at: at(0),
        expires_at: at(3_600),
        policy: PolicyVersion::parse(&"a".repeat(64)).expect("a version"),
        terms: Terms {
            granting: Granting::Separately,
            ..Terms::default()
        },
        asks: vec![ask(FIRST), ask(SECOND)],
        nudged_at: None,
        version: 1,
    }
}

fn review(by: Who, opinion: Opinion, second: i64) -> Review {
    Review {
        by,
        opinion,
        note: "Looks right".to_owned(),
        seconds: None,
        at: at(second),
    }
}

fn emma(opinion: Opinion) -> Review {
    review(person(2, "Emma Lindqvist"), opinion, 60)
}

fn farid(opinion: Opinion) -> Review {
    review(person(3, "Farid Haddad"), opinion, 61)
}

fn completion() -> Completion {
    Completion {
        rule: "prod-read".to_owned(),
        duration_seconds: 900,
        grant: GrantId::new(Uuid::from_u128(9)),
        policy: PolicyVersion::parse(&"b".repeat(64)).expect("a version"),
    }
}

fn approved(request: Request) -> Transition {
    request
        .approved(FIRST, Some(emma(Opinion::Approve)), &completion(), at(60))
        .expect("an approval")
}

/// The grant that comes of the first ask.
fn promised(request: Request, second: i64) -> Grant {
    let promised = request
        .recorded(FIRST, "hash".to_owned())
        .promised(FIRST, at(second));
    promised.expect("a grant").1
}

/// Each way in which an ask can be decided.
fn decided() -> Vec<Request> {
    vec![
        approved(request())
            .request
            .promised(FIRST, at(60))
            .expect("a grant")
            .0,
        request()
            .denied(FIRST, emma(Opinion::Deny))
            .expect("a denial")
            .request,
        request()
            .withdrawn(FIRST, at(60))
            .expect("a withdrawal")
            .request,
        request()
            .expired(FIRST, at(3_600))
            .expect("an expiry")
            .request,
    ]
}

#[test]
fn an_ask_is_decided_once_and_whoever_comes_later_is_told_how() {
    for decided in decided() {
        let found = decided.ask(FIRST).expect("an ask").state.clone();
        let refused = Refused::Decided {
            found: Box::new(found.clone()),
        };
        let again = [
            decided
                .clone()
                .approved_in_part(FIRST, farid(Opinion::Approve)),
            decided
                .clone()
                .approved(FIRST, Some(farid(Opinion::Approve)), &completion(), at(61)),
            decided.clone().approved(FIRST, None, &completion(), at(61)),
            decided.clone().denied(FIRST, farid(Opinion::Deny)),
            decided.clone().withdrawn(FIRST, at(61)),
            decided.clone().expired(FIRST, at(3_600)),
        ];
        for again in again {
            assert_eq!(again, Err(refused.clone()), "after {}", found.word());
        }
        assert_eq!(
            refused.to_string(),
            format!("the ask is already {}", found.word())
        );
    }
}

#[test]
fn each_decision_is_one_event_of_its_kind() {
    let kinds = [
        request().approved_in_part(FIRST, emma(Opinion::Approve)),
        request().approved(FIRST, Some(emma(Opinion::Approve)), &completion(), at(60)),
        request().denied(FIRST, emma(Opinion::Deny)),
        request().withdrawn(FIRST, at(60)),
        request().expired(FIRST, at(3_600)),
    ]
    .map(|transition| transition.expect("a transition").event.0);
    assert_eq!(
        kinds,
        [
            Kind::AskReviewed,
            Kind::AskApproved,
            Kind::AskDenied,
            Kind::AskWithdrawn,
            Kind::AskExpired,
        ]
    );
}

#[test]
fn a_decision_about_one_ask_leaves_the_others_as_they_are() {
    for decided in decided() {
        assert_eq!(decided.ask(SECOND), request().ask(SECOND));
        assert!(decided.is_open());
    }
    let both = request()
        .withdrawn(FIRST, at(1))
        .expect("a withdrawal")
        .request;
    let both = both.withdrawn(SECOND, at(1)).expect("a withdrawal").request;
    assert!(!both.is_open());
}

#[test]
fn an_approval_counts_once_a_person() {
    let once = request()
        .approved_in_part(FIRST, emma(Opinion::Approve))
        .expect("a review")
        .request;
    assert_eq!(once.ask(FIRST).expect("an ask").state, AskState::Pending);
    let mut renamed = emma(Opinion::Approve);
    renamed.by.name = "Emma L.".to_owned();
    renamed.by.email = Some("emma.lindqvist@example.com".to_owned());
    assert_eq!(
        once.clone().approved_in_part(FIRST, renamed.clone()),
        Err(Refused::ReviewedAlready),
        "people are compared by id",
    );
    assert_eq!(
        once.clone()
            .approved(FIRST, Some(renamed), &completion(), at(61)),
        Err(Refused::ReviewedAlready),
    );
    let twice = once
        .approved(FIRST, Some(farid(Opinion::Approve)), &completion(), at(61))
        .expect("an approval")
        .request;
    let ask = twice.ask(FIRST).expect("an ask");
    let reviewers: Vec<_> = ask.reviews.iter().map(|review| &*review.by.name).collect();
    assert_eq!(reviewers, ["Emma Lindqvist", "Farid Haddad"]);
}

#[test]
fn who_approved_may_still_deny_while_nothing_is_decided() {
    let once = request()
        .approved_in_part(FIRST, emma(Opinion::Approve))
        .expect("a review")
        .request;
    let denied = once
        .denied(FIRST, emma(Opinion::Deny))
        .expect("a denial")
        .request;
    let ask = denied.ask(FIRST).expect("an ask");
    assert_eq!(
        ask.state,
        AskState::Denied {
            at: at(60),
            by: person(2, "Emma Lindqvist"),
        }
    );
    assert_eq!(ask.reviews.len(), 2, "what was said stays on record");
}

#[test]
fn nobody_decides_an_ask_whose_time_is_up_even_if_its_expiry_is_not_recorded_yet() {
    let refused = Err(Refused::Decided {
        found: Box::new(AskState::Expired { at: at(3_600) }),
    });
    let late = |opinion| review(person(2, "Emma Lindqvist"), opinion, 3_600);
    let approve = Some(late(Opinion::Approve));
    assert_eq!(
        request().approved(FIRST, approve, &completion(), at(3_600)),
        refused
    );
    assert_eq!(
        request().approved_in_part(FIRST, late(Opinion::Approve)),
        refused
    );
    assert_eq!(request().denied(FIRST, late(Opinion::Deny)), refused);
    assert_eq!(request().withdrawn(FIRST, at(3_600)), refused);
    let in_time = review(person(2, "Emma Lindqvist"), Opinion::Deny, 3_599);
    assert!(request().denied(FIRST, in_time).is_ok());
    assert!(request().expired(FIRST, at(3_600)).is_ok());
}

#[test]
fn there_is_no_third_ask() {
    let third = AskIndex(2);
    let refused = Refused::NoSuchAsk(third);
    assert_eq!(request().withdrawn(third, at(1)), Err(refused.clone()));
    assert_eq!(request().expired(third, at(1)), Err(refused.clone()));
    assert_eq!(
        request().denied(third, emma(Opinion::Deny)),
        Err(refused.clone())
    );
    assert_eq!(refused.to_string(), "the request has no ask 2");
    assert_eq!(request().promised(third, at(1)), Err(refused));
}

#[test]
fn the_window_begins_with_the_approval_and_is_never_longer_than_what_was_asked() {
    let window = |seconds| {
        let completion = Completion {
            duration_seconds: seconds,
            ..completion()
        };
        let approved = request()
            .approved(FIRST, Some(emma(Opinion::Approve)), &completion, at(60))
            .expect("an approval")
            .request;
        let grant = promised(approved, 60);
        grant.until.duration_since(grant.from)
    };
    assert_eq!(window(600), SignedDuration::from_secs(600));
    assert_eq!(window(900), SignedDuration::from_secs(900));
    assert_eq!(window(999 * 3_600), SignedDuration::from_secs(900));
}

#[test]
fn a_grant_names_the_reviewer_who_completed_it_and_the_event_that_approved_it() {
    let partly = request()
        .approved_in_part(FIRST, emma(Opinion::Approve))
        .expect("a review")
        .request;
    let request = partly
        .approved(FIRST, Some(farid(Opinion::Approve)), &completion(), at(61))
        .expect("an approval")
        .request;
    let requester = request.requester.id.clone();
    let grant = promised(request, 61);
    assert_eq!(grant.approver, Some(person(3, "Farid Haddad")));
    assert_eq!(grant.approved_by, "hash");
    assert_eq!(grant.key.user, requester, "nobody asks for others");
    assert_eq!(grant.state, GrantState::Scheduled);
}

#[test]
fn an_automatic_approval_has_no_approver() {
    let transition = request()
        .approved(FIRST, None, &completion(), at(0))
        .expect("an approval");
    assert_eq!(transition.event.1.approver, None);
    assert_eq!(promised(transition.request, 0).approver, None);
}

fn grant() -> Grant {
    promised(approved(request()).request, 60)
}

fn seen() -> ReadEvidence {
    ReadEvidence {
        began_at: at(100),
        finished_at: at(101),
        pages: 2,
    }
}

fn activated() -> GrantChange {
    let evidence = Evidence::Seen { read: seen() };
    GrantChange::Activated { evidence }
}

fn ended(receipt: Receipt) -> GrantChange {
    GrantChange::Ended { receipt }
}

fn removed() -> Receipt {
    Receipt::Removed {
        aws_request_id: "aws".to_owned(),
        accepted_at: at(98),
        succeeded_at: at(99),
        read: seen(),
        still_given_by: None,
    }
}

fn vanished() -> Receipt {
    let look = |second| Inspection {
        began_at: at(second),
        finished_at: at(second),
        gone: BTreeSet::from([Part::PermissionSet]),
    };
    Receipt::TargetGone {
        gone: BTreeSet::from([Part::PermissionSet]),
        first: look(98),
        second: look(99),
    }
}

/// Every receipt.
fn receipts() -> Vec<Receipt> {
    vec![
        removed(),
        Receipt::AbsentAlready {
            first: seen(),
            second: seen(),
            cause: None,
            still_given_by: None,
        },
        Receipt::HeldBy { grants: Vec::new() },
        Receipt::Standing,
        vanished(),
        Receipt::NeverGranted,
    ]
}

#[test]
fn a_grant_takes_no_step_that_its_state_does_not_allow() {
    let steps = |steps: &[GrantChange]| {
        steps
            .iter()
            .try_fold(grant(), |grant, step| grant.apply(step, at(100)))
    };
    let granting = GrantChange::Granting;
    let revoking = GrantChange::Revoking;
    let states = [
        steps(&[]),
        steps(std::slice::from_ref(&granting)),
        steps(&[granting.clone(), activated()]),
        steps(&[granting.clone(), revoking.clone()]),
        steps(&[
            granting.clone(),
            activated(),
            revoking.clone(),
            ended(removed()),
        ]),
    ]
    .map(|grant| grant.expect("a legal path"));
    let allowed = [
        ("scheduled", vec!["granting", "ended"]),
        ("granting", vec!["active", "revoking"]),
        ("active", vec!["revoking"]),
        ("revoking", vec!["ended"]),
        ("ended", vec![]),
    ];
    for (grant, (state, next)) in states.into_iter().zip(allowed) {
        assert_eq!(grant.state.word(), state);
        assert_eq!(grant.phase().is_none(), state == "ended");
        let changes = [
            (granting.clone(), "granting"),
            (activated(), "active"),
            (revoking.clone(), "revoking"),
            (ended(Receipt::NeverGranted), "ended"),
        ];
        for (change, becomes) in changes {
            match grant.clone().apply(&change, at(100)) {
                Ok(after) => {
                    assert!(next.contains(&becomes), "{state} became {becomes}");
                    assert_eq!(after.state.word(), becomes);
                }
                Err(illegal) => {
                    assert!(!next.contains(&becomes), "{illegal}");
                    assert_eq!(
                        illegal.to_string(),
                        format!("a grant that is {state} cannot become {becomes}"),
                    );
                }
            }
        }
    }
}

#[test]
fn a_grant_that_was_only_promised_ends_only_as_never_granted() {
    for receipt in receipts() {
        let never = receipt == Receipt::NeverGranted;
        let word = receipt.word();
        assert_eq!(
            grant().apply(&ended(receipt), at(100)).is_ok(),
            never,
            "{word}"
        );
    }
}

#[test]
fn only_two_receipts_say_that_access_is_gone() {
    let gone: Vec<_> = receipts()
        .into_iter()
        .filter(Receipt::access_is_gone)
        .map(|receipt| receipt.word())
        .collect();
    assert_eq!(gone, ["removed", "absent-already"]);
}

#[test]
fn open_sessions_outlive_a_grant_by_what_its_permission_set_allows() {
    let scheduled = grant();
    assert_eq!(scheduled.sessions_may_last_until(), at(60 + 900 + 3_600));
    let late = [
        GrantChange::Granting,
        GrantChange::Revoking,
        ended(removed()),
    ]
    .iter()
    .try_fold(scheduled, |grant, step| grant.apply(step, at(2_000)))
    .expect("a legal path");
    // A session may have been opened until the access was really gone.
    assert_eq!(late.sessions_may_last_until(), at(2_000 + 3_600));
}

#[test]
fn a_grant_and_its_key_tell_the_same_story() {
    assert_eq!(grant().phase(), Some(Phase::Scheduled));
    let active = grant()
        .apply(&GrantChange::Granting, at(100))
        .and_then(|grant| grant.apply(&activated(), at(101)))
        .expect("a legal path");
    assert_eq!(active.phase(), Some(Phase::Active));
}

#[test]
fn the_texts_that_storage_keys_are_made_of_never_change() {
    let user = person(1, "Ana Silva").id;
    let key = Key {
        user: user.clone(),
        target: target(),
    };
    assert_eq!(
        key.to_string(),
        "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a01/111122223333/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef",
    );
    let group = GroupId::parse("99670a1b2c-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b");
    let key = Key {
        user,
        target: Target::Group {
            group: group.expect("a group id"),
        },
    };
    assert_eq!(
        key.to_string(),
        "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a01/group/99670a1b2c-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b",
    );
}

#[test]
fn what_is_stored_is_what_is_read_back() {
    let grant = grant()
        .apply(&GrantChange::Granting, at(100))
        .and_then(|grant| grant.apply(&activated(), at(101)))
        .expect("a legal path");
    let text = serde_json::to_string(&grant).expect("JSON");
    assert_eq!(
        serde_json::from_str::<Grant>(&text).expect("a grant"),
        grant
    );
    for request in decided() {
        let text = serde_json::to_string(&request).expect("JSON");
        assert_eq!(
            serde_json::from_str::<Request>(&text).expect("a request"),
            request
        );
    }
    let mut state = KeyState::new(grant.key.clone());
    state = state.with(grant.id, grant.from, grant.until);
    let text = serde_json::to_string(&state).expect("JSON");
    let read: KeyState = serde_json::from_str(&text).expect("a key");
    assert_eq!(read, state);
    assert_eq!(
        read.clone().with(grant.id, at(1), at(2)),
        read,
        "a grant is added once"
    );
}
