//! Setting and deleting faults.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::errors::ControlError;
use crate::aws::faults::{Fault, FaultRequest};
use crate::clock::Moment;
use crate::sandbox::Sandbox;

pub(super) async fn list(State(sandbox): State<Arc<Sandbox>>) -> Json<Vec<Fault>> {
    Json(sandbox.faults.all())
}

pub(super) async fn add(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let request: FaultRequest = serde_json::from_str(&body)?;
    let id = sandbox.faults.add(request)?;
    Ok(Json(json!({"id": id})))
}

pub(super) async fn remove(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, ControlError> {
    if !sandbox.faults.remove(id) {
        return Err(ControlError::Unknown {
            kind: "fault",
            id: id.to_string(),
        });
    }
    release(&sandbox)?;
    Ok(super::changed(true))
}

pub(super) async fn clear(
    State(sandbox): State<Arc<Sandbox>>,
) -> Result<Json<Value>, ControlError> {
    sandbox.faults.clear();
    release(&sandbox)?;
    Ok(super::changed(true))
}

/// Operations that a fault has stalled go on when any fault is deleted: which of them stalled which
/// is not kept.
fn release(sandbox: &Sandbox) -> Result<(), ControlError> {
    let now = Moment::now();
    sandbox.organisation.at(now).release(now)?;
    Ok(())
}
