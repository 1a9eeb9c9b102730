//! Counting agreement: DESIGN's step 6.
//!
//! Nothing is remembered from submission but what was asked: each counted review is judged again,
//! against the policy and the groups of this instant.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::decide::{Proposal, Run, decide};
use super::facts::Facts;
use super::found::Found;
use super::guardrail::Fence;
use super::language::{REASON_MAX, RuleName};
use super::route::{Others, Say, routes};
use super::seconds::Seconds;
use super::verdict::{Code, Route};
use crate::id::UserId;
use crate::target::Target;

/// What is reviewed.
#[derive(Debug, Clone, Copy)]
pub struct AskFacts<'a> {
    /// Who asked.
    pub requester: &'a UserId,
    /// For what.
    pub target: &'a Target,
    /// For how long.
    pub duration: Seconds,
    /// When this is judged.
    pub now: Timestamp,
    /// The later start that was asked for, if one was.
    pub start: Option<Timestamp>,
    /// The access that this would continue without a gap, if there is any.
    pub run: Option<Run>,
    /// The ticket that was named.
    pub ticket: Option<&'a str>,
    /// The rules that were its routes at submission ([`super::Verdict::route_rules`]). Should such a
    /// rule allow less by now, it stays open and gives less; a rule that never allowed so long, and
    /// whose approvers were never asked, does not become a way in.
    pub submitted_routes: &'a [RuleName],
}

impl<'a> AskFacts<'a> {
    /// Of a plain one: now, without a ticket.
    #[must_use]
    pub const fn new(
        requester: &'a UserId,
        target: &'a Target,
        duration: Seconds,
        submitted_routes: &'a [RuleName],
        now: Timestamp,
    ) -> Self {
        Self {
            requester,
            target,
            duration,
            now,
            start: None,
            run: None,
            ticket: None,
            submitted_routes,
        }
    }
}

/// What an approver said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// One person's word on one ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Whose.
    pub reviewer: UserId,
    /// Yes or no.
    pub decision: Decision,
    /// The longest that they agree to. More than was asked counts as what was asked.
    pub duration: Seconds,
    /// When. Of several by one person the latest counts.
    pub at: Timestamp,
}

/// How far one route has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteProgress {
    /// The rule that opens it.
    pub rule: RuleName,
    /// How many have to agree.
    pub approvals: u32,
    /// Who has, and counts today.
    pub counted: BTreeSet<UserId>,
    /// How many are missing.
    pub missing: u32,
    /// Who could still agree.
    pub approvers: BTreeSet<UserId>,
}

/// Where the reviews leave an ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum ReviewOutcome {
    /// More have to agree.
    Open {
        /// By each route.
        routes: Vec<RouteProgress>,
    },
    /// Enough people agreed.
    Completed {
        /// By this route.
        rule: RuleName,
        /// To this long: the N-th longest of what they agreed to, and no more than the route allows.
        duration: Seconds,
        /// Those who did.
        counted: BTreeSet<UserId>,
    },
    /// Someone who could have approved said no.
    DeniedBy {
        /// Who.
        reviewer: UserId,
        /// When.
        at: Timestamp,
    },
    /// Under today's policy and groups nobody could approve it any more.
    NotPossible {
        /// What asking for it would be answered today.
        code: Code,
    },
}

/// Why somebody may not review an ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyNot {
    /// They asked for it themselves.
    OwnRequest,
    /// No route that is open to the requester has them as an approver.
    NotAnApprover,
    /// They are not active in the Identity Store.
    Inactive,
    /// The requester could not have it by any route today, whoever agreed.
    NoRoute,
    /// A guardrail asks for an approver who has signed in just before.
    Reauthenticate,
    /// A group that this depends on could not be read.
    CannotTell,
}

impl WhyNot {
    /// As it is stored and sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OwnRequest => "own-request",
            Self::NotAnApprover => "not-an-approver",
            Self::Inactive => "inactive",
            Self::NoRoute => "no-route",
            Self::Reauthenticate => "reauthenticate",
            Self::CannotTell => "cannot-tell",
        }
    }
}

