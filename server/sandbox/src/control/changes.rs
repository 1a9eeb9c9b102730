//! Changing the organisation from outside, as an administrator in the console would.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::changed;
use super::errors::ControlError;
use crate::clock::Moment;
use crate::organisation::{Membership, Triple, UserStatus};
use crate::sandbox::Sandbox;

/// Makes an assignment. Whether there is such a person is not asked: in AWS they may be gone.
pub(super) async fn assign(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let triple: Triple = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    if !state.directory.accounts.contains_key(&triple.account_id) {
        return Err(unknown("account", &triple.account_id));
    }
    let set = &triple.permission_set_arn;
    if !state.directory.permission_sets.contains_key(set) {
        return Err(unknown("permission set", set));
    }
    Ok(changed(state.assign(triple, now)?))
}

pub(super) async fn unassign(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let triple: Triple = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    Ok(changed(state.unassign(triple, now)?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Place {
    group_id: String,
    user_id: String,
}

pub(super) async fn join(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let Place { group_id, user_id } = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    if !state.directory.groups.contains_key(&group_id) {
        return Err(unknown("group", &group_id));
    }
    if !state.directory.people.contains_key(&user_id) {
        return Err(unknown("person", &user_id));
    }
    if let Some(found) = state.memberships.find(&group_id, &user_id) {
        let id = &found.membership_id;
        return Ok(Json(json!({"changed": false, "membership_id": id})));
    }
    let membership_id = sandbox.draws.uuid();
    let membership = Membership {
        membership_id: membership_id.clone(),
        group_id,
        user_id,
        visible_from: now,
        visible_until: None,
    };
    state.join(membership)?;
    Ok(Json(
        json!({"changed": true, "membership_id": membership_id}),
    ))
}

pub(super) async fn leave(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let Place { group_id, user_id } = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    let found = state.memberships.find(&group_id, &user_id);
    let Some(membership_id) = found.map(|it| it.membership_id.clone()) else {
        return Ok(changed(false));
    };
    state.leave(membership_id, 0, now)?;
    Ok(changed(true))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatusWanted {
    user_id: String,
    status: UserStatus,
}

pub(super) async fn set_status(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let wanted: StatusWanted = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    if state.set_status(wanted.user_id.clone(), wanted.status)? {
        return Ok(changed(true));
    }
    Err(unknown("person", &wanted.user_id))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PersonNamed {
    user_id: String,
}

pub(super) async fn remove_person(
    State(sandbox): State<Arc<Sandbox>>,
    body: String,
) -> Result<Json<Value>, ControlError> {
    let PersonNamed { user_id } = serde_json::from_str(&body)?;
    let now = Moment::now();
    let mut state = sandbox.organisation.at(now);
    Ok(changed(state.remove_person(user_id, now)?))
}

fn unknown(kind: &'static str, id: &str) -> ControlError {
    ControlError::Unknown {
        kind,
        id: id.to_owned(),
    }
}
