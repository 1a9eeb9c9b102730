//! Names: what they come to mean, and what happens when they mean nobody, or two.

use domain::policy::{Code, ProblemCode, Setting, Severity};

use crate::organisation::{Organisation, rule};

fn warnings(organisation: &Organisation, rules: &str) -> Vec<(ProblemCode, String)> {
    let resolved = organisation.resolved(rules, &Setting::default());
    assert!(
        resolved
            .problems
            .iter()
            .all(|problem| problem.severity == Severity::Warning)
    );
    resolved
        .problems
        .into_iter()
        .map(|problem| (problem.code, problem.message))
        .collect()
}

#[test]
fn an_email_of_two_people_matches_neither() {
    let mut organisation = Organisation::new();
    organisation
        .person("carla.rossi")
        .emails
        .push("Payments-Lead@example.com".to_owned());
    organisation
        .person("dmitri.volkov")
        .emails
        .push("payments-lead@EXAMPLE.com".to_owned());
    let rules = rule(
        "r",
        &[("requesters", "[\"user:payments-lead@example.com\"]")],
    );
    let found = warnings(&organisation, &rules);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].0, ProblemCode::AmbiguousName);
    let policy = organisation.policy(&rules);
    for name in ["carla.rossi", "dmitri.volkov"] {
        let verdict = organisation.ask(&policy, name, "Network", "Billing", "1h");
        assert_eq!(verdict.code, Code::RequesterNotAllowed, "{name}");
    }
}

#[test]
fn a_user_name_that_is_the_email_of_another_matches_neither() {
    let mut organisation = Organisation::new();
    organisation.person("liam.murphy").emails = vec!["carla.rossi".to_owned()];
    let rules = rule("r", &[("requesters", "[\"user:carla.rossi\"]")]);
    assert_eq!(
        warnings(&organisation, &rules)[0].0,
        ProblemCode::AmbiguousName
    );
}

#[test]
fn two_groups_of_one_name_match_nobody_and_their_ids_still_do() {
    let mut organisation = Organisation::new();
    let twin = organisation.group_or_new("Payments twin");
    organisation.directory.groups.get_mut(&twin).unwrap().name = "Payments".to_owned();
    let by_name = rule("r", &[]);
    assert_eq!(
        warnings(&organisation, &by_name)[0].0,
        ProblemCode::AmbiguousName
    );
    let code = |rules: &str| {
        let policy = organisation.policy(rules);
        organisation
            .ask(&policy, "carla.rossi", "Network", "Billing", "1h")
            .code
    };
    assert_eq!(code(&by_name), Code::RequesterNotAllowed);
    let first = Organisation::new().group("Payments");
    let by_id = rule("r", &[("requesters", &format!("[\"group:{first}\"]"))]);
    assert_eq!(code(&by_id), Code::NeedsApproval);
}

#[test]
fn names_that_mean_nothing_are_named_with_what_was_probably_meant() {
    let organisation = Organisation::new();
    let rules = rule(
        "r",
        &[
            ("accounts", "[\"ou:Produktion\", \"999999999999\", \"*\"]"),
            (
                "permission_sets",
                "[\"ReadOnlyAcess\", \"Bill*\", \"Foo*\"]",
            ),
            (
                "requesters",
                "[\"user:carla.rosi@example.com\", \"group:SRE\"]",
            ),
            (
                "approvers",
                "[\"group:security\", \"user:20000000-0000-4000-8000-000000000000\"]",
            ),
        ],
    );
    let problems = organisation.resolved(&rules, &Setting::default()).problems;
    insta::assert_snapshot!(domain::policy::report_text("policy.toml", &problems), @r"
    policy.toml:3:8: nobody-can-approve: rule `r` needs 1 approval and has 0 active approvers; name more approvers, or ask for fewer approvals
    policy.toml:4:13: matches-nothing: no account matches `ou:Produktion`; it gives nothing until one does; check the spelling
    policy.toml:4:30: matches-nothing: no account matches `999999999999`; it gives nothing until one does; check the spelling
    policy.toml:5:14: unknown-name: there is no group `group:security`; it matches nobody; did you mean `group:Security`?
    policy.toml:5:32: unknown-name: there is no person `user:20000000-0000-4000-8000-000000000000`; it matches nobody; check the spelling, or remove it
    policy.toml:6:20: unknown-name: no permission set matches `ReadOnlyAcess`; did you mean `ReadOnlyAccess`?
    policy.toml:6:46: unknown-name: no permission set matches `Foo*`; it gives nothing until one does; check the spelling
    policy.toml:7:15: unknown-name: there is no person `user:carla.rosi@example.com`; it matches nobody; did you mean `user:carla.rossi@example.com`?
    policy.toml: 8 warnings; the policy can be used
    ");
}

#[test]
fn an_ou_name_that_stands_for_two_covers_both_and_is_reported() {
    let mut organisation = Organisation::new();
    let account = organisation.account("Payments Staging");
    account.ou_path.push("Payments".to_owned());
    account.ou_ids.push("ou-ab12-99999999".to_owned());
    let rules = rule("r", &[("accounts", "[\"ou:Payments\"]")]);
    let found = warnings(&organisation, &rules);
    assert_eq!(
        found,
        [(
            ProblemCode::AmbiguousName,
            "`ou:Payments` is 2 OUs: `Root/Production/Payments`, `Root/Staging/Payments`"
                .to_owned()
        )]
    );
}

#[test]
fn granting_without_approval_by_a_name_that_others_can_change_is_reported() {
    let organisation = Organisation::new();
    let free = [
        ("approval", "\"none\""),
        ("accounts", "[\"tag:env=dev\", \"ou:Development\"]"),
    ];
    let found = warnings(&organisation, &rule("r", &free));
    let codes: Vec<ProblemCode> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [ProblemCode::ChangeableName]);
}

