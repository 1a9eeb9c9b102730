//! One proposal before the routes and guardrails that concern it.

use jiff::Timestamp;

use super::{BreakGlass, Proposal};
use crate::policy::Policy;
use crate::policy::facts::Facts;
use crate::policy::found::Found;
use crate::policy::guardrail::Fence;
use crate::policy::language::{REASON_MAX, RuleName};
use crate::policy::route::{Routes, Way};
use crate::policy::seconds::Seconds;
use crate::policy::ticket::{TICKET_MAX, given};
use crate::policy::verdict::{Code, Nearest, Outcome, Reason, Verdict};

/// A proposal before the routes and guardrails that concern it. All that is wrong with it is
/// collected; the first finding is the verdict's code.
pub(super) struct Judge<'a, 'p> {
    verdict: Verdict,
    routes: &'a Routes<'p>,
    fence: &'a Fence<'p>,
    proposal: &'a Proposal,
    policy: &'p Policy,
    refusal: Option<Code>,
    nearest: Nearest,
    /// Nothing near the proposal would be allowed.
    lost: bool,
}

impl<'a, 'p> Judge<'a, 'p> {
    pub(super) fn new(
        verdict: Verdict,
        routes: &'a Routes<'p>,
        fence: &'a Fence<'p>,
        proposal: &'a Proposal,
        policy: &'p Policy,
    ) -> Self {
        Self {
            verdict,
            routes,
            fence,
            proposal,
            policy,
            refusal: None,
            nearest: Nearest::default(),
            lost: false,
        }
    }

    pub(super) fn judge(mut self, found: &Found<'_>, facts: &Facts<'_>) -> Verdict {
        let min = self.policy.min_duration();
        explain(&mut self.verdict, self.routes, self.proposal.judged());
        self.target(found);
        self.start();
        self.length();
        self.hours();
        self.run();
        self.ticket();
        self.reason();
        if let Some(code) = self.refusal {
            self.verdict.code = code;
            self.verdict.nearest = Some(self.nearest).filter(|_| !self.lost);
            return self.verdict;
        }
        let asked = self.proposal.judged();
        let known = Known { facts, min };
        let routes = self.routes;
        let admits = |way: &&Way<'_>| asked <= way.max_duration && way.can_complete();
        if let Some(way) = routes.automatic.iter().find(admits) {
            return self
                .verdict
                .granted(Code::Automatic, way, self.proposal, &known);
        }
        let mut open = routes.waiting.iter().filter(admits);
        if let Some(way) = open.clone().find(|way| way.needed_from_others() == 0) {
            return self
                .verdict
                .granted(Code::SelfApproved, way, self.proposal, &known);
        }
        if self.proposal.break_glass == BreakGlass::Asked
            && let Some(way) = routes.break_glass.iter().find(admits)
        {
            let mut verdict = self
                .verdict
                .granted(Code::BreakGlass, way, self.proposal, &known);
            // Whoever goes in first proves anew who they are.
            verdict.reauthenticate = true;
            return verdict;
        }
        self.verdict.outcome = Outcome::Pending;
        self.verdict.code = Code::NeedsApproval;
        self.verdict.routes = open
            .by_ref()
            .map(|way| way.route(&self.proposal.requester, facts, min))
            .collect();
        self.verdict
    }

    fn refuse(&mut self, code: Code, reason: Option<Reason>) {
        self.refusal.get_or_insert(code);
        self.verdict.reasons.extend(reason);
    }

    /// A shorter window would be allowed; of several, the shortest. One below the policy's shortest
    /// helps nobody.
    fn shorter(&mut self, longest: Option<Seconds>) {
        let min = self.policy.min_duration();
        match longest.filter(|longest| *longest >= min) {
            Some(longest) => {
                let duration = self
                    .nearest
                    .duration
                    .map_or(longest, |other| other.min(longest));
                self.nearest.duration = Some(duration);
            }
            None => self.lost = true,
        }
    }

