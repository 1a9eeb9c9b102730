//! What the caller may ask for, and on what terms.

use app::Backend as _;
use app::view as from;
use axum::Json;
use axum::extract::{Path, State};
use domain::id::AccountId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::Portal;
use crate::web::portal::{Listed, Place, PortalBackend};

use super::asker::Reads;
use super::body::{Query, words};
use super::code::ApiCode;
use super::page::{self, Page};
use super::problem::Problem;
use super::shown::{Route, Target, text, time};
use super::word::PreviewOutcome;

/// Something that the caller may ask for.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Offer {
    /// What.
    target: Target,
    /// The longest window over all ways, in seconds.
    max_duration_seconds: u32,
    /// What the portal's form offers, in seconds, ascending.
    durations_seconds: Vec<u32>,
    /// Up to this long nobody has to be asked, in seconds; absent if somebody always has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    at_once_up_to_seconds: Option<u32>,
    /// How many others have to agree on the easiest way; 0 if nobody has to, or if only break-glass
    /// leads there.
    approvals: u32,
    /// Up to this long by break-glass, in seconds; absent if there is no such way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    break_glass_up_to_seconds: Option<u32>,
    /// Whether a ticket is asked for.
    needs_ticket: bool,
    /// Whether it is possible at certain hours only.
    has_hours: bool,
    /// What the caller has or waits for here.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    current: Option<Current>,
}

/// What the caller has or waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(super) enum Current {
    /// An open request.
    Pending {
        /// Which.
        request_id: String,
    },
    /// A live grant.
    Active {
        /// The request that it came from.
        request_id: String,
        /// Its end.
        until: jiff::Timestamp,
    },
    /// Access that was there before Belay.
    Standing,
}

impl From<from::CurrentView> for Current {
    fn from(view: from::CurrentView) -> Self {
        match view {
            from::CurrentView::Pending { request_id } => Self::Pending { request_id },
            from::CurrentView::Active { request_id, until } => Self::Active {
                request_id,
                until: time(until),
            },
            from::CurrentView::Standing => Self::Standing,
        }
    }
}

impl From<Listed> for Offer {
    fn from(listed: Listed) -> Self {
        let terms = listed.terms;
        Self {
            target: listed.target.into(),
            max_duration_seconds: terms.max_duration.get(),
            durations_seconds: terms.durations.iter().map(|one| one.get()).collect(),
            at_once_up_to_seconds: terms.at_once_up_to.map(domain::policy::Seconds::get),
            approvals: terms.approvals,
            break_glass_up_to_seconds: terms.break_glass_up_to.map(domain::policy::Seconds::get),
            needs_ticket: terms.ticket,
            has_hours: terms.hours,
            current: listed.current.map(Current::from),
        }
    }
}

/// What of it.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct AccessQuery {
    /// Words that are all found in the account's name, id, organizational units or tags, or in the
    /// permission set's or the group's name and description, as the portal finds them.
    #[param(max_length = 200)]
    q: Option<String>,
    /// Only in this account: twelve digits.
    #[param(pattern = "^[0-9]{12}$")]
    account_id: Option<String>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
    /// The most that the page holds.
    #[param(minimum = 1, maximum = 100, default = 50)]
    limit: Option<u16>,
}

/// What the caller may ask for
///
/// Groups by name, then accounts by name with their permission sets by name. It goes by a snapshot of
/// the organisation that is minutes old; a submission is judged live.
#[utoipa::path(get, path = "/access", tag = "access", operation_id = "list_access", params(AccessQuery), responses(
    (status = 200, description = "A page.", body = Page<Offer>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<AccessQuery>,
) -> Result<Json<Page<Offer>>, Problem> {
    let limit = page::limit(query.limit, page::MAX)?;
    let after = page::place(query.cursor.as_deref(), Place::parse)?;
    let q = words(query.q)?;
    let account = query
        .account_id
        .as_deref()
        .map(AccountId::parse)
        .transpose();
    let account = account
        .map_err(|_| Problem::parameter(ApiCode::BadQuery, "account_id", "Twelve digits."))?;
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend
        .listed(&q, account.as_ref(), after.as_ref(), limit)
        .await
        .map_err(|error| Problem::of_read(&error))?;
    let (listed, is_more) = found.map_err(|_| page::bad())?;
    let next = listed.last().filter(|_| is_more);
    let next = next.map(|last| page::cursor(&last.place.to_text()));
    Ok(Json(Page {
        items: listed.into_iter().map(Offer::from).collect(),
        next,
    }))
}

