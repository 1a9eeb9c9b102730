//! How fast AWS may be asked: a budget of calls a second, shared by everything in this process.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

/// Hands out one permit each `1 / rate` seconds, in the order in which they were asked for.
#[derive(Debug)]
pub struct Limiter {
    every: Duration,
    next: Mutex<Instant>,
}

/// Permits that a quiet second leaves over, so that one click need not wait behind its own reads.
const BURST: u32 = 5;

impl Limiter {
    /// So many calls a second.
    #[must_use]
    pub fn new(rate: NonZeroU32) -> Self {
        Self {
            every: Duration::from_secs(1) / rate.get(),
            next: Mutex::new(Instant::now()),
        }
    }

    /// Waits for the next permit.
    pub async fn acquire(&self) {
        let at = {
            let mut next = self.next.lock().await;
            let now = Instant::now();
            let earliest = now.checked_sub(self.every * BURST).unwrap_or(now);
            let at = (*next).max(earliest);
            *next = at + self.every;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// AWS said that it was too fast: nothing more for a second.
    pub async fn throttled(&self) {
        let mut next = self.next.lock().await;
        let pause = Instant::now() + Duration::from_secs(1);
        *next = (*next).max(pause);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_gives_no_more_than_the_rate_and_one_burst() {
        let limiter = Limiter::new(NonZeroU32::new(10).unwrap());
        let start = Instant::now();
        for _ in 0..25 {
            limiter.acquire().await;
        }
        let took = start.elapsed();
        assert!(took >= Duration::from_millis(1_900), "{took:?}");
        assert!(took <= Duration::from_millis(2_500), "{took:?}");
    }
}
