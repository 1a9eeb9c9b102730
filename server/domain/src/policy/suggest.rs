//! From standing access to a draft policy: what people hold today becomes what they may ask for.
//!
//! One rule for each permission set and set of accounts, for everyone who holds just that; groups
//! stay groups. Whoever holds something today may ask for it under the draft, and nobody else may.
//! Everything that a program cannot know (who should approve, for how long, whether the access is
//! still needed) is a comment to review.
//!
//! Deliberately absent: patterns, OUs and `*`. They would cover accounts that nobody has today.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::{Place, Problem, ProblemCode, Problems, counted};
use super::source::why_not_json;
use super::written::{comment, list, quoted, too_large};
use crate::directory::Status;
use crate::id::{AccountId, GroupId};
use crate::inventory::{Inventory, Principal, SCHEMA};

/// Entries in one list of a rule: as many as the language takes. Longer ones become several rules.
const ENTRIES_MAX: usize = 1_000;

const HEAD: &str = r#"# A draft, from what stands in Identity Center. Whoever holds something there may ask for it here,
# and nobody else. Before it is used, look at each REVIEW, and at these:
#
# - Approvers are those who hold the same today, for one another: name who really decides.
# - Accounts are listed one by one. Where an OU is meant, write "ou:NAME" instead.
# - What need not be asked for any more is best left out. Temporary access that was live when the
#   inventory was read is in it as well.
# - Belay never removes standing access. Once the policy is in force, take it away in Identity Center:
#   what stands is not temporary.

version = 1
admins = []       # who sees everything and may end anything, such as "group:Platform"
auditors = []     # who sees everything and changes nothing

[defaults]
max_duration = "8h"     # REVIEW: the longest access, and less for what is dangerous
"#;

/// Drafts a policy from what `belay inventory --format json` printed.
pub fn suggest(source: &str, file_name: &str) -> Result<String, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    let policy = read(source, &mut problems).and_then(|inventory| draft(&inventory, &mut problems));
    match policy {
        Some(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems.into_sorted()),
    }
}

fn read(source: &str, problems: &mut Problems<'_>) -> Option<Inventory> {
    const HELP: &str = "give what `belay inventory --format json` printed";
    let inventory: Inventory = match serde_json::from_str(source) {
        Ok(inventory) => inventory,
        Err(error) => {
            let place = Place {
                line: u32::try_from(error.line().max(1)).unwrap_or(u32::MAX),
                column: u32::try_from(error.column().max(1)).unwrap_or(u32::MAX),
            };
            problems.error(place, ProblemCode::Syntax, why_not_json(&error), HELP);
            return None;
        }
    };
    if inventory.schema != SCHEMA {
        problems.error(
            Place::START,
            ProblemCode::UnsupportedVersion,
            format!(
                "`schema` is {}, and this Belay reads {SCHEMA}",
                inventory.schema
            ),
            HELP,
        );
        return None;
    }
    Some(inventory)
}

fn draft(inventory: &Inventory, problems: &mut Problems<'_>) -> Option<String> {
    let mut text = HEAD.to_owned();
    for gone in gone(inventory) {
        text.push_str(&gone);
    }
    let rules = rules(inventory);
    if rules.is_empty() {
        problems.error(
            Place::START,
            ProblemCode::MissingKey,
            "nobody who exists holds anything, so there is nothing to draft",
            "write the rules yourself",
        );
        return None;
    }
    let names = Names::of(inventory);
    for rule in &rules {
        text.push('\n');
        rule.write(inventory, &names, &mut text);
    }
    too_large(&text, problems);
    Some(text)
}

/// Comments on assignments of people and groups that no longer exist.
fn gone(inventory: &Inventory) -> Vec<String> {
    let mut all: BTreeMap<&Principal, usize> = BTreeMap::new();
    for assignment in &inventory.assignments {
        if !exists(&assignment.principal, inventory) {
            *all.entry(&assignment.principal).or_default() += 1;
        }
    }
    if all.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        "\n# REVIEW: these no longer exist and still hold something; remove that.\n".to_owned(),
    ];
    lines.extend(all.into_iter().map(|(principal, held)| {
        let (kind, id) = match principal {
            Principal::User(id) => ("person", id.as_str()),
            Principal::Group(id) => ("group", id.as_str()),
        };
        format!("#   {kind} {id}: {}\n", counted(held, "assignment"))
    }));
    lines
}

fn exists(principal: &Principal, inventory: &Inventory) -> bool {
    match principal {
        Principal::User(id) => inventory.people.contains_key(id),
        Principal::Group(id) => inventory.groups.contains_key(id),
    }
}

/// One rule to be.
struct Draft<'a> {
    name: String,
    permission_set: &'a str,
    accounts: Vec<&'a AccountId>,
    holders: Vec<&'a Principal>,
}

