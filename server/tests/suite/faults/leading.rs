//! Who leads is what the table says, and not who asked for it.

use domain::id::ServerId;
use serde_json::{Value, json};
use server::store::{LeaseItem, Store, keys};
use uuid::Uuid;

use crate::harness::{Belay, Sandbox, Setup, eventually};

const PUT: &str = "dynamodb:PutItem";

#[tokio::test]
async fn whoever_was_refused_the_lease_does_not_lead() {
    let sandbox = Sandbox::start();
    let lease = keys::lease();
    let of_it = json!({"Item": {"pk": {"S": lease.pk}, "sk": {"S": lease.sk}}});
    // Its attempt arrives, and is judged later: another is quicker. Shorter than an attempt may take.
    sandbox
        .fault(json!({"operation": PUT, "kind": "latency", "ms": 2_000, "match": of_it}))
        .await;
    let belay = Belay::launch(&Setup::of(&sandbox));
    let attempts = || async {
        let mut calls = sandbox.calls(PUT).await;
        calls.retain(|call| call["input"]["Item"]["pk"] == json!({"S": lease.pk}));
        calls
    };
    eventually("it wants to lead", || async {
        (!attempts().await.is_empty()).then_some(())
    })
    .await;
    let other = LeaseItem {
        holder: Some(ServerId::new(Uuid::now_v7())),
        version: 1,
    };
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    store
        .set_lease(&other, None)
        .await
        .expect("the other leads");
    let refused = eventually("its attempt is answered", || async {
        let first: Value = attempts().await.swap_remove(0);
        (first["outcome"] != "pending").then_some(first)
    })
    .await;
    assert_eq!(refused["outcome"], "ConditionalCheckFailedException");
    // The other never moves its counter on, so that it is taken over from.
    eventually("it leads", || async { belay.leads().then_some(()) }).await;
    let tries = attempts().await;
    assert!(
        tries
            .iter()
            .any(|call| call["outcome"] == "ok"
                && call["input"]["Item"]["version"] == json!({"N": "2"})),
        "it leads although the table never said so: {tries:?}"
    );
}
