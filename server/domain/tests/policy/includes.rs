//! A team's own file: part of the policy, within its bounds.

use std::collections::BTreeMap;

use domain::policy::{
    Code, Format, Included, ProblemCode, check_with, included_files, parse_with, report_text,
};

use crate::organisation::{Organisation, guardrail, included, rule};

const WITHIN: &str = "[[include]]\nfile = \"team.toml\"\nwithin = { accounts = [\"ou:Production\"], permission_sets = [\"*Access\"] }\n";

fn team(text: &str) -> String {
    format!("version = 1\n{text}")
}

#[test]
fn nothing_in_an_included_file_reaches_beyond_its_bounds() {
    let organisation = Organisation::new();
    let own = rule("own", &[("approvers", "[\"group:Data\"]")]);
    let free = [("approval", "\"none\""), ("approvers", "")];
    let required = [("approval", "\"required\"")];
    let deny = guardrail("deny", &[("deny", "true")]);
    for (theirs, inside, outside) in [
        (rule("theirs", &free), Code::Automatic, Code::NeedsApproval),
        (deny, Code::Denied, Code::NeedsApproval),
        // Named, and still not reached.
        (
            rule(
                "theirs",
                &[
                    &free[..],
                    &[
                        ("accounts", "[\"555566667777\", \"ou:Production\"]"),
                        ("permission_sets", "[\"Billing\", \"ReadOnlyAccess\"]"),
                    ],
                ]
                .concat(),
            ),
            Code::Automatic,
            Code::NeedsApproval,
        ),
    ] {
        let policy = organisation
            .policy_including(&format!("{own}{WITHIN}"), &[("team.toml", &team(&theirs))]);
        let code = |account, set| {
            organisation
                .ask(&policy, "carla.rossi", account, set, "1h")
                .code
        };
        assert_eq!(code("Web Production", "ReadOnlyAccess"), inside, "{theirs}");
        assert_eq!(code("Network", "ReadOnlyAccess"), outside, "{theirs}");
        assert_eq!(code("Web Production", "Billing"), outside, "{theirs}");
        assert_eq!(code("Network", "Billing"), outside, "{theirs}");
    }
    // A prohibition of theirs does not cancel what the policy gives elsewhere.
    let own = rule("own", &free);
    let theirs = team(&rule("theirs", &required));
    let policy =
        organisation.policy_including(&format!("{own}{WITHIN}"), &[("team.toml", &theirs)]);
    let code = |account, set| {
        organisation
            .ask(&policy, "carla.rossi", account, set, "1h")
            .code
    };
    assert_eq!(
        code("Web Production", "ReadOnlyAccess"),
        Code::NeedsApproval
    );
    assert_eq!(code("Network", "Billing"), Code::Automatic);
}

#[test]
fn bounds_that_mean_nothing_reach_nothing() {
    let organisation = Organisation::new();
    for within in [
        "{ accounts = [\"ou:Nowhere\"], permission_sets = [\"*\"] }",
        "{ accounts = [\"*\"], permission_sets = [\"Nothing\"] }",
    ] {
        let include = format!("[[include]]\nfile = \"team.toml\"\nwithin = {within}\n");
        let theirs = team(&rule(
            "theirs",
            &[("approval", "\"none\""), ("approvers", "")],
        ));
        let policy = organisation.policy_including(&include, &[("team.toml", &theirs)]);
        let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "1h");
        assert_eq!(verdict.code, Code::NoRule, "{within}");
    }
}

#[test]
fn bounds_by_a_name_that_others_can_change_are_reported() {
    let organisation = Organisation::new();
    let include = "version = 1\n[[include]]\nfile = \"team.toml\"\nwithin = { accounts = [\"tag:env=dev\", \"ou:Staging\"], permission_sets = [\"*\"] }\n";
    let files = included(&[("team.toml", &team(&rule("theirs", &[])))]);
    let found = check_with(
        include,
        Format::Toml,
        "p.toml",
        &files,
        Some(&organisation.directory),
    );
    let changeable: Vec<String> = found
        .iter()
        .filter(|problem| problem.code == ProblemCode::ChangeableName)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        changeable,
        [
            "p.toml:4:24: changeable-name: an included file reaches by `tag:env=dev`, which others can change; use account ids or an OU"
        ]
    );
}

