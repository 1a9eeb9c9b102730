//! The catalogue and the form.

use std::collections::{BTreeMap, BTreeSet};

use app::view::{
    AccessView, AccountView, ApprovalKind, AskFormView, BreakGlassStands, BreakGlassView,
    CurrentView, GroupOfferView, OfferView, OuView, PermissionSetView, PrefillView, PreviewOutcome,
    PreviewView, Reason as Shown, RouteView, SignInAgain, TargetView, TicketView,
};
use domain::catalogue::{CatalogueEntry, Offer as Terms};
use domain::directory::{Account, PermissionSet};
use domain::grant::Grant;
use domain::id::GroupId;
use domain::policy::{Code, Outcome, REASON_MAX, Reason, Seconds, TicketRule, Verdict};
use domain::request::{AskState, Request};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};

use crate::service::{BreakGlassOffer, CONFIRMATION, Offer, RequestDetail};
use crate::world::World;

use super::names;

/// The directory is read every five minutes; at three missed times it is old, and the page says so.
const STALE_AFTER: SignedDuration = SignedDuration::from_secs(15 * 60);

/// What the form chooses first, if policy offers it: long enough for one task.
const USUAL_SECONDS: u32 = 3_600;

/// More than these nobody picks from by ticking; with the rest of the form they stay below the
/// fields that a form may have.
const OTHERS_MAX: usize = 30;

/// What the person has or waits for, by target.
#[derive(Debug, Default)]
pub(super) struct Current(BTreeMap<Target, CurrentView>);

