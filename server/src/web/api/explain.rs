//! What the policy would answer somebody, for auditors and admins.

use app::view::{ExplainField, ExplainPage};
use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::service::Explaining;
use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::body::Body;
use super::code::ApiCode;
use super::document;
use super::problem::Problem;
use super::shown::Route;
use super::submit::WantedTarget;
use super::word::Answer;

/// The longest name that is looked for, in characters; a longer one names nothing, and is not compared
/// with everybody's.
const NAME_MAX_CHARS: usize = 300;

/// What somebody wants explained.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PolicyQuestion)]
pub(super) struct Question {
    /// Whom it is about: an e-mail, a user name or a `UserId`.
    #[schema(min_length = 1, max_length = 300, example = "ana.silva@example.com")]
    person: String,
    /// What they would ask for.
    target: WantedTarget,
    /// For how long, in seconds; absent: the shortest that the policy allows.
    #[schema(example = 3600)]
    duration_seconds: Option<u32>,
    /// The ticket that they would name.
    #[schema(max_length = 300)]
    ticket: Option<String>,
    /// Whether they would go in by break-glass.
    #[serde(default)]
    break_glass: bool,
}

/// What the policy would answer, with all that it rests on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyExplanation)]
pub(super) struct Explanation {
    /// What was asked, in a sentence.
    asked: String,
    /// What would happen.
    answer: Answer,
    /// Why, in a word.
    #[schema(schema_with = document::codes)]
    code: String,
    /// Why, in a sentence, and what would be allowed instead.
    sentence: String,
    /// Everything that it rests on: sentences.
    reasons: Vec<String>,
    /// The ways that are open, each with its approvers.
    routes: Vec<Route>,
    /// The version of the policy that says so.
    version: String,
}

/// Where a field of the question stands in the body.
const fn pointer(field: ExplainField) -> &'static str {
    match field {
        ExplainField::Person => "/person",
        ExplainField::Account => "/target/account_id",
        ExplainField::PermissionSet => "/target/permission_set",
        ExplainField::Group => "/target/group_id",
        ExplainField::Duration => "/duration_seconds",
    }
}

impl Question {
    fn explaining(self) -> Result<Explaining, Problem> {
        for (text, pointer) in [
            (Some(&self.person), "/person"),
            (self.ticket.as_ref(), "/ticket"),
        ] {
            if text.is_some_and(|text| text.chars().count() > NAME_MAX_CHARS) {
                let why = format!("At most {NAME_MAX_CHARS} characters.");
                return Err(Problem::of_members([(pointer, why)]));
            }
        }
        if let Err((member, why)) = self.target.wanted() {
            let pointer = format!("/target/{member}");
            return Err(Problem::at(ApiCode::Invalid, pointer, why.to_owned()));
        }
        let wanted = Explaining {
            person: self.person,
            duration: self
                .duration_seconds
                .map_or_else(String::new, |seconds| format!("{seconds}s")),
            ticket: self.ticket.unwrap_or_default(),
            break_glass: self.break_glass,
            ..Explaining::default()
        };
        Ok(match self.target {
            WantedTarget::Account {
                account_id,
                permission_set,
            } => Explaining {
                account: account_id,
                permission_set,
                ..wanted
            },
            WantedTarget::Group { group_id } => Explaining {
                group: group_id,
                ..wanted
            },
        })
    }
}

/// Explain what the policy would answer
///
/// For auditors and admins: anybody about anything, now, with every reason. By a snapshot of the
/// organisation that is minutes old; nothing is asked for by it.
#[utoipa::path(post, path = "/policy/explain", tag = "policy", operation_id = "explain_policy", request_body = Question,
    responses((status = 200, description = "The answer.", body = Explanation)))]
pub(super) async fn explain(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Body(question): Body<Question>,
) -> Result<Json<Explanation>, Problem> {
    let wanted = question.explaining()?;
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.explained(&wanted).await;
    let (page, routes) = found.map_err(|error| Problem::of_read(&error))?;
    match page {
        ExplainPage::Answer(view) => Ok(Json(Explanation {
            asked: view.asked,
            answer: view.answer.into(),
            code: view.code,
            sentence: view.sentence,
            reasons: view.reasons,
            routes: routes.into_iter().map(Route::from).collect(),
            version: view.version,
        })),
        ExplainPage::Problems(problems) => {
            let problems = problems.into_iter();
            Err(Problem::of_members(
                problems.map(|(field, why)| (pointer(field), why)),
            ))
        }
        // A question is never empty here.
        ExplainPage::Empty => Err(Problem::of(ApiCode::Invalid)),
    }
}
