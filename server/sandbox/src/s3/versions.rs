//! Versions of objects: putting, finding and deleting them, inside a transaction.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};

use super::buckets::{Bucket, Versioning};
use super::moment::Moment;
use super::refusals;
use super::retention::{Bypass, Mode, Retention};
use super::store::internal;
use super::upload::{Algorithm, Upload};

/// The id of a version that was written while its bucket was not versioned.
pub(crate) const NULL_ID: &str = "null";

/// Columns in the order in which [`Version::read`] takes them; the body only where it is wanted.
pub(crate) const COLUMNS: &str = "seq, key, id, is_marker, modified_ms, size, etag, headers, checksum_kind, \
     checksum, retention_mode, retain_until_ms";

/// What a put says about its object besides the body, given back with every get.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Headers {
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) content_disposition: Option<String>,
    pub(crate) content_language: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) metadata: Vec<(String, String)>,
}

/// One version of one key.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    pub(crate) seq: i64,
    pub(crate) key: String,
    pub(crate) id: String,
    pub(crate) content: Content,
    pub(crate) modified: Moment,
    pub(crate) retention: Option<Retention>,
}

/// What a version is.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// "Deleted" was written here.
    Marker,
    /// An object.
    Object(Box<Object>),
}

/// An object without its body.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) headers: Headers,
    pub(crate) checksum: Option<(Algorithm, String)>,
}

/// What must hold of the latest version for a put to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Condition {
    Always,
    /// `If-None-Match: *`: there is no object of this name.
    Absent,
    /// `If-Match`: the object is exactly this one.
    Is(String),
}

/// An object about to be written.
#[derive(Debug, Clone)]
pub(crate) struct New {
    pub(crate) condition: Condition,
    pub(crate) upload: Upload,
    pub(crate) headers: Headers,
    pub(crate) retention: Option<Retention>,
}

/// What came of a delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// The version that was removed or, without an id, the marker that was added.
    pub(crate) id: Option<String>,
    pub(crate) is_marker: bool,
}

impl Version {
    pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let is_marker: bool = row.get("is_marker")?;
        let content = if is_marker {
            Content::Marker
        } else {
            let headers: String = row.get("headers")?;
            let kind: Option<String> = row.get("checksum_kind")?;
            let sum: Option<String> = row.get("checksum")?;
            Content::Object(Box::new(Object {
                size: row.get::<_, i64>("size")?.unsigned_abs(),
                etag: row.get("etag")?,
                headers: serde_json::from_str(&headers).map_err(|error| {
                    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error))
                })?,
                checksum: kind.as_deref().and_then(Algorithm::parse).zip(sum),
            }))
        };
        let mode: Option<String> = row.get("retention_mode")?;
        let until: Option<i64> = row.get("retain_until_ms")?;
        let retention = mode.as_deref().and_then(Mode::parse).zip(until);
        Ok(Self {
            seq: row.get("seq")?,
            key: row.get("key")?,
            id: row.get("id")?,
            content,
            modified: Moment(row.get("modified_ms")?),
            retention: retention.map(|(mode, until)| Retention {
                mode,
                until: Moment(until),
            }),
        })
    }
}

/// The newest version of a key, a marker included.
pub(crate) fn latest(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
) -> S3Result<Option<Version>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM version WHERE bucket = ?1 AND key = ?2 ORDER BY seq DESC LIMIT 1"
    );
    tx.prepare_cached(&sql)
        .and_then(|mut query| {
            query
                .query_row(params![bucket.name, key], Version::read)
                .optional()
        })
        .map_err(internal)
}

/// One version by its id.
pub(crate) fn by_id(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    id: &str,
) -> S3Result<Option<Version>> {
    let sql = format!("SELECT {COLUMNS} FROM version WHERE bucket = ?1 AND key = ?2 AND id = ?3");
    tx.prepare_cached(&sql)
        .and_then(|mut query| {
            query
                .query_row(params![bucket.name, key, id], Version::read)
                .optional()
        })
        .map_err(internal)
}

/// The body of a version.
pub(crate) fn body(tx: &Transaction<'_>, version: &Version) -> S3Result<Vec<u8>> {
    tx.prepare_cached("SELECT body FROM version WHERE seq = ?1")
        .and_then(|mut query| query.query_row([version.seq], |row| row.get(0)))
        .map_err(internal)
}

/// Adds an object, if the condition holds at this instant: the transaction lets one put in at a time.
pub(crate) fn put(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    new: &New,
    now: Moment,
) -> S3Result<String> {
    let New {
        condition,
        upload,
        headers,
        retention,
    } = new;
    let standing = latest(tx, bucket, key)?.and_then(|version| match version.content {
        Content::Object(object) => Some(object),
        Content::Marker => None,
    });
    match (condition, standing) {
        (Condition::Always, _) | (Condition::Absent, None) => {}
        (Condition::Is(etag), Some(object)) if *etag == object.etag => {}
        (Condition::Is(_), None) => return Err(refusals::no_such_key()),
        (Condition::Absent | Condition::Is(_), Some(_)) => {
            return Err(refusals::precondition_failed());
        }
    }
    let id = claim_id(tx, bucket, key)?;
    let headers = serde_json::to_string(headers).map_err(S3Error::internal_error)?;
    tx.prepare_cached(
        "INSERT INTO version (bucket, key, id, is_marker, modified_ms, size, etag, headers, checksum_kind, checksum,
                              retention_mode, retain_until_ms, body)
         VALUES (?1, ?2, ?3, FALSE, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )
    .and_then(|mut insert| {
        insert.execute(params![
            bucket.name,
            key,
            id,
            now.0,
            i64::try_from(upload.body.len()).unwrap_or(i64::MAX),
            upload.etag,
            headers,
            upload.algorithm.as_str(),
            upload.checksum,
            retention.map(|retention| retention.mode.as_str()),
            retention.map(|retention| retention.until.0),
            upload.body.as_ref(),
        ])
    })
    .map_err(internal)?;
    Ok(id)
}

