//! What people are shown: judged for them, from the snapshot. Nothing here decides.

use std::collections::BTreeSet;

use domain::catalogue;
use domain::event::Stream;
use domain::glass::Closure;
use domain::grant::Grant;
use domain::id::{GrantId, RequestId};
use domain::key::KeyState;
use domain::policy::{self, Code, Proposal, ReviewOutcome, RuleName, TicketRule, Verdict, WhyNot};
use domain::request::{Ask, AskState, Promise, Request, Review};
use domain::target::Target;

use super::judge::Judged;
use super::prove::SignInAgain;
use super::signing::SigningDetail;
use super::{Caller, MINE_MAX, OPEN_MAX, Service, ServiceError, Wanted, submit};
use crate::proof::Purpose;
use crate::store::{RequestPlace, now};
use crate::world::World;

/// Events of one stream that a page shows. A request has at most some tens; a grant a handful.
const TIMELINE_MAX: i32 = 200;

/// Live grants of one person that a page shows.
pub(super) const LIVE_MAX: i32 = 100;

/// What a person may see beyond their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sees everything, may end anything.
    Admin,
    /// Sees everything.
    Auditor,
    /// Sees what concerns them.
    Person,
}

/// A request with everything that leads to its page.
#[derive(Debug, Clone)]
pub struct RequestDetail {
    /// The request.
    pub request: Request,
    /// What was promised.
    pub grants: Vec<Grant>,
    /// What their keys are doing, for grants that have not ended.
    pub keys: Vec<KeyState>,
    /// Other grants on those keys, that have not ended either.
    pub beside: Vec<Grant>,
    /// What happened, oldest first: canonical JSON of each event.
    pub events: Vec<serde_json::Value>,
    /// Each ask as policy judges it now.
    pub asks: Vec<AskDetail>,
    /// Whether the person looking has to sign in again to approve it.
    pub sign_in_again: SignInAgain,
    /// Why break-glass is closed for its requester, if it is and the person looking may know.
    pub closed: Option<Closure>,
    /// Whether they may open it again, by the snapshot.
    pub may_reopen: bool,
}

/// An ask as policy judges it now, in the order of the request's asks.
#[derive(Debug, Clone)]
pub struct AskDetail {
    /// What policy said at submission.
    pub verdict: Verdict,
    /// Where its reviews stand now.
    pub progress: ReviewOutcome,
    /// Whether the person looking may review it.
    pub may_review: Result<Vec<RuleName>, WhyNot>,
    /// If it was granted as break-glass: where its signatures stand.
    pub signing: Option<SigningDetail>,
}

/// What somebody asked for and has.
#[derive(Debug, Clone)]
pub struct Mine {
    /// Their requests, newest first.
    pub requests: Vec<RequestDetail>,
    /// Their live grants, whichever page this is.
    pub live: Vec<Grant>,
    /// Where the next page begins; `None`: there is none.
    pub next: Option<RequestPlace>,
}

/// A request that waits for the person looking.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The request.
    pub request: Request,
    /// Each ask as policy judges it now.
    pub asks: Vec<AskDetail>,
    /// Names of the requester's groups, of those that the policy names.
    pub requester_groups: Vec<String>,
    /// Whether the person looking has to sign in again to approve it: as far as policy says, whatever
    /// they have proven.
    pub sign_in_again: SignInAgain,
}

/// The form for one target.
#[derive(Debug, Clone)]
pub struct Offer {
    /// As the form's address names it.
    pub wanted: Wanted,
    /// The target.
    pub target: Target,
    /// On what terms.
    pub terms: catalogue::Offer,
    /// What policy would say of the shortest sensible request for it.
    pub preview: Verdict,
    /// What policy says of tickets for it.
    pub tickets: Vec<TicketRule>,
    /// For what the person has to sign in again first, if they have to.
    pub needs_proof: Option<Purpose>,
}

impl Service {
    /// What the person may see, by the snapshot: for what is shown around their own.
    #[must_use]
    pub fn role(&self, world: &World, caller: &Caller) -> Role {
        if world.policy.is_admin(&caller.who.id, &world.facts()) {
            Role::Admin
        } else if world.policy.is_auditor(&caller.who.id, &world.facts()) {
            Role::Auditor
        } else {
            Role::Person
        }
    }

    /// Visible to its requester, to those who could approve it now or have, to auditors and
    /// admins. To everyone else there is no such request.
    pub(super) fn must_see(
        &self,
        world: &World,
        caller: &Caller,
        request: &Request,
    ) -> Result<(), ServiceError> {
        let mine = request.requester.id == caller.who.id;
        let signs = || {
            let mut broke = request
                .asks
                .iter()
                .filter_map(|ask| SigningDetail::of(world, caller, request, ask));
            broke.any(|detail| detail.may_sign.is_ok() || detail.signed)
        };
        let reviewed = || {
            let mut reviews = request.asks.iter().flat_map(|ask| &ask.reviews);
            reviews.any(|review| review.by.id == caller.who.id)
        };
        if mine || self.role(world, caller) != Role::Person || reviewed() || signs() {
            return Ok(());
        }
        for ask in &request.asks {
            if judge(world, caller, request, ask)?.may_review.is_ok() {
                return Ok(());
            }
        }
        Err(ServiceError::NotFound)
    }

