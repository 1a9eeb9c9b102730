//! `/healthz`: this process runs. `/readyz`: people may be sent to it.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Serialize;

use crate::readiness::{Part, Readiness};

#[derive(Debug, Serialize)]
struct Answer {
    ready: bool,
    parts: BTreeMap<Part, PartAnswer>,
}

#[derive(Debug, Serialize)]
struct PartAnswer {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Both addresses.
pub fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(async move || ready(&readiness)))
}

fn ready(readiness: &Readiness) -> Response {
    let parts: BTreeMap<Part, PartAnswer> = readiness
        .reports()
        .into_iter()
        .map(|(part, report)| {
            let answer = PartAnswer {
                ready: report.is_ok(),
                why: report.err(),
            };
            (part, answer)
        })
        .collect();
    let ready = parts.values().all(|part| part.ready);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(Answer { ready, parts })).into_response()
}
