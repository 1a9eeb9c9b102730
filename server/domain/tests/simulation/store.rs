//! A model of the table: one item a key, one a grant, conditional commits.

use std::collections::BTreeMap;

use domain::event::Kind;
use domain::grant::Grant;
use domain::id::{GrantId, OperationId, ServerId};
use domain::key::{Action, KeyState, Stage};
use domain::plan::Change;
use jiff::Timestamp;

use crate::check::Violation;

pub(crate) struct Store {
    keys: Vec<KeyState>,
    grants: BTreeMap<GrantId, Grant>,
    /// The kinds of each grant's events, in order.
    events: BTreeMap<GrantId, Vec<Kind>>,
    /// Every intent that was ever durable.
    intents: BTreeMap<OperationId, Intent>,
}

/// An intent that is on record.
pub(crate) struct Intent {
    pub(crate) action: Action,
    pub(crate) by: ServerId,
}

/// What a commit did.
pub(crate) enum Commit {
    /// The condition did not hold: nothing.
    Conflict,
    /// It is durable. The state that was there before.
    Stored(Box<KeyState>),
}

impl Store {
    pub(crate) fn new(keys: Vec<KeyState>) -> Self {
        Self {
            keys,
            grants: BTreeMap::new(),
            events: BTreeMap::new(),
            intents: BTreeMap::new(),
        }
    }

    pub(crate) fn key(&self, key: usize) -> &KeyState {
        &self.keys[key]
    }

    pub(crate) fn grants(&self) -> impl Iterator<Item = &Grant> {
        self.grants.values()
    }

    pub(crate) fn grant(&self, id: GrantId) -> &Grant {
        &self.grants[&id]
    }

    pub(crate) fn events(&self, id: GrantId) -> &[Kind] {
        self.events.get(&id).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn intent(&self, id: OperationId) -> Option<&Intent> {
        self.intents.get(&id)
    }

    /// An approval: the grant and its place on its key, in one transaction.
    pub(crate) fn promise(&mut self, key: usize, grant: Grant) {
        let state = self.keys[key].clone();
        self.keys[key] = KeyState {
            version: state.version + 1,
            ..state.with(grant.id, grant.from, grant.until)
        };
        self.events.insert(grant.id, vec![grant.scheduled().0]);
        self.grants.insert(grant.id, grant);
    }

    /// Somebody ends a grant early: its end moves on the grant and on its key, in one transaction.
    pub(crate) fn end_early(&mut self, key: usize, id: GrantId, until: Timestamp) {
        let state = self.keys[key].clone().ending(id, until);
        let live = state.live.iter().find(|live| live.grant == id);
        if let (Some(live), Some(grant)) = (live, self.grants.get_mut(&id)) {
            grant.until = live.until;
            self.keys[key] = KeyState {
                version: state.version + 1,
                ..state
            };
        }
    }

    /// All of a change or nothing of it, if the key is still as it was read.
    pub(crate) fn commit(
        &mut self,
        key: usize,
        change: &Change,
        at: Timestamp,
    ) -> Result<Commit, Violation> {
        if self.keys[key].version != change.key.version {
            return Ok(Commit::Conflict);
        }
        for (id, step) in &change.grants {
            let grant = self.grants.get(id).ok_or_else(|| {
                Violation::new("a change is about grants that exist", format!("{id}"))
            })?;
            let next = grant.clone().apply(step, at).map_err(|illegal| {
                Violation::new("what is planned is legal", format!("{id}: {illegal}"))
            })?;
            let (kind, _) = next.changed(step);
            self.events.entry(*id).or_default().push(kind);
            self.grants.insert(*id, next);
        }
        if let Some(operation) = &change.key.operation
            && operation.stage == Stage::Intended
        {
            let intent = Intent {
                action: operation.action,
                by: operation.by,
            };
            self.intents.insert(operation.id, intent);
        }
        let next = KeyState {
            version: change.key.version + 1,
            ..change.key.clone()
        };
        let before = std::mem::replace(&mut self.keys[key], next);
        Ok(Commit::Stored(Box::new(before)))
    }
}
