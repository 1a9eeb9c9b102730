//! The sweep, as people see and steer it: what it would do, the baseline that two admins agree on,
//! and the list that one admin lets go where it is longer than a pass takes away by itself.
//!
//! A baseline gives nobody anything and closes no finding, so whose access is in it does not keep an
//! admin from agreeing. Deliberately absent: any way to have one thing taken away at once, and any
//! effect in AWS.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::finding::{Difference, Finding};
use domain::sweep::Sweep;
use domain::sweep::baseline::{NotAgreed, ProposedBaseline};
use domain::sweep::plan::{Confirmation, Outcome};
use domain::target::{Key, Target};
use thiserror::Error;

use super::{Caller, Role, Service, ServiceError, why};
use crate::store::{Commit, now};
use crate::sweep::{Draft, Rules};
use crate::world::World;

/// What the page shows of it.
#[derive(Debug, Clone)]
pub struct SweepFound {
    /// What the deployment says.
    pub rules: Rules,
    /// What it would do; absent where nothing is looked for.
    pub draft: Option<Draft>,
}

/// What an admin does about it. Each names the list that they have read.
#[derive(Debug, Clone)]
pub enum Steering {
    /// Proposes what is open as the baseline.
    Propose {
        /// Why, in their words.
        reason: String,
    },
    /// Agrees to what another admin proposed.
    Agree,
    /// Takes it back, or says no to it.
    Drop,
    /// Lets a list go that waits.
    Confirm,
}

/// Why the sweep does not change so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotSteered {
    /// Nothing is looked for, or not everything has been looked at.
    #[error("the organisation has not been looked through")]
    NotReady,
    /// It is not the list that they have read.
    #[error("the list is another one by now")]
    ListChanged,
    /// The baseline is not agreed so.
    #[error("{0}")]
    Baseline(#[from] NotAgreed),
}

/// The keys that a baseline of these findings would have.
#[must_use]
pub fn baseline_keys(findings: &[Finding]) -> BTreeSet<Key> {
    let unmanaged = |one: &&Finding| {
        one.difference == Difference::Unmanaged && matches!(one.key.target, Target::Account { .. })
    };
    let found = findings.iter().filter(unmanaged);
    found.map(|one| one.key.clone()).collect()
}

impl Draft {
    /// Whether a baseline of what is open would have all of it: a complete look left nothing untold.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.known.looks.last().is_some_and(|look| look.untold == 0)
    }
}

impl Service {
    /// What the sweep would do now, and whether the person looking is an admin. For auditors and
    /// admins: to everybody else there is no such thing.
    pub async fn sweep(&self, caller: &Caller) -> Result<(SweepFound, Role), ServiceError> {
        let world = self.world()?;
        let role = self.must_oversee(&world, caller).await?;
        Ok((self.sweep_found(&world).await?, role))
    }

    /// What the sweep would do now.
    pub(super) async fn sweep_found(&self, world: &World) -> Result<SweepFound, ServiceError> {
        let draft = if self.rules.mode == Sweep::Off {
            None
        } else {
            Some(self.draft(world).await?)
        };
        Ok(SweepFound {
            rules: self.rules.clone(),
            draft,
        })
    }

    /// Does that about the list of this digest.
    pub async fn steer(
        &self,
        caller: &Caller,
        digest: &str,
        steering: &Steering,
    ) -> Result<(), ServiceError> {
        if let Steering::Propose { reason } = steering {
            why(reason).map(drop)?;
        }
        self.again_under_policy(|| self.try_steer(caller, digest, steering))
            .await
    }

    async fn try_steer(
        &self,
        caller: &Caller,
        digest: &str,
        steering: &Steering,
    ) -> Result<(), ServiceError> {
        let world = match steering {
            Steering::Drop => self.world()?,
            Steering::Propose { .. } | Steering::Agree | Steering::Confirm => {
                self.world_for_giving()?
            }
        };
        self.admins(&world, caller, []).await?;
        // In this order: what is read after the head is what the head is of.
        let head = self.store.head(&Stream::Sweep).await?;
        let at = now();
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        match steering {
            Steering::Propose { reason } => {
                let draft = self.draft_to_steer(&world).await?;
                if !draft.is_whole() {
                    return Err(NotSteered::NotReady.into());
                }
                let keys = baseline_keys(&draft.findings);
                let said = (caller.who.clone(), reason.trim());
                let proposed = ProposedBaseline::new(&keys, said, at);
                if proposed.digest != digest {
                    return Err(NotSteered::ListChanged.into());
                }
                commit.propose_baseline(&proposed, head)?;
            }
            Steering::Agree => {
                let proposed = self.store.proposed_baseline().await?;
                let proposed = proposed.ok_or(NotSteered::Baseline(NotAgreed::NotProposed))?;
                let before = self.store.baseline().await?;
                let agreed = proposed.agree(caller.who.clone(), digest, before.as_ref(), at);
                let (baseline, event) = agreed.map_err(NotSteered::Baseline)?;
                commit.agree_baseline(&baseline, head, event)?;
            }
            Steering::Drop => {
                let proposed = self.store.proposed_baseline().await?;
                let proposed = proposed
                    .filter(|proposed| proposed.digest == digest)
                    .ok_or(NotSteered::Baseline(NotAgreed::NotProposed))?;
                commit.drop_baseline(&proposed, head)?;
            }
            Steering::Confirm => {
                let draft = self.draft_to_steer(&world).await?;
                let plan = &draft.plan;
                if plan.digest != digest {
                    return Err(NotSteered::ListChanged.into());
                }
                match plan.outcome {
                    Outcome::Waits => {}
                    Outcome::Confirmed => return Ok(()),
                    Outcome::Within | Outcome::Halted(_) => {
                        return Err(NotSteered::ListChanged.into());
                    }
                }
                let before = draft.known.confirmation.map_or(0, |before| before.version);
                let confirmation = Confirmation {
                    version: before + 1,
                    digest: plan.digest.clone(),
                    removals: u32::try_from(plan.ripe.len()).unwrap_or(u32::MAX),
                    by: caller.who.clone(),
                    at,
                    used_at: None,
                };
                commit.confirm_sweep(&confirmation, head)?;
            }
        }
        self.store.commit(commit).await?;
        Ok(())
    }

    async fn draft(&self, world: &World) -> Result<Draft, ServiceError> {
        let beyond = Some(&world.directory.beyond);
        Ok(Draft::make(&self.store, &self.rules, beyond, now()).await?)
    }

    async fn draft_to_steer(&self, world: &World) -> Result<Draft, ServiceError> {
        if self.rules.mode == Sweep::Off {
            return Err(NotSteered::NotReady.into());
        }
        self.draft(world).await
    }
}
