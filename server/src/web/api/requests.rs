//! Requests: the caller's own as a list, and each that they may see.

use app::Backend as _;
use axum::Json;
use axum::extract::{Path, State};
use domain::id::RequestId;
use http::StatusCode;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::store::RequestPlace;
use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::{Reads, Submits};
use super::body::Query;
use super::code::ApiCode;
use super::page::{self, Page};
use super::problem::{Places, Problem, acted};
use super::shown::RequestBody;
use super::word::RequestState;

/// As many as are read at once.
const PAGE_MAX: u16 = 50;

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestsQuery {
    /// Only those that wait for a review, that are granted and not over, or that are over.
    state: Option<Phase>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
    /// The most that the page holds.
    #[param(minimum = 1, maximum = 50, default = 50)]
    limit: Option<u16>,
}

/// How far a request is, roughly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Phase {
    /// It waits for a review.
    Pending,
    /// It is granted, and not over.
    Live,
    /// It is over. Of a request whose asks differ the parts say more.
    Over,
}

impl Phase {
    const fn has(self, state: RequestState) -> bool {
        use RequestState as Is;
        let phase = match state {
            Is::Pending => Self::Pending,
            Is::Scheduled | Is::Granting | Is::Active | Is::Revoking | Is::Overdue => Self::Live,
            Is::Ended | Is::Denied | Is::Withdrawn | Is::Expired | Is::Mixed => Self::Over,
        };
        matches!(
            (self, phase),
            (Self::Pending, Self::Pending) | (Self::Live, Self::Live) | (Self::Over, Self::Over)
        )
    }
}

/// The caller's own requests
///
/// Newest first. They come without their events.
#[utoipa::path(get, path = "/requests", tag = "requests", operation_id = "list_requests", params(RequestsQuery), responses(
    (status = 200, description = "A page.", body = Page<RequestBody>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<RequestsQuery>,
) -> Result<Json<Page<RequestBody>>, Problem> {
    let limit = page::limit(query.limit, PAGE_MAX)?;
    let after = page::place(query.cursor.as_deref(), RequestPlace::parse)?;
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.requests(after.as_ref()).await;
    let (found, mut next) = found.map_err(|error| Problem::of_read(&error))?;
    let mut items = Vec::new();
    let mut last = None;
    let mut left = found.into_iter().peekable();
    while let Some((place, view)) = left.next() {
        let state: RequestState = view.state.into();
        if query.state.is_none_or(|phase| phase.has(state)) {
            items.push(RequestBody::from(view));
        }
        if items.len() == limit && left.peek().is_some() {
            last = Some(place);
            break;
        }
    }
    if last.is_some() {
        next = last;
    }
    Ok(Json(Page {
        items,
        next: next.map(|place| page::cursor(&place.to_text())),
    }))
}

/// One request, whole
///
/// For its requester, those who could approve it or have, auditors and admins; to everyone else there
/// is no such request.
#[utoipa::path(get, path = "/requests/{id}", tag = "requests", operation_id = "read_request",
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 200, description = "The request.", body = RequestBody)))]
pub(super) async fn read(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Path(id): Path<String>,
) -> Result<Json<RequestBody>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let view = backend.request(&id).await;
    Ok(Json(view.map_err(|error| Problem::of_read(&error))?.into()))
}

/// The request that an address names.
pub(super) fn named(id: &str) -> Result<RequestId, Problem> {
    RequestId::parse(id).map_err(|_| Problem::of(ApiCode::NotFound))
}

/// Take back the caller's own request
///
/// All of it that waits; what is granted is ended instead.
#[utoipa::path(post, path = "/requests/{id}/withdraw", tag = "requests", operation_id = "withdraw_request",
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is withdrawn.")))]
pub(super) async fn withdraw(
    State(portal): State<Portal>,
    Submits(asker): Submits,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let done = portal.service.withdraw(&asker.caller, named(&id)?).await;
    acted(done, Places::None)
}

/// Remind the approvers of the caller's own request
///
/// Once in 30 minutes a request.
#[utoipa::path(post, path = "/requests/{id}/nudge", tag = "requests", operation_id = "nudge_request",
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "They are reminded.")))]
pub(super) async fn nudge(
    State(portal): State<Portal>,
    Submits(asker): Submits,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let done = portal.service.nudge(&asker.caller, named(&id)?).await;
    acted(done, Places::None)
}
