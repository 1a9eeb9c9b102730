//! Between the servers and AWS: requests get lost, come late, and their answers do too.

use domain::id::OperationId;
use domain::key::Action;
use domain::progress::Sent;

use crate::aws::{Job, Request};
use crate::check::{self, Violation};
use crate::faults::{MINUTE, Millis, SECOND};
use crate::server::{Act, Report, Who};
use crate::world::{Event, World, tell};

/// A server waits this long for AWS's answer to one attempt.
const TIMEOUT: Millis = 3 * SECOND;

impl World {
    /// Hands a signed request to the network, which may do with it what it likes.
    pub(crate) fn dispatch(&mut self, who: Who, request: Request) {
        let undelivered = self.dice.chance(self.faults.undelivered);
        let late = self.dice.chance(self.faults.late);
        // The last instruction before the network: it thaws with a request that is hours old.
        let frozen = !late && self.dice.chance(self.faults.freeze);
        let heard = !undelivered && !late && !self.dice.chance(self.faults.unheard);
        let fate = match (undelivered, late, frozen, heard) {
            (true, ..) => ", which is lost",
            (_, true, ..) => ", which will arrive late",
            (_, _, true, _) => ", but freezes first",
            (.., false) => ", whose answer will be lost",
            _ => "",
        };
        tell!(
            self,
            "{who} sends {:?} {}{fate}",
            request.action,
            request.operation
        );
        let operation = request.operation;
        let mut leaves_at = self.now;
        if frozen {
            self.freeze(who.server);
            leaves_at = self.servers[who.server].frozen_until;
        }
        if !undelivered {
            let travels = if late {
                self.dice.between(SECOND, 16 * MINUTE)
            } else {
                self.dice.between(5, 300)
            };
            self.aws.under_way.push(request.clone());
            let waits = heard.then_some(who);
            self.at(leaves_at + travels, Event::Arrive { request, waits });
        }
        if !heard {
            let act = Act::Report(Report::Sent(operation, Sent::Unheard));
            self.at(leaves_at + TIMEOUT, Event::Act { who, act });
        }
    }

    /// A number for a request that is being signed.
    pub(crate) fn sign(&mut self, who: Who, operation: OperationId, action: Action) -> Request {
        Request {
            number: self.fresh_number(),
            operation,
            action,
            key: who.key,
            signed_at: self.now,
        }
    }

    pub(crate) fn arrive(&mut self, request: &Request, waits: Option<Who>) {
        let answer = self
            .aws
            .arrive(request, self.now, &self.faults, &mut self.dice);
        tell!(
            self,
            "AWS answers {:?} {}: {answer:?}",
            request.action,
            request.operation
        );
        match &answer {
            Sent::Accepted { .. } => {
                let number = self.aws.jobs.len() - 1;
                let job = self.aws.jobs[number].clone();
                if let Some(effect_at) = job.effect_at {
                    self.at(effect_at, Event::Effect { job: number });
                    self.count_fate(&job, waits);
                }
                self.at(job.ends_at, Event::Finish { job: number });
            }
            Sent::Refused { code } if code == "InvalidSignatureException" => {
                self.count("signature too old");
            }
            Sent::Contradicted { .. } => self.count("conflict"),
            Sent::Refused { .. } | Sent::Unheard => {}
        }
        if let Some(who) = waits {
            let when = self.now + self.dice.between(5, 300);
            let act = Act::Report(Report::Sent(request.operation, answer));
            self.at(when, Event::Act { who, act });
        }
    }

    fn count_fate(&mut self, job: &Job, waits: Option<Who>) {
        match (job.action, waits, job.succeeds) {
            (Action::Create, None, _) if self.now - job.signed_at > MINUTE => {
                self.count("answer lost, create happened minutes later");
            }
            (Action::Create, None, _) => self.count("answer lost, create happened"),
            (Action::Delete, None, _) => self.count("answer lost, delete happened"),
            (Action::Create, _, false) => self.count("create failed although it happened"),
            (Action::Delete, _, false) => self.count("delete failed although it happened"),
            _ => {}
        }
    }

    pub(crate) fn take_effect(&mut self, number: usize) -> Result<(), Violation> {
        let job = self.aws.jobs[number].clone();
        tell!(
            self,
            "AWS: {:?} takes effect on key {}",
            job.action,
            job.key
        );
        if job.action == Action::Delete {
            check::disappearing(&self.aws, &job)?;
            if self.aws.pairs[job.key].theirs.is_some() {
                self.count("lost delete took what was added by hand since");
            }
        }
        let changed = self.aws.take_effect(number, self.now);
        let key = self.store.key(job.key);
        let current = key.operation.as_ref().map(|operation| operation.id);
        let is_wanted = key.wanted(self.instant(self.now));
        match job.action {
            Action::Create if changed => {
                if check::appeared(key, &self.aws, &job)? {
                    // Whoever sweeps will find it: nobody can tell it from what stood there.
                    self.aws.pairs[job.key].theirs = Some(self.now);
                    self.count("an edit by hand hid a create at large");
                }
            }
            Action::Delete if changed && is_wanted && current != Some(job.operation) => {
                self.count("lost delete took a re-granted assignment");
            }
            Action::Create | Action::Delete => {}
        }
        Ok(())
    }
}
