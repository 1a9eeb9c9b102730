//! AWS's own clients, and how long each may take.
//!
//! There is no trait here and no fake behind one: tests and the local run point these same clients
//! at the sandbox with `AWS_ENDPOINT_URL*`.

mod remote_clock;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};

use crate::config::{Config, Problems};

pub use remote_clock::RemoteClock;

/// A connection within a region takes milliseconds; two seconds mean that nobody answers there.
const CONNECT: Duration = Duration::from_secs(2);

/// The clients of every AWS service that Belay speaks to. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Clients {
    /// The table. Retries within the SDK: every write is conditional, so a repeated one is told
    /// apart by its condition.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Identity Center. One attempt a signature: the worker decides on each repetition, after it
    /// has looked again and checked its lease.
    pub ssoadmin: aws_sdk_ssoadmin::Client,
    /// The Identity Store, for membership writes and the worker's paced reads: one attempt, too.
    pub identitystore: aws_sdk_identitystore::Client,
    /// The Identity Store, for live look-ups while a person waits: reads only, retried.
    pub people: aws_sdk_identitystore::Client,
    /// Accounts, OUs and tags; reads only.
    pub organizations: aws_sdk_organizations::Client,
    /// Audit log and policy.
    pub s3: aws_sdk_s3::Client,
    /// How far our clock is from the table's.
    pub clock: RemoteClock,
    /// How far it is from S3's, for when the table does not reply.
    pub s3_clock: RemoteClock,
}

impl Clients {
    /// Reads region, credentials and endpoints where AWS's SDKs read them.
    pub async fn load(config: &Config) -> Result<Self, Problems> {
        let shared = aws_config::defaults(BehaviorVersion::latest()).load().await;
        config.permit_endpoint(shared.endpoint_url())?;
        Ok(Self::new(&shared))
    }

    /// The region of Identity Center.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.ssoadmin.config().region().map(AsRef::as_ref)
    }

    /// Clients with our time limits, from what was loaded.
    #[must_use]
    pub fn new(shared: &SdkConfig) -> Self {
        // A transaction under contention takes some tens of milliseconds. A person waits for it, so
        // it gives up while they still look at the page.
        let table = timeouts(Duration::from_secs(3), Duration::from_secs(10));
        // Identity Center answers slowly under load (seconds, not minutes); an unanswered write
        // has an unknown outcome, which costs a look at AWS, so it is given time.
        let patient = timeouts(Duration::from_secs(10), Duration::from_secs(10));
        // Two attempts and their pause fit.
        let live = timeouts(Duration::from_secs(3), Duration::from_secs(8));
        // A snapshot of the organisation runs in the background and is paged.
        let background = timeouts(Duration::from_secs(10), Duration::from_secs(30));
        // Objects are a few kilobytes.
        let objects = timeouts(Duration::from_secs(10), Duration::from_secs(25));
        let clock = RemoteClock::of("DynamoDB");
        let s3_clock = RemoteClock::of("S3");
        Self {
            dynamodb: aws_sdk_dynamodb::Client::from_conf(
                aws_sdk_dynamodb::config::Builder::from(shared)
                    // Four attempts outlast a partition's split; more would outlast the person.
                    .retry_config(RetryConfig::standard().with_max_attempts(4))
                    .timeout_config(table)
                    .interceptor(clock.clone())
                    .build(),
            ),
            ssoadmin: aws_sdk_ssoadmin::Client::from_conf(
                aws_sdk_ssoadmin::config::Builder::from(shared)
                    .retry_config(RetryConfig::disabled())
                    .timeout_config(patient.clone())
                    .build(),
            ),
            identitystore: aws_sdk_identitystore::Client::from_conf(
                aws_sdk_identitystore::config::Builder::from(shared)
                    .retry_config(RetryConfig::disabled())
                    .timeout_config(patient)
                    .build(),
            ),
            people: aws_sdk_identitystore::Client::from_conf(
                aws_sdk_identitystore::config::Builder::from(shared)
                    // The quota is everybody's: one more try rides out a throttle, two would add to it.
                    .retry_config(RetryConfig::standard().with_max_attempts(2))
                    .timeout_config(live)
                    .build(),
            ),
            organizations: aws_sdk_organizations::Client::from_conf(
                aws_sdk_organizations::config::Builder::from(shared)
                    .retry_config(RetryConfig::standard().with_max_attempts(4))
                    .timeout_config(background)
                    .build(),
            ),
            s3: aws_sdk_s3::Client::from_conf(
                aws_sdk_s3::config::Builder::from(shared)
                    .retry_config(RetryConfig::standard().with_max_attempts(3))
                    .timeout_config(objects)
                    .interceptor(s3_clock.clone())
                    // Another S3 has no DNS name for each bucket.
                    .force_path_style(has_endpoint_override(shared))
                    .build(),
            ),
            clock,
            s3_clock,
        }
    }
}

fn timeouts(attempt: Duration, operation: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .read_timeout(attempt)
        .operation_attempt_timeout(attempt)
        .operation_timeout(operation)
        .build()
}

/// Whether S3 was pointed elsewhere, by the general variable or by its own.
fn has_endpoint_override(shared: &SdkConfig) -> bool {
    shared.endpoint_url().is_some() || std::env::var_os("AWS_ENDPOINT_URL_S3").is_some()
}
