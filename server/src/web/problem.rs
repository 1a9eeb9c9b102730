//! Problems that take a whole page: rendered without script, each with its own status.

use app::Theme;
use app::view::PageProblem;
use axum::body::Body;
use axum::response::{Html, IntoResponse, Response};
use http::header::{ACCEPT, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Portal;
use super::headers::cookie;

/// When to try again a part that does not answer. Parts are tried every few seconds anyway; an
/// earlier attempt would find the same.
const RETRY_AFTER_SECONDS: &str = "5";

/// As the page says it: a minute, in which any of our limits has room again.
const LESS_OFTEN_SECONDS: &str = "60";

/// The page for people, one line of text for programs.
pub(super) fn page(portal: &Portal, headers: &HeaderMap, problem: PageProblem) -> Response {
    let status =
        StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if wants_html(headers) {
        Html(app::problem_page(&portal.assets, theme(headers), problem)).into_response()
    } else {
        Response::new(Body::from(format!("{}\n", code(problem))))
    };
    *response.status_mut() = status;
    let retry_after = match status {
        StatusCode::SERVICE_UNAVAILABLE => Some(RETRY_AFTER_SECONDS),
        StatusCode::TOO_MANY_REQUESTS => Some(LESS_OFTEN_SECONDS),
        _ => None,
    };
    if let Some(seconds) = retry_after {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static(seconds));
    }
    response
}

/// The problem's code, in kebab-case, as the wire knows it.
pub(super) fn code(problem: PageProblem) -> String {
    match serde_json::to_value(problem) {
        Ok(serde_json::Value::String(code)) => code,
        Ok(other) => other.to_string(),
        Err(_) => "broken".to_owned(),
    }
}

fn wants_html(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// The colours that this browser chose.
pub(super) fn theme(headers: &HeaderMap) -> Theme {
    cookie(headers, Theme::NAME).map_or_else(Theme::default, Theme::parse)
}

/// The headers of a browser, for where the request is no longer at hand.
pub(super) fn html() -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html"))])
}
