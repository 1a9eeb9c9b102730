//! One provider: discovered when it is there, asked for logins, told of their end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthenticationFlow, CoreClaimName, CoreClaimType, CoreClient,
    CoreClientAuthMethod, CoreGrantType, CoreIdToken, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm,
    CoreRequestTokenError, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
    CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AdditionalProviderMetadata, AuthType, AuthorizationCode,
    ClaimsVerificationError, ClientId, ClientSecret, CsrfToken, DiscoveryError, IdTokenVerifier,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    ProviderMetadata, RedirectUrl, Scope, SignatureVerificationError, TokenResponse as _,
};
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{Oidc, PublicUrl};
use crate::readiness::{Part, Readiness};

use super::http_client::{HttpClient, HttpError};

/// A provider that is starting is there within seconds.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// While a provider is away, people see that page; a few seconds after it returns they should not.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Endpoints move with announcements, keys rotate daily at most; unknown keys are looked up at once.
const REFRESH: Duration = Duration::from_hours(1);

/// Tokens with made-up key ids must not make us ask the provider for its keys at each one.
const KEYS_AT_MOST_EVERY: Duration = Duration::from_secs(30);

/// What discovery says beyond the core specification.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Extra {
    /// RP-initiated logout.
    #[serde(default)]
    end_session_endpoint: Option<String>,
    /// RFC 9207: answers name their issuer, so that one provider's cannot pass as another's.
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

type Metadata = ProviderMetadata<
    Extra,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// The provider. Cheap to clone; all clones share what was discovered.
#[derive(Debug, Clone)]
pub(crate) struct Provider(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    oidc: Oidc,
    issuer: IssuerUrl,
    redirect: RedirectUrl,
    http: HttpClient,
    discovered: ArcSwapOption<Metadata>,
    wanted: Notify,
    /// When an unknown key last made us read the keys.
    keys_fetched: Mutex<Option<Instant>>,
}

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

/// What the provider says of a person, verified.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) claims: Map<String, Value>,
    pub(crate) auth_time: Option<i64>,
    pub(crate) id_token: String,
}

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
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

impl Provider {
    pub(crate) fn new(oidc: Oidc, public_url: &PublicUrl) -> Result<Self, LoginError> {
        let invalid = |error: &dyn std::error::Error| LoginError::Invalid(chain(error));
        let issuer = IssuerUrl::new(oidc.issuer.clone()).map_err(|error| invalid(&error))?;
        let redirect =
            RedirectUrl::new(public_url.join("/auth/callback")).map_err(|error| invalid(&error))?;
        let http = HttpClient::new(&oidc.issuer_url).map_err(|error| invalid(&error))?;
        Ok(Self(Arc::new(Inner {
            oidc,
            issuer,
            redirect,
            http,
            discovered: ArcSwapOption::empty(),
            wanted: Notify::new(),
            keys_fetched: Mutex::new(None),
        })))
    }

    /// The issuer, as configured.
    pub(crate) fn issuer(&self) -> &str {
        &self.0.oidc.issuer
    }

    /// How a login finds its person.
    pub(crate) fn oidc(&self) -> &Oidc {
        &self.0.oidc
    }

    /// The origins to which our own forms may be redirected.
    pub(crate) fn origins(&self) -> Vec<String> {
        let mut origins = vec![self.0.oidc.issuer_url.origin().ascii_serialization()];
        if let Some(metadata) = self.0.discovered.load_full() {
            origins.push(
                metadata
                    .authorization_endpoint()
                    .url()
                    .origin()
                    .ascii_serialization(),
            );
            origins.extend(
                end_session_endpoint(&metadata).map(|url| url.origin().ascii_serialization()),
            );
        }
        origins.sort();
        origins.dedup();
        origins
    }

