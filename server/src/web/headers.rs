//! Headers that every response carries.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, SET_COOKIE,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, header};

use super::Portal;
use super::session::COOKIE;

/// What holds for every response, whatever made it.
const ALWAYS: [(HeaderName, &str); 6] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // For browsers that do not know `frame-ancestors`.
    (X_FRAME_OPTIONS, "DENY"),
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    (REFERRER_POLICY, "same-origin"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Two years, as browsers' preload lists ask for.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Adds what is missing; what a handler has set stays.
pub(super) async fn add(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if portal.public_url.is_https() {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    // Almost everything here is about one person; assets say otherwise themselves.
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if !headers.contains_key(CONTENT_SECURITY_POLICY)
        && let Ok(policy) = HeaderValue::from_str(&content_security_policy(&portal, None))
    {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    complete_removal(headers);
    response
}

/// What a page may load and where its forms may lead. Without a nonce, no script at all.
pub(super) fn content_security_policy(portal: &Portal, nonce: Option<&str>) -> String {
    let script = nonce.map_or_else(String::new, |nonce| {
        format!(
            "script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; connect-src 'self'; "
        )
    });
    // Browsers hold redirects after a form to this list, too: signing out and submitting with a
    // session that has ended both lead to the provider.
    let provider = portal.provider.origins().join(" ");
    format!(
        "default-src 'none'; {script}style-src 'self'; img-src 'self' data:; font-src 'none'; \
         manifest-src 'self'; form-action 'self' {provider}; frame-ancestors 'none'; \
         base-uri 'none'; object-src 'none'"
    )
}

/// The value of a browser's cookie, if it sends one of that name.
pub(super) fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split(';'))
        .filter_map(|cookie| cookie.trim().split_once('='))
        .find_map(|(have, value)| (have == name).then_some(value))
}

/// tower-sessions removes a cookie without `Secure`; browsers then keep a `__Host-` one.
fn complete_removal(headers: &mut HeaderMap) {
    let ours = format!("{COOKIE}=");
    let cookies: Vec<HeaderValue> = headers.get_all(SET_COOKIE).iter().cloned().collect();
    let is_incomplete = |cookie: &HeaderValue| {
        cookie.to_str().is_ok_and(|text| {
            text.starts_with(&ours) && !text.split(';').any(|part| part.trim() == "Secure")
        })
    };
    if !cookies.iter().any(is_incomplete) {
        return;
    }
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        let complete = if is_incomplete(&cookie) {
            HeaderValue::from_str(&format!(
                "{COOKIE}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
            ))
            .unwrap_or(cookie)
        } else {
            cookie
        };
        headers.append(SET_COOKIE, complete);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_removed_session_cookie_is_one_that_browsers_accept() {
        let mut headers = HeaderMap::new();
        headers.append(SET_COOKIE, "theme=dark; Path=/".parse().unwrap());
        headers.append(
            SET_COOKIE,
            "__Host-belay=; Path=/; Max-Age=0".parse().unwrap(),
        );
        complete_removal(&mut headers);
        let cookies: Vec<&str> = headers
            .get_all(SET_COOKIE)
            .iter()
            .map(|cookie| cookie.to_str().unwrap())
            .collect();
        assert_eq!(
            cookies,
            [
                "theme=dark; Path=/",
                "__Host-belay=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"
            ]
        );
    }
}
