//! Who may have what, who must agree, and why.
//!
//! The way of a policy: [`parse`] reads the text and reports every problem at once; [`resolve`] turns
//! names into ids; [`decide`] judges a proposal and [`review`] the reviews of an ask. The same
//! functions serve submission, review and start: only the facts differ, and they are arguments.
//!
//! Deliberately absent: files, look-ups, time, and any comparison of e-mails. An e-mail may find a
//! person when a policy loads; every decision compares ids.
//!
//! Read in this order: [`language`], `selector` and `read` (what can be written), `resolve` and `who`
//! (whom it means), `scope` and `found` (what it covers), `route` and `guardrail` (what that leaves
//! of each way), `decide` (what follows), `review` (how agreement is counted), `verdict` (how it is
//! said). `warn` says what is doubtful in a policy that is valid.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::id::{AccountId, GroupId, PolicyVersion, UserId};
use crate::target::Target;

mod accounts;
mod cases;
mod closed;
mod decide;
mod describe;
mod diff;
mod facts;
pub(crate) mod found;
pub(crate) mod guardrail;
mod hours;
mod import;
mod kept;
pub mod language;
mod pattern;
mod problem;
mod read;
mod resolve;
mod review;
pub(crate) mod route;
pub(crate) mod scope;
mod seconds;
mod selector;
mod signature;
mod source;
mod suggest;
mod table;
mod ticket;
mod verdict;
mod warn;
mod who;
mod written;

pub(crate) use accounts::covers;
pub use cases::{Actual, CaseReport, Difference, Expected, cases_summary, cases_text, run_cases};
pub(crate) use decide::decide_among;
pub use decide::{BreakGlass, Proposal, Run, decide};
pub use describe::{Described, Line, Part};
pub use diff::{Change, diff, diff_at_once, diff_text};
pub use facts::{Facts, with_person};
pub use hours::Hours;
pub use import::import;
pub use kept::{KeptPolicy, NotTheSame};
pub use language::{
    Approval, Defaults, MAX_START_AHEAD, MAX_WINDOW, PolicyFile, REASON_MAX, RuleName, SelfApproval,
};
pub use problem::{Place, Problem, ProblemCode, Severity, nearest, report_text};
pub use read::{Included, included_files, parse, parse_with};
pub use resolve::{Bindings, Resolved, Setting, resolve};
pub use review::{
    AskFacts, Decision, Review, ReviewOutcome, RouteProgress, WhyNot, may_review, review,
};
pub use seconds::{InvalidSeconds, Seconds};
pub use selector::{AccountSelector, Channel};
pub use signature::{Broken, Signing, Turn, may_sign, sign};
pub use source::{Format, why_not_json};
pub use suggest::suggest;
pub use ticket::{TICKET_MAX, TicketPattern, TicketRule};
pub use verdict::{Code, Nearest, Outcome, Reason, Route, Verdict};
pub use warn::warnings;

use found::Found;
use guardrail::{Fence, Guardrail};
use problem::Problems;
use scope::Scope;
use who::Who;

/// A policy that can decide: every name is an id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    version: PolicyVersion,
    admins: Who,
    auditors: Who,
    defaults: Defaults,
    /// By name, so that the order in the file cannot matter.
    rules: Vec<Rule>,
    /// By name as well.
    guardrails: Vec<Guardrail>,
    protected: BTreeSet<AccountId>,
    bindings: Bindings,
}

/// One rule: a way to access, whole in itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: RuleName,
    pub(crate) scope: Scope,
    pub(crate) requesters: Who,
    pub(crate) approvers: Who,
    approvals: u32,
    pub(crate) approval: Option<Approval>,
    max_duration: Seconds,
    durations: Vec<Seconds>,
    pub(crate) self_approval: Option<SelfApproval>,
    notify: Vec<Channel>,
}

impl Rule {
    /// The groups that this rule's word depends on.
    fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.requesters.groups.iter().chain(&self.approvers.groups)
    }

    pub(crate) fn is_known(&self, facts: &Facts<'_>) -> bool {
        self.requesters.is_known(facts) && self.approvers.is_known(facts)
    }
}

impl Policy {
    /// Which policy this is: changes with what it says, whom its names mean and what is protected,
    /// and with nothing else.
    #[must_use]
    pub const fn version(&self) -> &PolicyVersion {
        &self.version
    }

    /// What its names mean, to be kept beside it: see [`Setting::earlier`].
    #[must_use]
    pub const fn bindings(&self) -> &Bindings {
        &self.bindings
    }

    /// How long a request waits for its approvers.
    #[must_use]
    pub const fn request_expires_after(&self) -> Seconds {
        self.defaults.request_expires_after
    }

    /// The shortest access that may be asked for.
    #[must_use]
    pub const fn min_duration(&self) -> Seconds {
        self.defaults.min_duration
    }

    /// The shortest reason, in characters. The longest is [`REASON_MAX`].
    #[must_use]
    pub const fn reason_min(&self) -> usize {
        self.defaults.reason_min
    }

    /// Every group that any decision could rest on: what the directory snapshot has to hold.
    #[must_use]
    pub fn referenced_groups(&self) -> BTreeSet<GroupId> {
        self.rules
            .iter()
            .flat_map(Rule::groups)
            .chain(&self.admins.groups)
            .chain(&self.auditors.groups)
            .cloned()
            .collect()
    }

    /// The groups that decisions about this target rest on: what a live look-up asks about.
    #[must_use]
    pub fn groups_for(&self, target: &Target, directory: &Directory) -> BTreeSet<GroupId> {
        let Some(found) = Found::of(target, &Facts::of_snapshot(directory)) else {
            return BTreeSet::new();
        };
        self.rules
            .iter()
            .filter(|rule| rule.covers(&found))
            .flat_map(Rule::groups)
            .cloned()
            .collect()
    }

