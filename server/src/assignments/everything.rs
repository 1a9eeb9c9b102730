//! What there is to read at all: permission sets, and where each is provisioned. With the reads of
//! those pairs this is the cheapest way to see every assignment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::grant::ReadEvidence;
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};

use super::reads::{PairRead, ReadFailed};
use super::{Assignments, Pair};
use crate::limiter::{Class, Try};
use crate::store::now;

/// Pages of one list: 3,500 permission sets and 3,000 accounts are AWS's quotas, at 100 a page.
const PAGES_MAX: u32 = 100;

fn failed(operation: &'static str) -> impl Fn(String) -> ReadFailed {
    move |code| ReadFailed::Call { operation, code }
}

impl Assignments {
    /// Every permission set, or an error.
    pub async fn permission_sets(
        &self,
        class: Class,
    ) -> Result<BTreeSet<PermissionSetArn>, ReadFailed> {
        const OPERATION: &str = "ListPermissionSets";
        let mut found = BTreeSet::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            self.api.limiter.pass(class).await;
            let page = self
                .api
                .permission_sets(token)
                .await
                .map_err(failed(OPERATION))?;
            for arn in page.permission_sets() {
                let odd = |_| failed(OPERATION)("an ARN that is not understood".to_owned());
                found.insert(PermissionSetArn::parse(arn).map_err(odd)?);
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(ReadFailed::TooMany)
    }

    /// Every account that a permission set is provisioned in, or an error.
    pub async fn provisioned(
        &self,
        set: &PermissionSetArn,
        class: Class,
    ) -> Result<BTreeSet<Pair>, ReadFailed> {
        const OPERATION: &str = "ListAccountsForProvisionedPermissionSet";
        let mut found = BTreeSet::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            self.api.limiter.pass(class).await;
            let page = self
                .api
                .provisioned(set, token)
                .await
                .map_err(failed(OPERATION))?;
            for account in page.account_ids() {
                let odd = |_| failed(OPERATION)("an account id that is not understood".to_owned());
                found.insert(Pair {
                    account: AccountId::parse(account).map_err(odd)?,
                    permission_set: set.clone(),
                });
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(ReadFailed::TooMany)
    }

    /// Everybody and every group on a pair: every page, or an error.
    pub async fn read_pair(&self, pair: Pair, class: Class) -> Result<Arc<PairRead>, ReadFailed> {
        self.reads.read(pair, class, Try::First).await
    }

    /// Everybody in a group with the ids of their memberships: every page, or an error.
    pub async fn read_group(&self, group: &GroupId, class: Class) -> Result<GroupRead, ReadFailed> {
        let began_at = now();
        let mut members = BTreeMap::new();
        let mut token = None;
        for pages in 1..=PAGES_MAX {
            let page = self.memberships.page(group, token, class).await?;
            for membership in page.group_memberships() {
                let user = membership.member_id().and_then(|id| id.as_user_id().ok());
                let odd = || failed("ListGroupMemberships")("a member without an id".to_owned());
                let user = user
                    .and_then(|user| UserId::parse(user).ok())
                    .ok_or_else(odd)?;
                let id = membership.membership_id().to_owned();
                members.insert(user, id);
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                let read = ReadEvidence {
                    began_at,
                    finished_at: now(),
                    pages,
                };
                return Ok(GroupRead { members, read });
            }
        }
        Err(ReadFailed::TooMany)
    }
}

/// Who is in a group.
#[derive(Debug)]
pub struct GroupRead {
    /// With the ids of their memberships.
    pub members: BTreeMap<UserId, String>,
    /// The read.
    pub read: ReadEvidence,
}
