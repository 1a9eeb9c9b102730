//! The closed lists of codes. On the wire they are kebab-case; a code's facts travel with it.

use serde::{Deserialize, Serialize};

use super::EpochMs;

/// Why a read gave no view. Codes only: text would travel in addresses and logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireError {
    /// No session, or it has ended.
    SignedOut,
    /// There is nothing here for this person: also the answer for what they may not know about.
    NotFound,
    /// It exists, they may know so, and it is not for them.
    NotAllowed,
    /// Policy would let them ask for it, and AWS does not let Belay assign it.
    BeyondReach,
    /// A part that is needed did not answer; asking again later may work.
    Unavailable {
        /// Which one.
        part: Part,
    },
    /// The browser's half and the server's half are of different versions: reload.
    Stale,
}

/// A part that can be out of reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The way from the browser to Belay.
    Network,
    /// Belay itself.
    Server,
    /// The `DynamoDB` table.
    Store,
    /// Identity Center or Identity Store.
    IdentityCenter,
    /// The directory snapshot has not been taken yet.
    Directory,
    /// No valid policy has been loaded yet.
    Policy,
    /// The OIDC provider.
    SignIn,
}

/// Problems that take a whole page and need no script: [`crate::problem_page`] renders them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PageProblem {
    /// The callback's `state` (or nonce, or `iss`) does not match this browser's sign-in.
    SignInMismatch,
    /// The sign-in took too long, or its single use is spent.
    SignInExpired,
    /// The provider answered with an error, or the person declined there.
    SignInDeclined,
    /// The provider's token did not verify.
    SignInInvalid,
    /// The login finds nobody in Identity Center.
    SignInNobody,
    /// The login finds more than one person, or its rules disagree.
    SignInAmbiguous,
    /// The person is disabled in Identity Center.
    SignInDisabled,
    /// This login and this person are each already bound to another.
    SignInBoundElsewhere,
    /// A part that the page cannot do without is out of reach.
    Unavailable(Part),
    /// An unsafe method that did not come from one of our pages.
    CrossOrigin,
    /// The page was somebody else's who has signed out since.
    AnotherPerson,
    /// The form's body is larger than any form of ours.
    TooLarge,
    /// The form could not be read.
    BadForm,
    /// This address does not take this method.
    MethodNotAllowed,
    /// Too many requests from this person or browser.
    TooMany,
    /// No such page.
    NotFound,
    /// Something broke on our side.
    Broken,
}

impl PageProblem {
    /// The HTTP status that says the same.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::SignInMismatch | Self::SignInExpired | Self::SignInInvalid | Self::BadForm => 400,
            Self::SignInDeclined
            | Self::SignInNobody
            | Self::SignInAmbiguous
            | Self::SignInDisabled
            | Self::SignInBoundElsewhere
            | Self::CrossOrigin => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::AnotherPerson => 409,
            Self::TooLarge => 413,
            Self::TooMany => 429,
            Self::Broken => 500,
            Self::Unavailable(_) => 503,
        }
    }
}

/// What would happen to a request for an offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ApprovalKind {
    /// Granted at once.
    Automatic,
    /// The requester's own approval is enough.
    SelfApproved,
    /// Other people approve.
    Needed {
        /// How many, on the easiest route.
        approvals: u32,
    },
    /// Break-glass, and nothing else.
    BreakGlass,
}

/// The verdict in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PreviewOutcome {
    /// Granted at once.
    Automatic,
    /// The requester's own approval completes it.
    SelfApproved,
    /// Waits for others.
    NeedsApproval,
    /// Only by going in first, and having it signed afterwards.
    BreakGlass,
    /// Would be refused; the reasons say why.
    Refused,
    /// They wait for it already.
    Waiting,
}

