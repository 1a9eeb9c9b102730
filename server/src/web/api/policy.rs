//! The policy in force, for auditors and admins.

use app::Backend as _;
use app::view as from;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::body::{Query, words};
use super::page;
use super::problem::Problem;

/// What of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PolicyQuery {
    /// Words that are all found in what a rule or guardrail says.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Where the page before ended: its `next`. It leads nowhere once another version is in force.
    cursor: Option<String>,
}

/// A page of the policy in force, with the names of today.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Policy {
    /// Its version.
    version: String,
    /// Who oversees, what holds for every request, and what no policy can open.
    overall: Vec<Line>,
    /// Rules by name, then guardrails by name: at most 50 of those that are looked for.
    #[schema(max_items = 50)]
    items: Vec<PolicyPart>,
    /// Goes on with them, as `cursor`; absent at their end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
    /// How many were found.
    found: u32,
    /// How many there are.
    of: u32,
}

/// A rule or guardrail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyPart {
    /// Whether it opens a way or narrows them.
    kind: PartKind,
    /// Its name.
    name: String,
    /// What it says, in sentences.
    lines: Vec<Line>,
}

/// Whether a part of the policy opens a way or narrows them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum PartKind {
    /// It opens one.
    Rule,
    /// It narrows those that it covers.
    Guardrail,
}

/// One thing that the policy says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyLine)]
pub(super) struct Line {
    /// What about, in a word or two.
    about: String,
    /// A sentence, or a list of names.
    text: String,
}

impl From<from::PolicyLine> for Line {
    fn from(view: from::PolicyLine) -> Self {
        Self {
            about: view.about,
            text: view.text,
        }
    }
}

impl From<from::PolicyPart> for PolicyPart {
    fn from(view: from::PolicyPart) -> Self {
        Self {
            kind: if view.is_guardrail {
                PartKind::Guardrail
            } else {
                PartKind::Rule
            },
            name: view.name,
            lines: view.lines.into_iter().map(Line::from).collect(),
        }
    }
}

/// The policy in force
///
/// For auditors and admins: each rule and guardrail in sentences.
#[utoipa::path(get, path = "/policy", tag = "policy", operation_id = "read_policy", params(PolicyQuery), responses(
    (status = 200, description = "A page.", body = Policy),
))]
pub(super) async fn read(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<PolicyQuery>,
) -> Result<Json<Policy>, Problem> {
    let place = page::place(query.cursor.as_deref(), |text| {
        let (version, after) = text.split_once(' ')?;
        Some((version.to_owned(), after.parse::<u32>().ok()?))
    })?;
    let q = words(query.q)?;
    let after = place.as_ref().map(|(_, after)| after.to_string());
    let filter = from::PolicyFilter {
        text: q,
        after: after.unwrap_or_default(),
    };
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.policy(&filter).await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    if place.is_some_and(|(version, _)| version != found.version) {
        return Err(page::bad());
    }
    let next = found.next;
    let next = next.map(|next| page::cursor(&format!("{} {next}", found.version)));
    Ok(Json(Policy {
        version: found.version,
        overall: found.overall.into_iter().map(Line::from).collect(),
        items: found.parts.into_iter().map(PolicyPart::from).collect(),
        next,
        found: found.found,
        of: found.of,
    }))
}
