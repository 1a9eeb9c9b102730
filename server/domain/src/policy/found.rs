//! The target of a proposal, as it stands in the directory.

use super::facts::Facts;
use super::guardrail::Guardrail;
use super::{Policy, Reason, Rule};
use crate::directory::{Account, Directory, Group, PermissionSet};
use crate::id::AccountId;
use crate::target::Target;

/// A target that exists and is open.
#[derive(Debug, Clone)]
pub(crate) enum Found<'a> {
    /// A permission set in an account.
    Pair(Pair<'a>),
    /// A group, judged as itself and as all that it holds.
    Group {
        group: &'a Group,
        /// `None` if not all of it is known: nothing can be decided then.
        holds: Option<Vec<Pair<'a>>>,
    },
}

/// A permission set in an account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair<'a> {
    pub(crate) account: &'a Account,
    pub(crate) set: &'a PermissionSet,
}

impl<'a> Found<'a> {
    pub(crate) fn of(target: &Target, facts: &Facts<'a>) -> Option<Self> {
        let directory = facts.directory;
        match target {
            Target::Account {
                account,
                permission_set,
            } => Some(Self::Pair(Pair {
                account: directory
                    .accounts
                    .get(account)
                    .filter(|account| account.active)?,
                set: directory.permission_sets.get(permission_set)?,
            })),
            Target::Group { group } => {
                let group = directory.groups.get(group)?;
                // What is closed today may be opened again while the membership lasts.
                let holds = facts.holdings.of(&group.id).and_then(|held| {
                    held.iter()
                        .map(|(account, set)| {
                            Some(Pair {
                                account: directory.accounts.get(account)?,
                                set: directory.permission_sets.get(set)?,
                            })
                        })
                        .collect()
                });
                Some(Self::Group { group, holds })
            }
        }
    }

    /// Whether it could not be read what the target gives.
    pub(crate) const fn is_unknown(&self) -> bool {
        matches!(self, Self::Group { holds: None, .. })
    }

    /// Every permission set in an account that the target gives.
    pub(crate) fn pairs(&self) -> &[Pair<'a>] {
        match self {
            Self::Pair(pair) => std::slice::from_ref(pair),
            Self::Group { holds, .. } => holds.as_deref().unwrap_or_default(),
        }
    }

    /// The protected account that the target reaches, if it does.
    pub(crate) fn protected(&self, policy: &Policy) -> Option<AccountId> {
        self.pairs()
            .iter()
            .map(|pair| &pair.account.id)
            .find(|account| policy.is_protected(account))
            .cloned()
    }

    /// Why AWS would not let Belay assign the target, if it would not. A group it would: who joins
    /// one is assigned nothing.
    pub(crate) fn beyond(&self, directory: &Directory) -> Option<Reason> {
        let Self::Pair(pair) = self else {
            return None;
        };
        let beyond = &directory.beyond;
        if beyond.account.as_ref() == Some(&pair.account.id) {
            let account = pair.account.id.clone();
            return Some(Reason::ManagementAccount { account });
        }
        let permission_set = pair.set.name.clone();
        beyond
            .permission_sets
            .contains(&pair.set.arn)
            .then_some(Reason::ProvisionedInManagement { permission_set })
    }

    /// The longest session that the target's permission sets open, in seconds.
    pub(crate) fn longest_session(&self) -> Option<(u32, &'a PermissionSet)> {
        self.pairs()
            .iter()
            .map(|pair| (pair.set.session_seconds, pair.set))
            .max_by_key(|(session, set)| (*session, &set.arn))
    }
}

impl Rule {
    pub(crate) fn covers(&self, target: &Found<'_>) -> bool {
        match target {
            Found::Pair(pair) => {
                self.scope.covers_account(pair.account) && self.scope.covers_set(pair.set)
            }
            Found::Group { group, .. } => self.scope.covers_group(group),
        }
    }
}

impl Guardrail {
    /// A group is covered with all that it holds: who joins it gets that.
    pub(crate) fn covers(&self, target: &Found<'_>) -> bool {
        let covers_pair = |pair: &Pair<'_>| {
            self.scope.covers_account(pair.account) && self.scope.covers_set(pair.set)
        };
        match target {
            Found::Pair(pair) => covers_pair(pair),
            Found::Group { group, .. } => {
                self.scope.covers_group(group)
                    || self.scope.is_everything()
                    || target.pairs().iter().any(covers_pair)
            }
        }
    }
}
