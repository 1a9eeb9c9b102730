//! `belay serve`: opens the doors, starts the worker, and stops in order.

use std::net::SocketAddr;
use std::path::Path;

use thiserror::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::aws::Clients;
use crate::config::{Config, Problems, Role};
use crate::engine::Engine;
use crate::readiness::{Part, Readiness};
use crate::telemetry::{self, TelemetryError};
use crate::web::{self, Portal, PortalError};

use super::{Outcome, Serve, chain, runtime, say};

/// Why a server could not be started.
#[derive(Debug, Error)]
enum StartError {
    #[error("{variable} {address} cannot be listened on")]
    Listen {
        variable: &'static str,
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("--ports-file cannot be written")]
    PortsFile(#[source] std::io::Error),
    #[error("logs or metrics could not be set up")]
    Telemetry(#[from] TelemetryError),
    #[error(transparent)]
    Portal(#[from] PortalError),
    #[error("{0}")]
    Config(#[from] Problems),
}

/// Serves until it is asked to stop.
pub(super) fn run(command: &Serve) -> Outcome {
    let config = match command.config.load(command.role) {
        Ok(config) => config,
        Err(outcome) => return outcome,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(outcome) => return outcome,
    };
    match runtime.block_on(serve(config, command)) {
        Ok(()) => Outcome::Yes,
        Err(error) => {
            say(&format!("belay cannot start: {}", chain(&error)));
            match error {
                StartError::Config(_) => Outcome::Usage,
                _ => Outcome::Unknown,
            }
        }
    }
}

async fn serve(mut config: Config, command: &Serve) -> Result<(), StartError> {
    let role = command.role;
    telemetry::log_to_stderr(&config.log)?;
    let recorder = telemetry::record_metrics()?;
    let door = listen("BELAY_LISTEN", config.listen).await?;
    let metrics = listen("BELAY_METRICS_LISTEN", config.metrics_listen).await?;
    config.public_url = config.public_url.with_chosen_port(port(&door));

    let stop = CancellationToken::new();
    let readiness = Readiness::of(&parts(role));
    let clients = Clients::load(&config).await?;
    let engine = Engine::new(&config, &clients);
    let tasks = TaskTracker::new();
    let router = match config.oidc.clone() {
        Some(oidc) => {
            let service = engine.service.clone();
            let portal = Portal::new(&config, oidc, clients, service, stop.clone())?;
            tasks.spawn(portal.clone().keep_provider(readiness.clone()));
            portal.router(&config, readiness.clone())
        }
        None => web::health_router(readiness.clone()),
    };
    engine.start(role, &readiness, &tasks, &stop);
    if let Some(file) = &command.ports_file {
        write_ports(file, &config, port(&metrics)).map_err(StartError::PortsFile)?;
    }
    tasks.spawn(web::serve(
        metrics,
        web::metrics_router(recorder),
        stop.clone(),
    ));
    tracing::info!(address = %config.public_url, ?role, "serving");

    let door = tasks.spawn(web::serve(door, router, stop.clone()));
    tokio::select! {
        () = asked_to_stop() => tracing::info!("asked to stop; finishing what is under way"),
        _ = door => tracing::error!("the listener ended by itself"),
    }
    stop.cancel();
    tasks.close();
    tasks.wait().await;
    tracing::info!("stopped");
    Ok(())
}

/// What this role waits for before people are sent here.
fn parts(role: Role) -> Vec<Part> {
    let mut parts = vec![Part::Table, Part::Policy, Part::Directory];
    if role.serves_people() {
        parts.push(Part::Issuer);
    }
    if role.works() {
        parts.push(Part::Worker);
    }
    parts
}

async fn listen(variable: &'static str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|source| StartError::Listen {
            variable,
            address,
            source,
        })
}

fn port(listener: &TcpListener) -> u16 {
    // A bound socket has an address; 0 would show in the ports file.
    listener.local_addr().map_or(0, |address| address.port())
}

/// Whole or not at all: whoever waits for the file must never read half of it.
fn write_ports(file: &Path, config: &Config, metrics: u16) -> std::io::Result<()> {
    let ports = serde_json::json!({
        "portal": config.public_url.origin(),
        "metrics": format!("http://{}", SocketAddr::new(config.metrics_listen.ip(), metrics)),
    });
    let mut unfinished = file.as_os_str().to_owned();
    unfinished.push(".tmp");
    std::fs::write(&unfinished, ports.to_string())?;
    std::fs::rename(&unfinished, file)
}

/// Ctrl-C, or what orchestrators send.
async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminated) => {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "SIGTERM cannot be waited for; only Ctrl-C stops in order");
            // An error here leaves nothing to wait for, and serving goes on.
            if interrupted.await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}
