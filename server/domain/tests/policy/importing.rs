//! SSO Elevator's configuration as a policy: the same decisions, and every problem at once.

use std::collections::BTreeSet;

use domain::policy::{
    AskFacts, Code, Format, Policy, Proposal, Seconds, Setting, decide, import, may_review, parse,
    report_text, resolve,
};
use domain::target::Target;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::organisation::{Organisation, now};

const EVERYTHING: &str = r#"{
  "config": [
    {
      "ResourceType": "Account",
      "Resource": ["111122223333", "222233334444"],
      "PermissionSet": ["ReadOnlyAccess", "Billing"],
      "Approvers": ["Emma.Lindqvist@example.com", "farid.haddad@example.com"],
      "AllowSelfApproval": true
    },
    { "Resource": "*", "PermissionSet": "*", "Approvers": "grace.chen@example.com", "AllowSelfApproval": false, "ApprovalIsNotRequired": false },
    {
      "ResourceType": "Account", "Resource": ["333344445556", "333344445556"], "PermissionSet": "*",
      "ApprovalIsNotRequired": true, "AllowSelfApproval": null,
      "AllowedGroups": "99670a1b2c-20000000-0000-4000-8000-000000000004", "AllowedUsers": ["liam.murphy@example.com"]
    },
    { "Resource": "*", "PermissionSet": "AdministratorAccess", "Approvers": [], "AllowSelfApproval": false, "AllowedUsers": [] },
    { "Resource": [], "PermissionSet": "AdministratorAccess", "ApprovalIsNotRequired": false }
  ],
  "group_config": [
    {
      "Resource": ["99999999-8888-7777-6666-555555555555", "99670a1b2c-20000000-0000-4000-8000-000000000004"],
      "Approvers": ["emma.lindqvist@example.com"], "ApprovalIsNotRequired": true
    }
  ]
}"#;

#[test]
fn a_statement_becomes_a_rule_and_a_difference_a_comment() {
    insta::assert_snapshot!("imported", import(EVERYTHING, "elevator.json").unwrap());
}

#[test]
fn every_problem_of_a_configuration_is_reported_at_once_with_its_place() {
    let source = r#"{
  "config": [
    {"ResourceType": "OU", "Resource": ["11112222333", "Production", 111122223333], "PermissionSet": "Read Only",
     "Approvers": ["ana", "ana@example", "a b@example.com", "ana@@example.com", "\"x@example.com"]},
    {"ResourceType": "Account", "PermissionSet": ["AdministratorAccessForEverybodyAnd", "Read*"], "Aprovers": ["ana@example.com"]},
    {"Resource": "*", "Resource": "111122223333", "PermissionSet": 7, "AllowSelfApproval": "true", "ApprovalIsNotRequired": 1},
    "statement",
    {"Resource": null, "PermissionSet": null, "AllowedGroups": ["SRE"], "AllowedUsers": {"a": 1}}
  ],
  "group_config": [
    {"Resource": "*", "PermissionSet": "ReadOnlyAccess"},
    {"Approvers": ["ana@example.com"]}
  ],
  "groups": []
}"#;
    let problems = import(source, "elevator.json").unwrap_err();
    insta::assert_snapshot!("import_errors", report_text("elevator.json", &problems));
}

