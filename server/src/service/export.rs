//! History, whole: read to its end a query at a time, for auditors and admins.
//!
//! Memory holds one query's rows, however long history is. Deliberately absent: a file format.

use std::collections::HashMap;
use std::time::Duration;

use domain::id::RequestId;
use tokio::time::Instant;

use super::{Caller, HistorySearch, Service, ServiceError};
use crate::store::history::Walk;
use crate::store::item::{SUMMARY_REASON_CHARS, Summary};
use crate::store::now;

/// Summaries in one query: 1 MB, which is what DynamoDB reads at once.
const READ_A_QUERY: i32 = 1_000;

/// Whoever is no auditor any more gets no more after this.
const JUDGED_EVERY: Duration = Duration::from_secs(10);

/// An export under way.
#[derive(Debug)]
pub struct Export {
    service: Service,
    caller: Caller,
    wanted: HistorySearch,
    walk: Walk,
    judged_at: Instant,
}

impl Service {
    /// Begins to read all that a search finds.
    pub async fn export(
        &self,
        caller: &Caller,
        wanted: HistorySearch,
    ) -> Result<Export, ServiceError> {
        self.must_see_all(caller).await?;
        Ok(Export {
            service: self.clone(),
            caller: caller.clone(),
            walk: Walk::begin(&wanted.indexed(), now()),
            wanted,
            judged_at: Instant::now(),
        })
    }
}

impl Export {
    /// The next rows, newest first, each with its whole reason; often none. `None`: that was all.
    pub async fn next(&mut self) -> Result<Option<Vec<Summary>>, ServiceError> {
        if self.judged_at.elapsed() >= JUDGED_EVERY {
            self.service.must_see_all(&self.caller).await?;
            self.judged_at = Instant::now();
        }
        let store = self.service.store();
        let Some(read) = store.step(&mut self.walk, READ_A_QUERY).await? else {
            return Ok(None);
        };
        let at = now();
        let mut rows: Vec<Summary> = Vec::with_capacity(read.len());
        for (_, row) in read {
            // On a page a row that cannot be read may be left out; a file would look whole.
            let row = row.ok_or(ServiceError::Unavailable {
                part: super::Part::Store,
            })?;
            if self.wanted.keeps(&row, at) {
                rows.push(row);
            }
        }
        self.complete_reasons(&mut rows).await?;
        Ok(Some(rows))
    }

    /// Summaries have the beginning of a reason; few reasons are longer.
    async fn complete_reasons(&self, rows: &mut [Summary]) -> Result<(), ServiceError> {
        let is_cut = |row: &Summary| row.reason.chars().count() >= SUMMARY_REASON_CHARS;
        let mut cut: Vec<RequestId> = rows
            .iter()
            .filter(|row| is_cut(row))
            .map(|row| row.request)
            .collect();
        cut.sort_unstable();
        cut.dedup();
        if cut.is_empty() {
            return Ok(());
        }
        let requests = self.service.store().requests(&cut).await?;
        let mut reasons: HashMap<RequestId, String> = requests
            .into_iter()
            .map(|request| (request.id, request.reason))
            .collect();
        for row in rows.iter_mut().filter(|row| is_cut(row)) {
            if let Some(reason) = reasons.get_mut(&row.request) {
                row.reason.clone_from(reason);
            }
        }
        Ok(())
    }
}
