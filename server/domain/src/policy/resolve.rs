//! From names to ids.
//!
//! A name is looked up once, when the policy loads, and the id stays with that version: a group that
//! is deleted and made again under the same name by somebody else matches nobody until a new version
//! of the policy loads. A name that matches nobody, or more than one, is a warning and matches
//! nobody, so that one leaver cannot stop a policy from loading.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::accounts::{covers, ous};
use super::language::{
    AccountSelector, Approval, PersonSelector, Placed, PolicyFile, RuleSource, SetSelector,
};
use super::problem::{Problem, ProblemCode, Problems, counted, nearest, quote};
use super::who::Who;
use super::{Facts, Policy, Rule, SetMatch};
use crate::directory::Directory;
use crate::id::{AccountId, GroupId, PermissionSetArn, PolicyVersion, UserId};

/// What the deployment adds to what the policy says.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Accounts that no policy can open.
    pub protected: BTreeSet<AccountId>,
    /// What names meant when this same policy was loaded before, if it was.
    pub earlier: Option<Bindings>,
}

/// What the names of one policy mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bindings {
    /// SHA-256 of the policy's canonical form: names of another policy are looked up afresh.
    pub(super) source: String,
    pub(super) users: BTreeMap<String, UserId>,
    pub(super) groups: BTreeMap<String, GroupId>,
    pub(super) permission_sets: BTreeMap<String, PermissionSetArn>,
}

/// A policy that can decide, and what is doubtful about it.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Ready to use.
    pub policy: Policy,
    /// Warnings only: parts that match nobody, rules that nobody can approve.
    pub problems: Vec<Problem>,
}

/// Looks up every name.
#[must_use]
pub fn resolve(file: &PolicyFile, directory: &Directory, setting: &Setting) -> Resolved {
    let source = digest(&canonical(file));
    let earlier = setting
        .earlier
        .as_ref()
        .filter(|earlier| earlier.source == source)
        .cloned();
    let mut names = Names {
        directory,
        problems: Problems::new(&file.file),
        bindings: earlier.unwrap_or(Bindings {
            source,
            ..Bindings::default()
        }),
    };
    let admins = names.people(&file.admins);
    let auditors = names.people(&file.auditors);
    let mut rules: Vec<Rule> = file
        .rules
        .iter()
        .map(|rule| names.rule(rule, file))
        .collect();
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    let Names {
        problems, bindings, ..
    } = names;
    let version = version(&bindings, &setting.protected);
    Resolved {
        policy: Policy {
            version,
            admins,
            auditors,
            defaults: file.defaults,
            rules,
            protected: setting.protected.clone(),
            bindings,
        },
        problems: problems.into_sorted(),
    }
}

/// What a policy says, whatever its notation, comments, order and spacing.
fn canonical(file: &PolicyFile) -> serde_json::Value {
    fn texts<T: ToString>(list: &[Placed<T>]) -> BTreeSet<String> {
        list.iter().map(|item| item.value.to_string()).collect()
    }
    let mut rules: Vec<&RuleSource> = file.rules.iter().collect();
    rules.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let rules: Vec<serde_json::Value> = rules
        .into_iter()
        .map(|rule| {
            json!({
                "name": rule.name.value,
                "accounts": texts(&rule.accounts),
                "permission_sets": texts(&rule.permission_sets),
                "requesters": texts(&rule.requesters),
                "approvers": texts(&rule.approvers),
                "approvals": rule.approvals,
                "approval": rule.approval,
                "max_duration": rule.max_duration,
                "durations": rule.durations,
                "self_approval": rule.self_approval,
            })
        })
        .collect();
    json!({
        "language": 1,
        "admins": texts(&file.admins),
        "auditors": texts(&file.auditors),
        "defaults": file.defaults,
        "rules": rules,
    })
}

/// The source alone does not say who is meant, so the ids are part of the version.
fn version(bindings: &Bindings, protected: &BTreeSet<AccountId>) -> PolicyVersion {
    let whole = json!({ "bindings": bindings, "protected": protected });
    PolicyVersion::of_digest(Sha256::digest(whole.to_string()).into())
}

fn digest(value: &serde_json::Value) -> String {
    // `serde_json`'s maps are sorted, so equal values have equal texts.
    PolicyVersion::of_digest(Sha256::digest(value.to_string()).into()).into()
}

struct Names<'a> {
    directory: &'a Directory,
    problems: Problems<'a>,
    bindings: Bindings,
}