    /// Discovers the provider whenever it comes up, and again each hour, until shutdown.
    pub(crate) async fn keep_discovered(self, readiness: Readiness, shutdown: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        loop {
            let wait = match self.discover().await {
                Ok(()) => {
                    readiness.report(Part::Issuer, Ok(()));
                    pause = FIRST_PAUSE;
                    REFRESH
                }
                Err(error) => {
                    // What was discovered before still holds.
                    if self.0.discovered.load().is_none() {
                        readiness.report(Part::Issuer, Err(error.to_string()));
                    } else {
                        tracing::warn!(%error, "the OIDC provider could not be discovered again");
                    }
                    let wait = pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    wait
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                // Somebody waits for it; still not more often than once a second.
                () = self.0.wanted.notified() => tokio::time::sleep(FIRST_PAUSE.min(wait)).await,
            }
        }
    }

    /// Reads the discovery document and the keys.
    pub(crate) async fn discover(&self) -> Result<(), LoginError> {
        let metadata = Metadata::discover_async(self.0.issuer.clone(), &self.0.http)
            .await
            .map_err(|error| discovery_error(&error))?;
        let secure =
            |url: &Url| url.scheme() == "https" || self.0.oidc.issuer_url.scheme() == "http";
        if !secure(metadata.authorization_endpoint().url()) {
            return Err(LoginError::Invalid(
                "its authorization endpoint is not https".to_owned(),
            ));
        }
        if metadata.token_endpoint().is_none() {
            return Err(LoginError::Invalid(
                "its discovery document names no token endpoint".to_owned(),
            ));
        }
        self.0.discovered.store(Some(Arc::new(metadata)));
        Ok(())
    }

    fn metadata(&self) -> Result<Arc<Metadata>, LoginError> {
        self.0.discovered.load_full().ok_or_else(|| {
            self.0.wanted.notify_one();
            LoginError::Unavailable("it has not been discovered yet".to_owned())
        })
    }

    fn secret(&self) -> Option<ClientSecret> {
        let secret = self.0.oidc.client_secret.as_ref()?;
        Some(ClientSecret::new(secret.expose_secret().to_owned()))
    }

    /// Where to send a browser, and what to keep until it comes back.
    pub(crate) fn begin(&self) -> Result<(Url, Pending), LoginError> {
        let metadata = self.metadata()?;
        let client = CoreClient::from_provider_metadata(
            (*metadata).clone(),
            ClientId::new(self.0.oidc.client_id.clone()),
            self.secret(),
        )
        .set_redirect_uri(self.0.redirect.clone());
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scope(Scope::new("email".to_owned()))
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
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
        if let Some(expected) = claims.access_token_hash() {
            let key = id_token.signing_key(&verifier).map_err(unverified_other)?;
            let algorithm = id_token.signing_alg().map_err(unverified_other)?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
                .map_err(unverified_other)?;
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

    /// The provider's keys as they are now, or as they were if they were read just now.
    async fn with_fresh_keys(&self) -> Result<Arc<Metadata>, LoginError> {
        let mut fetched = self.0.keys_fetched.lock().await;
        let metadata = self.metadata()?;
        if fetched.is_some_and(|at| at.elapsed() < KEYS_AT_MOST_EVERY) {
            return Ok(metadata);
        }
        *fetched = Some(Instant::now());
        let keys = CoreJsonWebKeySet::fetch_async(metadata.jwks_uri(), &self.0.http)
            .await
            .map_err(|error| discovery_error(&error))?;
        let metadata = Arc::new((*metadata).clone().set_jwks(keys));
        self.0.discovered.store(Some(Arc::clone(&metadata)));
        Ok(metadata)
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

    /// Where the person signs out at the provider, if it offers that.
    pub(crate) fn sign_out(&self, id_token: &str, back_to: &str) -> Option<Url> {
        let metadata = self.0.discovered.load_full()?;
        let mut url = end_session_endpoint(&metadata)?;
        url.query_pairs_mut()
            .append_pair("id_token_hint", id_token)
            .append_pair("client_id", &self.0.oidc.client_id)
            .append_pair("post_logout_redirect_uri", back_to);
        Some(url)
    }
}

/// Why an ID token was not believed.
enum Unverified {
    /// Its key is not among those that we have; it may be a new one.
    UnknownKey,
    Mismatch(String),
    Invalid(String),
}

impl Unverified {
    fn into_login_error(self) -> LoginError {
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

#[expect(clippy::needless_pass_by_value, reason = "fits map_err")]
fn unverified_other(error: impl std::error::Error) -> Unverified {
    Unverified::Invalid(error.to_string())
}

fn unavailable(error: &HttpError) -> LoginError {
    LoginError::Unavailable(chain(error))
}

fn discovery_error(error: &DiscoveryError<HttpError>) -> LoginError {
    match error {
        DiscoveryError::Request(error) => unavailable(error),
        DiscoveryError::Response(status, _, _) => {
            LoginError::Unavailable(format!("its discovery answers {status}"))
        }
        other => LoginError::Invalid(chain(other)),
    }
}

fn exchange_error(error: &CoreRequestTokenError<HttpError>) -> LoginError {
    match error {
        CoreRequestTokenError::Request(error) => unavailable(error),
        CoreRequestTokenError::ServerResponse(answer) => LoginError::Refused(answer.to_string()),
        other => LoginError::Invalid(chain(other)),
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

fn end_session_endpoint(metadata: &Metadata) -> Option<Url> {
    let text = metadata
        .additional_metadata()
        .end_session_endpoint
        .as_deref()?;
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// All claims of a token that has been verified already.
fn payload(token: &str) -> Option<Map<String, Value>> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let encoded = token.split('.').nth(1)?;
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}
