//! What a form says would become of it, before it is submitted: of what is chosen, and of nothing else.

use aws_sdk_dynamodb::types::AttributeValue;

use crate::harness::{Belay, Browser, Page, Sandbox, Setup};

const STAGING: &str = "/access/111122223334/ReadOnlyAccess";
const PAYMENTS: &str = "/access/111122223333/ReadOnlyAccess";
const ORDERS: &str = "/access/222233334445/ReadOnlyAccess";
const REASON: &str = "watch the nightly payments run";

const AT_ONCE: &str = "You get this at once, without approval.";
const APPROVED: &str = "Somebody has to approve this.";
const WAITS: &str = "You have asked for this already, and it waits for an answer.";
const REFUSED: &str = "This cannot be granted as things are.";

/// Half an hour of staging is for everybody in Payments, and more of it for whom Security lets.
const POLICY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "staging"
accounts = ["111122223334"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "30m"

[[rule]]
name = "staging-for-long"
accounts = ["111122223334"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "4h"

[[rule]]
name = "payments"
accounts = ["111122223333", "222233334445", "999900001111"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "1h"

[[guardrail]]
name = "orders-need-tickets"
accounts = ["222233334445"]
ticket = { required = true, pattern = "^[A-Z]+-[0-9]+$" }
"#;

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).policy(sandbox, POLICY);
    Belay::launch(&setup).ready().await
}

/// The form with these choices, which says nothing yet of why: it comes back as it was.
async fn chosen(browser: &Browser, form: &str, choices: &[(&str, &str)]) -> Page {
    let page = browser.post(form, choices).await;
    assert_eq!(page.status, 422, "{}", page.text());
    page
}

/// The verdicts of a page, in its order.
fn verdicts(page: &Page) -> Vec<&'static str> {
    let mut found: Vec<(usize, &str)> = [AT_ONCE, APPROVED, WAITS, REFUSED]
        .into_iter()
        .flat_map(|verdict| {
            let places = page.body.match_indices(verdict);
            places.map(move |(place, _)| (place, verdict))
        })
        .collect();
    found.sort_unstable();
    found.into_iter().map(|(_, verdict)| verdict).collect()
}

#[tokio::test]
async fn the_verdict_is_of_what_is_chosen() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;

    // An hour is chosen to begin with, and that is more than everybody's half.
    let form = carla.get(STAGING).await;
    assert_eq!(verdicts(&form), [APPROVED], "{}", form.text());
    let form = chosen(&carla, STAGING, &[("duration", "1800")]).await;
    assert_eq!(verdicts(&form), [AT_ONCE], "{}", form.text());
    let form = chosen(&carla, STAGING, &[("duration", "1801")]).await;
    assert_eq!(verdicts(&form), [APPROVED], "{}", form.text());
    assert!(form.body.contains("Emma Lindqvist"), "{}", form.text());
    let form = chosen(&carla, STAGING, &[("duration", "14401")]).await;
    assert_eq!(verdicts(&form), [REFUSED], "{}", form.text());
    let started = [("duration", "1800"), ("start", "2020-01-01T00:00")];
    let form = chosen(&carla, STAGING, &started).await;
    assert_eq!(verdicts(&form), [REFUSED], "{}", form.text());

    // A ticket that is yet to be named is in nobody's way; one that is wrong is.
    let form = carla.get(ORDERS).await;
    assert_eq!(verdicts(&form), [APPROVED], "{}", form.text());
    let wrong = [("duration", "900"), ("ticket", "later")];
    let form = chosen(&carla, ORDERS, &wrong).await;
    assert_eq!(verdicts(&form), [REFUSED], "{}", form.text());

    // Nothing of that was an act.
    assert!(!carla.get("/mine").await.body.contains("ReadOnlyAccess"));
}

#[tokio::test]
async fn each_target_that_is_chosen_has_its_verdict() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let both = [
        ("duration", "1800"),
        ("also", "111122223333/ReadOnlyAccess"),
    ];
    let form = chosen(&carla, STAGING, &both).await;
    assert_eq!(verdicts(&form), [AT_ONCE, APPROVED], "{}", form.text());

    // What waits already is told of as that; of what is not on offer nothing is told.
    let asked = [("duration", "1800"), ("reason", REASON)];
    assert_eq!(carla.post(PAYMENTS, &asked).await.status, 303);
    let form = chosen(&carla, STAGING, &both).await;
    assert_eq!(verdicts(&form), [AT_ONCE, WAITS], "{}", form.text());
    let unknown = [
        "100000000001/ReadOnlyAccess",
        "123412341234/ReadOnlyAccess",
        "123412341234/NoSuchSet",
    ];
    for unknown in unknown {
        let form = chosen(&carla, STAGING, &[("duration", "1800"), ("also", unknown)]).await;
        assert_eq!(verdicts(&form), [REFUSED], "{unknown}: {}", form.text());
        let (account, set) = unknown.split_once('/').unwrap();
        let said = format!("{set} in {account}");
        assert!(form.body.contains(&said), "{unknown}: {}", form.text());
    }
}

/// Somebody asks, and is answered.
async fn answered(belay: &Belay, act: &str) {
    let carla = belay.signed_in("carla.rossi").await;
    let asked = [("duration", "900"), ("reason", REASON)];
    let asked = carla.post(PAYMENTS, &asked).await;
    assert_eq!(asked.status, 303, "{}", asked.text());
    let request = asked.location().split('?').next().unwrap().to_owned();
    let emma = belay.signed_in("emma.lindqvist").await;
    let said = [("act", act), ("note", "read the runbook first")];
    let answered = emma.post(&request, &said).await;
    assert_eq!(answered.status, 303, "{}", answered.text());
}

/// Answers that are kept of a rule: two requests may share a place.
async fn kept(sandbox: &Sandbox, rule: &str) -> i32 {
    let found = sandbox
        .dynamodb()
        .query()
        .table_name("belay")
        .key_condition_expression("pk = :rule")
        .expression_attribute_values(":rule", AttributeValue::S(format!("answers#{rule}")))
        .send();
    found.await.unwrap().count()
}

#[tokio::test]
async fn how_long_an_answer_usually_takes_is_told_once_it_is_known() {
    const USUALLY: &str = "Usually answered in";
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    // What somebody takes back, nobody has answered.
    let asked = [("duration", "900"), ("reason", REASON)];
    let asked = carla.post(PAYMENTS, &asked).await;
    let taken_back = asked.location().split('?').next().unwrap().to_owned();
    let page = carla.post(&taken_back, &[("act", "withdraw")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let mut answers = 0;
    while kept(&sandbox, "payments").await < 3 {
        let form = carla.get(PAYMENTS).await;
        assert!(!form.body.contains(USUALLY), "two are no habit");
        answered(&belay, "deny").await;
        answers += 1;
        assert!(kept(&sandbox, "payments").await <= answers);
        assert!(answers < 12, "answers are not kept");
    }
    answered(&belay, "approve").await;
    let form = carla.get(PAYMENTS).await;
    assert!(form.body.contains(USUALLY), "{}", form.text());
    // The same people are asked by another rule, which nobody has answered by yet.
    let form = carla.get(STAGING).await;
    assert!(form.body.contains("Emma Lindqvist"), "{}", form.text());
    assert!(!form.body.contains(USUALLY), "{}", form.text());
}
