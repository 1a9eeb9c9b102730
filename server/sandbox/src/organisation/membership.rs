//! Who is in which group. Memberships are written at once, and read a little later.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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
    fn exists(&self) -> bool {
        self.visible_until.is_none()
    }

    fn shown(&self, now: Moment) -> bool {
        self.visible_from <= now && self.visible_until.is_none_or(|until| now < until)
    }
}

/// All memberships, by id, by group and by person. Lists are in the order of their ids.
#[derive(Debug, Default)]
pub(crate) struct Memberships {
    by_id: BTreeMap<String, Membership>,
    by_group: HashMap<String, BTreeSet<String>>,
    by_person: HashMap<String, BTreeSet<String>>,
    /// The deleted ones and until when reads show them.
    lingering: BTreeSet<(Moment, String)>,
}

impl Memberships {
    pub(crate) fn insert(&mut self, membership: Membership) {
        let id = &membership.membership_id;
        for (index, of) in [
            (&mut self.by_group, &membership.group_id),
            (&mut self.by_person, &membership.user_id),
        ] {
            index.entry(of.clone()).or_default().insert(id.clone());
        }
        self.by_id.insert(id.clone(), membership);
    }

    /// Ends one; reads show it until `at`.
    pub(crate) fn end(&mut self, membership_id: &str, at: Moment) {
        if let Some(membership) = self.by_id.get_mut(membership_id)
            && membership.exists()
        {
            membership.visible_until = Some(at);
            self.lingering.insert((at, membership_id.to_owned()));
        }
    }

    /// Ends all of one person's.
    pub(crate) fn end_all_of(&mut self, user_id: &str, at: Moment) {
        let ids = self.by_person.get(user_id).cloned().unwrap_or_default();
        for id in ids {
            self.end(&id, at);
        }
    }

    /// The one that exists now, however long reads take to see it.
    pub(crate) fn find(&self, group_id: &str, user_id: &str) -> Option<&Membership> {
        self.of_person(user_id).find(|it| it.group_id == group_id)
    }

    /// The one of this id, if it exists now.
    pub(crate) fn get(&self, membership_id: &str) -> Option<&Membership> {
        self.by_id.get(membership_id).filter(|it| it.exists())
    }

    /// What exists now.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Membership> {
        self.by_id.values().filter(|it| it.exists())
    }

    /// What one person has now.
    pub(crate) fn of_person(&self, user_id: &str) -> impl Iterator<Item = &Membership> {
        self.listed(self.by_person.get(user_id))
            .filter(|it| it.exists())
    }

    /// The one of this id, if a read at `now` shows it.
    pub(crate) fn read(&self, membership_id: &str, now: Moment) -> Option<&Membership> {
        self.by_id.get(membership_id).filter(|it| it.shown(now))
    }

    /// What a read at `now` shows of one group.
    pub(crate) fn visible_of_group(
        &self,
        group_id: &str,
        now: Moment,
    ) -> impl Iterator<Item = &Membership> {
        self.listed(self.by_group.get(group_id))
            .filter(move |it| it.shown(now))
    }

    /// What a read at `now` shows of one person.
    pub(crate) fn visible_of_person(
        &self,
        user_id: &str,
        now: Moment,
    ) -> impl Iterator<Item = &Membership> {
        self.listed(self.by_person.get(user_id))
            .filter(move |it| it.shown(now))
    }

    /// Drops what no read can show any more.
    pub(crate) fn forget(&mut self, now: Moment) {
        while let Some((until, id)) = self.lingering.pop_first() {
            if until > now {
                self.lingering.insert((until, id));
                return;
            }
            let Some(membership) = self.by_id.remove(&id) else {
                continue;
            };
            for (index, of) in [
                (&mut self.by_group, &membership.group_id),
                (&mut self.by_person, &membership.user_id),
            ] {
                if let Some(ids) = index.get_mut(of) {
                    ids.remove(&id);
                }
            }
        }
    }

    fn listed<'a>(
        &'a self,
        ids: Option<&'a BTreeSet<String>>,
    ) -> impl Iterator<Item = &'a Membership> {
        ids.into_iter()
            .flatten()
            .filter_map(|id| self.by_id.get(id))
    }
}
