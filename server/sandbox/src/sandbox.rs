//! Everything one sandbox is, behind all its doors.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};

use crate::arguments::Switches;
use crate::aws::calls::Calls;
use crate::aws::faults::Faults;
use crate::aws::limiter::Limiter;
use crate::draws::Draws;
use crate::dynamodb::DynamoDb;
use crate::oidc::Oidc;
use crate::organisation::Organisation;
use crate::s3::S3;

/// Shared by the doors.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) organisation: Organisation,
    pub(crate) s3: S3,
    pub(crate) dynamodb: DynamoDb,
    pub(crate) oidc: Oidc,
    pub(crate) draws: Draws,
    pub(crate) faults: Faults,
    pub(crate) calls: Calls,
    pub(crate) limiter: Limiter,
    switches: RwLock<Arc<Switches>>,
    /// As the flags had them.
    first_switches: Arc<Switches>,
}

impl Sandbox {
    pub(crate) fn new(
        organisation: Organisation,
        s3: S3,
        dynamodb: DynamoDb,
        oidc: Oidc,
        draws: Draws,
        switches: Switches,
    ) -> Self {
        let switches = Arc::new(switches);
        Self {
            organisation,
            s3,
            dynamodb,
            oidc,
            draws,
            faults: Faults::default(),
            calls: Calls::default(),
            limiter: Limiter::default(),
            switches: RwLock::new(Arc::clone(&switches)),
            first_switches: switches,
        }
    }

    /// How it behaves now.
    pub(crate) fn switches(&self) -> Arc<Switches> {
        let switches = self.switches.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&switches)
    }

    /// Behaves like this from now on, until the next start.
    pub(crate) fn set_switches(&self, switches: Switches) {
        let mut current = self
            .switches
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(switches);
    }

    /// Back to how it was on the very first start with these flags. Who is signed in stays so.
    pub(crate) async fn reset(&self) -> io::Result<()> {
        self.set_switches(Switches::clone(&self.first_switches));
        self.faults.clear();
        self.limiter.reset();
        self.draws.reseed();
        self.organisation.reset()?;
        self.dynamodb.reset().await?;
        self.s3.reset().await?;
        self.calls.clear();
        Ok(())
    }
}
