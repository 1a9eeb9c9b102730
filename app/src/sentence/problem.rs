//! What each problem says: what went wrong, and what to do next.

#[cfg(feature = "ssr")]
use crate::view::PageProblem;
use crate::{
    clock::duration,
    sentence::{ask_state, by_whom_and_when, count},
    view::{Field, FindingProblem, GlassState, NotProven, Part, Problem, WireError},
};

/// A part, as the subject of a sentence.
const fn part(part: Part) -> &'static str {
    match part {
        Part::Network => "Belay",
        Part::Server => "A part of Belay",
        Part::Store => "Belay's table",
        Part::IdentityCenter => "IAM Identity Center",
        Part::Directory => "The directory of accounts and people",
        Part::Policy => "The access policy",
        Part::SignIn => "The sign-in provider",
    }
}

/// A problem of a form, to stand at its field.
pub(crate) fn problem(field: Field, problem: &Problem) -> String {
    match problem {
        Problem::Missing => match field {
            Field::Duration => "Choose for how long.".to_owned(),
            Field::Reason => "Say why you need it.".to_owned(),
            Field::Note => "Say why.".to_owned(),
            Field::Person => {
                "Say who, or in which account, or by which permission set or group.".to_owned()
            }
            _ => "Fill this in.".to_owned(),
        },
        Problem::NotUnderstood => not_understood(field).to_owned(),
        Problem::NotAvailable => {
            "This is not available to you. Access lists everything that you may ask for.".to_owned()
        }
        Problem::PendingAlready => {
            "You wait for this already. My access shows the request.".to_owned()
        }
        Problem::Target {
            target,
            problem: of_it,
        } => format!("{target}: {}", self::problem(field, of_it)),
        Problem::Targets { max } => {
            format!("Ask for one to {max} different things in one request.")
        }
        Problem::Passed => {
            "That time has passed. Leave it empty to begin as soon as possible.".to_owned()
        }
        Problem::NotYet => "That is still to come. History ends now.".to_owned(),
        Problem::Backwards => "This is before the time that it begins with.".to_owned(),
        Problem::ProtectedAccount => "This account is protected: no rule can open it.".to_owned(),
        Problem::TooLong { max_seconds } => format!(
            "At most {} is possible here. Choose less.",
            duration(*max_seconds)
        ),
        Problem::TooShort { min_seconds } => {
            format!(
                "At least {} is needed. Choose more.",
                duration(*min_seconds)
            )
        }
        Problem::TooFewChars { min_chars } => {
            format!(
                "Write at least {}, so that an approver can judge it.",
                count(*min_chars, "character")
            )
        }
        Problem::TooManyChars {
            max_chars,
            typed_chars,
        } => format!(
            "Write at most {}; these are {typed_chars}. Link to the details instead.",
            count(*max_chars, "character")
        ),
        Problem::NoApprovers { needed, found } => format!(
            "This needs {}, and {found} could be given by anyone but you. An admin has to change the policy.",
            count(*needed, "approval")
        ),
        Problem::TooManyPending { .. }
        | Problem::TooManyLive { .. }
        | Problem::TooManySubmissions { .. } => too_many(problem),
        Problem::OwnRequest => {
            "You cannot approve your own request. Somebody else has to.".to_owned()
        }
        Problem::NotAnApprover => {
            "You are not one of its approvers. Nothing was recorded.".to_owned()
        }
        Problem::Reauthenticate => {
            "Approving this needs you to have signed in just before. Nothing was recorded."
                .to_owned()
        }
        Problem::NotProven { why } => not_proven(*why).to_owned(),
        Problem::Policy { sentence } => sentence.clone(),
        Problem::NotConfirmed | Problem::BeginsNow | Problem::NotByBreakGlass => {
            break_glass(problem).to_owned()
        }
        Problem::AlreadyReviewed
        | Problem::NothingToRetract
        | Problem::AlreadySettled { .. }
        | Problem::NotClosed
        | Problem::AlreadyEnded
        | Problem::NudgedAlready { .. }
        | Problem::NotYours
        | Problem::AlreadyDecided { .. } => found(problem),
        Problem::Finding { why } => finding(why),
        Problem::SignedOut => {
            "You were signed out, so nothing was sent. What you typed is still here: look it over and press again."
                .to_owned()
        }
        Problem::Changed => {
            "This changed while you decided. Look at it again, then try once more.".to_owned()
        }
        Problem::Unavailable { part: which } => format!(
            "{} does not answer just now, so nothing was recorded. What you typed is still here: try again in a moment.",
            part(*which)
        ),
    }
}

