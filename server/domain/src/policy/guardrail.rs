//! Guardrails: what no rule can give, whoever asks.
//!
//! They have no requesters, so nobody is outside them, and no word that allows anything, so adding
//! one never widens what a policy gives.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decide::Proposal;
use super::found::Found;
use super::hours::Hours;
use super::language::{Limits, MAX_START_AHEAD, RuleName};
use super::scope::Scope;
use super::seconds::Seconds;
use super::ticket::TicketRule;

/// One guardrail: what it covers and what it says of that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Guardrail {
    pub(crate) name: RuleName,
    pub(crate) scope: Scope,
    pub(super) limits: Limits,
}

impl Guardrail {
    pub(crate) const fn max_session(&self) -> Option<Seconds> {
        self.limits.max_session
    }
}

/// All guardrails that cover one target, taken together: of each limit the strictest.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fence<'p> {
    guardrails: Vec<&'p Guardrail>,
}

impl<'p> Fence<'p> {
    pub(crate) fn of(guardrails: &'p [Guardrail], target: &Found<'_>) -> Self {
        guardrails
            .iter()
            .filter(|guardrail| guardrail.covers(target))
            .collect()
    }

    /// Whether nobody gets anything here.
    pub(crate) fn denies(&self) -> bool {
        self.denied_by().next().is_some()
    }

    /// Whether nobody gets this target, whatever the numbers of a proposal.
    pub(crate) fn shuts_out(&self, found: &Found<'_>) -> bool {
        self.denies()
            || found
                .longest_session()
                .zip(self.max_session())
                .is_some_and(|((session, _), (max, _))| session > max.get())
    }

    pub(crate) fn has_hours(&self) -> bool {
        self.hours().next().is_some()
    }

    pub(super) fn denied_by(&self) -> impl Iterator<Item = &'p RuleName> {
        self.that(|limits| limits.deny)
    }

    /// The shortest of the longest.
    pub(crate) fn max_duration(&self) -> Option<(Seconds, &'p RuleName)> {
        self.least(|limits| limits.max_duration)
    }

    pub(super) fn max_session(&self) -> Option<(Seconds, &'p RuleName)> {
        self.least(|limits| limits.max_session)
    }

    pub(crate) fn max_continuous(&self) -> Option<(Seconds, &'p RuleName)> {
        self.least(|limits| limits.max_continuous)
    }

    /// How far ahead access may begin, and the guardrail that says so if one does.
    pub(super) fn max_start_ahead(&self) -> (Seconds, Option<&'p RuleName>) {
        self.least(|limits| limits.max_start_ahead)
            .map_or((MAX_START_AHEAD, None), |(max, name)| (max, Some(name)))
    }

    /// How many people other than the requester have to agree, at least.
    pub(crate) fn min_approvals(&self) -> Option<(u32, &'p RuleName)> {
        self.guardrails
            .iter()
            .filter(|guardrail| guardrail.limits.min_approvals > 0)
            .map(|guardrail| (guardrail.limits.min_approvals, &guardrail.name))
            .max_by(|(a, left), (b, right)| a.cmp(b).then_with(|| right.cmp(left)))
    }

    pub(crate) fn no_self_approval(&self) -> Option<&'p RuleName> {
        self.that(|limits| limits.no_self_approval).next()
    }

    pub(crate) fn no_break_glass(&self) -> Option<&'p RuleName> {
        self.that(|limits| limits.no_break_glass).next()
    }

    pub(crate) fn reauthenticate(&self) -> Option<&'p RuleName> {
        self.that(|limits| limits.reauthenticate).next()
    }

    pub(crate) fn tickets(&self) -> impl Iterator<Item = (&'p TicketRule, &'p RuleName)> {
        self.guardrails
            .iter()
            .filter_map(|guardrail| Some((guardrail.limits.ticket.as_ref()?, &guardrail.name)))
    }

    fn hours(&self) -> impl Iterator<Item = (&'p Hours, &'p RuleName)> + Clone {
        self.guardrails
            .iter()
            .filter_map(|guardrail| Some((guardrail.limits.hours.as_ref()?, &guardrail.name)))
    }

    /// How long access may last that begins at that instant, by the hours of every guardrail: `None`
    /// if no guardrail has any, nothing outside of one.
    pub(super) fn hours_left(&self, start: Timestamp) -> Option<(Seconds, &'p RuleName)> {
        self.hours()
            .map(|(hours, name)| (hours.left(start).unwrap_or_default(), name))
            .min()
    }

    /// What is left of the proposal's length by everything that may change while a request waits: `Err`
    /// if nothing can be given now.
    pub(super) fn longest_now(
        &self,
        found: &Found<'_>,
        proposal: &Proposal,
    ) -> Result<Seconds, ()> {
        let ticket = proposal.ticket.as_deref();
        let no_ticket = self.tickets().any(|(rule, _)| !rule.accepts(ticket));
        let mut longest = proposal.duration;
        if let Some((left, _)) = self.hours_left(proposal.begins()) {
            longest = longest.min(left);
        }
        if let Some((max, _)) = self.max_continuous() {
            longest = longest.min(max.minus(proposal.run_before(proposal.begins())));
        }
        if self.shuts_out(found) || no_ticket || longest.get() == 0 {
            return Err(());
        }
        Ok(longest)
    }

    /// When access of that length could begin next, by the hours of every guardrail.
    pub(super) fn next_opening(&self, after: Timestamp, length: Seconds) -> Option<Timestamp> {
        /// Two weeks of openings of one guardrail, or a few of several that rarely agree.
        const OPENINGS: usize = 20;
        let mut at = after;
        for _ in 0..OPENINGS {
            at = self.hours().filter_map(|(hours, _)| hours.next(at)).min()?;
            if self.hours_left(at).is_some_and(|(left, _)| left >= length) {
                return Some(at);
            }
        }
        None
    }

    fn that(&self, says: impl Fn(&Limits) -> bool) -> impl Iterator<Item = &'p RuleName> {
        self.guardrails
            .iter()
            .filter(move |guardrail| says(&guardrail.limits))
            .map(|guardrail| &guardrail.name)
    }

    fn least(&self, limit: impl Fn(&Limits) -> Option<Seconds>) -> Option<(Seconds, &'p RuleName)> {
        self.guardrails
            .iter()
            .filter_map(|guardrail| Some((limit(&guardrail.limits)?, &guardrail.name)))
            .min()
    }
}

impl<'p> FromIterator<&'p Guardrail> for Fence<'p> {
    fn from_iter<T: IntoIterator<Item = &'p Guardrail>>(guardrails: T) -> Self {
        Self {
            guardrails: guardrails.into_iter().collect(),
        }
    }
}
