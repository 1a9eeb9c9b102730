//! One state change: its items, its events, their delivery and the news of it, or none of that
//! (invariant 2).

use std::collections::HashMap;
use std::fmt::Write as _;

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem, Update,
};
use domain::event::{self, Actor, Details, Envelope, Head, Kind, Sealed, Source, Stream};
use domain::id::{EventId, PolicyVersion};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use super::item::{self, Attributes, Pack, Undelivered};
use super::keys::{self, At};
use super::{Store, StoreError};

/// What DynamoDB takes in one transaction.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>
const ITEMS_MAX: usize = 100;

/// Events that wait to be shipped in one item, in bytes: below the 400 KB that an item may have. An
/// event has 25 KB at most (a reason and a note of 2,000 characters, each escaped), so that the
/// twenty of ten asks that are approved and promised at once need two such items, and mostly one.
const PACK_MAX_BYTES: usize = 350_000;

/// How often a transaction that met another one on the same items is sent again. Contention is
/// normal and short; five tries with jitter outlast a burst of clicks on one request.
const CONFLICT_RETRIES: u32 = 5;

/// Feed entries are of use for seconds; an hour leaves time to look at them.
const FEED_KEPT: SignedDuration = SignedDuration::from_secs(3600);

/// What a transaction requires of an item before it touches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// It is not there.
    Absent,
    /// It is there.
    Present,
    /// It is there with this version.
    Version(u64),
}

impl Expect {
    /// An item whose version grows with each change, as it was read: 0 if it was not there.
    pub(super) const fn as_read(version: u64) -> Self {
        match version {
            0 => Self::Absent,
            version => Self::Version(version),
        }
    }
}

/// A transaction in the making.
#[derive(Debug)]
#[must_use = "nothing is stored before `Store::commit`"]
pub struct Commit {
    at: Timestamp,
    actor: Actor,
    source: Source,
    items: Vec<TransactWriteItem>,
    heads: HashMap<Stream, (Head, Head)>,
    topics: Vec<String>,
    sealed: Vec<Sealed>,
    wakes: bool,
}

/// A change that is stored: what it told.
#[derive(Debug, Clone)]
pub struct Committed {
    /// Its id in the change feed.
    pub id: Uuid,
    /// What changed, as the live pages know it.
    pub topics: Vec<String>,
    /// Its events.
    pub events: Vec<Sealed>,
    /// Whether the worker in this process should look.
    pub(super) wakes: bool,
}

impl Commit {
    /// A transaction by someone, at one instant.
    pub fn new(actor: Actor, source: Source, at: Timestamp) -> Self {
        Self {
            at,
            actor,
            source,
            items: Vec::new(),
            heads: HashMap::new(),
            topics: Vec::new(),
            sealed: Vec::new(),
            wakes: true,
        }
    }

    /// Whoever makes this change looks after what follows from it: nobody else is woken here.
    pub const fn looked_after(&mut self) {
        self.wakes = false;
    }

    /// When it happens.
    #[must_use]
    pub const fn at(&self) -> Timestamp {
        self.at
    }

    /// Writes a new item, or replaces a piece of bookkeeping whole.
    pub fn put(
        &mut self,
        at: &At,
        attributes: Attributes,
        expect: Option<Expect>,
    ) -> Result<(), StoreError> {
        let mut put = Put::builder().table_name("");
        for (name, value) in attributes.into_iter().chain(item::primary(at)) {
            put = put.item(name, value);
        }
        if let Some(expect) = expect {
            put = put.condition_expression(condition(expect));
            if let Expect::Version(version) = expect {
                put = put
                    .expression_attribute_names("#version", "version")
                    .expression_attribute_values(":expected", number(version));
            }
        }
        let put = put.build().map_err(StoreError::build)?;
        self.items
            .push(TransactWriteItem::builder().put(put).build());
        Ok(())
    }

