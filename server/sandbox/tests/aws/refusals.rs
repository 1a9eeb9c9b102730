//! What is not valid is refused with the service's own error.

use serde_json::{Value, json};

use crate::running::{INSTANCE, STORE, Sandbox};

const NOBODY: &str = "00000000-0000-4000-a000-000000000000";

/// What is called, with what, and the error that it gets.
type Case = (&'static str, Value, &'static str);

async fn refused(sandbox: &Sandbox, cases: impl IntoIterator<Item = Case>) {
    for (operation, input, code) in cases {
        let answer = sandbox.call(operation, input.clone()).await;
        let found = (answer.status.as_u16(), answer.code());
        assert_eq!(found, (400, code), "{operation} {input}: {}", answer.body);
    }
}

#[tokio::test]
async fn identity_center_refuses_invalid_reads() {
    let sandbox = Sandbox::quick(&[]);
    let set = sandbox.set("ReadOnlyAccess").await;
    let with = |member: &str, value: Value| {
        let mut input = json!({"InstanceArn": INSTANCE});
        input[member] = value;
        input
    };
    let other = "arn:aws:sso:::instance/ssoins-0000000000000000";
    let list = "sso-admin:ListPermissionSets";
    let status = "sso-admin:DescribeAccountAssignmentCreationStatus";
    let mut pair = with("PermissionSetArn", json!(set));
    pair["AccountId"] = json!("12");
    let cases = [
        (list, json!({}), "ValidationException"),
        (
            list,
            with("InstanceArn", json!("arn")),
            "ValidationException",
        ),
        (
            list,
            with("InstanceArn", json!(other)),
            "ResourceNotFoundException",
        ),
        (
            list,
            with("InstanceArn", json!(7)),
            "SerializationException",
        ),
        (list, with("MaxResults", json!(101)), "ValidationException"),
        (list, with("MaxResults", json!(0)), "ValidationException"),
        (
            "sso-admin:DescribePermissionSet",
            with("PermissionSetArn", json!(set.replace("ps-", "ps-x"))),
            "ValidationException",
        ),
        (
            "sso-admin:ListAccountAssignments",
            pair,
            "ValidationException",
        ),
        (
            status,
            with("AccountAssignmentCreationRequestId", json!(NOBODY)),
            "ResourceNotFoundException",
        ),
        (
            "sso-admin:CreatePermissionSet",
            json!({}),
            "UnknownOperationException",
        ),
    ];
    refused(&sandbox, cases).await;
}

#[tokio::test]
async fn identity_center_refuses_invalid_writes() {
    let sandbox = Sandbox::quick(&[]);
    let ask = sandbox.ask_for("carla.rossi").await;
    let but = |member: &str, value: Value| {
        let mut ask = ask.clone();
        ask[member] = value;
        ask
    };
    let create = "sso-admin:CreateAccountAssignment";
    let cases = [
        (
            create,
            but("TargetType", json!("OU")),
            "ValidationException",
        ),
        (
            create,
            but("PrincipalType", json!("ROLE")),
            "ValidationException",
        ),
        (
            create,
            but("PrincipalId", json!("carla.rossi")),
            "ValidationException",
        ),
        (
            "sso-admin:DeleteAccountAssignment",
            but("PermissionSetArn", Value::Null),
            "ValidationException",
        ),
    ];
    refused(&sandbox, cases).await;
    assert_eq!(sandbox.state().await["operations"], json!([]));
}

#[tokio::test]
async fn the_identity_store_refuses_what_is_not_valid_and_what_is_not_there() {
    let sandbox = Sandbox::quick(&[]);
    let carla = sandbox.person("carla.rossi").await;
    let find =
        |identifier: Value| json!({"IdentityStoreId": STORE, "AlternateIdentifier": identifier});
    let by = |path: &str| {
        find(json!({"UniqueAttribute": {"AttributePath": path, "AttributeValue": "x"}}))
    };
    let nobody = json!({"IdentityStoreId": STORE, "UserId": NOBODY});
    let no_group = json!({"IdentityStoreId": STORE, "GroupId": NOBODY});
    let no_groups =
        json!({"IdentityStoreId": STORE, "MemberId": {"UserId": carla}, "GroupIds": []});
    let elsewhere = json!({"IdentityStoreId": "d-0000000000"});
    let get_user = "identitystore:GetUserId";
    let cases = [
        (
            "identitystore:ListUsers",
            elsewhere,
            "ResourceNotFoundException",
        ),
        (
            "identitystore:DescribeUser",
            nobody,
            "ResourceNotFoundException",
        ),
        (get_user, find(json!({})), "ValidationException"),
        (get_user, by("userName"), "ResourceNotFoundException"),
        (get_user, by("title"), "ValidationException"),
        (
            "identitystore:IsMemberInGroups",
            no_groups,
            "ValidationException",
        ),
        (
            "identitystore:ListGroupMemberships",
            no_group,
            "ResourceNotFoundException",
        ),
    ];
    refused(&sandbox, cases).await;
}

#[tokio::test]
async fn organizations_and_dynamodb_refuse_in_their_own_words() {
    let sandbox = Sandbox::quick(&[]);
    let nowhere = "999999999999";
    let get = json!({"TableName": "nope", "Key": {"pk": {"S": "a"}}});
    let statement = json!({"Statement": "SELECT * FROM belay"});
    let cases = [
        (
            "organizations:ListAccounts",
            json!({"MaxResults": 21}),
            "InvalidInputException",
        ),
        (
            "organizations:DescribeAccount",
            json!({"AccountId": nowhere}),
            "AccountNotFoundException",
        ),
        (
            "organizations:ListAccountsForParent",
            json!({"ParentId": "ou-b3la-00000000"}),
            "ParentNotFoundException",
        ),
        (
            "organizations:ListParents",
            json!({"ChildId": nowhere}),
            "ChildNotFoundException",
        ),
        (
            "organizations:ListTagsForResource",
            json!({"ResourceId": nowhere}),
            "TargetNotFoundException",
        ),
        ("dynamodb:GetItem", get, "ResourceNotFoundException"),
        (
            "dynamodb:ExecuteStatement",
            statement,
            "UnknownOperationException",
        ),
    ];
    refused(&sandbox, cases).await;
}

#[tokio::test]
async fn a_person_is_found_by_user_name_and_by_e_mail_whatever_the_case() {
    let sandbox = Sandbox::quick(&[]);
    let carla = sandbox.person("carla.rossi").await;
    for (path, value) in [
        ("userName", "carla.rossi"),
        ("userName", "Carla.Rossi"),
        ("emails.value", "carla.rossi@example.com"),
    ] {
        let unique = json!({"AttributePath": path, "AttributeValue": value});
        let input = json!({
            "IdentityStoreId": STORE,
            "AlternateIdentifier": {"UniqueAttribute": unique},
        });
        let found = sandbox.call("identitystore:GetUserId", input).await.ok();
        assert_eq!(found["UserId"], *carla);
    }
    let noah = json!({"IdentityStoreId": STORE, "UserId": sandbox.person("noah.berg").await});
    let user = sandbox.call("identitystore:DescribeUser", noah).await.ok();
    assert_eq!(user["UserStatus"], "DISABLED");
}
