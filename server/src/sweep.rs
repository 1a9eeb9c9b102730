//! What the sweep would do, by the table: what a pass acts on, a page shows and `belay sweep
//! --dry-run` prints are the same plan.
//!
//! Deliberately absent: any removal. That is `reconcile`'s, which judges each one again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use domain::directory::Beyond;
use domain::finding::{Difference, Finding};
use domain::id::AccountId;
use domain::key::KeyState;
use domain::sweep::baseline::{Baseline, ProposedBaseline};
use domain::sweep::look::Looks;
use domain::sweep::plan::{self, Agreed, Candidate, Confirmation, Ours, Pass, Plan, Setting};
use domain::sweep::{AllowList, Sweep};
use domain::target::Key;
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::store::{Store, StoreError, keys};

/// What the deployment says of the sweep. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    /// What is done about what nobody promised.
    pub mode: Sweep,
    /// How long that is known before it is taken away.
    pub grace: SignedDuration,
    /// Where it is known.
    pub allowed: Arc<AllowList>,
    /// Where nothing is touched.
    pub protected: Arc<BTreeSet<AccountId>>,
}

/// What the table says of it.
#[derive(Debug, Clone)]
pub struct Known {
    /// The complete looks so far.
    pub looks: Looks,
    /// What two admins agreed that it leaves alone.
    pub baseline: Option<Baseline>,
    /// What is proposed for that.
    pub proposed: Option<ProposedBaseline>,
    /// The list that an admin let go last.
    pub confirmation: Option<Confirmation>,
}

/// A plan, and what it was made of.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What it was made of.
    pub known: Known,
    /// The open findings.
    pub findings: Vec<Finding>,
    /// The plan.
    pub plan: Plan,
}

impl Rules {
    /// As they are configured.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            mode: config.sweep,
            grace: config.sweep_grace,
            allowed: Arc::new(config.sweep_allow.clone()),
            protected: Arc::new(config.protected_accounts.iter().cloned().collect()),
        }
    }

    /// With what the table and the directory say.
    #[must_use]
    pub fn setting<'a>(&'a self, known: &'a Known, beyond: Option<&'a Beyond>) -> Setting<'a> {
        Setting {
            mode: self.mode,
            grace: self.grace,
            allowed: &self.allowed,
            protected: &self.protected,
            beyond,
            baseline: known.baseline.as_ref(),
            looks: &known.looks,
        }
    }
}

impl Known {
    /// As the table has it.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        // Boxed: four reads at once would make every future that waits for them large.
        let all = Box::pin(async {
            tokio::try_join!(
                store.looks(),
                store.baseline(),
                store.proposed_baseline(),
                store.confirmation(),
            )
        });
        let (looks, baseline, proposed, confirmation) = all.await?;
        Ok(Self {
            looks,
            baseline,
            proposed,
            confirmation,
        })
    }
}

impl Draft {
    /// The plan of a pass that ended just now, or of the one that comes next if it goes well.
    pub async fn make(
        store: &Store,
        rules: &Rules,
        beyond: Option<&Beyond>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let known = Known::load(store).await?;
        // In this order: what is agreed meanwhile is in both, and nothing is in neither.
        let findings = store.findings().await?;
        let agreed = store.agreed_names().await?;
        let unmanaged = |one: &&Finding| one.difference == Difference::Unmanaged;
        let keys = findings.iter().filter(unmanaged).map(|one| &one.key);
        let states: BTreeMap<Key, KeyState> = store
            .keys_of(keys)
            .await?
            .into_iter()
            .map(|stored| (stored.state.key.clone(), stored.state))
            .collect();
        let candidates = findings.iter().map(|finding| {
            let name = keys::finding(finding.difference, &finding.key).sk;
            let is_agreed = agreed.contains(&name);
            Candidate {
                finding,
                ours: Ours::of(states.get(&finding.key), now),
                agreed: if is_agreed { Agreed::Yes } else { Agreed::No },
            }
        });
        let setting = rules.setting(&known, beyond);
        let confirmation = known.confirmation.as_ref();
        let plan = plan::plan(candidates, &setting, Pass::Complete, confirmation, now);
        Ok(Self {
            known,
            findings,
            plan,
        })
    }
}
