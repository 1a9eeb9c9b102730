//! Permission sets, and where they are provisioned: where at least one assignment of theirs is.

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, asks_for_outdated, with_token};
use crate::aws::input::{ACCOUNT_ID, ANY, Input, PERMISSION_SET_ARN};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{Directory, FOUNDED, INSTANCE_ARN};
use crate::sandbox::Sandbox;

/// `ListPermissionSets`.
pub(super) fn list(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let arns = state.directory.permission_sets.keys();
    let (rows, token) = paging.take(arns.map(|arn| (arn, arn.clone())));
    Ok(with_token(json!({"PermissionSets": rows}), token))
}

/// `DescribePermissionSet`.
pub(super) fn describe(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let state = sandbox.organisation.at(now);
    let arn = known(input, &state.directory)?;
    let set = &state.directory.permission_sets[arn];
    Ok(json!({"PermissionSet": {
        "Name": set.name,
        "PermissionSetArn": set.arn,
        "Description": set.description,
        "CreatedDate": FOUNDED.to_json(),
        "SessionDuration": set.session_duration,
    }}))
}

/// `ListAccountsForProvisionedPermissionSet`.
pub(super) fn accounts(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let outdated = asks_for_outdated(input)?;
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let arn = known(input, &state.directory)?;
    let mut ids: Vec<&str> = state
        .ledger
        .visible_in_set(arn, now)
        .filter(|_| !outdated)
        .map(|triple| triple.account_id.as_str())
        .collect();
    ids.dedup();
    let (rows, token) = paging.take(ids.into_iter().map(|id| (id, id.to_owned())));
    Ok(with_token(json!({"AccountIds": rows}), token))
}

/// `ListPermissionSetsProvisionedToAccount`.
pub(super) fn in_account(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let account = input.text("AccountId", ACCOUNT_ID)?;
    let outdated = asks_for_outdated(input)?;
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let mut arns: Vec<&str> = state
        .ledger
        .visible(now)
        .filter(|triple| triple.account_id == account && !outdated)
        .map(|triple| triple.permission_set_arn.as_str())
        .collect();
    arns.dedup();
    let (rows, token) = paging.take(arns.into_iter().map(|arn| (arn, arn.to_owned())));
    Ok(with_token(json!({"PermissionSets": rows}), token))
}

/// `ListTagsForResource`: nothing here is tagged, but it is there to be asked.
pub(super) fn tags(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let arn = input.text("ResourceArn", ANY)?;
    let state = sandbox.organisation.at(now);
    if arn != INSTANCE_ARN && !state.directory.permission_sets.contains_key(arn) {
        return Err(not_found(input, arn));
    }
    Ok(json!({"Tags": []}))
}

/// The permission set that a call names, if there is one.
pub(super) fn known<'a>(input: &Input<'a>, directory: &Directory) -> Result<&'a str, Refusal> {
    let arn = input.text("PermissionSetArn", PERMISSION_SET_ARN)?;
    if directory.permission_sets.contains_key(arn) {
        Ok(arn)
    } else {
        Err(not_found(input, arn))
    }
}

fn not_found(input: &Input<'_>, arn: &str) -> Refusal {
    input.refuse(
        "ResourceNotFoundException",
        format!("Could not find PermissionSet with arn {arn}"),
    )
}
