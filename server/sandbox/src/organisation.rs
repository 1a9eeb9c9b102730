//! The organisation: who is in it, what it has, and who has been given what.
//!
//! The seed follows from the flags; what changed since is in the journal of the data folder. Every
//! door reads and writes through here, under one lock, and no change is answered before it is written.

mod directory;
mod journal;
mod ledger;
mod membership;
mod person;
mod seed;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::warn;

pub(crate) use directory::{
    Account, Directory, FOUNDED, IDENTITY_STORE_ID, INSTANCE_ARN, MANAGEMENT_ACCOUNT,
    ORGANIZATION_ID, OrganizationalUnit, ROOT_ID,
};
pub(crate) use ledger::{Action, Ledger, Operation, Plan, Principal, Status, Triple};
pub(crate) use membership::{Membership, Memberships};
pub(crate) use person::{Group, Person, PersonWithGroups, UserStatus};

use self::journal::{Change, Entry, Journal};
use crate::arguments::Size;
use crate::clock::Moment;

/// Shared by every door; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Organisation(Arc<Mutex<State>>);

/// Everything, as it is now.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) directory: Directory,
    pub(crate) ledger: Ledger,
    pub(crate) memberships: Memberships,
    journal: Journal,
    /// How far everything that was planned has been carried out.
    settled: Moment,
    size: Size,
    past: u64,
}

impl Organisation {
    /// Opens the organisation of a data folder, or seeds a new one.
    pub(crate) fn open(data: &Path, size: Size) -> io::Result<Self> {
        let (journal, entries) = Journal::open(&data.join("organisation.jsonl"))?;
        let mut state = State {
            directory: Directory::default(),
            ledger: Ledger::default(),
            memberships: Memberships::default(),
            journal,
            settled: Moment::default(),
            size,
            past: entries.len() as u64,
        };
        state.sow();
        for entry in entries {
            state.settle(entry.settled);
            state.apply(entry.change);
        }
        Ok(Self(Arc::new(Mutex::new(state))))
    }

    /// The state, with everything done that was due by now.
    pub(crate) fn at(&self, now: Moment) -> MutexGuard<'_, State> {
        // A panic under the lock would be a bug; the state is still the best there is.
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle(now);
        state
    }

    /// Everybody who exists now, by user name, with the names of their groups.
    pub(crate) fn people(&self) -> Vec<PersonWithGroups> {
        let state = self.at(Moment::now());
        let mut people: Vec<PersonWithGroups> = state
            .directory
            .people
            .values()
            .map(|person| PersonWithGroups {
                person: person.clone(),
                groups: Vec::new(),
            })
            .collect();
        people.sort_by(|a, b| a.person.user_name.cmp(&b.person.user_name));
        let places: std::collections::HashMap<String, usize> = people
            .iter()
            .enumerate()
            .map(|(place, it)| (it.person.user_id.clone(), place))
            .collect();
        for membership in state.memberships.all() {
            let group = state.directory.groups.get(&membership.group_id);
            let place = places.get(&membership.user_id);
            if let (Some(group), Some(place)) = (group, place) {
                people[*place].groups.push(group.display_name.clone());
            }
        }
        for person in &mut people {
            person.groups.sort();
        }
        people
    }

    /// Changes that were made before this start: what the draws are mixed with.
    pub(crate) fn past(&self) -> u64 {
        self.at(Moment::now()).past
    }

    /// Back to the seed.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let mut state = self.at(Moment::now());
        state.journal.clear()?;
        state.sow();
        Ok(())
    }
}

impl State {
    fn sow(&mut self) {
        let seed = seed::seed(self.size);
        self.directory = seed.directory;
        self.ledger = Ledger::default();
        self.memberships = Memberships::default();
        self.settled = Moment::default();
        for triple in &seed.assignments {
            self.ledger.put(triple, FOUNDED);
        }
        for (group_id, user_id) in seed.memberships {
            let membership_id =
                directory::identity_id("membership", &format!("{group_id}{user_id}"));
            self.memberships.insert(Membership {
                membership_id,
                group_id,
                user_id,
                visible_from: FOUNDED,
                visible_until: None,
            });
        }
    }

