//! Going in first: what break-glass asks of whoever submits, before policy is asked.
//!
//! All of it is decided again in the transaction of the submission: the person's standing is one
//! item that changes with it, so that of two at once one is refused, and the new sign-in is used up.

use domain::glass::GlassState;
use domain::id::{AskIndex, UserId};
use domain::policy::{BreakGlass, Code, Facts, Outcome, Verdict};
use domain::request::Completion;

use super::approve::Approval;
use super::asked::{Asked, Submission};
use super::{Caller, Invalid, Service, ServiceError, WhyRefused};
use crate::store::Commit;
use crate::world::World;

/// What somebody types to confirm that they go in first: words that say what it is, and that nobody
/// types by accident.
pub const CONFIRMATION: &str = "break glass";

impl Service {
    /// How the caller stands with break-glass, if that is what they ask for.
    pub(super) async fn first(
        &self,
        caller: &Caller,
        submission: &Submission,
    ) -> Result<Option<GlassState>, ServiceError> {
        let Some(typed) = &submission.break_glass else {
            return Ok(None);
        };
        if !typed.trim().eq_ignore_ascii_case(CONFIRMATION) {
            return Err(ServiceError::Invalid(vec![Invalid::Confirmation]));
        }
        if submission.start.is_some() {
            return Err(ServiceError::Invalid(vec![Invalid::StartOfBreakGlass]));
        }
        Ok(Some(self.store.glass(&caller.who.id).await?))
    }
}

/// What the policy is asked.
pub(super) fn asked(first: Option<&GlassState>) -> BreakGlass {
    first.map_or(BreakGlass::No, GlassState::asked)
}

/// Whoever goes in first gets all of it at once. What somebody has to agree to first is no emergency.
pub(super) fn all_at_once(
    asked: &Asked<'_>,
    first: Option<&GlassState>,
    verdicts: &[Verdict],
) -> Result<(), ServiceError> {
    if first.is_none() {
        return Ok(());
    }
    let refused: Vec<_> = verdicts
        .iter()
        .enumerate()
        .filter(|(_, verdict)| verdict.outcome != Outcome::Granted)
        .map(|(place, _)| asked.refused(place, WhyRefused::NotByBreakGlass))
        .collect();
    if refused.is_empty() {
        Ok(())
    } else {
        Err(ServiceError::Refused(refused))
    }
}

/// Policy alone approves the ask: because it asks nobody, or because it asks afterwards.
pub(super) fn complete(
    approval: &mut Approval,
    commit: &mut Commit,
    index: AskIndex,
    verdict: &Verdict,
    completion: &Completion,
    people: (&World, &Facts<'_>, &UserId),
) -> Result<(), ServiceError> {
    if verdict.code != Code::BreakGlass {
        return approval.complete(commit, index, None, completion);
    }
    let (world, facts, requester) = people;
    let needed = verdict.routes.iter().map(|route| route.approvals).max();
    // All whom any way of theirs would have asked: they are told.
    let skipped = verdict
        .eligible
        .iter()
        .flat_map(|rule| world.policy.skipped(rule, requester, facts))
        .collect();
    approval.break_in(commit, index, completion, needed.unwrap_or(1), &skipped)
}

/// The person has gone in first, if any of it was that.
pub(super) fn went_in(
    approval: &Approval,
    commit: &mut Commit,
    first: Option<&GlassState>,
) -> Result<(), ServiceError> {
    let request = approval.request();
    if let (Some(before), true) = (first, request.is_break_glass()) {
        let now = before.clone().broke(request.id)?;
        commit.change_glass(&request.requester.id, before, &now)?;
    }
    Ok(())
}
