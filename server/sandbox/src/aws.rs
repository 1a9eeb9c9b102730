//! The one AWS address: every service's calls come in here, are told apart, checked, limited, made to
//! fail where a fault says so, answered, and remembered.

pub(crate) mod calls;
pub(crate) mod faults;
pub(crate) mod input;
pub(crate) mod limiter;
pub(crate) mod refusal;
mod s3_call;
pub(crate) mod service;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde_json::{Map, Value};

use self::calls::now_ms;
use self::faults::{HOLD_MS_MAX, Hold, Interference, Loss};
use self::input::Input;
use self::refusal::Refusal;
use self::service::Service;
use crate::clock::Moment;
use crate::loopback::Dropped;
use crate::sandbox::Sandbox;
use crate::{identity_store, organizations, sso_admin};

/// What DynamoDB takes at most; the other JSON services take less.
const BODY_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How often a held call looks whether it may go on.
const HOLD_POLL: Duration = Duration::from_millis(20);

/// Answers one request, or drops its connection.
///
/// It is answered in a task of its own: a caller that goes away does not undo its call, as AWS would
/// not either.
pub(crate) async fn answer(
    sandbox: Arc<Sandbox>,
    request: Request<Incoming>,
) -> Result<Response<Body>, Dropped> {
    let began_ms = now_ms();
    let call = async move {
        match request.headers().get("x-amz-target") {
            None => s3_call(&sandbox, request, began_ms).await,
            Some(target) => {
                let target = target.to_str().unwrap_or_default().to_owned();
                json_call(&sandbox, &target, request, began_ms).await
            }
        }
    };
    // The task ends early only if it panics, which is then this caller's dropped connection.
    tokio::spawn(call).await.unwrap_or(Err(Dropped))
}

/// A call while it is being answered.
struct Call<'a> {
    sandbox: &'a Sandbox,
    service: Service,
    operation: &'a str,
    request_id: String,
}

async fn json_call(
    sandbox: &Sandbox,
    target: &str,
    request: Request<Incoming>,
    began_ms: f64,
) -> Result<Response<Body>, Dropped> {
    let request_id = uuid::Uuid::now_v7().to_string();
    let Some((service, operation)) = Service::of_target(target) else {
        let unknown = Refusal::new(Service::SsoAdmin, "UnknownOperationException", "");
        return Ok(unknown.into_response(&request_id));
    };
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_BYTES_MAX).collect().await else {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return Ok(response);
    };
    let body = body.to_bytes();
    let members: Option<Map<String, Value>> = match body.len() {
        0 => Some(Map::new()),
        _ => serde_json::from_slice(&body).ok(),
    };
    let call = Call {
        sandbox,
        service,
        operation,
        request_id,
    };
    let unread = Map::new();
    let pending = sandbox.calls.begin(
        service,
        operation,
        members.as_ref().unwrap_or(&unread),
        body.len(),
        &call.request_id,
        began_ms,
    );
    let outcome = match &members {
        Some(members) => call.answer(&parts, members, body).await,
        None => Ok(Err(Refusal::new(service, "SerializationException", ""))),
    };
    let (label, response) = match outcome {
        Ok(Ok(response)) => (label_of(&response), Ok(response)),
        Ok(Err(refusal)) => {
            let label = refusal.code.clone();
            (label, Ok(refusal.into_response(&call.request_id)))
        }
        Err(dropped) => ("lost".to_owned(), Err(dropped)),
    };
    let status = response.as_ref().map_or(0, |it| it.status().as_u16());
    sandbox.calls.finish(pending, &label, status);
    response
}

