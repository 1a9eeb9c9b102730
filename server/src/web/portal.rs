//! What pages read, for one signed-in person: service values become views.

mod access;
mod ends;
mod favourites;
mod findings;
pub(super) mod foresee;
mod history;
mod listing;
mod mine;
mod names;
mod offers;
mod others;
pub(super) mod policy;
mod programs;
mod recent;
mod request;

use app::Backend;
use app::view::{
    APPROVALS_MAX, AccessFilter, AccessView, ApprovalView, AskFormView, DraftPage, EndsView,
    ExplainFilter, ExplainPage, FindingsFilter, FindingsPage, HeldFilter, HeldPage, HistoryFilter,
    HistoryPage, Me, MyAccessView, PolicyFilter, PolicyPage, PrefillView, RequestView, VersionView,
    VersionsPage, WireError,
};
use async_trait::async_trait;
use domain::grant::Grant;
use domain::id::{RequestId, UserId};
use domain::request::Request;

use crate::service::{Caller, Past, Role, ServiceError, Waiting, Wanted};
use crate::store::{RequestPlace, now};
use crate::world::World;

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

    /// What waits for their word, without what was before.
    pub(super) async fn waiting_alone(&self) -> Result<Vec<ApprovalView>, WireError> {
        let waiting = self.portal.service.waiting_for(&self.caller).await;
        self.waiting(&waiting.map_err(wire)?, &[], usize::MAX).await
    }

    /// That, and what waits for their signature.
    async fn waiting(
        &self,
        waiting: &[Waiting],
        past: &[Past],
        most: usize,
    ) -> Result<Vec<ApprovalView>, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let to_sign = service.to_sign(&self.caller).await.map_err(wire)?;
        let waiting = waiting
            .iter()
            .map(|one| request::approval(&world, &self.caller, one, past));
        let to_sign = to_sign.iter().take(most);
        let to_sign = to_sign.map(|one| request::to_sign(&world, one));
        Ok(waiting.chain(to_sign).collect())
    }

    /// Who may not look at history does not learn what is wrong with a search of it.
    fn sees_history(&self) -> Result<(), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        match service.role(&world, &self.caller) {
            Role::Admin | Role::Auditor => Ok(()),
            Role::Person => Err(WireError::NotAllowed),
        }
    }
}

pub(super) use findings::NAME_MAX_BYTES as FINDING_NAME_MAX_BYTES;
pub(super) use history::search as history_search;
pub(super) use listing::{Listed, Place};

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

