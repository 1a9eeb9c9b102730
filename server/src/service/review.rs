//! Approve and deny: judged at this instant, for every ask that is named.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::id::{AskIndex, RequestId, UserId};
use domain::policy::{self, AskFacts, Decision, ReviewOutcome, RuleName, Seconds, Verdict};
use domain::request::{Ask, AskState, Completion, NOTE_MAX_CHARS, Opinion, Request, Review};

use super::approve::Approval;
use super::facts::LiveFacts;
use super::{Caller, DECIDE_AGAIN, Invalid, Service, ServiceError};
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
    /// Of which asks; empty: all that are pending.
    pub asks: Vec<AskIndex>,
    /// Yes or no.
    pub verb: Verb,
    /// In their words; may be empty.
    pub note: String,
}

impl Service {
    /// Reviews a request.
    pub async fn review(&self, caller: &Caller, review: &Reviewing) -> Result<(), ServiceError> {
        let typed = review.note.chars().count();
        if typed > NOTE_MAX_CHARS {
            return Err(ServiceError::Invalid(vec![Invalid::NoteTooLong {
                max: NOTE_MAX_CHARS,
                typed,
            }]));
        }
        for _ in 0..DECIDE_AGAIN {
            match self.try_review(caller, review).await {
                // Another policy would refuse the next try as well.
                Err(ServiceError::Changed) => self.check_policy(&*self.world()?).await?,
                other => return other,
            }
        }
        Err(ServiceError::Changed)
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
        let asks = chosen(&before, &review.asks)?;
        let people = judged(caller, &before);
        let targets = before.asks.iter().map(|ask| &ask.target);
        let live = self.live(&world, &people, targets).await?;
        let at = now();
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let stream = Stream::Request(before.id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        let proof = if needs_proof(&world, &live, &before, &asks, review.verb) {
            let purpose = Purpose::approve(before.id);
            Some(self.proof(caller, &purpose, at).await)
        } else {
            None
        };
        if let Some(Ok(proof)) = &proof {
            approval.proven(proof.signed_in_at());
        }
        for index in asks {
            let said = Review {
                by: caller.who.clone(),
                opinion: match review.verb {
                    Verb::Approve => Opinion::Approve,
                    Verb::Deny => Opinion::Deny,
                },
                note: review.note.trim().to_owned(),
                at,
            };
            decide(&world, &live, &mut commit, &mut approval, index, said)?;
        }
        // The last of all refusals, so that nobody is sent to sign in again for nothing.
        if let Some(proof) = proof {
            commit.use_up(&proof?)?;
        }
        commit.change_request(&before, approval.request())?;
        approval.promise(self, &mut commit).await?;
        self.store.commit(commit).await?;
        Ok(())
    }
}

/// The asks that are named; all that are pending if none is.
fn chosen(request: &Request, named: &[AskIndex]) -> Result<Vec<AskIndex>, ServiceError> {
    let pending = |ask: &&Ask| ask.state == AskState::Pending;
    if named.is_empty() {
        let all: Vec<AskIndex> = request
            .asks
            .iter()
            .filter(pending)
            .map(|ask| ask.index)
            .collect();
        return match request.asks.first() {
            Some(ask) if all.is_empty() => Err(ServiceError::Decided(Box::new(ask.state.clone()))),
            _ => Ok(all),
        };
    }
    let distinct: BTreeSet<AskIndex> = named.iter().copied().collect();
    for index in &distinct {
        let ask = request.ask(*index).ok_or(ServiceError::NotFound)?;
        if ask.state != AskState::Pending {
            return Err(ServiceError::Decided(Box::new(ask.state.clone())));
        }
    }
    Ok(distinct.into_iter().collect())
}

/// Whether a guardrail wants whoever says this to have signed in just before. A "no" gives nothing.
fn needs_proof(
    world: &World,
    live: &LiveFacts,
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

/// The rules through which the ask was submitted.
pub(super) fn submitted_routes(ask: &Ask) -> Result<Vec<RuleName>, ServiceError> {
    let verdict: Verdict = serde_json::from_value(ask.verdict.clone()).map_err(|error| {
        tracing::error!(%error, "a stored verdict cannot be read by this version");
        ServiceError::Unavailable {
            part: super::Part::Store,
        }
    })?;
    Ok(verdict.routes.into_iter().map(|route| route.rule).collect())
}

pub(super) fn policy_reviews(ask: &Ask, duration: Seconds) -> Vec<policy::Review> {
    ask.reviews
        .iter()
        .map(|review| policy_review(review, duration))
        .collect()
}

fn policy_review(review: &Review, duration: Seconds) -> policy::Review {
    policy::Review {
        reviewer: review.by.id.clone(),
        decision: match review.opinion {
            Opinion::Approve => Decision::Approve,
            Opinion::Deny => Decision::Deny,
        },
        duration,
        at: review.at,
    }
}

fn decide(
    world: &World,
    live: &LiveFacts,
    commit: &mut Commit,
    approval: &mut Approval,
    index: AskIndex,
    said: Review,
) -> Result<(), ServiceError> {
    let request = approval.request().clone();
    let ask = request.ask(index).ok_or(ServiceError::NotFound)?;
    let duration = Seconds::new(request.duration_seconds);
    let routes = submitted_routes(ask)?;
    let facts = AskFacts::new(
        &request.requester.id,
        &ask.target,
        duration,
        &routes,
        commit.at(),
    );
    if commit.at() >= request.expires_at {
        let transition = request.clone().expired(index, commit.at())?;
        let found = transition.request.ask(index).map(|ask| ask.state.clone());
        return Err(ServiceError::Decided(Box::new(
            found.unwrap_or(AskState::Pending),
        )));
    }
    policy::may_review(&world.policy, &facts, &said.by.id, &live.facts())
        .map_err(ServiceError::MayNotReview)?;
    if said.opinion == Opinion::Deny {
        // One "no" by someone who could approve ends the ask; the requester withdraws instead.
        if said.by.id == request.requester.id {
            return Err(ServiceError::MayNotReview(policy::WhyNot::OwnRequest));
        }
        let transition = request.denied(index, said)?;
        return approval.advance(commit, transition);
    }
    if ask.reviews.iter().any(|have| have.by.id == said.by.id) {
        return Err(ServiceError::ReviewedAlready);
    }
    let mut reviews = policy_reviews(ask, duration);
    reviews.push(policy_review(&said, duration));
    match policy::review(&world.policy, &facts, &reviews, &live.facts()) {
        ReviewOutcome::Completed { rule, duration, .. } => {
            let completion = Completion {
                rule: rule.to_string(),
                duration_seconds: duration.get(),
                grant: fresh_grant(),
                policy: world.policy.version().clone(),
            };
            approval.complete(commit, index, Some(said), completion)
        }
        ReviewOutcome::Open { .. } => {
            let transition = request.approved_in_part(index, said)?;
            approval.advance(commit, transition)
        }
        ReviewOutcome::DeniedBy { .. } | ReviewOutcome::NotPossible { .. } => {
            Err(ServiceError::MayNotReview(policy::WhyNot::NoRoute))
        }
    }
}
