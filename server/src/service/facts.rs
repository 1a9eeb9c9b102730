//! The facts of a decision, read live.

use std::collections::BTreeSet;

use domain::directory::{Directory, Members, Status};
use domain::id::{PermissionSetArn, UserId};
use domain::policy::Facts;
use domain::target::Target;

use super::{Part, Service, ServiceError};
use crate::world::World;

/// What a decision rests on: the snapshot, with the people it is about read anew.
#[derive(Debug)]
pub(super) struct LiveFacts {
    directory: Directory,
    members: Members,
}

impl LiveFacts {
    pub(super) const fn facts(&self) -> Facts<'_> {
        Facts {
            directory: &self.directory,
            members: &self.members,
        }
    }
}

impl Service {
    /// Reads these people's status and their places in the groups that these targets rest on.
    pub(super) async fn live(
        &self,
        world: &World,
        people: &BTreeSet<UserId>,
        targets: impl Iterator<Item = &Target>,
    ) -> Result<LiveFacts, ServiceError> {
        let groups = targets
            .flat_map(|target| world.policy.groups_for(target, &world.directory))
            .collect();
        let members = self
            .people
            .refreshed(&world.directory.members, people, &groups)
            .await?;
        let mut directory = world.directory.clone();
        for user in people {
            let status = self.people.status(user).await?;
            match (status, directory.people.get_mut(user)) {
                (Some(status), Some(person)) => person.status = status,
                // Gone since the snapshot.
                (None, Some(person)) => person.status = Status::Disabled,
                // Newer than the snapshot: known to be a person, and nothing more yet.
                (_, None) => {}
            }
        }
        Ok(LiveFacts { directory, members })
    }

    /// Whether the policy that this server has is (still) the one in force.
    pub(super) async fn check_policy(&self, world: &World) -> Result<(), ServiceError> {
        let in_force = self.store.policy_in_force().await?;
        if in_force.is_some_and(|in_force| in_force.policy_version == *world.policy.version()) {
            Ok(())
        } else {
            Err(ServiceError::Unavailable {
                part: Part::PolicyBehind,
            })
        }
    }
}

/// How people call a permission set; its id if it is gone.
pub(super) fn set_name(world: &World, set: &PermissionSetArn) -> String {
    world
        .directory
        .permission_sets
        .get(set)
        .map_or_else(|| set.to_string(), |set| set.name.to_string())
}
