//! A draft from what stands: who holds something may ask for it, and nobody else.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::Status;
use domain::id::{AccountId, GroupId, UserId};
use domain::inventory::{Assignment, Holder, HoldingGroup, Inventory, Principal, SCHEMA};
use domain::policy::{Code, Format, Proposal, Seconds, Setting, decide, parse, resolve, suggest};
use domain::target::Target;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use crate::organisation::{Organisation, PEOPLE, group_id, now, user_id};

/// `ana.silva` or `group:SRE`, with what they hold.
type Held<'a> = (&'a str, &'a str, &'a str);

fn inventory(organisation: &Organisation, held: &[Held<'_>]) -> Inventory {
    let directory = &organisation.directory;
    let mut assignments: Vec<Assignment> = held
        .iter()
        .map(|(who, account, set)| {
            let Target::Account {
                account,
                permission_set,
            } = organisation.target(account, set)
            else {
                panic!("an account was asked for");
            };
            Assignment {
                account_name: directory.accounts[&account].name.clone(),
                account_id: account,
                permission_set: directory.permission_sets[&permission_set].name.clone(),
                permission_set_arn: permission_set,
                principal: match who.strip_prefix("group:") {
                    Some("Gone") => Principal::Group(group_id(99)),
                    Some(group) => Principal::Group(organisation.group(group)),
                    None if *who == "gone" => Principal::User(user_id(99)),
                    None => Principal::User(organisation.user(who)),
                },
            }
        })
        .collect();
    assignments.sort();
    assignments.dedup();
    let groups: BTreeMap<GroupId, HoldingGroup> = assignments
        .iter()
        .filter_map(|assignment| match &assignment.principal {
            Principal::Group(id) => Some((
                id.clone(),
                HoldingGroup {
                    name: directory.groups.get(id)?.name.clone(),
                    members: directory.members.of(id).cloned().collect(),
                },
            )),
            Principal::User(_) => None,
        })
        .collect();
    let mut wanted: BTreeSet<UserId> = groups.values().flat_map(|g| g.members.clone()).collect();
    wanted.extend(assignments.iter().filter_map(|a| match &a.principal {
        Principal::User(id) => Some(id.clone()),
        Principal::Group(_) => None,
    }));
    let people = wanted
        .into_iter()
        .filter_map(|id| {
            let person = directory.people.get(&id)?;
            Some((
                id,
                Holder {
                    user_name: person.user_name.clone(),
                    display_name: person.display_name.clone(),
                    email: person.emails.first().cloned(),
                    status: person.status,
                },
            ))
        })
        .collect();
    Inventory {
        schema: SCHEMA,
        instance_arn: "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6".to_owned(),
        identity_store_id: "d-99670a1b2c".to_owned(),
        read_from: Timestamp::UNIX_EPOCH,
        read_until: Timestamp::UNIX_EPOCH,
        assignments,
        people,
        groups,
    }
}

fn draft(inventory: &Inventory) -> String {
    let json = serde_json::to_string(inventory).unwrap();
    suggest(&json, "inventory.json").unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[test]
fn what_stands_becomes_what_may_be_asked_for() {
    let mut organisation = Organisation::new();
    organisation.account("Network").name = "Network\n[[rule]]".to_owned();
    let empty = organisation.group_or_new("The \"empty\" one");
    organisation.change_members(&empty, BTreeSet::clear);
    let found = inventory(
        &organisation,
        &[
            ("group:SRE", "Payments Production", "AdministratorAccess"),
            ("group:SRE", "Orders Production", "AdministratorAccess"),
            ("group:Platform", "Orders Production", "AdministratorAccess"),
            (
                "group:Platform",
                "Payments Production",
                "AdministratorAccess",
            ),
            ("liam.murphy", "Payments Production", "AdministratorAccess"),
            ("noah.berg", "Network\n[[rule]]", "Billing"),
            (
                "group:The \"empty\" one",
                "Network\n[[rule]]",
                "ReadOnlyAccess",
            ),
            ("gone", "Orders Production", "Billing"),
            ("group:Gone", "Orders Production", "Billing"),
        ],
    );
    insta::assert_snapshot!("suggested", draft(&found));
}

#[test]
fn who_shares_a_name_is_named_by_id() {
    let organisation = Organisation::new();
    let mut found = inventory(
        &organisation,
        &[
            ("carla.rossi", "Network", "Billing"),
            ("liam.murphy", "Network", "Billing"),
            ("ana.silva", "Network", "Billing"),
        ],
    );
    let (carla, liam) = (
        organisation.user("carla.rossi"),
        organisation.user("liam.murphy"),
    );
    found.people.get_mut(&carla).unwrap().user_name = "lead".to_owned();
    // An address finds people, too, in any case.
    found.people.get_mut(&liam).unwrap().email = Some("LEAD".to_owned());
    let text = draft(&found);
    assert!(text.contains("user:ana.silva"), "{text}");
    assert!(text.contains(&format!("user:{carla}")), "{text}");
    assert!(!text.contains("user:lead"), "{text}");
}

#[test]
fn what_is_no_inventory_is_refused_where_it_goes_wrong() {
    let organisation = Organisation::new();
    let nothing = serde_json::to_string(&inventory(&organisation, &[])).unwrap();
    let gone = serde_json::to_string(&inventory(&organisation, &[("gone", "Network", "Billing")]))
        .unwrap();
    let later = nothing.replace("\"schema\":1", "\"schema\":2");
    for (source, expected) in [
        ("{\n  \"schema\": }", "i.json:2:13: syntax: expected value"),
        ("", "i.json:1:1: syntax: it ends where a value should be; "),
        ("[]", "i.json:1:2: syntax: "),
        (nothing.as_str(), "i.json:1:1: missing-key: nobody"),
        (gone.as_str(), "i.json:1:1: missing-key: nobody"),
        (later.as_str(), "i.json:1:1: unsupported-version: "),
    ] {
        let problems = suggest(source, "i.json").unwrap_err();
        let first = problems[0].to_string();
        assert!(first.starts_with(expected), "{source}: {first}");
    }
}

#[test]
fn lists_longer_than_the_language_takes_become_several_rules() {
    let organisation = Organisation::new();
    let mut found = inventory(&organisation, &[("group:SRE", "Network", "Billing")]);
    let one = found.assignments[0].clone();
    found.assignments = (0..2_500_u64)
        .map(|n| Assignment {
            account_id: AccountId::parse(&format!("{:012}", 300_000_000_000 + n)).unwrap(),
            ..one.clone()
        })
        .collect();
    let text = draft(&found);
    assert!(parse(&text, Format::Toml, "p").is_ok());
    assert_eq!(text.matches("[[rule]]").count(), 3);
    assert_eq!(text.matches("    \"3000000").count(), 2_500);
}

const ACCOUNTS: [&str; 4] = [
    "Payments Production",
    "Orders Production",
    "Network",
    "Management",
];
const SETS: [&str; 3] = ["ReadOnlyAccess", "Billing", "AdministratorAccess"];
const WHO: [&str; 9] = [
    "group:SRE",
    "group:Payments",
    "group:Security",
    "group:Gone",
    "ana.silva",
    "liam.murphy",
    "noah.berg",
    "emma.lindqvist",
    "gone",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whoever_holds_it_may_ask_for_it_and_nobody_else(
        held in prop::collection::vec((select(&WHO[..]), select(&ACCOUNTS[..]), select(&SETS[..])), 1..14),
    ) {
        let organisation = Organisation::new();
        let found = inventory(&organisation, &held);
        let json = serde_json::to_string(&found).unwrap();
        let Ok(toml) = suggest(&json, "i.json") else {
            prop_assert!(held.iter().all(|(who, _, _)| who.to_lowercase().contains("gone")));
            return Ok(());
        };
        let file = parse(&toml, Format::Toml, "p.toml");
        prop_assert!(file.is_ok(), "{:?}\n{}", file, toml);
        let policy = resolve(&file.unwrap(), &organisation.directory, &Setting::default()).policy;
        let holdings = found.holdings();
        for (name, _) in PEOPLE {
            let requester = organisation.user(name);
            if organisation.directory.people[&requester].status == Status::Disabled {
                continue;
            }
            for (account, set) in ACCOUNTS.iter().flat_map(|a| SETS.iter().map(move |s| (*a, *s))) {
                let target = organisation.target(account, set);
                let proposal = Proposal::new(requester.clone(), target, Seconds::from_hours(1), 10, now());
                let code = decide(&policy, &proposal, &organisation.facts()).code;
                let holds = holdings.iter().any(|row| row.user_id == Some(&requester) && row.account_name == account && row.permission_set.as_str() == set);
                // Never at once: somebody has to agree, or nobody could.
                let may = matches!(code, Code::NeedsApproval | Code::NoApprovers);
                let may_not = matches!(code, Code::NoRule | Code::RequesterNotAllowed);
                prop_assert!(may || may_not, "{}", code);
                prop_assert_eq!(may, holds, "{} {} {}: {}\n{}", name, account, set, code, toml);
            }
        }
    }

    #[test]
    fn names_cannot_add_anything_to_the_draft(
        name in "\\PC{1,12}|[\"\\\\\n\r#\\[\\]=a \u{202e}]{1,12}", group in "\\PC{1,12}|[\"\\\\\n\r#\\[\\]=a \u{202e}]{1,12}",
    ) {
        let mut organisation = Organisation::new();
        organisation.account("Network").name.clone_from(&name);
        let id = organisation.group("SRE");
        organisation.directory.groups.get_mut(&id).unwrap().name.clone_from(&group);
        let mut found = inventory(&organisation, &[("liam.murphy", &name, "Billing")]);
        found.assignments[0].account_name = name;
        found.assignments.push(Assignment { principal: Principal::Group(id.clone()), ..found.assignments[0].clone() });
        found.groups.insert(id.clone(), HoldingGroup { name: group, members: BTreeSet::new() });
        found.people.values_mut().for_each(|person| person.display_name = format!("x{}", found.assignments[0].account_name));
        let toml = draft(&found);
        let file = parse(&toml, Format::Toml, "p.toml");
        prop_assert!(file.is_ok(), "{:?}\n{}", file, toml);
        let resolved = resolve(&file.unwrap(), &organisation.directory, &Setting::default());
        prop_assert!(resolved.policy.referenced_groups().contains(&id), "{:?}\n{}", resolved.problems, toml);
    }
}
