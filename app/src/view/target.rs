//! What is asked for, as every page names it.

use serde::{Deserialize, Serialize};

use super::EpochMs;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TargetView {
    /// One permission set in one account.
    Account {
        /// Twelve digits.
        account_id: String,
        /// The account's name; its id if the name is not known.
        account_name: String,
        /// Organizational units from the root, joined by ` / `; may be empty.
        ou_path: String,
        /// Permission set name.
        permission_set: String,
    },
    /// Membership of a group, with everything that it is assigned.
    Group {
        /// The Identity Store's `GroupId`.
        id: String,
        /// Its name; its id if the name is not known.
        name: String,
        /// What it is assigned; lists leave it out.
        gives: GivesView,
    },
}

impl TargetView {
    /// The two segments of the form's address.
    #[must_use]
    pub fn segments(&self) -> (&str, &str) {
        match self {
            Self::Account {
                account_id,
                permission_set,
                ..
            } => (account_id, permission_set),
            Self::Group { id, .. } => ("group", id),
        }
    }

    /// As forms name it.
    #[must_use]
    pub fn spelled(&self) -> String {
        let (first, second) = self.segments();
        format!("{first}/{second}")
    }
}

/// What a group is assigned, as far as it is known. Nothing decides by it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivesView {
    /// By account and permission set; not more than a page lists.
    pub held: Vec<HeldView>,
    /// How many there are in all.
    pub total: u32,
    /// When it was read; absent: not known.
    pub read_at: Option<EpochMs>,
}

/// A permission set that a group is assigned in an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldView {
    /// Twelve digits.
    pub account_id: String,
    /// The account's name.
    pub account_name: String,
    /// Permission set name.
    pub permission_set: String,
}
