//! How many calls a second are allowed, and how many permits there are now. Pure: time is given.
//!
//! Additive increase, multiplicative decrease: the budget grows steadily to its ceiling and is
//! halved when AWS says that it was too much.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::line::Try;

/// Where it begins: others use the quota of 20 a second too (DESIGN 9).
const BEGINS_AT: f64 = 12.0;

/// It grows by this part of the ceiling each second: from a half to the whole in ten seconds.
const GROWS: f64 = 1.0 / 20.0;

/// Below one call a second nothing would ever end.
const FLOOR: f64 = 1.0;

/// Refusals within this time are about the same burst, and count once.
const SAME_BURST: Duration = Duration::from_secs(1);

/// Permits that gather while nobody calls: two fifths of a second's. At 15 a second that is six, all
/// the look-ups of one submission and the review that follows it, so that neither person waits
/// behind their own. Never fewer than [`super::Class::Refresh`] leaves behind and takes.
const GATHERED: f64 = 2.0 / 5.0;
const GATHERED_MIN: f64 = 4.0;

/// All retries together take at most this part of the calls (DESIGN 9).
const RETRIES: f64 = 1.0 / 5.0;

#[derive(Debug)]
pub(super) struct Rate {
    ceiling: f64,
    allowed: f64,
    permits: f64,
    /// What retries may still take of them: at most one gathers.
    retries: f64,
    counted_at: Instant,
    halved_at: Option<Instant>,
}

impl Rate {
    pub(super) fn new(ceiling: NonZeroU32, now: Instant) -> Self {
        let ceiling = f64::from(ceiling.get());
        let allowed = ceiling.min(BEGINS_AT);
        Self {
            ceiling,
            allowed,
            permits: gathered_max(allowed),
            retries: 1.0,
            counted_at: now,
            halved_at: None,
        }
    }

    /// Counts the time that has passed.
    pub(super) fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.counted_at).as_secs_f64();
        self.counted_at = now;
        // What came in came at the old rate at least; what may gather is by the new one.
        let allowed = self.allowed;
        self.allowed = (allowed + seconds * self.ceiling * GROWS).min(self.ceiling);
        self.permits = (self.permits + seconds * allowed).min(gathered_max(self.allowed));
        self.retries = (self.retries + seconds * allowed * RETRIES).min(1.0);
    }

    pub(super) const fn allowed(&self) -> f64 {
        self.allowed
    }

    /// How many permits there are at most, while nobody calls.
    pub(super) fn gathers(&self) -> f64 {
        gathered_max(self.allowed)
    }

    /// Whether so many permits are there. Counting in fractions leaves a trace of dust.
    pub(super) fn has(&self, permits: f64) -> bool {
        self.permits + 1e-6 >= permits
    }

    /// Whether one more retry is allowed.
    pub(super) fn has_retry(&self) -> bool {
        self.retries + 1e-6 >= 1.0
    }

    /// How long until so many permits are there, as far as that is worth knowing.
    pub(super) fn until(&self, permits: f64) -> Duration {
        let seconds = (permits - self.permits) / self.allowed;
        Duration::from_secs_f64(seconds.clamp(0.0, 1.0))
    }

    pub(super) fn take(&mut self, attempt: Try) {
        self.permits -= 1.0;
        if attempt == Try::Again {
            self.retries -= 1.0;
        }
    }

    pub(super) fn give_back(&mut self) {
        self.permits = (self.permits + 1.0).min(gathered_max(self.allowed));
    }

    /// AWS said that it was too fast.
    pub(super) fn throttled(&mut self, now: Instant) {
        self.refill(now);
        self.permits = 0.0;
        let same = self
            .halved_at
            .is_some_and(|at| now.saturating_duration_since(at) < SAME_BURST);
        if !same {
            self.allowed = (self.allowed / 2.0).max(FLOOR);
            self.halved_at = Some(now);
        }
    }
}

fn gathered_max(allowed: f64) -> f64 {
    (allowed * GATHERED).max(GATHERED_MIN)
}
