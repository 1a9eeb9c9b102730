//! Finding, describing and listing groups.

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, REVISION, filter, in_store, not_found, unique_attribute};
use crate::aws::input::{IDENTITY_ID, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{FOUNDED, Group};
use crate::sandbox::Sandbox;
use crate::sso_admin::with_token;

/// `GetGroupId`.
pub(super) fn find(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let (path, value) = unique_attribute(input)?;
    if !path.eq_ignore_ascii_case("displayName") && path != "externalId" {
        return Err(input.invalid(
            "INVALID_ENUM",
            &format!("{path} is not a unique attribute of a group"),
        ));
    }
    let state = sandbox.organisation.at(now);
    let mut groups = state.directory.groups.values();
    let found = groups.find(|group| path != "externalId" && group.display_name == value);
    match found {
        Some(group) => Ok(in_store(json!({"GroupId": group.group_id}))),
        None => Err(not_found(input, "GROUP", None)),
    }
}

/// `DescribeGroup`.
pub(super) fn describe(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let id = input.text("GroupId", IDENTITY_ID)?;
    let state = sandbox.organisation.at(now);
    let group = state.directory.groups.get(id);
    group
        .map(row)
        .ok_or_else(|| not_found(input, "GROUP", Some(id)))
}

/// `ListGroups`.
pub(super) fn list(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let wanted = filter(input, "DisplayName")?;
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let groups = state.directory.groups.iter();
    let groups = groups.filter(|(_, group)| wanted.is_none_or(|name| group.display_name == name));
    let (rows, token) = paging.take(groups.map(|(id, group)| (id, row(group))));
    Ok(with_token(json!({"Groups": rows}), token))
}

fn row(group: &Group) -> Value {
    in_store(json!({
        "GroupId": group.group_id,
        "DisplayName": group.display_name,
        "Description": group.description,
        "Revision": REVISION,
        "CreatedAt": FOUNDED.to_json(),
        "UpdatedAt": FOUNDED.to_json(),
    }))
}
