//! The HTTP API, `/api/v1`: the service's calls as JSON, for the portal's session and for bearer tokens.
//!
//! Handlers prove who asks ([`asker`]), parse, call the service and render. What they show is what
//! pages show ([`super::portal`]), in the words of the contract, which is generated from these files
//! ([`document`]). Deliberately absent: any decision about access, a machine scope for what people
//! answer for (approving, signing, agreeing about findings and the sweep, ending another's access), and HTML: whatever happens here is said
//! as a problem ([`problem`]).

mod access;
mod agreements;
mod approvals;
mod asker;
mod body;
mod code;
mod compare;
mod document;
mod explain;
mod failures;
mod findings;
mod grants;
mod history;
mod me;
mod page;
mod policy;
mod preview;
mod problem;
mod requests;
mod reviews;
mod scope;
mod shown;
mod submit;
mod sweep;
mod versions;
mod word;

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Portal, session};

use self::code::ApiCode;
use self::problem::Problem;

pub(super) use self::failures::Failures;

/// Where all of it is.
pub(super) const BASE: &str = "/api/v1";

/// As long as a page may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Every address, with what surrounds them all.
pub(super) fn router(portal: &Portal) -> Router {
    let (routes, _) = parts();
    let routes = routes
        .fallback(async || Problem::of(ApiCode::NotFound))
        .method_not_allowed_fallback(async || Problem::of(ApiCode::MethodNotAllowed))
        .layer(session::layer(
            portal.clients.dynamodb.clone(),
            portal.table.clone(),
        ))
        .layer(CatchPanicLayer::custom(
            |_: Box<dyn std::any::Any + Send>| {
                tracing::error!("a handler panicked");
                Problem::of(ApiCode::Broken).into_response()
            },
        ))
        .layer(middleware::from_fn_with_state(portal.clone(), settled))
        .with_state(portal.clone());
    // What is nested does not have the address with a slash at its end, which would be a page's.
    Router::new().nest(BASE, routes).route(
        &format!("{BASE}/"),
        any(async || Problem::of(ApiCode::NotFound)),
    )
}

/// The handlers and what they promise, from one list.
fn parts() -> (Router<Portal>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(document::Document::openapi())
        .routes(routes!(me::read))
        .routes(routes!(access::list))
        .routes(routes!(access::account))
        .routes(routes!(access::group))
        .routes(routes!(requests::list, submit::submit))
        .routes(routes!(preview::preview))
        .routes(routes!(requests::read))
        .routes(routes!(requests::withdraw))
        .routes(routes!(requests::nudge))
        .routes(routes!(grants::list))
        .routes(routes!(grants::end))
        .routes(routes!(approvals::list))
        .routes(routes!(reviews::approve))
        .routes(routes!(reviews::deny))
        .routes(routes!(reviews::retract))
        .routes(routes!(reviews::sign))
        .routes(routes!(reviews::reject))
        .routes(routes!(reviews::reopen))
        .routes(routes!(history::list))
        .routes(routes!(findings::list))
        .routes(routes!(findings::propose))
        .routes(routes!(findings::confirm))
        .routes(routes!(findings::refuse))
        .routes(routes!(findings::take_back))
        .routes(routes!(findings::end))
        .routes(routes!(agreements::list))
        .routes(routes!(agreements::give_up))
        .routes(routes!(sweep::read))
        .routes(routes!(sweep::propose))
        .routes(routes!(sweep::agree))
        .routes(routes!(sweep::drop))
        .routes(routes!(sweep::confirm))
        .routes(routes!(policy::read))
        .routes(routes!(versions::list))
        .routes(routes!(versions::read))
        .routes(routes!(explain::explain))
        .routes(routes!(compare::compare))
        .routes(routes!(document::read))
        .split_for_parts()
}

/// In time, and never anything but a problem where something is wrong: what libraries answer by
/// themselves says the same in our words.
async fn settled(State(_): State<Portal>, request: Request, next: Next) -> Response {
    let Ok(response) = tokio::time::timeout(TIMEOUT, next.run(request)).await else {
        return Problem::of(ApiCode::Unavailable).into_response();
    };
    let status = response.status();
    let is_problem = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == problem::MEDIA_TYPE);
    if is_problem || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let (head, _) = response.into_parts();
    // tower-sessions answers with an empty 500 when a session cannot be read or written.
    let code = match status {
        StatusCode::INTERNAL_SERVER_ERROR => ApiCode::Unavailable,
        StatusCode::NOT_FOUND => ApiCode::NotFound,
        StatusCode::METHOD_NOT_ALLOWED => ApiCode::MethodNotAllowed,
        _ if status.is_server_error() => ApiCode::Broken,
        _ => ApiCode::BadRequest,
    };
    let mut response = Problem::of(code).into_response();
    for (name, value) in &head.headers {
        if *name == http::header::ALLOW {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    response
}
