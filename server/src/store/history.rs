//! History: summaries a month at a time, newest first, through the most selective index.
//!
//! A page makes at most [`QUERIES_A_PAGE`] queries and then says how far back it has looked, so
//! that a search that matches little costs no more than one that matches much.

use domain::id::{AccountId, AskIndex, GroupId, PermissionSetArn, RequestId, UserId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::item::Summary;
use super::keys;
use super::reads::{Range, readable};
use super::{Store, StoreError};

/// A page looks this often before it asks whether to go on: about 40 ms.
pub const QUERIES_A_PAGE: u32 = 4;
/// Rows of a page.
pub const ROWS_A_PAGE: usize = 50;
/// Summaries read in one query: at 1 KB each well below DynamoDB's 1 MB.
const READ_A_QUERY: i32 = 200;

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
}

impl Store {
    /// One page of history. `keep` filters by what no index knows.
    pub async fn history(
        &self,
        search: &Search,
        now: Timestamp,
        keep: impl Fn(&Summary) -> bool,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        // Clocks differ: what another server just recorded may lie ahead of ours.
        let ahead = now.saturating_add(CLOCKS_DIFFER).unwrap_or(now);
        let newest = search.before.map_or(ahead, |before| before.min(ahead));
        let mut after = search.after.clone();
        if search.from.is_some_and(|from| from >= newest) {
            return Ok(found);
        }
        let mut month = month_of(after.as_ref().map_or(newest, |place| place.at));
        // Nothing was ever recorded before the first release (unless the clock says otherwise).
        let first = month_of(FIRST_RELEASE).min(month);
        let oldest = search.from.map_or(first, |from| month_of(from).max(first));
        let mut queries = 0;
        loop {
            if month < oldest {
                return Ok(found);
            }
            if queries == QUERIES_A_PAGE {
                found.searched_back_to = Some(
                    after
                        .as_ref()
                        .map_or_else(|| start_of_next(month), |place| place.at),
                );
                found.next = after.or_else(|| Some(before_month(month)));
                return Ok(found);
            }
            queries += 1;
            let range = range_of(search, month, newest, after.as_ref());
            let (items, more) = self.range(range, None).await?;
            for item in items {
                let Some(row) = readable::<Summary>(item) else {
                    continue;
                };
                let place = Place {
                    at: row.submitted_at,
                    request: row.request,
                    ask: row.ask,
                };
                if found.rows.len() == ROWS_A_PAGE {
                    // `after` is the last row of this page, unless that ended a month.
                    found.next = after.or_else(|| Some(before_month(month)));
                    return Ok(found);
                }
                after = Some(place);
                if keep(&row) {
                    found.rows.push(row);
                }
            }
            if more.is_none() {
                month = previous(month);
                after = None;
            }
        }
    }
}

/// A server whose clock is further off than this is not ready (DESIGN 9).
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

/// 2026-11-01: history before Belay's first commit cannot exist.
const FIRST_RELEASE: Timestamp = Timestamp::constant(1_793_491_200, 0);

fn range_of(search: &Search, month: Date, newest: Timestamp, after: Option<&Place>) -> Range {
    let name = month.strftime("%Y-%m").to_string();
    let (index, pk) = if let Some(person) = &search.person {
        ("gsi2", keys::history_of_person(&name, person))
    } else if let Some(account) = &search.account {
        ("gsi3", keys::history_of_account(&name, account))
    } else if let Some(set) = &search.permission_set {
        ("gsi4", keys::history_of_set(&name, set))
    } else if let Some(group) = &search.group {
        ("gsi4", keys::history_of_group(&name, group))
    } else {
        ("gsi1", keys::history(&name))
    };
    let from = search.from.map(keys::millis).unwrap_or_default();
    let to = after.map_or_else(
        // Before this instant: places go on after the milliseconds.
        || keys::millis(newest),
        // One below the place, since BETWEEN includes its ends and '#' + text sorts after '"'.
        |place| below(&place.to_text()),
    );
    Range {
        index: Some(index),
        pk,
        from: if from.is_empty() {
            "0".to_owned()
        } else {
            from
        },
        to,
        limit: READ_A_QUERY,
        newest_first: true,
    }
}

/// The greatest text that sorts before this place: a digit is last, and its predecessor followed by
/// the highest character lies between.
pub(super) fn below(place: &str) -> String {
    let mut text = place.to_owned();
    match text.pop() {
        Some(last) => {
            let lower = char::from_u32(u32::from(last).saturating_sub(1)).unwrap_or(' ');
            text.push(lower);
            text.push('\u{10FFFF}');
            text
        }
        None => text,
    }
}

fn month_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date().first_of_month()
}

fn previous(month: Date) -> Date {
    month
        .yesterday()
        .map_or(month, jiff::civil::Date::first_of_month)
}

fn start_of(month: Date) -> Timestamp {
    month
        .to_zoned(TimeZone::UTC)
        .map_or(FIRST_RELEASE, |zoned| zoned.timestamp())
}

fn start_of_next(month: Date) -> Timestamp {
    start_of(month.last_of_month().tomorrow().unwrap_or(month))
}

/// A place that sorts after everything of this month, for a page that begins there.
fn before_month(month: Date) -> Place {
    let last = start_of_next(month).as_millisecond() - 1;
    Place {
        at: Timestamp::from_millisecond(last).unwrap_or(FIRST_RELEASE),
        request: RequestId::new(uuid::Uuid::max()),
        ask: AskIndex(9),
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

    #[test]
    fn the_next_page_begins_just_below_the_last_place() {
        let place = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab#1";
        let before = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab#0";
        let bound = below(place);
        assert!(bound.as_str() < place);
        assert!(bound.as_str() > before);
    }
}
