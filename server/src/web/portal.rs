//! What pages read, for one signed-in person: service values become views.

mod access;
mod findings;
mod history;
mod mine;
mod names;
mod request;

use app::Backend;
use app::view::{
    AccessView, ApprovalView, AskFormView, FindingsFilter, FindingsPage, HistoryFilter,
    HistoryPage, Me, MyAccessView, PrefillView, RequestView, WireError,
};
use async_trait::async_trait;
use domain::id::RequestId;

use crate::service::{Caller, Role, ServiceError, Wanted};

use super::Portal;
use super::refusal::view_part;

/// The reads of one person. Made for each page: it proves who they are, and no call takes a user.
#[derive(Debug)]
pub(super) struct PortalBackend {
    portal: Portal,
    caller: Caller,
}

impl PortalBackend {
    pub(super) const fn new(portal: Portal, caller: Caller) -> Self {
        Self { portal, caller }
    }
}

impl PortalBackend {
    /// The words of an earlier request of theirs; none if it is not theirs, or cannot be read: the
    /// form works without.
    async fn prefill(&self, earlier: &str, form: &AskFormView) -> Option<PrefillView> {
        let id = RequestId::parse(earlier).ok()?;
        let detail = self.portal.service.request(&self.caller, id).await.ok()?;
        let is_mine = detail.request.requester.id == self.caller.who.id;
        is_mine.then(|| access::prefill(&detail.request, form))
    }
}

/// What a page can say about a refusal.
#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn wire(error: ServiceError) -> WireError {
    match error {
        ServiceError::NotFound => WireError::NotFound,
        ServiceError::NotAllowed => WireError::NotAllowed,
        ServiceError::BeyondReach => WireError::BeyondReach,
        ServiceError::Unavailable { part } => WireError::Unavailable {
            part: view_part(part),
        },
        // Verbs are refused with these; reads never are.
        ServiceError::Invalid(_)
        | ServiceError::Refused(_)
        | ServiceError::MayNotReview(_)
        | ServiceError::Decided(_)
        | ServiceError::ReviewedAlready
        | ServiceError::NothingToRetract
        | ServiceError::Settled(_)
        | ServiceError::NotClosed
        | ServiceError::Finding(_)
        | ServiceError::Unfit(_)
        | ServiceError::ProposerUnfit
        | ServiceError::FindingGone
        | ServiceError::Sweep(_)
        | ServiceError::NotLive
        | ServiceError::EndedAlready { .. }
        | ServiceError::NudgedAlready { .. }
        | ServiceError::TooManyPending { .. }
        | ServiceError::TooManyLive { .. }
        | ServiceError::TooManySubmissions { .. }
        | ServiceError::Changed => WireError::Unavailable {
            part: app::view::Part::Server,
        },
    }
}

#[async_trait]
impl Backend for PortalBackend {
    async fn me(&self) -> Result<Me, WireError> {
        let who = &self.caller.who;
        let mut me = Me {
            name: who.name.clone(),
            email: who.email.clone().unwrap_or_default(),
            can_see_history: false,
            is_admin: false,
            waiting_count: 0,
        };
        // The header stands on every page, also on those that say what is out of reach.
        let Ok(world) = self.portal.service.world() else {
            return Ok(me);
        };
        let role = self.portal.service.role(&world, &self.caller);
        me.can_see_history = role != Role::Person;
        me.is_admin = role == Role::Admin;
        let service = &self.portal.service;
        if let (Ok(waiting), Ok(to_sign)) = tokio::join!(
            service.waiting_for(&self.caller),
            service.to_sign(&self.caller)
        ) {
            let all = waiting.len().saturating_add(to_sign.len());
            me.waiting_count = u32::try_from(all).unwrap_or(u32::MAX);
        }
        Ok(me)
    }

    async fn access(&self) -> Result<AccessView, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let entries = service.catalogue(&self.caller).map_err(wire)?;
        let groups = service.groups(&self.caller).map_err(wire)?;
        let (requests, live) = service.mine(&self.caller).await.map_err(wire)?;
        let current = access::Current::of(&requests, &live);
        Ok(access::view(&world, &entries, &groups, &current))
    }

    async fn ask_form(
        &self,
        account_id: &str,
        permission_set: &str,
        earlier: &str,
    ) -> Result<AskFormView, WireError> {
        let service = &self.portal.service;
        let wanted = Wanted::parse(account_id, permission_set).ok_or(WireError::NotFound)?;
        let world = service.world().map_err(wire)?;
        let offer = service.offer(&self.caller, &wanted).map_err(wire)?;
        let (requests, live) = service.mine(&self.caller).await.map_err(wire)?;
        let current = access::Current::of(&requests, &live);
        let mut form = access::form(&world, &offer, &current).ok_or(WireError::NotFound)?;
        if let Some(purpose) = &offer.needs_proof {
            let stands = service.sign_in_again(&self.caller, purpose).await;
            form.sign_in_again = names::sign_in_again(stands.map_err(wire)?);
        }
        let break_glass = service
            .break_glass_offer(&self.caller, &offer)
            .await
            .map_err(wire)?;
        form.break_glass = break_glass.as_ref().map(access::break_glass);
        // What else there is to ask for.
        let entries = service.catalogue(&self.caller).map_err(wire)?;
        let groups = service.groups(&self.caller).map_err(wire)?;
        form.others = access::others(&world, &offer, &entries, &groups);
        form.prefill = self.prefill(earlier, &form).await;
        Ok(form)
    }

    async fn mine(&self) -> Result<MyAccessView, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let (requests, live) = service.mine(&self.caller).await.map_err(wire)?;
        Ok(mine::view(&self.portal, &world, &requests, &live))
    }

    async fn approvals(&self) -> Result<Vec<ApprovalView>, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let waiting = service.waiting_for(&self.caller).await.map_err(wire)?;
        let to_sign = service.to_sign(&self.caller).await.map_err(wire)?;
        let waiting = waiting
            .iter()
            .map(|one| request::approval(&world, &self.caller, one));
        let to_sign = to_sign.iter().map(|one| request::to_sign(&world, one));
        Ok(waiting.chain(to_sign).collect())
    }

    async fn request(&self, id: &str) -> Result<RequestView, WireError> {
        let service = &self.portal.service;
        let id = RequestId::parse(id).map_err(|_| WireError::NotFound)?;
        let world = service.world().map_err(wire)?;
        let detail = service.request(&self.caller, id).await.map_err(wire)?;
        Ok(request::view(&self.portal, &world, &self.caller, &detail))
    }

    async fn findings(&self, filter: &FindingsFilter) -> Result<FindingsPage, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let found = service
            .findings(&self.caller, &findings::search(filter))
            .await
            .map_err(wire)?;
        Ok(findings::view(&world, &self.caller, &found))
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<HistoryPage, WireError> {
        let (search, problems) = history::search(filter);
        let service = &self.portal.service;
        if !problems.is_empty() {
            // Who may not look at history does not learn what is wrong with a search of it.
            let world = service.world().map_err(wire)?;
            if service.role(&world, &self.caller) == Role::Person {
                return Err(WireError::NotAllowed);
            }
            return Ok(HistoryPage {
                problems,
                ..HistoryPage::default()
            });
        }
        let world = service.world().map_err(wire)?;
        let found = service.history(&self.caller, &search).await.map_err(wire)?;
        Ok(history::view(&world, &found))
    }
}