impl fmt::Display for WhyNot {
    /// A sentence for the reviewer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnRequest => "You asked for this yourself, so someone else has to review it.",
            Self::NotAnApprover => "You are not an approver of this request.",
            Self::Inactive => "You are not active in Identity Center.",
            Self::NoRoute => "The policy no longer allows this access for the requester.",
            Self::Reauthenticate => "This approval needs you to have signed in just before.",
            Self::CannotTell => {
                "A group that this depends on could not be read. Try again in a moment."
            }
        })
    }
}

/// Where these reviews, without those that were retracted, leave the ask.
#[must_use]
pub fn review(
    policy: &Policy,
    ask: &AskFacts<'_>,
    reviews: &[Review],
    facts: &Facts<'_>,
) -> ReviewOutcome {
    let open = match open_routes(policy, ask, facts) {
        Ok(open) => open,
        Err(code) => return ReviewOutcome::NotPossible { code },
    };
    let latest = latest(reviews);
    let denied = latest.values().find(|review| {
        review.decision == Decision::Deny
            && open
                .iter()
                .any(|route| route.counts(&review.reviewer, ask.requester))
    });
    if let Some(review) = denied {
        return ReviewOutcome::DeniedBy {
            reviewer: review.reviewer.clone(),
            at: review.at,
        };
    }
    let counts: Vec<(&Route, BTreeMap<&UserId, Seconds>)> = open
        .iter()
        .map(|route| (route, agreed(route, ask, &latest)))
        .collect();
    // The longest first; of equals the first by name, so that servers agree.
    let completed = counts
        .iter()
        .filter_map(|(route, agreed)| Some((completion(route, agreed)?, *route, agreed)))
        .max_by(|(a, left, _), (b, right, _)| a.cmp(b).then_with(|| right.rule.cmp(&left.rule)));
    if let Some((duration, route, agreed)) = completed {
        return ReviewOutcome::Completed {
            rule: route.rule.clone(),
            duration,
            counted: agreed.keys().map(|user| (*user).clone()).collect(),
        };
    }
    let routes = counts
        .into_iter()
        .map(|(route, agreed)| RouteProgress {
            rule: route.rule.clone(),
            approvals: route.approvals,
            missing: route
                .approvals
                .saturating_sub(u32::try_from(agreed.len()).unwrap_or(u32::MAX)),
            approvers: route
                .approvers
                .iter()
                .filter(|user| !agreed.contains_key(user))
                .cloned()
                .collect(),
            counted: agreed.into_keys().cloned().collect(),
        })
        .collect();
    ReviewOutcome::Open { routes }
}

/// By which rules this person may review the ask now, or why not.
pub fn may_review(
    policy: &Policy,
    ask: &AskFacts<'_>,
    reviewer: &UserId,
    facts: &Facts<'_>,
) -> Result<Vec<RuleName>, WhyNot> {
    if !facts.is_active(reviewer) {
        return Err(WhyNot::Inactive);
    }
    let own = reviewer == ask.requester;
    let open = open_routes(policy, ask, facts).map_err(|code| match code {
        Code::CannotTell => WhyNot::CannotTell,
        _ if own => WhyNot::OwnRequest,
        _ => WhyNot::NoRoute,
    })?;
    let rules: Vec<RuleName> = open
        .into_iter()
        .filter(|route| route.counts(reviewer, ask.requester))
        .map(|route| route.rule)
        .collect();
    match (rules.is_empty(), own) {
        (false, _) => Ok(rules),
        (true, true) => Err(WhyNot::OwnRequest),
        (true, false) => Err(WhyNot::NotAnApprover),
    }
}

