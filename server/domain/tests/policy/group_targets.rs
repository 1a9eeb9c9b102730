//! Groups that people may ask to join: judged as the group and all that it holds.

use std::collections::BTreeSet;

use domain::directory::Holdings;
use domain::policy::{Code, Facts, ProblemCode, Proposal, Setting, decide};

use crate::organisation::{Organisation, guardrail, now, rule, seconds};

/// Network / Billing and Web Production / `PowerUserAccess`, whose sessions last four hours.
fn organisation() -> Organisation {
    let mut organisation = Organisation::new();
    organisation.hold(
        "Night shift",
        &[
            ("Network", "Billing"),
            ("Web Production", "PowerUserAccess"),
        ],
    );
    organisation
}

fn joins(keys: &[(&str, &str)]) -> String {
    let all = [
        &[
            ("accounts", ""),
            ("permission_sets", ""),
            ("groups", "[\"group:Night shift\"]"),
        ],
        keys,
    ]
    .concat();
    rule("night", &all)
}

fn line(organisation: &Organisation, rules: &[String]) -> String {
    let policy = organisation.policy(&rules.concat());
    let target = organisation.group_target("Night shift");
    let proposal = Proposal::new(
        organisation.user("carla.rossi"),
        target,
        seconds("1h"),
        40,
        now(),
    );
    organisation.judge(&policy, &proposal)
}

#[test]
fn a_group_is_under_every_guardrail_that_covers_any_of_what_it_holds() {
    let organisation = organisation();
    let pending = "pending needs-approval: night 1 of emma farid mia";
    assert_eq!(line(&organisation, &[joins(&[])]), pending);
    for (keys, expected) in [
        (
            vec![("accounts", "[\"ou:Infrastructure\"]"), ("deny", "true")],
            "refused denied",
        ),
        (
            vec![("accounts", "[\"ou:Production\"]"), ("deny", "true")],
            "refused denied",
        ),
        (
            vec![("groups", "[\"group:Night shift\"]"), ("deny", "true")],
            "refused denied",
        ),
        (
            vec![("accounts", "[\"*\"]"), ("deny", "true")],
            "refused denied",
        ),
        (
            vec![("permission_sets", "[\"Billing\"]"), ("deny", "true")],
            "refused denied",
        ),
        // Covers neither pair: production has no Billing here.
        (
            vec![
                ("accounts", "[\"ou:Production\"]"),
                ("permission_sets", "[\"Billing\"]"),
                ("deny", "true"),
            ],
            pending,
        ),
        (
            vec![("groups", "[\"group:Oncall\"]"), ("deny", "true")],
            pending,
        ),
        (
            vec![
                ("accounts", "[\"ou:Production\"]"),
                ("max_session", "\"2h\""),
            ],
            "refused session-too-long",
        ),
        (
            vec![
                ("accounts", "[\"ou:Production\"]"),
                ("max_duration", "\"30m\""),
            ],
            "refused too-long (30m would be allowed.)",
        ),
        (
            vec![("accounts", "[\"ou:Production\"]"), ("min_approvals", "2")],
            "pending needs-approval: night 2 of emma farid mia",
        ),
    ] {
        let rules = [joins(&[]), guardrail("g", &keys)];
        assert_eq!(line(&organisation, &rules), expected, "{keys:?}");
    }
    // One that covers everything covers a group that holds nothing yet.
    let mut empty = organisation.clone();
    empty.hold("Night shift", &[]);
    let everything = guardrail("g", &[("accounts", "[\"*\"]"), ("deny", "true")]);
    assert_eq!(line(&empty, &[joins(&[]), everything]), "refused denied");
    assert_eq!(line(&empty, &[joins(&[])]), pending);
}