impl Call<'_> {
    async fn answer(
        &self,
        parts: &http::request::Parts,
        members: &Map<String, Value>,
        body: Bytes,
    ) -> Result<Result<Response<Body>, Refusal>, Dropped> {
        if let Err(refusal) = signature::check(self.service, &parts.headers, Moment::now()) {
            return Ok(Err(refusal));
        }
        if !self.service.operations().contains(&self.operation) {
            let unknown = Refusal::new(self.service, "UnknownOperationException", "");
            return Ok(Err(unknown));
        }
        let interference = match self.interfere(members).await {
            Ok(interference) => interference,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let loss = interference.loss;
        let answer = if self.service == Service::DynamoDb {
            let dynamodb = &self.sandbox.dynamodb;
            let answered = dynamodb.call(self.sandbox, self.operation, parts, members, body);
            answered.await.map(|response| match loss {
                Some(Loss::Rows) => without_rows(response),
                _ => response.map(Body::from),
            })
        } else {
            self.organisation(members, interference)
        };
        match loss {
            Some(Loss::Response | Loss::Page) => Err(Dropped),
            Some(Loss::Rows) | None => Ok(answer),
        }
    }

    /// Limits, delays and faults: everything that comes between a call and its answer.
    async fn interfere(&self, members: &Map<String, Value>) -> Result<Interference, Refusal> {
        let sandbox = self.sandbox;
        let switches = sandbox.switches();
        if !sandbox
            .limiter
            .admits(self.service, self.operation, &switches)
        {
            return Err(Refusal::throttled(self.service));
        }
        let interference = sandbox.faults.befall(self.service, self.operation, members);
        let delay_ms = switches.latency_ms.saturating_add(interference.delay_ms);
        if delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(delay_ms.min(HOLD_MS_MAX))).await;
        }
        if let Some(hold) = interference.hold {
            self.wait(hold).await;
        }
        match &interference.error {
            Some(code) if code == self.service.throttling_error() => {
                Err(Refusal::throttled(self.service))
            }
            Some(code) => Err(Refusal::injected(self.service, code)),
            None => Ok(interference),
        }
    }

    async fn wait(&self, hold: Hold) {
        let ms = if hold.ms == 0 { HOLD_MS_MAX } else { hold.ms };
        let until = tokio::time::Instant::now() + Duration::from_millis(ms);
        while self.sandbox.faults.holds(hold) && tokio::time::Instant::now() < until {
            tokio::time::sleep(HOLD_POLL).await;
        }
    }

    fn organisation(
        &self,
        members: &Map<String, Value>,
        interference: Interference,
    ) -> Result<Response<Body>, Refusal> {
        let sandbox = self.sandbox;
        let page_size_max = sandbox.switches().page_size_max;
        let input = Input::new(self.service, self.operation, members, page_size_max);
        let now = Moment::now();
        let mut answer = match self.service {
            Service::SsoAdmin => sso_admin::answer(sandbox, &input, interference.ending, now),
            Service::IdentityStore => identity_store::answer(sandbox, &input, now),
            _ => organizations::answer(sandbox, &input, now),
        }?;
        if interference.loss == Some(Loss::Rows) {
            empty_lists(&mut answer);
        }
        let mut response = Response::new(Body::from(answer.to_string()));
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/x-amz-json-1.1");
        headers.insert("content-type", json);
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            headers.insert("x-amzn-requestid", id);
        }
        Ok(response)
    }
}

async fn s3_call(
    sandbox: &Sandbox,
    request: Request<Incoming>,
    began_ms: f64,
) -> Result<Response<Body>, Dropped> {
    let (parts, body) = request.into_parts();
    let (operation, members) = s3_call::describe(&parts);
    let call = Call {
        sandbox,
        service: Service::S3,
        operation,
        request_id: uuid::Uuid::now_v7().to_string(),
    };
    let pending = sandbox.calls.begin(
        Service::S3,
        operation,
        &members,
        0,
        &call.request_id,
        began_ms,
    );
    let (label, response) = match call.interfere(&members).await {
        Err(refusal) => {
            let label = refusal.code.clone();
            (label, Ok(refusal.into_response(&call.request_id)))
        }
        Ok(interference) => {
            let request = Request::from_parts(parts, Body::new(body));
            let response = sandbox.s3.call(request).await;
            match interference.loss {
                Some(Loss::Response | Loss::Page) => ("lost".to_owned(), Err(Dropped)),
                Some(Loss::Rows) | None => {
                    let (label, response) = s3_label(response).await;
                    (label, Ok(response))
                }
            }
        }
    };
    let status = response.as_ref().map_or(0, |it| it.status().as_u16());
    sandbox.calls.finish(pending, &label, status);
    response
}

/// `ok`, or the code in an error's body.
async fn s3_label(response: Response<Body>) -> (String, Response<Body>) {
    if response.status().as_u16() < 400 {
        return ("ok".to_owned(), response);
    }
    let (parts, body) = response.into_parts();
    // Errors are short; one that is not is none of S3's.
    let bytes = match Limited::new(body, 64 * 1024).collect().await {
        Ok(bytes) => bytes.to_bytes(),
        Err(_) => Bytes::new(),
    };
    let text = String::from_utf8_lossy(&bytes);
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map_or_else(
            || parts.status.as_u16().to_string(),
            |(code, _)| code.to_owned(),
        );
    (code, Response::from_parts(parts, Body::from(bytes)))
}

/// `ok`, or the error that DynamoDB's answer names in its header.
fn label_of(response: &Response<Body>) -> String {
    if response.status().is_success() {
        return "ok".to_owned();
    }
    let code = response.headers().get("x-amzn-errortype");
    let code = code.and_then(|value| value.to_str().ok());
    code.map_or_else(|| response.status().as_u16().to_string(), str::to_owned)
}

/// Empties every list of an answer, and leaves everything else as it is.
fn empty_lists(answer: &mut Value) {
    for member in answer.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Value::Array(rows) = member {
            rows.clear();
        }
    }
}

/// The same for `DynamoDB`, which also counts its rows and sums up its bytes.
fn without_rows(response: Response<Bytes>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove("x-amz-crc32");
    let body = match serde_json::from_slice::<Value>(&body) {
        Ok(mut answer) => {
            empty_lists(&mut answer);
            answer["Count"] = 0.into();
            Body::from(answer.to_string())
        }
        Err(_) => Body::from(body),
    };
    Response::from_parts(parts, body)
}
