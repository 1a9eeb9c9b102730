//! Policy tests, as people keep them beside their policy.

use domain::policy::{CaseReport, Format, cases_text, parse, run_cases};

fn run(cases: &str) -> Vec<CaseReport> {
    run_cases(cases, "cases.json", None).unwrap_or_else(|problems| panic!("{problems:#?}"))
}

const CASES: &str = r#"[
  {
    "name": "needs one of two",
    "policy": {"rule": [{"name": "prod", "accounts": ["ou:Production"], "permission_sets": ["Admin"],
      "requesters": ["group:SRE"], "approvers": ["user:Boss@example.com", "user:ana"]}]},
    "people": [
      {"id": "ana", "email": "ana@example.com", "groups": ["SRE"]},
      {"id": "boss", "email": "boss@example.com"}
    ],
    "accounts": [{"id": "111122223333", "name": "Payments", "ou": ["Root", "Production", "Payments"]}],
    "ask": {"by": "ANA@example.com", "account": "Payments", "permission_set": "Admin", "duration": "1h"},
    "review": {"by": "boss"},
    "expect": {"outcome": "pending", "reason": "needs-approval", "approvers": ["BOSS@example.com"],
      "rules": ["prod"], "review": "accepted"}
  },
  {
    "name": "everything is made up from what is named",
    "policy": {"version": 1, "rule": [{"name": "r", "accounts": ["111122223333"],
      "permission_sets": ["Read*"], "requesters": ["*"], "approval": "none"}]},
    "ask": {"by": "someone@example.com", "account": "111122223333", "permission_set": "ReadOnly"},
    "expect": {"outcome": "granted", "reason": "automatic", "approvers": [], "rules": ["r"]}
  },
  {
    "name": "nobody reviews for themselves",
    "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["*"],
      "approvers": ["user:a@example.com", "user:b@example.com"]}]},
    "ask": {"by": "A@example.com", "account": "111122223333", "permission_set": "X"},
    "review": {"by": "a@example.com"},
    "expect": {"reason": "needs-approval", "approvers": ["b@example.com"], "review": "refused"}
  },
  {
    "name": "a ticket and a time of day",
    "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["*"],
      "approval": "none"}], "guardrail": [{"name": "careful", "accounts": ["*"],
      "ticket": {"pattern": "[A-Z]+-[0-9]+"},
      "hours": {"zone": "UTC", "days": ["mon-fri"], "from": "08:00", "to": "18:00"}}]},
    "ask": {"by": "a", "account": "111122223333", "permission_set": "X", "ticket": "PAY-1",
      "now": "2026-11-21T10:00:00Z", "duration": 600},
    "expect": {"outcome": "denied", "reason": "outside-hours", "approvers": [], "rules": []}
  },
  {
    "name": "a group as target",
    "policy": {"rule": [{"name": "r", "groups": ["group:Oncall"], "requesters": ["group:SRE"],
      "approvers": ["user:b@example.com"]}]},
    "people": [{"email": "a@example.com", "groups": ["SRE"]}, {"email": "b@example.com"}],
    "ask": {"by": "a@example.com", "group": "Oncall"},
    "expect": {"outcome": "pending", "approvers": ["b@example.com"]}
  },
  {
    "name": "signed afterwards",
    "policy": {"rule": [{"name": "glass", "accounts": ["*"], "permission_sets": ["*"],
      "requesters": ["user:a@example.com"], "approvers": ["user:b@example.com", "user:a@example.com"],
      "approval": "after"}]},
    "ask": {"by": "a@example.com", "account": "111122223333", "permission_set": "X", "break_glass": true},
    "review": {"by": "b@example.com"},
    "expect": {"outcome": "granted", "reason": "break-glass", "rules": ["glass"], "review": "accepted"}
  },
  {
    "name": "imported",
    "sso_elevator": {"config": [
      {"ResourceType": "Account", "Resource": ["111122223333"], "PermissionSet": ["Admin"],
       "Approvers": ["boss@example.com"], "AllowSelfApproval": true}], "group_config": []},
    "ask": {"by": "boss@example.com", "account": "111122223333", "permission_set": "Admin"},
    "expect": {"outcome": "granted", "reason": "self-approved", "rules": ["statement-1"]}
  },
  {
    "name": "imported, and approved by nobody",
    "sso_elevator": {"config": [{"ResourceType": "Account", "Resource": "*", "PermissionSet": "*"}]},
    "ask": {"by": "a@example.com", "account": "111122223333", "permission_set": "Admin"},
    "expect": {"outcome": "denied", "reason": "no-approvers"}
  }
]"#;

#[test]
fn cases_speak_of_what_they_are_about() {
    let reports = run(CASES);
    let text = cases_text(&reports);
    assert!(text.ends_with("\n8 passed, 0 failed\n"), "{text}");
}

