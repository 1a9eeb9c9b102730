//! Times and durations as people read them.
//!
//! The same words in either half. How far a zone is from UTC is told by whoever knows: the server, which has the rules
//! of all zones, or the browser, which has those of its own. The calendar is a few lines of our own, because a date
//! library would be a good part of what the browser has to fetch.

use crate::view::EpochMs;

const MS_A_DAY: i64 = 86_400_000;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A calendar date and a time of day, in whatever zone the milliseconds were shifted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Civil {
    year: i64,
    month: usize,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Civil {
    /// Days to a date by Howard Hinnant's `civil_from_days`: <https://howardhinnant.github.io/date_algorithms.html>.
    fn of(ms: EpochMs) -> Self {
        let second_of_day = ms.rem_euclid(MS_A_DAY) / 1000;
        // From 0000-03-01, so that a leap day is the last of its year; 400 years are one era of 146,097 days.
        let days = ms.div_euclid(MS_A_DAY) + 719_468;
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let january_or_february = month_from_march >= 10;
        Self {
            year: year_of_era + era * 400 + i64::from(january_or_february),
            // 0 to 11.
            month: usize::try_from((month_from_march + 2) % 12).unwrap_or_default(),
            day: day_of_year - (153 * month_from_march + 2) / 5 + 1,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }

    fn month_name(self) -> &'static str {
        MONTHS.get(self.month).copied().unwrap_or_default()
    }
}

/// `2026-11-22T07:48:05Z`, for the `datetime` attribute.
pub(crate) fn iso(at: EpochMs) -> String {
    let t = Civil::of(at);
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
        t.year,
        t.month + 1,
        t.day,
        t.hour,
        t.minute,
        t.second
    )
}

/// `22 Nov 2026, 07:48 UTC`.
pub(crate) fn utc(at: EpochMs) -> String {
    let t = Civil::of(at);
    format!(
        "{} {} {}, {:02}:{:02} UTC",
        t.day,
        t.month_name(),
        t.year,
        t.hour,
        t.minute
    )
}

/// `22 Nov 2026, 07:48:05 UTC`, for those who point at a time.
pub(crate) fn utc_to_the_second(at: EpochMs) -> String {
    let t = Civil::of(at);
    format!(
        "{} {} {}, {:02}:{:02}:{:02} UTC",
        t.day,
        t.month_name(),
        t.year,
        t.hour,
        t.minute,
        t.second
    )
}

/// The same instant in the reader's zone, without what goes without saying: `08:48 today`, `22 Nov, 08:48`,
/// `22 Nov 2025, 08:48`. `offset_ms` is the zone's distance from UTC at that instant, `now` the reader's present.
pub(crate) fn local(at: EpochMs, offset_ms: i64, now: EpochMs, now_offset_ms: i64) -> String {
    let there = at + offset_ms;
    let here = now + now_offset_ms;
    let t = Civil::of(there);
    let time = format!("{:02}:{:02}", t.hour, t.minute);
    match there.div_euclid(MS_A_DAY) - here.div_euclid(MS_A_DAY) {
        0 => format!("{time} today"),
        1 => format!("{time} tomorrow"),
        -1 => format!("{time} yesterday"),
        _ if t.year == Civil::of(here).year => format!("{} {}, {time}", t.day, t.month_name()),
        _ => format!("{} {} {}, {time}", t.day, t.month_name(), t.year),
    }
}

/// `20 seconds`, `15 minutes`, `1 hour 30 minutes`, `2 days`.
pub(crate) fn duration(seconds: u32) -> String {
    let parts = [
        (seconds / 86_400, "day"),
        (seconds / 3600 % 24, "hour"),
        (seconds / 60 % 60, "minute"),
        (seconds % 60, "second"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    if said.is_empty() {
        "0 seconds".to_owned()
    } else {
        said.join(" ")
    }
}

/// `20 s`, `15 min`, `1 h 30 min`, `2 d`, for places without room.
pub(crate) fn duration_short(seconds: u32) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let said: Vec<String> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}\u{a0}{unit}"))
        .collect();
    if said.is_empty() {
        "0\u{a0}s".to_owned()
    } else {
        said.join(" ")
    }
}

