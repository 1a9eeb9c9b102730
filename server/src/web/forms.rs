//! What people do: plain forms, posted to the page that they are on.
//!
//! Success leads on (303); a refusal shows the same page again, with its status, everything that
//! was typed, and what is wrong.

use app::Theme;
use app::view::{AskState, Field, FieldProblem, FormState, PageProblem, Part as ViewPart, Problem};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::{OriginalUri, Path, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::id::{AccountId, AskIndex, PermissionSetName, RequestId};
use domain::policy::{Reason, Verdict, WhyNot};
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::service::{Caller, Invalid, Part, Reviewing, ServiceError, Submission, Submitted, Verb};

use super::addresses::PagePath;
use super::{BODY_MAX_BYTES, Portal, pages, problem};

/// No form of ours has more fields than this, ten boxes for asks included.
const FIELDS_MAX: usize = 40;

/// A choice of colours lasts as long as browsers keep a cookie in practice.
const THEME_SECONDS: u32 = 365 * 24 * 60 * 60;

/// A form as it was posted: names and values, in order.
#[derive(Debug)]
struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body up to the limit.
    async fn read(headers: &HeaderMap, body: Body) -> Result<Self, PageProblem> {
        let is_form = headers
            .get(CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        if !is_form {
            return Err(PageProblem::BadForm);
        }
        let bytes = to_bytes(body, BODY_MAX_BYTES)
            .await
            .map_err(|_| PageProblem::TooLarge)?;
        let fields: Vec<(String, String)> = url::form_urlencoded::parse(&bytes)
            .take(FIELDS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if fields.len() > FIELDS_MAX {
            return Err(PageProblem::BadForm);
        }
        Ok(Self(fields))
    }

    /// The first value of this name; empty if there is none.
    fn value(&self, name: &str) -> &str {
        self.0
            .iter()
            .find(|(have, _)| have == name)
            .map_or("", |(_, value)| value)
    }

    fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(have, _)| have == name)
            .map(|(_, value)| value.as_str())
    }

    /// These fields, to be shown again.
    fn typed(&self, names: &[&str]) -> Vec<(String, String)> {
        names
            .iter()
            .map(|name| ((*name).to_owned(), self.value(name).to_owned()))
            .collect()
    }
}

fn at(field: Field, problem: Problem) -> FieldProblem {
    FieldProblem { field, problem }
}

/// POST of the ask form: submits a request for the page's own target.
pub(super) async fn ask(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Path((account, set)): Path<(String, String)>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    match submit(&portal, &caller, &account, &set, &form).await {
        Ok(Submitted::New(id)) => see(&format!("/requests/{id}?done=submitted")),
        Ok(Submitted::AlreadyPending(id)) => see(&format!("/requests/{id}?done=already-pending")),
        Err(refusal) => {
            let form = refusal.form(form.typed(&["duration", "reason"]));
            pages::again(&portal, caller, form, uri, head.headers).await
        }
    }
}

async fn submit(
    portal: &Portal,
    caller: &Caller,
    account: &str,
    set: &str,
    form: &Form,
) -> Result<Submitted, Refusal> {
    // What is not even an id gets the answer of one that nobody may ask for.
    let (Ok(account), Ok(set)) = (AccountId::parse(account), PermissionSetName::parse(set)) else {
        return Err(Refusal::of(
            StatusCode::FORBIDDEN,
            Field::Form,
            Problem::NotAvailable,
        ));
    };
    let mut problems = Vec::new();
    let duration = form.value("duration").trim();
    let duration_seconds = duration.parse::<u32>().ok();
    if duration.is_empty() {
        problems.push(at(Field::Duration, Problem::Missing));
    } else if duration_seconds.is_none() {
        problems.push(at(Field::Duration, Problem::NotUnderstood));
    }
    if form.value("reason").trim().is_empty() {
        problems.push(at(Field::Reason, Problem::Missing));
    }
    let (Some(duration_seconds), true) = (duration_seconds, problems.is_empty()) else {
        return Err(Refusal {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            problems,
        });
    };
    let submission = Submission {
        targets: vec![(account, set)],
        duration_seconds,
        reason: form.value("reason").to_owned(),
    };
    portal
        .service
        .submit(caller, &submission)
        .await
        .map_err(Refusal::from_service)
}

