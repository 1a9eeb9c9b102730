//! The model that both notations describe: what was written, before any name means anybody.
//!
//! [`super::resolve`] turns it into a [`super::Policy`] with the help of a directory.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::problem::{Place, nearest, quote};
use super::seconds::Seconds;
use crate::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};

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
    pub(super) name: Placed<RuleName>,
    pub(super) accounts: Vec<Placed<AccountSelector>>,
    pub(super) permission_sets: Vec<Placed<SetSelector>>,
    pub(super) requesters: Vec<Placed<PersonSelector>>,
    pub(super) approvers: Vec<Placed<PersonSelector>>,
    pub(super) approvals: u32,
    pub(super) approval: Option<Approval>,
    pub(super) max_duration: Option<Seconds>,
    pub(super) durations: Vec<Seconds>,
    pub(super) self_approval: Option<SelfApproval>,
}

/// What a rule says of approval. Saying nothing is a third answer: neither.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// Somebody has to agree, even where another rule would grant at once.
    Required,
    /// Granted at once, unless another rule requires approval.
    None,
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

/// Why an entry of a list means nothing: what is wrong, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreadable {
    pub(super) message: String,
    pub(super) help: String,
}

impl Unreadable {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: help.into(),
        }
    }
}

/// Which accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountSelector {
    /// `*`
    All,
    /// `111122223333`
    Id(AccountId),
    /// `ou:Production`, `ou:Root/Production` or `ou:ou-ab12-34cd56ef`; nested OUs are included.
    Ou(String),
    /// `name:payments-*`
    Name(Pattern),
    /// `tag:env=prod`
    Tag {
        /// The tag's key.
        key: String,
        /// Its value, exactly.
        value: String,
    },
}

impl AccountSelector {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        const KINDS: [&str; 3] = ["ou", "name", "tag"];
        const FORMS: &str =
            "write a 12-digit id, \"ou:NAME\", \"name:PATTERN\", \"tag:KEY=VALUE\" or \"*\"";
        if text == "*" {
            return Ok(Self::All);
        }
        if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            return AccountId::parse(text).map(Self::Id).map_err(|_| {
                Unreadable::new(
                    format!("{} has {} digits", quote(text), text.len()),
                    "an AWS account id has 12",
                )
            });
        }
        let Some((kind, rest)) = text.split_once(':') else {
            return Err(Unreadable::new(
                format!("{} does not say which accounts it means", quote(text)),
                FORMS,
            ));
        };
        match (kind, rest) {
            ("ou" | "name" | "tag", "") => Err(Unreadable::new(
                format!("nothing follows {}", quote(text)),
                FORMS,
            )),
            ("ou", name) => Ok(Self::Ou(name.to_owned())),
            ("name", pattern) => Ok(Self::Name(Pattern::new(pattern))),
            ("tag", tag) => match tag.split_once('=') {
                Some((key, value)) if !key.is_empty() => Ok(Self::Tag {
                    key: key.to_owned(),
                    value: value.to_owned(),
                }),
                _ => Err(Unreadable::new(
                    format!("{} has no key and value", quote(text)),
                    "write \"tag:KEY=VALUE\"",
                )),
            },
            _ => Err(Unreadable::new(
                format!("{} is no way to name accounts", quote(text)),
                nearest(kind, KINDS).map_or(FORMS.to_owned(), |kind| {
                    format!("did you mean \"{kind}:{rest}\"?")
                }),
            )),
        }
    }
}

impl fmt::Display for AccountSelector {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Id(id) => id.fmt(f),
            Self::Ou(name) => write!(f, "ou:{name}"),
            Self::Name(pattern) => write!(f, "name:{pattern}"),
            Self::Tag { key, value } => write!(f, "tag:{key}={value}"),
        }
    }
}

/// Which permission sets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SetSelector {
    Name(PermissionSetName),
    Pattern(Pattern),
    Arn(PermissionSetArn),
}

impl SetSelector {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        if text.starts_with("arn:") {
            return PermissionSetArn::parse(text).map(Self::Arn).map_err(|e| {
                Unreadable::new(
                    format!("{} is not a permission set's ARN", quote(text)),
                    format!("expected {}", e.expected),
                )
            });
        }
        // A pattern is a name but for its stars; checked so, `Read Only*` cannot match in silence.
        let name = text.replace(['*', '?'], "x");
        if PermissionSetName::parse(&name).is_err() {
            return Err(Unreadable::new(
                format!("{} is not a permission set", quote(text)),
                "a name is 1 to 32 letters, digits or +=,.@_-, and may contain * and ?",
            ));
        }
        if Pattern::is_one(text) {
            return Ok(Self::Pattern(Pattern::new(text)));
        }
        PermissionSetName::parse(text)
            .map(Self::Name)
            .map_err(|e| Unreadable::new(e.to_string(), "write a permission set's name"))
    }
}

impl fmt::Display for SetSelector {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Pattern(pattern) => pattern.fmt(f),
            Self::Arn(arn) => arn.fmt(f),
        }
    }
}

/// Which people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum PersonSelector {
    Everyone,
    /// `user:` and an id.
    UserId(UserId),
    /// `user:` and an e-mail or a user name.
    User(String),
    /// `group:` and an id, of either shape.
    GroupId(GroupId),
    /// `group:` and a name.
    Group(String),
}

impl PersonSelector {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        const KINDS: [&str; 2] = ["user", "group"];
        const FORMS: &str = "write \"user:E-MAIL, USER NAME OR ID\", \"group:NAME OR ID\" or \"*\"";
        if text == "*" {
            return Ok(Self::Everyone);
        }
        match text.split_once(':') {
            Some(("user" | "group", "")) => Err(Unreadable::new(
                format!("nothing follows {}", quote(text)),
                FORMS,
            )),
            Some(("user", name)) => {
                Ok(UserId::parse(name).map_or_else(|_| Self::User(name.to_owned()), Self::UserId))
            }
            Some(("group", name)) => {
                Ok(GroupId::parse(name)
                    .map_or_else(|_| Self::Group(name.to_owned()), Self::GroupId))
            }
            Some((kind, rest)) => Err(Unreadable::new(
                format!("{} is no way to name people", quote(text)),
                nearest(kind, KINDS).map_or(FORMS.to_owned(), |kind| {
                    format!("did you mean \"{kind}:{rest}\"?")
                }),
            )),
            None if text.contains('@') => Err(Unreadable::new(
                format!(
                    "{} does not say whether it is a user or a group",
                    quote(text)
                ),
                format!("write \"user:{text}\""),
            )),
            None => Err(Unreadable::new(
                format!(
                    "{} does not say whether it is a user or a group",
                    quote(text)
                ),
                FORMS,
            )),
        }
    }
}

impl fmt::Display for PersonSelector {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => f.write_str("*"),
            Self::UserId(id) => write!(f, "user:{id}"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::GroupId(id) => write!(f, "group:{id}"),
            Self::Group(name) => write!(f, "group:{name}"),
        }
    }
}
