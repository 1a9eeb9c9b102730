//! Requests for several things at once, whatever people do with them in whatever order.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeMap;

use domain::event::Kind;
use domain::grant::{Grant, GrantState};
use domain::id::{
    AccountId, AskIndex, GrantId, PermissionSetArn, PolicyVersion, RequestId, UserId,
};
use domain::request::{
    Ask, AskState, Completion, Granting, NUDGED_AT_MOST_EVERY, Names, Opinion, Promise, Refused,
    Request, Review, Terms, Transition, Who,
};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

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

fn request(asks: u8, granting: Granting) -> Request {
    let set = "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef";
    let ask = |index: u8| Ask {
        index: AskIndex(index),
        target: Target::Account {
            account: AccountId::parse(&format!("{:012}", 111_122_223_333_u64 + u64::from(index)))
                .expect("an account id"),
            permission_set: PermissionSetArn::parse(set).expect("an ARN"),
        },
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
        requester: person(0),
        reason: "Ledger drifted".to_owned(),
        duration_seconds: 900,
        submitted_at: at(0),
        expires_at: at(3_600),
        policy: PolicyVersion::parse(&"a".repeat(64)).expect("a version"),
        terms: Terms {
            granting,
            ..Terms::default()
        },
        asks: (0..asks).map(ask).collect(),
        nudged_at: None,
        version: 1,
    }
}

fn review(by: u8, opinion: Opinion, second: i64) -> Review {
    Review {
        by: person(by),
        opinion,
        note: String::new(),
        seconds: None,
        at: at(second),
    }
}

fn completion(index: u8, seconds: u32) -> Completion {
    Completion {
        rule: "prod-read".to_owned(),
        duration_seconds: seconds,
        grant: GrantId::new(Uuid::from_u128(100 + u128::from(index))),
        policy: PolicyVersion::parse(&"b".repeat(64)).expect("a version"),
    }
}

fn approve(request: Request, index: u8, second: i64) -> Request {
    let review = Some(review(1, Opinion::Approve, second));
    request
        .approved(AskIndex(index), review, &completion(index, 900), at(second))
        .expect("an approval")
        .request
        .recorded(AskIndex(index), format!("hash of {index}"))
}

#[test]
fn nothing_is_promised_before_the_last_is_approved_and_then_all_of_it_is() {
    let mut request = request(3, Granting::Together);
    for (index, second) in [(2, 10), (0, 20)] {
        request = approve(request, index, second);
        assert!(request.promisable().is_empty());
        let early = request.clone().promised(AskIndex(index), at(second));
        assert_eq!(early.expect_err("too early"), Refused::NotAllApproved);
    }
    request = approve(request, 1, 30);
    assert_eq!(request.promisable().len(), 3);
    for index in 0..3 {
        let (next, grant) = request
            .promised(AskIndex(index), at(30))
            .expect("a grant of an ask that was approved before");
        assert_eq!(grant.approved_by, format!("hash of {index}"));
        assert_eq!(grant.id, completion(index, 900).grant);
        assert_eq!((grant.from, grant.until), (at(30), at(930)));
        request = next;
    }
    assert!(request.promisable().is_empty(), "each is promised once");
    assert!(request.undecided().is_empty());
}

#[test]
fn a_later_start_is_when_the_window_begins_unless_approval_comes_later_still() {
    let window = |approved: i64| {
        let mut request = request(1, Granting::Together);
        request.terms.start = Some(at(600));
        let request = approve(request, 0, approved);
        let (_, grant) = request
            .promised(AskIndex(0), at(approved))
            .expect("a grant");
        (grant.from, grant.until)
    };
    assert_eq!(window(60), (at(600), at(1_500)));
    assert_eq!(window(700), (at(700), at(1_600)));
}

#[test]
fn what_cannot_be_granted_any_more_ends_with_what_was_denied() {
    let request = approve(request(3, Granting::Together), 2, 10);
    assert_eq!(request.bound_to(AskIndex(0)), [AskIndex(1), AskIndex(2)]);
    let mut request = request
        .denied(AskIndex(0), review(1, Opinion::Deny, 20))
        .expect("a denial")
        .request;
    for index in [1, 2] {
        let fallen = request
            .denied_with(AskIndex(index), AskIndex(0))
            .expect("it falls with the first");
        let (kind, details) = &fallen.event;
        assert_eq!(*kind, Kind::AskDenied);
        assert_eq!(details.more["with_ask"], "0");
        request = fallen.request;
    }
    assert!(request.undecided().is_empty());
    assert!(!request.is_open());
}

