//! Going in first and having it signed: what can follow what, whatever people do in whatever order.

#![expect(clippy::expect_used, reason = "tests")]

use std::collections::BTreeSet;

use domain::event::Kind;
use domain::glass::{self, Closure, GlassState};
use domain::id::{
    AccountId, AskIndex, GrantId, PermissionSetArn, PolicyVersion, RequestId, UserId,
};
use domain::policy::BreakGlass;
use domain::request::{
    Ask, AskState, Completion, Granting, Names, Opinion, Refused, Request, Review, SIGN_WITHIN,
    Stands, Terms, Who,
};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::Value;
use uuid::Uuid;

const FIRST: AskIndex = AskIndex(0);
const SECOND: AskIndex = AskIndex(1);

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

fn pending(id: u128) -> Request {
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
            permission_set: "AdministratorAccess".to_owned(),
            session_seconds: 3_600,
        },
        state: AskState::Pending,
        verdict: Value::Null,
        reviews: Vec::new(),
        glass: None,
    };
    Request {
        id: RequestId::new(Uuid::from_u128(id)),
        requester: person(0),
        reason: "The ledger is down".to_owned(),
        duration_seconds: 900,
        submitted_at: at(0),
        expires_at: at(3_600),
        policy: PolicyVersion::parse(&"a".repeat(64)).expect("a version"),
        terms: Terms {
            granting: Granting::Together,
            ..Terms::default()
        },
        asks: vec![ask(0), ask(1)],
        nudged_at: None,
        version: 1,
    }
}

fn completion(index: AskIndex) -> Completion {
    Completion {
        rule: "glass".to_owned(),
        duration_seconds: 900,
        grant: grant_of(index),
        policy: PolicyVersion::parse(&"b".repeat(64)).expect("a version"),
    }
}

fn grant_of(index: AskIndex) -> GrantId {
    GrantId::new(Uuid::from_u128(100 + u128::from(index.0)))
}

/// Both asks granted as break-glass at 10, to be signed by so many.
fn broken(needed: u32) -> Request {
    let skipped = BTreeSet::from([person(1).id, person(2).id]);
    [FIRST, SECOND]
        .into_iter()
        .fold(pending(7), |request, index| {
            request
                .broken(index, &completion(index), needed, &skipped, at(10))
                .expect("a break-glass")
                .request
        })
}

fn word(by: u8, opinion: Opinion, second: i64) -> Review {
    Review {
        by: person(by),
        opinion,
        note: "Looked at the trail".to_owned(),
        seconds: None,
        at: at(second),
    }
}

fn stands(request: &Request, index: AskIndex) -> Stands {
    let ask = request.ask(index).expect("an ask");
    ask.glass.as_ref().expect("break-glass").stands.clone()
}

#[test]
fn going_in_first_is_one_approval_that_says_so_and_names_who_was_passed_by() {
    let skipped = BTreeSet::from([person(1).id, person(2).id]);
    let broken = pending(7)
        .broken(FIRST, &completion(FIRST), 2, &skipped, at(10))
        .expect("a break-glass");
    let (kind, details) = broken.event;
    assert_eq!(kind, Kind::AskApproved);
    let said = |name: &str| details.more.get(name).cloned();
    assert_eq!(said("break_glass"), Some("true".into()));
    assert_eq!(said("signatures_needed"), Some("2".into()));
    assert_eq!(
        said("sign_by"),
        Some((at(10) + SIGN_WITHIN).to_string().into())
    );
    assert_eq!(said("skipped_in_all"), Some("2".into()));
    let named: Vec<Value> = skipped.iter().map(|one| one.to_string().into()).collect();
    assert_eq!(said("skipped"), Some(named.into()));
    let glass = broken.request.asks[0].glass.as_ref().expect("a mark");
    assert_eq!((glass.needed, &glass.stands), (2, &Stands::Unsigned));
    assert_eq!(broken.request.unsigned(), [FIRST]);
    assert_eq!(broken.request.sign_by(), Some(at(10) + SIGN_WITHIN));
}

