//! A request, whole, and the short form of it that waits for an approver.

use app::view::{
    ActionsView, ApprovalView, AskView, BesideView, ClosureView, GrantView, RequestView,
    ReviewKind, ReviewView, ReviewableView, RouteView, Trouble, WhyNot as Shown,
};
use domain::grant::{Grant, GrantState};
use domain::key::{KeyState, Stage};
use domain::policy::{ReviewOutcome, WhyNot};
use domain::request::{
    Ask, AskState, Granting, NOTE_MAX_CHARS, NUDGED_AT_MOST_EVERY, Opinion, Request,
};
use domain::target::Target;
use jiff::Timestamp;

use crate::service::{AskDetail, Caller, Past, RequestDetail, SignInAgain, SigningDetail, Waiting};
use crate::web::Portal;
use crate::world::World;

use super::{access, names};

mod events;
mod glass;
mod past;
mod receipt;

pub(super) use glass::to_sign;

/// The whole page.
pub(super) fn view(
    portal: &Portal,
    world: &World,
    caller: &Caller,
    detail: &RequestDetail,
) -> RequestView {
    let now = Timestamp::now();
    let request = &detail.request;
    let is_mine = request.requester.id == caller.who.id;
    RequestView {
        now: names::ms(now),
        id: request.id.to_string(),
        requester: names::person(&request.requester),
        is_mine,
        reason: request.reason.clone(),
        duration_seconds: request.duration_seconds,
        submitted_at: names::ms(request.submitted_at),
        expires_at: names::ms(request.expires_at),
        start: request.terms.start.map(names::ms),
        ticket: request.terms.ticket.clone().unwrap_or_default(),
        is_separate: request.terms.granting == Granting::Separately,
        state: names::request_state(request, &detail.grants, now),
        asks: request
            .asks
            .iter()
            .zip(&detail.asks)
            .map(|(ask, judged)| ask_view(portal, world, caller, detail, ask, judged, now))
            .collect(),
        events: detail.events.iter().filter_map(events::view).collect(),
        actions: ActionsView {
            closed: detail.closed.as_ref().map(|closed| ClosureView {
                by: closed.by.name.clone(),
                at: names::ms(closed.at),
                request_id: closed.request.to_string(),
                can_reopen: detail.may_reopen,
            }),
            ..actions(world, caller, request, &detail.asks, detail.sign_in_again)
        },
    }
}

/// The short form.
pub(super) fn approval(
    world: &World,
    caller: &Caller,
    waiting: &Waiting,
    past: &[Past],
) -> ApprovalView {
    let request = &waiting.request;
    let routes = request
        .asks
        .iter()
        .zip(&waiting.asks)
        .flat_map(|(_, judged)| {
            let mine = judged.may_review.as_deref().unwrap_or_default();
            routes(world, judged)
                .into_iter()
                .filter(|route| mine.iter().any(|rule| rule.as_str() == route.rule))
                .collect::<Vec<_>>()
        })
        .collect();
    ApprovalView {
        request_id: request.id.to_string(),
        requester: names::person(&request.requester),
        requester_groups: waiting.requester_groups.clone(),
        targets: names::targets(world, request),
        reason: request.reason.clone(),
        duration_seconds: request.duration_seconds,
        submitted_at: names::ms(request.submitted_at),
        expires_at: names::ms(request.expires_at),
        start: request.terms.start.map(names::ms),
        ticket: request.terms.ticket.clone().unwrap_or_default(),
        ticket_url: past::ticket_url(world, request),
        is_separate: request.terms.granting == Granting::Separately,
        past: past::view(request, past),
        routes,
        signing: Vec::new(),
        actions: actions(world, caller, request, &waiting.asks, waiting.sign_in_again),
    }
}

