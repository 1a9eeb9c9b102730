//! What programs read besides what pages do: pages of lists of their own, and what is not cut to a page.

use app::view::{
    AgreementView, ExplainPage, FindingView, GrantCard, RequestView, RouteView, SweepView,
    VersionView, WireError,
};
use domain::finding::Difference;
use domain::id::{AccountId, GrantId, PolicyVersion};
use domain::sweep::plan::{Left, Plan};

use crate::service::{Explaining, FindingsSearch, PolicyFound, Role};
use crate::store::RequestPlace;

use super::listing::{self, Listed, Lost, Place};
use super::{PortalBackend, access, findings, mine, policy, request, wire};

impl PortalBackend {
    /// A stretch of everything that this person may ask for, and whether there is more.
    pub(in crate::web) async fn listed(
        &self,
        text: &str,
        account: Option<&AccountId>,
        after: Option<&Place>,
        limit: usize,
    ) -> Result<Result<(Vec<Listed>, bool), Lost>, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let (requests, live) = service.lately(&self.caller).await.map_err(wire)?;
        let wanted = listing::Wanted {
            text,
            account,
            after,
            limit,
        };
        let user = &self.caller.who.id;
        Ok(listing::listed(&world, user, &wanted, (&requests, &live)))
    }

    /// Their requests, newest first, each with its place, and where the next page begins.
    pub(in crate::web) async fn requests(
        &self,
        after: Option<&RequestPlace>,
    ) -> Result<(Vec<(RequestPlace, RequestView)>, Option<RequestPlace>), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let mine = service.mine(&self.caller, after).await.map_err(wire)?;
        let views = mine.requests.iter().map(|detail| {
            let place = RequestPlace {
                at: detail.request.submitted_at,
                request: detail.request.id,
            };
            let view = request::view(&self.portal, &world, &self.caller, detail);
            (place, view)
        });
        Ok((views.collect(), mine.next))
    }

    /// Their grants that are not over, the one that ends first first.
    pub(in crate::web) async fn grants(&self) -> Result<Vec<(GrantId, GrantCard)>, WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let (_, live) = service.lately(&self.caller).await.map_err(wire)?;
        Ok(mine::cards(&self.portal, &world, &live))
    }
}

/// What programs read of what auditors and admins look at.
impl PortalBackend {
    /// A page of open findings, each with why the sweep leaves it alone, and where the next one begins.
    pub(in crate::web) async fn open_findings(
        &self,
        kind: Option<Difference>,
        after: String,
    ) -> Result<(Vec<(FindingView, Option<Left>)>, Option<String>), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let search = FindingsSearch {
            kind,
            after,
            ..FindingsSearch::default()
        };
        let found = service.findings(&self.caller, &search).await;
        let found = found.map_err(wire)?;
        let list = findings::list(&world, &self.caller, &found);
        Ok((list, found.next))
    }

    /// A page of what two admins agreed about findings, and where the next one begins.
    pub(in crate::web) async fn agreements(
        &self,
        after: &str,
    ) -> Result<(Vec<AgreementView>, Option<String>), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let found = service.agreements(&self.caller, after).await;
        let found = found.map_err(wire)?;
        Ok((findings::agreements(&world, &found), found.next))
    }

    /// The sweep, and its plan; absent where nothing is looked for.
    pub(in crate::web) async fn sweep(&self) -> Result<(SweepView, Option<Plan>), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let (found, role) = service.sweep(&self.caller).await.map_err(wire)?;
        let is_admin = role == Role::Admin;
        let view = findings::sweep::view(&world, &self.caller, is_admin, &found);
        Ok((view, found.draft.map(|draft| draft.plan)))
    }

    /// What the policy would answer somebody, and on which ways.
    pub(in crate::web) async fn explained(
        &self,
        wanted: &Explaining,
    ) -> Result<(ExplainPage, Vec<RouteView>), WireError> {
        let service = &self.portal.service;
        let world = service.world().map_err(wire)?;
        let answer = service.explain(&self.caller, wanted).await.map_err(wire)?;
        let routes = answer.as_ref().map_or_else(
            |_| Vec::new(),
            |answer| access::routes(&world, &answer.verdict),
        );
        Ok((policy::answer(&world, answer), routes))
    }

    /// One version of the policy, with so much of its files.
    pub(in crate::web) async fn version_with(
        &self,
        id: &str,
        room: usize,
    ) -> Result<VersionView, WireError> {
        let service = &self.portal.service;
        let Ok(version) = PolicyVersion::parse(id) else {
            // Who may not see the policy does not learn which versions there were.
            service.policy(&self.caller).await.map_err(wire)?;
            return Err(WireError::NotFound);
        };
        let found = service.policy_version(&self.caller, &version).await;
        match found.map_err(wire)? {
            PolicyFound::Damaged => Ok(policy::damaged(&version)),
            PolicyFound::Whole(kept) => {
                let since = service.changed_since(&self.caller, &kept).await;
                let (in_force, changes) = since.map_err(wire)?;
                Ok(policy::version(&kept, &in_force, changes, room))
            }
        }
    }
}
