//! Which rules and guardrails cover which accounts and permission sets, found once.
//!
//! Accounts under exactly the same statements are one class, and so are permission sets. However many
//! accounts there are, a policy tells only so many apart, and judging goes by class.

use std::collections::{BTreeMap, HashMap};

use fixedbitset::FixedBitSet;

use crate::directory::{Account, Directory, PermissionSet};
use crate::id::{AccountId, GroupId, PermissionSetArn};
use crate::policy::found::Found;
use crate::policy::scope::{Scope, SetMatch};
use crate::policy::{AccountSelector, Facts, Policy, covers};
use crate::target::Target;

/// Statements of a policy by number: its rules, its guardrails, and for each guardrail whether the
/// permission set's sessions are too long for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Statements {
    pub(super) rules: usize,
    pub(super) guardrails: usize,
}

impl Statements {
    pub(super) fn of(policy: &Policy) -> Self {
        Self {
            rules: policy.rules().len(),
            guardrails: policy.guardrails().len(),
        }
    }

    const fn all(self) -> usize {
        self.rules + 2 * self.guardrails
    }

    pub(super) const fn guardrail(self, at: usize) -> usize {
        self.rules + at
    }

    pub(super) const fn session_too_long(self, at: usize) -> usize {
        self.rules + self.guardrails + at
    }

    pub(super) fn none(self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.all())
    }
}

/// Things of one kind, in order, each with the statements that cover it.
#[derive(Debug)]
pub(super) struct Classes<T> {
    /// In the order of their names.
    pub(super) things: Vec<T>,
    /// Where each is.
    at: HashMap<T, u32>,
    /// The class of each.
    class: Vec<u32>,
    /// What covers each class.
    pub(super) statements: Vec<FixedBitSet>,
    /// Which things are in each class, in order.
    pub(super) members: Vec<Vec<u32>>,
}

impl<T: Clone + Eq + std::hash::Hash> Classes<T> {
    fn new(things: Vec<T>, covering: Vec<FixedBitSet>) -> Self {
        let at = things.iter().cloned().zip(0..).collect();
        let mut known: HashMap<FixedBitSet, u32> = HashMap::new();
        let mut class = Vec::with_capacity(things.len());
        let mut statements: Vec<FixedBitSet> = Vec::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        for (position, covering) in (0..).zip(covering) {
            let number = *known.entry(covering).or_insert_with_key(|covering| {
                statements.push(covering.clone());
                members.push(Vec::new());
                u32::try_from(members.len() - 1).unwrap_or(u32::MAX)
            });
            class.push(number);
            if let Some(members) = members.get_mut(number as usize) {
                members.push(position);
            }
        }
        Self {
            things,
            at,
            class,
            statements,
            members,
        }
    }

    /// Which classes each statement covers.
    fn by_statement(&self) -> Vec<FixedBitSet> {
        let count = self.statements.first().map_or(0, FixedBitSet::len);
        let mut by_statement = vec![FixedBitSet::with_capacity(self.statements.len()); count];
        for (class, statements) in self.statements.iter().enumerate() {
            mark(&mut by_statement, statements, class);
        }
        by_statement
    }

    fn first_of_each(&self) -> Vec<T> {
        let first = |members: &Vec<u32>| self.things.get(*members.first()? as usize).cloned();
        self.members.iter().filter_map(first).collect()
    }

    /// What covers this one; `None` if it is not here.
    pub(super) fn covering(&self, thing: &T) -> Option<&FixedBitSet> {
        let at = *self.at.get(thing)? as usize;
        self.statements.get(*self.class.get(at)? as usize)
    }
}

/// Everything that a policy covers.
#[derive(Debug)]
pub(super) struct Coverage {
    pub(super) accounts: Classes<AccountId>,
    pub(super) sets: Classes<PermissionSetArn>,
    pub(super) statements: Statements,
}

