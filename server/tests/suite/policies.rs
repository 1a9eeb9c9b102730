//! Policies as their authors meet them: judged from the command line, changed while Belay runs.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::harness::{Belay, Sandbox, Setup, eventually};

const POLICY: &str = include_str!("../../sandbox/policy.toml");

/// Everyone in Data may read payments too, and nobody needs to say more than one character.
fn changed() -> String {
    POLICY.replacen(
        "requesters = [\"group:Payments\", \"group:SRE\"]",
        "requesters = [\"group:Payments\", \"group:SRE\", \"group:Data\"]",
        1,
    )
}

fn stdout(output: &std::process::Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn a_change_of_policy_is_an_event_that_says_who_gained() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, POLICY).unwrap();
    let setup = Setup::of(&sandbox).with("BELAY_POLICY", file.to_str().unwrap());
    let _belay = Belay::launch(&setup).ready().await;
    // As an editor does it: the new file takes the old one's place at once.
    let next = folder.path().join("next.toml");
    std::fs::write(&next, changed()).unwrap();
    std::fs::rename(&next, &file).unwrap();

    let table = sandbox.dynamodb();
    let gained = eventually("the change is on record", || async {
        let answer = table
            .query()
            .table_name("belay")
            .key_condition_expression("pk = :stream AND begins_with(sk, :event)")
            .expression_attribute_values(":stream", AttributeValue::S("stream#policy".to_owned()))
            .expression_attribute_values(":event", AttributeValue::S("event#".to_owned()))
            .consistent_read(true)
            .send()
            .await
            .unwrap();
        let last = answer.items().last()?;
        let bytes = last.values().find_map(|value| {
            let text = value.as_s().ok()?;
            text.starts_with('{').then(|| text.clone())
        })?;
        let event: Value = serde_json::from_str(&bytes).unwrap();
        event.get("gained").cloned()
    })
    .await;
    assert_eq!(
        gained,
        json!([
            "ines.costa and jonas.weber can now have ReadOnlyAccess in Payments Production with 1 \
             approval, up to 1h."
        ])
    );
}

#[tokio::test]
async fn a_policy_is_explained_and_compared_from_aws_or_from_a_file() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("old.toml"), POLICY).unwrap();
    std::fs::write(path("new.toml"), changed()).unwrap();
    let setup = Setup::of(&sandbox);
    let run = |arguments: &[&str]| setup.run(arguments);

    let written = run(&["policy", "directory"]);
    assert_eq!(written.status.code(), Some(0), "{written:?}");
    std::fs::write(path("directory.json"), &written.stdout).unwrap();

    let ask = [
        "--as",
        "Ines.Costa@example.com",
        "--account",
        "Payments Production",
        "--permission-set",
        "ReadOnlyAccess",
        "--duration",
        "1h",
    ];
    let explain = |policy: &str, from: &[&str]| {
        let policy = path(policy);
        let arguments: Vec<&str> = ["policy", "explain", &policy]
            .into_iter()
            .chain(ask)
            .chain(from.iter().copied())
            .collect();
        setup.run(&arguments)
    };
    let refused = explain("old.toml", &[]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert!(
        stdout(&refused).starts_with("refused (requester-not-allowed)\n"),
        "{refused:?}"
    );
    let directory = path("directory.json");
    let pending = explain("new.toml", &["--directory", &directory, "--json"]);
    assert_eq!(pending.status.code(), Some(0), "{pending:?}");
    let verdict: Value = serde_json::from_slice(&pending.stdout).unwrap();
    assert_eq!(verdict["code"], "needs-approval");
    assert_eq!(verdict["routes"][0]["rule"], "payments-production-read");

    let (old, new) = (path("old.toml"), path("new.toml"));
    let same = run(&["policy", "diff", &old, &old, "--directory", &directory]);
    assert_eq!(same.status.code(), Some(0), "{same:?}");
    assert_eq!(stdout(&same), "nobody gains or loses anything\n");
    let differs = run(&["policy", "diff", &old, &new, "--directory", &directory]);
    assert_eq!(differs.status.code(), Some(1), "{differs:?}");
    assert_eq!(
        stdout(&differs),
        "+ ines.costa and jonas.weber can now have ReadOnlyAccess in Payments Production with 1 \
         approval, up to 1h.\n"
    );
    let checked = run(&["policy", "check", &old, "--directory", &directory]);
    assert!(matches!(checked.status.code(), Some(0 | 1)), "{checked:?}");
    let misspelt = changed().replacen("group:Data", "group:Dta", 1);
    std::fs::write(path("misspelt.toml"), misspelt).unwrap();
    let checked = run(&["policy", "check", &path("misspelt.toml"), "--live"]);
    assert_eq!(checked.status.code(), Some(1), "{checked:?}");
    assert!(
        stdout(&checked).contains("there is no group `group:Dta`"),
        "{checked:?}"
    );
}

