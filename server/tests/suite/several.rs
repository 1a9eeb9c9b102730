//! Requests for several things, decided by several people, in several commits.

use jiff::Timestamp;
use serde_json::Value;

use crate::harness::{Belay, Browser, Sandbox, Setup, eventually};

const PAYMENTS: &str = "/access/111122223333/ReadOnlyAccess";
const ORDERS: &str = "222233334444/ReadOnlyAccess";
const REASON: &str = "follow a payment through both";

/// Two routes with different approvers, one that takes two of them, and one that asks nobody.
const POLICY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "payments"
accounts = ["111122223333"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "1h"

[[rule]]
name = "orders"
accounts = ["222233334444"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["user:grace.chen@example.com"]
max_duration = "1h"

[[rule]]
name = "admin"
accounts = ["111122223333"]
permission_sets = ["AdministratorAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
approvals = 2
max_duration = "1h"

[[rule]]
name = "free"
accounts = ["ou:Staging", "ou:Development", "ou:Sandboxes"]
permission_sets = ["*"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "1h"
"#;

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).policy(sandbox, POLICY);
    Belay::launch(&setup).ready().await
}

/// Carla asks for payments and orders; more fields may follow.
async fn ask(carla: &Browser, more: &[(&str, &str)]) -> String {
    let form = [("duration", "900"), ("reason", REASON), ("also", ORDERS)];
    let page = carla.post(PAYMENTS, &[&form, more].concat()).await;
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

async fn act(browser: &Browser, request: &str, act: &str) -> u16 {
    let form = [("act", act), ("note", "")];
    browser.post(request, &form).await.status
}

async fn creates(sandbox: &Sandbox) -> usize {
    sandbox
        .calls("sso-admin:CreateAccountAssignment")
        .await
        .len()
}

#[tokio::test]
async fn nothing_is_granted_until_all_is_approved_whichever_server_hears_of_it() {
    let sandbox = Sandbox::start();
    let first = start(&sandbox).await;
    let second = start(&sandbox).await;
    let carla = first.signed_in("carla.rossi").await;
    let emma = first.signed_in("emma.lindqvist").await;
    let grace = second.signed_in("grace.chen").await;
    let request = ask(&carla, &[]).await;
    let page = emma.get(&request).await;
    assert!(page.body.contains("until all of it is approved"));

    // Emma names nothing: her answer is about what she may approve, and no more.
    assert_eq!(act(&emma, &request, "approve").await, 303);
    assert_eq!(sandbox.asks(&request).await, ["approved", "pending"]);
    assert_eq!(act(&emma, &request, "approve").await, 403, "not her route");
    assert!(sandbox.grants(&request).await.is_empty());
    let page = carla.get(&request).await;
    assert!(
        page.body.contains("once everything else"),
        "{}",
        page.text()
    );

    assert_eq!(act(&grace, &request, "approve").await, 303);
    let grants = sandbox.grants(&request).await;
    assert_eq!(grants.len(), 2);
    assert_eq!(grants[0]["from"], grants[1]["from"], "one window for both");
    let id = request.rsplit('/').next().unwrap();
    let events = sandbox.events(&format!("request:{id}")).await;
    for (grant, event) in grants.iter().zip(&events[1..]) {
        assert_eq!(event["kind"], "ask.approved");
        assert_eq!(grant["approved_by"], event["hash"], "each names its own");
    }
    eventually("both are created", || async {
        (creates(&sandbox).await == 2).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_approver_who_has_left_meanwhile_does_not_count_at_the_promise() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let grace = belay.signed_in("grace.chen").await;
    let request = ask(&carla, &[]).await;
    assert_eq!(act(&emma, &request, "approve").await, 303);
    sandbox.leave("emma.lindqvist", "Security").await;
    assert_eq!(act(&grace, &request, "approve").await, 303);
    assert_eq!(sandbox.asks(&request).await, ["pending", "approved"]);
    assert!(sandbox.grants(&request).await.is_empty());
    assert_eq!(
        sandbox.kinds(&request).await,
        [
            "request.submitted",
            "ask.approved",
            "ask.approved",
            "ask.reopened"
        ]
    );
    // Grace's stands; somebody who is an approver now completes it.
    assert_eq!(act(&farid, &request, "approve").await, 303);
    assert_eq!(sandbox.grants(&request).await.len(), 2);
}

#[tokio::test]
async fn one_denied_ends_all_that_is_granted_together_and_nothing_else() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let grace = belay.signed_in("grace.chen").await;
    let together = ask(&carla, &[]).await;
    assert_eq!(act(&emma, &together, "approve").await, 303);
    assert_eq!(act(&grace, &together, "deny").await, 303);
    assert_eq!(sandbox.asks(&together).await, ["denied", "denied"]);
    let kinds = sandbox.kinds(&together).await;
    assert_eq!(kinds[2..], ["ask.denied", "ask.denied"]);
    assert_eq!(act(&emma, &together, "approve").await, 409);

    // Nothing keeps her from asking again, and this time each is by itself.
    let separate = ask(&carla, &[("granting", "separately")]).await;
    assert_ne!(separate, together);
    assert_eq!(act(&emma, &separate, "approve").await, 303);
    assert_eq!(sandbox.grants(&separate).await.len(), 1);
    // What is given and what still waits each stand where they belong.
    let mine = carla.get("/mine").await;
    let (_, waits) = mine.body.split_once("Waiting for an answer").unwrap();
    let (waits, _) = waits.split_once("Withdraw").unwrap();
    assert!(waits.contains("Orders"), "{waits}");
    assert!(!waits.contains("Payments Production"), "{waits}");
    assert_eq!(act(&grace, &separate, "deny").await, 303);
    assert_eq!(sandbox.asks(&separate).await, ["approved", "denied"]);
    let page = carla.get("/mine").await;
    assert!(page.body.contains("Payments Production"), "{}", page.text());
}

#[tokio::test]
async fn one_refused_target_refuses_all_and_each_is_named() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let refused = [
        "333344445555/DatabaseOperator",
        "999999999999/ReadOnlyAccess",
    ];
    let mut form = vec![("duration", "900"), ("reason", REASON), ("also", ORDERS)];
    form.extend(refused.map(|target| ("also", target)));
    let page = carla.post(PAYMENTS, &form).await;
    assert_eq!(page.status, 403, "{}", page.text());
    for target in refused {
        let (account, set) = target.split_once('/').unwrap();
        let named = format!("{set} in {account}: This is not available to you");
        assert!(page.body.contains(&named), "{target}: {}", page.text());
    }
    assert!(!page.body.contains("ReadOnlyAccess in 222233334444:"));
    let mine = carla.get("/mine").await;
    assert!(!mine.body.contains("/requests/"), "{}", mine.text());

    // One target twice, and more than ten.
    let twice = [("duration", "900"), ("reason", REASON), ("also", ORDERS)];
    let page = carla
        .post(PAYMENTS, &[&twice[..], &twice[2..]].concat())
        .await;
    assert_eq!(page.status, 422, "{}", page.text());
    let many: Vec<String> = (0..10).map(|n| format!("22223333{n:04}/Billing")).collect();
    let mut form = twice[..2].to_vec();
    form.extend(many.iter().map(|target| ("also", target.as_str())));
    assert_eq!(carla.post(PAYMENTS, &form).await.status, 422);

    // A second click leads to the first; a part of it is named.
    let request = ask(&carla, &[]).await;
    assert_eq!(ask(&carla, &[]).await, request);
    let form = [
        ("duration", "900"),
        ("reason", REASON),
        ("also", "111122223334/Billing"),
    ];
    let page = carla.post(PAYMENTS, &form).await;
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(page.body.contains("You wait for this already"));
}

/// Ten things that are given at once: more would not fit into a request, nor into a transaction.
fn ten(state: &Value) -> Vec<String> {
    let accounts = ["111122223334", "222233334445"];
    let sets = state["permission_sets"].as_array().unwrap().iter();
    let names = sets.map(|set| set["name"].as_str().unwrap().to_owned());
    let mut all: Vec<String> = names
        .flat_map(|set| accounts.map(|account| format!("{account}/{set}")))
        .collect();
    all.sort();
    all.truncate(10);
    assert_eq!(all.len(), 10);
    all
}

#[tokio::test]
async fn ten_are_granted_in_one_commit_and_end_at_one_instant() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let all = ten(&sandbox.state().await);
    let path = format!("/access/{}", all[0]);
    // The longest text that a person may type: all of it is in each of twenty events.
    let reason = "\u{1F9D7}".repeat(2_000);
    let mut form = vec![("duration", "24"), ("reason", reason.as_str())];
    form.extend(all[1..].iter().map(|target| ("also", target.as_str())));
    let page = carla.post(&path, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let first = page.location().split('?').next().unwrap().to_owned();
    assert_eq!(sandbox.grants(&first).await.len(), 10);
    eventually("all are created", || async {
        (creates(&sandbox).await == 10).then_some(())
    })
    .await;
    // Once more, on keys that are due at another time already: the most items that there can be.
    form[0] = ("duration", "14");
    let page = carla.post(&path, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let second = page.location().split('?').next().unwrap().to_owned();
    assert_ne!(first, second);
    for request in [&first, &second] {
        eventually("all have ended", || async {
            let grants = sandbox.grants(request).await;
            let ended = |grant: &Value| grant["state"]["state"] == "ended";
            (grants.len() == 10 && grants.iter().all(ended)).then_some(())
        })
        .await;
        let untils: Vec<Value> = sandbox
            .grants(request)
            .await
            .iter()
            .map(|grant| grant["until"].clone())
            .collect();
        assert!(untils.iter().all(|until| *until == untils[0]));
    }
    assert_eq!(creates(&sandbox).await, 10, "each key once");
    let user = sandbox.user_id("carla.rossi").await;
    let state = sandbox.state().await;
    let rows = state["assignments"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["principal_id"] != *user));
    eventually("all of it is shipped", || async {
        let shards = ["outbox#0", "outbox#1", "outbox#2", "outbox#3"];
        for shard in shards {
            let waiting = sandbox
                .dynamodb()
                .query()
                .table_name("belay")
                .key_condition_expression("pk = :shard")
                .expression_attribute_values(
                    ":shard",
                    aws_sdk_dynamodb::types::AttributeValue::S(shard.to_owned()),
                )
                .consistent_read(true)
                .send()
                .await
                .unwrap();
            if waiting.count() > 0 {
                return None;
            }
        }
        Some(())
    })
    .await;
}

const ADMIN: &str = "/access/111122223333/AdministratorAccess";

async fn ask_admin(carla: &Browser) -> String {
    let form = [("duration", "900"), ("reason", "rotate the signing keys")];
    let page = carla.post(ADMIN, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn two_of_three_approve_at_once_and_it_is_granted_once_with_both_names() {
    let sandbox = Sandbox::start_with(&["--conflict-percent=20"]);
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let request = ask_admin(&carla).await;
    let both = tokio::join!(
        act(&emma, &request, "approve"),
        act(&farid, &request, "approve")
    );
    assert_eq!(both, (303, 303));
    assert_eq!(
        sandbox.kinds(&request).await,
        ["request.submitted", "ask.reviewed", "ask.approved"]
    );
    let stored = sandbox.request(&request).await;
    let reviews = stored["asks"][0]["reviews"].as_array().unwrap();
    let mut names: Vec<&str> = reviews
        .iter()
        .map(|review| review["by"]["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Emma Lindqvist", "Farid Haddad"]);
    eventually("it is created", || async {
        (creates(&sandbox).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn approvers_may_agree_to_less_and_take_it_back_until_it_is_complete() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let mia = belay.signed_in("mia.novak").await;
    let request = ask_admin(&carla).await;
    for wrong in ["901", "1", "0", "soon"] {
        let form = [("act", "approve"), ("note", "not so"), ("seconds", wrong)];
        let page = emma.post(&request, &form).await;
        assert_eq!(page.status, 422, "{wrong}: {}", page.text());
        assert!(page.body.contains("not so"), "the note is kept");
    }
    assert_eq!(act(&emma, &request, "retract").await, 409, "nothing yet");
    assert_eq!(act(&emma, &request, "approve").await, 303);
    assert_eq!(act(&emma, &request, "approve").await, 409, "once a person");
    assert_eq!(act(&emma, &request, "retract").await, 303);
    assert_eq!(act(&farid, &request, "approve").await, 303);
    assert_eq!(sandbox.asks(&request).await, ["pending"], "one of two");
    let form = [("act", "approve"), ("note", ""), ("seconds", "300")];
    assert_eq!(mia.post(&request, &form).await.status, 303);
    let grants = sandbox.grants(&request).await;
    let at = |name: &str| -> Timestamp { grants[0][name].as_str().unwrap().parse().unwrap() };
    let length = at("until").duration_since(at("from"));
    assert_eq!(length.as_secs(), 300, "the second longest of two");
    assert_eq!(act(&farid, &request, "retract").await, 409, "complete");
    let page = carla.get(&request).await;
    assert!(
        page.body
            .contains("Emma Lindqvist took their approval back"),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn submissions_at_once_do_not_pass_the_limit_together() {
    let sandbox = Sandbox::start();
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/bench/policy.toml");
    let setup = Setup::of(&sandbox).with("BELAY_POLICY", policy);
    let belay = Belay::launch(&setup).ready().await;
    let carla = belay.signed_in("carla.rossi").await;
    let state = sandbox.state().await;
    let accounts = state["accounts"].as_array().unwrap().iter();
    let ids = accounts.map(|account| account["account_id"].as_str().or(account["id"].as_str()));
    let ids: Vec<String> = ids.map(|id| id.unwrap().to_owned()).collect();
    let sets = ["ReadOnlyAccess", "Billing", "SecurityAudit"];
    let protected = ["100000000001", "666677778888"];
    let paths: Vec<String> = ids
        .iter()
        .filter(|id| !protected.contains(&id.as_str()))
        .flat_map(|id| sets.map(|set| format!("/access/{id}/{set}")))
        .take(27)
        .collect();
    let form = [("duration", "3600"), ("reason", "all at the same time")];
    // Seven at a time, until the limit is in sight; then seven for the last six places.
    let mut taken = 0;
    for chunk in paths.chunks(7) {
        let posts = chunk.iter().map(|path| carla.post(path, &form));
        for page in futures::future::join_all(posts).await {
            taken += usize::from(page.status == 303);
            assert!([303, 409, 429].contains(&page.status), "{}", page.text());
        }
    }
    let user = sandbox.user_id("carla.rossi").await;
    let tally = sandbox.item(&format!("person#{user}"), "tally").await;
    let pending = tally["pending"].as_object().unwrap();
    assert_eq!(pending.len(), taken);
    assert!(taken <= 20, "{taken} wait");
    assert!(taken >= 14, "only {taken} were let in");
}
