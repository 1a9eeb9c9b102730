//! Creating and deleting assignments, which takes time, and asking how it went.

use serde_json::{Value, json};

use super::{PAGE_ROWS_MAX, permission_sets, principal, with_token};
use crate::arguments::{
    Caller, CreateExisting, DeleteMissing, OutstandingError, SameRole, StatusOrder, Switches,
};
use crate::aws::faults::Ending;
use crate::aws::input::{ACCOUNT_ID, Input, REQUEST_ID};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{
    Action, MANAGEMENT_ACCOUNT, Operation, Plan, Principal, State, Status, Triple,
};
use crate::sandbox::Sandbox;

/// `CreateAccountAssignment`.
pub(super) fn create(
    sandbox: &Sandbox,
    input: &Input<'_>,
    ending: Ending,
    now: Moment,
) -> Result<Value, Refusal> {
    let status = start(sandbox, input, Action::Create, ending, now)?;
    Ok(json!({"AccountAssignmentCreationStatus": status}))
}

/// `DeleteAccountAssignment`.
pub(super) fn delete(
    sandbox: &Sandbox,
    input: &Input<'_>,
    ending: Ending,
    now: Moment,
) -> Result<Value, Refusal> {
    let status = start(sandbox, input, Action::Delete, ending, now)?;
    Ok(json!({"AccountAssignmentDeletionStatus": status}))
}

/// `DescribeAccountAssignmentCreationStatus`.
pub(super) fn creation_status(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let id = input.text("AccountAssignmentCreationRequestId", REQUEST_ID)?;
    let status = status_of(sandbox, input, Action::Create, id, now)?;
    Ok(json!({"AccountAssignmentCreationStatus": status}))
}

/// `DescribeAccountAssignmentDeletionStatus`.
pub(super) fn deletion_status(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let id = input.text("AccountAssignmentDeletionRequestId", REQUEST_ID)?;
    let status = status_of(sandbox, input, Action::Delete, id, now)?;
    Ok(json!({"AccountAssignmentDeletionStatus": status}))
}

/// `ListAccountAssignmentCreationStatus`.
pub(super) fn creations(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let (rows, token) = statuses(sandbox, input, Action::Create, now)?;
    Ok(with_token(
        json!({"AccountAssignmentsCreationStatus": rows}),
        token,
    ))
}

/// `ListAccountAssignmentDeletionStatus`.
pub(super) fn deletions(
    sandbox: &Sandbox,
    input: &Input<'_>,
    now: Moment,
) -> Result<Value, Refusal> {
    let (rows, token) = statuses(sandbox, input, Action::Delete, now)?;
    Ok(with_token(
        json!({"AccountAssignmentsDeletionStatus": rows}),
        token,
    ))
}

fn start(
    sandbox: &Sandbox,
    input: &Input<'_>,
    action: Action,
    ending: Ending,
    now: Moment,
) -> Result<Value, Refusal> {
    let switches = sandbox.switches();
    let account_id = input.text("TargetId", ACCOUNT_ID)?.to_owned();
    input.one_of("TargetType", &["AWS_ACCOUNT"])?;
    let principal = principal(input)?;
    let mut state = sandbox.organisation.at(now);
    let permission_set_arn = permission_sets::known(input, &state.directory)?.to_owned();
    let triple = Triple {
        permission_set_arn,
        account_id,
        principal,
    };
    let begins = admit(input, &switches, &state, action, &triple, now)?;

    let duration = sandbox
        .draws
        .duration_ms(switches.operation_ms, switches.operation_jitter_ms);
    let ends = match ending {
        Ending::Stalls { ms: 0 } => None,
        Ending::Stalls { ms } => Some(begins.plus(duration).plus(ms)),
        _ => Some(begins.plus(duration)),
    };
    let plan = match ending {
        Ending::Fails { reason, done: true } => Plan::DoAndFail(reason),
        Ending::Fails { reason, .. } => Plan::Fail(reason),
        Ending::AsUsual | Ending::Stalls { .. } => natural(&state, &triple),
    };
    let operation = Operation {
        request_id: sandbox.draws.uuid(),
        action,
        triple,
        created: now,
        ends,
        plan,
        lag_ms: sandbox.draws.lag_ms(switches.lag_ms_max),
        status: Status::InProgress,
    };
    let answer = full_status(&operation);
    state
        .start(operation)
        .map_err(|problem| Refusal::broken(input.service, &problem))?;
    Ok(answer)
}

