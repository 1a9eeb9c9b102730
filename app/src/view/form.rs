//! A refused form, as it comes back: what was typed, and what is wrong with it, field by field.

use serde::{Deserialize, Serialize};

use super::{AskState, EpochMs, FindingProblem, GlassState, Part};

/// What the server hands to a page that it renders again after refusing its form.
///
/// The server puts it in context as an `Option`, none if there is none; the page passes it to the browser's half in a `SharedValue`, so that both halves
/// draw the same. Nothing that was typed is lost.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormState {
    /// The HTTP status of the answer: 200 where nothing was refused, 422 for what was typed, 403, 404, 409, 429 or 503 for what was found.
    pub status: u16,
    /// Field name and value, as typed: `duration`, `reason`, `note`, `act`.
    pub values: Vec<(String, String)>,
    /// What is wrong, in the order of the form.
    pub problems: Vec<FieldProblem>,
}

impl FormState {
    /// What was typed in the field of this name; empty if nothing was.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values
            .iter()
            .find(|(typed, _)| typed == name)
            .map_or("", |(_, value)| value)
    }

    /// Whether a box of this name and value was ticked.
    #[must_use]
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values
            .iter()
            .any(|(typed, have)| typed == name && have == value)
    }
}

/// Of whose stay at which browser a page is, as a name that only the server can read. What is typed there is sent with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stay(pub String);

impl Stay {
    /// The field of the forms.
    pub const NAME: &str = "stay";
}

/// A problem and where to show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldProblem {
    /// Where.
    pub field: Field,
    /// What.
    pub problem: Problem,
}

/// Why a sign-in proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NotProven {
    /// The provider answered with an error, or the person declined there.
    Declined,
    /// Somebody else signed in.
    SomebodyElse,
    /// It was not new, or the provider does not say when it was.
    TooOld,
    /// It took too long, or its single use is spent.
    TooLate,
    /// What the provider sent did not verify.
    NotVerified,
}

/// A place on a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Field {
    /// The form as a whole.
    Form,
    /// How long.
    Duration,
    /// Why.
    Reason,
    /// A reviewer's note.
    Note,
    /// The ticket.
    Ticket,
    /// From when.
    Start,
    /// What confirms break-glass.
    Confirmation,
    /// First day of a search.
    From,
    /// Last day of a search.
    To,
    /// A moment, or the first of a time between.
    Moment,
    /// The end of a time between.
    Until,
    /// Whose requests are searched for.
    Person,
    /// In which account.
    Account,
    /// For which permission set or group.
    PermissionSet,
    /// In which state.
    State,
    /// In which words of a reason or a ticket.
    Text,
    /// The zone of what was typed.
    Zone,
    /// Where a search goes on.
    Place,
}

/// What is wrong with a form, with the facts that make a good sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Problem {
    /// A required field is empty.
    Missing,
    /// The value is not of the kind that the field takes.
    NotUnderstood,
    /// Unknown account, no rule, or not allowed: one answer for all three.
    NotAvailable,
    /// They wait for this already.
    PendingAlready,
    /// One target of several, and what is wrong with it.
    Target {
        /// Which, as people call it.
        target: String,
        /// What is wrong.
        problem: Box<Problem>,
    },
    /// None, too many, or one twice.
    Targets {
        /// The most that one request takes.
        max: u32,
    },
    /// In the past.
    Passed,
    /// In the future.
    NotYet,
    /// It ends before it begins.
    Backwards,
    /// The deployment protects this account.
    ProtectedAccount,
    /// Longer than allowed.
    TooLong {
        /// The limit, in seconds.
        max_seconds: u32,
    },
    /// Shorter than allowed.
    TooShort {
        /// The limit, in seconds.
        min_seconds: u32,
    },
    /// Too few characters.
    TooFewChars {
        /// The limit, in characters.
        min_chars: u32,
    },
    /// Too many characters.
    TooManyChars {
        /// The limit, in characters.
        max_chars: u32,
        /// How many were typed.
        typed_chars: u32,
    },
    /// Too few people could approve it.
    NoApprovers {
        /// How many approvals are wanted.
        needed: u32,
        /// How many people could give one.
        found: u32,
    },
    /// This person has this many requests open already.
    TooManyPending {
        /// The limit.
        limit: u32,
    },
    /// The requester holds this many grants of the same target already.
    TooManyLive {
        /// The limit.
        limit: u32,
    },
    /// This person has submitted this many within the hour.
    TooManySubmissions {
        /// The limit.
        limit: u32,
    },
    /// It is the person's own request.
    OwnRequest,
    /// The person approves on none of its routes, at this instant.
    NotAnApprover,
    /// A guardrail asks for an approver who has signed in just before.
    Reauthenticate,
    /// The sign-in that was to prove who acts proves nothing.
    NotProven {
        /// Why.
        why: NotProven,
    },
    /// What the policy says of it, as a sentence.
    Policy {
        /// The sentence.
        sentence: String,
    },
    /// The person has reviewed it already.
    AlreadyReviewed,
    /// They have approved nothing that could be taken back.
    NothingToRetract,
    /// It is not what has to be typed to confirm break-glass.
    NotConfirmed,
    /// Break-glass begins now, or not at all.
    BeginsNow,
    /// Somebody has to agree to this: break-glass is no way to it.
    NotByBreakGlass,
    /// It has been signed by enough, or rejected.
    AlreadySettled {
        /// Which.
        state: GlassState,
    },
    /// Break-glass is not closed for that person.
    NotClosed,
    /// The access has ended, or is ending.
    AlreadyEnded,
    /// Its approvers were reminded a moment ago.
    NudgedAlready {
        /// When they may be again.
        again_at: EpochMs,
    },
    /// It exists, and is not theirs to do.
    NotYours,
    /// Somebody was faster.
    AlreadyDecided {
        /// What it became.
        state: AskState,
        /// Who did it; absent if nobody in particular did.
        by: Option<String>,
        /// When.
        at: EpochMs,
    },
    /// A finding does not change so.
    Finding {
        /// Why.
        why: FindingProblem,
    },
    /// Whoever typed it was signed out when they sent it, so nobody has looked at it.
    SignedOut,
    /// It changed while this was decided; trying again is safe.
    Changed,
    /// A part did not answer; nothing was recorded.
    Unavailable {
        /// Which one.
        part: Part,
    },
}
