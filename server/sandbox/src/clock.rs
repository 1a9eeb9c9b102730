//! Instants, as the sandbox keeps and shows them.
//!
//! Wall-clock time, because what is planned has to happen after a restart too.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Milliseconds since 1970.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Now. A clock before 1970 counts as 1970.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }

    /// This many milliseconds later.
    pub(crate) fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// As AWS's JSON protocols write a timestamp: seconds since 1970 with a fraction.
    pub(crate) fn to_json(self) -> Value {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit an f64's 53 bits for the next 280,000 years"
        )]
        let seconds = self.0 as f64 / 1000.0;
        Number::from_f64(seconds).map_or(Value::Null, Value::Number)
    }
}
