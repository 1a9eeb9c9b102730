//! What ids are called, and whose ids may be meant: from the snapshot, to help with typing.

use app::view::{Field, NarrowerView};
use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};

use crate::service::HistorySearch;
use crate::world::World;

/// Offered at once; more of them would be a list to search through.
const OFFERED_MAX: usize = 5;

/// Shorter parts are in half of all names.
const PART_MIN_CHARS: usize = 3;

/// What was typed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Typed<'t> {
    person: &'t str,
    account: &'t str,
    permission_set: &'t str,
}

impl<'t> Typed<'t> {
    pub(super) fn of(wanted: &'t HistorySearch) -> Self {
        Self {
            person: &wanted.person,
            account: &wanted.account,
            permission_set: &wanted.permission_set,
        }
    }

    /// Names of the ids among it.
    pub(super) fn called(self, world: &World) -> Vec<(Field, String)> {
        let directory = &world.directory;
        let person = UserId::parse(self.person).ok();
        let person = person.and_then(|id| Some(directory.people.get(&id)?.display_name.clone()));
        let account = AccountId::parse(self.account).ok();
        let account = account.and_then(|id| Some(directory.accounts.get(&id)?.name.clone()));
        let set = PermissionSetArn::parse(self.permission_set).ok();
        let set = set.and_then(|id| Some(directory.permission_sets.get(&id)?.name.to_string()));
        let group = GroupId::parse(self.permission_set).ok();
        let group = group.and_then(|id| Some(directory.groups.get(&id)?.name.clone()));
        [
            (Field::Person, person),
            (Field::Account, account),
            (Field::PermissionSet, set.or(group)),
        ]
        .into_iter()
        .filter_map(|(field, name)| Some((field, name?)))
        .collect()
    }

    /// Those whose names have what was typed, if they are few.
    pub(super) fn narrower(self, world: &World) -> Vec<NarrowerView> {
        let directory = &world.directory;
        let people = directory.people.values().map(|person| {
            let email = person.emails.first().map_or("", String::as_str);
            let name = format!("{} {email}", person.display_name);
            (person.id.to_string(), name)
        });
        let accounts = directory.accounts.values();
        let accounts = accounts.map(|one| (one.id.to_string(), one.name.clone()));
        let sets = directory.permission_sets.values();
        let sets = sets.map(|one| (one.arn.to_string(), one.name.to_string()));
        let groups = directory.groups.values();
        let groups = groups.map(|one| (one.id.to_string(), one.name.clone()));
        let mut found = few(Field::Person, self.person, people);
        found.extend(few(Field::Account, self.account, accounts));
        found.extend(few(
            Field::PermissionSet,
            self.permission_set,
            sets.chain(groups),
        ));
        found
    }
}

fn few(
    field: Field,
    typed: &str,
    all: impl Iterator<Item = (String, String)>,
) -> Vec<NarrowerView> {
    if typed.chars().count() < PART_MIN_CHARS {
        return Vec::new();
    }
    let typed = typed.to_lowercase();
    let found: Vec<NarrowerView> = all
        .filter(|(id, name)| *id != typed && name.to_lowercase().contains(&typed))
        .map(|(id, name)| NarrowerView { field, id, name })
        .take(OFFERED_MAX + 1)
        .collect();
    if found.len() > OFFERED_MAX {
        return Vec::new();
    }
    found
}
