//! Account assignments and the operations that create and delete them.
//!
//! Nothing here runs in the background: an operation is recorded with the instant at which it ends
//! and what that end will be, and `settle` applies every end that has come. So a sandbox that was
//! killed carries on where it would have been, and the same changes always give the same ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

use crate::clock::Moment;

/// Ended operations that are remembered. AWS keeps them for 90 days; nobody looks further back than
/// this in a sandbox.
const ENDED_OPERATIONS_MAX: usize = 10_000;

/// Who has something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(
    tag = "principal_type",
    content = "principal_id",
    rename_all = "UPPERCASE"
)]
pub(crate) enum Principal {
    User(String),
    Group(String),
}

impl Principal {
    /// As AWS names the kind.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::User(_) => "USER",
            Self::Group(_) => "GROUP",
        }
    }

    pub(crate) fn id(&self) -> &str {
        match self {
            Self::User(id) | Self::Group(id) => id,
        }
    }
}

/// What can exist exactly once. Ordered so that one permission set, and in it one account, are
/// neighbours: that is how AWS's lists ask.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Triple {
    pub(crate) permission_set_arn: String,
    pub(crate) account_id: String,
    #[serde(flatten)]
    pub(crate) principal: Principal,
}

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Action {
    Create,
    Delete,
}

/// How an operation will end, decided when it starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Plan {
    /// Do it; the outcome is what the ledger then says.
    Do,
    /// `FAILED` with this reason, nothing done.
    Fail(String),
    /// Done, and yet `FAILED` with this reason.
    DoAndFail(String),
}

/// Where an operation is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    InProgress,
    Succeeded,
    Failed(String),
}

impl Status {
    /// As AWS names it.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed(_) => "FAILED",
        }
    }
}

/// One creation or deletion.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Operation {
    pub(crate) request_id: String,
    pub(crate) action: Action,
    pub(crate) triple: Triple,
    pub(crate) created: Moment,
    /// `None` while it is stalled.
    pub(crate) ends: Option<Moment>,
    pub(crate) plan: Plan,
    /// How long after its end reads still show what was before.
    pub(crate) lag_ms: u64,
    pub(crate) status: Status,
}

/// One time that an assignment existed, as reads see it.
#[derive(Debug, Clone)]
struct Row {
    visible_from: Moment,
    /// Set when it was deleted.
    visible_until: Option<Moment>,
}

/// All assignments and operations.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    rows: BTreeMap<Triple, Vec<Row>>,
    /// By when they were created, then by request id: the order of AWS's status lists, newest last.
    operations: BTreeMap<(Moment, String), Operation>,
    by_request: BTreeMap<String, Moment>,
    /// The keys of those in progress: few, however long the history is.
    in_progress: BTreeSet<(Moment, String)>,
    /// Deleted rows and until when reads show them.
    lingering: BTreeSet<(Moment, Triple)>,
}

impl Ledger {
    /// Adds one, visible at `at`, unless it exists.
    pub(crate) fn put(&mut self, triple: &Triple, at: Moment) {
        if !self.exists(triple) {
            let rows = self.rows.entry(triple.clone()).or_default();
            // Its predecessor may still be on show; together they would be listed twice.
            for row in rows.iter_mut() {
                row.visible_until = row.visible_until.map(|until| until.min(at));
            }
            rows.push(Row {
                visible_from: at,
                visible_until: None,
            });
        }
    }

    /// Removes one; reads show it until `at`. False if it does not exist.
    pub(crate) fn remove(&mut self, triple: &Triple, at: Moment) -> bool {
        let rows = self.rows.get_mut(triple);
        let row = rows.and_then(|rows| rows.iter_mut().find(|row| row.visible_until.is_none()));
        if let Some(row) = row {
            row.visible_until = Some(at);
            self.lingering.insert((at, triple.clone()));
            true
        } else {
            false
        }
    }

    /// Whether it exists now, however long reads take to see it.
    pub(crate) fn exists(&self, triple: &Triple) -> bool {
        self.rows
            .get(triple)
            .is_some_and(|rows| rows.iter().any(|row| row.visible_until.is_none()))
    }

