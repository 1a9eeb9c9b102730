//! What goes wrong on purpose.
//!
//! A fault names an operation and what happens to the next calls of it. Faults are set at the control
//! door, matched here, and acted upon where the call is answered.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::service::Service;

/// Faults kept, spent ones included: more than any test sets between two resets.
const FAULTS_MAX: usize = 1_000;
/// The longest time a fault may hold anything up, so that a forgotten one does not do so for ever.
pub(crate) const HOLD_MS_MAX: u64 = 10 * 60 * 1000;

/// What a fault does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// The call takes `ms` longer, and is then done.
    Latency,
    /// The service's throttling error; nothing is done.
    Throttle,
    /// The error named by `error`; nothing is done.
    Error,
    /// The call is done and the connection closed without an answer.
    LoseResponse,
    /// A page after the first is lost: the connection is closed without an answer, or the page comes
    /// empty if `silent`.
    LosePage,
    /// The operation that the call starts ends `FAILED` with `error` as its reason; what it was to do
    /// is done all the same if `done`.
    FailStatus,
    /// The operation that the call starts stays in progress, or the call stays unanswered if it starts
    /// none: for `ms`, or until the fault is deleted if that is 0.
    Stall,
}

/// A fault as it is asked for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FaultRequest {
    /// `service:Operation`, `service:*` or `*`.
    pub(crate) operation: String,
    pub(crate) kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    #[serde(default)]
    pub(crate) ms: u64,
    /// How many calls it befalls; 0 for all until it is deleted.
    #[serde(default = "once")]
    pub(crate) times: u32,
    /// Members that the call's input must have, with these values; of a list, elements that it must
    /// have.
    #[serde(default, rename = "match")]
    pub(crate) matching: Map<String, Value>,
    #[serde(default)]
    pub(crate) silent: bool,
    #[serde(default)]
    pub(crate) done: bool,
}

fn once() -> u32 {
    1
}

/// A fault that was set.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Fault {
    pub(crate) id: u64,
    #[serde(flatten)]
    request: FaultRequest,
    /// Calls it has befallen.
    fired: u32,
}

/// How an assignment operation ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Ending {
    #[default]
    AsUsual,
    /// `FAILED`, done or not.
    Fails { reason: String, done: bool },
    /// Later than usual by `ms`; 0 for not at all.
    Stalls { ms: u64 },
}

/// What gets lost on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The answer.
    Response,
    /// The answer, which was a page.
    Page,
    /// The rows of a page.
    Rows,
}

/// A call that is to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hold {
    fault_id: u64,
    /// 0 for as long as the fault exists.
    pub(crate) ms: u64,
}

/// Everything that befalls one call.
#[derive(Debug, Default)]
pub(crate) struct Interference {
    pub(crate) delay_ms: u64,
    pub(crate) hold: Option<Hold>,
    pub(crate) error: Option<String>,
    pub(crate) loss: Option<Loss>,
    pub(crate) ending: Ending,
}

/// All faults of one sandbox.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Set>);

#[derive(Debug, Default)]
struct Set {
    last_id: u64,
    faults: Vec<Fault>,
}

/// Why a fault was not set.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FaultError {
    #[error(
        "there is no operation `{0}`; write `service:Operation`, `service:*` or `*`, with the services sso-admin, identitystore, organizations, dynamodb, s3"
    )]
    NoSuchOperation(String),
    #[error("a fault of kind `error` needs the name of an error in `error`")]
    NoError,
    #[error("`ms` may be at most {HOLD_MS_MAX}")]
    TooLong,
    #[error("`{0}` starts no assignment operation, so its status cannot fail")]
    NothingToFail(String),
    #[error("there are {FAULTS_MAX} faults already; delete some")]
    TooMany,
}

impl Faults {
    /// Sets a fault and gives its id.
    pub(crate) fn add(&self, request: FaultRequest) -> Result<u64, FaultError> {
        check(&request)?;
        let mut set = self.lock();
        if set.faults.len() >= FAULTS_MAX {
            return Err(FaultError::TooMany);
        }
        set.last_id += 1;
        let id = set.last_id;
        set.faults.push(Fault {
            id,
            request,
            fired: 0,
        });
        Ok(id)
    }

    /// All that are set, spent ones included.
    pub(crate) fn all(&self) -> Vec<Fault> {
        self.lock().faults.clone()
    }

