//! Whatever AWS answers where its documents are silent, a grant comes and goes.
//!
//! Each answer is a switch of the sandbox, whose README lists them. Here two people are given the same
//! role at once, and the replies to one creation and to one deletion are lost, so that the questions
//! come up: creating what exists, deleting what does not, two operations on one role, a limit that is
//! reached. Ten loops take as long as one, for most of it is waiting.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::json;

use crate::harness::{Belay, Sandbox};
use crate::killed::{ASK, WHOLE_LOOP, assert_chained, events, kinds};

/// Long enough for two operations to meet.
const SLOW: &str = "--operation-ms=1500";

/// The whole loop, for two people at once, under these answers.
async fn comes_and_goes(flags: &[&str]) {
    let sandbox = Sandbox::start_with(flags);
    let belay = Belay::start(&sandbox).await;
    let before = sandbox.state().await["assignments"].clone();
    for operation in [
        "sso-admin:CreateAccountAssignment",
        "sso-admin:DeleteAccountAssignment",
    ] {
        sandbox
            .fault(json!({ "operation": operation, "kind": "lose-response", "times": 1 }))
            .await;
    }
    let emma = belay.signed_in("emma.lindqvist").await;
    for person in ["ana.silva", "carla.rossi"] {
        let browser = belay.signed_in(person).await;
        let form = [
            ("duration", "20"),
            ("reason", "INC-7: whatever AWS answers"),
        ];
        let page = browser.post(ASK, &form).await;
        assert_eq!(page.status, 303, "{flags:?}: {}", page.text());
        let request = page.location().split('?').next().unwrap().to_owned();
        let approve = [("act", "approve"), ("note", "")];
        let page = emma.post(&request, &approve).await;
        assert_eq!(page.status, 303, "{flags:?}: {}", page.text());
    }

    let begun = Instant::now();
    let events = loop {
        let events = events(&sandbox).await;
        let grants = kinds(&events, "stream#grant:");
        let count = |kind| grants.iter().filter(|have| **have == kind).count();
        if count("grant.ended") == 2 {
            assert_eq!(count("grant.activated"), 2, "{flags:?}: {grants:?}");
            break events;
        }
        assert!(
            begun.elapsed() < WHOLE_LOOP,
            "{flags:?}: two grants do not come and go: {grants:?}\n{}",
            belay.said()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_chained(&events);
    for record in events.values() {
        if record["kind"] == "grant.ended" {
            assert_eq!(record["access_is_gone"], "true", "{flags:?}: {record}");
        }
    }
    let after = sandbox.state().await["assignments"].clone();
    assert_eq!(before, after, "{flags:?}");
}

async fn each_comes_and_goes(answers: &[&[&str]]) {
    join_all(answers.iter().map(|flags| comes_and_goes(flags))).await;
}

#[tokio::test]
async fn a_grant_comes_and_goes_whatever_writes_are_answered() {
    each_comes_and_goes(&[
        &[SLOW],
        &[SLOW, "--create-existing=conflict"],
        &[SLOW, "--delete-missing=not-found"],
        &[SLOW, "--same-role=conflict"],
    ])
    .await;
}

#[tokio::test]
async fn a_grant_comes_and_goes_whatever_the_outstanding_limit_says() {
    each_comes_and_goes(&[
        &[SLOW, "--outstanding-max=1", "--outstanding-error=conflict"],
        &[SLOW, "--outstanding-max=1", "--outstanding-error=quota"],
        &[
            SLOW,
            "--outstanding-max=1",
            "--outstanding-error=throttling",
        ],
    ])
    .await;
}

#[tokio::test]
async fn a_grant_comes_and_goes_whatever_reads_show() {
    each_comes_and_goes(&[
        &[SLOW, "--lag-ms-max=2000", "--eventual-reads=fresh"],
        &[SLOW, "--group-rows=hidden"],
        &[SLOW, "--caller=delegated"],
        // One row a page: of the two that are asked about in one list, one is not on it.
        &[SLOW, "--status-order=newest", "--page-size-max=1"],
        &[SLOW, "--status-order=oldest", "--page-size-max=1"],
    ])
    .await;
}
