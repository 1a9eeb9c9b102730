//! `/metrics`, on a listener of its own, which people do not reach.

use axum::Router;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use metrics_exporter_prometheus::PrometheusHandle;

/// The text format that Prometheus reads.
/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT: &str = "text/plain; version=0.0.4";

/// One address.
pub fn router(recorder: PrometheusHandle) -> Router {
    Router::new().route(
        "/metrics",
        get(move || async move { ([(CONTENT_TYPE, TEXT)], recorder.render()) }),
    )
}