/// A problem as a sentence, for doors that draw no pages.
#[cfg(feature = "ssr")]
#[must_use]
pub fn told(field: Field, what: &Problem) -> String {
    problem(field, what)
}

/// What was not understood.
const fn not_understood(field: Field) -> &'static str {
    match field {
        Field::Duration => "This is not a duration. Choose one of those offered.",
        Field::From | Field::To => "This is not a date. Write it as 2026-11-22.",
        Field::Start | Field::Moment | Field::Until => {
            "This is not a date and time. Write it as 2026-11-22T14:30."
        }
        Field::State => "There is no such state. Choose one of those offered.",
        Field::Zone => {
            "Belay does not know the time zone that came with this. Open the page anew to use yours."
        }
        Field::Place => {
            "This address does not go on with a search of these words. Search again from the newest."
        }
        _ => "This was not understood. Load the page again and try once more.",
    }
}

/// Which limit somebody has reached.
fn too_many(problem: &Problem) -> String {
    match problem {
        Problem::TooManyPending { limit } => {
            format!(
                "You have {limit} requests pending, which is the limit. Withdraw one, or wait for an answer."
            )
        }
        Problem::TooManyLive { limit } => {
            format!(
                "There are {limit} grants of this access to the same person already, which is the limit. Wait until one has ended."
            )
        }
        Problem::TooManySubmissions { limit } => {
            format!(
                "You have asked {limit} times within the hour, which is the limit. Try again later."
            )
        }
        _ => "That is too much at once. Try again later.".to_owned(),
    }
}

/// Why nobody went in first.
const fn break_glass(problem: &Problem) -> &'static str {
    match problem {
        Problem::NotConfirmed => {
            "Type exactly what is asked for: it is how you say that you mean it."
        }
        Problem::BeginsNow => {
            "Break-glass begins now. Leave this empty, or ask for access in the usual way."
        }
        _ => {
            "As break-glass this is not possible, or not for so long. Ask for less, or in the usual way."
        }
    }
}

/// What somebody found when they did something to a request.
fn found(problem: &Problem) -> String {
    match problem {
        Problem::AlreadyReviewed => {
            "You have reviewed this already. Nothing was changed.".to_owned()
        }
        Problem::NothingToRetract => {
            "There is no approval of yours to take back. Nothing was changed.".to_owned()
        }
        Problem::AlreadySettled { state } => match state {
            GlassState::Rejected => {
                "This break-glass was already rejected. Nothing was changed.".to_owned()
            }
            _ => "This break-glass has all its signatures already. Nothing was changed.".to_owned(),
        },
        Problem::NotClosed => {
            "Break-glass is open for this person already. Nothing was changed.".to_owned()
        }
        Problem::AlreadyEnded => {
            "This access has ended already, or is ending. Nothing was changed.".to_owned()
        }
        Problem::NudgedAlready { again_at } => format!(
            "Its approvers were reminded already. You may remind them again at {}.",
            crate::clock::utc(*again_at)
        ),
        Problem::NotYours => "This is not yours to do. Nothing was changed.".to_owned(),
        Problem::AlreadyDecided { state, by, at } => format!(
            "This was already {} {}. Nothing was changed.",
            ask_state(*state),
            by_whom_and_when(by.as_deref(), *at)
        ),
        _ => "This cannot be done as things are. Nothing was changed.".to_owned(),
    }
}

