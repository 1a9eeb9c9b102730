//! RP-initiated sign-out (`OpenID` Connect RP-Initiated Logout 1.0).

use std::sync::Arc;

use axum::extract::{RawForm, RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use url::form_urlencoded;

use super::parameters::Parameters;
use super::session::Session;
use super::sign_in::see_other;
use super::{Provider, clients, page};

/// GET, as the application redirects.
pub(crate) async fn by_query(
    State(provider): State<Arc<Provider>>,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&provider, &Parameters::parse(&query.unwrap_or_default()))
}

/// POST, which the specification requires as well.
pub(crate) async fn by_form(
    State(provider): State<Arc<Provider>>,
    RawForm(form): RawForm,
) -> Response {
    answer(
        &provider,
        &Parameters::parse(&String::from_utf8_lossy(&form)),
    )
}

fn answer(provider: &Provider, parameters: &Parameters) -> Response {
    let mut response = match destination(provider, parameters) {
        Ok(Some(address)) => see_other(&address),
        Ok(None) => page::message(
            StatusCode::OK,
            "You are signed out",
            "The sandbox has forgotten who you were. The next sign-in will ask again.",
            None,
        ),
        Err(what) => {
            return page::message(
                StatusCode::BAD_REQUEST,
                "You cannot be sent back there",
                "The application asked for something that the sandbox does not allow. You are still signed in here.",
                Some(what),
            );
        }
    };
    if let Some(cookie) = Session::no_cookie(provider) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Where the browser goes next, if the application may ask for it: it says who it is and the address is allowed.
fn destination(
    provider: &Provider,
    parameters: &Parameters,
) -> Result<Option<String>, &'static str> {
    if parameters.repeated().is_some() {
        return Err("A parameter is there twice.");
    }
    let hinted = match parameters.get("id_token_hint") {
        None => None,
        Some(token) => {
            let claims = provider
                .keys
                .verify(token)
                .ok_or("id_token_hint was not signed here.")?;
            if claims["iss"] != provider.issuer.as_str() {
                return Err("id_token_hint was not issued here.");
            }
            Some(claims["aud"].as_str().unwrap_or_default().to_owned())
        }
    };
    let named = parameters.get("client_id").map(str::to_owned);
    if hinted.is_some() && named.is_some() && hinted != named {
        return Err("client_id is not the one in id_token_hint.");
    }
    let Some(address) = parameters.get("post_logout_redirect_uri") else {
        return Ok(None);
    };
    if hinted.or(named).as_deref() != Some(clients::CLIENT_ID) {
        return Err(
            "post_logout_redirect_uri needs the client_id or an id_token_hint of a known application.",
        );
    }
    if !clients::is_signed_out_page(address) {
        return Err(
            "post_logout_redirect_uri must be http://localhost:PORT/signed-out or http://localhost:PORT/.",
        );
    }
    let state = parameters.get("state").map(|state| {
        let state: String = form_urlencoded::byte_serialize(state.as_bytes()).collect();
        format!("?state={state}")
    });
    Ok(Some(format!("{address}{}", state.unwrap_or_default())))
}
