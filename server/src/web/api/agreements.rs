//! What two admins agreed about findings, for auditors and admins, and giving it up.

use app::view::AgreementView;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::{Acts, Reads};
use super::body::{Body, Query};
use super::findings::{after, which};
use super::page::{self, Page};
use super::problem::{Places, Problem, acted};
use super::shown::{Person, Target, time};
use super::word::{Course, FindingKind};

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AgreementsQuery {
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// What two admins agreed about a finding.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Agreement {
    /// The finding's id.
    #[schema(format = Uuid)]
    id: String,
    /// Where it stands: whoever gives it up gives this back. It means nothing else.
    place: String,
    /// What was done.
    course: Course,
    /// How grants and assignments differ.
    kind: FindingKind,
    /// Whose access it is about.
    person: Person,
    /// What it is about.
    target: Target,
    /// Who proposed it: a display name.
    proposed_by: String,
    /// Why, in their words.
    reason: String,
    /// Who confirmed it: a display name.
    confirmed_by: String,
    /// When.
    confirmed_at: Timestamp,
    /// Until when it holds.
    until: Timestamp,
    /// Whether the caller may give it up.
    can_give_up: bool,
}

impl From<AgreementView> for Agreement {
    fn from(view: AgreementView) -> Self {
        Self {
            id: view.id,
            place: page::cursor(&view.name),
            course: view.course.into(),
            kind: view.kind.into(),
            person: view.person.into(),
            target: view.target.into(),
            proposed_by: view.proposed_by,
            reason: view.reason,
            confirmed_by: view.confirmed_by,
            confirmed_at: time(view.confirmed_at),
            until: time(view.until),
            can_give_up: view.can_give_up,
        }
    }
}

/// What was agreed about findings
///
/// For auditors and admins. By kind, at most 20 a page.
#[utoipa::path(get, path = "/agreements", tag = "findings", operation_id = "list_agreements", params(AgreementsQuery), responses(
    (status = 200, description = "A page.", body = Page<Agreement>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<AgreementsQuery>,
) -> Result<Json<Page<Agreement>>, Problem> {
    let after = after(query.cursor.as_deref())?;
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.agreements(&after).await;
    let (found, next) = found.map_err(|error| Problem::of_read(&error))?;
    Ok(Json(Page {
        items: found.into_iter().map(Agreement::from).collect(),
        next: next.map(|name| page::cursor(&name)),
    }))
}

/// Which agreement is given up.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AgreementRead {
    /// The agreement's `place`.
    place: String,
}

/// Give up what was agreed
///
/// Any admin may. The finding opens again if it is still so.
#[utoipa::path(post, path = "/agreements/{id}/give-up", tag = "findings", operation_id = "give_up_agreement", request_body = AgreementRead,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "It is given up.")))]
pub(super) async fn give_up(
    State(portal): State<Portal>,
    Acts(caller): Acts,
    Path(id): Path<String>,
    Body(read): Body<AgreementRead>,
) -> Result<StatusCode, Problem> {
    let which = which(&id, &read.place)?;
    let done = portal.service.give_up(&caller, &which).await;
    acted(done, Places::None)
}
