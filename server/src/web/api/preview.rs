//! Preview a request.

use app::told_reason;
use app::view as from;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::Portal;
use crate::web::portal::foresee;

use super::asker::Submits;
use super::body::Body;
use super::problem::{Places, Problem};
use super::shown::{Route, Target};
use super::submit::{NewRequest, for_whoever_asks};
use super::word::PreviewOutcome;

/// What would become of a request if it were submitted now.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Preview {
    /// Each target, in the order of the request. One that would be refused refuses all.
    #[schema(min_items = 1, max_items = 10)]
    targets: Vec<Foreseen>,
}

/// What would become of one target.
#[derive(Debug, Serialize, ToSchema)]
struct Foreseen {
    /// What.
    target: Target,
    /// What would happen.
    outcome: PreviewOutcome,
    /// Why, most important first: sentences for people.
    reasons: Vec<String>,
    /// The ways that are open, each with its approvers.
    routes: Vec<Route>,
}

impl From<from::ForeseenView> for Foreseen {
    fn from(view: from::ForeseenView) -> Self {
        Self {
            target: view.target.into(),
            outcome: view.preview.outcome.into(),
            reasons: view.preview.reasons.iter().map(told_reason).collect(),
            routes: view.preview.routes.into_iter().map(Route::from).collect(),
        }
    }
}

/// Preview a request
///
/// What would become of this very submission, with nothing kept and nothing promised: it goes by a
/// snapshot of the organisation that is minutes old, and a submission is judged live. What could not be
/// submitted at all is a problem, as it would be there.
#[utoipa::path(post, path = "/requests/preview", tag = "requests", operation_id = "preview_request", request_body = NewRequest,
    responses((status = 200, description = "What would become of each target.", body = Preview)))]
pub(super) async fn preview(
    State(portal): State<Portal>,
    Submits(asker): Submits,
    Body(new): Body<NewRequest>,
) -> Result<Json<Preview>, Problem> {
    let wanted = for_whoever_asks(&asker, new)?;
    let foreseen = foresee::foreseen(&portal, &asker.caller, &wanted).await;
    let foreseen = foreseen.map_err(|error| Problem::of_service(error, Places::Submission))?;
    Ok(Json(Preview {
        targets: foreseen.into_iter().map(Foreseen::from).collect(),
    }))
}
