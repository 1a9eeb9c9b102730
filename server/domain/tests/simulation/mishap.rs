//! What befalls servers: they die and are born again, freeze and thaw, and lose the store from view.

use crate::faults::{MINUTE, Millis, SECOND};
use crate::lease::Life;
use crate::server::{Server, Who};
use crate::world::{Event, World, tell};

impl World {
    pub(crate) fn die(&mut self, server: usize) {
        tell!(self, "server {server} dies");
        self.count("server died");
        self.falls_silent(server);
        let dead = &mut self.servers[server];
        *dead = Server {
            life: dead.life + 1,
            ..Server::new(dead.tasks.len())
        };
        let away = if self.dice.chance(self.faults.crash_for_long) {
            self.dice.between(MINUTE, 150 * MINUTE)
        } else {
            self.dice.between(100, 30 * SECOND)
        };
        let back_at = (self.now + away).min(self.quiet_at.max(self.now + 100));
        self.at(back_at, Event::Restart { server });
    }

    pub(crate) fn restart(&mut self, server: usize) {
        let id = self.fresh_server();
        let skew = self.a_skew();
        let reborn = &mut self.servers[server];
        reborn.id = id;
        reborn.skew = skew;
        reborn.up = true;
        let life = reborn.life;
        tell!(self, "server {server} starts, its clock off by {skew} ms");
        self.speaks_again(server);
        for key in 0..self.servers[server].tasks.len() {
            self.wake(Who { server, life, key }, None);
        }
    }

    /// A server stands still, and later goes on as if nothing had been.
    pub(crate) fn freeze(&mut self, server: usize) {
        let pause = if self.dice.flip() {
            self.dice.between(SECOND, 20 * SECOND)
        } else {
            self.dice.between(20 * SECOND, 20 * MINUTE)
        };
        let until = self.recovers_at(pause);
        tell!(self, "server {server} freezes until {until}");
        self.count("server froze");
        self.falls_silent(server);
        let frozen = &mut self.servers[server];
        frozen.frozen_until = frozen.frozen_until.max(until);
        self.will_be_back(server, until);
    }

    pub(crate) fn cut_off(&mut self, server: usize) {
        let pause = self.dice.between(SECOND, 3 * MINUTE);
        let until = self.recovers_at(pause);
        tell!(
            self,
            "server {server} is cut off from the store until {until}"
        );
        self.count("server cut off");
        self.falls_silent(server);
        let lonely = &mut self.servers[server];
        lonely.cut_off_until = lonely.cut_off_until.max(until);
        self.will_be_back(server, until);
    }

    /// When a pause is over: when the faults stop, at the latest.
    pub(crate) fn recovers_at(&self, pause: Millis) -> Millis {
        (self.now + pause).min(self.quiet_at.max(self.now + 60))
    }

    fn will_be_back(&mut self, server: usize, when: Millis) {
        let life = (server, self.servers[server].life);
        self.at(when, Event::Back { life });
    }

    pub(crate) fn is_back(&mut self, (server, life): Life) {
        let back = &self.servers[server];
        if back.life == life && back.frozen_until <= self.now && back.cut_off_until <= self.now {
            self.speaks_again(server);
        }
    }

    /// When a server that is frozen moves again.
    pub(crate) fn thaws_at(&self, who: Who) -> Option<Millis> {
        let server = &self.servers[who.server];
        (server.life == who.life && self.now < server.frozen_until).then_some(server.frozen_until)
    }

    pub(crate) fn is_cut_off(&self, who: Who) -> bool {
        self.now < self.servers[who.server].cut_off_until
    }
}
