//! Reopen: an admin lets a person go in first again, after one of theirs was rejected.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::id::RequestId;

use super::{Caller, Service, ServiceError, why};
use crate::store::{Commit, Topic, now};

impl Service {
    /// Opens break-glass again for the requester of that request.
    pub async fn reopen(
        &self,
        caller: &Caller,
        id: RequestId,
        note: &str,
    ) -> Result<(), ServiceError> {
        let note = why(note)?;
        self.again_under_policy(|| self.try_reopen(caller, id, note))
            .await
    }

    async fn try_reopen(
        &self,
        caller: &Caller,
        id: RequestId,
        note: &str,
    ) -> Result<(), ServiceError> {
        let world = self.world_for_giving()?;
        let request = self.seen(caller, id).await?;
        let people = BTreeSet::from([caller.who.id.clone()]);
        let groups = world.policy.oversight_groups();
        let live = self.read_live(&world, &people, &groups).await?;
        if !world.policy.is_admin(&caller.who.id, &live.facts()) {
            return Err(ServiceError::NotAllowed);
        }
        let person = &request.requester;
        let before = self.store.glass(&person.id).await?;
        let (now_open, (kind, details)) = before.clone().reopened(person, &caller.who, note)?;
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        commit.under_policy(world.policy.version())?;
        let stream = Stream::Person(person.id.clone());
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        commit.event(&stream, kind, &details)?;
        commit.change_glass(&person.id, &before, &now_open)?;
        commit.topic(Topic::Mine.to_string());
        commit.topic(Topic::Request(id).to_string());
        self.store.commit(commit).await?;
        Ok(())
    }
}
