//! `DynamoDB`: the crate `dynoxide-rs` on an `SQLite` file, with what it leaves out added in front.
//!
//! Two engines run, each on an inner port of its own. Writes and consistent reads go to the first, the
//! table. Reads through an index, and reads that do not ask for consistency, go to the second, the
//! *lagging copy*, to which every written item is copied a little later. So an index read may miss what
//! was just written and show what was just deleted, page by page, exactly as DynamoDB says it may; no
//! answer is edited. The copy is made anew from the table at each start.
//!
//! Added besides: some transactions are refused with `TransactionConflict`, and what is past its time
//! to live is swept. Left out: `PartiQL` and streams, which Belay does not use.

mod engine;
mod lagging;

use std::io;
use std::path::Path;

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response};
use serde_json::{Map, Value, json};
use tokio_util::sync::CancellationToken;

use self::engine::Engine;
use self::lagging::LaggingCopy;
use crate::arguments::{EventualReads, Switches};
use crate::aws::refusal::Refusal;
use crate::aws::service::Service;
use crate::sandbox::Sandbox;

/// What is answered here.
pub(crate) const OPERATIONS: &[&str] = &[
    "BatchGetItem",
    "BatchWriteItem",
    "CreateTable",
    "DeleteItem",
    "DeleteTable",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "ListTables",
    "ListTagsOfResource",
    "PutItem",
    "Query",
    "Scan",
    "TagResource",
    "TransactGetItems",
    "TransactWriteItems",
    "UntagResource",
    "UpdateItem",
    "UpdateTable",
    "UpdateTimeToLive",
];

/// The one definition of Belay's table.
const TABLE: &str = include_str!("../../../terraform/table.json");
/// The attribute that says when an item may be swept, in seconds since 1970. It is not part of a
/// `CreateTable` input, so Terraform names it too.
const EXPIRES_AT: &str = "expires_at";

/// What an operation does, as far as the two engines are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Defines something: both engines are told.
    Defines,
    /// Writes items: the table, then copied.
    Writes,
    /// Reads items.
    Reads,
    /// Reads definitions.
    Describes,
}

/// Both engines.
#[derive(Debug)]
pub(crate) struct DynamoDb {
    table: Engine,
    copy: LaggingCopy,
}

impl DynamoDb {
    /// Opens the tables of a data folder, and creates Belay's if it is missing.
    pub(crate) async fn open(data: &Path, shutdown: &CancellationToken) -> io::Result<Self> {
        let table = Engine::open(&data.join("dynamodb.sqlite"), shutdown).await?;
        table.create_missing(&definition()?, EXPIRES_AT).await?;
        let copy =
            LaggingCopy::open(&data.join("dynamodb-lagging.sqlite"), &table, shutdown).await?;
        Ok(Self { table, copy })
    }

    /// Answers one call.
    pub(crate) async fn call(
        &self,
        sandbox: &Sandbox,
        operation: &str,
        parts: &Parts,
        input: &Map<String, Value>,
        body: Bytes,
    ) -> Result<Response<Bytes>, Refusal> {
        let switches = sandbox.switches();
        if operation == "TransactWriteItems" && sandbox.draws.happens(switches.conflict_percent) {
            return Err(transaction_conflict(input));
        }
        let effect = effect_of(operation);
        let lagging = effect == Effect::Reads && may_lag(operation, input, &switches);
        let engine = if lagging {
            self.copy.engine()
        } else {
            &self.table
        };
        let response = engine.forward(parts, body.clone()).await?;
        if response.status().is_success() {
            match effect {
                Effect::Writes => {
                    let lag_ms = sandbox.draws.lag_ms(switches.index_lag_ms_max);
                    self.copy.schedule(&self.table, operation, input, lag_ms);
                }
                Effect::Defines => {
                    self.copy.engine().forward(parts, body).await?;
                }
                Effect::Reads | Effect::Describes => {}
            }
        }
        Ok(named(response))
    }

    /// Drops every table and creates Belay's anew.
    pub(crate) async fn reset(&self) -> io::Result<()> {
        let definition = definition()?;
        for engine in [&self.table, self.copy.engine()] {
            engine.drop_tables().await?;
            engine.create_missing(&definition, EXPIRES_AT).await?;
        }
        Ok(())
    }
}

fn definition() -> io::Result<Value> {
    serde_json::from_str(TABLE).map_err(io::Error::from)
}

fn effect_of(operation: &str) -> Effect {
    match operation {
        "PutItem" | "UpdateItem" | "DeleteItem" | "BatchWriteItem" | "TransactWriteItems" => {
            Effect::Writes
        }
        "GetItem" | "BatchGetItem" | "Query" | "Scan" => Effect::Reads,
        "CreateTable" | "DeleteTable" | "UpdateTable" | "UpdateTimeToLive" | "TagResource"
        | "UntagResource" => Effect::Defines,
        _ => Effect::Describes,
    }
}

/// Whether a read may be answered by the copy.
fn may_lag(operation: &str, input: &Map<String, Value>, switches: &Switches) -> bool {
    let consistent = |value: &Value| value.get("ConsistentRead") == Some(&Value::Bool(true));
    let asks_for_consistency = if operation == "BatchGetItem" {
        // Several tables may differ in it; the stronger wish holds for all.
        let tables = input.get("RequestItems").and_then(Value::as_object);
        tables.is_some_and(|tables| tables.values().any(consistent))
    } else {
        input.get("ConsistentRead") == Some(&Value::Bool(true))
    };
    if asks_for_consistency || switches.index_lag_ms_max == 0 {
        return false;
    }
    input.contains_key("IndexName") || switches.eventual_reads == EventualReads::Stale
}

/// As DynamoDB refuses a transaction that met another one: every item has a reason, most of them
/// `None`.
fn transaction_conflict(input: &Map<String, Value>) -> Refusal {
    let items = input.get("TransactItems").and_then(Value::as_array);
    let count = items.map_or(1, Vec::len).max(1);
    let mut reasons = vec![json!({"Code": "None"}); count];
    reasons[0] = json!({
        "Code": "TransactionConflict",
        "Message": "Transaction is ongoing for the item",
    });
    let codes: Vec<&str> = reasons
        .iter()
        .filter_map(|reason| reason["Code"].as_str())
        .collect();
    let message = format!(
        "Transaction cancelled, please refer cancellation reasons for specific reasons [{}]",
        codes.join(", ")
    );
    Refusal::new(Service::DynamoDb, "TransactionCanceledException", message)
        .with("CancellationReasons", reasons)
}

/// Names the error in a header too, as the other services do: the list of calls reads it there.
fn named(mut response: Response<Bytes>) -> Response<Bytes> {
    if response.status().is_success() {
        return response;
    }
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let kind = body.as_ref().and_then(|body| body["__type"].as_str());
    let code = kind.and_then(|kind| kind.rsplit('#').next());
    if let Some(code) = code.and_then(|code| HeaderValue::from_str(code).ok()) {
        response.headers_mut().insert("x-amzn-errortype", code);
    }
    response
}
