//! What is wrong, for programs and for whoever reads their logs (RFC 9457).

use std::time::Duration;

use app::view::{Field, FieldProblem, Part, Problem as Found, WireError};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::service::{ServiceError, WhyRefused};
use crate::web::refusal::{self, Refusal};

use super::code::{self, ApiCode};
use super::shown::time;

/// What a problem travels as.
pub(super) const MEDIA_TYPE: &str = "application/problem+json";

/// When to try again what is only busy: parts are tried every few seconds anyway.
const RETRY_SECONDS: u64 = 5;

/// When to try again what some limit was reached by: none of them has room sooner.
const LESS_OFTEN_SECONDS: u64 = 60;

/// Why nothing was done.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<ErrorBody>,
    challenge: Option<String>,
    retry_after: Option<u64>,
}

/// Why nothing was done (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(super) struct ProblemBody {
    /// `urn:belay:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:belay:problem:too-long")]
    kind: String,
    /// The code in words.
    #[schema(example = "Too long")]
    title: String,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong, from a closed list.
    #[schema(schema_with = super::document::codes)]
    code: &'static str,
    /// A sentence for people.
    detail: String,
    /// Each thing that is wrong, with its place; absent where there is nothing more to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    errors: Vec<ErrorBody>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = ProblemError)]
pub(super) struct ErrorBody {
    /// What is wrong, from the same closed list.
    #[schema(schema_with = super::document::codes)]
    code: &'static str,
    /// A sentence for people.
    detail: String,
    /// The member of the body that is at fault (a JSON Pointer, RFC 6901).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/duration_seconds", nullable = false)]
    pointer: Option<String>,
    /// The parameter of the query that is at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "cursor", nullable = false)]
    parameter: Option<String>,
    /// The target that it is about, in words, where a request has several.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    target: Option<String>,
    /// The numbers in the sentence: `max_seconds`, `min_seconds`, `min_chars`, `max_chars`, `limit` ...
    #[serde(skip_serializing_if = "Map::is_empty")]
    #[schema(value_type = Object)]
    facts: Map<String, Value>,
}

impl ErrorBody {
    fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            pointer: None,
            parameter: None,
            target: None,
            facts: Map::new(),
        }
    }
}

/// The answer to an act that gives nothing back. `places` are as for [`Problem::of_service`].
pub(super) fn acted(done: Result<(), ServiceError>, places: Places) -> Result<StatusCode, Problem> {
    done.map(|()| StatusCode::NO_CONTENT)
        .map_err(|error| Problem::of_service(error, places))
}

impl Problem {
    /// One that says all there is to say.
    pub(super) fn of(code: ApiCode) -> Self {
        Self {
            status: code.status(),
            code: code.word(),
            detail: code.sentence().trim().to_owned(),
            errors: Vec::new(),
            challenge: match code {
                ApiCode::SignedOut | ApiCode::TokensNotTaken => Some(challenge("")),
                _ => None,
            },
            retry_after: (code == ApiCode::Unavailable).then_some(RETRY_SECONDS),
        }
    }

    /// A member of the body is not what it should be.
    pub(super) fn at(code: ApiCode, pointer: String, detail: String) -> Self {
        let error = ErrorBody {
            pointer: Some(pointer),
            ..ErrorBody::new("not-understood", detail)
        };
        Self {
            errors: vec![error],
            ..Self::of(code)
        }
    }

    /// A parameter of the query is not what it should be.
    pub(super) fn parameter(code: ApiCode, name: &str, detail: impl Into<String>) -> Self {
        let error = ErrorBody {
            parameter: Some(name.to_owned()),
            ..ErrorBody::new("not-understood", detail)
        };
        Self {
            errors: vec![error],
            ..Self::of(code)
        }
    }

    /// These members of the body are not what they should be, each for its reason.
    pub(super) fn of_members(found: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        let errors = found.into_iter().map(|(pointer, detail)| ErrorBody {
            pointer: Some(pointer.to_owned()),
            ..ErrorBody::new("not-understood", detail)
        });
        Self {
            errors: errors.collect(),
            ..Self::of(ApiCode::Invalid)
        }
    }

    /// The same with another sentence.
    pub(super) fn because(self, detail: impl Into<String>) -> Self {
        Self {
            detail: detail.into(),
            ..self
        }
    }

    /// The token is not good (RFC 6750, section 3.1).
    pub(super) fn invalid_token(why: &str) -> Self {
        Self {
            detail: format!("The bearer token does not count here: {why}."),
            challenge: Some(challenge(&format!(
                ", error=\"invalid_token\", error_description=\"{why}\""
            ))),
            ..Self::of(ApiCode::InvalidToken)
        }
    }

    /// Too many tokens failed where this one comes from, so it was not looked at.
    pub(super) fn too_many_tokens(wait: Duration) -> Self {
        Self {
            retry_after: Some(wait.as_secs() + 1),
            ..Self::of(ApiCode::TooManyTokens)
        }
    }

    /// The token lacks this scope, or no scope would do.
    pub(super) fn insufficient_scope(code: ApiCode, scope: Option<&str>) -> Self {
        let scope = scope.map_or_else(String::new, |scope| format!(", scope=\"{scope}\""));
        Self {
            challenge: Some(challenge(&format!(", error=\"insufficient_scope\"{scope}"))),
            ..Self::of(code)
        }
    }

    /// What a page would say of it.
    pub(super) fn of_read(error: &WireError) -> Self {
        match error {
            WireError::SignedOut => Self::of(ApiCode::SignedOut),
            WireError::NotFound => Self::of(ApiCode::NotFound),
            WireError::NotAllowed => Self::of(ApiCode::NotAllowed),
            WireError::BeyondReach => Self {
                code: domain::policy::Code::BeyondReach.as_str(),
                ..Self::of(ApiCode::NotAllowed)
                    .because(domain::policy::Code::BeyondReach.sentence())
            },
            WireError::Unavailable { part } => Self::unavailable(*part),
            WireError::Stale => Self::of(ApiCode::Broken),
        }
    }

