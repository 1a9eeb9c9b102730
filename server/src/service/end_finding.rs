//! End a finding: an admin ends every grant that a finding is about. As any end before its time it needs a
//! reason and one person; what nobody promised needs two, and is [`super::adopt`]'s.

use domain::id::GrantId;

use super::findings::is_of_grants;
use super::{Caller, Ending, Service, ServiceError, Which, Whose, why};
use crate::store::now;

impl Service {
    /// Ends what is live on a finding's key.
    pub async fn end_finding(
        &self,
        caller: &Caller,
        which: &Which,
        reason: &str,
    ) -> Result<(), ServiceError> {
        why(reason).map(drop)?;
        let world = self.world()?;
        // Before anything is said of the finding: to others there is none.
        self.admins(&world, caller, []).await?;
        let (finding, _) = self.found(which).await?;
        if !is_of_grants(finding.difference) {
            return Err(domain::adoption::Refused::NotForThis(finding.difference).into());
        }
        let stored = self.store.key(&finding.key).await?;
        let key = stored.ok_or(ServiceError::FindingGone)?;
        let now = now();
        let live = key.state.live.iter().filter(|live| now < live.until);
        let grants: Vec<GrantId> = live.map(|live| live.grant).collect();
        if grants.is_empty() {
            return Err(ServiceError::FindingGone);
        }
        let ending = Ending {
            grants,
            reason: reason.to_owned(),
            whose: Whose::Anyones,
        };
        self.end(caller, &ending).await
    }
}
