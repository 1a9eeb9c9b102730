//! A service's "no", in the service's own words and shape.

use axum::body::Body;
use http::{HeaderValue, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::service::Service;

/// An AWS error.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) service: Service,
    pub(crate) code: String,
    pub(crate) status: StatusCode,
    pub(crate) message: String,
    /// Members beside the message, such as `Reason`.
    pub(crate) members: Map<String, Value>,
}

impl Refusal {
    /// An error with the status that the service gives it.
    pub(crate) fn new(service: Service, code: &str, message: impl Into<String>) -> Self {
        Self {
            service,
            code: code.to_owned(),
            status: status_of(service, code),
            message: message.into(),
            members: Map::new(),
        }
    }

    /// The same with one more member.
    pub(crate) fn with(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.members.insert(member.to_owned(), value.into());
        self
    }

    /// Too many requests.
    pub(crate) fn throttled(service: Service) -> Self {
        let refusal = Self::new(service, service.throttling_error(), "Rate exceeded");
        match service {
            Service::Organizations => refusal.with("Type", "RATE_LIMIT"),
            _ => refusal,
        }
    }

    /// A failure of the sandbox itself: its data folder cannot be written.
    pub(crate) fn broken(service: Service, problem: &std::io::Error) -> Self {
        let message = format!("The sandbox could not write its data folder: {problem}");
        Self::new(service, service.internal_error(), message)
    }

    /// The error that a fault names, told as well as it can be.
    pub(crate) fn injected(service: Service, code: &str) -> Self {
        let refusal = Self::new(service, code, "Injected by a fault of the sandbox");
        if code == "TransactionCanceledException" {
            return refusal.with(
                "CancellationReasons",
                json!([{"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}]),
            );
        }
        refusal
    }

    /// As the wire carries it.
    pub(crate) fn into_response(self, request_id: &str) -> Response<Body> {
        let (content_type, body) = match self.service {
            Service::S3 => ("application/xml", self.xml(request_id)),
            Service::DynamoDb => ("application/x-amz-json-1.0", self.json()),
            _ => ("application/x-amz-json-1.1", self.json()),
        };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert("content-type", HeaderValue::from_static(content_type));
        let id_header = match self.service {
            Service::S3 => "x-amz-request-id",
            _ => "x-amzn-requestid",
        };
        if let Ok(id) = HeaderValue::from_str(request_id) {
            headers.insert(id_header, id);
        }
        if let (true, Ok(code)) = (
            self.service != Service::S3,
            HeaderValue::from_str(&self.code),
        ) {
            headers.insert("x-amzn-errortype", code);
        }
        response
    }

    fn json(&self) -> String {
        let namespace = match (self.service, self.code.as_str()) {
            (Service::DynamoDb, "ThrottlingException") => "com.amazon.coral.availability#",
            (Service::DynamoDb, code) if is_signature_error(code) => "com.amazon.coral.service#",
            (Service::DynamoDb, _) => "com.amazonaws.dynamodb.v20120810#",
            _ => "",
        };
        // Modelled errors call it `Message`, those in front of the service `message`. DynamoDB says
        // `message`, except where a transaction was cancelled.
        let message = match (self.service, self.code.as_str()) {
            (Service::DynamoDb, "TransactionCanceledException") => "Message",
            (Service::DynamoDb, _) => "message",
            (_, code) if is_signature_error(code) => "message",
            _ => "Message",
        };
        let mut body = self.members.clone();
        body.insert("__type".into(), format!("{namespace}{}", self.code).into());
        body.insert(message.into(), self.message.clone().into());
        Value::Object(body).to_string()
    }

    fn xml(&self, request_id: &str) -> String {
        let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message><RequestId>{request_id}</RequestId></Error>",
            escape(&self.code),
            escape(&self.message),
        )
    }
}

/// Errors that are made in front of the services.
fn is_signature_error(code: &str) -> bool {
    matches!(
        code,
        "MissingAuthenticationTokenException"
            | "IncompleteSignatureException"
            | "InvalidSignatureException"
            | "UnknownOperationException"
            | "SerializationException"
    )
}

/// JSON services answer 400 for whatever the caller did and 500 for what they did, except that
/// signatures are refused in front of them with 403; S3's statuses mean something.
fn status_of(service: Service, code: &str) -> StatusCode {
    match (service, code) {
        (Service::S3, "PreconditionFailed") => StatusCode::PRECONDITION_FAILED,
        (Service::S3, "AccessDenied" | "RequestTimeTooSkewed" | "SignatureDoesNotMatch") => {
            StatusCode::FORBIDDEN
        }
        (Service::S3, "ConditionalRequestConflict" | "OperationAborted") => StatusCode::CONFLICT,
        (Service::S3, code) if code.starts_with("NoSuch") => StatusCode::NOT_FOUND,
        (Service::S3, "SlowDown" | "ServiceUnavailable") => StatusCode::SERVICE_UNAVAILABLE,
        (Service::DynamoDb, code) if is_signature_error(code) => StatusCode::BAD_REQUEST,
        (_, "UnknownOperationException" | "SerializationException") => StatusCode::BAD_REQUEST,
        (_, code) if is_signature_error(code) => StatusCode::FORBIDDEN,
        (_, "ServiceUnavailableException") => StatusCode::SERVICE_UNAVAILABLE,
        (_, code) if code == service.internal_error() || code.starts_with("Internal") => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::BAD_REQUEST,
    }
}
