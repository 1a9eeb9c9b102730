//! Sign and reject: what was granted as break-glass is looked at afterwards, by those who would have
//! been asked before. Judged at this instant, for every ask that is named.
//!
//! A rejection ends the access as anybody's early end does, and closes break-glass for the person:
//! all of it in one transaction, or none.

use std::collections::{BTreeSet, HashMap};

use domain::event::{Head, Stream};
use domain::glass::Closure;
use domain::grant::Grant;
use domain::id::{AskIndex, GrantId, RequestId, UserId};
use domain::policy::{self, Signing, WhyNot};
use domain::request::{AskState, Opinion, Request, Review};

use super::approve::Approval;
use super::end::{end_early, goes_on};
use super::facts::LiveFacts;
use super::signing::Broke;
use super::{Caller, Service, ServiceError, note_fits, why};
use crate::proof::Purpose;
use crate::store::{Commit, now};
use crate::world::World;

/// What a signer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// It was right to go in.
    Sign,
    /// It was not: that access ends.
    Reject,
}

/// A signature as it comes through a door.
#[derive(Debug, Clone)]
pub struct Signature {
    /// Of which request.
    pub request: RequestId,
    /// Of which asks; empty: all that this person may sign.
    pub asks: Vec<AskIndex>,
    /// Right or not.
    pub word: Word,
    /// In their words; a rejection says why.
    pub note: String,
}

impl Service {
    /// Signs or rejects a break-glass.
    pub async fn sign(&self, caller: &Caller, signature: &Signature) -> Result<(), ServiceError> {
        match signature.word {
            Word::Sign => note_fits(signature.note.trim())?,
            Word::Reject => why(&signature.note).map(drop)?,
        }
        self.again_under_policy(|| self.try_sign(caller, signature))
            .await
    }

