//! The executor lease: one item, moved on by conditional writes.

use domain::id::ServerId;
use serde::{Deserialize, Serialize};

use super::commit::Expect;
use super::{Store, StoreError, item, keys};

/// Who leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseItem {
    /// Which server; `None`: it was given back.
    pub holder: Option<ServerId>,
    /// The counter. It only ever grows; whoever sees it stand still takes over.
    pub version: u64,
}

impl Store {
    /// The lease, if anybody ever held it.
    pub async fn lease(&self) -> Result<Option<LeaseItem>, StoreError> {
        self.get(&keys::lease()).await
    }

    /// Moves the lease on from the counter that was read; `None`: nobody ever held it.
    /// [`StoreError::Changed`]: somebody else did.
    pub async fn set_lease(
        &self,
        lease: &LeaseItem,
        counter: Option<u64>,
    ) -> Result<(), StoreError> {
        let expect = counter.map_or(Expect::Absent, Expect::Version);
        match self
            .put_alone(&keys::lease(), item::attributes(lease)?, expect)
            .await
        {
            // The SDK repeats what was not answered, and meets its own first attempt.
            Err(StoreError::Changed) if self.lease().await?.as_ref() == Some(lease) => Ok(()),
            outcome => outcome,
        }
    }
}
