//! Why a form did nothing: what the service found, said where it can be put right.

use app::view::{
    AskState, Field, FieldProblem, FindingProblem, FormState, GlassState, Part as ViewPart, Problem,
};
use domain::adoption::{self, KEPT_MAX};
use domain::policy::{Code, Reason, Verdict, WhyNot};
use domain::request::{ASKS_MAX, Stands};
use domain::sweep::baseline::NotAgreed;
use http::StatusCode;

use crate::service::{Invalid, NotSteered, Part, RefusedTarget, ServiceError, WhyRefused};

/// Why a form did nothing.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) problems: Vec<FieldProblem>,
}

/// A problem in its place.
pub(super) const fn at(field: Field, problem: Problem) -> FieldProblem {
    FieldProblem { field, problem }
}

impl Refusal {
    /// One problem.
    pub(super) fn of(status: StatusCode, field: Field, problem: Problem) -> Self {
        Self {
            status,
            problems: vec![at(field, problem)],
        }
    }

    /// Whether a new sign-in is what is missing.
    pub(super) fn wants_sign_in(&self) -> bool {
        matches!(self.problems.as_slice(), [only] if only.problem == Problem::Reauthenticate)
    }

    /// What the page shows, with what was typed.
    pub(super) fn form(self, values: Vec<(String, String)>) -> FormState {
        FormState {
            status: self.status.as_u16(),
            values,
            problems: self.problems,
        }
    }

    /// What the service found.
    pub(super) fn from_service(error: ServiceError) -> Self {
        use StatusCode as Is;
        match error {
            ServiceError::NotFound => Self::of(Is::NOT_FOUND, Field::Form, Problem::NotAvailable),
            // The page itself says so, with its own status.
            ServiceError::BeyondReach => {
                Self::of(Is::FORBIDDEN, Field::Form, Problem::NotAvailable)
            }
            ServiceError::NotAllowed => Self::of(Is::FORBIDDEN, Field::Form, Problem::NotYours),
            ServiceError::Invalid(invalid) => Self {
                status: Is::UNPROCESSABLE_ENTITY,
                problems: invalid.iter().map(invalid_problem).collect(),
            },
            ServiceError::Refused(targets) => all_refused(&targets),
            ServiceError::MayNotReview(why) => may_not_review(why),
            ServiceError::Decided(state) => decided(&state),
            ServiceError::ReviewedAlready => {
                Self::of(Is::CONFLICT, Field::Form, Problem::AlreadyReviewed)
            }
            ServiceError::NothingToRetract => {
                Self::of(Is::CONFLICT, Field::Form, Problem::NothingToRetract)
            }
            ServiceError::Settled(found) => Self::of(
                Is::CONFLICT,
                Field::Form,
                Problem::AlreadySettled {
                    state: glass_state(&found),
                },
            ),
            ServiceError::NotClosed => Self::of(Is::CONFLICT, Field::Form, Problem::NotClosed),
            ServiceError::Finding(refused) => finding(&refused),
            ServiceError::Unfit(_) => not_so(Is::FORBIDDEN, FindingProblem::Holder),
            ServiceError::ProposerUnfit => not_so(Is::CONFLICT, FindingProblem::ProposerUnfit),
            ServiceError::FindingGone => not_so(Is::CONFLICT, FindingProblem::Gone),
            ServiceError::Sweep(why) => not_steered(why),
            ServiceError::NotLive | ServiceError::EndedAlready { .. } => {
                Self::of(Is::CONFLICT, Field::Form, Problem::AlreadyEnded)
            }
            ServiceError::NudgedAlready { again_at } => Self::of(
                Is::TOO_MANY_REQUESTS,
                Field::Form,
                Problem::NudgedAlready {
                    again_at: again_at.as_millisecond(),
                },
            ),
            ServiceError::TooManyLive { limit } => {
                Self::of(Is::CONFLICT, Field::Form, Problem::TooManyLive { limit })
            }
            ServiceError::TooManyPending { limit } => Self::of(
                Is::TOO_MANY_REQUESTS,
                Field::Form,
                Problem::TooManyPending { limit },
            ),
            ServiceError::TooManySubmissions { limit } => Self::of(
                Is::TOO_MANY_REQUESTS,
                Field::Form,
                Problem::TooManySubmissions { limit },
            ),
            ServiceError::Changed => Self::of(Is::CONFLICT, Field::Form, Problem::Changed),
            ServiceError::Unavailable { part } => Self::of(
                Is::SERVICE_UNAVAILABLE,
                Field::Form,
                Problem::Unavailable {
                    part: view_part(part),
                },
            ),
        }
    }
}

fn not_so(status: StatusCode, why: FindingProblem) -> Refusal {
    Refusal::of(status, Field::Form, Problem::Finding { why })
}

/// Why the sweep does not change so.
fn not_steered(why: NotSteered) -> Refusal {
    let why = match why {
        NotSteered::NotReady => FindingProblem::NotLookedThrough,
        NotSteered::ListChanged => FindingProblem::ListChanged,
        NotSteered::Baseline(NotAgreed::NotProposed) => FindingProblem::NotProposed,
        NotSteered::Baseline(NotAgreed::Lapsed) => FindingProblem::Lapsed,
        NotSteered::Baseline(NotAgreed::Own) => {
            return not_so(StatusCode::FORBIDDEN, FindingProblem::Own);
        }
    };
    not_so(StatusCode::CONFLICT, why)
}