#[test]
fn what_is_granted_separately_falls_with_nothing() {
    let request = request(2, Granting::Separately);
    let request = request
        .denied(AskIndex(0), review(1, Opinion::Deny, 20))
        .expect("a denial")
        .request;
    assert!(request.bound_to(AskIndex(0)).is_empty());
    assert_eq!(
        request.clone().denied_with(AskIndex(1), AskIndex(0)),
        Err(Refused::Separate)
    );
    let pending = Box::new(AskState::Pending);
    assert_eq!(
        request.denied_with(AskIndex(0), AskIndex(1)),
        Err(Refused::Decided { found: pending }),
        "what still waits is no reason to end anything"
    );
}

#[test]
fn an_approval_is_taken_back_by_whoever_gave_it_and_only_before_it_completes() {
    let once = request(1, Granting::Together)
        .approved_in_part(AskIndex(0), review(1, Opinion::Approve, 10))
        .expect("a review")
        .request;
    let nobody = once.clone().retracted(AskIndex(0), &person(2), at(11));
    assert_eq!(nobody, Err(Refused::NothingToRetract));
    let back = once
        .clone()
        .retracted(AskIndex(0), &person(1), at(11))
        .expect("a retraction");
    assert_eq!(back.event.0, Kind::AskRetracted);
    assert!(back.request.asks[0].reviews.is_empty());
    let again = back
        .request
        .approved_in_part(AskIndex(0), review(1, Opinion::Approve, 12));
    assert!(again.is_ok(), "they may change their mind again");
    let whole = once
        .approved(
            AskIndex(0),
            Some(review(2, Opinion::Approve, 13)),
            &completion(0, 900),
            at(13),
        )
        .expect("an approval")
        .request;
    let found = Box::new(whole.asks[0].state.clone());
    assert_eq!(
        whole.retracted(AskIndex(0), &person(1), at(14)),
        Err(Refused::Decided { found })
    );
}

#[test]
fn an_approval_that_no_longer_stands_is_reopened_before_the_promise_and_never_after() {
    let request = approve(request(2, Granting::Together), 0, 10);
    let reopened = request
        .clone()
        .reopened(AskIndex(0), "because", None)
        .expect("it waits again");
    assert_eq!(reopened.event.0, Kind::AskReopened);
    assert_eq!(reopened.request.asks[0].state, AskState::Pending);
    assert!(
        request
            .clone()
            .reopened(AskIndex(1), "because", None)
            .is_err(),
        "what waits is not reopened"
    );
    let request = approve(request, 1, 20);
    let (request, _) = request.promised(AskIndex(0), at(20)).expect("a grant");
    assert!(request.reopened(AskIndex(0), "because", None).is_err());
}

#[test]
fn approvers_are_reminded_at_most_every_half_hour() {
    let nudged = request(1, Granting::Together)
        .nudged(at(10))
        .expect("a nudge");
    assert_eq!(nudged.event.0, Kind::RequestNudged);
    let again_at = at(10 + NUDGED_AT_MOST_EVERY.as_secs());
    assert_eq!(
        nudged.request.clone().nudged(at(11)),
        Err(Refused::NudgedAlready { again_at })
    );
    assert!(nudged.request.clone().nudged(again_at).is_ok());
    let decided = approve(nudged.request, 0, 20);
    let found = Box::new(decided.asks[0].state.clone());
    assert_eq!(decided.nudged(again_at), Err(Refused::Decided { found }));
}

#[test]
fn what_was_stored_before_there_were_several_is_read_as_promised() {
    let old = serde_json::json!({
        "state": "approved",
        "at": "2026-11-22T08:00:00Z",
        "rule": "prod-read",
        "grant": "01932c07-20a1-7e3c-a0a5-0123456789ac",
    });
    let state: AskState = serde_json::from_value(old).expect("a state of an earlier version");
    assert!(!state.is_undecided());
    let mut value = serde_json::to_value(request(1, Granting::Together)).expect("JSON");
    for name in ["terms", "nudged_at"] {
        value.as_object_mut().expect("an object").remove(name);
    }
    let read: Request = serde_json::from_value(value).expect("a request of an earlier version");
    assert_eq!(read, request(1, Granting::Together));
}

/// What somebody, or time, does to one ask.
#[derive(Debug, Clone, Copy)]
enum Act {
    Approve(u8),
    Agree(u8),
    Deny,
    DenyWith(u8),
    Retract(u8),
    Withdraw,
    Expire,
    Reopen,
    Promise,
}

fn acts() -> impl Strategy<Value = Vec<(u8, Act)>> {
    let act = prop_oneof![
        4 => (1..4_u8).prop_map(Act::Approve),
        2 => (1..4_u8).prop_map(Act::Agree),
        1 => Just(Act::Deny),
        1 => (0..4_u8).prop_map(Act::DenyWith),
        1 => (1..4_u8).prop_map(Act::Retract),
        1 => Just(Act::Withdraw),
        1 => Just(Act::Expire),
        1 => Just(Act::Reopen),
        4 => Just(Act::Promise),
    ];
    prop::collection::vec((0..4_u8, act), 1..60)
}

