//! What a policy says of a proposal, as a value with all its reasons.

mod code;
mod reason;

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::language::RuleName;
use super::seconds::Seconds;
use crate::id::{PolicyVersion, UserId};

pub use self::code::Code;
pub use self::reason::Reason;

/// What happens to the proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Given at once.
    Granted,
    /// Waits for approvers.
    Pending,
    /// Not possible.
    Refused,
}

/// One way to the target: its own approvers, number of approvals and durations, mixed with no other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// The rule that opens it.
    pub rule: RuleName,
    /// How many distinct people have to agree.
    pub approvals: u32,
    /// Who could, the requester left out.
    pub approvers: BTreeSet<UserId>,
    /// The longest access by this route.
    pub max_duration: Seconds,
    /// What a form offers.
    pub durations: Vec<Seconds>,
    /// Whether the requester is one of those who agree.
    pub self_counts: bool,
}

/// The nearest thing that would be allowed, as far as it differs from what was asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearest {
    /// This long instead.
    pub duration: Option<Seconds>,
    /// A reason of at least, or at most, so many characters.
    pub reason_chars: Option<usize>,
    /// Beginning then.
    #[serde(default)]
    pub start: Option<Timestamp>,
    /// With a ticket that is accepted.
    #[serde(default)]
    pub ticket: bool,
    /// As break-glass.
    #[serde(default)]
    pub break_glass: bool,
    /// Not as break-glass.
    #[serde(default)]
    pub without_break_glass: bool,
}

impl fmt::Display for Nearest {
    /// A sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut with: Vec<String> = Vec::new();
        if let Some(chars) = self.reason_chars {
            with.push(format!("a reason of {chars} characters"));
        }
        if self.ticket {
            with.push("a ticket".to_owned());
        }
        let same = self.duration.is_none() && self.start.is_none();
        if same && !self.break_glass && !self.without_break_glass {
            return match (self.reason_chars, with.as_slice()) {
                (_, []) => f.write_str("Nothing near it would be allowed."),
                (Some(chars), [_]) => {
                    write!(f, "A reason of {chars} characters would be allowed.")
                }
                (_, all) => write!(f, "The same with {} would be allowed.", all.join(" and ")),
            };
        }
        match self.duration {
            Some(duration) => write!(f, "{duration}")?,
            None => f.write_str("The same")?,
        }
        if let Some(start) = self.start {
            write!(f, " from {start}")?;
        }
        if self.break_glass {
            f.write_str(" as break-glass")?;
        } else if self.without_break_glass {
            f.write_str(" without break-glass")?;
        }
        if !with.is_empty() {
            write!(f, ", with {},", with.join(" and "))?;
        }
        f.write_str(" would be allowed.")
    }
}

/// What the policy says of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The policy that says so.
    pub policy: PolicyVersion,
    /// What happens.
    pub outcome: Outcome,
    /// Why, in a word.
    pub code: Code,
    /// The rule that grants at once, if one does.
    pub granted_by: Option<RuleName>,
    /// All rules that cover the target and include the requester, whether or not they allow this
    /// duration.
    pub eligible: Vec<RuleName>,
    /// If granted, the route that grants; if pending, every route that can complete.
    pub routes: Vec<Route>,
    /// Everything that the verdict rests on.
    pub reasons: Vec<Reason>,
    /// For a refusal, what would be allowed instead, if anything near is.
    pub nearest: Option<Nearest>,
    /// Whether whoever approves, or goes in by break-glass, has to have signed in just before.
    #[serde(default)]
    pub reauthenticate: bool,
}

impl Verdict {
    /// Everyone who could approve by some route, the requester left out.
    #[must_use]
    pub fn approvers(&self) -> BTreeSet<UserId> {
        self.routes
            .iter()
            .flat_map(|route| &route.approvers)
            .cloned()
            .collect()
    }

    /// The rules of its routes, to be kept with the ask: see [`super::AskFacts`].
    #[must_use]
    pub fn route_rules(&self) -> Vec<RuleName> {
        self.routes.iter().map(|route| route.rule.clone()).collect()
    }

    /// The code's sentence, and what would be allowed instead.
    #[must_use]
    pub fn sentence(&self) -> String {
        let mut text = self.code.sentence().to_owned();
        if let Some(nearest) = &self.nearest {
            text.push(' ');
            text.push_str(&nearest.to_string());
        }
        text
    }

    /// What the requester may see of it.
    ///
    /// Without an eligible route the answer is one and the same whatever the target: it must not
    /// tell whether an account exists, or whether others have a rule for it. With one, the rules of
    /// others stay out of the reasons.
    #[must_use]
    pub fn for_requester(mut self) -> Self {
        if self.code == Code::RequesterInactive {
            // Says nothing about the target.
            return self;
        }
        if self.eligible.is_empty() {
            return Self {
                policy: self.policy,
                outcome: Outcome::Refused,
                code: Code::NotAvailable,
                granted_by: None,
                eligible: Vec::new(),
                routes: Vec::new(),
                reasons: vec![Reason::NotAvailable],
                nearest: None,
                reauthenticate: false,
            };
        }
        let own = &self.eligible;
        self.reasons
            .retain(|reason| reason.rule().is_none_or(|rule| own.contains(rule)));
        self
    }

    /// What is kept of it in a record: everything, but no longer than a record can hold.
    ///
    /// Approvers are judged again at every review, so a record needs them only to be read; a rule
    /// whose approvers are the whole company would otherwise not fit in the table.
    #[must_use]
    pub fn for_record(self) -> Self {
        self.for_record_of(1)
    }

    /// The same, where a record holds the verdicts of so many asks.
    #[must_use]
    pub fn for_record_of(mut self, asks: usize) -> Self {
        /// With ids of 47 bytes at most, routes x approvers stay below 50 kB, an eighth of what an
        /// item may hold, however many asks share it.
        const ROUTES: usize = 20;
        const APPROVERS: usize = 50;
        const REASONS: usize = 60;
        self.eligible.truncate(REASONS);
        self.routes.truncate(ROUTES);
        for route in &mut self.routes {
            let shown = APPROVERS / asks.max(1);
            if let Some(beyond) = route.approvers.iter().nth(shown).cloned() {
                route.approvers.split_off(&beyond);
            }
        }
        self.reasons.truncate(REASONS);
        self
    }
}