#[test]
fn many_who_were_passed_by_are_counted() {
    let skipped: BTreeSet<UserId> = (1..=200).map(|number| person(number).id).collect();
    let broken = pending(7)
        .broken(FIRST, &completion(FIRST), 1, &skipped, at(10))
        .expect("a break-glass");
    let (_, details) = broken.event;
    let told = details.more["skipped"].as_array().expect("a list").len();
    assert_eq!(told, 50);
    assert_eq!(details.more["skipped_in_all"], "200");
}

#[test]
fn its_grant_is_marked_and_so_is_each_of_its_events() {
    let (request, grant) = broken(1).promised(FIRST, at(10)).expect("a grant");
    assert!(grant.break_glass);
    assert_eq!(grant.scheduled().1.more["break_glass"], "true");
    let (_, (_, details)) = grant.ended_early("Done", at(20)).expect("an end");
    assert_eq!(details.more["break_glass"], "true");
    // What is signed is marked all the same.
    let signed = request.signed(FIRST, word(1, Opinion::Approve, 30), 0);
    let signed = signed.expect("a signature").request;
    assert!(signed.is_break_glass());
    let ordinary = pending(8);
    let ordinary = ordinary.approved(FIRST, None, &completion(FIRST), at(10));
    let ordinary = ordinary.expect("an approval").request;
    let ordinary = ordinary.approved(SECOND, None, &completion(SECOND), at(10));
    let (_, grant) = ordinary
        .expect("an approval")
        .request
        .promised(FIRST, at(10))
        .expect("a grant");
    assert!(!grant.break_glass);
    assert!(!grant.scheduled().1.more.contains_key("break_glass"));
}

#[test]
fn the_last_signature_settles_it_and_nothing_follows() {
    let one = broken(2).signed(FIRST, word(1, Opinion::Approve, 20), 1);
    let one = one.expect("a signature");
    assert_eq!(one.event.0, Kind::AskSigned);
    assert_eq!(one.event.1.more["signatures_missing"], "1");
    assert_eq!(stands(&one.request, FIRST), Stands::Unsigned);
    let again = one
        .request
        .clone()
        .signed(FIRST, word(1, Opinion::Approve, 21), 0);
    assert_eq!(again.expect_err("twice"), Refused::SignedAlready);
    let two = one.request.signed(FIRST, word(2, Opinion::Approve, 30), 0);
    let two = two.expect("a signature").request;
    assert_eq!(stands(&two, FIRST), Stands::Signed { at: at(30) });
    assert_eq!(two.unsigned(), [SECOND], "each ask by itself");
    let settled = Refused::Settled {
        found: Box::new(Stands::Signed { at: at(30) }),
    };
    let third = two.clone().signed(FIRST, word(3, Opinion::Approve, 40), 0);
    assert_eq!(third.expect_err("signed"), settled);
    let rejected = two.clone().rejected(FIRST, word(3, Opinion::Deny, 40));
    assert_eq!(rejected.expect_err("signed"), settled);
    let late = two.overdue(FIRST, at(10) + SIGN_WITHIN);
    assert_eq!(late.expect_err("signed"), settled);
}

#[test]
fn a_rejection_settles_it_also_by_somebody_who_had_signed() {
    let signed = broken(2).signed(FIRST, word(1, Opinion::Approve, 20), 1);
    let rejected = signed
        .expect("a signature")
        .request
        .rejected(FIRST, word(1, Opinion::Deny, 30))
        .expect("a rejection");
    assert_eq!(rejected.event.0, Kind::AskRejected);
    let found = Stands::Rejected {
        at: at(30),
        by: person(1),
    };
    assert_eq!(stands(&rejected.request, FIRST), found);
    let next = rejected
        .request
        .signed(FIRST, word(2, Opinion::Approve, 40), 0);
    let found = Box::new(found);
    assert_eq!(next.expect_err("rejected"), Refused::Settled { found });
}

