//! What a person starred, as it is stored: one small item, as a form names it and in the words that it
//! had then.

use domain::id::UserId;
use serde::{Deserialize, Serialize};

use super::commit::Expect;
use super::{Store, StoreError, item, keys};

/// Something that a person starred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Favourite {
    /// As forms name it: `111122223333/ReadOnlyAccess`, or `group/` and a group's id.
    pub offer: String,
    /// What it was called then: the permission set, or the group.
    pub name: String,
    /// What the account was called then; empty for a group.
    pub place: String,
}

/// Everything that a person starred, the first first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Favourites {
    /// Grows with each change; 0: there is no item yet.
    pub version: u64,
    /// The list.
    pub favourites: Vec<Favourite>,
}

impl Store {
    /// What a person starred.
    pub async fn favourites(&self, user: &UserId) -> Result<Favourites, StoreError> {
        let found = self.get(&keys::person_favourites(user)).await?;
        Ok(found.unwrap_or_default())
    }

    /// Puts this list in the place of the one that was read. [`StoreError::Changed`] if that one is
    /// not there any more: read again.
    pub async fn change_favourites(
        &self,
        user: &UserId,
        read: &Favourites,
        list: Vec<Favourite>,
    ) -> Result<(), StoreError> {
        let stored = Favourites {
            version: read.version + 1,
            favourites: list,
        };
        let at = keys::person_favourites(user);
        let expect = Expect::as_read(read.version);
        self.put_alone(&at, item::attributes(&stored)?, expect)
            .await
    }
}
