//! Days and moments as they are typed, in the zone of whoever typed them. `None`: not understood.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

/// The longest name of a zone is half of this.
const ZONE_MAX_BYTES: usize = 64;

/// A zone by its IANA name.
#[derive(Debug, Clone)]
pub(super) struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

/// Nothing typed is UTC.
pub(super) fn zone(name: &str) -> Option<Zone> {
    let name = name.trim();
    if name.is_empty() {
        return Some(Zone::default());
    }
    let is_name = name.len() <= ZONE_MAX_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    let found = is_name.then(|| TimeZone::get(name).ok())??;
    Some(Zone(found))
}

/// When that day begins; nothing typed is no limit.
pub(super) fn first_instant(day: &str, zone: &Zone) -> Option<Option<Timestamp>> {
    match day.trim() {
        "" => Some(None),
        day => start(day.parse().ok()?, zone).map(Some),
    }
}

/// When the day after it begins: the last day counts whole.
pub(super) fn end_of(day: &str, zone: &Zone) -> Option<Option<Timestamp>> {
    match day.trim() {
        "" => Some(None),
        day => start(day.parse::<Date>().ok()?.tomorrow().ok()?, zone).map(Some),
    }
}

fn start(day: Date, zone: &Zone) -> Option<Timestamp> {
    let start = day.to_zoned(zone.0.clone()).ok()?;
    Some(start.timestamp())
}

/// A moment; where clocks go back, the first of two. Nothing typed is none.
pub(super) fn moment(text: &str, zone: &Zone) -> Option<Option<Timestamp>> {
    match text.trim() {
        "" => Some(None),
        text => {
            let moment: DateTime = text.parse().ok()?;
            let moment = moment.to_zoned(zone.0.clone()).ok()?;
            Some(Some(moment.timestamp()))
        }
    }
}
