//! What is not valid is refused with the service's own error.

use serde_json::{Value, json};

use crate::running::{INSTANCE, STORE, Sandbox};

#[tokio::test]
async fn invalid_input_is_refused_in_each_services_words() {
    let sandbox = Sandbox::quick(&[]);
    let set = sandbox.set("ReadOnlyAccess").await;
    let carla = sandbox.person("carla.rossi").await;
    let ask = sandbox.ask_for("carla.rossi").await;
    let but = |member: &str, value: Value| {
        let mut ask = ask.clone();
        ask[member] = value;
        ask
    };
    let nobody = "00000000-0000-4000-a000-000000000000";
    let find =
        |identifier: Value| json!({"IdentityStoreId": STORE, "AlternateIdentifier": identifier});
    let cases: Vec<(&str, Value, u16, &str)> = vec![
        (
            "sso-admin:ListPermissionSets",
            json!({}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:ListPermissionSets",
            json!({"InstanceArn": "arn"}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:ListPermissionSets",
            json!({"InstanceArn": "arn:aws:sso:::instance/ssoins-0000000000000000"}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "sso-admin:ListPermissionSets",
            json!({"InstanceArn": INSTANCE, "MaxResults": 101}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:ListPermissionSets",
            json!({"InstanceArn": INSTANCE, "MaxResults": 0}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:ListPermissionSets",
            json!({"InstanceArn": 7}),
            400,
            "SerializationException",
        ),
        (
            "sso-admin:DescribePermissionSet",
            json!({"InstanceArn": INSTANCE, "PermissionSetArn": set.replace("ps-", "ps-x")}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:ListAccountAssignments",
            json!({"InstanceArn": INSTANCE, "PermissionSetArn": set, "AccountId": "12"}),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:CreateAccountAssignment",
            but("TargetType", json!("OU")),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:CreateAccountAssignment",
            but("PrincipalType", json!("ROLE")),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:CreateAccountAssignment",
            but("PrincipalId", json!("carla.rossi")),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:DeleteAccountAssignment",
            but("PermissionSetArn", Value::Null),
            400,
            "ValidationException",
        ),
        (
            "sso-admin:DescribeAccountAssignmentCreationStatus",
            json!({"InstanceArn": INSTANCE, "AccountAssignmentCreationRequestId": nobody}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "sso-admin:CreatePermissionSet",
            json!({}),
            400,
            "UnknownOperationException",
        ),
        (
            "identitystore:ListUsers",
            json!({"IdentityStoreId": "d-0000000000"}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "identitystore:DescribeUser",
            json!({"IdentityStoreId": STORE, "UserId": nobody}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "identitystore:GetUserId",
            find(json!({})),
            400,
            "ValidationException",
        ),
        (
            "identitystore:GetUserId",
            find(
                json!({"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "nobody"}}),
            ),
            400,
            "ResourceNotFoundException",
        ),
        (
            "identitystore:GetUserId",
            find(json!({"UniqueAttribute": {"AttributePath": "title", "AttributeValue": "x"}})),
            400,
            "ValidationException",
        ),
        (
            "identitystore:IsMemberInGroups",
            json!({"IdentityStoreId": STORE, "MemberId": {"UserId": carla}, "GroupIds": []}),
            400,
            "ValidationException",
        ),
        (
            "identitystore:ListGroupMemberships",
            json!({"IdentityStoreId": STORE, "GroupId": nobody}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "organizations:ListAccounts",
            json!({"MaxResults": 21}),
            400,
            "InvalidInputException",
        ),
        (
            "organizations:DescribeAccount",
            json!({"AccountId": "999999999999"}),
            400,
            "AccountNotFoundException",
        ),
        (
            "organizations:ListAccountsForParent",
            json!({"ParentId": "ou-b3la-00000000"}),
            400,
            "ParentNotFoundException",
        ),
        (
            "organizations:ListParents",
            json!({"ChildId": "999999999999"}),
            400,
            "ChildNotFoundException",
        ),
        (
            "organizations:ListTagsForResource",
            json!({"ResourceId": "999999999999"}),
            400,
            "TargetNotFoundException",
        ),
        (
            "dynamodb:GetItem",
            json!({"TableName": "nope", "Key": {"pk": {"S": "a"}}}),
            400,
            "ResourceNotFoundException",
        ),
        (
            "dynamodb:ExecuteStatement",
            json!({"Statement": "SELECT * FROM belay"}),
            400,
            "UnknownOperationException",
        ),
    ];
    for (operation, input, status, code) in cases {
        let answer = sandbox.call(operation, input.clone()).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (status, code),
            "{operation} {input}: {}",
            answer.body
        );
    }
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
        let input =
            json!({"IdentityStoreId": STORE, "AlternateIdentifier": {"UniqueAttribute": unique}});
        assert_eq!(
            sandbox.call("identitystore:GetUserId", input).await.ok()["UserId"],
            *carla
        );
    }
    let noah = json!({"IdentityStoreId": STORE, "UserId": sandbox.person("noah.berg").await});
    assert_eq!(
        sandbox.call("identitystore:DescribeUser", noah).await.ok()["UserStatus"],
        "DISABLED"
    );
}
