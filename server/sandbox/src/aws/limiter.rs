//! Requests a second, as AWS counts them: a token bucket that refills at the limit and holds one
//! second's worth.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::service::Service;
use crate::arguments::Switches;

/// One bucket a service, and for Organizations one an operation.
#[derive(Debug, Default)]
pub(crate) struct Limiter(Mutex<HashMap<(Service, String), Bucket>>);

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    /// Takes a token. False when there is none: the call is to be refused.
    pub(crate) fn admits(&self, service: Service, operation: &str, switches: &Switches) -> bool {
        let (rate, of) = match service {
            Service::SsoAdmin => (switches.sso_admin_rate, ""),
            Service::IdentityStore => (switches.identity_store_rate, ""),
            Service::Organizations => (switches.organizations_rate, operation),
            Service::DynamoDb | Service::S3 => return true,
        };
        if rate == 0 {
            return true;
        }
        let rate = f64::from(rate);
        let now = Instant::now();
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((service, of.to_owned()))
            .or_insert_with(|| Bucket {
                tokens: rate,
                filled: now,
            });
        let passed = now.duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * rate).min(rate);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Fills every bucket.
    pub(crate) fn reset(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}
