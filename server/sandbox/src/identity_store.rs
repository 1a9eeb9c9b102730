//! The Identity Store: people, groups, who is in which.
//!
//! <https://docs.aws.amazon.com/singlesignon/latest/IdentityStoreAPIReference/>. What creates or changes
//! people and groups is left out: in production that is the identity provider's, here the control
//! door's.

mod groups;
mod memberships;
mod people;

use serde_json::{Map, Value, json};

use crate::aws::input::{ANY, IDENTITY_ID, IDENTITY_STORE, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::IDENTITY_STORE_ID;
use crate::sandbox::Sandbox;

/// What is answered here.
pub(crate) const OPERATIONS: &[&str] = &[
    "CreateGroupMembership",
    "DeleteGroupMembership",
    "DescribeGroup",
    "DescribeGroupMembership",
    "DescribeUser",
    "GetGroupId",
    "GetGroupMembershipId",
    "GetUserId",
    "IsMemberInGroups",
    "ListGroupMemberships",
    "ListGroupMembershipsForMember",
    "ListGroups",
    "ListUsers",
];

/// The revision of every person and group: the sandbox has no operation that edits one.
const REVISION: &str = "1";

/// Rows in a page, for every list of this API.
const PAGE_ROWS_MAX: usize = 100;

/// Answers one call.
pub(crate) fn answer(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let store = input.text("IdentityStoreId", IDENTITY_STORE)?;
    if store != IDENTITY_STORE_ID {
        let message = format!("IDENTITY_STORE not found: {store}");
        return Err(input
            .refuse("ResourceNotFoundException", message)
            .with("ResourceType", "IDENTITY_STORE"));
    }
    match input.operation {
        "GetUserId" => people::find(sandbox, input, now),
        "DescribeUser" => people::describe(sandbox, input, now),
        "ListUsers" => people::list(sandbox, input, now),
        "GetGroupId" => groups::find(sandbox, input, now),
        "DescribeGroup" => groups::describe(sandbox, input, now),
        "ListGroups" => groups::list(sandbox, input, now),
        "ListGroupMemberships" => memberships::of_group(sandbox, input, now),
        "ListGroupMembershipsForMember" => memberships::of_member(sandbox, input, now),
        "IsMemberInGroups" => memberships::is_member(sandbox, input, now),
        "GetGroupMembershipId" => memberships::find(sandbox, input, now),
        "DescribeGroupMembership" => memberships::describe(sandbox, input, now),
        "CreateGroupMembership" => memberships::create(sandbox, input, now),
        "DeleteGroupMembership" => memberships::delete(sandbox, input, now),
        _ => Err(input.refuse("UnknownOperationException", "")),
    }
}

/// `ResourceNotFoundException`, which says what kind of thing is missing.
fn not_found(input: &Input<'_>, kind: &str, id: Option<&str>) -> Refusal {
    let refusal = input
        .refuse("ResourceNotFoundException", format!("{kind} not found."))
        .with("ResourceType", kind);
    match id {
        Some(id) => refusal.with("ResourceId", id),
        None => refusal,
    }
}

/// The attribute and the value by which `GetUserId` and `GetGroupId` find one.
fn unique_attribute<'a>(input: &Input<'a>) -> Result<(&'a str, &'a str), Refusal> {
    let missing = || {
        input.invalid(
            "INPUT_REQUIRED",
            "Value at 'alternateIdentifier' must hold exactly one of uniqueAttribute and externalId",
        )
    };
    let identifier = input
        .structure("AlternateIdentifier")?
        .ok_or_else(missing)?;
    let unique = identifier.structure("UniqueAttribute")?;
    let external = identifier.structure("ExternalId")?;
    match (unique, external) {
        (Some(unique), None) => Ok((
            unique.text("AttributePath", ANY)?,
            unique.text("AttributeValue", ANY)?,
        )),
        (None, Some(external)) => {
            external.text("Issuer", ANY)?;
            Ok(("externalId", external.text("Id", ANY)?))
        }
        _ => Err(missing()),
    }
}

/// The one filter that a list may have, if it is on an attribute that can be filtered by.
fn filter<'a>(input: &Input<'a>, attribute: &str) -> Result<Option<&'a str>, Refusal> {
    let filters = input.list("Filters")?.unwrap_or_default();
    let [only] = filters else {
        return match filters.len() {
            0 => Ok(None),
            _ => Err(input.invalid(
                "MAX_VALUE_EXCEEDED",
                "Value at 'filters' failed to satisfy constraint: Member must have length less than or equal to 1",
            )),
        };
    };
    let filter = input.item("Filters", only)?;
    let path = filter.text("AttributePath", ANY)?;
    if path != attribute {
        return Err(input.invalid(
            "INVALID_ENUM",
            &format!("Filtering by {path} is not supported; {attribute} is"),
        ));
    }
    filter.text("AttributeValue", ANY).map(Some)
}

/// `MemberId`, which holds a user id and could hold something else one day.
fn member<'a>(input: &Input<'a>) -> Result<&'a str, Refusal> {
    match input.structure("MemberId")? {
        Some(member) => member.text("UserId", IDENTITY_ID),
        None => input.text("MemberId", ANY),
    }
}

/// An answer that names the store and the thing's ARN, as all of them do.
fn in_store(mut answer: Value) -> Value {
    if let Some(members) = answer.as_object_mut() {
        stamp(members);
    }
    answer
}

fn stamp(members: &mut Map<String, Value>) {
    members.insert("IdentityStoreId".to_owned(), json!(IDENTITY_STORE_ID));
    // A membership names its group and its member besides itself, so it is looked for first.
    let things = [
        ("MembershipId", "MembershipArn", "membership"),
        ("UserId", "UserArn", "user"),
        ("GroupId", "GroupArn", "group"),
    ];
    for (id, name, kind) in things {
        if let Some(id) = members.get(id).and_then(Value::as_str) {
            let arn = format!("arn:aws:identitystore:::{kind}/{id}");
            members.insert(name.to_owned(), json!(arn));
            return;
        }
    }
}
