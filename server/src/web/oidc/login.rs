//! One login: a browser leaves with a challenge, comes back with a code, and the code becomes what
//! the provider says of a person.

use std::time::Duration;

use openidconnect::core::{
    CoreAuthPrompt, CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreIdToken,
    CoreJsonWebKey, CoreJwsSigningAlgorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    IdTokenVerifier, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, Scope,
    TokenResponse as _,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use url::Url;

use super::Provider;
use super::failure::{LoginError, Unverified, chain, exchange_error, unavailable, unverified};
use super::provider::Metadata;

/// A sign-in that has left for the provider. Kept server-side: it is what the answer must fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// Names this sign-in in the answer; unguessable.
    pub(crate) state: String,
    /// Binds the ID token to this sign-in.
    nonce: String,
    /// Binds the code to this sign-in (PKCE).
    verifier: String,
}

/// Asks for a sign-in that is new, whoever the provider thinks is signed in already.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh {
    /// The oldest sign-in that will do.
    pub(crate) max_age: Duration,
}

/// What the provider says of a person, verified.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    pub(crate) auth_time: Option<i64>,
    pub(crate) id_token: String,
}

impl Provider {
    fn secret(&self) -> Option<ClientSecret> {
        let secret = self.0.oidc.client_secret.as_ref()?;
        Some(ClientSecret::new(secret.expose_secret().to_owned()))
    }