#[test]
fn after_its_time_it_is_overdue_once_and_can_still_be_signed() {
    let by = at(10) + SIGN_WITHIN;
    let early = broken(1).overdue(FIRST, by - SignedDuration::from_secs(1));
    assert_eq!(early.expect_err("in time"), Refused::InTime { sign_by: by });
    let overdue = broken(1).overdue(FIRST, by).expect("an end of patience");
    assert_eq!(overdue.event.0, Kind::AskUnsigned);
    let overdue = overdue.request;
    assert_eq!(stands(&overdue, FIRST), Stands::Overdue { since: by });
    assert_eq!(overdue.unsigned(), [FIRST, SECOND]);
    assert_eq!(overdue.sign_by(), Some(by), "the other has yet to be");
    let twice = overdue.clone().overdue(FIRST, by);
    assert!(matches!(twice, Err(Refused::Settled { .. })));
    let signed = overdue.signed(FIRST, word(9, Opinion::Approve, 100_000), 0);
    let signed = signed.expect("a signature").request;
    assert_eq!(stands(&signed, FIRST), Stands::Signed { at: at(100_000) });
}

#[test]
fn what_somebody_was_asked_for_before_has_nothing_to_sign() {
    let approved = pending(7).approved(FIRST, None, &completion(FIRST), at(10));
    let approved = approved.expect("an approval").request;
    for request in [pending(7), approved] {
        let signed = request
            .clone()
            .signed(FIRST, word(1, Opinion::Approve, 20), 0);
        assert_eq!(signed.expect_err("nothing"), Refused::NotBreakGlass);
        let rejected = request.clone().rejected(FIRST, word(1, Opinion::Deny, 20));
        assert_eq!(rejected.expect_err("nothing"), Refused::NotBreakGlass);
        let late = request.overdue(FIRST, at(1_000_000));
        assert_eq!(late.expect_err("nothing"), Refused::NotBreakGlass);
    }
    let none = broken(1).signed(AskIndex(9), word(1, Opinion::Approve, 20), 0);
    assert_eq!(none.expect_err("no ask"), Refused::NoSuchAsk(AskIndex(9)));
}

fn closure(by: u8) -> Closure {
    Closure {
        by: person(by),
        at: at(30),
        request: RequestId::new(Uuid::from_u128(7)),
        grant: grant_of(FIRST),
    }
}

#[test]
fn a_person_is_let_in_first_again_once_all_is_signed_and_nothing_was_rejected() {
    let (one, two) = (pending(7).id, pending(8).id);
    let fresh = GlassState::default();
    assert_eq!(fresh.asked(), BreakGlass::Asked);
    let unsigned = fresh.broke(one).expect("the first");
    assert_eq!(unsigned.asked(), BreakGlass::AskedWhileUnsigned);
    assert_eq!(unsigned.clone().broke(two), Err(glass::Refused::Unsigned));
    assert_eq!(unsigned.clone().broke(one), Err(glass::Refused::Unsigned));
    // What is settled elsewhere settles nothing here.
    let other = unsigned.clone().settled(two);
    assert_eq!(other.asked(), BreakGlass::AskedWhileUnsigned);
    let settled = unsigned.settled(one);
    assert_eq!(settled.asked(), BreakGlass::Asked);

    let (closed, (kind, details)) = settled.closed(&person(0), closure(1)).expect("a closure");
    assert_eq!(kind, Kind::BreakGlassClosed);
    assert_eq!(details.requester, Some(person(0)));
    assert_eq!(details.approver, Some(person(1)));
    assert_eq!(closed.asked(), BreakGlass::AskedWhileClosed);
    let refused = glass::Refused::Closed(Box::new(closure(1)));
    assert_eq!(closed.clone().broke(two), Err(refused.clone()));
    let again = closed.clone().closed(&person(0), closure(2));
    assert_eq!(again.expect_err("once"), refused);

    let own = closed
        .clone()
        .reopened(&person(0), &person(0), "I am sorry");
    assert_eq!(own.expect_err("for oneself"), glass::Refused::Own);
    let (open, (kind, details)) = closed
        .reopened(&person(0), &person(5), "We talked")
        .expect("an opening");
    assert_eq!(kind, Kind::BreakGlassReopened);
    assert_eq!(details.more["note"], "We talked");
    assert_eq!(open.asked(), BreakGlass::Asked);
    let twice = open.reopened(&person(0), &person(5), "Once more");
    assert_eq!(twice.expect_err("open"), glass::Refused::NotClosed);
}

