//! Where a guardrail asks for it, whoever decides has signed in just before.

use domain::policy::WhyNot;
use jiff::Timestamp;

use super::approve::Approval;
use super::{Caller, Service, ServiceError};
use crate::proof::{Proof, Purpose};
use crate::store::{Commit, now};

/// Whether a person has to sign in again before they may do something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignInAgain {
    /// No.
    #[default]
    NotNeeded,
    /// Yes.
    Needed,
    /// They have.
    Done {
        /// Until when that counts.
        until: Timestamp,
    },
}

impl Service {
    /// The caller's fresh proof, or the refusal that leads through another sign-in. Where one is not
    /// known to be there, there is none.
    pub(super) async fn proof(
        &self,
        caller: &Caller,
        purpose: &Purpose,
        at: Timestamp,
    ) -> Result<Proof, ServiceError> {
        let found = match &caller.sitting {
            Some(sitting) => {
                let user = &caller.who.id;
                self.store.proof(sitting, user, purpose, at).await?
            }
            None => None,
        };
        found.ok_or(ServiceError::MayNotReview(WhyNot::Reauthenticate))
    }

    /// Uses up the caller's proof with what is about to be decided, and says so in its events.
    pub(super) async fn prove(
        &self,
        caller: &Caller,
        purpose: &Purpose,
        commit: &mut Commit,
        approval: &mut Approval,
    ) -> Result<(), ServiceError> {
        let proof = self.proof(caller, purpose, commit.at()).await?;
        commit.use_up(&proof)?;
        approval.proven(proof.signed_in_at());
        Ok(())
    }

    /// How it stands with that, for a page.
    pub async fn sign_in_again(
        &self,
        caller: &Caller,
        purpose: &Purpose,
    ) -> Result<SignInAgain, ServiceError> {
        match self.proof(caller, purpose, now()).await {
            Ok(proof) => Ok(SignInAgain::Done {
                until: proof.good_until(),
            }),
            Err(ServiceError::MayNotReview(_)) => Ok(SignInAgain::Needed),
            Err(error) => Err(error),
        }
    }
}
