//! What a person's rules give them for one target: DESIGN's steps 1, 3 and 4, before the numbers of
//! a proposal are looked at. Deciding, reviewing and the catalogue all go through here, so they
//! cannot disagree.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::language::{Approval, SelfApproval};
use super::verdict::Route;
use super::{Found, Policy, Rule};
use crate::id::UserId;

/// The rules that have a say in one person's access to one target.
#[derive(Debug, Default)]
pub(crate) struct Say<'p> {
    /// All that cover the target.
    pub(crate) matching: Vec<&'p Rule>,
    /// Those whose requesters include the person: each is a route.
    pub(crate) eligible: Vec<&'p Rule>,
    /// Those whose prohibitions bind the person: the eligible ones, and those whose list of
    /// requesters names someone who could not be found. A misspelt name must not lift a prohibition.
    pub(crate) binding: Vec<&'p Rule>,
    /// One whose groups were not all read: nothing can be decided.
    pub(crate) unknown: Option<&'p Rule>,
}

impl<'p> Say<'p> {
    pub(super) fn of(
        policy: &'p Policy,
        target: &Found<'_>,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> Self {
        let mut say = Self::default();
        for rule in policy.rules().iter().filter(|rule| rule.covers(target)) {
            say.add(rule, requester, facts);
        }
        say
    }

    /// Counts in a rule that covers the target.
    pub(crate) fn add(&mut self, rule: &'p Rule, requester: &UserId, facts: &Facts<'_>) {
        self.matching.push(rule);
        if !rule.is_known(facts) {
            self.unknown.get_or_insert(rule);
        }
        let eligible = rule.requesters.includes(requester, facts);
        if eligible {
            self.eligible.push(rule);
        }
        if eligible || rule.requesters.incomplete {
            self.binding.push(rule);
        }
    }
}

/// The routes that are open, each whole in itself.
#[derive(Debug)]
pub(crate) struct Routes<'p> {
    /// Rules that grant at once. Empty if [`Routes::approval_required_by`] says so.
    pub(crate) automatic: Vec<&'p Rule>,
    /// Ways through approvers, whether or not there are enough of them.
    pub(crate) waiting: Vec<Route>,
    /// The rule that cancels automatic approval, if there was any to cancel.
    pub(crate) approval_required_by: Option<&'p Rule>,
    /// The rule that forbids this requester to approve for themselves, if any rule would allow it.
    pub(crate) self_approval_denied_by: Option<&'p Rule>,
}

/// How a person can get to the target, by the rules that have a say.
pub(crate) fn routes<'p>(
    say: &Say<'p>,
    requester: &UserId,
    min_duration: super::Seconds,
    facts: &Facts<'_>,
) -> Routes<'p> {
    let (grants, asks): (Vec<&Rule>, Vec<&Rule>) = say
        .eligible
        .iter()
        .partition(|rule| rule.approval == Some(Approval::None));
    let required = say
        .binding
        .iter()
        .copied()
        .find(|rule| rule.approval == Some(Approval::Required));
    let self_denied = say.binding.iter().copied().find(|rule| {
        rule.self_approval == Some(SelfApproval::Deny)
            && (rule.approvers.incomplete || rule.approvers.includes(requester, facts))
    });

    let mut self_approval_denied_by = None;
    let mut waiting = Vec::new();
    let with_approvers = grants.iter().filter(|rule| !rule.approvers.is_nobody());
    for rule in asks.iter().chain(with_approvers) {
        let mut approvers = rule.approvers.members(facts);
        let own = approvers.remove(requester);
        let allowed = own && rule.self_approval == Some(SelfApproval::Allow);
        if allowed && self_denied.is_some() {
            self_approval_denied_by = self_denied;
        }
        waiting.push(Route {
            rule: rule.name.clone(),
            approvals: rule.approvals,
            approvers,
            max_duration: rule.max_duration,
            durations: rule.offered(min_duration),
            self_counts: allowed && self_denied.is_none(),
        });
    }
    waiting.sort_by(|a, b| a.rule.cmp(&b.rule));
    Routes {
        approval_required_by: required.filter(|_| !grants.is_empty()),
        automatic: if required.is_some() {
            Vec::new()
        } else {
            grants
        },
        waiting,
        self_approval_denied_by,
    }
}

impl Route {
    /// How many people other than the requester have to agree.
    #[must_use]
    pub fn needed_from_others(&self) -> u32 {
        self.approvals.saturating_sub(u32::from(self.self_counts))
    }

    /// Whether this person's word counts on it, the requester's own included where it does.
    pub(super) fn counts(&self, person: &UserId, requester: &UserId) -> bool {
        if person == requester {
            self.self_counts
        } else {
            self.approvers.contains(person)
        }
    }

    /// Whether there are that many.
    #[must_use]
    pub fn can_complete(&self) -> bool {
        self.approvers.len() >= self.needed_from_others() as usize
    }
}

impl Rule {
    /// What a form offers: what the rule lists, or the usual lengths up to its longest, and that.
    pub(crate) fn offered(&self, min: super::Seconds) -> Vec<super::Seconds> {
        /// In minutes: a quarter of an hour to a day, each about twice the one before.
        const USUAL: [u32; 8] = [15, 30, 60, 120, 240, 480, 720, 1_440];
        if !self.durations.is_empty() {
            return self.durations.clone();
        }
        let offered: BTreeSet<super::Seconds> = USUAL
            .into_iter()
            .map(super::Seconds::from_minutes)
            .filter(|usual| (min..=self.max_duration).contains(usual))
            .chain([self.max_duration])
            .collect();
        offered.into_iter().collect()
    }

    /// The way in that asks nobody.
    pub(crate) fn automatic_route(&self, min: super::Seconds) -> Route {
        Route {
            rule: self.name.clone(),
            approvals: 0,
            approvers: BTreeSet::new(),
            max_duration: self.max_duration,
            durations: self.offered(min),
            self_counts: false,
        }
    }
}
