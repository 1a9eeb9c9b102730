//! Signing break-glass afterwards: DESIGN's step 7.
//!
//! Whoever went in first has explained nothing yet. The approvers of the rule that let them in look
//! at it afterwards; the requester never counts, whatever the rule says of self-approval.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Policy;
use super::facts::Facts;
use super::found::Found;
use super::guardrail::Fence;
use super::language::{Approval, RuleName};
use super::review::{AskFacts, Decision, Review, latest};
use crate::id::UserId;

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
    /// The rule is gone, or a group could not be read: admins look at it.
    NotPossible,
}

/// Where these signatures leave what was granted by that rule as break-glass.
#[must_use]
pub fn sign(
    policy: &Policy,
    ask: &AskFacts<'_>,
    by_rule: &RuleName,
    signatures: &[Review],
    facts: &Facts<'_>,
) -> Signing {
    let rule = policy
        .rules()
        .iter()
        .find(|rule| rule.name == *by_rule && rule.approval == Some(Approval::After));
    let (Some(rule), Some(found)) = (rule, Found::of(ask.target, facts)) else {
        return Signing::NotPossible;
    };
    if !rule.is_known(facts) || found.is_unknown() {
        return Signing::NotPossible;
    }
    let fence = Fence::of(policy.guardrails(), &found);
    let needed = rule
        .approvals
        .max(fence.min_approvals().map_or(0, |(min, _)| min));
    let could = rule.approvers.members(facts, ask.requester);
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
