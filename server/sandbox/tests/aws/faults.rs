//! Each kind of fault, on each kind of service.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::running::{INSTANCE, STORE, Sandbox, until};

const CREATE: &str = "sso-admin:CreateAccountAssignment";
const LIST: &str = "sso-admin:ListPermissionSets";

fn instance() -> Value {
    json!({"InstanceArn": INSTANCE})
}

async fn creation(sandbox: &Sandbox, answer: &Value) -> Value {
    let input = json!({
        "InstanceArn": INSTANCE,
        "AccountAssignmentCreationRequestId": answer["AccountAssignmentCreationStatus"]["RequestId"],
    });
    let described = sandbox
        .call("sso-admin:DescribeAccountAssignmentCreationStatus", input)
        .await;
    described.ok()["AccountAssignmentCreationStatus"].clone()
}

#[tokio::test]
async fn latency_delays_a_call_that_is_then_done() {
    let sandbox = Sandbox::quick(&[]);
    sandbox
        .fault(json!({"operation": LIST, "kind": "latency", "ms": 700}))
        .await;
    let began = Instant::now();
    sandbox.call(LIST, instance()).await.ok();
    assert!(began.elapsed() >= Duration::from_millis(700));
}

#[tokio::test]
async fn a_caller_that_gives_up_does_not_undo_its_call() {
    let sandbox = Sandbox::quick(&[]);
    sandbox
        .fault(json!({"operation": CREATE, "kind": "latency", "ms": 800}))
        .await;
    let ask = sandbox.ask_for("carla.rossi").await;
    let impatient = tokio::time::timeout(
        Duration::from_millis(300),
        sandbox.try_call(CREATE, ask.clone()),
    );
    assert!(impatient.await.is_err(), "it was answered in time");
    let id = ask["PrincipalId"].as_str().unwrap().to_owned();
    until("it is done all the same", || async {
        sandbox.holders(&ask).await.contains(&id)
    })
    .await;
}

#[tokio::test]
async fn throttling_and_errors_are_each_services_own_and_nothing_is_done() {
    let sandbox = Sandbox::quick(&[]);
    let users = json!({"IdentityStoreId": STORE});
    let tables = json!({});
    let cases = [
        (LIST, instance(), "ThrottlingException"),
        ("identitystore:ListUsers", users, "ThrottlingException"),
        (
            "organizations:ListAccounts",
            json!({}),
            "TooManyRequestsException",
        ),
        ("dynamodb:ListTables", tables, "ThrottlingException"),
    ];
    for (operation, input, error) in cases {
        sandbox
            .fault(json!({"operation": operation, "kind": "throttle"}))
            .await;
        assert_eq!(sandbox.call(operation, input.clone()).await.code(), error);
        sandbox.call(operation, input).await.ok();
    }
    let ask = sandbox.ask_for("carla.rossi").await;
    sandbox
        .fault(json!({"operation": CREATE, "kind": "error", "error": "InternalServerException"}))
        .await;
    let failed = sandbox.call(CREATE, ask.clone()).await;
    assert_eq!(
        (failed.status.as_u16(), failed.code()),
        (500, "InternalServerException")
    );
    let state = sandbox.state().await;
    assert_eq!(state["operations"], json!([]));
}

#[tokio::test]
async fn a_lost_response_is_a_call_that_was_done() {
    let sandbox = Sandbox::quick(&[]);
    let ask = sandbox.ask_for("carla.rossi").await;
    sandbox
        .fault(json!({"operation": CREATE, "kind": "lose-response"}))
        .await;
    assert!(sandbox.try_call(CREATE, ask.clone()).await.is_err());
    let id = ask["PrincipalId"].as_str().unwrap().to_owned();
    until("it is there", || async {
        sandbox.holders(&ask).await.contains(&id)
    })
    .await;

    let item = json!({"TableName": "belay", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}});
    let write = json!({"TransactItems": [{"Put": item}]});
    sandbox
        .fault(json!({"operation": "dynamodb:TransactWriteItems", "kind": "lose-response"}))
        .await;
    assert!(
        sandbox
            .try_call("dynamodb:TransactWriteItems", write)
            .await
            .is_err()
    );
    let read = json!({"TableName": "belay", "Key": item["Item"], "ConsistentRead": true});
    assert!(sandbox.call("dynamodb:GetItem", read).await.ok()["Item"].is_object());
}