/// Why a finding does not change so.
fn finding(refused: &adoption::Refused) -> Refusal {
    use adoption::Refused as Is;
    let why = match refused {
        Is::Duration => {
            let max_seconds = u32::try_from(KEPT_MAX.as_secs()).unwrap_or(u32::MAX);
            return Refusal::of(
                StatusCode::UNPROCESSABLE_ENTITY,
                Field::Duration,
                Problem::TooLong { max_seconds },
            );
        }
        Is::NotForThis(_) => FindingProblem::NotForThis,
        Is::Revoking => FindingProblem::Revoking,
        Is::NotRevocable(left) => FindingProblem::NotRevocable {
            why: left.word().to_owned(),
        },
        Is::Proposed(proposal) => FindingProblem::Proposed {
            by: proposal.by.name.clone(),
        },
        Is::NotProposed => FindingProblem::NotProposed,
        Is::Lapsed => FindingProblem::Lapsed,
        Is::Own => return not_so(StatusCode::FORBIDDEN, FindingProblem::Own),
        Is::NotTheirs => return not_so(StatusCode::FORBIDDEN, FindingProblem::NotTheirs),
    };
    not_so(StatusCode::CONFLICT, why)
}

/// The part that did not answer, as pages name it.
pub(super) const fn view_part(part: Part) -> ViewPart {
    match part {
        Part::Store => ViewPart::Store,
        Part::IdentityStore => ViewPart::IdentityCenter,
        Part::World => ViewPart::Directory,
        Part::PolicyBehind => ViewPart::Policy,
    }
}

fn invalid_problem(invalid: &Invalid) -> FieldProblem {
    match invalid {
        Invalid::Targets => at(
            Field::Form,
            Problem::Targets {
                max: count(ASKS_MAX),
            },
        ),
        Invalid::StartPassed => at(Field::Start, Problem::Passed),
        Invalid::StartOfExtension => at(Field::Start, Problem::NotUnderstood),
        Invalid::StartOfBreakGlass => at(Field::Start, Problem::BeginsNow),
        Invalid::Confirmation => at(Field::Confirmation, Problem::NotConfirmed),
        Invalid::NoReason => at(Field::Note, Problem::Missing),
        Invalid::Duration => at(Field::Duration, Problem::NotUnderstood),
        Invalid::NoteTooLong { max, typed } => at(
            Field::Note,
            Problem::TooManyChars {
                max_chars: count(*max),
                typed_chars: count(*typed),
            },
        ),
    }
}

/// How a break-glass stands, as pages name it.
pub(super) const fn glass_state(stands: &Stands) -> GlassState {
    match stands {
        Stands::Unsigned => GlassState::Unsigned,
        Stands::Overdue { .. } => GlassState::Overdue,
        Stands::Signed { .. } => GlassState::Signed,
        Stands::Rejected { .. } => GlassState::Rejected,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// One target's problems stand where they can be put right; each of several is named.
fn all_refused(targets: &[RefusedTarget]) -> Refusal {
    if let [one] = targets
        && !one.is_one_of_several
    {
        return target_refused(&one.why);
    }
    let refusals: Vec<(String, Refusal)> = targets
        .iter()
        .map(|target| (target.target.clone(), target_refused(&target.why)))
        .collect();
    // What can be put right in the form as a whole is worth another try.
    let status = refusals
        .iter()
        .map(|(_, refusal)| refusal.status)
        .max()
        .unwrap_or(StatusCode::FORBIDDEN);
    let problems = refusals.into_iter().flat_map(|(target, refusal)| {
        refusal.problems.into_iter().map(move |found| FieldProblem {
            field: found.field,
            problem: Problem::Target {
                target: target.clone(),
                problem: Box::new(found.problem),
            },
        })
    });
    Refusal {
        status,
        problems: problems.collect(),
    }
}

pub(super) fn target_refused(why: &WhyRefused) -> Refusal {
    match why {
        WhyRefused::NotAvailable => {
            Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::NotAvailable)
        }
        WhyRefused::Pending(_) => {
            Refusal::of(StatusCode::CONFLICT, Field::Form, Problem::PendingAlready)
        }
        WhyRefused::Policy(verdict) => refused(verdict),
        WhyRefused::NotByBreakGlass => {
            Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::NotByBreakGlass)
        }
    }
}

