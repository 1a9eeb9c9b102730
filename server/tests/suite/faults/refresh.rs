//! The readings after the first, which a server makes while people use what it read before. A reading
//! is made once the one before is old: the table says here that it is, so that nobody waits for that.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::store::{Manifest, Store, item, keys};

use crate::harness::{Belay, Browser, Page, Sandbox, Setup};

/// Ten seconds between two looks, thirty after a reading that failed, what a call may take; the rest
/// is for slow machines.
const PATIENCE: Duration = Duration::from_mins(2);

/// So old that pages say so, and not so old that nothing is given any more.
const OLD: SignedDuration = SignedDuration::from_mins(20);

async fn manifest(sandbox: &Sandbox) -> Manifest {
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    store.snapshot_manifest().await.unwrap().unwrap()
}

/// What is known was read long ago, says the table.
async fn age(sandbox: &Sandbox) -> Manifest {
    let known = manifest(sandbox).await;
    let aged = Manifest {
        read_at: Timestamp::now() - OLD,
        version: known.version + 1,
        ..known
    };
    let put = sandbox.dynamodb().put_item().table_name("belay");
    put.set_item(Some(item::attributes(&aged).unwrap()))
        .item("pk", item::primary(&keys::snapshot())["pk"].clone())
        .item("sk", item::primary(&keys::snapshot())["sk"].clone())
        .send()
        .await
        .unwrap();
    aged
}

/// What a page of access offers.
fn offers(page: &Page) -> BTreeSet<String> {
    assert_eq!(page.status, 200, "{}", page.text());
    let links = page.body.split("href=\"/access/").skip(1);
    links
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

async fn until<F: Future<Output = bool>>(what: &str, belay: &Belay, mut is_so: impl FnMut() -> F) {
    let begun = Instant::now();
    while !is_so().await {
        let waited = begun.elapsed();
        assert!(waited < PATIENCE, "{what}\n{}", belay.said());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

const IS_OLD: &str = "AWS could not be read since";

/// What is known is kept, served with its age, and decided by, until AWS can be read again.
async fn keeps_what_it_knew(sandbox: &Sandbox, belay: &Belay, ana: &Browser, what: &Value) {
    let offered = offers(&ana.get("/").await);
    assert!(!offered.is_empty(), "{what}");
    let heard = belay.said().len();
    let aged = age(sandbox).await;
    until(&format!("{what}: a reading that fails"), belay, || async {
        belay.said()[heard..].contains("accounts, people or policy cannot be read")
    })
    .await;
    until(&format!("{what}: its age is shown"), belay, || async {
        ana.get("/").await.body.contains(IS_OLD)
    })
    .await;
    assert_eq!(offers(&ana.get("/").await), offered, "{what}");
    until(&format!("{what}: its age is measured"), belay, || async {
        belay.metric("belay_directory_age_seconds").await >= OLD.as_secs_f64()
    })
    .await;
    assert_eq!(manifest(sandbox).await, aged, "{what}: it was replaced");
    assert_eq!(belay.readiness().await["ready"], true, "{what}");
    // Whoever asks is asked about live, as ever.
    let form = [("duration", "900"), ("reason", "INC-9: AWS cannot be read")];
    let page = ana.post("/access/111122223333/ReadOnlyAccess", &form).await;
    assert_eq!(page.status, 303, "{what}: {}", page.text());
}

async fn fails_half_way(fault: Value) {
    let sandbox = Sandbox::start_with(&["--page-size-max=4"]);
    let belay = Belay::launch(&Setup::of(&sandbox)).ready().await;
    let ana = belay.signed_in("ana.silva").await;
    let offered = offers(&ana.get("/").await);
    let id = sandbox.fault(fault.clone()).await;
    keeps_what_it_knew(&sandbox, &belay, &ana, &fault).await;
    assert!(sandbox.faults_fired().await[&id] > 0, "{fault}");

    // It comes back by itself.
    sandbox.heal().await;
    until(&format!("{fault}: it is read again"), &belay, || async {
        !ana.get("/").await.body.contains(IS_OLD)
    })
    .await;
    assert_eq!(offers(&ana.get("/").await), offered, "{fault}");
    assert!(
        belay.metric("belay_directory_age_seconds").await < 120.0,
        "{fault}"
    );
}

/// One operation of each service, the last pages of long lists, and what the policy's groups take.
#[tokio::test]
async fn a_later_reading_that_fails_half_way_replaces_nothing_and_its_age_is_told() {
    let cases = [
        json!({"operation": "identitystore:ListUsers", "kind": "lose-page"}),
        json!({"operation": "identitystore:ListGroupMemberships", "kind": "error", "error": "InternalServerException"}),
        json!({"operation": "organizations:ListTagsForResource", "kind": "throttle"}),
        json!({"operation": "sso-admin:DescribePermissionSet", "kind": "lose-response"}),
        json!({"operation": "identitystore:ListGroups", "kind": "stall"}),
    ];
    join_all(cases.map(|mut fault| {
        fault["times"] = 0.into();
        fails_half_way(fault)
    }))
    .await;
}

/// An answer without anybody is an answer, and is not believed.
#[tokio::test]
async fn a_later_reading_that_finds_nobody_replaces_nobody() {
    let sandbox = Sandbox::start();
    let belay = Belay::launch(&Setup::of(&sandbox)).ready().await;
    let known = manifest(&sandbox).await;
    let people = sandbox.state().await["people"].clone();
    for person in people.as_array().unwrap() {
        let id = person["user_id"].as_str().unwrap();
        sandbox.delete_person(id).await;
    }
    let aged = age(&sandbox).await;
    until("a reading that finds nobody", &belay, || async {
        belay.said().contains("no accounts or no people at all")
    })
    .await;
    until("its age is measured", &belay, || async {
        belay.metric("belay_directory_age_seconds").await >= OLD.as_secs_f64()
    })
    .await;
    let after = manifest(&sandbox).await;
    assert_eq!((after.id, after.version), (known.id, aged.version));
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let kept = store.snapshot(&after).await.unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    assert!(kept.to_string().contains("ana.silva"), "{kept}");
}
