//! S3: conditional put, versions, Object Lock retention; path style.
//!
//! The protocol, signatures included, is the crate `s3s`; what is here is the behaviour. Left out, and answered with
//! `NotImplemented`: multipart uploads, ACLs, policies, tags, legal holds, encryption settings, and every version of a
//! list before the current one.

mod buckets;
mod checksums;
mod listing;
mod moment;
mod objects;
mod operations;
mod refusals;
mod retention;
mod store;
mod upload;
mod versions;

use std::io;
use std::path::Path;

use axum::body::Body;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result};

use self::buckets::ObjectLock;
use self::moment::Moment;
use self::operations::Operations;
use self::store::{Store, internal};

/// The bucket that Belay's audit log goes to. Terraform makes it in production.
const AUDIT_BUCKET: &str = "belay-audit";

/// The secret that every access key has here.
const SECRET: &str = "sandbox";

/// The buckets of a data folder. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct S3 {
    store: Store,
    service: S3Service,
}

impl S3 {
    /// Opens `data/s3`, and creates the bucket `belay-audit` (versioned, Object Lock enabled) if it is missing.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let store = Store::open(&data.join("s3")).map_err(io::Error::other)?;
        create_audit_bucket(&store)?;
        let mut builder = S3ServiceBuilder::new(Operations {
            store: store.clone(),
        });
        builder.set_auth(AnyKey);
        Ok(Self {
            store,
            service: builder.build(),
        })
    }

    /// Answers one request, refusals included; never fails otherwise.
    pub(crate) async fn call(&self, request: Request<Body>) -> Response<Body> {
        let mut response = match self
            .service
            .call(request.map(s3s::Body::http_body_unsync))
            .await
        {
            Ok(response) => response.map(Body::new),
            Err(error) => {
                tracing::warn!(error = ?error, "the S3 protocol layer gave up on a request");
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        };
        let headers = response.headers_mut();
        // What support asks for first; the SDKs log both.
        let id = format!("{:016X}", rand::random::<u64>());
        for name in ["x-amz-request-id", "x-amz-id-2"] {
            if let Ok(id) = HeaderValue::from_str(&id) {
                headers.entry(HeaderName::from_static(name)).or_insert(id);
            }
        }
        headers.insert(http::header::SERVER, HeaderValue::from_static("AmazonS3"));
        response
    }

    /// Removes every object, locked ones too, and leaves the bucket as on the first start.
    pub(crate) async fn reset(&self) -> io::Result<()> {
        self.store
            .run(|tx| {
                tx.execute_batch("DELETE FROM version; DELETE FROM bucket;")
                    .map_err(internal)
            })
            .await
            .map_err(failed)?;
        create_audit_bucket(&self.store)
    }
}

/// Keeps an audit bucket that is there, whatever has been set on it since.
fn create_audit_bucket(store: &Store) -> io::Result<()> {
    store
        .run_blocking(|tx| {
            match buckets::create(tx, AUDIT_BUCKET, ObjectLock::On(None), Moment::now()) {
                Err(error) if *error.code() == S3ErrorCode::BucketAlreadyOwnedByYou => Ok(()),
                other => other,
            }
        })
        .map_err(failed)
}

fn failed(error: S3Error) -> io::Error {
    io::Error::other(error)
}

/// Any access key will do, as long as the request is signed with the sandbox's secret: a test tells callers apart by
/// their keys.
struct AnyKey;

#[async_trait::async_trait]
impl S3Auth for AnyKey {
    async fn get_secret_key(&self, _access_key: &str) -> S3Result<SecretKey> {
        Ok(SecretKey::from(SECRET))
    }
}
