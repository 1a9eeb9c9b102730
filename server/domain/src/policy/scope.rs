//! What a rule, a guardrail or an include covers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::accounts::covers;
use super::pattern::Pattern;
use super::selector::AccountSelector;
use crate::directory::{Account, Group, PermissionSet};
use crate::id::{GroupId, PermissionSetArn};

/// Which permission sets, by id where a name was written and by name where a pattern was.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SetMatch {
    Arn(PermissionSetArn),
    Pattern(Pattern),
}

impl SetMatch {
    pub(crate) fn covers(&self, set: &PermissionSet) -> bool {
        match self {
            Self::Arn(arn) => *arn == set.arn,
            Self::Pattern(pattern) => pattern.matches(set.name.as_str()),
        }
    }
}

/// Accounts with permission sets, and groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    pub(super) accounts: Vec<AccountSelector>,
    pub(super) sets: Vec<SetMatch>,
    pub(super) groups: BTreeSet<GroupId>,
    /// Groups by name, for what holds back: a group that is renamed to it, or was not there when the
    /// policy loaded, is held back too.
    pub(super) group_names: BTreeSet<String>,
    /// How far the file reaches that it stands in; `None` for the policy's own.
    pub(super) within: Option<Box<Scope>>,
}

impl Scope {
    pub(crate) fn accounts(&self) -> &[AccountSelector] {
        &self.accounts
    }

    pub(crate) fn sets(&self) -> &[SetMatch] {
        &self.sets
    }

    pub(crate) const fn groups(&self) -> &BTreeSet<GroupId> {
        &self.groups
    }

    pub(crate) fn within(&self) -> Option<&Self> {
        self.within.as_deref()
    }

    pub(crate) fn covers_account(&self, account: &Account) -> bool {
        self.accounts
            .iter()
            .any(|selector| covers(selector, account))
            && self
                .within
                .as_ref()
                .is_none_or(|within| within.covers_account(account))
    }

    pub(crate) fn covers_set(&self, set: &PermissionSet) -> bool {
        self.sets.iter().any(|wanted| wanted.covers(set))
            && self
                .within
                .as_ref()
                .is_none_or(|within| within.covers_set(set))
    }

    pub(crate) fn covers_group(&self, group: &Group) -> bool {
        // An included file names no groups.
        self.within.is_none()
            && (self.groups.contains(&group.id) || self.group_names.contains(&group.name))
    }

    /// Whether nothing in accounts escapes it, whatever is added tomorrow.
    pub(crate) fn is_everything(&self) -> bool {
        self.within.is_none()
            && self.accounts.contains(&AccountSelector::All)
            && self
                .sets
                .iter()
                .any(|set| matches!(set, SetMatch::Pattern(pattern) if pattern.as_str() == "*"))
    }
}
