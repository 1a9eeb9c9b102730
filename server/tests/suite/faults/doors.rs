//! From a cold start to signing out, every operation on the way under each kind of fault: what cannot
//! be read is not half known, who cannot be let in is told, and all of it comes right by itself.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};
use server::store::{Pass, Store};
use url::Url;

use super::matrix::is_list;
use crate::harness::{Belay, Browser, Page, Sandbox, Setup};
use crate::killed::{assert_chained, events, kinds};

/// Calls that are given up after ten seconds, one after another, and the half minute after which what
/// could not be looked through is looked through again.
const PATIENCE: Duration = Duration::from_mins(4);

/// What a server asks before it serves, and what it then keeps asking about the organisation.
const START: [&str; 15] = [
    "organizations:ListRoots",
    "organizations:ListAccountsForParent",
    "organizations:ListOrganizationalUnitsForParent",
    "organizations:ListTagsForResource",
    "sso-admin:ListPermissionSets",
    "sso-admin:DescribePermissionSet",
    "sso-admin:ListAccountsForProvisionedPermissionSet",
    "sso-admin:ListAccountAssignments",
    "identitystore:ListUsers",
    "identitystore:ListGroups",
    "identitystore:ListGroupMemberships",
    "identitystore:DescribeGroup",
    // Whether it calls as a delegated administrator, and what it then cannot assign.
    "sso-admin:ListAccountAssignmentsForPrincipal",
    "organizations:DescribeOrganization",
    "sso-admin:ListPermissionSetsProvisionedToAccount",
];

/// What a policy that only has another comment takes.
const UPDATE: &str = "dynamodb:UpdateItem";

/// What signing in, looking and signing out take.
const PEOPLE: [&str; 9] = [
    "dynamodb:GetItem",
    "dynamodb:Query",
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:DeleteItem",
    "dynamodb:TransactWriteItems",
    UPDATE,
    "identitystore:GetUserId",
    "identitystore:DescribeUser",
];

const KINDS: [&str; 6] = [
    "latency",
    "throttle",
    "error",
    "lose-response",
    "stall",
    "lose-page",
];

/// Lists that have no second page here: an organisation has one root, of what one person is assigned
/// it only matters whether the question is allowed, and no group is assigned a page full.
pub(super) const ONE_PAGE: [&str; 2] = [
    "organizations:ListRoots",
    "sso-admin:ListAccountAssignmentsForPrincipal",
];

/// What is tried here: operation and kind.
pub(super) fn cells() -> Vec<(&'static str, &'static str)> {
    let all = || START.into_iter().chain(PEOPLE);
    KINDS
        .into_iter()
        .flat_map(|kind| all().map(move |operation| (operation, kind)))
        .filter(|(operation, kind)| has(operation, kind))
        .collect()
}

fn has(operation: &str, kind: &str) -> bool {
    kind != "lose-page" || is_list(operation) && !ONE_PAGE.contains(&operation)
}

/// So often that the SDK does not get by with its own attempts, where it makes any.
fn fault(operation: &str, kind: &str) -> Value {
    let is_tried_again = !operation.starts_with("sso-admin:");
    let times = match kind {
        "latency" | "stall" => 1,
        _ if is_tried_again => 5,
        _ => 2,
    };
    let error = match operation.split_once(':').unwrap().0 {
        "dynamodb" => "InternalServerError",
        "organizations" => "ServiceException",
        _ => "InternalServerException",
    };
    let ms = match kind {
        "latency" => 700,
        // Longer than an attempt may take: three seconds where people wait, else ten.
        _ if PEOPLE.contains(&operation) => 4_000,
        _ => 11_000,
    };
    json!({"operation": operation, "kind": kind, "times": times, "error": error, "ms": ms})
}

async fn befall(sandbox: &Sandbox, operations: &[&str], kind: &str) -> Vec<(String, String)> {
    let mut set = Vec::new();
    for operation in operations {
        if has(operation, kind) {
            let id = sandbox.fault(fault(operation, kind)).await;
            set.push(((*operation).to_owned(), id));
        }
    }
    set
}

/// Whoever is not served is told that a part is away, or that this sign-in is over and how to begin
/// another.
fn assert_told(kind: &str, page: &Page) {
    let is_told = match page.status {
        503 => page.body.contains("<h1"),
        400 | 403 | 410 => page.body.contains("/auth/start"),
        _ => false,
    };
    assert!(is_told, "{kind}: {}", page.text());
}

