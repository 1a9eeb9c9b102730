//! The little world of one case: exactly whom and what it lists, or else whom and what it names.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, CaseAccount, CasePerson};
use crate::directory::{Account, Directory, Group, PermissionSet, Person, Status};
use crate::id::{AccountId, GroupId, PermissionSetArn, PermissionSetName, UserId};
use crate::policy::import::NOBODY;
use crate::policy::language::PolicyFile;
use crate::policy::selector::{AccountSelector, GroupSelector, PersonSelector, SetSelector};
use crate::target::Target;

/// Sessions of the permission sets of a case: the shortest there are, so that they get in the way of
/// no guardrail.
const SESSION_SECONDS: u32 = 3_600;

/// What a case takes place in.
pub(super) struct World {
    pub(super) directory: Directory,
    pub(super) target: Target,
    people: BTreeMap<String, UserId>,
}

impl World {
    pub(super) fn of(case: &Case<'_>, file: &PolicyFile) -> Result<Self, String> {
        let mut making = Making::default();
        for group in groups(case, file) {
            making.group(&group);
        }
        match &case.people {
            Some(people) => {
                for person in people {
                    making.person(person)?;
                }
            }
            None => {
                for name in named_people(case, file) {
                    making.named(&name)?;
                }
            }
        }
        match &case.accounts {
            Some(accounts) => accounts.iter().for_each(|account| making.account(account)),
            None => {
                for id in named_accounts(case, file) {
                    making.account(&CaseAccount {
                        id,
                        name: None,
                        ou: Vec::new(),
                        tags: BTreeMap::new(),
                    });
                }
            }
        }
        for name in named_sets(case, file) {
            making.set(&name)?;
        }
        making.world(case)
    }

    /// The person that a case names by id, e-mail or user name. One that is not there is nobody: no
    /// two people are confused, and the policy says what it says of strangers.
    pub(super) fn person(&self, name: &str) -> UserId {
        self.people
            .get(&name.to_lowercase())
            .cloned()
            .unwrap_or_else(|| user_id(usize::MAX >> 32))
    }

    pub(super) fn emails(&self, people: &BTreeSet<UserId>) -> Vec<String> {
        let mut emails: Vec<String> = people
            .iter()
            .filter_map(|user| self.directory.people.get(user))
            .map(|person| person.emails.first().unwrap_or(&person.user_name).clone())
            .collect();
        emails.sort();
        emails
    }
}

#[derive(Default)]
struct Making {
    directory: Directory,
    people: BTreeMap<String, UserId>,
    groups: BTreeMap<String, GroupId>,
    sets: BTreeMap<String, PermissionSetArn>,
}

/// The `n`-th id of those that a case need not write as Identity Center does.
#[expect(
    clippy::expect_used,
    reason = "digits in the place of digits are always an id"
)]
fn user_id(n: usize) -> UserId {
    UserId::parse(&format!("00000000-0000-4000-8000-{n:012}")).expect("an id")
}

#[expect(
    clippy::expect_used,
    reason = "digits in the place of digits are always an id"
)]
fn group_id(n: usize) -> GroupId {
    GroupId::parse(&format!("00000000-0000-4000-9000-{n:012}")).expect("an id")
}

#[expect(
    clippy::expect_used,
    reason = "digits in the place of digits are always an ARN"
)]
fn set_arn(n: usize) -> PermissionSetArn {
    PermissionSetArn::parse(&format!(
        "arn:aws:sso:::permissionSet/ssoins-0000000000000000/ps-{n:016x}"
    ))
    .expect("an ARN")
}

impl Making {
    /// A group is known by the text that the case writes, whether that is an id or a name.
    fn group(&mut self, text: &str) -> GroupId {
        if let Some(known) = self.groups.get(text) {
            return known.clone();
        }
        let id = GroupId::parse(text).unwrap_or_else(|_| group_id(self.groups.len()));
        self.groups.insert(text.to_owned(), id.clone());
        self.directory.groups.insert(
            id.clone(),
            Group {
                id: id.clone(),
                name: text.to_owned(),
            },
        );
        self.directory.members.insert(id.clone(), BTreeSet::new());
        // A case has no assignments, so its groups hold nothing.
        self.directory.holdings.insert(id.clone(), BTreeSet::new());
        id
    }

