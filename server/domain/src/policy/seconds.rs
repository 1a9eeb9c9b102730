//! Lengths of time as policies write them: `20s`, `15m`, `1h30m`, `7d`.

use std::fmt;
use std::num::IntErrorKind;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The longest length that can be written: a year. Policies allow far less ([`super::MAX_WINDOW`]);
/// this only keeps sums of lengths far from overflow.
const LONGEST: u32 = 366 * 86_400;

/// A whole number of seconds, the resolution of everything that Belay promises.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Seconds(u32);

/// A text that is not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidSeconds {
    /// Nothing was written.
    #[error("a length of time is missing")]
    Empty,
    /// A number stands without its unit.
    #[error("a number needs a unit: d, h, m or s")]
    NoUnit,
    /// Something that is neither a digit nor a unit.
    #[error("a length of time is numbers with units, such as 20s, 15m or 1h30m")]
    NotALength,
    /// `30m1h`, or a unit twice.
    #[error("units go from large to small, each at most once, as in 1h30m")]
    Order,
    /// More than a year.
    #[error("longer than a year")]
    TooLong,
}

impl Seconds {
    /// That many seconds.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self(seconds)
    }

    /// That many minutes; more than fit is the longest length.
    #[must_use]
    pub const fn from_minutes(minutes: u32) -> Self {
        Self(minutes.saturating_mul(60))
    }

    /// That many hours; more than fit is the longest length.
    #[must_use]
    pub const fn from_hours(hours: u32) -> Self {
        Self(hours.saturating_mul(3_600))
    }

    /// The number of seconds.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Both together, as far as can be counted.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// What is left without the other; nothing if that is longer.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// As a duration to add to an instant.
    #[must_use]
    pub fn duration(self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.0))
    }

    /// Parses numbers with units from large to small: `90s`, `15m`, `1h30m`, `7d`.
    pub fn parse(text: &str) -> Result<Self, InvalidSeconds> {
        const UNITS: [(char, u32); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(InvalidSeconds::Empty);
        }
        let mut units = UNITS.iter();
        let mut total: u32 = 0;
        while !rest.is_empty() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at(digits);
            let count: u32 = number.parse().map_err(|e: std::num::ParseIntError| {
                if *e.kind() == IntErrorKind::PosOverflow {
                    InvalidSeconds::TooLong
                } else {
                    InvalidSeconds::NotALength
                }
            })?;
            let unit = after.chars().next().ok_or(InvalidSeconds::NoUnit)?;
            if !UNITS.iter().any(|(known, _)| *known == unit) {
                return Err(InvalidSeconds::NotALength);
            }
            let (_, size) = units
                .find(|(known, _)| *known == unit)
                .ok_or(InvalidSeconds::Order)?;
            total = count
                .checked_mul(*size)
                .and_then(|part| total.checked_add(part))
                .filter(|total| *total <= LONGEST)
                .ok_or(InvalidSeconds::TooLong)?;
            rest = &after[unit.len_utf8()..];
        }
        Ok(Self(total))
    }
}

impl fmt::Display for Seconds {
    /// The shortest text that parses to the same length.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        // Days only when nothing is left over: "36h" reads better than "1d12h" beside "8h".
        if self.0.is_multiple_of(86_400) {
            return write!(f, "{}d", self.0 / 86_400);
        }
        for (count, unit) in [
            (self.0 / 3_600, 'h'),
            (self.0 / 60 % 60, 'm'),
            (self.0 % 60, 's'),
        ] {
            if count > 0 {
                write!(f, "{count}{unit}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_read_as_people_write_them() {
        for (text, seconds) in [
            ("20s", 20),
            ("1m", 60),
            ("15m", 900),
            ("8h", 28_800),
            ("1h30m", 5_400),
            ("7d", 604_800),
            ("1d12h5m1s", 129_901),
            ("90s", 90),
            ("0s", 0),
        ] {
            assert_eq!(Seconds::parse(text), Ok(Seconds(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_length_says_why() {
        for (text, why) in [
            ("", InvalidSeconds::Empty),
            ("15", InvalidSeconds::NoUnit),
            ("h", InvalidSeconds::NotALength),
            ("-5m", InvalidSeconds::NotALength),
            ("1.5h", InvalidSeconds::NotALength),
            ("5 m", InvalidSeconds::NotALength),
            ("5µ", InvalidSeconds::NotALength),
            ("30m1h", InvalidSeconds::Order),
            ("1m1m", InvalidSeconds::Order),
            ("367d", InvalidSeconds::TooLong),
            ("99999999999h", InvalidSeconds::TooLong),
        ] {
            assert_eq!(Seconds::parse(text), Err(why), "{text}");
        }
    }

    #[test]
    fn the_text_of_a_length_is_short_and_parses_back() {
        for (seconds, text) in [
            (0, "0s"),
            (20, "20s"),
            (90, "1m30s"),
            (5_400, "1h30m"),
            (129_600, "36h"),
            (172_800, "2d"),
        ] {
            assert_eq!(Seconds(seconds).to_string(), text);
            assert_eq!(Seconds::parse(text), Ok(Seconds(seconds)));
        }
    }
}