/// The ways to approval at this instant, each capped at what was asked and at what guardrails leave
/// of it by now.
fn open_routes(policy: &Policy, ask: &AskFacts<'_>, facts: &Facts<'_>) -> Result<Vec<Route>, Code> {
    let proposal = Proposal {
        ticket: ask.ticket.map(ToOwned::to_owned),
        start: ask.start,
        run: ask.run,
        // The reason was judged when it was given.
        ..Proposal::new(
            ask.requester.clone(),
            ask.target.clone(),
            ask.duration,
            policy.reason_min().min(REASON_MAX),
            ask.now,
        )
    };
    let today = || {
        let verdict = decide(policy, &proposal, facts);
        match verdict.code {
            // It would be granted without a review, but reviews are what was asked about: whoever
            // wants it so asks anew.
            Code::Automatic | Code::SelfApproved | Code::NeedsApproval | Code::BreakGlass => {
                Code::NoApprovers
            }
            code => code,
        }
    };
    let found = Found::of(ask.target, facts).ok_or_else(today)?;
    let say = Say::of(policy, &found, ask.requester, facts);
    let fence = Fence::of(policy.guardrails(), &found);
    let stopped = !facts.is_active(ask.requester)
        || found.protected(policy).is_some()
        || found.beyond(facts.directory).is_some()
        || found.is_unknown()
        || say.unknown.is_some()
        || matches!(&found, Found::Group { group, .. } if policy.is_policy_group(&group.id));
    if stopped {
        return Err(today());
    }
    let longest = fence.longest_now(&found, &proposal).map_err(|()| today())?;
    let routes = routes(
        &say,
        &fence,
        |rule| rule.approvers.includes(ask.requester, facts),
        |rule| Others::known(rule, ask.requester, facts),
    );
    let judged = proposal.judged();
    let before = judged.minus(ask.duration);
    let mut open: Vec<Route> = routes
        .waiting
        .iter()
        .filter(|way| judged <= way.max_duration || ask.submitted_routes.contains(&way.rule.name))
        .map(|way| {
            let mut route = way.route(ask.requester, facts, policy.min_duration());
            route.max_duration = way
                .max_duration
                .minus(before)
                .min(ask.duration)
                .min(longest);
            route
        })
        .filter(|route| route.max_duration.get() > 0)
        .collect();
    if open.is_empty() {
        return Err(today());
    }
    open.sort_by(|a, b| a.rule.cmp(&b.rule));
    Ok(open)
}

/// Each person's latest word.
pub(super) fn latest<'r>(
    reviews: impl IntoIterator<Item = &'r Review>,
) -> BTreeMap<&'r UserId, &'r Review> {
    let mut latest: BTreeMap<&UserId, &Review> = BTreeMap::new();
    for review in reviews {
        latest
            .entry(&review.reviewer)
            .and_modify(|known| {
                // At one instant the later in the list is the later.
                if review.at >= known.at {
                    *known = review;
                }
            })
            .or_insert(review);
    }
    latest
}

/// Who agreed on this route, and to how long.
fn agreed<'a>(
    route: &Route,
    ask: &AskFacts<'a>,
    latest: &BTreeMap<&'a UserId, &Review>,
) -> BTreeMap<&'a UserId, Seconds> {
    let mut agreed: BTreeMap<&UserId, Seconds> = latest
        .iter()
        .filter(|(user, review)| {
            review.decision == Decision::Approve
                && review.duration.get() > 0
                && route.approvers.contains(user)
        })
        .map(|(user, review)| (*user, review.duration.min(ask.duration)))
        .collect();
    // Asking is agreeing, where the rule counts that; a requester who changed their mind withdraws.
    if route.self_counts {
        agreed.insert(ask.requester, ask.duration);
    }
    agreed
}

/// The N-th longest, capped by the route; `None` while fewer than N agreed.
fn completion(route: &Route, agreed: &BTreeMap<&UserId, Seconds>) -> Option<Seconds> {
    let mut lengths: Vec<Seconds> = agreed.values().copied().collect();
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let nth = usize::try_from(route.approvals).ok()?.checked_sub(1)?;
    Some((*lengths.get(nth)?).min(route.max_duration))
}