#[test]
fn a_name_keeps_its_id_until_another_version_is_loaded() {
    let mut organisation = Organisation::new();
    let rules = rule("r", &[]);
    let first = organisation.resolved(&rules, &Setting::default()).policy;

    // The group is deleted, and somebody makes another of that name.
    let old = organisation.group("Payments");
    organisation.directory.groups.remove(&old);
    organisation
        .directory
        .members
        .insert(old, std::collections::BTreeSet::new());
    let liam = organisation.user("liam.murphy");
    let new = organisation.group_or_new("Payments (new)");
    organisation.directory.groups.get_mut(&new).unwrap().name = "Payments".to_owned();
    organisation.change_members(&new, |members| {
        members.insert(liam.clone());
    });

    let again = |earlier| {
        organisation
            .resolved(
                &rules,
                &Setting {
                    earlier,
                    ..Setting::default()
                },
            )
            .policy
    };
    let code = |policy| {
        organisation
            .ask(policy, "liam.murphy", "Network", "Billing", "1h")
            .code
    };
    let same = again(Some(first.bindings().clone()));
    assert_eq!(same.version(), first.version());
    assert_eq!(code(&same), Code::RequesterNotAllowed);

    let afresh = again(None);
    assert_ne!(afresh.version(), first.version());
    assert_eq!(code(&afresh), Code::NeedsApproval);

    // What the names of another policy meant does not matter.
    let edited = rules.replace("[[rule]]", "[defaults]\nmax_duration = \"1h\"\n[[rule]]");
    let setting = Setting {
        earlier: Some(first.bindings().clone()),
        ..Setting::default()
    };
    let edited = organisation.resolved(&edited, &setting).policy;
    assert_eq!(code(&edited), Code::NeedsApproval);
}

#[test]
fn a_name_that_could_not_be_found_lifts_no_prohibition() {
    let organisation = Organisation::new();
    let free = rule("free", &[("approval", "\"none\""), ("approvers", "")]);
    let careful = |requesters: &str| {
        rule(
            "careful",
            &[("approval", "\"required\""), ("requesters", requesters)],
        )
    };
    let code = |rules: &[&str]| {
        let policy = organisation.policy(&rules.concat());
        organisation
            .ask(&policy, "carla.rossi", "Network", "Billing", "1h")
            .code
    };
    assert_eq!(
        code(&[&free, &careful("[\"group:Data\"]")]),
        Code::Automatic
    );
    // "Payment" may have been meant to be Payments: approval stays required, and the rule that
    // could not be read is no way in either.
    assert_eq!(
        code(&[&free, &careful("[\"group:Payment\"]")]),
        Code::NoApprovers
    );

    let allow = rule("allow", &[("self_approval", "\"allow\"")]);
    let deny = |approvers: &str| {
        rule(
            "deny",
            &[("self_approval", "\"deny\""), ("approvers", approvers)],
        )
    };
    let outcome = |rules: &[&str]| {
        let policy = organisation.policy(&rules.concat());
        organisation
            .ask(&policy, "mia.novak", "Network", "Billing", "1h")
            .code
    };
    assert_eq!(
        outcome(&[&allow, &deny("[\"group:Platform\"]")]),
        Code::SelfApproved
    );
    assert_eq!(
        outcome(&[&allow, &deny("[\"group:Sekurity\"]")]),
        Code::NeedsApproval
    );
}
