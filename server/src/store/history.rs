//! History: summaries a month at a time, newest first, through the most selective index.
//!
//! A page makes at most as many queries as its [`Bound`] says and then tells how far back it has
//! looked, so that a search that matches little costs no more than one that matches much. Only what
//! is read to its end, [`Walk`] by walk, has no such bound: whoever does that sets one of their own.

mod walk;

use domain::id::{AccountId, AskIndex, GroupId, PermissionSetArn, RequestId, UserId};
use jiff::Timestamp;

use super::item::Summary;
use super::keys;
use super::{Store, StoreError};

pub use walk::Walk;
pub(super) use walk::below;

/// A page looks this often before it asks whether to go on: about 40 ms.
pub const QUERIES_A_PAGE: u32 = 4;
/// Rows of a page.
pub const ROWS_A_PAGE: usize = 50;

/// How much one page may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Rows that it shows.
    pub rows: usize,
    /// Queries that it makes.
    pub queries: u32,
    /// Summaries that the first of them reads: most searches need no second one.
    pub first: i32,
    /// Summaries that each other reads: at 1 KB, DynamoDB's own 1 MB is a little more than this.
    pub more: i32,
}

impl Bound {
    /// A page of history: 2,000 summaries.
    pub const PAGE: Self = Self {
        rows: ROWS_A_PAGE,
        queries: QUERIES_A_PAGE,
        first: 80,
        more: 640,
    };

    /// Who held what: a month each over more than the longest window that a policy may give, with
    /// the longest wait for its approval and for its start, is 15.
    pub const HELD: Self = Self {
        rows: 200,
        queries: 16,
        first: 800,
        more: 800,
    };
}

/// What is searched for. Indexed: the most selective of person, account and target drives the
/// queries; everything else is a filter over what they give.
#[derive(Debug, Clone, Default)]
pub struct Search {
    /// Submitted at this instant or later.
    pub from: Option<Timestamp>,
    /// Submitted before this instant.
    pub before: Option<Timestamp>,
    /// By this person.
    pub person: Option<UserId>,
    /// In this account.
    pub account: Option<AccountId>,
    /// For this permission set, in any account.
    pub permission_set: Option<PermissionSetArn>,
    /// For membership of this group.
    pub group: Option<GroupId>,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// A place in history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// When it was submitted.
    pub at: Timestamp,
    /// Its request.
    pub request: RequestId,
    /// Which ask.
    pub ask: AskIndex,
}

impl Place {
    /// For an address.
    #[must_use]
    pub fn to_text(&self) -> String {
        keys::history_place(self.at, self.request, self.ask)
    }

    /// From an address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('#');
        let at = Timestamp::from_millisecond(parts.next()?.parse().ok()?).ok()?;
        let request = RequestId::parse(parts.next()?).ok()?;
        let ask = AskIndex(parts.next()?.parse().ok()?);
        parts.next().is_none().then_some(Self { at, request, ask })
    }
}

/// What one page found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// Newest first.
    pub rows: Vec<Summary>,
    /// Where the next page begins; `None`: there is nothing more.
    pub next: Option<Place>,
    /// How far back was looked, where that is before the end.
    pub searched_back_to: Option<Timestamp>,
    /// How many summaries were looked through.
    pub looked_through: usize,
}

impl Store {
    /// One page of history. `keep` filters by what no index knows.
    pub async fn history(
        &self,
        search: &Search,
        bound: Bound,
        now: Timestamp,
        keep: impl Fn(&Summary) -> bool,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        let mut walk = Walk::begin(search, now);
        for query in 0..bound.queries {
            let limit = if query == 0 { bound.first } else { bound.more };
            let Some(read) = self.step(&mut walk, limit).await? else {
                return Ok(found);
            };
            let mut before = None;
            for (place, row) in read {
                if found.rows.len() == bound.rows {
                    // There is something after the last row: the next page begins with it.
                    found.next = before.or(found.next);
                    return Ok(found);
                }
                found.looked_through += 1;
                found.rows.extend(row.filter(&keep));
                before = Some(place);
            }
            // For a page that is full when the next thing is met.
            found.next = walk.goes_on_at();
        }
        found.searched_back_to = found.next.as_ref().map(|place| place.at);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_place_survives_its_address() {
        let text = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab#0";
        let place = Place::parse(text).unwrap();
        assert_eq!(place.to_text(), text);
        assert_eq!(Place::parse("x#y"), None);
        assert_eq!(Place::parse(&format!("{text}#1")), None);
    }
}
