//! A copy of the live grants in the audit bucket, for the day on which the table is lost.
//!
//! Whoever leads writes one when anything changed, looked at each minute, and one each quarter of an
//! hour in any case ([`keep`]). Each is an object of its own, named by the instant that it is of, so
//! that a server that froze cannot put an old one in the place of a new one. With the table gone,
//! `belay sweep --from-copy` reads the newest ([`latest`]) and ends what is past its end by it
//! ([`finish`]), as the worker would: the same plan, the same proof.
//!
//! Deliberately absent: requests, policies, people. Ending needs none of them (invariant 11).

pub mod finish;
pub mod keep;
pub mod latest;

use domain::grant::Grant;
use domain::id::ServerId;
use domain::key::KeyState;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::config::AuditLog;

/// The layout that this version writes; a reader refuses a higher one.
pub const LAYOUT: u32 = 1;

/// Fast, and a tenth of the size.
const LEVEL: i32 = 3;

/// What a copy may become: a hundred thousand keys, at two or three kilobytes each.
const BYTES_MAX: usize = 512 * 1024 * 1024;

/// What was live at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// The layout.
    pub layout: u32,
    /// When it began to be read: whatever was promised or changed later may be missing.
    pub of: Timestamp,
    /// The server that led.
    pub by: ServerId,
    /// The table that it is of.
    pub table: String,
    /// The keys that had something to come, in the order of their texts.
    pub keys: Vec<CopiedKey>,
    /// Keys that the server could not read: they are missing.
    pub left_out: usize,
}

/// A key and its live grants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopiedKey {
    /// What was wanted of it, and what was being done about it in AWS.
    pub state: KeyState,
    /// Its live grants, as far as they could be read.
    pub grants: Vec<Grant>,
}

/// Why bytes are no copy.
#[derive(Debug, Error)]
pub enum NotACopy {
    /// They are not what is written.
    #[error("it is no copy, or a damaged one: {0}")]
    Damaged(String),
    /// A later version wrote them.
    #[error(
        "it has layout {0}, and this version reads up to {LAYOUT}: use the version that wrote it"
    )]
    Later(u32),
}

impl Copy {
    /// As an object's body.
    pub fn pack(&self) -> Result<Vec<u8>, NotACopy> {
        let text = serde_json::to_vec(self).map_err(damaged)?;
        zstd::bulk::compress(&text, LEVEL).map_err(damaged)
    }

    /// From an object's body.
    pub fn unpack(bytes: &[u8]) -> Result<Self, NotACopy> {
        /// All that is the same in each layout.
        #[derive(Deserialize)]
        struct Any {
            layout: u32,
        }
        let text = zstd::bulk::decompress(bytes, BYTES_MAX).map_err(damaged)?;
        let any: Any = serde_json::from_slice(&text).map_err(damaged)?;
        if any.layout > LAYOUT {
            return Err(NotACopy::Later(any.layout));
        }
        serde_json::from_slice(&text).map_err(damaged)
    }
}

fn damaged(error: impl std::fmt::Display) -> NotACopy {
    NotACopy::Damaged(error.to_string())
}

/// Where copies are.
fn folder(log: &AuditLog) -> String {
    format!("{}-live/", log.prefix)
}

/// The beginning of the names of copies from this instant on: they sort by time.
fn since(log: &AuditLog, at: Timestamp) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    format!("{}{}", folder(log), at.strftime("%Y%m%dT%H%M%S.%3fZ"))
}

/// The name of a copy.
fn name(log: &AuditLog, copy: &Copy) -> String {
    format!("{}-{}.json.zst", since(log, copy.of), copy.by)
}

/// The name of the record of what was ended from a copy.
#[must_use]
pub fn recovered(log: &AuditLog, at: Timestamp, by: ServerId) -> String {
    let at = at.to_zoned(TimeZone::UTC);
    let at = at.strftime("%Y%m%dT%H%M%S.%3fZ");
    format!("{}-recovered/{at}-{by}.json", log.prefix)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use uuid::Uuid;

    use super::*;

    fn copy(of: &str) -> Copy {
        Copy {
            layout: LAYOUT,
            of: of.parse().unwrap(),
            by: ServerId::new(Uuid::nil()),
            table: "belay".to_owned(),
            keys: Vec::new(),
            left_out: 0,
        }
    }

    #[test]
    fn names_sort_by_time() {
        let log = AuditLog {
            bucket: "audit".to_owned(),
            prefix: "belay".to_owned(),
        };
        let times = [
            "2026-09-30T23:59:59.999Z",
            "2026-10-01T00:00:00Z",
            "2026-10-01T00:00:00.05Z",
            "2026-12-01T00:00:00Z",
        ];
        let names = times.map(|time| name(&log, &copy(time)));
        assert!(names.is_sorted(), "{names:#?}");
        let first = "belay-live/20260930T235959.999Z-00000000-0000-0000-0000-000000000000.json.zst";
        assert_eq!(names.first().unwrap(), first);
        assert!(names[2] > since(&log, times[2].parse().unwrap()));
        assert!(names[2] < since(&log, times[3].parse().unwrap()));
    }

    #[test]
    fn what_was_packed_comes_out_and_nothing_else() {
        let whole = copy("2026-11-22T08:00:00Z");
        let bytes = whole.pack().unwrap();
        assert_eq!(Copy::unpack(&bytes).unwrap(), whole);
        let short = Copy::unpack(&bytes[..bytes.len() - 1]).unwrap_err();
        assert!(matches!(short, NotACopy::Damaged(_)), "{short}");
        let later = Copy {
            layout: LAYOUT + 1,
            ..whole
        };
        let later = Copy::unpack(&later.pack().unwrap()).unwrap_err();
        assert!(matches!(later, NotACopy::Later(2)), "{later}");
    }
}
