//! What this server knows: the organisation's snapshot, the policy in force, and the index of
//! both. Replaced whole, shared without locks.
//!
//! A failed or partial reading never replaces a good one; an invalid policy never replaces a valid
//! one. Until there is a first one, nobody is served and nothing is granted, and each missing part
//! says why.

mod in_force;
mod knowledge;
mod texts;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use domain::catalogue::Catalogue;
use domain::directory::{Directory, Holdings, Members};
use domain::id::{AccountId, ServerId};
use domain::policy::{Facts, Policy};
use domain::target::{Key, Target};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::config::PolicySource;
use crate::directory::{DirectoryError, GroupHoldings, Reader};
use crate::lease::Lease;
use crate::limiter::Class;
use crate::policy_text::PolicyUnreadable;
use crate::store::{PartsError, Store, StoreError, now};

use in_force::ReadPolicy;
pub(crate) use knowledge::stored_directory;
use knowledge::{Knowledge, News};

pub(crate) use knowledge::is_good;
pub use texts::{AccountText, Texts, ou_path, tags};

/// How often the policy's source and the table's snapshot are looked at: soon enough that an author
/// sees a policy take effect.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// After a failure, while there is nothing to serve from yet.
const RETRY_FIRST: Duration = Duration::from_millis(500);

/// A snapshot of everything that decides.
#[derive(Debug)]
pub struct World {
    /// The organisation, with the members of the groups that the policy names.
    pub directory: Directory,
    /// The policy in force.
    pub policy: Arc<Policy>,
    /// Both, indexed.
    pub catalogue: Catalogue,
    /// What is in the catalogue, as people look for it.
    pub texts: Texts,
}

impl World {
    /// What a target is called today: the permission set and its account, or the group and nothing.
    /// `None`: it has left the directory.
    #[must_use]
    pub fn called(&self, target: &Target) -> Option<(String, String)> {
        let directory = &self.directory;
        Some(match target {
            Target::Account {
                account,
                permission_set,
            } => {
                let set = directory.permission_sets.get(permission_set)?;
                let account = directory.accounts.get(account)?;
                (set.name.to_string(), account.name.clone())
            }
            Target::Group { group } => (directory.groups.get(group)?.name.clone(), String::new()),
        })
    }

    /// Indexes what is known.
    #[must_use]
    pub fn new(directory: Directory, policy: Arc<Policy>) -> Self {
        let catalogue = Catalogue::build(Arc::clone(&policy), &directory);
        Self {
            texts: Texts::of(&catalogue, &directory),
            directory,
            policy,
            catalogue,
        }
    }

    /// The facts of the snapshot: for pages and previews, never for a decision.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        self.facts_with(&self.directory.members)
    }

    /// The snapshot with members that were read anew.
    #[must_use]
    pub fn facts_with<'a>(&'a self, members: &'a Members) -> Facts<'a> {
        Facts {
            directory: &self.directory,
            members,
            holdings: &self.directory.holdings,
            statuses: None,
        }
    }
}

