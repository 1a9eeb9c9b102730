//! What an authorization request asks for, and everything that can be wrong with it.
//!
//! Pure: reading a request touches neither clock nor session. The order of the checks is the security of the
//! endpoint: until client and redirect address are known to belong together, nobody is sent anywhere
//! (RFC 6749 §4.1.2.1).

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use sha2::{Digest as _, Sha256};
use url::form_urlencoded;

use super::clients;
use super::parameters::Parameters;

/// Scopes that this provider knows; others are ignored, as `OpenID` Connect Core 1.0 §3.1.2.1 asks.
pub(crate) const SCOPES: [&str; 5] = ["openid", "email", "profile", "belay:read", "belay:submit"];

/// A proof key: the SHA-256 of a verifier that only the client knows (RFC 7636).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge([u8; 32]);

impl Challenge {
    /// 43 base64url characters, which is what a SHA-256 takes.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        BASE64URL.decode(text).ok()?.try_into().ok().map(Self)
    }

    /// Whether `verifier` is the secret behind this challenge. 43 to 128 unreserved characters (RFC 7636 §4.1).
    pub(crate) fn admits(&self, verifier: &str) -> bool {
        let well_formed = (43..=128).contains(&verifier.len())
            && verifier
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let digest = Sha256::digest(verifier.as_bytes());
        well_formed && constant_time::verify_slices_are_equal(&digest, &self.0).is_ok()
    }
}

/// Whether a person must be asked although a session could answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prompt {
    /// Ask only when nothing else tells who it is.
    WhenNeeded,
    /// Never ask: answer from the session or fail.
    None,
    /// Sign in again, even within a session.
    Login,
    /// Choose again, even when a hint would tell.
    SelectAccount,
}

/// A request that may be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authorization {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Challenge,
    pub(crate) scopes: Vec<String>,
    pub(crate) prompt: Prompt,
    pub(crate) max_age_s: Option<u64>,
    pub(crate) login_hint: Option<String>,
    /// The API that the access token is for (RFC 8707).
    pub(crate) resource: Option<String>,
}

/// OAuth's and `OpenID` Connect's error codes that this endpoint gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    InvalidRequest,
    UnsupportedResponseType,
    InvalidScope,
    InvalidTarget,
    AccessDenied,
    LoginRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
    ServerError,
}

impl ErrorCode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
            Self::ServerError => "server_error",
        }
    }
}

/// Where an answer goes: the client's own address, with its `state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReturnAddress {
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
}

impl ReturnAddress {
    /// The address with an answer in its query. `iss` tells the client which provider is speaking (RFC 9207).
    pub(crate) fn with(&self, issuer: &str, answer: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(answer);
        if let Some(state) = &self.state {
            query.append_pair("state", state);
        }
        query.append_pair("iss", issuer);
        format!("{}?{}", self.redirect_uri, query.finish())
    }
}

/// Why a request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Told to the person, on a page: the address to return to cannot be trusted.
    OnPage { what: String },
    /// Told to the client, by redirect.
    ToClient {
        address: ReturnAddress,
        code: ErrorCode,
        why: &'static str,
    },
}

impl Authorization {
    /// Reads a request and refuses it with the most basic thing that is wrong.
    pub(crate) fn read(parameters: &Parameters) -> Result<Self, Refused> {
        let address = return_address(parameters)?;
        let refuse = |code, why| {
            Err(Refused::ToClient {
                address: address.clone(),
                code,
                why,
            })
        };
        if parameters.repeated().is_some() {
            return refuse(ErrorCode::InvalidRequest, "a parameter is there twice");
        }
        if let Some((code, why)) = unsupported(parameters) {
            return refuse(code, why);
        }
        let scopes: Vec<String> = parameters
            .get("scope")
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| SCOPES.contains(scope))
            .map(str::to_owned)
            .collect();
        if !scopes.iter().any(|scope| scope == "openid") {
            return refuse(ErrorCode::InvalidScope, "scope must contain openid");
        }
        let challenge = match proof_key(parameters) {
            Ok(challenge) => challenge,
            Err(why) => return refuse(ErrorCode::InvalidRequest, why),
        };
        let prompt = match prompt(parameters.get("prompt")) {
            Ok(prompt) => prompt,
            Err(why) => return refuse(ErrorCode::InvalidRequest, why),
        };
        let max_age_s = match parameters.get("max_age").map(str::parse) {
            None => None,
            Some(Ok(seconds)) => Some(seconds),
            Some(Err(_)) => {
                return refuse(
                    ErrorCode::InvalidRequest,
                    "max_age must be a number of seconds",
                );
            }
        };
        let resource = parameters.get("resource");
        if resource.is_some_and(|resource| !is_resource(resource)) {
            return refuse(
                ErrorCode::InvalidTarget,
                "resource must be an absolute URI without a fragment",
            );
        }
        Ok(Self {
            client_id: parameters.get("client_id").unwrap_or_default().to_owned(),
            redirect_uri: address.redirect_uri,
            state: address.state,
            nonce: parameters.get("nonce").map(str::to_owned),
            challenge,
            scopes,
            prompt,
            max_age_s,
            login_hint: parameters.get("login_hint").map(str::to_owned),
            resource: resource.map(str::to_owned),
        })
    }

    pub(crate) fn address(&self) -> ReturnAddress {
        ReturnAddress {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
        }
    }
}

