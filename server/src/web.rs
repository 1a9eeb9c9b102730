//! The portal's door: who is asking, and what they are shown.
//!
//! Everything here proves, parses, calls the service and renders. Deliberately absent: any decision
//! about access.
//!
//! From the outside in, a request passes: panics caught ([`observe`] names and times it), headers
//! added, [`origin`] checked, session found, person required where a page needs one.

mod addresses;
mod api;
mod export;
mod forms;
mod headers;
mod kept;
mod listen;
mod live;
mod metrics;
mod observe;
mod oidc;
mod origin;
mod pace;
mod pages;
mod portal;
mod problem;
mod ready;
mod refusal;
mod session;
mod sign_in;
mod signed_in;
mod site;
mod zone;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use app::Assets;
use app::view::{PageProblem, Part};
use axum::Router;
use axum::body::HttpBody as _;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::StatusCode;

use thiserror::Error;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;

use crate::aws::Clients;
use crate::config::{Config, Oidc, PublicUrl};
use crate::readiness::Readiness;
use crate::service::Service;

use self::live::Streams;
use self::oidc::Provider;
use self::pace::Pace;

pub use listen::serve;
pub use metrics::router as metrics_router;
pub use portal::access_page;
pub use ready::router as health_router;
pub use site::SiteError;

/// Longer than the slowest page; a person has gone by then, and what they held must be let go.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that a form of ours can be: a reason of 100 kB, fifty times what is allowed, is still
/// given back to be cut, and browsers send each byte of it as three.
const BODY_MAX_BYTES: usize = 320 * 1024;

/// Why the portal cannot be opened.
#[derive(Debug, Error)]
pub enum PortalError {
    /// The site folder is not usable.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The provider is not usable.
    #[error("the OIDC provider cannot be used: {0}")]
    Oidc(String),
}

/// Everything that handlers share. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Portal(Arc<Parts>);

/// The parts of a portal.
#[derive(Debug)]
pub struct Parts {
    public_url: PublicUrl,
    access_portal_url: String,
    identity_store_id: String,
    table: String,
    assets: Assets,
    clients: Clients,
    provider: Provider,
    service: Service,
    streams: Streams,
    pace: Pace,
    failures: api::Failures,
    exports: Arc<Semaphore>,
    shutdown: CancellationToken,
}

impl Deref for Portal {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Portal {
    /// A portal over these parts; nothing is called yet.
    pub fn new(
        config: &Config,
        oidc: Oidc,
        clients: Clients,
        service: Service,
        shutdown: CancellationToken,
    ) -> Result<Self, PortalError> {
        let provider = Provider::new(oidc, &config.public_url)
            .map_err(|error| PortalError::Oidc(error.to_string()))?;
        Ok(Self(Arc::new(Parts {
            public_url: config.public_url.clone(),
            access_portal_url: config.identity_center.access_portal_url.clone(),
            identity_store_id: config.identity_center.identity_store_id.clone(),
            table: config.table.clone(),
            assets: site::assets(&config.site_root)?,
            clients,
            provider,
            service,
            streams: Streams::default(),
            pace: Pace::default(),
            failures: api::Failures::default(),
            exports: Arc::new(Semaphore::new(export::AT_ONCE)),
            shutdown,
        })))
    }

    /// Discovers the provider, and again, until shutdown.
    pub async fn keep_provider(self, readiness: Readiness) {
        let shutdown = self.shutdown.clone();
        self.provider
            .clone()
            .keep_discovered(readiness, shutdown)
            .await;
    }

    /// Every address of the portal, with what surrounds them all.
    pub fn router(&self, config: &Config, readiness: Readiness) -> Router {
        let sessions = session::layer(self.clients.dynamodb.clone(), self.table.clone());
        let personal = pages::router(self)
            .merge(sign_in::router())
            .layer(middleware::from_fn_with_state(self.clone(), in_time))
            // A stream outlives any time limit; it has its own end.
            .route("/live", get(live::stream))
            .layer(sessions)
            .layer(middleware::from_fn_with_state(self.clone(), explain));
        let on_panic = {
            let portal = self.clone();
            move |_: Box<dyn std::any::Any + Send>| {
                tracing::error!("a handler panicked");
                problem::page(&portal, &problem::html(), PageProblem::Broken)
            }
        };
        personal
            .route("/theme", post(forms::theme))
            .merge(site::router(&config.site_root))
            .method_not_allowed_fallback(not_allowed)
            .with_state(self.clone())
            .merge(ready::router(readiness))
            .layer(middleware::from_fn_with_state(self.clone(), origin::check))
            .layer(middleware::from_fn_with_state(self.clone(), refuse_large))
            .layer(CatchPanicLayer::custom(on_panic))
            // It says what is wrong in its own way, and has its own limits.
            .merge(api::router(self))
            .layer(middleware::from_fn_with_state(self.clone(), headers::add))
            .layer(middleware::from_fn(observe::request))
    }
}

/// Discovers a provider once, as a server does, and says what is wrong.
pub async fn discover(oidc: &Oidc, public_url: &PublicUrl) -> Result<(), PortalError> {
    let unusable = |error: oidc::LoginError| PortalError::Oidc(error.to_string());
    let provider = Provider::new(oidc.clone(), public_url).map_err(unusable)?;
    provider.discover().await.map_err(unusable)
}

async fn not_allowed(State(portal): State<Portal>, request: Request) -> Response {
    problem::page(&portal, request.headers(), PageProblem::MethodNotAllowed)
}

/// Gives up on what takes too long, with a page that says so.
async fn in_time(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => problem::page(&portal, &headers, PageProblem::Unavailable(Part::Server)),
    }
}

/// tower-sessions answers with an empty 500 when a session cannot be written; people get a page.
async fn explain(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    let is_empty = response.body().size_hint().exact() == Some(0);
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && is_empty {
        return problem::page(&portal, &headers, PageProblem::Unavailable(Part::Store));
    }
    response
}

/// Refuses a body by its announced length, before any of it is read. Bodies that announce nothing
/// are counted where they are read.
async fn refuse_large(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let announced = request
        .headers()
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > BODY_MAX_BYTES) {
        return problem::page(&portal, request.headers(), PageProblem::TooLarge);
    }
    next.run(request).await
}
