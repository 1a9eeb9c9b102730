//! Why, in a word.

use crate::policy::closed::closed;

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
        /// Refused: AWS does not let Belay assign it, since Belay is a delegated administrator.
        BeyondReach = "beyond-reach",
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
            Self::UnknownTarget => "There is no such account, permission set or group.",
            Self::Protected => "This account is protected: no policy can give access to it.",
            Self::BeyondReach => {
                "AWS does not let Belay assign this. A group that has it can be asked for instead."
            }
            Self::NoRule => "No rule covers this.",
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
