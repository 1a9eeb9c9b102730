//! Everything the organisation is, at this moment: the truth, not what a lagging read shows.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::organisation::{
    Directory, IDENTITY_STORE_ID, INSTANCE_ARN, MANAGEMENT_ACCOUNT, ROOT_ID,
};
use crate::sandbox::Sandbox;

pub(super) async fn read(State(sandbox): State<Arc<Sandbox>>) -> Json<Value> {
    let now = Moment::now();
    let state = sandbox.organisation.at(now);
    let directory = &state.directory;
    let accounts: Vec<Value> = directory
        .accounts
        .values()
        .map(|account| {
            json!({
                "account_id": account.account_id,
                "name": account.name,
                "email": account.email,
                "parent_id": account.parent_id,
                "path": named_path(directory, &account.parent_id),
                "tags": account.tags,
            })
        })
        .collect();
    Json(json!({
        "now": now,
        "instance_arn": INSTANCE_ARN,
        "identity_store_id": IDENTITY_STORE_ID,
        "management_account_id": MANAGEMENT_ACCOUNT,
        "people": directory.people.values().collect::<Vec<_>>(),
        "groups": directory.groups.values().collect::<Vec<_>>(),
        "accounts": accounts,
        "organizational_units": directory.units.values().collect::<Vec<_>>(),
        "permission_sets": directory.permission_sets.values().collect::<Vec<_>>(),
        "assignments": state.ledger.all().collect::<Vec<_>>(),
        "memberships": state.memberships.all().collect::<Vec<_>>(),
        "operations": state.ledger.operations().collect::<Vec<_>>(),
    }))
}

/// `Root/Production/Payments`.
fn named_path(directory: &Directory, parent_id: &str) -> String {
    let mut names = Vec::new();
    let mut at = parent_id;
    while at != ROOT_ID {
        let Some(unit) = directory.units.get(at) else {
            break;
        };
        names.push(unit.name.as_str());
        at = &unit.parent_id;
    }
    names.push("Root");
    names.reverse();
    names.join("/")
}
