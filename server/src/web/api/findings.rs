//! Where grants and assignments differ, for auditors and admins, and what admins do about it. To
//! everybody else there is no such thing.

use app::view as from;
use axum::Json;
use axum::extract::{Path, State};
use domain::adoption;
use domain::finding::Difference;
use domain::id::FindingId;
use domain::sweep::plan;
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::service::{Answer, Proposing, Which};
use crate::web::Portal;
use crate::web::portal::{FINDING_NAME_MAX_BYTES, PortalBackend};

use super::asker::{Acts, Reads};
use super::body::{Body, Query};
use super::code::ApiCode;
use super::document;
use super::page::{self, Page};
use super::problem::{Places, Problem, acted};
use super::shown::{Person, Target, time};
use super::word::{Course, FindingKind, WhyLeft};

/// Which of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct FindingsQuery {
    /// Only of this kind.
    #[param(value_type = Option<FindingKind>)]
    kind: Option<Difference>,
    /// Where the page before ended: its `next`.
    cursor: Option<String>,
}

/// An open finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Finding)]
pub(super) struct FindingBody {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Where it stands: whoever does something about it gives this back. It means nothing else.
    place: String,
    /// How grants and assignments differ.
    kind: FindingKind,
    /// Whose access it is about.
    person: Person,
    /// What it is about.
    target: Target,
    /// When it was found.
    found_at: Timestamp,
    /// The complete read that showed it.
    read: Option<CompleteRead>,
    /// Why today's policy would refuse it, where that is what is found.
    #[serde(skip_serializing_if = "String::is_empty")]
    #[schema(schema_with = document::codes, required = false)]
    code: String,
    /// The grants that it is about.
    grants: Vec<String>,
    /// What the caller may propose, by what is known now; nothing for auditors.
    courses: Vec<Course>,
    /// Whether it is about the caller, so that others have to decide.
    is_own: bool,
    /// Why the sweep leaves it alone; absent where it does not, or does not look for it.
    left: Option<Left>,
    /// What an admin proposes, and nobody has answered yet.
    proposal: Option<ProposalBody>,
    /// Whether the caller may end the grants that it is about.
    can_end: bool,
    /// That two admins agreed that it is taken away, and that it has not begun yet.
    revoking: Option<Revoking>,
    /// When taking it away failed last.
    failed: Option<Failure>,
}

/// Two admins agreed that something is taken away.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Revoking {
    /// Who proposed it: a display name.
    proposed_by: String,
    /// Why, in their words.
    reason: String,
    /// Who confirmed it: a display name.
    confirmed_by: String,
    /// When.
    confirmed_at: Timestamp,
    /// When it is not done any more, unless it has begun.
    lapses_at: Timestamp,
}

/// Something failed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Failure {
    /// When.
    at: Timestamp,
    /// As what: AWS's code for it, or Belay's.
    reason: String,
}

impl From<from::RevokingView> for Revoking {
    fn from(view: from::RevokingView) -> Self {
        Self {
            proposed_by: view.proposed_by,
            reason: view.reason,
            confirmed_by: view.confirmed_by,
            confirmed_at: time(view.confirmed_at),
            lapses_at: time(view.lapses_at),
        }
    }
}

/// A read of all that there is to an account and a permission set.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CompleteRead {
    /// When it ended.
    finished_at: Timestamp,
    /// How many pages it had.
    pages: u32,
}

/// Why the sweep leaves a finding alone.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LeftAlone)]
pub(super) struct Left {
    /// Why.
    why: WhyLeft,
    /// Until when, of what is young.
    until: Option<Timestamp>,
}

impl From<plan::Left> for Left {
    fn from(left: plan::Left) -> Self {
        Self {
            why: left.into(),
            until: match left {
                plan::Left::Young { until } => Some(until),
                _ => None,
            },
        }
    }
}

