//! Days and moments as they are typed, in the zone of whoever typed them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use crate::web::zone::named;

/// A zone by its IANA name.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

/// It is no zone, no day, or no moment.
#[derive(Debug)]
pub(super) struct NotUnderstood;

/// Nothing typed is UTC.
pub(super) fn zone(name: &str) -> Result<Zone, NotUnderstood> {
    named(name).map(Zone).ok_or(NotUnderstood)
}

/// When that day begins; nothing typed is no limit.
pub(super) fn first_instant(day: &str, zone: &Zone) -> Result<Option<Timestamp>, NotUnderstood> {
    match day.trim() {
        "" => Ok(None),
        day => start(day.parse().ok(), zone),
    }
}

/// When the day after it begins: the last day counts whole.
pub(super) fn end_of(day: &str, zone: &Zone) -> Result<Option<Timestamp>, NotUnderstood> {
    match day.trim() {
        "" => Ok(None),
        day => {
            let day: Option<Date> = day.parse().ok();
            start(day.and_then(|day| day.tomorrow().ok()), zone)
        }
    }
}

fn start(day: Option<Date>, zone: &Zone) -> Result<Option<Timestamp>, NotUnderstood> {
    let start = day.and_then(|day| day.to_zoned(zone.0.clone()).ok());
    start
        .map(|start| Some(start.timestamp()))
        .ok_or(NotUnderstood)
}

/// A moment; where clocks go back, the first of two. Nothing typed is none.
pub(super) fn moment(text: &str, zone: &Zone) -> Result<Option<Timestamp>, NotUnderstood> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let moment: DateTime = text.parse().map_err(|_| NotUnderstood)?;
            let moment = moment.to_zoned(zone.0.clone());
            let moment = moment.map_err(|_| NotUnderstood)?;
            Ok(Some(moment.timestamp()))
        }
    }
}
