//! Reads who holds what, whoever gave it: all of it, or an error (invariant 6).
//!
//! The cheapest way there is: permission sets, then the accounts that each is provisioned in, then
//! the assignments of those pairs only. It shares the organisation's quota with everyone, so it is
//! paced, and it is patient: minutes of reading are not given up for one throttled call.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_ssoadmin::types::PrincipalType;
use domain::directory::{Directory, PermissionSet, Person};
use domain::id::{AccountId, GroupId, InvalidId, PermissionSetArn, UserId};
use domain::inventory::{Assignment, Holder, HoldingGroup, Inventory, Principal, SCHEMA};
use futures::{StreamExt as _, TryStreamExt as _};
use thiserror::Error;

use crate::aws::Clients;
use crate::directory::{DirectoryError, Reader, failed};
use crate::limiter::{Class, Limiter};
use crate::store::now;

/// Calls under way at once. A call takes some 200 ms, so that many keep up with any rate that AWS
/// allows.
const AT_ONCE: usize = 8;

/// Attempts of one call. With the SDK's pauses, doubling to 20 s, they outlast a minute of
/// throttling by whatever else reads.
const ATTEMPTS: u32 = 8;

/// Pages of one list: 3,000 accounts at 20 a page are 150, and a pair's assignments are few.
const PAGES_MAX: usize = 1_000;

/// Why there is no inventory.
#[derive(Debug, Error)]
pub enum InventoryError {
    /// A call failed.
    #[error(transparent)]
    Read(#[from] DirectoryError),
    /// An id of an unexpected shape.
    #[error("an answer of AWS has an id that is not understood")]
    Id(#[from] InvalidId),
    /// There is none in this region, or it may not be seen.
    #[error(
        "there is no Identity Center instance in this account and region; set AWS_REGION to the \
         region of Identity Center, or BELAY_INSTANCE_ARN"
    )]
    NoInstance,
    /// Guessing would list the wrong half.
    #[error("there are several Identity Center instances ({0}); say which with BELAY_INSTANCE_ARN")]
    SeveralInstances(String),
}

/// An instance and the Identity Store behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Instance {
    arn: String,
    identity_store_id: String,
}

/// How far a read is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It reads from this instance and knows this many permission sets.
    PermissionSets(usize),
    /// This many pairs of permission set and account are provisioned.
    Pairs(usize),
    /// The assignments of this many pairs were read, of so many.
    Read(usize, usize),
    /// The assignments are complete; the names of people and groups are left.
    Assignments(usize),
}

/// Reads everything. `instance_arn` is found if it is not given; `rate` is calls a second to each of
/// Identity Center and the Identity Store.
pub async fn read(
    instance_arn: Option<String>,
    rate: NonZeroU32,
    tell: impl Fn(Progress) + Sync,
) -> Result<Inventory, InventoryError> {
    let (scan, reader) = connect(instance_arn, rate).await?;
    let read_from = now();
    let accounts = scan.account_names().await?;
    let sets = reader.permission_sets().await?;
    tell(Progress::PermissionSets(sets.len()));
    let assignments = scan.assignments(&sets, &accounts, &tell).await?;
    tell(Progress::Assignments(assignments.len()));
    // Names last: whoever was assigned something before this and is not found no longer exists.
    let groups = holding_groups(&reader, &assignments).await?;
    let people = holders(&reader, &assignments, &groups).await?;
    Ok(Inventory {
        schema: SCHEMA,
        instance_arn: scan.instance.arn,
        identity_store_id: scan.instance.identity_store_id,
        read_from,
        read_until: now(),
        assignments,
        people,
        groups,
    })
}

/// Reads who and what there is, with the members of every group: for commands that judge a policy.
pub async fn directory(
    instance_arn: Option<String>,
    rate: NonZeroU32,
) -> Result<Directory, InventoryError> {
    let (_, reader) = connect(instance_arn, rate).await?;
    let mut directory = Box::pin(reader.read()).await?;
    let groups = directory.groups.keys().cloned().collect();
    directory.members = reader.members(&groups).await?;
    Ok(directory)
}

/// Finds the instance, and what reads from it within one budget.
async fn connect(
    instance_arn: Option<String>,
    rate: NonZeroU32,
) -> Result<(Scan, Reader), InventoryError> {
    let shared = aws_config::defaults(BehaviorVersion::latest()).load().await;
    let clients = patient(&shared);
    let sso = Limiter::new(rate);
    let instance = find(&clients, &sso, instance_arn).await?;
    let reader = Reader::new(
        clients.clone(),
        instance.arn.clone(),
        instance.identity_store_id.clone(),
        sso.clone(),
        Limiter::new(rate),
    );
    let scan = Scan {
        clients,
        instance,
        sso,
    };
    Ok((scan, reader))
}

