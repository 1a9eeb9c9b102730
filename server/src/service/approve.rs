//! What approvals set in motion: grants, on record with their ends, before anything in AWS.

use std::collections::BTreeSet;

use domain::event::{Details, Kind, Stream};
use domain::id::{AskIndex, OperationId, UserId};
use domain::key::{Gate, KeyState};
use domain::plan::{self, Context};
use domain::policy::{Facts, Outcome, ReviewOutcome, decide};
use domain::request::{Completion, Request, Review, Transition};
use domain::target::Key;
use jiff::Timestamp;
use uuid::Uuid;

use super::held::Held;
use super::judge::Judged;
use super::{Service, ServiceError};
use crate::store::item::StoredKey;
use crate::store::{Commit, Tally};
use crate::world::World;

/// Grants that one key may have at a time. They may all end at one instant, at seven items each,
/// and a transaction takes a hundred.
const LIVE_MAX: usize = 10;

/// A request on its way through a decision.
#[derive(Debug)]
pub(super) struct Approval {
    request: Request,
    proven: Option<Timestamp>,
}

impl Approval {
    pub(super) const fn new(request: Request) -> Self {
        Self {
            request,
            proven: None,
        }
    }

    /// Whoever decides signed in at that time to do so: the events that follow say it.
    pub(super) const fn proven(&mut self, signed_in_at: Timestamp) {
        self.proven = Some(signed_in_at);
    }

    fn record(
        &self,
        commit: &mut Commit,
        (kind, mut details): (Kind, Details),
    ) -> Result<String, ServiceError> {
        if let Some(at) = self.proven {
            details
                .more
                .insert("signed_in_again_at", at.to_string().into());
        }
        Ok(commit.event(&Stream::Request(self.request.id), kind, &details)?)
    }

    pub(super) const fn request(&self) -> &Request {
        &self.request
    }

    /// The ask is approved; its grant is promised once all are that it waits for.
    pub(super) fn complete(
        &mut self,
        commit: &mut Commit,
        index: AskIndex,
        review: Option<Review>,
        completion: &Completion,
    ) -> Result<(), ServiceError> {
        let approved = self
            .request
            .clone()
            .approved(index, review, completion, commit.at())?;
        let hash = self.advance(commit, approved)?;
        self.request = self.request.clone().recorded(index, hash);
        Ok(())
    }

    /// The ask is granted first, to be signed by so many afterwards.
    pub(super) fn break_in(
        &mut self,
        commit: &mut Commit,
        index: AskIndex,
        completion: &Completion,
        needed: u32,
        skipped: &BTreeSet<UserId>,
    ) -> Result<(), ServiceError> {
        let request = self.request.clone();
        let broken = request.broken(index, completion, needed, skipped, commit.at())?;
        let hash = self.advance(commit, broken)?;
        self.request = self.request.clone().recorded(index, hash);
        Ok(())
    }

    /// Something happened to the request: the hash of its event.
    pub(super) fn advance(
        &mut self,
        commit: &mut Commit,
        transition: Transition,
    ) -> Result<String, ServiceError> {
        self.request = transition.request;
        self.record(commit, transition.event)
    }

    /// Judges again, before anything is promised, what was approved in earlier commits: every
    /// counted review must count now. What no longer stands waits for review again, and with it all
    /// that is granted together; whoever approved last did no wrong, and their approval is kept.
    pub(super) fn judge_again(
        &mut self,
        commit: &mut Commit,
        before: &Request,
        world: &World,
        facts: &Facts<'_>,
        held: &[Held],
    ) -> Result<(), ServiceError> {
        for index in self.request.promisable() {
            let earlier = before.ask(index).is_some_and(|ask| {
                ask.state.is_undecided() && ask.state != domain::request::AskState::Pending
            });
            if !earlier {
                continue;
            }
            match self.stands(index, world, facts, held, commit)? {
                Stands::For(seconds) => {
                    self.request = self.request.clone().capped(index, seconds);
                }
                Stands::NoMore { why, verdict } => {
                    let reopened = self.request.clone().reopened(index, &why, verdict)?;
                    self.advance(commit, reopened)?;
                }
            }
        }
        Ok(())
    }

    fn stands(
        &self,
        index: AskIndex,
        world: &World,
        facts: &Facts<'_>,
        held: &[Held],
        commit: &Commit,
    ) -> Result<Stands, ServiceError> {
        let ask = self.request.ask(index).ok_or(ServiceError::NotFound)?;
        let judged = continuing(&self.request, ask, held, commit.at())?;
        if ask.reviews.is_empty() {
            // Policy alone approved it.
            let verdict = decide(&world.policy, &judged.proposal(commit.at()), facts);
            if verdict.outcome == Outcome::Granted {
                return Ok(Stands::For(self.request.duration_seconds));
            }
            return Ok(Stands::NoMore {
                why: verdict.code.sentence().to_owned(),
                verdict: Some(stored(verdict, self.request.asks.len())?),
            });
        }
        Ok(match judged.outcome(world, facts, None, commit.at()) {
            ReviewOutcome::Completed { duration, .. } => Stands::For(duration.get()),
            other => Stands::NoMore {
                why: why_not(&other).to_owned(),
                verdict: None,
            },
        })
    }

