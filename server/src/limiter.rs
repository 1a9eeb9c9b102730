//! How fast AWS may be asked, and who asks first: one budget of calls a second for each quota,
//! shared by everything in this process.
//!
//! Whoever wants to call takes a [`Turn`] of its [`Class`]. Higher classes go first; none starves
//! ([`line`]). The budget finds its own size ([`rate`]): others use the same quota, and AWS says
//! only when it was too much. A turn that is not used goes back.
//!
//! Deliberately absent: retries. What failed comes again in its own time, as a retry.

mod line;
mod rate;

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

pub use line::{Class, Try};

use line::{Line, Next};
use rate::Rate;

/// The longest nap of whoever hands out turns: what was owed to a class is noticed this late.
const NAP_MAX: Duration = Duration::from_millis(50);

/// A budget of calls. Cheap to clone; all clones share it.
#[derive(Debug, Clone)]
pub struct Limiter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    line: Line<oneshot::Sender<Turn>>,
    /// Whether a task hands out turns.
    tended: bool,
}

/// Leave to make one call.
#[derive(Debug)]
#[must_use = "a turn that is dropped goes back"]
pub struct Turn(Option<Limiter>);

impl Turn {
    /// The call is made.
    pub fn spend(mut self) {
        self.0 = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(limiter) = self.0.take() {
            limiter.state().rate.give_back();
        }
    }
}

impl Limiter {
    /// At most so many calls a second.
    #[must_use]
    pub fn new(ceiling: NonZeroU32) -> Self {
        let now = Instant::now();
        Self(Arc::new(Inner {
            state: Mutex::new(State {
                rate: Rate::new(ceiling, now),
                line: Line::new(now),
                tended: false,
            }),
            arrived: Notify::new(),
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a turn. Whoever stops waiting leaves the line.
    pub async fn acquire(&self, class: Class, attempt: Try) -> Turn {
        loop {
            let (tell, told) = oneshot::channel();
            let tend = {
                let mut state = self.state();
                let now = Instant::now();
                state.line.join(class, attempt, tell, now);
                self.serve(&mut state, now);
                let tend = !state.line.is_empty() && !state.tended;
                state.tended |= tend;
                tend
            };
            if tend {
                tokio::spawn(self.clone().tend());
            } else {
                self.0.arrived.notify_one();
            }
            // The other end is dropped only with the line itself.
            if let Ok(turn) = told.await {
                return turn;
            }
        }
    }

    /// Waits for a turn and uses it.
    pub async fn pass(&self, class: Class) {
        self.acquire(class, Try::First).await.spend();
    }

    /// AWS said that it was too fast.
    pub fn throttled(&self) {
        let mut state = self.state();
        state.rate.throttled(Instant::now());
        metrics::counter!("belay_aws_throttled_total").increment(1);
    }

    /// Calls a second that are allowed now.
    #[must_use]
    pub fn allowed(&self) -> f64 {
        let mut state = self.state();
        state.rate.refill(Instant::now());
        state.rate.allowed()
    }

    /// Hands out turns for as long as somebody waits.
    async fn tend(self) {
        loop {
            let nap = {
                let mut state = self.state();
                let nap = self.serve(&mut state, Instant::now());
                if nap.is_none() {
                    state.tended = false;
                    return;
                }
                nap.unwrap_or_default()
            };
            tokio::select! {
                () = tokio::time::sleep(nap) => {}
                () = self.0.arrived.notified() => {}
            }
        }
    }

    /// Hands out what can be handed out now, and says when to come back; `None`: nobody waits.
    fn serve(&self, state: &mut State, now: Instant) -> Option<Duration> {
        loop {
            state.rate.refill(now);
            match state.line.next(now, &state.rate) {
                Next::Nobody => return None,
                Next::NotBefore { permits } => {
                    let nap = state.rate.until(permits);
                    return Some(nap.clamp(Duration::from_millis(1), NAP_MAX));
                }
                Next::NotYet => return Some(NAP_MAX),
                Next::Serve { waiter, attempt } => {
                    state.rate.take(attempt);
                    if let Err(mut unwanted) = waiter.send(Turn(Some(self.clone()))) {
                        // Not by dropping it: that would want the lock that is held here.
                        unwanted.0 = None;
                        state.rate.give_back();
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
