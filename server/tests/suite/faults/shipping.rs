//! The audit bucket, under each kind of fault: people go on, events wait, and each is there once, as
//! it was hashed, when the bucket is back.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{Belay, Sandbox, eventually};
use crate::killed::{ASK, events};

/// Three attempts of ten seconds, and a pause that doubled.
const PATIENCE: Duration = Duration::from_mins(2);

/// Objects of the audit log, by key.
async fn shipped(sandbox: &Sandbox) -> Vec<(String, String)> {
    let s3 = sandbox.s3();
    let listed = s3
        .list_objects_v2()
        .bucket("belay-audit")
        .prefix("audit/")
        .send()
        .await
        .unwrap();
    let keys = listed.contents().iter().filter_map(|object| object.key());
    join_all(keys.map(|key| {
        let get = s3.get_object().bucket("belay-audit").key(key).send();
        async move {
            let bytes = get.await.unwrap().body.collect().await.unwrap();
            let text = String::from_utf8(bytes.into_bytes().to_vec()).unwrap();
            (key.to_owned(), text)
        }
    }))
    .await
}

async fn versions(sandbox: &Sandbox) -> usize {
    let s3 = sandbox.s3();
    let listed = s3
        .list_object_versions()
        .bucket("belay-audit")
        .prefix("audit/")
        .send()
        .await
        .unwrap();
    listed.versions().len() + listed.delete_markers().len()
}

async fn ships_again(faults: Vec<Value>) {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let mut ids = Vec::new();
    let mut lifted = BTreeSet::new();
    for fault in &faults {
        ids.push(sandbox.fault(fault.clone()).await);
    }
    let form = [("duration", "900"), ("reason", "INC-9: S3 is unwell")];
    let page = carla.post(ASK, &form).await;
    assert_eq!(page.status, 303, "{faults:?}: {}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    let page = carla.post(&request, &[("act", "withdraw")]).await;
    assert_eq!(page.status, 303, "{faults:?}: {}", page.text());

    let begun = Instant::now();
    let mut met = BTreeMap::new();
    loop {
        met.extend(sandbox.faults_fired().await);
        let all_fired = ids.iter().all(|id| met[id] > 0);
        // What goes on until it is lifted was met, and is lifted: and those who run it are told.
        for (fault, id) in faults.iter().zip(&ids) {
            let goes_on = fault["times"] == 0 && !lifted.contains(id);
            if goes_on && met[id] > 3 && belay.metric("belay_audit_shipping").await < 0.5 {
                let waiting = events(&sandbox).await.len();
                assert!(shipped(&sandbox).await.len() < waiting, "{fault}");
                sandbox.lift(id).await;
                lifted.insert(id.clone());
            }
        }
        let is_lifted = |fault: &Value, id: &String| fault["times"] != 0 || lifted.contains(id);
        let all_lifted = faults
            .iter()
            .zip(&ids)
            .all(|(fault, id)| is_lifted(fault, id));
        let events = events(&sandbox).await;
        // Whoever looks before that meets in the server's place what was meant for it.
        let there = if all_fired && all_lifted {
            shipped(&sandbox).await
        } else {
            Vec::new()
        };
        if all_fired && all_lifted && there.len() == events.len() {
            for record in events.values() {
                let id = record["id"].as_str().unwrap();
                let (key, text) = there
                    .iter()
                    .find(|(key, _)| key.ends_with(&format!("/{id}.json")))
                    .unwrap_or_else(|| panic!("{faults:?}: {id} is not there"));
                assert_eq!(
                    &serde_json::from_str::<Value>(text).unwrap(),
                    record,
                    "{key}"
                );
            }
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "{faults:?}: {} of {} shipped, met: {met:?}",
            there.len(),
            events.len()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let objects = shipped(&sandbox).await.len();
    assert_eq!(versions(&sandbox).await, objects, "{faults:?}: each once");
}

/// What befalls the bucket, each list in a world of its own.
pub(super) fn faults() -> Vec<Vec<Value>> {
    let of = |operation: &str, mut fault: Value| {
        fault["operation"] = operation.into();
        fault
    };
    let put = |fault| of("s3:PutObject", fault);
    let get = |fault| of("s3:GetObject", fault);
    vec![
        vec![put(
            json!({"kind": "error", "error": "InternalError", "times": 0}),
        )],
        vec![put(
            json!({"kind": "error", "error": "AccessDenied", "times": 0}),
        )],
        vec![put(json!({"kind": "throttle", "times": 0}))],
        vec![put(json!({"kind": "latency", "ms": 2_000, "times": 2}))],
        vec![put(json!({"kind": "lose-response", "times": 3}))],
        vec![put(json!({"kind": "stall", "ms": 11_000, "times": 1}))],
        // What is there already cannot be compared for a while, for one reason after another.
        vec![
            put(json!({"kind": "lose-response", "times": 1})),
            get(json!({"kind": "error", "error": "InternalError", "times": 3})),
            get(json!({"kind": "throttle", "times": 1})),
            get(json!({"kind": "lose-response", "times": 1})),
            get(json!({"kind": "stall", "ms": 11_000, "times": 1})),
            get(json!({"kind": "latency", "ms": 500, "times": 1})),
        ],
    ]
}

#[tokio::test]
async fn events_wait_for_the_bucket_and_are_there_once() {
    join_all(faults().into_iter().map(ships_again)).await;
}

/// Only what is ours counts as shipped: somebody else's object in an event's place is not taken for
/// it, however often it is met, and the event is there once the place is free.
#[tokio::test]
async fn what_somebody_else_put_in_the_place_of_an_event_is_not_taken_for_it() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    // Ours are put where nothing is; the one that is put by hand does not ask.
    let away = sandbox
        .fault(json!({
            "operation": "s3:PutObject", "kind": "error", "error": "InternalError", "times": 0,
            "match": {"IfNoneMatch": "*"},
        }))
        .await;
    let form = [("duration", "900"), ("reason", "INC-9: S3 is unwell")];
    let page = carla.post(ASK, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let record = events(&sandbox)
        .await
        .into_values()
        .find(|record| record["kind"] == "request.submitted")
        .unwrap();
    let id = record["id"].as_str().unwrap();
    let puts = || sandbox.calls("s3:PutObject");
    let key = eventually("it is put", || async {
        let mut keys = puts().await.into_iter().filter_map(|call| {
            let key = call["input"]["Key"].as_str()?;
            key.ends_with(&format!("/{id}.json"))
                .then(|| key.to_owned())
        });
        keys.next()
    })
    .await;
    let s3 = sandbox.s3();
    let theirs = || s3.put_object().bucket("belay-audit").key(&key);
    theirs()
        .body(b"{\"kind\":\"request.submitted\"}".to_vec().into())
        .send()
        .await
        .unwrap();

    sandbox.lift(&away).await;
    let begun = Instant::now();
    loop {
        let calls = sandbox.calls("s3:GetObject").await;
        let compared = calls.iter().filter(|call| call["input"]["Key"] == key);
        // Once more after it was found to be another's: it was not let go.
        if compared.count() >= 2 {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is compared no more");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let removed = s3.delete_object().bucket("belay-audit").key(&key);
    removed.send().await.unwrap();
    loop {
        let there = shipped(&sandbox).await;
        if let Some((_, text)) = there.iter().find(|(have, _)| *have == key) {
            assert_eq!(serde_json::from_str::<Value>(text).unwrap(), record);
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "it is never there");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}
