//! What a policy says of a proposal, as a value with all its reasons.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::closed::closed;
use super::language::{REASON_MAX, RuleName};
use super::seconds::Seconds;
use super::ticket::TICKET_MAX;
use crate::id::{AccountId, GroupId, PermissionSetName, PolicyVersion, UserId};
use crate::target::Target;

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

closed! {
    /// Why, in a word. A closed list, the same at every door.
    Code {
        /// Granted: a rule asks nobody.
        Automatic = "automatic",
        /// Granted: the requester goes in first, and an approver signs afterwards.
        BreakGlass = "break-glass",
        /// Granted: the requester is an approver, and a rule lets their own approval count.
        SelfApproved = "self-approved",
        /// Pending: somebody has to agree.
        NeedsApproval = "needs-approval",
        /// Refused: the requester is disabled or unknown.
        RequesterInactive = "requester-inactive",
        /// Refused: there is no such account or permission set, or it is closed.
        UnknownTarget = "unknown-target",
        /// Refused: the deployment protects the account; no policy opens it.
        Protected = "protected",
        /// Refused: no rule covers the target.
        NoRule = "no-rule",
        /// Refused: rules cover the target, but none is for this requester.
        RequesterNotAllowed = "requester-not-allowed",
        /// Refused: the group has a part in the policy, so that joining it would give a say.
        PolicyGroup = "policy-group",
        /// Refused: a guardrail denies it to everyone.
        Denied = "denied",
        /// Refused: the permission set's sessions last longer than a guardrail allows.
        SessionTooLong = "session-too-long",
        /// Refused: it would begin too far in the future.
        TooFarAhead = "too-far-ahead",
        /// Refused: a guardrail allows access at certain hours only.
        OutsideHours = "outside-hours",
        /// Refused: with the access that is going on it would be longer without a break than a
        /// guardrail allows.
        ContinuousTooLong = "continuous-too-long",
        /// Refused: the only way in is break-glass, and that was not asked for.
        BreakGlassOnly = "break-glass-only",
        /// Refused: an earlier break-glass of the requester is not signed yet.
        BreakGlassUnsigned = "break-glass-unsigned",
        /// Refused: break-glass is closed for the requester until an admin opens it again.
        BreakGlassClosed = "break-glass-closed",
        /// Refused: a guardrail asks for a ticket.
        TicketRequired = "ticket-required",
        /// Refused: the ticket does not look like one.
        TicketInvalid = "ticket-invalid",
        /// Refused: a group that the verdict depends on could not be read.
        CannotTell = "cannot-tell",
        /// Refused: shorter than the policy's shortest.
        TooShort = "too-short",
        /// Refused: longer than any of the requester's rules allows.
        TooLong = "too-long",
        /// Refused: fewer people could approve than have to.
        NoApprovers = "no-approvers",
        /// Refused: the reason has too few characters.
        ReasonTooShort = "reason-too-short",
        /// Refused: the reason has too many characters.
        ReasonTooLong = "reason-too-long",
        /// Refused, and that is all that someone without a route is told.
        NotAvailable = "not-available",
    }
}

impl Code {
    /// What it means for whoever asked, as a sentence without names.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Automatic => "This access needs no approval.",
            Self::BreakGlass => "You go in first, and an approver signs afterwards.",
            Self::SelfApproved => "You may approve this yourself.",
            Self::NeedsApproval => "This access needs approval.",
            Self::RequesterInactive => "This person is not active in Identity Center.",
            Self::UnknownTarget => "There is no such open account or permission set.",
            Self::Protected => "This account is protected: no policy can give access to it.",
            Self::NoRule => "No rule covers this account and permission set.",
            Self::RequesterNotAllowed => "No rule for this access includes this person.",
            Self::PolicyGroup => "This group has a part in the policy: nobody can ask to join it.",
            Self::Denied => "A guardrail denies this to everyone.",
            Self::SessionTooLong => "Sessions with this permission set last longer than allowed.",
            Self::TooFarAhead => "That begins too far in the future.",
            Self::OutsideHours => "This access is only possible at certain hours.",
            Self::ContinuousTooLong => "That would be too long without a break.",
            Self::BreakGlassOnly => "This access is only possible as break-glass.",
            Self::BreakGlassUnsigned => "Your last break-glass has to be signed first.",
            Self::BreakGlassClosed => {
                "Break-glass is closed for this person until an admin opens it again."
            }
            Self::TicketRequired => "This access needs a ticket.",
            Self::TicketInvalid => "That is not a ticket that can be accepted here.",
            Self::CannotTell => "A group that this depends on could not be read. Try again soon.",
            Self::TooShort => "That is shorter than the policy allows.",
            Self::TooLong => "That is longer than the policy allows.",
            Self::NoApprovers => "Too few people could approve this.",
            Self::ReasonTooShort => "The reason is too short.",
            Self::ReasonTooLong => "The reason is too long.",
            Self::NotAvailable => "You cannot ask for this.",
        }
    }
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

