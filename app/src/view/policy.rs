//! The policy as people read it, for auditors and admins.
//!
//! What a policy says, and what is wrong with one, is told in the words of its language, the same here, on the command
//! line and in logs; so these views carry sentences, where others carry codes.

use serde::{Deserialize, Serialize};

use super::EpochMs;

/// What is looked for among the rules, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PolicyFilter {
    /// Words that a rule or guardrail has to have.
    pub text: String,
    /// How many of them were on the pages before; empty for the first.
    pub after: String,
}

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPage {
    /// Its version.
    pub version: String,
    /// Who oversees, and what holds for every request.
    pub overall: Vec<PolicyLine>,
    /// Rules, then guardrails, at most 50 of those that are looked for.
    pub parts: Vec<PolicyPart>,
    /// How many were found.
    pub found: u32,
    /// How many there are.
    pub of: u32,
    /// Where the next page begins; absent at the end.
    pub next: Option<u32>,
}

/// A rule or guardrail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPart {
    /// Its name.
    pub name: String,
    /// Whether it narrows; otherwise it opens.
    pub is_guardrail: bool,
    /// What it says.
    pub lines: Vec<PolicyLine>,
}

/// One thing that it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyLine {
    /// What about.
    pub about: String,
    /// What.
    pub text: String,
}

/// What is to be explained, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ExplainFilter {
    /// An e-mail, a user name or an id.
    pub person: String,
    /// An account's id or name.
    pub account: String,
    /// A permission set's name or ARN.
    pub permission_set: String,
    /// A group, instead of both.
    pub group: String,
    /// How long, as policies write it.
    pub duration: String,
    /// A ticket.
    pub ticket: String,
    /// Not empty: by break-glass.
    pub break_glass: String,
}

impl ExplainFilter {
    /// Whether nothing was asked yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A field of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExplainField {
    /// Whom it is about.
    Person,
    /// Where.
    Account,
    /// What.
    PermissionSet,
    /// Or which group.
    Group,
    /// How long.
    Duration,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExplainPage {
    /// Nothing was asked.
    Empty,
    /// It cannot be answered.
    Problems(Vec<(ExplainField, String)>),
    /// The policy's answer.
    Answer(ExplainView),
}

/// What happens to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Answer {
    /// Given at once.
    Granted,
    /// Waits for approvers.
    Pending,
    /// Not possible.
    Refused,
}

/// A verdict, as auditors and admins may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExplainView {
    /// What was asked, in a sentence.
    pub asked: String,
    /// What happens.
    pub answer: Answer,
    /// Why, in a word.
    pub code: String,
    /// Why, in a sentence, and what would be allowed instead.
    pub sentence: String,
    /// Everything that it rests on.
    pub reasons: Vec<String>,
    /// Each way, with who could approve it.
    pub routes: Vec<PolicyPart>,
    /// The version that says so.
    pub version: String,
}

/// What is wrong with a draft, or to be thought about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyProblem {
    /// File, line and column.
    pub place: String,
    /// What, and what to do.
    pub text: String,
}

/// What a draft comes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DraftPage {
    /// Nothing was sent.
    Empty,
    /// It is not a policy.
    Invalid(Vec<PolicyProblem>),
    /// It is one.
    Valid {
        /// What to think about.
        warnings: Vec<PolicyProblem>,
        /// Who gains and who loses what; `None`: too much to compare at once.
        changes: Option<Vec<PolicyChange>>,
        /// More than are shown.
        more: u32,
        /// It says what is in force already.
        is_in_force: bool,
    },
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// Whether people gain by it.
    pub gains: bool,
    /// All of it.
    pub sentence: String,
}

/// What was in force, newest first, at most 50.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionsPage {
    /// Each time that one came into force.
    pub rows: Vec<VersionRow>,
    /// Where the next page begins.
    pub next: Option<EpochMs>,
}

/// A version came into force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionRow {
    /// Which.
    pub version: String,
    /// When.
    pub at: EpochMs,
    /// Which server read it.
    pub server: String,
    /// Whether it is the one in force now.
    pub is_in_force: bool,
}

/// One version, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionView {
    /// Which.
    pub version: String,
    /// Whether it is the one in force now.
    pub is_in_force: bool,
    /// Its files: name and text, its own first. Empty: the table has it no more, or not as it was written.
    pub files: Vec<(String, String)>,
    /// Whether the files are longer than a page, and are shown as far as it goes.
    pub is_cut: bool,
    /// What has changed from it to what is in force; `None`: it cannot be told.
    pub changes: Option<Vec<PolicyChange>>,
    /// More than are shown.
    pub more: u32,
}
