//! Judging a proposal, in the order of DESIGN's section 6.

use serde::{Deserialize, Serialize};

use super::facts::Facts;
use super::language::REASON_MAX;
use super::route::{Routes, Say, routes};
use super::seconds::Seconds;
use super::verdict::{Code, Nearest, Outcome, Reason, Route, Verdict};
use super::{Found, Policy};
use crate::id::UserId;
use crate::target::Target;

/// What somebody would like to have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    /// Who.
    pub requester: UserId,
    /// What.
    pub target: Target,
    /// For how long.
    pub duration: Seconds,
    /// How many characters their reason has, not counting space around it.
    pub reason_chars: usize,
}

/// What the policy says of the proposal, with these facts.
#[must_use]
pub fn decide(policy: &Policy, proposal: &Proposal, facts: &Facts<'_>) -> Verdict {
    let mut verdict = Verdict {
        policy: policy.version().clone(),
        outcome: Outcome::Refused,
        code: Code::NotAvailable,
        granted_by: None,
        eligible: Vec::new(),
        routes: Vec::new(),
        reasons: Vec::new(),
        nearest: None,
    };
    let requester = &proposal.requester;
    if !facts.is_active(requester) {
        return verdict.refused(Code::RequesterInactive, Reason::RequesterInactive);
    }
    let target = &proposal.target;
    let Some(found) = Found::of(target, facts.directory) else {
        let target = target.clone();
        return verdict.refused(Code::UnknownTarget, Reason::UnknownTarget { target });
    };
    let say = Say::of(policy, &found, requester, facts);
    verdict.eligible = say.eligible.iter().map(|rule| rule.name.clone()).collect();
    let account = &found.account.id;
    if policy.is_protected(account) {
        let account = account.clone();
        return verdict.refused(Code::Protected, Reason::Protected { account });
    }
    if say.matching.is_empty() {
        return verdict.refused(Code::NoRule, Reason::NoRule);
    }
    if let Some(rule) = say.unknown {
        let rule = rule.name.clone();
        return verdict.refused(Code::CannotTell, Reason::GroupsUnknown { rule });
    }
    for rule in &say.matching {
        if !say
            .eligible
            .iter()
            .any(|eligible| eligible.name == rule.name)
        {
            let rule = rule.name.clone();
            verdict.reasons.push(Reason::NotARequester { rule });
        }
    }
    if say.eligible.is_empty() {
        verdict.code = Code::RequesterNotAllowed;
        return verdict;
    }
    let routes = routes(&say, requester, policy.min_duration(), facts);
    judge(verdict, &routes, proposal, policy)
}

impl Verdict {
    fn refused(mut self, code: Code, reason: Reason) -> Self {
        self.outcome = Outcome::Refused;
        self.code = code;
        self.reasons.push(reason);
        self
    }
}

