//! End: somebody ends access before its time.
//!
//! Its requester may, the approvers of the route that gave it, and admins; the last two are judged
//! now. Only the promise moves here; the worker takes the access away, and says so on evidence.

use std::collections::BTreeSet;

use domain::event::Stream;
use domain::grant::{Grant, GrantState};
use domain::id::{GrantId, UserId};
use domain::key::KeyState;
use domain::policy::Facts;
use domain::request::{AskState, Request};
use jiff::Timestamp;

use super::again::again;
use super::{Caller, Invalid, RequestDetail, Service, ServiceError, why};
use crate::store::{Commit, now};
use crate::world::World;

/// Grants that are ended at once: as many as a key may have.
const GRANTS_MAX: usize = 10;

/// What somebody ends, as it comes through a door.
#[derive(Debug, Clone)]
pub struct Ending {
    /// These grants, all on one key.
    pub grants: Vec<GrantId>,
    /// Why.
    pub reason: String,
    /// Whose they may be.
    pub whose: Whose,
}

/// Whose grants are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Their own: what speaks for them was not given more.
    Own,
    /// Anybody's, as far as policy lets them.
    Anyones,
}

impl Service {
    /// Ends grants of one key early: all that are named, or none.
    pub async fn end(&self, caller: &Caller, ending: &Ending) -> Result<(), ServiceError> {
        let reason = why(&ending.reason)?;
        let chosen: BTreeSet<GrantId> = ending.grants.iter().copied().collect();
        if chosen.is_empty() || chosen.len() > GRANTS_MAX {
            return Err(ServiceError::Invalid(vec![Invalid::Targets]));
        }
        again(|| self.try_end(caller, &chosen, reason, ending.whose)).await
    }

    async fn try_end(
        &self,
        caller: &Caller,
        chosen: &BTreeSet<GrantId>,
        reason: &str,
        whose: Whose,
    ) -> Result<(), ServiceError> {
        let ids: Vec<GrantId> = chosen.iter().copied().collect();
        let (grants, heads) = self.store.grants_with_heads(&ids).await?;
        let [first, others @ ..] = grants.as_slice() else {
            return Err(ServiceError::NotFound);
        };
        if grants.len() != chosen.len() || others.iter().any(|other| other.key != first.key) {
            return Err(ServiceError::NotFound);
        }
        let mut commit = Commit::new(caller.actor(), caller.source, now());
        if first.key.user != caller.who.id {
            self.judge_ending(caller, &grants, &mut commit).await?;
            if whose == Whose::Own {
                return Err(ServiceError::NotAllowed);
            }
        }
        let held = self.held(first.key.clone()).await?;
        for (id, head) in heads {
            commit.continue_stream(&Stream::Grant(id), head);
        }
        let stored = held.stored.as_ref().ok_or(ServiceError::NotLive)?;
        let mut state = stored.state.clone();
        for grant in grants {
            state = end_early(&mut commit, grant, state, reason)?;
        }
        self.change_key(&mut commit, Some(stored), state)?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Whether somebody else than its requester may end these, by a live look-up and the policy in
    /// force. To people whom they do not concern there are no such grants.
    async fn judge_ending(
        &self,
        caller: &Caller,
        grants: &[Grant],
        commit: &mut Commit,
    ) -> Result<(), ServiceError> {
        let world = self.world()?;
        let mut requests = Vec::with_capacity(grants.len());
        for grant in grants {
            let request = self.store.request(grant.request).await?;
            let request = request.ok_or(ServiceError::NotFound)?;
            self.must_see(&world, caller, &request)
                .or_else(|error| match error {
                    // Whoever could approve it then may have nothing to do with it today but this.
                    ServiceError::NotFound
                        if may_end(&world, &world.facts(), &caller.who.id, &request, grant) =>
                    {
                        Ok(())
                    }
                    other => Err(other),
                })?;
            requests.push(request);
        }
        let mut groups = world.policy.oversight_groups();
        for (request, grant) in requests.iter().zip(grants) {
            if let Some(rule) = rule_of(request, grant) {
                groups.extend(world.policy.approver_groups(rule));
            }
        }
        let people = BTreeSet::from([caller.who.id.clone()]);
        let live = self.read_live(&world, &people, &groups).await?;
        commit.under_policy(world.policy.version())?;
        let may = requests
            .iter()
            .zip(grants)
            .all(|(request, grant)| may_end(&world, &live.facts(), &caller.who.id, request, grant));
        if may {
            Ok(())
        } else {
            Err(ServiceError::NotAllowed)
        }
    }
}

/// One grant ends now, and its key knows; where its stream stands has been said.
pub(super) fn end_early(
    commit: &mut Commit,
    grant: Grant,
    state: KeyState,
    why: &str,
) -> Result<KeyState, ServiceError> {
    let id = grant.id;
    let (ended, (kind, details)) =
        grant
            .ended_early(why, commit.at())
            .map_err(|illegal| ServiceError::EndedAlready {
                found: illegal.found,
            })?;
    commit.event(&Stream::Grant(id), kind, &details)?;
    commit.change_grant(&ended, [])?;
    Ok(match ended.state {
        GrantState::Ended { .. } => state.without(id),
        _ => state.ending(id, ended.until),
    })
}

/// Whether there is something of it that can be ended early.
pub(super) fn goes_on(grant: &Grant, now: Timestamp) -> bool {
    match grant.state {
        GrantState::Scheduled => true,
        GrantState::Granting { .. } | GrantState::Active { .. } => now < grant.until,
        GrantState::Revoking { .. } | GrantState::Ended { .. } => false,
    }
}

/// The rule whose route gave the grant.
fn rule_of<'a>(request: &'a Request, grant: &Grant) -> Option<&'a str> {
    match &request.ask(grant.ask)?.state {
        AskState::Approved { rule, .. } => Some(rule),
        _ => None,
    }
}

/// Whether this person may end the grant, with these facts.
fn may_end(
    world: &World,
    facts: &Facts<'_>,
    user: &UserId,
    request: &Request,
    grant: &Grant,
) -> bool {
    grant.key.user == *user
        || world.policy.is_admin(user, facts)
        || rule_of(request, grant)
            .is_some_and(|rule| world.policy.is_approver_of(rule, user, facts))
}

impl RequestDetail {
    /// Whether the person looking may end this grant, by the snapshot; judged live when they do.
    #[must_use]
    pub fn can_end(&self, world: &World, caller: &Caller, grant: &Grant, now: Timestamp) -> bool {
        goes_on(grant, now) && may_end(world, &world.facts(), &caller.who.id, &self.request, grant)
    }
}