/// The clients of [`Clients`] give up early, because there somebody decides what comes next. Nothing
/// here is decided, or written.
fn patient(shared: &SdkConfig) -> Clients {
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .operation_attempt_timeout(Duration::from_secs(20))
        .build();
    let clients = Clients::new(shared);
    Clients {
        ssoadmin: aws_sdk_ssoadmin::Client::from_conf(
            aws_sdk_ssoadmin::config::Builder::from(shared)
                .retry_config(retries.clone())
                .timeout_config(timeouts.clone())
                .build(),
        ),
        identitystore: aws_sdk_identitystore::Client::from_conf(
            aws_sdk_identitystore::config::Builder::from(shared)
                .retry_config(retries)
                .timeout_config(timeouts)
                .build(),
        ),
        ..clients
    }
}

fn missing(operation: &'static str, field: &'static str) -> InventoryError {
    DirectoryError::Missing { operation, field }.into()
}

/// The instance that was named, or the only one.
async fn find(
    clients: &Clients,
    limiter: &Limiter,
    named: Option<String>,
) -> Result<Instance, InventoryError> {
    const LIST: &str = "ListInstances";
    const DESCRIBE: &str = "DescribeInstance";
    limiter.pass(Class::Refresh).await;
    if let Some(arn) = named {
        let answer = clients
            .ssoadmin
            .describe_instance()
            .instance_arn(&arn)
            .send()
            .await
            .map_err(|error| failed(DESCRIBE, &error))?;
        let identity_store_id = answer
            .identity_store_id()
            .ok_or_else(|| missing(DESCRIBE, "IdentityStoreId"))?
            .to_owned();
        return Ok(Instance {
            arn,
            identity_store_id,
        });
    }
    let mut found = Vec::new();
    let mut pages = clients
        .ssoadmin
        .list_instances()
        .into_paginator()
        .items()
        .send();
    while let Some(instance) = pages.next().await {
        let instance = instance.map_err(|error| failed(LIST, &error))?;
        found.push(Instance {
            arn: instance
                .instance_arn()
                .ok_or_else(|| missing(LIST, "InstanceArn"))?
                .to_owned(),
            identity_store_id: instance
                .identity_store_id()
                .ok_or_else(|| missing(LIST, "IdentityStoreId"))?
                .to_owned(),
        });
    }
    match found.len() {
        0 | 1 => found.pop().ok_or(InventoryError::NoInstance),
        _ => {
            let arns: Vec<String> = found.into_iter().map(|instance| instance.arn).collect();
            Err(InventoryError::SeveralInstances(arns.join(", ")))
        }
    }
}

struct Scan {
    clients: Clients,
    instance: Instance,
    sso: Limiter,
}