/// One of the facts that a verdict rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Reason {
    /// The requester is disabled in the Identity Store, or not in it.
    RequesterInactive,
    /// The target does not exist or is closed.
    UnknownTarget {
        /// What was asked for.
        target: Target,
    },
    /// The deployment protects the account.
    Protected {
        /// Which.
        account: AccountId,
    },
    /// No rule covers the target.
    NoRule,
    /// A rule covers the target, and is not for this requester.
    NotARequester {
        /// Which.
        rule: RuleName,
    },
    /// A rule's groups could not all be read.
    GroupsUnknown {
        /// Which rule.
        rule: RuleName,
    },
    /// What a group gives could not be read completely.
    HoldingsUnknown {
        /// The group.
        target: Target,
    },
    /// The group is named in the policy as one that decides.
    PolicyGroup {
        /// Which.
        group: GroupId,
    },
    /// A guardrail denies the target.
    Denied {
        /// Which.
        guardrail: RuleName,
    },
    /// A guardrail allows no such sessions.
    SessionTooLong {
        /// Which guardrail.
        guardrail: RuleName,
        /// The permission set.
        permission_set: PermissionSetName,
        /// How long its sessions last.
        session: Seconds,
        /// How long they may.
        max: Seconds,
    },
    /// It would begin too far in the future.
    TooFarAhead {
        /// The guardrail that says so; `None` if no policy could allow it.
        guardrail: Option<RuleName>,
        /// How far ahead it may begin.
        max: Seconds,
    },
    /// A guardrail's hours end before the window does.
    OutsideHours {
        /// Which guardrail.
        guardrail: RuleName,
        /// What is left of them at the start; nothing outside them.
        left: Seconds,
    },
    /// A guardrail wants a break.
    ContinuousTooLong {
        /// Which guardrail.
        guardrail: RuleName,
        /// How long access has been going on at the start.
        before: Seconds,
        /// How long it may without a break.
        max: Seconds,
    },
    /// A guardrail asks for a ticket.
    TicketRequired {
        /// Which.
        guardrail: RuleName,
        /// What one looks like.
        pattern: Option<String>,
    },
    /// The ticket does not look as a guardrail says.
    TicketInvalid {
        /// Which.
        guardrail: RuleName,
        /// What one looks like.
        pattern: Option<String>,
    },
    /// The ticket is longer than any ticket.
    TicketTooLong,
    /// A guardrail makes every way shorter.
    Shortened {
        /// Which.
        guardrail: RuleName,
        /// The longest that it allows.
        max: Seconds,
    },
    /// A guardrail asks for more approvals than some rule.
    MoreApprovals {
        /// Which.
        guardrail: RuleName,
        /// How many people other than the requester.
        approvals: u32,
    },
    /// A guardrail forbids everyone to approve for themselves.
    NoSelfApproval {
        /// Which.
        guardrail: RuleName,
    },
    /// A guardrail forbids break-glass.
    BreakGlassDenied {
        /// Which.
        guardrail: RuleName,
    },
    /// A rule lets in first, as break-glass.
    AsksAfterwards {
        /// Which.
        rule: RuleName,
        /// How many have to sign.
        signatures: u32,
    },
    /// A rule grants at once.
    GrantsAtOnce {
        /// Which.
        rule: RuleName,
    },
    /// A rule would grant at once, but for another.
    ApprovalRequired {
        /// The other.
        rule: RuleName,
    },
    /// A rule is open to the requester, through approvers.
    Open {
        /// Which.
        rule: RuleName,
        /// How many have to agree.
        approvals: u32,
        /// How many could, the requester left out.
        approvers: u32,
    },
    /// The requester is one of a rule's approvals.
    SelfCounts {
        /// Which rule.
        rule: RuleName,
    },
    /// The requester may not approve for themselves.
    SelfApprovalDenied {
        /// The rule that says so.
        rule: RuleName,
    },
    /// Fewer people could approve than a rule asks for.
    TooFewApprovers {
        /// Which rule.
        rule: RuleName,
        /// How many others have to agree.
        needed: u32,
        /// How many could.
        found: u32,
    },
    /// A rule does not allow so long.
    LongerThanRule {
        /// Which rule.
        rule: RuleName,
        /// What was asked for.
        asked: Seconds,
        /// What it allows.
        max: Seconds,
    },
    /// The policy does not allow so short.
    ShorterThanMin {
        /// What was asked for.
        asked: Seconds,
        /// What it allows.
        min: Seconds,
    },
    /// The reason has too few characters.
    ReasonTooShort {
        /// How many it has.
        given: usize,
        /// How many it needs.
        min: usize,
    },
    /// The reason has too many characters.
    ReasonTooLong {
        /// How many it has.
        given: usize,
    },
    /// All that someone without a route is told.
    NotAvailable,
}