    /// Whether this transaction writes that item already: DynamoDB takes one write of an item.
    pub(super) fn touches(&self, at: &At) -> bool {
        let key = item::primary(at);
        self.items.iter().any(|item| {
            item.put.as_ref().is_some_and(|put| {
                key.iter()
                    .all(|(name, value)| put.item().get(name) == Some(value))
            })
        })
    }

    /// Sets the named attributes and leaves all others alone.
    pub fn update(
        &mut self,
        at: &At,
        set: Attributes,
        remove: &[&str],
        expect: Expect,
    ) -> Result<(), StoreError> {
        let mut update = Update::builder()
            .table_name("")
            .set_key(Some(item::primary(at)))
            .condition_expression(condition(expect));
        if let Expect::Version(version) = expect {
            update = update
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(version));
        }
        let mut names: Vec<(String, AttributeValue)> = set.into_iter().collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        let mut assignments = Vec::with_capacity(names.len());
        for (index, (name, value)) in names.into_iter().enumerate() {
            assignments.push(format!("#n{index} = :v{index}"));
            update = update
                .expression_attribute_names(format!("#n{index}"), name)
                .expression_attribute_values(format!(":v{index}"), value);
        }
        let mut expression = format!("SET {}", assignments.join(", "));
        for (index, name) in remove.iter().enumerate() {
            expression.push_str(if index == 0 { " REMOVE " } else { ", " });
            // Writing to a String cannot fail.
            let _ = write!(expression, "#r{index}");
            update = update.expression_attribute_names(format!("#r{index}"), *name);
        }
        let update = update
            .update_expression(expression)
            .build()
            .map_err(StoreError::build)?;
        self.items
            .push(TransactWriteItem::builder().update(update).build());
        Ok(())
    }

    /// Adds an item that is built elsewhere.
    pub(super) fn add(&mut self, item: TransactWriteItem) {
        self.items.push(item);
    }

    /// Removes bookkeeping; that it is gone already is fine.
    pub fn delete(&mut self, at: &At) -> Result<(), StoreError> {
        let delete = Delete::builder()
            .table_name("")
            .set_key(Some(item::primary(at)))
            .build()
            .map_err(StoreError::build)?;
        self.items
            .push(TransactWriteItem::builder().delete(delete).build());
        Ok(())
    }

    /// Holds only while that item is as it was read, and leaves it alone.
    pub(super) fn require(&mut self, at: &At, expect: Expect) -> Result<(), StoreError> {
        let mut check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(item::primary(at)))
            .condition_expression(condition(expect));
        if let Expect::Version(version) = expect {
            check = check
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(version));
        }
        let check = check.build().map_err(StoreError::build)?;
        self.items
            .push(TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// Holds only while this policy is in force.
    pub fn under_policy(&mut self, version: &PolicyVersion) -> Result<(), StoreError> {
        let check = ConditionCheck::builder()
            .table_name("")
            .set_key(Some(item::primary(&keys::policy())))
            .condition_expression("policy_version = :policy")
            .expression_attribute_values(":policy", AttributeValue::S(version.to_string()))
            .build()
            .map_err(StoreError::build)?;
        self.items
            .push(TransactWriteItem::builder().condition_check(check).build());
        Ok(())
    }

    /// Says where a stream stands, as it was read, before its next events.
    pub fn continue_stream(&mut self, stream: &Stream, head: Head) {
        self.heads
            .entry(stream.clone())
            .or_insert_with(|| (head.clone(), head));
    }

    /// Seals an event onto its stream (a new one, unless [`Commit::continue_stream`] said where it
    /// stands) and returns its hash.
    pub fn event(
        &mut self,
        stream: &Stream,
        kind: Kind,
        details: &Details,
    ) -> Result<String, StoreError> {
        let envelope = Envelope {
            id: EventId::new(Uuid::now_v7()),
            stream: stream.clone(),
            actor: &self.actor,
            source: self.source,
            at: self.at,
        };
        let (_, head) = self.heads.entry(stream.clone()).or_default();
        let sealed = event::seal(envelope, head, kind, details);
        let stored = HashMap::from([
            ("id".to_owned(), text(&sealed.id)),
            ("kind".to_owned(), text(&kind.word())),
            ("at".to_owned(), text(&self.at)),
            ("hash".to_owned(), text(&sealed.hash)),
            ("bytes".to_owned(), AttributeValue::S(sealed.bytes.clone())),
        ]);
        let place = keys::event(stream, sealed.seq);
        self.put(&place, stored, Some(Expect::Absent))?;
        let hash = sealed.hash.clone();
        self.sealed.push(sealed);
        Ok(hash)
    }

    /// Tells the live pages what changed.
    pub fn topic(&mut self, topic: impl Into<String>) {
        let topic = topic.into();
        if !self.topics.contains(&topic) {
            self.topics.push(topic);
        }
    }

    /// The items that it puts, without their conditions: for whoever fills an empty table in bulk,
    /// as benchmarks do.
    pub fn into_puts(self) -> Result<Vec<Attributes>, StoreError> {
        let (items, _) = self.finish(Uuid::now_v7())?;
        Ok(items
            .into_iter()
            .filter_map(|item| item.put)
            .map(|put| put.item)
            .collect())
    }

    /// What is to be shipped: all events of the commit in one entry, or few. Ten asks that are
    /// approved and promised at once make twenty events, and a transaction takes a hundred items.
    fn put_outbox(&mut self) -> Result<(), StoreError> {
        let sealed = std::mem::take(&mut self.sealed);
        let mut packs: Vec<(EventId, usize, Vec<Undelivered>)> = Vec::new();
        for event in &sealed {
            let bytes = event.bytes.len();
            let entry = Undelivered {
                id: event.id.to_string(),
                at: event.at,
                bytes: event.bytes.clone(),
            };
            match packs.last_mut() {
                Some((_, size, pack)) if *size + bytes <= PACK_MAX_BYTES => {
                    *size += bytes;
                    pack.push(entry);
                }
                _ => packs.push((event.id, bytes, vec![entry])),
            }
        }
        for (first, _, events) in packs {
            let attributes = item::attributes(&Pack { events })?;
            self.put(&keys::outbox(first), attributes, Some(Expect::Absent))?;
        }
        self.sealed = sealed;
        Ok(())
    }

    fn finish(mut self, id: Uuid) -> Result<(Vec<TransactWriteItem>, Committed), StoreError> {
        for (stream, (before, after)) in std::mem::take(&mut self.heads) {
            if before == after {
                continue;
            }
            let expect = if before.next_seq == 0 {
                Expect::Absent
            } else {
                // The head's version is the place of the next event.
                Expect::Version(before.next_seq)
            };
            let mut head = item::attributes(&after)?;
            head.insert("version".to_owned(), number(after.next_seq));
            self.put(&keys::head(&stream), head, Some(expect))?;
        }
        self.put_outbox()?;
        if !self.topics.is_empty() {
            let mut entry = item::attributes(&item::FeedEntry {
                topics: self.topics.clone(),
            })?;
            let expires = self.at.saturating_add(FEED_KEPT).unwrap_or(self.at);
            entry.insert(
                "expires_at".to_owned(),
                AttributeValue::N(expires.as_second().to_string()),
            );
            self.put(&keys::feed(self.at, id), entry, None)?;
        }
        if self.items.len() > ITEMS_MAX {
            return Err(StoreError::TooLarge {
                items: self.items.len(),
            });
        }
        Ok((
            self.items,
            Committed {
                id,
                topics: self.topics,
                events: self.sealed,
                wakes: self.wakes,
            },
        ))
    }
}

