//! What one complete read means for one key.

#![expect(clippy::expect_used, reason = "tests")]

use domain::finding::Difference;
use domain::grant::ReadEvidence;
use domain::id::{AccountId, GrantId, GroupId, OperationId, PermissionSetArn, ServerId, UserId};
use domain::key::{Action, Before, KeyState, LostCreate, Operation, Phase, Stage, Telling};
use domain::reconcile::{OVERDUE_AFTER, is_overdue, is_unmanaged, late_since};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

const SETS: &str = "arn:aws:sso:::permissionSet/";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a date in 2027")
}

fn read(second: i64) -> ReadEvidence {
    ReadEvidence {
        began_at: at(second),
        finished_at: at(second),
        pages: 1,
    }
}

fn key() -> KeyState {
    KeyState::new(Key {
        user: UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").expect("an id"),
        target: Target::Account {
            account: AccountId::parse("111122223333").expect("an id"),
            permission_set: PermissionSetArn::parse(&format!(
                "{SETS}ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef"
            ))
            .expect("an ARN"),
        },
    })
}

fn with(phase: Phase, from: i64, until: i64) -> KeyState {
    let mut key = key().with(GrantId::new(Uuid::from_u128(1)), at(from), at(until));
    key.live[0].phase = phase;
    key
}

#[test]
fn what_nobody_ever_wanted_is_unmanaged() {
    assert!(is_unmanaged(None, &read(0)));
    assert!(is_unmanaged(Some(&key()), &read(0)));
}

#[test]
fn what_a_grant_has_or_is_losing_is_not() {
    for phase in [Phase::Granting, Phase::Active, Phase::Revoking] {
        let key = with(phase, 0, 60);
        // Even past its end: that is another finding.
        assert!(!is_unmanaged(Some(&key), &read(600)), "{phase:?}");
    }
}

#[test]
fn what_is_only_promised_has_made_nothing() {
    let key = with(Phase::Scheduled, 3_600, 7_200);
    assert!(is_unmanaged(Some(&key), &read(0)));
}

#[test]
fn what_we_have_just_deleted_may_still_show() {
    let mut key = key();
    key.last_delete_at = Some(at(0));
    key.last_write_at = Some(at(0));
    assert!(!is_unmanaged(Some(&key), &read(9)));
    assert!(is_unmanaged(Some(&key), &read(10)));
}

#[test]
fn what_may_come_of_a_lost_create_is_ours() {
    let mut key = key();
    key.lost_create = Some(LostCreate {
        last_at: at(0),
        sighting: Telling::Ambiguous,
    });
    assert!(!is_unmanaged(Some(&key), &read(16 * 60 - 1)));
    assert!(is_unmanaged(Some(&key), &read(16 * 60)));
}

#[test]
fn what_an_operation_is_about_is_ours() {
    let mut key = key();
    key.operation = Some(Operation {
        id: OperationId::new(Uuid::from_u128(2)),
        action: Action::Delete,
        intended_at: at(0),
        by: ServerId::new(Uuid::from_u128(3)),
        attempt: 1,
        before: Before::Uncertain,
        stage: Stage::Intended,
        finding: None,
    });
    assert!(!is_unmanaged(Some(&key), &read(600)));
}

#[test]
fn a_grant_is_late_from_its_end_and_overdue_minutes_later() {
    let key = with(Phase::Revoking, 0, 60);
    assert_eq!(late_since(&key, at(59)), None);
    assert_eq!(late_since(&key, at(60)), Some(at(60)));
    let overdue = at(60) + OVERDUE_AFTER;
    assert!(!is_overdue(&key, overdue));
    assert!(is_overdue(&key, overdue + SignedDuration::from_secs(1)));
    // What was never begun is nobody's access.
    assert_eq!(late_since(&with(Phase::Scheduled, 0, 60), at(600)), None);
}

#[test]
fn a_key_is_read_back_from_its_text() {
    let account = key().key;
    let group = Key {
        target: Target::Group {
            group: GroupId::parse("1234567890-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b")
                .expect("an id"),
        },
        ..account.clone()
    };
    for key in [account, group] {
        assert_eq!(Key::parse(&key.to_string(), SETS), Some(key));
    }
    for text in ["", "x", "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b", "a/b/c"] {
        assert_eq!(Key::parse(text, SETS), None, "{text}");
    }
}

#[test]
fn each_difference_has_a_word_of_its_own() {
    let words: std::collections::BTreeSet<_> = Difference::ALL.iter().map(|it| it.word()).collect();
    assert_eq!(words.len(), Difference::ALL.len());
}
