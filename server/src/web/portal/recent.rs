//! What somebody asked for lately and may ask for again: a click away from its form.

use std::collections::BTreeSet;

use app::view::RecentView;
use domain::id::UserId;
use domain::request::{AskState, Request};
use domain::target::Target;

use crate::world::World;

use super::access::{self, Current};
use super::names;

/// As many as are taken in at a glance.
const RECENT_MAX: usize = 4;

/// Each combination of targets once, newest first. What waits for an answer is left out: asking for it
/// again would be refused.
pub(super) fn recent(
    world: &World,
    user: &UserId,
    requests: &[Request],
    current: &Current,
) -> Vec<RecentView> {
    let mut seen: BTreeSet<BTreeSet<&Target>> = BTreeSet::new();
    requests
        .iter()
        .filter(|request| {
            let waits = request
                .asks
                .iter()
                .any(|ask| ask.state == AskState::Pending);
            let all = request.asks.iter().map(|ask| &ask.target).collect();
            !waits && seen.insert(all)
        })
        .filter_map(|request| of(world, user, request, current))
        .take(RECENT_MAX)
        .collect()
}

/// `None` if some of it may not be asked for any more.
fn of(world: &World, user: &UserId, request: &Request, current: &Current) -> Option<RecentView> {
    let facts = world.facts();
    let targets = request.asks.iter().map(|ask| &ask.target);
    let offers: Option<Vec<_>> = targets
        .clone()
        .map(|target| world.catalogue.offer(user, target, &facts))
        .collect();
    let views: Option<Vec<_>> = targets
        .clone()
        .map(|target| access::target_view(world, target).map(names::listed))
        .collect();
    Some(RecentView {
        request_id: request.id.to_string(),
        targets: views?,
        duration_seconds: request.duration_seconds,
        submitted_at: names::ms(request.submitted_at),
        approval: access::approval(offers?.first()?),
        current: current.on(targets.clone().next()?),
    })
}