impl Coverage {
    pub(super) fn of(policy: &Policy, directory: &Directory) -> Self {
        let statements = Statements::of(policy);
        let mut accounts: Vec<&Account> = directory
            .accounts
            .values()
            .filter(|account| account.active && !policy.is_protected(&account.id))
            .filter(|account| directory.beyond.account.as_ref() != Some(&account.id))
            .collect();
        accounts.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        let mut sets: Vec<&PermissionSet> = directory
            .permission_sets
            .values()
            .filter(|set| !directory.beyond.permission_sets.contains(&set.arn))
            .collect();
        sets.sort_by(|a, b| (&a.name, &a.arn).cmp(&(&b.name, &b.arn)));

        let mut of_accounts = vec![statements.none(); accounts.len()];
        let mut of_sets = vec![statements.none(); sets.len()];
        let mut by_account = Selected::new(&accounts);
        let mut by_set = SelectedSets::new(&sets);
        for (number, scope) in scopes(policy) {
            mark(&mut of_accounts, &by_account.scope(scope), number);
            mark(&mut of_sets, &by_set.scope(scope), number);
        }
        for (at, guardrail) in policy.guardrails().iter().enumerate() {
            let number = statements.session_too_long(at);
            for bits in &mut of_accounts {
                bits.insert(number);
            }
            let Some(max) = guardrail.max_session() else {
                continue;
            };
            for (bits, set) in of_sets.iter_mut().zip(&sets) {
                bits.set(number, set.session_seconds > max.get());
            }
        }
        let ids = accounts.iter().map(|account| account.id.clone()).collect();
        let arns = sets.iter().map(|set| set.arn.clone()).collect();
        Self {
            accounts: Classes::new(ids, of_accounts),
            sets: Classes::new(arns, of_sets),
            statements,
        }
    }
}

/// What each statement covers, by class: which classes of accounts, and which of permission sets; and
/// which of the groups that rules offer.
#[derive(Debug)]
pub(crate) struct Reach {
    pub(crate) accounts: FixedBitSet,
    pub(crate) sets: FixedBitSet,
    pub(crate) groups: FixedBitSet,
}

impl Reach {
    /// Whether there is anything that both cover.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        let pairs =
            !self.accounts.is_disjoint(&other.accounts) && !self.sets.is_disjoint(&other.sets);
        pairs || !self.groups.is_disjoint(&other.groups)
    }

    /// Whether it covers all that the other does.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        let pairs = other.accounts.is_subset(&self.accounts) && other.sets.is_subset(&self.sets);
        (pairs || other.has_no_pairs()) && other.groups.is_subset(&self.groups)
    }

    /// What both cover.
    pub(crate) fn common(&self, other: &Self) -> Self {
        Self {
            accounts: &self.accounts & &other.accounts,
            sets: &self.sets & &other.sets,
            groups: &self.groups & &other.groups,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.has_no_pairs() && self.groups.is_clear()
    }

    fn has_no_pairs(&self) -> bool {
        self.accounts.is_clear() || self.sets.is_clear()
    }
}

/// The reach of each rule and of each guardrail, an account and a permission set of each class, and
/// the groups.
#[derive(Debug)]
pub(crate) struct Reaches {
    pub(crate) rules: Vec<Reach>,
    pub(crate) guardrails: Vec<Reach>,
    pub(crate) account_of: Vec<AccountId>,
    pub(crate) set_of: Vec<PermissionSetArn>,
    pub(crate) groups: Vec<GroupId>,
}

impl Reaches {
    pub(crate) fn of(policy: &Policy, directory: &Directory) -> Self {
        let coverage = Coverage::of(policy, directory);
        let accounts = coverage.accounts.by_statement();
        let sets = coverage.sets.by_statement();
        let statements = coverage.statements;
        let facts = Facts::of_snapshot(directory);
        let groups: Vec<GroupId> = policy
            .target_groups()
            .into_iter()
            .filter(|group| !policy.is_policy_group(group))
            .collect();
        // Those that are not there any more cannot be asked for.
        let found: Vec<Option<Found<'_>>> = groups
            .iter()
            .map(|group| {
                let group = group.clone();
                Found::of(&Target::Group { group }, &facts)
            })
            .collect();
        let covered = |covers: &dyn Fn(&Found<'_>) -> bool| {
            let mut bits = FixedBitSet::with_capacity(groups.len());
            for (at, found) in found.iter().enumerate() {
                bits.set(at, found.as_ref().is_some_and(covers));
            }
            bits
        };
        let by_rule = policy.rules().iter();
        let by_rule = by_rule.map(|rule| covered(&|group| rule.covers(group)));
        let by_guardrail = policy.guardrails().iter();
        let by_guardrail = by_guardrail.map(|guardrail| covered(&|group| guardrail.covers(group)));
        let mut reaches = accounts
            .into_iter()
            .zip(sets)
            .zip(by_rule.chain(by_guardrail))
            .map(|((accounts, sets), groups)| Reach {
                accounts,
                sets,
                groups,
            });
        Self {
            rules: reaches.by_ref().take(statements.rules).collect(),
            guardrails: reaches.by_ref().take(statements.guardrails).collect(),
            account_of: coverage.accounts.first_of_each(),
            set_of: coverage.sets.first_of_each(),
            groups,
        }
    }
}

