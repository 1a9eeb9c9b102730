//! What makes two policies the same: what they say, and whom they mean.

use std::collections::BTreeSet;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::Bindings;
use crate::id::{AccountId, PolicyVersion};
use crate::policy::language::{GuardrailSource, IncludeIndex, Placed, PolicyFile, RuleSource};

/// What a policy says, whatever its notation, comments, order and spacing.
pub(super) fn canonical(file: &PolicyFile) -> serde_json::Value {
    fn texts<T: ToString>(list: &[Placed<T>]) -> BTreeSet<String> {
        list.iter().map(|item| item.value.to_string()).collect()
    }
    let within = |included: Option<IncludeIndex>| {
        included
            .and_then(|index| file.includes.get(index))
            .map(|include| {
                json!({
                    "accounts": texts(&include.accounts),
                    "permission_sets": texts(&include.permission_sets),
                })
            })
    };
    let mut rules: Vec<&RuleSource> = file.rules.iter().collect();
    rules.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let rules: Vec<serde_json::Value> = rules
        .into_iter()
        .map(|rule| {
            json!({
                "name": rule.name.value,
                "accounts": texts(&rule.accounts),
                "permission_sets": texts(&rule.permission_sets),
                "groups": texts(&rule.groups),
                "within": within(rule.included),
                "notify": rule.notify.iter().map(ToString::to_string).collect::<BTreeSet<_>>(),
                "requesters": texts(&rule.requesters),
                "approvers": texts(&rule.approvers),
                "approvals": rule.approvals,
                "approval": rule.approval,
                "max_duration": rule.max_duration,
                "durations": rule.durations,
                "self_approval": rule.self_approval,
            })
        })
        .collect();
    let mut guardrails: Vec<&GuardrailSource> = file.guardrails.iter().collect();
    guardrails.sort_by(|a, b| a.name.value.cmp(&b.name.value));
    let guardrails: Vec<serde_json::Value> = guardrails
        .into_iter()
        .map(|guardrail| {
            json!({
                "name": guardrail.name.value,
                "accounts": texts(&guardrail.accounts),
                "permission_sets": texts(&guardrail.permission_sets),
                "groups": texts(&guardrail.groups),
                "within": within(guardrail.included),
                "limits": guardrail.limits,
            })
        })
        .collect();
    json!({
        "language": 1,
        "admins": texts(&file.admins),
        "auditors": texts(&file.auditors),
        "defaults": file.defaults,
        "rules": rules,
        "guardrails": guardrails,
    })
}

/// The source alone does not say who is meant, so the ids are part of the version.
pub(super) fn version(bindings: &Bindings, protected: &BTreeSet<AccountId>) -> PolicyVersion {
    let whole = json!({ "bindings": bindings, "protected": protected });
    PolicyVersion::of_digest(Sha256::digest(whole.to_string()).into())
}

pub(super) fn digest(value: &serde_json::Value) -> String {
    // `serde_json`'s maps are sorted, so equal values have equal texts.
    PolicyVersion::of_digest(Sha256::digest(value.to_string()).into()).into()
}