/// What the policy says against it, each where it can be put right.
fn refused(verdict: &Verdict) -> Refusal {
    let mut problems: Vec<FieldProblem> = Vec::new();
    if matches!(
        verdict.code,
        Code::BreakGlassUnsigned | Code::BreakGlassClosed
    ) {
        // No reason says it, and what else is wrong matters less.
        let sentence = verdict.sentence();
        problems.push(at(Field::Form, Problem::Policy { sentence }));
    }
    for reason in &verdict.reasons {
        if let Some(problem) = reason_problem(reason)
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    longest_wins(&mut problems);
    let typed = problems.iter().any(|problem| problem.field != Field::Form);
    if problems.is_empty() {
        problems.push(match verdict.code {
            Code::NotAvailable => at(Field::Form, Problem::NotAvailable),
            _ => at(
                Field::Form,
                Problem::Policy {
                    sentence: verdict.sentence(),
                },
            ),
        });
    }
    Refusal {
        status: if typed {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::FORBIDDEN
        },
        problems,
    }
}

/// Several rules may each be too short; the person may use the longest.
fn longest_wins(problems: &mut Vec<FieldProblem>) {
    let longest = problems
        .iter()
        .filter_map(|problem| match problem.problem {
            Problem::TooLong { max_seconds } => Some(max_seconds),
            _ => None,
        })
        .max();
    problems.retain(|problem| match problem.problem {
        Problem::TooLong { max_seconds } => Some(max_seconds) == longest,
        _ => true,
    });
}

fn reason_problem(reason: &Reason) -> Option<FieldProblem> {
    let problem = match reason {
        Reason::LongerThanRule { max, .. } => at(
            Field::Duration,
            Problem::TooLong {
                max_seconds: max.get(),
            },
        ),
        Reason::ShorterThanMin { min, .. } => at(
            Field::Duration,
            Problem::TooShort {
                min_seconds: min.get(),
            },
        ),
        Reason::ReasonTooShort { min, .. } => at(
            Field::Reason,
            Problem::TooFewChars {
                min_chars: count(*min),
            },
        ),
        Reason::ReasonTooLong { given } => at(
            Field::Reason,
            Problem::TooManyChars {
                max_chars: count(domain::policy::REASON_MAX),
                typed_chars: count(*given),
            },
        ),
        Reason::Protected { .. } => at(Field::Form, Problem::ProtectedAccount),
        Reason::TooFewApprovers { needed, found, .. } => at(
            Field::Form,
            Problem::NoApprovers {
                needed: *needed,
                found: *found,
            },
        ),
        Reason::GroupsUnknown { .. } => at(
            Field::Form,
            Problem::Unavailable {
                part: ViewPart::IdentityCenter,
            },
        ),
        Reason::RequesterInactive
        | Reason::UnknownTarget { .. }
        | Reason::NoRule
        | Reason::NotARequester { .. }
        | Reason::NotAvailable => at(Field::Form, Problem::NotAvailable),
        Reason::HoldingsUnknown { .. }
        | Reason::PolicyGroup { .. }
        | Reason::ManagementAccount { .. }
        | Reason::ProvisionedInManagement { .. }
        | Reason::Denied { .. }
        | Reason::SessionTooLong { .. }
        | Reason::OutsideHours { .. }
        | Reason::ContinuousTooLong { .. } => at(Field::Form, sentence(reason)),
        Reason::TooFarAhead { .. } => at(Field::Start, sentence(reason)),
        Reason::TicketRequired { .. } | Reason::TicketInvalid { .. } | Reason::TicketTooLong => {
            at(Field::Ticket, sentence(reason))
        }
        // What a guardrail leaves of the ways; which problem that makes is among the others.
        Reason::Shortened { .. }
        | Reason::MoreApprovals { .. }
        | Reason::NoSelfApproval { .. }
        | Reason::BreakGlassDenied { .. }
        | Reason::AsksAfterwards { .. }
        | Reason::GrantsAtOnce { .. }
        | Reason::ApprovalRequired { .. }
        | Reason::Open { .. }
        | Reason::SelfCounts { .. }
        | Reason::SelfApprovalDenied { .. } => return None,
    };
    Some(problem)
}

fn sentence(reason: &Reason) -> Problem {
    Problem::Policy {
        sentence: reason.sentence(),
    }
}

fn may_not_review(why: WhyNot) -> Refusal {
    match why {
        WhyNot::OwnRequest => Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::OwnRequest),
        WhyNot::NotAnApprover | WhyNot::Inactive | WhyNot::NoRoute => {
            Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::NotAnApprover)
        }
        WhyNot::Reauthenticate => {
            Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::Reauthenticate)
        }
        WhyNot::CannotTell => Refusal::of(
            StatusCode::SERVICE_UNAVAILABLE,
            Field::Form,
            Problem::Unavailable {
                part: ViewPart::IdentityCenter,
            },
        ),
    }
}

fn decided(state: &domain::request::AskState) -> Refusal {
    use domain::request::AskState as Is;
    let (state, by, at) = match state {
        Is::Pending => return Refusal::of(StatusCode::CONFLICT, Field::Form, Problem::Changed),
        Is::Approved { at, .. } => (AskState::Approved, None, at),
        Is::Denied { at, by } => (AskState::Denied, Some(by.name.clone()), at),
        Is::Withdrawn { at } => (AskState::Withdrawn, None, at),
        Is::Expired { at } => (AskState::Expired, None, at),
    };
    Refusal::of(
        StatusCode::CONFLICT,
        Field::Form,
        Problem::AlreadyDecided {
            state,
            by,
            at: at.as_millisecond(),
        },
    )
}