    /// What exists now, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Triple> {
        self.rows
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| row.visible_until.is_none()))
            .map(|(triple, _)| triple)
    }

    /// What a read at `now` shows, in order.
    pub(crate) fn visible(&self, now: Moment) -> impl Iterator<Item = &Triple> {
        self.rows
            .iter()
            .filter(move |(_, rows)| shown(rows, now))
            .map(|(triple, _)| triple)
    }

    /// What a read at `now` shows of one permission set, in order.
    pub(crate) fn visible_in_set(
        &self,
        permission_set_arn: &str,
        now: Moment,
    ) -> impl Iterator<Item = &Triple> {
        let first = Triple {
            permission_set_arn: permission_set_arn.to_owned(),
            account_id: String::new(),
            principal: Principal::User(String::new()),
        };
        self.rows
            .range((Bound::Included(first.clone()), Bound::Unbounded))
            .take_while(move |(triple, _)| triple.permission_set_arn == first.permission_set_arn)
            .filter(move |(_, rows)| shown(rows, now))
            .map(|(triple, _)| triple)
    }

    /// Records an operation that has started.
    pub(crate) fn start(&mut self, operation: Operation) {
        let key = (operation.created, operation.request_id.clone());
        self.by_request
            .insert(operation.request_id.clone(), operation.created);
        self.in_progress.insert(key.clone());
        self.operations.insert(key, operation);
    }

    /// Lets everything that is stalled end at `now`.
    pub(crate) fn release(&mut self, now: Moment) {
        for key in &self.in_progress {
            if let Some(operation) = self.operations.get_mut(key) {
                operation.ends.get_or_insert(now);
            }
        }
    }

    /// The operation of this request id.
    pub(crate) fn operation(&self, request_id: &str) -> Option<&Operation> {
        let created = self.by_request.get(request_id)?;
        self.operations.get(&(*created, request_id.to_owned()))
    }

    /// All remembered operations, oldest first.
    pub(crate) fn operations(&self) -> impl DoubleEndedIterator<Item = &Operation> {
        self.operations.values()
    }

    /// Those still in progress, oldest first.
    pub(crate) fn outstanding(&self) -> impl Iterator<Item = &Operation> {
        self.in_progress
            .iter()
            .filter_map(|key| self.operations.get(key))
    }

    /// Applies every end that has come by `now`, in the order in which they came.
    pub(crate) fn settle(&mut self, now: Moment) {
        let mut due: Vec<(Moment, (Moment, String))> = self
            .in_progress
            .iter()
            .filter_map(|key| Some((self.operations.get(key)?.ends?, key.clone())))
            .filter(|(ends, _)| *ends <= now)
            .collect();
        due.sort();
        for (ends, key) in due {
            self.end(&key, ends);
        }
        self.forget(now);
    }

    fn end(&mut self, key: &(Moment, String), ends: Moment) {
        self.in_progress.remove(key);
        let Some(mut operation) = self.operations.remove(key) else {
            return;
        };
        let seen = ends.plus(operation.lag_ms);
        let failure = match &operation.plan {
            Plan::Fail(reason) => Some(reason.clone()),
            Plan::Do => self.act(operation.action, &operation.triple, seen).err(),
            Plan::DoAndFail(reason) => {
                // Whether there was anything to do does not matter: it says that it failed.
                let _ = self.act(operation.action, &operation.triple, seen);
                Some(reason.clone())
            }
        };
        operation.status = failure.map_or(Status::Succeeded, Status::Failed);
        self.operations.insert(key.clone(), operation);
    }

    fn act(&mut self, action: Action, triple: &Triple, seen: Moment) -> Result<(), String> {
        match action {
            Action::Create => {
                self.put(triple, seen);
                Ok(())
            }
            Action::Delete if self.remove(triple, seen) => Ok(()),
            Action::Delete => {
                Err("Received a 404 status error: account assignment not found.".to_owned())
            }
        }
    }

    /// Drops what no read can show any more and the oldest ended operations.
    fn forget(&mut self, now: Moment) {
        while let Some((until, triple)) = self.lingering.pop_first() {
            if until > now {
                self.lingering.insert((until, triple));
                break;
            }
            if let Some(rows) = self.rows.get_mut(&triple) {
                rows.retain(|row| row.visible_until.is_none_or(|until| until > now));
                if rows.is_empty() {
                    self.rows.remove(&triple);
                }
            }
        }
        while self.operations.len() > ENDED_OPERATIONS_MAX {
            let oldest = self
                .operations
                .iter()
                .find(|(_, operation)| operation.status != Status::InProgress)
                .map(|(key, _)| key.clone());
            let Some(key) = oldest else { break };
            self.operations.remove(&key);
            self.by_request.remove(&key.1);
        }
    }
}

fn shown(rows: &[Row], now: Moment) -> bool {
    rows.iter()
        .any(|row| row.visible_from <= now && row.visible_until.is_none_or(|until| now < until))
}
