//! Expire: nobody decided in time. The worker asks for this; nobody else can.

use domain::event::{Actor, Source, Stream};
use domain::id::RequestId;

use super::approve::Approval;
use super::{Service, ServiceError};
use crate::store::{Commit, keys, now};

impl Service {
    /// Expires a request whose time is up, with what is approved and waits for the rest. Safe to
    /// repeat; does nothing before its time.
    pub async fn expire(&self, id: RequestId) -> Result<(), ServiceError> {
        let Some(before) = self.store.request(id).await? else {
            return Err(ServiceError::NotFound);
        };
        let at = now();
        if at < before.expires_at {
            return Ok(());
        }
        let undecided = before.undecided();
        if undecided.is_empty() {
            // Decided in the meantime: its entry is a left-over.
            let entry = keys::due_request(before.expires_at, id);
            self.store.delivered(&entry).await?;
            return Ok(());
        }
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, at);
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        for index in undecided {
            let transition = approval.request().clone().expired(index, at)?;
            approval.advance(&mut commit, transition)?;
        }
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }
}
