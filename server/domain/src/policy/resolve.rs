//! From names to ids.
//!
//! A name is looked up once, when the policy loads, and the id stays with that version: a group that
//! is deleted and made again under the same name by somebody else matches nobody until a new version
//! of the policy loads. A name that matches nobody, or more than one, is a warning and matches
//! nobody, so that one leaver cannot stop a policy from loading.

mod canonical;
mod names;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use self::canonical::{canonical, digest, version};
use self::names::Names;
use super::guardrail::Guardrail;
use super::language::PolicyFile;
use super::problem::{Problem, ProblemCode, Problems};
use super::scope::Scope;
use super::selector::GroupSelector;
use super::{Policy, Rule};
use crate::directory::Directory;
use crate::id::{AccountId, GroupId, PermissionSetArn, UserId};

/// What the deployment adds to what the policy says.
#[derive(Debug, Clone, Default)]
pub struct Setting {
    /// Accounts that no policy can open.
    pub protected: BTreeSet<AccountId>,
    /// What names meant when this same policy was loaded before, if it was.
    pub earlier: Option<Bindings>,
}

/// What the names of one policy mean.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bindings {
    /// SHA-256 of the policy's canonical form: names of another policy are looked up afresh.
    pub(super) source: String,
    pub(super) users: BTreeMap<String, UserId>,
    pub(super) groups: BTreeMap<String, GroupId>,
    pub(super) permission_sets: BTreeMap<String, PermissionSetArn>,
}

/// A policy that can decide, and what is doubtful about it.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Ready to use.
    pub policy: Policy,
    /// Warnings only: parts that match nobody, rules that nobody can approve.
    pub problems: Vec<Problem>,
}

/// Looks up every name.
#[must_use]
pub fn resolve(file: &PolicyFile, directory: &Directory, setting: &Setting) -> Resolved {
    let source = digest(&canonical(file));
    let earlier = setting
        .earlier
        .as_ref()
        .filter(|earlier| earlier.source == source)
        .cloned();
    let mut names = Names {
        directory,
        problems: Problems::new(&file.file),
        bindings: earlier.unwrap_or(Bindings {
            source,
            ..Bindings::default()
        }),
    };
    let admins = names.people(&file.admins);
    let auditors = names.people(&file.auditors);
    let within: Vec<Scope> = file
        .includes
        .iter()
        .map(|include| names.within(&include.accounts, &include.permission_sets))
        .collect();
    let mut rules: Vec<Rule> = file
        .rules
        .iter()
        .map(|rule| names.rule(rule, file, &within))
        .collect();
    rules.sort_by(|a, b| a.name.cmp(&b.name));
    let mut guardrails: Vec<Guardrail> = file
        .guardrails
        .iter()
        .map(|guardrail| names.guardrail(guardrail, file, &within))
        .collect();
    guardrails.sort_by(|a, b| a.name.cmp(&b.name));
    let Names {
        problems, bindings, ..
    } = names;
    let version = version(&bindings, &setting.protected);
    let policy = Policy {
        version,
        admins,
        auditors,
        defaults: file.defaults,
        rules,
        guardrails,
        protected: setting.protected.clone(),
        bindings,
    };
    let mut problems = problems;
    policy_groups(&policy, file, directory, &mut problems);
    Resolved {
        policy,
        problems: problems.into_sorted(),
    }
}

/// A group that decides can never be asked for, so a rule that offers it gives nothing.
fn policy_groups<'a>(
    policy: &Policy,
    file: &'a PolicyFile,
    directory: &Directory,
    problems: &mut Problems<'a>,
) {
    for rule in &file.rules {
        for selector in &rule.groups {
            let group = match &selector.value {
                GroupSelector::Id(id) => directory.groups.get(id),
                GroupSelector::Name(name) => {
                    directory.groups.values().find(|group| group.name == *name)
                }
            };
            if group.is_some_and(|group| policy.is_policy_group(&group.id)) {
                problems.enter(file.file_of(rule.included));
                problems.warn(
                    selector.place,
                    ProblemCode::PolicyGroup,
                    format!(
                        "`{}` is named as admins, auditors, requesters or approvers, so nobody can \
                         ask to join it",
                        selector.value
                    ),
                    "give what it holds by accounts and permission sets, or use another group",
                );
            }
        }
    }
    problems.leave();
}
