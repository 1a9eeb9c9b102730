//! What the control door refuses, in a sentence.

use http::StatusCode;

use crate::aws::faults::FaultError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    #[error("there is no such door; see server/sandbox/README.md")]
    NoSuchDoor,
    #[error("this door does not open that way; see server/sandbox/README.md")]
    NoSuchMethod,
    #[error("the body is not right: {0}")]
    Body(#[from] serde_json::Error),
    #[error("{0}")]
    Fault(#[from] FaultError),
    #[error("there is no {kind} `{id}`")]
    Unknown { kind: &'static str, id: String },
    #[error("the sandbox failed: {0}")]
    Broken(String),
}

impl ControlError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuchDoor | Self::Unknown { .. } => StatusCode::NOT_FOUND,
            Self::NoSuchMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::Body(_) | Self::Fault(_) => StatusCode::BAD_REQUEST,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<std::io::Error> for ControlError {
    fn from(problem: std::io::Error) -> Self {
        Self::Broken(problem.to_string())
    }
}
