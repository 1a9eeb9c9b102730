//! The catalogue and the form.

use std::collections::{BTreeMap, BTreeSet};

use app::view::{
    ApprovalKind, AskFormView, BreakGlassStands, BreakGlassView, CurrentView, NearestView,
    PrefillView, PreviewOutcome, PreviewView, Reason as Shown, RouteView, SignInAgain, TargetView,
    TicketView,
};
use domain::catalogue::Offer as Terms;
use domain::grant::Grant;
use domain::policy::{Code, Nearest, Outcome, REASON_MAX, Reason, Seconds, TicketRule, Verdict};
use domain::request::{AskState, Request};
use domain::target::Target;

use crate::service::{BreakGlassOffer, CONFIRMATION, Offer};
use crate::world::{World, ou_path};

use super::names;

/// What the form chooses first, if policy offers it: long enough for one task.
const USUAL_SECONDS: u32 = 3_600;

/// What the person has or waits for, by target.
#[derive(Debug, Default)]
pub(super) struct Current(BTreeMap<Target, CurrentView>);

impl Current {
    pub(super) fn of(requests: &[Request], live: &[Grant]) -> Self {
        let mut current = BTreeMap::new();
        for request in requests {
            for ask in &request.asks {
                if ask.state == AskState::Pending {
                    let view = CurrentView::Pending {
                        request_id: request.id.to_string(),
                    };
                    current.insert(ask.target.clone(), view);
                }
            }
        }
        // What they have matters more than what they wait for.
        for grant in live.iter().filter(|grant| grant.phase().is_some()) {
            let view = CurrentView::Active {
                request_id: grant.request.to_string(),
                until: names::ms(grant.until),
            };
            current.insert(grant.key.target.clone(), view);
        }
        Self(current)
    }

    pub(super) fn on(&self, target: &Target) -> Option<CurrentView> {
        self.0.get(target).cloned()
    }
}

/// What would happen to a request of the length that the form chooses first.
pub(super) fn approval(terms: &Terms) -> ApprovalKind {
    approval_of(terms, first_choice(terms))
}

/// What would happen to a request of that length, if nothing else is in its way.
fn approval_of(terms: &Terms, duration: Seconds) -> ApprovalKind {
    if terms.only_break_glass() {
        return ApprovalKind::BreakGlass;
    }
    if terms.needs_approval(duration) {
        return ApprovalKind::Needed {
            approvals: terms.approvals.max(1),
        };
    }
    ApprovalKind::Automatic
}

fn first_choice(terms: &Terms) -> Seconds {
    let usual = Seconds::new(USUAL_SECONDS);
    let offered = &terms.durations;
    offered
        .iter()
        .rev()
        .find(|offered| **offered <= usual)
        .or_else(|| offered.first())
        .copied()
        .unwrap_or_else(|| usual.min(terms.max_duration))
}

/// The form; `None` if what it is for has left the directory meanwhile.
pub(super) fn form(world: &World, offer: &Offer, current: &Current) -> Option<AskFormView> {
    let terms = &offer.terms;
    let directory = &world.directory;
    let target = target_view(world, &offer.target)?;
    let (description, session_seconds) = match &offer.target {
        Target::Account { permission_set, .. } => {
            let set = directory.permission_sets.get(permission_set)?;
            let description = set.description.clone().unwrap_or_default();
            (description, set.session_seconds)
        }
        Target::Group { group } => {
            let longest = directory.longest_session_of(group, &directory.holdings);
            (String::new(), longest)
        }
    };
    Some(AskFormView {
        target,
        description,
        session_seconds,
        durations_seconds: terms
            .durations
            .iter()
            .map(|offered| offered.get())
            .collect(),
        default_duration_seconds: first_choice(terms).get(),
        min_duration_seconds: world.policy.min_duration().get(),
        max_duration_seconds: terms.max_duration.get(),
        reason_min_chars: names::count(world.policy.reason_min()),
        reason_max_chars: names::count(REASON_MAX),
        preview: preview(world, Some(terms), first_choice(terms), &offer.preview),
        also: Vec::new(),
        can_ask: offer.preview.outcome != Outcome::Refused || offer.preview.nearest.is_some(),
        ticket: ticket(&offer.tickets),
        others: Vec::new(),
        prefill: None,
        current: current.on(&offer.target),
        sign_in_again: SignInAgain::NotNeeded,
        break_glass: None,
    })
}

