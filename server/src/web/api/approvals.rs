//! What waits for the caller's word.

use app::view::{ApprovalView, SignInAgain};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::body::Query;
use super::page::{Page, PageQuery};
use super::problem::Problem;
use super::shown::{BreakGlass, Person, Route, Target, time};

/// A request that waits for the caller.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Approval {
    /// Which.
    #[schema(format = Uuid)]
    request_id: String,
    /// For what it waits.
    waits_for: WaitsFor,
    /// Who asks.
    requester: Person,
    /// Their groups, of those that the policy names.
    requester_groups: Vec<String>,
    /// What is asked.
    targets: Vec<Target>,
    /// Why, as typed.
    reason: String,
    /// For how long, in seconds.
    duration_seconds: u32,
    /// When it was submitted.
    submitted_at: Timestamp,
    /// When it lapses if nobody answers.
    expires_at: Timestamp,
    /// The ways on which the caller may approve.
    routes: Vec<Route>,
    /// What is to be signed.
    break_glass: Vec<BreakGlass>,
    /// A guardrail asks for a new sign-in before the caller says yes.
    needs_new_sign_in: bool,
}

/// For what something waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum WaitsFor {
    /// A review.
    Review,
    /// A signature, after break-glass.
    Signature,
}

impl From<ApprovalView> for Approval {
    fn from(view: ApprovalView) -> Self {
        Self {
            request_id: view.request_id,
            waits_for: if view.signing.is_empty() {
                WaitsFor::Review
            } else {
                WaitsFor::Signature
            },
            requester: view.requester.into(),
            requester_groups: view.requester_groups,
            targets: view.targets.into_iter().map(Target::from).collect(),
            reason: view.reason,
            duration_seconds: view.duration_seconds,
            submitted_at: time(view.submitted_at),
            expires_at: time(view.expires_at),
            routes: view.routes.into_iter().map(Route::from).collect(),
            break_glass: view.signing.into_iter().map(BreakGlass::from).collect(),
            needs_new_sign_in: view.actions.sign_in_again == SignInAgain::Needed,
        }
    }
}

/// What waits for the caller
///
/// Oldest first. To review and to sign there is no scope: a token reads this, and its person acts.
#[utoipa::path(get, path = "/approvals", tag = "reviews", operation_id = "list_approvals", params(PageQuery), responses(
    (status = 200, description = "A page.", body = Page<Approval>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Approval>>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.waiting_alone().await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    let found = found.into_iter().map(|view| {
        let place = (view.submitted_at, view.request_id.clone());
        (place, Approval::from(view))
    });
    query.page_of(found.collect()).map(Json)
}
