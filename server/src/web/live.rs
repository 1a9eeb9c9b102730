//! `/live`: tells a page what changed, so that it asks again.
//!
//! Only topics travel, never what changed: each read that follows is judged for its reader. A topic
//! that names a request goes only to those who may see that request.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use domain::id::{RequestId, UserId};
use domain::request::Request;
use futures::Stream;
use futures::stream::unfold;
use http::{HeaderValue, StatusCode};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tower_sessions::Session;

use crate::service::Caller;
use crate::store::{Committed, Store, Topic};

use super::signed_in::{self, PERSON, Person};
use super::{Portal, problem};

/// Proxies drop what is silent for a minute; this is well below it.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Who signs out elsewhere, or whose session ends, hears nothing more after this.
const CHECK_SESSION: Duration = Duration::from_secs(30);

/// Fewer than the connections that the listener takes, so that pages can still be loaded.
const MAX_STREAMS: usize = 3_000;

/// More tabs than anybody reads; a page in the hands of a broken script stops here.
const MAX_STREAMS_A_PERSON: usize = 20;

/// Changes that are told in one event when they come in quick succession.
const TOPICS_MAX: usize = 50;

/// How long a request that changed is remembered: every open stream hears of the same change at the
/// same moment, and one read serves them all.
const CHANGED_KEPT: Duration = Duration::from_secs(1);

/// The open streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams {
    /// How many each person has.
    open: Arc<Mutex<HashMap<UserId, usize>>>,
    changed: Changed,
}

/// Requests that changed just now, to judge who may hear of it.
#[derive(Debug, Clone, Default)]
struct Changed(Arc<tokio::sync::Mutex<HashMap<RequestId, Read>>>);

/// When it was read, and what was there.
type Read = (Instant, Option<Arc<Request>>);

impl Changed {
    /// The request; those who ask while it is being read wait for the same answer.
    async fn read(&self, store: &Store, id: RequestId) -> Option<Arc<Request>> {
        let mut changed = self.0.lock().await;
        changed.retain(|_, (at, _)| at.elapsed() < CHANGED_KEPT);
        if let Some((_, request)) = changed.get(&id) {
            return request.clone();
        }
        let request = match store.request(id).await {
            Ok(request) => request.map(Arc::new),
            Err(error) => {
                tracing::warn!(%error, "a request could not be read, so its change is not told");
                None
            }
        };
        changed.insert(id, (Instant::now(), request.clone()));
        request
    }
}

/// One open stream; counts until it is dropped.
#[derive(Debug)]
struct Place {
    streams: Streams,
    user: UserId,
}

