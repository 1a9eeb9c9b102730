//! The Identity Center instance and its Identity Store.

use aws_sdk_identitystore::error::ProvideErrorMetadata as _;
use aws_sdk_ssoadmin::error::DisplayErrorContext;
use aws_sdk_ssoadmin::types::InstanceStatus;

use crate::aws::Clients;
use crate::config::Config;

use super::Finding;

/// The instance is there, active, and in front of the Identity Store that was configured.
pub(super) async fn instance(clients: &Clients, config: &Config) -> Finding {
    const CHECK: &str = "identity-center";
    let center = &config.identity_center;
    let arn = &center.instance_arn;
    let answer = clients
        .ssoadmin
        .describe_instance()
        .instance_arn(arn)
        .send()
        .await;
    let instance = match answer {
        Ok(instance) => instance,
        Err(error)
            if matches!(
                error.code(),
                Some("AccessDeniedException" | "ValidationException")
            ) =>
        {
            // AWS does not tell an instance that is not there from one that may not be seen.
            return Finding::problem(
                CHECK,
                format!("{arn} is not known to these credentials in this region"),
                "copy the instance's ARN from the Identity Center settings to BELAY_INSTANCE_ARN, \
                 set AWS_REGION to its region, and allow sso:DescribeInstance",
            );
        }
        Err(error) => {
            return Finding::unknown(
                CHECK,
                format!(
                    "{arn} could not be described: {}",
                    DisplayErrorContext(&error)
                ),
                "allow sso:DescribeInstance, and check region, credentials and network",
            );
        }
    };
    if let Some(store) = instance.identity_store_id()
        && store != center.identity_store_id
    {
        return Finding::problem(
            CHECK,
            format!("{arn} has the Identity Store {store}"),
            format!("set BELAY_IDENTITY_STORE_ID to {store}"),
        );
    }
    match instance.status() {
        None | Some(InstanceStatus::Active) => Finding::ok(CHECK, format!("{arn} is active")),
        Some(status) => Finding::problem(
            CHECK,
            format!("{arn} is {status}"),
            "look at the Identity Center settings in the console",
        ),
    }
}

/// The Identity Store answers, and has people.
pub(super) async fn identity_store(clients: &Clients, config: &Config) -> Finding {
    const CHECK: &str = "identity-store";
    let id = &config.identity_center.identity_store_id;
    let answer = clients
        .people
        .list_users()
        .identity_store_id(id)
        .max_results(1)
        .send()
        .await;
    match answer {
        Ok(answer) if answer.users().is_empty() => Finding::problem(
            CHECK,
            format!("{id} has no users"),
            "connect the provider that feeds it, or check BELAY_IDENTITY_STORE_ID",
        ),
        Ok(_) => Finding::ok(CHECK, format!("{id} answers")),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Finding::problem(
            CHECK,
            format!("{id} does not exist in this account and region"),
            "copy the Identity Store's id from the Identity Center settings to \
             BELAY_IDENTITY_STORE_ID",
        ),
        Err(error) => Finding::unknown(
            CHECK,
            format!("{id} does not answer: {}", DisplayErrorContext(&error)),
            "allow identitystore:ListUsers, and check region, credentials and network",
        ),
    }
}
