//! Asks the Identity Store, live, about the people that a decision rests on (invariant 7).
//!
//! A failed look-up refuses: there is no answer here that means "probably".

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use domain::directory::{Members, Status};
use domain::id::{GroupId, UserId};
use domain::policy;
use domain::target::{Key, Target};

use crate::aws::Clients;
use crate::directory::{DirectoryError, failed, slow_down, status};
use crate::limiter::{Class, Limiter};
use crate::store::{Store, now};

/// Groups in one `IsMemberInGroups`: AWS's limit.
/// <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/API_IsMemberInGroups.html>
const GROUPS_A_CALL: usize = 100;

/// Live look-ups.
#[derive(Debug, Clone)]
pub struct People {
    clients: Clients,
    identity_store_id: String,
    limiter: Limiter,
    store: Store,
}

impl People {
    /// Look-ups in this Identity Store.
    #[must_use]
    pub const fn new(
        clients: Clients,
        identity_store_id: String,
        limiter: Limiter,
        store: Store,
    ) -> Self {
        Self {
            clients,
            identity_store_id,
            limiter,
            store,
        }
    }

    /// Waits for leave to make one call to the Identity Store, for a person who waits: all of them
    /// share one quota, whoever makes them.
    pub(crate) async fn turn(&self) {
        self.limiter.pass(Class::Grant).await;
    }

    /// Slows everybody down if the Identity Store says that it was too much.
    pub(crate) fn heed(&self, error: &impl ProvideErrorMetadata) {
        slow_down(&self.limiter, error);
    }

    /// The Identity Store's budget, for whoever spaces their calls.
    pub(crate) const fn limiter(&self) -> &Limiter {
        &self.limiter
    }

    /// Whether the person may use AWS at all; `None`: there is no such person.
    pub async fn status(&self, user: &UserId) -> Result<Option<Status>, DirectoryError> {
        self.status_for(user, Class::Grant).await
    }

    /// The same, for something of this class.
    pub(crate) async fn status_for(
        &self,
        user: &UserId,
        class: Class,
    ) -> Result<Option<Status>, DirectoryError> {
        self.limiter.pass(class).await;
        let answer = self
            .clients
            .people
            .describe_user()
            .identity_store_id(&self.identity_store_id)
            .user_id(user.as_str())
            .send()
            .await;
        match answer {
            Ok(found) => Ok(Some(status(found.user_status()))),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(aws_sdk_identitystore::operation::describe_user::DescribeUserError::is_resource_not_found_exception) =>
            {
                Ok(None)
            }
            Err(error) => Err(self.failed("DescribeUser", &error)),
        }
    }

    /// Which of these groups the person is in, now.
    pub async fn groups_of(
        &self,
        user: &UserId,
        asked: &BTreeSet<GroupId>,
    ) -> Result<BTreeSet<GroupId>, DirectoryError> {
        let asked: Vec<&GroupId> = asked.iter().collect();
        let mut found = BTreeSet::new();
        for chunk in asked.chunks(GROUPS_A_CALL) {
            self.limiter.pass(Class::Grant).await;
            let answer = self
                .clients
                .people
                .is_member_in_groups()
                .identity_store_id(&self.identity_store_id)
                .member_id(aws_sdk_identitystore::types::MemberId::UserId(
                    user.to_string(),
                ))
                .set_group_ids(Some(chunk.iter().map(ToString::to_string).collect()))
                .send()
                .await
                .map_err(|error| self.failed("IsMemberInGroups", &error))?;
            for result in answer.results() {
                if let (Some(group), true) = (result.group_id(), result.membership_exists()) {
                    found.insert(GroupId::parse(group)?);
                }
            }
        }
        Ok(found)
    }

    /// Which of these groups the person is in by themselves, now: a membership that Belay gave them
    /// for a while counts in no policy role (DESIGN 6), whatever the policy was when it was given.
    async fn own_groups_of(
        &self,
        user: &UserId,
        asked: &BTreeSet<GroupId>,
    ) -> Result<BTreeSet<GroupId>, DirectoryError> {
        let mut found = self.groups_of(user, asked).await?;
        let keys: Vec<Key> = found
            .iter()
            .map(|group| Key {
                user: user.clone(),
                target: Target::Group {
                    group: group.clone(),
                },
            })
            .collect();
        // After the memberships, consistently: what is ours was on record before it was there.
        for stored in self.store.keys_of(&keys).await? {
            if let (Target::Group { group }, true) =
                (&stored.state.key.target, stored.state.may_be_ours(now()))
            {
                found.remove(group);
            }
        }
        Ok(found)
    }

    fn failed<E>(&self, operation: &'static str, error: &E) -> DirectoryError
    where
        E: std::error::Error + ProvideErrorMetadata,
    {
        slow_down(&self.limiter, error);
        failed(operation, error)
    }

    /// The snapshot's members with these people's places in these groups read anew.
    pub async fn refreshed(
        &self,
        snapshot: &Members,
        people: &BTreeSet<UserId>,
        groups: &BTreeSet<GroupId>,
    ) -> Result<Members, DirectoryError> {
        let mut members = snapshot.clone();
        // All at once: somebody waits.
        let asked = people.iter().map(|user| self.own_groups_of(user, groups));
        let answers = futures::future::try_join_all(asked).await?;
        for (user, found) in people.iter().zip(answers) {
            members = policy::with_person(&members, user, groups, &found);
        }
        Ok(members)
    }
}
