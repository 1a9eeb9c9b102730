//! How often bearer tokens may fail. Whether one is good takes a signature to be verified, and at worst
//! the provider to be asked for its keys; anybody may send any number of them.
//!
//! What fails is counted, and nothing else: whoever sends what counts is never slowed down by it. Where
//! too many failed, a token is not looked at for a moment, unless that very one was good before. And
//! what all have failed together slows only those down who did. So nobody keeps others out: only where
//! a new token comes from the same sender as many bad ones does it wait its turn.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};

use crate::web::pace;

/// What one sender may fail: five a second, as sign-ins have it, is a program on each of many machines
/// that was set up wrongly and tries again; to verify so many is a thousandth of a core.
const SENDER: Rate = Rate {
    every: Duration::from_millis(200),
    at_once: 120,
};

/// What all of them may fail that did so lately: a hundredth of a core.
const ALL: Rate = Rate {
    every: Duration::from_millis(20),
    at_once: 600,
};

/// Senders that are counted at a time, some hundred bytes each. While so many fail, one that is not
/// among them is slowed down with them all, as if it had.
const SENDERS_MAX: usize = 10_000;

/// Tokens that are known to have been good, some hundred bytes each: of as many people as the largest
/// organisations have, for each of whom a program asks.
const GOOD_MAX: usize = 10_000;

type Fingerprint = [u8; 32];

/// So often, and so many at once.
#[derive(Debug, Clone, Copy)]
struct Rate {
    every: Duration,
    at_once: u32,
}

impl Rate {
    /// How long it takes until the next may be, where so much is owed until then.
    fn wait(self, owed_until: Instant, now: Instant) -> Option<Duration> {
        let owed = owed_until.saturating_duration_since(now) + self.every;
        let over = owed.checked_sub(self.every * self.at_once)?;
        (!over.is_zero()).then_some(over)
    }

    /// With one more.
    fn owing(self, owed_until: Instant, now: Instant) -> Instant {
        owed_until.max(now) + self.every
    }
}

/// Where a token comes from: the other end of the connection, and whom it says that it speaks for.
/// Without a load balancer anybody may say anything, and still uses up nothing of what others have.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Sender {
    pub(super) peer: Option<IpAddr>,
    pub(super) told: pace::Who,
}

/// Counts them. It is in memory: another server counts for itself.
#[derive(Debug, Default)]
pub(in crate::web) struct Failures(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    /// Until when each has used up what it may fail; who has not failed lately is not among them.
    senders: HashMap<Sender, Instant>,
    all: Option<Instant>,
    /// Tokens that were good, and when last.
    good: HashMap<Fingerprint, Instant>,
}

impl Failures {
    /// Whether to look at a token; otherwise how long to wait.
    pub(super) fn may_look(&self, sender: &Sender, token: &str) -> Result<(), Duration> {
        self.locked()
            .may_look(sender, &fingerprint(token), Instant::now())
    }

    /// It was good.
    pub(super) fn was_good(&self, token: &str) {
        self.locked().was_good(fingerprint(token), Instant::now());
    }

    /// It was not.
    pub(super) fn failed(&self, sender: Sender, token: &str) {
        self.locked()
            .failed(sender, &fingerprint(token), Instant::now());
    }

    fn locked(&self) -> MutexGuard<'_, Counted> {
        // Each change is whole before anything can panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of a token is of no use to anybody who reads it.
fn fingerprint(token: &str) -> Fingerprint {
    Sha256::digest(token).into()
}

impl Counted {
    fn may_look(&self, sender: &Sender, token: &Fingerprint, now: Instant) -> Result<(), Duration> {
        if self.good.contains_key(token) {
            return Ok(());
        }
        let owed = self.senders.get(sender).filter(|until| **until > now);
        if owed.is_none() && self.senders.len() < SENDERS_MAX {
            return Ok(());
        }
        let alone = owed.and_then(|until| SENDER.wait(*until, now));
        let all = self.all.and_then(|until| ALL.wait(until, now));
        match alone.max(all) {
            Some(wait) => Err(wait),
            None => Ok(()),
        }
    }

    fn was_good(&mut self, token: Fingerprint, now: Instant) {
        self.good.insert(token, now);
        if self.good.len() > GOOD_MAX {
            // Half of them at a time, so that it is seldom.
            let mut times: Vec<Instant> = self.good.values().copied().collect();
            let (_, half, _) = times.select_nth_unstable(GOOD_MAX / 2);
            let half = *half;
            self.good.retain(|_, at| *at > half);
        }
    }

