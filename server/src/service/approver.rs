//! What an approver should know before they answer: what the requester has of that very target, and
//! what became of it before. Of nothing that the person looking could not approve in that request.

use std::collections::{BTreeMap, BTreeSet};

use domain::grant::{Grant, GrantState, Receipt};
use domain::id::{AskIndex, GrantId, RequestId, UserId};
use domain::request::{Ask, AskState, Opinion, Promise, Request, Review};
use domain::target::Target;
use futures::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};

use super::look::LIVE_MAX;
use super::{MINE_MAX, Service, ServiceError, Waiting};
use crate::store::now;

/// Cards that say what was before: nobody answers more in one go, and each person behind them costs
/// three reads. What comes after them says it on its own page, and here once it has moved up.
const CARDS_MAX: usize = 50;

/// People who are read at once.
const AT_ONCE: usize = 8;

/// What an approver means by "lately".
const LATELY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What the requester has, and had, of one target.
#[derive(Debug, Clone)]
pub struct Past {
    /// The request that waits.
    pub request: RequestId,
    /// Which ask of it.
    pub ask: AskIndex,
    /// Of the grants of it that last longer than now, the last to end.
    pub has: Option<Grant>,
    /// How often they had it in the last 30 days.
    pub times: usize,
    /// The last of those.
    pub last: Option<Grant>,
    /// All of those 30 days was read. If not, there may have been more.
    pub is_all: bool,
    /// The last time that somebody denied it.
    pub denied: Option<Review>,
}

/// What one person did lately, as far as somebody asks about it.
#[derive(Debug)]
struct Lately {
    user: UserId,
    /// Newest first.
    requests: Vec<Request>,
    /// What they have, and what came of those requests.
    grants: Vec<Grant>,
    is_all: bool,
}

impl Waiting {
    /// The asks that the person looking may review.
    fn theirs(&self) -> impl Iterator<Item = &Ask> {
        let both = self.request.asks.iter().zip(&self.asks);
        both.filter(|(ask, judged)| ask.state == AskState::Pending && judged.may_review.is_ok())
            .map(|(ask, _)| ask)
    }
}

impl Service {
    /// What was before the first of those requests, ask by ask. Each requester is read once, however
    /// many of the requests are theirs.
    pub async fn past(&self, waiting: &[Waiting]) -> Result<Vec<Past>, ServiceError> {
        let at = now();
        let cards = || waiting.iter().take(CARDS_MAX);
        let mut wanted: BTreeMap<UserId, BTreeSet<Target>> = BTreeMap::new();
        for one in cards() {
            let of_theirs = wanted.entry(one.request.requester.id.clone()).or_default();
            of_theirs.extend(one.theirs().map(|ask| ask.target.clone()));
        }
        let people: Vec<Lately> = futures::stream::iter(wanted)
            .map(|(user, targets)| async move { self.lately_of(user, &targets, at).await })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(cards()
            .flat_map(|one| one.theirs().map(move |ask| (&one.request, ask)))
            .filter_map(|(request, ask)| {
                let mut people = people.iter();
                let lately = people.find(|lately| lately.user == request.requester.id)?;
                Some(lately.before(request.id, ask, at))
            })
            .collect())
    }

    async fn lately_of(
        &self,
        user: UserId,
        targets: &BTreeSet<Target>,
        at: Timestamp,
    ) -> Result<Lately, ServiceError> {
        let (page, mut grants) = tokio::try_join!(
            self.store.requests_of(&user, MINE_MAX, None),
            self.store.live_grants_of(&user, LIVE_MAX),
        )?;
        let read: BTreeSet<GrantId> = grants.iter().map(|grant| grant.id).collect();
        let ended: Vec<GrantId> = page
            .requests
            .iter()
            .flat_map(|request| &request.asks)
            .filter(|ask| targets.contains(&ask.target))
            .filter_map(promised)
            .filter(|grant| !read.contains(grant))
            .collect();
        grants.extend(self.store.grants(&ended).await?);
        // What was asked for as long before may have begun later.
        let back_to = since(since(at));
        let oldest = page.requests.last();
        Ok(Lately {
            is_all: page.next.is_none()
                || oldest.is_some_and(|oldest| oldest.submitted_at < back_to),
            user,
            requests: page.requests,
            grants,
        })
    }
}

impl Lately {
    fn before(&self, request: RequestId, ask: &Ask, at: Timestamp) -> Past {
        let grants = || {
            let all = self.grants.iter();
            all.filter(|grant| grant.key.target == ask.target)
        };
        let had = || {
            let lately = since(at)..=at;
            grants().filter(move |grant| has_begun(grant) && lately.contains(&grant.until))
        };
        let lasts = |grant: &&Grant| grant.until > at && is_meant(grant);
        Past {
            request,
            ask: ask.index,
            has: grants()
                .filter(lasts)
                .max_by_key(|grant| grant.until)
                .cloned(),
            times: had().count(),
            last: had().max_by_key(|grant| grant.until).cloned(),
            is_all: self.is_all,
            denied: self.denied(&ask.target),
        }
    }

    /// The newest denial. What was only denied because something else in its request was, is none.
    fn denied(&self, target: &Target) -> Option<Review> {
        self.requests
            .iter()
            .flat_map(|request| &request.asks)
            .filter(|ask| ask.target == *target && matches!(ask.state, AskState::Denied { .. }))
            .flat_map(|ask| &ask.reviews)
            .filter(|review| review.opinion == Opinion::Deny)
            .max_by_key(|review| review.at)
            .cloned()
    }
}

fn since(at: Timestamp) -> Timestamp {
    at.saturating_sub(LATELY).unwrap_or(Timestamp::MIN)
}

fn promised(ask: &Ask) -> Option<GrantId> {
    match &ask.state {
        AskState::Approved {
            grant,
            promise: Promise::Made,
            ..
        } => Some(*grant),
        _ => None,
    }
}

/// Whether it still is, or will be, what they are to have.
const fn is_meant(grant: &Grant) -> bool {
    matches!(
        grant.state,
        GrantState::Scheduled | GrantState::Granting { .. } | GrantState::Active { .. }
    )
}

/// Whether they may have had something of it.
const fn has_begun(grant: &Grant) -> bool {
    !matches!(
        grant.state,
        GrantState::Scheduled
            | GrantState::Ended {
                receipt: Receipt::NeverGranted,
                ..
            }
    )
}
