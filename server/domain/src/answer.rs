//! How long people usually take to answer a request: what somebody who is about to ask wants to know.
//! Pure: what counts as an answer, and what is usual.
//!
//! Counted is each ask that people decided, from its submission to the review that decided it. Not
//! counted is what nobody answered (it expired, or was taken back) and what policy answered alone.

use std::collections::BTreeMap;

use serde::Deserialize as _;

use crate::policy::Verdict;
use crate::request::{AskState, Request};

/// Fewer answers than these say nothing of what is usual.
const ENOUGH: usize = 3;

/// Rules of one request that an answer is counted for: ten asks with several ways each could name
/// more than a transaction holds.
const RULES_MAX: usize = 5;

/// How long the asks waited that people have just decided, in seconds, by the rule whose approvers
/// were asked: the one that was completed; of a denial, each that could have been.
#[must_use]
pub fn answered(before: &Request, now: &Request) -> BTreeMap<String, u32> {
    let mut waited = BTreeMap::new();
    for (before, now_ask) in before.asks.iter().zip(&now.asks) {
        if before.state != AskState::Pending || now_ask.reviews.is_empty() {
            continue;
        }
        let (at, rules): (_, Vec<String>) = match &now_ask.state {
            AskState::Approved { at, rule, .. } => (*at, vec![rule.clone()]),
            AskState::Denied { at, .. } => {
                // One that cannot be read has been reported by whoever judged it.
                let verdict = Verdict::deserialize(&now_ask.verdict);
                let routes = verdict.map_or_else(|_| Vec::new(), |verdict| verdict.routes);
                let rules = routes.iter().map(|route| route.rule.to_string());
                (*at, rules.collect())
            }
            AskState::Pending | AskState::Withdrawn { .. } | AskState::Expired { .. } => continue,
        };
        let seconds = at.duration_since(now.submitted_at).as_secs().max(0);
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        for rule in rules {
            if waited.len() < RULES_MAX {
                waited.insert(rule, seconds);
            }
        }
    }
    waited
}

/// What is usual among these: half of the answers took no longer. `None`: too few to say.
#[must_use]
pub fn usual(mut seconds: Vec<u32>) -> Option<u32> {
    if seconds.len() < ENOUGH {
        return None;
    }
    seconds.sort_unstable();
    seconds.get(seconds.len().div_ceil(2) - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::usual;

    #[test]
    fn half_of_the_answers_took_no_longer_than_what_is_usual() {
        assert_eq!(usual(vec![900, 60, 300]), Some(300));
        assert_eq!(usual(vec![60, 900, 300, 86_400]), Some(300));
        assert_eq!(usual(vec![5, 4, 3, 2, 1]), Some(3));
    }

    #[test]
    fn two_answers_are_no_habit() {
        assert_eq!(usual(vec![60, 61]), None);
        assert_eq!(usual(Vec::new()), None);
    }
}
