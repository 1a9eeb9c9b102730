//! How late ends were, and what is late now, for a figure that any server can show.
//!
//! The transaction that records a proven end also leaves a note of it, under the grant's own id: so
//! ends that are recorded at the same moment never meet on one item. Whoever leads takes notes away
//! and adds them to their day, in one transaction that holds only while each note is still there and
//! the day is as it was read. So an end is counted once, whoever dies when, and whoever counts it too.
//! Notes that are yet to be taken are part of the figure like the days.

use domain::delay::{Delays, End, first_day};
use domain::id::GrantId;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::{Commit, Expect};
use super::findings::LATE_WITHIN;
use super::item::{self, Attributes};
use super::keys;
use super::reads::{DueWhat, Range, readable};
use super::records::expires;
use super::{Store, StoreError, Topic};

/// A day is kept for ten more than any window has.
const DAY_KEPT: SignedDuration = SignedDuration::from_hours(40 * 24);

/// Days that are read: more than a window has, and than clocks that run ahead could add.
const DAYS_MAX: i32 = 40;

/// Notes that a page view looks at: 50 times as many as wait for the few seconds until they are
/// counted, when AWS is asked for as many ends as it takes.
const UNCOUNTED_MAX: i32 = 1_000;

/// How often the figure is read once more, because ends were counted meanwhile.
const READS_MAX: u32 = 3;

/// Due entries of a shard that a page view looks at: as many as DynamoDB gives at once, or nearly.
const DUE_MAX: i32 = 1_000;

/// The name of a note's attribute.
const GRANT: &str = "grant";

/// The note of a proven end that is to be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UncountedEnd {
    /// Whose end.
    pub grant: GrantId,
    /// When it was recorded.
    pub ended_at: Timestamp,
    /// How late.
    pub late_ms: u64,
}

impl UncountedEnd {
    /// The day on which it is counted.
    #[must_use]
    pub fn day(&self) -> Date {
        let (at, late_ms) = (self.ended_at, self.late_ms);
        End { at, late_ms }.day()
    }
}

/// A page of them.
#[derive(Debug, Clone)]
pub struct UncountedEnds {
    /// Those that can be read.
    pub ends: Vec<UncountedEnd>,
    /// Where the next page begins.
    pub next: Option<Attributes>,
    /// Whether that is all there is.
    pub is_all: bool,
}

/// How late the ends of a day were.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayOfEnds {
    /// Grows by one with each change; every change is conditional on it. 0: not stored yet.
    pub version: u64,
    /// All that were counted.
    pub delays: Delays,
}

/// How late the ends of a window were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndsFound {
    /// The first day of the window, in UTC.
    pub since: Date,
    /// All of them.
    pub delays: Delays,
    /// Whether some wait to be counted that are not in it.
    pub is_behind: bool,
}

/// What is past its promised end and not proved gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LateNow {
    /// How many keys.
    pub keys: usize,
    /// Since when the longest is.
    pub since: Option<Timestamp>,
    /// Whether there may be more, since there was more to look at than a page view may.
    pub is_at_least: bool,
}

impl Commit {
    /// A proven end is to be counted.
    pub(super) fn leave_to_count(&mut self, grant: GrantId, end: End) -> Result<(), StoreError> {
        let note = UncountedEnd {
            grant,
            ended_at: end.at,
            late_ms: end.late_ms,
        };
        // Ending comes first: nothing about this may ever keep it from being recorded.
        self.put(
            &keys::delay_uncounted(grant),
            item::attributes(&note)?,
            None,
        )
    }