impl Streams {
    fn take(&self, user: &UserId) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.values().sum::<usize>() >= MAX_STREAMS {
            return None;
        }
        let mine = open.entry(user.clone()).or_default();
        if *mine >= MAX_STREAMS_A_PERSON {
            return None;
        }
        *mine += 1;
        metrics::gauge!("belay_live_streams").increment(1);
        Some(Place {
            streams: self.clone(),
            user: user.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self
            .streams
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(mine) = open.get_mut(&self.user) {
            *mine -= 1;
            if *mine == 0 {
                open.remove(&self.user);
            }
        }
        metrics::gauge!("belay_live_streams").decrement(1);
    }
}

/// Reading the organisation takes seconds after a start; a request may take 30 s in all.
const WAIT_FOR_WORLD: Duration = Duration::from_secs(20);
const LOOK_FOR_WORLD: Duration = Duration::from_millis(100);

/// Opens a stream for the signed-in person; to anybody else it says that there is nothing, and
/// browsers do not ask again after that.
pub(super) async fn stream(State(portal): State<Portal>, session: Session) -> Response {
    let person = match signed_in::look(&session).await {
        Ok(Some(person)) => person,
        Ok(None) => return StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::error!(%error, "a session could not be read");
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
    };
    let Some(place) = portal.streams.take(&person.user) else {
        return problem::page(
            &portal,
            &http::HeaderMap::new(),
            app::view::PageProblem::TooMany,
        );
    };
    // Just after a start nobody can be told anything yet, and a browser that reads anew as soon as
    // its stream opens would be told just that. So the stream opens when there is something to say.
    let begun = Instant::now();
    while portal.service.world().is_err()
        && begun.elapsed() < WAIT_FOR_WORLD
        && !portal.shutdown.is_cancelled()
    {
        tokio::time::sleep(LOOK_FOR_WORLD).await;
    }
    let mut check = interval(CHECK_SESSION);
    check.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first tick is immediate, and the session was read just now.
    check.reset();
    let listener = Listener {
        news: portal.service.store().news(),
        // It looks, and never acts.
        caller: person.caller(None),
        session,
        check,
        portal,
        _place: place,
    };
    let mut response = Sse::new(events(listener))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
        .into_response();
    // Otherwise nginx waits until it has a page full.
    response
        .headers_mut()
        .insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

struct Listener {
    portal: Portal,
    caller: Caller,
    session: Session,
    news: Receiver<Arc<Committed>>,
    check: Interval,
    _place: Place,
}

fn events(listener: Listener) -> impl Stream<Item = Result<Event, Infallible>> {
    unfold(listener, |mut listener| async move {
        let topics = listener.next().await?;
        let event = Event::default()
            .event("change")
            .json_data(serde_json::json!({ "topics": topics }))
            .ok()?;
        Some((Ok(event), listener))
    })
}

impl Listener {
    /// The next topics that concern this person; `None` ends the stream.
    async fn next(&mut self) -> Option<Vec<String>> {
        let shutdown = self.portal.shutdown.clone();
        loop {
            let news = tokio::select! {
                () = shutdown.cancelled() => return None,
                _ = self.check.tick() => {
                    if !self.is_still_signed_in().await {
                        return None;
                    }
                    continue;
                }
                news = self.news.recv() => news,
            };
            let mut topics = match news {
                Ok(committed) => committed.topics.clone(),
                // What was missed is unknown. The browser opens the stream again, and then reads
                // whatever it shows anew.
                Err(RecvError::Lagged(_) | RecvError::Closed) => return None,
            };
            while topics.len() < TOPICS_MAX {
                match self.news.try_recv() {
                    Ok(more) => topics.extend(more.topics.iter().cloned()),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Lagged(_) | TryRecvError::Closed) => return None,
                }
            }
            topics.sort_unstable();
            topics.dedup();
            if topics.contains(&Topic::Missed.to_string()) {
                return None;
            }
            let topics = self.visible(topics).await;
            if !topics.is_empty() {
                return Some(topics);
            }
        }
    }

    /// Drops what this person may not know of.
    async fn visible(&self, topics: Vec<String>) -> Vec<String> {
        let mut visible = Vec::new();
        for topic in topics {
            let keep = match topic.strip_prefix("request:") {
                Some(id) => self.may_see(id).await,
                None => topic != Topic::Work.to_string(),
            };
            if keep {
                visible.push(topic);
            }
        }
        visible
    }

    async fn may_see(&self, id: &str) -> bool {
        let Ok(id) = RequestId::parse(id) else {
            return false;
        };
        let service = &self.portal.service;
        match self.portal.streams.changed.read(service.store(), id).await {
            Some(request) => service.may_see(&self.caller, &request),
            None => false,
        }
    }

    async fn is_still_signed_in(&self) -> bool {
        if let Err(error) = self.session.load().await {
            // The table is away; what this stream says gives nothing away by itself.
            tracing::debug!(%error, "a session could not be read again");
            return true;
        }
        matches!(
            self.session.get::<Person>(PERSON).await,
            Ok(Some(person)) if person.user == self.caller.who.id && !person.is_over()
        )
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_person_has_a_limit_and_gets_it_back() {
        let streams = Streams::default();
        let ana = UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").unwrap();
        let ben = UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c").unwrap();
        let mut places: Vec<Place> = (0..MAX_STREAMS_A_PERSON)
            .map(|_| streams.take(&ana).unwrap())
            .collect();
        assert!(streams.take(&ana).is_none());
        assert!(streams.take(&ben).is_some());
        places.pop();
        assert!(streams.take(&ana).is_some());
    }
}
