//! An OIDC provider that says what a test wants it to say, true or not. Its tokens are made by hand
//! here, by none of the code that reads them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What it says. `None` is the honest value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Say {
    /// Claims that replace or add to the honest ones; `null` leaves one out.
    pub(crate) claims: Map<String, Value>,
    /// What userinfo says; nothing: there is none for anybody.
    pub(crate) user_info: Option<Value>,
    /// The `iss` parameter of the answer.
    pub(crate) iss: Option<&'static str>,
    /// Leaves that parameter out.
    pub(crate) without_iss: bool,
    /// The error that the answer carries instead of a code.
    pub(crate) error: Option<&'static str>,
    /// With which key it signs.
    pub(crate) key: Key,
}

/// A key that signs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Key {
    /// The one in its key set.
    #[default]
    Known,
    /// A new one, which is in its key set from now on.
    New,
    /// One that is not in its key set, under the name of one that is.
    Forged,
    /// The client's secret (HS256).
    Secret,
}

#[derive(Debug)]
struct Inner {
    issuer: String,
    keys: [Ed25519KeyPair; 2],
    forger: Ed25519KeyPair,
    say: Mutex<Say>,
    /// Nonces by code.
    codes: Mutex<HashMap<String, String>>,
    asked_for_keys: Mutex<usize>,
}

/// Ends when dropped.
#[derive(Debug)]
pub(crate) struct Provider {
    inner: Arc<Inner>,
    task: JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An address on which nobody listens yet.
pub(crate) async fn reserve() -> (String, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (format!("http://localhost:{port}"), port)
}

impl Provider {
    /// Starts one on any port.
    pub(crate) async fn start() -> Self {
        let (_, port) = reserve().await;
        Self::start_on(port).await
    }

    /// Starts one on a port that was reserved.
    pub(crate) async fn start_on(port: u16) -> Self {
        let key = || Ed25519KeyPair::generate().unwrap();
        let inner = Arc::new(Inner {
            issuer: format!("http://localhost:{port}"),
            keys: [key(), key()],
            forger: key(),
            say: Mutex::default(),
            codes: Mutex::default(),
            asked_for_keys: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/userinfo", get(user_info))
            .with_state(Arc::clone(&inner));
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { inner, task }
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.inner.issuer
    }

    /// Changes what it says from now on.
    pub(crate) fn says(&self, say: Say) {
        *lock(&self.inner.say) = say;
    }

    /// Says these claims from now on, and is honest otherwise.
    pub(crate) fn claims(&self, claims: &Value) {
        self.says(Say {
            claims: claims.as_object().unwrap().clone(),
            ..Say::default()
        });
    }

    /// A token with exactly these claims, and these members of its header besides `alg` and `kid`.
    pub(crate) fn token(&self, key: Key, header: &Value, claims: &Value) -> String {
        self.inner.sign(key, header, claims)
    }

    /// How often it was asked for its keys.
    pub(crate) fn asked_for_keys(&self) -> usize {
        *lock(&self.inner.asked_for_keys)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    fn says(&self) -> Say {
        lock(&self.say).clone()
    }
}

async fn configuration(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let issuer = &inner.issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA", "HS256"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(inner): State<Arc<Inner>>) -> Json<Value> {
    let say = inner.says();
    *lock(&inner.asked_for_keys) += 1;
    let public = |at: usize| {
        json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": at.to_string(),
            "x": BASE64URL.encode(inner.keys[at].public_key().as_ref()),
        })
    };
    let shown: Vec<Value> = (0..=usize::from(say.key == Key::New)).map(public).collect();
    Json(json!({ "keys": shown }))
}

async fn authorize(
    State(inner): State<Arc<Inner>>,
    Query(asked): Query<HashMap<String, String>>,
) -> Redirect {
    let say = inner.says();
    let mut back = url::Url::parse(&asked["redirect_uri"]).unwrap();
    {
        let mut answer = back.query_pairs_mut();
        answer.append_pair("state", &asked["state"]);
        if let Some(error) = say.error {
            answer.append_pair("error", error);
        } else {
            let mut codes = lock(&inner.codes);
            let code = format!("code-{}", codes.len());
            answer.append_pair("code", &code);
            codes.insert(code, asked["nonce"].clone());
        }
        if !say.without_iss {
            answer.append_pair("iss", say.iss.unwrap_or(&inner.issuer));
        }
    }
    Redirect::to(back.as_str())
}

async fn token(
    State(inner): State<Arc<Inner>>,
    Form(asked): Form<HashMap<String, String>>,
) -> Response {
    let say = inner.says();
    let Some(nonce) = lock(&inner.codes).remove(&asked["code"]) else {
        let refusal = Json(json!({ "error": "invalid_grant" }));
        return (StatusCode::BAD_REQUEST, refusal).into_response();
    };
    assert!(asked["code_verifier"].len() >= 43, "PKCE is used");
    let now = jiff::Timestamp::now().as_second();
    let mut claims = json!({
        "iss": inner.issuer,
        "aud": "belay",
        "sub": "1",
        "nonce": nonce,
        "iat": now,
        "exp": now + 300,
        "auth_time": now,
    });
    for (name, value) in say.claims.clone() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(&name);
        } else {
            claims[name] = value;
        }
    }
    let id_token = inner.sign(say.key, &json!({}), &claims);
    Json(json!({
        "access_token": "access",
        "token_type": "Bearer",
        "expires_in": 300,
        "id_token": id_token,
    }))
    .into_response()
}

async fn user_info(
    State(inner): State<Arc<Inner>>,
    headers: HeaderMap,
) -> Result<Response, StatusCode> {
    let say = inner.says();
    if headers
        .get("authorization")
        .is_none_or(|have| have != "Bearer access")
    {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let honest = json!({ "sub": say.claims.get("sub").cloned().unwrap_or_else(|| json!("1")) });
    Ok(Json(say.user_info.unwrap_or(honest)).into_response())
}

impl Inner {
    fn sign(&self, key: Key, more: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64URL.encode(value.to_string());
        let at = usize::from(key == Key::New);
        let mut header = if key == Key::Secret {
            json!({ "alg": "HS256" })
        } else {
            json!({ "alg": "EdDSA", "kid": at.to_string() })
        };
        for (name, value) in more.as_object().unwrap() {
            header[name] = value.clone();
        }
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = if key == Key::Secret {
            let secret =
                aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"belay-sandbox-secret");
            aws_lc_rs::hmac::sign(&secret, message.as_bytes())
                .as_ref()
                .to_vec()
        } else {
            let pair = if key == Key::Forged {
                &self.forger
            } else {
                &self.keys[at]
            };
            pair.sign(message.as_bytes()).as_ref().to_vec()
        };
        format!("{message}.{}", BASE64URL.encode(signature))
    }
}
