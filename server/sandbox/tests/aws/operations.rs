//! Creating and deleting assignments: they take time, collide, run into limits, and outlive a kill.

use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::running::{INSTANCE, STORE, Sandbox, until};

const CREATE: &str = "sso-admin:CreateAccountAssignment";
const DELETE: &str = "sso-admin:DeleteAccountAssignment";

/// The status of a creation, asked for again.
async fn creation(sandbox: &Sandbox, status: &Value) -> Value {
    let input = json!({
        "InstanceArn": INSTANCE,
        "AccountAssignmentCreationRequestId": status["RequestId"],
    });
    let answer = sandbox
        .call("sso-admin:DescribeAccountAssignmentCreationStatus", input)
        .await;
    answer.ok()["AccountAssignmentCreationStatus"].clone()
}

async fn deletion(sandbox: &Sandbox, status: &Value) -> Value {
    let input = json!({
        "InstanceArn": INSTANCE,
        "AccountAssignmentDeletionRequestId": status["RequestId"],
    });
    let answer = sandbox
        .call("sso-admin:DescribeAccountAssignmentDeletionStatus", input)
        .await;
    answer.ok()["AccountAssignmentDeletionStatus"].clone()
}

async fn create(sandbox: &Sandbox, ask: &Value) -> Value {
    sandbox.call(CREATE, ask.clone()).await.ok()["AccountAssignmentCreationStatus"].clone()
}

async fn delete(sandbox: &Sandbox, ask: &Value) -> Value {
    sandbox.call(DELETE, ask.clone()).await.ok()["AccountAssignmentDeletionStatus"].clone()
}

async fn succeeded(sandbox: &Sandbox, status: &Value) {
    until("the creation succeeds", || async {
        creation(sandbox, status).await["Status"] == "SUCCEEDED"
    })
    .await;
}

