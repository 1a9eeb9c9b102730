//! The facts that a policy speaks about: accounts, permission sets, people and groups.
//!
//! A [`Directory`] is a snapshot. It serves pages and previews; a decision re-reads the memberships
//! that it rests on (invariant 7), which is why members are not part of the group here but of
//! [`Members`], built from the snapshot or from a live look-up.

mod called;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};

pub use called::NotOne;

/// An AWS account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// 12 digits.
    pub id: AccountId,
    /// As Organizations has it. Others can change it.
    pub name: String,
    /// Names from the root down: `["Root", "Production", "Payments"]`.
    pub ou_path: Vec<String>,
    /// Ids from the root down, one for each name.
    pub ou_ids: Vec<String>,
    /// Tags. Others can change them.
    pub tags: BTreeMap<String, String>,
    /// `false` once suspended or closed.
    pub active: bool,
}

/// A permission set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSet {
    /// What it is compared by.
    pub arn: PermissionSetArn,
    /// What people call it.
    pub name: PermissionSetName,
    /// Its owner's words, if any.
    pub description: Option<String>,
    /// How long a session opened with it lives, in seconds: 1 to 12 hours. Sessions survive the
    /// removal of the assignment.
    pub session_seconds: u32,
}

/// Whether a person may use AWS at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// May sign in.
    Active,
    /// Disabled in the Identity Store: may have nothing and approve nothing.
    Disabled,
}

/// A person of the Identity Store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// What people are compared by.
    pub id: UserId,
    /// Often, but not always, an e-mail.
    pub user_name: String,
    /// For pages.
    pub display_name: String,
    /// Addresses, the primary one first.
    pub emails: Vec<String>,
    /// Active or disabled.
    pub status: Status,
}

impl Person {
    /// Whether that is their user name or an e-mail of theirs, in any case: both are how the same
    /// person is called.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let wanted = name.to_lowercase();
        std::iter::once(&self.user_name)
            .chain(&self.emails)
            .any(|called| called.to_lowercase() == wanted)
    }
}

/// A group of the Identity Store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// What groups are compared by.
    pub id: GroupId,
    /// Its display name.
    pub name: String,
}

/// Who is in which group, as one complete read found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    groups: BTreeMap<GroupId, BTreeSet<UserId>>,
}

impl Members {
    /// Records one group's complete membership.
    pub fn insert(&mut self, group: GroupId, members: BTreeSet<UserId>) {
        self.groups.insert(group, members);
    }

    /// Leaves one person out of one group.
    pub fn remove(&mut self, user: &UserId, group: &GroupId) {
        if let Some(members) = self.groups.get_mut(group) {
            members.remove(user);
        }
    }

    /// Whether this group was read. A group that was not read has no members here, and a decision
    /// must not rest on that.
    #[must_use]
    pub fn knows(&self, group: &GroupId) -> bool {
        self.groups.contains_key(group)
    }

    /// Whether the person is in the group.
    #[must_use]
    pub fn is_member(&self, user: &UserId, group: &GroupId) -> bool {
        self.groups
            .get(group)
            .is_some_and(|members| members.contains(user))
    }

    /// The same, where it has to be told whether the group was read at all: `None` if not.
    pub(crate) fn membership(&self, user: &UserId, group: &GroupId) -> Option<bool> {
        Some(self.groups.get(group)?.contains(user))
    }

    /// Everyone in the group.
    pub fn of(&self, group: &GroupId) -> impl Iterator<Item = &UserId> {
        self.groups.get(group).into_iter().flatten()
    }

    /// The groups that this person is in, of those that were read.
    pub fn groups_of<'a>(&'a self, user: &'a UserId) -> impl Iterator<Item = &'a GroupId> {
        self.groups
            .iter()
            .filter(move |(_, members)| members.contains(user))
            .map(|(group, _)| group)
    }
}

/// What groups are assigned, as complete reads found it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holdings {
    groups: BTreeMap<GroupId, BTreeSet<(AccountId, PermissionSetArn)>>,
    /// When the read of the whole organisation ended that found it; `None`: it was put together.
    #[serde(default)]
    pub read_at: Option<Timestamp>,
}

impl Holdings {
    /// Records everything that one group is assigned.
    pub fn insert(&mut self, group: GroupId, held: BTreeSet<(AccountId, PermissionSetArn)>) {
        self.groups.insert(group, held);
    }

    /// Forgets what one group is assigned.
    pub fn remove(&mut self, group: &GroupId) {
        self.groups.remove(group);
    }

    /// All of it; `None` if the group was not read completely.
    #[must_use]
    pub fn of(&self, group: &GroupId) -> Option<&BTreeSet<(AccountId, PermissionSetArn)>> {
        self.groups.get(group)
    }
}

/// A snapshot of the organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// By id.
    pub accounts: BTreeMap<AccountId, Account>,
    /// By ARN.
    pub permission_sets: BTreeMap<PermissionSetArn, PermissionSet>,
    /// By id.
    pub people: BTreeMap<UserId, Person>,
    /// By id.
    pub groups: BTreeMap<GroupId, Group>,
    /// Members of the groups that were read.
    pub members: Members,
    /// What the groups are assigned that were read.
    #[serde(default)]
    pub holdings: Holdings,
    /// What cannot be assigned from where Belay calls AWS.
    #[serde(default)]
    pub beyond: Beyond,
    /// When the read that made this began; `None` for an empty directory.
    pub read_at: Option<Timestamp>,
}

/// What a delegated administrator of Identity Center cannot assign. Empty where Belay calls as the
/// management account.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/delegated-admin.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beyond {
    /// The management account: nothing in it.
    pub account: Option<AccountId>,
    /// The permission sets that are provisioned there: in no account.
    pub permission_sets: BTreeSet<PermissionSetArn>,
}

impl Directory {
    /// When it was read what the groups are assigned that can be asked for. Where AWS tells what one
    /// group is assigned, that is read with everything else; a delegated administrator is not told,
    /// and has it from the last read of the whole organisation.
    #[must_use]
    pub fn holdings_read_at(&self) -> Option<Timestamp> {
        if self.beyond.account.is_none() {
            self.read_at
        } else {
            self.holdings.read_at
        }
    }

    /// The longest session that the permission sets of that group open, in seconds; 0 if it is
    /// assigned nothing.
    #[must_use]
    pub fn longest_session_of(&self, group: &GroupId, holdings: &Holdings) -> u32 {
        let held = holdings.of(group).into_iter().flatten();
        held.filter_map(|(_, set)| self.permission_sets.get(set))
            .map(|set| set.session_seconds)
            .max()
            .unwrap_or_default()
    }

    /// The set of that name, if exactly one has it.
    #[must_use]
    pub fn permission_set_named(&self, name: &str) -> Option<&PermissionSet> {
        let mut found = self
            .permission_sets
            .values()
            .filter(|set| set.name.as_str() == name);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}