#[test]
fn a_configuration_without_statements_is_not_imported() {
    for (source, place) in [
        ("{}", (1, 1)),
        (r#"{"config": [], "group_config": null}"#, (1, 1)),
        (
            r#"{"config": [{"Resource": [], "PermissionSet": "*"}]}"#,
            (1, 1),
        ),
        ("[]", (1, 1)),
        (r#"{"config": {}}"#, (1, 12)),
        (r#"{"config": [], "statements": []}"#, (1, 16)),
        (r#"{"config": [{}, ]}"#, (1, 17)),
    ] {
        let problems = import(source, "e.json").unwrap_err();
        let first = &problems[0];
        assert_eq!(
            (first.place.line, first.place.column),
            place,
            "{source}: {first}"
        );
    }
}

#[test]
fn the_names_that_its_own_bucket_uses_are_read_too() {
    let stored = EVERYTHING
        .replace("\"config\"", "\"statements\"")
        .replace("\"group_config\"", "\"group_statements\"");
    assert_eq!(import(&stored, "e.json"), import(EVERYTHING, "e.json"));
}

#[test]
fn more_than_a_policy_holds_is_said() {
    let people: Vec<String> = (0..1_001).map(|n| format!("p{n}@example.com")).collect();
    let source = json!({"config": [{"Resource": "*", "PermissionSet": "*", "Approvers": people}]})
        .to_string();
    let problems = import(&source, "e.json").unwrap_err();
    assert!(
        problems[0].to_string().contains("1001 entries"),
        "{problems:?}"
    );
}

/// A statement as the documentation of that tool describes it.
#[derive(Debug, Clone)]
struct Made {
    covers: Covers,
    approvers: Vec<String>,
    own: Option<bool>,
    free: Option<bool>,
    groups: Vec<&'static str>,
    users: Vec<String>,
    /// How it is written: one text for a list of one, and nothing for what says nothing.
    short: bool,
}

#[derive(Debug, Clone)]
enum Covers {
    /// Accounts by id, permission sets by name, `*` for all.
    Accounts(Vec<&'static str>, Vec<&'static str>),
    /// Groups by name; ids are written.
    Groups(Vec<&'static str>),
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Account(&'static str, &'static str),
    Group(&'static str),
}

impl Made {
    fn json(&self, organisation: &Organisation) -> Value {
        let list = |entries: Vec<String>| match entries.as_slice() {
            [one] if self.short => json!(one),
            _ => json!(entries),
        };
        let owned = |entries: &[&str]| entries.iter().map(|e| (*e).to_owned()).collect();
        let ids = |names: &[&str]| {
            let ids = names
                .iter()
                .map(|name| organisation.group(name).to_string());
            ids.collect()
        };
        let mut statement = json!({
            "Approvers": list(self.approvers.clone()),
            "AllowSelfApproval": self.own,
            "ApprovalIsNotRequired": self.free,
            "AllowedGroups": list(ids(&self.groups)),
            "AllowedUsers": list(self.users.clone()),
        });
        if self.short {
            let keys = statement.as_object_mut().unwrap();
            keys.retain(|_, value| !value.is_null() && *value != json!([]));
        }
        match &self.covers {
            Covers::Accounts(accounts, sets) => {
                statement["ResourceType"] = json!("Account");
                statement["Resource"] = list(owned(accounts));
                statement["PermissionSet"] = list(owned(sets));
            }
            Covers::Groups(groups) => statement["Resource"] = list(ids(groups)),
        }
        statement
    }

    fn covers(&self, asked: Asked) -> bool {
        let in_list = |list: &[&str], wanted: &str| list.contains(&"*") || list.contains(&wanted);
        match (&self.covers, asked) {
            (Covers::Accounts(accounts, sets), Asked::Account(account, set)) => {
                in_list(accounts, account) && in_list(sets, set)
            }
            (Covers::Groups(groups), Asked::Group(group)) => groups.contains(&group),
            _ => false,
        }
    }

    fn covers_nothing(&self) -> bool {
        match &self.covers {
            Covers::Accounts(accounts, sets) => accounts.is_empty() || sets.is_empty(),
            Covers::Groups(groups) => groups.is_empty(),
        }
    }

    fn admits(&self, person: &str, organisation: &Organisation) -> bool {
        let user = organisation.user(person);
        let member = |group: &&&str| {
            let group = organisation.group(group);
            organisation.directory.members.is_member(&user, &group)
        };
        (self.groups.is_empty() && self.users.is_empty())
            || names(&self.users).contains(person)
            || self.groups.iter().find(member).is_some()
    }
}

/// Who is meant by these addresses; the case of an address is a documented difference.
fn names(addresses: &[String]) -> BTreeSet<String> {
    addresses
        .iter()
        .map(|address| address.to_lowercase().replace("@example.com", ""))
        .collect()
}

#[derive(Debug, PartialEq, Eq)]
enum Answer {
    NothingCovers,
    NotForThem,
    Granted,
    NobodyCan,
    AnyOf(BTreeSet<String>),
}

/// What that tool answers, from its documentation: restrictions first, then what is forbidden, then
/// what grants at once, then who is asked.
fn elevator(statements: &[Made], who: &str, asked: Asked, organisation: &Organisation) -> Answer {
    let covering: Vec<&Made> = statements.iter().filter(|s| s.covers(asked)).collect();
    if covering.is_empty() {
        return Answer::NothingCovers;
    }
    let eligible: Vec<&Made> = covering
        .into_iter()
        .filter(|s| s.admits(who, organisation))
        .collect();
    if eligible.is_empty() {
        return Answer::NotForThem;
    }
    let approves = |s: &Made| names(&s.approvers).contains(who);
    let someone_must = eligible.iter().any(|s| s.free == Some(false));
    let never_own = eligible.iter().any(|s| s.own == Some(false) && approves(s));
    let free = eligible.iter().any(|s| s.free == Some(true)) && !someone_must;
    let own = eligible.iter().any(|s| s.own == Some(true) && approves(s)) && !never_own;
    if free || own {
        return Answer::Granted;
    }
    let others: BTreeSet<String> = eligible
        .iter()
        .flat_map(|s| names(&s.approvers))
        .filter(|name| name != who)
        .collect();
    if others.is_empty() {
        Answer::NobodyCan
    } else {
        Answer::AnyOf(others)
    }
}

/// Everyone here is active: who is not is a documented difference.
const WHO: [&str; 6] = [
    "ana.silva",
    "ben.okafor",
    "carla.rossi",
    "emma.lindqvist",
    "mia.novak",
    "liam.murphy",
];
const ACCOUNTS: [&str; 3] = ["111122223333", "222233334444", "555566667777"];
const SETS: [&str; 3] = ["ReadOnlyAccess", "Billing", "AdministratorAccess"];
/// Groups that are given; none has a say, which is a documented difference.
const GIVEN: [&str; 3] = ["Oncall", "Data", "Audit"];
const WITH_A_SAY: [&str; 2] = ["SRE", "Payments"];

fn some(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    prop_oneof![
        6 => subsequence(from, 1..=2),
        2 => Just(vec!["*"]),
        1 => Just(Vec::new()),
    ]
}

fn addresses() -> impl Strategy<Value = Vec<String>> {
    (subsequence(&WHO[..], 0..=3), any::<bool>()).prop_map(|(names, capital)| {
        names
            .into_iter()
            .map(|name| {
                let address = format!("{name}@example.com");
                if capital {
                    address.to_uppercase()
                } else {
                    address
                }
            })
            .collect()
    })
}

fn made() -> impl Strategy<Value = Made> {
    let flag = || select(vec![None, Some(true), Some(false)]);
    (
        prop_oneof![
            (some(&ACCOUNTS), some(&SETS))
                .prop_map(|(accounts, sets)| Covers::Accounts(accounts, sets)),
            subsequence(&GIVEN[..], 0..=2).prop_map(Covers::Groups),
        ],
        addresses(),
        flag(),
        flag(),
        prop_oneof![2 => Just(Vec::new()), 1 => subsequence(&WITH_A_SAY[..], 1..=2)],
        prop_oneof![2 => Just(Vec::new()), 1 => addresses()],
        any::<bool>(),
    )
        .prop_map(
            |(covers, approvers, own, free, groups, users, short)| Made {
                covers,
                approvers,
                own,
                free,
                groups,
                users,
                short,
            },
        )
}

fn configuration(statements: &[Made], organisation: &Organisation) -> String {
    let (config, group_config): (Vec<&Made>, Vec<&Made>) = statements
        .iter()
        .partition(|s| matches!(s.covers, Covers::Accounts(..)));
    let json = |list: Vec<&Made>| -> Vec<Value> {
        list.into_iter().map(|s| s.json(organisation)).collect()
    };
    json!({"config": json(config), "group_config": json(group_config)}).to_string()
}

/// The sandbox's organisation, where it is known what the groups hold.
fn with_holdings() -> Organisation {
    let mut organisation = Organisation::new();
    for group in GIVEN.iter().chain(&WITH_A_SAY) {
        let id = organisation.group(group);
        organisation.directory.holdings.insert(id, BTreeSet::new());
    }
    organisation
}

fn target(asked: Asked, organisation: &Organisation) -> Target {
    match asked {
        Asked::Account(account, set) => {
            let account = organisation
                .directory
                .accounts
                .values()
                .find(|known| known.id.as_str() == account)
                .unwrap();
            organisation.target(&account.name, set)
        }
        Asked::Group(group) => Target::Group {
            group: organisation.group(group),
        },
    }
}

fn imported(configuration: &str, organisation: &Organisation) -> Option<(Policy, String)> {
    let toml = import(configuration, "e.json").ok()?;
    let file = parse(&toml, Format::Toml, "p.toml")
        .unwrap_or_else(|problems| panic!("{problems:#?}\n{toml}"));
    let resolved = resolve(&file, &organisation.directory, &Setting::default());
    Some((resolved.policy, toml))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_imported_policy_decides_as_that_tool_does(
        statements in prop::collection::vec(made(), 1..8),
        account in select(&ACCOUNTS[..]), set in select(&SETS[..]), group in select(&GIVEN[..]),
    ) {
        let organisation = with_holdings();
        let facts = organisation.facts();
        let Some((policy, toml)) = imported(&configuration(&statements, &organisation), &organisation) else {
            prop_assert!(statements.iter().all(Made::covers_nothing));
            return Ok(());
        };
        for (who, asked) in WHO.iter().flat_map(|who| [(*who, Asked::Account(account, set)), (*who, Asked::Group(group))]) {
            let requester = organisation.user(who);
            let target = target(asked, &organisation);
            let proposal = Proposal::new(requester.clone(), target.clone(), Seconds::from_hours(24), 1, now());
            let verdict = decide(&policy, &proposal, &facts);
            let answer = match verdict.code {
                Code::NoRule => Answer::NothingCovers,
                Code::RequesterNotAllowed => Answer::NotForThem,
                Code::Automatic | Code::SelfApproved => Answer::Granted,
                Code::NoApprovers => Answer::NobodyCan,
                Code::NeedsApproval => Answer::AnyOf(verdict.approvers().iter().map(|user| organisation.name(user)).collect()),
                other => return Err(TestCaseError::fail(format!("{other} for {who}\n{toml}"))),
            };
            prop_assert_eq!(&answer, &elevator(&statements, who, asked, &organisation), "{} for {:?}\n{}", who, asked, toml);
            if let Answer::AnyOf(others) = answer {
                // One of them is enough, and the requester is none of them whatever another
                // statement allows: the documented difference.
                let rules = verdict.route_rules();
                let ask = AskFacts::new(&requester, &target, Seconds::from_hours(1), &rules, now());
                for reviewer in WHO {
                    let may = may_review(&policy, &ask, &organisation.user(reviewer), &facts).is_ok();
                    prop_assert_eq!(may, others.contains(reviewer), "{} for {}\n{}", reviewer, who, toml);
                }
                prop_assert!(verdict.routes.iter().all(|route| route.approvals == 1));
            }
        }
    }
}

#[test]
fn a_group_that_has_a_say_is_left_out_and_what_else_the_statement_gives_is_not() {
    let organisation = with_holdings();
    let ids = |names: &[&str]| -> Vec<String> {
        names
            .iter()
            .map(|name| organisation.group(name).to_string())
            .collect()
    };
    let config = json!({"group_config": [
        {"Resource": ids(&["SRE", "Oncall"]), "ApprovalIsNotRequired": true},
        {"Resource": ids(&["SRE"]), "ApprovalIsNotRequired": true},
        {"Resource": ids(&["Data"]), "Approvers": "mia.novak@example.com", "AllowedGroups": ids(&["SRE"])},
    ]});
    let (policy, _) = imported(&config.to_string(), &organisation).unwrap();
    let code = |group| {
        let target = target(Asked::Group(group), &organisation);
        let by = organisation.user("liam.murphy");
        let proposal = Proposal::new(by, target, Seconds::from_hours(1), 1, now());
        decide(&policy, &proposal, &organisation.facts()).code
    };
    assert_eq!(code("Oncall"), Code::Automatic);
    assert_ne!(code("SRE"), Code::Automatic);
    assert_eq!(code("Data"), Code::RequesterNotAllowed);
}

#[test]
fn an_address_that_finds_nobody_forbids_as_if_it_were_anybody() {
    let organisation = with_holdings();
    let config = json!({"config": [
        {"Resource": "*", "PermissionSet": "*", "ApprovalIsNotRequired": true, "Approvers": "emma.lindqvist@example.com"},
        {"Resource": "*", "PermissionSet": "*", "ApprovalIsNotRequired": false, "AllowedUsers": "left.long.ago@example.com"},
    ]});
    let (policy, _) = imported(&config.to_string(), &organisation).unwrap();
    let verdict = organisation.ask(&policy, "ana.silva", "Network", "Billing", "1h");
    assert_eq!(verdict.code, Code::NeedsApproval);
}
