//! Adopt and ignore: two admins agree that a finding may stay for a while; revoke: that what it is
//! about is taken away. One proposes, another confirms; the first may take it back, the second refuse
//! it; what is agreed to stay, any admin gives up.
//!
//! Whoever proposes or confirms holds nothing of that access: no grant of it, and by a complete read
//! at that moment no assignment of their own. Who proposed is judged again when it is confirmed. All
//! that is judged by is a condition of the transaction, except AWS, which knows none.

use std::collections::{BTreeMap, BTreeSet};

use domain::adoption::{self, Admin, Agreement, Bearing, Course, Holds, Over, PROPOSAL_GOOD_FOR};
use domain::event::{Actor, Details, Head, Kind, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::id::{FindingId, UserId};
use domain::request::Who;
use domain::sweep::plan::{Ours, judge_revocation};
use domain::target::Key;
use jiff::{SignedDuration, Timestamp};

use super::facts::LiveFacts;
use super::{Caller, Part, Service, ServiceError, why};
use crate::store::item::StoredKey;
use crate::store::{Commit, now};
use crate::world::World;

/// Which finding, as a page named it: its place, and who was there when the page was made.
#[derive(Debug, Clone)]
pub struct Which {
    /// Its name in the table.
    pub name: String,
    /// Its id: another one at the same place is another.
    pub id: FindingId,
}

/// What an admin proposes, as it comes through a door.
#[derive(Debug, Clone)]
pub struct Proposing {
    /// About which finding.
    pub which: Which,
    /// What to do.
    pub course: Course,
    /// Why, in their words.
    pub reason: String,
    /// For how long; of what is taken away that says nothing.
    pub seconds: u32,
}

/// What somebody says to a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Another admin agrees.
    Confirm,
    /// Another admin does not, and says why.
    Refuse {
        /// Why.
        note: String,
    },
    /// Whoever proposed it takes it back.
    TakeBack,
}

impl Service {
    /// Proposes to adopt or ignore a finding.
    pub async fn propose(
        &self,
        caller: &Caller,
        proposing: &Proposing,
    ) -> Result<(), ServiceError> {
        let reason = why(&proposing.reason)?;
        self.again_under_policy(|| self.try_propose(caller, proposing, reason))
            .await
    }

    /// Answers the proposal of that number about a finding.
    pub async fn answer(
        &self,
        caller: &Caller,
        which: &Which,
        number: u32,
        answer: &Answer,
    ) -> Result<(), ServiceError> {
        if let Answer::Refuse { note } = answer {
            why(note).map(drop)?;
        }
        self.again_under_policy(|| self.try_answer(caller, which, number, answer))
            .await
    }

    /// Gives up what was agreed about a finding: it opens again if it is still so.
    pub async fn give_up(&self, caller: &Caller, which: &Which) -> Result<(), ServiceError> {
        self.again_under_policy(|| self.try_give_up(caller, which))
            .await
    }

    async fn try_propose(
        &self,
        caller: &Caller,
        proposing: &Proposing,
        reason: &str,
    ) -> Result<(), ServiceError> {
        let world = self.world_for_giving()?;
        let live = self.admins(&world, caller, []).await?;
        let (finding, head) = self.found(&proposing.which).await?;
        let at = now();
        if let Some((lapsed, event)) = finding.lapse(at) {
            // The worker has not told it yet. It stands in nobody's way: what follows is decided anew.
            let me = Actor::Server(self.me);
            let mut commit = Commit::new(me, caller.source, at);
            commit.change_finding(&lapsed, head, event)?;
            self.store.commit(commit).await?;
            return Err(ServiceError::Changed);
        }
        let judged = finding.clone();
        let said = (caller.who.clone(), reason);
        let keep = match proposing.course {
            // It can be confirmed for as long as any proposal.
            Course::Revoke => PROPOSAL_GOOD_FOR,
            Course::Adopt | Course::Ignore => {
                SignedDuration::from_secs(i64::from(proposing.seconds))
            }
        };
        let (proposed, event) = finding.propose(proposing.course, said, keep, at)?;
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        let people = BTreeSet::from([caller.who.id.clone()]);
        let bearings = self.bearings(&world, &live, &judged, people).await?;
        bearings.judge(&judged, &caller.who.id, &mut commit)?;
        if proposing.course == Course::Revoke {
            self.may_be_revoked(&bearings, &judged)?;
        }
        commit.change_finding(&proposed, head, event)?;
        self.store.commit(commit).await?;
        Ok(())
    }