/// How late something was, never less than it was: `0.4 s`, `2 s`, `14 s`, `2 min 1 s`.
pub(crate) fn late(ms: u64) -> String {
    let tenths = ms.div_ceil(100);
    if tenths < 100 && !tenths.is_multiple_of(10) {
        return format!("{}.{}\u{a0}s", tenths / 10, tenths % 10);
    }
    duration_short(u32::try_from(ms.div_ceil(1_000)).unwrap_or(u32::MAX))
}

/// What is left, as a clock shows it: `0:07`, `14:32`, `1:04:09`, `2 d 3:00:00`.
pub(crate) fn left(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes, seconds) = (
        seconds / 86_400,
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
    );
    match (days, hours) {
        (0, 0) => format!("{minutes}:{seconds:02}"),
        (0, _) => format!("{hours}:{minutes:02}:{seconds:02}"),
        _ => format!("{days}\u{a0}d {hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: EpochMs = 1_795_333_685_000;

    #[test]
    fn known_instants_read_right() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(-1), "1969-12-31T23:59:59Z");
        assert_eq!(iso(951_782_400_000), "2000-02-29T00:00:00Z");
        assert_eq!(iso(4_107_542_399_999), "2100-02-28T23:59:59Z");
        assert_eq!(iso(4_107_542_400_000), "2100-03-01T00:00:00Z");
        assert_eq!(iso(T), "2026-11-22T07:48:05Z");
        assert_eq!(utc(T), "22 Nov 2026, 07:48 UTC");
        assert_eq!(utc_to_the_second(T), "22 Nov 2026, 07:48:05 UTC");
    }

    #[test]
    fn every_day_of_four_centuries_follows_the_one_before() {
        let mut previous = Civil::of(-1);
        for day in 0..146_097 {
            let t = Civil::of(day * MS_A_DAY);
            if t.day == 1 {
                let next_month = (previous.month + 1) % 12;
                assert_eq!(t.month, next_month);
                assert_eq!(t.year, previous.year + i64::from(next_month == 0));
                assert!((28..=31).contains(&previous.day));
            } else {
                assert_eq!(
                    (t.year, t.month, t.day),
                    (previous.year, previous.month, previous.day + 1)
                );
            }
            previous = t;
        }
    }

    #[test]
    fn the_readers_zone_decides_what_today_is() {
        let hour = 3_600_000;
        assert_eq!(local(T, hour, T, hour), "08:48 today");
        // 07:48 UTC is still the day before in a zone nine hours behind.
        assert_eq!(
            local(T, -9 * hour, T + 3 * hour, -9 * hour),
            "22:48 yesterday"
        );
        assert_eq!(local(T + 24 * hour, 0, T, 0), "07:48 tomorrow");
        assert_eq!(local(T, 0, T + 72 * hour, 0), "22 Nov, 07:48");
        assert_eq!(local(T, 0, T + 72 * 24 * hour, 0), "22 Nov 2026, 07:48");
    }

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(duration(20), "20 seconds");
        assert_eq!(duration(60), "1 minute");
        assert_eq!(duration(5400), "1 hour 30 minutes");
        assert_eq!(duration(0), "0 seconds");
        assert_eq!(duration_short(5400), "1\u{a0}h 30\u{a0}min");
        assert_eq!(late(0), "0\u{a0}s");
        assert_eq!(late(301), "0.4\u{a0}s");
        assert_eq!(late(2_000), "2\u{a0}s");
        assert_eq!(late(9_901), "10\u{a0}s");
        assert_eq!(late(10_001), "11\u{a0}s");
        assert_eq!(late(120_001), "2\u{a0}min 1\u{a0}s");
        assert_eq!(left(872), "14:32");
        assert_eq!(left(7), "0:07");
        assert_eq!(left(3849), "1:04:09");
        assert_eq!(left(-3), "0:00");
        assert_eq!(left(183_600), "2\u{a0}d 3:00:00");
    }
}
