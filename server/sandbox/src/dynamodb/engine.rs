//! One `dynoxide` database and the inner port on which it speaks DynamoDB's protocol.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use dynoxide::Database;
use http::request::Parts;
use http::{HeaderValue, Request, Response, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::aws::refusal::Refusal;
use crate::aws::service::Service;
use crate::loopback;

/// How often what is past its time to live is swept. DynamoDB takes up to days over it.
const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// A database, its port, and a way to reach it.
pub(super) struct Engine {
    pub(super) database: Database,
    address: SocketAddr,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the file, or makes it, and serves until `shutdown`.
    pub(super) async fn open(file: &Path, shutdown: &CancellationToken) -> io::Result<Self> {
        let database = Database::new(&file.to_string_lossy()).map_err(io::Error::other)?;
        let listener = loopback::listen(0).await?;
        let address = listener.local_addr()?;
        let (served, stopped) = (database.clone(), shutdown.clone().cancelled_owned());
        tokio::spawn(async move {
            let served = dynoxide::server::serve_with_shutdown(listener, served, stopped).await;
            if let Err(problem) = served {
                warn!(%problem, "DynamoDB stopped");
            }
        });
        tokio::spawn(sweep(database.clone(), shutdown.clone()));
        let mut connector = HttpConnector::new();
        // A call is one small write; waiting for more of it would cost 40 ms.
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self {
            database,
            address,
            client,
        })
    }

    /// Sends a call on as it came, and gives the answer.
    pub(super) async fn forward(
        &self,
        parts: &Parts,
        body: Bytes,
    ) -> Result<Response<Bytes>, Refusal> {
        let broken = |problem: String| {
            let code = Service::DynamoDb.internal_error();
            Refusal::new(Service::DynamoDb, code, problem)
        };
        let uri = Uri::builder()
            .scheme("http")
            .authority(self.address.to_string())
            .path_and_query("/")
            .build()
            .map_err(|problem| broken(problem.to_string()))?;
        let mut request = Request::post(uri)
            .body(Full::new(body))
            .map_err(|problem| broken(problem.to_string()))?;
        for name in [
            "content-type",
            "x-amz-target",
            "authorization",
            "x-amz-date",
        ] {
            if let Some(value) = parts.headers.get(name) {
                request.headers_mut().insert(name, value.clone());
            }
        }
        let response = self
            .client
            .request(request)
            .await
            .map_err(|problem| broken(problem.to_string()))?;
        let (mut parts, body) = response.into_parts();
        // Which program answers is no business of the caller's, and a fault may change the length.
        for name in ["x-dynoxide-version", "content-length"] {
            parts.headers.remove(name);
        }
        parts
            .headers
            .insert("server", HeaderValue::from_static("Server"));
        let body = body
            .collect()
            .await
            .map_err(|problem| broken(problem.to_string()))?;
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    /// Creates a table unless there is one of its name.
    pub(super) async fn create_missing(
        &self,
        definition: &Value,
        expires_at: &str,
    ) -> io::Result<()> {
        let name = definition["TableName"].clone();
        let create = read(definition.clone())?;
        let time_to_live = read(json!({
            "TableName": name,
            "TimeToLiveSpecification": {"Enabled": true, "AttributeName": expires_at},
        }))?;
        let list = read(json!({}))?;
        self.run(move |database| {
            let tables = serde_json::to_value(database.list_tables(list)?)?;
            let names = tables["TableNames"].as_array().cloned().unwrap_or_default();
            if !names.contains(&name) {
                database.create_table(create)?;
                database.update_time_to_live(time_to_live)?;
            }
            Ok(())
        })
        .await
    }

    /// Drops every table.
    pub(super) async fn drop_tables(&self) -> io::Result<()> {
        self.run(|database| {
            let tables = database.list_tables(read(json!({}))?)?;
            let tables = serde_json::to_value(tables)?;
            for name in tables["TableNames"].as_array().into_iter().flatten() {
                database.delete_table(read(json!({"TableName": name}))?)?;
            }
            Ok(())
        })
        .await
    }

    /// Runs something on the database where it may block.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Box<dyn std::error::Error + Send + Sync>>
        + Send
        + 'static,
    ) -> io::Result<T> {
        let database = self.database.clone();
        tokio::task::spawn_blocking(move || work(&database))
            .await
            .map_err(io::Error::other)?
            .map_err(io::Error::other)
    }
}

/// A request of `dynoxide`'s, from the JSON that DynamoDB's protocol has for it.
pub(super) fn read<T: DeserializeOwned>(json: Value) -> io::Result<T> {
    serde_json::from_value(json).map_err(io::Error::from)
}

async fn sweep(database: Database, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(SWEEP_EVERY) => {}
        }
        let database = database.clone();
        let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        if let Ok(Err(problem)) = swept {
            warn!(%problem, "What is past its time to live was not swept");
        }
    }
}
