//! Preview: what would become of a submission if it went in now. Judged as [`submit`](super::submit)
//! judges it, with the same limits, but by the snapshot, and nothing is kept: it promises nothing.

use std::num::NonZeroUsize;

use domain::id::RequestId;
use domain::policy::{Code, Verdict};
use domain::target::Target;

use super::asked::{Asked, Submission};
use super::submit::{Judging, terms, within_limits};
use super::{Caller, RefusedTarget, Service, ServiceError, WhyRefused, first};
use crate::store::now;

/// What would become of one target.
#[derive(Debug, Clone, PartialEq)]
pub enum Foreseen {
    /// What policy would say, as its requester may know it.
    Verdict(Box<Verdict>),
    /// They wait for it already: this is where.
    Pending(RequestId),
}

impl Service {
    /// What would become of each target, in the order of the submission. A reason that is not there
    /// yet does not count against it.
    pub async fn preview(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Vec<(Target, Foreseen)>, ServiceError> {
        let world = self.world()?;
        let asked = Asked::of(&world, submission)?;
        let first = self.first(caller, submission).await?;
        let at = now();
        let tally = async { Ok(self.store.tally(&caller.who.id).await?) };
        let (tally, held) = tokio::try_join!(tally, self.held_on(caller, &asked.targets))?;
        let terms = terms(submission, &held, at)?;
        let reason = NonZeroUsize::new(submission.reason_chars());
        let judging = Judging {
            duration_seconds: submission.duration_seconds,
            reason_chars: reason.map_or_else(|| world.policy.reason_min(), NonZeroUsize::get),
            terms: &terms,
            break_glass: first::asked(first.as_ref()),
            at,
        };
        let foreseen: Vec<(Target, Foreseen)> = held
            .iter()
            .map(|held| {
                let target = held.key.target.to_string();
                // Whoever goes in first may have asked before, and waited in vain.
                let pending = tally.pending.get(&target).filter(|_| first.is_none());
                let foreseen = pending.map_or_else(
                    || {
                        let verdict = judging.verdict(&world, &world.facts(), held);
                        Foreseen::Verdict(Box::new(verdict.for_requester()))
                    },
                    |request| Foreseen::Pending(*request),
                );
                (held.key.target.clone(), foreseen)
            })
            .collect();
        // What they may not ask for is told as what nobody has heard of, and like there.
        let secret: Vec<RefusedTarget> = foreseen
            .iter()
            .enumerate()
            .filter_map(|(place, (_, one))| match one {
                Foreseen::Verdict(verdict) if verdict.code == Code::NotAvailable => {
                    Some(asked.refused(place, WhyRefused::Policy(verdict.clone())))
                }
                Foreseen::Verdict(_) | Foreseen::Pending(_) => None,
            })
            .collect();
        if !secret.is_empty() {
            return Err(ServiceError::Refused(secret));
        }
        let waits = |one: &(Target, Foreseen)| matches!(one.1, Foreseen::Pending(_));
        // Asking for what they wait for leads there, and counts as nothing.
        if !foreseen.iter().all(waits) {
            within_limits(tally, &asked, at)?;
        }
        Ok(foreseen)
    }

    /// In how many seconds this rule's approvers usually answer; `None`: too few answers are known.
    pub async fn usual_answer(&self, rule: &str) -> Result<Option<u32>, ServiceError> {
        Ok(self.store.usual_answer(rule, now()).await?)
    }
}