    /// Puts an assignment from outside, visible at once. False if it exists.
    pub(crate) fn assign(&mut self, triple: Triple, at: Moment) -> io::Result<bool> {
        if self.ledger.exists(&triple) {
            return Ok(false);
        }
        self.commit(Change::Assigned { triple, at })?;
        Ok(true)
    }

    /// Removes an assignment from outside, gone at once. False if it does not exist.
    pub(crate) fn unassign(&mut self, triple: Triple, at: Moment) -> io::Result<bool> {
        if !self.ledger.exists(&triple) {
            return Ok(false);
        }
        self.commit(Change::Unassigned { triple, at })?;
        Ok(true)
    }

    /// Records that an operation has started.
    pub(crate) fn start(&mut self, operation: Operation) -> io::Result<()> {
        self.commit(Change::Started { operation })
    }

    /// Lets stalled operations end.
    pub(crate) fn release(&mut self, at: Moment) -> io::Result<()> {
        let stalled = self.ledger.outstanding().any(|it| it.ends.is_none());
        if stalled {
            self.commit(Change::Released { at })?;
        }
        Ok(())
    }

    /// Adds somebody to a group. The caller has made sure that they are not in it.
    pub(crate) fn join(&mut self, membership: Membership) -> io::Result<()> {
        self.commit(Change::Joined { membership })
    }

    /// Takes somebody out of a group; reads show it for another `lag_ms`.
    pub(crate) fn leave(
        &mut self,
        membership_id: String,
        lag_ms: u64,
        at: Moment,
    ) -> io::Result<()> {
        let visible_until = at.plus(lag_ms);
        self.commit(Change::Left {
            membership_id,
            visible_until,
        })
    }

    /// Disables or enables somebody. False if they do not exist.
    pub(crate) fn set_status(&mut self, user_id: String, status: UserStatus) -> io::Result<bool> {
        if !self.directory.people.contains_key(&user_id) {
            return Ok(false);
        }
        self.commit(Change::StatusSet { user_id, status })?;
        Ok(true)
    }

    /// Deletes somebody. Their memberships go too, their assignments stay behind, as in AWS.
    /// False if they do not exist.
    pub(crate) fn remove_person(&mut self, user_id: String, at: Moment) -> io::Result<bool> {
        if !self.directory.people.contains_key(&user_id) {
            return Ok(false);
        }
        self.commit(Change::Removed { user_id, at })?;
        Ok(true)
    }

    fn commit(&mut self, change: Change) -> io::Result<()> {
        let settled = self.settled;
        let entry = Entry { settled, change };
        if let Err(problem) = self.journal.append(&entry) {
            warn!(%problem, "A change was not written, so it is not made");
            return Err(problem);
        }
        self.apply(entry.change);
        Ok(())
    }

    /// Carries out everything that was due by now. Two callers may come a little out of order; what
    /// has ended stays so.
    fn settle(&mut self, now: Moment) {
        self.settled = self.settled.max(now);
        self.ledger.settle(self.settled);
        self.memberships.forget(self.settled);
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Assigned { triple, at } => self.ledger.put(&triple, at),
            Change::Unassigned { triple, at } => {
                self.ledger.remove(&triple, at);
            }
            Change::Started { operation } => self.ledger.start(operation),
            Change::Released { at } => self.ledger.release(at),
            Change::Joined { membership } => self.memberships.insert(membership),
            Change::Left {
                membership_id,
                visible_until,
            } => self.memberships.end(&membership_id, visible_until),
            Change::StatusSet { user_id, status } => {
                if let Some(person) = self.directory.people.get_mut(&user_id) {
                    person.status = status;
                }
            }
            Change::Removed { user_id, at } => {
                self.directory.people.remove(&user_id);
                self.memberships.end_all_of(&user_id, at);
            }
        }
    }
}

#[cfg(test)]
mod restart_tests;
