//! A version of a policy, had again when everything else has changed.

use std::collections::BTreeSet;

use domain::id::AccountId;
use domain::policy::{
    Code, Format, Included, KeptPolicy, NotTheSame, Policy, Setting, parse_with, resolve,
};

use crate::organisation::{Organisation, guardrail, included, rule};

const INCLUDE: &str = "[[include]]\nfile = \"team.toml\"\nwithin = { accounts = [\"ou:Production\"], permission_sets = [\"*\"] }\n";

/// A policy with an include and a protected account, and what is kept of it.
fn kept(organisation: &Organisation, rules: &str) -> (Policy, KeptPolicy) {
    let theirs = format!("version = 1\n{}", guardrail("theirs", &[("deny", "true")]));
    let text = format!("version = 1\n{rules}{INCLUDE}");
    let included: Included = included(&[("team.toml", &theirs)]);
    let file = parse_with(&text, Format::Toml, "policy.toml", &included).unwrap();
    let setting = Setting {
        protected: BTreeSet::from([AccountId::parse("555566667777").unwrap()]),
        earlier: None,
    };
    let policy = resolve(&file, &organisation.directory, &setting).policy;
    let kept = KeptPolicy::of(&policy, "policy.toml", &text, &included);
    (policy, kept)
}

#[test]
fn names_mean_whom_they_meant_and_who_was_nobody_stays_nobody() {
    let mut organisation = Organisation::new();
    let rules = rule(
        "r",
        &[
            (
                "requesters",
                "[\"group:Payments\", \"user:nobody.yet\", \"group:Not there\"]",
            ),
            ("permission_sets", "[\"Billing\", \"Tomorrow\"]"),
        ],
    );
    let (policy, kept) = kept(&organisation, &rules);
    // Another group takes the name, and those appear who were not there.
    let old = organisation.group("Payments");
    organisation.directory.groups.get_mut(&old).unwrap().name = "Payments (old)".to_owned();
    organisation.add_person("nobody.yet", &[], &["Payments", "Not there"]);
    let again = kept.policy().unwrap();
    assert_eq!(again, policy);
    assert_eq!(again.version(), &kept.version);
    let code = |policy: &Policy, who: &str| {
        let verdict = organisation.ask(policy, who, "Management", "Billing", "1h");
        verdict.code
    };
    assert_eq!(code(&again, "carla.rossi"), Code::NeedsApproval);
    assert_eq!(code(&again, "nobody.yet"), Code::RequesterNotAllowed);
    // Read anew, the text means others: what is kept is not the text alone.
    let anew = organisation.policy_including(
        &format!("{rules}{INCLUDE}"),
        &[("team.toml", &kept.included["team.toml"])],
    );
    assert_eq!(code(&anew, "nobody.yet"), Code::NeedsApproval);
    assert_eq!(code(&anew, "carla.rossi"), Code::RequesterNotAllowed);
    // What it included and protected is part of it.
    let code = |account| {
        let verdict = organisation.ask(&again, "carla.rossi", account, "Billing", "1h");
        verdict.code
    };
    assert_eq!(code("Payments Production"), Code::Denied);
    assert_eq!(code("Network"), Code::Protected);
}

#[test]
fn an_id_that_was_written_in_capitals_means_the_same_later() {
    let organisation = Organisation::new();
    let group = organisation.group("Payments").to_string().to_uppercase();
    let user = organisation.user("liam.murphy").to_string().to_uppercase();
    let people = format!("[\"group:{group}\", \"user:{user}\"]");
    let rules = rule("r", &[("requesters", &people), ("accounts", "[\"*\"]")]);
    let (policy, kept) = kept(&organisation, &rules);
    let again = kept.policy().unwrap();
    assert_eq!(again, policy);
    for name in ["carla.rossi", "liam.murphy"] {
        let verdict = organisation.ask(&again, name, "Management", "Billing", "1h");
        assert_eq!(verdict.code, Code::NeedsApproval, "{name}");
    }
}

#[test]
fn what_is_not_as_it_was_kept_is_not_taken_for_it() {
    let organisation = Organisation::new();
    let (policy, kept) = kept(&organisation, &rule("r", &[]));
    let damaged = |damage: &dyn Fn(&mut KeptPolicy)| {
        let mut damaged = kept.clone();
        damage(&mut damaged);
        damaged.policy()
    };
    assert_eq!(damaged(&|_| {}).unwrap(), policy);
    // A comment is nothing that the policy says.
    assert!(damaged(&|kept| kept.text.push_str("# and so on\n")).is_ok());
    let mut others: Vec<Result<Policy, NotTheSame>> = vec![
        damaged(&|kept| kept.text = kept.text.replace("Payments", "Security")),
        damaged(&|kept| kept.protected.clear()),
        damaged(&|kept| {
            let theirs = kept.included.get_mut("team.toml").unwrap();
            *theirs = theirs.replace("deny = true", "max_duration = \"1h\"");
        }),
    ];
    // Whom names meant, of another policy.
    let other = self::kept(&organisation, &rule("other", &[])).1;
    others.push(damaged(&|kept| kept.bindings = other.bindings.clone()));
    for (at, other) in others.into_iter().enumerate() {
        assert!(
            matches!(other, Err(NotTheSame::Other { .. })),
            "{at}: {other:?}"
        );
    }
    let cut = damaged(&|kept| kept.text.truncate(40));
    assert!(matches!(cut, Err(NotTheSame::Text(_))), "{cut:?}");
    let lost = damaged(&|kept| kept.included.clear());
    assert!(matches!(lost, Err(NotTheSame::Text(_))), "{lost:?}");
}

#[test]
fn all_files_together_are_small_enough_to_be_kept() {
    let text = format!("version = 1\n{}", rule("r", &[]));
    let including = |comment: usize| {
        let team = format!("version = 1\n{}\n#{}", rule("t", &[]), "x".repeat(comment));
        let files: Vec<(String, String)> = (0..3)
            .map(|n| {
                (
                    format!("team{n}.toml"),
                    team.replace("\"t\"", &format!("\"t{n}\"")),
                )
            })
            .collect();
        let all: String = files
            .iter()
            .map(|(name, _)| INCLUDE.replace("team.toml", name))
            .collect();
        let files: Vec<(&str, &str)> = files
            .iter()
            .map(|(name, text)| (name.as_str(), text.as_str()))
            .collect();
        let text = format!("{text}{all}");
        parse_with(&text, Format::Toml, "policy.toml", &included(&files))
    };
    assert!(including(600_000).is_ok());
    let problems = including(800_000).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    let problem = problems[0].to_string();
    assert!(
        problem.contains("with what it includes the policy has 2400")
            && problem.contains("2097152"),
        "{problem}"
    );
}
