//! Judging a proposal, in the order of DESIGN's section 6.

mod judge;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use self::judge::Judge;
use super::Policy;
use super::facts::Facts;
use super::found::Found;
use super::guardrail::Fence;
use super::route::{Others, Say, routes};
use super::seconds::Seconds;
use super::verdict::{Code, Outcome, Reason, Verdict};
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
    /// The ticket that they name.
    pub ticket: Option<String>,
    /// When this is judged.
    pub now: Timestamp,
    /// A later start; `None`, or an instant that has passed, is as soon as possible.
    pub start: Option<Timestamp>,
    /// Access to the same target that this would continue without a gap.
    pub run: Option<Run>,
    /// Whether they go in first and explain afterwards.
    pub break_glass: BreakGlass,
}

/// Access that is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When it began, without a gap since.
    pub from: Timestamp,
    /// Whether the proposal is to extend it: then all of it is judged as one window.
    pub extended: bool,
}

/// Going in first and explaining afterwards.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakGlass {
    /// Not what they ask for.
    #[default]
    No,
    /// They typed that they want it.
    Asked,
    /// They want it, and an earlier one of theirs is not signed yet.
    AskedWhileUnsigned,
    /// They want it, and it is closed for them since an approver rejected an earlier one.
    AskedWhileClosed,
}

impl Proposal {
    /// A plain one: now, without a ticket.
    #[must_use]
    pub const fn new(
        requester: UserId,
        target: Target,
        duration: Seconds,
        reason_chars: usize,
        now: Timestamp,
    ) -> Self {
        Self {
            requester,
            target,
            duration,
            reason_chars,
            ticket: None,
            now,
            start: None,
            run: None,
            break_glass: BreakGlass::No,
        }
    }

    /// When access would begin, if nobody had to be waited for.
    pub(super) fn begins(&self) -> Timestamp {
        self.start.map_or(self.now, |start| start.max(self.now))
    }

    /// How much of the run lies before what begins at that instant.
    pub(super) fn run_before(&self, begins: Timestamp) -> Seconds {
        let before = self
            .run
            .map_or(SignedDuration::ZERO, |run| begins.duration_since(run.from));
        Seconds::new(u32::try_from(before.as_secs()).unwrap_or_default())
    }

    fn extends(&self) -> bool {
        self.run.is_some_and(|run| run.extended)
    }

    /// The window that routes are asked for: all of it, where it extends what is going on.
    pub(super) fn judged(&self) -> Seconds {
        if self.extends() {
            self.run_before(self.begins()).plus(self.duration)
        } else {
            self.duration
        }
    }
}

/// What the policy says of the proposal, with these facts.
#[must_use]
pub fn decide(policy: &Policy, proposal: &Proposal, facts: &Facts<'_>) -> Verdict {
    let covering = |found: &Found<'_>| {
        (
            Say::of(policy, found, &proposal.requester, facts),
            Fence::of(policy.guardrails(), found),
        )
    };
    decide_among(policy, proposal, facts, covering)
}

/// The same, with the rules and guardrails that cover the target found some other way.
pub(crate) fn decide_among<'p>(
    policy: &'p Policy,
    proposal: &Proposal,
    facts: &Facts<'_>,
    covering: impl FnOnce(&Found<'_>) -> (Say<'p>, Fence<'p>),
) -> Verdict {
    let mut verdict = Verdict {
        policy: policy.version().clone(),
        outcome: Outcome::Refused,
        code: Code::NotAvailable,
        granted_by: None,
        eligible: Vec::new(),
        routes: Vec::new(),
        reasons: Vec::new(),
        nearest: None,
        reauthenticate: false,
    };
    let requester = &proposal.requester;
    if !facts.is_active(requester) {
        return verdict.refused(Code::RequesterInactive, Reason::RequesterInactive);
    }
    let target = &proposal.target;
    let Some(found) = Found::of(target, facts) else {
        let target = target.clone();
        return verdict.refused(Code::UnknownTarget, Reason::UnknownTarget { target });
    };
    let (say, fence) = covering(&found);
    verdict.eligible = say.eligible.iter().map(|rule| rule.name.clone()).collect();
    if let Some(account) = found.protected(policy) {
        return verdict.refused(Code::Protected, Reason::Protected { account });
    }
    if let Some(reason) = found.beyond(facts.directory) {
        return verdict.refused(Code::BeyondReach, reason);
    }
    if say.matching.is_empty() {
        return verdict.refused(Code::NoRule, Reason::NoRule);
    }
    if let Found::Group { group, .. } = &found
        && policy.is_policy_group(&group.id)
    {
        let group = group.id.clone();
        return verdict.refused(Code::PolicyGroup, Reason::PolicyGroup { group });
    }
    if let Some(rule) = say.unknown {
        let rule = rule.name.clone();
        return verdict.refused(Code::CannotTell, Reason::GroupsUnknown { rule });
    }
    if found.is_unknown() {
        let target = target.clone();
        return verdict.refused(Code::CannotTell, Reason::HoldingsUnknown { target });
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
    verdict.reauthenticate = fence.reauthenticate().is_some();
    let routes = routes(
        &say,
        &fence,
        |rule| rule.approvers.includes(requester, facts),
        |rule| Others::known(rule, requester, facts),
    );
    Judge::new(verdict, &routes, &fence, proposal, policy).judge(&found, facts)
}

impl Verdict {
    fn refused(mut self, code: Code, reason: Reason) -> Self {
        self.outcome = Outcome::Refused;
        self.code = code;
        self.reasons.push(reason);
        self
    }
}
