//! Unsafe methods must come from our own pages.
//!
//! Leptos has no defence against cross-site requests by design, and `SameSite=Lax` lets sibling
//! hosts through. So the check is here, around everything, before any routing: there is no list of
//! routes to forget one in.

use app::view::PageProblem;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::ORIGIN;
use http::{HeaderMap, Method};

use super::{Portal, problem};

/// Refuses with 403 unless the method is safe or the request is our own.
pub(super) async fn check(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let ours = portal.public_url.origin();
    if is_safe(request.method()) || is_from(&ours, request.headers()) {
        return next.run(request).await;
    }
    tracing::warn!(
        method = %request.method(),
        path = request.uri().path(),
        origin = ?request.headers().get(ORIGIN),
        "refused a request that did not come from our own pages"
    );
    problem::page(&portal, request.headers(), PageProblem::CrossOrigin)
}

pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Whether browsers say that the request was made by a page of ours. What says nothing is not.
pub(super) fn is_from(ours: &str, headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (Some(origin), None) => origin == ours,
        (Some(_), Some(_)) => false,
        (None, _) => {
            let mut sites = headers.get_all("sec-fetch-site").iter();
            matches!((sites.next(), sites.next()), (Some(site), None) if site == "same-origin")
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn with(headers: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    #[test]
    fn only_our_own_origin_is_ours() {
        let ours = "https://belay.example.com";
        let check = |headers: &[(&'static str, &str)], expected: bool| {
            assert_eq!(is_from(ours, &with(headers)), expected, "{headers:?}");
        };
        check(&[("origin", ours)], true);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("origin", ours), ("sec-fetch-site", "same-origin")], true);
        check(&[], false);
        check(&[("origin", "null")], false);
        check(
            &[("origin", "null"), ("sec-fetch-site", "same-origin")],
            false,
        );
        check(&[("origin", "http://belay.example.com")], false);
        check(&[("origin", "https://belay.example.com:8443")], false);
        check(
            &[("origin", "https://belay.example.com.evil.example")],
            false,
        );
        check(
            &[("origin", ours), ("origin", "https://evil.example")],
            false,
        );
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("referer", "https://belay.example.com/mine")], false);
    }
}
