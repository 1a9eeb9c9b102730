//! The OIDC provider: discovery, keys, code flow with PKCE, a page to pick who you are.

use std::path::Path;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::organisation::Organisation;

/// Serves until `shutdown`. `issuer` is the public base address, without a trailing slash.
pub(crate) async fn serve(
    listener: TcpListener,
    organisation: Organisation,
    data: &Path,
    issuer: String,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let _ = (&organisation, data, &issuer);
    let app = axum::Router::new();
    axum::serve(listener, app)
        .with_graceful_shutdown(async move { shutdown.cancelled().await })
        .await
}
