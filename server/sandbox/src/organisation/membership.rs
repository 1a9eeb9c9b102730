//! Who is in which group. Memberships are written at once, and read a little later.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;

/// One person in one group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_field_names,
    reason = "an id says of what it is, here as in `GET /state`"
)]
pub(crate) struct Membership {
    pub(crate) membership_id: String,
    pub(crate) group_id: String,
    pub(crate) user_id: String,
    pub(crate) visible_from: Moment,
    /// Set when it was deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) visible_until: Option<Moment>,
}

impl Membership {
    fn shown(&self, now: Moment) -> bool {
        self.visible_from <= now && self.visible_until.is_none_or(|until| now < until)
    }
}

/// All memberships, by id.
#[derive(Debug, Default)]
pub(crate) struct Memberships(BTreeMap<String, Membership>);

impl Memberships {
    pub(crate) fn insert(&mut self, membership: Membership) {
        self.0.insert(membership.membership_id.clone(), membership);
    }

    /// Ends one; reads show it until `at`.
    pub(crate) fn end(&mut self, membership_id: &str, at: Moment) {
        if let Some(membership) = self.0.get_mut(membership_id) {
            membership.visible_until.get_or_insert(at);
        }
    }

    /// Ends all of one person's.
    pub(crate) fn end_all_of(&mut self, user_id: &str, at: Moment) {
        for membership in self.0.values_mut() {
            if membership.user_id == user_id {
                membership.visible_until.get_or_insert(at);
            }
        }
    }

    /// The one that exists now, however long reads take to see it.
    pub(crate) fn find(&self, group_id: &str, user_id: &str) -> Option<&Membership> {
        self.all()
            .find(|it| it.group_id == group_id && it.user_id == user_id)
    }

    /// The one of this id, if it exists now.
    pub(crate) fn get(&self, membership_id: &str) -> Option<&Membership> {
        self.0
            .get(membership_id)
            .filter(|it| it.visible_until.is_none())
    }

    /// What exists now, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Membership> {
        self.0.values().filter(|it| it.visible_until.is_none())
    }

    /// What a read at `now` shows, in order.
    pub(crate) fn visible(&self, now: Moment) -> impl Iterator<Item = &Membership> {
        self.0.values().filter(move |it| it.shown(now))
    }

    /// Drops what no read can show any more.
    pub(crate) fn forget(&mut self, now: Moment) {
        self.0
            .retain(|_, it| it.visible_until.is_none_or(|until| until > now));
    }
}