    /// What the target itself rules out, whatever the numbers.
    fn target(&mut self, found: &Found<'_>) {
        for guardrail in self.fence.denied_by() {
            let guardrail = guardrail.clone();
            self.refuse(Code::Denied, Some(Reason::Denied { guardrail }));
            self.lost = true;
        }
        if let (Some((max, guardrail)), Some((session, set))) =
            (self.fence.max_session(), found.longest_session())
            && session > max.get()
        {
            let reason = Reason::SessionTooLong {
                guardrail: guardrail.clone(),
                permission_set: set.name.clone(),
                session: Seconds::new(session),
                max,
            };
            self.refuse(Code::SessionTooLong, Some(reason));
            self.lost = true;
        }
    }

    fn start(&mut self) {
        let proposal = self.proposal;
        let ahead = proposal.begins().duration_since(proposal.now);
        let (max, guardrail) = self.fence.max_start_ahead();
        if ahead > max.duration() {
            let reason = Reason::TooFarAhead {
                guardrail: guardrail.cloned(),
                max,
            };
            self.refuse(Code::TooFarAhead, Some(reason));
            self.begin(proposal.now.checked_add(max.duration()).ok());
        }
    }

    /// Beginning then would be allowed. What extends access begins when that ends, and never then.
    fn begin(&mut self, start: Option<Timestamp>) {
        match start.filter(|_| !self.proposal.extends()) {
            Some(start) => self.nearest.start = Some(start),
            None => self.lost = true,
        }
    }

    /// How long the nearest thing would last that may be allowed, as far as it was judged.
    fn near_duration(&self) -> Seconds {
        self.nearest.duration.unwrap_or(self.proposal.duration)
    }

    /// When it would begin.
    fn near_begins(&self) -> Timestamp {
        self.nearest.start.unwrap_or_else(|| self.proposal.begins())
    }

    fn length(&mut self) {
        let min = self.policy.min_duration();
        let asked = self.proposal.duration;
        let break_glass = self.break_glass();
        if asked < min {
            self.refuse(Code::TooShort, Some(Reason::ShorterThanMin { asked, min }));
            self.nearest.duration = Some(min);
        }
        let before = self.proposal.judged().minus(asked);
        let wanted = before.plus(asked.max(min));
        let routes = self.routes;
        let fits = |way: &Way<'_>| wanted <= way.max_duration;
        if routes.open(break_glass).any(fits) {
            return;
        }
        // What is left of a run that is extended.
        let left = |break_glass| Some(routes.longest(break_glass)?.minus(before));
        let with_approvers = || routes.automatic.iter().chain(&routes.waiting);
        let asks_for_it = self.proposal.break_glass != BreakGlass::No;
        if routes.longest(false).is_none() && routes.longest(true).is_some() && !asks_for_it {
            self.nearest.break_glass = true;
            if routes.open(true).any(fits) {
                self.refuse(Code::BreakGlassOnly, None);
            } else {
                self.refuse(Code::TooLong, None);
                self.shorter(left(true));
            }
            return;
        }
        let after = routes.break_glass.iter().filter(|_| break_glass);
        let mut ways = with_approvers().chain(after).peekable();
        let code = if ways.peek().is_none() {
            match (routes.break_glass_denied_by, routes.more_approvals_by) {
                // The only way would be break-glass.
                (Some(_), None) => Code::Denied,
                // Rules that ask nobody, made to ask by a guardrail, name nobody to ask.
                _ => Code::NoApprovers,
            }
        } else if ways.any(fits) {
            Code::NoApprovers
        } else {
            Code::TooLong
        };
        self.refuse(code, None);
        self.shorter(left(break_glass));
    }

