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
use super::guardrail::Guardrail;
use super::language::{
    Approval, GuardrailSource, IncludeIndex, Placed, PolicyFile, RuleName, RuleSource,
};
use super::pattern::Pattern;
use super::problem::{Problem, ProblemCode, Problems, counted, nearest, quote};
use super::scope::{Scope, SetMatch};
use super::selector::{AccountSelector, GroupSelector, PersonSelector, SetSelector};
use super::who::Who;
use super::{Facts, Policy, Rule};
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
    let within: Vec<Scope> = file
        .includes
        .iter()
        .map(|include| names.within(&include.accounts, &include.permission_sets))
        .collect();
    let mut rules: Vec<Rule> = file
        .rules
        .iter()
        .map(|rule| names.rule(rule, file, &within))
        .collect();
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    let mut guardrails: Vec<Guardrail> = file
        .guardrails
        .iter()
        .map(|guardrail| names.guardrail(guardrail, file, &within))
        .collect();
    guardrails.sort_by(|a, b| a.name.cmp(&b.name));
    let Names {
        problems, bindings, ..
    } = names;
    let version = version(&bindings, &setting.protected);
    let policy = Policy {
        version,
        admins,
        auditors,
        defaults: file.defaults,
        rules,
        guardrails,
        protected: setting.protected.clone(),
        bindings,
    };
    let mut problems = problems;
    policy_groups(&policy, file, directory, &mut problems);
    Resolved {
        policy,
        problems: problems.into_sorted(),
    }
}

/// A group that decides can never be asked for, so a rule that offers it gives nothing.
fn policy_groups<'a>(
    policy: &Policy,
    file: &'a PolicyFile,
    directory: &Directory,
    problems: &mut Problems<'a>,
) {
    for rule in &file.rules {
        for selector in &rule.groups {
            let group = match &selector.value {
                GroupSelector::Id(id) => directory.groups.get(id),
                GroupSelector::Name(name) => {
                    directory.groups.values().find(|group| group.name == *name)
                }
            };
            if group.is_some_and(|group| policy.is_policy_group(&group.id)) {
                problems.enter(file.file_of(rule.included));
                problems.warn(
                    selector.place,
                    ProblemCode::PolicyGroup,
                    format!(
                        "`{}` is named as admins, auditors, requesters or approvers, so nobody can \
                         ask to join it",
                        selector.value
                    ),
                    "give what it holds by accounts and permission sets, or use another group",
                );
            }
        }
    }
    problems.leave();
}