impl Names<'_> {
    fn rule(&mut self, rule: &RuleSource, file: &PolicyFile) -> Rule {
        for selector in &rule.accounts {
            self.account(selector);
            self.changeable(rule, selector);
        }
        let sets = rule
            .permission_sets
            .iter()
            .filter_map(|selector| self.permission_set(selector))
            .collect();
        let requesters = self.people(&rule.requesters);
        let approvers = self.people(&rule.approvers);
        self.enough_approvers(rule, &approvers);
        let max_duration = rule.max_duration.unwrap_or(file.defaults.max_duration);
        Rule {
            name: rule.name.value.clone(),
            accounts: rule.accounts.iter().map(|a| a.value.clone()).collect(),
            sets,
            requesters,
            approvers,
            approvals: rule.approvals,
            approval: rule.approval,
            max_duration,
            durations: rule.durations.clone(),
            self_approval: rule.self_approval,
        }
    }

    fn account(&mut self, selector: &Placed<AccountSelector>) {
        let covered = self
            .directory
            .accounts
            .values()
            .any(|account| covers(&selector.value, account));
        if let AccountSelector::Ou(name) = &selector.value {
            let meant = ous(self.directory, name);
            if meant.len() > 1 {
                let paths: Vec<String> = meant.into_iter().map(|path| quote(&path)).collect();
                self.problems.warn(
                    selector.place,
                    ProblemCode::AmbiguousName,
                    format!("`ou:{name}` is {} OUs: {}", paths.len(), paths.join(", ")),
                    "all are covered; write the path or the id to mean one",
                );
            }
        }
        if !covered {
            self.problems.warn(
                selector.place,
                ProblemCode::MatchesNothing,
                format!("no account matches `{}`", selector.value),
                "it gives nothing until one does; check the spelling",
            );
        }
    }

    /// Whoever may rename or tag an account could move it under a rule that asks nobody.
    fn changeable(&mut self, rule: &RuleSource, selector: &Placed<AccountSelector>) {
        let changeable = matches!(
            selector.value,
            AccountSelector::Name(_) | AccountSelector::Tag { .. }
        );
        if changeable && rule.approval == Some(Approval::None) {
            self.problems.warn(
                selector.place,
                ProblemCode::ChangeableName,
                format!(
                    "rule `{}` grants without approval by `{}`, which others can change",
                    rule.name.value, selector.value
                ),
                "use account ids or an OU",
            );
        }
    }

    fn permission_set(&mut self, selector: &Placed<SetSelector>) -> Option<SetMatch> {
        let sets = &self.directory.permission_sets;
        let (found, known) = match &selector.value {
            SetSelector::Arn(arn) => (Some(SetMatch::Arn(arn.clone())), sets.contains_key(arn)),
            SetSelector::Pattern(pattern) => (
                Some(SetMatch::Pattern(pattern.clone())),
                sets.values().any(|set| pattern.matches(set.name.as_str())),
            ),
            SetSelector::Name(name) => {
                let bound = self.bindings.permission_sets.get(name.as_str()).cloned();
                let arn = bound.or_else(|| {
                    self.directory
                        .permission_set_named(name.as_str())
                        .map(|set| set.arn.clone())
                });
                if let Some(arn) = &arn {
                    self.bindings
                        .permission_sets
                        .insert(name.to_string(), arn.clone());
                }
                let known = arn.as_ref().is_some_and(|arn| sets.contains_key(arn));
                (arn.map(SetMatch::Arn), known)
            }
        };
        if !known {
            let names = sets.values().map(|set| set.name.as_str());
            let help = match nearest(&selector.value.to_string(), names) {
                Some(name) => format!("did you mean `{name}`?"),
                None => "it gives nothing until one does; check the spelling".to_owned(),
            };
            self.problems.warn(
                selector.place,
                ProblemCode::UnknownName,
                format!("no permission set matches `{}`", selector.value),
                help,
            );
        }
        found
    }

    fn people(&mut self, list: &[Placed<PersonSelector>]) -> Who {
        let mut who = Who::default();
        for selector in list {
            let found = match &selector.value {
                PersonSelector::Everyone => {
                    who.everyone = true;
                    true
                }
                PersonSelector::UserId(id) => {
                    who.users.insert(self.user_id(id, selector));
                    true
                }
                PersonSelector::User(name) => {
                    let found = self.user(name, selector);
                    found.map(|id| who.users.insert(id)).is_some()
                }
                PersonSelector::GroupId(id) => {
                    who.groups.insert(self.group_id(id, selector));
                    true
                }
                PersonSelector::Group(name) => {
                    let found = self.group(name, selector);
                    found.map(|id| who.groups.insert(id)).is_some()
                }
            };
            who.incomplete |= !found;
        }
        who
    }

    /// Ids are hexadecimal, so case means nothing in them; the directory's spelling is kept.
    fn user_id(&mut self, id: &UserId, selector: &Placed<PersonSelector>) -> UserId {
        let people = &self.directory.people;
        let same = |known: &&UserId| known.as_str().eq_ignore_ascii_case(id.as_str());
        if let Some(known) = people.get_key_value(id).map(|(known, _)| known) {
            return known.clone();
        }
        if let Some(known) = people.keys().find(same) {
            return known.clone();
        }
        self.unknown(selector, "person", None);
        id.clone()
    }

    fn group_id(&mut self, id: &GroupId, selector: &Placed<PersonSelector>) -> GroupId {
        let groups = &self.directory.groups;
        let same = |known: &&GroupId| known.as_str().eq_ignore_ascii_case(id.as_str());
        if let Some(known) = groups.get_key_value(id).map(|(known, _)| known) {
            return known.clone();
        }
        if let Some(known) = groups.keys().find(same) {
            return known.clone();
        }
        self.unknown(selector, "group", None);
        id.clone()
    }

    /// By user name or e-mail, in any case: both are how the same person is called.
    fn user(&mut self, name: &str, selector: &Placed<PersonSelector>) -> Option<UserId> {
        let wanted = fold(name);
        if let Some(id) = self.bindings.users.get(&wanted) {
            return Some(id.clone());
        }
        let found: Vec<&UserId> = self
            .directory
            .people
            .values()
            .filter(|person| {
                fold(&person.user_name) == wanted
                    || person.emails.iter().any(|email| fold(email) == wanted)
            })
            .map(|person| &person.id)
            .collect();
        match found.as_slice() {
            [] => {
                let people = self.directory.people.values();
                let known = people
                    .flat_map(|person| std::iter::once(&person.user_name).chain(&person.emails));
                let near = nearest(name, known.map(String::as_str)).map(ToOwned::to_owned);
                self.unknown(selector, "person", near.map(|name| format!("user:{name}")));
                None
            }
            [id] => {
                self.bindings.users.insert(wanted, (*id).clone());
                Some((*id).clone())
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                self.ambiguous(selector, "people", &ids);
                None
            }
        }
    }

    /// By display name, exactly: a group carries authority, so nearly its name is not its name.
    fn group(&mut self, name: &str, selector: &Placed<PersonSelector>) -> Option<GroupId> {
        if let Some(id) = self.bindings.groups.get(name) {
            return Some(id.clone());
        }
        let groups = || self.directory.groups.values();
        let found: Vec<&GroupId> = groups()
            .filter(|group| group.name == name)
            .map(|group| &group.id)
            .collect();
        match found.as_slice() {
            [] => {
                let near = nearest(name, groups().map(|group| group.name.as_str()));
                let near = near.map(|name| format!("group:{name}"));
                self.unknown(selector, "group", near);
                None
            }
            [id] => {
                self.bindings.groups.insert(name.to_owned(), (*id).clone());
                Some((*id).clone())
            }
            several => {
                let ids: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                self.ambiguous(selector, "groups", &ids);
                None
            }
        }
    }

    fn unknown(&mut self, selector: &Placed<PersonSelector>, kind: &str, near: Option<String>) {
        let help = near.map_or_else(
            || "it matches nobody; check the spelling, or remove it".to_owned(),
            |near| format!("it matches nobody; did you mean `{near}`?"),
        );
        self.problems.warn(
            selector.place,
            ProblemCode::UnknownName,
            format!("there is no {kind} {}", quote(&selector.value.to_string())),
            help,
        );
    }

    fn ambiguous(&mut self, selector: &Placed<PersonSelector>, kind: &str, ids: &[&str]) {
        /// Enough to see which; a shared mailbox can belong to hundreds.
        const NAMED: usize = 5;
        let mut listed = ids
            .iter()
            .copied()
            .take(NAMED)
            .collect::<Vec<_>>()
            .join(", ");
        if ids.len() > NAMED {
            listed.push_str(", ...");
        }
        self.problems.warn(
            selector.place,
            ProblemCode::AmbiguousName,
            format!(
                "{} means {} {kind}: {listed}",
                quote(&selector.value.to_string()),
                ids.len()
            ),
            "it matches nobody; write the id of the one you mean",
        );
    }

    fn enough_approvers(&mut self, rule: &RuleSource, approvers: &Who) {
        let facts = Facts::of_snapshot(self.directory);
        if rule.approvers.is_empty() || !approvers.is_known(&facts) {
            return;
        }
        let found = approvers.members(&facts).len();
        let needed = rule.approvals as usize;
        if found < needed && rule.approval != Some(Approval::None) {
            self.problems.warn(
                rule.name.place,
                ProblemCode::NobodyCanApprove,
                format!(
                    "rule `{}` needs {} and has {}",
                    rule.name.value,
                    counted(needed, "approval"),
                    counted(found, "active approver")
                ),
                "name more approvers, or ask for fewer approvals",
            );
        }
    }
}

/// One spelling for all the cases of a user name or an e-mail.
fn fold(text: &str) -> String {
    text.to_lowercase()
}
