//! Every code that a problem can carry: a closed list, of which each has one meaning.

use app::view::{FindingProblem, Problem};
use http::StatusCode;

macro_rules! codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident = $word:literal, $status:ident;)+) => {
        /// What is wrong with a request as this door sees it, whatever it is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum ApiCode {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl ApiCode {
            /// All of them.
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// As it stands in a problem.
            pub(super) const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// The status that it comes with.
            pub(super) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)+ }
            }

            /// What it says.
            pub(super) const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => concat!($($meaning),+),)+ }
            }
        }
    };
}

codes! {
    /// The request could not be understood.
    BadRequest = "bad-request", BAD_REQUEST;
    /// The body is not JSON.
    MalformedJson = "malformed-json", BAD_REQUEST;
    /// The query is not one that this address takes.
    BadQuery = "bad-query", BAD_REQUEST;
    /// The cursor is not one that this list gave out, or what it pointed at is no more. Begin again.
    BadCursor = "bad-cursor", BAD_REQUEST;
    /// Nobody is signed in, and there is no bearer token.
    SignedOut = "signed-out", UNAUTHORIZED;
    /// The bearer token is not one that counts here.
    InvalidToken = "invalid-token", UNAUTHORIZED;
    /// This deployment takes no bearer tokens: `BELAY_API_AUDIENCE` is not set.
    TokensNotTaken = "tokens-not-taken", UNAUTHORIZED;
    /// Too many bearer tokens that do not count came from there, so this one was not looked at.
    TooManyTokens = "too-many-tokens", TOO_MANY_REQUESTS;
    /// The token lacks the scope for this.
    InsufficientScope = "insufficient-scope", FORBIDDEN;
    /// People answer for this themselves: it has no machine scope, and is for the portal's session alone.
    SessionOnly = "session-only", FORBIDDEN;
    /// The token's login belongs to nobody yet: its person signs in to the portal once.
    LoginNotBound = "login-not-bound", FORBIDDEN;
    /// The token's person is disabled in Identity Center, or gone.
    PersonInactive = "person-inactive", FORBIDDEN;
    /// A request with a session's cookie has to come from our own pages.
    CrossOrigin = "cross-origin", FORBIDDEN;
    /// It exists, and it is not for this person.
    NotAllowed = "not-allowed", FORBIDDEN;
    /// There is no such thing for this person.
    NotFound = "not-found", NOT_FOUND;
    /// This address does not take this method.
    MethodNotAllowed = "method-not-allowed", METHOD_NOT_ALLOWED;
    /// The body is larger than this address takes.
    TooLarge = "too-large", PAYLOAD_TOO_LARGE;
    /// The body has to be `application/json`.
    NotJson = "not-json", UNSUPPORTED_MEDIA_TYPE;
    /// The body is JSON, and not what this address takes.
    Invalid = "invalid", UNPROCESSABLE_ENTITY;
    /// More than one thing is wrong; `errors` has each.
    Several = "several", UNPROCESSABLE_ENTITY;
    /// Something broke on our side.
    Broken = "broken", INTERNAL_SERVER_ERROR;
    /// A part that is needed does not answer just now; nothing was recorded.
    Unavailable = "unavailable", SERVICE_UNAVAILABLE;
}

/// The code of what the service found.
pub(super) const fn of(problem: &Problem) -> &'static str {
    match problem {
        Problem::Missing => "missing",
        Problem::NotUnderstood => "not-understood",
        Problem::NotAvailable => "not-available",
        Problem::PendingAlready => "pending-already",
        Problem::Target { problem, .. } => of(problem),
        Problem::Targets { .. } => "targets",
        Problem::Passed => "passed",
        Problem::NotYet => "not-yet",
        Problem::Backwards => "backwards",
        Problem::ProtectedAccount => "protected",
        Problem::TooLong { .. } => "too-long",
        Problem::TooShort { .. } => "too-short",
        Problem::TooFewChars { .. } => "too-few-chars",
        Problem::TooManyChars { .. } => "too-many-chars",
        Problem::NoApprovers { .. } => "no-approvers",
        Problem::TooManyPending { .. } => "too-many-pending",
        Problem::TooManyLive { .. } => "too-many-live",
        Problem::TooManySubmissions { .. } => "too-many-submissions",
        Problem::OwnRequest => "own-request",
        Problem::NotAnApprover => "not-an-approver",
        Problem::Reauthenticate => "reauthenticate",
        Problem::NotProven { .. } => "not-proven",
        Problem::Policy { .. } => "policy",
        Problem::AlreadyReviewed => "already-reviewed",
        Problem::NothingToRetract => "nothing-to-retract",
        Problem::NotConfirmed => "not-confirmed",
        Problem::BeginsNow => "begins-now",
        Problem::NotByBreakGlass => "not-by-break-glass",
        Problem::AlreadySettled { .. } => "already-settled",
        Problem::NotClosed => "not-closed",
        Problem::AlreadyEnded => "already-ended",
        Problem::NudgedAlready { .. } => "nudged-already",
        Problem::NotYours => "not-yours",
        Problem::AlreadyDecided { .. } => "already-decided",
        Problem::Finding { why } => about_a_finding(why),
        Problem::Changed => "changed",
        Problem::Unavailable { .. } => "unavailable",
        Problem::SignedOut => "signed-out",
    }
}

/// The code of why a finding, or the sweep, does not change so.
const fn about_a_finding(why: &FindingProblem) -> &'static str {
    match why {
        FindingProblem::Gone => "finding-gone",
        FindingProblem::NotForThis => "not-for-this",
        FindingProblem::Revoking => "revoking",
        FindingProblem::NotRevocable { .. } => "not-revocable",
        FindingProblem::Proposed { .. } => "already-proposed",
        FindingProblem::NotProposed => "not-proposed",
        FindingProblem::Lapsed => "lapsed",
        FindingProblem::Own => "own-proposal",
        FindingProblem::NotTheirs => "not-their-proposal",
        FindingProblem::Holder => "holder",
        FindingProblem::ProposerUnfit => "proposer-unfit",
        FindingProblem::NotLookedThrough => "not-looked-through",
        FindingProblem::ListChanged => "list-changed",
    }
}

/// The codes of what the service finds at these doors, besides those of policy.
const FOUND: [&str; 47] = [
    "missing",
    "not-understood",
    "not-available",
    "pending-already",
    "targets",
    "passed",
    "not-yet",
    "backwards",
    "protected",
    "too-long",
    "too-short",
    "too-few-chars",
    "too-many-chars",
    "no-approvers",
    "too-many-pending",
    "too-many-live",
    "too-many-submissions",
    "own-request",
    "not-an-approver",
    "reauthenticate",
    "policy",
    "already-reviewed",
    "nothing-to-retract",
    "not-confirmed",
    "begins-now",
    "not-by-break-glass",
    "already-settled",
    "not-closed",
    "already-ended",
    "nudged-already",
    "not-yours",
    "already-decided",
    "finding-gone",
    "not-for-this",
    "revoking",
    "not-revocable",
    "already-proposed",
    "not-proposed",
    "lapsed",
    "own-proposal",
    "not-their-proposal",
    "holder",
    "proposer-unfit",
    "not-looked-through",
    "list-changed",
    "changed",
    "unavailable",
];

/// Every code there is, for the contract.
pub(super) fn all() -> Vec<&'static str> {
    let policy = domain::policy::Code::ALL.iter().map(|code| code.as_str());
    let mut all: Vec<&str> = ApiCode::ALL
        .iter()
        .map(|code| code.word())
        .chain(FOUND)
        .chain(policy)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