#[test]
fn what_a_group_holds_is_known_completely_or_nothing_is_decided() {
    let mut organisation = organisation();
    let policy = organisation.policy(&joins(&[]));
    let target = organisation.group_target("Night shift");
    let proposal = Proposal::new(
        organisation.user("carla.rossi"),
        target,
        seconds("1h"),
        40,
        now(),
    );
    let unread = Holdings::default();
    let facts = Facts {
        holdings: &unread,
        statuses: None,
        ..organisation.facts()
    };
    assert_eq!(decide(&policy, &proposal, &facts).code, Code::CannotTell);
    // An account that it reaches and nobody has heard of.
    let web = organisation.account("Web Production").id.clone();
    let known = organisation.directory.accounts.remove(&web).unwrap();
    let code = |organisation: &Organisation| decide(&policy, &proposal, &organisation.facts()).code;
    assert_eq!(code(&organisation), Code::CannotTell);
    // One that is closed today may be opened while the membership lasts.
    organisation.directory.accounts.insert(
        web,
        domain::directory::Account {
            active: false,
            ..known
        },
    );
    assert_eq!(code(&organisation), Code::NeedsApproval);
}

#[test]
fn a_group_that_reaches_a_protected_account_is_protected() {
    let organisation = organisation();
    let setting = Setting {
        protected: BTreeSet::from(["999900001111".parse().unwrap()]),
        earlier: None,
    };
    let policy = organisation.resolved(&joins(&[]), &setting).policy;
    let target = organisation.group_target("Night shift");
    let verdict = organisation.decide(&policy, "carla.rossi", &target, "1h");
    assert_eq!(verdict.code, Code::Protected);
}

#[test]
fn a_group_that_decides_is_never_a_target() {
    let mut organisation = organisation();
    organisation.hold("Security", &[]);
    let target = organisation.group_target("Security");
    let rules = rule(
        "night",
        &[
            ("accounts", ""),
            ("permission_sets", ""),
            ("groups", "[\"group:Security\"]"),
            ("approvers", "[\"group:Data\"]"),
        ],
    );
    let night = organisation.policy(&rules);
    let code = |policy: &domain::policy::Policy| {
        organisation
            .decide(policy, "carla.rossi", &target, "1h")
            .code
    };
    assert_eq!(code(&night), Code::NeedsApproval, "it decides nothing here");
    for named in [
        "admins = [\"group:Security\"]\n".to_owned() + &rules,
        "auditors = [\"group:Security\"]\n".to_owned() + &rules,
        rules.clone() + &rule("r", &[]),
        rules.clone() + &rule("r", &[("requesters", "[\"group:Security\"]")]),
    ] {
        let resolved = organisation.resolved(&named, &Setting::default());
        assert_eq!(code(&resolved.policy), Code::PolicyGroup, "{named}");
        let codes: Vec<ProblemCode> = resolved.problems.iter().map(|p| p.code).collect();
        assert_eq!(codes, [ProblemCode::PolicyGroup], "{named}");
    }
}

#[test]
fn someone_without_a_way_is_not_told_what_groups_there_are() {
    let organisation = organisation();
    let policy = organisation.policy(&joins(&[]));
    let nobody = domain::target::Target::Group {
        group: crate::organisation::group_id(999),
    };
    let answers: Vec<_> = [
        organisation.group_target("Night shift"),
        organisation.group_target("Oncall"),
        organisation.group_target("Security"),
        nobody,
    ]
    .iter()
    .map(|target| {
        organisation
            .decide(&policy, "liam.murphy", target, "1h")
            .for_requester()
    })
    .collect();
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
        assert_eq!(answer.code, Code::NotAvailable);
    }
}

#[test]
fn a_rule_for_groups_says_nothing_of_accounts_and_the_other_way_round() {
    let organisation = organisation();
    let everywhere = rule("r", &[("approvers", "[\"group:Data\"]")]);
    // All accounts are no groups.
    assert_eq!(
        line(&organisation, std::slice::from_ref(&everywhere)),
        "refused no-rule"
    );
    let policy = organisation.policy(&joins(&[]));
    let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "1h");
    assert_eq!(verdict.code, Code::NoRule);
}