#[test]
fn cases_tell_who_is_disabled_what_is_protected_and_which_rules_are_the_requesters() {
    let reports = run(r#"[
      {
        "name": "who is disabled asks for nothing",
        "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"],
          "requesters": ["*"], "approval": "none"}]},
        "people": [{"email": "a@example.com", "disabled": true}],
        "ask": {"by": "a@example.com", "account": "111122223333", "permission_set": "X"},
        "expect": {"outcome": "denied", "reason": "requester-inactive"}
      },
      {
        "name": "what is protected is given to nobody",
        "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"],
          "requesters": ["*"], "approval": "none"}]},
        "protected": ["111122223333"],
        "ask": {"by": "a@example.com", "account": "111122223333", "permission_set": "X"},
        "expect": {"outcome": "denied", "reason": "protected", "rules": []}
      },
      {
        "name": "the shorter rule is one of those that it rests on",
        "policy": {"rule": [
          {"name": "short", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["*"],
            "approvers": ["user:b@example.com"], "max_duration": "1h"},
          {"name": "long", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["*"],
            "approvers": ["user:c@example.com"]},
          {"name": "others", "accounts": ["*"], "permission_sets": ["*"], "requesters": ["group:O"],
            "approvers": ["user:d@example.com"]}]},
        "ask": {"by": "a@example.com", "account": "111122223333", "permission_set": "X", "duration": "2h"},
        "expect": {"outcome": "pending", "rules": ["long", "short"], "approvers": ["c@example.com"]}
      }
    ]"#);
    let text = cases_text(&reports);
    assert!(text.ends_with("\n3 passed, 0 failed\n"), "{text}");
}

#[test]
fn a_review_that_is_expected_and_not_there_is_a_difference() {
    let reports = run(r#"[{
        "name": "unreviewed",
        "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"],
          "requesters": ["*"], "approvers": ["user:b@example.com"]}]},
        "ask": {"by": "a", "account": "111122223333", "permission_set": "X"},
        "expect": {"review": "accepted"}
      }]"#);
    let text = cases_text(&reports);
    assert!(text.contains("review     accepted  none\n"), "{text}");
}

#[test]
fn what_differs_is_shown_side_by_side() {
    let cases = r#"[{
        "name": "wrong in every way",
        "policy": {"rule": [{"name": "r", "accounts": ["*"], "permission_sets": ["*"],
          "requesters": ["*"], "approvers": ["user:b@example.com"]}]},
        "ask": {"by": "a", "account": "111122223333", "permission_set": "X"},
        "review": {"by": "a"},
        "expect": {"outcome": "granted", "reason": "automatic", "approvers": [], "rules": ["x", "r"],
          "review": "accepted"}
    }]"#;
    insta::assert_snapshot!(cases_text(&run(cases)));
}

