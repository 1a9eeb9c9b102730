//! Whatever policy is written, it decides about a small organisation without a contradiction: the
//! index says what the rules say, what is on offer can be had, and what is called the nearest is not
//! refused.

#![no_main]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use domain::catalogue::Catalogue;
use domain::directory::{Account, Directory, Group, PermissionSet, Person, Status};
use domain::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};
use domain::policy::{
    BreakGlass, Facts, Format, Nearest, Outcome, Proposal, Seconds, Setting, decide, parse,
    resolve, warnings,
};
use domain::target::Target;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

const ACCOUNTS: [(&str, &str, &[&str], &str); 3] = [
    ("111122223333", "Payments", &["Root", "Production"], "prod"),
    ("222233334444", "Orders", &["Root", "Production"], "prod"),
    ("333344445555", "Network", &["Root"], "dev"),
];

const SETS: [(&str, u32); 2] = [("AdministratorAccess", 3_600), ("ReadOnly", 43_200)];

const PEOPLE: [(&str, &[&str]); 3] = [
    ("ana.silva", &["SRE"]),
    ("ben.okafor", &["SRE", "Security"]),
    ("hugo.martin", &["Security"]),
];

const GROUPS: [&str; 3] = ["SRE", "Security", "Oncall"];

fn person(n: usize) -> UserId {
    UserId::parse(&format!("10000000-0000-4000-8000-{n:012}")).unwrap()
}

fn group(n: usize) -> GroupId {
    GroupId::parse(&format!("99670a1b2c-20000000-0000-4000-8000-{n:012}")).unwrap()
}

fn account(n: usize) -> AccountId {
    AccountId::parse(ACCOUNTS[n].0).unwrap()
}

fn set(n: usize) -> PermissionSetArn {
    let arn = format!("arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{n:016x}");
    PermissionSetArn::parse(&arn).unwrap()
}

static ORGANISATION: LazyLock<Directory> = LazyLock::new(|| {
    let mut directory = Directory::default();
    for (n, (_, name, ous, env)) in ACCOUNTS.into_iter().enumerate() {
        let path: Vec<String> = ous.iter().map(ToString::to_string).collect();
        let ids = ["r-ab12", "ou-ab12-00000001"];
        let account = Account {
            id: account(n),
            name: name.to_owned(),
            ou_ids: ids[..path.len()].iter().map(ToString::to_string).collect(),
            ou_path: path,
            tags: BTreeMap::from([("env".to_owned(), env.to_owned())]),
            active: true,
        };
        directory.accounts.insert(account.id.clone(), account);
    }
    for (n, (name, session_seconds)) in SETS.into_iter().enumerate() {
        let set = PermissionSet {
            arn: set(n),
            name: PermissionSetName::parse(name).unwrap(),
            description: None,
            session_seconds,
        };
        directory.permission_sets.insert(set.arn.clone(), set);
    }
    for (n, name) in GROUPS.into_iter().enumerate() {
        let id = group(n);
        let name = name.to_owned();
        directory.members.insert(id.clone(), BTreeSet::new());
        directory.holdings.insert(id.clone(), BTreeSet::from([(account(n), set(n % 2))]));
        directory.groups.insert(id.clone(), Group { id, name });
    }
    for (n, (name, _)) in PEOPLE.into_iter().enumerate() {
        let person = Person {
            id: person(n),
            user_name: name.to_owned(),
            display_name: name.to_owned(),
            emails: vec![format!("{name}@example.com")],
            status: Status::Active,
        };
        directory.people.insert(person.id.clone(), person);
    }
    for (n, name) in GROUPS.into_iter().enumerate() {
        let of = |groups: &[&str]| groups.contains(&name);
        let members = PEOPLE.iter().enumerate().filter(|(_, (_, groups))| of(groups));
        let members = members.map(|(n, _)| person(n)).collect();
        directory.members.insert(group(n), members);
    }
    directory
});

/// What is called the nearest; `None` where a ticket is missing that nobody here can write.
fn instead(asked: &Proposal, nearest: &Nearest) -> Option<Proposal> {
    let break_glass = match asked.break_glass {
        _ if nearest.break_glass => BreakGlass::Asked,
        _ if nearest.without_break_glass => BreakGlass::No,
        as_asked => as_asked,
    };
    (!nearest.ticket).then(|| Proposal {
        duration: nearest.duration.unwrap_or(asked.duration),
        reason_chars: nearest.reason_chars.unwrap_or(asked.reason_chars),
        start: nearest.start.or(asked.start),
        break_glass,
        ..asked.clone()
    })
}

fn targets() -> impl Iterator<Item = Target> {
    let pairs = (0..ACCOUNTS.len()).flat_map(|a| (0..SETS.len()).map(move |s| (a, s)));
    let pairs = pairs.map(|(a, s)| Target::Account {
        account: account(a),
        permission_set: set(s),
    });
    pairs.chain((0..GROUPS.len()).map(|n| Target::Group { group: group(n) }))
}

fuzz_target!(|source: &str| {
    let format = if source.trim_start().starts_with('{') {
        Format::Json
    } else {
        Format::Toml
    };
    let Ok(file) = parse(source, format, "p") else {
        return;
    };
    let directory = &*ORGANISATION;
    let policy = Arc::new(resolve(&file, directory, &Setting::default()).policy);
    let _ = warnings(&file, Some(directory));
    let catalogue = Catalogue::build(Arc::clone(&policy), directory);
    let facts = Facts::of_snapshot(directory);
    let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    for by in (0..PEOPLE.len()).map(person) {
        let offered = catalogue.for_person(&by, &facts).entries();
        for entry in &offered {
            let min = policy.min_duration().get();
            assert!(entry.offer.max_duration.get() >= min, "{entry:?}");
        }
        for target in targets() {
            for (minutes, break_glass) in [(60, BreakGlass::No), (600, BreakGlass::Asked)] {
                let length = Seconds::from_minutes(minutes);
                let mut asked = Proposal::new(by.clone(), target.clone(), length, 40, now);
                asked.break_glass = break_glass;
                let verdict = decide(&policy, &asked, &facts);
                assert_eq!(verdict, catalogue.decide(&asked, &facts));
                if let Some(nearest) = &verdict.nearest {
                    assert_eq!(verdict.outcome, Outcome::Refused, "{verdict:?}");
                    if let Some(instead) = instead(&asked, nearest) {
                        let next = decide(&policy, &instead, &facts);
                        let refused = next.outcome == Outcome::Refused;
                        assert!(!refused, "{nearest}: {verdict:?}, then {next:?}");
                    }
                }
                if let Target::Account { account, permission_set } = &target
                    && verdict.outcome != Outcome::Refused
                {
                    let listed = offered.iter().any(|entry| {
                        entry.account == *account && entry.permission_set == *permission_set
                    });
                    assert!(listed, "{verdict:?} is not on offer");
                }
            }
        }
    }
});
