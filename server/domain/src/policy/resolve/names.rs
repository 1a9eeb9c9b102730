//! Names beside what they mean.

use std::collections::BTreeSet;

use super::Bindings;
use crate::directory::Directory;
use crate::id::{GroupId, UserId};
use crate::policy::accounts::{covers, ous};
use crate::policy::guardrail::Guardrail;
use crate::policy::language::{
    Approval, GuardrailSource, IncludeIndex, Placed, PolicyFile, RuleName, RuleSource,
};
use crate::policy::pattern::Pattern;
use crate::policy::problem::{ProblemCode, Problems, counted, nearest, quote};
use crate::policy::scope::{Scope, SetMatch};
use crate::policy::selector::{AccountSelector, GroupSelector, PersonSelector, SetSelector};
use crate::policy::who::Who;
use crate::policy::{Facts, Rule};

/// Looks names up, and says what is doubtful about them.
pub(super) struct Names<'a> {
    pub(super) directory: &'a Directory,
    pub(super) problems: Problems<'a>,
    pub(super) bindings: Bindings,
}

impl<'a> Names<'a> {
    pub(super) fn rule(
        &mut self,
        rule: &RuleSource,
        file: &'a PolicyFile,
        within: &[Scope],
    ) -> Rule {
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
    pub(super) fn guardrail(
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
    pub(super) fn within(
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

    pub(super) fn people(&mut self, list: &[Placed<PersonSelector>]) -> Who {
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

    /// Ids are hexadecimal, so case means nothing in them; the directory's spelling is kept, and is
    /// part of the version where it is another than the policy's.
    fn user_id(&mut self, id: &UserId, selector: &Placed<PersonSelector>) -> UserId {
        if let Some(bound) = self.bindings.users.get(id.as_str()) {
            return bound.clone();
        }
        let people = &self.directory.people;
        let same = |known: &&UserId| known.as_str().eq_ignore_ascii_case(id.as_str());
        if let Some(known) = people.get_key_value(id).map(|(known, _)| known) {
            return known.clone();
        }
        if let Some(known) = people.keys().find(same) {
            let bound = (id.as_str().to_owned(), known.clone());
            self.bindings.users.extend([bound]);
            return known.clone();
        }
        self.unknown(selector, "person", None);
        id.clone()
    }

    fn group_id(&mut self, id: &GroupId, selector: &Placed<PersonSelector>) -> GroupId {
        if let Some(bound) = self.bindings.groups.get(id.as_str()) {
            return bound.clone();
        }
        let groups = &self.directory.groups;
        let same = |known: &&GroupId| known.as_str().eq_ignore_ascii_case(id.as_str());
        if let Some(known) = groups.get_key_value(id).map(|(known, _)| known) {
            return known.clone();
        }
        if let Some(known) = groups.keys().find(same) {
            let bound = (id.as_str().to_owned(), known.clone());
            self.bindings.groups.extend([bound]);
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
