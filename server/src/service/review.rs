//! Approve and deny: judged at this instant, for every ask that is named.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::id::{AskIndex, RequestId, UserId};
use domain::policy::{self, ReviewOutcome, WhyNot};
use domain::request::{Ask, AskState, Completion, Opinion, Request, Review};

use super::approve::{Approval, continuing};
use super::facts::LiveFacts;
use super::held::Held;
use super::withdraw::decided;
use super::{Caller, Invalid, Service, ServiceError, note_fits};
use crate::proof::Purpose;
use crate::store::{Commit, fresh_grant, now};
use crate::world::World;

/// What a reviewer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Yes.
    Approve,
    /// No: ends the ask.
    Deny,
}

/// A review as it comes through a door.
#[derive(Debug, Clone)]
pub struct Reviewing {
    /// Of which request.
    pub request: RequestId,
    /// Of which asks; empty: all that wait for this person.
    pub asks: Vec<AskIndex>,
    /// Yes or no.
    pub verb: Verb,
    /// In their words; may be empty.
    pub note: String,
    /// The longest that they agree to, in seconds; `None`: what was asked for.
    pub seconds: Option<u32>,
}

impl Service {
    /// Reviews a request.
    pub async fn review(&self, caller: &Caller, review: &Reviewing) -> Result<(), ServiceError> {
        note_fits(&review.note)?;
        self.again_under_policy(|| self.try_review(caller, review))
            .await
    }

    async fn try_review(&self, caller: &Caller, review: &Reviewing) -> Result<(), ServiceError> {
        let world = self.world_for_giving()?;
        let before = self
            .store
            .request(review.request)
            .await?
            .ok_or(ServiceError::NotFound)?;
        // Whoever may not see it learns nothing, not even that it was decided.
        self.must_see(&world, caller, &before)?;
        let held = self.held_for(&before).await?;
        let people = judged(caller, &before);
        let targets = before.asks.iter().map(|ask| &ask.target);
        let live = self.live(&world, &people, targets).await?;
        let at = now();
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let stream = Stream::Request(before.id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let said = said(&world, caller, &before, review, at)?;
        let mut deciding = Deciding {
            world: &world,
            live: &live,
            held: &held,
            commit,
            approval: Approval::new(before.clone()),
        };
        let asks = deciding.chosen(&before, &review.asks, caller)?;
        let proof = if needs_proof(&world, &live, &before, &asks, review.verb) {
            let purpose = Purpose::approve(before.id);
            Some(self.proof(caller, &purpose, at).await)
        } else {
            None
        };
        if let Some(Ok(proof)) = &proof {
            deciding.approval.proven(proof.signed_in_at());
        }
        for index in asks {
            deciding.decide(index, &said)?;
        }
        // The last of all refusals, so that nobody is sent to sign in again for nothing.
        if let Some(proof) = proof {
            deciding.commit.use_up(&proof?)?;
        }
        let Deciding {
            mut commit,
            mut approval,
            ..
        } = deciding;
        approval.judge_again(&mut commit, &before, &world, &live.facts(), &held)?;
        approval.promise(self, &mut commit, &held)?;
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }
}

/// A review as it will be kept.
fn said(
    world: &World,
    caller: &Caller,
    request: &Request,
    review: &Reviewing,
    at: jiff::Timestamp,
) -> Result<Review, ServiceError> {
    let possible = world.policy.min_duration().get()..=request.duration_seconds;
    if review
        .seconds
        .is_some_and(|seconds| !possible.contains(&seconds))
    {
        return Err(ServiceError::Invalid(vec![Invalid::Duration]));
    }
    Ok(Review {
        by: caller.who.clone(),
        opinion: match review.verb {
            Verb::Approve => Opinion::Approve,
            Verb::Deny => Opinion::Deny,
        },
        note: review.note.trim().to_owned(),
        seconds: review
            .seconds
            .filter(|seconds| review.verb == Verb::Approve && *seconds < request.duration_seconds),
        at,
    })
}

/// Whether a guardrail wants whoever says this to have signed in just before. A "no" gives nothing.
fn needs_proof(
    world: &World,
    live: &LiveFacts<'_>,
    request: &Request,
    asks: &[AskIndex],
    verb: Verb,
) -> bool {
    let mut targets = asks.iter().filter_map(|index| request.ask(*index));
    verb == Verb::Approve
        && targets.any(|ask| world.policy.reauthenticates(&ask.target, &live.facts()))
}

/// Everyone whose standing decides: the reviewer, those who reviewed before, the requester.
fn judged(caller: &Caller, request: &Request) -> BTreeSet<UserId> {
    let reviewers = request
        .asks
        .iter()
        .flat_map(|ask| &ask.reviews)
        .map(|review| review.by.id.clone());
    reviewers
        .chain([caller.who.id.clone(), request.requester.id.clone()])
        .collect()
}

/// A decision in the making, with what it rests on.
struct Deciding<'a> {
    world: &'a World,
    live: &'a LiveFacts<'a>,
    held: &'a [Held],
    commit: Commit,
    approval: Approval,
}

