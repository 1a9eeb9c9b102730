//! AWS's places for outstanding operations, and who gets the next.
//!
//! Ends before grants, but three of the places are the grants' as long as any wait. AWS changes a
//! permission set's role in an account one operation at a time, so a second one there would hold a
//! place only to wait: others go first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::key::Action;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::Pair;

/// Operations that AWS lets be outstanding.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/limits.html>
const OUTSTANDING_MAX: usize = 15;

/// Of these, the grants' while any wait (DESIGN 9).
const KEPT_FOR_GRANTS: usize = 3;

/// An operation that takes longer than this may be stuck, and must not keep others from its pair
/// while there are places to spare. AWS needs one to a few seconds.
const SLOW: Duration = Duration::from_secs(15);

/// How often somebody who waits looks whether what they wait behind has become slow.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The places of one instance. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Places(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    held: Vec<Held>,
    waiting: VecDeque<Waiting>,
    taken: u64,
}

#[derive(Debug)]
struct Held {
    number: u64,
    pair: Pair,
    action: Action,
    since: Instant,
}

#[derive(Debug)]
struct Waiting {
    pair: Pair,
    action: Action,
    tell: oneshot::Sender<Place>,
}

/// A place, until dropped.
#[derive(Debug)]
pub struct Place {
    places: Option<Places>,
    number: u64,
}

impl Place {
    /// For what needs none.
    pub(super) const fn none() -> Self {
        Self {
            places: None,
            number: 0,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.places.take() {
            let mut state = places.state();
            state.held.retain(|held| held.number != self.number);
            places.fill(&mut state);
        }
    }
}

impl Places {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a place.
    pub(super) async fn take(&self, pair: Pair, action: Action) -> Place {
        loop {
            let (tell, mut told) = oneshot::channel();
            {
                let mut state = self.state();
                let pair = pair.clone();
                state.waiting.push_back(Waiting { pair, action, tell });
                self.fill(&mut state);
            }
            loop {
                tokio::select! {
                    place = &mut told => match place {
                        Ok(place) => return place,
                        // Cannot be: who waits is only ever given a place.
                        Err(_) => break,
                    },
                    () = tokio::time::sleep(LOOK_EVERY) => self.fill(&mut self.state()),
                }
            }
        }
    }

    /// A place for what is outstanding already.
    pub(super) fn occupy(&self, pair: Pair, action: Action) -> Place {
        self.hold(&mut self.state(), pair, action)
    }

    fn hold(&self, state: &mut State, pair: Pair, action: Action) -> Place {
        state.taken += 1;
        let number = state.taken;
        state.held.push(Held {
            number,
            pair,
            action,
            since: Instant::now(),
        });
        Place {
            places: Some(self.clone()),
            number,
        }
    }

    /// Gives free places to those who are next.
    fn fill(&self, state: &mut State) {
        state.waiting.retain(|waiting| !waiting.tell.is_closed());
        while state.held.len() < OUTSTANDING_MAX {
            let Some(next) = state.next() else {
                return;
            };
            let Some(Waiting { pair, action, tell }) = state.waiting.remove(next) else {
                return;
            };
            let place = self.hold(state, pair, action);
            if let Err(mut unwanted) = tell.send(place) {
                // Not by dropping it: that would want the lock that is held here.
                unwanted.places = None;
                state.held.retain(|held| held.number != unwanted.number);
            }
        }
    }
}

impl State {
    /// Who is next, if anybody may go.
    fn next(&self) -> Option<usize> {
        let grants = self
            .held
            .iter()
            .filter(|held| held.action == Action::Create)
            .count();
        let order = if grants < KEPT_FOR_GRANTS {
            [Action::Create, Action::Delete]
        } else {
            [Action::Delete, Action::Create]
        };
        let find = |busy: &dyn Fn(&Held) -> bool| {
            order.iter().find_map(|action| {
                self.waiting.iter().position(|waiting| {
                    waiting.action == *action
                        && !self
                            .held
                            .iter()
                            .any(|held| held.pair == waiting.pair && busy(held))
                })
            })
        };
        find(&|_| true).or_else(|| find(&|held| held.since.elapsed() < SLOW))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn pair(number: usize) -> Pair {
        Pair {
            account: format!("{:012}", 111_122_223_333 + number).parse().unwrap(),
            permission_set:
                "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef"
                    .parse()
                    .unwrap(),
        }
    }

    async fn fill(places: &Places, action: Action) -> Vec<Place> {
        let mut held = Vec::new();
        for number in 0..OUTSTANDING_MAX {
            held.push(places.take(pair(number), action).await);
        }
        held
    }

    /// Waits in the background, and says which came.
    fn queue(
        places: &Places,
        what: &'static str,
        pair: Pair,
        action: Action,
        came: &tokio::sync::mpsc::UnboundedSender<(&'static str, Place)>,
    ) {
        let (places, came) = (places.clone(), came.clone());
        tokio::spawn(async move {
            let place = places.take(pair, action).await;
            let _ = came.send((what, place));
        });
    }

    #[tokio::test(start_paused = true)]
    async fn ends_go_before_grants_but_three_places_are_the_grants() {
        let places = Places::new();
        let mut held = fill(&places, Action::Delete).await;
        let (tell, mut came) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..5 {
            queue(&places, "end", pair(100 + number), Action::Delete, &tell);
        }
        for number in 0..5 {
            queue(&places, "grant", pair(200 + number), Action::Create, &tell);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        let mut order = Vec::new();
        let mut kept = Vec::new();
        for _ in 0..10 {
            held.pop();
            let (what, place) = came.recv().await.unwrap();
            order.push(what);
            kept.push(place);
        }
        let expected = [
            "grant", "grant", "grant", "end", "end", "end", "end", "end", "grant", "grant",
        ];
        assert_eq!(order, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_pair_lets_others_go_first_and_a_slow_one_holds_nobody_up() {
        let places = Places::new();
        let slow = places.take(pair(1), Action::Delete).await;
        let (tell, mut came) = tokio::sync::mpsc::unbounded_channel();
        queue(&places, "same", pair(1), Action::Delete, &tell);
        queue(&places, "other", pair(2), Action::Delete, &tell);
        let (what, other) = came.recv().await.unwrap();
        assert_eq!(what, "other");
        let waited = Instant::now();
        let (what, same) = came.recv().await.unwrap();
        assert_eq!(what, "same");
        assert!(
            waited.elapsed() + LOOK_EVERY >= SLOW,
            "{:?}",
            waited.elapsed()
        );
        drop((slow, other, same));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_outstanding_counts_and_who_leaves_takes_nothing() {
        let places = Places::new();
        let mut held: Vec<Place> = (0..OUTSTANDING_MAX)
            .map(|_| places.occupy(pair(1), Action::Delete))
            .collect();
        let leaves = {
            let places = places.clone();
            tokio::spawn(async move { places.take(pair(2), Action::Create).await })
        };
        tokio::time::sleep(Duration::from_millis(1)).await;
        assert!(!leaves.is_finished());
        leaves.abort();
        held.pop();
        let place = places.take(pair(3), Action::Delete).await;
        drop(place);
    }
}
