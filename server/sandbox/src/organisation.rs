//! The organisation: who is in it, what it has, and who has been given what.

mod person;

use std::sync::Arc;

pub(crate) use person::{Group, Person, PersonWithGroups, UserStatus};

use crate::arguments::Size;

/// Shared by every door; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Organisation {
    people: Arc<Vec<Person>>,
}

impl Organisation {
    /// Opens the organisation of a data folder, or seeds a new one.
    pub(crate) fn open(_data: &std::path::Path, _size: Size) -> Self {
        let people = vec![Person::named("placeholder".to_owned(), "Ana", "Silva")];
        Self {
            people: Arc::new(people),
        }
    }

    /// Everybody who exists now, in a stable order, with the names of their groups.
    pub(crate) fn people(&self) -> Vec<PersonWithGroups> {
        self.people
            .iter()
            .map(|person| PersonWithGroups {
                person: person.clone(),
                groups: Vec::new(),
            })
            .collect()
    }
}