impl Current {
    pub(super) fn of(requests: &[RequestDetail], live: &[Grant]) -> Self {
        let mut current = BTreeMap::new();
        for request in requests.iter().map(|detail| &detail.request) {
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

    fn on(&self, target: &Target) -> Option<CurrentView> {
        self.0.get(target).cloned()
    }
}

/// A line of the catalogue as a target.
fn target_of(entry: &CatalogueEntry) -> Target {
    Target::Account {
        account: entry.account.clone(),
        permission_set: entry.permission_set.clone(),
    }
}

/// The groups, and the catalogue by OU and account.
pub(super) fn view(
    world: &World,
    entries: &[CatalogueEntry],
    groups: &[(GroupId, Terms)],
    current: &Current,
) -> AccessView {
    let mut ous: BTreeMap<String, BTreeMap<(String, String), AccountView>> = BTreeMap::new();
    let mut sets: BTreeMap<String, PermissionSetView> = BTreeMap::new();
    for entry in entries {
        let account = world.directory.accounts.get(&entry.account);
        let set = world.directory.permission_sets.get(&entry.permission_set);
        let (Some(account), Some(set)) = (account, set) else {
            continue;
        };
        sets.entry(set.name.to_string())
            .or_insert_with(|| permission_set(set));
        let offer = OfferView {
            permission_set: set.name.to_string(),
            max_duration_seconds: entry.offer.max_duration.get(),
            approval: approval(&entry.offer),
            current: current.on(&target_of(entry)),
        };
        ous.entry(names::ou_path(&account.ou_path))
            .or_default()
            .entry((account.name.clone(), account.id.to_string()))
            .or_insert_with(|| account_view(account))
            .offers
            .push(offer);
    }
    let read_at = world.directory.read_at.unwrap_or(Timestamp::UNIX_EPOCH);
    AccessView {
        groups: group_offers(world, groups, current),
        ous: ous
            .into_iter()
            .map(|(path, accounts)| OuView {
                path,
                accounts: accounts.into_values().collect(),
            })
            .collect(),
        permission_sets: sets.into_values().collect(),
        directory_at: names::ms(read_at),
        directory_is_stale: read_at
            .saturating_add(STALE_AFTER)
            .is_ok_and(|stale| stale < Timestamp::now()),
    }
}

/// By name, as everything else.
fn group_offers(
    world: &World,
    groups: &[(GroupId, Terms)],
    current: &Current,
) -> Vec<GroupOfferView> {
    let mut offers: Vec<GroupOfferView> = groups
        .iter()
        .filter_map(|(group, terms)| {
            let known = world.directory.groups.get(group)?;
            let target = Target::Group {
                group: group.clone(),
            };
            Some(GroupOfferView {
                id: group.to_string(),
                name: known.name.clone(),
                gives: names::gives(world, group),
                max_duration_seconds: terms.max_duration.get(),
                approval: approval(terms),
                current: current.on(&target),
            })
        })
        .collect();
    offers.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    offers
}

fn account_view(account: &Account) -> AccountView {
    AccountView {
        id: account.id.to_string(),
        name: account.name.clone(),
        tags: account
            .tags
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect(),
        offers: Vec::new(),
    }
}

fn permission_set(set: &PermissionSet) -> PermissionSetView {
    PermissionSetView {
        name: set.name.to_string(),
        description: set.description.clone().unwrap_or_default(),
        session_seconds: set.session_seconds,
    }
}

/// What would happen to a request of the length that the form chooses first.
fn approval(terms: &Terms) -> ApprovalKind {
    if terms.only_break_glass() {
        return ApprovalKind::BreakGlass;
    }
    if terms.needs_approval(first_choice(terms)) {
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
        preview: preview(world, terms, &offer.preview),
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
fn target_view(world: &World, target: &Target) -> Option<TargetView> {
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
                ou_path: names::ou_path(&account.ou_path),
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

/// What else the person may ask for in the same request: the same in other accounts, then others in
/// the same account, then groups, then the rest. Beside a group, other groups come first.
pub(super) fn others(
    world: &World,
    offer: &Offer,
    entries: &[CatalogueEntry],
    groups: &[(GroupId, Terms)],
) -> Vec<TargetView> {
    let distance = |other: &Target| match (&offer.target, other) {
        (
            Target::Account {
                account: own_account,
                permission_set: own_set,
            },
            Target::Account {
                account,
                permission_set,
            },
        ) => match (own_set == permission_set, own_account == account) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 3,
        },
        (_, Target::Group { .. }) => 2,
        (Target::Group { .. }, Target::Account { .. }) => 3,
    };
    let groups = groups.iter().map(|(group, _)| Target::Group {
        group: group.clone(),
    });
    let all = entries.iter().map(target_of).chain(groups);
    let mut others: Vec<((u8, String, String), Target)> = all
        .filter(|other| *other != offer.target)
        .filter_map(|other| {
            let (first, second) = match &other {
                Target::Account {
                    account,
                    permission_set,
                } => (
                    world.directory.accounts.get(account)?.name.clone(),
                    world
                        .directory
                        .permission_sets
                        .get(permission_set)?
                        .name
                        .to_string(),
                ),
                Target::Group { group } => {
                    let group = world.directory.groups.get(group)?;
                    (group.name.clone(), group.id.to_string())
                }
            };
            Some(((distance(&other), first, second), other))
        })
        .collect();
    others.sort();
    others.truncate(OTHERS_MAX);
    others
        .into_iter()
        .filter_map(|(_, other)| target_view(world, &other))
        .map(names::listed)
        .collect()
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

fn preview(world: &World, terms: &Terms, verdict: &Verdict) -> PreviewView {
    PreviewView {
        outcome: match verdict.code {
            Code::Automatic => PreviewOutcome::Automatic,
            Code::SelfApproved => PreviewOutcome::SelfApproved,
            Code::NeedsApproval => PreviewOutcome::NeedsApproval,
            Code::BreakGlassOnly => PreviewOutcome::BreakGlass,
            // The form asks for the ticket; everything else is as the catalogue has it.
            Code::TicketRequired if only_a_ticket(verdict) => match approval(terms) {
                ApprovalKind::Automatic => PreviewOutcome::Automatic,
                ApprovalKind::SelfApproved => PreviewOutcome::SelfApproved,
                ApprovalKind::Needed { .. } => PreviewOutcome::NeedsApproval,
                ApprovalKind::BreakGlass => PreviewOutcome::BreakGlass,
            },
            _ => PreviewOutcome::Refused,
        },
        reasons: reasons(verdict),
        routes: verdict
            .routes
            .iter()
            .map(|route| RouteView {
                rule: route.rule.to_string(),
                approvals_needed: route.approvals,
                approvals_given: u32::from(route.self_counts),
                max_duration_seconds: route.max_duration.get(),
                approvers: names::names(world, &route.approvers),
                approvers_total: names::count(route.approvers.len()),
            })
            .collect(),
    }
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