#[test]
fn the_defaults_of_the_policy_hold_in_what_it_includes() {
    let organisation = Organisation::new();
    let main = format!("[defaults]\nmax_duration = \"2h\"\n{WITHIN}");
    let policy =
        organisation.policy_including(&main, &[("team.toml", &team(&rule("theirs", &[])))]);
    let verdict = organisation.ask(
        &policy,
        "carla.rossi",
        "Web Production",
        "ReadOnlyAccess",
        "3h",
    );
    assert_eq!(
        organisation.line(&verdict),
        "refused too-long (2h would be allowed.)"
    );
}

#[test]
fn an_included_file_may_be_json() {
    let organisation = Organisation::new();
    let json = r#"{"version": 1, "rule": [{"name": "theirs", "accounts": ["*"], "permission_sets": ["*"],
        "requesters": ["group:Payments"], "approval": "none"}]}"#;
    let main = WITHIN.replace("team.toml", "teams/payments.JSON");
    let policy = organisation.policy_including(&main, &[("teams/payments.JSON", json)]);
    let code = |account| {
        organisation
            .ask(&policy, "carla.rossi", account, "ReadOnlyAccess", "1h")
            .code
    };
    assert_eq!(code("Web Production"), Code::Automatic);
    assert_eq!(code("Network"), Code::NoRule);
}

