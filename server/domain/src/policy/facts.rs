//! The facts that a decision rests on.

use std::collections::{BTreeMap, BTreeSet};

use crate::directory::{Directory, Holdings, Members, Status};
use crate::id::{GroupId, UserId};

/// What exists, and who is in which group.
///
/// For pages both come from the snapshot. For a decision, the members come from a live look-up of
/// [`super::Policy::groups_for`] the target (see [`with_person`]): a group that was not read makes
/// the decision a refusal, never a guess.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Accounts, permission sets and people.
    pub directory: &'a Directory,
    /// Groups.
    pub members: &'a Members,
    /// What groups are assigned, of those that were read.
    pub holdings: &'a Holdings,
    /// People whose status was read for this very decision: it outweighs the snapshot's.
    pub statuses: Option<&'a BTreeMap<UserId, Status>>,
}

impl<'a> Facts<'a> {
    /// All from one snapshot: for pages and previews.
    #[must_use]
    pub fn of_snapshot(directory: &'a Directory) -> Self {
        Self {
            directory,
            members: &directory.members,
            holdings: &directory.holdings,
            statuses: None,
        }
    }

    pub(crate) fn is_active(&self, user: &UserId) -> bool {
        self.directory
            .people
            .get(user)
            .is_some_and(|person| self.status(user, person.status) == Status::Active)
    }

    /// A person's status by the snapshot, unless it was read anew.
    fn status(&self, user: &UserId, snapshot: Status) -> Status {
        self.statuses
            .and_then(|read| read.get(user))
            .copied()
            .unwrap_or(snapshot)
    }

    pub(super) fn active_people(&self) -> impl Iterator<Item = &'a UserId> + use<'a> {
        let facts = *self;
        self.directory
            .people
            .values()
            .filter(move |person| facts.status(&person.id, person.status) == Status::Active)
            .map(|person| &person.id)
    }
}

/// The snapshot's members, corrected by what a live look-up just said of one person: they are in
/// `found`, and in no other of the groups that were `asked` about.
#[must_use]
pub fn with_person(
    snapshot: &Members,
    user: &UserId,
    asked: &BTreeSet<GroupId>,
    found: &BTreeSet<GroupId>,
) -> Members {
    let mut members = snapshot.clone();
    for group in asked {
        if !snapshot.knows(group) {
            // One person's answer does not make a group's membership complete.
            continue;
        }
        let mut people: BTreeSet<UserId> = snapshot.of(group).cloned().collect();
        if found.contains(group) {
            people.insert(user.clone());
        } else {
            people.remove(user);
        }
        members.insert(group.clone(), people);
    }
    members
}