/// A plain delete: a marker in a versioned bucket, the end of the object in any other.
pub(crate) fn delete_latest(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    now: Moment,
) -> S3Result<Deleted> {
    if bucket.versioning == Versioning::Off {
        remove(tx, bucket, key, NULL_ID)?;
        return Ok(Deleted {
            id: None,
            is_marker: false,
        });
    }
    let id = claim_id(tx, bucket, key)?;
    tx.prepare_cached(
        "INSERT INTO version (bucket, key, id, is_marker, modified_ms, size, etag, headers)
         VALUES (?1, ?2, ?3, TRUE, ?4, 0, '', '{}')",
    )
    .and_then(|mut insert| insert.execute(params![bucket.name, key, id, now.0]))
    .map_err(internal)?;
    Ok(Deleted {
        id: Some(id),
        is_marker: true,
    })
}

/// The end of one version, unless it is locked. A version that is not there is deleted already.
pub(crate) fn delete_version(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    id: &str,
    bypass: Bypass,
    now: Moment,
) -> S3Result<Deleted> {
    let found = by_id(tx, bucket, key, id)?;
    let lock = found.as_ref().and_then(|version| version.retention);
    if lock.is_some_and(|lock| !lock.allows_delete(bypass, now)) {
        return Err(refusals::locked());
    }
    remove(tx, bucket, key, id)?;
    let is_marker = found.is_some_and(|version| matches!(version.content, Content::Marker));
    Ok(Deleted {
        id: Some(id.to_owned()),
        is_marker,
    })
}

/// Writes a version's lock; whether it may is decided by [`Retention::allows_change`].
pub(crate) fn set_retention(
    tx: &Transaction<'_>,
    version: &Version,
    retention: Option<Retention>,
) -> S3Result<()> {
    let mode = retention.map(|retention| retention.mode.as_str());
    let until = retention.map(|retention| retention.until.0);
    tx.execute(
        "UPDATE version SET retention_mode = ?2, retain_until_ms = ?3 WHERE seq = ?1",
        params![version.seq, mode, until],
    )
    .map_err(internal)?;
    Ok(())
}

/// The id of the version about to be written. Outside versioning there is one, and it replaces its predecessor.
fn claim_id(tx: &Transaction<'_>, bucket: &Bucket, key: &str) -> S3Result<String> {
    if bucket.versioning == Versioning::Enabled {
        let bytes: [u8; 24] = rand::random();
        return Ok(base64::Engine::encode(
            &base64::prelude::BASE64_URL_SAFE_NO_PAD,
            bytes,
        ));
    }
    remove(tx, bucket, key, NULL_ID)?;
    Ok(NULL_ID.to_owned())
}

fn remove(tx: &Transaction<'_>, bucket: &Bucket, key: &str, id: &str) -> S3Result<()> {
    tx.prepare_cached("DELETE FROM version WHERE bucket = ?1 AND key = ?2 AND id = ?3")
        .and_then(|mut delete| delete.execute(params![bucket.name, key, id]))
        .map_err(internal)?;
    Ok(())
}

/// A version that a read names, or the latest; markers and absences are refused as S3 does.
pub(crate) fn readable(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
) -> S3Result<(Version, Object)> {
    let found = match id {
        Some(id) => by_id(tx, bucket, key, id)?.ok_or_else(refusals::no_such_version)?,
        None => latest(tx, bucket, key)?.ok_or_else(refusals::no_such_key)?,
    };
    match &found.content {
        Content::Object(object) => {
            let object = Object::clone(object);
            Ok((found, object))
        }
        Content::Marker => Err(marker_refusal(&found, id)),
    }
}

fn marker_refusal(marker: &Version, id: Option<&str>) -> S3Error {
    let mut refusal = match id {
        Some(_) => s3_error!(
            MethodNotAllowed,
            "The specified method is not allowed against this resource."
        ),
        None => refusals::no_such_key(),
    };
    let mut headers = http::HeaderMap::new();
    headers.insert(
        "x-amz-delete-marker",
        http::HeaderValue::from_static("true"),
    );
    if let Ok(id) = http::HeaderValue::from_str(&marker.id) {
        headers.insert("x-amz-version-id", id);
    }
    if id.is_some() {
        headers.insert(
            http::header::ALLOW,
            http::HeaderValue::from_static("DELETE"),
        );
    }
    refusal.set_headers(headers);
    refusal
}
