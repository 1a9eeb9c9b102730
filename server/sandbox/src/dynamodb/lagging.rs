//! The copy of all tables that is a little behind, from which indexes are read.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dynoxide::Database;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::engine::{Engine, read};

/// An item to be copied.
#[derive(Debug)]
struct Due {
    at: Instant,
    table: String,
    key: Map<String, Value>,
}

/// An engine whose items come from another, later.
#[derive(Debug)]
pub(super) struct LaggingCopy {
    engine: Engine,
    queue: mpsc::UnboundedSender<Due>,
    /// The names of each table's key attributes, which never change while it exists.
    key_names: Mutex<HashMap<String, Vec<String>>>,
}

impl LaggingCopy {
    /// Copies everything there is, and then whatever is scheduled.
    pub(super) async fn open(
        file: &Path,
        table: &Engine,
        shutdown: &CancellationToken,
    ) -> io::Result<Self> {
        let path = file.to_string_lossy().into_owned();
        for suffix in ["", "-wal", "-shm"] {
            match fs::remove_file(format!("{path}{suffix}")) {
                Err(problem) if problem.kind() != io::ErrorKind::NotFound => return Err(problem),
                _ => {}
            }
        }
        table
            .run(move |database| Ok(database.vacuum_into(&path)?))
            .await?;
        let engine = Engine::open(file, shutdown).await?;
        let (queue, due) = mpsc::unbounded_channel();
        let (from, to) = (table.database.clone(), engine.database.clone());
        tokio::spawn(keep_up(due, from, to, shutdown.clone()));
        Ok(Self {
            engine,
            queue,
            key_names: Mutex::default(),
        })
    }

    /// Where the copy is read.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Has every item that a write touched copied in `lag_ms`. What is copied is what the table then
    /// has, so writes that overtake each other end up right.
    pub(super) fn schedule(
        &self,
        table: &Engine,
        operation: &str,
        input: &Map<String, Value>,
        lag_ms: u64,
    ) {
        let at = Instant::now() + Duration::from_millis(lag_ms);
        for (name, item) in touched(operation, input) {
            let key_names = self.key_names(table, &name);
            let key = item
                .iter()
                .filter(|(attribute, _)| key_names.contains(attribute))
                .map(|(attribute, value)| (attribute.clone(), value.clone()))
                .collect();
            // Closed only while everything stops.
            let _ = self.queue.send(Due {
                at,
                table: name,
                key,
            });
        }
    }

    fn key_names(&self, table: &Engine, name: &str) -> Vec<String> {
        let mut known = self
            .key_names
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known.get(name) {
            return names.clone();
        }
        let names = read_key_names(&table.database, name).unwrap_or_default();
        if !names.is_empty() {
            known.insert(name.to_owned(), names.clone());
        }
        names
    }
}

fn read_key_names(database: &Database, table: &str) -> Option<Vec<String>> {
    let request = read(json!({"TableName": table})).ok()?;
    let described = serde_json::to_value(database.describe_table(request).ok()?).ok()?;
    let schema = described["Table"]["KeySchema"].as_array()?;
    let names = schema
        .iter()
        .filter_map(|key| key["AttributeName"].as_str());
    Some(names.map(str::to_owned).collect())
}

/// The tables and items, or keys, that a write names.
fn touched(operation: &str, input: &Map<String, Value>) -> Vec<(String, Map<String, Value>)> {
    let mut touched = Vec::new();
    let mut touch = |table: Option<&Value>, item: Option<&Value>| {
        let table = table.and_then(Value::as_str);
        if let (Some(table), Some(item)) = (table, item.and_then(Value::as_object)) {
            touched.push((table.to_owned(), item.clone()));
        }
    };
    match operation {
        "PutItem" => touch(input.get("TableName"), input.get("Item")),
        "UpdateItem" | "DeleteItem" => touch(input.get("TableName"), input.get("Key")),
        "BatchWriteItem" => {
            let tables = input.get("RequestItems").and_then(Value::as_object);
            for (table, writes) in tables.into_iter().flatten() {
                let table = Value::String(table.clone());
                for write in writes.as_array().into_iter().flatten() {
                    touch(Some(&table), write.pointer("/PutRequest/Item"));
                    touch(Some(&table), write.pointer("/DeleteRequest/Key"));
                }
            }
        }
        "TransactWriteItems" => {
            let items = input.get("TransactItems").and_then(Value::as_array);
            for item in items.into_iter().flatten() {
                touch(item.pointer("/Put/TableName"), item.pointer("/Put/Item"));
                for kind in ["Update", "Delete"] {
                    let of = item.get(kind);
                    let member = |name: &str| of.and_then(|of| of.get(name));
                    touch(member("TableName"), member("Key"));
                }
            }
        }
        _ => {}
    }
    touched
}

/// Copies each item when it is due, one after the other: two copies of one item at once could end
/// with the older.
async fn keep_up(
    mut incoming: mpsc::UnboundedReceiver<Due>,
    from: Database,
    to: Database,
    shutdown: CancellationToken,
) {
    let mut waiting: BTreeMap<(Instant, u64), (String, Map<String, Value>)> = BTreeMap::new();
    let mut count = 0;
    loop {
        let next = waiting.first_key_value().map(|((at, _), _)| *at);
        let sleep = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            due = incoming.recv() => {
                let Some(due) = due else { return };
                count += 1;
                waiting.insert((due.at, count), (due.table, due.key));
            }
            () = sleep => {
                let later = waiting.split_off(&(Instant::now(), u64::MAX));
                let ready = std::mem::replace(&mut waiting, later);
                let (from, to) = (from.clone(), to.clone());
                let copied = tokio::task::spawn_blocking(move || {
                    for (table, key) in ready.into_values() {
                        if let Err(problem) = copy(&from, &to, &table, &key) {
                            warn!(table, %problem, "An item was not copied for the indexes");
                        }
                    }
                });
                if let Err(problem) = copied.await {
                    warn!(%problem, "Copying for the indexes broke off");
                }
            }
        }
    }
}

/// Makes the item in `to` what it is in `from`.
fn copy(
    from: &Database,
    to: &Database,
    table: &str,
    key: &Map<String, Value>,
) -> Result<(), Box<dyn std::error::Error>> {
    let get = json!({"TableName": table, "Key": key, "ConsistentRead": true});
    let found = serde_json::to_value(from.get_item(read(get)?)?)?;
    match found.get("Item") {
        Some(item) if !item.is_null() => {
            to.put_item(read(json!({"TableName": table, "Item": item}))?)?;
        }
        _ => {
            to.delete_item(read(json!({"TableName": table, "Key": key}))?)?;
        }
    }
    Ok(())
}