#[tokio::test]
async fn a_creation_is_in_progress_before_it_has_succeeded_and_only_then_is_there() {
    let sandbox = Sandbox::quick(&["--operation-ms=1500"]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let person = ask["PrincipalId"].as_str().unwrap().to_owned();
    let began = Instant::now();
    let status = create(&sandbox, &ask).await;
    assert_eq!(status["Status"], "IN_PROGRESS");
    assert!(!sandbox.holders(&ask).await.contains(&person));
    succeeded(&sandbox, &status).await;
    assert!(began.elapsed() >= Duration::from_millis(1500));
    assert!(sandbox.holders(&ask).await.contains(&person));

    let list = json!({"InstanceArn": INSTANCE, "Filter": {"Status": "SUCCEEDED"}});
    let rows = sandbox
        .all(
            "sso-admin:ListAccountAssignmentCreationStatus",
            &list,
            "AccountAssignmentsCreationStatus",
        )
        .await;
    let ids: Vec<&Value> = rows.iter().map(|row| &row["RequestId"]).collect();
    assert_eq!(ids, [&status["RequestId"]]);

    let status = delete(&sandbox, &ask).await;
    assert_eq!(status["Status"], "IN_PROGRESS");
    assert!(sandbox.holders(&ask).await.contains(&person));
    until("the deletion succeeds", || async {
        deletion(&sandbox, &status).await["Status"] == "SUCCEEDED"
    })
    .await;
    assert!(!sandbox.holders(&ask).await.contains(&person));
}

#[tokio::test]
async fn reads_lag_writes_and_then_agree() {
    let sandbox = Sandbox::quick(&["--lag-ms-max=2500", "--seed=7"]);
    let people = [
        "carla.rossi",
        "dmitri.volkov",
        "ines.costa",
        "grace.chen",
        "liam.murphy",
    ];
    let mut late = 0;
    for person in people {
        let ask = sandbox.ask_for(person).await;
        let id = ask["PrincipalId"].as_str().unwrap().to_owned();
        let status = create(&sandbox, &ask).await;
        succeeded(&sandbox, &status).await;
        late += usize::from(!sandbox.holders(&ask).await.contains(&id));
        until("a read shows it", || async {
            sandbox.holders(&ask).await.contains(&id)
        })
        .await;
    }
    assert!(late > 0, "no read was ever late");

    sandbox.switch(json!({"lag_ms_max": 0})).await;
    let ask = sandbox.ask_for("keiko.tanaka").await;
    let status = create(&sandbox, &ask).await;
    succeeded(&sandbox, &status).await;
    let id = ask["PrincipalId"].as_str().unwrap();
    assert!(sandbox.holders(&ask).await.iter().any(|it| it == id));
}

#[tokio::test]
async fn memberships_lag_too_and_a_second_one_conflicts() {
    let sandbox = Sandbox::quick(&["--lag-ms-max=3000", "--seed=3"]);
    let group = sandbox.group("Oncall").await;
    let person = sandbox.person("liam.murphy").await;
    let place = json!({"IdentityStoreId": STORE, "GroupId": group, "MemberId": {"UserId": person}});
    let made = sandbox
        .call("identitystore:CreateGroupMembership", place.clone())
        .await
        .ok();
    let again = sandbox
        .call("identitystore:CreateGroupMembership", place.clone())
        .await;
    assert_eq!(again.code(), "ConflictException");
    until("the membership can be read", || async {
        sandbox
            .call("identitystore:GetGroupMembershipId", place.clone())
            .await
            .body["MembershipId"]
            == made["MembershipId"]
    })
    .await;
    let gone = json!({"IdentityStoreId": STORE, "MembershipId": made["MembershipId"]});
    sandbox
        .call("identitystore:DeleteGroupMembership", gone.clone())
        .await
        .ok();
    until("the membership is gone", || async {
        sandbox
            .call("identitystore:GetGroupMembershipId", place.clone())
            .await
            .code()
            == "ResourceNotFoundException"
    })
    .await;
    let twice = sandbox
        .call("identitystore:DeleteGroupMembership", gone)
        .await;
    assert_eq!(twice.code(), "ResourceNotFoundException");
}

#[tokio::test]
async fn the_same_assignment_twice_at_once_conflicts() {
    let sandbox = Sandbox::quick(&["--operation-ms=60000"]);
    let ask = sandbox.ask_for("carla.rossi").await;
    create(&sandbox, &ask).await;
    for operation in [CREATE, DELETE] {
        let second = sandbox.call(operation, ask.clone()).await;
        assert_eq!(second.code(), "ConflictException", "{operation}");
    }
}

#[tokio::test]
async fn one_role_in_one_account_changes_for_one_person_at_a_time() {
    let sandbox = Sandbox::quick(&["--operation-ms=3000"]);
    let first = create(&sandbox, &sandbox.ask_for("carla.rossi").await).await;
    let second = create(&sandbox, &sandbox.ask_for("dmitri.volkov").await).await;
    succeeded(&sandbox, &first).await;
    assert_eq!(creation(&sandbox, &second).await["Status"], "IN_PROGRESS");
    succeeded(&sandbox, &second).await;

    sandbox
        .switch(json!({"same_role": "conflict", "operation_ms": 60000}))
        .await;
    create(&sandbox, &sandbox.ask_for("ines.costa").await).await;
    let refused = sandbox
        .call(CREATE, sandbox.ask_for("grace.chen").await)
        .await;
    assert_eq!(refused.code(), "ConflictException");
}

/// Fills all 15 slots and gives an ask that is one too many.
async fn filled(sandbox: &Sandbox) -> Value {
    let state = sandbox.state().await;
    let mut ask = sandbox.ask_for("carla.rossi").await;
    let set = |row: &Value| row["arn"].clone();
    let sets: Vec<Value> = state["permission_sets"]
        .as_array()
        .unwrap()
        .iter()
        .map(set)
        .collect();
    let accounts = ["111122223333", "111122223334", "222233334444"];
    let targets = accounts
        .iter()
        .flat_map(|account| sets.iter().map(move |set| (account, set)));
    for (n, (account, set)) in targets.enumerate() {
        ask["TargetId"] = json!(account);
        ask["PermissionSetArn"] = set.clone();
        if n == 15 {
            return ask;
        }
        create(sandbox, &ask).await;
    }
    panic!("there are fewer than 16 targets");
}

#[tokio::test]
async fn a_sixteenth_outstanding_operation_is_refused_as_the_switch_says() {
    let sandbox = Sandbox::quick(&["--operation-ms=60000"]);
    let ask = filled(&sandbox).await;
    for (switch, error) in [
        ("conflict", "ConflictException"),
        ("quota", "ServiceQuotaExceededException"),
        ("throttling", "ThrottlingException"),
    ] {
        sandbox.switch(json!({"outstanding_error": switch})).await;
        assert_eq!(sandbox.call(CREATE, ask.clone()).await.code(), error);
        assert_eq!(sandbox.call(DELETE, ask.clone()).await.code(), error);
    }
}

#[tokio::test]
async fn creating_what_exists_and_deleting_what_does_not_do_as_the_switches_say() {
    let sandbox = Sandbox::quick(&[]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let missing = delete(&sandbox, &ask).await;
    until("the deletion fails", || async {
        let status = deletion(&sandbox, &missing).await;
        status["Status"] == "FAILED" && status["FailureReason"].is_string()
    })
    .await;
    for _ in 0..2 {
        let status = create(&sandbox, &ask).await;
        succeeded(&sandbox, &status).await;
    }
    assert_eq!(
        sandbox
            .holders(&ask)
            .await
            .iter()
            .filter(|id| ask["PrincipalId"] == **id)
            .count(),
        1
    );

    sandbox
        .switch(json!({"create_existing": "conflict", "delete_missing": "not-found"}))
        .await;
    assert_eq!(
        sandbox.call(CREATE, ask.clone()).await.code(),
        "ConflictException"
    );
    let other = sandbox.ask_for("dmitri.volkov").await;
    assert_eq!(
        sandbox.call(DELETE, other).await.code(),
        "ResourceNotFoundException"
    );
}

#[tokio::test]
async fn an_account_or_a_person_that_does_not_exist_fails_later_not_at_once() {
    let sandbox = Sandbox::quick(&[]);
    let mut nowhere = sandbox.ask_for("carla.rossi").await;
    nowhere["TargetId"] = json!("999999999999");
    let mut nobody = sandbox.ask_for("carla.rossi").await;
    nobody["PrincipalId"] = json!("00000000-0000-4000-a000-000000000000");
    for ask in [nowhere, nobody] {
        let status = create(&sandbox, &ask).await;
        assert_eq!(status["Status"], "IN_PROGRESS");
        until("it fails", || async {
            creation(&sandbox, &status).await["Status"] == "FAILED"
        })
        .await;
    }
}

#[tokio::test]
async fn a_delegated_administrator_keeps_out_of_the_management_account() {
    let sandbox = Sandbox::quick(&["--caller=delegated"]);
    let mut there = sandbox.ask_for("carla.rossi").await;
    there["TargetId"] = json!("100000000001");
    assert_eq!(
        sandbox.call(CREATE, there).await.code(),
        "AccessDeniedException"
    );
    // Provisioned there, so of no use anywhere.
    let mut billing = sandbox.ask_for("carla.rossi").await;
    billing["PermissionSetArn"] = json!(sandbox.set("Billing").await);
    assert_eq!(
        sandbox.call(CREATE, billing).await.code(),
        "AccessDeniedException"
    );
    let mine = json!({
        "InstanceArn": INSTANCE,
        "PrincipalType": "USER",
        "PrincipalId": sandbox.person("carla.rossi").await,
    });
    let refused = sandbox
        .call("sso-admin:ListAccountAssignmentsForPrincipal", mine)
        .await;
    assert_eq!(refused.code(), "AccessDeniedException");
    create(&sandbox, &sandbox.ask_for("carla.rossi").await).await;
}

#[tokio::test]
async fn each_service_admits_twenty_requests_a_second() {
    let sandbox = Sandbox::start(&[]);
    let began = Instant::now();
    let instance = json!({"InstanceArn": INSTANCE});
    let calls = (0..60).map(|_| sandbox.call("sso-admin:ListPermissionSets", instance.clone()));
    let answers = join_all(calls).await;
    let passed = began.elapsed().as_secs_f64();
    let admitted = answers
        .iter()
        .filter(|answer| answer.status.is_success())
        .count();
    let throttled = answers
        .iter()
        .filter(|answer| answer.code() == "ThrottlingException")
        .count();
    assert_eq!(admitted + throttled, 60);
    assert!(admitted >= 20, "{admitted}");
    // A second's worth at once, and what came in since.
    let at_most = 20.0 + 20.0 * passed + 1.0;
    let admitted = f64::from(u32::try_from(admitted).unwrap());
    assert!(admitted <= at_most, "{admitted} in {passed} s");

    let other = sandbox
        .call("identitystore:ListUsers", json!({"IdentityStoreId": STORE}))
        .await;
    other.ok();
    tokio::time::sleep(Duration::from_millis(300)).await;
    sandbox
        .call("sso-admin:ListPermissionSets", instance)
        .await
        .ok();
}

#[tokio::test]
async fn a_kill_loses_nothing_and_what_was_in_progress_goes_on() {
    let mut sandbox = Sandbox::quick(&["--operation-ms=4000"]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let place = json!({
        "IdentityStoreId": STORE,
        "GroupId": sandbox.group("Oncall").await,
        "MemberId": {"UserId": ask["PrincipalId"]},
    });
    let made = sandbox
        .call("identitystore:CreateGroupMembership", place.clone())
        .await
        .ok();
    let status = create(&sandbox, &ask).await;
    sandbox.kill_and_start_again();
    assert_eq!(creation(&sandbox, &status).await["Status"], "IN_PROGRESS");
    let found = sandbox
        .call("identitystore:GetGroupMembershipId", place)
        .await
        .ok();
    assert_eq!(found["MembershipId"], made["MembershipId"]);
    succeeded(&sandbox, &status).await;
    let before = sandbox.state().await;
    sandbox.kill_and_start_again();
    let after = sandbox.state().await;
    for kind in ["assignments", "memberships", "operations"] {
        assert_eq!(before[kind], after[kind], "{kind}");
    }
    // Drawn from the same seed, and yet not drawn again.
    let next = create(&sandbox, &sandbox.ask_for("dmitri.volkov").await).await;
    assert_ne!(next["RequestId"], status["RequestId"]);
}
