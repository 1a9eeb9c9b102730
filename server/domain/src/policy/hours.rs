//! Hours: when access may be held at all.
//!
//! The zone's rules come with the program, so that every server and every run of a test agrees on
//! them, whatever the machine has installed.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, Weekday};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use super::seconds::Seconds;

/// Days that are looked at for the next opening: a week, and one day on each side for zones and
/// nights.
const DAYS_AHEAD: i64 = 9;

/// Openings that follow each other without a gap and are taken as one: more than the longest access
/// in days.
const JOINED_MAX: u32 = 40;

/// When access may be held: some days of the week, from one time to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    zone: Zone,
    days: Days,
    from: TimeOfDay,
    /// At or before `from`: of the next day.
    to: TimeOfDay,
}

impl Hours {
    /// On these days from one time to another; a `to` that is not after `from` is of the next day.
    pub(super) const fn new(zone: Zone, days: Days, from: TimeOfDay, to: TimeOfDay) -> Self {
        Self {
            zone,
            days,
            from,
            to,
        }
    }

    /// How much of the opening is left at that instant; `None` outside the hours.
    #[must_use]
    pub fn left(&self, at: Timestamp) -> Option<Seconds> {
        let mut until = self.opening_around(at)?.1;
        for _ in 0..JOINED_MAX {
            match self.opening_around(until) {
                Some((_, later)) => until = later,
                None => break,
            }
        }
        let left = until.duration_since(at).as_secs();
        u32::try_from(left).ok().map(Seconds::new)
    }

    /// When they next begin, after that instant.
    #[must_use]
    pub fn next(&self, at: Timestamp) -> Option<Timestamp> {
        self.openings(at)
            .map(|(from, _)| from)
            .filter(|from| *from > at)
            .min()
    }

    fn opening_around(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.openings(at)
            .find(|(from, until)| *from <= at && at < *until)
    }

    /// Each opening that begins on one of the days around that instant.
    fn openings(&self, at: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = at.to_zoned(self.zone.zone.clone()).date();
        (-1..=DAYS_AHEAD).filter_map(move |ahead| {
            let day = today
                .checked_add(jiff::Span::new().try_days(ahead).ok()?)
                .ok()?;
            if !self.days.contains(day.weekday()) {
                return None;
            }
            let overnight = self.to <= self.from;
            let last = if overnight { day.tomorrow().ok()? } else { day };
            Some((self.instant(day, self.from)?, self.instant(last, self.to)?))
        })
    }

    /// A time that a change of clocks skips or repeats is taken as calendars do.
    fn instant(&self, day: Date, time: TimeOfDay) -> Option<Timestamp> {
        let (day, minutes) = if time.0 == TimeOfDay::END.0 {
            (day.tomorrow().ok()?, 0)
        } else {
            (day, time.0)
        };
        let hour = i8::try_from(minutes / 60).ok()?;
        let minute = i8::try_from(minutes % 60).ok()?;
        let zoned = day
            .at(hour, minute, 0, 0)
            .to_zoned(self.zone.zone.clone())
            .ok()?;
        Some(zoned.timestamp())
    }
}

impl fmt::Display for Hours {
    /// `mon-fri 08:00-19:00 Europe/Berlin`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}-{} {}",
            self.days, self.from, self.to, self.zone.name
        )
    }
}

/// A time zone of the IANA database.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    /// By its name, in any case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        Some(Self {
            name: zone.iana_name().unwrap_or(name).to_owned(),
            zone,
        })
    }

    /// Every name there is, to find the one that was meant.
    pub(super) fn names() -> Vec<String> {
        TimeZoneDatabase::bundled()
            .available()
            .map(|name| name.to_string())
            .collect()
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Zone {}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(name: String) -> Result<Self, String> {
        Self::parse(&name).ok_or_else(|| format!("there is no time zone `{name}`"))
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name
    }
}

/// Days of the week, a bit each, Monday first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Days(u8);

const DAY_NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Days {
    pub(super) const EVERY: Self = Self(0b111_1111);
    pub(super) const NONE: Self = Self(0);

    /// `mon`, or `mon-fri`; a range may go over the end of the week.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let day = |name: &str| DAY_NAMES.iter().position(|known| *known == name);
        let (first, last) = match text.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(text)?, day(text)?),
        };
        let mut days = Self::NONE;
        let mut at = first;
        loop {
            days.0 |= 1 << at;
            if at == last {
                return Some(days);
            }
            at = (at + 1) % DAY_NAMES.len();
        }
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn contains(self, day: Weekday) -> bool {
        self.0 & (1 << day.to_monday_zero_offset()) != 0
    }
}

impl fmt::Display for Days {
    /// As ranges: `mon-fri`, `mon-wed,sat`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = |at: usize| at < DAY_NAMES.len() && self.0 & (1 << at) != 0;
        let mut separator = "";
        let mut at = 0;
        while at < DAY_NAMES.len() {
            if !held(at) {
                at += 1;
                continue;
            }
            let first = at;
            while held(at + 1) {
                at += 1;
            }
            f.write_str(separator)?;
            f.write_str(DAY_NAMES[first])?;
            if at > first {
                write!(f, "-{}", DAY_NAMES[at])?;
            }
            separator = ",";
            at += 1;
        }
        Ok(())
    }
}