impl Scan {
    async fn account_names(&self) -> Result<BTreeMap<AccountId, String>, InventoryError> {
        const OPERATION: &str = "ListAccounts";
        let mut names = BTreeMap::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .clients
                .organizations
                .list_accounts()
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| failed(OPERATION, &error))?;
            for account in page.accounts() {
                let id = account.id().ok_or_else(|| missing(OPERATION, "Id"))?;
                let name = account.name().ok_or_else(|| missing(OPERATION, "Name"))?;
                names.insert(AccountId::parse(id)?, name.to_owned());
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(names);
            }
        }
        Err(too_many(OPERATION))
    }

    async fn assignments(
        &self,
        sets: &BTreeMap<PermissionSetArn, PermissionSet>,
        accounts: &BTreeMap<AccountId, String>,
        tell: &(impl Fn(Progress) + Sync),
    ) -> Result<Vec<Assignment>, InventoryError> {
        let pairs: Vec<(&PermissionSet, AccountId)> = futures::stream::iter(sets.values())
            .map(|set| async move { self.provisioned(set).await })
            .buffer_unordered(AT_ONCE)
            .try_concat()
            .await?;
        let all = pairs.len();
        tell(Progress::Pairs(all));
        let done = AtomicUsize::new(0);
        let mut found: Vec<Assignment> = futures::stream::iter(pairs)
            .map(|(set, account)| {
                let done = &done;
                async move {
                    let name = accounts.get(&account).cloned().unwrap_or_default();
                    let principals = self.principals(set, &account).await?;
                    tell(Progress::Read(
                        done.fetch_add(1, Ordering::Relaxed) + 1,
                        all,
                    ));
                    Ok::<_, InventoryError>(
                        principals
                            .into_iter()
                            .map(|principal| Assignment {
                                account_id: account.clone(),
                                account_name: name.clone(),
                                permission_set: set.name.clone(),
                                permission_set_arn: set.arn.clone(),
                                principal,
                            })
                            .collect::<Vec<_>>(),
                    )
                }
            })
            .buffer_unordered(AT_ONCE)
            .try_concat()
            .await?;
        found.sort();
        Ok(found)
    }

    async fn provisioned<'s>(
        &self,
        set: &'s PermissionSet,
    ) -> Result<Vec<(&'s PermissionSet, AccountId)>, InventoryError> {
        const OPERATION: &str = "ListAccountsForProvisionedPermissionSet";
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            self.sso.pass(Class::Refresh).await;
            let page = self
                .clients
                .ssoadmin
                .list_accounts_for_provisioned_permission_set()
                .instance_arn(&self.instance.arn)
                .permission_set_arn(set.arn.as_str())
                .max_results(100)
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| failed(OPERATION, &error))?;
            for account in page.account_ids() {
                found.push((set, AccountId::parse(account)?));
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(too_many(OPERATION))
    }

    async fn principals(
        &self,
        set: &PermissionSet,
        account: &AccountId,
    ) -> Result<BTreeSet<Principal>, InventoryError> {
        const OPERATION: &str = "ListAccountAssignments";
        let mut found = BTreeSet::new();
        let mut token: Option<String> = None;
        for _ in 0..PAGES_MAX {
            self.sso.pass(Class::Refresh).await;
            let page = self
                .clients
                .ssoadmin
                .list_account_assignments()
                .instance_arn(&self.instance.arn)
                .account_id(account.as_str())
                .permission_set_arn(set.arn.as_str())
                .max_results(100)
                .set_next_token(token.take())
                .send()
                .await
                .map_err(|error| failed(OPERATION, &error))?;
            for assignment in page.account_assignments() {
                let id = assignment
                    .principal_id()
                    .ok_or_else(|| missing(OPERATION, "PrincipalId"))?;
                found.insert(match assignment.principal_type() {
                    Some(PrincipalType::User) => Principal::User(UserId::parse(id)?),
                    Some(PrincipalType::Group) => Principal::Group(GroupId::parse(id)?),
                    // A kind that came later would be left out, and the list not be complete.
                    _ => return Err(missing(OPERATION, "a PrincipalType that is known")),
                });
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(too_many(OPERATION))
    }
}

fn too_many(operation: &'static str) -> InventoryError {
    DirectoryError::TooMany { operation }.into()
}

/// The groups that hold something, with their members.
async fn holding_groups(
    reader: &Reader,
    assignments: &[Assignment],
) -> Result<BTreeMap<GroupId, HoldingGroup>, InventoryError> {
    let wanted: BTreeSet<GroupId> = assignments
        .iter()
        .filter_map(|assignment| match &assignment.principal {
            Principal::Group(group) => Some(group.clone()),
            Principal::User(_) => None,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut known = reader.groups().await?;
    let there: BTreeSet<GroupId> = wanted
        .into_iter()
        .filter(|group| known.contains_key(group))
        .collect();
    let members = reader.members(&there).await?;
    Ok(there
        .into_iter()
        .filter_map(|id| {
            let name = known.remove(&id)?.name;
            let members = members.of(&id).cloned().collect();
            Some((id, HoldingGroup { name, members }))
        })
        .collect())
}

/// Everyone who holds something, directly or by a group.
async fn holders(
    reader: &Reader,
    assignments: &[Assignment],
    groups: &BTreeMap<GroupId, HoldingGroup>,
) -> Result<BTreeMap<UserId, Holder>, InventoryError> {
    let direct = assignments
        .iter()
        .filter_map(|assignment| match &assignment.principal {
            Principal::User(user) => Some(user),
            Principal::Group(_) => None,
        });
    let wanted: BTreeSet<&UserId> = direct
        .chain(groups.values().flat_map(|group| &group.members))
        .collect();
    if wanted.is_empty() {
        return Ok(BTreeMap::new());
    }
    let people = reader.people().await?;
    Ok(people
        .into_iter()
        .filter(|(id, _)| wanted.contains(id))
        .map(|(id, person)| (id, holder(person)))
        .collect())
}

fn holder(person: Person) -> Holder {
    Holder {
        user_name: person.user_name,
        display_name: person.display_name,
        email: person.emails.into_iter().next(),
        status: person.status,
    }
}
