//! A stored ask as policy's functions take it: the same facts for a page and for a decision.

use domain::policy::{
    self, AskFacts, BreakGlass, Decision, Facts, Proposal, ReviewOutcome, RuleName, Run, Seconds,
    Verdict,
};
use domain::request::{Ask, Opinion, Request, Review};
use jiff::Timestamp;

use super::{Part, ServiceError};
use crate::world::World;

/// An ask, read once.
#[derive(Debug)]
pub(super) struct Judged<'a> {
    pub(super) request: &'a Request,
    pub(super) ask: &'a Ask,
    /// What policy said when it was submitted.
    pub(super) verdict: Verdict,
    routes: Vec<RuleName>,
    run: Option<Run>,
}

impl<'a> Judged<'a> {
    /// Reads the verdict that was stored with it. For a page: what it extends is taken as it was.
    pub(super) fn of(request: &'a Request, ask: &'a Ask) -> Result<Self, ServiceError> {
        let verdict: Verdict = serde_json::from_value(ask.verdict.clone()).map_err(|error| {
            tracing::error!(%error, "a stored verdict cannot be read by this version");
            ServiceError::Unavailable { part: Part::Store }
        })?;
        let extends = request.terms.extends.as_ref();
        Ok(Self {
            routes: verdict.route_rules(),
            request,
            ask,
            verdict,
            run: extends.map(|extends| Run {
                from: extends.run_from,
                extended: true,
            }),
        })
    }

    /// For a decision: what goes on on its key now.
    pub(super) const fn continuing(mut self, run: Option<Run>) -> Self {
        self.run = run;
        self
    }

    pub(super) fn facts(&self, now: Timestamp) -> AskFacts<'_> {
        AskFacts {
            start: self.request.terms.start,
            run: self.run,
            ticket: self.request.terms.ticket.as_deref(),
            ..AskFacts::new(
                &self.request.requester.id,
                &self.ask.target,
                Seconds::new(self.request.duration_seconds),
                &self.routes,
                now,
            )
        }
    }

    /// Where its reviews leave it, with one more.
    pub(super) fn outcome(
        &self,
        world: &World,
        facts: &Facts<'_>,
        more: Option<&Review>,
        now: Timestamp,
    ) -> ReviewOutcome {
        let asked = Seconds::new(self.request.duration_seconds);
        let reviews: Vec<policy::Review> = self
            .ask
            .reviews
            .iter()
            .chain(more)
            .map(|review| policy_review(review, asked))
            .collect();
        policy::review(&world.policy, &self.facts(now), &reviews, facts)
    }

    /// What asking for it would be answered now, with nobody's review.
    pub(super) fn proposal(&self, now: Timestamp) -> Proposal {
        Proposal {
            ticket: self.request.terms.ticket.clone(),
            start: self.request.terms.start,
            run: self.run,
            break_glass: match &self.ask.glass {
                Some(_) => BreakGlass::Asked,
                None => BreakGlass::No,
            },
            ..Proposal::new(
                self.request.requester.id.clone(),
                self.ask.target.clone(),
                Seconds::new(self.request.duration_seconds),
                self.request.reason.chars().count(),
                now,
            )
        }
    }
}

pub(super) fn policy_review(review: &Review, asked: Seconds) -> policy::Review {
    policy::Review {
        reviewer: review.by.id.clone(),
        decision: match review.opinion {
            Opinion::Approve => Decision::Approve,
            Opinion::Deny => Decision::Deny,
        },
        duration: review.seconds.map_or(asked, Seconds::new),
        at: review.at,
    }
}
