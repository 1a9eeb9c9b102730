//! The control door: what a test may see and change that no AWS caller may.
//!
//! JSON over HTTP, documented in the README. What is changed here is as if it had happened some time
//! ago: reads show it at once.

mod changes;
mod errors;
mod faults;
mod state;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::info;

use self::errors::ControlError;
use crate::arguments::Switches;
use crate::loopback;
use crate::sandbox::Sandbox;

/// A fault, an assignment or a set of switches is a few hundred bytes.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// Serves until `shutdown`.
pub(crate) async fn serve(
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(sandbox))
        .with_graceful_shutdown(async move { shutdown.cancelled().await })
        .await
}

fn router(sandbox: Arc<Sandbox>) -> Router {
    Router::new()
        .route("/healthz", get(async || Json(json!({"status": "ok"}))))
        .route("/state", get(state::read))
        .route(
            "/assignments",
            put(changes::assign).delete(changes::unassign),
        )
        .route("/memberships", put(changes::join).delete(changes::leave))
        .route(
            "/people",
            put(changes::set_status).delete(changes::remove_person),
        )
        .route(
            "/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/faults/{id}", delete(faults::remove))
        .route("/switches", get(switches).post(set_switches))
        .route("/calls", get(calls))
        .route("/oidc/keys", post(rotate_keys))
        .route("/reset", post(reset))
        .fallback(async || ControlError::NoSuchDoor)
        .method_not_allowed_fallback(async || ControlError::NoSuchMethod)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn(only_local))
        .with_state(sandbox)
}

/// A page in a browser must not be able to open this door: not under a name of its own, and not by a
/// form or a script of its own.
async fn only_local(request: Request, next: Next) -> Response {
    let from_page = request.headers().get("origin").is_some();
    if !loopback::is_local(&request) || (from_page && request.method() != http::Method::GET) {
        return loopback::foreign().into_response();
    }
    next.run(request).await
}

async fn switches(State(sandbox): State<Arc<Sandbox>>) -> Json<Switches> {
    Json(Switches::clone(&sandbox.switches()))
}

/// Changes the named switches and leaves the others.
async fn set_switches(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Switches>, ControlError> {
    let wanted: serde_json::Map<String, Value> = serde_json::from_str(&body)?;
    let mut current = serde_json::to_value(&*sandbox.switches())?;
    if let Some(members) = current.as_object_mut() {
        members.extend(wanted);
    }
    let switches: Switches = serde_json::from_value(current)?;
    sandbox.set_switches(switches.clone());
    info!("The switches were changed");
    Ok(Json(switches))
}

#[derive(Debug, Deserialize)]
struct CallsWanted {
    #[serde(default)]
    since: u64,
    operation: Option<String>,
}

/// The calls after number `since`; `last` is what to ask from next time.
async fn calls(
    State(sandbox): State<Arc<Sandbox>>,
    Query(wanted): Query<CallsWanted>,
) -> Json<Value> {
    let (mut calls, last) = sandbox.calls.since(wanted.since);
    if let Some(operation) = &wanted.operation {
        calls.retain(|call| call.operation() == operation);
    }
    Json(json!({"calls": calls, "last": last}))
}

async fn rotate_keys(State(sandbox): State<Arc<Sandbox>>) -> Result<Json<Value>, ControlError> {
    let rotated = tokio::task::spawn_blocking(move || sandbox.oidc.rotate_keys()).await;
    rotated
        .map_err(|problem| ControlError::Broken(problem.to_string()))?
        .map_err(|problem| ControlError::Broken(problem.to_string()))?;
    Ok(Json(json!({"rotated": true})))
}

async fn reset(State(sandbox): State<Arc<Sandbox>>) -> Result<Json<Value>, ControlError> {
    sandbox.reset().await?;
    info!("Everything is as on the first start");
    Ok(Json(json!({"reset": true})))
}

/// An answer without a body of its own.
fn changed(changed: bool) -> Json<Value> {
    Json(json!({"changed": changed}))
}

impl axum::response::IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let mut response = Json(json!({"error": self.to_string()})).into_response();
        *response.status_mut() = self.status();
        response.map(Body::new)
    }
}