#[tokio::test]
async fn a_lost_page_is_never_the_first_and_comes_back_when_asked_for_again() {
    let sandbox = Sandbox::quick(&["--page-size-max=3"]);
    sandbox
        .fault(json!({"operation": LIST, "kind": "lose-page"}))
        .await;
    let first = sandbox.call(LIST, instance()).await.ok();
    let mut second = instance();
    second["NextToken"] = first["NextToken"].clone();
    assert!(sandbox.try_call(LIST, second.clone()).await.is_err());
    assert_eq!(
        sandbox.call(LIST, second.clone()).await.ok()["PermissionSets"]
            .as_array()
            .unwrap()
            .len(),
        3
    );

    sandbox
        .fault(json!({"operation": LIST, "kind": "lose-page", "silent": true}))
        .await;
    let empty = sandbox.call(LIST, second).await.ok();
    assert_eq!(empty["PermissionSets"], json!([]));
    assert!(empty["NextToken"].is_string());
}

#[tokio::test]
async fn a_page_of_a_table_can_be_lost_too() {
    let sandbox = Sandbox::quick(&[]);
    for n in 0..4 {
        let item = json!({"pk": {"S": "p"}, "sk": {"S": n.to_string()}});
        let input = json!({"TableName": "belay", "Item": item});
        sandbox.call("dynamodb:PutItem", input).await.ok();
    }
    let mut query = json!({
        "TableName": "belay",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": {":p": {"S": "p"}},
        "Limit": 2,
    });
    let operation = "dynamodb:Query";
    for silent in [false, true] {
        let fault = json!({"operation": operation, "kind": "lose-page", "silent": silent});
        sandbox.fault(fault).await;
    }
    let first = sandbox.call(operation, query.clone()).await.ok();
    assert_eq!(first["Count"], 2);
    query["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    assert!(sandbox.try_call(operation, query.clone()).await.is_err());
    let empty = sandbox.call(operation, query.clone()).await.ok();
    assert_eq!((&empty["Count"], &empty["Items"]), (&json!(0), &json!([])));
    assert_eq!(sandbox.call(operation, query).await.ok()["Count"], 2);
}

#[tokio::test]
async fn a_status_fails_with_its_reason_done_or_not() {
    let sandbox = Sandbox::quick(&[]);
    for (person, done) in [("carla.rossi", false), ("dmitri.volkov", true)] {
        sandbox
            .fault(json!({
                "operation": CREATE, "kind": "fail-status", "error": "No luck", "done": done,
            }))
            .await;
        let ask = sandbox.ask_for(person).await;
        let answer = sandbox.call(CREATE, ask.clone()).await.ok();
        until("it fails", || async {
            creation(&sandbox, &answer).await["FailureReason"] == "No luck"
        })
        .await;
        let id = ask["PrincipalId"].as_str().unwrap().to_owned();
        assert_eq!(sandbox.holders(&ask).await.contains(&id), done);
    }
}

#[tokio::test]
async fn a_stalled_operation_goes_on_when_the_fault_is_deleted_and_a_kill_does_not_free_it() {
    let mut sandbox = Sandbox::quick(&[]);
    sandbox
        .fault(json!({"operation": CREATE, "kind": "stall"}))
        .await;
    let answer = sandbox
        .call(CREATE, sandbox.ask_for("carla.rossi").await)
        .await
        .ok();
    sandbox.kill_and_start_again();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(creation(&sandbox, &answer).await["Status"], "IN_PROGRESS");
    sandbox
        .control(Method::DELETE, "/faults", Value::Null)
        .await
        .ok();
    until("it goes on", || async {
        creation(&sandbox, &answer).await["Status"] == "SUCCEEDED"
    })
    .await;
}

#[tokio::test]
async fn a_stalled_read_is_answered_when_the_fault_is_deleted() {
    let sandbox = Sandbox::quick(&[]);
    let id = sandbox
        .fault(json!({"operation": LIST, "kind": "stall"}))
        .await;
    let (answer, ()) = tokio::join!(sandbox.call(LIST, instance()), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        sandbox
            .control(Method::DELETE, &format!("/faults/{id}"), Value::Null)
            .await
            .ok();
    });
    answer.ok();
    let calls = sandbox
        .control(Method::GET, "/calls", Value::Null)
        .await
        .ok();
    assert!(
        calls["calls"][0]["ms"].as_f64().unwrap() >= 500.0,
        "{calls}"
    );
}