enum Did {
    Moved(Box<Transition>),
    Promised(Box<(Request, Grant)>),
    Refused(Refused),
}

fn act(request: &Request, index: u8, act: Act, second: i64) -> Did {
    let of = AskIndex(index);
    let request = request.clone();
    let moved = match act {
        Act::Approve(by) => request.approved(
            of,
            Some(review(by, Opinion::Approve, second)),
            &completion(index, 2_000),
            at(second),
        ),
        Act::Agree(by) => request.approved_in_part(of, review(by, Opinion::Approve, second)),
        Act::Deny => request.denied(of, review(3, Opinion::Deny, second)),
        Act::DenyWith(cause) => request.denied_with(of, AskIndex(cause)),
        Act::Retract(by) => request.retracted(of, &person(by), at(second)),
        Act::Withdraw => request.withdrawn(of, at(second)),
        Act::Expire => request.expired(of, at(second)),
        Act::Reopen => request.reopened(of, "because", None),
        Act::Promise => {
            return match request.promised(of, at(second)) {
                Ok(promised) => Did::Promised(Box::new(promised)),
                Err(refused) => Did::Refused(refused),
            };
        }
    };
    match moved {
        Ok(transition) => Did::Moved(Box::new(transition)),
        Err(refused) => Did::Refused(refused),
    }
}

const fn is_promised(state: &AskState) -> bool {
    matches!(
        state,
        AskState::Approved {
            promise: Promise::Made,
            ..
        }
    )
}

proptest! {
    /// Whatever happens to a request in whatever order: only the ask that it is about changes, what
    /// was decided stays so, each ask is promised once, and nothing that waits for another is.
    #[test]
    fn whatever_happens_nothing_is_promised_too_early_or_twice(
        asks in 1..5_u8,
        separately: bool,
        acts in acts(),
    ) {
        let granting = if separately { Granting::Separately } else { Granting::Together };
        let mut request = request(asks, granting);
        let mut grants: BTreeMap<AskIndex, Grant> = BTreeMap::new();
        for (second, (index, what)) in acts.into_iter().enumerate() {
            let second = i64::try_from(second).expect("few");
            let next = match act(&request, index, what, second) {
                Did::Moved(transition) => {
                    let details = &transition.event.1;
                    prop_assert_eq!(&details.more["ask"], &serde_json::json!(index.to_string()));
                    transition.request
                }
                Did::Promised(promised) => {
                    let (next, grant) = *promised;
                    let all = next.asks.iter().all(|ask| matches!(ask.state, AskState::Approved { .. }));
                    prop_assert!(separately || all, "it waited for another");
                    prop_assert!(grant.until.duration_since(grant.from) <= SignedDuration::from_secs(900));
                    prop_assert!(grants.insert(AskIndex(index), grant).is_none(), "promised twice");
                    next
                }
                Did::Refused(Refused::Decided { found }) => {
                    let is = request.ask(AskIndex(index)).map(|ask| ask.state.clone());
                    let cause = match what {
                        Act::DenyWith(cause) => request.ask(AskIndex(cause)).map(|ask| ask.state.clone()),
                        _ => None,
                    };
                    prop_assert!(is == Some(*found.clone()) || cause == Some(*found), "it names what it found");
                    continue;
                }
                Did::Refused(_) => continue,
            };
            for (before, after) in request.asks.iter().zip(&next.asks) {
                if before.index != AskIndex(index) {
                    prop_assert_eq!(before, after, "another ask changed");
                } else if !before.state.is_undecided() {
                    prop_assert_eq!(before, after, "what was decided changed");
                }
                let promised = is_promised(&after.state);
                prop_assert_eq!(promised, grants.contains_key(&after.index));
            }
            request = next;
        }
    }

    /// However often somebody ends it, an end never moves later, and what has begun does not end
    /// without evidence.
    #[test]
    fn an_end_only_moves_earlier(ends in prop::collection::vec(-10..2_000_i64, 1..8), begun: bool) {
        let request = approve(request(1, Granting::Together), 0, 0);
        let (_, mut grant) = request.promised(AskIndex(0), at(0)).expect("a grant");
        if begun {
            grant.state = GrantState::Granting { since: at(0) };
        }
        for second in ends {
            let before = grant.clone();
            if let Ok((after, (kind, _))) = grant.clone().ended_early("enough", at(second)) {
                prop_assert!(after.until <= before.until);
                prop_assert!(after.until >= after.from);
                let (expected, state) = if begun {
                    (Kind::GrantShortened, "granting")
                } else {
                    (Kind::GrantEnded, "ended")
                };
                prop_assert_eq!(kind, expected);
                prop_assert_eq!(after.state.word(), state);
                grant = after;
            }
        }
    }
}