fn ask_view(
    portal: &Portal,
    world: &World,
    caller: &Caller,
    detail: &RequestDetail,
    ask: &Ask,
    judged: &AskDetail,
    now: Timestamp,
) -> AskView {
    let grant = match &ask.state {
        AskState::Approved { grant, .. } => detail.grants.iter().find(|one| one.id == *grant),
        _ => None,
    };
    AskView {
        index: u32::from(ask.index.0),
        target: names::target(world, &ask.target, &ask.names),
        state: names::ask_state(&ask.state),
        reasons: access::reasons(&judged.verdict),
        routes: routes(world, judged),
        reviews: ask
            .reviews
            .iter()
            .map(|review| ReviewView {
                by: names::person(&review.by),
                kind: match review.opinion {
                    Opinion::Approve => ReviewKind::Approve,
                    Opinion::Deny => ReviewKind::Deny,
                },
                note: review.note.clone(),
                seconds: review.seconds,
                at: names::ms(review.at),
                counts: counts(ask, judged, review),
            })
            .collect(),
        grant: grant.map(|grant| grant_view(portal, world, caller, detail, grant, now)),
        glass: judged
            .signing
            .as_ref()
            .map(|signing| glass::view(world, signing)),
    }
}

/// Whether a review counts: what was decided stays decided, what is open is judged now.
fn counts(ask: &Ask, judged: &AskDetail, review: &domain::request::Review) -> bool {
    if ask.state != AskState::Pending {
        return true;
    }
    match &judged.progress {
        ReviewOutcome::Open { routes } => routes
            .iter()
            .any(|route| route.counted.contains(&review.by.id)),
        ReviewOutcome::Completed { counted, .. } => counted.contains(&review.by.id),
        ReviewOutcome::DeniedBy { reviewer, .. } => *reviewer == review.by.id,
        ReviewOutcome::NotPossible { .. } => false,
    }
}

/// The routes as they stand now; once decided, as they were at submission.
fn routes(world: &World, judged: &AskDetail) -> Vec<RouteView> {
    let ReviewOutcome::Open { routes } = &judged.progress else {
        return access::routes(world, &judged.verdict);
    };
    routes
        .iter()
        .map(|route| {
            let asked = judged
                .verdict
                .routes
                .iter()
                .find(|one| one.rule == route.rule);
            RouteView {
                rule: route.rule.to_string(),
                approvals_needed: route.approvals,
                approvals_given: route.approvals.saturating_sub(route.missing),
                max_duration_seconds: asked.map_or(0, |asked| asked.max_duration.get()),
                approvers: names::names(world, &route.approvers),
                approvers_total: names::count(route.approvers.len()),
                usually_seconds: None,
            }
        })
        .collect()
}

fn actions(
    world: &World,
    caller: &Caller,
    request: &Request,
    judged: &[AskDetail],
    sign_in_again: SignInAgain,
) -> ActionsView {
    let pending: Vec<(&Ask, &AskDetail)> = request
        .asks
        .iter()
        .zip(judged)
        .filter(|(ask, _)| ask.state == AskState::Pending)
        .collect();
    let is_mine = request.requester.id == caller.who.id;
    let reviewed = |ask: &Ask| {
        ask.reviews
            .iter()
            .any(|review| review.by.id == caller.who.id)
    };
    let reviewable: Vec<&Ask> = pending
        .iter()
        .filter(|(ask, judged)| judged.may_review.is_ok() && !reviewed(ask))
        .map(|(ask, _)| *ask)
        .collect();
    let can_review = !reviewable.is_empty();
    let why_not = if can_review {
        None
    } else if pending.is_empty() {
        Some(Shown::AlreadyDecided)
    } else if pending.iter().any(|(ask, _)| reviewed(ask)) {
        Some(Shown::AlreadyReviewed)
    } else {
        pending
            .iter()
            .find_map(|(_, judged)| judged.may_review.as_ref().err())
            .map(|why| match why {
                WhyNot::OwnRequest => Shown::OwnRequest,
                WhyNot::Reauthenticate => Shown::Reauthenticate,
                WhyNot::CannotTell => Shown::CannotTell,
                WhyNot::NotAnApprover | WhyNot::Inactive | WhyNot::NoRoute => Shown::NotAnApprover,
            })
    };
    ActionsView {
        can_approve: can_review,
        can_deny: can_review,
        can_withdraw: is_mine && !request.undecided().is_empty(),
        can_retract: pending.iter().any(|(ask, _)| {
            let mut reviews = ask.reviews.iter();
            reviews.any(|have| have.by.id == caller.who.id && have.opinion == Opinion::Approve)
        }),
        can_nudge: is_mine && !pending.is_empty() && may_nudge(request, Timestamp::now()),
        reviewable: if request.asks.len() > 1 {
            reviewable
                .into_iter()
                .map(|ask| ReviewableView {
                    index: u32::from(ask.index.0),
                    target: names::target(world, &ask.target, &ask.names),
                })
                .collect()
        } else {
            Vec::new()
        },
        shorter_seconds: shorter(world, request),
        can_sign: judged
            .iter()
            .any(|judged| judged.signing.as_ref().is_some_and(SigningDetail::waits)),
        signable: glass::signable(
            world,
            request,
            judged.iter().map(|judged| judged.signing.as_ref()),
        ),
        closed: None,
        why_not,
        sign_in_again: names::sign_in_again(sign_in_again),
        note_max_chars: names::count(NOTE_MAX_CHARS),
    }
}

