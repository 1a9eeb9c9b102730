//! Access tokens for the HTTP API: what the provider says of whoever sends one (RFC 9068).
//!
//! The verification is the one that logins get, by the same keys; what differs is asked here: that it
//! is an access token and nothing else, and that it was given out for us. Deliberately absent: whose
//! login it is, and what its scopes open. A token's text is never logged, nor is anything that its
//! sender could have written into it.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, IdToken, IdTokenVerifier,
    JsonWebTokenType, Nonce, SignatureVerificationError,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::Provider;
use super::provider::Metadata;

/// Tokens with many claims are some kilobytes; headers beyond this are not worth reading.
const MAX_BYTES: usize = 16 * 1024;

/// How far ahead of ours the provider's clock may be where a token says from when it counts.
const AHEAD_MAX_SECONDS: f64 = 60.0;

/// What a token calls itself (RFC 9068, section 2.1), with or without its prefix. An ID token never
/// does.
const TYPES: [&str; 2] = ["at+jwt", "application/at+jwt"];

/// What may have signed it: keys of which the provider alone has the secret half. What the discovery
/// document says of ID tokens is no limit here.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Whose it is, and what it may be used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessToken {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// Why it is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum TokenError {
    /// No token is taken here.
    #[error("no audience is configured")]
    NotTaken,
    /// Whether it is good cannot be told now.
    #[error("the provider's keys are not known")]
    Unavailable,
    /// It is not good.
    #[error("{0}")]
    Invalid(&'static str),
}

/// Its key is not among those that we have; it may be a new one.
enum Unverified {
    UnknownKey,
    Because(&'static str),
}

/// What an access token says besides.
#[derive(Debug, Serialize, Deserialize)]
struct Beside {
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    nbf: Option<f64>,
}

impl AdditionalClaims for Beside {}

type Jwt =
    IdToken<Beside, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

impl Provider {
    /// Reads a token that somebody sent.
    pub(crate) async fn access_token(&self, text: &str) -> Result<AccessToken, TokenError> {
        let audience = self.oidc().api_audience.as_deref();
        let audience = audience.ok_or(TokenError::NotTaken)?;
        if text.len() > MAX_BYTES {
            return Err(TokenError::Invalid("it is too long"));
        }
        if !is_access_token(text) {
            return Err(TokenError::Invalid(
                "it is not an access token (typ at+jwt)",
            ));
        }
        let not_read = |_| TokenError::Invalid("it could not be read");
        let token: Jwt = text.parse().map_err(not_read)?;
        let metadata = self.metadata().map_err(|_| TokenError::Unavailable)?;
        let verified = match self.verified_token(&metadata, &token, audience) {
            Err(Unverified::UnknownKey) => {
                let metadata = self.with_fresh_keys().await;
                let metadata = metadata.map_err(|_| TokenError::Unavailable)?;
                self.verified_token(&metadata, &token, audience)
            }
            other => other,
        };
        verified.map_err(|why| match why {
            Unverified::UnknownKey => TokenError::Invalid("its key is unknown"),
            Unverified::Because(why) => TokenError::Invalid(why),
        })
    }

    fn verified_token(
        &self,
        metadata: &Metadata,
        token: &Jwt,
        audience: &str,
    ) -> Result<AccessToken, Unverified> {
        let verifier: IdTokenVerifier<'static, CoreJsonWebKey> =
            IdTokenVerifier::new_public_client(
                ClientId::new(audience.to_owned()),
                self.0.issuer.clone(),
                metadata.jwks().clone(),
            )
            .set_allowed_algs(ALGORITHMS)
            .set_allowed_jose_types(
                TYPES
                    .iter()
                    .filter_map(|name| JsonWebTokenType::new((*name).to_owned()).normalize().ok()),
            )
            // One token may be for several services.
            .set_other_audience_verifier_fn(|_| true);
        let no_nonce = |_: Option<&Nonce>| Ok(());
        let claims = token
            .claims(&verifier, no_nonce)
            .map_err(|error| unverified(&error))?;
        let beside = claims.additional_claims();
        let now = Timestamp::now().as_duration().as_secs_f64();
        if beside
            .nbf
            .is_some_and(|from| from > now + AHEAD_MAX_SECONDS)
        {
            return Err(Unverified::Because("it does not count yet"));
        }
        let scopes = beside.scope.as_deref().unwrap_or_default();
        Ok(AccessToken {
            issuer: self.issuer().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        })
    }
}

/// Whether it says that it is one: the openidconnect crate lets those pass that say nothing.
fn is_access_token(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Header {
        typ: String,
    }
    let encoded = text.split('.').next().unwrap_or_default();
    let header = URL_SAFE_NO_PAD.decode(encoded).ok();
    header
        .and_then(|header| serde_json::from_slice::<Header>(&header).ok())
        .is_some_and(|header| {
            TYPES
                .iter()
                .any(|name| header.typ.eq_ignore_ascii_case(name))
        })
}

fn unverified(error: &ClaimsVerificationError) -> Unverified {
    use ClaimsVerificationError as Is;
    Unverified::Because(match error {
        Is::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            return Unverified::UnknownKey;
        }
        Is::SignatureVerification(_) => "its signature does not verify",
        Is::Expired(_) => "it has expired",
        Is::InvalidIssuer(_) => "it is another issuer's",
        Is::InvalidAudience(_) => "it is for another audience",
        _ => "it does not verify",
    })
}
