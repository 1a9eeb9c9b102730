//! The keys whose promised end is past and not proved, as the worker meets them.
//!
//! Whoever leads meets each of them at least every five minutes, so this is whole that long after
//! a takeover. It is what `/metrics` shows, and where findings look first.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use domain::key::KeyState;
use domain::reconcile::late_since;
use domain::target::Key;
use jiff::Timestamp;

/// The late keys, and since when. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Late(Arc<Mutex<HashMap<Key, Timestamp>>>);

impl Late {
    fn with<T>(&self, act: impl FnOnce(&mut HashMap<Key, Timestamp>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A key was met.
    pub(super) fn meet(&self, key: &KeyState, now: Timestamp) {
        self.with(|late| match late_since(key, now) {
            Some(since) => {
                late.insert(key.key.clone(), since);
            }
            None => {
                late.remove(&key.key);
            }
        });
    }

    /// Whoever leads now meets them.
    pub(super) fn forget(&self) {
        self.with(HashMap::clear);
    }

    /// Those that are late.
    #[must_use]
    pub fn keys(&self) -> Vec<Key> {
        self.with(|late| late.keys().cloned().collect())
    }

    /// Shows how many there are, and how late the latest is.
    pub(super) fn show(&self, now: Timestamp) {
        let (count, worst) = self.with(|late| {
            let worst = late.values().min().map(|since| now.duration_since(*since));
            (late.len(), worst)
        });
        let seconds = worst.map_or(0.0, |worst| worst.as_secs_f64().max(0.0));
        metrics::gauge!("belay_late_ends").set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        metrics::gauge!("belay_late_end_worst_seconds").set(seconds);
    }
}