#[tokio::test]
async fn a_fault_befalls_as_many_calls_as_it_says_and_only_those_that_match() {
    let sandbox = Sandbox::quick(&[]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let other = sandbox.ask_for("dmitri.volkov").await;
    sandbox
        .fault(json!({
            "operation": CREATE, "kind": "error", "error": "InternalServerException", "times": 2,
            "match": {"PrincipalId": ask["PrincipalId"]},
        }))
        .await;
    sandbox.call(CREATE, other).await.ok();
    for _ in 0..2 {
        assert_eq!(
            sandbox.call(CREATE, ask.clone()).await.code(),
            "InternalServerException"
        );
    }
    sandbox.call(CREATE, ask).await.ok();

    let always = json!({"operation": "sso-admin:*", "kind": "throttle", "times": 0});
    let id = sandbox.fault(always).await;
    for _ in 0..3 {
        assert_eq!(
            sandbox.call(LIST, instance()).await.code(),
            "ThrottlingException"
        );
    }
    sandbox
        .call("organizations:ListAccounts", json!({}))
        .await
        .ok();
    sandbox
        .control(Method::DELETE, &format!("/faults/{id}"), Value::Null)
        .await
        .ok();
    sandbox.call(LIST, instance()).await.ok();
}

#[tokio::test]
async fn a_fault_may_be_about_what_is_in_a_list() {
    let sandbox = Sandbox::quick(&[]);
    let operation = "dynamodb:TransactWriteItems";
    let put = |kind: &str| {
        json!({"Put": {"TableName": "belay", "Item": {
            "pk": {"S": format!("of {kind}")}, "sk": {"S": "it"}, "kind": {"S": kind},
        }}})
    };
    let wanted = |kind: &str| json!({"Put": {"Item": {"kind": {"S": kind}}}});
    sandbox
        .fault(json!({
            "operation": operation, "kind": "error", "error": "InternalServerError", "times": 0,
            "match": {"TransactItems": [wanted("a"), wanted("b")]},
        }))
        .await;
    let write = async |kinds: &[&str]| {
        let items: Vec<_> = kinds.iter().map(|kind| put(kind)).collect();
        sandbox
            .call(operation, json!({"TransactItems": items}))
            .await
    };
    write(&["a"]).await.ok();
    write(&["a", "c"]).await.ok();
    assert_eq!(write(&["c", "b", "a"]).await.code(), "InternalServerError");
}

#[tokio::test]
async fn s3_fails_as_s3_does() {
    let sandbox = Sandbox::quick(&[]);
    let put = async || {
        let address = format!("{}/belay-audit/a.json", sandbox.address("aws"));
        reqwest::Client::new().put(address).body("{}").send().await
    };
    for (kind, error, status) in [
        ("throttle", "SlowDown", 503),
        ("error", "InternalError", 500),
    ] {
        sandbox
            .fault(json!({
                "operation": "s3:PutObject", "kind": kind, "error": error,
                "match": {"Bucket": "belay-audit", "Key": "a.json"},
            }))
            .await;
        let answer = put().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let body = answer.text().await.unwrap();
        assert!(body.contains(&format!("<Code>{error}</Code>")), "{body}");
    }
    sandbox
        .fault(json!({"operation": "s3:PutObject", "kind": "lose-response"}))
        .await;
    assert!(put().await.is_err());
}
