//! A clock that goes on while the machine sleeps, and that nobody sets.

use rustix::time::{ClockId, clock_gettime};

/// Elsewhere than on Linux the monotonic clock is the one that counts sleep.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Milliseconds since some instant before this process began.
pub(super) fn milliseconds() -> u64 {
    let time = clock_gettime(CLOCK);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    let nanoseconds = u64::try_from(time.tv_nsec).unwrap_or_default();
    seconds * 1_000 + nanoseconds / 1_000_000
}
