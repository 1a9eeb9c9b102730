//! Objects as callers put, get and delete them.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use rusqlite::Transaction;
use s3s::dto::{
    Checksum, ChecksumMode, ETag, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput,
    HeadObjectOutput, ObjectLockMode, PutObjectInput, PutObjectOutput, Range, StreamingBlob,
    Timestamp,
};
use s3s::{Body, S3Error, S3Response, S3Result, s3_error};

use super::buckets::{self, Bucket};
use super::checksums;
use super::moment::{Moment, timestamp};
use super::refusals;
use super::retention::{Bypass, Retention};
use super::upload::Integrity;
use super::versions::{self, Condition, Deleted, Headers, New, Object, Version};

/// What S3 says of an object that was put without a type.
const DEFAULT_TYPE: &str = "binary/octet-stream";

/// AWS's own limit for user-defined metadata, names and values together.
const METADATA_BYTES_MAX: usize = 2 * 1024;

/// The condition of a put.
pub(crate) fn condition(input: &PutObjectInput) -> S3Result<Condition> {
    match (&input.if_none_match, &input.if_match) {
        (None, None) => Ok(Condition::Always),
        (Some(ETagCondition::Any), None) => Ok(Condition::Absent),
        (None, Some(ETagCondition::ETag(etag))) => Ok(Condition::Is(etag.value().to_owned())),
        _ => Err(s3_error!(
            NotImplemented,
            "A header you provided implies functionality that is not implemented"
        )),
    }
}

/// The lock that a put asks for. Such a put must prove its body, so that nothing is locked that was not meant.
pub(crate) fn asked_retention(
    input: &PutObjectInput,
    integrity: Integrity,
    now: Moment,
) -> S3Result<Option<Retention>> {
    let until = input
        .object_lock_retain_until_date
        .as_ref()
        .map(Moment::of)
        .transpose()?;
    let asked = Retention::asked(
        input.object_lock_mode.as_ref().map(ObjectLockMode::as_str),
        until,
        now,
    )?;
    if asked.is_some() && integrity == Integrity::Unstated {
        return Err(s3_error!(
            InvalidRequest,
            "Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters"
        ));
    }
    Ok(asked)
}

/// What a put says besides its body.
pub(crate) fn headers(input: &PutObjectInput) -> Headers {
    let mut metadata: Vec<(String, String)> = input
        .metadata
        .clone()
        .unwrap_or_default()
        .into_iter()
        .collect();
    metadata.sort();
    Headers {
        content_type: input.content_type.clone(),
        content_encoding: input.content_encoding.clone(),
        content_disposition: input.content_disposition.clone(),
        content_language: input.content_language.clone(),
        cache_control: input.cache_control.clone(),
        metadata,
    }
}

/// Writes an object.
pub(crate) fn put(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    mut new: New,
    now: Moment,
) -> S3Result<PutObjectOutput> {
    if new.retention.is_some() {
        bucket.require_object_lock()?;
    }
    let metadata_bytes: usize = new
        .headers
        .metadata
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if metadata_bytes > METADATA_BYTES_MAX {
        return Err(s3_error!(
            MetadataTooLarge,
            "Your metadata headers exceed the maximum allowed metadata size"
        ));
    }
    new.retention = new.retention.or_else(|| bucket.default_retention(now));
    let id = versions::put(tx, bucket, key, &new, now)?;
    let object = Object {
        size: new.upload.body.len() as u64,
        etag: new.upload.etag,
        headers: new.headers,
        checksum: Some((new.upload.algorithm, new.upload.checksum)),
    };
    let sums = checksums::fields(&object);
    Ok(PutObjectOutput {
        e_tag: Some(ETag::Strong(object.etag)),
        version_id: bucket.shown_id(&id),
        checksum_crc32: sums.checksum_crc32,
        checksum_crc32c: sums.checksum_crc32c,
        checksum_crc64nvme: sums.checksum_crc64nvme,
        checksum_sha1: sums.checksum_sha1,
        checksum_sha256: sums.checksum_sha256,
        checksum_type: sums.checksum_type,
        ..PutObjectOutput::default()
    })
}

/// Deletes a version, or what is latest.
pub(crate) fn delete(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    key: &str,
    id: Option<&str>,
    bypass: Bypass,
) -> S3Result<Deleted> {
    let now = Moment::now();
    match id {
        Some(id) => versions::delete_version(tx, bucket, key, id, bypass, now),
        None => versions::delete_latest(tx, bucket, key, now),
    }
}

/// What a get and a head have in common.
struct Asked {
    bucket: String,
    key: String,
    version_id: Option<String>,
    expected_owner: Option<String>,
    range: Option<Range>,
    checksums: Option<ChecksumMode>,
    conditions: Conditions,
}

/// Takes what [`Asked`] holds out of either input: they are two types with the same fields.
macro_rules! asked {
    ($input:expr) => {
        Asked {
            bucket: $input.bucket,
            key: $input.key,
            version_id: $input.version_id,
            expected_owner: $input.expected_bucket_owner,
            range: $input.range,
            checksums: $input.checksum_mode,
            conditions: Conditions {
                matching: $input.if_match,
                not_matching: $input.if_none_match,
                modified_since: $input.if_modified_since,
                unmodified_since: $input.if_unmodified_since,
            },
        }
    };
}

