//! Whether a call is signed, for this service, and recently.
//!
//! The signature's arithmetic is not checked here: any access key and secret will do. (S3 checks it,
//! because conditional puts and checksums depend on what was signed.) What is checked is what Belay
//! relies on: AWS refuses a request that was signed long ago, which stops a server that froze.

use http::HeaderMap;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::refusal::Refusal;
use super::service::Service;
use crate::clock::Moment;

/// How old, or how far ahead, a signature may be. AWS documents five minutes for most services and
/// fifteen for S3; the longer one is the one that a careful client plans for.
const SIGNATURE_AGE_MAX_MS: u64 = 15 * 60 * 1000;

/// Refuses a call as AWS's front door would.
pub(crate) fn check(service: Service, headers: &HeaderMap, now: Moment) -> Result<(), Refusal> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let Some(authorization) = text("authorization") else {
        return Err(Refusal::new(
            service,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ));
    };
    let incomplete = |missing: &str| {
        Refusal::new(
            service,
            "IncompleteSignatureException",
            format!("Authorization header requires '{missing}'."),
        )
    };
    let Some(parameters) = authorization.strip_prefix("AWS4-HMAC-SHA256 ") else {
        return Err(incomplete("AWS4-HMAC-SHA256"));
    };
    let parameter = |name: &str| {
        parameters
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let credential = parameter("Credential").ok_or_else(|| incomplete("Credential"))?;
    parameter("SignedHeaders").ok_or_else(|| incomplete("SignedHeaders"))?;
    parameter("Signature").ok_or_else(|| incomplete("Signature"))?;
    let invalid = |message: String| Refusal::new(service, "InvalidSignatureException", message);

    // Key id, date, region, service, aws4_request: the key id may hold slashes, the rest not.
    let mut scope = credential.rsplitn(5, '/');
    let (terminator, signed_for) = (scope.next(), scope.next());
    if terminator != Some("aws4_request") {
        return Err(incomplete("Credential"));
    }
    if signed_for != Some(service.signing_name()) {
        return Err(invalid(format!(
            "Credential should be scoped to correct service: '{}'.",
            service.signing_name()
        )));
    }
    let stamp = text("x-amz-date").ok_or_else(|| incomplete("X-Amz-Date"))?;
    let signed = moment(stamp).ok_or_else(|| {
        invalid(format!(
            "Date in X-Amz-Date must be in ISO-8601 'basic format'. Got '{stamp}'."
        ))
    })?;
    if signed.plus(SIGNATURE_AGE_MAX_MS) < now {
        return Err(invalid(format!(
            "Signature expired: {stamp} is now earlier than the time of this request by more than 15 min."
        )));
    }
    if now.plus(SIGNATURE_AGE_MAX_MS) < signed {
        return Err(invalid(format!(
            "Signature not yet current: {stamp} is still later than the time of this request by more than 15 min."
        )));
    }
    Ok(())
}

/// `20261122T080000Z`.
fn moment(stamp: &str) -> Option<Moment> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    let instant = civil.to_zoned(TimeZone::UTC).ok()?.timestamp();
    u64::try_from(instant.as_millisecond()).ok().map(Moment)
}
