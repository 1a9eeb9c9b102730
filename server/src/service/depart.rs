//! Depart: somebody has left the organisation. What they wait for is withdrawn, what they have
//! ends, and they are signed out everywhere. Reconciling asks for this; nobody else can.
//!
//! Safe to repeat: each step does what is left of it. Deliberately absent: taking anything away
//! here. As with every end, the promise moves and the worker proves the rest.

use std::collections::{BTreeMap, BTreeSet};

use domain::departure::Departed;
use domain::event::{Actor, Details, Kind, Source, Stream};
use domain::grant::Grant;
use domain::id::{GrantId, RequestId, UserId};
use domain::request::{Refused, Who};
use domain::target::Key;

use super::again::again;
use super::approve::Approval;
use super::end::{end_early, goes_on};
use super::{PENDING_MAX, Service, ServiceError};
use crate::store::{Commit, now};

/// Live grants of one person that are ended at once: far more than anybody has. What is over it is
/// found five minutes later.
const LIVE_MAX: i32 = 500;

/// What somebody who has left still has.
#[derive(Debug, Default)]
pub struct Left {
    requests: BTreeSet<RequestId>,
    keys: BTreeMap<Key, BTreeSet<GrantId>>,
    has_sessions: bool,
}

impl Left {
    /// Whether there is nothing to end.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.requests.is_empty() && self.keys.is_empty() && !self.has_sessions
    }
}

impl Service {
    /// What this person still has: what they wait for, what they hold, and whether they are signed in.
    pub async fn left_of(&self, user: &UserId) -> Result<Left, ServiceError> {
        let (tally, grants, has_sessions) = tokio::try_join!(
            self.store.tally(user),
            self.store.live_grants_of(user, LIVE_MAX),
            self.store.has_sessions(user),
        )?;
        let mut left = Left {
            requests: tally.pending.into_values().take(PENDING_MAX).collect(),
            has_sessions,
            ..Left::default()
        };
        let at = now();
        for grant in grants.iter().filter(|grant| goes_on(grant, at)) {
            left.keys
                .entry(grant.key.clone())
                .or_default()
                .insert(grant.id);
        }
        Ok(left)
    }

    /// Ends all of it.
    pub async fn depart(
        &self,
        user: &UserId,
        departed: &Departed,
        left: &Left,
    ) -> Result<(), ServiceError> {
        let why = departed.to_string();
        self.record_departure(user, departed, left).await?;
        for request in &left.requests {
            again(|| self.abandon(*request, &why)).await?;
        }
        for (key, grants) in &left.keys {
            again(|| self.end_all(key, grants, &why)).await?;
        }
        self.store.close_sessions(user).await?;
        Ok(())
    }

    async fn record_departure(
        &self,
        user: &UserId,
        departed: &Departed,
        left: &Left,
    ) -> Result<(), ServiceError> {
        let world = self.world()?;
        let known = world.directory.people.get(user);
        let who = Who {
            id: user.clone(),
            name: known.map_or_else(|| user.to_string(), |person| person.display_name.clone()),
            email: known.and_then(|person| person.emails.first().cloned()),
        };
        let mut details = Details {
            requester: Some(who),
            ..Details::default()
        };
        let grants: usize = left.keys.values().map(BTreeSet::len).sum();
        let more = [
            ("gone", departed.gone.word().into()),
            ("first_look_at", departed.first.to_string().into()),
            ("second_look_at", departed.second.to_string().into()),
            ("requests", left.requests.len().into()),
            ("grants", grants.into()),
        ];
        details.more.extend(more);
        let stream = Stream::Server(self.me);
        again(|| async {
            let mut commit = self.departure();
            commit.continue_stream(&stream, self.store.head(&stream).await?);
            commit.event(&stream, Kind::PersonDeparted, &details)?;
            self.store.commit(commit).await?;
            Ok(())
        })
        .await
    }

    /// Withdraws what waits of a request. One that was decided meanwhile is left as it is.
    async fn abandon(&self, id: RequestId, why: &str) -> Result<(), ServiceError> {
        let Some(before) = self.store.request(id).await? else {
            return Ok(());
        };
        let undecided = before.undecided();
        if undecided.is_empty() {
            return Ok(());
        }
        let mut commit = self.departure();
        let stream = Stream::Request(id);
        commit.continue_stream(&stream, self.store.head(&stream).await?);
        let mut approval = Approval::new(before.clone());
        for index in undecided {
            let request = approval.request().clone();
            match request.abandoned(index, why, commit.at()) {
                Ok(transition) => approval.advance(&mut commit, transition)?,
                // Its time is up, which the worker records.
                Err(Refused::Decided { .. }) => return Ok(()),
                Err(refused) => return Err(refused.into()),
            };
        }
        self.store_request(&mut commit, &before, approval.request())
            .await?;
        self.store.commit(commit).await?;
        Ok(())
    }

    /// Ends what goes on of these grants of one key.
    async fn end_all(
        &self,
        key: &Key,
        chosen: &BTreeSet<GrantId>,
        why: &str,
    ) -> Result<(), ServiceError> {
        let ids: Vec<GrantId> = chosen.iter().copied().collect();
        let (grants, heads) = self.store.grants_with_heads(&ids).await?;
        let mut commit = self.departure();
        let at = commit.at();
        let grants: Vec<Grant> = grants
            .into_iter()
            .filter(|grant| goes_on(grant, at))
            .collect();
        let held = self.held(key.clone()).await?;
        let Some(stored) = held.stored.as_ref().filter(|_| !grants.is_empty()) else {
            return Ok(());
        };
        for (id, head) in heads {
            commit.continue_stream(&Stream::Grant(id), head);
        }
        let mut state = stored.state.clone();
        for grant in grants {
            state = end_early(&mut commit, grant, state, why)?;
        }
        self.change_key(&mut commit, Some(stored), state)?;
        self.store.commit(commit).await?;
        Ok(())
    }

    fn departure(&self) -> Commit {
        Commit::new(Actor::Server(self.me), Source::Worker, now())
    }
}