/// An object that may be answered with.
struct Found {
    version: Version,
    object: Object,
    shown_id: Option<String>,
    part: Option<Part>,
    checksums: Checksum,
}

/// Fills either output, which are two types with the same fields.
macro_rules! answer {
    ($output:ident, $found:expr, $($own:tt)*) => {{
        let Found { version, object, shown_id, part, checksums } = $found;
        let lock = version.retention;
        let length = part.as_ref().map_or(object.size, Part::length);
        let status = part.as_ref().map(|_| StatusCode::PARTIAL_CONTENT);
        let output = $output {
            accept_ranges: Some("bytes".to_owned()),
            cache_control: object.headers.cache_control,
            checksum_crc32: checksums.checksum_crc32,
            checksum_crc32c: checksums.checksum_crc32c,
            checksum_crc64nvme: checksums.checksum_crc64nvme,
            checksum_sha1: checksums.checksum_sha1,
            checksum_sha256: checksums.checksum_sha256,
            checksum_type: checksums.checksum_type,
            content_disposition: object.headers.content_disposition,
            content_encoding: object.headers.content_encoding,
            content_language: object.headers.content_language,
            content_length: i64::try_from(length).ok(),
            content_range: part.map(|part| part.header(object.size)),
            content_type: Some(object.headers.content_type.unwrap_or_else(|| DEFAULT_TYPE.to_owned())),
            e_tag: Some(ETag::Strong(object.etag)),
            last_modified: Some(timestamp(version.modified.second())),
            metadata: Some(object.headers.metadata.into_iter().collect()),
            object_lock_mode: lock.map(|lock| ObjectLockMode::from_static(lock.mode.as_str())),
            object_lock_retain_until_date: lock.map(|lock| timestamp(lock.until)),
            version_id: shown_id,
            $($own)*
            ..$output::default()
        };
        let mut response = S3Response::new(output);
        response.status = status;
        response
    }};
}

/// Reads an object, or a part of it.
pub(crate) fn get(
    tx: &Transaction<'_>,
    input: GetObjectInput,
) -> S3Result<S3Response<GetObjectOutput>> {
    let found = find(tx, &asked!(input))?;
    let mut body = Bytes::from(versions::body(tx, &found.version)?);
    if let Some(part) = &found.part {
        body = body.slice(part.start..part.end);
    }
    let body = Some(StreamingBlob::from(Body::from(body)));
    Ok(answer!(GetObjectOutput, found, body,))
}

/// Everything about an object but its body.
pub(crate) fn head(
    tx: &Transaction<'_>,
    input: HeadObjectInput,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let found = find(tx, &asked!(input))?;
    Ok(answer!(HeadObjectOutput, found,))
}

fn find(tx: &Transaction<'_>, asked: &Asked) -> S3Result<Found> {
    let bucket = buckets::find(tx, &asked.bucket, asked.expected_owner.as_deref())?;
    let (version, object) =
        versions::readable(tx, &bucket, &asked.key, asked.version_id.as_deref())?;
    asked.conditions.check(&version, &object)?;
    let part = slice(asked.range, object.size)?;
    // A checksum is of the whole object, so a part is sent without.
    let checksums = if asked.checksums.is_some() && part.is_none() {
        checksums::fields(&object)
    } else {
        Checksum::default()
    };
    Ok(Found {
        shown_id: bucket.shown_id(&version.id),
        version,
        object,
        part,
        checksums,
    })
}

/// Bytes `start..end` of an object.
struct Part {
    start: usize,
    end: usize,
}

impl Part {
    fn length(&self) -> u64 {
        (self.end - self.start) as u64
    }

    fn header(&self, size: u64) -> String {
        format!("bytes {}-{}/{size}", self.start, self.end - 1)
    }
}

fn slice(range: Option<Range>, size: u64) -> S3Result<Option<Part>> {
    let Some(range) = range else { return Ok(None) };
    let found = range
        .check(size)
        .map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))?;
    let index = |at: u64| usize::try_from(at).map_err(S3Error::internal_error);
    Ok(Some(Part {
        start: index(found.start)?,
        end: index(found.end)?,
    }))
}

/// Under which a read is answered (RFC 9110 §13.2.2, in its order).
struct Conditions {
    matching: Option<ETagCondition>,
    not_matching: Option<ETagCondition>,
    modified_since: Option<Timestamp>,
    unmodified_since: Option<Timestamp>,
}

impl Conditions {
    fn check(&self, version: &Version, object: &Object) -> S3Result<()> {
        let is = |condition: &ETagCondition| match condition {
            ETagCondition::Any => true,
            ETagCondition::ETag(etag) => etag.value() == object.etag,
        };
        let modified = version.modified.second();
        let since = |date: &Option<Timestamp>| date.as_ref().map(Moment::of).transpose();
        let failed = match &self.matching {
            Some(condition) => !is(condition),
            None => since(&self.unmodified_since)?.is_some_and(|date| modified > date),
        };
        if failed {
            return Err(refusals::precondition_failed());
        }
        let unchanged = match &self.not_matching {
            Some(condition) => is(condition),
            None => since(&self.modified_since)?.is_some_and(|date| modified <= date),
        };
        if unchanged {
            let mut answer = s3_error!(NotModified);
            let mut headers = HeaderMap::new();
            if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", object.etag)) {
                headers.insert(http::header::ETAG, etag);
            }
            answer.set_headers(headers);
            return Err(answer);
        }
        Ok(())
    }
}
