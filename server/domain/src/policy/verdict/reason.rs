//! The facts that a verdict rests on, and how they are said.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::{AccountId, GroupId, PermissionSetName};
use crate::policy::language::{REASON_MAX, RuleName};
use crate::policy::seconds::Seconds;
use crate::policy::ticket::TICKET_MAX;
use crate::target::Target;

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
    /// A delegated administrator, as Belay is here, cannot assign anything in the management account.
    ManagementAccount {
        /// Which.
        account: AccountId,
    },
    /// Nor can it assign, in any account, what is provisioned in the management account.
    ProvisionedInManagement {
        /// Which.
        permission_set: PermissionSetName,
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
    pub(super) const fn rule(&self) -> Option<&RuleName> {
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
            | Self::ManagementAccount { .. }
            | Self::ProvisionedInManagement { .. }
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
            Self::UnknownTarget {
                target:
                    Target::Account {
                        account,
                        permission_set,
                    },
            } => write!(
                f,
                "account {account} or permission set {permission_set} does not exist, or the account \
                 is closed"
            ),
            Self::UnknownTarget {
                target: Target::Group { group },
            } => write!(f, "group {group} does not exist"),
            Self::Protected { account } => {
                write!(f, "account {account} is protected by the deployment")
            }
            Self::ManagementAccount { account } => write!(
                f,
                "account {account} is the management account, where Belay, a delegated administrator, \
                 cannot assign anything; ask for a group that has the access"
            ),
            Self::ProvisionedInManagement { permission_set } => write!(
                f,
                "permission set {permission_set} is provisioned in the management account, so that \
                 Belay, a delegated administrator, cannot assign it anywhere; ask for a group that \
                 has the access"
            ),
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
            Self::HoldingsUnknown { .. } => f.write_str(
                "what the group gives could not all be read just now; try again in a few minutes",
            ),
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
