//! What a verdict tells whom, and what is kept of it.

use std::collections::BTreeSet;

use domain::directory::Status;
use domain::policy::{Code, Outcome, Verdict};

use crate::organisation::{Organisation, rule};

#[test]
fn someone_without_a_route_gets_one_answer_whatever_the_target() {
    let mut organisation = Organisation::new();
    organisation.account("Log Archive").active = false;
    let setting = domain::policy::Setting {
        protected: BTreeSet::from(["100000000001".parse().unwrap()]),
        earlier: None,
    };
    let rules = rule("secret-project", &[("accounts", "[\"ou:Infrastructure\"]")]);
    let policy = organisation.resolved(&rules, &setting).policy;
    let answers: Vec<(Code, Verdict)> = ["Network", "Web Production", "Management", "Log Archive"]
        .into_iter()
        .map(|account| {
            let verdict = organisation.ask(&policy, "liam.murphy", account, "Billing", "999h");
            (verdict.code, verdict.for_requester())
        })
        .collect();
    let codes: Vec<Code> = answers.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        [
            Code::RequesterNotAllowed,
            Code::NoRule,
            Code::Protected,
            Code::UnknownTarget
        ],
        "auditors and admins see which"
    );
    for (_, answer) in &answers {
        assert_eq!(*answer, answers[0].1);
        assert_eq!(answer.code, Code::NotAvailable);
        assert!(
            !serde_json::to_string(answer)
                .unwrap()
                .contains("secret-project")
        );
    }
}

#[test]
fn a_requester_with_a_route_does_not_read_of_the_rules_of_others() {
    let organisation = Organisation::new();
    let policy = organisation.policy(
        &[
            rule("mine", &[]),
            rule("secret-project", &[("requesters", "[\"group:Data\"]")]),
        ]
        .concat(),
    );
    let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "99h");
    let whole = serde_json::to_string(&verdict).unwrap();
    let shown = serde_json::to_string(&verdict.for_requester()).unwrap();
    assert!(
        whole.contains("secret-project") && !shown.contains("secret-project"),
        "{shown}"
    );
    assert!(shown.contains("longer-than-rule"), "{shown}");
}

#[test]
fn a_verdict_survives_being_stored_and_a_record_of_it_is_bounded() {
    let mut organisation = Organisation::new();
    for n in 0..2_000 {
        organisation.add_person(&format!("person-{n:04}"), &[], &["Security"]);
    }
    let rules: Vec<String> = (0..40).map(|n| rule(&format!("r{n:02}"), &[])).collect();
    let policy = organisation.policy(&rules.concat());
    let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "1h");
    assert_eq!(verdict.outcome, Outcome::Pending);
    assert_eq!(verdict.approvers().len(), 2_003);
    let stored = serde_json::to_string(&verdict.clone().for_record()).unwrap();
    assert!(stored.len() < 60_000, "{} bytes", stored.len());
    let read: Verdict = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, verdict.for_record());
}

#[test]
fn every_reason_makes_a_sentence() {
    let organisation = Organisation::new();
    let policy = organisation.policy(
        &[
            rule(
                "at-once",
                &[
                    ("approval", "\"none\""),
                    ("approvers", ""),
                    ("max_duration", "\"1h\""),
                ],
            ),
            rule(
                "by-two",
                &[
                    ("approvals", "2"),
                    ("self_approval", "\"allow\""),
                    ("max_duration", "\"2h\""),
                ],
            ),
            rule("by-five", &[("approvals", "5"), ("max_duration", "\"4h\"")]),
            rule("of-others", &[("requesters", "[\"group:Data\"]")]),
        ]
        .concat(),
    );
    let verdict = organisation.ask(&policy, "mia.novak", "Network", "Billing", "3h");
    let text: Vec<String> = verdict.reasons.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(format!("{}\n{}", verdict.sentence(), text.join("\n")), @r"
    Too few people could approve this. 2h would be allowed.
    rule `of-others` covers the target, but not this requester
    rule `at-once` needs no approval
    rule `at-once` allows at most 1h, not 3h
    rule `by-five` needs 5 besides the requester to agree, and 2 could
    rule `by-two` needs 2 approvals from 2 people who could give it
    the requester is an approver of rule `by-two`, which counts that
    rule `by-two` allows at most 2h, not 3h
    ");
}

#[test]
fn admins_and_auditors_are_active_members_and_no_approvers_by_that() {
    let mut organisation = Organisation::new();
    let rules = format!(
        "admins = [\"group:Platform\", \"user:noah.berg\"]\nauditors = [\"group:Audit\"]\n{}",
        rule("r", &[])
    );
    let policy = organisation.policy(&rules);
    let seen = |organisation: &Organisation, name: &str| {
        let (user, facts) = (organisation.user(name), organisation.facts());
        (
            policy.is_admin(&user, &facts),
            policy.is_auditor(&user, &facts),
        )
    };
    assert_eq!(seen(&organisation, "grace.chen"), (true, false));
    assert_eq!(seen(&organisation, "hugo.martin"), (false, true));
    assert_eq!(seen(&organisation, "carla.rossi"), (false, false));
    assert_eq!(seen(&organisation, "noah.berg"), (false, false), "disabled");
    let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "1h");
    assert!(
        !verdict
            .approvers()
            .contains(&organisation.user("grace.chen"))
    );
    organisation.person("grace.chen").status = Status::Disabled;
    assert_eq!(
        seen(&organisation, "grace.chen"),
        (false, false),
        "since disabled"
    );
}
