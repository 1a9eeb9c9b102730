//! Who may have what, who must agree, and why.
//!
//! The way of a policy: [`parse`] reads the text and reports every problem at once; [`resolve`] turns
//! names into ids; [`decide`] judges a proposal and [`review`] the reviews of an ask. The same
//! functions serve submission, review and start: only the facts differ, and they are arguments.
//!
//! Deliberately absent: files, look-ups, time, and any comparison of e-mails. An e-mail may find a
//! person when a policy loads; every decision compares ids.
//!
//! Read in this order: [`language`] and `read` (what can be written), `resolve` and `who` (whom it
//! means), `route` and `decide` (what follows), `review` (how agreement is counted), `verdict` (how
//! it is said).
//!
//! Not read yet, and refused with a message: guardrails, included files, groups as targets,
//! break-glass, `notify`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::directory::{Account, Directory, PermissionSet};
use crate::id::{AccountId, GroupId, PermissionSetArn, PolicyVersion, UserId};
use crate::target::Target;

mod accounts;
mod closed;
mod decide;
mod facts;
mod import;
pub mod language;
mod pattern;
mod problem;
mod read;
mod resolve;
mod review;
pub(crate) mod route;
mod seconds;
mod source;
mod suggest;
mod table;
mod verdict;
mod who;
mod written;

pub use decide::{Proposal, decide};
pub use facts::{Facts, with_person};
pub use import::import;
pub use language::{
    Approval, Defaults, MAX_WINDOW, PolicyFile, REASON_MAX, RuleName, SelfApproval,
};
pub use problem::{Place, Problem, ProblemCode, Severity, report_text};
pub use read::parse;
pub use resolve::{Bindings, Resolved, Setting, resolve};
pub use review::{
    AskFacts, Decision, Review, ReviewOutcome, RouteProgress, WhyNot, may_review, review,
};
pub use seconds::{InvalidSeconds, Seconds};
pub use source::Format;
pub use suggest::suggest;
pub use verdict::{Code, Nearest, Outcome, Reason, Route, Verdict};

use accounts::covers;
use language::AccountSelector;
use pattern::Pattern;
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
    protected: BTreeSet<AccountId>,
    bindings: Bindings,
}

/// One rule: a way to access, whole in itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rule {
    pub(crate) name: RuleName,
    accounts: Vec<AccountSelector>,
    sets: Vec<SetMatch>,
    pub(crate) requesters: Who,
    approvers: Who,
    approvals: u32,
    pub(crate) approval: Option<Approval>,
    max_duration: Seconds,
    durations: Vec<Seconds>,
    pub(crate) self_approval: Option<SelfApproval>,
}

/// Which permission sets, by id where a name was written and by name where a pattern was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SetMatch {
    Arn(PermissionSetArn),
    Pattern(Pattern),
}

impl Rule {
    pub(crate) fn covers_account(&self, account: &Account) -> bool {
        self.accounts
            .iter()
            .any(|selector| covers(selector, account))
    }

    pub(crate) fn covers_set(&self, set: &PermissionSet) -> bool {
        self.sets.iter().any(|wanted| match wanted {
            SetMatch::Arn(arn) => *arn == set.arn,
            SetMatch::Pattern(pattern) => pattern.matches(set.name.as_str()),
        })
    }

    fn covers(&self, target: &Found<'_>) -> bool {
        self.covers_account(target.account) && self.covers_set(target.set)
    }

    /// The groups that this rule's word depends on.
    fn groups(&self) -> impl Iterator<Item = &GroupId> {
        self.requesters.groups.iter().chain(&self.approvers.groups)
    }

    pub(crate) const fn longest(&self) -> Seconds {
        self.max_duration
    }

    pub(crate) fn is_known(&self, facts: &Facts<'_>) -> bool {
        self.requesters.is_known(facts) && self.approvers.is_known(facts)
    }
}

/// A target that exists and is open.
#[derive(Debug, Clone, Copy)]
struct Found<'a> {
    account: &'a Account,
    set: &'a PermissionSet,
}

impl<'a> Found<'a> {
    fn of(target: &Target, directory: &'a Directory) -> Option<Self> {
        match target {
            Target::Account {
                account,
                permission_set,
            } => Some(Self {
                account: directory
                    .accounts
                    .get(account)
                    .filter(|account| account.active)?,
                set: directory.permission_sets.get(permission_set)?,
            }),
            // Groups as targets are judged by what they hold; until that is built, none exists.
            Target::Group { .. } => None,
        }
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
        let Some(found) = Found::of(target, directory) else {
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

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(crate) fn is_protected(&self, account: &AccountId) -> bool {
        self.protected.contains(account)
    }
}

/// Everything that can be said of a policy without using it: its errors, or, if it has none and a
/// directory is at hand, its warnings.
#[must_use]
pub fn check(
    source: &str,
    format: Format,
    file_name: &str,
    directory: Option<&Directory>,
) -> Vec<Problem> {
    match (parse(source, format, file_name), directory) {
        (Err(problems), _) => problems,
        (Ok(_), None) => Vec::new(),
        (Ok(file), Some(directory)) => resolve(&file, directory, &Setting::default()).problems,
    }
}