/// A page of what somebody may ask for, marked with what they have and asked for lately.
#[must_use]
pub fn access_page(
    world: &World,
    user: &UserId,
    filter: &AccessFilter,
    (requests, live): (&[Request], &[Grant]),
) -> AccessView {
    let facts = world.facts();
    let current = access::Current::of(requests, live);
    let offers = offers::Offers {
        world,
        catalogue: &world.catalogue.for_person(user, &facts),
        groups: &world.catalogue.groups_for_person(user, &facts),
        current: &current,
    };
    let mut view = offers.page(filter);
    let is_start = filter.q.is_empty() && filter.within.is_empty() && view.filter.page == 1;
    if is_start {
        view.recent = recent::recent(world, user, requests, &current);
    }
    view
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
        match self.portal.service.waiting_count(&self.caller).await {
            Ok(count) => me.waiting_count = u32::try_from(count).unwrap_or(u32::MAX),
            Err(error) => {
                tracing::warn!(%error, "what waits cannot be counted, so the page says of nothing");
            }
        }
        Ok(me)
    }

    async fn access(&self, filter: &AccessFilter) -> Result<AccessView, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let reads = tokio::try_join!(
            service.lately(&self.caller),
            service.favourites(&self.caller)
        );
        let ((requests, live), starred) = reads.map_err(wire)?;
        let user = &self.caller.who.id;
        let mut view = access_page(&world, user, filter, (&requests, &live));
        let current = access::Current::of(&requests, &live);
        view.favourites = favourites::views(&world, user, starred, &current);
        Ok(view)
    }

    async fn ask_form(
        &self,
        account_id: &str,
        permission_set: &str,
        earlier: &str,
        chosen: &str,
    ) -> Result<AskFormView, WireError> {
        let service = &self.portal.service;
        let wanted = Wanted::parse(account_id, permission_set).ok_or(WireError::NotFound)?;
        let world = service.world().map_err(wire)?;
        let offer = service.offer(&self.caller, &wanted).map_err(wire)?;
        let (requests, live) = service.lately(&self.caller).await.map_err(wire)?;
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
        let (user, facts) = (&self.caller.who.id, world.facts());
        let catalogue = world.catalogue.for_person(user, &facts);
        let groups = world.catalogue.groups_for_person(user, &facts);
        form.others = others::others(&world, &offer.target, &catalogue, &groups);
        form.prefill = self.prefill(earlier, &form).await;
        let page = (account_id, permission_set);
        foresee::foresee(&self.portal, &self.caller, page, &mut form, chosen)
            .await
            .map_err(wire)?;
        Ok(form)
    }

    async fn mine(&self, cursor: &str) -> Result<MyAccessView, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let after = match cursor {
            "" => None,
            place => Some(RequestPlace::parse(place).ok_or(WireError::NotFound)?),
        };
        let found = service.mine(&self.caller, after.as_ref()).await;
        let view = mine::view(&self.portal, &world, &found.map_err(wire)?);
        Ok(if after.is_none() {
            view
        } else {
            mine::earlier(view)
        })
    }

    async fn approvals(&self) -> Result<Vec<ApprovalView>, WireError> {
        let service = &self.portal.service;
        let mut waiting = service.waiting_for(&self.caller).await.map_err(wire)?;
        waiting.truncate(APPROVALS_MAX);
        let past = service.past(&waiting).await.map_err(wire)?;
        self.waiting(&waiting, &past, APPROVALS_MAX).await
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
        let mut page = findings::view(&world, &self.caller, &found);
        findings::sweep::shorten(&mut page.sweep);
        Ok(page)
    }

    async fn policy(&self, filter: &PolicyFilter) -> Result<PolicyPage, WireError> {
        let service = &self.portal.service;
        let (world, described) = service.policy(&self.caller).await.map_err(wire)?;
        Ok(policy::page(&world, &described, filter))
    }

    async fn explain(&self, filter: &ExplainFilter) -> Result<ExplainPage, WireError> {
        let service = &self.portal.service;
        let wanted = policy::explaining(filter);
        let world = service.world().map_err(wire)?;
        let answer = service.explain(&self.caller, &wanted).await.map_err(wire)?;
        Ok(if filter.is_empty() {
            ExplainPage::Empty
        } else {
            policy::answer(&world, answer)
        })
    }

    async fn draft(&self, text: &str, notation: &str) -> Result<DraftPage, WireError> {
        let service = &self.portal.service;
        if text.trim().is_empty() {
            // Who may not see the policy is told so before they type anything.
            service.policy(&self.caller).await.map_err(wire)?;
            return Ok(DraftPage::Empty);
        }
        let format = policy::format(notation);
        let draft = service
            .compare_draft(&self.caller, text.to_owned(), format)
            .await;
        Ok(policy::draft(draft.map_err(wire)?))
    }

    async fn versions(&self, before: &str) -> Result<VersionsPage, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let found = service
            .policy_versions(&self.caller, policy::before(before))
            .await
            .map_err(wire)?;
        Ok(policy::versions(&world, &found, before.is_empty()))
    }

    async fn version(&self, id: &str) -> Result<VersionView, WireError> {
        self.version_with(id, policy::FILES_MAX_BYTES).await
    }

    async fn history(&self, filter: &HistoryFilter) -> Result<HistoryPage, WireError> {
        let service = &self.portal.service;
        match history::search(filter) {
            Ok(search) => {
                let world = service.world().map_err(wire)?;
                let found = service.history(&self.caller, &search).await.map_err(wire)?;
                Ok(history::view(&world, &search, &found, now()))
            }
            Err(problems) => {
                self.sees_history()?;
                Ok(HistoryPage {
                    problems,
                    ..HistoryPage::default()
                })
            }
        }
    }

    async fn held(&self, filter: &HeldFilter) -> Result<HeldPage, WireError> {
        let service = &self.portal.service;
        match history::held_search(filter, now()) {
            Ok(Some(asked)) => {
                let world = service.world().map_err(wire)?;
                let held = service.who_held(&self.caller, &asked.search, asked.when);
                let found = held.await.map_err(wire)?;
                Ok(history::held_view(&world, &asked, &found))
            }
            Ok(None) => {
                self.sees_history()?;
                Ok(HeldPage::default())
            }
            Err(problems) => {
                self.sees_history()?;
                Ok(HeldPage {
                    problems,
                    ..HeldPage::default()
                })
            }
        }
    }

    async fn ends(&self) -> Result<EndsView, WireError> {
        let ends = self.portal.service.ends(&self.caller).await;
        Ok(ends::view(&ends.map_err(wire)?))
    }
}