/// A target as it is today; `None` if it has left the directory.
pub(super) fn target_view(world: &World, target: &Target) -> Option<TargetView> {
    let directory = &world.directory;
    let view = match target {
        Target::Account {
            account,
            permission_set,
        } => {
            let account = directory.accounts.get(account)?;
            TargetView::Account {
                account_id: account.id.to_string(),
                account_name: account.name.clone(),
                ou_path: ou_path(&account.ou_path),
                permission_set: directory
                    .permission_sets
                    .get(permission_set)?
                    .name
                    .to_string(),
            }
        }
        Target::Group { group } => TargetView::Group {
            id: group.to_string(),
            name: directory.groups.get(group)?.name.clone(),
            gives: names::gives(world, group),
        },
    };
    Some(view)
}

/// Going in first, and whether the person may.
pub(super) fn break_glass(offer: &BreakGlassOffer) -> BreakGlassView {
    BreakGlassView {
        up_to_seconds: offer.up_to.get(),
        is_only_way: offer.only_way,
        confirmation: CONFIRMATION.to_owned(),
        stands: match (&offer.closed, offer.unsigned) {
            (Some(closed), _) => BreakGlassStands::Closed {
                request_id: closed.request.to_string(),
            },
            (None, Some(request)) => BreakGlassStands::Unsigned {
                request_id: request.to_string(),
            },
            (None, None) => BreakGlassStands::Open,
        },
        sign_in_again: names::sign_in_again(offer.sign_in_again),
    }
}

/// What policy says of tickets: all of it has to be met, so one pattern is enough of a hint.
fn ticket(rules: &[TicketRule]) -> Option<TicketView> {
    let pattern = rules.iter().find_map(|rule| rule.pattern.as_ref());
    (!rules.is_empty()).then(|| TicketView {
        required: rules.iter().any(|rule| rule.required),
        pattern: pattern.map_or_else(String::new, |pattern| pattern.as_str().to_owned()),
    })
}

/// The words of an earlier request, for this form.
pub(super) fn prefill(request: &Request, form: &AskFormView) -> PrefillView {
    let own = form.target.spelled();
    let also = request.asks.iter().map(|ask| match &ask.target {
        Target::Account { account, .. } => format!("{account}/{}", ask.names.permission_set),
        Target::Group { group } => format!("group/{group}"),
    });
    PrefillView {
        duration_seconds: request.duration_seconds,
        reason: request.reason.clone(),
        ticket: request.terms.ticket.clone().unwrap_or_default(),
        also: also.filter(|other| *other != own).collect(),
    }
}

/// A verdict on a request of that length, which may have a ticket yet to come.
pub(super) fn preview(
    world: &World,
    terms: Option<&Terms>,
    duration: Seconds,
    verdict: &Verdict,
) -> PreviewView {
    // The form asks for the ticket; everything else is as the catalogue has it.
    let without_ticket = terms
        .filter(|_| only_a_ticket(verdict))
        .map(|terms| approval_of(terms, duration));
    PreviewView {
        outcome: match verdict.code {
            Code::Automatic => PreviewOutcome::Automatic,
            Code::SelfApproved => PreviewOutcome::SelfApproved,
            Code::NeedsApproval => PreviewOutcome::NeedsApproval,
            Code::BreakGlassOnly => PreviewOutcome::BreakGlass,
            Code::TicketRequired => match without_ticket {
                Some(ApprovalKind::Automatic) => PreviewOutcome::Automatic,
                Some(ApprovalKind::SelfApproved) => PreviewOutcome::SelfApproved,
                Some(ApprovalKind::Needed { .. }) => PreviewOutcome::NeedsApproval,
                Some(ApprovalKind::BreakGlass) => PreviewOutcome::BreakGlass,
                None => PreviewOutcome::Refused,
            },
            _ => PreviewOutcome::Refused,
        },
        reasons: reasons(verdict),
        routes: routes(world, verdict),
        problems: Vec::new(),
        nearest: verdict.nearest.as_ref().map(nearest),
    }
}

fn nearest(one: &Nearest) -> NearestView {
    NearestView {
        duration_seconds: one.duration.map(Seconds::get),
        start: one.start.map(names::ms),
        reason_chars: one.reason_chars.map(names::count),
        needs_ticket: one.ticket,
        as_break_glass: one.break_glass,
        without_break_glass: one.without_break_glass,
    }
}

