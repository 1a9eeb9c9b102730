//! IAM Identity Center's administration API: instances, permission sets, account assignments.
//!
//! <https://docs.aws.amazon.com/singlesignon/latest/APIReference/>. What creates or changes permission
//! sets is left out: Belay never does.

mod assignments;
mod operations;
mod permission_sets;

use serde_json::{Value, json};

use crate::aws::faults::Ending;
use crate::aws::input::{ANY, INSTANCE_ARN, Input};
use crate::aws::refusal::Refusal;
use crate::clock::Moment;
use crate::organisation::{FOUNDED, IDENTITY_STORE_ID, INSTANCE_ARN as OURS, MANAGEMENT_ACCOUNT};
use crate::sandbox::Sandbox;

/// What is answered here.
pub(crate) const OPERATIONS: &[&str] = &[
    "CreateAccountAssignment",
    "DeleteAccountAssignment",
    "DescribeAccountAssignmentCreationStatus",
    "DescribeAccountAssignmentDeletionStatus",
    "DescribeInstance",
    "DescribePermissionSet",
    "ListAccountAssignmentCreationStatus",
    "ListAccountAssignmentDeletionStatus",
    "ListAccountAssignments",
    "ListAccountAssignmentsForPrincipal",
    "ListAccountsForProvisionedPermissionSet",
    "ListInstances",
    "ListPermissionSets",
    "ListPermissionSetsProvisionedToAccount",
    "ListTagsForResource",
];

/// Rows in a page, for every list of this API.
const PAGE_ROWS_MAX: usize = 100;

/// Answers one call. `ending` is what a fault makes of an operation that starts here.
pub(crate) fn answer(
    sandbox: &Sandbox,
    input: &Input<'_>,
    ending: Ending,
    now: Moment,
) -> Result<Value, Refusal> {
    match input.operation {
        "ListInstances" => list_instances(input),
        "ListTagsForResource" => permission_sets::tags(sandbox, input, now),
        operation => {
            instance(input)?;
            match operation {
                "DescribeInstance" => Ok(described_instance()),
                "ListPermissionSets" => permission_sets::list(sandbox, input, now),
                "DescribePermissionSet" => permission_sets::describe(sandbox, input, now),
                "ListAccountsForProvisionedPermissionSet" => {
                    permission_sets::accounts(sandbox, input, now)
                }
                "ListPermissionSetsProvisionedToAccount" => {
                    permission_sets::in_account(sandbox, input, now)
                }
                "ListAccountAssignments" => assignments::list(sandbox, input, now),
                "ListAccountAssignmentsForPrincipal" => {
                    assignments::of_principal(sandbox, input, now)
                }
                "CreateAccountAssignment" => operations::create(sandbox, input, ending, now),
                "DeleteAccountAssignment" => operations::delete(sandbox, input, ending, now),
                "DescribeAccountAssignmentCreationStatus" => {
                    operations::creation_status(sandbox, input, now)
                }
                "DescribeAccountAssignmentDeletionStatus" => {
                    operations::deletion_status(sandbox, input, now)
                }
                "ListAccountAssignmentCreationStatus" => operations::creations(sandbox, input, now),
                "ListAccountAssignmentDeletionStatus" => operations::deletions(sandbox, input, now),
                _ => Err(input.refuse("UnknownOperationException", "")),
            }
        }
    }
}

/// Every call but two names the instance.
///
/// Of one that is not there (any more) `DescribeInstance` says that access is denied:
/// <https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_DescribeInstance.html>.
fn instance(input: &Input<'_>) -> Result<(), Refusal> {
    let arn = input.text("InstanceArn", INSTANCE_ARN)?;
    if arn == OURS {
        Ok(())
    } else if input.operation == "DescribeInstance" {
        Err(input.refuse(
            "AccessDeniedException",
            "You do not have sufficient access to perform this action",
        ))
    } else {
        Err(input.refuse(
            "ResourceNotFoundException",
            format!("Instance with arn {arn} not found"),
        ))
    }
}

fn list_instances(input: &Input<'_>) -> Result<Value, Refusal> {
    let (rows, token) = input
        .paging(PAGE_ROWS_MAX)?
        .take(std::iter::once((OURS, described_instance())));
    Ok(with_token(json!({"Instances": rows}), token))
}

fn described_instance() -> Value {
    json!({
        "InstanceArn": OURS,
        "IdentityStoreId": IDENTITY_STORE_ID,
        "OwnerAccountId": MANAGEMENT_ACCOUNT,
        "Name": "sandbox",
        "CreatedDate": FOUNDED.to_json(),
        "Status": "ACTIVE",
    })
}

/// Adds the token of the next page to an answer.
pub(crate) fn with_token(mut answer: Value, token: Option<String>) -> Value {
    if let (Some(token), Some(members)) = (token, answer.as_object_mut()) {
        members.insert("NextToken".to_owned(), token.into());
    }
    answer
}

/// `PrincipalType` and `PrincipalId`.
fn principal(input: &Input<'_>) -> Result<crate::organisation::Principal, Refusal> {
    use crate::aws::input::IDENTITY_ID;
    use crate::organisation::Principal;

    let kind = input.one_of("PrincipalType", &["USER", "GROUP"])?;
    let id = input.text("PrincipalId", IDENTITY_ID)?.to_owned();
    Ok(match kind {
        "USER" => Principal::User(id),
        _ => Principal::Group(id),
    })
}

/// `ProvisioningStatus` filters nothing away when it asks for the latest: here every set is.
fn asks_for_outdated(input: &Input<'_>) -> Result<bool, Refusal> {
    const OUTDATED: &str = "LATEST_PERMISSION_SET_NOT_PROVISIONED";
    let asked = input.text_if_any("ProvisioningStatus", ANY)?;
    if asked.is_none() {
        return Ok(false);
    }
    let among = ["LATEST_PERMISSION_SET_PROVISIONED", OUTDATED];
    Ok(input.one_of("ProvisioningStatus", &among)? == OUTDATED)
}
