//! What is read, each access pattern one call (or one for each hundred items).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::event::{Head, Stream};
use domain::grant::Grant;
use domain::id::{GrantId, RequestId, UserId};
use domain::request::Request;
use domain::target::Key;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use super::item::{
    self, Attributes, FeedEntry, Pack, Pointer, PolicyInForce, StoredKey, Tally, Undelivered,
};
use super::keys::{self, At};
use super::{Store, StoreError};

/// What DynamoDB gives in one `BatchGetItem`.
const BATCH_MAX: usize = 100;

/// Unprocessed keys are asked for again this often: under throttling the table needs a second or
/// two, and a person waits.
const BATCH_RETRIES: u32 = 6;

/// Something that must be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Timestamp,
    /// Its entry.
    pub entry: At,
    /// What.
    pub what: DueWhat,
    /// Of a key, when the last of its windows ends; unknown of one that an earlier version wrote.
    pub until: Option<Timestamp>,
    /// Of a key, the earliest end of a grant that has begun, and so must be proved.
    pub promised_end: Option<Timestamp>,
}

/// The attribute of a key's due entry that says when the last of its windows ends. So whoever reads
/// the entries sees which keys were promised more, or less, than they knew.
pub(super) const DUE_UNTIL: &str = "wanted_until";

/// The attribute that says when the first of its grants that have begun ends. So whoever reads the
/// entries sees which keys are late, without reading the keys.
pub(super) const DUE_PROMISED_END: &str = "promised_end";

/// What a due entry is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DueWhat {
    /// A key, by its partition.
    Key(String),
    /// A request that may have expired.
    Request(RequestId),
    /// A request whose break-glass may not have been signed in time.
    Signing(RequestId),
    /// Something of another version: left alone, and reported (invariant 13).
    Unknown,
}

/// Events that have not been shipped, and the entry that says so.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The entry: removed once all of them are shipped.
    pub entry: At,
    /// The events.
    pub events: Vec<Undelivered>,
}

/// A query in the making: one partition, a range of places.
#[derive(Debug, Clone)]
pub(super) struct Range {
    pub(super) index: Option<&'static str>,
    pub(super) pk: String,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) limit: i32,
    pub(super) newest_first: bool,
}

impl Range {
    /// All places with this prefix, of the table itself.
    pub(super) fn prefix(pk: impl Into<String>, prefix: &str, limit: i32) -> Self {
        Self {
            index: None,
            pk: pk.into(),
            // DynamoDB refuses an empty text in a key condition; a space sorts below all our keys.
            from: if prefix.is_empty() {
                " ".to_owned()
            } else {
                prefix.to_owned()
            },
            // Higher than any character that our keys use.
            to: format!("{prefix}\u{10FFFF}"),
            limit,
            newest_first: false,
        }
    }
}

