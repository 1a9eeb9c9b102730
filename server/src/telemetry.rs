//! Logs and metrics.
//!
//! Logs go to stderr: results of commands have stdout for themselves. People's names and reasons
//! are deliberately absent from both; they belong in the audit log.

use std::io::IsTerminal as _;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use thiserror::Error;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Why telemetry could not be set up.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The directives could not be read; configuration checks them first.
    #[error("the log directives could not be read")]
    Directives(#[source] tracing_subscriber::filter::ParseError),
    /// The recorder could not be installed.
    #[error("metrics could not be set up")]
    Metrics(#[source] metrics_exporter_prometheus::BuildError),
}

/// Directives that hold whatever was configured, unless it names the same target. tower-sessions
/// calls every expired cookie suspicious; for us it is the ordinary end of a session.
const QUIET: [&str; 2] = ["tower_sessions=error", "tower_sessions_core=error"];

/// Starts logging: lines for people on a terminal, JSON everywhere else.
pub fn log_to_stderr(directives: &str) -> Result<(), TelemetryError> {
    let quiet = QUIET.join(",");
    let filter =
        EnvFilter::try_new(format!("{quiet},{directives}")).map_err(TelemetryError::Directives)?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_span_events(FmtSpan::NONE)
        // It would say so in the same place, and panic when that fails: a disk that is full must not
        // keep access from ending.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    // A second call, as tests make, keeps the first subscriber.
    let _ = if std::io::stderr().is_terminal() {
        lines.try_init()
    } else {
        lines.json().flatten_event(true).try_init()
    };
    Ok(())
}

/// Installs the recorder of this process, and gives what `/metrics` renders.
pub fn record_metrics() -> Result<PrometheusHandle, TelemetryError> {
    // From a cached page to the longest that a person waits. The figure promised for a click
    // until the call to AWS is 100 ms, so the buckets are dense around it.
    const SECONDS: [f64; 11] = [
        0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    ];
    // From an end that nothing stood in the way of, to one that somebody has to look after.
    const DELAYS: [f64; 12] = [
        1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 14_400.0,
    ];
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("belay_end_delay_seconds".to_owned()), &DELAYS)
        .map_err(TelemetryError::Metrics)?
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)
        .map_err(TelemetryError::Metrics)?
        .install_recorder()
        .map_err(TelemetryError::Metrics)
}
