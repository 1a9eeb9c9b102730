//! Identity Center's calls, one attempt each, and what their answers mean.

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_ssoadmin::operation::list_account_assignments::ListAccountAssignmentsOutput;
use aws_sdk_ssoadmin::operation::list_accounts_for_provisioned_permission_set::ListAccountsForProvisionedPermissionSetOutput;
use aws_sdk_ssoadmin::operation::list_permission_sets::ListPermissionSetsOutput;
use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, AccountAssignmentOperationStatusMetadata, PrincipalType,
    StatusValues, TargetType,
};
use domain::id::{PermissionSetArn, UserId};
use domain::key::Action;
use domain::progress::{Sent, Status};

use super::gate::Gate;
use super::{Pair, is_throttle};
use crate::aws::Clients;
use crate::limiter::Limiter;

/// The most rows that AWS gives in a page.
const ROWS_MAX: i32 = 100;

/// The calls of one instance, within one budget. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) clients: Clients,
    pub(super) instance_arn: String,
    pub(super) limiter: Limiter,
}

impl Api {
    pub(super) const fn new(clients: Clients, instance_arn: String, limiter: Limiter) -> Self {
        Self {
            clients,
            instance_arn,
            limiter,
        }
    }

    /// One page of a pair's assignments, or AWS's error code.
    pub(super) async fn assignments(
        &self,
        of: &Pair,
        token: Option<String>,
    ) -> Result<ListAccountAssignmentsOutput, String> {
        const OPERATION: &str = "ListAccountAssignments";
        let answer = self
            .clients
            .ssoadmin
            .list_account_assignments()
            .instance_arn(&self.instance_arn)
            .account_id(of.account.as_str())
            .permission_set_arn(of.permission_set.as_str())
            .max_results(ROWS_MAX)
            .set_next_token(token)
            .send()
            .await;
        self.counted(OPERATION, answer)
    }

    pub(super) async fn send(&self, of: &Pair, user: &UserId, action: Action, gate: &Gate) -> Sent {
        // The SDK has a type of its own for each call; what is said is the same.
        macro_rules! change {
            ($call:ident, $status:ident, $operation:literal) => {{
                let answer = self
                    .clients
                    .ssoadmin
                    .$call()
                    .instance_arn(&self.instance_arn)
                    .target_type(TargetType::AwsAccount)
                    .target_id(of.account.as_str())
                    .permission_set_arn(of.permission_set.as_str())
                    .principal_type(PrincipalType::User)
                    .principal_id(user.as_str())
                    .customize()
                    .interceptor(gate.clone())
                    .send()
                    .await;
                match answer {
                    Ok(answer) => accepted($operation, answer.$status()),
                    Err(error) => {
                        let code = self.classify($operation, &error);
                        refused(&error, code, action)
                    }
                }
            }};
        }
        match action {
            Action::Create => change!(
                create_account_assignment,
                account_assignment_creation_status,
                "CreateAccountAssignment"
            ),
            Action::Delete => change!(
                delete_account_assignment,
                account_assignment_deletion_status,
                "DeleteAccountAssignment"
            ),
        }
    }

    /// How one operation is going.
    pub(super) async fn status(&self, action: Action, aws_request_id: &str) -> Status {
        macro_rules! describe {
            ($call:ident, $id:ident, $status:ident, $operation:literal) => {{
                let answer = self
                    .clients
                    .ssoadmin
                    .$call()
                    .instance_arn(&self.instance_arn)
                    .$id(aws_request_id)
                    .send()
                    .await;
                match answer {
                    Ok(answer) => progress($operation, answer.$status()),
                    Err(error) => not_told(&self.classify($operation, &error)),
                }
            }};
        }
        match action {
            Action::Create => describe!(
                describe_account_assignment_creation_status,
                account_assignment_creation_request_id,
                account_assignment_creation_status,
                "DescribeAccountAssignmentCreationStatus"
            ),
            Action::Delete => describe!(
                describe_account_assignment_deletion_status,
                account_assignment_deletion_request_id,
                account_assignment_deletion_status,
                "DescribeAccountAssignmentDeletionStatus"
            ),
        }
    }

    /// How the latest operations of a kind are going: one page, or `None` if AWS did not say.
    pub(super) async fn statuses(
        &self,
        action: Action,
    ) -> Option<Vec<AccountAssignmentOperationStatusMetadata>> {
        macro_rules! list {
            ($call:ident, $rows:ident, $operation:literal) => {{
                let answer = self
                    .clients
                    .ssoadmin
                    .$call()
                    .instance_arn(&self.instance_arn)
                    .max_results(ROWS_MAX)
                    .send()
                    .await
                    .inspect(|_| count($operation, "ok"));
                match answer {
                    Ok(answer) => answer.$rows,
                    Err(error) => {
                        self.classify($operation, &error);
                        None
                    }
                }
            }};
        }
        match action {
            Action::Create => list!(
                list_account_assignment_creation_status,
                account_assignments_creation_status,
                "ListAccountAssignmentCreationStatus"
            ),
            Action::Delete => list!(
                list_account_assignment_deletion_status,
                account_assignments_deletion_status,
                "ListAccountAssignmentDeletionStatus"
            ),
        }
    }

