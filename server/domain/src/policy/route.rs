//! What a person's rules give them for one target: DESIGN's steps 1 to 4 and 7, before the numbers
//! of a proposal are looked at. Deciding, reviewing and the catalogue all go through here, so they
//! cannot disagree.

use std::collections::BTreeSet;

use super::facts::Facts;
use super::found::Found;
use super::guardrail::Fence;
use super::language::{Approval, MAX_APPROVALS, RuleName, SelfApproval};
use super::seconds::Seconds;
use super::verdict::Route;
use super::{Policy, Rule};
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
    pub(crate) fn of(
        policy: &'p Policy,
        target: &Found<'_>,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> Self {
        Self::among(
            policy.rules().iter().filter(|rule| rule.covers(target)),
            requester,
            facts,
        )
    }

    /// Of rules that all cover the target.
    pub(crate) fn among(
        covering: impl Iterator<Item = &'p Rule>,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> Self {
        let mut say = Self::default();
        let active = facts.is_active(requester);
        for rule in covering {
            say.matching.push(rule);
            let requesters = rule.requesters.names(requester, facts);
            if !(requesters.known && rule.approvers.is_known(facts)) {
                say.unknown.get_or_insert(rule);
            }
            let eligible = active && requesters.included;
            if eligible {
                say.eligible.push(rule);
            }
            if eligible || rule.requesters.incomplete {
                say.binding.push(rule);
            }
        }
        say
    }
}

/// One way to the target, by one rule, with what guardrails leave of it.
#[derive(Debug, Clone)]
pub(crate) struct Way<'p> {
    pub(crate) rule: &'p Rule,
    /// How many have to agree, the requester included where they count; none if nobody is asked.
    /// For break-glass: how many have to sign afterwards.
    pub(crate) approvals: u32,
    /// The longest access by this way.
    pub(crate) max_duration: Seconds,
    /// Whether the requester is one of those who agree.
    pub(crate) self_counts: bool,
    /// The other people who could agree.
    pub(crate) others: Others,
}

/// The people other than the requester who could agree under a rule.
#[derive(Debug, Clone)]
pub(crate) enum Others {
    /// How many, where that is all that is asked for: beyond [`MAX_APPROVALS`], more make no
    /// difference and are not counted.
    Counted(u32),
    /// Who they are.
    Known(BTreeSet<UserId>),
}

impl Others {
    pub(crate) fn counted(rule: &Rule, requester: &UserId, facts: &Facts<'_>) -> u32 {
        rule.approvers.count(facts, requester, MAX_APPROVALS)
    }

    pub(crate) fn known(rule: &Rule, requester: &UserId, facts: &Facts<'_>) -> Self {
        Self::Known(rule.approvers.members(facts, requester))
    }

    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Counted(count) => *count,
            Self::Known(people) => u32::try_from(people.len()).unwrap_or(u32::MAX),
        }
    }
}

impl Way<'_> {
    /// How many people other than the requester have to agree.
    pub(crate) fn needed_from_others(&self) -> u32 {
        self.approvals.saturating_sub(u32::from(self.self_counts))
    }

    /// Whether there are that many.
    pub(crate) fn can_complete(&self) -> bool {
        self.others.count() >= self.needed_from_others()
    }

    /// With everyone who could agree, for verdicts and reviews.
    pub(crate) fn route(&self, requester: &UserId, facts: &Facts<'_>, min: Seconds) -> Route {
        let approvers = match &self.others {
            _ if self.approvals == 0 => BTreeSet::new(),
            Others::Known(people) => people.clone(),
            Others::Counted(_) => self.rule.approvers.members(facts, requester),
        };
        Route {
            rule: self.rule.name.clone(),
            approvals: self.approvals,
            approvers,
            max_duration: self.max_duration,
            durations: self.offered(min),
            self_counts: self.self_counts,
        }
    }

    /// What a form offers: what the rule lists, or the usual lengths up to its longest, and that.
    pub(crate) fn offered(&self, min: Seconds) -> Vec<Seconds> {
        /// In minutes: a quarter of an hour to a day, each about twice the one before.
        const USUAL: [u32; 8] = [15, 30, 60, 120, 240, 480, 720, 1_440];
        let usual = USUAL.into_iter().map(Seconds::from_minutes);
        let listed = self.rule.durations.iter().copied();
        let within = |offered: &Seconds| (min..=self.max_duration).contains(offered);
        let offered: BTreeSet<Seconds> = if self.rule.durations.is_empty() {
            usual.filter(within).chain([self.max_duration]).collect()
        } else {
            let listed: BTreeSet<Seconds> = listed.filter(within).collect();
            if listed.is_empty() {
                // A guardrail is below all that the rule lists: what it leaves is offered.
                BTreeSet::from([self.max_duration])
            } else {
                listed
            }
        };
        offered
            .into_iter()
            .filter(|offered| *offered >= min)
            .collect()
    }
}

