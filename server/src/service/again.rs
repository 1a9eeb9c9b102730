//! A decision that somebody else's change overtook is made again, on what is there now.

use super::{Service, ServiceError};

/// So often. People on one request are few; more than this means that something else is wrong.
const DECIDE_AGAIN: u32 = 5;

/// Decides, and again if something changed meanwhile.
pub(super) async fn again<F, T>(mut act: impl FnMut() -> F) -> Result<T, ServiceError>
where
    F: Future<Output = Result<T, ServiceError>>,
{
    for _ in 0..DECIDE_AGAIN {
        match act().await {
            Err(ServiceError::Changed) => {}
            other => return other,
        }
    }
    Err(ServiceError::Changed)
}

impl Service {
    /// The same for what the policy decides: if it was the policy that changed, the next try would be
    /// refused as well, and that is said.
    pub(super) async fn again_under_policy<F, T>(
        &self,
        mut act: impl FnMut() -> F,
    ) -> Result<T, ServiceError>
    where
        F: Future<Output = Result<T, ServiceError>>,
    {
        for _ in 0..DECIDE_AGAIN {
            match act().await {
                Err(ServiceError::Changed) => self.check_policy(&*self.world()?).await?,
                other => return other,
            }
        }
        Err(ServiceError::Changed)
    }
}
