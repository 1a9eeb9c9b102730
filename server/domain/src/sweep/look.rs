//! The complete looks at the whole organisation, as far back as the sweep has to remember them.
//!
//! What was found is known once a look at everything that began later has shown it again. A look is
//! one that read every pair by itself; those that failed anywhere are deliberately absent.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Looks that are remembered within a grace: each leaves out at most this part of it, by which what
/// is found is known later than it might be, never earlier.
const PARTS: i64 = 48;

/// One complete look at the whole organisation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// When it began.
    pub began_at: Timestamp,
    /// When everything was read.
    pub finished_at: Timestamp,
    /// People's own assignments that it showed.
    pub seen: u32,
    /// What it found and had no room to tell.
    pub untold: u32,
}

/// The looks, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looks(Vec<Look>);

impl Looks {
    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<&Look> {
        self.0.last()
    }

    /// Those that are remembered.
    #[must_use]
    pub fn all(&self) -> &[Look] {
        &self.0
    }

    /// One more, and without those that say nothing more: all but one of those older than the grace,
    /// and of those within it all but one for each part.
    pub fn add(&mut self, look: Look, grace: SignedDuration) {
        let now = look.finished_at;
        self.0.push(look);
        let is_old = |look: &Look| now.duration_since(look.finished_at) >= grace;
        let old = self.0.iter().take_while(|look| is_old(look)).count();
        // The last two are compared with each other, however short the grace is.
        let first = old.min(self.0.len().saturating_sub(1)).saturating_sub(1);
        self.0.drain(..first);
        let part = SignedDuration::from_secs(grace.as_secs() / PARTS);
        let last = self.0.len().saturating_sub(1);
        let mut kept: Vec<Look> = Vec::with_capacity(self.0.len());
        for (index, look) in std::mem::take(&mut self.0).into_iter().enumerate() {
            let is_near = kept
                .last()
                .is_some_and(|before| look.began_at.duration_since(before.began_at) < part);
            if !is_near || index >= last.saturating_sub(1) {
                kept.push(look);
            }
        }
        self.0 = kept;
    }

    /// When a second look agreed with the one that found it: the first that began later.
    #[must_use]
    pub fn known_since(&self, found_at: Timestamp) -> Option<Timestamp> {
        let mut later = self.0.iter().filter(|look| look.began_at > found_at);
        later.next().map(|look| look.finished_at)
    }
}