#[test]
fn a_case_that_cannot_be_run_fails_and_says_why() {
    let cases = r#"[
      {"name": "no policy", "ask": {"by": "a", "account": "111122223333", "permission_set": "X"}},
      {"name": "a policy with errors", "policy": {"rule": [{"nme": "r"}]},
        "ask": {"by": "a", "account": "111122223333", "permission_set": "X"}},
      {"name": "no target", "policy": {"rule": [{"name": "r", "accounts": ["*"],
        "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}]},
        "ask": {"by": "a", "permission_set": "X"}},
      {"name": "no account", "policy": {"rule": [{"name": "r", "accounts": ["*"],
        "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}]},
        "ask": {"by": "a", "account": "12345678901", "permission_set": "X"}},
      {"name": "no duration", "policy": {"rule": [{"name": "r", "accounts": ["*"],
        "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}]},
        "ask": {"by": "a", "account": "111122223333", "permission_set": "X", "duration": "soon"}},
      {"name": "two targets", "policy": {"rule": [{"name": "r", "accounts": ["*"],
        "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}]},
        "ask": {"by": "a", "account": "111122223333", "permission_set": "X", "group": "G"}}
    ]"#;
    insta::assert_snapshot!(cases_text(&run(cases)));
}

#[test]
fn what_is_no_file_of_cases_is_refused_in_its_place() {
    for (cases, place) in [
        (
            "{}",
            "cases.json:1:1: syntax: invalid type: map, expected a sequence; ",
        ),
        (
            "",
            "cases.json:1:1: syntax: it ends where a value should be; ",
        ),
        ("[\n {\"name\": \"x\"},\n]", "cases.json:3:1"),
    ] {
        let problems = run_cases(cases, "cases.json", None).unwrap_err();
        let problem = problems[0].to_string();
        assert!(problem.starts_with(place), "{problem}");
    }
}

#[test]
fn one_case_that_is_not_right_leaves_the_others_alone() {
    let right = r#"{"name": "right", "policy": {"rule": [{"name": "r", "accounts": ["*"],
      "permission_sets": ["*"], "requesters": ["*"], "approval": "none"}]},
      "ask": {"by": "a", "account": "111122223333", "permission_set": "X"},
      "expect": {"outcome": "granted"}}"#;
    let wrong = [
        (
            r#"{"name": "no ask"}"#,
            "FAIL  no ask",
            "missing field `ask`",
        ),
        (
            r#"{"name": "misspelt", "aks": {}}"#,
            "FAIL  misspelt",
            "unknown field `aks`",
        ),
        (r#"{"ask": {}}"#, "FAIL  case 2", "missing field"),
        ("17", "FAIL  case 2", "expected a case, in braces;"),
        (
            r#"{"name": "a name", "ask": "ana"}"#,
            "FAIL  a name",
            "expected what somebody asks for, in braces;",
        ),
        (
            r#"{"name": "a half", "ask": {"by": "a", "duration": 0.5}}"#,
            "FAIL  a half",
            "a duration is a text such as \"1h30m\", or a whole number of seconds;",
        ),
    ];
    for (wrong, name, why) in wrong {
        let text = cases_text(&run(&format!("[\n{right},\n  {wrong},\n{right}\n]")));
        assert!(text.ends_with("2 passed, 1 failed\n"), "{text}");
        assert!(text.contains(name) && text.contains(why), "{text}");
        assert!(text.contains("cases.json:6:"), "with its line: {text}");
    }
}

/// Problems of a policy in a case are where they are in the file.
#[test]
fn problems_within_a_case_are_in_their_place() {
    let ask = r#""ask": {"by": "a", "account": "111122223333", "permission_set": "X"}"#;
    for (policy, wrong) in [
        (r#""policy": {"rule": [{"nme": "r"}]}"#, "\"nme\""),
        (
            r#""policy": {"version": 1, "rule": [{"nme": "r"}]}"#,
            "\"nme\"",
        ),
        (r#""é": 1, "policy": {}"#, "\"é\": 1"),
        (r#""policy": {"é": 1, "rules": []}"#, "\"rules\""),
        ("\"policy\": {\n \"rule\": [{\"nme\": \"r\"}]}", "\"nme\""),
        ("\"policy\":\n  {\"rles\": []}", "\"rles\""),
        (
            r#""sso_elevator": {"config": [{"Rsource": "*"}]}"#,
            "\"Rsource\"",
        ),
        // No policy at all: the case's own place.
        (r#""expect": {}"#, "{\"name\""),
    ] {
        let cases = format!("[\n {{\"name\": \"n\", {policy}, {ask}}}]");
        let before = &cases[..cases.find(wrong).unwrap()];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
        let text = cases_text(&run(&cases));
        let place = format!("cases.json:{line}:");
        assert!(text.contains(&place), "{policy}: {line}: {text}");
        // What serde finds is where it stopped: somewhere in that line.
        if !policy.starts_with("\"é\"") {
            let place = format!("{place}{column}: ");
            assert!(text.contains(&place), "{policy}: {place} {text}");
        }
    }
}

/// That tool starts without a statement, and so does a test of what it decides.
#[test]
fn a_configuration_that_says_nothing_lets_nobody_in() {
    for config in [
        r"{}",
        r#"{"config": [], "group_config": []}"#,
        r#"{"config": [{"Resource": [], "PermissionSet": "*", "ApprovalIsNotRequired": true}]}"#,
    ] {
        let cases = format!(
            r#"[{{"name": "n", "sso_elevator": {config},
              "ask": {{"by": "a@example.com", "account": "111122223333", "permission_set": "X"}},
              "expect": {{"outcome": "denied", "reason": "no-rule", "approvers": [], "rules": []}}}}]"#
        );
        let text = cases_text(&run(&cases));
        assert_eq!(text, "ok    n\n1 passed, 0 failed\n", "{config}");
    }
    let problems = domain::policy::import("{}", "sso.json").unwrap_err();
    assert_eq!(problems.len(), 1, "as a policy of a server it is a mistake");
}

#[test]
fn cases_share_a_policy() {
    let shared = "version = 1\n[[rule]]\nname = \"r\"\naccounts = [\"*\"]\npermission_sets = [\"*\"]\n\
                  requesters = [\"*\"]\napproval = \"none\"\n";
    let shared = parse(shared, Format::Toml, "policy.toml").unwrap();
    let cases = r#"[{"name": "n", "ask": {"by": "a", "account": "111122223333", "permission_set": "X"},
        "expect": {"outcome": "granted"}}]"#;
    let reports = run_cases(cases, "cases.json", Some(&shared)).unwrap();
    assert_eq!(cases_text(&reports), "ok    n\n1 passed, 0 failed\n");
}
