//! Closed lists of words, as the contract has them. Each is made from the pages' own, so that a word
//! that is added there does not compile here until it has been thought of.

use app::view as from;
use domain::sweep::plan;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! words {
    ($(#[doc = $meaning:literal])+ $name:ident {
        $($(#[doc = $each:literal])+ $variant:ident,)+
    }) => {
        $(#[doc = $meaning])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub(super) enum $name { $($(#[doc = $each])+ $variant,)+ }

        impl From<from::$name> for $name {
            fn from(word: from::$name) -> Self {
                match word { $(from::$name::$variant => Self::$variant,)+ }
            }
        }
    };
}

words! {
    /// A request in one word: that of its asks and their grants, if they agree.
    RequestState {
        /// Waits for review.
        Pending,
        /// Approved, starts later.
        Scheduled,
        /// Being created in AWS.
        Granting,
        /// In force.
        Active,
        /// Being taken away; not yet proven gone.
        Revoking,
        /// Past its end and not yet proven gone.
        Overdue,
        /// Over, with a receipt.
        Ended,
        /// Refused by a reviewer.
        Denied,
        /// Taken back by the requester.
        Withdrawn,
        /// Nobody answered in time.
        Expired,
        /// Its asks differ.
        Mixed,
    }
}

words! {
    /// How far an ask is.
    AskState {
        /// Waits for review.
        Pending,
        /// Approved; its grant says the rest.
        Approved,
        /// Somebody who could approve said no.
        Denied,
        /// The requester took it back.
        Withdrawn,
        /// Nobody answered in time.
        Expired,
    }
}

words! {
    /// How far a grant is.
    GrantState {
        /// Promised, starts later.
        Scheduled,
        /// Being created in AWS.
        Granting,
        /// AWS says that it is there.
        Active,
        /// Being taken away; not yet proven gone.
        Revoking,
        /// Over, with a receipt.
        Ended,
    }
}

words! {
    /// What a reviewer did.
    ReviewKind {
        /// Yes.
        Approve,
        /// No.
        Deny,
    }
}

words! {
    /// How a grant ended. Only `removed` and `absent-already` say that the access is gone.
    ReceiptKind {
        /// The deletion succeeded, and an independent read shows it absent.
        Removed,
        /// Two complete reads showed it absent.
        AbsentAlready,
        /// Other grants hold the same access.
        HeldBy,
        /// It was there before Belay and stays.
        Standing,
        /// The account, the permission set or the person no longer exists.
        TargetGone,
        /// It was never created.
        NeverGranted,
    }
}

words! {
    /// One piece of evidence on a receipt.
    Evidence {
        /// AWS accepted the creation.
        CreationAccepted,
        /// AWS reported the creation `SUCCEEDED`.
        CreationSucceeded,
        /// AWS reported the creation `FAILED`.
        CreationFailed,
        /// AWS accepted the deletion.
        DeletionAccepted,
        /// AWS reported the deletion `SUCCEEDED`.
        DeletionSucceeded,
        /// A complete read shows the assignment.
        ReadPresent,
        /// A complete read shows it absent.
        ReadAbsent,
        /// The account, permission set or person was found to be gone.
        TargetGone,
        /// Nothing was ever asked of AWS.
        NothingAsked,
    }
}

words! {
    /// What keeps a grant from moving on.
    Trouble {
        /// AWS asks us to slow down.
        Throttled,
        /// AWS refuses our credentials or rights.
        AccessDenied,
        /// Another change of the same assignment is under way.
        Conflict,
        /// AWS reported the operation `FAILED`.
        Failed,
        /// AWS does not answer.
        Unreachable,
    }
}

words! {
    /// How a break-glass stands.
    GlassState {
        /// Signatures are missing.
        Unsigned,
        /// They still are, after the time for that.
        Overdue,
        /// Enough people signed it.
        Signed,
        /// Somebody who could have signed rejected it.
        Rejected,
    }
}

words! {
    /// What would happen to a request, in a word.
    PreviewOutcome {
        /// Granted at once.
        Automatic,
        /// The requester's own approval completes it.
        SelfApproved,
        /// Waits for others.
        NeedsApproval,
        /// Only by going in first, and having it signed afterwards.
        BreakGlass,
        /// Would be refused.
        Refused,
        /// The caller waits for it already.
        Waiting,
    }
}

words! {
    /// How grants and assignments differ.
    FindingKind {
        /// Promised, and not there.
        Missing,
        /// Over, and not proven gone.
        Overdue,
        /// There, and nobody's.
        Unmanaged,
        /// Promised, and today's policy would refuse it.
        NoLongerAllowed,
    }
}

words! {
    /// What may be done about a finding.
    Course {
        /// The access is right, and known.
        Adopt,
        /// It is not, and is left for now.
        Ignore,
        /// It is not, and is taken away.
        Revoke,
    }
}

words! {
    /// What is done about what nobody promised.
    SweepMode {
        /// It is not looked for.
        Off,
        /// It is found, and left alone.
        Warn,
        /// It is found, and taken away.
        Enforce,
    }
}

words! {
    /// What happens to a proposal.
    Answer {
        /// Given at once.
        Granted,
        /// Waits for approvers.
        Pending,
        /// Not possible.
        Refused,
    }
}

/// Why the sweep leaves something alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum WhyLeft {
    /// It is of another kind: what is missing or overdue is not swept.
    OtherKind,
    /// It is no account assignment of a person.
    NotAnAssignment,
    /// Two admins adopted or ignored it.
    Agreed,
    /// An admin proposed to, and nobody has answered.
    Proposed,
    /// Two admins agreed that it is taken away: it does not wait for a pass.
    Revoking,
    /// `BELAY_SWEEP_ALLOW` names it.
    Allowed,
    /// Its account is protected.
    Protected,
    /// A delegated administrator cannot change it, or it is not known whether it can.
    BeyondReach,
    /// It stood before Belay.
    Standing,
    /// Somebody was promised it.
    Promised,
    /// Something of Belay's on it is under way or uncertain.
    UnderWay,
    /// Belay changed it a moment ago.
    Lately,
    /// It was there when the sweep began.
    Baseline,
    /// No look since it was found has shown it again.
    SeenOnce,
    /// It has not been known long enough.
    Young,
}

impl From<plan::Left> for WhyLeft {
    fn from(left: plan::Left) -> Self {
        use plan::Left as Is;
        match left {
            Is::OtherKind => Self::OtherKind,
            Is::NotAnAssignment => Self::NotAnAssignment,
            Is::Agreed => Self::Agreed,
            Is::Proposed => Self::Proposed,
            Is::Revoking => Self::Revoking,
            Is::Allowed => Self::Allowed,
            Is::Protected => Self::Protected,
            Is::BeyondReach => Self::BeyondReach,
            Is::Standing => Self::Standing,
            Is::Promised => Self::Promised,
            Is::UnderWay => Self::UnderWay,
            Is::Lately => Self::Lately,
            Is::Baseline => Self::Baseline,
            Is::SeenOnce => Self::SeenOnce,
            Is::Young { .. } => Self::Young,
        }
    }
}

/// What the next pass of the sweep does about what is ripe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum SweepOutcome {
    /// It takes it away.
    Within,
    /// It waits for an admin: there is more than a pass takes away by itself.
    Waits,
    /// It takes it away: an admin let this very list go.
    Confirmed,
    /// Nothing: nothing is looked for.
    Off,
    /// Nothing: the deployment does not say that anything is to be taken away.
    NotEnforcing,
    /// Nothing: there is no baseline.
    NoBaseline,
    /// Nothing: the organisation has not been looked at twice.
    NoLook,
    /// Nothing: the last pass did not read everything.
    Incomplete,
    /// Nothing: there is more to be found than is kept.
    Untold,
    /// Nothing: the last look showed nothing at all.
    NothingSeen,
    /// Nothing: the last look showed far less than the one before.
    FewerSeen,
}

impl From<plan::Outcome> for SweepOutcome {
    fn from(outcome: plan::Outcome) -> Self {
        use plan::{Halt, Outcome};
        match outcome {
            Outcome::Within => Self::Within,
            Outcome::Waits => Self::Waits,
            Outcome::Confirmed => Self::Confirmed,
            Outcome::Halted(halt) => match halt {
                Halt::NotEnforcing => Self::NotEnforcing,
                Halt::NoBaseline => Self::NoBaseline,
                Halt::NoLook => Self::NoLook,
                Halt::Incomplete => Self::Incomplete,
                Halt::Untold => Self::Untold,
                Halt::Nothing => Self::NothingSeen,
                Halt::Fewer { .. } => Self::FewerSeen,
            },
        }
    }
}

/// The word of an event, as the timeline has it; kinds that this version does not know keep their own.
pub(super) fn event(kind: &from::EventKind) -> String {
    use from::EventKind as Is;
    match kind {
        Is::Submitted => "submitted",
        Is::ReviewedApprove => "reviewed-approve",
        Is::ReviewedDeny => "reviewed-deny",
        Is::Retracted => "retracted",
        Is::Reopened => "reopened",
        Is::Nudged => "nudged",
        Is::Approved => "approved",
        Is::BrokeGlass => "broke-glass",
        Is::Signed => "signed",
        Is::Rejected => "rejected",
        Is::Unsigned => "unsigned",
        Is::Denied => "denied",
        Is::Withdrawn => "withdrawn",
        Is::Expired => "expired",
        Is::Scheduled => "scheduled",
        Is::Granting => "granting",
        Is::Active => "active",
        Is::EndedEarly => "ended-early",
        Is::Revoking => "revoking",
        Is::Attempted => "attempted",
        Is::Ended => "ended",
        Is::Other(word) => word,
    }
    .to_owned()
}
