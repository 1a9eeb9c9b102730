//! Those who have access or wait for some, and may have left: looked at about once in five minutes.
//!
//! The snapshot of the directory, where everybody is listed with their status, only says at whom to
//! look first. What counts is what `DescribeUser` says of one person, twice ([`domain::departure`]).

use std::collections::BTreeSet;
use std::time::Duration;

use domain::departure::{DEPARTURES_AN_HOUR, Gone, Opinion, Watch};
use domain::directory::Status;
use domain::id::UserId;
use tokio::time::Instant;

use super::{CLASS, Pace, Reconciler};
use crate::service::ServiceError;
use crate::store::{StoreError, now};

/// A pass begins at most this often.
const EVERY: Duration = Duration::from_mins(1);

/// After the table did not answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Looks in one pass: about one a second, the part of the quota that is reconciling's. Of 300
/// people, everybody is looked at within five minutes; of more, those at whom the snapshot hints.
const LOOKS_A_PASS: usize = 60;

/// Requests that are looked through for who waits, as for a page.
const OPEN_MAX: i32 = 1_000;

impl Reconciler {
    pub(super) async fn keep_people(&self) {
        let mut watch = Watch::default();
        loop {
            self.lead().await;
            let began = Instant::now();
            let pause = match self.look_after_people(&mut watch).await {
                Ok(()) => EVERY.saturating_sub(began.elapsed()),
                Err(error) => {
                    tracing::error!(%error, detail = error.detail(), "whether people have left cannot be looked after");
                    PAUSE
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn look_after_people(&self, watch: &mut Watch) -> Result<(), StoreError> {
        let concerned = self.concerned().await?;
        let hinted = self.hinted(&concerned);
        let looks = watch.to_look(&concerned, &hinted, now(), LOOKS_A_PASS);
        let people = self.worker.service().people();
        let pace = Pace::new(people.limiter().clone());
        let mut held_now = false;
        for user in looks {
            if !self.lease.held() {
                return Ok(());
            }
            pace.step().await;
            let asked = now();
            // What it said of it is logged there; the next pass asks again.
            let Ok(status) = people.status_for(&user, CLASS).await else {
                continue;
            };
            let found = match status {
                Some(Status::Active) => None,
                Some(Status::Disabled) => Some(Gone::Disabled),
                None => Some(Gone::NotFound),
            };
            let Opinion::Departed(departed) = watch.looked(&user, found, (asked, now())) else {
                continue;
            };
            match self.see_off(watch, &user, &departed).await {
                Ok(SeenOff::Done) => {}
                Ok(SeenOff::Held) => held_now = true,
                Err(error) => {
                    tracing::error!(%error, %user, "what somebody has who left could not be ended; it is tried again in five minutes");
                }
            }
        }
        // Over the limit of an hour: whoever watches this is to look why so many have left.
        #[expect(clippy::cast_precision_loss, reason = "people are fewer than 2^53")]
        metrics::gauge!("belay_departures_held").set(watch.held() as f64);
        if held_now {
            tracing::error!(
                people = watch.held(),
                an_hour = DEPARTURES_AN_HOUR,
                "more people seem to have left at once than is believed; their access keeps its windows for now"
            );
        }
        Ok(())
    }

    async fn see_off(
        &self,
        watch: &mut Watch,
        user: &UserId,
        departed: &domain::departure::Departed,
    ) -> Result<SeenOff, ServiceError> {
        let service = self.worker.service();
        let left = Box::pin(service.left_of(user)).await?;
        if left.is_nothing() {
            return Ok(SeenOff::Done);
        }
        if !watch.may_conclude(user, now()) {
            return Ok(SeenOff::Held);
        }
        tracing::warn!(%user, gone = departed.gone.word(), "somebody has left; what they have ends");
        metrics::counter!("belay_departures_total").increment(1);
        service.depart(user, departed, &left).await?;
        Ok(SeenOff::Done)
    }

    /// Who holds something, or waits for it.
    async fn concerned(&self) -> Result<BTreeSet<UserId>, StoreError> {
        let (live, open) =
            tokio::try_join!(self.live.recent(), self.store.open_requests(OPEN_MAX))?;
        let live = self.parse(live.entries.iter().map(|entry| &*entry.key));
        let holding = live.into_iter().map(|key| key.user);
        let waiting = open.into_iter().map(|request| request.requester.id);
        Ok(holding.chain(waiting).collect())
    }

    /// Of whom the snapshot says that they are disabled, or says nothing.
    fn hinted(&self, concerned: &BTreeSet<UserId>) -> BTreeSet<UserId> {
        let Some(world) = self.keeper.world() else {
            return BTreeSet::new();
        };
        let is_there = |user: &&UserId| {
            let person = world.directory.people.get(*user);
            person.is_none_or(|person| person.status != Status::Active)
        };
        concerned.iter().filter(is_there).cloned().collect()
    }
}

/// What came of a departure.
#[derive(Debug)]
enum SeenOff {
    /// Nothing is left.
    Done,
    /// Too many left within the hour.
    Held,
}
