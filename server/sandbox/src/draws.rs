//! Everything drawn at random, from one seed.
//!
//! Each kind of draw has a stream of its own, so that one more index read does not change how long
//! the next assignment takes. The count of past changes is mixed in: after a restart the streams
//! go on elsewhere instead of handing out the same request ids again.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng as _, RngCore as _, SeedableRng as _};

/// The streams of one sandbox.
#[derive(Debug)]
pub(crate) struct Draws {
    seed: u64,
    operations: Mutex<StdRng>,
    lags: Mutex<StdRng>,
    conflicts: Mutex<StdRng>,
}

impl Draws {
    /// Streams from a seed and the number of changes that came before.
    pub(crate) fn new(seed: u64, past: u64) -> Self {
        Self {
            seed,
            operations: Mutex::new(stream(seed, past, 1)),
            lags: Mutex::new(stream(seed, past, 2)),
            conflicts: Mutex::new(stream(seed, past, 3)),
        }
    }

    /// Begins every stream again.
    pub(crate) fn reseed(&self) {
        for (n, each) in [(1, &self.operations), (2, &self.lags), (3, &self.conflicts)] {
            *lock(each) = stream(self.seed, 0, n);
        }
    }

    /// A version 4 UUID in lower case, as AWS's request ids are.
    pub(crate) fn uuid(&self) -> String {
        let mut bytes = [0; 16];
        lock(&self.operations).fill_bytes(&mut bytes);
        uuid::Builder::from_random_bytes(bytes)
            .into_uuid()
            .to_string()
    }

    /// How long an operation takes: `mean` and up to `jitter` more or less.
    pub(crate) fn duration_ms(&self, mean: u64, jitter: u64) -> u64 {
        let low = mean.saturating_sub(jitter);
        lock(&self.operations).random_range(low..=mean.saturating_add(jitter))
    }

    /// How long a read lags a write: from nothing to `max`.
    pub(crate) fn lag_ms(&self, max: u64) -> u64 {
        lock(&self.lags).random_range(0..=max)
    }

    /// True in `percent` of the draws.
    pub(crate) fn happens(&self, percent: f64) -> bool {
        lock(&self.conflicts).random_bool((percent / 100.0).clamp(0.0, 1.0))
    }
}

/// Any fixed odd constants do; they only keep the streams and the restarts apart.
fn stream(seed: u64, past: u64, n: u64) -> StdRng {
    let mixed = seed
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(past.wrapping_mul(0xD1B5_4A32_D192_ED03))
        .wrapping_add(n);
    StdRng::seed_from_u64(mixed)
}

/// A panic elsewhere leaves a generator usable: its state is whole between draws.
fn lock(stream: &Mutex<StdRng>) -> MutexGuard<'_, StdRng> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
