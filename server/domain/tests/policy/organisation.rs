//! The sandbox's organisation, as a directory: people, groups, accounts and permission sets that the
//! tests speak of by name.

use std::collections::{BTreeMap, BTreeSet};

use domain::directory::{Account, Directory, Group, Members, PermissionSet, Person, Status};
use domain::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};
use domain::policy::{
    BreakGlass, Facts, Format, Included, Nearest, Policy, Proposal, Resolved, Seconds, Setting,
    Verdict, decide, parse, parse_with, resolve,
};
use domain::target::Target;
use jiff::Timestamp;

/// Who is in which groups. Everyone but `liam.murphy` and `noah.berg`, who is disabled, is in
/// `Engineering` too.
pub(crate) const PEOPLE: [(&str, &[&str]); 14] = [
    ("ana.silva", &["SRE", "Payments"]),
    ("ben.okafor", &["SRE", "Oncall"]),
    ("carla.rossi", &["Payments"]),
    ("dmitri.volkov", &["Payments"]),
    ("emma.lindqvist", &["Security"]),
    ("farid.haddad", &["Security"]),
    ("grace.chen", &["Platform"]),
    ("hugo.martin", &["Audit"]),
    ("ines.costa", &["Data"]),
    ("jonas.weber", &["Data"]),
    ("keiko.tanaka", &["Platform"]),
    ("liam.murphy", &[]),
    ("mia.novak", &["Security", "Payments"]),
    ("noah.berg", &["Security"]),
];

/// Id, name, OUs from the root down, tags.
type AccountRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const ACCOUNTS: [AccountRow; 14] = [
    (
        "111122223333",
        "Payments Production",
        "Root/Production/Payments",
        &[("env", "prod"), ("team", "payments")],
    ),
    (
        "111122223334",
        "Payments Staging",
        "Root/Staging",
        &[("env", "staging")],
    ),
    (
        "222233334444",
        "Orders Production",
        "Root/Production",
        &[("env", "prod")],
    ),
    (
        "222233334445",
        "Orders Staging",
        "Root/Staging",
        &[("env", "staging")],
    ),
    (
        "333344445555",
        "Data Lake Production",
        "Root/Production/Data",
        &[("env", "prod")],
    ),
    (
        "333344445556",
        "Data Lake Dev",
        "Root/Development",
        &[("env", "dev")],
    ),
    (
        "444455556666",
        "Shared Services",
        "Root/Infrastructure",
        &[],
    ),
    ("555566667777", "Network", "Root/Infrastructure", &[]),
    ("666677778888", "Log Archive", "Root/Security", &[]),
    ("777788889999", "Security Tooling", "Root/Security", &[]),
    ("888899990000", "Sandbox Ana", "Root/Sandboxes", &[]),
    ("888899990001", "Sandbox Ben", "Root/Sandboxes", &[]),
    (
        "999900001111",
        "Web Production",
        "Root/Production",
        &[("env", "prod")],
    ),
    ("100000000001", "Management", "Root", &[]),
];

const SETS: [(&str, u32); 7] = [
    ("AdministratorAccess", 1),
    ("PowerUserAccess", 4),
    ("ReadOnlyAccess", 8),
    ("Billing", 1),
    ("DatabaseOperator", 2),
    ("SecurityAudit", 12),
    ("NetworkAdministrator", 1),
];

/// A directory to read and to change, and what the tests ask of it.
#[derive(Debug, Clone)]
pub(crate) struct Organisation {
    pub(crate) directory: Directory,
}

pub(crate) fn user_id(n: usize) -> UserId {
    UserId::parse(&format!("10000000-0000-4000-8000-{n:012}")).unwrap()
}

pub(crate) fn group_id(n: usize) -> GroupId {
    GroupId::parse(&format!("99670a1b2c-20000000-0000-4000-8000-{n:012}")).unwrap()
}

fn set_arn(n: usize) -> PermissionSetArn {
    PermissionSetArn::parse(&format!(
        "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-{n:016x}"
    ))
    .unwrap()
}

