//! Whether somebody had access before is decided by a whole read or by none: who is on a page that
//! was lost keeps what they had.

use domain::grant::GrantState;
use domain::key::Standing;
use domain::target::{Key, Target};
use jiff::SignedDuration;
use serde_json::json;
use server::store::Store;

use crate::harness::{Belay, Sandbox, eventually, promise};

const ACCOUNT: &str = "111122223333";

/// With one row a page at most one of these is on the first page, whatever the order.
const PEOPLE: [&str; 3] = ["ines.costa", "hugo.martin", "grace.chen"];

#[tokio::test]
async fn who_is_on_a_page_that_was_lost_keeps_what_they_had_before() {
    let sandbox = Sandbox::start_with(&["--page-size-max=1"]);
    let belay = Belay::start(&sandbox).await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let mut keys = Vec::new();
    for person in PEOPLE {
        let row = sandbox.assignment(person, ACCOUNT, "ReadOnlyAccess").await;
        sandbox.assign(&row).await;
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        keys.push(Key {
            user: text("principal_id").parse().unwrap(),
            target: Target::Account {
                account: ACCOUNT.parse().unwrap(),
                permission_set: text("permission_set_arn").parse().unwrap(),
            },
        });
    }
    let before = sandbox.state().await["assignments"].clone();
    let Target::Account { permission_set, .. } = &keys[0].target else {
        panic!("{keys:?}");
    };
    // No read gets beyond its first page.
    let lost = sandbox
        .fault(json!({
            "operation": "sso-admin:ListAccountAssignments", "kind": "lose-page", "times": 0,
            "match": {"AccountId": ACCOUNT, "PermissionSetArn": permission_set.as_str()},
        }))
        .await;
    let mut promises = Vec::new();
    for key in &keys {
        let lasts = SignedDuration::from_mins(30);
        promises.push(promise(&sandbox, key.user.as_str(), key.target.clone(), lasts).await);
    }
    // Each was read about, and put off: a promise is due at once, a read that failed later.
    for (key, promised) in keys.iter().zip(&promises) {
        eventually("it is put off", || async {
            let due_at = store.key(key).await.unwrap().unwrap().due_at;
            let from = promised.now(&sandbox).await.from;
            (due_at != Some(from)).then_some(())
        })
        .await;
        let state = promised.now(&sandbox).await.state;
        assert!(matches!(state, GrantState::Scheduled), "{key}: {state:?}");
    }
    assert!(sandbox.faults_fired().await[&lost] > 0);

    sandbox.lift(&lost).await;
    for (key, promised) in keys.iter().zip(&promises) {
        eventually("it is active", || async {
            let state = promised.now(&sandbox).await.state;
            matches!(state, GrantState::Active { .. }).then_some(())
        })
        .await;
        let state = store.key(key).await.unwrap().unwrap().state;
        assert_eq!(state.standing, Standing::Standing, "{key}");
    }
    assert_eq!(sandbox.state().await["assignments"], before);
    for write in ["Create", "Delete"] {
        let operation = format!("sso-admin:{write}AccountAssignment");
        assert!(sandbox.calls(&operation).await.is_empty(), "{operation}");
    }
    drop(belay);
}