async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    belay: &Belay,
    mut ask: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        let waited = begun.elapsed();
        assert!(
            waited < PATIENCE,
            "waited in vain for: {what}\n{}",
            belay.said()
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// One try: somebody is signed in, or nobody is and they are told.
async fn sign_in(kind: &str, browser: &Browser) -> Option<()> {
    let start = browser.get("/auth/start?return_to=%2Fmine").await;
    if start.status != 303 {
        assert_told(kind, &start);
        return None;
    }
    let provider = Url::parse(&start.location()).unwrap();
    let callback = browser.at_callback(provider, "ana.silva").await;
    let page = browser.get(callback.as_str()).await;
    if page.status == 303 {
        return Some(());
    }
    assert_told(kind, &page);
    let page = browser.get("/mine").await;
    assert_ne!(
        page.status,
        200,
        "{kind}: refused, and let in: {}",
        page.text()
    );
    None
}

async fn comes_up_and_lets_in(kind: &'static str) {
    let sandbox = Sandbox::start_with(&["--page-size-max=1", "--caller=delegated"]);
    // Two on one pair, so that every list has a second page.
    for person in ["hugo.martin", "grace.chen"] {
        let pair = sandbox.assignment(person, "111122223333", "ReadOnlyAccess");
        sandbox.assign(&pair.await).await;
    }
    let group = sandbox.group_id("Platform").await;
    for set in ["ReadOnlyAccess", "NetworkAdministrator"] {
        let of = sandbox.assignment("hugo.martin", "100000000001", set).await;
        sandbox
            .assign(&json!({
                "account_id": "100000000001",
                "permission_set_arn": of["permission_set_arn"],
                "principal_type": "GROUP",
                "principal_id": group,
            }))
            .await;
    }
    let mut set = befall(&sandbox, &START, kind).await;
    set.extend(befall(&sandbox, &PEOPLE, kind).await);
    let policy = include_str!("../../../sandbox/policy.toml");
    let setup = Setup::of(&sandbox).policy(&sandbox, policy);
    let belay = Belay::launch(&setup);
    until(&format!("{kind}: it is ready"), &belay, || async {
        belay.readiness().await["ready"]
            .as_bool()
            .filter(|ready| *ready)
    })
    .await;

    set.extend(befall(&sandbox, &PEOPLE, kind).await);
    let _ = setup.policy(&sandbox, &format!("{policy}\n# Unwell.\n"));
    let browser = belay.browser();
    until(&format!("{kind}: somebody is signed in"), &belay, || {
        sign_in(kind, &browser)
    })
    .await;
    for path in ["/", "/mine", "/approvals"] {
        set.extend(befall(&sandbox, &["dynamodb:Query", "dynamodb:GetItem"], kind).await);
        let page = until(&format!("{kind}: {path}"), &belay, || async {
            let page = browser.get(path).await;
            if page.status != 200 {
                assert_told(kind, &page);
            }
            (page.status == 200).then_some(page)
        })
        .await;
        assert!(page.body.contains("Ana Silva"), "{kind}: {}", page.text());
    }
    let offered = browser.get("/").await;
    assert!(
        offered.body.contains("/access/111122223333/"),
        "{kind}: {}",
        offered.text()
    );
    set.extend(befall(&sandbox, &["dynamodb:DeleteItem"], kind).await);
    until(&format!("{kind}: signed out"), &belay, || async {
        let page = browser.post("/auth/sign-out", &[]).await;
        if page.status != 303 {
            assert_told(kind, &page);
        }
        (page.status == 303).then_some(())
    })
    .await;
    assert_eq!(browser.get("/mine").await.status, 303, "{kind}");

    if has(UPDATE, kind) {
        until(
            &format!("{kind}: the new text is known"),
            &belay,
            || async {
                let fired = sandbox.faults_fired().await;
                let mut of_it = set.iter().filter(|(have, _)| have == UPDATE);
                of_it.any(|(_, id)| fired[id] > 0).then_some(())
            },
        )
        .await;
    }
    // What could not be read is left for the next time, and that time is now.
    looked_through(&sandbox, &belay, kind).await;
    let fired = sandbox.faults_fired().await;
    for operation in START.iter().chain(&PEOPLE) {
        let mut of_it = set.iter().filter(|(have, _)| have == operation);
        let befell = of_it.any(|(_, id)| fired[id] > 0);
        assert_eq!(befell, has(operation, kind), "{operation} under {kind}");
    }
    sandbox.heal().await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    store.set_pass(&Pass::default()).await.unwrap();
    looked_through(&sandbox, &belay, kind).await;
    let state = sandbox.state().await;
    let rows = state["assignments"].as_array().unwrap().iter();
    let own = rows.filter(|row| row["principal_type"] == "USER").count();
    let events = events(&sandbox).await;
    assert_chained(&events);
    let opened = kinds(&events, "stream#finding:");
    assert_eq!(opened, vec!["finding.opened"; own], "{kind}: each once");
}

/// The whole organisation was looked through, as far as it could be.
async fn looked_through(sandbox: &Sandbox, belay: &Belay, kind: &str) {
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    until(&format!("{kind}: it is looked through"), belay, || async {
        // What is left of the faults may befall this, too.
        let pass = store.pass().await.ok()?;
        pass.completed_at.map(drop)
    })
    .await;
}

#[tokio::test]
async fn whatever_goes_wrong_on_the_way_a_server_comes_up_lets_people_in_and_out_and_looks_after_all()
 {
    join_all(KINDS.map(comes_up_and_lets_in)).await;
}
