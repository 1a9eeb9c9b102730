//! How late ends were, and what is late now, for auditors and admins. To everybody else there is no
//! such figure.

use jiff::Timestamp;

use super::{Caller, Service, ServiceError};
use crate::store::{EndsFound, LateNow, now};

/// The figure, as of an instant.
#[derive(Debug, Clone)]
pub struct Ends {
    /// When it was read.
    pub at: Timestamp,
    /// How late ends were.
    pub found: EndsFound,
    /// What is past its end and not proved gone.
    pub late: LateNow,
}

impl Service {
    /// How late ends were, and what is late now.
    pub async fn ends(&self, caller: &Caller) -> Result<Ends, ServiceError> {
        let world = self.world()?;
        self.must_oversee(&world, caller).await?;
        let at = now();
        let (found, late) = tokio::try_join!(self.store.ends(at), self.store.late_now(at))?;
        Ok(Ends { at, found, late })
    }
}