    fn unavailable(part: Part) -> Self {
        let part = match part {
            Part::Network | Part::Server => "A part of Belay",
            Part::Store => "Belay's table",
            Part::IdentityCenter => "IAM Identity Center",
            Part::Directory => "The directory of accounts and people",
            Part::Policy => "The access policy",
            Part::SignIn => "The sign-in provider",
        };
        Self::of(ApiCode::Unavailable).because(format!(
            "{part} does not answer just now, so nothing was recorded. Try again in a moment."
        ))
    }

    /// What the service found. `places` are the members of the body that its fields came from.
    pub(super) fn of_service(error: ServiceError, places: Places) -> Self {
        match error {
            ServiceError::NotFound => Self::of(ApiCode::NotFound),
            ServiceError::Unavailable { part } => Self::unavailable(refusal::view_part(part)),
            ServiceError::Refused(targets) => {
                let mut errors = Vec::new();
                let mut status = StatusCode::FORBIDDEN;
                for target in targets {
                    let refused = refusal::target_refused(&target.why);
                    status = status.max(refused.status);
                    errors.extend(refused.problems.iter().map(|found| {
                        let mut error = places.error(found);
                        if let (WhyRefused::Policy(verdict), Found::Policy { .. }) =
                            (&target.why, &found.problem)
                        {
                            error.code = verdict.code.as_str();
                        }
                        if error.pointer.is_none() {
                            error.pointer = Some(format!("/targets/{}", target.place));
                        }
                        error.target = target.is_one_of_several.then(|| target.target.clone());
                        error
                    }));
                }
                Self::all(status, errors)
            }
            other => {
                let again_at = match &other {
                    ServiceError::NudgedAlready { again_at } => Some(*again_at),
                    _ => None,
                };
                let refusal = Refusal::from_service(other);
                let errors = refusal.problems.iter().map(|found| places.error(found));
                let mut problem = Self::all(refusal.status, errors.collect());
                if let Some(again_at) = again_at {
                    let wait = again_at.duration_since(Timestamp::now()).as_secs();
                    problem.retry_after = Some(u64::try_from(wait).unwrap_or_default() + 1);
                }
                problem
            }
        }
    }

    /// These, of which one that stands alone is the problem itself.
    fn all(status: StatusCode, errors: Vec<ErrorBody>) -> Self {
        let (code, detail) = match errors.as_slice() {
            [] => (ApiCode::BadRequest.word(), String::new()),
            [first, others @ ..] if others.iter().all(|other| other.code == first.code) => {
                (first.code, first.detail.clone())
            }
            _ => {
                let code = ApiCode::Several;
                (code.word(), code.sentence().trim().to_owned())
            }
        };
        Self {
            status,
            code,
            detail,
            errors,
            challenge: None,
            retry_after: (status == StatusCode::TOO_MANY_REQUESTS).then_some(LESS_OFTEN_SECONDS),
        }
    }
}

/// From which members of a body the service's fields come.
#[derive(Debug, Clone, Copy)]
pub(super) enum Places {
    /// A submission's.
    Submission,
    /// Those of somebody's word about something: their note, or why.
    Word(&'static str),
    /// The body has none.
    None,
}

impl Places {
    fn pointer(self, field: Field) -> Option<&'static str> {
        match (self, field) {
            (Self::Submission | Self::Word(_), Field::Duration) => Some("/duration_seconds"),
            (Self::Submission, Field::Reason) => Some("/reason"),
            (Self::Submission, Field::Ticket) => Some("/ticket"),
            (Self::Submission, Field::Start) => Some("/start"),
            (Self::Submission, Field::Confirmation) => Some("/break_glass"),
            (Self::Word(note), Field::Note) => Some(note),
            _ => None,
        }
    }

    fn error(self, found: &FieldProblem) -> ErrorBody {
        let pointer = match (&found.problem, self) {
            (Found::Targets { .. }, Self::Submission) => Some("/targets"),
            _ => self.pointer(found.field),
        };
        // The variant's own members, where it has any.
        let variant = match &found.problem {
            Found::Finding { why } => serde_json::to_value(why),
            problem => serde_json::to_value(problem),
        };
        let facts = match variant {
            Ok(Value::Object(named)) => named.into_iter().next().map(|(_, facts)| facts),
            _ => None,
        };
        let mut facts = match facts {
            Some(Value::Object(facts)) => facts,
            _ => Map::new(),
        };
        facts.remove("sentence");
        // Pages count in milliseconds.
        for name in ["at", "again_at"] {
            if let Some(at) = facts.get(name).and_then(Value::as_i64) {
                facts.insert(name.to_owned(), Value::from(time(at).to_string()));
            }
        }
        ErrorBody {
            pointer: pointer.map(str::to_owned),
            facts,
            ..ErrorBody::new(
                code::of(&found.problem),
                app::told(found.field, &found.problem),
            )
        }
    }
}

fn challenge(more: &str) -> String {
    format!("Bearer realm=\"belay\"{more}")
}

/// `too-long` as `Too long`.
fn title(code: &str) -> String {
    let words = code.replace('-', " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = ProblemBody {
            kind: format!("urn:belay:problem:{}", self.code),
            title: title(self.code),
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail,
            errors: self.errors,
        };
        let mut response = (self.status, axum::Json(body)).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let challenge = self.challenge.and_then(|text| text.parse().ok());
        if let Some(challenge) = challenge {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
