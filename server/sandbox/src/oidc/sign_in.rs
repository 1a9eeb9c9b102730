//! The authorization endpoint: answer from the session or a hint, or ask on the page.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{RawForm, RawQuery, State};
use axum::http::header::{LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;

use super::authorize::{Authorization, ErrorCode, Prompt, Refused, ReturnAddress};
use super::codes::SignIn;
use super::parameters::Parameters;
use super::picker::Picker;
use super::session::Session;
use super::{Provider, page};
use crate::organisation::Person;

/// GET, as browsers arrive.
pub(crate) async fn by_query(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    answer(&provider, &headers, &query.unwrap_or_default())
}

/// POST, which `OpenID` Connect Core 1.0 §3.1.2.1 requires as well.
pub(crate) async fn by_form(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    answer(&provider, &headers, &String::from_utf8_lossy(&form))
}

fn answer(provider: &Provider, headers: &HeaderMap, query: &str) -> Response {
    let parameters = Parameters::parse(query);
    let request = match Authorization::read(&parameters) {
        Ok(request) => request,
        Err(refused) => return refuse(provider, refused),
    };
    let now = Timestamp::now();
    let session = Session::read(provider, headers, now)
        .and_then(|session| Some((provider.person(&session.user_id)?.person, session)));
    let hinted = request
        .login_hint
        .as_deref()
        .and_then(|hint| provider.find(hint))
        .map(|found| found.person);

    let usable = session.as_ref().filter(|(person, session)| {
        session.is_fresh(request.max_age_s, now)
            && matches!(request.prompt, Prompt::WhenNeeded | Prompt::None)
            && hinted
                .as_ref()
                .is_none_or(|hinted| hinted.user_id == person.user_id)
    });
    if let Some((person, session)) = usable {
        return grant(provider, &request, person, session.auth_time);
    }
    match (request.prompt, hinted) {
        (Prompt::None, _) => to_client(
            provider,
            &request.address(),
            ErrorCode::LoginRequired,
            "nobody is signed in at the sandbox",
        ),
        // A hint stands for typing a name and a password: it is a fresh proof.
        (Prompt::WhenNeeded | Prompt::Login, Some(person)) => {
            grant(provider, &request, &person, now)
        }
        (Prompt::SelectAccount, _) | (_, None) => {
            let picker = Picker {
                people: provider.organisation.people(),
                current: session.map(|(person, _)| person.user_id),
                unknown_hint: request.login_hint.clone(),
                search: parameters.get("q").map(str::to_owned),
                request: query,
            };
            picker.page()
        }
    }
}

/// POST from the page: somebody was picked, or nobody.
pub(crate) async fn chosen(
    State(provider): State<Arc<Provider>>,
    headers: HeaderMap,
    RawForm(form): RawForm,
) -> Response {
    if is_from_elsewhere(&headers) {
        return page::message(
            StatusCode::FORBIDDEN,
            "That came from another site",
            "Only the sandbox’s own page may say who you are. Go back to the application and sign in again.",
            None,
        );
    }
    let form = Parameters::parse(&String::from_utf8_lossy(&form));
    let request =
        match Authorization::read(&Parameters::parse(form.get("request").unwrap_or_default())) {
            Ok(request) => request,
            Err(refused) => return refuse(&provider, refused),
        };
    if form.get("act") == Some("cancel") {
        return to_client(
            &provider,
            &request.address(),
            ErrorCode::AccessDenied,
            "nobody was picked",
        );
    }
    match form.get("person").and_then(|name| provider.find(name)) {
        Some(found) => grant(&provider, &request, &found.person, Timestamp::now()),
        None => page::message(
            StatusCode::BAD_REQUEST,
            "Nobody here has that name",
            "The people of the sandbox may have changed meanwhile. Go back to the application and sign in again.",
            None,
        ),
    }
}

/// A browser says where a form came from; a form of another site must not sign anybody in (login CSRF).
fn is_from_elsewhere(headers: &HeaderMap) -> bool {
    headers
        .get(HeaderName::from_static("sec-fetch-site"))
        .is_some_and(|site| site != "same-origin" && site != "none")
}

fn grant(
    provider: &Provider,
    request: &Authorization,
    person: &Person,
    auth_time: Timestamp,
) -> Response {
    let sign_in = SignIn {
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        challenge: request.challenge.clone(),
        nonce: request.nonce.clone(),
        scopes: request.scopes.clone(),
        user_id: person.user_id.clone(),
        auth_time,
        resource: request.resource.clone(),
    };
    let Ok(code) = provider.codes.issue(sign_in, Instant::now()) else {
        return to_client(
            provider,
            &request.address(),
            ErrorCode::ServerError,
            "the sandbox has no randomness",
        );
    };
    let mut response = see_other(&request.address().with(&provider.issuer, &[("code", &code)]));
    let session = Session {
        user_id: person.user_id.clone(),
        auth_time,
    };
    if let Some(cookie) = session.cookie(provider) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn refuse(provider: &Provider, refused: Refused) -> Response {
    match refused {
        Refused::OnPage { what } => page::message(
            StatusCode::BAD_REQUEST,
            "This sign-in cannot go on",
            "The application sent a request that the sandbox does not trust, so it will not send you back there.",
            Some(&what),
        ),
        Refused::ToClient { address, code, why } => to_client(provider, &address, code, why),
    }
}

fn to_client(provider: &Provider, address: &ReturnAddress, code: ErrorCode, why: &str) -> Response {
    see_other(&address.with(
        &provider.issuer,
        &[("error", code.as_str()), ("error_description", why)],
    ))
}

/// 303, so that the browser asks with GET also after a form (RFC 9700 §4.12).
pub(crate) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