/// The numbers of the proposal against the routes that are open.
fn judge(
    mut verdict: Verdict,
    routes: &Routes<'_>,
    proposal: &Proposal,
    policy: &Policy,
) -> Verdict {
    explain(&mut verdict, routes, proposal.duration);
    let asked = proposal.duration;
    let min = policy.min_duration();
    let automatic = routes
        .automatic
        .iter()
        .find(|rule| asked <= rule.max_duration);
    let admitting: Vec<&Route> = routes
        .waiting
        .iter()
        .filter(|route| asked <= route.max_duration)
        .collect();
    let open: Vec<Route> = admitting
        .iter()
        .filter(|route| route.can_complete())
        .map(|route| (*route).clone())
        .collect();

    let mut refusal = None;
    let mut nearest = Nearest::default();
    if asked < min {
        refusal = Some(Code::TooShort);
        nearest.duration = Some(min).filter(|min| routes.longest().is_some_and(|max| *min <= max));
        verdict.reasons.push(Reason::ShorterThanMin { asked, min });
    } else if automatic.is_none() && open.is_empty() {
        let some_way = !routes.automatic.is_empty() || !routes.waiting.is_empty();
        let too_long = some_way && admitting.is_empty();
        refusal = Some(if too_long {
            Code::TooLong
        } else {
            Code::NoApprovers
        });
        nearest.duration = routes.longest().filter(|longest| *longest >= min);
    }
    let given = proposal.reason_chars;
    if given < policy.reason_min() {
        let min = policy.reason_min();
        refusal.get_or_insert(Code::ReasonTooShort);
        nearest.reason_chars = Some(min);
        verdict.reasons.push(Reason::ReasonTooShort { given, min });
    } else if given > REASON_MAX {
        refusal.get_or_insert(Code::ReasonTooLong);
        nearest.reason_chars = Some(REASON_MAX);
        verdict.reasons.push(Reason::ReasonTooLong { given });
    }
    if let Some(code) = refusal {
        verdict.code = code;
        // A better reason alone helps nobody whose access has no length that would be allowed.
        let hopeless = code != Code::ReasonTooShort
            && code != Code::ReasonTooLong
            && nearest.duration.is_none();
        verdict.nearest = Some(nearest).filter(|_| !hopeless);
        return verdict;
    }
    if let Some(rule) = automatic {
        return verdict.granted(Code::Automatic, rule.automatic_route(min));
    }
    if let Some(route) = open.iter().find(|route| route.needed_from_others() == 0) {
        return verdict.granted(Code::SelfApproved, route.clone());
    }
    verdict.outcome = Outcome::Pending;
    verdict.code = Code::NeedsApproval;
    verdict.routes = open;
    verdict
}

impl Verdict {
    fn granted(mut self, code: Code, route: Route) -> Self {
        self.outcome = Outcome::Granted;
        self.code = code;
        self.granted_by = Some(route.rule.clone());
        self.routes = vec![route];
        self
    }
}

impl Routes<'_> {
    /// The longest access that some route can lead to.
    pub(crate) fn longest(&self) -> Option<Seconds> {
        let automatic = self.automatic.iter().map(|rule| rule.max_duration);
        let waiting = self
            .waiting
            .iter()
            .filter(|route| route.can_complete())
            .map(|route| route.max_duration);
        automatic.chain(waiting).max()
    }
}

fn explain(verdict: &mut Verdict, routes: &Routes<'_>, asked: Seconds) {
    let reasons = &mut verdict.reasons;
    for rule in &routes.automatic {
        let name = rule.name.clone();
        reasons.push(Reason::GrantsAtOnce { rule: name });
        too_long(&rule.name, rule.max_duration, asked, reasons);
    }
    if let Some(rule) = routes.approval_required_by {
        let rule = rule.name.clone();
        reasons.push(Reason::ApprovalRequired { rule });
    }
    if let Some(rule) = routes.self_approval_denied_by {
        let rule = rule.name.clone();
        reasons.push(Reason::SelfApprovalDenied { rule });
    }
    let automatic = |route: &Route| routes.automatic.iter().any(|rule| rule.name == route.rule);
    for route in routes.waiting.iter().filter(|route| !automatic(route)) {
        let rule = route.rule.clone();
        let approvers = u32::try_from(route.approvers.len()).unwrap_or(u32::MAX);
        reasons.push(if route.can_complete() {
            Reason::Open {
                rule,
                approvals: route.approvals,
                approvers,
            }
        } else {
            Reason::TooFewApprovers {
                rule,
                needed: route.needed_from_others(),
                found: approvers,
            }
        });
        if route.self_counts {
            let rule = route.rule.clone();
            reasons.push(Reason::SelfCounts { rule });
        }
        too_long(&route.rule, route.max_duration, asked, reasons);
    }
}

fn too_long(rule: &super::RuleName, max: Seconds, asked: Seconds, reasons: &mut Vec<Reason>) {
    if asked > max {
        let rule = rule.clone();
        reasons.push(Reason::LongerThanRule { rule, asked, max });
    }
}