/// Everything for which a call is refused rather than accepted and failed; otherwise when it begins.
fn admit(
    input: &Input<'_>,
    switches: &Switches,
    state: &State,
    action: Action,
    triple: &Triple,
    now: Moment,
) -> Result<Moment, Refusal> {
    if switches.caller == Caller::Delegated {
        delegated(input, state, triple)?;
    }
    let conflict = |message: &str| Err(input.refuse("ConflictException", message));
    let ledger = &state.ledger;
    if ledger.outstanding().any(|other| other.triple == *triple) {
        return conflict("There is a conflicting operation in process.");
    }
    let same_role: Vec<&Operation> = ledger
        .outstanding()
        .filter(|other| {
            other.triple.account_id == triple.account_id
                && other.triple.permission_set_arn == triple.permission_set_arn
        })
        .collect();
    if switches.same_role == SameRole::Conflict && !same_role.is_empty() {
        return conflict("Another operation on this permission set is in process in the account.");
    }
    if ledger.outstanding().count() >= switches.outstanding_max {
        let message = format!(
            "There are {} account assignment operations outstanding, which is the limit.",
            switches.outstanding_max
        );
        return Err(input.refuse(
            match switches.outstanding_error {
                OutstandingError::Conflict => "ConflictException",
                OutstandingError::Quota => "ServiceQuotaExceededException",
                OutstandingError::Throttling => "ThrottlingException",
            },
            message,
        ));
    }
    let exists = ledger.exists(triple);
    if action == Action::Create && exists && switches.create_existing == CreateExisting::Conflict {
        return conflict("The account assignment already exists.");
    }
    if action == Action::Delete && !exists && switches.delete_missing == DeleteMissing::NotFound {
        return Err(input.refuse(
            "ResourceNotFoundException",
            "The account assignment does not exist.",
        ));
    }
    // A stalled one is skipped: nothing would ever begin after it.
    let begins = same_role.iter().filter_map(|other| other.ends).max();
    Ok(begins.unwrap_or(now).max(now))
}

/// "A delegated administrator cannot assign in the management account, nor use any permission set
/// provisioned there, in any account."
fn delegated(input: &Input<'_>, state: &State, triple: &Triple) -> Result<(), Refusal> {
    let denied = |message: &str| Err(input.refuse("AccessDeniedException", message));
    if triple.account_id == MANAGEMENT_ACCOUNT {
        return denied("A delegated administrator cannot manage access to the management account.");
    }
    let provisioned_there = state.ledger.all().any(|other| {
        other.permission_set_arn == triple.permission_set_arn
            && other.account_id == MANAGEMENT_ACCOUNT
    });
    if provisioned_there {
        return denied(
            "A delegated administrator cannot use a permission set that is provisioned in the management account.",
        );
    }
    Ok(())
}

/// How it ends without a fault: accepted whoever and whatever is named, and found out afterwards.
fn natural(state: &State, triple: &Triple) -> Plan {
    let directory = &state.directory;
    // Assignments outlive people: deleting what a deleted person had must work.
    let known = match &triple.principal {
        Principal::User(id) => directory.people.contains_key(id),
        Principal::Group(id) => directory.groups.contains_key(id),
    };
    if !directory.accounts.contains_key(&triple.account_id) {
        let account = &triple.account_id;
        return Plan::Fail(format!(
            "Received a 404 status error: account {account} not found."
        ));
    }
    if !known && !state.ledger.exists(triple) {
        return Plan::Fail(format!(
            "Received a 404 status error: {} {} not found.",
            triple.principal.kind(),
            triple.principal.id()
        ));
    }
    Plan::Do
}

fn status_of(
    sandbox: &Sandbox,
    input: &Input<'_>,
    action: Action,
    request_id: &str,
    now: Moment,
) -> Result<Value, Refusal> {
    let state = sandbox.organisation.at(now);
    state
        .ledger
        .operation(request_id)
        .filter(|operation| operation.action == action)
        .map(full_status)
        .ok_or_else(|| {
            input.refuse(
                "ResourceNotFoundException",
                format!("Request {request_id} not found"),
            )
        })
}

/// One page, newest first, without targets: AWS's lists of statuses have three members a row.
fn statuses(
    sandbox: &Sandbox,
    input: &Input<'_>,
    action: Action,
    now: Moment,
) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let wanted = match input.structure("Filter")? {
        Some(filter) => {
            let among = ["IN_PROGRESS", "FAILED", "SUCCEEDED"];
            Some(filter.one_of("Status", &among)?)
        }
        None => None,
    };
    let paging = input.paging(PAGE_ROWS_MAX)?;
    let state = sandbox.organisation.at(now);
    let newest_first = sandbox.switches().status_order == StatusOrder::Newest;
    let mut operations: Vec<&Operation> = state
        .ledger
        .operations()
        .filter(|it| it.action == action)
        .filter(|it| wanted.is_none_or(|wanted| it.status.name() == wanted))
        .collect();
    if newest_first {
        operations.reverse();
    }
    let rows = operations.into_iter().map(|it| {
        let order = if newest_first {
            // Pages go up through the keys, these go down through time.
            let time = u64::MAX - it.created.0;
            format!("{time:020} {}", inverted(&it.request_id))
        } else {
            format!("{:020} {}", it.created.0, it.request_id)
        };
        let row = json!({
            "Status": it.status.name(),
            "RequestId": it.request_id,
            "CreatedDate": it.created.to_json(),
        });
        (order, row)
    });
    Ok(paging.take(rows))
}

/// A text of hex digits and dashes that sorts the other way round.
fn inverted(request_id: &str) -> String {
    request_id
        .bytes()
        .map(|byte| char::from(b'~' - (byte - b'-')))
        .collect()
}

fn full_status(operation: &Operation) -> Value {
    let triple = &operation.triple;
    let mut status = json!({
        "Status": operation.status.name(),
        "RequestId": operation.request_id,
        "TargetId": triple.account_id,
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": triple.permission_set_arn,
        "PrincipalType": triple.principal.kind(),
        "PrincipalId": triple.principal.id(),
        "CreatedDate": operation.created.to_json(),
    });
    if let Status::Failed(reason) = &operation.status {
        status["FailureReason"] = reason.clone().into();
    }
    status
}
