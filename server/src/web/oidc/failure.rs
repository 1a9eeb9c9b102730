//! What goes wrong between us and the provider, sorted by what it means for the person.

use openidconnect::core::{CoreErrorResponseType, CoreRequestTokenError};
use openidconnect::{ClaimsVerificationError, DiscoveryError, SignatureVerificationError};
use thiserror::Error;

use super::http_client::HttpError;

/// Why there is no login.
#[derive(Debug, Error)]
pub(crate) enum LoginError {
    /// Not discovered yet, or it does not answer.
    #[error("the provider is out of reach: {0}")]
    Unavailable(String),
    /// The answer belongs to another sign-in or another provider.
    #[error("the answer does not fit this sign-in: {0}")]
    Mismatch(String),
    /// The provider does not take the code (any more).
    #[error("the provider refused the code: {0}")]
    Refused(String),
    /// What it answered cannot be believed.
    #[error("the provider's answer is invalid: {0}")]
    Invalid(String),
}

/// An error with its sources, for one line of a log.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Why an ID token was not believed.
pub(super) enum Unverified {
    /// Its key is not among those that we have; it may be a new one.
    UnknownKey,
    Mismatch(String),
    Invalid(String),
}

impl Unverified {
    pub(super) fn into_login_error(self) -> LoginError {
        match self {
            Self::UnknownKey => LoginError::Invalid("its ID token's key is unknown".to_owned()),
            Self::Mismatch(why) => LoginError::Mismatch(why),
            Self::Invalid(why) => LoginError::Invalid(why),
        }
    }
}

impl From<ClaimsVerificationError> for Unverified {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ) => Self::UnknownKey,
            ClaimsVerificationError::InvalidNonce(_) => {
                Self::Mismatch("its nonce is not this sign-in's".to_owned())
            }
            other => Self::Invalid(chain(&other)),
        }
    }
}

/// What else can be wrong with a token.
pub(super) fn unverified(error: impl std::error::Error) -> Unverified {
    Unverified::Invalid(error.to_string())
}

pub(super) fn unavailable(error: &HttpError) -> LoginError {
    LoginError::Unavailable(chain(error))
}

pub(super) fn discovery_error(error: &DiscoveryError<HttpError>) -> LoginError {
    match error {
        DiscoveryError::Request(error) => unavailable(error),
        DiscoveryError::Response(status, _, _) => {
            LoginError::Unavailable(format!("its discovery answers {status}"))
        }
        other => LoginError::Invalid(chain(other)),
    }
}

pub(super) fn exchange_error(error: &CoreRequestTokenError<HttpError>) -> LoginError {
    match error {
        CoreRequestTokenError::Request(error) => unavailable(error),
        CoreRequestTokenError::ServerResponse(answer)
            if *answer.error() == CoreErrorResponseType::InvalidGrant =>
        {
            LoginError::Refused(answer.to_string())
        }
        // It is not the code that it refuses but us (a wrong secret, say): no second try helps.
        CoreRequestTokenError::ServerResponse(answer) => LoginError::Invalid(answer.to_string()),
        other => LoginError::Invalid(chain(other)),
    }
}
