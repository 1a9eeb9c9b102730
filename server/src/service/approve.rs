//! What an approval sets in motion: the grant, on record with its end, before anything in AWS.

use domain::event::{Details, Kind, Stream};
use domain::id::{AskIndex, OperationId};
use domain::key::KeyState;
use domain::plan::{self, Context};
use domain::request::{AskState, Completion, Request, Review};
use jiff::Timestamp;
use uuid::Uuid;

use super::{Service, ServiceError};
use crate::store::Commit;
use crate::store::item::StoredKey;

/// Grants that one key may have at a time. They may all end at one instant, at eight items each,
/// and a transaction takes a hundred.
const LIVE_MAX: usize = 10;

/// A request on its way through approvals, with what they promise.
#[derive(Debug)]
pub(super) struct Approval {
    request: Request,
    promised: Vec<(AskIndex, Completion, String)>,
    proven: Option<Timestamp>,
}

impl Approval {
    pub(super) const fn new(request: Request) -> Self {
        Self {
            request,
            promised: Vec::new(),
            proven: None,
        }
    }

    /// Whoever decides signed in at that time to do so: the events that follow say it.
    pub(super) const fn proven(&mut self, signed_in_at: Timestamp) {
        self.proven = Some(signed_in_at);
    }

    fn record(
        &self,
        commit: &mut Commit,
        (kind, mut details): (Kind, Details),
    ) -> Result<String, ServiceError> {
        if let Some(at) = self.proven {
            details
                .more
                .insert("signed_in_again_at", at.to_string().into());
        }
        Ok(commit.event(&Stream::Request(self.request.id), kind, &details)?)
    }

    pub(super) const fn request(&self) -> &Request {
        &self.request
    }

    /// The ask is approved; its grant is promised once all of them are.
    pub(super) fn complete(
        &mut self,
        commit: &mut Commit,
        index: AskIndex,
        review: Option<Review>,
        completion: Completion,
    ) -> Result<(), ServiceError> {
        let transition = self
            .request
            .clone()
            .approved(index, review, &completion, commit.at())?;
        self.request = transition.request;
        let hash = self.record(commit, transition.event)?;
        self.promised.push((index, completion, hash));
        Ok(())
    }

    /// Something else happened to the request.
    pub(super) fn advance(
        &mut self,
        commit: &mut Commit,
        transition: domain::request::Transition,
    ) -> Result<(), ServiceError> {
        self.request = transition.request;
        self.record(commit, transition.event)?;
        Ok(())
    }

    /// Promises the grants, if every ask is approved now.
    pub(super) async fn promise(
        &self,
        service: &Service,
        commit: &mut Commit,
    ) -> Result<(), ServiceError> {
        let all = self
            .request
            .asks
            .iter()
            .all(|ask| matches!(ask.state, AskState::Approved { .. }));
        if !all {
            return Ok(());
        }
        for (index, completion, hash) in &self.promised {
            let grant = self
                .request
                .grant(*index, completion, commit.at(), hash.clone())
                .ok_or(ServiceError::NotFound)?;
            commit.promise(&grant)?;
            let before = service.store.key(&grant.key).await?;
            if before
                .as_ref()
                .is_some_and(|key| key.state.live.len() >= LIVE_MAX)
            {
                return Err(ServiceError::TooManyLive {
                    limit: u32::try_from(LIVE_MAX).unwrap_or(u32::MAX),
                });
            }
            let state = before
                .as_ref()
                .map_or_else(|| KeyState::new(grant.key.clone()), |key| key.state.clone())
                .with(grant.id, grant.from, grant.until);
            let context = Context {
                now: commit.at(),
                me: service.me,
                fresh: OperationId::new(Uuid::now_v7()),
            };
            let due_at = plan::due(&state, context);
            commit.change_key(before.as_ref(), &StoredKey { state, due_at })?;
        }
        Ok(())
    }
}
