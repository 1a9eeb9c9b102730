//! Who is in which group. Writes are done when they are answered; reads lag them.

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, in_store, member, not_found};
use crate::aws::input::{IDENTITY_ID, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{Membership, State};
use crate::sandbox::Sandbox;
use crate::sso_admin::with_token;

/// Groups in one question; AWS's limit.
const GROUPS_MAX: usize = 100;
/// Groups that one person may be in; AWS's limit.
const GROUPS_OF_A_PERSON_MAX: usize = 1_000;

/// `ListGroupMemberships`.
pub(super) fn of_group(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let group_id = known_group(input, &state)?;
    let visible = state.memberships.visible_of_group(group_id, now);
    let rows = visible.map(|it| (&it.membership_id, row(it)));
    let (rows, token) = paging.take(rows);
    Ok(with_token(json!({"GroupMemberships": rows}), token))
}

/// `ListGroupMembershipsForMember`.
pub(super) fn of_member(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let user_id = known_member(input, &state)?;
    let visible = state.memberships.visible_of_person(user_id, now);
    let rows = visible.map(|it| (&it.membership_id, row(it)));
    let (rows, token) = paging.take(rows);
    Ok(with_token(json!({"GroupMemberships": rows}), token))
}

/// `IsMemberInGroups`.
pub(super) fn is_member(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let asked = input.list("GroupIds")?.unwrap_or_default();
    if asked.is_empty() || asked.len() > GROUPS_MAX {
        return Err(input.invalid(
            "MAX_VALUE_EXCEEDED",
            &format!("Value at 'groupIds' failed to satisfy constraint: Member must have length between 1 and {GROUPS_MAX}"),
        ));
    }
    let state = sandbox.organisation.at(now);
    let user_id = known_member(input, &state)?;
    let mut results = Vec::new();
    for group_id in asked {
        let group_id = group_id.as_str().unwrap_or_default();
        if !state.directory.groups.contains_key(group_id) {
            return Err(not_found(input, "GROUP", Some(group_id)));
        }
        let exists = state
            .memberships
            .visible_of_person(user_id, now)
            .any(|it| it.group_id == group_id);
        results.push(json!({
            "GroupId": group_id,
            "MemberId": {"UserId": user_id},
            "MembershipExists": exists,
        }));
    }
    Ok(json!({"Results": results}))
}

/// `GetGroupMembershipId`.
pub(super) fn find(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let state = sandbox.organisation.at(now);
    let group_id = known_group(input, &state)?;
    let user_id = known_member(input, &state)?;
    state
        .memberships
        .visible_of_person(user_id, now)
        .find(|it| it.group_id == group_id)
        .map(|it| in_store(json!({"MembershipId": it.membership_id})))
        .ok_or_else(|| not_found(input, "GROUP_MEMBERSHIP", None))
}

/// `DescribeGroupMembership`.
pub(super) fn describe(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let id = input.text("MembershipId", IDENTITY_ID)?;
    let state = sandbox.organisation.at(now);
    state
        .memberships
        .read(id, now)
        .map(row)
        .ok_or_else(|| not_found(input, "GROUP_MEMBERSHIP", Some(id)))
}

/// `CreateGroupMembership`.
pub(super) fn create(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let mut state = sandbox.organisation.at(now);
    let group_id = known_group(input, &state)?.to_owned();
    let user_id = known_member(input, &state)?.to_owned();
    if state.memberships.find(&group_id, &user_id).is_some() {
        return Err(input
            .refuse(
                "ConflictException",
                "Member and Group relationship already exists.",
            )
            .with("Reason", "UNIQUENESS_CONSTRAINT_VIOLATION"));
    }
    let held = state.memberships.of_person(&user_id).count();
    if held >= GROUPS_OF_A_PERSON_MAX {
        let message = format!("A user may be in {GROUPS_OF_A_PERSON_MAX} groups");
        return Err(input.refuse("ServiceQuotaExceededException", message));
    }
    let membership_id = sandbox.draws.uuid();
    let lag_ms = sandbox.draws.lag_ms(sandbox.switches().lag_ms_max);
    let membership = Membership {
        membership_id: membership_id.clone(),
        group_id,
        user_id,
        visible_from: now.plus(lag_ms),
        visible_until: None,
    };
    state
        .join(membership)
        .map_err(|problem| Refusal::broken(input.service, &problem))?;
    Ok(in_store(json!({"MembershipId": membership_id})))
}

/// `DeleteGroupMembership`.
pub(super) fn delete(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let id = input.text("MembershipId", IDENTITY_ID)?;
    let mut state = sandbox.organisation.at(now);
    if state.memberships.get(id).is_none() {
        return Err(not_found(input, "GROUP_MEMBERSHIP", Some(id)));
    }
    let lag_ms = sandbox.draws.lag_ms(sandbox.switches().lag_ms_max);
    state
        .leave(id.to_owned(), lag_ms, now)
        .map_err(|problem| Refusal::broken(input.service, &problem))?;
    Ok(json!({}))
}

fn known_group<'a>(input: &Input<'a>, state: &State) -> Result<&'a str, Refusal> {
    let id = input.text("GroupId", IDENTITY_ID)?;
    if state.directory.groups.contains_key(id) {
        Ok(id)
    } else {
        Err(not_found(input, "GROUP", Some(id)))
    }
}

fn known_member<'a>(input: &Input<'a>, state: &State) -> Result<&'a str, Refusal> {
    let id = member(input)?;
    if state.directory.people.contains_key(id) {
        Ok(id)
    } else {
        Err(not_found(input, "USER", Some(id)))
    }
}

fn row(membership: &Membership) -> Value {
    in_store(json!({
        "MembershipId": membership.membership_id,
        "GroupId": membership.group_id,
        "MemberId": {"UserId": membership.user_id},
    }))
}
