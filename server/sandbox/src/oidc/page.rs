//! The frame around every page of the provider, and the pages that only say something.

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse as _, Response};
use maud::{DOCTYPE, Markup, html};

use super::PUBLIC_FOR;

/// No script at all, nothing from elsewhere, in nobody's frame. Forms may go to the portal too, because browsers hold
/// the redirect after a form against the page that sent the form.
pub(crate) const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; \
     form-action 'self' http://localhost:* http://127.0.0.1:*; frame-ancestors 'none'; base-uri 'none'";

/// A page with everything around `content`.
pub(crate) fn page(status: StatusCode, title: &str, content: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Sandbox" }
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/page.css";
            }
            body {
                header.banner {
                    svg.mark viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
                        path d="M12 2.75 4.5 5.6v5.65c0 4.6 3.1 8.3 7.5 10 4.4-1.7 7.5-5.4 7.5-10V5.6L12 2.75Z" {}
                        circle cx="12" cy="10" r="2.6" {}
                        path d="M7.6 16.4c.9-1.8 2.5-2.8 4.4-2.8s3.5 1 4.4 2.8" {}
                    }
                    span { "Sandbox identity provider" }
                }
                main { (content) }
            }
        }
    };
    (status, Html(page.into_string())).into_response()
}

/// A page that says one thing. `detail` is set apart, for what a developer wants to read.
pub(crate) fn message(
    status: StatusCode,
    title: &str,
    text: &str,
    detail: Option<&str>,
) -> Response {
    page(
        status,
        title,
        &html! {
            h1 { (title) }
            p.lead { (text) }
            @if let Some(detail) = detail { p.detail { (detail) } }
        },
    )
}

/// GET `/page.css`.
pub(crate) async fn stylesheet() -> Response {
    let css = include_str!("page.css");
    (
        [(CONTENT_TYPE, "text/css; charset=utf-8")],
        [(CACHE_CONTROL, PUBLIC_FOR)],
        css,
    )
        .into_response()
}

/// GET `/icon.svg`.
pub(crate) async fn icon() -> Response {
    let svg = include_str!("icon.svg");
    (
        [(CONTENT_TYPE, "image/svg+xml")],
        [(CACHE_CONTROL, PUBLIC_FOR)],
        svg,
    )
        .into_response()
}