    fn person(&mut self, person: &CasePerson) -> Result<(), String> {
        let CasePerson {
            id,
            email,
            user_name,
            groups,
            disabled,
        } = person;
        let called: Vec<&String> = [id, user_name, email].into_iter().flatten().collect();
        let Some(first) = called.first() else {
            return Err("a person has neither `id`, `email` nor `user_name`".to_owned());
        };
        let user = id
            .as_ref()
            .and_then(|id| UserId::parse(id).ok())
            .unwrap_or_else(|| user_id(self.directory.people.len() + 1));
        if self.directory.people.contains_key(&user) {
            return Err(format!("two people have the id {user}"));
        }
        // The text of an id that is not one finds the person too, after their addresses.
        let emails = email.iter().chain(id).cloned().collect();
        for name in &called {
            // Of two people who are called the same the first is meant where a case names one.
            self.people
                .entry(name.to_lowercase())
                .or_insert_with(|| user.clone());
        }
        let user_name = user_name.as_ref().or(email.as_ref()).unwrap_or(first);
        let user_name = String::clone(user_name);
        self.directory.people.insert(
            user.clone(),
            Person {
                id: user.clone(),
                display_name: user_name.clone(),
                user_name,
                emails,
                status: if *disabled {
                    Status::Disabled
                } else {
                    Status::Active
                },
            },
        );
        for group in groups {
            let group = self.group(group);
            let mut members: BTreeSet<UserId> =
                self.directory.members.of(&group).cloned().collect();
            members.insert(user.clone());
            self.directory.members.insert(group, members);
        }
        Ok(())
    }

    /// Somebody of whom only a name is known.
    fn named(&mut self, name: &str) -> Result<(), String> {
        if self.people.contains_key(&name.to_lowercase()) {
            return Ok(());
        }
        let is_id = UserId::parse(name).is_ok();
        let is_email = name.contains('@');
        self.person(&CasePerson {
            id: is_id.then(|| name.to_owned()),
            email: is_email.then(|| name.to_owned()),
            user_name: (!is_id).then(|| name.to_owned()),
            groups: Vec::new(),
            disabled: false,
        })
    }

    fn account(&mut self, account: &CaseAccount) {
        let path = if account.ou.is_empty() {
            vec!["Root".to_owned()]
        } else {
            account.ou.clone()
        };
        let ou_ids = (1..=path.len())
            .filter_map(|levels| Some(format!("path:{}", path.get(..levels)?.join("/"))))
            .collect();
        self.directory.accounts.insert(
            account.id.clone(),
            Account {
                id: account.id.clone(),
                name: account
                    .name
                    .clone()
                    .unwrap_or_else(|| account.id.to_string()),
                ou_path: path,
                ou_ids,
                tags: account.tags.clone(),
                active: true,
            },
        );
    }

    /// By name, or by ARN if that is what is written.
    fn set(&mut self, text: &str) -> Result<(), String> {
        if self.sets.contains_key(text) {
            return Ok(());
        }
        let number = self.sets.len();
        let arn = PermissionSetArn::parse(text).unwrap_or_else(|_| set_arn(number));
        let name = if arn.as_str() == text {
            PermissionSetName::parse(&format!("set-{number}"))
        } else {
            PermissionSetName::parse(text)
        };
        let name = name.map_err(|error| format!("`permission_set`: {error}"))?;
        self.sets.insert(text.to_owned(), arn.clone());
        self.directory.permission_sets.insert(
            arn.clone(),
            PermissionSet {
                arn,
                name,
                description: None,
                session_seconds: SESSION_SECONDS,
            },
        );
        Ok(())
    }

    fn world(self, case: &Case<'_>) -> Result<World, String> {
        let ask = &case.ask;
        let target = match (&ask.account, &ask.permission_set, &ask.group) {
            (Some(account), Some(set), None) => Target::Account {
                account: self.account_called(account)?,
                permission_set: self
                    .sets
                    .get(set)
                    .cloned()
                    .ok_or("`permission_set` is not one")?,
            },
            (None, None, Some(group)) => Target::Group {
                group: self
                    .groups
                    .get(bare(group))
                    .cloned()
                    .ok_or("`group` is not one")?,
            },
            (_, _, None) => {
                return Err(
                    "`ask` names neither an `account` with a `permission_set` nor a `group`"
                        .to_owned(),
                );
            }
            (_, _, Some(_)) => {
                return Err("`ask` names a `group` and something else; ask for one".to_owned());
            }
        };
        Ok(World {
            directory: self.directory,
            target,
            people: self.people,
        })
    }

