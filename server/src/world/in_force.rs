//! Which policy is in force: read from where it is written, compared with the one before, and kept.
//!
//! A version is put in force with its text and with whom its names mean, in one transaction, so that
//! every verdict that names it can be understood later. A version that the table has lost is said to
//! be lost; nothing is made up in its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::directory::Directory;
use domain::event::{self, Actor, Details, Head, Kind, NotCompared, Source, Stream};
use domain::id::{GroupId, PolicyVersion};
use domain::policy::{self, Change, KeptPolicy, Policy, PolicyFile, Setting};
use sha2::{Digest, Sha256};

use super::{Keeper, WorldError};
use crate::directory::Reader;
use crate::policy_text::PolicyText;
use crate::store::commit::{Commit, Expect};
use crate::store::item::PolicyInForce;
use crate::store::policies::PackedPolicy;
use crate::store::{PartsError, StoreError, now};

/// A policy as it was read, with the digest of its source.
pub(super) struct ReadPolicy {
    file: PolicyFile,
    text: PolicyText,
    pub(super) digest: String,
}

/// A policy that may have to be put in force.
pub(super) struct Next {
    pub(super) policy: Arc<Policy>,
    before: Option<Before>,
    /// Of the policy's stream, from before `before` was read.
    head: Head,
}

/// What is in force.
struct Before {
    in_force: PolicyInForce,
    /// Itself, if it could be had.
    policy: Result<Arc<Policy>, NotCompared>,
}

impl Keeper {
    /// Whether what this server decides by is what the table says is in force.
    pub(super) async fn is_in_force(&self) -> Result<bool, WorldError> {
        let Some(world) = self.world() else {
            return Ok(false);
        };
        let in_force = self.store.policy_in_force().await?;
        Ok(in_force.is_some_and(|in_force| in_force.policy_version == *world.policy.version()))
    }

    pub(super) async fn read_policy(&self) -> Result<ReadPolicy, WorldError> {
        let text = PolicyText::read(&self.source, &self.s3).await?;
        let mut whole = Sha256::new_with_prefix(text.text.as_bytes());
        for (name, text) in &text.included {
            // Lengths keep a text from running into the next name.
            let text = text.as_deref().unwrap_or_default();
            whole.update(format!("\n{}:{name}{}:", name.len(), text.len()));
            whole.update(text);
        }
        let digest = event::hex(&whole.finalize());
        match policy::parse_with(&text.text, text.format(), &text.place, &text.included) {
            Ok(file) => Ok(ReadPolicy { file, text, digest }),
            Err(problems) => {
                for problem in &problems {
                    tracing::error!("{problem}");
                }
                Err(WorldError::Policy {
                    place: text.place,
                    count: problems.len(),
                })
            }
        }
    }

    /// Names become ids; the same source keeps the ids that it had, on every server.
    pub(super) async fn resolve(
        &self,
        read: &ReadPolicy,
        base: &Directory,
    ) -> Result<Next, WorldError> {
        // The head first: whatever is put in force after this read moves it, and ours then fails.
        let head = self.store.head(&Stream::Policy).await?;
        let before = match self.store.policy_in_force().await? {
            Some(in_force) => Some(Before {
                policy: self.version(&in_force.policy_version).await?,
                in_force,
            }),
            None => None,
        };
        let earlier = before
            .as_ref()
            .filter(|before| before.in_force.source == read.digest)
            .and_then(|before| before.policy.as_ref().ok())
            .map(|policy| policy.bindings().clone());
        let setting = Setting {
            protected: self.protected.clone(),
            earlier,
        };
        let resolved = policy::resolve(&read.file, base, &setting);
        for problem in &resolved.problems {
            tracing::warn!("{problem}");
        }
        for problem in policy::not_carried_out(&read.file) {
            tracing::warn!("{problem}");
        }
        Ok(Next {
            policy: Arc::new(resolved.policy),
            before,
            head,
        })
    }

    /// That version: as this server knows it, or else as the table does.
    async fn version(
        &self,
        version: &PolicyVersion,
    ) -> Result<Result<Arc<Policy>, NotCompared>, WorldError> {
        match self.world() {
            Some(world) if world.policy.version() == version => Ok(Ok(Arc::clone(&world.policy))),
            _ => self.kept(version).await,
        }
    }

    /// That version as the table has it, or why not. `Err`: the table did not answer.
    async fn kept(
        &self,
        version: &PolicyVersion,
    ) -> Result<Result<Arc<Policy>, NotCompared>, WorldError> {
        let kept = match self.store.policy_version(version).await {
            Ok(Some(kept)) => kept,
            Ok(None) => return Ok(Err(NotCompared::NotKept)),
            Err(PartsError::Store(error)) if !matches!(error, StoreError::Unreadable { .. }) => {
                return Err(error.into());
            }
            Err(error) => {
                tracing::error!(%version, error = &error as &dyn std::error::Error, "a version of the policy is damaged in the table");
                return Ok(Err(NotCompared::Damaged));
            }
        };
        Ok(match kept.policy() {
            Ok(policy) => Ok(Arc::new(policy)),
            Err(error) => {
                tracing::error!(%version, %error, "a version of the policy cannot be had from the table");
                Err(NotCompared::Damaged)
            }
        })
    }

