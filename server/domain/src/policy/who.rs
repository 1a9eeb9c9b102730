//! People and groups that a policy names, as ids.
//!
//! E-mails and user names end here: they find people when a policy loads, and are never compared
//! again.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use crate::id::{GroupId, UserId};

/// Some people: everyone, some by name, some by group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Who {
    pub(super) everyone: bool,
    pub(super) users: BTreeSet<UserId>,
    pub(super) groups: BTreeSet<GroupId>,
    /// A name in the list matched nobody, or more than one. It gives nobody anything; what a rule
    /// forbids is held to bind those it may have meant.
    pub(crate) incomplete: bool,
}

/// Whether somebody is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) included: bool,
    /// Every group in the list was read: otherwise no decision may rest on it.
    pub(crate) known: bool,
}

impl Who {
    /// Whether this active person is meant.
    pub(crate) fn includes(&self, user: &UserId, facts: &Facts<'_>) -> bool {
        self.names(user, facts).included && facts.is_active(user)
    }

    /// Whether this person is meant, active or not, and whether that is certain.
    pub(crate) fn names(&self, user: &UserId, facts: &Facts<'_>) -> Named {
        let mut named = Named {
            included: self.everyone || self.users.contains(user),
            known: true,
        };
        for group in &self.groups {
            match facts.members.membership(user, group) {
                Some(member) => named.included |= member,
                None => named.known = false,
            }
        }
        named
    }

    /// All active people who are meant, but for one.
    pub(crate) fn members(&self, facts: &Facts<'_>, but: &UserId) -> BTreeSet<UserId> {
        let others = |user: &&UserId| *user != but;
        if self.everyone {
            return facts.active_people().filter(others).cloned().collect();
        }
        self.named(facts).filter(others).cloned().collect()
    }

    /// Every active person who is meant; some more than once.
    pub(super) fn each<'a>(&'a self, facts: &'a Facts<'_>) -> Vec<&'a UserId> {
        if self.everyone {
            return facts.active_people().collect();
        }
        self.named(facts).collect()
    }

    /// How many active people are meant.
    pub(crate) fn all(&self, facts: &Facts<'_>) -> usize {
        if self.everyone {
            return facts.active_people().count();
        }
        self.named(facts).collect::<BTreeSet<&UserId>>().len()
    }

    /// How many active people are meant, but for one: no more than `enough` are counted.
    pub(crate) fn count(&self, facts: &Facts<'_>, but: &UserId, enough: u32) -> u32 {
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        let others = |user: &&UserId| *user != but;
        let count = if self.everyone {
            facts.active_people().filter(others).take(enough).count()
        } else {
            let mut distinct: BTreeSet<&UserId> = BTreeSet::new();
            for user in self.named(facts).filter(others) {
                distinct.insert(user);
                if distinct.len() >= enough {
                    break;
                }
            }
            distinct.len()
        };
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    fn named<'a>(&'a self, facts: &'a Facts<'_>) -> impl Iterator<Item = &'a UserId> {
        self.users
            .iter()
            .chain(self.groups.iter().flat_map(|group| facts.members.of(group)))
            .filter(|user| facts.is_active(user))
    }

    /// Whether the list names nobody at all.
    pub(crate) fn is_nobody(&self) -> bool {
        !self.everyone && self.users.is_empty() && self.groups.is_empty()
    }

    /// Whether every group in the list was read: otherwise no decision may rest on it.
    pub(crate) fn is_known(&self, facts: &Facts<'_>) -> bool {
        self.groups.iter().all(|group| facts.members.knows(group))
    }
}