/// Why a finding does not change so.
fn finding(why: &FindingProblem) -> String {
    match why {
        FindingProblem::Proposed { by } => {
            return format!("{by} has proposed something about this already. Answer that first.");
        }
        FindingProblem::NotRevocable { why } => {
            return format!("{} Nothing was changed.", not_revocable(why));
        }
        FindingProblem::Revoking => {
            "Two admins agreed that this is taken away. Nothing was changed."
        }
        FindingProblem::Gone => "This is not so any more. Nothing was changed.",
        FindingProblem::NotForThis => {
            "What is missing or overdue is for Belay to put right, what the policy would refuse can be \
             ignored or ended, never adopted, and only what nobody promised is taken away."
        }
        FindingProblem::NotProposed => {
            "What you read is not proposed any more. Look at it again, then try once more."
        }
        FindingProblem::Lapsed => "Nobody answered this in time. It has to be proposed again.",
        FindingProblem::Own => "You proposed this yourself. Another admin has to answer it.",
        FindingProblem::NotTheirs => {
            "Only whoever proposed this takes it back. You may refuse it."
        }
        FindingProblem::Holder => {
            "You have this access yourself, so others have to decide. Nothing was changed."
        }
        FindingProblem::NotLookedThrough => {
            "Nobody has looked at everything yet, or there is more than is kept. Nothing was changed."
        }
        FindingProblem::ListChanged => {
            "The list has changed since you read it. Look at it again, then try once more."
        }
        FindingProblem::ProposerUnfit => {
            "Whoever proposed this is no admin any more, or has this access by now. Refuse it; another \
             admin may propose it anew."
        }
    }
    .to_owned()
}

/// Why something is never taken away, by the sweep's code.
fn not_revocable(code: &str) -> &'static str {
    match code {
        "protected" => "Its account is protected, and Belay changes nothing there.",
        "beyond-reach" => "Belay cannot change it from where it is: use the management account.",
        "standing" => {
            "It stood before Belay gave the same to this person, so it is not Belay's to remove."
        }
        "promised" => "A grant wants it by now: end that.",
        _ => "Belay does not take this away.",
    }
}

/// Why a sign-in proves nothing, and what to do next.
const fn not_proven(why: NotProven) -> &'static str {
    match why {
        NotProven::Declined => {
            "The sign-in was not completed, so nothing was recorded. What you typed is still here."
        }
        NotProven::SomebodyElse => {
            "Somebody else signed in, so nothing was recorded. Sign in as yourself: what you typed is still here."
        }
        NotProven::TooOld => {
            "The sign-in provider does not say that you have just signed in, so nothing was recorded. Try once more; \
             if this keeps happening, tell an admin."
        }
        NotProven::TooLate => {
            "The sign-in took too long, so nothing was recorded. Try once more: what you typed is still here."
        }
        NotProven::NotVerified => {
            "What the sign-in provider sent does not check out, so nothing was recorded. Try once more; if it happens \
             again, tell an admin."
        }
    }
}

/// Title and advice for a read that gave nothing.
pub(crate) fn wire_error(error: &WireError) -> (&'static str, String) {
    match error {
        WireError::SignedOut => (
            "You are signed out",
            "Sign in, and you come straight back to this page.".to_owned(),
        ),
        WireError::NotFound => (
            "There is nothing here for you",
            "Either this does not exist, or it is between other people. Check the address, or ask whoever sent it to you."
                .to_owned(),
        ),
        WireError::NotAllowed => (
            "This page is not for you",
            "Auditors and admins see it. If you need it, ask an admin to add you to their group.".to_owned(),
        ),
        WireError::BeyondReach => (
            "AWS does not let Belay assign this",
            "Belay runs here as a delegated administrator of Identity Center. AWS lets none assign \
             anything in the management account, nor a permission set that is provisioned there. Ask \
             for a group that has the access, or turn to whoever looks after the management account."
                .to_owned(),
        ),
        WireError::Unavailable { part: which } => (
            "Just now this cannot be shown",
            format!(
                "{} does not answer. Access that is due to end still ends. Try again in a moment.",
                part(*which)
            ),
        ),
        WireError::Stale => (
            "Belay was updated",
            "This page is from the version before. Reload it to go on.".to_owned(),
        ),
    }
}