/// A reason of a verdict, with its facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// This rule grants without approval.
    Automatic {
        /// The rule's name.
        rule: String,
    },
    /// The requester approves on this rule, and it lets them.
    SelfApproved {
        /// The rule's name.
        rule: String,
    },
    /// What a guardrail, or another part of the policy, says of it, as a sentence.
    Policy {
        /// The sentence.
        sentence: String,
    },
    /// This rule wants approvals.
    NeedsApproval {
        /// The rule's name.
        rule: String,
        /// How many.
        approvals: u32,
    },
    /// No rule covers the target. Auditors and admins only.
    NoRule,
    /// Rules cover the target, none lets this person ask. Auditors and admins only.
    RequesterNotAllowed,
    /// What everyone else is told for an unknown account, no rule, or not allowed.
    NotAvailable,
    /// The deployment protects this account from every rule.
    ProtectedAccount,
    /// Fewer people could approve than the rule wants.
    NoApprovers {
        /// The rule's name.
        rule: String,
        /// How many approvals it wants.
        needed: u32,
        /// How many people other than the requester could give one.
        found: u32,
    },
    /// The longest window that is allowed.
    TooLong {
        /// In seconds.
        max_seconds: u32,
    },
    /// The shortest window that is allowed.
    TooShort {
        /// In seconds.
        min_seconds: u32,
    },
    /// The reason is too short.
    ReasonTooShort {
        /// In characters.
        min_chars: u32,
    },
    /// The reason is too long.
    ReasonTooLong {
        /// In characters.
        max_chars: u32,
    },
}

/// State of an ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AskState {
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

/// State of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrantState {
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

/// State of a request: a summary of its asks and their grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
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
    /// Past its end and not yet proven gone: somebody should look.
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

/// What a reviewer did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReviewKind {
    /// Yes.
    Approve,
    /// No.
    Deny,
}

/// Why this person cannot act on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WhyNot {
    /// It is their own, and its routes count no self-approval.
    OwnRequest,
    /// They are an approver of none of its routes.
    NotAnApprover,
    /// They have reviewed it already.
    AlreadyReviewed,
    /// It waits for nobody any more.
    AlreadyDecided,
    /// A guardrail asks for an approver who has signed in just before.
    Reauthenticate,
    /// Who may approve could not be looked up just now.
    CannotTell,
}

/// Whether the person looking has to sign in again before they may do what the page offers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignInAgain {
    /// No.
    #[default]
    NotNeeded,
    /// Yes: the button leads through it and back here.
    Needed,
    /// They have: the button does what it says.
    Done {
        /// Until when that counts.
        until: EpochMs,
    },
}

/// What a grant is in AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// A permission set that is assigned in an account.
    Assignment,
    /// Membership of a group.
    Membership,
}

/// How a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptKind {
    /// Deleted by us, and read absent afterwards.
    Removed,
    /// It was gone already: two complete reads agree.
    AbsentAlready,
    /// Other grants still need it.
    HeldBy,
    /// It was there before us and stays.
    Standing,
    /// The account, the permission set or the person no longer exists.
    TargetGone,
    /// It was never created.
    NeverGranted,
}

/// One piece of evidence on a receipt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
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

/// What keeps a grant from moving on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
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

/// What happened. [`EventKind::Other`] carries a kind that this version does not know, as it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// The request was submitted.
    Submitted,
    /// A reviewer approved.
    ReviewedApprove,
    /// A reviewer denied.
    ReviewedDeny,
    /// A reviewer took their approval back.
    Retracted,
    /// What had approved it no longer held.
    Reopened,
    /// The requester reminded its approvers.
    Nudged,
    /// The ask is approved: enough approvals, or none needed.
    Approved,
    /// The requester went in first.
    BrokeGlass,
    /// Somebody signed it afterwards.
    Signed,
    /// Somebody rejected it afterwards.
    Rejected,
    /// It was not signed in time.
    Unsigned,
    /// The ask is denied.
    Denied,
    /// The requester took it back.
    Withdrawn,
    /// Nobody answered in time.
    Expired,
    /// A grant was promised.
    Scheduled,
    /// The worker wrote its intent to create, and began.
    Granting,
    /// AWS says that the access is there.
    Active,
    /// Somebody moved its end earlier.
    EndedEarly,
    /// The worker began to take it away.
    Revoking,
    /// An attempt at AWS failed; it goes on.
    Attempted,
    /// The grant ended, with a receipt.
    Ended,
    /// A kind that this version does not know.
    Other(String),
}