/// Windows that an approver may agree to instead: what is usual, below what was asked.
fn shorter(world: &World, request: &Request) -> Vec<u32> {
    /// What people mean by "less".
    const USUAL: [u32; 8] = [300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];
    let min = world.policy.min_duration().get();
    let less = min..request.duration_seconds;
    let mut all: Vec<u32> = USUAL
        .into_iter()
        .filter(|some| less.contains(some))
        .collect();
    // Where nothing of that is less, the least that there is.
    if all.is_empty() && less.contains(&min) {
        all.push(min);
    }
    all
}

fn may_nudge(request: &Request, now: Timestamp) -> bool {
    request
        .nudged_at
        .and_then(|before| before.checked_add(NUDGED_AT_MOST_EVERY).ok())
        .is_none_or(|again_at| again_at <= now)
}

fn grant_view(
    portal: &Portal,
    world: &World,
    caller: &Caller,
    detail: &RequestDetail,
    grant: &Grant,
    now: Timestamp,
) -> GrantView {
    let key = detail.keys.iter().find(|key| key.key == grant.key);
    let is_theirs = grant.key.user == caller.who.id;
    GrantView {
        id: grant.id.to_string(),
        state: names::grant_state(&grant.state),
        is_overdue: names::is_overdue(grant, now),
        from: names::ms(grant.from),
        until: names::ms(grant.until),
        active_at: match &grant.state {
            GrantState::Active { since, .. } => Some(names::ms(*since)),
            _ => None,
        },
        console_url: console_url(portal, grant).filter(|_| is_theirs),
        sessions_may_last_until: names::ms(grant.sessions_may_last_until()),
        trouble: key.and_then(trouble),
        can_end: detail.can_end(world, caller, grant, now),
        beside: detail
            .beside
            .iter()
            .filter(|other| other.key == grant.key)
            .map(|other| BesideView {
                id: other.id.to_string(),
                request_id: other.request.to_string(),
                from: names::ms(other.from),
                until: names::ms(other.until),
            })
            .collect(),
        receipt: receipt::view(detail, grant),
    }
}

/// Opens the console as the role, while there is one.
pub(super) fn console_url(portal: &Portal, grant: &Grant) -> Option<String> {
    let GrantState::Active { .. } = grant.state else {
        return None;
    };
    let Target::Account { account, .. } = &grant.key.target else {
        return None;
    };
    // The part after `#` is the AWS access portal's own route; it reads it as a query.
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("account_id", account.as_str())
        .append_pair("role_name", &grant.names.permission_set)
        .finish();
    Some(format!(
        "{}/start/#/console?{query}",
        portal.access_portal_url
    ))
}

/// What holds a key up, as far as AWS's codes tell.
fn trouble(key: &KeyState) -> Option<Trouble> {
    match &key.operation.as_ref()?.stage {
        Stage::Backoff { reason, .. } => Some(trouble_of(reason)),
        Stage::Unknown { failures, .. } | Stage::Absent { failures, .. } if *failures > 0 => {
            Some(Trouble::Unreachable)
        }
        _ => None,
    }
}

fn trouble_of(code: &str) -> Trouble {
    match code {
        "ThrottlingException" | "TooManyRequestsException" | "ServiceQuotaExceededException" => {
            Trouble::Throttled
        }
        "AccessDeniedException"
        | "UnrecognizedClientException"
        | "InvalidSignatureException"
        | "ExpiredTokenException" => Trouble::AccessDenied,
        "ConflictException" => Trouble::Conflict,
        "timeout" | "unreachable" => Trouble::Unreachable,
        _ => Trouble::Failed,
    }
}
