//! A walk back through history, a query at a time.

use domain::id::{AskIndex, RequestId};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Place, Search};
use crate::store::item::{Attributes, Summary};
use crate::store::keys;
use crate::store::reads::{Range, readable};
use crate::store::{Store, StoreError};

/// A walk from the newest on, or from where a page before ended.
#[derive(Debug, Clone)]
pub struct Walk {
    search: Search,
    newest: Timestamp,
    month: Date,
    oldest: Date,
    after: Option<Place>,
}

impl Walk {
    /// The beginning of one.
    #[must_use]
    pub fn begin(search: &Search, now: Timestamp) -> Self {
        // Clocks differ: what another server just recorded may lie ahead of ours.
        let ahead = now.saturating_add(CLOCKS_DIFFER).unwrap_or(now);
        let newest = search.before.map_or(ahead, |before| before.min(ahead));
        let after = search.after.clone();
        let month = month_of(after.as_ref().map_or(newest, |place| place.at));
        // Nothing was ever recorded before the first release (unless the clock says otherwise).
        let first = month_of(FIRST_RELEASE).min(month);
        let oldest = search.from.map_or(first, |from| month_of(from).max(first));
        Self {
            search: search.clone(),
            newest,
            month,
            oldest,
            after,
        }
    }

    /// Whether there is nothing further back.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.month < self.oldest || self.search.from.is_some_and(|from| from >= self.newest)
    }

    /// Where a walk that goes on from here begins.
    #[must_use]
    pub fn goes_on_at(&self) -> Option<Place> {
        if self.is_over() {
            return None;
        }
        Some(self.after.clone().unwrap_or_else(|| end_of(self.month)))
    }
}

impl Store {
    /// One query: what it read, newest first, each with its place. What this version cannot read has
    /// a place all the same. `None`: there is nothing further back.
    pub async fn step(
        &self,
        walk: &mut Walk,
        limit: i32,
    ) -> Result<Option<Vec<(Place, Option<Summary>)>>, StoreError> {
        if walk.is_over() {
            return Ok(None);
        }
        let range = range_of(walk, limit);
        let index = range.index;
        let (items, more) = self.range(range, None).await?;
        let read: Vec<_> = items
            .into_iter()
            .filter_map(|item| Some((place_of(&item, index)?, readable::<Summary>(item))))
            .collect();
        if let (Some(_), Some((place, _))) = (more, read.last()) {
            walk.after = Some(place.clone());
        } else {
            walk.month = previous(walk.month);
            walk.after = None;
        }
        Ok(Some(read))
    }
}

/// Where an index has it.
fn place_of(item: &Attributes, index: Option<&str>) -> Option<Place> {
    let text = item.get(&format!("{}sk", index?))?.as_s().ok()?;
    Place::parse(text)
}

/// A server whose clock is further off than this is not ready (DESIGN 9).
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(30);

/// 2026-11-01: history before Belay's first commit cannot exist.
const FIRST_RELEASE: Timestamp = Timestamp::constant(1_793_491_200, 0);

fn range_of(walk: &Walk, limit: i32) -> Range {
    let search = &walk.search;
    let name = walk.month.strftime("%Y-%m").to_string();
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
    let to = walk.after.as_ref().map_or_else(
        // Before this instant: places go on after the milliseconds.
        || keys::millis(walk.newest),
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
        limit,
        newest_first: true,
    }
}

/// The greatest text that sorts before this place: the ask's digit is last, and its predecessor
/// followed by the highest character lies between.
pub(in crate::store) fn below(place: &str) -> String {
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
fn end_of(month: Date) -> Place {
    let last = start_of_next(month).as_millisecond() - 1;
    Place {
        at: Timestamp::from_millisecond(last).unwrap_or(FIRST_RELEASE),
        request: RequestId::new(uuid::Uuid::max()),
        ask: AskIndex(9),
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn the_next_page_begins_just_below_the_last_place() {
        let place = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab#1";
        let before = "1763800000123#01932c07-20a1-7e3c-a0a5-0123456789ab#0";
        let bound = below(place);
        assert!(bound.as_str() < place);
        assert!(bound.as_str() > before);
    }
}
