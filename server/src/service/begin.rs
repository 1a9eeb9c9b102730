//! Begin: whether what was promised for later may begin now, under today's policy, without asking
//! anyone to vote again. The worker asks this; nobody else can.

use std::collections::BTreeSet;

use domain::grant::Grant;
use domain::id::{PolicyVersion, UserId};
use domain::policy::{BreakGlass, Outcome, Proposal, ReviewOutcome, Seconds, decide};

use super::approve::why_not;
use super::judge::Judged;
use super::{Service, ServiceError};
use crate::store::now;

/// Whether a grant may begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// It may.
    May {
        /// By which policy.
        policy: PolicyVersion,
    },
    /// It may not.
    MayNot {
        /// By which policy.
        policy: PolicyVersion,
        /// Why, as a sentence.
        why: String,
    },
}

impl Service {
    /// Decides again: the requester must still be eligible, the reviewers that counted must still
    /// be approvers, and the window must still be allowed.
    pub async fn may_begin(&self, grant: &Grant) -> Result<Begin, ServiceError> {
        let world = self.world_for_giving()?;
        // Another server may know of a later one: then that decides, there or here.
        self.check_policy(&world).await?;
        let request = self.store.request(grant.request).await?;
        let request = request.ok_or(ServiceError::NotFound)?;
        let ask = request.ask(grant.ask).ok_or(ServiceError::NotFound)?;
        let people: BTreeSet<UserId> = ask
            .reviews
            .iter()
            .map(|review| review.by.id.clone())
            .chain([grant.key.user.clone()])
            .collect();
        let live = self
            .live(&world, &people, std::iter::once(&ask.target))
            .await?;
        let held = self.held(grant.key.clone()).await?;
        let run = held
            .running_at(grant.from)
            .filter(|running| running.from < grant.from)
            .map(|running| running.run(request.terms.extends.is_some()));
        let judged = Judged::of(&request, ask)?.continuing(run);
        let at = now();
        let promised = grant.until.duration_since(grant.from).as_secs();
        let promised = Seconds::new(u32::try_from(promised).unwrap_or(u32::MAX));
        let refusal = if ask.reviews.is_empty() {
            let mut proposal = Proposal {
                duration: promised,
                ..judged.proposal(at)
            };
            if ask.glass.is_some() && self.store.glass(&grant.key.user).await?.closed.is_some() {
                proposal.break_glass = BreakGlass::AskedWhileClosed;
            }
            let verdict = decide(&world.policy, &proposal, &live.facts());
            (verdict.outcome != Outcome::Granted).then(|| verdict.code.sentence().to_owned())
        } else {
            match judged.outcome(&world, &live.facts(), None, at) {
                ReviewOutcome::Completed { duration, .. } if duration >= promised => None,
                ReviewOutcome::Completed { duration, .. } => Some(format!(
                    "The policy allows {duration} by now, not {promised}."
                )),
                other => Some(why_not(&other).to_owned()),
            }
        };
        let policy = world.policy.version().clone();
        Ok(match refusal {
            None => Begin::May { policy },
            Some(why) => Begin::MayNot { policy, why },
        })
    }
}