    async fn try_answer(
        &self,
        caller: &Caller,
        which: &Which,
        number: u32,
        answer: &Answer,
    ) -> Result<(), ServiceError> {
        let world = match answer {
            Answer::Confirm => self.world_for_giving()?,
            Answer::Refuse { .. } | Answer::TakeBack => self.world()?,
        };
        let (finding, head) = match self.found(which).await {
            Ok(found) => found,
            Err(error) => {
                // Who may not know of it hears nothing of what became of it.
                self.admins(&world, caller, []).await?;
                return Err(error);
            }
        };
        let proposer = finding.proposal.as_ref().map(|one| one.by.id.clone());
        let live = self.admins(&world, caller, proposer.clone()).await?;
        let at = now();
        let mut commit = Commit::new(caller.actor(), caller.source, at);
        commit.under_policy(world.policy.version())?;
        match answer {
            Answer::Confirm => {
                let judged = finding.clone();
                let by = proposer.ok_or(adoption::Refused::NotProposed)?;
                let (confirmed, event) = confirm(finding, caller.who.clone(), number, at)?;
                let people = BTreeSet::from([caller.who.id.clone(), by.clone()]);
                let bearings = self.bearings(&world, &live, &judged, people).await?;
                bearings.judge(&judged, &caller.who.id, &mut commit)?;
                match bearings.judge(&judged, &by, &mut commit) {
                    Err(ServiceError::Unfit(_) | ServiceError::NotAllowed) => {
                        return Err(ServiceError::ProposerUnfit);
                    }
                    other => other?,
                }
                match confirmed {
                    Confirmed::Stays(agreement, closed) => {
                        commit.agree(&agreement, head, closed, event)?;
                    }
                    Confirmed::Goes(finding) => {
                        self.may_be_revoked(&bearings, &judged)?;
                        commit.agree_to_revoke(&finding, head, event)?;
                    }
                }
            }
            Answer::Refuse { note } => {
                let (refused, event) = finding.refuse(&caller.who, note.trim(), number, at)?;
                commit.change_finding(&refused, head, event)?;
            }
            Answer::TakeBack => {
                let (taken, event) = finding.take_back(&caller.who.id, number, at)?;
                commit.change_finding(&taken, head, event)?;
            }
        }
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Whether the worker could take it away: nobody agrees to what is never done. What passes by
    /// itself does not stand in the way.
    fn may_be_revoked(
        &self,
        bearings: &Bearings<'_>,
        finding: &Finding,
    ) -> Result<(), ServiceError> {
        let beyond = Some(&bearings.world.directory.beyond);
        match judge_revocation(finding, bearings.ours, &self.rules.protected, beyond) {
            Err(left) if !left.passes() => Err(adoption::Refused::NotRevocable(left).into()),
            _ => Ok(()),
        }
    }

    async fn try_give_up(&self, caller: &Caller, which: &Which) -> Result<(), ServiceError> {
        let world = self.world()?;
        self.admins(&world, caller, []).await?;
        let head = self.store.head(&Stream::Finding(which.id)).await?;
        let agreement = self.store.agreement_at(&which.name).await?;
        let agreement = agreement
            .filter(|agreement| agreement.finding.id == which.id)
            .ok_or(ServiceError::FindingGone)?;
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        commit.under_policy(world.policy.version())?;
        commit.end_agreement(&agreement, head, Over::GivenUp)?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// The facts about these admins, read live. Only an admin goes on: to auditors it is not theirs to
    /// do, and to everybody else there is nothing.
    pub(super) async fn admins<'w>(
        &self,
        world: &'w World,
        caller: &Caller,
        others: impl IntoIterator<Item = UserId>,
    ) -> Result<LiveFacts<'w>, ServiceError> {
        let people = others
            .into_iter()
            .chain([caller.who.id.clone()])
            .collect::<BTreeSet<_>>();
        let groups = world.policy.oversight_groups();
        let live = self.read_live(world, &people, &groups).await?;
        if world.policy.is_admin(&caller.who.id, &live.facts()) {
            Ok(live)
        } else if world.policy.is_auditor(&caller.who.id, &live.facts()) {
            Err(ServiceError::NotAllowed)
        } else {
            Err(ServiceError::NotFound)
        }
    }

