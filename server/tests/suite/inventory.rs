//! Who holds what: all of it, from credentials alone, or nothing.

use std::process::Output;

use serde_json::{Value, json};

use crate::harness::{Sandbox, Setup};

/// Credentials and nothing of ours: neither table, nor provider, nor instance.
fn bare(sandbox: &Sandbox) -> Setup {
    [
        "BELAY_PUBLIC_URL",
        "BELAY_LISTEN",
        "BELAY_METRICS_LISTEN",
        "BELAY_POLICY",
        "BELAY_TABLE",
        "BELAY_AUDIT_BUCKET",
        "BELAY_INSTANCE_ARN",
        "BELAY_IDENTITY_STORE_ID",
        "BELAY_ACCESS_PORTAL_URL",
        "BELAY_PROTECTED_ACCOUNTS",
        "BELAY_OIDC_ISSUER",
        "BELAY_OIDC_CLIENT_ID",
        "BELAY_OIDC_CLIENT_SECRET",
    ]
    .into_iter()
    .fold(Setup::of(sandbox), Setup::without)
}

fn said(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// What AWS has, as triples of account, permission set and principal.
fn triples(list: &Value) -> Vec<String> {
    let mut found: Vec<String> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|assignment| {
            let text = |key: &str| assignment[key].as_str().unwrap_or_default().to_lowercase();
            format!(
                "{} {} {} {}",
                text("account_id"),
                text("permission_set_arn"),
                text("principal_type"),
                text("principal_id")
            )
        })
        .collect();
    found.sort();
    found
}

#[tokio::test]
async fn it_lists_everything_that_aws_has_by_person_and_by_group() {
    let sandbox = Sandbox::start();
    let output = bare(&sandbox).run(&["inventory", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let inventory: Value = serde_json::from_slice(&output.stdout).unwrap();
    let state = sandbox.state().await;
    assert_eq!(
        triples(&inventory["assignments"]),
        triples(&state["assignments"]),
        "{}",
        state["assignments"]
    );
    let groups = inventory["groups"].as_object().unwrap();
    assert!(!groups.is_empty(), "{inventory}");
    // Everybody in a group holds what the group holds.
    let expected: usize = inventory["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|assignment| {
            let id = assignment["principal_id"].as_str().unwrap();
            groups
                .get(id)
                .map_or(1, |group| group["members"].as_array().unwrap().len().max(1))
        })
        .sum();
    assert_eq!(
        inventory["holdings"].as_array().unwrap().len(),
        expected,
        "{inventory}"
    );
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("permission sets"), "{stderr}");
}

#[tokio::test]
async fn it_asks_only_for_pairs_that_are_provisioned_and_writes_nothing() {
    let sandbox = Sandbox::start();
    let output = bare(&sandbox).run(&["inventory", "--format", "csv"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let provisioned = sandbox
        .calls("sso-admin:ListAccountsForProvisionedPermissionSet")
        .await;
    let asked = sandbox.calls("sso-admin:ListAccountAssignments").await;
    let state = sandbox.state().await;
    let pairs = state["accounts"].as_array().unwrap().len()
        * state["permission_sets"].as_array().unwrap().len();
    assert!(!provisioned.is_empty() && !asked.is_empty());
    assert!(asked.len() < pairs, "{} of {pairs}", asked.len());
    for write in ["CreateAccountAssignment", "DeleteAccountAssignment"] {
        assert!(
            sandbox
                .calls(&format!("sso-admin:{write}"))
                .await
                .is_empty()
        );
    }
    let csv = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert!(lines[0].starts_with("account_id,account_name,permission_set,user_name,"));
    assert!(lines.len() > 1, "{csv}");
}

#[tokio::test]
async fn a_draft_of_what_stands_passes_the_check() {
    let sandbox = Sandbox::start();
    let setup = bare(&sandbox);
    let output = setup.run(&["inventory", "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let inventory = sandbox.folder().join("inventory.json");
    std::fs::write(&inventory, &output.stdout).unwrap();
    let output = setup.run(&["policy", "suggest", inventory.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let policy = sandbox.folder().join("draft.toml");
    std::fs::write(&policy, &output.stdout).unwrap();
    let output = setup.run(&["policy", "check", policy.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
}

#[tokio::test]
async fn a_list_that_cannot_be_completed_is_no_list() {
    let sandbox = Sandbox::start();
    let fault = sandbox
        .refuse("sso-admin:ListAccountAssignments", "AccessDeniedException")
        .await;
    let output = bare(&sandbox).run(&["inventory"]);
    assert_eq!(output.status.code(), Some(3), "{fault}: {}", said(&output));
    assert!(output.stdout.is_empty(), "{}", said(&output));
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains("ListAccountAssignments failed"), "{stderr}");

    // A passing throttle is waited out.
    sandbox.heal().await;
    sandbox
        .fault(json!({"operation": "sso-admin:ListAccountAssignments", "kind": "throttle", "times": 3}))
        .await;
    let output = bare(&sandbox).run(&["inventory"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));

    let output = bare(&sandbox)
        .with(
            "BELAY_INSTANCE_ARN",
            "arn:aws:sso:::instance/ssoins-0000000000000000",
        )
        .run(&["inventory"]);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let output = bare(&sandbox).run(&["inventory", "--rate", "0"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
}
