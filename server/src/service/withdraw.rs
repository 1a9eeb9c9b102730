//! Withdraw: the requester takes back what nobody has decided.

use domain::event::Stream;
use domain::id::{AskIndex, RequestId};
use domain::request::{AskState, Request};

use super::approve::Approval;
use super::{Caller, DECIDE_AGAIN, Service, ServiceError};
use crate::store::{Commit, now};

impl Service {
    /// Withdraws every ask that is still pending.
    pub async fn withdraw(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        for _ in 0..DECIDE_AGAIN {
            match self.try_withdraw(caller, id).await {
                Err(ServiceError::Changed) => {}
                other => return other,
            }
        }
        Err(ServiceError::Changed)
    }

    async fn try_withdraw(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        let world = self.world()?;
        let before = self
            .store
            .request(id)
            .await?
            .ok_or(ServiceError::NotFound)?;
        self.must_see(&world, caller, &before)?;
        if before.requester.id != caller.who.id {
            return Err(ServiceError::NotAllowed);
        }
        let pending = pending(&before);
        if pending.is_empty() {
            let found = before.asks.first().map(|ask| ask.state.clone());
            return Err(found.map_or(ServiceError::NotFound, |found| {
                ServiceError::Decided(Box::new(found))
            }));
        }
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        for index in pending {
            let transition = approval.request().clone().withdrawn(index, commit.at())?;
            approval.advance(&mut commit, transition)?;
        }
        commit.change_request(&before, approval.request())?;
        self.store.commit(commit).await?;
        Ok(())
    }
}

/// The asks that nobody has decided.
pub(super) fn pending(request: &Request) -> Vec<AskIndex> {
    request
        .asks
        .iter()
        .filter(|ask| ask.state == AskState::Pending)
        .map(|ask| ask.index)
        .collect()
}