impl Store {
    /// One item, read consistently.
    pub async fn get<T: DeserializeOwned>(&self, at: &At) -> Result<Option<T>, StoreError> {
        let found = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::primary(at)))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::unavailable("GetItem", &error))?;
        found.item.map(item::value).transpose()
    }

    /// Many items, read consistently; those that are missing are left out.
    pub(super) async fn get_many(&self, places: &[At]) -> Result<Vec<Attributes>, StoreError> {
        let mut found = Vec::with_capacity(places.len());
        for chunk in places.chunks(BATCH_MAX) {
            let mut wanted: Vec<Attributes> = chunk.iter().map(item::primary).collect();
            let mut attempt = 0;
            while !wanted.is_empty() {
                if attempt > BATCH_RETRIES {
                    return Err(StoreError::Unavailable {
                        operation: "BatchGetItem",
                        code: "UnprocessedKeys".to_owned(),
                        detail: format!("{} keys were never processed", wanted.len()),
                    });
                }
                if attempt > 0 {
                    let pause = std::time::Duration::from_millis(20 << attempt);
                    tokio::time::sleep(pause).await;
                }
                attempt += 1;
                let keys = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut wanted)))
                    .consistent_read(true)
                    .build()
                    .map_err(StoreError::build)?;
                let mut answer = self
                    .dynamodb
                    .batch_get_item()
                    .request_items(&self.table, keys)
                    .send()
                    .await
                    .map_err(|error| StoreError::unavailable("BatchGetItem", &error))?;
                let items = answer
                    .responses
                    .as_mut()
                    .and_then(|tables| tables.remove(&self.table))
                    .unwrap_or_default();
                found.extend(items);
                if let Some(mut rest) = answer.unprocessed_keys {
                    wanted = rest
                        .remove(&self.table)
                        .map(|keys| keys.keys)
                        .unwrap_or_default();
                }
            }
        }
        Ok(found)
    }

    /// One page of a range. The table's own ranges are read consistently; an index cannot be.
    pub(super) async fn range(
        &self,
        range: Range,
        after: Option<Attributes>,
    ) -> Result<(Vec<Attributes>, Option<Attributes>), StoreError> {
        let (pk, sk) = match range.index {
            None => ("pk".to_owned(), "sk".to_owned()),
            Some(index) => (format!("{index}pk"), format!("{index}sk")),
        };
        let answer = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .set_index_name(range.index.map(str::to_owned))
            .consistent_read(range.index.is_none())
            .key_condition_expression("#pk = :pk AND #sk BETWEEN :from AND :to")
            .expression_attribute_names("#pk", pk)
            .expression_attribute_names("#sk", sk)
            .expression_attribute_values(":pk", AttributeValue::S(range.pk))
            .expression_attribute_values(":from", AttributeValue::S(range.from))
            .expression_attribute_values(":to", AttributeValue::S(range.to))
            .scan_index_forward(!range.newest_first)
            .limit(range.limit)
            .set_exclusive_start_key(after)
            .send()
            .await
            .map_err(|error| StoreError::unavailable("Query", &error))?;
        Ok((answer.items.unwrap_or_default(), answer.last_evaluated_key))
    }

    /// Up to `limit` items of a range, over as many pages as that takes.
    pub(super) async fn all_of(&self, range: Range) -> Result<Vec<Attributes>, StoreError> {
        let limit = usize::try_from(range.limit).unwrap_or_default();
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let (page, next) = self.range(range.clone(), after).await?;
            items.extend(page);
            if items.len() >= limit || next.is_none() {
                items.truncate(limit);
                return Ok(items);
            }
            after = next;
        }
    }

    /// A request.
    pub async fn request(&self, id: RequestId) -> Result<Option<Request>, StoreError> {
        self.get(&keys::request(id)).await
    }

    /// Requests, in no order.
    pub async fn requests(&self, ids: &[RequestId]) -> Result<Vec<Request>, StoreError> {
        let places: Vec<At> = ids.iter().map(|id| keys::request(*id)).collect();
        let items = self.get_many(&places).await?;
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// A grant.
    pub async fn grant(&self, id: GrantId) -> Result<Option<Grant>, StoreError> {
        self.get(&keys::grant(id)).await
    }

    /// Grants, in no order.
    pub async fn grants(&self, ids: &[GrantId]) -> Result<Vec<Grant>, StoreError> {
        let places: Vec<At> = ids.iter().map(|id| keys::grant(*id)).collect();
        let items = self.get_many(&places).await?;
        items.into_iter().map(item::value).collect()
    }

    /// Grants, and where their streams stand, in no order.
    pub async fn grants_with_heads(
        &self,
        ids: &[GrantId],
    ) -> Result<(Vec<Grant>, HashMap<GrantId, Head>), StoreError> {
        let places: Vec<At> = ids
            .iter()
            .flat_map(|id| [keys::grant(*id), keys::head(&Stream::Grant(*id))])
            .collect();
        let mut found: HashMap<At, Attributes> = self
            .get_many(&places)
            .await?
            .into_iter()
            .map(|item| (place(&item), item))
            .collect();
        let mut grants = Vec::with_capacity(ids.len());
        let mut heads = HashMap::new();
        for id in ids {
            // Whoever acts on grants must see all of them: one that cannot be read is an error here.
            if let Some(item) = found.remove(&keys::grant(*id)) {
                grants.push(item::value(item)?);
            }
            let head = found.remove(&keys::head(&Stream::Grant(*id)));
            let head = head.map(item::value).transpose()?.unwrap_or_default();
            heads.insert(*id, head);
        }
        Ok((grants, heads))
    }

    /// A key, if anybody ever wanted it.
    pub async fn key(&self, key: &Key) -> Result<Option<StoredKey>, StoreError> {
        self.get(&keys::key(key)).await
    }

    /// A key, by the partition that a due entry names.
    pub async fn key_at(&self, pk: &str) -> Result<Option<StoredKey>, StoreError> {
        self.get(&keys::key_of_text(pk)).await
    }

    /// Where a stream stands.
    pub async fn head(&self, stream: &Stream) -> Result<Head, StoreError> {
        Ok(self.get(&keys::head(stream)).await?.unwrap_or_default())
    }

    /// A stream's events, oldest first, at most `limit`: each its canonical JSON.
    pub async fn events(&self, stream: &Stream, limit: i32) -> Result<Vec<String>, StoreError> {
        let range = Range::prefix(keys::stream(stream), "event#", limit);
        let items = self.all_of(range).await?;
        Ok(items
            .into_iter()
            .filter_map(|mut item| match item.remove("bytes") {
                Some(AttributeValue::S(bytes)) => Some(bytes),
                _ => None,
            })
            .collect())
    }

    /// Requests that wait for review, oldest first, at most `limit`.
    pub async fn open_requests(&self, limit: i32) -> Result<Vec<Request>, StoreError> {
        let range = Range::prefix(keys::OPEN, "", limit);
        self.pointed_requests(range).await
    }

    pub(super) async fn pointed_requests(&self, range: Range) -> Result<Vec<Request>, StoreError> {
        let pointers = self.all_of(range).await?;
        self.pointed(pointers).await
    }

    pub(super) async fn pointed(
        &self,
        pointers: Vec<Attributes>,
    ) -> Result<Vec<Request>, StoreError> {
        let mut places = Vec::new();
        for pointer in pointers {
            let pointer: Pointer = item::value(pointer)?;
            if let Ok(id) = RequestId::parse(&pointer.to) {
                places.push(keys::request(id));
            }
        }
        let items = self.get_many(&places).await?;
        let mut requests: Vec<Request> = items.into_iter().filter_map(readable).collect();
        requests.sort_by_key(|request| request.submitted_at);
        Ok(requests)
    }

    /// A person's grants that have not ended, at most `limit`.
    pub async fn live_grants_of(
        &self,
        user: &UserId,
        limit: i32,
    ) -> Result<Vec<Grant>, StoreError> {
        let range = Range::prefix(keys::person(user), keys::PERSON_LIVE, limit);
        let mut places = Vec::new();
        for pointer in self.all_of(range).await? {
            let pointer: Pointer = item::value(pointer)?;
            if let Ok(id) = GrantId::parse(&pointer.to) {
                places.push(keys::grant(id));
            }
        }
        let items = self.get_many(&places).await?;
        Ok(items.into_iter().filter_map(readable).collect())
    }

    /// What this person waits for, and how often they asked of late.
    pub async fn tally(&self, user: &UserId) -> Result<Tally, StoreError> {
        Ok(self
            .get(&keys::person_tally(user))
            .await?
            .unwrap_or_default())
    }

    /// The earliest due entries of a shard, due or not, at most `limit`, and where to go on.
    pub async fn due(
        &self,
        shard: u8,
        limit: i32,
        after: Option<Attributes>,
    ) -> Result<(Vec<Due>, Option<Attributes>), StoreError> {
        let range = Range::prefix(keys::due_shard(shard), "", limit);
        let (items, more) = self.range(range, after).await?;
        Ok((items.iter().map(due_entry).collect(), more))
    }

    /// Those of them that are due before this instant: of what is due much later, however much there
    /// is, nothing is read.
    pub async fn due_before(
        &self,
        shard: u8,
        before: Timestamp,
        limit: i32,
        after: Option<Attributes>,
    ) -> Result<(Vec<Due>, Option<Attributes>), StoreError> {
        let mut range = Range::prefix(keys::due_shard(shard), "", limit);
        range.to = keys::millis(before);
        let (items, more) = self.range(range, after).await?;
        Ok((items.iter().map(due_entry).collect(), more))
    }

    /// Events of a shard that have not been shipped, oldest first, of at most `limit` commits; and
    /// whether there are more.
    pub async fn undelivered(
        &self,
        shard: u8,
        limit: i32,
    ) -> Result<(Vec<Waiting>, bool), StoreError> {
        let range = Range::prefix(keys::outbox_shard(shard), "", limit);
        let (items, more) = self.range(range, None).await?;
        let waiting = items
            .into_iter()
            .filter_map(|item| {
                let entry = place(&item);
                // Before events were packed each had an entry of its own.
                let events = if item.contains_key("bytes") {
                    vec![readable::<Undelivered>(item)?]
                } else {
                    readable::<Pack>(item)?.events
                };
                Some(Waiting { entry, events })
            })
            .collect();
        Ok((waiting, more.is_some()))
    }

    /// What an entry is about is done: its events are shipped, or there is nothing to look at.
    pub async fn delivered(&self, entry: &At) -> Result<(), StoreError> {
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(item::primary(entry)))
            .send()
            .await
            .map_err(|error| StoreError::unavailable("DeleteItem", &error))?;
        Ok(())
    }

    /// A bucket of the change feed: commit ids and what they changed.
    pub async fn feed(&self, bucket: String) -> Result<Vec<(String, FeedEntry)>, StoreError> {
        // A bucket is 10 s; a busy organisation makes tens of changes in it.
        let range = Range::prefix(bucket, "", 1_000);
        let mut entries = Vec::new();
        for item in self.all_of(range).await? {
            let commit = place(&item).sk;
            entries.push((commit, item::value(item)?));
        }
        Ok(entries)
    }

    /// The policy in force.
    pub async fn policy_in_force(&self) -> Result<Option<PolicyInForce>, StoreError> {
        self.get(&keys::policy()).await
    }
}

