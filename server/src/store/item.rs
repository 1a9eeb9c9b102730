//! What is stored, as attributes.
//!
//! Every item begins with a frozen core; the rest are named attributes. Updates name the
//! attributes they set, so an older server that changes an item drops nothing of a newer one's.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use domain::grant::Grant;
use domain::id::{PolicyVersion, RequestId};
use domain::key::KeyState;
use domain::request::Request;
use domain::target::{Key, Target};
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::keys::At;

/// An item as DynamoDB has it.
pub type Attributes = HashMap<String, AttributeValue>;

/// The version of the item formats that this server writes.
pub const SCHEMA: u32 = 1;

/// What every item says of itself, whatever else a later version adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Core {
    /// Version of the format.
    pub schema: u32,
    /// What it is.
    pub item: String,
    /// The key it wants access for, if it does: readable by every version (invariant 13).
    pub wants: Option<Key>,
    /// From when that access is wanted.
    pub wants_from: Option<Timestamp>,
    /// Until when.
    pub wants_until: Option<Timestamp>,
}

impl Core {
    fn of(item: &str) -> Self {
        Self {
            schema: SCHEMA,
            item: item.to_owned(),
            wants: None,
            wants_from: None,
            wants_until: None,
        }
    }
}

/// Attributes of any value.
pub fn attributes(value: &impl Serialize) -> Result<Attributes, StoreError> {
    serde_dynamo::to_item(value).map_err(|source| StoreError::Unreadable {
        what: "a value to be stored".to_owned(),
        source,
    })
}

/// A value of an item's attributes. The item's key is in the error.
pub fn value<T: DeserializeOwned>(item: Attributes) -> Result<T, StoreError> {
    let what = place(&item);
    serde_dynamo::from_item(item).map_err(|source| StoreError::Unreadable { what, source })
}

fn place(item: &Attributes) -> String {
    let text = |name| {
        item.get(name)
            .and_then(|value| value.as_s().ok())
            .map_or("?", String::as_str)
    };
    format!("{} {}", text("pk"), text("sk"))
}

/// The key attributes of an item.
#[must_use]
pub fn primary(at: &At) -> Attributes {
    HashMap::from([
        ("pk".to_owned(), AttributeValue::S(at.pk.clone())),
        ("sk".to_owned(), AttributeValue::S(at.sk.clone())),
    ])
}

/// A request's attributes.
pub fn of_request(request: &Request) -> Result<Attributes, StoreError> {
    let mut item = attributes(&Core::of("request"))?;
    item.extend(attributes(request)?);
    Ok(item)
}

/// A grant's attributes.
pub fn of_grant(grant: &Grant) -> Result<Attributes, StoreError> {
    let core = Core {
        wants: Some(grant.key.clone()),
        wants_from: Some(grant.from),
        wants_until: Some(grant.until),
        ..Core::of("grant")
    };
    let mut item = attributes(&core)?;
    item.extend(attributes(grant)?);
    Ok(item)
}

/// A key as stored, with the place of its due entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredKey {
    /// The state.
    #[serde(flatten)]
    pub state: KeyState,
    /// When its due entry says that it must be looked at; `None`: there is no entry.
    pub due_at: Option<Timestamp>,
}

/// A key's attributes.
pub fn of_key(key: &StoredKey) -> Result<Attributes, StoreError> {
    let windows = &key.state.live;
    let core = Core {
        wants: Some(key.state.key.clone()),
        wants_from: windows.iter().map(|live| live.from).min(),
        wants_until: windows.iter().map(|live| live.until).max(),
        ..Core::of("key")
    };
    let mut item = attributes(&core)?;
    item.extend(attributes(key)?);
    Ok(item)
}

/// A pointer from a person, or from the list of open requests, to something of theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pointer {
    /// The id of what it points to.
    pub to: String,
}

/// An entry of the change feed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// What changed, as the live pages know it.
    pub topics: Vec<String>,
}

/// Events that have not been shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pack {
    /// Oldest first.
    pub events: Vec<Undelivered>,
}

/// An event that has not been shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undelivered {
    /// Its id.
    pub id: String,
    /// When it happened: names the folder.
    pub at: Timestamp,
    /// Exactly what is shipped.
    pub bytes: String,
}

/// What a person waits for, and how often they asked of late.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Grows by one with each change; every change is conditional on it. 0: not stored yet.
    pub version: u64,
    /// The request in which they wait for each target.
    pub pending: BTreeMap<String, RequestId>,
    /// When they submitted, within the hour before the last time.
    pub submitted: Vec<Timestamp>,
}

/// The policy in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// Its version: names already resolved to ids.
    pub policy_version: PolicyVersion,
    /// The SHA-256 of its source, which another server compares with its own. Which ids the names
    /// meant is kept with the version: each decision reads this item.
    pub source: String,
}

/// What history shows of an ask: at most 1 KB, so that a page of 50 is read in one go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The request.
    pub request: domain::id::RequestId,
    /// Which ask of it.
    pub ask: domain::id::AskIndex,
    /// Who asked.
    pub requester: domain::request::Who,
    /// To what.
    pub target: Target,
    /// How people call it.
    pub names: domain::request::Names,
    /// Why: the first [`SUMMARY_REASON_CHARS`] characters.
    pub reason: String,
    /// When it was submitted.
    pub submitted_at: Timestamp,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// The ask's state, or its grant's once there is one.
    pub state: String,
    /// Names of those who reviewed it.
    pub reviewers: Vec<String>,
    /// Start of the grant.
    pub granted_from: Option<Timestamp>,
    /// End of the grant's window.
    pub granted_until: Option<Timestamp>,
    /// When it was over.
    pub ended_at: Option<Timestamp>,
    /// How its grant ended.
    pub receipt: Option<String>,
    /// Whether it was granted as break-glass.
    #[serde(default)]
    pub break_glass: bool,
    /// The ticket that it is for.
    #[serde(default)]
    pub ticket: Option<String>,
    /// From when its access may have been there.
    #[serde(default)]
    pub begun_at: Option<Timestamp>,
    /// From when its access was there.
    #[serde(default)]
    pub active_at: Option<Timestamp>,
}

/// How much of a reason history shows; the request has all of it.
pub const SUMMARY_REASON_CHARS: usize = 160;
