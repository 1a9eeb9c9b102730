//! What was called, for tests and benchmarks to read: the last calls, in the order of their arrival.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::service::Service;

/// Calls that are remembered: a busy server makes some tens a second, so this is many minutes.
const CALLS_MAX: usize = 20_000;
/// An input longer than this is remembered by its length only: 20,000 long ones would fill a laptop.
const INPUT_BYTES_MAX: usize = 16 * 1024;

/// One call.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Call {
    /// Its number, from 1.
    n: u64,
    /// When its head arrived, in milliseconds since 1970, to the microsecond.
    time: f64,
    /// `service:Operation`.
    operation: String,
    input: Value,
    /// `pending`, `ok`, `lost`, or the name of the error.
    outcome: String,
    /// The status that was answered; 0 for none.
    status: u16,
    /// How long it took, in milliseconds.
    ms: f64,
    /// AWS's id of the call, as answered in its header.
    request_id: String,
}

impl Call {
    /// `service:Operation`.
    pub(crate) fn operation(&self) -> &str {
        &self.operation
    }
}

/// The calls of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    last: u64,
    calls: VecDeque<Call>,
}

/// A call that is being answered.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    n: u64,
    began_ms: f64,
}

impl Calls {
    /// Remembers that a call came in.
    pub(crate) fn begin(
        &self,
        service: Service,
        operation: &str,
        input: &Map<String, Value>,
        length: usize,
        request_id: &str,
        began_ms: f64,
    ) -> Pending {
        let input = if length > INPUT_BYTES_MAX {
            json!({"left_out_bytes": length})
        } else {
            Value::Object(input.clone())
        };
        let mut ring = self.lock();
        ring.last += 1;
        let n = ring.last;
        if ring.calls.len() == CALLS_MAX {
            ring.calls.pop_front();
        }
        ring.calls.push_back(Call {
            n,
            time: began_ms,
            operation: format!("{}:{operation}", service.name()),
            input,
            outcome: "pending".to_owned(),
            status: 0,
            ms: 0.0,
            request_id: request_id.to_owned(),
        });
        Pending { n, began_ms }
    }

    /// Remembers how it went.
    pub(crate) fn finish(&self, pending: Pending, outcome: &str, status: u16) {
        let mut ring = self.lock();
        let first = ring.calls.front().map_or(0, |call| call.n);
        let place = usize::try_from(pending.n.wrapping_sub(first)).unwrap_or(usize::MAX);
        if let Some(call) = ring.calls.get_mut(place) {
            outcome.clone_into(&mut call.outcome);
            call.status = status;
            call.ms = now_ms() - pending.began_ms;
        }
    }

    /// The calls after number `since`, and the number of the last one.
    pub(crate) fn since(&self, since: u64) -> (Vec<Call>, u64) {
        let ring = self.lock();
        let calls = ring.calls.iter().filter(|call| call.n > since);
        (calls.cloned().collect(), ring.last)
    }

    /// Forgets all. Numbers go on, so that nobody who remembers one sees old calls as new.
    pub(crate) fn clear(&self) {
        self.lock().calls.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Milliseconds since 1970, to the microsecond.
pub(crate) fn now_ms() -> f64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_secs_f64() * 1000.0
}