/// What an admin proposes to do about a finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Proposal)]
pub(super) struct ProposalBody {
    /// Which of the finding's proposals, from 1: whoever answers it gives this back.
    number: u32,
    /// What to do.
    course: Course,
    /// Who proposed it: a display name.
    by: String,
    /// Why, in their words.
    reason: String,
    /// When.
    at: Timestamp,
    /// Until when it would be kept.
    until: Timestamp,
    /// When it lapses, unless somebody answers.
    lapses_at: Timestamp,
    /// Whether the caller may confirm or refuse it, by what is known now.
    can_answer: bool,
    /// Whether the caller may take it back.
    can_take_back: bool,
}

impl FindingBody {
    fn of(view: from::FindingView, left: Option<plan::Left>) -> Self {
        let read = |(at, pages)| CompleteRead {
            finished_at: time(at),
            pages,
        };
        Self {
            id: view.id,
            place: page::cursor(&view.name),
            kind: view.kind.into(),
            person: view.person.into(),
            target: view.target.into(),
            found_at: time(view.found_at),
            read: view.read.map(read),
            code: view.why,
            grants: view.grants,
            courses: view.courses.into_iter().map(Course::from).collect(),
            is_own: view.is_own,
            left: left.map(Left::from),
            proposal: view.proposal.map(ProposalBody::from),
            can_end: view.can_end,
            revoking: view.revoking.map(Revoking::from),
            failed: view.failed.map(|(at, reason)| Failure {
                at: time(at),
                reason,
            }),
        }
    }
}

impl From<from::ProposalView> for ProposalBody {
    fn from(view: from::ProposalView) -> Self {
        Self {
            number: view.number,
            course: view.course.into(),
            by: view.by,
            reason: view.reason,
            at: time(view.at),
            until: time(view.until),
            lapses_at: time(view.lapses_at),
            can_answer: view.can_answer,
            can_take_back: view.can_take_back,
        }
    }
}

/// Where a page of findings or of agreements begins; nothing: the first.
pub(super) fn after(cursor: Option<&str>) -> Result<String, Problem> {
    let name = |text: &str| is_name(text).then(|| text.to_owned());
    Ok(page::place(cursor, name)?.unwrap_or_default())
}

/// Whether it can be the name of one: DynamoDB takes no key without a text, nor a very long one.
fn is_name(text: &str) -> bool {
    (1..=FINDING_NAME_MAX_BYTES).contains(&text.len())
}

/// The finding of that id at that place.
pub(super) fn which(id: &str, place: &str) -> Result<Which, Problem> {
    let id = FindingId::parse(id).map_err(|_| Problem::of(ApiCode::NotFound))?;
    let name = page::decoded(place).filter(|name| is_name(name));
    let name = name.ok_or_else(|| {
        let why = "This is not the place of a finding.".to_owned();
        Problem::at(ApiCode::Invalid, "/place".to_owned(), why)
    })?;
    Ok(Which { name, id })
}

/// What is found
///
/// For auditors and admins. By kind, at most 20 a page.
#[utoipa::path(get, path = "/findings", tag = "findings", operation_id = "list_findings", params(FindingsQuery), responses(
    (status = 200, description = "A page.", body = Page<FindingBody>),
))]
pub(super) async fn list(
    State(portal): State<Portal>,
    Reads(asker): Reads,
    Query(query): Query<FindingsQuery>,
) -> Result<Json<Page<FindingBody>>, Problem> {
    let after = after(query.cursor.as_deref())?;
    let backend = PortalBackend::new(portal, asker.caller);
    let found = backend.open_findings(query.kind, after).await;
    let (found, next) = found.map_err(|error| Problem::of_read(&error))?;
    let items = found.into_iter();
    Ok(Json(Page {
        items: items
            .map(|(view, left)| FindingBody::of(view, left))
            .collect(),
        next: next.map(|name| page::cursor(&name)),
    }))
}

/// What an admin proposes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProposal {
    /// The finding's `place`.
    place: String,
    /// What to do: one of the finding's `courses`.
    #[schema(value_type = Course)]
    course: adoption::Course,
    /// Why, for whoever confirms it and for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    reason: String,
    /// For how long it would be kept, in seconds: at most 90 days. What is taken away has none.
    #[schema(minimum = 1, maximum = 7_776_000, example = 2_592_000)]
    duration_seconds: Option<u32>,
}

