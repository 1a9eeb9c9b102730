//! Withdraw and retract: people take back what they said, while nothing is promised.

use domain::event::Stream;
use domain::id::{AskIndex, RequestId};
use domain::request::{AskState, Refused, Request};

use super::again::again;
use super::approve::Approval;
use super::{Caller, Service, ServiceError};
use crate::store::{Commit, now};

impl Service {
    /// The requester withdraws every ask of which nothing has been promised.
    pub async fn withdraw(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        again(|| self.try_withdraw(caller, id)).await
    }

    async fn try_withdraw(&self, caller: &Caller, id: RequestId) -> Result<(), ServiceError> {
        let before = self.seen(caller, id).await?;
        if before.requester.id != caller.who.id {
            return Err(ServiceError::NotAllowed);
        }
        let undecided = before.undecided();
        if undecided.is_empty() {
            return Err(decided(&before));
        }
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        for index in undecided {
            let transition = approval.request().clone().withdrawn(index, commit.at())?;
            approval.advance(&mut commit, transition)?;
        }
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// An approver takes back their approval of these asks; of all that wait, if none is named.
    ///
    /// Nobody is asked whether they may: it is their own word, and taking it back gives nothing to
    /// anyone.
    pub async fn retract(
        &self,
        caller: &Caller,
        id: RequestId,
        asks: &[AskIndex],
    ) -> Result<(), ServiceError> {
        again(|| self.try_retract(caller, id, asks)).await
    }

    async fn try_retract(
        &self,
        caller: &Caller,
        id: RequestId,
        asks: &[AskIndex],
    ) -> Result<(), ServiceError> {
        let before = self.seen(caller, id).await?;
        let asks = retractable(&before, caller, asks)?;
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        for index in asks {
            let request = approval.request().clone();
            let transition = request.retracted(index, &caller.who, commit.at())?;
            approval.advance(&mut commit, transition)?;
        }
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// A request that this person may see.
    pub(super) async fn seen(
        &self,
        caller: &Caller,
        id: RequestId,
    ) -> Result<Request, ServiceError> {
        let request = self
            .store
            .request(id)
            .await?
            .ok_or(ServiceError::NotFound)?;
        // Whoever may not see it learns nothing, not even that it was decided. What is one's own
        // can be seen whatever else is out of reach.
        if request.requester.id != caller.who.id {
            self.must_see(&*self.world()?, caller, &request)?;
        }
        Ok(request)
    }
}

fn retractable(
    request: &Request,
    caller: &Caller,
    named: &[AskIndex],
) -> Result<Vec<AskIndex>, ServiceError> {
    if !named.is_empty() {
        return Ok(named.to_vec());
    }
    let own: Vec<&domain::request::Ask> = request
        .asks
        .iter()
        .filter(|ask| ask.reviews.iter().any(|have| have.by.id == caller.who.id))
        .collect();
    let waiting: Vec<AskIndex> = own
        .iter()
        .filter(|ask| ask.state == AskState::Pending)
        .map(|ask| ask.index)
        .collect();
    match own.first() {
        None => Err(Refused::NothingToRetract.into()),
        Some(first) if waiting.is_empty() => {
            Err(ServiceError::Decided(Box::new(first.state.clone())))
        }
        Some(_) => Ok(waiting),
    }
}

/// What the request was found to be.
pub(super) fn decided(request: &Request) -> ServiceError {
    request.asks.first().map_or(ServiceError::NotFound, |ask| {
        ServiceError::Decided(Box::new(ask.state.clone()))
    })
}