/// What somebody may try.
#[derive(Debug, Clone, Copy)]
enum Try {
    Sign { by: u8, missing: u32 },
    Reject { by: u8 },
    Late,
    Break { id: u128 },
    Reopen { by: u8 },
}

fn tries() -> impl Strategy<Value = Vec<(Try, u8, i64)>> {
    let one = prop_oneof![
        (0..4_u8, 0..3_u32).prop_map(|(by, missing)| Try::Sign { by, missing }),
        (0..4_u8).prop_map(|by| Try::Reject { by }),
        Just(Try::Late),
        (7..10_u128).prop_map(|id| Try::Break { id }),
        (0..4_u8).prop_map(|by| Try::Reopen { by }),
    ];
    prop::collection::vec((one, 0..2_u8, 0..200_000_i64), 0..30)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    /// Never the requester; each change one event; a rejection is final and closes; what is not
    /// signed bars the next, and so does what is closed.
    #[test]
    fn whatever_people_try_in_whatever_order(tries in tries()) {
        let mut request = broken(2);
        let mut state = GlassState::default().broke(request.id).expect("the first");
        let mut rejected = false;
        for (attempt, index, second) in tries {
            let (index, before) = (AskIndex(index), request.clone());
            let was_unsigned = stands(&before, index).is_unsigned();
            match attempt {
                Try::Sign { by, missing } => {
                    let signature = word(by, Opinion::Approve, second);
                    if let Ok(next) = request.clone().signed(index, signature, missing) {
                        prop_assert!(was_unsigned && by != 0);
                        prop_assert_eq!(next.event.0, Kind::AskSigned);
                        prop_assert_eq!(stands(&next.request, index).is_unsigned(), missing > 0);
                        request = next.request;
                    } else {
                        let signed = |have: &Review| have.by.id == person(by).id;
                        let glass = before.ask(index).expect("an ask").glass.clone();
                        let twice = glass.expect("a mark").signatures.iter().any(signed);
                        prop_assert!(by == 0 || !was_unsigned || twice);
                    }
                }
                Try::Reject { by } => {
                    let word = word(by, Opinion::Deny, second);
                    let result = request.clone().rejected(index, word);
                    // Whoever may, can; and it always ends and closes.
                    prop_assert_eq!(result.is_ok(), was_unsigned && by != 0);
                    if let Ok(next) = result {
                        prop_assert_eq!(next.event.0, Kind::AskRejected);
                        request = next.request;
                        if state.closed.is_none() {
                            let closing = state.clone().closed(&person(0), closure(by));
                            state = closing.expect("a closure").0;
                        }
                        rejected = true;
                        prop_assert_eq!(state.asked(), BreakGlass::AskedWhileClosed);
                    }
                }
                Try::Late => {
                    if let Ok(next) = request.clone().overdue(index, at(second)) {
                        prop_assert!(at(second) >= at(10) + SIGN_WITHIN);
                        prop_assert_eq!(next.event.0, Kind::AskUnsigned);
                        request = next.request;
                    }
                }
                Try::Break { id } => {
                    let may = state.asked() == BreakGlass::Asked;
                    let result = state.clone().broke(pending(id).id);
                    prop_assert_eq!(result.is_ok(), may);
                    prop_assert_eq!(may, state.unsigned.is_empty() && state.closed.is_none());
                }
                Try::Reopen { by } => {
                    let result = state.clone().reopened(&person(0), &person(by), "");
                    prop_assert_eq!(result.is_ok(), by != 0 && state.closed.is_some());
                    if let Ok((next, _)) = result {
                        state = next;
                        rejected = false;
                    }
                }
            }
            if request.unsigned().is_empty() {
                state = state.settled(request.id);
            }
            prop_assert_eq!(state.closed.is_some(), rejected);
            for ask in &request.asks {
                let glass = ask.glass.as_ref().expect("marked for ever");
                let own = |have: &Review| have.by.id == person(0).id;
                prop_assert!(!glass.signatures.iter().any(own));
                if let Stands::Rejected { .. } = stands(&before, ask.index) {
                    prop_assert_eq!(stands(&before, ask.index), stands(&request, ask.index));
                }
            }
        }
    }
}