    /// Whether the person may see that request, now. What cannot be told is not shown.
    #[must_use]
    pub fn may_see(&self, caller: &Caller, request: &Request) -> bool {
        self.world()
            .is_ok_and(|world| self.must_see(&world, caller, request).is_ok())
    }

    /// What the person asked for, newest first, and their live grants, as they are stored: enough to
    /// mark what they have or wait for.
    pub async fn lately(
        &self,
        caller: &Caller,
    ) -> Result<(Vec<Request>, Vec<Grant>), ServiceError> {
        let (requests, live) = tokio::try_join!(
            self.store.requests_of(&caller.who.id, MINE_MAX, None),
            self.store.live_grants_of(&caller.who.id, LIVE_MAX),
        )?;
        Ok((requests.requests, live))
    }

    /// The form for one target; not found for everything that they may not ask for, known or not.
    /// What only AWS is in the way of says so.
    pub fn offer(&self, caller: &Caller, wanted: &Wanted) -> Result<Offer, ServiceError> {
        let world = self.world()?;
        let target = wanted.target(&world).ok_or(ServiceError::NotFound)?;
        let terms = world
            .catalogue
            .offer(&caller.who.id, &target, &world.facts())
            .ok_or_else(|| no_offer(&world, caller, &target))?;
        let shortest = terms.durations.iter().copied().min();
        let proposal = Proposal::new(
            caller.who.id.clone(),
            target.clone(),
            shortest.unwrap_or_else(|| world.policy.min_duration()),
            world.policy.reason_min(),
            now(),
        );
        let preview = world
            .catalogue
            .decide(&proposal, &world.facts())
            .for_requester();
        Ok(Offer {
            needs_proof: submit::needs_proof(&preview).then(|| Purpose::submit([wanted])),
            tickets: world.policy.tickets(&target, &world.facts()),
            wanted: wanted.clone(),
            target,
            terms,
            preview,
        })
    }

    /// The person's requests, newest first and a page of them, and their live grants.
    pub async fn mine(
        &self,
        caller: &Caller,
        after: Option<&RequestPlace>,
    ) -> Result<Mine, ServiceError> {
        let world = self.world()?;
        let (page, live) = tokio::try_join!(
            self.store.requests_of(&caller.who.id, MINE_MAX, after),
            self.store.live_grants_of(&caller.who.id, LIVE_MAX),
        )?;
        let ids: Vec<GrantId> = page.requests.iter().flat_map(promised).collect();
        let grants = self.store.grants(&ids).await?;
        let requests = page
            .requests
            .into_iter()
            .map(|request| {
                let of_it = grants
                    .iter()
                    .filter(|grant| grant.request == request.id)
                    .cloned()
                    .collect();
                Ok(RequestDetail {
                    asks: judge_all(&world, caller, &request)?,
                    grants: of_it,
                    keys: Vec::new(),
                    beside: Vec::new(),
                    events: Vec::new(),
                    sign_in_again: SignInAgain::NotNeeded,
                    closed: None,
                    may_reopen: false,
                    request,
                })
            })
            .collect::<Result<_, ServiceError>>()?;
        Ok(Mine {
            requests,
            live,
            next: page.next,
        })
    }

    /// What waits for the person's review, oldest first.
    pub async fn waiting_for(&self, caller: &Caller) -> Result<Vec<Waiting>, ServiceError> {
        let world = self.world()?;
        let mut waiting = Vec::new();
        for request in self.store.open_requests(OPEN_MAX).await? {
            if let Some(asks) = waits_for(&world, caller, &request)? {
                waiting.push(Waiting {
                    requester_groups: group_names(&world, &request),
                    sign_in_again: if needs_proof(&world, &request, &asks) {
                        SignInAgain::Needed
                    } else {
                        SignInAgain::NotNeeded
                    },
                    asks,
                    request,
                });
            }
        }
        Ok(waiting)
    }