impl Deciding<'_> {
    /// The asks that are named; if none is, those that wait for this person.
    fn chosen(
        &self,
        request: &Request,
        named: &[AskIndex],
        caller: &Caller,
    ) -> Result<Vec<AskIndex>, ServiceError> {
        let distinct: BTreeSet<AskIndex> = named.iter().copied().collect();
        for index in &distinct {
            let ask = request.ask(*index).ok_or(ServiceError::NotFound)?;
            if ask.state != AskState::Pending {
                return Err(ServiceError::Decided(Box::new(ask.state.clone())));
            }
        }
        if !distinct.is_empty() {
            return Ok(distinct.into_iter().collect());
        }
        let pending = || {
            let asks = request.asks.iter();
            asks.filter(|ask| ask.state == AskState::Pending)
        };
        let reviewed = |ask: &Ask| ask.reviews.iter().any(|have| have.by.id == caller.who.id);
        let mut mine = Vec::new();
        for ask in pending().filter(|ask| !reviewed(ask)) {
            if self.may_review(request, ask, caller)?.is_ok() {
                mine.push(ask.index);
            }
        }
        // What one person cannot do for any, they are told of the first.
        match pending()
            .find(|ask| !reviewed(ask))
            .or_else(|| pending().next())
        {
            None => Err(decided(request)),
            Some(first) if mine.is_empty() => Ok(vec![first.index]),
            Some(_) => Ok(mine),
        }
    }

    fn may_review(
        &self,
        request: &Request,
        ask: &Ask,
        caller: &Caller,
    ) -> Result<Result<(), WhyNot>, ServiceError> {
        let judged = continuing(request, ask, self.held, self.commit.at())?;
        let facts = judged.facts(self.commit.at());
        let may = policy::may_review(
            &self.world.policy,
            &facts,
            &caller.who.id,
            &self.live.facts(),
        );
        Ok(may.map(|_| ()))
    }

    fn decide(&mut self, index: AskIndex, said: &Review) -> Result<(), ServiceError> {
        let request = self.approval.request().clone();
        let ask = request.ask(index).ok_or(ServiceError::NotFound)?;
        let at = self.commit.at();
        if at >= request.expires_at {
            let found = AskState::Expired {
                at: request.expires_at,
            };
            return Err(ServiceError::Decided(Box::new(found)));
        }
        if said.opinion == Opinion::Deny && ask.state != AskState::Pending {
            // It fell with another that this review denies.
            return Ok(());
        }
        let judged = continuing(&request, ask, self.held, at)?;
        policy::may_review(
            &self.world.policy,
            &judged.facts(at),
            &said.by.id,
            &self.live.facts(),
        )
        .map_err(ServiceError::MayNotReview)?;
        if said.opinion == Opinion::Deny {
            return self.deny(index, said);
        }
        if ask.reviews.iter().any(|have| have.by.id == said.by.id) {
            return Err(ServiceError::ReviewedAlready);
        }
        match judged.outcome(self.world, &self.live.facts(), Some(said), at) {
            ReviewOutcome::Completed { rule, duration, .. } => {
                let completion = Completion {
                    rule: rule.to_string(),
                    duration_seconds: duration.get(),
                    grant: fresh_grant(),
                    policy: self.world.policy.version().clone(),
                };
                let review = Some(said.clone());
                self.approval
                    .complete(&mut self.commit, index, review, &completion)
            }
            ReviewOutcome::Open { .. } => {
                let transition = request.clone().approved_in_part(index, said.clone())?;
                self.approval.advance(&mut self.commit, transition)?;
                Ok(())
            }
            ReviewOutcome::DeniedBy { .. } | ReviewOutcome::NotPossible { .. } => {
                Err(ServiceError::MayNotReview(WhyNot::NoRoute))
            }
        }
    }

    /// One "no" by someone who could approve ends the ask, and what is granted with it or not at
    /// all; the requester withdraws instead.
    fn deny(&mut self, index: AskIndex, said: &Review) -> Result<(), ServiceError> {
        let request = self.approval.request().clone();
        if said.by.id == request.requester.id {
            return Err(ServiceError::MayNotReview(WhyNot::OwnRequest));
        }
        let bound = request.bound_to(index);
        let denied = request.denied(index, said.clone())?;
        self.approval.advance(&mut self.commit, denied)?;
        for other in bound {
            let fallen = self.approval.request().clone().denied_with(other, index)?;
            self.approval.advance(&mut self.commit, fallen)?;
        }
        Ok(())
    }
}
