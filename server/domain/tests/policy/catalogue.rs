//! The index says what deciding says.

use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::directory::Beyond;
use domain::policy::Setting;

use crate::organisation::{Organisation, rule, seconds};

fn catalogue(organisation: &Organisation, rules: &str) -> Catalogue {
    Catalogue::build(
        Arc::new(organisation.policy(rules)),
        &organisation.directory,
    )
}

/// Lines of `account / set, up to max: durations`.
fn lines(organisation: &Organisation, catalogue: &Catalogue, name: &str) -> Vec<String> {
    catalogue
        .for_person(&organisation.user(name), &organisation.facts())
        .entries()
        .iter()
        .map(|entry| {
            let durations: Vec<String> = entry
                .offer
                .durations
                .iter()
                .map(ToString::to_string)
                .collect();
            let at_once = entry
                .offer
                .at_once_up_to
                .map_or(String::new(), |limit| format!(", at once up to {limit}"));
            format!(
                "{} / {}, {}{at_once}",
                organisation.directory.accounts[&entry.account].name,
                organisation.directory.permission_sets[&entry.permission_set].name,
                durations.join(" "),
            )
        })
        .collect()
}

#[test]
fn a_person_sees_what_they_may_ask_for_and_only_that() {
    let organisation = Organisation::new();
    let rules = [
        rule(
            "read",
            &[
                ("accounts", "[\"ou:Production\"]"),
                ("permission_sets", "[\"ReadOnlyAccess\"]"),
                ("durations", "[\"15m\", \"1h\"]"),
                ("max_duration", "\"1h\""),
            ],
        ),
        rule(
            "free",
            &[
                ("accounts", "[\"111122223333\"]"),
                ("permission_sets", "[\"ReadOnlyAccess\"]"),
                ("approval", "\"none\""),
                ("approvers", ""),
                ("max_duration", "\"30m\""),
            ],
        ),
        rule("data", &[("requesters", "[\"group:Data\"]")]),
        rule(
            "own",
            &[
                ("accounts", "[\"555566667777\"]"),
                ("permission_sets", "[\"Billing\"]"),
                ("approvers", "[\"user:carla.rossi\"]"),
            ],
        ),
    ]
    .concat();
    let catalogue = catalogue(&organisation, &rules);
    assert_eq!(
        lines(&organisation, &catalogue, "carla.rossi"),
        [
            "Data Lake Production / ReadOnlyAccess, 15m 1h",
            "Orders Production / ReadOnlyAccess, 15m 1h",
            "Payments Production / ReadOnlyAccess, 15m 30m 1h, at once up to 30m",
            "Web Production / ReadOnlyAccess, 15m 1h",
        ],
        "and not Network, where only she herself could approve"
    );
    assert_eq!(lines(&organisation, &catalogue, "ines.costa").len(), 14 * 7);
    assert_eq!(lines(&organisation, &catalogue, "liam.murphy"), [""; 0]);
    assert_eq!(lines(&organisation, &catalogue, "noah.berg"), [""; 0]);
}

#[test]
fn what_a_delegated_administrator_cannot_assign_is_in_nobodys_catalogue() {
    let mut organisation = Organisation::new();
    let billing = organisation.directory.permission_set_named("Billing");
    organisation.directory.beyond = Beyond {
        account: Some("100000000001".parse().unwrap()),
        permission_sets: [billing.unwrap().arn.clone()].into(),
    };
    let policy = organisation.policy(&rule("r", &[]));
    let catalogue = Catalogue::build(Arc::new(policy), &organisation.directory);
    let seen = lines(&organisation, &catalogue, "carla.rossi");
    assert_eq!(seen.len(), 13 * 6);
    let is_beyond = |line: &&String| line.contains("Management") || line.contains("Billing");
    assert_eq!(seen.iter().find(is_beyond), None);
    for (account, set) in [
        ("Shared Services", "Billing"),
        ("Management", "ReadOnlyAccess"),
    ] {
        let target = organisation.target(account, set);
        let (carla, facts) = (organisation.user("carla.rossi"), organisation.facts());
        assert_eq!(catalogue.entry(&carla, &target, &facts), None);
    }
}

#[test]
fn protected_and_closed_accounts_are_in_nobodys_catalogue() {
    let mut organisation = Organisation::new();
    organisation.account("Network").active = false;
    let setting = Setting {
        protected: ["100000000001".parse().unwrap()].into(),
        earlier: None,
    };
    let rules = rule("r", &[("permission_sets", "[\"Billing\"]")]);
    let policy = organisation.resolved(&rules, &setting).policy;
    let catalogue = Catalogue::build(Arc::new(policy), &organisation.directory);
    let seen = lines(&organisation, &catalogue, "carla.rossi");
    assert_eq!(seen.len(), 12);
    assert!(
        !seen
            .iter()
            .any(|line| line.starts_with("Network") || line.starts_with("Management"))
    );
    for account in ["Network", "Management"] {
        let target = organisation.target(account, "Billing");
        let (carla, facts) = (organisation.user("carla.rossi"), organisation.facts());
        assert_eq!(catalogue.entry(&carla, &target, &facts), None);
        assert!(
            catalogue
                .possible_approvers(&target, &carla, &facts)
                .is_empty()
        );
    }
}

#[test]
fn without_a_list_the_usual_durations_are_offered_up_to_the_longest() {
    let organisation = Organisation::new();
    let offered = |keys: &[(&str, &str)]| {
        let mut all = vec![
            ("accounts", "[\"555566667777\"]"),
            ("permission_sets", "[\"Billing\"]"),
        ];
        all.extend(keys);
        let catalogue = catalogue(&organisation, &rule("r", &all));
        lines(&organisation, &catalogue, "carla.rossi")
    };
    assert_eq!(offered(&[]), ["Network / Billing, 15m 30m 1h 2h 4h 8h"]);
    assert_eq!(
        offered(&[("max_duration", "\"90m\"")]),
        ["Network / Billing, 15m 30m 1h 1h30m"]
    );
    assert_eq!(
        offered(&[("max_duration", "\"5m\"")]),
        ["Network / Billing, 5m"]
    );
}

#[test]
fn an_entry_tells_for_which_durations_somebody_is_asked() {
    let organisation = Organisation::new();
    let rules = [
        rule(
            "free",
            &[
                ("approval", "\"none\""),
                ("approvers", ""),
                ("max_duration", "\"1h\""),
            ],
        ),
        rule("asked", &[("max_duration", "\"4h\"")]),
    ]
    .concat();
    let target = organisation.target("Network", "Billing");
    let catalogue = catalogue(&organisation, &rules);
    let (carla, facts) = (organisation.user("carla.rossi"), organisation.facts());
    let entry = catalogue.entry(&carla, &target, &facts).unwrap();
    assert!(!entry.offer.needs_approval(seconds("1h")));
    assert!(entry.offer.needs_approval(seconds("61m")));
    let approvers = catalogue.possible_approvers(&target, &carla, &facts);
    let names: Vec<String> = approvers
        .iter()
        .map(|user| organisation.name(user))
        .collect();
    assert_eq!(names, ["emma.lindqvist", "farid.haddad", "mia.novak"]);
}
