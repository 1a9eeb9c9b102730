//! What a request brings: a body of JSON, or a query, both read strictly, so that a misspelt member is
//! told and not ignored.

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::web::Portal;

use super::code::ApiCode;
use super::problem::Problem;

/// The longest reason and ten targets are some 20 kB, however they are escaped.
const MAX_BYTES: usize = 64 * 1024;

/// A body of JSON, of at most so many bytes.
#[derive(Debug)]
pub(super) struct Body<T, const MAX: usize = MAX_BYTES>(pub(super) T);

impl<T: DeserializeOwned, const MAX: usize> FromRequest<Portal> for Body<T, MAX> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Portal) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of(ApiCode::NotJson));
        }
        let bytes = to_bytes(request.into_body(), MAX).await;
        let bytes = bytes.map_err(|_| Problem::of(ApiCode::TooLarge))?;
        let mut json = serde_json::Deserializer::from_slice(&bytes);
        let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
            let pointer = pointer(error.path());
            let error = error.into_inner();
            if error.is_data() {
                Problem::at(ApiCode::Invalid, pointer, sentence(&error))
            } else {
                Problem::of(ApiCode::MalformedJson).because(sentence(&error))
            }
        })?;
        json.end()
            .map_err(|error| Problem::of(ApiCode::MalformedJson).because(sentence(&error)))?;
        Ok(Self(value))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .and_then(|kind| kind.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}

/// What serde says of it names types and places, and nothing of ours.
fn sentence(error: &serde_json::Error) -> String {
    /// It may repeat a word of the body, which may be long.
    const MAX_CHARS: usize = 200;
    error.to_string().chars().take(MAX_CHARS).collect()
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut text = String::new();
    for segment in path {
        text.push('/');
        match segment {
            Segment::Seq { index } => text.push_str(&index.to_string()),
            Segment::Map { key } => text.push_str(&key.replace('~', "~0").replace('/', "~1")),
            Segment::Enum { .. } | Segment::Unknown => {
                text.pop();
            }
        }
    }
    text
}

/// A query.
#[derive(Debug)]
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Portal> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Portal) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri)
            .map(|axum::extract::Query(query)| Self(query))
            .map_err(|error| {
                let why: String = error.body_text().chars().take(200).collect();
                Problem::of(ApiCode::BadQuery).because(why)
            })
    }
}

/// The longest text that is looked for, in characters.
const TEXT_MAX_CHARS: usize = 200;

/// Words that are looked for; none: everything is found.
pub(super) fn words(q: Option<String>) -> Result<String, Problem> {
    let q = q.unwrap_or_default();
    if q.chars().count() > TEXT_MAX_CHARS {
        let why = format!("At most {TEXT_MAX_CHARS} characters.");
        return Err(Problem::parameter(ApiCode::BadQuery, "q", why));
    }
    Ok(q)
}
