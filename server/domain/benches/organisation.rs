//! A large organisation and its policy, made up: every name and number from its place in the list.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use domain::directory::{Account, Directory, Group, PermissionSet, Person, Status};
use domain::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};
use domain::policy::{Format, Policy, Setting, parse, resolve};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rules: usize,
    pub(crate) accounts: usize,
    pub(crate) sets: usize,
}

pub(crate) const LARGEST: Size = Size {
    rules: 1_000,
    accounts: 5_000,
    sets: 500,
};

const PEOPLE: usize = 20_000;
const GROUPS: usize = 2_000;
const OUS: usize = 200;
const GUARDRAILS: usize = 50;

/// As Identity Center's are: no two begin alike.
fn uuid(n: usize, kind: u64) -> String {
    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ kind;
    let (high, low) = (mixed >> 32, mixed & 0xffff_ffff);
    format!("{high:08x}-0000-4000-8000-{low:012x}")
}

pub(crate) fn user(n: usize) -> UserId {
    UserId::parse(&uuid(n, 1)).unwrap()
}

fn group(n: usize) -> GroupId {
    GroupId::parse(&uuid(n, 2)).unwrap()
}

pub(crate) fn account(n: usize) -> AccountId {
    AccountId::parse(&format!("{}", 200_000_000_000 + n)).unwrap()
}

pub(crate) fn set(n: usize) -> PermissionSetArn {
    PermissionSetArn::parse(&format!(
        "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{n:016x}"
    ))
    .unwrap()
}

pub(crate) fn directory(size: Size) -> Directory {
    let mut directory = Directory::default();
    for n in 0..size.accounts {
        let ou = n % OUS;
        let env = ["prod", "staging", "dev"][n % 3];
        let id = account(n);
        directory.accounts.insert(
            id.clone(),
            Account {
                id,
                name: format!("team{:03}-{env}-{n}", n % 150),
                ou_path: vec![
                    "Root".into(),
                    format!("Division{}", ou % 10),
                    format!("Unit{ou}"),
                ],
                ou_ids: vec![
                    "r-ab12".into(),
                    format!("ou-ab12-{:08}", ou % 10),
                    format!("ou-ab12-{:08}", 1_000 + ou),
                ],
                tags: BTreeMap::from([
                    ("env".to_owned(), env.to_owned()),
                    ("team".to_owned(), format!("team{:03}", n % 150)),
                ]),
                active: true,
            },
        );
    }
    for n in 0..size.sets {
        let arn = set(n);
        directory.permission_sets.insert(
            arn.clone(),
            PermissionSet {
                arn,
                name: PermissionSetName::parse(&format!("Duty{:02}-{n}", n % 50)).unwrap(),
                description: None,
                session_seconds: 3_600 * (1 + u32::try_from(n % 12).unwrap()),
            },
        );
    }
    for n in 0..PEOPLE {
        let id = user(n);
        directory.people.insert(
            id.clone(),
            Person {
                id,
                user_name: format!("person{n}"),
                display_name: format!("Person {n}"),
                emails: vec![format!("person{n}@example.com")],
                status: Status::Active,
            },
        );
    }
    for n in 0..GROUPS {
        let id = group(n);
        let name = format!("Group {n}");
        directory.groups.insert(
            id.clone(),
            Group {
                id: id.clone(),
                name,
            },
        );
        let mut members: BTreeSet<UserId> =
            (0..50).map(|m| user((n * 37 + m * 401) % PEOPLE)).collect();
        if n % 20 == 0 {
            members.insert(user(0));
        }
        directory.members.insert(id, members);
    }
    directory
}

fn source(size: Size) -> String {
    let mut text = "version = 1\n".to_owned();
    for n in 0..size.rules {
        let accounts = match n % 5 {
            0 | 1 => format!("\"ou:Unit{}\"", n % OUS),
            2 => format!("\"tag:team=team{:03}\"", n % 150),
            3 => format!("\"name:team{:03}-*\"", n % 150),
            _ => (0..20)
                .map(|m| format!("\"{}\"", account((n * 13 + m) % size.accounts)))
                .collect::<Vec<_>>()
                .join(", "),
        };
        let sets = match n % 4 {
            0 => format!("\"Duty{:02}-*\"", n % 50),
            _ => (0..4)
                .map(|m| {
                    let n = (n * 7 + m) % size.sets;
                    format!("\"Duty{:02}-{n}\"", n % 50)
                })
                .collect::<Vec<_>>()
                .join(", "),
        };
        let approval = match n % 10 {
            0 => "approval = \"none\"\n",
            1 => "approval = \"required\"\n",
            _ => "",
        };
        write!(
            text,
            "[[rule]]\nname = \"rule {n}\"\naccounts = [{accounts}]\npermission_sets = [{sets}]\n\
             requesters = [\"group:Group {}\", \"group:Group {}\"]\n\
             approvers = [\"group:Group {}\"]\n{approval}",
            n % GROUPS,
            (n * 3 + 1) % GROUPS,
            (n * 11 + 5) % GROUPS,
        )
        .unwrap();
    }
    for n in 0..GUARDRAILS {
        write!(
            text,
            "[[guardrail]]\nname = \"guardrail {n}\"\naccounts = [\"ou:Unit{}\"]\nmax_duration = \"4h\"\n\
             max_session = \"11h\"\n",
            n * 3 % OUS,
        )
        .unwrap();
    }
    text
}

pub(crate) fn policy(size: Size, directory: &Directory) -> Policy {
    let file = parse(&source(size), Format::Toml, "policy.toml").expect("a valid policy");
    resolve(&file, directory, &Setting::default()).policy
}