    /// Deletes one. False if there is none of this id.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut set = self.lock();
        let before = set.faults.len();
        set.faults.retain(|fault| fault.id != id);
        set.faults.len() < before
    }

    /// Deletes all.
    pub(crate) fn clear(&self) {
        self.lock().faults.clear();
    }

    /// Whether a held call is still to wait.
    pub(crate) fn holds(&self, hold: Hold) -> bool {
        self.lock()
            .faults
            .iter()
            .any(|fault| fault.id == hold.fault_id)
    }

    /// What befalls this call. Delays add up; of everything else the oldest fault wins, and the
    /// others stay for later calls.
    pub(crate) fn befall(
        &self,
        service: Service,
        operation: &str,
        input: &Map<String, Value>,
    ) -> Interference {
        let mut interference = Interference::default();
        let mut decided = false;
        for fault in &mut self.lock().faults {
            let request = &fault.request;
            let spent = request.times != 0 && fault.fired >= request.times;
            if spent
                || !names(&request.operation, service, operation)
                || !is_subset(&request.matching, input)
                || (request.kind == Kind::LosePage && !goes_on(input))
                || (request.kind == Kind::FailStatus && !starts_operation(operation))
            {
                continue;
            }
            if request.kind == Kind::Latency {
                interference.delay_ms = interference.delay_ms.saturating_add(request.ms);
            } else if decided {
                continue;
            } else {
                decided = true;
                interference.take(fault.id, request, service, operation);
            }
            fault.fired += 1;
        }
        interference
    }

    fn lock(&self) -> MutexGuard<'_, Set> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Interference {
    fn take(&mut self, fault_id: u64, request: &FaultRequest, service: Service, operation: &str) {
        let ms = request.ms;
        match request.kind {
            Kind::Latency => {}
            Kind::Throttle => self.error = Some(service.throttling_error().to_owned()),
            Kind::Error => self.error.clone_from(&request.error),
            Kind::LoseResponse => self.loss = Some(Loss::Response),
            Kind::LosePage if request.silent => self.loss = Some(Loss::Rows),
            Kind::LosePage => self.loss = Some(Loss::Page),
            Kind::FailStatus => {
                let reason = request.error.clone();
                self.ending = Ending::Fails {
                    reason: reason.unwrap_or_else(|| "Injected by a fault".to_owned()),
                    done: request.done,
                };
            }
            Kind::Stall if starts_operation(operation) => self.ending = Ending::Stalls { ms },
            Kind::Stall => self.hold = Some(Hold { fault_id, ms }),
        }
    }
}

fn check(request: &FaultRequest) -> Result<(), FaultError> {
    let operation = request.operation.as_str();
    let known = operation == "*"
        || Service::ALL.iter().any(|service| {
            let rest = operation
                .strip_prefix(service.name())
                .and_then(|rest| rest.strip_prefix(':'));
            rest.is_some_and(|name| name == "*" || service.operations().contains(&name))
        });
    if !known {
        return Err(FaultError::NoSuchOperation(operation.to_owned()));
    }
    if request.kind == Kind::Error && request.error.is_none() {
        return Err(FaultError::NoError);
    }
    if request.ms > HOLD_MS_MAX {
        return Err(FaultError::TooLong);
    }
    let name = operation.rsplit(':').next().unwrap_or_default();
    if request.kind == Kind::FailStatus && name != "*" && !starts_operation(name) {
        return Err(FaultError::NothingToFail(operation.to_owned()));
    }
    Ok(())
}

fn names(pattern: &str, service: Service, operation: &str) -> bool {
    match pattern.split_once(':') {
        None => pattern == "*",
        Some((of, name)) => of == service.name() && (name == "*" || name == operation),
    }
}

fn starts_operation(operation: &str) -> bool {
    matches!(
        operation,
        "CreateAccountAssignment" | "DeleteAccountAssignment"
    )
}

/// Whether this asks for a page after the first.
fn goes_on(input: &Map<String, Value>) -> bool {
    [
        "NextToken",
        "ExclusiveStartKey",
        "ContinuationToken",
        "KeyMarker",
    ]
    .iter()
    .any(|name| input.get(*name).is_some_and(|value| !value.is_null()))
}

fn is_subset(wanted: &Map<String, Value>, input: &Map<String, Value>) -> bool {
    wanted
        .iter()
        .all(|(name, wanted)| input.get(name).is_some_and(|found| is_part(wanted, found)))
}

/// Of an object the members that are wanted, of a list an element for each that is wanted.
fn is_part(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => is_subset(wanted, found),
        (Value::Array(wanted), Value::Array(found)) => wanted
            .iter()
            .all(|wanted| found.iter().any(|found| is_part(wanted, found))),
        _ => wanted == found,
    }
}
