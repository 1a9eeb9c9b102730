//! History, for auditors and admins.

use domain::id::{AccountId, GroupId, PermissionSetArn, UserId};
use domain::target::Target;
use jiff::Timestamp;

use super::{Caller, Role, Service, ServiceError};
use crate::store::history::{Place, Search};
use crate::store::item::Summary;
use crate::store::now;

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
    /// Part of a permission set's name, or of a group's; or the id of either.
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
        if self.live_role(&world, caller).await? == Role::Person {
            return Err(ServiceError::NotAllowed);
        }
        let search = indexed(wanted);
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

/// An index is used for ids alone: a name may be a leaver's, or a set's that was made anew, and an
/// index by today's id would hide those rows without a word.
fn indexed(wanted: &HistorySearch) -> Search {
    Search {
        from: wanted.from,
        before: wanted.before,
        person: UserId::parse(wanted.person.trim()).ok(),
        account: AccountId::parse(wanted.account.trim()).ok(),
        permission_set: PermissionSetArn::parse(wanted.permission_set.trim()).ok(),
        group: GroupId::parse(wanted.permission_set.trim()).ok(),
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
        || who.id.as_str() == wanted.person.trim()
        || contains(&who.name, &wanted.person)
        || who
            .email
            .as_deref()
            .is_some_and(|email| contains(email, &wanted.person));
    let account = wanted.account.is_empty()
        || contains(&row.names.account, &wanted.account)
        || matches!(&row.target, Target::Account { account, .. }
            if contains(account.as_str(), &wanted.account));
    let set = contains(&row.names.permission_set, &wanted.permission_set)
        || match &row.target {
            Target::Account { permission_set, .. } => {
                permission_set.as_str() == wanted.permission_set.trim()
            }
            Target::Group { group } => group.as_str() == wanted.permission_set.trim(),
        };
    person
        && account
        && set
        && (wanted.state.is_empty() || row.state == wanted.state)
        && contains(&row.reason, &wanted.text)
}