    async fn try_sign(&self, caller: &Caller, signature: &Signature) -> Result<(), ServiceError> {
        // A signature lets somebody go in first again; a rejection only takes away.
        let world = match signature.word {
            Word::Sign => self.world_for_giving()?,
            Word::Reject => self.world()?,
        };
        let before = self.seen(caller, signature.request).await?;
        let people = judged(caller, &before);
        let live = self.live_for_signing(&world, &people, &before).await?;
        let at = now();
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let stream = Stream::Request(before.id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let said = Review {
            by: caller.who.clone(),
            opinion: match signature.word {
                Word::Sign => Opinion::Approve,
                Word::Reject => Opinion::Deny,
            },
            note: signature.note.trim().to_owned(),
            seconds: None,
            at,
        };
        let asks = chosen(&world, &live, caller, &before, signature)?;
        let mut approval = Approval::new(before.clone());
        let mut proof = None;
        if signature.word == Word::Sign && wants_proof(&world, &live, &before, &asks) {
            let found = self.proof(caller, &Purpose::sign(before.id), at).await;
            if let Ok(found) = &found {
                approval.proven(found.signed_in_at());
            }
            proof = Some(found);
        }
        let mut rejected = Vec::new();
        for index in asks {
            let ask = before.ask(index).ok_or(ServiceError::NotFound)?;
            let broke = Broke::of(&before, ask).ok_or(ServiceError::NotFound)?;
            broke
                .may_sign(&world, &live.facts(), &caller.who.id)
                .map_err(ServiceError::MayNotReview)?;
            let next = match signature.word {
                Word::Sign => {
                    let missing = match broke.stands(&world, &live.facts(), Some(&said)) {
                        Signing::Signed { .. } => 0,
                        Signing::Open { missing, .. } => missing,
                        Signing::CannotTell | Signing::RejectedBy { .. } => {
                            return Err(ServiceError::MayNotReview(WhyNot::CannotTell));
                        }
                    };
                    let request = approval.request().clone();
                    request.signed(index, said.clone(), missing)?
                }
                Word::Reject => {
                    rejected.extend(broke.grant());
                    approval.request().clone().rejected(index, said.clone())?
                }
            };
            approval.advance(&mut commit, next)?;
        }
        // The last of all refusals, so that nobody is sent to sign in again for nothing.
        if let Some(proof) = proof {
            commit.use_up(&proof?)?;
        }
        self.settle(&mut commit, approval.request(), &said, &rejected)
            .await?;
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// What follows from it: rejected access ends, break-glass is closed for whoever took it, and
    /// what is signed bars them no more.
    async fn settle(
        &self,
        commit: &mut Commit,
        request: &Request,
        said: &Review,
        rejected: &[GrantId],
    ) -> Result<(), ServiceError> {
        if !rejected.is_empty() {
            let (grants, heads) = self.store.grants_with_heads(rejected).await?;
            if grants.len() != rejected.len() {
                return Err(ServiceError::NotFound);
            }
            self.end_rejected(commit, grants, heads, &said.note).await?;
        }
        let person = &request.requester;
        let before = self.store.glass(&person.id).await?;
        let mut now = before.clone();
        if let (Some(grant), None) = (rejected.first(), &now.closed) {
            let closure = Closure {
                by: said.by.clone(),
                at: said.at,
                request: request.id,
                grant: *grant,
            };
            let (closed, (kind, details)) = now.closed(person, closure)?;
            let stream = Stream::Person(person.id.clone());
            commit.continue_stream(&stream, self.store.head(&stream).await?);
            commit.event(&stream, kind, &details)?;
            now = closed;
        }
        if request.unsigned().is_empty() {
            now = now.settled(request.id);
        }
        commit.change_glass(&person.id, &before, &now)?;
        Ok(())
    }

    /// Ends what still goes on of it, each on its own key.
    async fn end_rejected(
        &self,
        commit: &mut Commit,
        grants: Vec<Grant>,
        heads: HashMap<GrantId, Head>,
        why: &str,
    ) -> Result<(), ServiceError> {
        for (id, head) in heads {
            commit.continue_stream(&Stream::Grant(id), head);
        }
        for grant in grants {
            if !goes_on(&grant, commit.at()) {
                // Over, or on its way out: there is nothing left to end.
                continue;
            }
            let held = self.held(grant.key.clone()).await?;
            let stored = held.stored.as_ref().ok_or(ServiceError::NotLive)?;
            let state = end_early(commit, grant, stored.state.clone(), why)?;
            self.change_key(commit, Some(stored), state)?;
        }
        Ok(())
    }
}

/// Everyone whose standing decides: the signer, and those who signed before.
fn judged(caller: &Caller, request: &Request) -> BTreeSet<UserId> {
    let signed = request
        .asks
        .iter()
        .filter_map(|ask| ask.glass.as_ref())
        .flat_map(|glass| &glass.signatures)
        .map(|signature| signature.by.id.clone());
    signed.chain([caller.who.id.clone()]).collect()
}

/// The asks that are named; if none is, those whose signature is missing and may be this person's.
fn chosen(
    world: &World,
    live: &LiveFacts<'_>,
    caller: &Caller,
    request: &Request,
    signature: &Signature,
) -> Result<Vec<AskIndex>, ServiceError> {
    let named: BTreeSet<AskIndex> = signature.asks.iter().copied().collect();
    if !named.is_empty() {
        return Ok(named.into_iter().collect());
    }
    let unsigned = request.unsigned();
    let Some(first) = unsigned.first().copied() else {
        let mut glass = request.asks.iter().filter_map(|ask| ask.glass.as_ref());
        let found = glass.next().ok_or(ServiceError::NotFound)?;
        return Err(ServiceError::Settled(Box::new(found.stands.clone())));
    };
    let mine = |index: &AskIndex| {
        let broke = request.ask(*index).and_then(|ask| Broke::of(request, ask));
        broke.is_some_and(|broke| {
            let signed = broke.is_signed_by(&caller.who.id) && signature.word == Word::Sign;
            !signed && broke.may_sign(world, &live.facts(), &caller.who.id).is_ok()
        })
    };
    let all: Vec<AskIndex> = unsigned.into_iter().filter(mine).collect();
    // What one person cannot do for any, they are told of the first.
    Ok(if all.is_empty() { vec![first] } else { all })
}

/// Whether a guardrail wants whoever signs to have signed in just before. A rejection gives nothing.
fn wants_proof(world: &World, live: &LiveFacts<'_>, request: &Request, asks: &[AskIndex]) -> bool {
    let mut targets = asks.iter().filter_map(|index| request.ask(*index));
    targets.any(|ask| world.policy.reauthenticates(&ask.target, &live.facts()))
}

impl Service {
    /// The facts that a signature rests on: the people's groups by every rule that let somebody in
    /// first here, whatever it covers by now, and admins'.
    pub(super) async fn live_for_signing<'w>(
        &self,
        world: &'w World,
        people: &BTreeSet<UserId>,
        request: &Request,
    ) -> Result<LiveFacts<'w>, ServiceError> {
        let mut groups = BTreeSet::new();
        for ask in &request.asks {
            groups.extend(world.policy.groups_for(&ask.target, &world.directory));
            if let AskState::Approved { rule, .. } = &ask.state {
                groups.extend(world.policy.signer_groups(rule));
            }
        }
        self.read_live(world, people, &groups).await
    }
}

impl Broke<'_> {
    /// Why this person may not sign it, if they may not.
    pub(super) fn may_sign(
        &self,
        world: &World,
        facts: &policy::Facts<'_>,
        person: &UserId,
    ) -> Result<(), WhyNot> {
        policy::may_sign(&world.policy, &self.facts(), self.broken(), person, facts)
    }
}
