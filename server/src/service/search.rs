//! History, for auditors and admins.

use domain::id::AccountId;
use domain::target::Target;
use jiff::Timestamp;

use super::{Caller, Role, Service, ServiceError};
use crate::store::history::{Place, Search};
use crate::store::item::Summary;
use crate::store::now;
use crate::world::World;

/// What is looked for, as typed but for dates and the place.
#[derive(Debug, Clone, Default)]
pub struct HistorySearch {
    /// Submitted at this instant or later.
    pub from: Option<Timestamp>,
    /// Submitted before this instant.
    pub before: Option<Timestamp>,
    /// Part of a requester's name or e-mail.
    pub person: String,
    /// Part of an account's name or id.
    pub account: String,
    /// Part of a permission set's name.
    pub permission_set: String,
    /// A state's word.
    pub state: String,
    /// Part of the reason.
    pub text: String,
    /// Where the page before ended.
    pub after: Option<Place>,
}

/// One page.
#[derive(Debug, Clone)]
pub struct HistoryFound {
    /// Newest first.
    pub rows: Vec<Summary>,
    /// Where the next page begins.
    pub next: Option<Place>,
    /// How far back was looked, where that is before the end.
    pub searched_back_to: Option<Timestamp>,
}

impl Service {
    /// One page of history.
    pub async fn history(
        &self,
        caller: &Caller,
        wanted: &HistorySearch,
    ) -> Result<HistoryFound, ServiceError> {
        let world = self.world()?;
        if self.role(&world, caller) == Role::Person {
            return Err(ServiceError::NotAllowed);
        }
        let search = indexed(&world, wanted);
        let found = self
            .store
            .history(&search, now(), |row| keep(wanted, row))
            .await?;
        Ok(HistoryFound {
            rows: found.rows,
            next: found.next,
            searched_back_to: found.searched_back_to,
        })
    }
}

/// Where what was typed means exactly one thing, an index finds it.
fn indexed(world: &World, wanted: &HistorySearch) -> Search {
    let mut people = world.directory.people.values().filter(|person| {
        !wanted.person.is_empty()
            && (contains(&person.display_name, &wanted.person)
                || contains(&person.user_name, &wanted.person)
                || person
                    .emails
                    .iter()
                    .any(|email| contains(email, &wanted.person)))
    });
    let person = match (people.next(), people.next()) {
        (Some(only), None) => Some(only.id.clone()),
        _ => None,
    };
    let account = AccountId::parse(wanted.account.trim()).ok();
    let set = world
        .directory
        .permission_set_named(wanted.permission_set.trim());
    Search {
        from: wanted.from,
        before: wanted.before,
        person,
        account,
        permission_set: set.map(|set| set.arn.clone()),
        after: wanted.after.clone(),
    }
}

fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.trim().to_lowercase())
}

/// Everything that was typed, whatever an index has found already.
fn keep(wanted: &HistorySearch, row: &Summary) -> bool {
    let who = &row.requester;
    let person = wanted.person.is_empty()
        || contains(&who.name, &wanted.person)
        || who
            .email
            .as_deref()
            .is_some_and(|email| contains(email, &wanted.person));
    let account = wanted.account.is_empty()
        || contains(&row.names.account, &wanted.account)
        || matches!(&row.target, Target::Account { account, .. }
            if contains(account.as_str(), &wanted.account));
    person
        && account
        && contains(&row.names.permission_set, &wanted.permission_set)
        && (wanted.state.is_empty() || row.state == wanted.state)
        && contains(&row.reason, &wanted.text)
}
