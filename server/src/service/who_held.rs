//! Who held what, and when: from the record of each grant, for auditors and admins.
//!
//! Deliberately absent: access that Belay did not give, of which it has no history.

use domain::held::{Held, When};
use jiff::SignedDuration;

use super::{Caller, HistorySearch, Service, ServiceError};
use crate::store::history::{Bound, Found};
use crate::store::item::Summary;
use crate::store::now;

/// One page.
#[derive(Debug, Clone, Default)]
pub struct HeldFound {
    /// What was held, newest request first, and how sure that is.
    pub rows: Vec<(Summary, Held)>,
    /// The rest of what was found.
    pub found: Found,
}

impl Service {
    /// What was held at some time of `when`, of what a search finds: one page. Everything that was
    /// asked for before its end is looked through, further back page by page.
    pub async fn who_held(
        &self,
        caller: &Caller,
        wanted: &HistorySearch,
        when: When,
    ) -> Result<HeldFound, ServiceError> {
        self.must_see_all(caller).await?;
        let at = now();
        let held = |row: &Summary| row.life().and_then(|life| life.held(when));
        let mut search = wanted.indexed();
        // Submitted in the same millisecond counts: "before" does not include its own instant.
        let end = when.end();
        search.before = end.saturating_add(SignedDuration::from_millis(1)).ok();
        let keep = |row: &Summary| held(row).is_some() && wanted.keeps(row, at);
        let mut found = self.store.history(&search, Bound::HELD, at, keep).await?;
        let rows = std::mem::take(&mut found.rows);
        let rows = rows
            .into_iter()
            .filter_map(|row| held(&row).map(|held| (row, held)))
            .collect();
        Ok(HeldFound { rows, found })
    }
}