/// One of a list. What this version cannot read is left out and reported, so that it does not take
/// the others with it.
pub(super) fn readable<T: DeserializeOwned>(item: Attributes) -> Option<T> {
    item::value(item)
        .inspect_err(|error| {
            metrics::counter!("belay_unreadable_items_total").increment(1);
            tracing::error!(%error, "an item is left out of a list");
        })
        .ok()
}

pub(super) fn place(item: &HashMap<String, AttributeValue>) -> At {
    let text = |name: &str| match item.get(name) {
        Some(AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    At {
        pk: text("pk"),
        sk: text("sk"),
    }
}

/// Reads `MS#key#KEY`, `MS#request#ID` and `MS#signing#ID`. What it cannot read is of unknown kind, and due.
fn due_entry(item: &Attributes) -> Due {
    let entry = place(item);
    let (millis, what) = entry.sk.split_once('#').unwrap_or_default();
    let at = millis
        .parse()
        .ok()
        .and_then(|millis| Timestamp::from_millisecond(millis).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let what = match what.split_once('#') {
        Some(("key", key)) => DueWhat::Key(key.to_owned()),
        Some(("request", id)) => RequestId::parse(id).map_or(DueWhat::Unknown, DueWhat::Request),
        Some(("signing", id)) => RequestId::parse(id).map_or(DueWhat::Unknown, DueWhat::Signing),
        _ => DueWhat::Unknown,
    };
    let instant = |name| {
        let millis = item.get(name)?.as_n().ok()?;
        Timestamp::from_millisecond(millis.parse().ok()?).ok()
    };
    Due {
        at,
        entry,
        what,
        until: instant(DUE_UNTIL),
        promised_end: instant(DUE_PROMISED_END),
    }
}