/// The terms on which the caller may ask for something.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Terms {
    /// What.
    target: Target,
    /// The permission set's description.
    description: Option<String>,
    /// How long an AWS session opened with it may last, in seconds.
    session_seconds: u32,
    /// What would become of a request of the length that the portal's form begins with.
    outcome: PreviewOutcome,
    /// The ways to it, each with its approvers.
    routes: Vec<Route>,
    /// Durations that policy offers, in seconds, ascending.
    durations_seconds: Vec<u32>,
    /// Shortest window, in seconds.
    min_duration_seconds: u32,
    /// Longest window over all ways, in seconds.
    max_duration_seconds: u32,
    /// Shortest reason, in characters.
    reason_min_chars: u32,
    /// Longest reason, in characters.
    reason_max_chars: u32,
    /// What policy says of tickets here.
    ticket: Option<Ticket>,
    /// A guardrail asks for a new sign-in before this is submitted: it cannot be done with a token.
    needs_new_sign_in: bool,
    /// Up to this long by break-glass, in seconds. It cannot be done with a token.
    break_glass_up_to_seconds: Option<u32>,
    /// What the caller has or waits for here.
    current: Option<Current>,
}

/// What policy says of tickets.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ticket {
    /// There has to be one.
    required: bool,
    /// What one looks like: a regular expression.
    pattern: Option<String>,
}

impl From<from::AskFormView> for Terms {
    fn from(view: from::AskFormView) -> Self {
        Self {
            target: view.target.into(),
            description: text(view.description),
            session_seconds: view.session_seconds,
            outcome: view.preview.outcome.into(),
            routes: view.preview.routes.into_iter().map(Route::from).collect(),
            durations_seconds: view.durations_seconds,
            min_duration_seconds: view.min_duration_seconds,
            max_duration_seconds: view.max_duration_seconds,
            reason_min_chars: view.reason_min_chars,
            reason_max_chars: view.reason_max_chars,
            ticket: view.ticket.map(|ticket| Ticket {
                required: ticket.required,
                pattern: text(ticket.pattern),
            }),
            needs_new_sign_in: view.sign_in_again != from::SignInAgain::NotNeeded,
            break_glass_up_to_seconds: view.break_glass.map(|glass| glass.up_to_seconds),
            current: view.current.map(Current::from),
        }
    }
}

async fn terms(
    portal: Portal,
    Reads(asker): Reads,
    first: &str,
    second: &str,
) -> Result<Json<Terms>, Problem> {
    let backend = PortalBackend::new(portal, asker.caller);
    let form = backend.ask_form(first, second, "", "").await;
    let form = form.map_err(|error| Problem::of_read(&error))?;
    Ok(Json(form.into()))
}

/// The terms for a permission set in an account
///
/// Not found for everything that the caller may not ask for, known or not.
#[utoipa::path(get, path = "/access/accounts/{account_id}/{permission_set}", tag = "access", operation_id = "account_terms",
    params(
        ("account_id" = String, Path, description = "Twelve digits."),
        ("permission_set" = String, Path, description = "The permission set's name."),
    ),
    responses(
        (status = 200, description = "The terms.", body = Terms),
))]
pub(super) async fn account(
    State(portal): State<Portal>,
    reads: Reads,
    Path((account_id, permission_set)): Path<(String, String)>,
) -> Result<Json<Terms>, Problem> {
    // Where an account stands, no word does.
    if AccountId::parse(&account_id).is_err() {
        return Err(Problem::of(ApiCode::NotFound));
    }
    terms(portal, reads, &account_id, &permission_set).await
}

/// The terms for membership of a group
///
/// Not found for everything that the caller may not ask for, known or not.
#[utoipa::path(get, path = "/access/groups/{group_id}", tag = "access", operation_id = "group_terms",
    params(("group_id" = String, Path, description = "The Identity Store's `GroupId`.")),
    responses(
        (status = 200, description = "The terms.", body = Terms),
))]
pub(super) async fn group(
    State(portal): State<Portal>,
    reads: Reads,
    Path(group_id): Path<String>,
) -> Result<Json<Terms>, Problem> {
    terms(portal, reads, "group", &group_id).await
}