impl Reason {
    /// It as a sentence of its own.
    #[must_use]
    pub fn sentence(&self) -> String {
        let text = self.to_string();
        let mut chars = text.chars();
        let first = chars.next().map(char::to_uppercase);
        let mut sentence: String = first.into_iter().flatten().chain(chars).collect();
        sentence.push('.');
        sentence
    }

    /// The rule that it speaks of, if that is one that may be for others.
    const fn rule(&self) -> Option<&RuleName> {
        match self {
            Self::NotARequester { rule }
            | Self::GroupsUnknown { rule }
            | Self::GrantsAtOnce { rule }
            | Self::AsksAfterwards { rule, .. }
            | Self::Open { rule, .. }
            | Self::SelfCounts { rule }
            | Self::ApprovalRequired { rule }
            | Self::SelfApprovalDenied { rule }
            | Self::TooFewApprovers { rule, .. }
            | Self::LongerThanRule { rule, .. } => Some(rule),
            Self::RequesterInactive
            | Self::UnknownTarget { .. }
            | Self::Protected { .. }
            | Self::NoRule
            | Self::HoldingsUnknown { .. }
            | Self::PolicyGroup { .. }
            // Guardrails bind everyone.
            | Self::NoSelfApproval { .. }
            | Self::Denied { .. }
            | Self::SessionTooLong { .. }
            | Self::TooFarAhead { .. }
            | Self::OutsideHours { .. }
            | Self::ContinuousTooLong { .. }
            | Self::TicketRequired { .. }
            | Self::TicketInvalid { .. }
            | Self::TicketTooLong
            | Self::Shortened { .. }
            | Self::MoreApprovals { .. }
            | Self::BreakGlassDenied { .. }
            | Self::ShorterThanMin { .. }
            | Self::ReasonTooShort { .. }
            | Self::ReasonTooLong { .. }
            | Self::NotAvailable => None,
        }
    }
}