    /// Where to send a browser, and what to keep until it comes back.
    pub(crate) fn begin(&self, fresh: Option<Fresh>) -> Result<(Url, Pending), LoginError> {
        let metadata = self.metadata()?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.0.oidc.client_id.clone()),
            self.secret(),
        )
        .set_redirect_uri(self.0.redirect.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge);
        if let Some(Fresh { max_age }) = fresh {
            // Either would do with a provider that honours it; `max_age` also makes it say when
            // (`auth_time`, OpenID Connect Core 2), which is what counts.
            request = request
                .add_prompt(CoreAuthPrompt::Login)
                .set_max_age(max_age);
        }
        let (url, state, nonce) = request.url();
        let pending = Pending {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        };
        Ok((url, pending))
    }

    /// Whether an answer names its issuer as it must (RFC 9207). The openidconnect crate does not.
    pub(crate) fn check_issuer(&self, named: Option<&str>) -> Result<(), LoginError> {
        let metadata = self.metadata()?;
        match named {
            Some(named) if named == self.issuer() => Ok(()),
            Some(_) => Err(LoginError::Mismatch("it names another issuer".to_owned())),
            None if metadata
                .additional_metadata()
                .authorization_response_iss_parameter_supported =>
            {
                Err(LoginError::Mismatch(
                    "it does not name its issuer".to_owned(),
                ))
            }
            None => Ok(()),
        }
    }

    /// Turns a code into a login. `wanted` are the claims that the rules look at: those that the ID
    /// token lacks are asked of the userinfo endpoint.
    pub(crate) async fn finish(
        &self,
        pending: &Pending,
        code: String,
        wanted: &[&str],
    ) -> Result<Login, LoginError> {
        let metadata = self.metadata()?;
        let tokens = self.exchange(&metadata, pending, code).await?;
        let id_token = tokens
            .id_token()
            .ok_or_else(|| LoginError::Invalid("it has no ID token".to_owned()))?;
        let nonce = Nonce::new(pending.nonce.clone());
        let mut login = match self.verified(&metadata, &tokens, id_token, &nonce) {
            Err(Unverified::UnknownKey) => {
                let metadata = self.with_fresh_keys().await?;
                self.verified(&metadata, &tokens, id_token, &nonce)
                    .map_err(Unverified::into_login_error)?
            }
            other => other.map_err(Unverified::into_login_error)?,
        };
        if wanted
            .iter()
            .any(|claim| !login.claims.contains_key(*claim))
        {
            self.add_user_info(&metadata, &tokens, &mut login).await?;
        }
        Ok(login)
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        pending: &Pending,
        code: String,
    ) -> Result<CoreTokenResponse, LoginError> {
        let client = CoreClient::from_provider_metadata(
            metadata.clone(),
            ClientId::new(self.0.oidc.client_id.clone()),
            self.secret(),
        )
        .set_redirect_uri(self.0.redirect.clone())
        .set_auth_type(auth_type(metadata));
        client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|error| LoginError::Invalid(chain(&error)))?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&self.0.http)
            .await
            .map_err(|error| exchange_error(&error))
    }

    fn verified(
        &self,
        metadata: &Metadata,
        tokens: &CoreTokenResponse,
        id_token: &CoreIdToken,
        nonce: &Nonce,
    ) -> Result<Login, Unverified> {
        let verifier = self.verifier(metadata);
        let claims = id_token.claims(&verifier, nonce)?;
        // The openidconnect crate leaves this to us (OpenID Connect Core 3.1.3.7).
        if let Some(party) = claims.authorized_party()
            && party.as_str() != self.0.oidc.client_id
        {
            return Err(Unverified::Invalid(
                "its ID token was given to another client (azp)".to_owned(),
            ));
        }
        if let Some(expected) = claims.access_token_hash() {
            let key = id_token.signing_key(&verifier).map_err(unverified)?;
            let algorithm = id_token.signing_alg().map_err(unverified)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(unverified)?;
            if actual != *expected {
                return Err(Unverified::Invalid(
                    "its access token is not the ID token's".to_owned(),
                ));
            }
        }
        let text = id_token.to_string();
        let payload = payload(&text)
            .ok_or_else(|| Unverified::Invalid("its ID token has no payload".to_owned()))?;
        Ok(Login {
            issuer: self.issuer().to_owned(),
            subject: claims.subject().as_str().to_owned(),
            auth_time: payload.get("auth_time").and_then(Value::as_i64),
            claims: payload,
            id_token: text,
        })
    }

    /// Accepts what the provider says that it signs with, except shared secrets: a client secret
    /// that leaks must not be enough to forge logins.
    fn verifier(&self, metadata: &Metadata) -> IdTokenVerifier<'static, CoreJsonWebKey> {
        let client_id = ClientId::new(self.0.oidc.client_id.clone());
        let issuer = self.0.issuer.clone();
        let keys = metadata.jwks().clone();
        let verifier = match self.secret() {
            Some(secret) => {
                IdTokenVerifier::new_confidential_client(client_id, secret, issuer, keys)
            }
            None => IdTokenVerifier::new_public_client(client_id, issuer, keys),
        };
        let asymmetric = metadata
            .id_token_signing_alg_values_supported()
            .iter()
            .filter(|algorithm| {
                !matches!(
                    algorithm,
                    CoreJwsSigningAlgorithm::HmacSha256
                        | CoreJwsSigningAlgorithm::HmacSha384
                        | CoreJwsSigningAlgorithm::HmacSha512
                        | CoreJwsSigningAlgorithm::None
                )
            })
            .cloned();
        verifier.set_allowed_algs(asymmetric)
    }

    /// Some providers keep e-mail and names out of the ID token. What the token says stays.
    async fn add_user_info(
        &self,
        metadata: &Metadata,
        tokens: &CoreTokenResponse,
        login: &mut Login,
    ) -> Result<(), LoginError> {
        let Some(endpoint) = metadata.userinfo_endpoint() else {
            return Ok(());
        };
        let request = http::Request::get(endpoint.url().as_str())
            .header(http::header::ACCEPT, "application/json")
            .header(
                http::header::AUTHORIZATION,
                format!("Bearer {}", tokens.access_token().secret()),
            )
            .body(Vec::new())
            .map_err(|error| LoginError::Invalid(chain(&error)))?;
        let answer = self
            .0
            .http
            .send(request)
            .await
            .map_err(|error| unavailable(&error))?;
        if !answer.status().is_success() {
            let status = answer.status();
            return Err(LoginError::Unavailable(format!(
                "its userinfo endpoint answers {status}"
            )));
        }
        let Ok(claims) = serde_json::from_slice::<Map<String, Value>>(answer.body()) else {
            return Err(LoginError::Invalid(
                "its userinfo is not a JSON object".to_owned(),
            ));
        };
        // OpenID Connect Core 5.3.2: without this anybody's userinfo could be put in its place.
        if claims.get("sub").and_then(Value::as_str) != Some(login.subject.as_str()) {
            return Err(LoginError::Invalid(
                "its userinfo is about another subject".to_owned(),
            ));
        }
        for (name, value) in claims {
            login.claims.entry(name).or_insert(value);
        }
        Ok(())
    }
}

/// Basic authentication unless the provider takes the secret only in the form.
fn auth_type(metadata: &Metadata) -> AuthType {
    let Some(methods) = metadata.token_endpoint_auth_methods_supported() else {
        return AuthType::BasicAuth;
    };
    if !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
    {
        return AuthType::RequestBody;
    }
    AuthType::BasicAuth
}

/// All claims of a token that has been verified already.
fn payload(token: &str) -> Option<Map<String, Value>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let encoded = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
