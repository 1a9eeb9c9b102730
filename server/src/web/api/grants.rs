//! What the caller holds, and its early end.

use app::view::GrantCard;
use axum::Json;
use axum::extract::{Path, State};
use domain::id::GrantId;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::service::Ending;
use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::{Reads, Submits};
use super::body::{Body, Query};
use super::code::ApiCode;
use super::page::{Page, PageQuery};
use super::problem::{Places, Problem, acted};
use super::shown::{Grant, time};

/// What the caller holds
///
/// Grants that are not over, the one that ends first first.
#[utoipa::path(get, path = "/grants", tag = "grants", operation_id = "list_grants", params(PageQuery), responses(
    (status = 200, description = "A page.", body = Page<Grant>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Grant>>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.grants().await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    let found = found.into_iter().map(|(id, card)| {
        let place = (card.until, id.to_string());
        (place, grant(id, card))
    });
    query.page_of(found.collect()).map(Json)
}

fn grant(id: GrantId, card: GrantCard) -> Grant {
    Grant {
        id: id.to_string(),
        request_id: card.request_id,
        ask: card.ask,
        target: card.target.into(),
        state: card.state.into(),
        is_overdue: card.is_overdue,
        from: time(card.from),
        until: time(card.until),
        sessions_may_last_until: time(card.sessions_may_last_until),
        console_url: card.console_url,
        trouble: card.trouble.map(Into::into),
        receipt: None,
    }
}

/// Why access ends before its time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEnd {
    /// Why, for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    reason: String,
}

/// End access before its time
///
/// The promise ends at once; the access is gone when the grant's receipt says so. A token ends its
/// person's own access alone; a session also what its person may end of others'.
#[utoipa::path(post, path = "/grants/{id}/end", tag = "grants", operation_id = "end_grant", request_body = NewEnd,
    params(("id" = String, Path, description = "The grant's id.", format = Uuid)),
    responses((status = 204, description = "It ends.")))]
pub(super) async fn end(
    State(portal): State<Portal>,
    Submits(asker): Submits,
    Path(id): Path<String>,
    Body(end): Body<NewEnd>,
) -> Result<StatusCode, Problem> {
    let id = GrantId::parse(&id).map_err(|_| Problem::of(ApiCode::NotFound))?;
    let ending = Ending {
        grants: vec![id],
        reason: end.reason,
        whose: asker.whose(),
    };
    let done = portal.service.end(&asker.caller, &ending).await;
    acted(done, Places::Word("/reason"))
}
