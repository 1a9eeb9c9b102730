//! What one group is assigned, read whole, in a call or a few: for a decision about joining it, and
//! for pages.
//!
//! AWS tells it to the management account alone. A delegated administrator knows it from the last
//! read of the whole organisation ([`crate::reconcile`]); [`Directory::beyond`] says which of the two
//! we are. <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_ListAccountAssignmentsForPrincipal.html>
//!
//! [`Directory::beyond`]: domain::directory::Directory::beyond

use std::collections::BTreeSet;

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_ssoadmin::types::PrincipalType;
use domain::id::{AccountId, GroupId, PermissionSetArn};

use super::{DirectoryError, PAGES_MAX, failed, need, slow_down};
use crate::aws::Clients;
use crate::limiter::{Class, Limiter};

const OPERATION: &str = "ListAccountAssignmentsForPrincipal";

/// Asks what groups are assigned. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct GroupHoldings {
    pub(super) clients: Clients,
    pub(super) instance_arn: String,
    pub(super) limiter: Limiter,
}

impl GroupHoldings {
    /// All of it, or an error; `None`: AWS knows no such group.
    pub(crate) async fn of(
        &self,
        group: &GroupId,
        class: Class,
    ) -> Result<Option<BTreeSet<(AccountId, PermissionSetArn)>>, DirectoryError> {
        let mut held = BTreeSet::new();
        let mut token = None;
        for _ in 0..PAGES_MAX {
            self.limiter.pass(class).await;
            let answer = self
                .clients
                .ssoadmin
                .list_account_assignments_for_principal()
                .instance_arn(&self.instance_arn)
                .principal_type(PrincipalType::Group)
                .principal_id(group.as_str())
                .max_results(100)
                .set_next_token(token)
                .send()
                .await;
            let page = match answer {
                Ok(page) => page,
                Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
                Err(error) => {
                    slow_down(&self.limiter, &error);
                    return Err(failed(OPERATION, &error));
                }
            };
            for row in page.account_assignments() {
                let account = need(row.account_id(), OPERATION, "AccountId")?;
                let set = need(row.permission_set_arn(), OPERATION, "PermissionSetArn")?;
                held.insert((account.parse()?, set.parse()?));
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(Some(held));
            }
        }
        Err(DirectoryError::TooMany {
            operation: OPERATION,
        })
    }
}
