//! An AWS organisation and an OIDC provider on your laptop, spoken to over the wire.

mod arguments;
mod oidc;
mod organisation;
mod s3;

use std::io;

use clap::Parser;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Arguments, Serve};
use crate::organisation::Organisation;
use crate::s3::S3;

#[tokio::main(worker_threads = 4)]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
    serve(Arguments::parse().into_serve()).await
}

async fn serve(serve: Serve) -> io::Result<()> {
    std::fs::create_dir_all(&serve.data)?;
    let shutdown = CancellationToken::new();
    let organisation = Organisation::open(&serve.data, serve.size);
    let s3 = S3::open(&serve.data)?;
    let oidc = TcpListener::bind(("127.0.0.1", serve.oidc_port)).await?;
    // `localhost`, because that is the name browsers are sent to: cookies and redirects agree.
    let issuer = format!("http://localhost:{}", oidc.local_addr()?.port());
    let _ = s3;
    oidc::serve(oidc, organisation, &serve.data, issuer, shutdown).await
}
