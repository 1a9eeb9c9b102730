//! Versions of the policy, for auditors and admins: what an old verdict was judged by.

use app::Backend as _;
use app::view as from;
use axum::Json;
use axum::extract::{Path, State};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::body::Query;
use super::compare::Change;
use super::page::{self, Page};
use super::problem::Problem;
use super::shown::time;

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct VersionsQuery {
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// A version came into force.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyInForce)]
pub(super) struct Row {
    /// Which.
    version: String,
    /// When.
    at: Timestamp,
    /// Which server read it.
    server: String,
    /// Whether it is the one in force now.
    is_in_force: bool,
}

impl From<from::VersionRow> for Row {
    fn from(view: from::VersionRow) -> Self {
        Self {
            version: view.version,
            at: time(view.at),
            server: view.server,
            is_in_force: view.is_in_force,
        }
    }
}

/// What came into force
///
/// For auditors and admins. Newest first, at most 50 a page; a version that came back is there again.
#[utoipa::path(get, path = "/policy/versions", tag = "policy", operation_id = "list_policy_versions", params(VersionsQuery), responses(
    (status = 200, description = "A page.", body = Page<Row>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<VersionsQuery>,
) -> Result<Json<Page<Row>>, Problem> {
    let before = page::place(query.cursor.as_deref(), |text| {
        let at = text.parse::<i64>().ok()?;
        Timestamp::from_millisecond(at).ok().map(|_| at)
    })?;
    let before = before.map(|before| before.to_string()).unwrap_or_default();
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.versions(&before).await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    Ok(Json(Page {
        items: found.rows.into_iter().map(Row::from).collect(),
        next: found.next.map(|at| page::cursor(&at.to_string())),
    }))
}

/// One version of the policy, whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
pub(super) struct Kept {
    /// Which.
    version: String,
    /// Whether it is the one in force now.
    is_in_force: bool,
    /// Its files, its own first and then what it includes; 2 MiB at most. None: the table has it no
    /// more, or not as it was written.
    files: Vec<File>,
    /// Who has gained and who has lost what from it to what is in force, at most 200; null if it
    /// cannot be told, or if it is too much to compare while somebody waits.
    #[schema(max_items = 200)]
    changes: Option<Vec<Change>>,
    /// How many more there are.
    more_changes: u32,
}

/// A file of a policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyText)]
struct File {
    /// Its name.
    name: String,
    /// What it says.
    text: String,
}

/// One version of the policy
///
/// For auditors and admins.
#[utoipa::path(get, path = "/policy/versions/{version}", tag = "policy", operation_id = "read_policy_version",
    params(("version" = String, Path, description = "The version.")),
    responses((status = 200, description = "The version.", body = Kept)))]
pub(super) async fn read(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Path(version): Path<String>,
) -> Result<Json<Kept>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    // What is kept is no longer than a policy may be.
    let found = backend.version_with(&version, usize::MAX).await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    let files = found.files.into_iter();
    Ok(Json(Kept {
        version: found.version,
        is_in_force: found.is_in_force,
        files: files.map(|(name, text)| File { name, text }).collect(),
        changes: found.changes.map(Change::all),
        more_changes: found.more,
    }))
}
