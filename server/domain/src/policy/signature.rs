//! Signing break-glass afterwards: DESIGN's step 7.
//!
//! Whoever went in first has explained nothing yet. The approvers of the rule that let them in look
//! at it afterwards; the requester never counts, whatever the rule says of self-approval. What nobody
//! of them signs in time, and what no rule stands behind any more, admins look at.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::facts::Facts;
use super::found::Found;
use super::guardrail::Fence;
use super::language::{Approval, RuleName};
use super::review::{AskFacts, Decision, Review, WhyNot, latest};
use crate::id::{GroupId, UserId};

/// What was granted as break-glass, as far as signing it goes.
#[derive(Debug, Clone, Copy)]
pub struct Broken<'a> {
    /// The rule that let them in.
    pub rule: &'a str,
    /// How many had to sign then: what counts once that rule is gone.
    pub needed: u32,
    /// Whose turn it is.
    pub turn: Turn,
}

/// Whose turn it is to sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// The approvers of the rule that let them in.
    Approvers,
    /// Admins as well: it was not signed in time.
    Admins,
}

/// Where signatures leave a break-glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Signing {
    /// More have to sign.
    Open {
        /// How many.
        missing: u32,
        /// Who has, and counts today.
        signed: BTreeSet<UserId>,
        /// Who could still.
        signers: BTreeSet<UserId>,
    },
    /// Enough have.
    Signed {
        /// Who.
        signed: BTreeSet<UserId>,
    },
    /// Someone who could have signed rejected it: it ends, and break-glass is closed for the requester
    /// until an admin opens it again.
    RejectedBy {
        /// Who.
        reviewer: UserId,
        /// When.
        at: Timestamp,
    },
    /// A group could not be read, so that nobody's signature can be judged.
    CannotTell,
}

/// Where these signatures leave what was granted by that rule as break-glass.
///
/// If the rule is gone, lets nobody in first any more, or its target is gone, no approvers are left
/// who answer for it: admins sign, as many as had to when it was granted.
#[must_use]
pub fn sign(
    policy: &Policy,
    ask: &AskFacts<'_>,
    broken: Broken<'_>,
    signatures: &[Review],
    facts: &Facts<'_>,
) -> Signing {
    let Some((needed, could)) = signers(policy, ask, broken, facts) else {
        return Signing::CannotTell;
    };
    let counted = |signature: &&Review| could.contains(&signature.reviewer);
    let latest = latest(signatures.iter().filter(counted));
    if let Some(rejection) = latest
        .values()
        .find(|signature| signature.decision == Decision::Deny)
    {
        return Signing::RejectedBy {
            reviewer: rejection.reviewer.clone(),
            at: rejection.at,
        };
    }
    let signed: BTreeSet<UserId> = latest.into_keys().cloned().collect();
    let missing = needed.saturating_sub(u32::try_from(signed.len()).unwrap_or(u32::MAX));
    if missing == 0 {
        return Signing::Signed { signed };
    }
    Signing::Open {
        missing,
        signers: could.difference(&signed).cloned().collect(),
        signed,
    }
}

/// Whether this person may sign it or reject it now, or why not.
pub fn may_sign(
    policy: &Policy,
    ask: &AskFacts<'_>,
    broken: Broken<'_>,
    person: &UserId,
    facts: &Facts<'_>,
) -> Result<(), WhyNot> {
    if person == ask.requester {
        return Err(WhyNot::OwnRequest);
    }
    if !facts.is_active(person) {
        return Err(WhyNot::Inactive);
    }
    match signers(policy, ask, broken, facts) {
        None => Err(WhyNot::CannotTell),
        Some((_, could)) if could.contains(person) => Ok(()),
        Some(_) => Err(WhyNot::NotAnApprover),
    }
}

/// How many have to sign, and who could, the requester never; `None` if that cannot be told.
fn signers(
    policy: &Policy,
    ask: &AskFacts<'_>,
    broken: Broken<'_>,
    facts: &Facts<'_>,
) -> Option<(u32, BTreeSet<UserId>)> {
    let rule = policy
        .rules()
        .iter()
        .find(|rule| rule.name.as_str() == broken.rule && rule.approval == Some(Approval::After));
    let (Some(rule), Some(found)) = (rule, Found::of(ask.target, facts)) else {
        let admins = policy.admins.is_known(facts);
        return admins.then(|| (broken.needed.max(1), admins_but(policy, ask, facts)));
    };
    if !rule.is_known(facts) || found.is_unknown() {
        return None;
    }
    let fence = Fence::of(policy.guardrails(), &found);
    let needed = rule
        .approvals
        .max(fence.min_approvals().map_or(0, |(min, _)| min));
    let mut could = rule.approvers.members(facts, ask.requester);
    if broken.turn == Turn::Admins {
        if !policy.admins.is_known(facts) {
            return None;
        }
        could.extend(admins_but(policy, ask, facts));
    }
    Some((needed, could))
}

fn admins_but(policy: &Policy, ask: &AskFacts<'_>, facts: &Facts<'_>) -> BTreeSet<UserId> {
    policy.admins.members(facts, ask.requester)
}

impl Policy {
    /// The groups that say who may sign what that rule let somebody do first, besides those that
    /// cover its target.
    #[must_use]
    pub fn signer_groups(&self, rule: &str) -> BTreeSet<GroupId> {
        let mut groups = self.approver_groups(rule);
        groups.extend(self.admins.groups.iter().cloned());
        groups
    }

    /// Everyone whom that rule let somebody pass by.
    #[must_use]
    pub fn skipped(
        &self,
        rule: &RuleName,
        requester: &UserId,
        facts: &Facts<'_>,
    ) -> BTreeSet<UserId> {
        self.rules()
            .iter()
            .filter(|known| known.name == *rule)
            .flat_map(|known| known.approvers.members(facts, requester))
            .collect()
    }
}
