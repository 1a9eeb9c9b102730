//! What a person submits, as typed but for the form, and the targets that it means.

use std::collections::BTreeSet;

use domain::id::{AccountId, GrantId, PermissionSetName};
use domain::request::{ASKS_MAX, Granting};
use domain::target::Target;
use jiff::Timestamp;

use super::{Invalid, RefusedTarget, ServiceError, WhyRefused};
use crate::proof::Purpose;
use crate::world::World;

/// What a person submits, as typed but for the form.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What is asked for.
    pub targets: Vec<(AccountId, PermissionSetName)>,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// Why.
    pub reason: String,
    /// The ticket that it is for; may be empty.
    pub ticket: String,
    /// From when, if not at once.
    pub start: Option<Timestamp>,
    /// Whether its targets wait for each other.
    pub granting: Granting,
    /// The grant that it continues, if it does.
    pub extends: Option<GrantId>,
    /// What they typed to confirm that they go in first; `None`: they do not.
    pub break_glass: Option<String>,
}

impl Submission {
    /// A plain one: at once, without a ticket.
    #[must_use]
    pub fn new(
        targets: Vec<(AccountId, PermissionSetName)>,
        duration_seconds: u32,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            targets,
            duration_seconds,
            reason: reason.into(),
            ticket: String::new(),
            start: None,
            granting: Granting::Together,
            extends: None,
            break_glass: None,
        }
    }
}

impl Submission {
    /// What a proof has to be for, where a guardrail asks for one.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        let targets = self.targets.iter();
        let targets = targets.map(|(account, set)| spelled(account, set));
        if self.break_glass.is_some() {
            Purpose::break_glass(targets)
        } else {
            Purpose::submit(targets)
        }
    }
}

/// A target in a proof's purpose: as it stands in the form's address.
pub(super) fn spelled(account: &AccountId, set: &PermissionSetName) -> String {
    format!("{account}/{set}")
}

/// The targets of a submission: names become ids.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    submission: &'a Submission,
    pub(super) targets: Vec<Target>,
}

impl<'a> Asked<'a> {
    /// What is not known here is answered like what is not allowed.
    pub(super) fn of(world: &World, submission: &'a Submission) -> Result<Self, ServiceError> {
        let named = submission.targets.len();
        if named == 0 || named > ASKS_MAX {
            return Err(ServiceError::Invalid(vec![Invalid::Targets]));
        }
        let mut asked = Self {
            submission,
            targets: Vec::with_capacity(named),
        };
        let mut unknown = Vec::new();
        for (place, (account, set)) in submission.targets.iter().enumerate() {
            match world.directory.permission_set_named(set.as_str()) {
                Some(set) => asked.targets.push(Target::Account {
                    account: account.clone(),
                    permission_set: set.arn.clone(),
                }),
                None => unknown.push(asked.refused(place, WhyRefused::NotAvailable)),
            }
        }
        if !unknown.is_empty() {
            return Err(ServiceError::Refused(unknown));
        }
        let distinct: BTreeSet<&Target> = asked.targets.iter().collect();
        if distinct.len() != named {
            return Err(ServiceError::Invalid(vec![Invalid::Targets]));
        }
        Ok(asked)
    }

    /// A target as it was typed, and why it was refused.
    pub(super) fn refused(&self, place: usize, why: WhyRefused) -> RefusedTarget {
        let (account, set) = self.submission.targets.get(place).map_or_else(
            || (String::new(), String::new()),
            |(account, set)| (account.to_string(), set.to_string()),
        );
        RefusedTarget {
            account,
            permission_set: set,
            why,
        }
    }
}
