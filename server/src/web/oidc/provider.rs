//! One provider: discovered when it is there, found again when it moves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType,
    CoreJsonWebKey, CoreJsonWebKeySet, CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{AdditionalProviderMetadata, IssuerUrl, ProviderMetadata, RedirectUrl};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::config::{Oidc, PublicUrl};
use crate::readiness::{Part, Readiness};

use super::failure::{LoginError, chain, discovery_error};
use super::http_client::HttpClient;

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
pub(super) struct Extra {
    /// RP-initiated logout.
    #[serde(default)]
    end_session_endpoint: Option<String>,
    /// RFC 9207: answers name their issuer, so that one provider's cannot pass as another's.
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

impl AdditionalProviderMetadata for Extra {}

pub(super) type Metadata = ProviderMetadata<
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
pub(crate) struct Provider(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) oidc: Oidc,
    pub(super) issuer: IssuerUrl,
    pub(super) redirect: RedirectUrl,
    pub(super) http: HttpClient,
    discovered: ArcSwapOption<Metadata>,
    wanted: Notify,
    /// When an unknown key last made us read the keys.
    keys_fetched: Mutex<Option<Instant>>,
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

    /// What was discovered; asks for it if nothing was.
    pub(super) fn metadata(&self) -> Result<Arc<Metadata>, LoginError> {
        self.0.discovered.load_full().ok_or_else(|| {
            self.0.wanted.notify_one();
            LoginError::Unavailable("it has not been discovered yet".to_owned())
        })
    }

    /// The provider's keys as they are now, or as they were if they were read just now.
    pub(super) async fn with_fresh_keys(&self) -> Result<Arc<Metadata>, LoginError> {
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

fn end_session_endpoint(metadata: &Metadata) -> Option<Url> {
    let text = metadata
        .additional_metadata()
        .end_session_endpoint
        .as_deref()?;
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
}
