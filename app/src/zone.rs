//! The reader's zone, as far as the server knows it: by a cookie that the browser's half keeps.

use std::sync::Arc;

use crate::view::EpochMs;

/// In context, for every page: the zone to write times in until the browser's half is alive. Said in either case, as a
/// [`Reader`](crate::Reader) is.
#[derive(Clone)]
pub struct Zone {
    /// Its IANA name; empty if it is not known, and then times are in UTC.
    pub name: String,
    /// When the page is made.
    pub now: EpochMs,
    /// How far the zone is from UTC at an instant, in milliseconds.
    pub offset_ms: Arc<dyn Fn(EpochMs) -> i64 + Send + Sync>,
}

impl Zone {
    /// The cookie that keeps its name, and the field of the forms in which times are typed.
    pub const NAME: &str = "zone";
}

impl std::fmt::Debug for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Zone").field(&self.name).finish()
    }
}
