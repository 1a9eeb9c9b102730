//! Break-glass on pages: where signatures stand, who may give them, and whether somebody may go in
//! first. The same facts as those a signature is judged by; nothing here decides.

use domain::glass::Closure;
use domain::id::{GrantId, RequestId, UserId};
use domain::policy::{self, AskFacts, Broken, Facts, RuleName, Seconds, Signing, Turn, WhyNot};
use domain::request::{Ask, AskState, Glass, Request, Review, Stands};
use jiff::Timestamp;

use super::judge::policy_review;
use super::prove::SignInAgain;
use super::{Caller, OPEN_MAX, Role, Service, ServiceError};
use crate::proof::Purpose;
use crate::store::now;
use crate::world::World;

/// An ask that was granted as break-glass, read once.
#[derive(Debug)]
pub(super) struct Broke<'a> {
    request: &'a Request,
    ask: &'a Ask,
    glass: &'a Glass,
    rule: &'a str,
    routes: [RuleName; 0],
    at: Timestamp,
}

impl<'a> Broke<'a> {
    pub(super) fn of(request: &'a Request, ask: &'a Ask) -> Option<Self> {
        match (&ask.state, &ask.glass) {
            (AskState::Approved { rule, .. }, Some(glass)) => Some(Self {
                request,
                ask,
                glass,
                rule,
                routes: [],
                at: now(),
            }),
            _ => None,
        }
    }

    pub(super) const fn broken(&self) -> Broken<'a> {
        Broken {
            rule: self.rule,
            needed: self.glass.needed,
            turn: match self.glass.stands {
                Stands::Overdue { .. } => Turn::Admins,
                _ => Turn::Approvers,
            },
        }
    }

    pub(super) fn facts(&self) -> AskFacts<'_> {
        AskFacts::new(
            &self.request.requester.id,
            &self.ask.target,
            Seconds::new(self.request.duration_seconds),
            &self.routes,
            self.at,
        )
    }

    /// Where its signatures leave it, with one more.
    pub(super) fn stands(
        &self,
        world: &World,
        facts: &Facts<'_>,
        more: Option<&Review>,
    ) -> Signing {
        let asked = Seconds::new(self.request.duration_seconds);
        let signatures: Vec<policy::Review> = self
            .glass
            .signatures
            .iter()
            .chain(more)
            .map(|signature| policy_review(signature, asked))
            .collect();
        policy::sign(
            &world.policy,
            &self.facts(),
            self.broken(),
            &signatures,
            facts,
        )
    }

    pub(super) fn is_signed_by(&self, person: &UserId) -> bool {
        let mut signatures = self.glass.signatures.iter();
        signatures.any(|have| have.by.id == *person)
    }

    pub(super) const fn grant(&self) -> Option<GrantId> {
        match &self.ask.state {
            AskState::Approved { grant, .. } => Some(*grant),
            _ => None,
        }
    }
}

/// Where the signatures of an ask stand, as policy judges them now.
#[derive(Debug, Clone)]
pub struct SigningDetail {
    /// What was recorded.
    pub glass: Glass,
    /// Where that leaves it today.
    pub signing: Signing,
    /// Whether the person looking may sign or reject it.
    pub may_sign: Result<(), WhyNot>,
    /// Whether they have signed it.
    pub signed: bool,
}

impl SigningDetail {
    pub(super) fn of(world: &World, caller: &Caller, request: &Request, ask: &Ask) -> Option<Self> {
        let broke = Broke::of(request, ask)?;
        let facts = world.facts();
        Some(Self {
            glass: broke.glass.clone(),
            signing: broke.stands(world, &facts, None),
            may_sign: broke.may_sign(world, &facts, &caller.who.id),
            signed: broke.is_signed_by(&caller.who.id),
        })
    }

    /// Whether a signature is missing that the person looking may give.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.glass.stands.is_unsigned() && self.may_sign.is_ok() && !self.signed
    }
}

/// A request whose break-glass the person looking may sign.
#[derive(Debug, Clone)]
pub struct ToSign {
    /// The request.
    pub request: Request,
    /// Its asks that were break-glass, by their places.
    pub asks: Vec<(usize, SigningDetail)>,
}

/// What the form says of going in first.
#[derive(Debug, Clone)]
pub struct BreakGlassOffer {
    /// Up to this long.
    pub up_to: Seconds,
    /// Whether nothing else leads there.
    pub only_way: bool,
    /// An earlier one of theirs that is not signed yet.
    pub unsigned: Option<RequestId>,
    /// Why it is closed for them, if it is.
    pub closed: Option<Closure>,
    /// Whether they have signed in again for it.
    pub sign_in_again: SignInAgain,
}

/// The asks that are to be signed by their places, if one of them waits for the person's signature.
pub(super) fn waits_for_signature(
    world: &World,
    caller: &Caller,
    request: &Request,
) -> Option<Vec<(usize, SigningDetail)>> {
    let asks: Vec<(usize, SigningDetail)> = request
        .asks
        .iter()
        .enumerate()
        .filter_map(|(place, ask)| Some((place, SigningDetail::of(world, caller, request, ask)?)))
        .collect();
    let waits = asks.iter().any(|(_, detail)| detail.waits());
    waits.then_some(asks)
}

impl Service {
    /// What waits for the person's signature, oldest first.
    pub async fn to_sign(&self, caller: &Caller) -> Result<Vec<ToSign>, ServiceError> {
        let world = self.world()?;
        let requests = self.store.unsigned_requests(OPEN_MAX).await?;
        let waits = |request| {
            let asks = waits_for_signature(&world, caller, &request)?;
            Some(ToSign { request, asks })
        };
        Ok(requests.into_iter().filter_map(waits).collect())
    }

    /// How it stands with going in first to that target; `None` if there is no such way.
    pub async fn break_glass_offer(
        &self,
        caller: &Caller,
        offer: &super::Offer,
    ) -> Result<Option<BreakGlassOffer>, ServiceError> {
        let of = &offer.terms;
        let Some(up_to) = of.break_glass_up_to else {
            return Ok(None);
        };
        if of.at_once_up_to.is_some_and(|at_once| at_once >= up_to) {
            // Nobody has to be passed by.
            return Ok(None);
        }
        let state = self.store.glass(&caller.who.id).await?;
        let purpose = Purpose::break_glass([&offer.wanted]);
        Ok(Some(BreakGlassOffer {
            up_to,
            only_way: of.only_break_glass(),
            unsigned: state.unsigned.first().copied(),
            closed: state.closed,
            sign_in_again: self.sign_in_again(caller, &purpose).await?,
        }))
    }

    /// Why break-glass is closed for that request's requester: for those who see everything.
    pub(super) async fn closure_of(
        &self,
        world: &World,
        caller: &Caller,
        request: &Request,
    ) -> Result<Option<Closure>, ServiceError> {
        let own = request.requester.id == caller.who.id;
        if !request.is_break_glass() || (!own && self.role(world, caller) == Role::Person) {
            return Ok(None);
        }
        Ok(self.store.glass(&request.requester.id).await?.closed)
    }
}