#[test]
fn what_an_included_file_may_not_say_is_reported_in_that_file() {
    let main = format!(
        "version = 1\n{}{}{WITHIN}{}",
        rule("own", &[]),
        guardrail("careful", &[("max_duration", "\"1h\"")]),
        "[[include]]\nfile = \"other.json\"\nwithin = { accounts = [\"*\"], permission_sets = [\"*\"], groups = [\"group:Oncall\"] }\n\
         [[include]]\nfile = \"missing.toml\"\nwithin = { accounts = [\"*\"], permission_sets = [\"*\"] }\n\
         [[include]]\nfile = \"gone.toml\"\nwithin = { accounts = [\"*\"], permission_sets = [\"*\"] }\n\
         [[include]]\nfile = \"team.toml\"\nwithin = { accounts = [\"*\"], permission_sets = [\"*\"] }\n",
    );
    let theirs = team(&format!(
        "admins = [\"user:me\"]\nauditors = []\nversions = 2\n[defaults]\nmin_duration = \"1s\"\n{}{}{}{}{}",
        rule("own", &[]),
        rule("careful", &[]),
        rule(
            "joins",
            &[
                ("accounts", ""),
                ("permission_sets", ""),
                ("groups", "[\"group:Oncall\"]")
            ]
        ),
        guardrail(
            "theirs",
            &[("groups", "[\"group:Oncall\"]"), ("deny", "true")]
        ),
        "[[include]]\nfile = \"more.toml\"\n",
    ));
    let mut files = included(&[("team.toml", &theirs), ("other.json", "{\"version\": 2")]);
    files.insert("gone.toml".to_owned(), Err("no such file".to_owned()));
    let found = check_with(&main, Format::Toml, "policy.toml", &files, None);
    insta::assert_snapshot!(report_text("policy.toml", &found), @r"
    policy.toml:9:8: duplicate-name: another rule or guardrail is named `careful`, in line 14 of team.toml; give each rule and guardrail a name of its own: verdicts and the audit log use it
    policy.toml:17:55: unknown-key: `within` has no key `groups`; known here: accounts, permission_sets
    policy.toml:19:8: include: `missing.toml` is not at hand; give the policy as a file, with what it includes beside it
    policy.toml:22:8: include: `gone.toml` could not be read: no such file; it stands beside the policy, or below it
    policy.toml:25:8: include: `team.toml` is included twice; include it once, with all that it may reach in `within`
    other.json:1:13: syntax: it ends within an object; the rest of the file is checked once it reads as JSON
    team.toml:2:1: include: an included file cannot say `admins`; write it in the policy that includes this file
    team.toml:3:1: include: an included file cannot say `auditors`; write it in the policy that includes this file
    team.toml:4:1: unknown-key: the included file has no key `versions`; did you mean `version`?
    team.toml:5:2: include: an included file cannot say `defaults`; write it in the policy that includes this file
    team.toml:8:8: duplicate-name: another rule or guardrail is named `own`, in line 3 of policy.toml; give each rule and guardrail a name of its own: verdicts and the audit log use it
    team.toml:22:1: include: rule `joins`: an included file cannot give groups; what a group holds may reach beyond `within`; write the rule in the policy itself
    team.toml:26:1: include: guardrail `theirs`: an included file cannot speak of groups; what a group holds may reach beyond `within`; write it in the policy itself
    team.toml:28:3: include: an included file cannot say `include`; write it in the policy that includes this file
    policy.toml: 14 errors; the policy is refused
    ");
}

#[test]
fn a_file_is_included_only_from_beside_the_policy_or_below_it() {
    let name_of = |name: &str| {
        let main = format!(
            "version = 1\n{}{}",
            rule("own", &[]),
            WITHIN.replace("team.toml", name)
        );
        let files: Included = BTreeMap::from([(name.to_owned(), Ok(team(&rule("theirs", &[]))))]);
        let codes: Vec<ProblemCode> = check_with(&main, Format::Toml, "policy.toml", &files, None)
            .iter()
            .map(|problem| problem.code)
            .collect();
        (included_files(&main, Format::Toml), codes)
    };
    for good in [
        "team.toml",
        "teams/payments.toml",
        "a/b/c-d_e.toml",
        "policy",
    ] {
        assert_eq!(name_of(good), (vec![good.to_owned()], vec![]), "{good}");
    }
    let long = "x".repeat(201);
    for bad in [
        "../x.toml",
        "a/../x.toml",
        "/etc/passwd",
        "a//b.toml",
        "a/",
        "./a.toml",
        ".hidden",
        "a/.git/config",
        "s3://bucket/a.toml",
        "https://example.com/a.toml",
        "~/a.toml",
        "a b.toml",
        "C:\\\\a.toml",
        "a\\\\b.toml",
        "a%2f..%2fb.toml",
        "ü.toml",
        "",
        "a\\u0000.toml",
        &long,
    ] {
        assert_eq!(
            name_of(bad),
            (vec![], vec![ProblemCode::InvalidValue]),
            "{bad}"
        );
    }
}

#[test]
fn a_policy_may_consist_of_what_it_includes_and_of_no_more_than_a_policy_may_hold() {
    let main = format!("version = 1\n{WITHIN}");
    let rules: Vec<String> = (0..2_501).map(|n| rule(&format!("r{n}"), &[])).collect();
    let both = format!("{main}{}", WITHIN.replace("team.toml", "second.toml"));
    let second = team(&rules.concat().replace("name = \"r", "name = \"s"));
    let files = included(&[
        ("team.toml", &team(&rules.concat())),
        ("second.toml", &second),
    ]);
    assert!(parse_with(&main, Format::Toml, "p.toml", &files).is_ok());
    let found = parse_with(&both, Format::Toml, "p.toml", &files).unwrap_err();
    let codes: Vec<ProblemCode> = found.iter().map(|problem| problem.code).collect();
    assert_eq!(codes, [ProblemCode::TooLarge]);
}

#[test]
fn the_files_to_read_are_named_each_once_whatever_else_is_wrong() {
    let main = format!("{WITHIN}{WITHIN}[[include]]\nfile = 7\n[[rule]]\nnonsense = 1\n");
    assert_eq!(included_files(&main, Format::Toml), ["team.toml"]);
    assert_eq!(included_files("not toml", Format::Toml), [""; 0]);
    let json = r#"{"include": [{"file": "a.json"}, {"file": "../b.json"}]}"#;
    assert_eq!(included_files(json, Format::Json), ["a.json"]);
}