    /// Whether break-glass is asked for and may be; refused if it may not.
    fn break_glass(&mut self) -> bool {
        let code = match self.proposal.break_glass {
            BreakGlass::No => return false,
            BreakGlass::Asked => return true,
            BreakGlass::AskedWhileClosed => Code::BreakGlassClosed,
            BreakGlass::AskedWhileUnsigned => Code::BreakGlassUnsigned,
        };
        // Only where nothing but break-glass would do.
        let judged = self.proposal.judged();
        let at_once = |way: &Way<'_>| judged <= way.max_duration && way.needed_from_others() == 0;
        if !self.routes.open(false).any(at_once) {
            self.refuse(code, None);
            self.nearest.without_break_glass = true;
        }
        false
    }

    fn hours(&mut self) {
        let proposal = self.proposal;
        let Some((left, guardrail)) = self.fence.hours_left(proposal.begins()) else {
            return;
        };
        if proposal.duration > left {
            let reason = Reason::OutsideHours {
                guardrail: guardrail.clone(),
                left,
            };
            self.refuse(Code::OutsideHours, Some(reason));
        }
        let (begins, wanted) = (self.near_begins(), self.near_duration());
        let left_at = |at| self.fence.hours_left(at).map(|(left, _)| left);
        let left = left_at(begins).unwrap_or(wanted);
        if wanted <= left {
            return;
        }
        let min = self.policy.min_duration();
        if left >= min {
            self.shorter(Some(left));
            return;
        }
        let furthest = self.fence.max_start_ahead().0;
        let near = |start: &Timestamp| start.duration_since(proposal.now) <= furthest.duration();
        // First one that is long enough; a start that had to move may move back.
        let opening = [wanted, min].into_iter().find_map(|length| {
            [begins, proposal.now]
                .into_iter()
                .filter_map(|after| {
                    let open = left_at(after).is_some_and(|left| left >= length);
                    let next = || self.fence.next_opening(after, length);
                    open.then_some(after).or_else(next)
                })
                .find(near)
        });
        if let Some(left) = opening.and_then(left_at)
            && left < wanted
        {
            self.shorter(Some(left));
        }
        self.begin(opening);
    }

    fn run(&mut self) {
        let Some((max, guardrail)) = self.fence.max_continuous() else {
            return;
        };
        let before = self.proposal.run_before(self.proposal.begins());
        if before.plus(self.proposal.duration) > max {
            let reason = Reason::ContinuousTooLong {
                guardrail: guardrail.clone(),
                before,
                max,
            };
            self.refuse(Code::ContinuousTooLong, Some(reason));
        }
        let before = self.proposal.run_before(self.near_begins());
        if before.plus(self.near_duration()) > max {
            self.shorter(Some(max.minus(before)));
        }
    }

    fn ticket(&mut self) {
        let ticket = given(self.proposal.ticket.as_deref());
        let too_long = ticket.is_some_and(|ticket| ticket.chars().count() > TICKET_MAX);
        if too_long {
            self.refuse(Code::TicketInvalid, Some(Reason::TicketTooLong));
            self.nearest.ticket = true;
            return;
        }
        let wrong: Vec<(bool, RuleName, Option<String>)> = self
            .fence
            .tickets()
            .filter(|(rule, _)| !rule.accepts(ticket))
            .map(|(rule, name)| {
                let pattern = rule.pattern.as_ref().map(|p| p.as_str().to_owned());
                (ticket.is_none(), name.clone(), pattern)
            })
            .collect();
        for (missing, guardrail, pattern) in wrong {
            if missing {
                let reason = Reason::TicketRequired { guardrail, pattern };
                self.refuse(Code::TicketRequired, Some(reason));
            } else {
                let reason = Reason::TicketInvalid { guardrail, pattern };
                self.refuse(Code::TicketInvalid, Some(reason));
            }
            self.nearest.ticket = true;
        }
    }

