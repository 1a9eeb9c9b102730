//! Account assignments in Identity Center: the only place that changes or reads them.
//!
//! Each method is one attempt, and says what was learned rather than what was hoped: an answer
//! that did not come is [`Sent::Unheard`], and a read that failed on any page is no sighting.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_ssoadmin::types::{
    AccountAssignmentOperationStatus, PrincipalType, StatusValues, TargetType,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use domain::grant::ReadEvidence;
use domain::id::{AccountId, PermissionSetArn, UserId};
use domain::key::Action;
use domain::progress::{Presence, Sent, Sighting, Status};
use domain::target::{Key, Target};
use jiff::Timestamp;
use thiserror::Error;

use crate::aws::Clients;
use crate::limiter::Limiter;
use crate::store::now;

/// Pages of one pair's assignments: 100 rows each, so 10,000 people on one permission set in one
/// account. Beyond that nothing is concluded.
const PAGES_MAX: u32 = 100;

/// Why assignments could not be read. Nothing may be concluded from that (invariant 6).
#[derive(Debug, Error)]
pub enum ReadFailed {
    /// A page failed.
    #[error("ListAccountAssignments failed ({code})")]
    Call {
        /// AWS's error code, or what kept it from answering.
        code: String,
    },
    /// The list did not end.
    #[error("ListAccountAssignments gave more than {PAGES_MAX} pages")]
    TooMany,
}

/// One person's assignment of one permission set in one account.
#[derive(Debug, Clone, Copy)]
struct Triple<'a> {
    user: &'a UserId,
    account: &'a AccountId,
    permission_set: &'a PermissionSetArn,
}

/// Leave to make one call within the budget.
#[derive(Debug)]
#[must_use = "a turn that is not used is lost to everyone"]
pub struct Turn(());

/// Identity Center's account assignments.
#[derive(Debug, Clone)]
pub struct Assignments {
    clients: Clients,
    instance_arn: String,
    limiter: Arc<Limiter>,
}

/// A key whose kind of target this version does not know how to change: it is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this version cannot change this kind of target")]
pub struct UnknownKind;

impl Assignments {
    /// Of this instance, within this budget of calls.
    #[must_use]
    pub const fn new(clients: Clients, instance_arn: String, limiter: Arc<Limiter>) -> Self {
        Self {
            clients,
            instance_arn,
            limiter,
        }
    }

    /// Whether the person's own assignment is there: every page, or an error.
    pub async fn read(&self, key: &Key) -> Result<Result<Sighting, ReadFailed>, UnknownKind> {
        Ok(self.read_triple(triple(key)?).await)
    }

    async fn read_triple(&self, of: Triple<'_>) -> Result<Sighting, ReadFailed> {
        let began_at = now();
        let mut presence = Presence::Absent;
        let mut token: Option<String> = None;
        for pages in 1..=PAGES_MAX {
            self.limiter.acquire().await;
            let answer = self
                .clients
                .ssoadmin
                .list_account_assignments()
                .instance_arn(&self.instance_arn)
                .account_id(of.account.as_str())
                .permission_set_arn(of.permission_set.as_str())
                // The most that AWS gives.
                .max_results(100)
                .set_next_token(token.take())
                .send()
                .await;
            let page = match answer {
                Ok(page) => page,
                Err(error) => {
                    let code = self.classify("ListAccountAssignments", &error).await;
                    return Err(ReadFailed::Call { code });
                }
            };
            count("ListAccountAssignments", "ok");
            if page.account_assignments().iter().any(|assignment| {
                assignment.principal_type() == Some(&PrincipalType::User)
                    && assignment.principal_id() == Some(of.user.as_str())
            }) {
                presence = Presence::Present;
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(Sighting {
                    presence,
                    read: ReadEvidence {
                        began_at,
                        finished_at: now(),
                        pages,
                    },
                });
            }
        }
        Err(ReadFailed::TooMany)
    }

    /// Waits for a turn. Whoever means to send takes one before the intent is recorded, so that
    /// nothing stands between that and sending.
    pub async fn turn(&self) -> Turn {
        self.limiter.acquire().await;
        Turn(())
    }

    /// Sends an operation whose intent is on record: at once, or not at all. After `by` it is too
    /// late, and it is not sent.
    pub async fn send(
        &self,
        key: &Key,
        action: Action,
        by: Timestamp,
        turn: Turn,
    ) -> Result<Sent, UnknownKind> {
        let Turn(()) = turn;
        let of = triple(key)?;
        let gate = Gate::new(by);
        let sent = match action {
            Action::Create => self.create(of, &gate).await,
            Action::Delete => self.delete(of, &gate).await,
        };
        if gate.was_shut() {
            tracing::warn!("an intent was too old to be sent; it is planned again");
            return Ok(Sent::Refused {
                code: "not-sent-in-time".to_owned(),
            });
        }
        Ok(sent)
    }

