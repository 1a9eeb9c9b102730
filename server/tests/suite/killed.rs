//! `kill -9` anywhere between submission and receipt changes nothing of the outcome.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;

use crate::harness::{Belay, Sandbox, Setup};

pub(crate) const ASK: &str = "/access/111122223333/ReadOnlyAccess";

/// A window of a minute at most, two operations, and 30 s between the two reads that prove an
/// absence which no deletion that we heard of explains; the rest is for slow machines.
pub(crate) const WHOLE_LOOP: Duration = Duration::from_mins(3);

async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let began = Instant::now();
    while !is_so().await {
        assert!(began.elapsed() < WHOLE_LOOP, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every event in the table: stream, place, and its record.
pub(crate) async fn events(sandbox: &Sandbox) -> BTreeMap<(String, String), serde_json::Value> {
    let pages = sandbox
        .dynamodb()
        .scan()
        .table_name("belay")
        .consistent_read(true)
        .into_paginator()
        .items()
        .send();
    let items: Vec<_> = pages.collect::<Result<_, _>>().await.unwrap();
    let text = |item: &std::collections::HashMap<String, AttributeValue>, name: &str| {
        item.get(name).and_then(|value| value.as_s().ok()).cloned()
    };
    items
        .iter()
        .filter_map(|item| {
            let (pk, sk) = (text(item, "pk")?, text(item, "sk")?);
            if !(pk.starts_with("stream#") && sk.starts_with("event#")) {
                return None;
            }
            let record = serde_json::from_str(&text(item, "bytes")?).unwrap();
            Some(((pk, sk), record))
        })
        .collect()
}

pub(crate) fn kinds<'a>(
    events: &'a BTreeMap<(String, String), serde_json::Value>,
    stream: &str,
) -> Vec<&'a str> {
    events
        .iter()
        .filter(|((pk, _), _)| pk.starts_with(stream))
        .map(|(_, record)| record["kind"].as_str().unwrap())
        .collect()
}

/// Each event names the hash of the one before it in its stream.
pub(crate) fn assert_chained(events: &BTreeMap<(String, String), serde_json::Value>) {
    let mut heads: BTreeMap<&str, (u64, &str)> = BTreeMap::new();
    for ((stream, _), record) in events {
        let (next, hash) = heads.get(stream.as_str()).copied().unwrap_or((
            0,
            "0000000000000000000000000000000000000000000000000000000000000000",
        ));
        assert_eq!(record["seq"], next, "{record}");
        assert_eq!(record["prev_hash"], hash, "{record}");
        heads.insert(stream, (next + 1, record["hash"].as_str().unwrap()));
    }
}

async fn restart(mut belay: Belay, setup: &Setup) -> Belay {
    let portal = belay.portal.clone();
    belay.kill();
    Belay::launch(&setup.clone().at(&portal)).ready().await
}

#[tokio::test]
async fn a_grant_comes_and_goes_although_the_server_is_killed_at_every_stage() {
    // Operations take long enough to be killed in.
    let sandbox = Sandbox::start_with(&["--operation-ms=1500", "--lag-ms-max=1000"]);
    let setup = Setup::of(&sandbox);
    let belay = Belay::launch(&setup).ready().await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let before = sandbox.state().await["assignments"].clone();
    let page = carla
        .post(
            ASK,
            &[
                ("duration", "60"),
                ("reason", "INC-7: killed at every stage"),
            ],
        )
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();

    // Pending. Sessions survive as well.
    let belay = restart(belay, &setup).await;
    let page = emma
        .post(&request, &[("act", "approve"), ("note", "")])
        .await;
    assert_eq!(page.status, 303, "{}", page.text());

    // Its window outlasts a start, and the takeover from who was killed with an intent on record.
    // AWS has heard the creation; whether we heard its answer is up to chance.
    until("the creation is sent", || async {
        !sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty()
    })
    .await;
    let belay = restart(belay, &setup).await;
    until("the grant is active", || async {
        kinds(&events(&sandbox).await, "stream#grant:").contains(&"grant.activated")
    })
    .await;

    // Active.
    let belay = restart(belay, &setup).await;
    until("the deletion is sent", || async {
        !sandbox
            .calls("sso-admin:DeleteAccountAssignment")
            .await
            .is_empty()
    })
    .await;

    // On its way out.
    let belay = restart(belay, &setup).await;
    until("the grant has ended", || async {
        kinds(&events(&sandbox).await, "stream#grant:").contains(&"grant.ended")
    })
    .await;
    drop(belay);

    let after = sandbox.state().await["assignments"].clone();
    assert_eq!(
        before, after,
        "what was there before is there, and nothing else"
    );
    let events = events(&sandbox).await;
    assert_eq!(
        kinds(&events, "stream#request:"),
        ["request.submitted", "ask.approved"]
    );
    assert_eq!(
        kinds(&events, "stream#grant:"),
        [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended"
        ]
    );
    assert_chained(&events);
    let ended = events
        .values()
        .find(|record| record["kind"] == "grant.ended")
        .unwrap();
    assert_eq!(ended["operation_type"], "revoke", "{ended}");
    assert_eq!(ended["access_is_gone"], "true", "{ended}");
}
