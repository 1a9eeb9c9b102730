//! Policies made from other files: what goes to stdout, what to stderr, and how it ends.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// The binary alone: nothing here needs AWS or configuration.
fn run(arguments: &[&str]) -> Output {
    let binary =
        std::env::var_os("TEST_BELAY_BIN").unwrap_or_else(|| env!("CARGO_BIN_EXE_belay").into());
    Command::new(binary)
        .env_clear()
        .args(arguments)
        .output()
        .unwrap()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn another_tools_configuration_becomes_a_policy_that_passes_the_check() {
    let folder = tempfile::tempdir().unwrap();
    let config = json!({"config": [{
        "ResourceType": "Account", "Resource": "111122223333", "PermissionSet": ["ReadOnlyAccess"],
        "Approvers": "emma.lindqvist@example.com", "AllowSelfApproval": false,
    }]});
    let config = written(folder.path(), "elevator.json", &config.to_string());
    let output = run(&["policy", "import", "sso-elevator", &config]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    let policy = String::from_utf8(output.stdout).unwrap();
    assert!(policy.contains("self_approval = \"deny\""), "{policy}");
    let policy = written(folder.path(), "policy.toml", &policy);
    let output = run(&["policy", "check", &policy]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");

    let output = run(&["policy", "import", "sso-elevator", &config, "--json"]);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["problems"], json!([]));
    assert!(answer["policy"].as_str().unwrap().contains("statement-1"));
}

#[test]
fn a_wrong_configuration_leaves_stdout_empty_and_names_each_place() {
    let folder = tempfile::tempdir().unwrap();
    let wrong = written(
        folder.path(),
        "wrong.json",
        "{\"config\": [\n {\"Resource\": \"11112222333\", \"PermissionSet\": \"Read Only\"}]}",
    );
    let output = run(&["policy", "import", "sso-elevator", &wrong]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    for place in [
        "wrong.json:2:15: invalid-value:",
        "wrong.json:2:47: invalid-value:",
    ] {
        assert!(said.contains(place), "{said}");
    }
    let output = run(&["policy", "import", "sso-elevator", &wrong, "--json"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["policy"], Value::Null);
    assert_eq!(answer["problems"][0]["line"], 2);

    let output = run(&["policy", "import", "sso-elevator", "/nowhere/elevator.json"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    let output = run(&["policy", "import", "another-tool", &wrong]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}

#[test]
fn a_file_that_is_no_text_is_said_to_be_with_its_place_and_one_without_an_end_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin.toml");
    std::fs::write(&path, b"version = 1\n# \xe9t\xe9\n").unwrap();
    let latin = path.to_str().unwrap();
    for command in [
        &["policy", "check", latin][..],
        &["policy", "test", latin],
        &["policy", "import", "sso-elevator", latin],
        &["policy", "suggest", latin],
    ] {
        let output = run(command);
        assert_eq!(output.status.code(), Some(3), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        let expected = "line 2, column 3 is not UTF-8; save it as UTF-8\n";
        assert!(said.contains(latin) && said.ends_with(expected), "{said}");
    }
    let output = run(&["policy", "check", "/dev/zero"]);
    assert_eq!(output.status.code(), Some(3), "{output:?}");
    // What Windows puts before a text is none of it.
    let config = "\u{feff}{\"config\": [{\"Resource\": \"*\", \"PermissionSet\": \"*\"}]}";
    let config = written(folder.path(), "elevator.json", config);
    let output = run(&["policy", "import", "sso-elevator", &config]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}
