//! Connections: accepted within limits, finished before the process ends.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

/// Each live page holds one. A process may have some 1,000 to 65,000 files open; this leaves room
/// for calls to AWS under the smaller limits.
const MAX_CONNECTIONS: usize = 4_096;

/// Also how long an idle connection is kept: more than the 60 s after which AWS's load balancers
/// close theirs, so that they never send into one that we are closing.
const HEADER_TIMEOUT: Duration = Duration::from_secs(75);

/// Orchestrators kill 30 s after they ask; by then everybody has their answer.
const DRAIN: Duration = Duration::from_secs(20);

/// After this the descriptors that ran out may have been given back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of a request's connection: a load balancer's, usually.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Serves connections until shutdown, then lets those under way finish.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        let Some((stream, peer, place)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let service =
            router
                .clone()
                .map_request(move |mut request: http::Request<hyper::body::Incoming>| {
                    request.extensions_mut().insert(peer);
                    request.map(axum::body::Body::new)
                });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // A browser that goes away is no news.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::select! {
        () = graceful.shutdown() => {}
        () = tokio::time::sleep(DRAIN) => tracing::warn!("closed connections that did not end"),
    }
}

async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> Option<(
    tokio::net::TcpStream,
    Peer,
    tokio::sync::OwnedSemaphorePermit,
)> {
    // Closed only when dropped, and it lives as long as we do.
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, from)) => {
            // Pages are small and people wait: send at once. A socket that refuses is still good.
            let _ = stream.set_nodelay(true);
            Some((stream, Peer(from.ip()), place))
        }
        Err(error) => {
            tracing::warn!(%error, "a connection could not be accepted");
            None
        }
    }
}
