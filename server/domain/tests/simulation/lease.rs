//! The executor lease, as the servers see it.
//!
//! Nobody's renewals are played one by one: what matters is when a holder falls silent, because it
//! died, froze or was cut off, and what it believes then. The numbers are the server's
//! (`server/src/lease.rs`). In half of the worlds there is no lease, and all servers act at once:
//! what the key promises must not rest on it.

use crate::faults::{Dice, Millis, SECOND};
use crate::server::Who;
use crate::world::{Event, World, tell};

/// From its last renewal on, a holder believes in itself for so long ...
const BELIEVED_FOR: Millis = 5 * SECOND;

/// ... and others take over after so long, or a look later.
const TTL: Millis = 6 * SECOND;

/// A holder renews this often.
const RENEW_EVERY: Millis = 2 * SECOND;

/// One life of one server.
pub(crate) type Life = (usize, u32);

pub(crate) struct Lease {
    is_used: bool,
    holder: Option<Life>,
    /// When the holder renewed last, if it does not any more.
    silent_since: Option<Millis>,
    /// Grows whenever the holder is heard of again, or another takes over.
    counter: u64,
}

impl Lease {
    pub(crate) fn drawn(dice: &mut Dice) -> Self {
        Self {
            is_used: dice.flip(),
            holder: None,
            silent_since: Some(0),
            counter: 0,
        }
    }
}

impl World {
    /// Whether this life of this server believes that it may act.
    pub(crate) fn leads(&self, who: Who) -> bool {
        let lease = &self.lease;
        let believes = lease
            .silent_since
            .is_none_or(|since| self.now < since + BELIEVED_FOR);
        !lease.is_used || (lease.holder == Some((who.server, who.life)) && believes)
    }

    /// A server does not renew any more, if it is the holder.
    pub(crate) fn falls_silent(&mut self, server: usize) {
        let is_holder = self
            .lease
            .holder
            .is_some_and(|(holder, _)| holder == server);
        if !is_holder || self.lease.silent_since.is_some() {
            return;
        }
        self.lease.silent_since = Some(self.now - self.dice.between(0, RENEW_EVERY));
        for other in 0..self.servers.len() {
            self.stands_by(other);
        }
    }

    /// A server is heard of again, or for the first time.
    pub(crate) fn speaks_again(&mut self, server: usize) {
        let life = (server, self.servers[server].life);
        if self.lease.holder != Some(life) {
            self.stands_by(server);
            return;
        }
        let counter = self.lease.counter;
        let when = self.now + self.dice.between(1, RENEW_EVERY);
        self.at(when, Event::Renew { life, counter });
    }

    /// Whoever stands by looks at the counter until it has stood still for long enough.
    fn stands_by(&mut self, server: usize) {
        if !self.lease.is_used || self.lease.silent_since.is_none() || !self.is_well(server) {
            return;
        }
        let life = (server, self.servers[server].life);
        let counter = self.lease.counter;
        let patience = if self.lease.holder.is_none() { 0 } else { TTL };
        let when = self.now + patience + self.dice.between(1, 2 * SECOND);
        self.at(when, Event::TakeOver { life, counter });
    }

    pub(crate) fn renew(&mut self, life: Life, counter: u64) {
        let lives = self.servers[life.0].life == life.1;
        if !lives || self.lease.holder != Some(life) || self.lease.counter != counter {
            self.stands_by(life.0);
        } else if self.is_well(life.0) {
            self.is_heard(life);
        }
    }

    pub(crate) fn take_over(&mut self, life: Life, counter: u64) {
        let (server, lived) = life;
        let stood_still = self.lease.counter == counter && self.lease.silent_since.is_some();
        if stood_still && self.is_well(server) && self.servers[server].life == lived {
            tell!(self, "server {server} takes the lease");
            if self.lease.holder.is_some() {
                self.count("another took over the lease");
            }
            self.lease.holder = Some(life);
            self.is_heard(life);
        }
    }

    fn is_heard(&mut self, (server, life): Life) {
        self.lease.silent_since = None;
        self.lease.counter += 1;
        for key in 0..self.servers[server].tasks.len() {
            self.wake(Who { server, life, key }, None);
        }
    }

    fn is_well(&self, server: usize) -> bool {
        let server = &self.servers[server];
        server.up && server.frozen_until <= self.now && server.cut_off_until <= self.now
    }
}
