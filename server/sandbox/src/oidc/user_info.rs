//! The userinfo endpoint: the claims of the person behind an access token.

use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::{Provider, token};

/// GET or POST with a bearer token in the header (RFC 6750 §2.1; the other two ways leak into logs).
pub(crate) async fn read(State(provider): State<Arc<Provider>>, headers: HeaderMap) -> Response {
    let Some(value) = headers.get(AUTHORIZATION) else {
        // Who says nothing at all is told no error code (RFC 6750 §3.1).
        return unauthorized(HeaderValue::from_static(r#"Bearer realm="sandbox""#));
    };
    let claims = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .and_then(|(_, token)| provider.codes.access(token.trim(), Instant::now()))
        .and_then(|access| Some((provider.person(&access.user_id)?.person, access.scopes)))
        .map(|(person, scopes)| token::person_claims(&person, &scopes));
    match claims {
        Some(claims) => Json(claims).into_response(),
        None => unauthorized(HeaderValue::from_static(
            r#"Bearer realm="sandbox", error="invalid_token", error_description="expired, revoked or never issued""#,
        )),
    }
}

fn unauthorized(challenge: HeaderValue) -> Response {
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
}
