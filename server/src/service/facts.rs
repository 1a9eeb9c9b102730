//! The facts of a decision, read live.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::directory::{Directory, Holdings, Members, Status};
use domain::id::{GroupId, UserId};
use domain::policy::Facts;
use domain::target::Target;

use jiff::SignedDuration;

use super::{Caller, Part, Role, Service, ServiceError};
use crate::limiter::Class;
use crate::store::now;
use crate::world::{World, is_good};

/// Six refreshes that failed in a row.
const SNAPSHOT_GOOD_FOR: SignedDuration = SignedDuration::from_mins(30);

/// What a decision rests on: the snapshot, with the people it is about read anew.
#[derive(Debug)]
pub(super) struct LiveFacts<'a> {
    directory: &'a Directory,
    members: Members,
    statuses: BTreeMap<UserId, Status>,
    /// What the groups are assigned that it is about; `None`: it is about none.
    holdings: Option<Holdings>,
}

impl LiveFacts<'_> {
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            directory: self.directory,
            members: &self.members,
            holdings: self.holdings.as_ref().unwrap_or(&self.directory.holdings),
            statuses: Some(&self.statuses),
        }
    }
}

impl Service {
    /// Reads these people's status and their places in the groups that these targets rest on.
    pub(super) async fn live<'w>(
        &self,
        world: &'w World,
        people: &BTreeSet<UserId>,
        targets: impl Iterator<Item = &Target>,
    ) -> Result<LiveFacts<'w>, ServiceError> {
        let targets: BTreeSet<&Target> = targets.collect();
        let groups = targets
            .iter()
            .flat_map(|target| world.policy.groups_for(target, &world.directory))
            .collect();
        let (live, holdings) = tokio::join!(
            self.read_live(world, people, &groups),
            self.holdings(world, &targets)
        );
        Ok(LiveFacts { holdings, ..live? })
    }

    /// What the groups are assigned that are asked for, now. What cannot be read completely is not
    /// known: then the policy refuses, to those whom it would offer the group, and says why.
    ///
    /// A delegated administrator cannot ask AWS about one group: there it is what the last complete
    /// read of the organisation found, while that is good.
    async fn holdings(&self, world: &World, targets: &BTreeSet<&Target>) -> Option<Holdings> {
        let offered = world.policy.target_groups();
        let groups: Vec<&GroupId> = targets
            .iter()
            .filter_map(|target| match target {
                Target::Group { group } => Some(group),
                Target::Account { .. } => None,
            })
            .collect();
        if groups.is_empty() {
            return None;
        }
        let directory = &world.directory;
        let mut holdings = Holdings::default();
        if directory.beyond.account.is_some() {
            if directory.holdings.read_at.is_some_and(is_good) {
                for group in groups {
                    if let Some(held) = directory.holdings.of(group) {
                        holdings.insert(group.clone(), held.clone());
                    }
                }
            }
            return Some(holdings);
        }
        // All at once: somebody waits. What nobody may ask for is not asked about.
        let offered = groups.into_iter().filter(|group| offered.contains(group));
        let reads = offered.map(|group| async move {
            let read = self.keeper.of_groups().of(group, Class::Grant).await;
            (group, read)
        });
        for (group, read) in futures::future::join_all(reads).await {
            match read {
                Ok(Some(held)) => holdings.insert(group.clone(), held),
                Ok(None) => {}
                Err(error) => {
                    tracing::error!(%error, %group, "what a group is assigned could not be read, so it was refused");
                }
            }
        }
        Some(holdings)
    }

    pub(super) async fn read_live<'w>(
        &self,
        world: &'w World,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<LiveFacts<'w>, ServiceError> {
        // A group that the snapshot knows to be gone has nobody in it, and AWS would refuse the
        // question.
        let there: BTreeSet<GroupId> = groups
            .iter()
            .filter(|group| world.directory.groups.contains_key(group))
            .cloned()
            .collect();
        // All at once: somebody waits.
        let statuses = people.iter().map(|user| self.people.status(user));
        let (members, statuses) = tokio::try_join!(
            self.people
                .refreshed(&world.directory.members, people, &there),
            futures::future::try_join_all(statuses),
        )?;
        // Who is newer than the snapshot stays unknown to it: nothing more is known of them yet. Who
        // has gone since counts as disabled.
        let statuses = people
            .iter()
            .zip(statuses)
            .map(|(user, status)| (user.clone(), status.unwrap_or(Status::Disabled)))
            .collect();
        Ok(LiveFacts {
            directory: &world.directory,
            members,
            statuses,
            holdings: None,
        })
    }

    /// What the person may see, read live: for what is not theirs.
    pub(super) async fn live_role(
        &self,
        world: &World,
        caller: &Caller,
    ) -> Result<Role, ServiceError> {
        let people = BTreeSet::from([caller.who.id.clone()]);
        let groups = world.policy.oversight_groups();
        let live = self.read_live(world, &people, &groups).await?;
        Ok(if world.policy.is_admin(&caller.who.id, &live.facts()) {
            Role::Admin
        } else if world.policy.is_auditor(&caller.who.id, &live.facts()) {
            Role::Auditor
        } else {
            Role::Person
        })
    }

    /// As whom an auditor or admin looks, read live. To everybody else there is nothing.
    pub(super) async fn must_oversee(
        &self,
        world: &World,
        caller: &Caller,
    ) -> Result<Role, ServiceError> {
        match self.live_role(world, caller).await? {
            Role::Person => Err(ServiceError::NotFound),
            role => Ok(role),
        }
    }

    /// What is known, for giving: a snapshot that is too old decides nothing, since accounts may
    /// have moved and tags changed.
    pub(super) fn world_for_giving(&self) -> Result<Arc<World>, ServiceError> {
        let world = self.world()?;
        let fresh = world
            .directory
            .read_at
            .is_some_and(|read_at| now().duration_since(read_at) < SNAPSHOT_GOOD_FOR);
        if fresh {
            Ok(world)
        } else {
            Err(ServiceError::Unavailable { part: Part::World })
        }
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