    /// Takes these notes, and adds them to their day, where `before` was read.
    pub fn count_ends(
        &mut self,
        day: Date,
        before: &DayOfEnds,
        ends: &[UncountedEnd],
    ) -> Result<(), StoreError> {
        let mut now = DayOfEnds {
            version: before.version + 1,
            delays: before.delays.clone(),
        };
        for end in ends {
            now.delays.count(end.late_ms);
            let note = keys::delay_uncounted(end.grant);
            self.delete_if(&note, GRANT, &end.grant.to_string())?;
        }
        let mut item = item::attributes(&now)?;
        let kept = day.to_zoned(TimeZone::UTC).map(|day| day.timestamp());
        let kept = expires(kept.unwrap_or_else(|_| self.at()), DAY_KEPT);
        item.insert("expires_at".to_owned(), kept);
        let expect = Expect::as_read(before.version);
        self.put(&keys::delays_of_day(day), item, Some(expect))?;
        self.topic(Topic::Findings.to_string());
        Ok(())
    }
}

impl Store {
    /// Proven ends that are to be counted, of at most `limit` notes.
    pub async fn uncounted_ends(
        &self,
        limit: i32,
        after: Option<Attributes>,
    ) -> Result<UncountedEnds, StoreError> {
        let range = Range::prefix(keys::DELAYS_UNCOUNTED, "", limit);
        let (items, next) = self.range(range, after).await?;
        let notes = items.len();
        let ends: Vec<UncountedEnd> = items.into_iter().filter_map(readable).collect();
        Ok(UncountedEnds {
            is_all: next.is_none() && ends.len() == notes,
            ends,
            next,
        })
    }

    /// How late the ends of a day were, as far as they are counted.
    pub async fn ends_of_day(&self, day: Date) -> Result<DayOfEnds, StoreError> {
        let found = self.get(&keys::delays_of_day(day)).await?;
        Ok(found.unwrap_or_default())
    }

    /// How late the ends of the window were: at most 40 small items and 1,000 notes, in two or three
    /// queries. An end that is being counted at this very moment may be missing, for this moment.
    pub async fn ends(&self, now: Timestamp) -> Result<EndsFound, StoreError> {
        let since = first_day(now);
        let mut days = self.days_of_ends(since).await?;
        let mut reads = 0;
        loop {
            let uncounted = self.uncounted_ends(UNCOUNTED_MAX, None).await?;
            let after = self.days_of_ends(since).await?;
            reads += 1;
            // What was counted in between would be missing, or be there twice.
            let is_whole = after == days;
            if is_whole || reads == READS_MAX {
                let mut delays = Delays::default();
                for day in &days {
                    delays.merge(&day.delays);
                }
                let ends = uncounted.ends.iter();
                for end in ends.filter(|end| end.day() >= since) {
                    delays.count(end.late_ms);
                }
                return Ok(EndsFound {
                    since,
                    delays,
                    is_behind: !(is_whole && uncounted.is_all),
                });
            }
            days = after;
        }
    }

    async fn days_of_ends(&self, since: Date) -> Result<Vec<DayOfEnds>, StoreError> {
        let mut range = Range::prefix(keys::DELAYS, "", DAYS_MAX);
        range.from = keys::delays_of_day(since).sk;
        let items = self.all_of(range).await?;
        items.into_iter().map(item::value).collect()
    }

    /// What is late now, whoever leads: at most 1,000 due entries of each shard, from the earliest.
    /// What is late comes first among them, or within the 17 min of what is tried again.
    pub async fn late_now(&self, now: Timestamp) -> Result<LateNow, StoreError> {
        let horizon = now.saturating_add(LATE_WITHIN).unwrap_or(now);
        let mut late = LateNow {
            keys: 0,
            since: None,
            is_at_least: false,
        };
        for shard in 0..keys::DUE_SHARDS {
            let (page, more) = self.due_before(shard, horizon, DUE_MAX, None).await?;
            late.is_at_least |= more.is_some();
            for due in page {
                // Of one that an earlier version wrote, its last end is known.
                let end = due.promised_end.or(due.until);
                let Some(end) = end.filter(|end| *end <= now) else {
                    continue;
                };
                if matches!(due.what, DueWhat::Key(_)) {
                    late.keys += 1;
                    late.since = Some(late.since.map_or(end, |since| since.min(end)));
                }
            }
        }
        Ok(late)
    }
}