/// Why there is no (new) world.
#[derive(Debug, Error)]
pub enum WorldError {
    /// The organisation could not be read.
    #[error("the organisation could not be read")]
    Directory(#[from] DirectoryError),
    /// A reading without accounts or people replaces nothing.
    #[error("AWS answered with no accounts or no people at all")]
    Empty,
    /// Whoever leads reads it, and nobody has yet.
    #[error("no server that leads has read the organisation yet")]
    NotReadYet,
    /// A snapshot or a policy in the table could not be kept or had.
    #[error("what is large could not be kept in the table or had from it")]
    Kept(#[from] PartsError),
    /// It could not be written or read as JSON.
    #[error("the snapshot of the organisation is not understood")]
    Snapshot(#[source] serde_json::Error),
    /// The table did not answer.
    #[error("the table could not be reached")]
    Store(#[from] StoreError),
    /// The policy's source could not be read.
    #[error(transparent)]
    PolicySource(#[from] PolicyUnreadable),
    /// The policy has problems.
    #[error("the policy {place} is not valid (problems: {count}; `belay policy check` lists them)")]
    Policy {
        /// Where it is.
        place: String,
        /// How many.
        count: usize,
    },
}

/// Keeps the world up to date.
#[derive(Debug)]
pub struct Keeper {
    knowledge: tokio::sync::Mutex<Knowledge>,
    /// What groups are assigned, as it was read since the organisation was.
    holdings: Mutex<Option<Holdings>>,
    of_groups: GroupHoldings,
    store: Store,
    s3: aws_sdk_s3::Client,
    source: PolicySource,
    protected: BTreeSet<AccountId>,
    me: ServerId,
    world: ArcSwapOption<World>,
    trouble: ArcSwap<Option<String>>,
}

impl Keeper {
    /// Knows nothing yet. Whoever holds the lease reads with the reader.
    #[must_use]
    pub fn new(
        (reader, lease): (Reader, Lease),
        store: Store,
        s3: aws_sdk_s3::Client,
        source: PolicySource,
        protected: BTreeSet<AccountId>,
        me: ServerId,
    ) -> Self {
        let of_groups = reader.holdings();
        let knowledge = Knowledge::new(reader, store.clone(), lease);
        Self {
            knowledge: tokio::sync::Mutex::new(knowledge),
            holdings: Mutex::default(),
            of_groups,
            store,
            s3,
            source,
            protected,
            me,
            world: ArcSwapOption::empty(),
            trouble: ArcSwap::from_pointee(Some("has not been read yet".to_owned())),
        }
    }

    /// What is known, once it is.
    #[must_use]
    pub fn world(&self) -> Option<Arc<World>> {
        self.world.load_full()
    }

    /// What all groups are assigned, as a complete read just found it: known as soon as this is
    /// looked at again.
    pub fn learn(&self, holdings: Holdings) {
        let mut learnt = self.holdings.lock().unwrap_or_else(PoisonError::into_inner);
        *learnt = Some(holdings);
    }

    /// Asks what a group is assigned, for a decision.
    pub(crate) const fn of_groups(&self) -> &GroupHoldings {
        &self.of_groups
    }

    /// What went wrong last, if the last reading failed.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.trouble.load().as_ref().clone()
    }

    /// Reads, and reads again, until told to stop.
    pub async fn run(&self, stop: CancellationToken) {
        let mut digest = String::new();
        loop {
            let turn = self.turn(&mut digest);
            let outcome = tokio::select! {
                () = stop.cancelled() => return,
                outcome = turn => outcome,
            };
            let pause = match outcome {
                Ok(()) => {
                    self.trouble.store(Arc::new(None));
                    LOOK_EVERY
                }
                Err(error) => {
                    self.report(&error);
                    if self.world.load().is_none() {
                        RETRY_FIRST
                    } else {
                        LOOK_EVERY
                    }
                }
            };
            if let Some(read_at) = self.world().and_then(|world| world.directory.read_at) {
                metrics::gauge!("belay_directory_age_seconds")
                    .set(now().duration_since(read_at).as_secs_f64().max(0.0));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    fn report(&self, error: &WorldError) {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        let before = self.trouble.swap(Arc::new(Some(text.clone())));
        // The same trouble each second would bury everything else.
        if before.as_deref() != Some(text.as_str()) {
            tracing::warn!(trouble = %text, "accounts, people or policy cannot be read");
        }
    }

    async fn turn(&self, digest: &mut String) -> Result<(), WorldError> {
        let mut knowledge = self.knowledge.lock().await;
        let read = self.read_policy().await?;
        // A reading that fails keeps nobody from a new policy.
        let (news, failed) = match knowledge.look().await {
            Ok(news) => (news, None),
            Err(error) if knowledge.directory().is_some() => (News::Same, Some(error)),
            Err(error) => return Err(error),
        };
        // What came of an earlier look and could not be shown then is news, too.
        let read_at = |directory: &Directory| directory.read_at;
        let shown = self.world().and_then(|world| read_at(&world.directory));
        let is_news = !matches!(news, News::Same)
            || knowledge.directory().and_then(read_at) != shown
            || self.has_learnt();
        if is_news
            || self.world().is_none()
            || read.digest != *digest
            || !self.is_in_force().await?
        {
            self.renew(&mut knowledge, news, &read).await?;
            digest.clone_from(&read.digest);
        }
        failed.map_or(Ok(()), Err)
    }

    /// Makes a world of what is known and the policy.
    async fn renew(
        &self,
        knowledge: &mut Knowledge,
        news: News,
        read: &ReadPolicy,
    ) -> Result<(), WorldError> {
        let (mut complete, is_fresh) = match news {
            News::Fresh(fresh) => (*fresh, true),
            News::Same | News::Newer => match knowledge.directory() {
                // What groups are assigned was read meanwhile: that is kept, too.
                Some(known) => (known.clone(), self.has_learnt()),
                None => return Err(WorldError::NotReadYet),
            },
        };
        let next = self.resolve(read, &complete).await?;
        let policy = Arc::clone(&next.policy);
        let wanted = policy.referenced_groups();
        // Whoever leads reads them all with everything else; others only what a policy that is newer
        // than the snapshot names.
        let unknown = wanted
            .into_iter()
            .filter(|group| !complete.members.knows(group))
            .collect();
        let read_now = knowledge.reader().members(&unknown).await?;
        for group in &unknown {
            let members = read_now.of(group).cloned().collect();
            complete.members.insert(group.clone(), members);
        }
        self.leave_out_ours(&mut complete.members).await?;
        if is_fresh && let Some(learnt) = self.learnt() {
            complete.holdings = learnt;
        }
        knowledge::forget_old(&mut complete.holdings);
        self.read_holdings(&policy, &mut complete, is_fresh).await?;
        if is_fresh {
            complete = knowledge.keep(complete).await?;
        }
        self.put_in_force(next, read, &complete, knowledge.reader())
            .await?;
        tracing::info!(
            accounts = complete.accounts.len(),
            permission_sets = complete.permission_sets.len(),
            people = complete.people.len(),
            policy = %policy.version(),
            is_fresh,
            "accounts, people and policy are known",
        );
        self.world
            .store(Some(Arc::new(World::new(complete, policy))));
        Ok(())
    }

    /// A membership that Belay gave for a while counts in no policy role.
    async fn leave_out_ours(&self, members: &mut Members) -> Result<(), WorldError> {
        let live = self.store.live_keys().await?;
        // The words that only account assignments have are not needed for groups.
        let keys: Vec<Key> = live
            .iter()
            .filter_map(|text| Key::parse(text, ""))
            .filter(|key| matches!(key.target, Target::Group { .. }))
            .collect();
        for stored in self.store.keys_of(&keys).await? {
            if let (Target::Group { group }, true) =
                (&stored.state.key.target, stored.state.may_be_ours(now()))
            {
                members.remove(&stored.state.key.user, group);
            }
        }
        Ok(())
    }

    /// Reads what the groups are assigned that the policy offers: all of them with everything else,
    /// else those that are new. A delegated administrator is not told, and waits for the next read of
    /// the whole organisation.
    async fn read_holdings(
        &self,
        policy: &Policy,
        complete: &mut Directory,
        all: bool,
    ) -> Result<(), WorldError> {
        if complete.beyond.account.is_some() {
            return Ok(());
        }
        for group in policy.target_groups() {
            let is_known = complete.holdings.of(&group).is_some();
            if !complete.groups.contains_key(&group) || (is_known && !all) {
                continue;
            }
            match self.of_groups.of(&group, Class::Refresh).await? {
                Some(held) => complete.holdings.insert(group, held),
                None => complete.holdings.remove(&group),
            }
        }
        Ok(())
    }

    fn has_learnt(&self) -> bool {
        let learnt = self.holdings.lock();
        learnt.unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn learnt(&self) -> Option<Holdings> {
        self.holdings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}
