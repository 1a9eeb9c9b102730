//! Serving on the loopback interface, and to nobody else.
//!
//! A browser on this machine can be made to send requests here by any page it opens, under a name of
//! that page's choice. So the name in `Host` has to be a loopback one as well.

use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::debug;

/// How long calls in progress may take to end after a stop was asked for.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a client may take to send a request's head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The connection is to be closed without an answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer is lost on purpose")]
pub(crate) struct Dropped;

/// Listens on 127.0.0.1; port 0 picks a free one.
pub(crate) async fn listen(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|problem| {
            let message = format!("127.0.0.1:{port} cannot be listened on: {problem}");
            io::Error::new(problem.kind(), message)
        })
}

/// Serves until `shutdown`.
pub(crate) async fn serve<F, A>(listener: TcpListener, shutdown: CancellationToken, answer: F)
where
    F: Fn(Request<Incoming>) -> A + Clone + Send + 'static,
    A: Future<Output = Result<Response<Body>, Dropped>> + Send + 'static,
{
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file handles, most likely: some may be free in a moment.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        if !peer.ip().is_loopback() {
            continue;
        }
        // Answers are small and written whole; waiting to fill a packet would cost 40 ms each.
        if let Err(problem) = stream.set_nodelay(true) {
            debug!(%problem, "A connection stays slow");
        }
        let answer = answer.clone();
        let service = service_fn(move |request: Request<Incoming>| {
            let local = is_local(&request);
            let answer = answer.clone();
            async move {
                if local {
                    answer(request).await
                } else {
                    Ok(foreign())
                }
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            // Connections end in many ways, some of them because we were told to drop them.
            if let Err(problem) = connection.await {
                debug!(%problem, "A connection ended");
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        debug!("Some calls were still in progress");
    }
}

/// Whether `Host` names this machine.
pub(crate) fn is_local<B>(request: &Request<B>) -> bool {
    let host = request.headers().get("host");
    let Some(host) = host.and_then(|host| host.to_str().ok()) else {
        // HTTP/1.0 has none, and no browser speaks it.
        return true;
    };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "localhost" | "127.0.0.1" | "[::1]") || name.ends_with(".localhost")
}

/// The answer to a request under another name.
pub(crate) fn foreign() -> Response<Body> {
    let mut response = Response::new(Body::from(
        "This is a sandbox for this machine: use http://127.0.0.1 or http://localhost.\n",
    ));
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
