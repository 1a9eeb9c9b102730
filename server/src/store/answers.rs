//! How long people took to answer, by rule: the last 32 answers, for a figure beside a form.
//!
//! The transaction that records a decision leaves the time it took under one of 32 places of its rule,
//! which the request's id chooses. So nothing is read first, nothing grows, an answer is counted once,
//! and two decisions at the same moment seldom meet. What is lost when two requests share a place is
//! one answer of many. Deliberately absent: any effect on a decision.

use domain::answer;
use domain::id::RequestId;
use domain::request::Request;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::commit::Commit;
use super::item;
use super::keys;
use super::reads::{Range, readable};
use super::records::expires;
use super::{Store, StoreError};

/// Habits of a quarter ago are not those of today.
const KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);

/// How long one took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Answer {
    /// Of which request.
    request: RequestId,
    /// When it was answered.
    answered_at: Timestamp,
    /// How long after it was submitted.
    seconds: u32,
}

impl Commit {
    /// Keeps how long it took to decide what people have decided in this change.
    pub(super) fn leave_answers(
        &mut self,
        before: &Request,
        now: &Request,
    ) -> Result<(), StoreError> {
        for (rule, seconds) in answer::answered(before, now) {
            let answer = Answer {
                request: now.id,
                answered_at: self.at(),
                seconds,
            };
            let mut item = item::attributes(&answer)?;
            item.insert("expires_at".to_owned(), expires(self.at(), KEPT));
            self.put(&keys::answer(&rule, now.id), item, None)?;
        }
        Ok(())
    }
}

impl Store {
    /// How long answers by this rule's approvers usually take, in seconds; `None`: too few are known.
    /// One query, of at most 32 small items.
    pub async fn usual_answer(
        &self,
        rule: &str,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        let range = Range::prefix(keys::answers(rule), "", i32::from(keys::ANSWER_PLACES));
        let (items, _) = self.range(range, None).await?;
        let answers = items.into_iter().filter_map(readable::<Answer>);
        // What DynamoDB has not yet got round to removing.
        let fresh = answers.filter(|one| now.duration_since(one.answered_at) <= KEPT);
        Ok(answer::usual(fresh.map(|one| one.seconds).collect()))
    }
}
