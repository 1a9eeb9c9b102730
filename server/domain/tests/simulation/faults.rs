//! What may go wrong in one world, and the dice.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// Milliseconds since the world began.
pub(crate) type Millis = i64;

pub(crate) const SECOND: Millis = 1_000;
pub(crate) const MINUTE: Millis = 60 * SECOND;
pub(crate) const HOUR: Millis = 60 * MINUTE;

/// The longest that AWS's reads are assumed to lag its writes.
pub(crate) const LAG_MAX: Millis = 5 * SECOND;

/// A request signed longer ago than this is refused.
pub(crate) const SIGNATURE_MAX: Millis = 15 * MINUTE;

/// All chance in a world comes from here.
pub(crate) struct Dice(StdRng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    /// True once in `1 / chance` times.
    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        // Nothing is drawn for what is off, so that switching it off changes nothing else.
        chance > 0.0 && self.0.random_bool(chance)
    }

    /// Any whole number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.random_range(low..=high)
    }

    pub(crate) fn flip(&mut self) -> bool {
        self.0.random_bool(0.5)
    }
}

/// What may go wrong, and how often: chances from 0 to 1.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults {
    /// A server dies, at any step.
    pub(crate) crash: f64,
    /// It stays away for up to hours rather than seconds.
    pub(crate) crash_for_long: f64,
    /// A step takes up to 30 s rather than milliseconds.
    pub(crate) slow: f64,
    /// A server stands still, at any step, for up to 20 min, and then goes on with what it had in
    /// mind.
    pub(crate) freeze: f64,
    /// A server does not reach the store for up to 3 min.
    pub(crate) cut_off: f64,
    /// The list by which a server finds what is due shows the state of some time ago.
    pub(crate) stale_list: f64,
    /// A commit fails for no reason of ours, and did not happen.
    pub(crate) store_down: f64,
    /// A commit happens though its answer is lost.
    pub(crate) commit_unheard: f64,
    /// A commit whose answer is lost happens some seconds later.
    pub(crate) commit_late: f64,
    /// AWS throttles.
    pub(crate) throttle: f64,
    /// AWS's answer is lost; the request arrives at once.
    pub(crate) unheard: f64,
    /// AWS's answer is lost; the request arrives up to 16 min later, if its signature allows.
    pub(crate) late: f64,
    /// The request is lost on the way.
    pub(crate) undelivered: f64,
    /// An operation ends `FAILED`.
    pub(crate) fail: f64,
    /// An operation ends `FAILED` although it happened.
    pub(crate) fail_though_done: f64,
    /// An operation takes up to 14 min.
    pub(crate) stall: f64,
    /// AWS forgets the status of an operation.
    pub(crate) forget: f64,
    /// A status, or a page of a read, is not to be had.
    pub(crate) unread: f64,
    /// Reads lag by up to [`LAG_MAX`].
    pub(crate) lag: f64,
    /// Somebody adds or removes an assignment by hand, for each grant that is asked for.
    pub(crate) by_hand: f64,
    /// What a key is about ceases to exist.
    pub(crate) vanish: f64,
}

impl Faults {
    /// Each kind is off in about a third of the worlds, mild in a third, and wild in the rest.
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        let mut draw = |mild: f64, wild: f64| match dice.between(0, 2) {
            0 => 0.0,
            1 => mild,
            _ => wild,
        };
        Self {
            crash: draw(0.004, 0.04),
            crash_for_long: draw(0.05, 0.5),
            slow: draw(0.01, 0.1),
            freeze: draw(0.001, 0.01),
            cut_off: draw(0.002, 0.02),
            stale_list: draw(0.1, 0.5),
            store_down: draw(0.01, 0.1),
            commit_unheard: draw(0.01, 0.1),
            commit_late: draw(0.005, 0.05),
            throttle: draw(0.05, 0.3),
            unheard: draw(0.05, 0.3),
            late: draw(0.03, 0.2),
            undelivered: draw(0.03, 0.2),
            fail: draw(0.05, 0.3),
            fail_though_done: draw(0.05, 0.2),
            stall: draw(0.03, 0.2),
            forget: draw(0.03, 0.2),
            unread: draw(0.05, 0.3),
            lag: draw(0.3, 0.9),
            by_hand: draw(0.2, 0.9),
            vanish: draw(0.02, 0.3),
        }
    }

    /// Nothing goes wrong any more. Reads go on lagging: that is no fault, AWS is so.
    pub(crate) fn stopped(&self) -> Self {
        Self {
            lag: self.lag,
            ..Self::default()
        }
    }
}
