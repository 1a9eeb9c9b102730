//! An AWS organisation and an OIDC provider on your laptop, spoken to over the wire.
//!
//! Everything is served on the loopback interface and kept in one folder. Nothing of Belay is linked
//! here: the wire is all they share.

mod arguments;
mod aws;
mod clock;
mod control;
mod draws;
mod dynamodb;
mod greeting;
mod identity_store;
mod loopback;
mod oidc;
mod organisation;
mod organizations;
mod s3;
mod sandbox;
mod sso_admin;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::error;
use tracing_subscriber::EnvFilter;

use crate::arguments::{Arguments, Serve};
use crate::draws::Draws;
use crate::dynamodb::DynamoDb;
use crate::greeting::Addresses;
use crate::oidc::Oidc;
use crate::organisation::Organisation;
use crate::s3::S3;
use crate::sandbox::Sandbox;

/// Threads that answer: DynamoDB's engine blocks one while it works.
const WORKER_THREADS: usize = 4;

fn main() -> ExitCode {
    let serve = Arguments::parse().into_serve();
    // Refused conditions are everyday answers of DynamoDB, not worth a line each.
    let filter = EnvFilter::try_from_env("SANDBOX_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,sandbox=info,dynoxide=error,s3s=error"));
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_env_filter(filter)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .enable_all()
        .build();
    match runtime.and_then(|runtime| runtime.block_on(run(serve))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            error!("{problem}");
            ExitCode::FAILURE
        }
    }
}

async fn run(serve: Serve) -> io::Result<()> {
    fs::create_dir_all(&serve.data)?;
    let _lock = lock(&serve.data)?;
    let shutdown = CancellationToken::new();
    let aws = loopback::listen(serve.aws_port).await?;
    let oidc_door = loopback::listen(serve.oidc_port).await?;
    let control_door = loopback::listen(serve.control_port).await?;
    let addresses = Addresses {
        aws: format!("http://{}", aws.local_addr()?),
        // `localhost`, because that is the name browsers are sent to: cookies and redirects agree.
        oidc: format!("http://localhost:{}", oidc_door.local_addr()?.port()),
        control: format!("http://{}", control_door.local_addr()?),
    };

    let organisation = Organisation::open(&serve.data, serve.size)?;
    let oidc = Oidc::open(&serve.data, organisation.clone(), addresses.oidc.clone())
        .map_err(io::Error::other)?;
    let sandbox = Arc::new(Sandbox::new(
        organisation.clone(),
        S3::open(&serve.data)?,
        DynamoDb::open(&serve.data, &shutdown).await?,
        oidc.clone(),
        Draws::new(serve.seed, organisation.past()),
        serve.switches,
    ));

    let doors = TaskTracker::new();
    let answering = Arc::clone(&sandbox);
    doors.spawn(loopback::serve(aws, shutdown.clone(), move |request| {
        aws::answer(Arc::clone(&answering), request)
    }));
    doors.spawn(oidc.serve(oidc_door, shutdown.clone()));
    doors.spawn(control::serve(control_door, sandbox, shutdown.clone()));
    doors.close();

    if let Some(file) = &serve.ports_file {
        addresses.write(file)?;
    }
    addresses.greet(&serve.data, &organisation)?;
    asked_to_stop().await?;
    shutdown.cancel();
    doors.wait().await;
    Ok(())
}

/// Two sandboxes on one folder would overwrite each other.
fn lock(data: &Path) -> io::Result<File> {
    let file = File::create(data.join("lock"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let message = format!(
                "another sandbox uses {}; stop it or choose another folder with --data",
                data.display()
            );
            Err(io::Error::new(io::ErrorKind::ResourceBusy, message))
        }
        Err(TryLockError::Error(problem)) => Err(problem),
    }
}

async fn asked_to_stop() -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminate.recv() => Ok(()),
    }
}
