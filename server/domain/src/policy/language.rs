//! The model that both notations describe: what was written, before any name means anybody.
//!
//! [`super::resolve`] turns it into a [`super::Policy`] with the help of a directory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hours::Hours;
use super::problem::{Place, quote};
use super::seconds::Seconds;
use super::selector::{AccountSelector, Channel, GroupSelector, PersonSelector, SetSelector};
use super::ticket::TicketRule;

/// The longest access that a rule may give: 30 days. Longer needs are standing access, and History
/// finds who had access at an instant by looking back this far.
pub const MAX_WINDOW: Seconds = Seconds::from_hours(30 * 24);

/// The longest that a request may wait: 30 days, so that open requests stay few.
pub const MAX_WAIT: Seconds = Seconds::from_hours(30 * 24);

/// The longest reason, in characters. Room for a paragraph or two; reasons are kept for ever and
/// shown in lists.
pub const REASON_MAX: usize = 2_000;

/// The most approvals that a rule may ask for. More than ten people never agree in time.
pub const MAX_APPROVALS: u32 = 10;

/// The furthest ahead that access may be asked for: 30 days, as long as a request may wait. A
/// guardrail can only say less.
pub const MAX_START_AHEAD: Seconds = Seconds::from_hours(30 * 24);

/// What was written, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    /// Where it stands.
    pub place: Place,
    /// What it says.
    pub value: T,
}

/// A policy as it was written, free of errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyFile {
    pub(super) file: String,
    pub(super) admins: Vec<Placed<PersonSelector>>,
    pub(super) auditors: Vec<Placed<PersonSelector>>,
    pub(super) defaults: Defaults,
    pub(super) rules: Vec<RuleSource>,
    pub(super) guardrails: Vec<GuardrailSource>,
    pub(super) includes: Vec<IncludeSource>,
}

impl PolicyFile {
    /// One that gives nobody anything. No file says that: a policy without rules is a mistake.
    pub(super) fn without_rules(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            admins: Vec::new(),
            auditors: Vec::new(),
            defaults: Defaults::default(),
            rules: Vec::new(),
            guardrails: Vec::new(),
            includes: Vec::new(),
        }
    }

    /// The file in which a rule or guardrail stands.
    pub(super) fn file_of(&self, included: Option<IncludeIndex>) -> &str {
        included
            .and_then(|index| self.includes.get(index))
            .map_or(self.file.as_str(), |include| include.file.value.as_str())
    }
}

/// What `[defaults]` says, or what stands in for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// For rules that give no `max_duration` of their own.
    pub max_duration: Seconds,
    /// The shortest access that anyone may ask for.
    pub min_duration: Seconds,
    /// How long a request waits for its approvers.
    pub request_expires_after: Seconds,
    /// The shortest reason, in characters.
    pub reason_min: usize,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            // A working day.
            max_duration: Seconds::from_hours(8),
            // Assigning and removing take AWS up to a minute or two each: less is mostly waiting.
            min_duration: Seconds::from_minutes(5),
            request_expires_after: Seconds::from_hours(8),
            // Whoever reads the audit log next year needs a reason; an empty one is none.
            reason_min: 1,
        }
    }
}

/// One `[[rule]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RuleSource {
    /// The included file that it stands in; `None` for the policy's own.
    pub(super) included: Option<IncludeIndex>,
    pub(super) name: Placed<RuleName>,
    pub(super) accounts: Vec<Placed<AccountSelector>>,
    pub(super) permission_sets: Vec<Placed<SetSelector>>,
    pub(super) groups: Vec<Placed<GroupSelector>>,
    pub(super) requesters: Vec<Placed<PersonSelector>>,
    pub(super) approvers: Vec<Placed<PersonSelector>>,
    pub(super) approvals: u32,
    pub(super) approval: Option<Approval>,
    pub(super) max_duration: Option<Seconds>,
    pub(super) durations: Vec<Seconds>,
    pub(super) self_approval: Option<SelfApproval>,
    pub(super) notify: Vec<Channel>,
}

/// One `[[guardrail]]`: what it covers, and what it says of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct GuardrailSource {
    pub(super) included: Option<IncludeIndex>,
    pub(super) name: Placed<RuleName>,
    /// Empty: every account, unless only groups are named.
    pub(super) accounts: Vec<Placed<AccountSelector>>,
    /// Empty: every permission set, unless only groups are named.
    pub(super) permission_sets: Vec<Placed<SetSelector>>,
    pub(super) groups: Vec<Placed<GroupSelector>>,
    pub(super) limits: Limits,
}

/// What a guardrail says. Each part can only narrow: there is no way to write one that widens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one key of the language"
)]
pub(crate) struct Limits {
    /// No access at all.
    pub(crate) deny: bool,
    /// No access longer than this.
    pub(crate) max_duration: Option<Seconds>,
    /// No permission set whose sessions last longer than this.
    pub(crate) max_session: Option<Seconds>,
    /// So many people other than the requester have to agree.
    pub(crate) min_approvals: u32,
    /// Nobody approves for themselves.
    pub(crate) no_self_approval: bool,
    /// Nobody goes in first and explains afterwards.
    pub(crate) no_break_glass: bool,
    /// A ticket, and what it looks like.
    pub(crate) ticket: Option<TicketRule>,
    /// Only then.
    pub(crate) hours: Option<Hours>,
    /// Whoever approves has to have signed in just before.
    pub(crate) reauthenticate: bool,
    /// The longest unbroken run of access on one key.
    pub(crate) max_continuous: Option<Seconds>,
    /// How far ahead access may be asked for.
    pub(crate) max_start_ahead: Option<Seconds>,
}

/// Which `[[include]]`, counted from 0.
pub(super) type IncludeIndex = usize;

/// One `[[include]]`: a team's own file, and how far it reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IncludeSource {
    pub(super) file: Placed<String>,
    pub(super) accounts: Vec<Placed<AccountSelector>>,
    pub(super) permission_sets: Vec<Placed<SetSelector>>,
}

/// What a rule says of approval. Saying nothing is a third answer: neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Somebody has to agree, even where another rule would grant at once.
    Required,
    /// Granted at once, unless another rule requires approval.
    None,
    /// Break-glass: granted at once, loudly, and signed by an approver afterwards.
    After,
}

/// What a rule says of approving for oneself. Saying nothing is a third answer: neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfApproval {
    /// A requester who is an approver of this rule counts as one approval.
    Allow,
    /// They never do, here or through any other rule.
    Deny,
}

/// A rule's name: unique in its policy, and what verdicts, pages and the audit log call it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RuleName(Box<str>);

impl RuleName {
    /// 1 to 64 of letters, digits, space, `.`, `_` and `-`, beginning and ending with a letter or
    /// digit: readable in a log line, a URL and a sentence.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let valid = text.len() <= 64
            && ends(text.chars().next())
            && ends(text.chars().next_back())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || " ._-".contains(c));
        valid.then(|| Self(text.into()))
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RuleName {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{} is not a rule name", quote(&text)))
    }
}

impl From<RuleName> for String {
    fn from(name: RuleName) -> Self {
        name.0.into()
    }
}