    fn failed(&mut self, sender: Sender, token: &Fingerprint, now: Instant) {
        // It has expired, or its key is no more: from now on it is as any other.
        self.good.remove(token);
        self.all = Some(ALL.owing(self.all.unwrap_or(now), now));
        if self.senders.len() >= SENDERS_MAX {
            self.senders.retain(|_, until| *until > now);
        }
        if self.senders.len() < SENDERS_MAX || self.senders.contains_key(&sender) {
            let until = self.senders.entry(sender).or_insert(now);
            *until = SENDER.owing(*until, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn sender(number: u32) -> Sender {
        Sender {
            peer: Some(IpAddr::V4(Ipv4Addr::from_bits(number))),
            told: pace::Who::Unknown,
        }
    }

    /// How many of so many tokens are looked at that come from these in turn, and all fail.
    fn looked_at(counted: &mut Counted, senders: &[Sender], tries: u32, now: Instant) -> u32 {
        let mut looked = 0;
        for (number, sender) in (0..tries).zip(senders.iter().cycle()) {
            let token = fingerprint(&format!("{sender:?} {number}"));
            if counted.may_look(sender, &token, now).is_ok() {
                counted.failed(sender.clone(), &token, now);
                looked += 1;
            }
        }
        looked
    }

    #[test]
    fn one_sender_that_fails_is_slowed_down_alone_and_goes_on_at_its_pace() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        assert_eq!(looked_at(&mut counted, &[sender(1)], 1_000, now), 120);
        let wait = counted.may_look(&sender(1), &fingerprint("new"), now);
        assert_eq!(wait, Err(Duration::from_millis(200)));
        assert_eq!(
            counted.may_look(&sender(2), &fingerprint("new"), now),
            Ok(())
        );
        let later = now + Duration::from_secs(2);
        assert_eq!(looked_at(&mut counted, &[sender(1)], 1_000, later), 10);
        // Who has been quiet begins anew.
        let later = now + Duration::from_mins(1);
        assert_eq!(looked_at(&mut counted, &[sender(1)], 1_000, later), 120);
    }

    #[test]
    fn who_says_to_speak_for_another_uses_up_nothing_of_theirs() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let other = "192.0.2.1"
            .parse()
            .map_or(pace::Who::Unknown, pace::Who::Address);
        let told = |peer| Sender {
            told: other.clone(),
            ..sender(peer)
        };
        assert_eq!(looked_at(&mut counted, &[told(1)], 1_000, now), 120);
        assert_eq!(counted.may_look(&told(2), &fingerprint("new"), now), Ok(()));
    }

    #[test]
    fn many_that_fail_are_limited_together_and_who_did_not_is_not() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let many: Vec<Sender> = (0..100).map(sender).collect();
        // The first of each, and then as much as all may.
        let looked = looked_at(&mut counted, &many, 20_000, now);
        assert_eq!(looked, 600);
        assert_eq!(
            counted.may_look(&sender(100), &fingerprint("new"), now),
            Ok(())
        );
    }

    #[test]
    fn however_many_senders_there_are_their_number_is_limited_and_so_is_what_they_fail() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let max = u32::try_from(SENDERS_MAX).unwrap_or(u32::MAX);
        let many: Vec<Sender> = (0..3 * max).map(sender).collect();
        assert_eq!(looked_at(&mut counted, &many, 3 * max, now), max);
        assert_eq!(counted.senders.len(), SENDERS_MAX);
        // They are forgotten once they have been quiet.
        let later = now + Duration::from_mins(10);
        assert_eq!(looked_at(&mut counted, &many, 10, later), 10);
        assert!(counted.senders.len() <= 10);
    }

    #[test]
    fn a_token_that_was_good_is_looked_at_until_it_is_not() {
        let (mut counted, now) = (Counted::default(), Instant::now());
        let good = fingerprint("good");
        counted.was_good(good, now);
        looked_at(&mut counted, &[sender(1)], 1_000, now);
        assert_eq!(counted.may_look(&sender(1), &good, now), Ok(()));
        counted.failed(sender(1), &good, now);
        assert!(counted.may_look(&sender(1), &good, now).is_err());
    }

    #[test]
    fn the_latest_good_ones_are_known_and_no_more_than_so_many() {
        let (mut counted, mut now) = (Counted::default(), Instant::now());
        let token = |number: usize| fingerprint(&number.to_string());
        for number in 0..3 * GOOD_MAX {
            now += Duration::from_millis(1);
            counted.was_good(token(number), now);
            // This one comes again and again.
            counted.was_good(token(0), now);
            assert!(counted.good.len() <= GOOD_MAX);
        }
        assert!(counted.good.contains_key(&token(0)));
        assert!(counted.good.contains_key(&token(3 * GOOD_MAX - 1)));
        assert!(!counted.good.contains_key(&token(1)));
    }
}
