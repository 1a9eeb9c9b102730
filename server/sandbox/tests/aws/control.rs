//! The control door, and what is refused at every door.

use reqwest::{Client, Method};
use serde_json::{Value, json};

use crate::running::{INSTANCE, PAYMENTS, STORE, Sandbox, command, until};

#[tokio::test]
async fn what_is_changed_from_outside_is_read_at_once() {
    let sandbox = Sandbox::quick(&["--lag-ms-max=60000"]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let id = ask["PrincipalId"].as_str().unwrap().to_owned();
    let triple = json!({
        "account_id": PAYMENTS,
        "permission_set_arn": ask["PermissionSetArn"],
        "principal_type": "USER",
        "principal_id": id,
    });
    for (method, changed, there) in [
        (Method::PUT, true, true),
        (Method::PUT, false, true),
        (Method::DELETE, true, false),
        (Method::DELETE, false, false),
    ] {
        let answer = sandbox
            .control(method, "/assignments", triple.clone())
            .await
            .ok();
        assert_eq!(answer["changed"], changed);
        assert_eq!(sandbox.holders(&ask).await.contains(&id), there);
    }

    let group = sandbox.group("Oncall").await;
    let place = json!({"group_id": group, "user_id": id});
    let member = async || {
        let input =
            json!({"IdentityStoreId": STORE, "MemberId": {"UserId": id}, "GroupIds": [group]});
        let answer = sandbox
            .call("identitystore:IsMemberInGroups", input)
            .await
            .ok();
        answer["Results"][0]["MembershipExists"] == true
    };
    sandbox
        .control(Method::PUT, "/memberships", place.clone())
        .await
        .ok();
    assert!(member().await);
    sandbox
        .control(Method::DELETE, "/memberships", place)
        .await
        .ok();
    assert!(!member().await);
}

#[tokio::test]
async fn a_person_can_be_disabled_and_deleted() {
    let sandbox = Sandbox::quick(&[]);
    let id = sandbox.person("ana.silva").await;
    let describe = json!({"IdentityStoreId": STORE, "UserId": id});
    let disabled = json!({"user_id": id, "status": "DISABLED"});
    sandbox.control(Method::PUT, "/people", disabled).await.ok();
    let user = sandbox
        .call("identitystore:DescribeUser", describe.clone())
        .await
        .ok();
    assert_eq!(user["UserStatus"], "DISABLED");
    sandbox
        .control(Method::DELETE, "/people", json!({"user_id": id}))
        .await
        .ok();
    let gone = sandbox.call("identitystore:DescribeUser", describe).await;
    assert_eq!(gone.code(), "ResourceNotFoundException");
    let state = sandbox.state().await;
    let of = |kind: &str, member: &str| {
        state[kind]
            .as_array()
            .unwrap()
            .iter()
            .filter(|row| row[member] == *id)
            .count()
    };
    // As in AWS: the memberships go, the assignments stay behind.
    assert_eq!(of("memberships", "user_id"), 0);
    assert_eq!(of("assignments", "principal_id"), 2);
}

#[tokio::test]
async fn calls_are_told_in_order_with_their_input_and_outcome() {
    let sandbox = Sandbox::quick(&[]);
    let before = sandbox
        .control(Method::GET, "/calls", Value::Null)
        .await
        .ok();
    let ask = sandbox.ask_for("carla.rossi").await;
    sandbox
        .call("sso-admin:CreateAccountAssignment", ask.clone())
        .await
        .ok();
    sandbox
        .call(
            "sso-admin:DescribePermissionSet",
            json!({"InstanceArn": INSTANCE}),
        )
        .await;
    sandbox
        .call(
            "dynamodb:GetItem",
            json!({"TableName": "nope", "Key": {"pk": {"S": "a"}}}),
        )
        .await;
    let told = sandbox
        .control(
            Method::GET,
            &format!("/calls?since={}", before["last"]),
            Value::Null,
        )
        .await
        .ok();
    let calls = told["calls"].as_array().unwrap();
    let outcomes: Vec<(&str, &str)> = calls
        .iter()
        .map(|call| {
            (
                call["operation"].as_str().unwrap(),
                call["outcome"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("sso-admin:CreateAccountAssignment", "ok"),
            ("sso-admin:DescribePermissionSet", "ValidationException"),
            ("dynamodb:GetItem", "ResourceNotFoundException"),
        ]
    );
    assert_eq!(calls[0]["input"], ask);
    let times: Vec<f64> = calls
        .iter()
        .map(|call| call["time"].as_f64().unwrap())
        .collect();
    assert!(times.is_sorted(), "{times:?}");
    let last = sandbox
        .control(
            Method::GET,
            &format!("/calls?since={}", told["last"]),
            Value::Null,
        )
        .await
        .ok();
    assert_eq!(last["calls"], json!([]));
}

#[tokio::test]
async fn a_fault_that_could_never_fire_is_refused_with_the_reason() {
    let sandbox = Sandbox::quick(&[]);
    for (fault, reason) in [
        (
            json!({"operation": "sso-admin:DeleteAssignment", "kind": "throttle"}),
            "there is no operation",
        ),
        (
            json!({"operation": "sso:*", "kind": "throttle"}),
            "there is no operation",
        ),
        (
            json!({"operation": "*", "kind": "error"}),
            "needs the name of an error",
        ),
        (
            json!({"operation": "*", "kind": "explode"}),
            "unknown variant",
        ),
        (
            json!({"operation": "*", "kind": "throttle", "time": 2}),
            "unknown field",
        ),
        (
            json!({"operation": "s3:PutObject", "kind": "fail-status"}),
            "starts no assignment operation",
        ),
        (
            json!({"operation": "*", "kind": "latency", "ms": 3_600_000}),
            "at most",
        ),
    ] {
        let answer = sandbox
            .control(Method::POST, "/faults", fault.clone())
            .await;
        assert_eq!(answer.status.as_u16(), 400, "{fault}");
        let error = answer.body["error"].as_str().unwrap();
        assert!(error.contains(reason), "{fault}: {error}");
    }
    let switch = sandbox
        .control(Method::POST, "/switches", json!({"lag": 1}))
        .await;
    assert_eq!(switch.status.as_u16(), 400);
}

#[tokio::test]
async fn a_reset_brings_back_the_first_start() {
    let sandbox = Sandbox::quick(&[]);
    let seed = sandbox.state().await;
    let ask = sandbox.ask_for("carla.rossi").await;
    sandbox
        .call("sso-admin:CreateAccountAssignment", ask)
        .await
        .ok();
    sandbox
        .control(
            Method::DELETE,
            "/people",
            json!({"user_id": sandbox.person("ana.silva").await}),
        )
        .await
        .ok();
    let item = json!({"TableName": "belay", "Item": {"pk": {"S": "a"}, "sk": {"S": "b"}}});
    sandbox.call("dynamodb:PutItem", item).await.ok();
    sandbox
        .fault(json!({"operation": "*", "kind": "throttle", "times": 0}))
        .await;
    sandbox.switch(json!({"sso_admin_rate": 1})).await;

    sandbox
        .control(Method::POST, "/reset", Value::Null)
        .await
        .ok();
    let state = sandbox.state().await;
    for kind in ["people", "assignments", "memberships", "operations"] {
        assert_eq!(state[kind], seed[kind], "{kind}");
    }
    until("the table is empty", || async {
        let scan = json!({"TableName": "belay", "ConsistentRead": true});
        sandbox.call("dynamodb:Scan", scan).await.ok()["Count"] == 0
    })
    .await;
    let switches = sandbox
        .control(Method::GET, "/switches", Value::Null)
        .await
        .ok();
    assert_eq!(switches["sso_admin_rate"], 0);
}

#[tokio::test]
async fn nobody_is_served_under_a_foreign_name_or_from_a_page() {
    let sandbox = Sandbox::quick(&[]);
    let client = Client::new();
    for door in ["aws", "control"] {
        let foreign = client
            .get(format!("{}/healthz", sandbox.address(door)))
            .header("host", "evil.example");
        assert_eq!(
            foreign.send().await.unwrap().status().as_u16(),
            403,
            "{door}"
        );
    }
    let page = client
        .post(format!("{}/reset", sandbox.address("control")))
        .header("origin", "http://localhost:8000");
    assert_eq!(page.send().await.unwrap().status().as_u16(), 403);
    sandbox
        .control(Method::GET, "/healthz", Value::Null)
        .await
        .ok();
}

#[tokio::test]
async fn a_second_sandbox_on_one_folder_does_not_start() {
    let sandbox = Sandbox::quick(&[]);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("data");
    std::os::unix::fs::symlink(sandbox.data(), &link).unwrap();
    let second = command(&elsewhere).output().unwrap();
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(said.contains("another sandbox uses"), "{said}");
}
