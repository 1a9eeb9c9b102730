//! What is refused before anything starts, and what is found wrong without starting.

use serde_json::Value;

use crate::harness::{Sandbox, Setup};

#[test]
fn an_unknown_variable_stops_the_start_and_is_named_with_its_nearest() {
    let sandbox = Sandbox::start();
    let output = Setup::of(&sandbox)
        .without("BELAY_TABLE")
        .with("BELAY_TABEL", "belay")
        .with("BELAY_SWEEP", "enforced")
        .run(&["serve"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("did you mean BELAY_TABLE?"), "{said}");
    assert!(
        said.contains("BELAY_SWEEP is `enforced`, which is none of off, warn and enforce"),
        "{said}"
    );
    assert!(said.contains("BELAY_TABLE is not set"), "{said}");
}

#[test]
fn a_public_portal_does_not_start_on_a_sandbox() {
    let sandbox = Sandbox::start();
    let output = Setup::of(&sandbox)
        .with("BELAY_PUBLIC_URL", "https://belay.example.com")
        .run(&["serve"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "BELAY_OIDC_ISSUER"] {
        assert!(said.contains(name), "{name} is not named in {said}");
    }
}

#[test]
fn an_endpoint_that_hides_in_a_profile_is_refused_like_one_in_the_environment() {
    let sandbox = Sandbox::start();
    let profile = sandbox.folder().join("aws.config");
    std::fs::write(
        &profile,
        format!("[default]\nendpoint_url = {}\n", sandbox.aws),
    )
    .unwrap();
    let output = Setup::of(&sandbox)
        .with("BELAY_PUBLIC_URL", "https://belay.example.com")
        .with("BELAY_ALLOW", "oidc-issuer, sandbox-keys")
        .with("AWS_CONFIG_FILE", profile.to_str().unwrap())
        .without("AWS_ENDPOINT_URL")
        .run(&["serve"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("endpoint_url"), "{said}");
}

#[test]
fn a_policy_is_checked_line_by_line() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let good = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/policy.toml");
    let output = setup.run(&["policy", "check", good]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let bad = sandbox.folder().join("bad.toml");
    std::fs::write(
        &bad,
        "version = 1\n[[rule]]\nname = \"x\"\naproval = \"none\"\nrequesters = [\"*\"]\n",
    )
    .unwrap();
    let bad = bad.to_str().unwrap();
    let output = setup.run(&["policy", "check", bad]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("bad.toml:4:1:"), "{said}");
    let output = setup.run(&["policy", "check", bad, "--json"]);
    let problems: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(!problems.as_array().unwrap().is_empty());

    let output = setup.run(&["policy", "check", "/nowhere/policy.toml"]);
    assert_eq!(output.status.code(), Some(3));
    let output = setup.run(&["polizei"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_sandbox() {
    let sandbox = Sandbox::start();
    let output = Setup::of(&sandbox).run(&["doctor"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(said.lines().count(), 6, "{said}");
}

#[test]
fn the_doctor_names_everything_that_is_wrong_and_what_to_do() {
    let sandbox = Sandbox::start();
    let output = Setup::of(&sandbox)
        .with("BELAY_TABLE", "elsewhere")
        .with("BELAY_AUDIT_BUCKET", "no-such-bucket")
        .with("BELAY_IDENTITY_STORE_ID", "d-0000000000")
        .with("BELAY_OIDC_ISSUER", format!("{}/wrong", sandbox.oidc))
        .with("BELAY_POLICY", "/nowhere/policy.toml")
        .run(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{findings:#}");
    for finding in findings.as_array().unwrap() {
        assert_ne!(finding["health"], "ok", "{finding:#}");
        assert_ne!(finding["fix"], "", "{finding:#}");
    }
    let checks: Vec<&str> = findings
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["check"].as_str().unwrap())
        .collect();
    assert_eq!(
        checks,
        [
            "table",
            "audit-bucket",
            "identity-center",
            "identity-store",
            "policy",
            "oidc-issuer"
        ]
    );
}

#[test]
fn an_instance_of_somebody_else_is_named_with_what_to_do() {
    let sandbox = Sandbox::start();
    let arn = "arn:aws:sso:::instance/ssoins-0000000000000000";
    let output = Setup::of(&sandbox)
        .with("BELAY_INSTANCE_ARN", arn)
        .run(&["doctor", "--json"]);
    let findings: Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &findings[2];
    assert_eq!(output.status.code(), Some(1), "{findings:#}");
    assert_eq!(finding["check"], "identity-center", "{findings:#}");
    assert_eq!(finding["health"], "problem", "{findings:#}");
    assert!(
        finding["found"].as_str().unwrap().contains(arn),
        "{finding:#}"
    );
    assert!(
        finding["fix"].as_str().unwrap().contains("AWS_REGION"),
        "{finding:#}"
    );
}

#[test]
fn the_doctor_says_when_it_could_not_find_out() {
    let sandbox = Sandbox::start();
    // Nobody listens there.
    let output = Setup::of(&sandbox)
        .with("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .run(&["doctor"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("unknown  table"), "{said}");
    assert!(said.contains("ok       oidc-issuer"), "{said}");
}