    /// Promises the grants of all asks that wait for nothing more.
    pub(super) fn promise(
        &mut self,
        service: &Service,
        commit: &mut Commit,
        held: &[Held],
    ) -> Result<(), ServiceError> {
        for index in self.request.promisable() {
            let (request, mut grant) = self.request.clone().promised(index, commit.at())?;
            self.request = request;
            let held = held_on(held, &grant.key).ok_or(ServiceError::Changed)?;
            grant.run_from = held
                .running_at(grant.from)
                .map(|running| running.from)
                .filter(|from| *from < grant.from);
            commit.promise(&grant)?;
            let before = held.stored.as_ref();
            if before.is_some_and(|key| key.state.live.len() >= LIVE_MAX) {
                return Err(ServiceError::TooManyLive {
                    limit: u32::try_from(LIVE_MAX).unwrap_or(u32::MAX),
                });
            }
            let mut state = before
                .map_or_else(|| KeyState::new(grant.key.clone()), |key| key.state.clone())
                .with(grant.id, grant.from, grant.until);
            if grant.from > commit.at() {
                // Much may change until then: whether it may begin is decided when it would.
                let ask_at = grant.from;
                state = state.gated(grant.id, Gate::Shut { ask_at });
            }
            service.change_key(commit, before, state)?;
        }
        Ok(())
    }
}

/// What an approval is worth when it is looked at again.
enum Stands {
    /// At most this many seconds.
    For(u32),
    NoMore {
        why: String,
        verdict: Option<serde_json::Value>,
    },
}

impl Service {
    /// A key as it is now, and when the worker has to look at it.
    pub(super) fn change_key(
        &self,
        commit: &mut Commit,
        before: Option<&StoredKey>,
        state: KeyState,
    ) -> Result<(), ServiceError> {
        let context = Context {
            now: commit.at(),
            me: self.me,
            fresh: OperationId::new(Uuid::now_v7()),
        };
        let due_at = plan::due(&state, context);
        commit.change_key(before, &StoredKey { state, due_at })?;
        Ok(())
    }

    /// What the requester has on the keys of these asks.
    pub(super) async fn held_for(&self, request: &Request) -> Result<Vec<Held>, ServiceError> {
        let keys = request.asks.iter().map(|ask| {
            self.held(Key {
                user: request.requester.id.clone(),
                target: ask.target.clone(),
            })
        });
        futures::future::try_join_all(keys).await
    }

    /// Stores what became of a request, and of what its requester waits for.
    pub(super) async fn store_request(
        &self,
        commit: &mut Commit,
        before: &Request,
        now: &Request,
    ) -> Result<(), ServiceError> {
        commit.change_request(before, now)?;
        let moved = before
            .asks
            .iter()
            .zip(&now.asks)
            .any(|(a, b)| a.state.is_undecided() != b.state.is_undecided());
        if moved {
            let user = &now.requester.id;
            let tally = self.store.tally(user).await?;
            commit.change_tally(user, &tally, &counted(&tally, now))?;
        }
        Ok(())
    }
}

/// What a person waits for, once this request is as it is now.
pub(super) fn counted(tally: &Tally, request: &Request) -> Tally {
    let mut tally = tally.clone();
    for ask in &request.asks {
        let target = ask.target.to_string();
        if ask.state.is_undecided() {
            tally.pending.insert(target, request.id);
        } else if tally.pending.get(&target) == Some(&request.id) {
            tally.pending.remove(&target);
        }
    }
    tally
}

fn held_on<'a>(held: &'a [Held], key: &Key) -> Option<&'a Held> {
    held.iter().find(|held| held.key == *key)
}

/// An ask with the access that it would continue, for a decision at this instant.
pub(super) fn continuing<'a>(
    request: &'a Request,
    ask: &'a domain::request::Ask,
    held: &[Held],
    at: jiff::Timestamp,
) -> Result<Judged<'a>, ServiceError> {
    let key = Key {
        user: request.requester.id.clone(),
        target: ask.target.clone(),
    };
    let held = held_on(held, &key).ok_or(ServiceError::Changed)?;
    let run = held
        .running_at(request.begins(at))
        .map(|running| running.run(request.terms.extends.is_some()));
    Ok(Judged::of(request, ask)?.continuing(run))
}

/// A verdict as it is kept with an ask.
pub(super) fn stored(
    verdict: domain::policy::Verdict,
    asks: usize,
) -> Result<serde_json::Value, ServiceError> {
    serde_json::to_value(verdict.for_record_of(asks)).map_err(|_| ServiceError::Changed)
}

/// Why an approval no longer stands, as a sentence for the record.
pub(super) const fn why_not(outcome: &ReviewOutcome) -> &'static str {
    match outcome {
        ReviewOutcome::Open { .. } => "An approval that counted no longer does.",
        ReviewOutcome::DeniedBy { .. } => "Someone who could approve it denied it.",
        ReviewOutcome::NotPossible { code } => code.sentence(),
        ReviewOutcome::Completed { .. } => "It stands.",
    }
}
