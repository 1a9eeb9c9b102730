//! The token endpoint: a code, the client's secret and the proof key in; an ID token out, and an access token.
//!
//! For a resource (RFC 8707) that access token is a JWT (RFC 9068), which the resource itself can judge; without one
//! it is a name that only the userinfo endpoint knows.

use std::sync::Arc;
use std::time::Instant;

use aws_lc_rs::digest;
use axum::Json;
use axum::extract::{RawForm, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, PRAGMA, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD as BASE64URL};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::authorize::is_resource;
use super::codes::{Access, SignIn, TOKEN_LIFE};
use super::parameters::Parameters;
use super::{Provider, clients, subject};
use crate::organisation::Person;

/// A refusal of RFC 6749 §5.2.
#[derive(Debug)]
enum Refused {
    InvalidRequest(&'static str),
    /// Carries whether the client tried HTTP Basic, which asks for a challenge in return.
    InvalidClient(&'static str),
    InvalidGrant(String),
    InvalidTarget,
    UnsupportedGrantType,
    ServerError(&'static str),
}

/// POST. Whatever comes of it, a code that reached this point behind the right client secret is spent.
pub(crate) async fn exchange(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    let form = Parameters::parse(&String::from_utf8_lossy(&form));
    match tokens(&provider, &headers, &form) {
        Ok(tokens) => ([(PRAGMA, "no-cache")], Json(tokens)).into_response(),
        Err(refused) => refused.into_response(),
    }
}

fn tokens(provider: &Provider, headers: &HeaderMap, form: &Parameters) -> Result<Value, Refused> {
    if form.repeated().is_some() {
        return Err(Refused::InvalidRequest("a parameter is there twice"));
    }
    let is_form = headers.get(CONTENT_TYPE).is_some_and(|kind| {
        kind.as_bytes()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    if !is_form {
        return Err(Refused::InvalidRequest(
            "the body must be application/x-www-form-urlencoded",
        ));
    }
    let client_id = authenticate(headers, form)?;
    match form.get("grant_type") {
        Some("authorization_code") => {}
        Some(_) => return Err(Refused::UnsupportedGrantType),
        None => return Err(Refused::InvalidRequest("grant_type is missing")),
    }
    let code = form
        .get("code")
        .ok_or(Refused::InvalidRequest("code is missing"))?;
    let sign_in = redeem(provider, form, code, client_id)?;
    let Some(found) = provider.person(&sign_in.user_id) else {
        return Err(Refused::InvalidGrant(
            "the person is no longer in the organisation".to_owned(),
        ));
    };
    // Asked for at either endpoint; at this one it may not be another (RFC 8707 §2.2).
    let resource = match (&sign_in.resource, form.get("resource")) {
        (Some(granted), Some(asked)) if granted != asked => return Err(Refused::InvalidTarget),
        (None, Some(asked)) if !is_resource(asked) => return Err(Refused::InvalidTarget),
        (granted, asked) => granted.as_deref().or(asked),
    };
    let access_token = access_token(provider, code, &sign_in, resource)?;
    let claims = id_token_claims(provider, &sign_in, &found.person, &access_token);
    let id_token = provider
        .keys
        .sign(&claims)
        .map_err(|_| Refused::ServerError("the sandbox cannot sign with its key"))?;
    Ok(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": TOKEN_LIFE.as_secs(),
        "scope": sign_in.scopes.join(" "),
        "id_token": id_token,
    }))
}

fn access_token(
    provider: &Provider,
    code: &str,
    sign_in: &SignIn,
    resource: Option<&str>,
) -> Result<String, Refused> {
    let no_randomness = |_| Refused::ServerError("the sandbox has no randomness");
    let Some(resource) = resource else {
        let access = Access {
            user_id: sign_in.user_id.clone(),
            scopes: sign_in.scopes.clone(),
        };
        return provider
            .codes
            .token(code, access, Instant::now())
            .map_err(no_randomness);
    };
    let now_s = Timestamp::now().as_second();
    let claims = json!({
        "iss": provider.issuer,
        "aud": resource,
        "sub": subject(&sign_in.user_id),
        "client_id": sign_in.client_id,
        "jti": super::keys::secret().map_err(no_randomness)?,
        "iat": now_s,
        "exp": now_s.saturating_add(TOKEN_LIFE.as_secs().cast_signed()),
        "auth_time": sign_in.auth_time.as_second(),
        "scope": sign_in.scopes.join(" "),
    });
    provider
        .keys
        .sign_as("at+jwt", &claims)
        .map_err(|_| Refused::ServerError("the sandbox cannot sign with its key"))
}

fn redeem(
    provider: &Provider,
    form: &Parameters,
    code: &str,
    client_id: &str,
) -> Result<SignIn, Refused> {
    let verifier = form.get("code_verifier").ok_or(Refused::InvalidRequest(
        "code_verifier is missing: PKCE is required",
    ))?;
    let redirect_uri = form
        .get("redirect_uri")
        .ok_or(Refused::InvalidRequest("redirect_uri is missing"))?;
    let sign_in = provider
        .codes
        .redeem(code, Instant::now())
        .map_err(|refused| Refused::InvalidGrant(refused.to_string()))?;
    if sign_in.client_id != client_id {
        return Err(Refused::InvalidGrant(
            "this code was issued to another client".to_owned(),
        ));
    }
    if sign_in.redirect_uri != redirect_uri {
        return Err(Refused::InvalidGrant(
            "redirect_uri is not the one of the authorization request".to_owned(),
        ));
    }
    if !sign_in.challenge.admits(verifier) {
        return Err(Refused::InvalidGrant(
            "code_verifier does not match code_challenge".to_owned(),
        ));
    }
    Ok(sign_in)
}

/// `client_secret_basic` or `client_secret_post`, one of them (RFC 6749 §2.3); `none` for the client without a secret.
fn authenticate(headers: &HeaderMap, form: &Parameters) -> Result<&'static str, Refused> {
    if form.get("client_id") == Some(clients::CLI_ID)
        && form.get("client_secret").is_none()
        && !headers.contains_key(AUTHORIZATION)
    {
        return Ok(clients::CLI_ID);
    }
    let in_form = form.get("client_secret").map(|secret| {
        (
            form.get("client_id").unwrap_or_default().to_owned(),
            secret.to_owned(),
        )
    });
    let in_header = match headers.get(AUTHORIZATION) {
        None => None,
        Some(value) => Some(basic(value).ok_or(Refused::InvalidClient(
            "the Authorization header is not HTTP Basic",
        ))?),
    };
    let (id, secret) = match (in_header, in_form) {
        (Some(_), Some(_)) => {
            return Err(Refused::InvalidRequest(
                "the client authenticated in two ways at once",
            ));
        }
        (Some(pair), None) | (None, Some(pair)) => pair,
        (None, None) => return Err(Refused::InvalidClient("the client did not authenticate")),
    };
    if form.get("client_id").is_some_and(|in_form| in_form != id) {
        return Err(Refused::InvalidRequest(
            "client_id is not the client that authenticated",
        ));
    }
    if id != clients::CLIENT_ID || !clients::is_secret(&secret) {
        return Err(Refused::InvalidClient(
            "the client id or the client secret is wrong",
        ));
    }
    Ok(clients::CLIENT_ID)
}

/// User and password of HTTP Basic, each form-encoded inside (RFC 6749 §2.3.1).
fn basic(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(BASE64_STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    Some((form_decoded(id), form_decoded(secret)))
}

fn form_decoded(text: &str) -> String {
    // As the name of a pair without a value: the same decoding, whatever the text holds.
    let escaped = text.replace('=', "%3D").replace('&', "%26");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map_or_else(String::new, |(name, _)| name.into_owned())
}

fn id_token_claims(
    provider: &Provider,
    sign_in: &SignIn,
    person: &Person,
    access_token: &str,
) -> Value {
    let now_s = Timestamp::now().as_second();
    let mut claims = person_claims(person, &sign_in.scopes);
    // OpenID Connect Core 1.0 §3.1.3.6: the left half of the hash.
    let hash = digest::digest(&digest::SHA256, access_token.as_bytes());
    claims.extend([
        ("iss".to_owned(), json!(provider.issuer)),
        ("aud".to_owned(), json!(sign_in.client_id)),
        ("iat".to_owned(), json!(now_s)),
        (
            "exp".to_owned(),
            json!(now_s.saturating_add(TOKEN_LIFE.as_secs().cast_signed())),
        ),
        ("auth_time".to_owned(), json!(sign_in.auth_time.as_second())),
        (
            "at_hash".to_owned(),
            json!(BASE64URL.encode(&hash.as_ref()[..16])),
        ),
    ]);
    if let Some(nonce) = &sign_in.nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    Value::Object(claims)
}

/// What the scopes say of a person, in the ID token and at the userinfo endpoint alike.
pub(crate) fn person_claims(person: &Person, scopes: &[String]) -> Map<String, Value> {
    let asked = |scope: &str| scopes.iter().any(|found| found == scope);
    let mut claims = Map::new();
    claims.insert("sub".to_owned(), json!(subject(&person.user_id)));
    if asked("email") {
        claims.insert("email".to_owned(), json!(person.email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    if asked("profile") {
        claims.insert("name".to_owned(), json!(person.display_name));
        claims.insert("given_name".to_owned(), json!(person.given_name));
        claims.insert("family_name".to_owned(), json!(person.family_name));
        claims.insert("preferred_username".to_owned(), json!(person.user_name));
    }
    claims
}

impl Refused {
    fn into_response(self) -> Response {
        let (status, code, why) = match self {
            Self::InvalidRequest(why) => {
                (StatusCode::BAD_REQUEST, "invalid_request", why.to_owned())
            }
            Self::InvalidClient(why) => {
                (StatusCode::UNAUTHORIZED, "invalid_client", why.to_owned())
            }
            Self::InvalidGrant(why) => (StatusCode::BAD_REQUEST, "invalid_grant", why),
            Self::InvalidTarget => (
                StatusCode::BAD_REQUEST,
                "invalid_target",
                "resource is not what was agreed to, or is no absolute URI".to_owned(),
            ),
            Self::UnsupportedGrantType => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "only authorization_code is supported".to_owned(),
            ),
            Self::ServerError(why) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "server_error",
                why.to_owned(),
            ),
        };
        let body = Json(json!({ "error": code, "error_description": why }));
        let mut response = (status, [(PRAGMA, "no-cache")], body).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static(r#"Basic realm="sandbox", charset="UTF-8""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_form_decoded() {
        let encoded = BASE64_STANDARD.encode("be%3Alay:a+b%26=c");
        let value = HeaderValue::from_str(&format!("Basic {encoded}"));
        assert_eq!(
            value.ok().and_then(|value| basic(&value)),
            Some(("be:lay".into(), "a b&=c".into()))
        );
        assert_eq!(basic(&HeaderValue::from_static("Bearer abc")), None);
    }
}