    /// Whether this active person sees everything and may end anything. Admins approve only where a
    /// rule names them.
    #[must_use]
    pub fn is_admin(&self, user: &UserId, facts: &Facts<'_>) -> bool {
        self.admins.includes(user, facts)
    }

    /// Whether this active person sees everything and changes nothing.
    #[must_use]
    pub fn is_auditor(&self, user: &UserId, facts: &Facts<'_>) -> bool {
        self.auditors.includes(user, facts)
    }

    /// Whether this active person is an approver of the rule of that name, whatever it covers: whoever
    /// could let somebody in may end that.
    #[must_use]
    pub fn is_approver_of(&self, rule: &str, user: &UserId, facts: &Facts<'_>) -> bool {
        self.rules
            .iter()
            .any(|known| known.name.as_str() == rule && known.approvers.includes(user, facts))
    }

    /// The groups that make someone an approver of the rule of that name.
    #[must_use]
    pub fn approver_groups(&self, rule: &str) -> BTreeSet<GroupId> {
        self.rules
            .iter()
            .filter(|known| known.name.as_str() == rule)
            .flat_map(|known| &known.approvers.groups)
            .cloned()
            .collect()
    }

    /// What guardrails say of tickets for this target, each with its name.
    #[must_use]
    pub fn tickets(&self, target: &Target, facts: &Facts<'_>) -> Vec<TicketRule> {
        Found::of(target, facts).map_or_else(Vec::new, |found| {
            let fence = Fence::of(&self.guardrails, &found);
            fence.tickets().map(|(rule, _)| rule.clone()).collect()
        })
    }

    /// The groups that make someone an admin or auditor: what a live look-up asks about before one
    /// acts as such.
    #[must_use]
    pub fn oversight_groups(&self) -> BTreeSet<GroupId> {
        self.admins
            .groups
            .iter()
            .chain(&self.auditors.groups)
            .cloned()
            .collect()
    }

    /// Whom to tell of what happens by this rule, besides those who have to act.
    #[must_use]
    pub fn notify(&self, rule: &RuleName) -> &[Channel] {
        self.rules
            .binary_search_by(|known| known.name.cmp(rule))
            .ok()
            .and_then(|at| self.rules.get(at))
            .map_or(&[], |rule| rule.notify.as_slice())
    }

    /// Whether whoever approves this, or goes in by break-glass, has to have signed in just before.
    #[must_use]
    pub fn reauthenticates(&self, target: &Target, facts: &Facts<'_>) -> bool {
        Found::of(target, facts).is_some_and(|found| {
            Fence::of(&self.guardrails, &found)
                .reauthenticate()
                .is_some()
        })
    }

    /// The groups that rules offer as targets: what they hold decides which guardrails cover them.
    #[must_use]
    pub fn target_groups(&self) -> BTreeSet<GroupId> {
        self.rules
            .iter()
            .flat_map(|rule| &rule.scope.groups)
            .cloned()
            .collect()
    }

    /// Whether the group has a part in any decision: then nobody can ask to join it.
    pub(crate) fn is_policy_group(&self, group: &GroupId) -> bool {
        self.admins.groups.contains(group)
            || self.auditors.groups.contains(group)
            || self.rules.iter().any(|rule| {
                rule.requesters.groups.contains(group) || rule.approvers.groups.contains(group)
            })
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn guardrails(&self) -> &[Guardrail] {
        &self.guardrails
    }

    /// The accounts that no rule opens.
    #[must_use]
    pub const fn protected(&self) -> &BTreeSet<AccountId> {
        &self.protected
    }

    pub(crate) fn is_protected(&self, account: &AccountId) -> bool {
        self.protected.contains(account)
    }
}

/// Parts of a policy that the language knows and this server does not carry out yet. None is obeyed
/// by halves: what depends on one is refused.
#[must_use]
pub fn not_carried_out(file: &PolicyFile) -> Vec<Problem> {
    let mut problems = Problems::new(&file.file);
    let mut warn = |in_file, place, message: String, help| {
        problems.enter(in_file);
        problems.warn(place, ProblemCode::NotSupportedYet, message, help);
    };
    for rule in &file.rules {
        let in_file = file.file_of(rule.included);
        let name = &rule.name.value;
        if !rule.notify.is_empty() {
            let message = format!("rule `{name}`: `notify` tells nobody yet");
            warn(
                in_file,
                rule.name.place,
                message,
                "approvers see their requests in the portal",
            );
        }
    }
    problems.into_sorted()
}

/// Everything that can be said of a policy in one file without using it.
#[must_use]
pub fn check(
    source: &str,
    format: Format,
    file_name: &str,
    directory: Option<&Directory>,
) -> Vec<Problem> {
    check_with(source, format, file_name, &Included::new(), directory)
}

/// Everything that can be said of a policy without using it: its errors, or, if it has none, its
/// warnings, more of them if a directory is at hand.
#[must_use]
pub fn check_with(
    source: &str,
    format: Format,
    file_name: &str,
    included: &Included,
    directory: Option<&Directory>,
) -> Vec<Problem> {
    match parse_with(source, format, file_name, included) {
        Err(problems) => problems,
        Ok(file) => {
            let mut problems = warnings(&file, directory);
            if let Some(directory) = directory {
                problems.extend(resolve(&file, directory, &Setting::default()).problems);
            }
            problems.sort_by(|a, b| {
                let main = |problem: &Problem| (problem.file != file_name, problem.file.clone());
                (main(a), a.place, a.code).cmp(&(main(b), b.place, b.code))
            });
            problems
        }
    }
}