/// A proposal, as whoever answers it has read it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProposalRead {
    /// The finding's `place`.
    place: String,
    /// The proposal's `number`.
    proposal: u32,
}

/// Why a proposal is refused.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRefusal {
    /// The finding's `place`.
    place: String,
    /// The proposal's `number`.
    proposal: u32,
    /// Why, for whoever proposed it and for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    note: String,
}

/// Propose what to do about a finding
///
/// Another admin has to confirm it within a week. Neither holds the access that it is about: both are
/// judged by a live look-up, the first one again when it is confirmed.
#[utoipa::path(post, path = "/findings/{id}/propose", tag = "findings", operation_id = "propose_about_finding", request_body = NewProposal,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "It is proposed.")))]
pub(super) async fn propose(
    State(portal): State<Portal>,
    Acts(caller): Acts,
    Path(id): Path<String>,
    Body(new): Body<NewProposal>,
) -> Result<StatusCode, Problem> {
    let proposing = Proposing {
        which: which(&id, &new.place)?,
        course: new.course,
        reason: new.reason,
        seconds: new.duration_seconds.unwrap_or_default(),
    };
    let done = portal.service.propose(&caller, &proposing).await;
    acted(done, Places::Word("/reason"))
}

async fn answered(
    portal: &Portal,
    Acts(caller): Acts,
    (id, place, number): (&str, &str, u32),
    answer: Answer,
) -> Result<StatusCode, Problem> {
    let which = which(id, place)?;
    let service = &portal.service;
    let done = service.answer(&caller, &which, number, &answer).await;
    acted(done, Places::Word("/note"))
}

/// Confirm what another admin proposed
///
/// The finding is closed, and stays so for as long as was proposed; or what it is about is taken away.
#[utoipa::path(post, path = "/findings/{id}/confirm", tag = "findings", operation_id = "confirm_proposal", request_body = ProposalRead,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "It is agreed.")))]
pub(super) async fn confirm(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(read): Body<ProposalRead>,
) -> Result<StatusCode, Problem> {
    let proposal = (id.as_str(), read.place.as_str(), read.proposal);
    answered(&portal, acts, proposal, Answer::Confirm).await
}

/// Refuse what another admin proposed
#[utoipa::path(post, path = "/findings/{id}/refuse", tag = "findings", operation_id = "refuse_proposal", request_body = NewRefusal,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "It is refused.")))]
pub(super) async fn refuse(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(new): Body<NewRefusal>,
) -> Result<StatusCode, Problem> {
    let proposal = (id.as_str(), new.place.as_str(), new.proposal);
    let answer = Answer::Refuse { note: new.note };
    answered(&portal, acts, proposal, answer).await
}

/// Take back the caller's own proposal
#[utoipa::path(post, path = "/findings/{id}/take-back", tag = "findings", operation_id = "take_back_proposal", request_body = ProposalRead,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "It is taken back.")))]
pub(super) async fn take_back(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(read): Body<ProposalRead>,
) -> Result<StatusCode, Problem> {
    let proposal = (id.as_str(), read.place.as_str(), read.proposal);
    answered(&portal, acts, proposal, Answer::TakeBack).await
}

/// Why grants end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EndOfFinding {
    /// The finding's `place`.
    place: String,
    /// Why, for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    reason: String,
}

/// End the grants that a finding is about
///
/// For admins. The promises end at once; the access is gone when the grants' receipts say so.
#[utoipa::path(post, path = "/findings/{id}/end", tag = "findings", operation_id = "end_finding", request_body = EndOfFinding,
    params(("id" = String, Path, description = "The finding's id.", format = Uuid)),
    responses((status = 204, description = "They end.")))]
pub(super) async fn end(
    State(portal): State<Portal>,
    Acts(caller): Acts,
    Path(id): Path<String>,
    Body(end): Body<EndOfFinding>,
) -> Result<StatusCode, Problem> {
    let which = which(&id, &end.place)?;
    let done = portal
        .service
        .end_finding(&caller, &which, &end.reason)
        .await;
    acted(done, Places::Word("/reason"))
}