    /// An open finding, and where its stream stood before it was read: so the two fit together, or
    /// nothing is stored.
    pub(super) async fn found(&self, which: &Which) -> Result<(Finding, Head), ServiceError> {
        let head = self.store.head(&Stream::Finding(which.id)).await?;
        let finding = self.store.finding_at(&which.name).await?;
        let finding = finding
            .filter(|finding| finding.id == which.id)
            .ok_or(ServiceError::FindingGone)?;
        Ok((finding, head))
    }
}

/// What another admin's agreement makes of a finding.
enum Confirmed {
    /// It is left for a while, and closed so.
    Stays(Box<Agreement>, Closed),
    /// What it is about is taken away.
    Goes(Box<Finding>),
}

fn confirm(
    finding: Finding,
    by: Who,
    number: u32,
    at: Timestamp,
) -> Result<(Confirmed, (Kind, Details)), adoption::Refused> {
    let proposal = finding.proposal.as_ref();
    if proposal.is_some_and(|proposal| proposal.course == Course::Revoke) {
        let (finding, event) = finding.confirm_revocation(by, number, at)?;
        return Ok((Confirmed::Goes(Box::new(finding)), event));
    }
    let (agreement, closed, event) = finding.confirm(by, number, at)?;
    Ok((Confirmed::Stays(Box::new(agreement), closed), event))
}

/// What was read of those who decide, at the moment in which they do.
struct Bearings<'w> {
    world: &'w World,
    live: &'w LiveFacts<'w>,
    holders: BTreeSet<UserId>,
    /// What stands of the finding's own key in the table.
    ours: Ours,
    keys: BTreeMap<UserId, (Key, Option<StoredKey>)>,
}

impl Service {
    /// What these people have of that access; and whether the finding is still so, since nobody agrees
    /// in advance to what may come back.
    async fn bearings<'w>(
        &self,
        world: &'w World,
        live: &'w LiveFacts<'w>,
        finding: &Finding,
        people: BTreeSet<UserId>,
    ) -> Result<Bearings<'w>, ServiceError> {
        let target = &finding.key.target;
        let stored = self.store.key(&finding.key).await?;
        let operation = stored.as_ref().and_then(|key| key.state.operation.as_ref());
        if operation.is_some_and(|operation| operation.finding.is_some()) {
            // The sweep is taking it away at this moment; if it does not, the finding stays.
            return Err(ServiceError::FindingGone);
        }
        let holders = self.holders.of(target).await.map_err(|error| {
            tracing::error!(%error, "who holds an access could not be read, so nothing was decided");
            ServiceError::Unavailable {
                part: Part::IdentityStore,
            }
        })?;
        let ours = Ours::of(stored.as_ref().map(|key| &key.state), now());
        let is_so = if finding.difference == Difference::Unmanaged {
            holders.contains(&finding.key.user)
        } else {
            stored.is_some_and(|key| !key.state.live.is_empty())
        };
        if !is_so {
            return Err(ServiceError::FindingGone);
        }
        let mut keys = BTreeMap::new();
        for user in people {
            let key = Key {
                user: user.clone(),
                target: target.clone(),
            };
            let stored = self.store.key(&key).await?;
            keys.insert(user, (key, stored));
        }
        Ok(Bearings {
            world,
            live,
            holders,
            ours,
            keys,
        })
    }
}

impl Bearings<'_> {
    /// Whether this person may decide about it; and that they are promised no more until it is stored.
    fn judge(
        &self,
        finding: &Finding,
        user: &UserId,
        commit: &mut Commit,
    ) -> Result<(), ServiceError> {
        let (key, stored) = self.keys.get(user).ok_or(ServiceError::NotFound)?;
        let promised = stored
            .as_ref()
            .is_some_and(|key| !key.state.live.is_empty());
        let is_admin = self.world.policy.is_admin(user, &self.live.facts());
        finding.may_decide(&Bearing {
            user,
            admin: if is_admin { Admin::Yes } else { Admin::No },
            holds: if promised {
                Holds::Grant
            } else if self.holders.contains(user) {
                Holds::Assignment
            } else {
                Holds::Nothing
            },
        })?;
        commit.key_as_read(key, stored.as_ref().map(|key| key.state.version))?;
        Ok(())
    }
}
