//! What an S3 request asks for, said as the JSON services would say it.
//!
//! S3 has no target header: the operation is in the method, the path and the query. This is for
//! faults and the list of calls only; the answer is made elsewhere, from the request itself.

use http::request::Parts;
use serde_json::{Map, Value};
use url::form_urlencoded;

/// Every name that [`describe`] gives.
pub(crate) const OPERATIONS: &[&str] = &[
    "AbortMultipartUpload",
    "CompleteMultipartUpload",
    "CopyObject",
    "CreateBucket",
    "CreateMultipartUpload",
    "DeleteBucket",
    "DeleteObject",
    "DeleteObjects",
    "GetBucketLocation",
    "GetBucketVersioning",
    "GetObject",
    "GetObjectLegalHold",
    "GetObjectLockConfiguration",
    "GetObjectRetention",
    "HeadBucket",
    "HeadObject",
    "ListBuckets",
    "ListObjectVersions",
    "ListObjects",
    "ListObjectsV2",
    "ListParts",
    "Other",
    "PutBucketVersioning",
    "PutObject",
    "PutObjectLegalHold",
    "PutObjectLockConfiguration",
    "PutObjectRetention",
    "UploadPart",
];

/// The operation and its input.
pub(crate) fn describe(parts: &Parts) -> (&'static str, Map<String, Value>) {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .into_owned()
            .collect();
    let has = |name: &str| query.iter().any(|(key, _)| key == name);
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let method = parts.method.as_str();
    let copies = parts.headers.contains_key("x-amz-copy-source");
    let operation = match (bucket.is_empty(), key.is_empty()) {
        (true, _) => match method {
            "GET" => "ListBuckets",
            _ => "Other",
        },
        (false, true) => on_bucket(method, &has),
        (false, false) => on_object(method, copies, &has),
    };

    let mut input = Map::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            input.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    };
    put("Bucket", &decoded(bucket));
    put("Key", &decoded(key));
    for (key, value) in &query {
        let name = match key.as_str() {
            "versionId" => "VersionId",
            "prefix" => "Prefix",
            "delimiter" => "Delimiter",
            "continuation-token" => "ContinuationToken",
            "key-marker" => "KeyMarker",
            _ => continue,
        };
        put(name, value);
    }
    for (header, name) in [("if-none-match", "IfNoneMatch"), ("if-match", "IfMatch")] {
        let value = parts.headers.get(header);
        put(
            name,
            value.and_then(|it| it.to_str().ok()).unwrap_or_default(),
        );
    }
    (operation, input)
}

fn on_bucket(method: &str, has: &impl Fn(&str) -> bool) -> &'static str {
    match method {
        "HEAD" => "HeadBucket",
        "DELETE" => "DeleteBucket",
        "POST" if has("delete") => "DeleteObjects",
        "PUT" if has("versioning") => "PutBucketVersioning",
        "PUT" if has("object-lock") => "PutObjectLockConfiguration",
        "PUT" => "CreateBucket",
        "GET" if has("versioning") => "GetBucketVersioning",
        "GET" if has("object-lock") => "GetObjectLockConfiguration",
        "GET" if has("location") => "GetBucketLocation",
        "GET" if has("versions") => "ListObjectVersions",
        "GET" if has("list-type") => "ListObjectsV2",
        "GET" => "ListObjects",
        _ => "Other",
    }
}

fn on_object(method: &str, copies: bool, has: &impl Fn(&str) -> bool) -> &'static str {
    match method {
        "HEAD" => "HeadObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "PUT" if has("retention") => "PutObjectRetention",
        "PUT" if has("legal-hold") => "PutObjectLegalHold",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "GET" if has("retention") => "GetObjectRetention",
        "GET" if has("legal-hold") => "GetObjectLegalHold",
        "GET" if has("uploadId") => "ListParts",
        "GET" => "GetObject",
        _ => "Other",
    }
}

/// A path segment without its percent signs. `+` is itself in a path, unlike in a query.
fn decoded(text: &str) -> String {
    let plus = text.replace('+', "%2B");
    form_urlencoded::parse(plus.as_bytes())
        .next()
        .map(|(key, value)| {
            if value.is_empty() {
                key.into_owned()
            } else {
                format!("{key}={value}")
            }
        })
        .unwrap_or_default()
}
