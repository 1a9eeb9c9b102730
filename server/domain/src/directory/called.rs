//! Who and what people mean by a name that they type: a person, an account, a permission set or a
//! group. A name that means several is nobody's: one of them has to be told by its id.

use super::{Account, Directory, Group, PermissionSet, Person};
use crate::id::{AccountId, GroupId, PermissionSetArn};
use crate::policy::nearest;

/// Why a name means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotOne {
    /// Nothing is called that; this is called nearly so.
    Nothing {
        /// What was probably meant.
        near: Option<String>,
    },
    /// So many are.
    Several(usize),
    /// An account id has 12 digits.
    Digits(usize),
}

/// The one that there is, or why there is none.
fn one<T>(found: &[T], near: impl FnOnce() -> Option<String>) -> Result<&T, NotOne> {
    match found {
        [one] => Ok(one),
        [] => Err(NotOne::Nothing { near: near() }),
        several => Err(NotOne::Several(several.len())),
    }
}

/// What is called exactly so; if nothing is, in any case.
fn named<'d, T>(
    all: impl Iterator<Item = &'d T> + Clone,
    name: &str,
    of: fn(&T) -> &str,
) -> Vec<&'d T> {
    let exactly: Vec<&T> = all.clone().filter(|one| of(one) == name).collect();
    if !exactly.is_empty() {
        return exactly;
    }
    let lower = name.to_lowercase();
    all.filter(|one| of(one).to_lowercase() == lower).collect()
}

fn like<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    nearest(name, known).map(ToOwned::to_owned)
}

impl Directory {
    /// By id, user name or e-mail, in any case.
    pub fn person_called(&self, name: &str) -> Result<&Person, NotOne> {
        let lower = name.to_lowercase();
        let found: Vec<&Person> = self
            .people
            .values()
            .filter(|person| person.id.as_str().to_lowercase() == lower || person.is_called(name))
            .collect();
        let known = || {
            self.people.values().flat_map(|person| {
                std::iter::once(person.user_name.as_str())
                    .chain(person.emails.iter().map(String::as_str))
            })
        };
        one(&found, || like(name, known())).copied()
    }

    /// By name, or by an id, whether or not there is such an account.
    pub fn account_called(&self, name: &str) -> Result<AccountId, NotOne> {
        let accounts = || self.accounts.values();
        let by_name = named(accounts(), name, |account: &Account| &account.name);
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        if by_name.is_empty() && is_number {
            return AccountId::parse(name).map_err(|_| NotOne::Digits(name.len()));
        }
        let near = || like(name, accounts().map(|account| account.name.as_str()));
        one(&by_name, near).map(|account| account.id.clone())
    }

    /// By name, or by an ARN, whether or not there is such a permission set.
    pub fn permission_set_called(&self, name: &str) -> Result<PermissionSetArn, NotOne> {
        if let Ok(arn) = PermissionSetArn::parse(name) {
            return Ok(arn);
        }
        let sets = || self.permission_sets.values();
        let by_name = named(sets(), name, |set: &PermissionSet| set.name.as_str());
        let near = || like(name, sets().map(|set| set.name.as_str()));
        one(&by_name, near).map(|set| set.arn.clone())
    }

    /// By name, or by an id, whether or not there is such a group.
    pub fn group_called(&self, name: &str) -> Result<GroupId, NotOne> {
        if let Ok(id) = GroupId::parse(name) {
            return Ok(id);
        }
        let groups = || self.groups.values();
        let by_name = named(groups(), name, |group: &Group| &group.name);
        let near = || like(name, groups().map(|group| group.name.as_str()));
        one(&by_name, near).map(|group| group.id.clone())
    }
}