    fn account_called(&self, name: &str) -> Result<AccountId, String> {
        let by_name = self
            .directory
            .accounts
            .values()
            .find(|account| account.name == name)
            .map(|account| account.id.clone());
        match by_name {
            Some(id) => Ok(id),
            None => AccountId::parse(name).map_err(|error| format!("`account`: {error}")),
        }
    }
}

/// `group:SRE` and `SRE` are the same where only a group can stand.
fn bare(group: &str) -> &str {
    group.strip_prefix("group:").unwrap_or(group)
}

/// Every group that the policy or the case names: each is there, if only with nobody in it.
fn groups(case: &Case<'_>, file: &PolicyFile) -> BTreeSet<String> {
    let people = selectors(file).filter_map(|selector| match selector {
        PersonSelector::GroupId(id) => Some(id.to_string()),
        PersonSelector::Group(name) => Some(name.clone()),
        PersonSelector::Everyone | PersonSelector::User(_) | PersonSelector::UserId(_) => None,
    });
    let targets = file
        .rules
        .iter()
        .flat_map(|rule| &rule.groups)
        .chain(
            file.guardrails
                .iter()
                .flat_map(|guardrail| &guardrail.groups),
        )
        .map(|group| match &group.value {
            GroupSelector::Id(id) => id.to_string(),
            GroupSelector::Name(name) => name.clone(),
        });
    let asked = case.ask.group.iter().map(|group| bare(group).to_owned());
    people.chain(targets).chain(asked).collect()
}

fn selectors(file: &PolicyFile) -> impl Iterator<Item = &PersonSelector> {
    let of_rules = file
        .rules
        .iter()
        .flat_map(|rule| rule.requesters.iter().chain(&rule.approvers));
    file.admins
        .iter()
        .chain(&file.auditors)
        .chain(of_rules)
        .map(|person| &person.value)
}

fn named_people(case: &Case<'_>, file: &PolicyFile) -> Vec<String> {
    let asked = [&case.ask.by]
        .into_iter()
        .chain(case.review.as_ref().map(|review| &review.by))
        .cloned();
    let named = selectors(file).filter_map(|selector| match selector {
        PersonSelector::User(name) => Some(name.clone()),
        // The importer's nobody stays nobody.
        PersonSelector::UserId(id) => Some(id.to_string()).filter(|id| id != NOBODY),
        PersonSelector::Everyone | PersonSelector::Group(_) | PersonSelector::GroupId(_) => None,
    });
    asked.chain(named).collect()
}

fn named_accounts(case: &Case<'_>, file: &PolicyFile) -> BTreeSet<AccountId> {
    let asked = case
        .ask
        .account
        .iter()
        .filter_map(|account| AccountId::parse(account).ok());
    let named = file
        .rules
        .iter()
        .flat_map(|rule| &rule.accounts)
        .chain(
            file.guardrails
                .iter()
                .flat_map(|guardrail| &guardrail.accounts),
        )
        .filter_map(|selector| match &selector.value {
            AccountSelector::Id(id) => Some(id.clone()),
            _ => None,
        });
    asked.chain(named).collect()
}

fn named_sets(case: &Case<'_>, file: &PolicyFile) -> BTreeSet<String> {
    let named = file
        .rules
        .iter()
        .flat_map(|rule| &rule.permission_sets)
        .chain(
            file.guardrails
                .iter()
                .flat_map(|guardrail| &guardrail.permission_sets),
        )
        .filter_map(|selector| match &selector.value {
            SetSelector::Name(name) => Some(name.to_string()),
            SetSelector::Arn(arn) => Some(arn.to_string()),
            SetSelector::Pattern(_) => None,
        });
    case.ask
        .permission_set
        .iter()
        .cloned()
        .chain(named)
        .collect()
}