fn return_address(parameters: &Parameters) -> Result<ReturnAddress, Refused> {
    let on_page = |what: String| Err(Refused::OnPage { what });
    // Asked before anything is believed: of two client ids or addresses, which one was checked?
    if let Some(name @ ("client_id" | "redirect_uri" | "state")) = parameters.repeated() {
        return on_page(format!("The parameter {name} is there twice."));
    }
    let client_id = parameters.get("client_id");
    match client_id {
        Some(clients::CLIENT_ID | clients::CLI_ID) => {}
        Some(other) => {
            let other: String = other.chars().take(80).collect();
            return on_page(format!(
                "No application is registered as “{other}”. The sandbox knows “belay” and “belay-cli”."
            ));
        }
        None => return on_page("The parameter client_id is missing.".to_owned()),
    }
    match parameters.get("redirect_uri") {
        Some(uri) if clients::is_callback(client_id.unwrap_or_default(), uri) => {
            Ok(ReturnAddress {
                redirect_uri: uri.to_owned(),
                state: parameters.get("state").map(str::to_owned),
            })
        }
        Some(uri) => {
            let uri: String = uri.chars().take(200).collect();
            on_page(format!(
                "The application asked to return to {uri}. Allowed are http://localhost:PORT/auth/callback and \
                 http://127.0.0.1:PORT/auth/callback, exactly, and for belay-cli the same without /auth."
            ))
        }
        None => on_page("The parameter redirect_uri is missing.".to_owned()),
    }
}

/// Things that a provider may leave out and then has to refuse by name (`OpenID` Connect Core 1.0 §3.1.2.6).
fn unsupported(parameters: &Parameters) -> Option<(ErrorCode, &'static str)> {
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => {
            return Some((
                ErrorCode::UnsupportedResponseType,
                "only response_type=code is supported",
            ));
        }
        None => return Some((ErrorCode::InvalidRequest, "response_type is missing")),
    }
    if !matches!(parameters.get("response_mode"), None | Some("query")) {
        return Some((
            ErrorCode::InvalidRequest,
            "only response_mode=query is supported",
        ));
    }
    if parameters.get("request").is_some() {
        return Some((
            ErrorCode::RequestNotSupported,
            "request objects are not supported",
        ));
    }
    if parameters.get("request_uri").is_some() {
        return Some((
            ErrorCode::RequestUriNotSupported,
            "request objects are not supported",
        ));
    }
    if parameters.get("registration").is_some() {
        return Some((
            ErrorCode::RegistrationNotSupported,
            "registration is not supported",
        ));
    }
    None
}

/// RFC 8707 §2.
pub(crate) fn is_resource(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| url.fragment().is_none())
}

fn proof_key(parameters: &Parameters) -> Result<Challenge, &'static str> {
    // RFC 7636 §4.4.1. A missing method means `plain`, which hides nothing.
    let Some(challenge) = parameters.get("code_challenge") else {
        return Err("code_challenge is missing: PKCE is required");
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err("code_challenge_method must be S256");
    }
    Challenge::parse(challenge).ok_or("code_challenge must be the base64url of a SHA-256")
}

fn prompt(value: Option<&str>) -> Result<Prompt, &'static str> {
    let mut found = Prompt::WhenNeeded;
    let values: Vec<&str> = value
        .unwrap_or_default()
        .split(' ')
        .filter(|value| !value.is_empty())
        .collect();
    for value in &values {
        found = match *value {
            "none" if values.len() > 1 => return Err("prompt=none cannot be combined"),
            "none" => Prompt::None,
            "select_account" => Prompt::SelectAccount,
            // There is nothing to consent to here: the person is asked once more, which is what consent is for.
            "login" | "consent" if found == Prompt::SelectAccount => Prompt::SelectAccount,
            "login" | "consent" => Prompt::Login,
            _ => return Err("prompt is none, login, consent or select_account"),
        };
    }
    Ok(found)
}

#[cfg(test)]
#[path = "authorize_tests.rs"]
mod tests;