/// What a policy says, whatever its notation, comments, order and spacing.
fn canonical(file: &PolicyFile) -> serde_json::Value {
    fn texts<T: ToString>(list: &[Placed<T>]) -> BTreeSet<String> {
        list.iter().map(|item| item.value.to_string()).collect()
    }
    let within = |included: Option<IncludeIndex>| {
        included
            .and_then(|index| file.includes.get(index))
            .map(|include| {
                json!({
                    "accounts": texts(&include.accounts),
                    "permission_sets": texts(&include.permission_sets),
                })
            })
    };
    let mut rules: Vec<&RuleSource> = file.rules.iter().collect();
    rules.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let rules: Vec<serde_json::Value> = rules
        .into_iter()
        .map(|rule| {
            json!({
                "name": rule.name.value,
                "accounts": texts(&rule.accounts),
                "permission_sets": texts(&rule.permission_sets),
                "groups": texts(&rule.groups),
                "within": within(rule.included),
                "notify": rule.notify.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
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
    let mut guardrails: Vec<&GuardrailSource> = file.guardrails.iter().collect();
    guardrails.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let guardrails: Vec<serde_json::Value> = guardrails
        .into_iter()
        .map(|guardrail| {
            json!({
                "name": guardrail.name.value,
                "accounts": texts(&guardrail.accounts),
                "permission_sets": texts(&guardrail.permission_sets),
                "groups": texts(&guardrail.groups),
                "within": within(guardrail.included),
                "limits": guardrail.limits,
            })
        })
        .collect();
    json!({
        "language": 1,
        "admins": texts(&file.admins),
        "auditors": texts(&file.auditors),
        "defaults": file.defaults,
        "rules": rules,
        "guardrails": guardrails,
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

impl<'a> Names<'a> {
    fn rule(&mut self, rule: &RuleSource, file: &'a PolicyFile, within: &[Scope]) -> Rule {
        self.problems.enter(file.file_of(rule.included));
        if rule.approval == Some(Approval::None) {
            self.changeable(
                &rule.accounts,
                &format!("rule `{}` grants without approval", rule.name.value),
            );
        }
        let sets = rule
            .permission_sets
            .iter()
            .filter_map(|selector| self.permission_set(selector))
            .collect();
        let groups = rule
            .groups
            .iter()
            .filter_map(|selector| self.target_group(selector))
            .collect();
        let scope = Scope {
            accounts: self.accounts(&rule.accounts),
            sets,
            groups,
            group_names: BTreeSet::new(),
            within: narrowed(rule.included, within),
        };
        let requesters = self.people(&rule.requesters);
        let approvers = self.people(&rule.approvers);
        self.enough_approvers(rule, &approvers);
        self.problems.leave();
        let max_duration = rule.max_duration.unwrap_or(file.defaults.max_duration);
        Rule {
            name: rule.name.value.clone(),
            scope,
            requesters,
            approvers,
            approvals: rule.approvals,
            approval: rule.approval,
            max_duration,
            durations: rule.durations.clone(),
            self_approval: rule.self_approval,
            notify: rule.notify.clone(),
        }
    }

    /// What holds back covers by name as well as by id: it binds what may be meant, not only what was
    /// there when the policy loaded.
    fn guardrail(
        &mut self,
        guardrail: &GuardrailSource,
        file: &'a PolicyFile,
        within: &[Scope],
    ) -> Guardrail {
        self.problems.enter(file.file_of(guardrail.included));
        let name: &RuleName = &guardrail.name.value;
        self.changeable(
            &guardrail.accounts,
            &format!("guardrail `{name}` holds back"),
        );
        let mut accounts = self.accounts(&guardrail.accounts);
        let mut sets = Vec::new();
        for selector in &guardrail.permission_sets {
            sets.extend(self.permission_set(selector));
            if let SetSelector::Name(name) = &selector.value {
                sets.push(SetMatch::Pattern(Pattern::new(name.as_str())));
            }
        }
        let mut groups = BTreeSet::new();
        let mut group_names = BTreeSet::new();
        for selector in &guardrail.groups {
            groups.extend(self.target_group(selector));
            if let GroupSelector::Name(name) = &selector.value {
                group_names.insert(name.clone());
            }
        }
        let only_groups = accounts.is_empty() && sets.is_empty() && !guardrail.groups.is_empty();
        if accounts.is_empty() && !only_groups {
            accounts.push(AccountSelector::All);
        }
        if guardrail.permission_sets.is_empty() && !only_groups {
            sets.push(SetMatch::Pattern(Pattern::new("*")));
        }
        self.problems.leave();
        Guardrail {
            name: name.clone(),
            scope: Scope {
                accounts,
                sets,
                groups,
                group_names,
                within: narrowed(guardrail.included, within),
            },
            limits: guardrail.limits.clone(),
        }
    }

    /// How far an included file reaches.
    fn within(
        &mut self,
        accounts: &[Placed<AccountSelector>],
        sets: &[Placed<SetSelector>],
    ) -> Scope {
        self.changeable(accounts, "an included file reaches");
        Scope {
            accounts: self.accounts(accounts),
            sets: sets
                .iter()
                .filter_map(|selector| self.permission_set(selector))
                .collect(),
            ..Scope::default()
        }
    }

    fn accounts(&mut self, selectors: &[Placed<AccountSelector>]) -> Vec<AccountSelector> {
        for selector in selectors {
            self.account(selector);
        }
        selectors.iter().map(|a| a.value.clone()).collect()
    }

    fn target_group(&mut self, selector: &Placed<GroupSelector>) -> Option<GroupId> {
        let person = Placed {
            place: selector.place,
            value: match &selector.value {
                GroupSelector::Id(id) => PersonSelector::GroupId(id.clone()),
                GroupSelector::Name(name) => PersonSelector::Group(name.clone()),
            },
        };
        match &selector.value {
            GroupSelector::Id(id) => Some(self.group_id(id, &person)),
            GroupSelector::Name(name) => self.group(name, &person),
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

    /// Whoever may rename or tag an account could move it under a rule that asks nobody, or out from
    /// under a guardrail.
    fn changeable(&mut self, selectors: &[Placed<AccountSelector>], what: &str) {
        for selector in selectors {
            if matches!(
                selector.value,
                AccountSelector::Name(_) | AccountSelector::Tag { .. }
            ) {
                self.problems.warn(
                    selector.place,
                    ProblemCode::ChangeableName,
                    format!("{what} by `{}`, which others can change", selector.value),
                    "use account ids or an OU",
                );
            }
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

    fn user(&mut self, name: &str, selector: &Placed<PersonSelector>) -> Option<UserId> {
        let wanted = fold(name);
        if let Some(id) = self.bindings.users.get(&wanted) {
            return Some(id.clone());
        }
        let found: Vec<&UserId> = self
            .directory
            .people
            .values()
            .filter(|person| person.is_called(name))
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
        let found = approvers.all(&facts);
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

/// The reach of the file that a rule or guardrail stands in.
fn narrowed(included: Option<IncludeIndex>, within: &[Scope]) -> Option<Box<Scope>> {
    // An include that is not there reaches nothing.
    included.map(|index| Box::new(within.get(index).cloned().unwrap_or_default()))
}

/// One spelling for all the cases of a user name or an e-mail.
fn fold(text: &str) -> String {
    text.to_lowercase()
}
