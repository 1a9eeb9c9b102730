//! What the lists of a policy name: accounts, permission sets, groups, people, and whom to tell.
//!
//! Each entry is one text, read once and written back the same by `Display`.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::pattern::Pattern;
use super::problem::{nearest, quote};
use crate::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};

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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Which groups, as targets.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum GroupSelector {
    /// `group:` and an id, of either shape.
    Id(GroupId),
    /// `group:` and a name.
    Name(String),
}

impl GroupSelector {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        match text.split_once(':') {
            Some(("group", name)) if !name.is_empty() => {
                Ok(GroupId::parse(name).map_or_else(|_| Self::Name(name.to_owned()), Self::Id))
            }
            Some(_) => Err(Unreadable::new(
                format!("{} does not name a group", quote(text)),
                "write \"group:NAME OR ID\"",
            )),
            None => Err(Unreadable::new(
                format!("{} does not name a group", quote(text)),
                format!("write \"group:{text}\""),
            )),
        }
    }
}

impl fmt::Display for GroupSelector {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "group:{id}"),
            Self::Name(name) => write!(f, "group:{name}"),
        }
    }
}

/// Whom to tell besides those who have to act. Being told gives nobody a say.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// `slack:#channel` or `slack:` and a channel's id.
    Slack(String),
    /// `webhook:` and the name that the deployment gave it.
    Webhook(String),
}

impl Channel {
    pub(super) fn parse(text: &str) -> Result<Self, Unreadable> {
        /// Slack's own limit for a channel's name.
        const SLACK_NAME: usize = 80;
        const FORMS: &str = "write \"slack:#channel\" or \"webhook:NAME\"";
        let word = |text: &str| {
            !text.is_empty()
                && text.chars().count() <= SLACK_NAME
                && !text
                    .chars()
                    .any(|c| c.is_whitespace() || c.is_control() || "#:,".contains(c))
        };
        match text.split_once(':') {
            Some(("slack", channel)) if word(channel.strip_prefix('#').unwrap_or(channel)) => {
                Ok(Self::Slack(channel.to_owned()))
            }
            Some(("webhook", name)) if word(name) => Ok(Self::Webhook(name.to_owned())),
            Some((kind, rest)) => Err(Unreadable::new(
                format!("{} is no way to tell anybody", quote(text)),
                nearest(kind, ["slack", "webhook"])
                    .filter(|near| *near != kind)
                    .map_or(FORMS.to_owned(), |near| {
                        format!("did you mean \"{near}:{rest}\"?")
                    }),
            )),
            None => Err(Unreadable::new(
                format!("{} is no way to tell anybody", quote(text)),
                FORMS,
            )),
        }
    }
}

impl fmt::Display for Channel {
    /// As it is written.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slack(channel) => write!(f, "slack:{channel}"),
            Self::Webhook(name) => write!(f, "webhook:{name}"),
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
