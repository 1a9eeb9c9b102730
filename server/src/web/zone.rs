//! The reader's zone: times are shown in it and typed in it.

use std::sync::Arc;

use app::Zone;
use http::HeaderMap;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::store::now;

use super::headers::cookie;

/// The longest name of a zone is half of this.
const NAME_MAX_BYTES: usize = 64;

/// In these, a time says that it is in UTC, as where no zone is known.
const UTC: [&str; 2] = ["UTC", "Etc/UTC"];

/// A zone by its IANA name, if there is one; nothing said is UTC.
pub(super) fn named(name: &str) -> Option<TimeZone> {
    let name = name.trim();
    if name.is_empty() {
        return Some(TimeZone::UTC);
    }
    let is_name = name.len() <= NAME_MAX_BYTES
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte));
    is_name.then(|| TimeZone::get(name).ok()).flatten()
}

/// What this browser's half has kept. It is a word of the browser's, and nothing depends on it but how times are
/// written; what is no zone is as none.
pub(super) fn of(headers: &HeaderMap) -> Zone {
    let zone = cookie(headers, Zone::NAME)
        .and_then(named)
        .unwrap_or(TimeZone::UTC);
    let name = zone.iana_name().unwrap_or_default();
    let name = if UTC.contains(&name) { "" } else { name };
    Zone {
        name: name.to_owned(),
        now: now().as_millisecond(),
        offset_ms: Arc::new(move |at| {
            Timestamp::from_millisecond(at).map_or(0, |at| {
                i64::from(zone.to_offset(at).seconds()).saturating_mul(1_000)
            })
        }),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use http::header::COOKIE;

    use super::*;

    fn kept(cookie: &str) -> Zone {
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, cookie.parse().unwrap());
        of(&headers)
    }

    #[test]
    fn the_distance_from_utc_is_that_of_each_instant() {
        let hours = |zone: &Zone, at: &str| {
            let at: Timestamp = at.parse().unwrap();
            (zone.offset_ms)(at.as_millisecond()) / 3_600_000
        };
        let berlin = kept("theme=dark; zone=Europe/Berlin");
        assert_eq!(berlin.name, "Europe/Berlin");
        assert_eq!(hours(&berlin, "2026-10-25T00:59:59Z"), 2);
        assert_eq!(hours(&berlin, "2026-10-25T01:00:00Z"), 1);
        let west = kept("zone=America/Argentina/Buenos_Aires");
        assert_eq!(hours(&west, "2026-10-25T01:00:00Z"), -3);
    }

    #[test]
    fn what_is_no_zone_is_as_none() {
        let long = format!("zone={}", "A".repeat(4_000));
        for cookie in [
            "theme=dark",
            "zone=",
            "zone=UTC",
            "zone=Etc/Unknown",
            "zone=Middle/Earth",
            "zone=../../../etc/passwd",
            "zone=/etc/passwd",
            "zone=%3Cscript%3E",
            "zone=<script>",
            &long,
        ] {
            let zone = kept(cookie);
            assert_eq!(
                (zone.name.as_str(), (zone.offset_ms)(0)),
                ("", 0),
                "{cookie}"
            );
            assert_eq!((zone.offset_ms)(i64::MAX), 0);
        }
    }
}
