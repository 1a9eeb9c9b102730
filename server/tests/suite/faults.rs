//! Each kind of fault, on each operation that a person waits for: what they see, and what the table
//! holds afterwards. Never half of anything, never another page than one that says what to do.

mod directory;
mod doors;
mod existence;
mod leading;
mod matrix;
mod memberships;
mod promised;
mod refresh;
mod shipping;
mod standing;
mod table;
mod worker;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Belay, Browser, Page, Sandbox};
use crate::killed::{ASK, assert_chained, events, kinds};

const FORM: [(&str, &str); 2] = [
    ("duration", "900"),
    ("reason", "INC-9: while AWS is unwell"),
];

/// Far more often than anything is tried again.
const ALWAYS: u32 = 1_000;

/// What a person who submits waits for; that each of them is called is asked of the sandbox.
const WAITED_FOR: [&str; 4] = [
    "dynamodb:GetItem",
    "dynamodb:TransactWriteItems",
    "identitystore:DescribeUser",
    "identitystore:IsMemberInGroups",
];

/// How each of them is broken here; [`each_operation_under`] sees to it that this is so.
const TRIED: [&str; 5] = ["latency", "throttle", "error", "lose-response", "stall"];

fn request_of(page: &Page) -> String {
    page.location().split('?').next().unwrap().to_owned()
}

/// Whoever waits is told that a part is away and when to come back, or is where they wanted to be.
fn assert_told(page: &Page, fault: &Value) {
    let is_done = page.status == 303 && page.location().starts_with("/requests/");
    let is_away = page.status == 503 && page.body.contains("<h1");
    // The request was made, and its maker was not told: they are told when they ask again.
    assert!(is_done || is_away, "{fault}: {}", page.text());
}

/// Submits under a fault, and again without it: there is one request, and it is whole.
async fn submit(sandbox: &Sandbox, browser: &Browser, fault: &Value) {
    let streams = requests(sandbox).await.len();
    sandbox.fault(fault.clone()).await;
    let page = browser.post(ASK, &FORM).await;
    sandbox.heal().await;
    assert_told(&page, fault);
    let held = requests(sandbox).await.len() - streams;
    assert!(held <= 1, "{fault}: {held} requests");
    assert!(
        page.status != 303 || held == 1,
        "{fault}: promised, and not kept"
    );

    let again = browser.post(ASK, &FORM).await;
    assert_eq!(again.status, 303, "{fault}: {}", again.text());
    assert_eq!(requests(sandbox).await.len(), streams + 1, "{fault}");
    if page.status == 303 {
        assert_eq!(request_of(&page), request_of(&again), "{fault}");
    }

    // Taken back, so that the next is another.
    let request = request_of(&again);
    // What lasts has been waited for long enough.
    if fault["times"] == 1 {
        sandbox.fault(fault.clone()).await;
    }
    let page = browser.post(&request, &[("act", "withdraw")]).await;
    sandbox.heal().await;
    assert_told(&page, fault);
    if page.status != 303 {
        let again = browser.post(&request, &[("act", "withdraw")]).await;
        // A lost reply leaves it withdrawn already.
        assert!(
            matches!(again.status, 303 | 409),
            "{fault}: {}",
            again.text()
        );
    }
    let events = events(sandbox).await;
    assert_chained(&events);
    let stream = format!("stream#request:{}", request.rsplit('/').next().unwrap());
    assert_eq!(
        kinds(&events, &stream),
        ["request.submitted", "ask.withdrawn"],
        "{fault}"
    );
}

/// The streams of requests that the table holds.
async fn requests(sandbox: &Sandbox) -> BTreeSet<String> {
    let events = events(sandbox).await;
    events
        .into_keys()
        .map(|(stream, _)| stream)
        .filter(|stream| stream.starts_with("stream#request:"))
        .collect()
}

async fn each_operation_under(fault: impl Fn(&str) -> Value) {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("carla.rossi").await;
    let before = sandbox.last_call().await;
    let page = browser.post(ASK, &FORM).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let called = sandbox.called_since(before).await;
    for operation in WAITED_FOR {
        assert!(
            called.contains(operation),
            "{operation} is not among {called:?}"
        );
    }
    let page = browser
        .post(&request_of(&page), &[("act", "withdraw")])
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    for operation in WAITED_FOR {
        let kind = fault(operation)["kind"].as_str().unwrap().to_owned();
        assert!(TRIED.contains(&kind.as_str()), "{kind}");
        submit(&sandbox, &browser, &fault(operation)).await;
    }
}

fn error_of(operation: &str) -> &'static str {
    if operation.starts_with("dynamodb:") {
        "InternalServerError"
    } else {
        "InternalServerException"
    }
}

#[tokio::test]
async fn while_a_part_is_broken_nothing_is_half_done() {
    each_operation_under(|operation| {
        json!({ "operation": operation, "kind": "error", "error": error_of(operation), "times": ALWAYS })
    })
    .await;
}

#[tokio::test]
async fn what_breaks_once_is_tried_again() {
    each_operation_under(|operation| {
        json!({ "operation": operation, "kind": "error", "error": error_of(operation), "times": 1 })
    })
    .await;
}

#[tokio::test]
async fn while_a_part_is_throttled_nothing_is_half_done() {
    each_operation_under(
        |operation| json!({ "operation": operation, "kind": "throttle", "times": ALWAYS }),
    )
    .await;
}

#[tokio::test]
async fn a_reply_that_is_lost_is_found_out_about() {
    each_operation_under(
        |operation| json!({ "operation": operation, "kind": "lose-response", "times": 1 }),
    )
    .await;
}

#[tokio::test]
async fn while_every_reply_is_lost_nothing_is_half_done() {
    each_operation_under(
        |operation| json!({ "operation": operation, "kind": "lose-response", "times": ALWAYS }),
    )
    .await;
}

#[tokio::test]
async fn what_is_slow_is_waited_for() {
    each_operation_under(
        |operation| json!({ "operation": operation, "kind": "latency", "ms": 300, "times": 1 }),
    )
    .await;
}

#[tokio::test]
async fn what_does_not_answer_is_not_waited_for_for_ever() {
    each_operation_under(
        |operation| json!({ "operation": operation, "kind": "stall", "ms": 4_000, "times": 1 }),
    )
    .await;
}
