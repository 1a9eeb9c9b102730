//! The last look before a write leaves this machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use jiff::Timestamp;
use thiserror::Error;

use crate::lease::Lease;
use crate::store::now;

/// Stands between signing and the network. A server that was frozen wakes up with an intent that
/// others have long dealt with: its signature would be fresh, and AWS would believe it.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    by: Timestamp,
    lease: Lease,
    shut: Arc<AtomicBool>,
}

/// What the gate tells the SDK.
#[derive(Debug, Error)]
#[error("the intent is too old, or the lease is lost")]
struct TooLate;

impl Gate {
    pub(super) fn new(by: Timestamp, lease: Lease) -> Self {
        Self {
            by,
            lease,
            shut: Arc::new(AtomicBool::new(false)),
        }
    }

    pub(super) fn was_shut(&self) -> bool {
        self.shut.load(Ordering::Acquire)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Gate {
    fn name(&self) -> &'static str {
        "Gate"
    }

    /// Runs after signing. The intent's clock is the wall's, the lease's counts from boot: both go
    /// on while a process is suspended.
    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if now() > self.by || !self.lease.held() {
            self.shut.store(true, Ordering::Release);
            return Err(TooLate.into());
        }
        Ok(())
    }
}
