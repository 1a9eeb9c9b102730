//! What is added to the DynamoDB engine: indexes that lag, transactions that conflict, a folder that
//! keeps everything.

use serde_json::{Value, json};

use crate::running::{Sandbox, until};

fn item(n: usize) -> Value {
    json!({
        "pk": {"S": format!("thing#{n}")},
        "sk": {"S": "it"},
        "gsi1pk": {"S": "things"},
        "gsi1sk": {"S": format!("{n:04}")},
    })
}

async fn put(sandbox: &Sandbox, n: usize) {
    let input = json!({"TableName": "belay", "Item": item(n)});
    sandbox.call("dynamodb:PutItem", input).await.ok();
}

/// The numbers that the index shows, over all its pages.
async fn indexed(sandbox: &Sandbox) -> Vec<String> {
    let mut input = json!({
        "TableName": "belay",
        "IndexName": "gsi1",
        "KeyConditionExpression": "gsi1pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "things"}},
        "Limit": 3,
    });
    let mut found = Vec::new();
    loop {
        let page = sandbox.call("dynamodb:Query", input.clone()).await.ok();
        let items = page["Items"].as_array().unwrap().iter();
        found.extend(items.map(|item| item["gsi1sk"]["S"].as_str().unwrap().to_owned()));
        match page.get("LastEvaluatedKey") {
            Some(key) if !key.is_null() => input["ExclusiveStartKey"] = key.clone(),
            _ => return found,
        }
    }
}

async fn exists(sandbox: &Sandbox, n: usize) -> bool {
    let key = json!({"pk": item(n)["pk"], "sk": item(n)["sk"]});
    let input = json!({"TableName": "belay", "Key": key, "ConsistentRead": true});
    sandbox.call("dynamodb:GetItem", input).await.ok()["Item"].is_object()
}

#[tokio::test]
async fn the_table_is_what_terraform_makes() {
    let sandbox = Sandbox::quick(&[]);
    let input = json!({"TableName": "belay"});
    let table = sandbox
        .call("dynamodb:DescribeTable", input.clone())
        .await
        .ok();
    let wanted: Value =
        serde_json::from_str(include_str!("../../../../terraform/table.json")).unwrap();
    let indexes = |table: &Value| {
        let mut indexes: Vec<Value> = table["GlobalSecondaryIndexes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|index| json!([index["IndexName"], index["KeySchema"], index["Projection"]]))
            .collect();
        indexes.sort_by_key(ToString::to_string);
        indexes
    };
    assert_eq!(table["Table"]["KeySchema"], wanted["KeySchema"]);
    assert_eq!(indexes(&table["Table"]), indexes(&wanted));
    let ttl = sandbox
        .call("dynamodb:DescribeTimeToLive", input)
        .await
        .ok();
    assert_eq!(ttl["TimeToLiveDescription"]["AttributeName"], "expires_at");
}

#[tokio::test]
async fn an_index_lags_the_table_and_then_agrees_with_it() {
    let sandbox = Sandbox::quick(&["--index-lag-ms-max=6000"]);
    for n in 0..8 {
        put(&sandbox, n).await;
        assert!(
            exists(&sandbox, n).await,
            "a consistent read misses what was written"
        );
    }
    assert!(
        indexed(&sandbox).await.len() < 8,
        "the index was never behind"
    );
    let all: Vec<String> = (0..8).map(|n| format!("{n:04}")).collect();
    until("the index has everything", || async {
        indexed(&sandbox).await == all
    })
    .await;

    for n in 0..8 {
        let key = json!({"pk": item(n)["pk"], "sk": item(n)["sk"]});
        let delete = json!({"TransactItems": [{"Delete": {"TableName": "belay", "Key": key}}]});
        sandbox
            .call("dynamodb:TransactWriteItems", delete)
            .await
            .ok();
        assert!(!exists(&sandbox, n).await);
    }
    assert!(
        !indexed(&sandbox).await.is_empty(),
        "the index was never behind"
    );
    until("the index has nothing", || async {
        indexed(&sandbox).await.is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_read_that_does_not_ask_for_consistency_lags_unless_the_switch_says_otherwise() {
    let sandbox = Sandbox::quick(&["--index-lag-ms-max=60000", "--seed=5"]);
    put(&sandbox, 1).await;
    let key = json!({"pk": item(1)["pk"], "sk": item(1)["sk"]});
    let read = json!({"TableName": "belay", "Key": key});
    let found =
        async || sandbox.call("dynamodb:GetItem", read.clone()).await.ok()["Item"].is_object();
    assert!(!found().await);
    sandbox.switch(json!({"eventual_reads": "fresh"})).await;
    assert!(found().await);
}

#[tokio::test]
async fn a_share_of_the_transactions_is_refused_and_leaves_nothing_behind() {
    let sandbox = Sandbox::quick(&["--conflict-percent=100"]);
    let puts = [1, 2].map(|n| json!({"Put": {"TableName": "belay", "Item": item(n)}}));
    let write = json!({"TransactItems": puts});
    let refused = sandbox
        .call("dynamodb:TransactWriteItems", write.clone())
        .await;
    assert_eq!(refused.code(), "TransactionCanceledException");
    let reasons = refused.body["CancellationReasons"].as_array().unwrap();
    let codes: Vec<&Value> = reasons.iter().map(|reason| &reason["Code"]).collect();
    assert_eq!(codes, ["TransactionConflict", "None"]);
    assert!(!exists(&sandbox, 1).await && !exists(&sandbox, 2).await);
    sandbox.switch(json!({"conflict_percent": 0})).await;
    sandbox
        .call("dynamodb:TransactWriteItems", write)
        .await
        .ok();
    assert!(exists(&sandbox, 1).await && exists(&sandbox, 2).await);
}

#[tokio::test]
async fn a_kill_loses_nothing_and_the_index_catches_up() {
    let mut sandbox = Sandbox::quick(&["--index-lag-ms-max=60000"]);
    for n in 0..5 {
        put(&sandbox, n).await;
    }
    sandbox.kill_and_start_again();
    for n in 0..5 {
        assert!(exists(&sandbox, n).await);
    }
    assert_eq!(indexed(&sandbox).await.len(), 5);
}