/// Minutes since midnight, up to 24:00.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct TimeOfDay(u16);

impl TimeOfDay {
    const END: Self = Self(24 * 60);

    /// `08:00` to `24:00`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let two = |text: &str| {
            (text.len() == 2 && text.bytes().all(|b| b.is_ascii_digit()))
                .then(|| text.parse::<u16>().ok())
                .flatten()
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        let whole = hours * 60 + minutes;
        (minutes < 60 && whole <= Self::END.0).then_some(Self(whole))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]
mod tests {
    use super::*;

    fn hours(days: &[&str], from: &str, to: &str) -> Hours {
        let days = days
            .iter()
            .map(|day| Days::parse(day).unwrap())
            .fold(Days::NONE, Days::and);
        Hours::new(
            Zone::parse("Europe/Berlin").unwrap(),
            days,
            TimeOfDay::parse(from).unwrap(),
            TimeOfDay::parse(to).unwrap(),
        )
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn left(hours: &Hours, when: &str) -> Option<String> {
        hours.left(at(when)).map(|left| left.to_string())
    }

    #[test]
    fn a_working_day_ends_when_it_says() {
        let office = hours(&["mon-fri"], "08:00", "19:00");
        // A Friday in winter: Berlin is an hour ahead of UTC.
        assert_eq!(left(&office, "2026-11-20T06:59:59Z"), None);
        assert_eq!(left(&office, "2026-11-20T07:00:00Z").unwrap(), "11h");
        assert_eq!(left(&office, "2026-11-20T17:59:59Z").unwrap(), "1s");
        assert_eq!(left(&office, "2026-11-20T18:00:00Z"), None);
        assert_eq!(
            office.next(at("2026-11-20T18:00:00Z")),
            Some(at("2026-11-23T07:00:00Z"))
        );
        assert_eq!(office.to_string(), "mon-fri 08:00-19:00 Europe/Berlin");
    }

    #[test]
    fn summer_and_winter_keep_the_wall_clock() {
        let office = hours(&["mon-fri"], "08:00", "19:00");
        // The last Friday of summer time, and the Monday after.
        assert_eq!(left(&office, "2026-10-23T06:00:00Z").unwrap(), "11h");
        assert_eq!(left(&office, "2026-10-26T06:00:00Z"), None);
        assert_eq!(left(&office, "2026-10-26T07:00:00Z").unwrap(), "11h");
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours(&["fri"], "22:00", "06:00");
        assert_eq!(left(&night, "2026-11-21T04:00:00Z").unwrap(), "1h");
        assert_eq!(left(&night, "2026-11-20T04:00:00Z"), None);
        // A night over the change of clocks in October is an hour longer.
        let night = hours(&["sat"], "22:00", "06:00");
        assert_eq!(left(&night, "2026-10-24T20:00:00Z").unwrap(), "9h");
        // In March it is an hour shorter.
        assert_eq!(left(&night, "2026-03-28T21:00:00Z").unwrap(), "7h");
    }

    #[test]
    fn what_a_change_of_clocks_skips_begins_after_it_and_what_it_repeats_with_the_first() {
        // In the night to Sunday, 2026-03-29, no clock shows half past two: it is half past three.
        let early = hours(&["sun"], "02:30", "04:00");
        assert_eq!(left(&early, "2026-03-29T01:29:59Z"), None);
        assert_eq!(left(&early, "2026-03-29T01:30:00Z").unwrap(), "30m");
        let skipped = hours(&["sun"], "02:15", "02:45");
        assert_eq!(left(&skipped, "2026-03-29T01:15:00Z").unwrap(), "30m");
        // On 2026-10-25 it is half past two twice, an hour apart.
        let twice = hours(&["sun"], "02:30", "04:00");
        assert_eq!(left(&twice, "2026-10-25T00:29:59Z"), None);
        assert_eq!(left(&twice, "2026-10-25T00:30:00Z").unwrap(), "2h30m");
    }

    #[test]
    fn days_without_a_gap_are_one_opening() {
        let week = hours(&["mon-fri"], "00:00", "24:00");
        // Monday 00:00 to Saturday 00:00.
        assert_eq!(left(&week, "2026-11-15T23:00:00Z").unwrap(), "5d");
        let always = hours(&["mon-sun"], "00:00", "24:00");
        assert!(always.left(at("2026-11-20T12:00:00Z")).unwrap() > Seconds::from_hours(30 * 24));
    }

    #[test]
    fn days_are_written_as_ranges() {
        for (given, written) in [
            (vec!["mon-fri"], "mon-fri"),
            (vec!["sat-mon"], "mon,sat-sun"),
            (vec!["wed", "mon", "tue"], "mon-wed"),
        ] {
            let hours = hours(&given, "08:00", "09:00");
            assert_eq!(hours.days.to_string(), written);
        }
        assert_eq!(Days::parse("mon-"), None);
        assert_eq!(Days::parse("monday"), None);
    }

    #[test]
    fn times_of_day_have_four_digits() {
        for wrong in ["8:00", "08:60", "24:01", "0800", "08:00:00", "+8:00"] {
            assert_eq!(TimeOfDay::parse(wrong), None, "{wrong}");
        }
        assert_eq!(TimeOfDay::parse("24:00"), Some(TimeOfDay::END));
    }
}
