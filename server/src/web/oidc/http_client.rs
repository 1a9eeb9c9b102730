//! How Belay speaks to the provider: bounded, and never redirected.

use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};
use thiserror::Error;
use url::Url;

/// Discovery documents and key sets are a few kilobytes; tokens with many groups some tens.
const MAX_BYTES: usize = 1024 * 1024;

/// Another organisation's server, perhaps across the world.
const CONNECT: Duration = Duration::from_secs(3);

/// A person waits for it, between two pages.
const TOTAL: Duration = Duration::from_secs(10);

/// Why the provider gave no answer.
#[derive(Debug, Error)]
pub(super) enum HttpError {
    #[error("the provider could not be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("the provider's answer is over {MAX_BYTES} bytes")]
    TooLarge,
    #[error("the provider's answer could not be taken over")]
    Malformed(#[source] http::Error),
}

/// A client for one provider.
#[derive(Debug, Clone)]
pub(super) struct HttpClient(reqwest::Client);

impl HttpClient {
    /// A client that follows no redirect: following one would let whoever can make the provider
    /// redirect choose which address we call (the openidconnect crate asks for this).
    pub(super) fn new(issuer: &Url) -> Result<Self, reqwest::Error> {
        reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .https_only(issuer.scheme() == "https")
            .connect_timeout(CONNECT)
            .timeout(TOTAL)
            .user_agent(concat!("belay/", env!("CARGO_PKG_VERSION")))
            .build()
            .map(Self)
    }

    /// Sends one request and reads the answer up to the limit.
    pub(super) async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = reqwest::Request::try_from(request).map_err(HttpError::Unreachable)?;
        let mut answer = self
            .0
            .execute(request)
            .await
            .map_err(HttpError::Unreachable)?;
        let mut response = http::Response::builder().status(answer.status());
        for (name, value) in answer.headers() {
            response = response.header(name, value);
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(HttpError::Unreachable)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(HttpError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        response.body(body).map_err(HttpError::Malformed)
    }
}

impl<'c> AsyncHttpClient<'c> for HttpClient {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