    async fn create(&self, of: Triple<'_>, gate: &Gate) -> Sent {
        const OPERATION: &str = "CreateAccountAssignment";
        let answer = self
            .clients
            .ssoadmin
            .create_account_assignment()
            .instance_arn(&self.instance_arn)
            .target_type(TargetType::AwsAccount)
            .target_id(of.account.as_str())
            .permission_set_arn(of.permission_set.as_str())
            .principal_type(PrincipalType::User)
            .principal_id(of.user.as_str())
            .customize()
            .interceptor(gate.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => accepted(OPERATION, answer.account_assignment_creation_status()),
            Err(error) => {
                let code = self.classify(OPERATION, &error).await;
                refused(&error, code, Action::Create)
            }
        }
    }

    async fn delete(&self, of: Triple<'_>, gate: &Gate) -> Sent {
        const OPERATION: &str = "DeleteAccountAssignment";
        let answer = self
            .clients
            .ssoadmin
            .delete_account_assignment()
            .instance_arn(&self.instance_arn)
            .target_type(TargetType::AwsAccount)
            .target_id(of.account.as_str())
            .permission_set_arn(of.permission_set.as_str())
            .principal_type(PrincipalType::User)
            .principal_id(of.user.as_str())
            .customize()
            .interceptor(gate.clone())
            .send()
            .await;
        match answer {
            Ok(answer) => accepted(OPERATION, answer.account_assignment_deletion_status()),
            Err(error) => {
                let code = self.classify(OPERATION, &error).await;
                refused(&error, code, Action::Delete)
            }
        }
    }

    /// Asks how an operation is going.
    pub async fn status(&self, action: Action, aws_request_id: &str) -> Status {
        self.limiter.acquire().await;
        match action {
            Action::Create => {
                const OPERATION: &str = "DescribeAccountAssignmentCreationStatus";
                let answer = self
                    .clients
                    .ssoadmin
                    .describe_account_assignment_creation_status()
                    .instance_arn(&self.instance_arn)
                    .account_assignment_creation_request_id(aws_request_id)
                    .send()
                    .await;
                match answer {
                    Ok(answer) => progress(OPERATION, answer.account_assignment_creation_status()),
                    Err(error) => not_told(&self.classify(OPERATION, &error).await),
                }
            }
            Action::Delete => {
                const OPERATION: &str = "DescribeAccountAssignmentDeletionStatus";
                let answer = self
                    .clients
                    .ssoadmin
                    .describe_account_assignment_deletion_status()
                    .instance_arn(&self.instance_arn)
                    .account_assignment_deletion_request_id(aws_request_id)
                    .send()
                    .await;
                match answer {
                    Ok(answer) => progress(OPERATION, answer.account_assignment_deletion_status()),
                    Err(error) => not_told(&self.classify(OPERATION, &error).await),
                }
            }
        }
    }

    /// Logs and counts an error, slows down if AWS asks for that, and names it.
    async fn classify<E>(&self, operation: &'static str, error: &SdkError<E>) -> String
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let code = error.code().unwrap_or("no answer").to_owned();
        if is_throttle(&code) {
            self.limiter.throttled().await;
        }
        count(operation, "error");
        tracing::warn!(operation, code, error = %DisplayErrorContext(error), "Identity Center refused or did not answer");
        code
    }
}

/// Stands between signing and the network. A server that was frozen wakes up with an intent that
/// others have long dealt with: its signature would be fresh, and AWS would believe it.
#[derive(Debug, Clone)]
struct Gate {
    by: Timestamp,
    shut: Arc<AtomicBool>,
}

/// What the gate tells the SDK.
#[derive(Debug, Error)]
#[error("the intent is too old to be sent")]
struct TooLate;

impl Gate {
    fn new(by: Timestamp) -> Self {
        Self {
            by,
            shut: Arc::new(AtomicBool::new(false)),
        }
    }

    fn was_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    /// Runs after signing. The clock is the wall's, which goes on while a process is suspended.
    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if now() > self.by {
            self.shut.store(true, Ordering::Release);
            return Err(TooLate.into());
        }
        Ok(())
    }
}

fn triple(key: &Key) -> Result<Triple<'_>, UnknownKind> {
    match &key.target {
        Target::Account {
            account,
            permission_set,
        } => Ok(Triple {
            user: &key.user,
            account,
            permission_set,
        }),
        Target::Group { .. } => Err(UnknownKind),
    }
}

fn is_throttle(code: &str) -> bool {
    matches!(code, "ThrottlingException" | "TooManyRequestsException")
}

fn count(operation: &'static str, outcome: &'static str) {
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

fn refused<E>(error: &SdkError<E>, code: String, action: Action) -> Sent {
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