    /// Who gains and loses what against the policy that is in force.
    async fn changes(
        &self,
        old: Arc<Policy>,
        new: Arc<Policy>,
        directory: &Directory,
        reader: &Reader,
    ) -> Result<Result<Vec<Change>, NotCompared>, WorldError> {
        // The groups of both: of the old one as they were read for it, or anew.
        let mut directory = directory.clone();
        let mut unknown: BTreeSet<GroupId> = old.referenced_groups();
        unknown.retain(|group| !directory.members.knows(group));
        if let Some(known) = self.world() {
            for group in &unknown {
                if known.directory.members.knows(group) {
                    let members = known.directory.members.of(group).cloned().collect();
                    directory.members.insert(group.clone(), members);
                }
            }
            unknown.retain(|group| !directory.members.knows(group));
        }
        match reader.members(&unknown).await {
            Ok(read) => {
                for group in unknown {
                    let members = read.of(&group).cloned().collect();
                    directory.members.insert(group, members);
                }
            }
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "the groups of the policy before could not be read"
                );
                return Ok(Err(NotCompared::MembersUnknown));
            }
        }
        self.leave_out_ours(&mut directory.members).await?;
        let compared =
            tokio::task::spawn_blocking(move || policy::diff_at_once(&old, &new, &directory)).await;
        Ok(match compared {
            Ok(changes) => changes.ok_or(NotCompared::TooMuch),
            // A defect here, and no reason to keep a policy out.
            Err(error) => {
                tracing::error!(%error, "two policies could not be compared");
                Err(NotCompared::TooMuch)
            }
        })
    }

    /// Unless it is in force already.
    pub(super) async fn put_in_force(
        &self,
        next: Next,
        read: &ReadPolicy,
        directory: &Directory,
        reader: &Reader,
    ) -> Result<(), WorldError> {
        let Next {
            policy,
            before,
            head,
        } = next;
        let version = policy.version();
        if let Some(before) = &before
            && before.in_force.policy_version == *version
        {
            return self.still_in_force(before, &policy, read).await;
        }
        let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
        let in_force = PolicyInForce {
            policy_version: version.clone(),
            source: read.digest.clone(),
        };
        let previous = before
            .as_ref()
            .map(|before| &before.in_force.policy_version);
        commit.put_in_force(&in_force, previous, self.me)?;
        // It may have been in force before.
        if let Err(lost) = self.kept(version).await? {
            keep(&mut commit, &policy, read, lost).await?;
        }
        let mut details = Details::policy(version, previous);
        if let Some(before) = &before {
            let changes = match &before.policy {
                Ok(old) => {
                    let (old, new) = (Arc::clone(old), Arc::clone(&policy));
                    self.changes(old, new, directory, reader).await?
                }
                Err(lost) => Err(*lost),
            };
            details = match changes {
                Ok(changes) => details.with_changes(&changes),
                Err(why) => details.not_compared(why),
            };
        }
        commit.continue_stream(&Stream::Policy, head);
        commit.event(&Stream::Policy, Kind::PolicyLoaded, &details)?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// What is in force stays so. What the table has lost of it is written again, and a text that says
    /// the same in other words is what its names' ids belong to from now on.
    async fn still_in_force(
        &self,
        before: &Before,
        policy: &Policy,
        read: &ReadPolicy,
    ) -> Result<(), WorldError> {
        if let Err(lost) = before.policy {
            let mut commit = Commit::new(Actor::Server(self.me), Source::Worker, now());
            commit.looked_after();
            keep(&mut commit, policy, read, lost).await?;
            match self.store.commit(commit).await {
                Ok(_) => {
                    tracing::warn!(version = %policy.version(), "the policy in force was not in the table, and is now");
                }
                // Another server has written it.
                Err(StoreError::Changed) => {}
                Err(error) => return Err(error.into()),
            }
        }
        if before.in_force.source != read.digest {
            self.store
                .policy_source(policy.version(), &read.digest)
                .await?;
        }
        Ok(())
    }
}

/// Writes a version that is not there, or in place of what is damaged.
async fn keep(
    commit: &mut Commit,
    policy: &Policy,
    read: &ReadPolicy,
    lost: NotCompared,
) -> Result<(), WorldError> {
    let text = &read.text;
    let kept = KeptPolicy::of(policy, &text.place, &text.text, &text.included);
    let expect = match lost {
        NotCompared::NotKept => Expect::Absent,
        _ => Expect::Present,
    };
    commit.keep_policy(PackedPolicy::of(&kept).await?, expect)?;
    Ok(())
}