fn rules(inventory: &Inventory) -> Vec<Draft<'_>> {
    // Where each holds each set; then who holds it in just the same accounts.
    let mut held: BTreeMap<(&str, &Principal), BTreeSet<&AccountId>> = BTreeMap::new();
    for assignment in &inventory.assignments {
        if exists(&assignment.principal, inventory) {
            held.entry((assignment.permission_set.as_str(), &assignment.principal))
                .or_default()
                .insert(&assignment.account_id);
        }
    }
    let mut alike: BTreeMap<(&str, BTreeSet<&AccountId>), Vec<&Principal>> = BTreeMap::new();
    for ((set, holder), accounts) in held {
        alike.entry((set, accounts)).or_default().push(holder);
    }
    let mut rules = Vec::new();
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    for ((set, accounts), holders) in &alike {
        let accounts: Vec<&AccountId> = accounts.iter().copied().collect();
        for accounts in accounts.chunks(ENTRIES_MAX) {
            for holders in holders.chunks(ENTRIES_MAX) {
                let stem = stem(set);
                let number = taken.entry(stem.clone()).or_default();
                *number += 1;
                rules.push(Draft {
                    name: format!("{stem} {number}"),
                    permission_set: set,
                    accounts: accounts.to_vec(),
                    holders: holders.to_vec(),
                });
            }
        }
    }
    rules
}

/// What of a permission set's name a rule's name may hold, beginning with a letter or digit. Numbers
/// tell apart what becomes the same.
fn stem(set: &str) -> String {
    let plain: String = set
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    let begins = plain.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins { plain } else { format!("set{plain}") }
}

impl Draft<'_> {
    fn write(&self, inventory: &Inventory, names: &Names<'_>, text: &mut String) {
        let mut line = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        for remark in self.remarks(inventory) {
            line(&format!("# REVIEW: {}", comment(&remark)));
        }
        line("[[rule]]");
        line(&format!("name = {}", quoted(&self.name)));
        line("accounts = [");
        for account in &self.accounts {
            line(&format!(
                "    \"{account}\",    # {}",
                comment(names.account(account))
            ));
        }
        line("]");
        line(&list("permission_sets", &[self.permission_set.to_owned()]));
        let who: Vec<String> = self
            .holders
            .iter()
            .map(|holder| names.selector(holder))
            .collect();
        line(&list("requesters", &who));
        line(&list("approvers", &who));
        line("self_approval = \"deny\"");
    }

    /// What a reader should think about.
    fn remarks(&self, inventory: &Inventory) -> Vec<String> {
        let mut remarks = Vec::new();
        let mut people = BTreeSet::new();
        for holder in &self.holders {
            match holder {
                Principal::User(id) => {
                    people.insert(id);
                    let Some(person) = inventory.people.get(id) else {
                        continue;
                    };
                    let held = if person.status == Status::Disabled {
                        "is disabled, and holds it all the same"
                    } else {
                        "holds it directly; would a group say why?"
                    };
                    remarks.push(format!("{} {held}", person.display_name));
                }
                Principal::Group(id) => {
                    let Some(group) = inventory.groups.get(id) else {
                        continue;
                    };
                    people.extend(&group.members);
                    if group.members.is_empty() {
                        remarks.push(format!("nobody is in {}", group.name));
                    }
                }
            }
        }
        let able = people.iter().filter(|id| {
            let person = inventory.people.get(**id);
            person.is_some_and(|person| person.status == Status::Active)
        });
        if able.count() < 2 {
            remarks.push(
                "nobody else holds just this, so nobody could approve: name approvers".to_owned(),
            );
        }
        remarks
    }
}

/// How accounts, people and groups are called.
struct Names<'a> {
    inventory: &'a Inventory,
    accounts: BTreeMap<&'a AccountId, &'a str>,
    /// How many people go by a name or an address, whatever its case.
    people: BTreeMap<String, usize>,
    groups: BTreeMap<&'a str, usize>,
}

impl<'a> Names<'a> {
    fn of(inventory: &'a Inventory) -> Self {
        let mut people = BTreeMap::new();
        for person in inventory.people.values() {
            let called = std::iter::once(&person.user_name).chain(&person.email);
            let called: BTreeSet<String> = called.map(|name| name.to_lowercase()).collect();
            for name in called {
                *people.entry(name).or_default() += 1;
            }
        }
        let mut groups = BTreeMap::new();
        for group in inventory.groups.values() {
            *groups.entry(group.name.as_str()).or_default() += 1;
        }
        let assignments = inventory.assignments.iter();
        Self {
            inventory,
            accounts: assignments
                .map(|assignment| (&assignment.account_id, assignment.account_name.as_str()))
                .collect(),
            people,
            groups,
        }
    }

    fn account(&self, id: &AccountId) -> &str {
        match self.accounts.get(id).copied() {
            None | Some("") => "no longer in the organisation",
            Some(name) => name,
        }
    }

    /// By name, which people read, unless only the id says for certain who is meant.
    fn selector(&self, holder: &Principal) -> String {
        match holder {
            Principal::User(id) => self
                .inventory
                .people
                .get(id)
                .map(|person| &person.user_name)
                .filter(|name| is_plain(name) && self.people.get(&name.to_lowercase()) == Some(&1))
                .map_or_else(|| format!("user:{id}"), |name| format!("user:{name}")),
            Principal::Group(id) => self
                .inventory
                .groups
                .get(id)
                .map(|group| &group.name)
                .filter(|name| is_plain(name) && self.groups.get(name.as_str()) == Some(&1))
                .map_or_else(|| format!("group:{id}"), |name| format!("group:{name}")),
        }
    }
}

/// Whether a name can be written as one: not empty, not an id, without spaces around it or anything
/// that cannot be seen.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.trim() == name
        && GroupId::parse(name).is_err()
        && comment(name) == name
}
