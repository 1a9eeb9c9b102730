//! Whether what a key is made of still exists, asked of each part by itself.
//!
//! Only AWS's definite "there is no such thing" counts as gone. Any other answer, and none, says
//! nothing of that part: whoever asks asks again.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use domain::grant::{Inspection, Part};
use domain::target::{Key, Target};

use super::call::Api;
use super::{count, is_throttle};
use crate::limiter::{Class, Limiter};
use crate::store::now;

/// Organizations allows some calls a second; these are a handful an hour.
const ORGANIZATIONS_RATE: NonZeroU32 = NonZeroU32::new(2).unwrap();

/// Asks AWS. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Existence {
    api: Api,
    identity_store_id: String,
    identity: Limiter,
    organizations: Limiter,
}

impl Existence {
    pub(super) fn new(api: Api, identity_store_id: String, identity: Limiter) -> Self {
        Self {
            api,
            identity_store_id,
            identity,
            organizations: Limiter::new(ORGANIZATIONS_RATE),
        }
    }

    pub(super) async fn inspect(&self, key: &Key) -> Inspection {
        let began_at = now();
        let clients = &self.api.clients;
        let person = async {
            self.identity.pass(Class::Proof).await;
            let asked = clients.identitystore.describe_user();
            let answer = asked
                .identity_store_id(&self.identity_store_id)
                .user_id(key.user.as_str())
                .send()
                .await;
            let gone = is_gone("DescribeUser", &self.identity, answer.err().as_ref());
            gone.then_some(Part::Person)
        };
        let rest = async {
            match &key.target {
                Target::Account {
                    account,
                    permission_set,
                } => {
                    let set = async {
                        self.api.limiter.pass(Class::Proof).await;
                        let asked = clients.ssoadmin.describe_permission_set();
                        let answer = asked
                            .instance_arn(&self.api.instance_arn)
                            .permission_set_arn(permission_set.as_str())
                            .send()
                            .await;
                        let gone = is_gone(
                            "DescribePermissionSet",
                            &self.api.limiter,
                            answer.err().as_ref(),
                        );
                        gone.then_some(Part::PermissionSet)
                    };
                    let place = async {
                        self.organizations.pass(Class::Proof).await;
                        let asked = clients.organizations.describe_account();
                        let answer = asked.account_id(account.as_str()).send().await;
                        let gone = is_gone(
                            "DescribeAccount",
                            &self.organizations,
                            answer.err().as_ref(),
                        );
                        gone.then_some(Part::Account)
                    };
                    <[Option<Part>; 2]>::from(tokio::join!(set, place))
                }
                Target::Group { group } => {
                    self.identity.pass(Class::Proof).await;
                    let asked = clients.identitystore.describe_group();
                    let answer = asked
                        .identity_store_id(&self.identity_store_id)
                        .group_id(group.as_str())
                        .send()
                        .await;
                    let gone = is_gone("DescribeGroup", &self.identity, answer.err().as_ref());
                    [gone.then_some(Part::Group), None]
                }
            }
        };
        let (person, rest) = tokio::join!(person, rest);
        let gone: BTreeSet<Part> = person
            .into_iter()
            .chain(rest.into_iter().flatten())
            .collect();
        Inspection {
            began_at,
            finished_at: now(),
            gone,
        }
    }
}

/// Whether AWS said that there is no such thing.
fn is_gone<E>(operation: &'static str, limiter: &Limiter, error: Option<&E>) -> bool
where
    E: ProvideErrorMetadata + std::error::Error,
{
    let Some(error) = error else {
        count(operation, "ok");
        return false;
    };
    let code = error.code().unwrap_or("no answer");
    if matches!(
        code,
        "ResourceNotFoundException" | "AccountNotFoundException"
    ) {
        count(operation, "ok");
        return true;
    }
    if is_throttle(code) {
        limiter.throttled();
    }
    count(operation, "error");
    tracing::warn!(operation, code, error = %DisplayErrorContext(error), "whether it exists is not known");
    false
}