fn scopes(policy: &Policy) -> impl Iterator<Item = (usize, &Scope)> {
    let rules = policy.rules().iter().map(|rule| &rule.scope);
    let guardrails = policy.guardrails().iter().map(|guardrail| &guardrail.scope);
    rules.chain(guardrails).enumerate()
}

fn mark(things: &mut [FixedBitSet], covered: &FixedBitSet, statement: usize) {
    for at in covered.ones() {
        if let Some(bits) = things.get_mut(at) {
            bits.insert(statement);
        }
    }
}

/// What each selector of accounts covers, looked at once however many statements write it.
struct Selected<'d> {
    accounts: &'d [&'d Account],
    at: HashMap<&'d AccountId, usize>,
    /// Accounts in the same place of the tree: an OU covers all of them or none.
    places: BTreeMap<&'d [String], Vec<usize>>,
    known: HashMap<AccountSelector, FixedBitSet>,
}

impl<'d> Selected<'d> {
    fn new(accounts: &'d [&'d Account]) -> Self {
        let mut places: BTreeMap<&[String], Vec<usize>> = BTreeMap::new();
        for (at, account) in accounts.iter().enumerate() {
            places.entry(&account.ou_ids).or_default().push(at);
        }
        Self {
            accounts,
            at: accounts
                .iter()
                .enumerate()
                .map(|(at, account)| (&account.id, at))
                .collect(),
            places,
            known: HashMap::new(),
        }
    }

    fn scope(&mut self, scope: &Scope) -> FixedBitSet {
        let mut covered = FixedBitSet::with_capacity(self.accounts.len());
        for selector in scope.accounts() {
            if !self.known.contains_key(selector) {
                let found = self.select(selector);
                self.known.insert(selector.clone(), found);
            }
            if let Some(found) = self.known.get(selector) {
                covered.union_with(found);
            }
        }
        if let Some(within) = scope.within() {
            let within = self.scope(within);
            covered.intersect_with(&within);
        }
        covered
    }

    fn select(&self, selector: &AccountSelector) -> FixedBitSet {
        let mut found = FixedBitSet::with_capacity(self.accounts.len());
        match selector {
            AccountSelector::All => found.insert_range(..),
            AccountSelector::Id(id) => found.extend(self.at.get(id).copied()),
            AccountSelector::Ou(_) => {
                for together in self.places.values() {
                    let covered = together
                        .first()
                        .and_then(|at| self.accounts.get(*at))
                        .is_some_and(|account| covers(selector, account));
                    if covered {
                        found.extend(together.iter().copied());
                    }
                }
            }
            AccountSelector::Name(_) | AccountSelector::Tag { .. } => found.extend(
                self.accounts
                    .iter()
                    .enumerate()
                    .filter(|(_, account)| covers(selector, account))
                    .map(|(at, _)| at),
            ),
        }
        found
    }
}

/// The same for permission sets.
struct SelectedSets<'d> {
    sets: &'d [&'d PermissionSet],
    known: HashMap<SetMatch, FixedBitSet>,
}

impl<'d> SelectedSets<'d> {
    fn new(sets: &'d [&'d PermissionSet]) -> Self {
        Self {
            sets,
            known: HashMap::new(),
        }
    }

    fn scope(&mut self, scope: &Scope) -> FixedBitSet {
        let mut covered = FixedBitSet::with_capacity(self.sets.len());
        for wanted in scope.sets() {
            if !self.known.contains_key(wanted) {
                let found = self
                    .sets
                    .iter()
                    .enumerate()
                    .filter(|(_, set)| wanted.covers(set))
                    .map(|(at, _)| at);
                let mut bits = FixedBitSet::with_capacity(self.sets.len());
                bits.extend(found);
                self.known.insert(wanted.clone(), bits);
            }
            if let Some(found) = self.known.get(wanted) {
                covered.union_with(found);
            }
        }
        if let Some(within) = scope.within() {
            let within = self.scope(within);
            covered.intersect_with(&within);
        }
        covered
    }
}
