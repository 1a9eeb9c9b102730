//! People and groups, as the Identity Store keeps them.

use serde::{Deserialize, Serialize};

/// Whether a person may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum UserStatus {
    Enabled,
    Disabled,
}

/// One user of the Identity Store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Person {
    pub(crate) user_id: String,
    pub(crate) user_name: String,
    pub(crate) given_name: String,
    pub(crate) family_name: String,
    pub(crate) display_name: String,
    pub(crate) email: String,
    pub(crate) status: UserStatus,
}

impl Person {
    /// A person whose user name is `given.family` and whose address is at example.com.
    pub(crate) fn named(user_id: String, given: &str, family: &str) -> Self {
        let user_name = format!("{given}.{family}").to_lowercase();
        Self {
            user_id,
            given_name: given.to_owned(),
            family_name: family.to_owned(),
            display_name: format!("{given} {family}"),
            email: format!("{user_name}@example.com"),
            user_name,
            status: UserStatus::Enabled,
        }
    }

    /// Whether this person may sign in.
    pub(crate) fn is_enabled(&self) -> bool {
        self.status == UserStatus::Enabled
    }
}

/// One group of the Identity Store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "an id says of what it is, here as in `GET /state`"
)]
pub(crate) struct Group {
    pub(crate) group_id: String,
    pub(crate) display_name: String,
    pub(crate) description: String,
}

/// A person and the names of the groups they are in, for the page on which one picks who to be.
#[derive(Debug, Clone)]
pub(crate) struct PersonWithGroups {
    pub(crate) person: Person,
    pub(crate) groups: Vec<String>,
}
