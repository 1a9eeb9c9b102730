//! What DynamoDB says that each call cost: asked for and read on the way, so that the store under
//! measurement is the server's own.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

/// What some calls cost together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Cost {
    /// Calls.
    pub(crate) calls: u32,
    /// Items that were looked at.
    pub(crate) items: u64,
    /// Capacity units, of table and indexes.
    pub(crate) units: f64,
}

impl Cost {
    /// Whether it is no dearer; units by a half for an item whose size is at an edge.
    pub(crate) fn is_at_most(&self, other: &Self) -> bool {
        self.calls <= other.calls && self.items <= other.items && self.units <= other.units + 0.5
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            calls,
            items,
            units,
        } = self;
        write!(f, "{calls} calls {items} items {units:.1} units")
    }
}

/// Counts the calls of one client. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counter(Arc<Mutex<Cost>>);

impl Counter {
    /// What was counted since the last time.
    pub(crate) fn take(&self) -> Cost {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, answer: &Value) {
        let mut cost = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        cost.calls += 1;
        cost.items += items(answer);
        cost.units += units(&answer["ConsumedCapacity"]);
    }
}

/// Items that a read looked at, found or filtered out.
fn items(answer: &Value) -> u64 {
    if let Some(scanned) = answer["ScannedCount"].as_u64() {
        return scanned;
    }
    let many = answer["Responses"].as_object().map_or(0, |tables| {
        tables
            .values()
            .filter_map(|items| items.as_array())
            .map(Vec::len)
            .sum()
    });
    many as u64 + u64::from(answer["Item"].is_object())
}

fn units(consumed: &Value) -> f64 {
    match consumed {
        Value::Array(tables) => tables.iter().map(units).sum(),
        one => one["CapacityUnits"].as_f64().unwrap_or(0.0),
    }
}

#[dyn_dispatch_hint]
impl Intercept for Counter {
    fn name(&self) -> &'static str {
        "Counter"
    }

    /// Asks for the cost, before the call is signed.
    fn modify_before_retry_loop(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let body = request.body().bytes().unwrap_or_default();
        let mut input: Value = serde_json::from_slice(body)?;
        input["ReturnConsumedCapacity"] = "TOTAL".into();
        let body = input.to_string();
        let length = body.len().to_string();
        *request.body_mut() = SdkBody::from(body);
        request.headers_mut().insert("content-length", length);
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let body = context.response().body().bytes().unwrap_or_default();
        self.add(&serde_json::from_slice(body)?);
        Ok(())
    }
}