    /// An answer, counted; or AWS's error code.
    fn counted<T, E>(
        &self,
        operation: &'static str,
        answer: Result<T, SdkError<E>>,
    ) -> Result<T, String>
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        answer
            .inspect(|_| count(operation, "ok"))
            .map_err(|error| self.classify(operation, &error))
    }

    fn classify<E>(&self, operation: &'static str, error: &SdkError<E>) -> String
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        classify(&self.limiter, "Identity Center", operation, error)
    }
}

/// Logs and counts an error, slows down if AWS asks for that, and names it.
pub(super) fn classify<E>(
    limiter: &Limiter,
    service: &'static str,
    operation: &'static str,
    error: &SdkError<E>,
) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let code = error.code().unwrap_or("no answer").to_owned();
    if is_throttle(&code) {
        limiter.throttled();
    }
    count(operation, "error");
    tracing::warn!(operation, code, error = %DisplayErrorContext(error), "{service} refused or did not answer");
    code
}

pub(super) fn count(operation: &'static str, outcome: &'static str) {
    metrics::counter!("belay_aws_calls_total", "operation" => operation, "outcome" => outcome)
        .increment(1);
}

/// An acceptance without a request id cannot be followed, so its outcome is unknown.
fn accepted(operation: &'static str, status: Option<&AccountAssignmentOperationStatus>) -> Sent {
    count(operation, "ok");
    match status.and_then(AccountAssignmentOperationStatus::request_id) {
        Some(id) => Sent::Accepted {
            aws_request_id: id.to_owned(),
        },
        None => Sent::Unheard,
    }
}

/// What an error says of an operation that was sent.
pub(super) fn refused<E>(error: &SdkError<E>, code: String, action: Action) -> Sent {
    match error {
        // Never left this machine.
        SdkError::ConstructionFailure(_) => Sent::Refused { code },
        SdkError::ServiceError(service) => match code.as_str() {
            "ConflictException" => Sent::Contradicted { code },
            "ResourceNotFoundException" if action == Action::Delete => Sent::Contradicted { code },
            // A 5xx says that something broke there, not that nothing happened.
            _ if service.raw().status().is_server_error() => Sent::Unheard,
            _ => Sent::Refused { code },
        },
        _ => Sent::Unheard,
    }
}

fn progress(operation: &'static str, status: Option<&AccountAssignmentOperationStatus>) -> Status {
    count(operation, "ok");
    match status.and_then(AccountAssignmentOperationStatus::status) {
        Some(StatusValues::InProgress) => Status::InProgress,
        Some(StatusValues::Succeeded) => Status::Succeeded,
        Some(StatusValues::Failed) => {
            let reason = status
                .and_then(AccountAssignmentOperationStatus::failure_reason)
                .unwrap_or("FAILED without a reason");
            tracing::warn!(operation, reason, "Identity Center failed an operation");
            Status::Failed {
                reason: reason.to_owned(),
            }
        }
        // A status of a later API is not success.
        _ => Status::Unavailable,
    }
}

fn not_told(code: &str) -> Status {
    if code == "ResourceNotFoundException" {
        Status::Forgotten
    } else {
        Status::Unavailable
    }
}

impl Api {
    /// One page of the permission sets, or AWS's error code.
    pub(super) async fn permission_sets(
        &self,
        token: Option<String>,
    ) -> Result<ListPermissionSetsOutput, String> {
        const OPERATION: &str = "ListPermissionSets";
        let answer = self
            .clients
            .ssoadmin
            .list_permission_sets()
            .instance_arn(&self.instance_arn)
            .max_results(ROWS_MAX)
            .set_next_token(token)
            .send()
            .await;
        self.counted(OPERATION, answer)
    }

    /// One page of the accounts that a permission set is provisioned in, or AWS's error code.
    pub(super) async fn provisioned(
        &self,
        set: &PermissionSetArn,
        token: Option<String>,
    ) -> Result<ListAccountsForProvisionedPermissionSetOutput, String> {
        const OPERATION: &str = "ListAccountsForProvisionedPermissionSet";
        let answer = self
            .clients
            .ssoadmin
            .list_accounts_for_provisioned_permission_set()
            .instance_arn(&self.instance_arn)
            .permission_set_arn(set.as_str())
            .max_results(ROWS_MAX)
            .set_next_token(token)
            .send()
            .await;
        self.counted(OPERATION, answer)
    }
}
