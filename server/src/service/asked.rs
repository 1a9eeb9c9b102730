//! What a person submits, as typed but for the form, and the targets that it means.

use std::collections::BTreeSet;
use std::fmt;

use domain::id::{AccountId, GrantId, GroupId, PermissionSetName};
use domain::policy::Code;
use domain::request::{ASKS_MAX, Granting};
use domain::target::Target;
use jiff::Timestamp;

use super::{Invalid, RefusedTarget, ServiceError, WhyRefused};
use crate::proof::Purpose;
use crate::world::World;

/// What somebody asks for, as addresses and forms name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// A permission set in an account.
    Account(AccountId, PermissionSetName),
    /// Membership of a group.
    Group(GroupId),
}

/// Stands where an account would: no account's id is a word.
const GROUP: &str = "group";

impl Wanted {
    /// Reads the two segments of an address: an account's id and a permission set's name, or `group`
    /// and a group's id.
    #[must_use]
    pub fn parse(first: &str, second: &str) -> Option<Self> {
        if first == GROUP {
            return GroupId::parse(second).ok().map(Self::Group);
        }
        let account = AccountId::parse(first).ok()?;
        Some(Self::Account(
            account,
            PermissionSetName::parse(second).ok()?,
        ))
    }

    /// The target that it means; `None`: nobody knows such a permission set.
    pub(crate) fn target(&self, world: &World) -> Option<Target> {
        match self {
            Self::Account(account, set) => {
                let set = world.directory.permission_set_named(set.as_str())?;
                Some(Target::Account {
                    account: account.clone(),
                    permission_set: set.arn.clone(),
                })
            }
            Self::Group(group) => Some(Target::Group {
                group: group.clone(),
            }),
        }
    }

    /// As a sentence names it, to somebody who may not know what else there is: as they typed it.
    fn typed(&self) -> String {
        match self {
            Self::Account(account, set) => format!("{set} in {account}"),
            Self::Group(group) => format!("Group {group}"),
        }
    }

    /// As a sentence names it, to somebody who may ask for it.
    fn called(&self, world: &World) -> String {
        match self {
            Self::Group(group) => world.directory.groups.get(group).map_or_else(
                || self.typed(),
                |group| format!("Membership of {}", group.name),
            ),
            Self::Account(..) => self.typed(),
        }
    }
}

impl fmt::Display for Wanted {
    /// As it stands in an address, in a form, and in a proof's purpose.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account, set) => write!(f, "{account}/{set}"),
            Self::Group(group) => write!(f, "{GROUP}/{group}"),
        }
    }
}

/// What a person submits, as typed but for the form.
#[derive(Debug, Clone)]
pub struct Submission {
    /// What is asked for.
    pub targets: Vec<Wanted>,
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
    pub fn new(targets: Vec<Wanted>, duration_seconds: u32, reason: impl Into<String>) -> Self {
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
    /// How long the reason is, without what surrounds it.
    pub(super) fn reason_chars(&self) -> usize {
        self.reason.trim().chars().count()
    }

    /// What a proof has to be for, where a guardrail asks for one.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        if self.break_glass.is_some() {
            Purpose::break_glass(&self.targets)
        } else {
            Purpose::submit(&self.targets)
        }
    }
}

/// The targets of a submission: names become ids.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    submission: &'a Submission,
    world: &'a World,
    pub(super) targets: Vec<Target>,
}

impl<'a> Asked<'a> {
    /// What is not known here is answered like what is not allowed.
    pub(super) fn of(world: &'a World, submission: &'a Submission) -> Result<Self, ServiceError> {
        let named = submission.targets.len();
        if named == 0 || named > ASKS_MAX {
            return Err(ServiceError::Invalid(vec![Invalid::Targets]));
        }
        let mut asked = Self {
            submission,
            world,
            targets: Vec::with_capacity(named),
        };
        let mut unknown = Vec::new();
        for (place, wanted) in submission.targets.iter().enumerate() {
            match wanted.target(world) {
                Some(target) => asked.targets.push(target),
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

    /// A target, and why it was refused. Who may not ask for it reads what they typed, and not
    /// whether there is such a thing.
    pub(super) fn refused(&self, place: usize, why: WhyRefused) -> RefusedTarget {
        let is_secret = match &why {
            WhyRefused::NotAvailable => true,
            WhyRefused::Policy(verdict) => verdict.code == Code::NotAvailable,
            WhyRefused::Pending(_) | WhyRefused::NotByBreakGlass => false,
        };
        let wanted = self.submission.targets.get(place);
        let target = wanted.map(|wanted| {
            if is_secret {
                wanted.typed()
            } else {
                wanted.called(self.world)
            }
        });
        RefusedTarget {
            place,
            target: target.unwrap_or_default(),
            is_one_of_several: self.submission.targets.len() > 1,
            why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_an_account_or_a_group_and_is_read_back() {
        for (first, second) in [
            ("111122223333", "ReadOnlyAccess"),
            ("group", "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"),
            ("group", "d967010a2b-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"),
        ] {
            let read = Wanted::parse(first, second).map(|wanted| wanted.to_string());
            assert_eq!(read, Some(format!("{first}/{second}")));
        }
        for (first, second) in [
            ("group", "Oncall"),
            ("group", ""),
            ("groups", "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b"),
            ("1", "ReadOnlyAccess"),
        ] {
            assert_eq!(Wanted::parse(first, second), None, "{first}/{second}");
        }
    }
}
