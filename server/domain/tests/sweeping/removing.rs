//! How a removal goes on, once it is intended.

use super::*;

fn context(second: i64) -> Context {
    Context {
        now: at(second),
        me: ServerId::new(Uuid::from_u128(3)),
        fresh: OperationId::new(Uuid::from_u128(4)),
    }
}

fn state() -> KeyState {
    KeyState::new(key(1, 1))
}

fn swept() -> FindingId {
    FindingId::new(Uuid::from_u128(2))
}

#[test]
fn what_is_ours_in_any_way_is_told() {
    let ours = |key: &KeyState, second| Ours::of(Some(key), at(second));
    let settled = SETTLED_AFTER.as_secs();
    assert_eq!(Ours::of(None, at(0)), Ours::Nothing);
    assert_eq!(ours(&state(), 0), Ours::Nothing);
    // Also one that begins in a year.
    let promised = state().with(
        GrantId::new(Uuid::from_u128(1)),
        at(9_000_000),
        at(9_000_100),
    );
    assert_eq!(ours(&promised, 0), Ours::Promised);
    let mut standing = promised;
    standing.standing = Standing::Standing;
    assert_eq!(ours(&standing, 0), Ours::Standing);
    let change = remove(&state(), swept(), context(0)).expect("an intent");
    assert_eq!(ours(&change.key, 100_000), Ours::UnderWay);
    let marks: [fn(&mut KeyState); 4] = [
        |key| key.last_write_at = Some(at(0)),
        |key| key.last_delete_at = Some(at(0)),
        |key| key.lost_delete_at = Some(at(0)),
        |key| {
            key.lost_create = Some(LostCreate {
                last_at: at(0),
                sighting: Telling::Ambiguous,
            });
        },
    ];
    for mark in marks {
        let mut key = state();
        mark(&mut key);
        assert_ne!(ours(&key, settled - 1), Ours::Nothing);
        assert_eq!(ours(&key, settled), Ours::Nothing);
    }
}

fn sighting(second: i64, presence: Presence) -> Sighting {
    let read = ReadEvidence {
        began_at: at(second),
        finished_at: at(second),
        pages: 1,
    };
    Sighting { presence, read }
}

/// Removed and accepted, as of 1 s.
fn accepted() -> KeyState {
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    assert!(matches!(next(&key, context(0)), Step::Send { .. }));
    let accepted = Sent::Accepted {
        aws_request_id: "req".to_owned(),
    };
    let sent = progress::sent(&key, context(0).fresh, accepted, at(1));
    sent.expect("a change").key
}

#[test]
fn a_removal_is_proved_as_every_end_is() {
    let id = context(0).fresh;
    let polled = progress::polled(&accepted(), id, &Status::Succeeded, at(2));
    let key = polled.expect("a change").key;
    let Step::Read(purpose) = next(&key, context(2)) else {
        panic!("{key:?}");
    };
    // That AWS says so is no proof.
    let still = sighting(3, Presence::Present);
    let change = progress::read(&key, purpose, &still, context(3)).expect("a change");
    assert_eq!(change.swept, None);
    let gone = sighting(3, Presence::Absent);
    let change = progress::read(&key, purpose, &gone, context(3)).expect("a change");
    let Some((finding, Swept::Removed(receipt))) = &change.swept else {
        panic!("{change:?}");
    };
    assert_eq!(*finding, swept());
    assert!(matches!(receipt, Receipt::Removed { .. }));
    assert_eq!(change.key.operation, None);
    assert_eq!(Swept::closes_as(receipt), Closed::Removed);
}

/// What the plan records next.
fn recorded(key: &KeyState, second: i64) -> Change {
    match next(key, context(second)) {
        Step::Record(change) => change,
        other => panic!("{other:?}"),
    }
}

fn given_up(change: &Change, because: &str) {
    let Some((finding, Swept::NotRemoved { reason })) = &change.swept else {
        panic!("{change:?}");
    };
    assert_eq!((*finding, reason.as_str()), (swept(), because));
    assert_eq!(change.key.operation, None);
    assert!(!change.intends());
}

#[test]
fn a_removal_that_fails_is_not_tried_again() {
    let id = context(0).fresh;
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    let refused = Sent::Refused {
        code: "AccessDeniedException".to_owned(),
    };
    let refused = progress::sent(&key, id, refused, at(1)).expect("a change");
    given_up(&recorded(&refused.key, 1), "AccessDeniedException");
    given_up(&recorded(&refused.key, 1_000), "AccessDeniedException");

    // It may have happened: a read tells that it has not.
    let lost = progress::sent(&key, id, Sent::Unheard, at(1)).expect("a change");
    let Step::Read(purpose) = next(&lost.key, context(2)) else {
        panic!("{lost:?}");
    };
    let there = sighting(3, Presence::Present);
    let read = progress::read(&lost.key, purpose, &there, context(3)).expect("a change");
    given_up(&recorded(&read.key, 3), "outcome-unknown");
    // It may yet strike, so that the key is not swept again before it cannot.
    let after = recorded(&read.key, 3).key;
    assert_eq!(Ours::of(Some(&after), at(900)), Ours::UnderWay);
    assert_eq!(remove(&after, swept(), context(3)).map(|_| ()), Some(()));

    // Whose server died before it sent it: the next one reads, and sends nothing.
    let other = Context {
        me: ServerId::new(Uuid::from_u128(9)),
        ..context(30)
    };
    let Step::Record(adopted) = next(&key, other) else {
        panic!("{key:?}");
    };
    assert!(!adopted.intends());
    assert!(matches!(next(&adopted.key, other), Step::Read(_)));
}

#[test]
fn whoever_is_promised_it_meanwhile_keeps_it() {
    let grant = GrantId::new(Uuid::from_u128(1));
    let key = remove(&state(), swept(), context(0))
        .expect("an intent")
        .key;
    let promised = key.with(grant, at(0), at(3_600));
    given_up(&recorded(&promised, 1), "wanted");
    // Too late: it was accepted. It is given again once that is over.
    let id = context(0).fresh;
    let promised = accepted().with(grant, at(0), at(3_600));
    let polled = progress::polled(&promised, id, &Status::Succeeded, at(2));
    let key = polled.expect("a change").key;
    let read = match next(&key, context(2)) {
        Step::Read(purpose) => {
            let still = sighting(2, Presence::Present);
            progress::read(&key, purpose, &still, context(2)).expect("a change")
        }
        Step::Record(change) => change,
        other => panic!("{other:?}"),
    };
    let change = match &read.swept {
        Some(_) => read,
        None => recorded(&read.key, 2),
    };
    given_up(&change, "wanted");
    assert!(recorded(&change.key, 3).intends());
}

#[test]
fn nothing_of_ours_is_removed_by_the_sweep() {
    let grant = GrantId::new(Uuid::from_u128(1));
    let intent = |key: &KeyState| remove(key, swept(), context(10)).map(|change| change.key);
    assert!(intent(&state()).is_some());
    let promised = state().with(grant, at(9_000), at(9_100));
    assert_eq!(intent(&promised), None);
    let mut standing = state();
    standing.standing = Standing::Standing;
    assert_eq!(intent(&standing), None);
    let busy = intent(&state()).expect("an intent");
    assert_eq!(intent(&busy), None);
    let mut lost = state();
    lost.lost_create = Some(LostCreate {
        last_at: at(0),
        sighting: Telling::Ambiguous,
    });
    assert_eq!(intent(&lost), None);
}
