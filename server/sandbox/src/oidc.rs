//! The OIDC provider: discovery, keys, authorization code flow with PKCE, and a page to pick who you are.
//!
//! It behaves as the providers that Belay meets in production do, with one thing left out on purpose: nobody has a
//! password. Whoever reaches this port (loopback only) may be anybody in the organisation. There is no implicit or
//! hybrid flow, no refresh token, no registration, and two clients: the portal, and a command line for its API.

mod authorize;
mod clients;
mod codes;
mod keys;
mod page;
mod parameters;
mod picker;
mod session;
mod sign_in;
mod sign_out;
mod token;
mod user_info;

use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::map_response;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub(crate) use keys::KeysError;

use self::codes::Codes;
use self::keys::Keys;
use crate::organisation::{Organisation, PersonWithGroups};

/// Forms here are a handful of short fields; the longest repeats the authorization request.
const FORM_BYTES_MAX: usize = 32 * 1024;

/// Where clients may keep the discovery document and the keys. Short, so that a rotation is seen in a test's time.
const PUBLIC_FOR: HeaderValue = HeaderValue::from_static("public, max-age=15");

/// The provider of one data folder. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Oidc(Arc<Provider>);

struct Provider {
    /// The public base address, without a trailing slash.
    issuer: String,
    organisation: Organisation,
    keys: Keys,
    codes: Codes,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc")
            .field("issuer", &self.0.issuer)
            .finish_non_exhaustive()
    }
}

impl Oidc {
    /// Reads or makes the keys in `data/oidc`. `issuer` is the public base address, without a trailing slash.
    pub(crate) fn open(
        data: &Path,
        organisation: Organisation,
        issuer: String,
    ) -> Result<Self, KeysError> {
        let keys = Keys::open(&data.join("oidc"))?;
        Ok(Self(Arc::new(Provider {
            issuer,
            organisation,
            keys,
            codes: Codes::default(),
        })))
    }

    /// Signs with a new key from now on, as real providers do every few weeks. Tokens already out stay valid.
    pub(crate) fn rotate_keys(&self) -> Result<(), KeysError> {
        self.0.keys.rotate()
    }

    /// Serves until `shutdown`.
    pub(crate) async fn serve(
        self,
        listener: TcpListener,
        shutdown: CancellationToken,
    ) -> io::Result<()> {
        axum::serve(listener, router(self.0))
            .with_graceful_shutdown(async move { shutdown.cancelled().await })
            .await
    }
}

impl Provider {
    fn person(&self, user_id: &str) -> Option<PersonWithGroups> {
        self.organisation
            .people()
            .into_iter()
            .find(|found| found.person.user_id == user_id)
    }

    /// By user name or e-mail, ignoring case: what a `login_hint` may hold.
    fn find(&self, name: &str) -> Option<PersonWithGroups> {
        let name = name.trim();
        self.organisation.people().into_iter().find(|found| {
            found.person.user_name.eq_ignore_ascii_case(name)
                || found.person.email.eq_ignore_ascii_case(name)
        })
    }
}

/// A person's `sub`: a UUID that follows from the `UserId` and is not it, because no real provider knows the
/// `UserId`, and Belay must not come to rely on it.
fn subject(user_id: &str) -> String {
    let digest = Sha256::digest(format!("subject at the sandbox's provider:{user_id}"));
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

fn router(provider: Arc<Provider>) -> Router {
    Router::new()
        .route("/", get(front_page))
        .route("/.well-known/openid-configuration", get(discovery))
        .route("/jwks", get(jwks))
        .route("/authorize", get(sign_in::by_query).post(sign_in::by_form))
        .route("/sign-in", post(sign_in::chosen))
        .route("/token", post(token::exchange))
        .route("/userinfo", get(user_info::read).post(user_info::read))
        .route("/sign-out", get(sign_out::by_query).post(sign_out::by_form))
        .route("/page.css", get(page::stylesheet))
        .route("/icon.svg", get(page::icon))
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(map_response(harden))
        .with_state(provider)
}

async fn discovery(State(provider): State<Arc<Provider>>) -> Response {
    let issuer = &provider.issuer;
    let at = |path: &str| format!("{issuer}{path}");
    cacheable(json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "end_session_endpoint": at("/sign-out"),
        "scopes_supported": authorize::SCOPES,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "email", "email_verified", "name",
            "given_name", "family_name", "preferred_username",
        ],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
    }))
}

async fn jwks(State(provider): State<Arc<Provider>>) -> Response {
    cacheable(provider.keys.jwks())
}

fn cacheable(document: Value) -> Response {
    ([(CACHE_CONTROL, PUBLIC_FOR)], Json(document)).into_response()
}

async fn front_page(State(provider): State<Arc<Provider>>) -> Response {
    page::message(
        StatusCode::OK,
        "This is the sandbox’s identity provider",
        "Sign-in starts at the application: open Belay’s portal and it will send you here.",
        Some(&format!("Issuer: {}", provider.issuer)),
    )
}

async fn not_found(uri: Uri) -> Response {
    page::message(
        StatusCode::NOT_FOUND,
        "There is no such page",
        "The sandbox’s identity provider has nothing at this address.",
        Some(uri.path()),
    )
}

async fn not_allowed(method: Method) -> Response {
    page::message(
        StatusCode::METHOD_NOT_ALLOWED,
        "This address does not answer that",
        "The sandbox’s identity provider knows this address but not this kind of request.",
        Some(method.as_str()),
    )
}

/// Headers that every answer carries. What a handler has set itself stays.
async fn harden(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let html = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    let csp = if html {
        page::CONTENT_SECURITY_POLICY
    } else {
        "default-src 'none'; frame-ancestors 'none'"
    };
    for (name, value) in [
        ("content-security-policy", csp),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        // Codes and tokens are in addresses and bodies here.
        ("cache-control", "no-store"),
    ] {
        headers
            .entry(HeaderName::from_static(name))
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_stable_and_is_not_the_user_id() {
        let user_id = "9067a1b2-0000-4000-8000-000000000001";
        assert_eq!(subject(user_id), subject(user_id));
        assert_ne!(subject(user_id), user_id);
        assert_ne!(subject(user_id), subject("another"));
        assert!(uuid::Uuid::parse_str(&subject(user_id)).is_ok());
    }
}
