//! What a draft of the policy comes to. It comes into force where it is kept, and never here.

use app::Backend as _;
use app::view as from;
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::web::portal::PortalBackend;
use crate::web::{BODY_MAX_BYTES, Portal};

use super::asker::Reads;
use super::body::Body;
use super::code::ApiCode;
use super::problem::Problem;

/// A draft of the policy.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyDraft)]
pub(super) struct Draft {
    /// The whole of it. The files that it includes are those of the version in force.
    #[schema(min_length = 1, example = "version = 1")]
    text: String,
    /// How it is written.
    #[serde(default)]
    notation: Notation,
}

/// How a draft is written.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Notation {
    /// TOML.
    #[default]
    Toml,
    /// JSON.
    Json,
}

impl Notation {
    const fn word(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
        }
    }
}

/// What a draft comes to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
#[schema(as = PolicyComparison)]
pub(super) enum Comparison {
    /// It is not a policy.
    Invalid {
        /// What is wrong with it, at most 100.
        #[schema(max_items = 100)]
        problems: Vec<Remark>,
    },
    /// It is one.
    Valid {
        /// What to think about before it comes into force, at most 100.
        #[schema(max_items = 100)]
        warnings: Vec<Remark>,
        /// Who gains and who loses what, compared with today, at most 200; null if it is too much to
        /// compare while somebody waits.
        #[schema(max_items = 200)]
        changes: Option<Vec<Change>>,
        /// How many more there are.
        more_changes: u32,
        /// Whether it says what is in force already.
        is_in_force: bool,
    },
}

/// What is wrong with a draft, or to be thought about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyRemark)]
pub(super) struct Remark {
    /// File, line and column, as `draft.toml:3:1`.
    place: String,
    /// What, and what to do.
    text: String,
}

/// One difference between two policies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyChange)]
pub(super) struct Change {
    /// Whether people gain by it.
    gains: bool,
    /// All of it, in a sentence.
    sentence: String,
}

impl Change {
    /// All of these.
    pub(super) fn all(views: Vec<from::PolicyChange>) -> Vec<Self> {
        let views = views.into_iter();
        views
            .map(|view| Self {
                gains: view.gains,
                sentence: view.sentence,
            })
            .collect()
    }
}

fn remarks(views: Vec<from::PolicyProblem>) -> Vec<Remark> {
    let views = views.into_iter();
    views
        .map(|view| Remark {
            place: view.place,
            text: view.text,
        })
        .collect()
}

/// Compare a draft with the policy in force
///
/// For auditors and admins. By a snapshot of the organisation that is minutes old; nothing is kept. Its
/// body may have 320 KiB.
#[utoipa::path(post, path = "/policy/compare", tag = "policy", operation_id = "compare_policy", request_body = Draft,
    responses((status = 200, description = "What it comes to.", body = Comparison)))]
pub(super) async fn compare(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Body(draft): Body<Draft, BODY_MAX_BYTES>,
) -> Result<Json<Comparison>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.draft(&draft.text, draft.notation.word()).await;
    Ok(Json(
        match found.map_err(|error| Problem::of_read(&error))? {
            from::DraftPage::Empty => {
                let why = "Send the draft itself.".to_owned();
                return Err(Problem::at(ApiCode::Invalid, "/text".to_owned(), why));
            }
            from::DraftPage::Invalid(problems) => Comparison::Invalid {
                problems: remarks(problems),
            },
            from::DraftPage::Valid {
                warnings,
                changes,
                more,
                is_in_force,
            } => Comparison::Valid {
                warnings: remarks(warnings),
                changes: changes.map(Change::all),
                more_changes: more,
                is_in_force,
            },
        },
    ))
}
