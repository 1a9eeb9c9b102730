//! Memberships of groups in the Identity Store: done by the time that AWS answers, and exact.
//!
//! A membership has an id, and the one that we made is ours: what somebody else made on the same
//! group and person is another, and no business of ours. Only where the answer to our creation was
//! lost is its id unknown, and then whatever is there counts (invariant 5).

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_identitystore::operation::list_group_memberships::ListGroupMembershipsOutput;
use aws_sdk_identitystore::types::MemberId;
use domain::grant::ReadEvidence;
use domain::id::{GroupId, UserId};
use domain::key::Action;
use domain::progress::{Presence, Sent, Sighting, Status};

use super::gate::Gate;
use super::reads::ReadFailed;
use super::{classify, count, refused};
use crate::aws::Clients;
use crate::limiter::{Class, Limiter, Try};
use crate::store::now;

/// The most rows that AWS gives in a page.
const ROWS_MAX: i32 = 100;

const NOT_FOUND: &str = "ResourceNotFoundException";

/// The memberships of one Identity Store. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Memberships {
    clients: Clients,
    identity_store_id: String,
    pub(super) limiter: Limiter,
}

impl Memberships {
    pub(super) const fn new(clients: Clients, identity_store_id: String, limiter: Limiter) -> Self {
        Self {
            clients,
            identity_store_id,
            limiter,
        }
    }

    /// Whether the person is in the group, by our membership where we know which that is. That
    /// they are not is only ever AWS's answer to that question, never a thing that was not found:
    /// that may be the group, or the person.
    pub(super) async fn read(
        &self,
        user: &UserId,
        group: &GroupId,
        own: Option<&str>,
        class: Class,
        attempt: Try,
    ) -> Result<(Sighting, bool), ReadFailed> {
        const OPERATION: &str = "IsMemberInGroups";
        self.limiter.acquire(class, attempt).await.spend();
        let began_at = now();
        let answer = self
            .clients
            .identitystore
            .is_member_in_groups()
            .identity_store_id(&self.identity_store_id)
            .member_id(MemberId::UserId(user.to_string()))
            .group_ids(group.as_str())
            .send()
            .await
            .inspect(|_| count(OPERATION, "ok"))
            .map_err(|error| self.failed(OPERATION, &error))?;
        let told = answer
            .results()
            .iter()
            .find(|result| result.group_id() == Some(group.as_str()))
            .map(aws_sdk_identitystore::types::GroupMembershipExistenceResult::membership_exists);
        let Some(exists) = told else {
            let code = "it left the group out".to_owned();
            return Err(ReadFailed::Call {
                operation: OPERATION,
                code,
            });
        };
        let presence = match (exists, own) {
            (false, _) => Presence::Absent,
            (true, None) => Presence::Present,
            (true, Some(own)) => {
                self.limiter.pass(class).await;
                if self.id(user, group).await? == own {
                    Presence::Present
                } else {
                    // Somebody else's: ours is not there.
                    Presence::Absent
                }
            }
        };
        let read = ReadEvidence {
            began_at,
            finished_at: now(),
            pages: 1,
        };
        let by_another = exists && presence == Presence::Absent;
        Ok((Sighting { presence, read }, by_another))
    }

    /// One page of a group's memberships.
    pub(super) async fn page(
        &self,
        group: &GroupId,
        token: Option<String>,
        class: Class,
    ) -> Result<ListGroupMembershipsOutput, ReadFailed> {
        const OPERATION: &str = "ListGroupMemberships";
        self.limiter.pass(class).await;
        self.clients
            .identitystore
            .list_group_memberships()
            .identity_store_id(&self.identity_store_id)
            .group_id(group.as_str())
            .max_results(ROWS_MAX)
            .set_next_token(token)
            .send()
            .await
            .inspect(|_| count(OPERATION, "ok"))
            .map_err(|error| self.failed(OPERATION, &error))
    }