/// Title and advice for a whole page. Only the server draws those.
#[cfg(feature = "ssr")]
pub(crate) fn page_problem(problem: PageProblem) -> (&'static str, String) {
    let (title, advice) = match problem {
        PageProblem::SignInMismatch => (
            "This sign-in is not one that you began here",
            "It was begun in another browser, or its link was opened twice. Begin again from this browser.",
        ),
        PageProblem::SignInExpired => (
            "The sign-in took too long",
            "For your safety each attempt works once, and only for a few minutes. Begin again. If this keeps \
             happening, your browser may refuse cookies from this address: some do on http://localhost.",
        ),
        PageProblem::SignInDeclined => (
            "The sign-in was not completed",
            "The sign-in provider did not let you in, or you cancelled there. Begin again when you are ready.",
        ),
        PageProblem::SignInInvalid => (
            "The sign-in could not be verified",
            "What the sign-in provider sent does not check out, so nobody was signed in. Begin again; if it happens \
             again, tell an admin.",
        ),
        PageProblem::SignInNobody => (
            "Nobody in Identity Center matches your login",
            "You signed in, but your login belongs to nobody in IAM Identity Center. Ask an admin to add you, or \
             sign in as somebody else.",
        ),
        PageProblem::SignInAmbiguous => (
            "Your login matches more than one person",
            "Belay does not guess. Ask an admin to make your e-mail or user name unique in IAM Identity Center.",
        ),
        PageProblem::SignInDisabled => (
            "You are disabled in Identity Center",
            "Ask an admin to enable you, then sign in again.",
        ),
        PageProblem::SignInBoundElsewhere => (
            "This login and this person do not belong together",
            "One of them is already bound to another. This was reported; ask an admin to sort it out.",
        ),
        PageProblem::Unavailable(which) => {
            return (
                "Belay is not ready",
                format!(
                    "{} does not answer. Nothing was lost or half done. Try again in a moment.",
                    part(which)
                ),
            );
        }
        PageProblem::CrossOrigin => (
            "This did not come from one of Belay's own pages",
            "Another site, or an address that Belay does not know as its own, sent it; nothing was done. Open Belay \
             by its usual address and try there.",
        ),
        PageProblem::AnotherPerson => (
            "That page was somebody else's",
            "They have signed out in this browser since, and you have signed in. Nothing was sent in your name. Open \
             Belay anew.",
        ),
        PageProblem::TooLarge => (
            "That is too much to send",
            "No form of Belay's takes this much, so nothing was recorded. Go back, shorten it and link to the details.",
        ),
        PageProblem::BadForm => (
            "The form could not be read",
            "Nothing was recorded. Go back, load the page again and try once more.",
        ),
        PageProblem::MethodNotAllowed => (
            "This address does not work that way",
            "Nothing was done. Begin from one of Belay's pages.",
        ),
        PageProblem::TooMany => (
            "That is a lot at once",
            "Nothing was done. Wait a minute, then try again.",
        ),
        PageProblem::NotFound => (
            "There is nothing here for you",
            "Either this does not exist, or it is between other people. Check the address.",
        ),
        PageProblem::Broken => (
            "Something broke on our side",
            "It was recorded where the admins look. Whatever you sent was either done whole or not at all: look at \
             My access before trying again.",
        ),
    };
    (title, advice.to_owned())
}
