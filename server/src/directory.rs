//! Reads the organisation: accounts, permission sets, people and groups.
//!
//! A reading is whole or it is an error: every page of every list, or nothing (invariant 6). It
//! serves pages and previews and finds names; decisions ask again, live ([`crate::people`]).

mod holdings;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_ssoadmin::types::PrincipalType;
use domain::directory::{Account, Beyond, Directory, Group, PermissionSet, Person, Status};
use domain::id::{AccountId, GroupId, InvalidId, UserId};
use jiff::SignedDuration;
use thiserror::Error;

use crate::assignments::is_throttle;
use crate::aws::Clients;
use crate::limiter::{Class, Limiter};
use crate::store::{StoreError, now};

pub(crate) use holdings::GroupHoldings;

/// Nested organisational units that are followed. AWS allows five below the root.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
const OU_DEPTH_MAX: usize = 6;

/// Pages of one list. The largest is people: 100,000 at 100 a page, AWS's own quota.
const PAGES_MAX: usize = 1_000;

/// Why the organisation could not be read.
#[derive(Debug, Error)]
pub enum DirectoryError {
    /// A call failed: the reading is given up, the one before stays.
    #[error("{operation} failed ({code})")]
    Call {
        /// Which call.
        operation: &'static str,
        /// AWS's error code, or what kept it from answering.
        code: String,
        /// The whole story, for the log.
        detail: String,
    },
    /// An answer lacked something that AWS's model calls optional and its service always sends.
    #[error("{operation} left out {field}")]
    Missing {
        /// Which call.
        operation: &'static str,
        /// What.
        field: &'static str,
    },
    /// An id of an unexpected shape.
    #[error("an answer of AWS has an id that is not understood")]
    Id(#[from] InvalidId),
    /// Whether a membership is ours could not be read.
    #[error("the table could not be reached")]
    Store(#[from] StoreError),
    /// A list that goes on for ever.
    #[error("{operation} gave more than {PAGES_MAX} pages")]
    TooMany {
        /// Which call.
        operation: &'static str,
    },
}

/// An error of a call, with its whole story.
pub(crate) fn failed<E>(operation: &'static str, error: &E) -> DirectoryError
where
    E: std::error::Error + ProvideErrorMetadata,
{
    DirectoryError::Call {
        operation,
        code: error
            .code()
            .map_or_else(|| "no answer".to_owned(), str::to_owned),
        detail: DisplayErrorContext(error).to_string(),
    }
}

/// Fewer calls, if that is what the error asks for.
pub(crate) fn slow_down(limiter: &Limiter, error: &impl ProvideErrorMetadata) {
    if error.code().is_some_and(is_throttle) {
        limiter.throttled();
    }
}

fn need<T>(
    value: Option<T>,
    operation: &'static str,
    field: &'static str,
) -> Result<T, DirectoryError> {
    value.ok_or(DirectoryError::Missing { operation, field })
}

/// Gathers every page of a list. `$next` is called with the token of the page before.
macro_rules! every_page {
    ($operation:literal, $limiter:expr, $token:ident => $call:expr, $page:ident => $use:expr) => {{
        let mut $token: Option<String> = None;
        let mut pages = 0;
        loop {
            pages += 1;
            if pages > PAGES_MAX {
                return Err(DirectoryError::TooMany {
                    operation: $operation,
                });
            }
            $limiter.pass(Class::Refresh).await;
            let $page = $call.await.map_err(|error| {
                slow_down(&$limiter, &error);
                failed($operation, &error)
            })?;
            $token = $page.next_token().map(str::to_owned);
            $use;
            if $token.is_none() {
                break;
            }
        }
    }};
}

/// What reads the organisation.
#[derive(Debug, Clone)]
pub struct Reader {
    clients: Clients,
    instance_arn: String,
    identity_store_id: String,
    sso: Limiter,
    identity: Limiter,
    organizations: Limiter,
}

/// Organizations allows a burst of 10 to 15 and some calls a second for each API; ten leave room.
const ORGANIZATIONS_RATE: NonZeroU32 = NonZeroU32::new(10).unwrap();

impl Reader {
    /// Reads within these limits, which the worker shares.
    #[must_use]
    pub fn new(
        clients: Clients,
        instance_arn: String,
        identity_store_id: String,
        sso: Limiter,
        identity: Limiter,
    ) -> Self {
        Self {
            clients,
            instance_arn,
            identity_store_id,
            sso,
            identity,
            organizations: Limiter::new(ORGANIZATIONS_RATE),
        }
    }

    /// What reads what groups are assigned.
    pub(crate) fn holdings(&self) -> GroupHoldings {
        GroupHoldings {
            clients: self.clients.clone(),
            instance_arn: self.instance_arn.clone(),
            limiter: self.sso.clone(),
        }
    }

    /// Reads everything but memberships.
    pub async fn read(&self) -> Result<Directory, DirectoryError> {
        let read_at = now();
        let (accounts, permission_sets, (people, groups)) =
            tokio::try_join!(self.accounts(), self.permission_sets(), async {
                tokio::try_join!(self.people(), self.groups())
            },)?;
        let beyond = match people.keys().next() {
            Some(anybody) => self.beyond(anybody).await?,
            None => Beyond::default(),
        };
        Ok(Directory {
            accounts,
            permission_sets,
            people,
            groups,
            members: domain::directory::Members::default(),
            // What groups are assigned is read by itself: which of them matter, the policy says.
            holdings: domain::directory::Holdings::default(),
            beyond,
            read_at: Some(read_at),
        })
    }

    /// Reads who is in these groups.
    pub async fn members(
        &self,
        groups: &BTreeSet<GroupId>,
    ) -> Result<domain::directory::Members, DirectoryError> {
        const OPERATION: &str = "ListGroupMemberships";
        let mut members = domain::directory::Members::default();
        for group in groups {
            if !self.is_there(group).await? {
                // A definite answer: the group is gone, and so nobody is in it.
                tracing::warn!(%group, "a group that the policy names no longer exists");
                members.insert(group.clone(), BTreeSet::new());
                continue;
            }
            let mut people = BTreeSet::new();
            every_page!("ListGroupMemberships", self.identity, token => {
                self.clients.identitystore.list_group_memberships()
                    .identity_store_id(&self.identity_store_id)
                    .group_id(group.as_str())
                    .max_results(100)
                    .set_next_token(token)
                    .send()
            }, page => for membership in page.group_memberships() {
                let member = need(membership.member_id(), OPERATION, "MemberId")?;
                let user = member.as_user_id().map_err(|_| DirectoryError::Missing {
                    operation: OPERATION,
                    field: "UserId",
                })?;
                people.insert(UserId::parse(user)?);
            });
            members.insert(group.clone(), people);
        }
        Ok(members)
    }

    /// What cannot be assigned from here. `ListAccountAssignmentsForPrincipal`, which "must be called
    /// from the management account", tells whether that is where we are: a delegated administrator is
    /// denied it. (So is whoever may not call it at all, which the log says as well.)
    /// <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignmentsForPrincipal.html>
    async fn beyond(&self, anybody: &UserId) -> Result<Beyond, DirectoryError> {
        const ASSIGNMENTS: &str = "ListAccountAssignmentsForPrincipal";
        const ORGANIZATION: &str = "DescribeOrganization";
        self.sso.pass(Class::Refresh).await;
        let answer = self
            .clients
            .ssoadmin
            .list_account_assignments_for_principal()
            .instance_arn(&self.instance_arn)
            .principal_type(PrincipalType::User)
            .principal_id(anybody.as_str())
            .max_results(1)
            .send()
            .await;
        match answer {
            Ok(_) => return Ok(Beyond::default()),
            // Whoever was there a moment ago.
            Err(error) if error.code() == Some("ResourceNotFoundException") => {
                return Ok(Beyond::default());
            }
            Err(error) if error.code() == Some("AccessDeniedException") => {}
            Err(error) => {
                slow_down(&self.sso, &error);
                return Err(failed(ASSIGNMENTS, &error));
            }
        }
        self.organizations.pass(Class::Refresh).await;
        let answer = self.clients.organizations.describe_organization().send();
        let answer = answer.await.map_err(|error| {
            slow_down(&self.organizations, &error);
            failed(ORGANIZATION, &error)
        })?;
        let organization = need(answer.organization(), ORGANIZATION, "Organization")?;
        let account = organization.master_account_id();
        let account: AccountId = need(account, ORGANIZATION, "MasterAccountId")?.parse()?;
        let mut permission_sets = BTreeSet::new();
        every_page!("ListPermissionSetsProvisionedToAccount", self.sso, token => {
            self.clients.ssoadmin.list_permission_sets_provisioned_to_account()
                .instance_arn(&self.instance_arn)
                .account_id(account.as_str())
                .max_results(100)
                .set_next_token(token)
                .send()
        }, page => for arn in page.permission_sets() {
            permission_sets.insert(arn.parse()?);
        });
        tracing::info!(
            management_account = %account,
            permission_sets = permission_sets.len(),
            "AWS denied {ASSIGNMENTS}: Belay calls as a delegated administrator, which cannot assign \
             in the management account, nor what is provisioned there"
        );
        Ok(Beyond {
            account: Some(account),
            permission_sets,
        })
    }

    async fn is_there(&self, group: &GroupId) -> Result<bool, DirectoryError> {
        self.identity.pass(Class::Refresh).await;
        let answer = self
            .clients
            .identitystore
            .describe_group()
            .identity_store_id(&self.identity_store_id)
            .group_id(group.as_str())
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(
                    aws_sdk_identitystore::operation::describe_group::DescribeGroupError::is_resource_not_found_exception,
                ) =>
            {
                Ok(false)
            }
            Err(error) => {
                slow_down(&self.identity, &error);
                Err(failed("DescribeGroup", &error))
            }
        }
    }

    async fn accounts(&self) -> Result<BTreeMap<AccountId, Account>, DirectoryError> {
        let mut accounts = BTreeMap::new();
        let mut units: Vec<(String, Vec<String>, Vec<String>)> = Vec::new();
        every_page!("ListRoots", self.organizations, token => {
            self.clients.organizations.list_roots().set_next_token(token).send()
        }, page => for root in page.roots() {
            let id = need(root.id(), "ListRoots", "Id")?.to_owned();
            let name = need(root.name(), "ListRoots", "Name")?.to_owned();
            units.push((id.clone(), vec![name], vec![id]));
        });
        while let Some((parent, names, ids)) = units.pop() {
            self.accounts_in(&parent, &names, &ids, &mut accounts)
                .await?;
            if names.len() >= OU_DEPTH_MAX {
                continue;
            }
            every_page!("ListOrganizationalUnitsForParent", self.organizations, token => {
                self.clients.organizations.list_organizational_units_for_parent()
                    .parent_id(&parent)
                    .set_next_token(token)
                    .send()
            }, page => for unit in page.organizational_units() {
                let id = need(unit.id(), "ListOrganizationalUnitsForParent", "Id")?.to_owned();
                let name = need(unit.name(), "ListOrganizationalUnitsForParent", "Name")?;
                let names = [names.as_slice(), &[name.to_owned()]].concat();
                let ids = [ids.as_slice(), std::slice::from_ref(&id)].concat();
                units.push((id, names, ids));
            });
        }
        Ok(accounts)
    }

    async fn accounts_in(
        &self,
        parent: &str,
        names: &[String],
        ids: &[String],
        accounts: &mut BTreeMap<AccountId, Account>,
    ) -> Result<(), DirectoryError> {
        let mut found = Vec::new();
        every_page!("ListAccountsForParent", self.organizations, token => {
            self.clients.organizations.list_accounts_for_parent()
                .parent_id(parent)
                .set_next_token(token)
                .send()
        }, page => for account in page.accounts() {
            let id = AccountId::parse(need(account.id(), "ListAccountsForParent", "Id")?)?;
            found.push(Account {
                id,
                name: need(account.name(), "ListAccountsForParent", "Name")?.to_owned(),
                ou_path: names.to_vec(),
                ou_ids: ids.to_vec(),
                tags: BTreeMap::new(),
                active: is_active(account),
            });
        });
        for mut account in found {
            every_page!("ListTagsForResource", self.organizations, token => {
                self.clients.organizations.list_tags_for_resource()
                    .resource_id(account.id.as_str())
                    .set_next_token(token)
                    .send()
            }, page => for tag in page.tags() {
                account.tags.insert(tag.key().to_owned(), tag.value().to_owned());
            });
            accounts.insert(account.id.clone(), account);
        }
        Ok(())
    }

    /// The permission sets, each with its name and session.
    pub(crate) async fn permission_sets(
        &self,
    ) -> Result<BTreeMap<domain::id::PermissionSetArn, PermissionSet>, DirectoryError> {
        let mut arns = Vec::new();
        every_page!("ListPermissionSets", self.sso, token => {
            self.clients.ssoadmin.list_permission_sets()
                .instance_arn(&self.instance_arn)
                .max_results(100)
                .set_next_token(token)
                .send()
        }, page => arns.extend(page.permission_sets().iter().cloned()));
        let mut sets = BTreeMap::new();
        for arn in arns {
            const OPERATION: &str = "DescribePermissionSet";
            self.sso.pass(Class::Refresh).await;
            let answer = self
                .clients
                .ssoadmin
                .describe_permission_set()
                .instance_arn(&self.instance_arn)
                .permission_set_arn(&arn)
                .send()
                .await
                .map_err(|error| {
                    slow_down(&self.sso, &error);
                    failed(OPERATION, &error)
                })?;
            let set = need(answer.permission_set(), OPERATION, "PermissionSet")?;
            let arn: domain::id::PermissionSetArn = arn.parse()?;
            sets.insert(
                arn.clone(),
                PermissionSet {
                    arn,
                    name: need(set.name(), OPERATION, "Name")?.parse()?,
                    description: set.description().map(str::to_owned),
                    session_seconds: session_seconds(set.session_duration()),
                },
            );
        }
        Ok(sets)
    }

    /// Everyone in the Identity Store.
    pub(crate) async fn people(&self) -> Result<BTreeMap<UserId, Person>, DirectoryError> {
        let mut people = BTreeMap::new();
        every_page!("ListUsers", self.identity, token => {
            self.clients.identitystore.list_users()
                .identity_store_id(&self.identity_store_id)
                .max_results(100)
                .set_next_token(token)
                .send()
        }, page => for user in page.users() {
            let id = UserId::parse(user.user_id())?;
            let user_name = user.user_name().unwrap_or_default().to_owned();
            let mut emails: Vec<(bool, String)> = user.emails().iter()
                .filter_map(|email| Some((!email.primary(), email.value()?.to_owned())))
                .collect();
            emails.sort_by_key(|(secondary, _)| *secondary);
            people.insert(id.clone(), Person {
                id,
                display_name: user.display_name().unwrap_or(&user_name).to_owned(),
                user_name,
                emails: emails.into_iter().map(|(_, email)| email).collect(),
                status: status(user.user_status()),
            });
        });
        Ok(people)
    }

    /// Every group of the Identity Store, without its members.
    pub(crate) async fn groups(&self) -> Result<BTreeMap<GroupId, Group>, DirectoryError> {
        let mut groups = BTreeMap::new();
        every_page!("ListGroups", self.identity, token => {
            self.clients.identitystore.list_groups()
                .identity_store_id(&self.identity_store_id)
                .max_results(100)
                .set_next_token(token)
                .send()
        }, page => for group in page.groups() {
            let id = GroupId::parse(group.group_id())?;
            let name = group.display_name().unwrap_or_default().to_owned();
            groups.insert(id.clone(), Group { id, name });
        });
        Ok(groups)
    }
}

/// `State` is the newer field; older partitions send only `Status`.
fn is_active(account: &aws_sdk_organizations::types::Account) -> bool {
    match account.state() {
        Some(state) => *state == aws_sdk_organizations::types::AccountState::Active,
        None => account
            .status()
            .is_none_or(|status| status.as_str() == "ACTIVE"),
    }
}

/// Absent where the Identity Store does not say, which it did not before the field existed. A value
/// that this version does not know is not taken for permission.
pub(crate) fn status(status: Option<&aws_sdk_identitystore::types::UserStatus>) -> Status {
    match status {
        None | Some(aws_sdk_identitystore::types::UserStatus::Enabled) => Status::Active,
        Some(_) => Status::Disabled,
    }
}

/// `PT8H` and the like. AWS's default is one hour.
fn session_seconds(iso: Option<&str>) -> u32 {
    const DEFAULT: u32 = 3_600;
    iso.and_then(|iso| iso.parse::<SignedDuration>().ok())
        .and_then(|duration| u32::try_from(duration.as_secs()).ok())
        .unwrap_or(DEFAULT)
}

#[cfg(test)]
mod tests {
    use super::session_seconds;

    #[test]
    fn session_durations_are_read_as_aws_writes_them() {
        assert_eq!(session_seconds(Some("PT1H")), 3_600);
        assert_eq!(session_seconds(Some("PT12H")), 43_200);
        assert_eq!(session_seconds(Some("PT1H30M")), 5_400);
        assert_eq!(session_seconds(None), 3_600);
    }
}
