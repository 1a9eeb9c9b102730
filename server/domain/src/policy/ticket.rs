//! Tickets: whether one is asked for, and what it looks like.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};

/// The longest ticket, in characters: a key such as `PAY-1234`, not a sentence. It is kept for ever.
pub const TICKET_MAX: usize = 100;

/// The longest pattern that can be written, in characters.
pub(super) const PATTERN_MAX: usize = 200;

/// What a pattern may grow to in memory. `regex` takes time that is linear in pattern and text; this
/// keeps the factor small whatever somebody writes.
const COMPILED_MAX: usize = 64 * 1024;

/// What a guardrail asks of tickets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketRule {
    /// Whether there has to be one.
    pub required: bool,
    /// What one looks like, if that matters.
    pub pattern: Option<TicketPattern>,
    /// Where people find it: `{ticket}` stands for the ticket.
    pub url: Option<String>,
}

impl TicketRule {
    /// Whether this ticket, or its absence, is in order.
    #[must_use]
    pub fn accepts(&self, ticket: Option<&str>) -> bool {
        given(ticket).map_or(!self.required, |ticket| {
            self.pattern
                .as_ref()
                .is_none_or(|pattern| pattern.matches(ticket))
        })
    }
}

/// A ticket, unless it is blank: a form sends one for a field that nobody filled in.
pub(super) fn given(ticket: Option<&str>) -> Option<&str> {
    ticket.filter(|ticket| !ticket.trim().is_empty())
}

/// A regular expression that the whole ticket has to match.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TicketPattern {
    text: String,
    compiled: Regex,
}

impl TicketPattern {
    /// Compiles the pattern.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > PATTERN_MAX {
            return Err(format!("it is longer than {PATTERN_MAX} characters"));
        }
        // As written first: in the brackets added below, `a)|(b` would compile and mean something else.
        build(text)?;
        let compiled = build(&format!(r"\A(?:{text})\z"))?;
        Ok(Self {
            text: text.to_owned(),
            compiled,
        })
    }

    /// Whether the whole ticket matches.
    #[must_use]
    pub fn matches(&self, ticket: &str) -> bool {
        self.compiled.is_match(ticket)
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn build(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(COMPILED_MAX)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "it is too large".to_owned(),
            // The message draws the pattern with a marker below; its last line says what is wrong.
            error => error
                .to_string()
                .lines()
                .last()
                .unwrap_or("it is not a regular expression")
                .trim_start_matches("error: ")
                .to_owned(),
        })
}

impl fmt::Debug for TicketPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketPattern({})", self.text)
    }
}

impl PartialEq for TicketPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for TicketPattern {}

impl TryFrom<String> for TicketPattern {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text)
    }
}

impl From<TicketPattern> for String {
    fn from(pattern: TicketPattern) -> Self {
        pattern.text
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]
mod tests {
    use super::*;

    #[test]
    fn the_whole_ticket_has_to_match() {
        for (pattern, ticket, expected) in [
            ("^[A-Z]+-[0-9]+$", "PAY-12", true),
            ("[A-Z]+-[0-9]+", "PAY-12", true),
            ("[A-Z]+-[0-9]+", "see PAY-12", false),
            ("[A-Z]+-[0-9]+", "PAY-12\n", false),
            ("^[A-Z]+-[0-9]+$", "PAY-12\n", false),
            ("a|b", "ab", false),
            ("(?i)pay-1", "PAY-1", true),
        ] {
            let pattern = TicketPattern::parse(pattern).unwrap();
            assert_eq!(pattern.matches(ticket), expected, "{pattern:?} {ticket:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for (text, why) in [
            ("(", "unclosed group"),
            ("a)|(b", "unopened group"),
            ("(?:[a-z]{1,500}){1,500}", "it is too large"),
            (&"a".repeat(201), "it is longer than 200 characters"),
        ] {
            assert_eq!(TicketPattern::parse(text).unwrap_err(), why, "{text}");
        }
    }
}