#[tokio::test]
async fn what_is_asked_wrongly_is_answered_with_what_was_meant() {
    let sandbox = Sandbox::start();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let setup = Setup::of(&sandbox);
    let (policy, directory) = (path("policy.toml"), path("directory.json"));
    std::fs::write(&policy, POLICY).unwrap();
    let written = setup.run(&["policy", "directory"]);
    std::fs::write(&directory, &written.stdout).unwrap();
    let explain = |policy: &str, directory: &str, arguments: &[&str]| {
        let before = ["policy", "explain", policy, "--directory", directory];
        let output = setup.run(&[&before[..], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code().unwrap(), stdout(&output), said)
    };
    let ask = |who, account, set| ["--as", who, "--account", account, "--permission-set", set];
    let (ana, payments, read) = ("ana.silva", "Payments Production", "ReadOnlyAccess");
    for (arguments, expected) in [
        (
            &ask("ana.slva", payments, read)[..],
            "--as ana.slva: there is no such person; did you mean `ana.silva`?\n",
        ),
        (
            &ask("zzz", payments, read),
            "--as zzz: there is no such person; give an e-mail, a user name or an id\n",
        ),
        (
            &ask(ana, "Payment Production", read),
            "--account Payment Production: there is no such account; did you mean `Payments \
             Production`?\n",
        ),
        (
            &ask(ana, "11111222233", read),
            "--account 11111222233 has 11 digits; an AWS account id has 12\n",
        ),
        (
            &ask(ana, payments, "ReadOnlyAcces"),
            "--permission-set ReadOnlyAcces: there is no such permission set; did you mean \
             `ReadOnlyAccess`?\n",
        ),
        (
            &["--as", ana, "--group", "Oncal"],
            "--group Oncal: there is no such group; did you mean `Oncall`?\n",
        ),
    ] {
        let (code, answer, said) = explain(&policy, &directory, arguments);
        assert_eq!((code, answer.as_str(), said.as_str()), (2, "", expected));
    }

    let (code, answer, _) = explain(&policy, &directory, &["--as", ana, "--group", "Oncall"]);
    assert_eq!(code, 1);
    assert!(
        answer.starts_with("refused (no-rule)\nNo rule covers this.\n"),
        "{answer}"
    );
    let glass = ask(ana, payments, "AdministratorAccess");
    let (code, answer, _) = explain(
        &policy,
        &directory,
        &[&glass[..], &["--break-glass"]].concat(),
    );
    assert_eq!(code, 0);
    for line in [
        "granted (break-glass)\n",
        "by rule `production-break-glass`, up to 1h, signed afterwards by 1 of\n  emma.lindqvist, \
         farid.haddad, mia.novak\n",
        "Whoever goes in first has to have signed in just before.\n",
    ] {
        assert!(answer.contains(line), "{answer}");
    }

    // What is wrong with a file is no refusal.
    let asked = ask(ana, payments, read);
    for (name, text, at) in [
        ("empty.json", "", ":1:1: syntax: it ends where a value"),
        ("other.json", "{}", ":1:2: syntax: missing field `accounts`"),
    ] {
        std::fs::write(path(name), text).unwrap();
        let (code, answer, said) = explain(&policy, &path(name), &asked);
        assert_eq!((code, answer.as_str()), (3, ""), "{said}");
        assert!(said.starts_with(&format!("{}{at}", path(name))), "{said}");
        assert!(
            said.ends_with("; write it with `belay policy directory`\n"),
            "{said}"
        );
    }
    std::fs::write(path("wrong.toml"), "version = 1\n").unwrap();
    let (code, answer, said) = explain(&path("wrong.toml"), &directory, &asked);
    assert_eq!((code, answer.as_str()), (3, ""), "{said}");
    assert!(said.contains("wrong.toml:1:1: missing-key: "), "{said}");

    let refused = ("sso-admin:DescribeInstance", "AccessDeniedException");
    sandbox.refuse(refused.0, refused.1).await;
    let live = setup.run(&["policy", "check", &policy, "--live"]);
    assert_eq!(live.status.code(), Some(3), "{live:?}");
    let said = String::from_utf8_lossy(&live.stderr).into_owned();
    assert!(
        said.contains(
            "the organisation could not be read: DescribeInstance failed (AccessDeniedException)\n"
        ) && said.ends_with("  check region, credentials and network\n"),
        "{said}"
    );
}

#[test]
fn policy_tests_run_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let cases = folder.path().join("cases.json");
    let case = |outcome: &str| {
        json!([{
            "name": "Ana reads staging",
            "people": [{"email": "ana@example.com", "groups": ["SRE"]}, {"email": "ben@example.com", "groups": ["SRE"]}],
            "accounts": [{"id": "222233334445", "ou": ["Root", "Staging"]}],
            "ask": {"by": "ana@example.com", "account": "222233334445", "permission_set": "ReadOnlyAccess"},
            "review": {"by": "ben@example.com"},
            "expect": {"outcome": outcome, "approvers": ["ben@example.com"], "review": "accepted"},
        }])
        .to_string()
    };
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/sandbox/policy.toml");
    let run = |outcome: &str, more: &[&str]| {
        std::fs::write(&cases, case(outcome)).unwrap();
        let arguments: Vec<&str> = [
            "policy",
            "test",
            cases.to_str().unwrap(),
            "--policy",
            policy,
        ]
        .into_iter()
        .chain(more.iter().copied())
        .collect();
        std::process::Command::new(crate::harness::belay_binary())
            .env_clear()
            .args(arguments)
            .output()
            .unwrap()
    };
    let passed = run("pending", &[]);
    assert_eq!(passed.status.code(), Some(0), "{passed:?}");
    assert_eq!(
        stdout(&passed),
        "ok    Ana reads staging\n1 passed, 0 failed\n"
    );
    let failed = run("granted", &[]);
    assert_eq!(failed.status.code(), Some(1), "{failed:?}");
    assert!(
        stdout(&failed).ends_with("0 passed, 1 failed\n"),
        "{failed:?}"
    );
    let json = run("granted", &["--json"]);
    assert_eq!(
        stdout(&json),
        "{\"name\":\"Ana reads staging\",\"outcome\":\"pending\",\"reason\":\"needs-approval\",\
         \"approvers\":[\"ben@example.com\"],\"rules\":[\"staging-power\"],\"review\":\"accepted\"}\n"
    );
}
