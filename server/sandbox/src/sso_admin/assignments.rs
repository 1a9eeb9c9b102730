//! Who has what: the reads, which lag what was written.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, permission_sets, principal, with_token};
use crate::arguments::{Caller, GroupRows};
use crate::aws::input::{ACCOUNT_ID, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{Principal, Triple};
use crate::sandbox::Sandbox;

/// `ListAccountAssignments`: one permission set in one account.
pub(super) fn list(sandbox: &Sandbox, input: &Input<'_>, now: Moment) -> Result<Value, Refusal> {
    let account = input.text("AccountId", ACCOUNT_ID)?;
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let arn = permission_sets::known(input, &state.directory)?;
    let triples = state
        .ledger
        .visible_in_set(arn, now)
        .filter(|triple| triple.account_id == account);
    let (rows, token) = paging.take(triples.map(|triple| (order(triple), row(triple))));
    Ok(with_token(json!({"AccountAssignments": rows}), token))
}

/// `ListAccountAssignmentsForPrincipal`: "must be called from the management account".
pub(super) fn of_principal(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let switches = sandbox.switches();
    let wanted = principal(input)?;
    let account = match input.structure("Filter")? {
        Some(filter) => filter.text_if_any("AccountId", ACCOUNT_ID)?,
        None => None,
    };
    let paging = input.paging(PAGE_ROWS_MAX)?;
    if switches.caller == Caller::Delegated {
        return Err(input.refuse(
            "AccessDeniedException",
            "ListAccountAssignmentsForPrincipal must be called from the management account",
        ));
    }
    let state = sandbox.organisation.at(now);
    let mut groups = HashSet::new();
    if let (Principal::User(user_id), GroupRows::Shown) = (&wanted, switches.group_rows) {
        let mine = state.memberships.visible_of_person(user_id, now);
        groups.extend(mine.map(|it| it.group_id.as_str()));
    }
    let triples = state.ledger.visible(now).filter(|triple| {
        let whose = triple.principal == wanted
            || matches!(&triple.principal, Principal::Group(id) if groups.contains(id.as_str()));
        whose && account.is_none_or(|account| triple.account_id == account)
    });
    let (rows, token) = paging.take(triples.map(|triple| (order(triple), row(triple))));
    Ok(with_token(json!({"AccountAssignments": rows}), token))
}

/// Where a triple comes in a list. The ledger's own order: set, account, users before groups.
fn order(triple: &Triple) -> String {
    let kind = match triple.principal {
        Principal::User(_) => 0,
        Principal::Group(_) => 1,
    };
    format!(
        "{} {} {kind} {}",
        triple.permission_set_arn,
        triple.account_id,
        triple.principal.id()
    )
}

fn row(triple: &Triple) -> Value {
    json!({
        "AccountId": triple.account_id,
        "PermissionSetArn": triple.permission_set_arn,
        "PrincipalType": triple.principal.kind(),
        "PrincipalId": triple.principal.id(),
    })
}