/// The ways that a verdict has, as nobody has reviewed anything yet.
pub(super) fn routes(world: &World, verdict: &Verdict) -> Vec<RouteView> {
    let routes = verdict.routes.iter();
    routes
        .map(|route| RouteView {
            rule: route.rule.to_string(),
            approvals_needed: route.approvals,
            approvals_given: u32::from(route.self_counts),
            max_duration_seconds: route.max_duration.get(),
            approvers: names::names(world, &route.approvers),
            approvers_total: names::count(route.approvers.len()),
            usually_seconds: None,
        })
        .collect()
}

/// Whether nothing is missing but a ticket.
fn only_a_ticket(verdict: &Verdict) -> bool {
    verdict.nearest.is_some_and(|nearest| {
        let same = nearest.duration.is_none()
            && nearest.start.is_none()
            && nearest.reason_chars.is_none()
            && !nearest.break_glass
            && !nearest.without_break_glass;
        nearest.ticket && same
    })
}

/// A verdict's reasons as pages know them, each once.
pub(super) fn reasons(verdict: &Verdict) -> Vec<Shown> {
    let mut shown: Vec<Shown> = Vec::new();
    for reason in verdict
        .reasons
        .iter()
        .filter_map(|reason| reason_view(verdict, reason))
    {
        if !shown.contains(&reason) {
            shown.push(reason);
        }
    }
    shown
}

fn reason_view(verdict: &Verdict, reason: &Reason) -> Option<Shown> {
    let shown = match reason {
        Reason::GrantsAtOnce { rule } => Shown::Automatic {
            rule: rule.to_string(),
        },
        Reason::SelfCounts { rule } if verdict.code == Code::SelfApproved => Shown::SelfApproved {
            rule: rule.to_string(),
        },
        Reason::Open {
            rule, approvals, ..
        } => Shown::NeedsApproval {
            rule: rule.to_string(),
            approvals: *approvals,
        },
        Reason::NoRule => Shown::NoRule,
        Reason::NotARequester { .. } => Shown::RequesterNotAllowed,
        Reason::Protected { .. } => Shown::ProtectedAccount,
        Reason::TooFewApprovers {
            rule,
            needed,
            found,
        } => Shown::NoApprovers {
            rule: rule.to_string(),
            needed: *needed,
            found: *found,
        },
        Reason::LongerThanRule { max, .. } => Shown::TooLong {
            max_seconds: max.get(),
        },
        Reason::ShorterThanMin { min, .. } => Shown::TooShort {
            min_seconds: min.get(),
        },
        Reason::ReasonTooShort { min, .. } => Shown::ReasonTooShort {
            min_chars: names::count(*min),
        },
        Reason::ReasonTooLong { .. } => Shown::ReasonTooLong {
            max_chars: names::count(REASON_MAX),
        },
        Reason::NotAvailable
        | Reason::RequesterInactive
        | Reason::UnknownTarget { .. }
        | Reason::GroupsUnknown { .. } => Shown::NotAvailable,
        Reason::HoldingsUnknown { .. }
        | Reason::PolicyGroup { .. }
        | Reason::ManagementAccount { .. }
        | Reason::ProvisionedInManagement { .. }
        | Reason::Denied { .. }
        | Reason::SessionTooLong { .. }
        | Reason::TooFarAhead { .. }
        | Reason::OutsideHours { .. }
        | Reason::ContinuousTooLong { .. }
        | Reason::TicketRequired { .. }
        | Reason::TicketInvalid { .. }
        | Reason::TicketTooLong
        | Reason::Shortened { .. }
        | Reason::MoreApprovals { .. }
        | Reason::NoSelfApproval { .. }
        | Reason::BreakGlassDenied { .. }
        | Reason::AsksAfterwards { .. } => Shown::Policy {
            sentence: reason.sentence(),
        },
        // These explain other reasons to those who write policies; pages show the outcome.
        Reason::SelfCounts { .. }
        | Reason::ApprovalRequired { .. }
        | Reason::SelfApprovalDenied { .. } => return None,
    };
    Some(shown)
}

/// Names of the approvers of several routes, each once.
pub(super) fn approvers(world: &World, verdict: &Verdict) -> Vec<String> {
    let all: BTreeSet<_> = verdict.approvers();
    names::names(world, &all)
}
