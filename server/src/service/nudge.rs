//! Nudge: the requester reminds those who could approve. Whom that reaches is the business of
//! notices; here it is recorded, and kept from becoming noise.

use domain::event::Stream;
use domain::id::RequestId;

use super::again::again;
use super::approve::Approval;
use super::{Caller, Service, ServiceError};
use crate::store::{Commit, now};

impl Service {
    /// Reminds a request's approvers.
    pub async fn nudge(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        again(|| self.try_nudge(caller, id)).await
    }

    async fn try_nudge(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        let before = self.seen(caller, id).await?;
        if before.requester.id != caller.who.id {
            return Err(ServiceError::NotAllowed);
        }
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        let nudged = before.clone().nudged(commit.at())?;
        approval.advance(&mut commit, nudged)?;
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }
}