fn condition(expect: Expect) -> &'static str {
    match expect {
        Expect::Absent => "attribute_not_exists(pk)",
        Expect::Present => "attribute_exists(pk)",
        Expect::Version(_) => "#version = :expected",
    }
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn text(value: &impl ToString) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

impl Store {
    /// Stores a change, or nothing of it. [`StoreError::Changed`] if a condition did not hold:
    /// read again and decide again.
    pub async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let id = Uuid::now_v7();
        let (items, committed) = commit.finish(id)?;
        let items: Vec<TransactWriteItem> =
            items.into_iter().map(|item| self.in_table(item)).collect();
        let mut attempt = 0;
        loop {
            attempt += 1;
            let sent = self
                .dynamodb
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                // The same token makes a repeated attempt the same transaction.
                .client_request_token(format!("{id}"))
                .send()
                .await;
            match sent {
                Ok(_) => {
                    self.tell(&committed);
                    return Ok(committed);
                }
                Err(error) => match cancelled(&error) {
                    Some(Cancelled::Conflict) if attempt <= CONFLICT_RETRIES => {
                        tokio::time::sleep(jitter(attempt)).await;
                    }
                    Some(Cancelled::Condition | Cancelled::Conflict) => {
                        return Err(StoreError::Changed);
                    }
                    None => return Err(StoreError::unavailable("TransactWriteItems", &error)),
                },
            }
        }
    }

    /// Writes one piece of bookkeeping by itself.
    pub(super) async fn put_alone(
        &self,
        at: &keys::At,
        attributes: Attributes,
        expect: Expect,
    ) -> Result<(), StoreError> {
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .item("pk", AttributeValue::S(at.pk.clone()))
            .item("sk", AttributeValue::S(at.sk.clone()))
            .condition_expression(condition(expect));
        if let Expect::Version(version) = expect {
            put = put
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":expected", number(version));
        }
        match put.send().await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Err(StoreError::Changed)
            }
            Err(error) => Err(StoreError::unavailable("PutItem", &error)),
        }
    }

    /// Writes one piece of bookkeeping, whatever is there: the last word wins.
    pub(super) async fn overwrite(
        &self,
        at: &keys::At,
        attributes: Attributes,
    ) -> Result<(), StoreError> {
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes))
            .item("pk", AttributeValue::S(at.pk.clone()))
            .item("sk", AttributeValue::S(at.sk.clone()))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("PutItem", &error))?;
        Ok(())
    }

    fn in_table(&self, mut item: TransactWriteItem) -> TransactWriteItem {
        let table = &self.table;
        if let Some(put) = &mut item.put {
            put.table_name.clone_from(table);
        }
        if let Some(update) = &mut item.update {
            update.table_name.clone_from(table);
        }
        if let Some(delete) = &mut item.delete {
            delete.table_name.clone_from(table);
        }
        if let Some(check) = &mut item.condition_check {
            check.table_name.clone_from(table);
        }
        item
    }
}

enum Cancelled {
    Condition,
    Conflict,
}

/// Why the transaction was refused, if it was.
fn cancelled(error: &SdkError<TransactWriteItemsError>) -> Option<Cancelled> {
    match error.as_service_error()? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => {
            let mut codes = cancelled
                .cancellation_reasons()
                .iter()
                .filter_map(|reason| reason.code());
            if codes.clone().any(|code| code == "ConditionalCheckFailed") {
                Some(Cancelled::Condition)
            } else if codes.any(|code| {
                matches!(
                    code,
                    "TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded"
                )
            }) {
                Some(Cancelled::Conflict)
            } else {
                None
            }
        }
        TransactWriteItemsError::TransactionInProgressException(_) => Some(Cancelled::Conflict),
        _ => None,
    }
}

/// 10 to 20 ms, doubling: a transaction takes about that long.
fn jitter(attempt: u32) -> std::time::Duration {
    let base = 10_u64 << attempt.min(6);
    let spread = u64::from(rand::random::<u8>()) * base / 256;
    std::time::Duration::from_millis(base / 2 + spread / 2)
}