    fn reason(&mut self) {
        let given = self.proposal.reason_chars;
        // Whoever goes in first says why, whatever the policy asks of others.
        let first = self.proposal.break_glass != BreakGlass::No || self.nearest.break_glass;
        let min = self.policy.reason_min().max(usize::from(first));
        if given < min {
            self.refuse(
                Code::ReasonTooShort,
                Some(Reason::ReasonTooShort { given, min }),
            );
            self.nearest.reason_chars = Some(min);
        } else if given > REASON_MAX {
            self.refuse(Code::ReasonTooLong, Some(Reason::ReasonTooLong { given }));
            self.nearest.reason_chars = Some(REASON_MAX);
        }
    }
}

fn explain(verdict: &mut Verdict, routes: &Routes<'_>, asked: Seconds) {
    let reasons = &mut verdict.reasons;
    if let Some((max, guardrail)) = routes.shortened_by {
        let guardrail = guardrail.clone();
        reasons.push(Reason::Shortened { guardrail, max });
    }
    for way in &routes.automatic {
        let rule = way.rule.name.clone();
        reasons.push(Reason::GrantsAtOnce { rule });
        too_long(way, asked, reasons);
    }
    if let Some(rule) = routes.approval_required_by {
        let rule = rule.clone();
        reasons.push(Reason::ApprovalRequired { rule });
    }
    if let Some(rule) = routes.self_approval_denied_by {
        let rule = rule.clone();
        reasons.push(Reason::SelfApprovalDenied { rule });
    }
    if let Some(guardrail) = routes.no_self_approval_by {
        let guardrail = guardrail.clone();
        reasons.push(Reason::NoSelfApproval { guardrail });
    }
    if let Some((approvals, guardrail)) = routes.more_approvals_by {
        let guardrail = guardrail.clone();
        reasons.push(Reason::MoreApprovals {
            guardrail,
            approvals,
        });
    }
    if let Some(guardrail) = routes.break_glass_denied_by {
        let guardrail = guardrail.clone();
        reasons.push(Reason::BreakGlassDenied { guardrail });
    }
    let automatic = |way: &Way<'_>| {
        routes
            .automatic
            .iter()
            .any(|other| other.rule.name == way.rule.name)
    };
    for way in routes.waiting.iter().filter(|way| !automatic(way)) {
        let rule = way.rule.name.clone();
        let approvers = way.others.count();
        reasons.push(if way.can_complete() {
            Reason::Open {
                rule,
                approvals: way.approvals,
                approvers,
            }
        } else {
            too_few(way)
        });
        if way.self_counts {
            let rule = way.rule.name.clone();
            reasons.push(Reason::SelfCounts { rule });
        }
        too_long(way, asked, reasons);
    }
    for way in &routes.break_glass {
        let rule = way.rule.name.clone();
        reasons.push(if way.can_complete() {
            Reason::AsksAfterwards {
                rule,
                signatures: way.approvals,
            }
        } else {
            too_few(way)
        });
        too_long(way, asked, reasons);
    }
}

fn too_few(way: &Way<'_>) -> Reason {
    Reason::TooFewApprovers {
        rule: way.rule.name.clone(),
        needed: way.needed_from_others(),
        found: way.others.count(),
    }
}

fn too_long(way: &Way<'_>, asked: Seconds, reasons: &mut Vec<Reason>) {
    if asked > way.max_duration {
        reasons.push(Reason::LongerThanRule {
            rule: way.rule.name.clone(),
            asked,
            max: way.max_duration,
        });
    }
}

impl Verdict {
    fn granted(mut self, code: Code, way: &Way<'_>, proposal: &Proposal, of: &Known<'_>) -> Self {
        self.outcome = Outcome::Granted;
        self.code = code;
        self.granted_by = Some(way.rule.name.clone());
        self.routes = vec![way.route(&proposal.requester, of.facts, of.min)];
        self
    }
}

/// What every route is made with.
struct Known<'a> {
    facts: &'a Facts<'a>,
    min: Seconds,
}
