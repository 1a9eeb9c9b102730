//! Calls that are not signed, or were signed too long ago, are refused by every service.

use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::running::{Sandbox, scope, stamp};

const CALLS: [&str; 4] = [
    "sso-admin:ListInstances",
    "identitystore:ListUsers",
    "organizations:ListAccounts",
    "dynamodb:ListTables",
];

#[tokio::test]
async fn a_stale_or_missing_signature_is_refused() {
    let sandbox = Sandbox::quick(&[]);
    let minutes = Duration::from_mins;
    let now = SystemTime::now();
    for operation in CALLS {
        let code = async |headers: &[(&str, String)]| {
            let answer = sandbox.send(operation, json!({}), headers).await.unwrap();
            assert!(answer.status.is_client_error(), "{}", answer.body);
            answer.code().to_owned()
        };
        let signed_at = |at| {
            [
                ("x-amz-date", stamp(at)),
                ("authorization", scope(operation)),
            ]
        };
        assert_eq!(code(&[]).await, "MissingAuthenticationTokenException");
        assert_eq!(
            code(&signed_at(now - minutes(16))).await,
            "InvalidSignatureException"
        );
        assert_eq!(
            code(&signed_at(now + minutes(16))).await,
            "InvalidSignatureException"
        );
        let undated = [("authorization", scope(operation))];
        assert_eq!(code(&undated).await, "IncompleteSignatureException");
        let elsewhere = [
            ("x-amz-date", stamp(now)),
            ("authorization", scope("s3:PutObject")),
        ];
        assert_eq!(code(&elsewhere).await, "InvalidSignatureException");
        let basic = [
            ("x-amz-date", stamp(now)),
            ("authorization", "Basic c2FuZGJveA==".to_owned()),
        ];
        assert_eq!(code(&basic).await, "IncompleteSignatureException");

        let fresh_enough = signed_at(now - minutes(14));
        let input = json!({"IdentityStoreId": "d-99670a1b2c"});
        let answer = sandbox.send(operation, input, &fresh_enough).await;
        answer.unwrap().ok();
    }
}

#[tokio::test]
async fn a_stale_signature_changes_nothing() {
    let sandbox = Sandbox::quick(&[]);
    let create = "sso-admin:CreateAccountAssignment";
    let ask = sandbox.ask_for("carla.rossi").await;
    let old = SystemTime::now() - Duration::from_mins(16);
    let headers = [("x-amz-date", stamp(old)), ("authorization", scope(create))];
    let refused = sandbox.send(create, ask, &headers).await.unwrap();
    assert_eq!(refused.code(), "InvalidSignatureException");
    assert_eq!(sandbox.state().await["operations"], json!([]));
}