impl fmt::Display for Reason {
    /// A sentence without its full stop.
    #[expect(
        clippy::too_many_lines,
        reason = "a sentence for each, and nothing else"
    )]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequesterInactive => {
                f.write_str("the requester is not an active person of the Identity Store")
            }
            Self::UnknownTarget { target } => {
                write!(f, "{target} does not exist, or the account is closed")
            }
            Self::Protected { account } => {
                write!(f, "account {account} is protected by the deployment")
            }
            Self::NoRule => f.write_str("no rule covers the target"),
            Self::NotARequester { rule } => {
                write!(f, "rule `{rule}` covers the target, but not this requester")
            }
            Self::GroupsUnknown { rule } => {
                write!(
                    f,
                    "the groups that rule `{rule}` names could not all be read"
                )
            }
            Self::HoldingsUnknown { target } => {
                write!(f, "what {target} gives could not all be read")
            }
            Self::PolicyGroup { group } => write!(
                f,
                "group {group} is named in the policy as admins, auditors, requesters or approvers"
            ),
            Self::Denied { guardrail } => write!(f, "guardrail `{guardrail}` denies it"),
            Self::SessionTooLong {
                guardrail,
                permission_set,
                session,
                max,
            } => write!(
                f,
                "sessions with `{permission_set}` last {session}, and guardrail `{guardrail}` \
                 allows {max}"
            ),
            Self::TooFarAhead {
                guardrail: Some(guardrail),
                max,
            } => write!(
                f,
                "guardrail `{guardrail}` lets access begin at most {max} ahead"
            ),
            Self::TooFarAhead {
                guardrail: None,
                max,
            } => write!(f, "access begins at most {max} ahead"),
            Self::OutsideHours { guardrail, left } if left.get() == 0 => {
                write!(
                    f,
                    "it would begin outside the hours of guardrail `{guardrail}`"
                )
            }
            Self::OutsideHours { guardrail, left } => write!(
                f,
                "the hours of guardrail `{guardrail}` end {left} after it would begin"
            ),
            Self::ContinuousTooLong {
                guardrail,
                before,
                max,
            } => write!(
                f,
                "guardrail `{guardrail}` allows {max} without a break, and there would be {before} \
                 before this"
            ),
            Self::TicketRequired { guardrail, pattern } => {
                write!(f, "guardrail `{guardrail}` asks for a ticket")?;
                like(pattern.as_deref(), f)
            }
            Self::TicketInvalid { guardrail, pattern } => {
                write!(f, "guardrail `{guardrail}` does not accept the ticket")?;
                like(pattern.as_deref(), f)
            }
            Self::TicketTooLong => {
                write!(f, "the ticket has more than {TICKET_MAX} characters")
            }
            Self::Shortened { guardrail, max } => {
                write!(f, "guardrail `{guardrail}` allows at most {max}")
            }
            Self::MoreApprovals {
                guardrail,
                approvals,
            } => write!(
                f,
                "guardrail `{guardrail}` asks for {} from others than the requester",
                counted(*approvals, "approval", "approvals")
            ),
            Self::NoSelfApproval { guardrail } => {
                write!(f, "guardrail `{guardrail}` forbids to approve for oneself")
            }
            Self::BreakGlassDenied { guardrail } => {
                write!(f, "guardrail `{guardrail}` forbids break-glass")
            }
            Self::AsksAfterwards { rule, signatures } => write!(
                f,
                "rule `{rule}` lets in first as break-glass, and needs {} afterwards",
                counted(*signatures, "signature", "signatures")
            ),
            Self::GrantsAtOnce { rule } => write!(f, "rule `{rule}` needs no approval"),
            Self::ApprovalRequired { rule } => {
                write!(
                    f,
                    "rule `{rule}` requires approval, so no rule grants at once"
                )
            }
            Self::Open {
                rule,
                approvals,
                approvers,
            } => write!(
                f,
                "rule `{rule}` needs {} from {} who could give it",
                counted(*approvals, "approval", "approvals"),
                counted(*approvers, "person", "people")
            ),
            Self::SelfCounts { rule } => {
                write!(
                    f,
                    "the requester is an approver of rule `{rule}`, which counts that"
                )
            }
            Self::SelfApprovalDenied { rule } => {
                write!(
                    f,
                    "rule `{rule}` forbids the requester to approve for themselves"
                )
            }
            Self::TooFewApprovers {
                rule,
                needed,
                found,
            } => write!(
                f,
                "rule `{rule}` needs {needed} besides the requester to agree, and {found} could"
            ),
            Self::LongerThanRule { rule, asked, max } => {
                write!(f, "rule `{rule}` allows at most {max}, not {asked}")
            }
            Self::ShorterThanMin { asked, min } => {
                write!(f, "the policy allows at least {min}, not {asked}")
            }
            Self::ReasonTooShort { given, min } => write!(
                f,
                "the reason has {}, and needs at least {min}",
                counted(
                    u32::try_from(*given).unwrap_or(u32::MAX),
                    "character",
                    "characters"
                )
            ),
            Self::ReasonTooLong { given } => write!(
                f,
                "the reason has {given} characters, and at most {REASON_MAX} are allowed"
            ),
            Self::NotAvailable => {
                f.write_str("this is not something that the requester can ask for")
            }
        }
    }
}

fn counted(n: u32, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What a ticket looks like, for the end of a sentence.
fn like(pattern: Option<&str>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match pattern {
        Some(pattern) => write!(f, " that matches `{pattern}`"),
        None => Ok(()),
    }
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
