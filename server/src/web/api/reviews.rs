//! What people answer for: reviews and signatures. By their session alone, whatever a token says.

use axum::extract::{Path, State};
use domain::id::AskIndex;
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::service::{Reviewing, Signature, Verb, Word};
use crate::web::Portal;

use super::asker::Acts;
use super::body::Body;
use super::problem::{Places, Problem, acted};
use super::requests::named;

/// Somebody's word about a request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewWord {
    /// The asks that it covers, from 0; empty or absent: all that the caller may answer.
    #[serde(default)]
    #[schema(max_items = 10)]
    asks: Vec<u8>,
    /// A note for the requester and the audit log, at most 2000 characters.
    #[serde(default)]
    note: String,
    /// Of an approval: the longest that is agreed to, in seconds, if that is less than was asked.
    duration_seconds: Option<u32>,
}

impl NewWord {
    fn asks(&self) -> Vec<AskIndex> {
        self.asks.iter().copied().map(AskIndex).collect()
    }
}

const WORD: Places = Places::Word("/note");

async fn review(
    portal: &Portal,
    Acts(caller): Acts,
    id: &str,
    verb: Verb,
    word: NewWord,
) -> Result<StatusCode, Problem> {
    let reviewing = Reviewing {
        request: named(id)?,
        asks: word.asks(),
        verb,
        note: word.note,
        seconds: word.duration_seconds,
    };
    let done = portal.service.review(&caller, &reviewing).await;
    acted(done, WORD)
}

async fn word(
    portal: &Portal,
    Acts(caller): Acts,
    id: &str,
    said: Word,
    word: NewWord,
) -> Result<StatusCode, Problem> {
    let signature = Signature {
        request: named(id)?,
        asks: word.asks(),
        word: said,
        note: word.note,
    };
    let done = portal.service.sign(&caller, &signature).await;
    acted(done, WORD)
}

/// Approve a request
///
/// Judged at this moment, against the policy in force and a live look-up of the caller's groups.
#[utoipa::path(post, path = "/requests/{id}/approve", tag = "reviews", operation_id = "approve_request", request_body = NewWord,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is on record.")))]
pub(super) async fn approve(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(said): Body<NewWord>,
) -> Result<StatusCode, Problem> {
    review(&portal, acts, &id, Verb::Approve, said).await
}

/// Deny a request
///
/// One no of somebody who could approve ends the ask.
#[utoipa::path(post, path = "/requests/{id}/deny", tag = "reviews", operation_id = "deny_request", request_body = NewWord,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is on record.")))]
pub(super) async fn deny(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(said): Body<NewWord>,
) -> Result<StatusCode, Problem> {
    review(&portal, acts, &id, Verb::Deny, said).await
}

/// Take back the caller's approval
///
/// While nothing is promised.
#[utoipa::path(post, path = "/requests/{id}/retract", tag = "reviews", operation_id = "retract_approval", request_body = NewWord,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is taken back.")))]
pub(super) async fn retract(
    State(portal): State<Portal>,
    Acts(caller): Acts,
    Path(id): Path<String>,
    Body(said): Body<NewWord>,
) -> Result<StatusCode, Problem> {
    let service = &portal.service;
    let done = service.retract(&caller, named(&id)?, &said.asks()).await;
    acted(done, WORD)
}

/// Sign a break-glass
///
/// Never one's own.
#[utoipa::path(post, path = "/requests/{id}/sign", tag = "reviews", operation_id = "sign_break_glass", request_body = NewWord,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is on record.")))]
pub(super) async fn sign(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(said): Body<NewWord>,
) -> Result<StatusCode, Problem> {
    word(&portal, acts, &id, Word::Sign, said).await
}

/// Reject a break-glass
///
/// It ends, and break-glass is closed for its requester until an admin opens it again.
#[utoipa::path(post, path = "/requests/{id}/reject", tag = "reviews", operation_id = "reject_break_glass", request_body = NewWord,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is on record.")))]
pub(super) async fn reject(
    State(portal): State<Portal>,
    acts: Acts,
    Path(id): Path<String>,
    Body(said): Body<NewWord>,
) -> Result<StatusCode, Problem> {
    word(&portal, acts, &id, Word::Reject, said).await
}

/// Why break-glass is opened again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewNote {
    /// Why, for the audit log: 1 to 2000 characters.
    #[schema(min_length = 1)]
    note: String,
}

/// Open break-glass again
///
/// For the requester of a break-glass that was rejected. For admins, and never for themselves.
#[utoipa::path(post, path = "/requests/{id}/reopen", tag = "reviews", operation_id = "reopen_break_glass", request_body = NewNote,
    params(("id" = String, Path, description = "The request's id.", format = Uuid)),
    responses((status = 204, description = "It is open again.")))]
pub(super) async fn reopen(
    State(portal): State<Portal>,
    Acts(caller): Acts,
    Path(id): Path<String>,
    Body(new): Body<NewNote>,
) -> Result<StatusCode, Problem> {
    let done = portal.service.reopen(&caller, named(&id)?, &new.note).await;
    acted(done, WORD)
}
