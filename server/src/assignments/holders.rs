//! Who has something by themselves, read anew for those who decide about it. It cannot write: the
//! doors have this and no more of Identity Center's assignments.

use std::collections::BTreeSet;

use domain::id::UserId;
use domain::target::Target;

use super::{Assignments, Pair, ReadFailed};
use crate::limiter::Class;

/// Complete reads of who has a target. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Holders(Assignments);

impl Holders {
    /// By these reads.
    #[must_use]
    pub const fn new(assignments: Assignments) -> Self {
        Self(assignments)
    }

    /// Everybody who has an assignment or membership of their own: every page, or an error. The read
    /// begins after this was called. Somebody waits for it.
    pub async fn of(&self, target: &Target) -> Result<BTreeSet<UserId>, ReadFailed> {
        match target {
            Target::Account {
                account,
                permission_set,
            } => {
                let pair = Pair {
                    account: account.clone(),
                    permission_set: permission_set.clone(),
                };
                let read = self.0.read_pair(pair, Class::Grant).await?;
                Ok(read.people.clone())
            }
            Target::Group { group } => {
                let read = self.0.read_group(group, Class::Grant).await?;
                Ok(read.members.into_keys().collect())
            }
        }
    }
}
