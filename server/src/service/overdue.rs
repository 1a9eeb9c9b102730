//! Overdue: a break-glass was not signed in time, and goes to admins. The worker asks for this;
//! nobody else can.

use domain::event::{Actor, Source, Stream};
use domain::id::RequestId;
use domain::request::Stands;

use super::approve::Approval;
use super::{Service, ServiceError};
use crate::store::keys::At;
use crate::store::{Commit, now};

impl Service {
    /// Hands what is not signed in time to admins. Safe to repeat; does nothing before its time.
    pub async fn overdue(&self, id: RequestId, entry: &At) -> Result<(), ServiceError> {
        let Some(before) = self.store.request(id).await? else {
            return Err(ServiceError::NotFound);
        };
        let at = now();
        match before.sign_by() {
            Some(sign_by) if at < sign_by => return Ok(()),
            Some(_) => {}
            None => {
                // Settled in the meantime: its entry is a left-over.
                self.store.delivered(entry).await?;
                return Ok(());
            }
        }
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, at);
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        let late = before.asks.iter().filter(|ask| {
            let mut glass = ask.glass.iter();
            glass.any(|glass| glass.stands == Stands::Unsigned && glass.sign_by <= at)
        });
        for ask in late {
            let overdue = approval.request().clone().overdue(ask.index, at)?;
            approval.advance(&mut commit, overdue)?;
        }
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        metrics::counter!("belay_break_glass_overdue_total").increment(1);
        tracing::warn!(request = %id, "a break-glass was not signed in time: admins may sign it now");
        Ok(())
    }
}
