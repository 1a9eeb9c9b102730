//! What was asked, decided and done, for auditors and admins.

use app::Backend as _;
use app::view::{Field, HistoryFilter, HistoryRow};
use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::Portal;
use crate::web::portal::PortalBackend;

use super::asker::Reads;
use super::body::Query;
use super::code::ApiCode;
use super::page::{self};
use super::problem::Problem;
use super::shown::{Person, Target, text, time};
use super::word::{ReceiptKind, RequestState};

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// First day, `YYYY-MM-DD`.
    #[param(format = Date)]
    from: Option<String>,
    /// Last day, `YYYY-MM-DD`.
    #[param(format = Date)]
    to: Option<String>,
    /// The zone whose days those are, by its IANA name; UTC if absent.
    zone: Option<String>,
    /// Part of a requester's name or e-mail, or their `UserId`.
    person: Option<String>,
    /// Part of an account's name or id.
    account: Option<String>,
    /// Part of a permission set's name or a group's, or the id of either.
    permission_set: Option<String>,
    /// The state that it is in.
    #[param(inline)]
    state: Option<String>,
    /// Part of the reason or of the ticket.
    text: Option<String>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// A page of history.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct History {
    /// At most 50, newest first.
    #[schema(max_items = 50)]
    items: Vec<Row>,
    /// Goes on with the search, as `cursor`; absent at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<String>,
    /// How many requests were looked through for this page.
    looked_through: u32,
}

/// A target of a request, in history.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryRow)]
pub(super) struct Row {
    /// The request.
    #[schema(format = Uuid)]
    request_id: String,
    /// When it was submitted.
    submitted_at: Timestamp,
    /// Who asked.
    requester: Person,
    /// What.
    targets: Vec<Target>,
    /// What it is now.
    state: RequestState,
    /// Why: the beginning of it.
    reason: String,
    /// The ticket that it is for.
    ticket: Option<String>,
    /// For how long, in seconds.
    duration_seconds: u32,
    /// Who reviewed it: display names.
    reviewers: Vec<String>,
    /// Start of the grant, if there was one.
    from: Option<Timestamp>,
    /// When it was over, if it is.
    ended_at: Option<Timestamp>,
    /// How its grant ended.
    receipt: Option<ReceiptKind>,
    /// It was granted as break-glass.
    is_break_glass: bool,
}

impl From<HistoryRow> for Row {
    fn from(view: HistoryRow) -> Self {
        Self {
            request_id: view.request_id,
            submitted_at: time(view.submitted_at),
            requester: view.requester.into(),
            targets: view.targets.into_iter().map(Target::from).collect(),
            state: view.state.into(),
            reason: view.reason,
            ticket: text(view.ticket),
            duration_seconds: view.duration_seconds,
            reviewers: view.reviewers,
            from: view.from.map(time),
            ended_at: view.ended_at.map(time),
            receipt: view.receipt.map(ReceiptKind::from),
            is_break_glass: view.is_break_glass,
        }
    }
}

/// What was asked, decided and done
///
/// For auditors and admins. A page may hold few rows, or none, while there is a next one: a search
/// looks through so many requests at a time.
#[utoipa::path(get, path = "/history", tag = "history", operation_id = "list_history", params(HistoryQuery), responses(
    (status = 200, description = "A page.", body = History),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<History>, Problem> {
    let cursor = page::place(query.cursor.as_deref(), |text| Some(text.to_owned()))?;
    let filter = HistoryFilter {
        from: query.from.unwrap_or_default(),
        to: query.to.unwrap_or_default(),
        zone: query.zone.unwrap_or_default(),
        person: query.person.unwrap_or_default(),
        account: query.account.unwrap_or_default(),
        permission_set: query.permission_set.unwrap_or_default(),
        state: query.state.unwrap_or_default(),
        text: query.text.unwrap_or_default(),
        cursor: cursor.unwrap_or_default(),
    };
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.history(&filter).await;
    let found = found.map_err(|error| Problem::of_read(&error))?;
    if let Some(problem) = found.problems.first() {
        return Err(match parameter(problem.field) {
            "cursor" => page::bad(),
            name => {
                let why = app::told(problem.field, &problem.problem);
                Problem::parameter(ApiCode::BadQuery, name, why)
            }
        });
    }
    Ok(Json(History {
        items: found.rows.into_iter().map(Row::from).collect(),
        next: found.next.map(|place| page::cursor(&place)),
        looked_through: found.looked_through,
    }))
}

/// The parameter that a field of the page's form is here.
const fn parameter(field: Field) -> &'static str {
    match field {
        Field::From => "from",
        Field::To => "to",
        Field::Zone => "zone",
        Field::Person => "person",
        Field::Account => "account",
        Field::PermissionSet => "permission_set",
        Field::State => "state",
        Field::Text => "text",
        _ => "cursor",
    }
}
