//! How far this machine's clock is from a service's, by the `Date` of its replies.
//!
//! Ends are instants of this machine's clock. One that is far off ends access early or late, so
//! such a server does not lead and is not ready.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::{SignedDuration, Timestamp};

/// Clocks may differ by seconds (DESIGN 3); more than this is a broken one (DESIGN 9).
const FAR: SignedDuration = SignedDuration::from_secs(30);

/// The difference, kept up to date by every reply. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RemoteClock {
    whose: &'static str,
    /// Milliseconds that the service's clock is ahead of ours.
    ahead: Arc<AtomicI64>,
}

impl RemoteClock {
    /// Of a service, which has not replied yet.
    #[must_use]
    pub fn of(whose: &'static str) -> Self {
        Self {
            whose,
            ahead: Arc::default(),
        }
    }

    /// Whether this machine's clock can be believed, as far as is known; if not, why.
    pub fn is_right(&self) -> Result<(), String> {
        let ahead = SignedDuration::from_millis(self.ahead.load(Ordering::Acquire));
        if ahead.abs() <= FAR {
            return Ok(());
        }
        let seconds = ahead.abs().as_secs();
        let which = if ahead.is_positive() {
            "behind"
        } else {
            "ahead of"
        };
        Err(format!(
            "this machine's clock is {seconds} s {which} {}'s: set it by NTP",
            self.whose
        ))
    }

    fn heard(&self, date: &str, now: Timestamp) {
        let Ok(theirs) = jiff::fmt::rfc2822::parse(date) else {
            return;
        };
        let ahead = theirs.timestamp().duration_since(now);
        let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        self.ahead.store(millis, Ordering::Release);
    }
}

#[dyn_dispatch_hint]
impl Intercept for RemoteClock {
    fn name(&self) -> &'static str {
        "RemoteClock"
    }

    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(date) = context.response().headers().get("date") {
            self.heard(date, Timestamp::now());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn half_a_minute_is_far_in_both_directions_and_a_reply_puts_it_right() {
        let clock = RemoteClock::of("DynamoDB");
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        for (date, right) in [
            ("Sun, 22 Nov 2026 08:00:29 GMT", true),
            ("Sun, 22 Nov 2026 08:00:31 GMT", false),
            ("Sun, 22 Nov 2026 08:00:01 GMT", true),
            ("Sun, 22 Nov 2026 07:59:31 GMT", true),
            ("Sun, 22 Nov 2026 07:59:29 GMT", false),
            // What cannot be read changes nothing.
            ("yesterday", false),
            ("Sun, 22 Nov 2026 08:00:00 GMT", true),
        ] {
            clock.heard(date, now);
            assert_eq!(clock.is_right().is_ok(), right, "{date}");
        }
    }

    #[test]
    fn it_says_which_way() {
        let clock = RemoteClock::of("DynamoDB");
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        clock.heard("Sun, 22 Nov 2026 08:01:00 GMT", now);
        let why = clock.is_right().unwrap_err();
        assert!(why.contains("60 s behind DynamoDB's"), "{why}");
    }
}