/// POST of a request's page: approves, denies or withdraws it.
pub(super) async fn act(
    State(portal): State<Portal>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    let Ok(id) = RequestId::parse(&id) else {
        return problem::page(&portal, &head.headers, PageProblem::NotFound);
    };
    let Some(act) = Act::parse(form.value("act")) else {
        return problem::page(&portal, &head.headers, PageProblem::BadForm);
    };
    match act.carry_out(&portal, &caller, id, &form).await {
        Ok(()) if form.value("from") == "approvals" && act != Act::Withdraw => {
            see(&format!("/approvals?done={}", act.done()))
        }
        Ok(()) => see(&format!("/requests/{id}?done={}", act.done())),
        Err(refusal) => {
            let form = refusal.form(form.typed(&["act", "note"]));
            pages::again(&portal, caller, form, uri, head.headers).await
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Approve,
    Deny,
    Withdraw,
}

impl Act {
    fn parse(word: &str) -> Option<Self> {
        match word {
            "approve" => Some(Self::Approve),
            "deny" => Some(Self::Deny),
            "withdraw" => Some(Self::Withdraw),
            _ => None,
        }
    }

    const fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Deny => "denied",
            Self::Withdraw => "withdrawn",
        }
    }

    async fn carry_out(
        self,
        portal: &Portal,
        caller: &Caller,
        request: RequestId,
        form: &Form,
    ) -> Result<(), Refusal> {
        let verb = match self {
            Self::Approve => Verb::Approve,
            Self::Deny => Verb::Deny,
            Self::Withdraw => {
                let done = portal.service.withdraw(caller, request).await;
                return done.map_err(Refusal::from_service);
            }
        };
        let reviewing = Reviewing {
            request,
            asks: asks(form)?,
            verb,
            note: form.value("note").to_owned(),
        };
        let done = portal.service.review(caller, &reviewing).await;
        done.map_err(Refusal::from_service)
    }
}

/// Indexes of asks: repeated fields, or commas; none means all.
fn asks(form: &Form) -> Result<Vec<AskIndex>, Refusal> {
    form.values("asks")
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|index| !index.is_empty())
        .map(|index| {
            index.parse().map(AskIndex).map_err(|_| {
                Refusal::of(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    Field::Form,
                    Problem::NotUnderstood,
                )
            })
        })
        .collect()
}

/// POST of the colours: works signed out, too.
pub(super) async fn theme(State(portal): State<Portal>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let form = match Form::read(&head.headers, body).await {
        Ok(form) => form,
        Err(what) => return problem::page(&portal, &head.headers, what),
    };
    let theme = Theme::parse(form.value(Theme::NAME));
    let back = PagePath::parse_or_home(Some(form.value("return_to")));
    // The script writes it, too, so it is not HttpOnly; nothing depends on it but colours.
    let cookie = format!(
        "{}={}; Path=/; Max-Age={THEME_SECONDS}; SameSite=Lax",
        Theme::NAME,
        theme.as_str()
    );
    let mut response = see(back.as_str());
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn see(path: &str) -> Response {
    Redirect::to(path).into_response()
}

/// Why a form did nothing.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    problems: Vec<FieldProblem>,
}

impl Refusal {
    fn of(status: StatusCode, field: Field, problem: Problem) -> Self {
        Self {
            status,
            problems: vec![at(field, problem)],
        }
    }

    fn form(self, values: Vec<(String, String)>) -> FormState {
        FormState {
            status: self.status.as_u16(),
            values,
            problems: self.problems,
        }
    }

    fn from_service(error: ServiceError) -> Self {
        use StatusCode as Is;
        match error {
            ServiceError::NotFound => Self::of(Is::NOT_FOUND, Field::Form, Problem::NotAvailable),
            ServiceError::NotAvailable => {
                Self::of(Is::FORBIDDEN, Field::Form, Problem::NotAvailable)
            }
            ServiceError::NotAllowed => {
                Self::of(Is::FORBIDDEN, Field::Form, Problem::NotAnApprover)
            }
            ServiceError::Invalid(invalid) => Self {
                status: Is::UNPROCESSABLE_ENTITY,
                problems: invalid.iter().map(invalid_problem).collect(),
            },
            ServiceError::Refused(verdicts) => refused(&verdicts),
            ServiceError::MayNotReview(why) => may_not_review(why),
            ServiceError::Decided(state) => decided(&state),
            ServiceError::ReviewedAlready => {
                Self::of(Is::CONFLICT, Field::Form, Problem::AlreadyReviewed)
            }
            ServiceError::TooManyPending { limit } | ServiceError::TooManyLive { limit } => {
                Self::of(
                    Is::TOO_MANY_REQUESTS,
                    Field::Form,
                    Problem::TooManyPending { limit },
                )
            }
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
        Invalid::Targets => at(Field::Form, Problem::NotAvailable),
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

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What the policy says against it, each where it can be put right.
fn refused(verdicts: &[Verdict]) -> Refusal {
    let mut problems: Vec<FieldProblem> = Vec::new();
    for reason in verdicts.iter().flat_map(|verdict| &verdict.reasons) {
        if let Some(problem) = reason_problem(reason)
            && !problems.contains(&problem)
        {
            problems.push(problem);
        }
    }
    longest_wins(&mut problems);
    let typed = problems.iter().any(|problem| problem.field != Field::Form);
    if problems.is_empty() {
        problems.push(at(Field::Form, Problem::NotAvailable));
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
        Reason::GrantsAtOnce { .. }
        | Reason::ApprovalRequired { .. }
        | Reason::Open { .. }
        | Reason::SelfCounts { .. }
        | Reason::SelfApprovalDenied { .. } => return None,
    };
    Some(problem)
}

fn may_not_review(why: WhyNot) -> Refusal {
    match why {
        WhyNot::OwnRequest => Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::OwnRequest),
        WhyNot::NotAnApprover | WhyNot::Inactive | WhyNot::NoRoute => {
            Refusal::of(StatusCode::FORBIDDEN, Field::Form, Problem::NotAnApprover)
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
