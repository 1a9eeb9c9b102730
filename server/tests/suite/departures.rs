//! Who has left has nothing any more: said by two looks, five minutes apart, and never by a row that
//! is missing or a look that failed. So each of these takes about seven minutes, nearly all of it
//! waiting. People leave while no server runs: in the midst of a pass, those whom it has looked at
//! already would seem to leave five minutes after the others.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::departure::DEPARTURES_AN_HOUR;
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Belay, Sandbox, Setup, eventually, promise, within};

/// Half a minute after a takeover, a minute between passes, twice, and five between the looks; the
/// rest is for slow machines.
const LEFT_WITHIN: Duration = Duration::from_mins(10);

const STAGING: &str = "/access/111122223334/ReadOnlyAccess";
const PAYMENTS: &str = "/access/111122223333/ReadOnlyAccess";

const POLICY: &str = r#"
version = 1

[defaults]
max_duration = "8h"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "staging"
accounts = ["111122223334"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Engineering"]
approval = "none"
max_duration = "2h"

[[rule]]
name = "payments"
accounts = ["111122223333"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "2h"
"#;

async fn ask(belay: &Belay, user_name: &str, path: &str) -> String {
    let browser = belay.signed_in(user_name).await;
    let form = [("duration", "7200"), ("reason", "watch the payments run")];
    let page = browser.post(path, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

async fn state_of(sandbox: &Sandbox, request: &str) -> String {
    let grants = sandbox.grants(request).await;
    grants[0]["state"]["state"].as_str().unwrap().to_owned()
}

async fn active(sandbox: &Sandbox, request: &str) {
    eventually("it is active", || async {
        (state_of(sandbox, request).await == "active").then_some(())
    })
    .await;
}

/// Waits as long as a departure takes.
async fn in_time<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    within(what, LEFT_WITHIN, || {
        let asked = ask();
        async { asked.await.then_some(()) }
    })
    .await;
}

/// How often somebody was looked at since then.
async fn looks_at(sandbox: &Sandbox, user: &str, since: Timestamp) -> usize {
    let calls = sandbox.calls("identitystore:DescribeUser").await;
    calls
        .iter()
        .filter(|call| call["input"]["UserId"] == user)
        .filter(|call| {
            let time = Duration::from_secs_f64(call["time"].as_f64().unwrap() / 1_000.0);
            Timestamp::UNIX_EPOCH + SignedDuration::try_from(time).unwrap() >= since
        })
        .count()
}

async fn departures(belay: &Belay) -> String {
    belay.metric("belay_departures_total").await.to_string()
}

async fn sessions_of(sandbox: &Sandbox, user: &str) -> i32 {
    let answer = sandbox.dynamodb().query().table_name("belay");
    let answer = answer.index_name("gsi2");
    let answer = answer.key_condition_expression("gsi2pk = :pk");
    let pk = AttributeValue::S(format!("sessions#{user}"));
    let answer = answer.expression_attribute_values(":pk", pk);
    answer.send().await.unwrap().count
}

fn said_why(events: &[Value], kind: &str) -> bool {
    events.iter().any(|event| {
        let why = event["note"].as_str().or(event["why"].as_str());
        let why = why.unwrap_or_default();
        event["kind"] == kind && why.contains("Identity Center says that this person")
    })
}

#[tokio::test]
async fn whoever_is_disabled_or_deleted_holds_and_waits_for_nothing_and_is_signed_out() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).policy(&sandbox, POLICY);
    let mut belay = Belay::launch(&setup).ready().await;
    let [carla, mia, dmitri, ana] = ["carla.rossi", "mia.novak", "dmitri.volkov", "ana.silva"];
    let held_by_carla = ask(&belay, carla, STAGING).await;
    let waiting = ask(&belay, carla, PAYMENTS).await;
    let held_by_mia = ask(&belay, mia, STAGING).await;
    let held_by_dmitri = ask(&belay, dmitri, STAGING).await;
    let held_by_ana = ask(&belay, ana, STAGING).await;
    // Has nothing, and looks at pages.
    let farid = belay.signed_in("farid.haddad").await;
    let all = [&held_by_carla, &held_by_mia, &held_by_dmitri, &held_by_ana];
    for request in all {
        active(&sandbox, request).await;
    }
    let ids = [carla, mia, dmitri, ana].map(|name| sandbox.user_id(name));
    let ids = futures::future::join_all(ids).await;
    let [carla, mia, dmitri, ana] = ids.as_slice() else {
        panic!("four people");
    };
    let portal = belay.portal.clone();
    belay.kill();
    // Disabled, but nobody can find out.
    let unknown = json!({
        "operation": "identitystore:DescribeUser", "kind": "error", "error": "InternalServerException",
        "times": 0, "match": { "UserId": dmitri },
    });
    sandbox.fault(unknown).await;
    let since = Timestamp::now();
    for user in [carla, dmitri, ana, &sandbox.user_id("farid.haddad").await] {
        sandbox.set_status(user, "DISABLED").await;
    }
    sandbox.delete_person(mia).await;
    let belay = Belay::launch(&setup.at(&portal)).ready().await;

    // Ana was disabled by mistake, and only the first look sees it.
    in_time("ana is looked at", || async {
        looks_at(&sandbox, ana, since).await > 0
    })
    .await;
    sandbox.set_status(ana, "ENABLED").await;
    assert_eq!(state_of(&sandbox, &held_by_carla).await, "active");

    for request in [&held_by_carla, &held_by_mia] {
        in_time("who has left holds nothing", || async {
            state_of(&sandbox, request).await == "ended"
        })
        .await;
        let grant = sandbox.grants(request).await.remove(0);
        assert_eq!(grant["state"]["receipt"]["kind"], "removed", "{grant:#}");
        let id = grant["id"].as_str().unwrap();
        let events = sandbox.events(&format!("grant:{id}")).await;
        assert!(said_why(&events, "grant.shortened"), "{events:#?}");
    }
    assert!(since.duration_until(Timestamp::now()) >= SignedDuration::from_mins(5));
    let request = waiting.rsplit('/').next().unwrap();
    in_time("nothing waits", || async {
        sandbox.asks(&waiting).await == ["withdrawn"]
    })
    .await;
    let events = sandbox.events(&format!("request:{request}")).await;
    assert!(said_why(&events, "ask.withdrawn"), "{events:#?}");
    in_time("nobody is signed in as who has left", || async {
        sessions_of(&sandbox, carla).await == 0
    })
    .await;
    assert_eq!(departures(&belay).await, "2");

    // Whoever was seen between the looks, and of whom nothing is known, keep what they have.
    in_time("they were looked at twice", || async {
        looks_at(&sandbox, ana, since).await > 1 && looks_at(&sandbox, dmitri, since).await > 1
    })
    .await;
    for (request, user) in [(&held_by_ana, ana), (&held_by_dmitri, dmitri)] {
        assert_eq!(state_of(&sandbox, request).await, "active");
        assert!(sessions_of(&sandbox, user).await > 0);
    }

    // The snapshot knows by now that farid is disabled; what it says is asked of the Identity Store.
    in_time("farid has to sign in", || async {
        let page = farid.get("/approvals").await;
        page.status == 303 && page.location().starts_with("/auth/start")
    })
    .await;
}

#[tokio::test]
async fn when_everybody_seems_to_have_left_most_keep_what_they_have() {
    let sandbox = Sandbox::start();
    let mut belay = Belay::start(&sandbox).await;
    let row = sandbox
        .assignment("ana.silva", "111122223334", "ReadOnlyAccess")
        .await;
    let target = Target::Account {
        account: "111122223334".parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let state = sandbox.state().await;
    let people: BTreeSet<&str> = state["people"].as_array().unwrap()[..DEPARTURES_AN_HOUR + 2]
        .iter()
        .map(|person| person["user_id"].as_str().unwrap())
        .collect();
    let mut promises = Vec::new();
    for user in &people {
        let lasts = SignedDuration::from_hours(1);
        promises.push(promise(&sandbox, user, target.clone(), lasts).await);
    }
    for promised in &promises {
        in_time("all are active", || async {
            promised.now(&sandbox).await.state.word() == "active"
        })
        .await;
    }
    belay.kill();
    for user in &people {
        sandbox.set_status(user, "DISABLED").await;
    }
    let belay = Belay::start(&sandbox).await;
    in_time("the rest is held", || async {
        belay.metric("belay_departures_held").await > 1.0
    })
    .await;
    let mut going_on = 0;
    for promised in &promises {
        let until = promised.now(&sandbox).await.until;
        going_on += usize::from(until > Timestamp::now());
    }
    assert_eq!(going_on, 2);
    assert_eq!(departures(&belay).await, DEPARTURES_AN_HOUR.to_string());
    assert!(belay.said().contains("more people seem to have left"));
}