/// A Friday at noon, UTC.
pub(crate) fn now() -> Timestamp {
    at("2026-11-20T12:00:00Z")
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn seconds(text: &str) -> Seconds {
    Seconds::parse(text).unwrap()
}

impl Organisation {
    pub(crate) fn new() -> Self {
        let mut directory = Directory::default();
        for (id, name, path, tags) in ACCOUNTS {
            let ou_path: Vec<String> = path.split('/').map(str::to_owned).collect();
            let account = Account {
                id: AccountId::parse(id).unwrap(),
                name: name.to_owned(),
                ou_ids: ou_path
                    .iter()
                    .enumerate()
                    .map(|(level, ou)| ou_id(level, ou))
                    .collect(),
                ou_path,
                tags: tags
                    .iter()
                    .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                    .collect(),
                active: true,
            };
            directory.accounts.insert(account.id.clone(), account);
        }
        for (n, (name, hours)) in SETS.into_iter().enumerate() {
            let set = PermissionSet {
                arn: set_arn(n),
                name: PermissionSetName::parse(name).unwrap(),
                description: None,
                session_seconds: hours * 3_600,
            };
            directory.permission_sets.insert(set.arn.clone(), set);
        }
        let mut organisation = Self { directory };
        for (name, groups) in PEOPLE {
            organisation.add_person(name, &[&format!("{name}@example.com")], groups);
            if !["liam.murphy", "noah.berg"].contains(&name) {
                let engineering = organisation.group_or_new("Engineering");
                let id = organisation.user(name);
                organisation.change_members(&engineering, |members| {
                    members.insert(id.clone());
                });
            }
        }
        organisation.person("noah.berg").status = Status::Disabled;
        organisation.hold(
            "Incident Response",
            &[
                ("Payments Production", "SecurityAudit"),
                ("Orders Production", "ReadOnlyAccess"),
                ("Data Lake Production", "ReadOnlyAccess"),
            ],
        );
        let incident = organisation.group("Incident Response");
        organisation.change_members(&incident, std::collections::BTreeSet::clear);
        organisation
    }

    /// Adds a person and whatever groups are new.
    pub(crate) fn add_person(&mut self, name: &str, emails: &[&str], groups: &[&str]) -> UserId {
        let id = user_id(self.directory.people.len());
        self.directory.people.insert(
            id.clone(),
            Person {
                id: id.clone(),
                user_name: name.to_owned(),
                display_name: name.to_owned(),
                emails: emails.iter().map(|email| (*email).to_owned()).collect(),
                status: Status::Active,
            },
        );
        for group in groups {
            let group = self.group_or_new(group);
            self.change_members(&group, |members| {
                members.insert(id.clone());
            });
        }
        id
    }

    pub(crate) fn group_or_new(&mut self, name: &str) -> GroupId {
        if let Some(known) = self
            .directory
            .groups
            .values()
            .find(|group| group.name == name)
        {
            return known.id.clone();
        }
        let id = group_id(self.directory.groups.len());
        let group = Group {
            id: id.clone(),
            name: name.to_owned(),
        };
        self.directory.groups.insert(id.clone(), group);
        self.directory.members.insert(id.clone(), BTreeSet::new());
        id
    }

    pub(crate) fn change_members(
        &mut self,
        group: &GroupId,
        change: impl Fn(&mut BTreeSet<UserId>),
    ) {
        let mut members: BTreeSet<UserId> = self.directory.members.of(group).cloned().collect();
        change(&mut members);
        self.directory.members.insert(group.clone(), members);
    }

    pub(crate) fn person(&mut self, name: &str) -> &mut Person {
        self.directory
            .people
            .values_mut()
            .find(|person| person.user_name == name)
            .unwrap()
    }

    pub(crate) fn account(&mut self, name: &str) -> &mut Account {
        self.directory
            .accounts
            .values_mut()
            .find(|account| account.name == name)
            .unwrap()
    }

    pub(crate) fn user(&self, name: &str) -> UserId {
        self.directory
            .people
            .values()
            .find(|person| person.user_name == name)
            .unwrap_or_else(|| panic!("no person {name}"))
            .id
            .clone()
    }

    pub(crate) fn group(&self, name: &str) -> GroupId {
        let mut groups = self.directory.groups.values();
        groups.find(|group| group.name == name).unwrap().id.clone()
    }

    pub(crate) fn name(&self, user: &UserId) -> String {
        self.directory.people[user].user_name.clone()
    }

    pub(crate) fn target(&self, account: &str, set: &str) -> Target {
        let found = self
            .directory
            .accounts
            .values()
            .find(|known| known.name == account);
        Target::Account {
            account: found
                .unwrap_or_else(|| panic!("no account {account}"))
                .id
                .clone(),
            permission_set: self
                .directory
                .permission_set_named(set)
                .unwrap()
                .arn
                .clone(),
        }
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts::of_snapshot(&self.directory)
    }

    pub(crate) fn facts_with<'a>(&'a self, members: &'a Members) -> Facts<'a> {
        Facts {
            directory: &self.directory,
            members,
            holdings: &self.directory.holdings,
            statuses: None,
        }
    }

    /// A policy of these rules, with the usual head.
    pub(crate) fn policy(&self, rules: &str) -> Policy {
        self.resolved(rules, &Setting::default()).policy
    }

    pub(crate) fn resolved(&self, rules: &str, setting: &Setting) -> Resolved {
        let source = format!("version = 1\n{rules}");
        let file = parse(&source, Format::Toml, "policy.toml")
            .unwrap_or_else(|problems| panic!("{problems:#?}\n{source}"));
        resolve(&file, &self.directory, setting)
    }

    /// The same with files that it includes.
    pub(crate) fn policy_including(&self, rules: &str, files: &[(&str, &str)]) -> Policy {
        let source = format!("version = 1\n{rules}");
        let file = parse_with(&source, Format::Toml, "policy.toml", &included(files))
            .unwrap_or_else(|problems| panic!("{problems:#?}\n{source}"));
        resolve(&file, &self.directory, &Setting::default()).policy
    }

    /// What a group is assigned.
    pub(crate) fn hold(&mut self, group: &str, pairs: &[(&str, &str)]) {
        let held = pairs
            .iter()
            .map(|(account, set)| match self.target(account, set) {
                Target::Account {
                    account,
                    permission_set,
                } => (account, permission_set),
                Target::Group { .. } => panic!("a group holds no groups"),
            })
            .collect();
        let group = self.group_or_new(group);
        self.directory.holdings.insert(group, held);
    }

    pub(crate) fn group_target(&self, name: &str) -> Target {
        Target::Group {
            group: self.group(name),
        }
    }

    /// A plain proposal, to be changed.
    pub(crate) fn proposal(&self, by: &str, account: &str, set: &str, duration: &str) -> Proposal {
        let target = self.target(account, set);
        Proposal::new(self.user(by), target, seconds(duration), 40, now())
    }

    /// The verdict's line. Whatever it calls the nearest is allowed.
    pub(crate) fn judge(&self, policy: &Policy, proposal: &Proposal) -> String {
        let verdict = decide(policy, proposal, &self.facts());
        if let Some(nearest) = &verdict.nearest {
            let near = near(proposal, nearest);
            let instead = decide(policy, &near, &self.facts());
            assert_ne!(
                instead.outcome,
                domain::policy::Outcome::Refused,
                "{nearest}: {near:?} {instead:#?}"
            );
        }
        self.line(&verdict)
    }

    pub(crate) fn ask(
        &self,
        policy: &Policy,
        by: &str,
        account: &str,
        set: &str,
        duration: &str,
    ) -> Verdict {
        self.decide(policy, by, &self.target(account, set), duration)
    }

    pub(crate) fn decide(
        &self,
        policy: &Policy,
        by: &str,
        target: &Target,
        duration: &str,
    ) -> Verdict {
        let proposal = Proposal::new(self.user(by), target.clone(), seconds(duration), 40, now());
        decide(policy, &proposal, &self.facts())
    }

    /// A verdict on one line: `pending needs-approval: rule 1 of emma farid`.
    pub(crate) fn line(&self, verdict: &Verdict) -> String {
        let outcome = format!("{:?}", verdict.outcome).to_lowercase();
        let routes: Vec<String> = verdict
            .routes
            .iter()
            .map(|route| {
                let first_names: Vec<String> = route
                    .approvers
                    .iter()
                    .map(|user| self.name(user).split('.').next().unwrap().to_owned())
                    .collect();
                let own = if route.self_counts { " and self" } else { "" };
                if route.approvals == 0 {
                    format!("{} at once", route.rule)
                } else {
                    format!(
                        "{} {} of {}{own}",
                        route.rule,
                        route.approvals,
                        first_names.join(" ")
                    )
                }
            })
            .collect();
        let mut line = format!("{outcome} {}", verdict.code);
        if !routes.is_empty() {
            line = format!("{line}: {}", routes.join("; "));
        }
        if let Some(nearest) = verdict.nearest {
            line = format!("{line} ({nearest})");
        }
        line
    }
}

/// The proposal as the verdict says that it would be allowed; tickets are those of [`TICKET`].
pub(crate) fn near(proposal: &Proposal, nearest: &Nearest) -> Proposal {
    let mut near = proposal.clone();
    near.duration = nearest.duration.unwrap_or(near.duration);
    near.reason_chars = nearest.reason_chars.unwrap_or(near.reason_chars);
    near.start = nearest.start.or(near.start);
    if nearest.ticket {
        near.ticket = Some(TICKET.to_owned());
    }
    if nearest.break_glass {
        near.break_glass = BreakGlass::Asked;
    }
    if nearest.without_break_glass {
        near.break_glass = BreakGlass::No;
    }
    near
}

/// One that every pattern of these tests accepts.
pub(crate) const TICKET: &str = "PAY-12";

pub(crate) fn included(files: &[(&str, &str)]) -> Included {
    files
        .iter()
        .map(|(name, text)| ((*name).to_owned(), Ok((*text).to_owned())))
        .collect()
}

fn ou_id(level: usize, name: &str) -> String {
    if level == 0 {
        "r-ab12".to_owned()
    } else {
        let letters: String = name.to_lowercase().chars().take(8).collect();
        format!("ou-ab12-{letters:0>8}")
    }
}

/// A rule with the usual keys, and any others.
pub(crate) fn rule(name: &str, keys: &[(&str, &str)]) -> String {
    let mut all: BTreeMap<&str, String> = BTreeMap::from([
        ("accounts", "[\"*\"]".to_owned()),
        ("permission_sets", "[\"*\"]".to_owned()),
        ("requesters", "[\"group:Payments\"]".to_owned()),
        ("approvers", "[\"group:Security\"]".to_owned()),
    ]);
    for (key, value) in keys {
        if value.is_empty() {
            all.remove(key);
        } else {
            all.insert(key, (*value).to_owned());
        }
    }
    let body: Vec<String> = all.iter().map(|(k, v)| format!("{k} = {v}")).collect();
    format!("[[rule]]\nname = \"{name}\"\n{}\n", body.join("\n"))
}

/// A guardrail over every account, unless its keys say where.
pub(crate) fn guardrail(name: &str, keys: &[(&str, &str)]) -> String {
    let somewhere = ["accounts", "permission_sets", "groups"];
    let everywhere = !keys.iter().any(|(key, _)| somewhere.contains(key));
    let lines: Vec<String> = everywhere
        .then(|| "accounts = [\"*\"]\n".to_owned())
        .into_iter()
        .chain(keys.iter().map(|(key, value)| format!("{key} = {value}\n")))
        .collect();
    format!("[[guardrail]]\nname = \"{name}\"\n{}", lines.concat())
}
