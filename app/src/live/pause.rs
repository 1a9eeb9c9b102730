//! How long to wait before trying again.

use std::time::Duration;

const FIRST_MS: u32 = 2_000;
/// Also the pace for whoever is signed out: only they can change that, and their coming back is noticed anyway.
const LONGEST_MS: u32 = 60_000;

/// Twice as long after each failure, up to a minute; and never the same, so that all the pages that lost one server do
/// not come back in one moment.
#[cfg(feature = "hydrate")]
pub(crate) fn pause(failures: u32) -> Duration {
    between(failures, js_sys::Math::random())
}

/// The full pause, less up to half of it, as `random` says, from 0 to 1.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "less than a minute, and not below nothing"
)]
fn between(failures: u32, random: f64) -> Duration {
    let full = (FIRST_MS << failures.min(5)).min(LONGEST_MS);
    let less = (f64::from(full / 2) * random) as u32;
    Duration::from_millis((full - less).into())
}

#[cfg(test)]
mod tests {
    use super::between;
    use std::time::Duration;

    #[test]
    fn a_pause_doubles_up_to_a_minute_and_varies_by_half() {
        assert_eq!(between(0, 0.0), Duration::from_secs(2));
        assert_eq!(between(0, 1.0), Duration::from_secs(1));
        assert_eq!(between(3, 0.0), Duration::from_secs(16));
        assert_eq!(between(5, 0.0), Duration::from_mins(1));
        assert_eq!(between(u32::MAX, 1.0), Duration::from_secs(30));
    }
}