    /// The id of the membership that is there.
    async fn id(&self, user: &UserId, group: &GroupId) -> Result<String, ReadFailed> {
        const OPERATION: &str = "GetGroupMembershipId";
        let answer = self
            .clients
            .identitystore
            .get_group_membership_id()
            .identity_store_id(&self.identity_store_id)
            .group_id(group.as_str())
            .member_id(MemberId::UserId(user.to_string()))
            .send()
            .await
            .inspect(|_| count(OPERATION, "ok"))
            .map_err(|error| self.failed(OPERATION, &error))?;
        Ok(answer.membership_id().to_owned())
    }

    pub(super) async fn create(&self, user: &UserId, group: &GroupId, gate: &Gate) -> Sent {
        const OPERATION: &str = "CreateGroupMembership";
        let answer = self
            .clients
            .identitystore
            .create_group_membership()
            .identity_store_id(&self.identity_store_id)
            .group_id(group.as_str())
            .member_id(MemberId::UserId(user.to_string()))
            .customize()
            .interceptor(gate.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => {
                count(OPERATION, "ok");
                Sent::Accepted {
                    aws_request_id: answer.membership_id().to_owned(),
                }
            }
            Err(error) => {
                let code = self.classify(OPERATION, &error);
                refused(&error, code, Action::Create)
            }
        }
    }

    /// Deletes ours; where its id was never heard, the one that is there.
    pub(super) async fn delete(
        &self,
        user: &UserId,
        group: &GroupId,
        own: Option<&str>,
        gate: &Gate,
    ) -> Sent {
        const OPERATION: &str = "DeleteGroupMembership";
        let id = if let Some(own) = own {
            own.to_owned()
        } else {
            self.limiter.pass(Class::Revoke).await;
            match self.id(user, group).await {
                Ok(id) => id,
                // Nothing was sent: a look tells whether there is nothing, or no answer.
                Err(failed) => {
                    return Sent::Contradicted {
                        code: failed.to_string(),
                    };
                }
            }
        };
        let answer = self
            .clients
            .identitystore
            .delete_group_membership()
            .identity_store_id(&self.identity_store_id)
            .membership_id(&id)
            .customize()
            .interceptor(gate.clone())
            .send()
            .await;
        match answer {
            Ok(_) => {
                count(OPERATION, "ok");
                Sent::Accepted { aws_request_id: id }
            }
            Err(error) => {
                let code = self.classify(OPERATION, &error);
                refused(&error, code, Action::Delete)
            }
        }
    }

    /// Whether a membership is there, or not any more. Reads lag writes: the other answer is for
    /// later.
    pub(super) async fn status(&self, action: Action, id: &str) -> Status {
        const OPERATION: &str = "DescribeGroupMembership";
        let class = match action {
            Action::Create => Class::Follow,
            Action::Delete => Class::Poll,
        };
        self.limiter.pass(class).await;
        let answer = self
            .clients
            .identitystore
            .describe_group_membership()
            .identity_store_id(&self.identity_store_id)
            .membership_id(id)
            .send()
            .await;
        let there = match answer {
            Ok(_) => {
                count(OPERATION, "ok");
                true
            }
            Err(error) if error.code() == Some(NOT_FOUND) => {
                count(OPERATION, "ok");
                false
            }
            Err(error) => {
                self.classify(OPERATION, &error);
                return Status::Unavailable;
            }
        };
        match (action, there) {
            (Action::Create, true) | (Action::Delete, false) => Status::Succeeded,
            (Action::Create, false) | (Action::Delete, true) => Status::InProgress,
        }
    }

    fn failed<E>(&self, operation: &'static str, error: &SdkError<E>) -> ReadFailed
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = self.classify(operation, error);
        ReadFailed::Call { operation, code }
    }

    fn classify<E>(&self, operation: &'static str, error: &SdkError<E>) -> String
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        classify(&self.limiter, "the Identity Store", operation, error)
    }
}
