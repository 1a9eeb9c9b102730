//! The site folder: what the build made for browsers.

use std::path::{Path, PathBuf};

use app::Assets;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use thiserror::Error;
use tower_http::services::{ServeDir, ServeFile};

/// Names carry a fingerprint of what is in them, so what a browser has is right for ever; a year
/// is the most that caches take.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// The others keep their name when they change.
const AN_HOUR: &str = "public, max-age=3600";

/// Why the site folder cannot be used.
#[derive(Debug, Error)]
pub enum SiteError {
    /// There is no manifest, so nothing was built there.
    #[error("{} cannot be read; build the site (`make build`) or set LEPTOS_SITE_ROOT to it", .path.display())]
    Unreadable {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// What is there is not a manifest.
    #[error("{} is not a manifest of the site; build it again (`make build`)", .path.display())]
    NotAManifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// It names a file that is not there.
    #[error("{} names {file}, which is not there; build the site again (`make build`)", .path.display())]
    Missing {
        /// The manifest.
        path: PathBuf,
        /// The file's address.
        file: String,
    },
}

#[derive(Deserialize)]
struct Manifest {
    js: String,
    wasm: String,
    css: String,
}

/// Reads the manifest and checks that what it names is there: a page without its script would
/// otherwise be found by people.
pub(super) fn assets(root: &Path) -> Result<Assets, SiteError> {
    let path = root.join("manifest.json");
    let text = std::fs::read(&path).map_err(|source| SiteError::Unreadable {
        path: path.clone(),
        source,
    })?;
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|source| SiteError::NotAManifest {
            path: path.clone(),
            source,
        })?;
    for file in [&manifest.js, &manifest.wasm, &manifest.css] {
        if !root.join(file.trim_start_matches('/')).is_file() {
            return Err(SiteError::Missing {
                path,
                file: file.clone(),
            });
        }
    }
    Ok(Assets {
        js: manifest.js,
        wasm: manifest.wasm,
        css: manifest.css,
    })
}

/// Serves the folder. Deliberately not a fallback for other paths: what is not listed is a page or
/// nothing.
pub(super) fn router<S: Clone + Send + Sync + 'static>(root: &Path) -> Router<S> {
    let folder = ServeDir::new(root.join("pkg"))
        .precompressed_br()
        .append_index_html_on_directories(false);
    Router::new()
        .nest_service("/pkg", folder)
        .layer(middleware::from_fn(|request, next| {
            cached(FOR_EVER, request, next)
        }))
        .merge(
            Router::new()
                .route_service("/favicon.svg", ServeFile::new(root.join("favicon.svg")))
                .route_service("/print.css", ServeFile::new(root.join("print.css")))
                .layer(middleware::from_fn(|request, next| {
                    cached(AN_HOUR, request, next)
                })),
        )
}

/// Lets caches keep what was found; an error must not outlive its cause.
async fn cached(how_long: &'static str, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if matches!(
        response.status(),
        StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED
    ) {
        response
            .headers_mut()
            .insert(CACHE_CONTROL, HeaderValue::from_static(how_long));
    }
    response
}
