//! Who holds what in Identity Center, as one complete read found it.
//!
//! Whatever is assigned is listed, whoever assigned it: temporary access that is live at that moment
//! is there beside what has stood for years. Deliberately absent: any judgement of it. `policy
//! suggest` drafts rules from it, and people decide.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::directory::Status;
use crate::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};

/// The version of the JSON form, the only one so far.
pub const SCHEMA: u32 = 1;

/// One complete read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The Identity Center instance.
    pub instance_arn: String,
    /// The Identity Store behind it.
    pub identity_store_id: String,
    /// When the read began. What changed before `read_until` may be there or not.
    pub read_from: Timestamp,
    /// When it ended.
    pub read_until: Timestamp,
    /// What is assigned, by account, permission set and principal.
    pub assignments: Vec<Assignment>,
    /// Everyone who is assigned something, or is in a group that is. Who is assigned something and
    /// is not here no longer exists.
    pub people: BTreeMap<UserId, Holder>,
    /// The groups that are assigned something. One that is assigned something and is not here no
    /// longer exists.
    pub groups: BTreeMap<GroupId, HoldingGroup>,
}

/// One permission set in one account, for one person or group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Assignment {
    /// The account.
    pub account_id: AccountId,
    /// What people call it; empty if the organisation no longer has it.
    pub account_name: String,
    /// What people call the permission set.
    pub permission_set: PermissionSetName,
    /// The permission set.
    pub permission_set_arn: PermissionSetArn,
    /// Who.
    #[serde(flatten)]
    pub principal: Principal,
}

/// Whom something is assigned to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    tag = "principal_type",
    content = "principal_id",
    rename_all = "kebab-case"
)]
pub enum Principal {
    /// A person, directly.
    User(UserId),
    /// A group, and so everyone in it.
    Group(GroupId),
}

/// A person, as they can be told apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Unique in the Identity Store.
    pub user_name: String,
    /// For reading.
    pub display_name: String,
    /// The primary address, if there is one.
    pub email: Option<String>,
    /// Who is disabled holds it, and cannot use it until they are enabled again.
    pub status: Status,
}

/// A group and who is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldingGroup {
    /// Its display name.
    pub name: String,
    /// Everyone in it.
    pub members: BTreeSet<UserId>,
}

/// One row of the list that people read: somebody, what they hold, and how.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holding<'a> {
    /// The account.
    pub account_id: &'a AccountId,
    /// Its name.
    pub account_name: &'a str,
    /// The permission set's name.
    pub permission_set: &'a PermissionSetName,
    /// Who; `None` where a group with nobody in it holds it.
    pub user_id: Option<&'a UserId>,
    /// Their name; `None` also if they no longer exist.
    #[serde(flatten)]
    pub person: Option<&'a Holder>,
    /// The group through which they hold it; `None` if directly.
    pub via_group_id: Option<&'a GroupId>,
    /// Its name; `None` also if it no longer exists.
    pub via_group: Option<&'a str>,
}

impl Inventory {
    /// Every person with everything that they hold, in the order of `assignments`. What somebody
    /// holds in two ways is there twice: taking one of them away would not be enough.
    #[must_use]
    pub fn holdings(&self) -> Vec<Holding<'_>> {
        let mut rows = Vec::new();
        for assignment in &self.assignments {
            match &assignment.principal {
                Principal::User(user) => rows.push(self.holding(assignment, Some(user))),
                Principal::Group(group) => {
                    let members = self.groups.get(group).map(|group| &group.members);
                    match members.filter(|members| !members.is_empty()) {
                        Some(members) => rows.extend(
                            members
                                .iter()
                                .map(|member| self.holding(assignment, Some(member))),
                        ),
                        None => rows.push(self.holding(assignment, None)),
                    }
                }
            }
        }
        rows
    }

    fn holding<'a>(&'a self, assignment: &'a Assignment, user: Option<&'a UserId>) -> Holding<'a> {
        let group = match &assignment.principal {
            Principal::Group(group) => Some(group),
            Principal::User(_) => None,
        };
        Holding {
            account_id: &assignment.account_id,
            account_name: &assignment.account_name,
            permission_set: &assignment.permission_set,
            user_id: user,
            person: user.and_then(|user| self.people.get(user)),
            via_group_id: group,
            via_group: group
                .and_then(|group| self.groups.get(group))
                .map(|group| group.name.as_str()),
        }
    }
}
