//! What one person has, waits for and had.

use app::view::{
    CliView, GrantCard, MyAccessView, PastCard, PendingCard, RequestState, TargetView,
};
use domain::grant::{Grant, GrantState};
use domain::id::GrantId;
use domain::policy::ReviewOutcome;
use domain::request::{AskState, Request};
use domain::target::Target;
use jiff::Timestamp;

use crate::service::{Mine, RequestDetail};
use crate::store::RequestPlace;
use crate::web::Portal;
use crate::world::World;

use super::{access, names, request};

/// What was over before a place: what they hold and wait for stands on the first page.
pub(super) fn earlier(view: MyAccessView) -> MyAccessView {
    MyAccessView {
        active: Vec::new(),
        pending: Vec::new(),
        ..view
    }
}

/// The whole page.
pub(super) fn view(portal: &Portal, world: &World, mine: &Mine) -> MyAccessView {
    let Mine { requests, live, .. } = mine;
    let now = Timestamp::now();
    let mut view = MyAccessView {
        now: names::ms(now),
        active: cards(portal, world, live)
            .into_iter()
            .map(|(_, card)| card)
            .collect(),
        next: mine.next.as_ref().map(RequestPlace::to_text),
        ..MyAccessView::default()
    };
    for detail in requests {
        let state = names::request_state(&detail.request, &detail.grants, now);
        let asks = detail.request.asks.iter();
        let waits = asks.clone().any(|ask| ask.state == AskState::Pending);
        let goes_on = detail.grants.iter().any(|grant| grant.phase().is_some());
        match state {
            RequestState::Pending => view.pending.push(pending(world, detail)),
            // Each part of it where it belongs: what they hold is among the live grants.
            RequestState::Mixed if waits => view.pending.push(pending(world, detail)),
            RequestState::Mixed if goes_on => {}
            RequestState::Ended
            | RequestState::Denied
            | RequestState::Withdrawn
            | RequestState::Expired
            | RequestState::Mixed => view.past.push(past(world, detail, state)),
            // These are among the live grants.
            RequestState::Scheduled
            | RequestState::Granting
            | RequestState::Active
            | RequestState::Revoking
            | RequestState::Overdue => {}
        }
    }
    view
}

/// What they have of these, the one that ends first first.
pub(super) fn cards(portal: &Portal, world: &World, live: &[Grant]) -> Vec<(GrantId, GrantCard)> {
    let now = Timestamp::now();
    let mut active: Vec<&Grant> = live
        .iter()
        .filter(|grant| grant.phase().is_some())
        .collect();
    active.sort_by_key(|grant| grant.until);
    active
        .into_iter()
        .map(|grant| (grant.id, card(portal, world, grant, now)))
        .collect()
}

fn card(portal: &Portal, world: &World, grant: &Grant, now: Timestamp) -> GrantCard {
    GrantCard {
        id: grant.id.to_string(),
        request_id: grant.request.to_string(),
        ask: u32::from(grant.ask.0),
        target: names::target(world, &grant.key.target, &grant.names),
        state: names::grant_state(&grant.state),
        is_overdue: names::is_overdue(grant, now),
        from: names::ms(grant.from),
        until: names::ms(grant.until),
        console_url: request::console_url(portal, grant),
        cli: cli(portal, grant),
        is_break_glass: grant.break_glass,
        sessions_may_last_until: names::ms(grant.sessions_may_last_until()),
        // A key is read only for a request's own page.
        trouble: None,
    }
}

/// How the AWS CLI gets at it; not at what a group gives, which is not one thing.
fn cli(portal: &Portal, grant: &Grant) -> Option<CliView> {
    let (GrantState::Active { .. }, Target::Account { .. }) = (&grant.state, &grant.key.target)
    else {
        return None;
    };
    Some(CliView {
        start_url: format!("{}/start", portal.access_portal_url),
        region: portal.clients.region()?.to_owned(),
    })
}

fn pending(world: &World, detail: &RequestDetail) -> PendingCard {
    let request = &detail.request;
    let (given, needed) = nearest(detail);
    let waiting = || {
        let asks = request.asks.iter().zip(&detail.asks);
        asks.filter(|(ask, _)| ask.state == AskState::Pending)
    };
    PendingCard {
        request_id: request.id.to_string(),
        targets: waiting()
            .map(|(ask, _)| names::listed(names::target(world, &ask.target, &ask.names)))
            .collect(),
        reason: request.reason.clone(),
        duration_seconds: request.duration_seconds,
        submitted_at: names::ms(request.submitted_at),
        expires_at: names::ms(request.expires_at),
        approvals_given: given,
        approvals_needed: needed,
        approvers: waiting()
            .next()
            .map(|(_, judged)| access::approvers(world, &judged.verdict))
            .unwrap_or_default(),
        start: request.terms.start.map(names::ms),
    }
}

fn listed(world: &World, request: &Request) -> Vec<TargetView> {
    let targets = names::targets(world, request).into_iter();
    targets.map(names::listed).collect()
}

/// Approvals given and needed on the route that is nearest to completion, over all asks.
fn nearest(detail: &RequestDetail) -> (u32, u32) {
    detail
        .asks
        .iter()
        .filter_map(|ask| match &ask.progress {
            ReviewOutcome::Open { routes } => routes.iter().min_by_key(|route| route.missing),
            _ => None,
        })
        .max_by_key(|route| route.missing)
        .map_or((0, 1), |route| {
            (
                route.approvals.saturating_sub(route.missing),
                route.approvals,
            )
        })
}

fn past(world: &World, detail: &RequestDetail, state: RequestState) -> PastCard {
    let request = &detail.request;
    let receipt = detail.grants.iter().find_map(|grant| match &grant.state {
        GrantState::Ended { receipt, .. } => Some(names::receipt_kind(receipt)),
        _ => None,
    });
    let sessions = detail
        .grants
        .iter()
        .map(Grant::sessions_may_last_until)
        .max();
    PastCard {
        request_id: request.id.to_string(),
        targets: listed(world, request),
        state,
        at: names::ms(over_at(request, &detail.grants)),
        duration_seconds: request.duration_seconds,
        receipt,
        is_break_glass: detail.grants.iter().any(|grant| grant.break_glass),
        sessions_may_last_until: sessions.map(names::ms),
    }
}

/// When the last of it was over.
fn over_at(request: &Request, grants: &[Grant]) -> Timestamp {
    let asks = request.asks.iter().filter_map(|ask| match &ask.state {
        AskState::Denied { at, .. }
        | AskState::Withdrawn { at }
        | AskState::Expired { at }
        | AskState::Approved { at, .. } => Some(*at),
        AskState::Pending => None,
    });
    let ends = grants.iter().filter_map(|grant| match &grant.state {
        GrantState::Ended { at, .. } => Some(*at),
        _ => None,
    });
    asks.chain(ends).max().unwrap_or(request.submitted_at)
}
