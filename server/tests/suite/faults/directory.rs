//! Reading the organisation, under each kind of fault, on each operation that it takes: all of it, or
//! none of it.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Belay, Sandbox, Setup, eventually};

/// Small pages, so that every list has a second.
const PAGES: &str = "--page-size-max=4";

/// What it takes.
pub(super) const OPERATIONS: [&str; 8] = [
    "organizations:ListRoots",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListTagsForResource",
    "sso-admin:ListPermissionSets",
    "sso-admin:DescribePermissionSet",
    "identitystore:ListUsers",
    "identitystore:ListGroups",
];

/// What befalls each of them once.
pub(super) fn faults() -> [Value; 5] {
    [
        json!({"kind": "error"}),
        json!({"kind": "throttle"}),
        json!({"kind": "lose-response"}),
        json!({"kind": "latency", "ms": 300}),
        // Longer than an attempt may take.
        json!({"kind": "stall", "ms": 11_000}),
    ]
}

/// What is read, without when.
fn read(setup: &Setup) -> Result<Value, (Option<i32>, String)> {
    let output = setup.run(&["policy", "directory"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.code() != Some(0) {
        assert!(output.stdout.is_empty(), "half of it: {output:?}");
        return Err((output.status.code(), text(&output.stderr)));
    }
    let mut directory: Value = serde_json::from_slice(&output.stdout).unwrap();
    if let Some(members) = directory.as_object_mut() {
        members.remove("read_at");
    }
    Ok(directory)
}

/// The same, while others do theirs.
async fn read_aside(setup: &Setup) -> Result<Value, (Option<i32>, String)> {
    let setup = setup.clone();
    tokio::task::spawn_blocking(move || read(&setup))
        .await
        .unwrap()
}

/// Every operation that reading takes.
async fn operations(sandbox: &Sandbox, setup: &Setup) -> (Value, BTreeSet<String>) {
    let before = sandbox.last_call().await;
    let whole = read_aside(setup).await.unwrap();
    let called = sandbox.called_since(before).await;
    for operation in OPERATIONS {
        assert!(called.contains(operation), "{operation}: {called:?}");
    }
    (whole, called)
}

fn internal(operation: &str) -> &'static str {
    if operation.starts_with("organizations:") {
        "ServiceException"
    } else {
        "InternalServerException"
    }
}

/// Every operation fails once, in one reading: it is asked again, and all of it is there.
async fn once(fault: Value) {
    let sandbox = Sandbox::start_with(&[PAGES]);
    let setup = Setup::of(&sandbox);
    let (whole, operations) = operations(&sandbox, &setup).await;
    let mut ids = Vec::new();
    for operation in operations {
        ids.push(sandbox.fault(of(&fault, &operation)).await);
    }
    let found = read_aside(&setup).await.unwrap();
    assert!(
        found == whole,
        "{fault}: part of it was taken for all of it"
    );
    let fired = sandbox.faults_fired().await;
    assert!(ids.iter().any(|id| fired[id] > 0), "{fault}");
    // A list of one page loses none.
    let each = ids.iter().all(|id| fired[id] > 0);
    assert!(each || fault["kind"] == "lose-page", "{fault}: {fired:?}");
}

/// One operation fails for good: nothing is read, and it is said what.
async fn always(fault: Value, operation: &'static str) {
    let sandbox = Sandbox::start_with(&[PAGES]);
    let setup = Setup::of(&sandbox);
    let fault = of(&fault, operation);
    sandbox.fault(fault.clone()).await;
    let (code, said) = read_aside(&setup).await.unwrap_err();
    assert_eq!(code, Some(3), "{fault}: {said}");
    let name = operation.split_once(':').unwrap().1;
    assert!(said.contains(name), "{fault}: {said}");
}

fn of(fault: &Value, operation: &str) -> Value {
    let mut fault = fault.clone();
    fault["operation"] = operation.into();
    if fault["kind"] == "error" {
        fault["error"] = internal(operation).into();
    }
    fault
}

#[tokio::test]
async fn the_organisation_is_read_whole_or_not_at_all() {
    let pages = once(json!({"kind": "lose-page"}));
    let failing =
        ["error", "throttle", "lose-response"].map(|kind| json!({"kind": kind, "times": 0}));
    let services = [
        "organizations:ListAccountsForParent",
        "sso-admin:DescribePermissionSet",
        "identitystore:ListUsers",
    ];
    let for_good = failing
        .iter()
        .flat_map(|fault| services.map(|operation| always(fault.clone(), operation)));
    let lost = always(
        json!({"kind": "lose-page", "times": 0}),
        "identitystore:ListUsers",
    );
    tokio::join!(
        join_all(faults().map(once)),
        pages,
        join_all(for_good),
        lost
    );
}

/// A server that cannot read all of the organisation sends nobody anywhere, says what is missing, and
/// comes up by itself.
#[tokio::test]
async fn a_server_that_has_not_read_all_of_it_is_not_ready_and_comes_up_by_itself() {
    let sandbox = Sandbox::start_with(&[PAGES]);
    let setup = Setup::of(&sandbox);
    let lost = json!({
        "operation": "identitystore:ListUsers", "kind": "lose-page", "times": 0,
    });
    sandbox.fault(lost).await;
    let belay = Belay::launch(&setup);
    eventually("it says what is missing", || async {
        let ready = belay.readiness().await;
        let says = ready.to_string().contains("organisation could not be read");
        (ready["ready"] == false && says).then_some(())
    })
    .await;
    sandbox.heal().await;
    let belay = belay.ready().await;
    let ana = belay.signed_in("ana.silva").await;
    let page = ana.get("/").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        page.body.contains("/access/111122223333/"),
        "{}",
        page.text()
    );
}
