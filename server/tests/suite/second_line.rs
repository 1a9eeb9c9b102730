//! `belay sweep`: what ends access when no server does, and tells when one does not.

use domain::event::{Actor, Source};
use domain::grant::GrantState;
use domain::id::ServerId;
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::Value;
use server::store::item::StoredKey;
use server::store::{Commit, Store};
use uuid::Uuid;

use crate::harness::{Belay, Promised, Sandbox, Setup, eventually, promise};

const ACCOUNT: &str = "111122223333";

async fn active(sandbox: &Sandbox, seconds: i64) -> (Promised, Value) {
    let row = sandbox
        .assignment("carla.rossi", ACCOUNT, "ReadOnlyAccess")
        .await;
    let target = Target::Account {
        account: ACCOUNT.parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let user = row["principal_id"].as_str().unwrap();
    let lasts = SignedDuration::from_secs(seconds);
    let promised = promise(sandbox, user, target, lasts).await;
    eventually("it is active", || async {
        let state = promised.now(sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;
    (promised, row)
}

/// Runs it beside everything else, and gives how it ended and what it said.
async fn sweep(setup: &Setup) -> (i32, Value) {
    let setup = setup.clone();
    let ran = tokio::task::spawn_blocking(move || setup.run(&["sweep", "--json"]))
        .await
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let told = serde_json::from_str(&said)
        .unwrap_or_else(|error| panic!("{error}: {said} {}", String::from_utf8_lossy(&ran.stderr)));
    (ran.status.code().unwrap(), told)
}

#[tokio::test]
async fn when_no_server_is_left_it_ends_what_is_late_and_gives_the_lease_back() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).role("worker");
    let mut belay = Belay::launch(&setup).ready().await;
    let (promised, row) = active(&sandbox, 20).await;
    belay.kill();
    let until = promised.now(&sandbox).await.until;
    eventually("its window is over", || async {
        (jiff::Timestamp::now() > until).then_some(())
    })
    .await;
    let state = promised.now(&sandbox).await.state;
    assert!(matches!(state, GrantState::Active { .. }), "{state:?}");
    let (code, told) = sweep(&setup).await;
    assert_eq!((code, &told["led"]), (0, &Value::Bool(true)), "{told}");
    let state = promised.now(&sandbox).await.state;
    let GrantState::Ended { receipt, .. } = state else {
        panic!("{state:?}");
    };
    assert!(receipt.access_is_gone(), "{receipt:?}");
    assert!(!sandbox.has(&row).await);
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let lease = store.lease().await.unwrap().unwrap();
    assert_eq!(lease.holder, None, "whoever comes next need not wait");
}

#[tokio::test]
async fn while_a_server_leads_it_only_looks_and_tells_what_is_overdue() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).role("worker");
    let belay = Belay::launch(&setup).ready().await;
    let (promised, _) = active(&sandbox, 900).await;
    let (code, told) = sweep(&setup).await;
    assert_eq!((code, &told["led"]), (0, &Value::Bool(false)), "{told}");
    assert!(belay.leads(), "it was not taken over");

    // Ten minutes late, as far as the table says, because AWS refuses.
    sandbox
        .refuse("sso-admin:DeleteAccountAssignment", "AccessDeniedException")
        .await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let grant = promised.now(&sandbox).await;
    eventually("nobody else changes it meanwhile", || async {
        let before = store.key(&grant.key).await.unwrap().unwrap();
        let mut state = before.state.clone();
        let now = jiff::Timestamp::now();
        state.live[0].until = now - SignedDuration::from_mins(10);
        let me = Actor::Server(ServerId::new(Uuid::nil()));
        let mut commit = Commit::new(me, Source::Cli, now);
        let due_at = Some(now);
        commit
            .change_key(Some(&before), &StoredKey { state, due_at })
            .unwrap();
        store.commit(commit).await.ok()
    })
    .await;
    let (code, told) = sweep(&setup).await;
    assert_eq!((code, &told["led"]), (1, &Value::Bool(false)), "{told}");
    let overdue = told["overdue"].as_array().unwrap();
    assert_eq!(overdue.len(), 1, "{told}");
    assert_eq!(overdue[0]["key"], grant.key.to_string());
    assert!(belay.leads(), "it was not taken over");
}

#[test]
fn without_a_table_it_could_not_find_out() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox)
        .role("worker")
        .with("BELAY_TABLE", "nowhere");
    let ran = setup.run(&["sweep"]);
    assert_eq!(ran.status.code(), Some(3), "{ran:?}");
}
