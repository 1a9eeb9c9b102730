//! Submit a request.

use app::Backend as _;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use domain::id::{AccountId, GrantId, GroupId, PermissionSetName};
use domain::request::{self, ASKS_MAX};
use http::StatusCode;
use http::header::LOCATION;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::{Submission, Submitted, Wanted};
use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::BASE;
use super::asker::{Asker, Submits};
use super::body::Body;
use super::code::ApiCode;
use super::problem::{Places, Problem};
use super::scope::Scope;
use super::shown::{Granting, RequestBody};

/// What is submitted: all of it, or nothing of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRequest {
    /// What is asked for, each once.
    #[schema(min_items = 1, max_items = 10)]
    targets: Vec<WantedTarget>,
    /// For how long, in seconds; what the terms allow.
    #[schema(minimum = 1, example = 3600)]
    duration_seconds: u32,
    /// Why, for whoever approves it and for the audit log. At most 2000 characters; policy says how
    /// short it may be.
    #[schema(example = "INC-9: the payment logs")]
    reason: String,
    /// The ticket that it is for.
    ticket: Option<String>,
    /// From when, if not at once.
    start: Option<Timestamp>,
    /// Whether the targets wait for each other.
    #[serde(default)]
    granting: Granting,
    /// The grant that it continues: the window begins where that one ends.
    #[schema(format = Uuid)]
    extends: Option<String>,
    /// Break-glass: what the portal's form asks to be typed. By a session only, after a new sign-in.
    break_glass: Option<String>,
}

/// What is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub(super) enum WantedTarget {
    /// A permission set in an account.
    Account {
        /// Twelve digits.
        #[schema(pattern = "^[0-9]{12}$", example = "111122223333")]
        account_id: String,
        /// The permission set's name.
        #[schema(example = "ReadOnlyAccess")]
        permission_set: String,
    },
    /// Membership of a group.
    Group {
        /// The Identity Store's `GroupId`.
        group_id: String,
    },
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SubmittedBody {
    /// The request's id.
    #[schema(format = Uuid)]
    id: String,
    /// Whether it is new.
    outcome: SubmittedOutcome,
    /// The request; absent for a token without the scope to read, and where it could not be read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request: Option<RequestBody>,
}

/// Whether it is new.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum SubmittedOutcome {
    /// A new request.
    Submitted,
    /// The caller waits for exactly this already, or was given it seconds ago.
    AlreadyPending,
}

/// Submit a request
///
/// Sending the same again is safe: while it waits, and for some seconds after it was granted at once,
/// the answer is that request, with 200. At most 30 submissions an hour and 20 targets that wait, a
/// person.
#[utoipa::path(post, path = "/requests", tag = "requests", operation_id = "submit_request", request_body = NewRequest, responses(
    (status = 201, description = "It is on record.", body = SubmittedBody,
        headers(("location" = String, description = "The request."))),
    (status = 200, description = "It was already.", body = SubmittedBody,
        headers(("location" = String, description = "The request."))),
))]
pub(super) async fn submit(
    State(portal): State<Portal>,
    Submits(asker): Submits,
    Body(new): Body<NewRequest>,
) -> Result<Response, Problem> {
    let submission = for_whoever_asks(&asker, new)?;
    let submitted = portal.service.submit(&asker.caller, &submission).await;
    let submitted = submitted.map_err(|error| Problem::of_service(error, Places::Submission))?;
    let (status, id, outcome) = match submitted {
        Submitted::New(id) => (StatusCode::CREATED, id, SubmittedOutcome::Submitted),
        Submitted::AlreadyPending(id) => (StatusCode::OK, id, SubmittedOutcome::AlreadyPending),
    };
    let id = id.to_string();
    let request = if asker.may(Scope::Read) {
        let backend = PortalBackend::new(portal, asker.caller);
        backend.request(&id).await.ok().map(RequestBody::from)
    } else {
        None
    };
    let location = format!("{BASE}/requests/{id}");
    let body = SubmittedBody {
        id,
        outcome,
        request,
    };
    Ok((status, [(LOCATION, location)], Json(body)).into_response())
}

/// What it means, if they may ask for that.
pub(super) fn for_whoever_asks(asker: &Asker, new: NewRequest) -> Result<Submission, Problem> {
    if new.break_glass.is_some() && asker.token.is_some() {
        return Err(Problem::insufficient_scope(ApiCode::SessionOnly, None));
    }
    submission(new)
}

fn submission(new: NewRequest) -> Result<Submission, Problem> {
    let invalid = |pointer: &str, why: &str| {
        Problem::at(ApiCode::Invalid, pointer.to_owned(), why.to_owned())
    };
    if new.targets.len() > ASKS_MAX {
        return Err(invalid("/targets", &format!("One to {ASKS_MAX} targets.")));
    }
    let targets = new.targets.iter().enumerate().map(|(place, target)| {
        target
            .wanted()
            .map_err(|(member, why)| invalid(&format!("/targets/{place}/{member}"), why))
    });
    let targets = targets.collect::<Result<Vec<_>, _>>()?;
    if new.reason.trim().is_empty() {
        return Err(invalid("/reason", "Say why you need it."));
    }
    let extends = new.extends.as_deref().map(GrantId::parse).transpose();
    Ok(Submission {
        ticket: new.ticket.unwrap_or_default(),
        start: new.start,
        granting: match new.granting {
            Granting::Together => request::Granting::Together,
            Granting::Separately => request::Granting::Separately,
        },
        extends: extends.map_err(|_| invalid("/extends", "This is not the id of a grant."))?,
        break_glass: new.break_glass,
        ..Submission::new(targets, new.duration_seconds, new.reason)
    })
}

impl WantedTarget {
    /// What it means, or which member is not even the form of one.
    pub(super) fn wanted(&self) -> Result<Wanted, (&'static str, &'static str)> {
        match self {
            Self::Account {
                account_id,
                permission_set,
            } => {
                let account = AccountId::parse(account_id)
                    .map_err(|_| ("account_id", "An account's id is twelve digits."))?;
                let set = PermissionSetName::parse(permission_set)
                    .map_err(|_| ("permission_set", "This cannot be a permission set's name."))?;
                Ok(Wanted::Account(account, set))
            }
            Self::Group { group_id } => GroupId::parse(group_id)
                .map(Wanted::Group)
                .map_err(|_| ("group_id", "This cannot be a group's id.")),
        }
    }
}