/// The ways that are open, each whole in itself.
#[derive(Debug)]
pub(crate) struct Routes<'p> {
    /// Rules that grant at once. Empty if [`Routes::approval_required_by`] says so.
    pub(crate) automatic: Vec<Way<'p>>,
    /// Rules that let in first and ask afterwards.
    pub(crate) break_glass: Vec<Way<'p>>,
    /// Ways through approvers, whether or not there are enough of them.
    pub(crate) waiting: Vec<Way<'p>>,
    /// The rule that cancels automatic approval, if there was any to cancel.
    pub(crate) approval_required_by: Option<&'p RuleName>,
    /// The rule that forbids this requester to approve for themselves, if any rule would allow it.
    pub(crate) self_approval_denied_by: Option<&'p RuleName>,
    /// The guardrail that forbids everyone to, if any rule would allow it.
    pub(crate) no_self_approval_by: Option<&'p RuleName>,
    /// The guardrail that forbids break-glass, if there was any to forbid.
    pub(crate) break_glass_denied_by: Option<&'p RuleName>,
    /// The guardrail that asks for more approvals than some rule does.
    pub(crate) more_approvals_by: Option<(u32, &'p RuleName)>,
    /// The guardrail that makes some way shorter than its rule.
    pub(crate) shortened_by: Option<(Seconds, &'p RuleName)>,
}

/// How a person can get to the target, by the rules that have a say and within the fence. `own` says
/// whether they are an approver of a rule themselves, `others` who else is.
pub(crate) fn routes<'p>(
    say: &Say<'p>,
    fence: &Fence<'p>,
    own: impl Fn(&Rule) -> bool,
    mut others: impl FnMut(&'p Rule) -> Others,
) -> Routes<'p> {
    let required = say
        .binding
        .iter()
        .find(|rule| rule.approval == Some(Approval::Required))
        .map(|rule| &rule.name);
    let no_self_approval = fence.no_self_approval();
    let self_denied = say
        .binding
        .iter()
        .find(|rule| {
            rule.self_approval == Some(SelfApproval::Deny)
                && (rule.approvers.incomplete || own(rule))
        })
        .map(|rule| &rule.name);
    let max = fence.max_duration();
    let min_approvals = fence.min_approvals();
    let mut routes = Routes {
        automatic: Vec::new(),
        break_glass: Vec::new(),
        waiting: Vec::new(),
        approval_required_by: None,
        self_approval_denied_by: None,
        no_self_approval_by: None,
        break_glass_denied_by: None,
        more_approvals_by: None,
        shortened_by: None,
    };
    for &rule in &say.eligible {
        let max_duration = match max {
            Some((max, name)) if max < rule.max_duration => {
                routes.shortened_by = Some((max, name));
                max
            }
            _ => rule.max_duration,
        };
        let at_once = Way {
            rule,
            approvals: 0,
            max_duration,
            self_counts: false,
            others: Others::Counted(0),
        };
        if rule.approval == Some(Approval::None) {
            if required.is_some() {
                routes.approval_required_by = required;
            } else if min_approvals.is_some() {
                routes.more_approvals_by = min_approvals;
            } else {
                routes.automatic.push(at_once.clone());
            }
            if rule.approvers.is_nobody() {
                continue;
            }
        }
        let break_glass = rule.approval == Some(Approval::After);
        if break_glass && let Some(name) = fence.no_break_glass() {
            routes.break_glass_denied_by = Some(name);
            continue;
        }
        // Nobody signs for themselves.
        let allowed = !break_glass && rule.self_approval == Some(SelfApproval::Allow) && own(rule);
        if allowed {
            routes.self_approval_denied_by = self_denied;
            routes.no_self_approval_by = no_self_approval;
        }
        let self_counts = allowed && self_denied.is_none() && no_self_approval.is_none();
        let more = min_approvals.map_or(0, |(min, _)| min + u32::from(self_counts));
        if more > rule.approvals {
            routes.more_approvals_by = min_approvals;
        }
        let way = Way {
            approvals: rule.approvals.max(more),
            self_counts,
            others: others(rule),
            ..at_once
        };
        if break_glass {
            routes.break_glass.push(way);
        } else {
            routes.waiting.push(way);
        }
    }
    routes
}

impl Routes<'_> {
    /// Every way that leads somewhere, with enough people where people are needed.
    pub(crate) fn open(&self, break_glass: bool) -> impl Iterator<Item = &Way<'_>> {
        self.automatic
            .iter()
            .chain(self.waiting.iter().filter(|way| way.can_complete()))
            .chain(
                self.break_glass
                    .iter()
                    .filter(move |way| break_glass && way.can_complete()),
            )
    }

    /// The longest access that some way leads to, break-glass only where it was asked for.
    pub(crate) fn longest(&self, break_glass: bool) -> Option<Seconds> {
        self.open(break_glass).map(|way| way.max_duration).max()
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
