//! What access is to, and the key that AWS can have exactly one of.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, GroupId, PermissionSetArn, UserId};

/// What a person asks for. Open to further kinds: a reader that meets one it does not know must
/// leave that access alone until its recorded end (invariant 13).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Target {
    /// A permission set in an account.
    Account {
        /// Where.
        account: AccountId,
        /// What.
        permission_set: PermissionSetArn,
    },
    /// Membership of an Identity Store group, with everything that the group is assigned.
    Group {
        /// Which.
        group: GroupId,
    },
}

impl fmt::Display for Target {
    /// A stable text that is part of storage keys: never change it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account {
                account,
                permission_set,
            } => {
                let set = permission_set.as_str();
                // The instance and set ids identify a set; the ARN's fixed words do not.
                let short = set.split_once("permissionSet/").map_or(set, |(_, id)| id);
                write!(f, "{account}/{short}")
            }
            Self::Group { group } => write!(f, "group/{group}"),
        }
    }
}

impl Target {
    /// Reads back what [`Target`]'s `Display` wrote. The text leaves out the words that all
    /// permission sets of an instance share: `sets` is those, up to and with `permissionSet/`.
    #[must_use]
    pub fn parse(text: &str, sets: &str) -> Option<Self> {
        let (first, rest) = text.split_once('/')?;
        if first == "group" {
            let group = GroupId::parse(rest).ok()?;
            return Some(Self::Group { group });
        }
        Some(Self::Account {
            account: AccountId::parse(first).ok()?,
            permission_set: PermissionSetArn::parse(&format!("{sets}{rest}")).ok()?,
        })
    }
}

impl Key {
    /// Reads back what [`Key`]'s `Display` wrote; as [`Target::parse`].
    #[must_use]
    pub fn parse(text: &str, sets: &str) -> Option<Self> {
        let (user, target) = text.split_once('/')?;
        Some(Self {
            user: UserId::parse(user).ok()?,
            target: Target::parse(target, sets)?,
        })
    }
}

/// A person and a target. AWS holds at most one assignment for each key, whoever asked for it,
/// which is why grants that overlap share one and the last to end removes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// Who.
    pub user: UserId,
    /// To what.
    pub target: Target,
}

impl fmt::Display for Key {
    /// A stable text that is part of storage keys: never change it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.user, self.target)
    }
}
