//! Instants in whole milliseconds, as they are stored and compared.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3s::dto::{Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result};

/// Milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) i64);

impl Moment {
    /// The wall clock.
    pub(crate) fn now() -> Self {
        Self(jiff::Timestamp::now().as_millisecond())
    }

    /// The start of its second: S3 dates objects in whole seconds.
    pub(crate) fn second(self) -> Self {
        Self(self.0 - self.0.rem_euclid(1_000))
    }

    /// Later by whole days.
    pub(crate) fn plus_days(self, days: i64) -> Self {
        Self(
            self.0
                .saturating_add(days.saturating_mul(24 * 60 * 60 * 1_000)),
        )
    }

    /// Reads a date that the protocol layer has parsed.
    pub(crate) fn of(timestamp: &Timestamp) -> S3Result<Self> {
        let mut text = Vec::new();
        timestamp
            .format(TimestampFormat::DateTime, &mut text)
            .map_err(S3Error::internal_error)?;
        let text = String::from_utf8(text).map_err(S3Error::internal_error)?;
        let instant: jiff::Timestamp = text.parse().map_err(S3Error::internal_error)?;
        Ok(Self(instant.as_millisecond()))
    }
}

/// For the protocol layer, which formats it.
pub(crate) fn timestamp(moment: Moment) -> Timestamp {
    let since = Duration::from_millis(moment.0.unsigned_abs());
    let time = if moment.0 >= 0 {
        UNIX_EPOCH.checked_add(since)
    } else {
        UNIX_EPOCH.checked_sub(since)
    };
    Timestamp::from(time.unwrap_or(SystemTime::UNIX_EPOCH))
}
