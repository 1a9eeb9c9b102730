//! Finding, describing and listing people.

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, REVISION, filter, in_store, not_found, unique_attribute};
use crate::arguments::NameCase;
use crate::aws::input::{IDENTITY_ID, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{FOUNDED, Person, UserStatus};
use crate::sandbox::Sandbox;
use crate::sso_admin::with_token;

/// `GetUserId`. AWS does not say whether it minds the case of user names and e-mails.
pub(super) fn find(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let (path, value) = unique_attribute(input)?;
    let attribute: fn(&Person) -> &str = match path.to_lowercase().as_str() {
        "username" => |person| &person.user_name,
        "emails.value" => |person| &person.email,
        // Nobody here came from an identity provider through SCIM.
        "externalid" => |_| "",
        _ => {
            return Err(input.invalid(
                "INVALID_ENUM",
                &format!("{path} is not a unique attribute of a user"),
            ));
        }
    };
    let state = sandbox.organisation.at(now);
    let name_case = sandbox.switches().name_case;
    let found = state
        .directory
        .people
        .values()
        .find(|person| match name_case {
            NameCase::Ignored => attribute(person).eq_ignore_ascii_case(value),
            NameCase::Exact => attribute(person) == value,
        });
    match found {
        Some(person) => Ok(in_store(json!({"UserId": person.user_id}))),
        None => Err(not_found(input, "USER", None)),
    }
}

/// `DescribeUser`.
pub(super) fn describe(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let id = input.text("UserId", IDENTITY_ID)?;
    let state = sandbox.organisation.at(now);
    let person = state.directory.people.get(id);
    person
        .map(row)
        .ok_or_else(|| not_found(input, "USER", Some(id)))
}

/// `ListUsers`.
pub(super) fn list(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let wanted = filter(input, "UserName")?;
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let people = state.directory.people.iter();
    let people = people.filter(|(_, person)| {
        wanted.is_none_or(|name| person.user_name.eq_ignore_ascii_case(name))
    });
    let (rows, token) = paging.take(people.map(|(id, person)| (id, row(person))));
    Ok(with_token(json!({"Users": rows}), token))
}

fn row(person: &Person) -> Value {
    let status = match person.status {
        UserStatus::Enabled => "ENABLED",
        UserStatus::Disabled => "DISABLED",
    };
    in_store(json!({
        "UserId": person.user_id,
        "UserName": person.user_name,
        "Name": {
            "Formatted": person.display_name,
            "GivenName": person.given_name,
            "FamilyName": person.family_name,
        },
        "DisplayName": person.display_name,
        "Emails": [{"Value": person.email, "Type": "work", "Primary": true}],
        "UserStatus": status,
        "Revision": REVISION,
        "CreatedAt": FOUNDED.to_json(),
        "UpdatedAt": FOUNDED.to_json(),
    }))
}
