//! Versions of the policy, for auditors and admins: what an old verdict was judged by.

use domain::id::PolicyVersion;
use domain::policy::KeptPolicy;
use jiff::Timestamp;

use super::{Caller, Service, ServiceError};
use crate::store::{PartsError, StoreError, Versions};

/// One version.
#[derive(Debug, Clone)]
pub enum PolicyFound {
    /// As it was kept.
    Whole(Box<KeptPolicy>),
    /// The table has it no more, or not as it was written.
    Damaged,
}

impl Service {
    /// What came into force, the latest first; before that instant, if one is given.
    pub async fn policy_versions(
        &self,
        caller: &Caller,
        before: Option<Timestamp>,
    ) -> Result<Versions, ServiceError> {
        self.overseen(caller).await?;
        Ok(self.store.policy_versions(before).await?)
    }

    /// One version, with all that it included and whom its names meant.
    pub async fn policy_version(
        &self,
        caller: &Caller,
        version: &PolicyVersion,
    ) -> Result<PolicyFound, ServiceError> {
        self.overseen(caller).await?;
        self.kept_policy(version).await
    }

    /// The same for a caller who oversees.
    pub(super) async fn kept_policy(
        &self,
        version: &PolicyVersion,
    ) -> Result<PolicyFound, ServiceError> {
        match self.store.policy_version(version).await {
            Ok(Some(kept)) => Ok(PolicyFound::Whole(Box::new(kept))),
            Ok(None) => Err(ServiceError::NotFound),
            Err(PartsError::Store(error)) if !matches!(error, StoreError::Unreadable { .. }) => {
                Err(error.into())
            }
            Err(error) => {
                tracing::error!(%version, error = &error as &dyn std::error::Error, "a version of the policy is damaged in the table");
                Ok(PolicyFound::Damaged)
            }
        }
    }
}