    /// One request, whole.
    pub async fn request(
        &self,
        caller: &Caller,
        id: RequestId,
    ) -> Result<RequestDetail, ServiceError> {
        let world = self.world()?;
        let request = self
            .store
            .request(id)
            .await?
            .ok_or(ServiceError::NotFound)?;
        self.must_see(&world, caller, &request)?;
        let ids: Vec<GrantId> = promised(&request).collect();
        let grants = self.store.grants(&ids).await?;
        let mut keys = Vec::new();
        for grant in grants.iter().filter(|grant| grant.phase().is_some()) {
            keys.extend(self.store.key(&grant.key).await?.map(|key| key.state));
        }
        let others: Vec<GrantId> = keys
            .iter()
            .flat_map(|key| &key.live)
            .map(|live| live.grant)
            .filter(|other| !ids.contains(other))
            .collect();
        let beside = self.store.grants(&others).await?;
        let mut events = self.timeline(&Stream::Request(id)).await?;
        for grant in &grants {
            events.extend(self.timeline(&Stream::Grant(grant.id)).await?);
        }
        events.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        let asks = judge_all(&world, caller, &request)?;
        let sign_in_again = if needs_proof(&world, &request, &asks) {
            self.sign_in_again(caller, &Purpose::approve(id)).await?
        } else if needs_proof_to_sign(&world, &request, &asks) {
            self.sign_in_again(caller, &Purpose::sign(id)).await?
        } else {
            SignInAgain::NotNeeded
        };
        let closed = self.closure_of(&world, caller, &request).await?;
        let may_reopen = closed.is_some()
            && request.requester.id != caller.who.id
            && self.role(&world, caller) == Role::Admin;
        Ok(RequestDetail {
            request,
            grants,
            keys,
            beside,
            events,
            asks,
            sign_in_again,
            closed,
            may_reopen,
        })
    }

    async fn timeline(&self, stream: &Stream) -> Result<Vec<serde_json::Value>, ServiceError> {
        let events = self.store.events(stream, TIMELINE_MAX).await?;
        Ok(events
            .iter()
            .filter_map(|bytes| serde_json::from_str(bytes).ok())
            .collect())
    }
}

/// Whether a guardrail asks whoever approves this to have signed in just before, by the snapshot; the
/// review itself goes by a live look-up.
fn needs_proof(world: &World, request: &Request, asks: &[AskDetail]) -> bool {
    let mut open = request.asks.iter().zip(asks);
    open.any(|(ask, judged)| {
        ask.state == AskState::Pending
            && judged.may_review.is_ok()
            && world.policy.reauthenticates(&ask.target, &world.facts())
    })
}

/// The same, for whoever signs what was break-glass.
fn needs_proof_to_sign(world: &World, request: &Request, asks: &[AskDetail]) -> bool {
    let mut both = request.asks.iter().zip(asks);
    both.any(|(ask, judged)| {
        judged.signing.as_ref().is_some_and(SigningDetail::waits)
            && world.policy.reauthenticates(&ask.target, &world.facts())
    })
}

/// The grants that a request's approvals promised.
fn promised(request: &Request) -> impl Iterator<Item = GrantId> {
    request.asks.iter().filter_map(|ask| match &ask.state {
        AskState::Approved {
            grant,
            promise: Promise::Made,
            ..
        } => Some(*grant),
        _ => None,
    })
}

/// How its asks stand for a person, if one of them waits for their review.
pub(super) fn waits_for(
    world: &World,
    caller: &Caller,
    request: &Request,
) -> Result<Option<Vec<AskDetail>>, ServiceError> {
    let asks = judge_all(world, caller, request)?;
    let is_theirs = request.asks.iter().zip(&asks).any(|(ask, judged)| {
        let has_said = |review: &Review| review.by.id == caller.who.id;
        ask.state == AskState::Pending
            && judged.may_review.is_ok()
            && !ask.reviews.iter().any(has_said)
    });
    Ok(is_theirs.then_some(asks))
}

fn judge_all(
    world: &World,
    caller: &Caller,
    request: &Request,
) -> Result<Vec<AskDetail>, ServiceError> {
    request
        .asks
        .iter()
        .map(|ask| judge(world, caller, request, ask))
        .collect()
}

fn judge(
    world: &World,
    caller: &Caller,
    request: &Request,
    ask: &Ask,
) -> Result<AskDetail, ServiceError> {
    let judged = Judged::of(request, ask)?;
    let at = now();
    let facts = judged.facts(at);
    Ok(AskDetail {
        progress: judged.outcome(world, &world.facts(), None, at),
        may_review: policy::may_review(&world.policy, &facts, &caller.who.id, &world.facts()),
        verdict: judged.verdict,
        signing: SigningDetail::of(world, caller, request, ask),
    })
}

fn group_names(world: &World, request: &Request) -> Vec<String> {
    let groups: BTreeSet<_> = world
        .directory
        .members
        .groups_of(&request.requester.id)
        .collect();
    groups
        .into_iter()
        .filter_map(|group| world.directory.groups.get(group))
        .map(|group| group.name.clone())
        .collect()
}

/// Why there is no form for this target.
fn no_offer(world: &World, caller: &Caller, target: &Target) -> ServiceError {
    let proposal = Proposal::new(
        caller.who.id.clone(),
        target.clone(),
        world.policy.min_duration(),
        world.policy.reason_min(),
        now(),
    );
    let verdict = policy::decide(&world.policy, &proposal, &world.facts()).for_requester();
    if verdict.code == Code::BeyondReach {
        ServiceError::BeyondReach
    } else {
        ServiceError::NotFound
    }
}
