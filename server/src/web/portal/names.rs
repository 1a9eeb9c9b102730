//! Names for ids, and states in the words of pages.

use std::collections::BTreeSet;

use app::view::{
    AskState as AskWord, EpochMs, GivesView, GrantState as GrantWord, HeldView, PersonView,
    ReceiptKind, RequestState, SignInAgain, TargetView, Thing,
};
use domain::grant::{Grant, GrantState, Receipt};
use domain::id::{GroupId, UserId};
use domain::request::{AskState, Names, Request, Who};
use domain::target::Target;
use jiff::Timestamp;

use crate::service::{self, OVERDUE_AFTER};
use crate::world::{World, ou_path};

/// Names that a page lists; it says how many more there are.
const NAMES_MAX: usize = 20;

/// Whether somebody has to sign in again.
pub(super) fn sign_in_again(stands: service::SignInAgain) -> SignInAgain {
    match stands {
        service::SignInAgain::NotNeeded => SignInAgain::NotNeeded,
        service::SignInAgain::Needed => SignInAgain::Needed,
        service::SignInAgain::Done { until } => SignInAgain::Done { until: ms(until) },
    }
}

/// A person as they were when it was recorded.
pub(super) fn person(who: &Who) -> PersonView {
    PersonView {
        id: who.id.to_string(),
        name: who.name.clone(),
        email: who.email.clone().unwrap_or_default(),
    }
}

/// A person's display name; their id if they are not in the snapshot.
pub(super) fn name(world: &World, user: &UserId) -> String {
    world
        .directory
        .people
        .get(user)
        .map_or_else(|| user.to_string(), |person| person.display_name.clone())
}

/// Display names, sorted, as many as a page lists.
pub(super) fn names(world: &World, users: &BTreeSet<UserId>) -> Vec<String> {
    let mut names: Vec<String> = users.iter().map(|user| name(world, user)).collect();
    names.sort();
    names.truncate(NAMES_MAX);
    names
}

/// A target by the names it had when it was asked for, in the place where it is now.
pub(super) fn target(world: &World, target: &Target, names: &Names) -> TargetView {
    match target {
        Target::Account { account, .. } => TargetView::Account {
            account_id: account.to_string(),
            account_name: names.account.clone(),
            ou_path: world
                .directory
                .accounts
                .get(account)
                .map_or_else(String::new, |account| ou_path(&account.ou_path)),
            permission_set: names.permission_set.clone(),
        },
        Target::Group { group } => TargetView::Group {
            id: group.to_string(),
            name: names.permission_set.clone(),
            gives: gives(world, group),
        },
    }
}

/// What a group is assigned, as far as it is known.
pub(super) fn gives(world: &World, group: &GroupId) -> GivesView {
    let directory = &world.directory;
    let Some(held) = directory.holdings.of(group) else {
        return GivesView::default();
    };
    let mut lines: Vec<HeldView> = held
        .iter()
        .map(|(account, set)| HeldView {
            account_id: account.to_string(),
            account_name: directory
                .accounts
                .get(account)
                .map_or_else(|| account.to_string(), |account| account.name.clone()),
            permission_set: directory
                .permission_sets
                .get(set)
                .map_or_else(|| set.to_string(), |set| set.name.to_string()),
        })
        .collect();
    lines.sort_by(|a, b| {
        (&a.account_name, &a.permission_set).cmp(&(&b.account_name, &b.permission_set))
    });
    lines.truncate(NAMES_MAX);
    GivesView {
        held: lines,
        total: count(held.len()),
        read_at: directory.holdings_read_at().map(ms),
    }
}

/// The same for a list, which has no room for what a group gives.
pub(super) fn listed(mut view: TargetView) -> TargetView {
    if let TargetView::Group { gives, .. } = &mut view {
        *gives = GivesView::default();
    }
    view
}

/// What a grant is in AWS.
pub(super) const fn thing(target: &Target) -> Thing {
    match target {
        Target::Account { .. } => Thing::Assignment,
        Target::Group { .. } => Thing::Membership,
    }
}

/// All targets of a request.
pub(super) fn targets(world: &World, request: &Request) -> Vec<TargetView> {
    request
        .asks
        .iter()
        .map(|ask| target(world, &ask.target, &ask.names))
        .collect()
}

pub(super) const fn ask_state(state: &AskState) -> AskWord {
    match state {
        AskState::Pending => AskWord::Pending,
        AskState::Approved { .. } => AskWord::Approved,
        AskState::Denied { .. } => AskWord::Denied,
        AskState::Withdrawn { .. } => AskWord::Withdrawn,
        AskState::Expired { .. } => AskWord::Expired,
    }
}

pub(super) const fn grant_state(state: &GrantState) -> GrantWord {
    match state {
        GrantState::Scheduled => GrantWord::Scheduled,
        GrantState::Granting { .. } => GrantWord::Granting,
        GrantState::Active { .. } => GrantWord::Active,
        GrantState::Revoking { .. } => GrantWord::Revoking,
        GrantState::Ended { .. } => GrantWord::Ended,
    }
}

pub(super) const fn receipt_kind(receipt: &Receipt) -> ReceiptKind {
    match receipt {
        Receipt::Removed { .. } => ReceiptKind::Removed,
        Receipt::AbsentAlready { .. } => ReceiptKind::AbsentAlready,
        Receipt::HeldBy { .. } => ReceiptKind::HeldBy,
        Receipt::Standing => ReceiptKind::Standing,
        Receipt::TargetGone { .. } => ReceiptKind::TargetGone,
        Receipt::NeverGranted => ReceiptKind::NeverGranted,
    }
}

/// Whether a grant is past its end, not yet proven gone, and not because AWS needs its time.
pub(super) fn is_overdue(grant: &Grant, now: Timestamp) -> bool {
    grant.phase().is_some()
        && grant
            .until
            .saturating_add(OVERDUE_AFTER)
            .is_ok_and(|late| late <= now)
}

/// A request in one word: that of its asks and their grants, if they agree.
pub(super) fn request_state(request: &Request, grants: &[Grant], now: Timestamp) -> RequestState {
    let mut states = request.asks.iter().map(|ask| match &ask.state {
        AskState::Pending => RequestState::Pending,
        AskState::Denied { .. } => RequestState::Denied,
        AskState::Withdrawn { .. } => RequestState::Withdrawn,
        AskState::Expired { .. } => RequestState::Expired,
        AskState::Approved { grant, .. } => grants
            .iter()
            .find(|one| one.id == *grant)
            .map_or(RequestState::Scheduled, |grant| summary(grant, now)),
    });
    let Some(first) = states.next() else {
        return RequestState::Mixed;
    };
    if states.all(|state| state == first) {
        first
    } else {
        RequestState::Mixed
    }
}

fn summary(grant: &Grant, now: Timestamp) -> RequestState {
    if is_overdue(grant, now) {
        return RequestState::Overdue;
    }
    match grant_state(&grant.state) {
        GrantWord::Scheduled => RequestState::Scheduled,
        GrantWord::Granting => RequestState::Granting,
        GrantWord::Active => RequestState::Active,
        GrantWord::Revoking => RequestState::Revoking,
        GrantWord::Ended => RequestState::Ended,
    }
}

/// The words of history's summaries, which are the domain's own.
pub(super) fn state_of_word(word: &str) -> Option<RequestState> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

pub(super) fn ms(at: Timestamp) -> EpochMs {
    at.as_millisecond()
}

/// A number for a page; what does not fit is as good as the largest.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
