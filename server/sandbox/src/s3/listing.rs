//! Lists of keys and versions, page by page, in the byte order of the keys.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rusqlite::{Transaction, params};
use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput,
    ListObjectVersionsOutput, ListObjectsV2Input, ListObjectsV2Output, Object as ObjectDto,
    ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass,
};
use s3s::{S3ErrorCode, S3Result, s3_error};

use super::buckets::{self, Bucket};
use super::checksums;
use super::moment::timestamp;
use super::store::internal;
use super::versions::{COLUMNS, Content, Object, Version};

/// AWS's own limit, and its default.
const PAGE_MAX: usize = 1_000;

/// Rows read at once while a delimiter folds them together.
const ROWS_A_READ: usize = 1_000;

/// What is wanted of the keys.
struct Filter<'a> {
    prefix: &'a str,
    delimiter: Option<&'a str>,
}

impl Filter<'_> {
    /// The common prefix that `key` is folded into, if it is.
    fn fold<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter?;
        let rest = key.strip_prefix(self.prefix)?;
        let end = rest.find(delimiter)? + delimiter.len();
        key.get(..self.prefix.len() + end)
    }
}

/// A place between two keys, or two versions of one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cursor {
    Start,
    /// After every version of this key.
    AfterKey(String),
    /// After this version of this key: older ones follow.
    AfterVersion {
        key: String,
        seq: i64,
    },
    /// After everything that starts with this.
    AfterPrefix(String),
}

/// Which rows a list is made of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// The latest version of each key, unless it is a marker.
    Latest,
    /// Every version, newest first within a key.
    All,
}

/// One line of a list.
enum Entry {
    Version {
        version: Box<Version>,
        is_latest: bool,
    },
    Prefix(String),
}

struct Page {
    entries: Vec<Entry>,
    /// Where the next page starts, when there is one.
    next: Option<Cursor>,
}

fn page(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    rows: Rows,
    filter: &Filter<'_>,
    mut cursor: Cursor,
    at_most: usize,
) -> S3Result<Page> {
    let mut entries = Vec::new();
    if at_most == 0 {
        return Ok(Page {
            entries,
            next: None,
        });
    }
    'reading: loop {
        let read = read(tx, bucket, rows, filter, &cursor)?;
        let exhausted = read.len() < ROWS_A_READ;
        for (version, is_latest) in read {
            if !version.key.starts_with(filter.prefix) {
                return Ok(Page {
                    entries,
                    next: None,
                });
            }
            // One more than asked tells that there is a next page.
            if entries.len() == at_most {
                return Ok(Page {
                    entries,
                    next: Some(cursor),
                });
            }
            if let Some(prefix) = filter.fold(&version.key) {
                cursor = Cursor::AfterPrefix(prefix.to_owned());
                entries.push(Entry::Prefix(prefix.to_owned()));
                continue 'reading;
            }
            cursor = match rows {
                Rows::Latest => Cursor::AfterKey(version.key.clone()),
                Rows::All => Cursor::AfterVersion {
                    key: version.key.clone(),
                    seq: version.seq,
                },
            };
            let version = Box::new(version);
            entries.push(Entry::Version { version, is_latest });
        }
        if exhausted {
            return Ok(Page {
                entries,
                next: None,
            });
        }
    }
}

fn read(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    rows: Rows,
    filter: &Filter<'_>,
    cursor: &Cursor,
) -> S3Result<Vec<(Version, bool)>> {
    // U+10FFFF sorts after everything else, so this is the end of what starts with the prefix.
    let (key, seq) = match cursor {
        Cursor::Start => (String::new(), i64::MAX),
        Cursor::AfterKey(key) => (key.clone(), 0),
        Cursor::AfterVersion { key, seq } => (key.clone(), *seq),
        Cursor::AfterPrefix(prefix) => (format!("{prefix}\u{10FFFF}"), 0),
    };
    let only = match rows {
        Rows::Latest => "AND latest AND NOT is_marker",
        Rows::All => "",
    };
    let sql = format!(
        "SELECT * FROM (
             SELECT {COLUMNS}, bucket,
                    seq = (SELECT MAX(seq) FROM version w WHERE w.bucket = v.bucket AND w.key = v.key) AS latest
             FROM version v
             WHERE bucket = ?1 AND key >= ?2 AND key >= ?3 AND (key > ?3 OR seq < ?4)
         )
         WHERE TRUE {only}
         ORDER BY key, seq DESC LIMIT ?5"
    );
    tx.prepare_cached(&sql)
        .and_then(|mut query| {
            let limit = i64::try_from(ROWS_A_READ).unwrap_or(i64::MAX);
            query
                .query_map(
                    params![bucket.name, filter.prefix, key, seq, limit],
                    |row| Ok((Version::read(row)?, row.get("latest")?)),
                )?
                .collect()
        })
        .map_err(internal)
}

/// `ListObjectsV2`.
pub(crate) fn objects(
    tx: &Transaction<'_>,
    input: ListObjectsV2Input,
) -> S3Result<ListObjectsV2Output> {
    let bucket = buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let filter = Filter {
        prefix: &prefix,
        delimiter: delimiter(input.delimiter.as_deref()),
    };
    let cursor = match (&input.continuation_token, &input.start_after) {
        (Some(token), _) => open_token(token)?,
        (None, Some(key)) => Cursor::AfterKey(key.clone()),
        (None, None) => Cursor::Start,
    };
    let page = page(
        tx,
        &bucket,
        Rows::Latest,
        &filter,
        cursor,
        page_size(input.max_keys)?,
    )?;
    let with_owner = input.fetch_owner == Some(true);
    let mut contents = Vec::new();
    let mut prefixes = Vec::new();
    let key_count = page.entries.len();
    for entry in page.entries {
        match entry {
            Entry::Prefix(prefix) => prefixes.push(CommonPrefix {
                prefix: Some(encoding.write(&prefix)),
            }),
            Entry::Version { version, .. } => {
                if let Content::Object(object) = &version.content {
                    contents.push(object_line(&version, object, &encoding, with_owner));
                }
            }
        }
    }
    Ok(ListObjectsV2Output {
        name: Some(bucket.name),
        prefix: Some(encoding.write(&prefix)),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        max_keys: Some(count(page_size(input.max_keys)?)),
        key_count: Some(count(key_count)),
        is_truncated: Some(page.next.is_some()),
        next_continuation_token: page.next.as_ref().map(seal_token),
        continuation_token: input.continuation_token,
        start_after: input.start_after.map(|key| encoding.write(&key)),
        contents: Some(contents),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn object_line(
    version: &Version,
    object: &Object,
    encoding: &Encoding,
    with_owner: bool,
) -> ObjectDto {
    ObjectDto {
        key: Some(encoding.write(&version.key)),
        e_tag: Some(s3s::dto::ETag::Strong(object.etag.clone())),
        size: Some(size(object)),
        last_modified: Some(timestamp(version.modified.second())),
        storage_class: Some(ObjectStorageClass::from_static(
            ObjectStorageClass::STANDARD,
        )),
        checksum_algorithm: checksums::algorithms(object),
        checksum_type: checksums::kind(object),
        owner: with_owner.then(buckets::owner),
        restore_status: None,
    }
}

/// `ListObjectVersions`.
pub(crate) fn versions(
    tx: &Transaction<'_>,
    input: ListObjectVersionsInput,
) -> S3Result<ListObjectVersionsOutput> {
    let bucket = buckets::find(tx, &input.bucket, input.expected_bucket_owner.as_deref())?;
    let encoding = Encoding::of(input.encoding_type.as_ref())?;
    let prefix = input.prefix.clone().unwrap_or_default();
    let filter = Filter {
        prefix: &prefix,
        delimiter: delimiter(input.delimiter.as_deref()),
    };
    let cursor = versions_cursor(tx, &bucket, &filter, &input)?;
    let page = page(
        tx,
        &bucket,
        Rows::All,
        &filter,
        cursor,
        page_size(input.max_keys)?,
    )?;
    let (next_key, next_id) = match &page.next {
        None => (None, None),
        Some(_) => match page.entries.last() {
            Some(Entry::Version { version, .. }) => {
                (Some(version.key.clone()), Some(version.id.clone()))
            }
            Some(Entry::Prefix(prefix)) => (Some(prefix.clone()), None),
            None => (None, None),
        },
    };
    let mut lines = Vec::new();
    let mut markers = Vec::new();
    let mut prefixes = Vec::new();
    for entry in page.entries {
        match entry {
            Entry::Prefix(prefix) => prefixes.push(CommonPrefix {
                prefix: Some(encoding.write(&prefix)),
            }),
            Entry::Version { version, is_latest } => match &version.content {
                Content::Object(object) => {
                    lines.push(version_line(&version, object, is_latest, &encoding));
                }
                Content::Marker => markers.push(DeleteMarkerEntry {
                    is_latest: Some(is_latest),
                    key: Some(encoding.write(&version.key)),
                    last_modified: Some(timestamp(version.modified.second())),
                    owner: Some(buckets::owner()),
                    version_id: Some(version.id),
                }),
            },
        }
    }
    Ok(ListObjectVersionsOutput {
        name: Some(bucket.name),
        prefix: Some(encoding.write(&prefix)),
        delimiter: input.delimiter.map(|delimiter| encoding.write(&delimiter)),
        key_marker: Some(encoding.write(&input.key_marker.unwrap_or_default())),
        version_id_marker: Some(input.version_id_marker.unwrap_or_default()),
        max_keys: Some(count(page_size(input.max_keys)?)),
        is_truncated: Some(page.next.is_some()),
        next_key_marker: next_key.map(|key| encoding.write(&key)),
        next_version_id_marker: next_id,
        versions: Some(lines),
        delete_markers: Some(markers),
        common_prefixes: Some(prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

fn version_line(
    version: &Version,
    object: &Object,
    is_latest: bool,
    encoding: &Encoding,
) -> ObjectVersion {
    ObjectVersion {
        key: Some(encoding.write(&version.key)),
        version_id: Some(version.id.clone()),
        is_latest: Some(is_latest),
        e_tag: Some(s3s::dto::ETag::Strong(object.etag.clone())),
        size: Some(size(object)),
        last_modified: Some(timestamp(version.modified.second())),
        owner: Some(buckets::owner()),
        storage_class: Some(ObjectVersionStorageClass::from_static(
            ObjectVersionStorageClass::STANDARD,
        )),
        checksum_algorithm: checksums::algorithms(object),
        checksum_type: checksums::kind(object),
        restore_status: None,
    }
}

fn versions_cursor(
    tx: &Transaction<'_>,
    bucket: &Bucket,
    filter: &Filter<'_>,
    input: &ListObjectVersionsInput,
) -> S3Result<Cursor> {
    let marker = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    match (marker(&input.key_marker), marker(&input.version_id_marker)) {
        (None, None) => Ok(Cursor::Start),
        (None, Some(_)) => Err(s3_error!(
            InvalidArgument,
            "A version-id marker cannot be specified without a key marker."
        )),
        (Some(key), Some(id)) => {
            let version = super::versions::by_id(tx, bucket, &key, &id)?;
            let version = version
                .ok_or_else(|| s3_error!(InvalidArgument, "Invalid version id specified"))?;
            Ok(Cursor::AfterVersion {
                key,
                seq: version.seq,
            })
        }
        (Some(key), None) if filter.fold(&key) == Some(key.as_str()) => {
            Ok(Cursor::AfterPrefix(key))
        }
        (Some(key), None) => Ok(Cursor::AfterKey(key)),
    }
}

/// How keys are written: XML cannot hold every character that a key may.
enum Encoding {
    Plain,
    Url,
}

impl Encoding {
    fn of(asked: Option<&EncodingType>) -> S3Result<Self> {
        match asked.map(EncodingType::as_str) {
            None => Ok(Self::Plain),
            Some(EncodingType::URL) => Ok(Self::Url),
            Some(_) => Err(s3_error!(
                InvalidArgument,
                "Invalid Encoding Method specified in Request"
            )),
        }
    }

    fn write(&self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            // A slash stays a slash, as at AWS.
            Self::Url => text
                .split('/')
                .map(url_encoded)
                .collect::<Vec<_>>()
                .join("/"),
        }
    }
}

fn url_encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn seal_token(cursor: &Cursor) -> String {
    let text = match cursor {
        Cursor::Start => String::new(),
        Cursor::AfterKey(key) | Cursor::AfterVersion { key, .. } => format!("k{key}"),
        Cursor::AfterPrefix(prefix) => format!("p{prefix}"),
    };
    BASE64URL.encode(text)
}

fn open_token(token: &str) -> S3Result<Cursor> {
    let text = BASE64URL
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .unwrap_or_default();
    match text.split_at_checked(1) {
        Some(("k", key)) => Ok(Cursor::AfterKey(key.to_owned())),
        Some(("p", prefix)) => Ok(Cursor::AfterPrefix(prefix.to_owned())),
        _ => Err(s3_error!(
            InvalidArgument,
            "The continuation token provided is incorrect"
        )),
    }
}

fn delimiter(asked: Option<&str>) -> Option<&str> {
    asked.filter(|delimiter| !delimiter.is_empty())
}

fn page_size(asked: Option<i32>) -> S3Result<usize> {
    match asked {
        None => Ok(PAGE_MAX),
        Some(count) => usize::try_from(count)
            .map(|count| count.min(PAGE_MAX))
            .map_err(|_| {
                s3s::S3Error::with_message(
                    S3ErrorCode::InvalidArgument,
                    "maxKeys must not be negative",
                )
            }),
    }
}

fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn size(object: &Object) -> i64 {
    i64::try_from(object.size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fold_at_the_first_delimiter_after_the_prefix() {
        let filter = Filter {
            prefix: "audit/",
            delimiter: Some("/"),
        };
        assert_eq!(filter.fold("audit/2026/11/a.json"), Some("audit/2026/"));
        assert_eq!(filter.fold("audit/readme"), None);
        assert_eq!(
            Filter {
                prefix: "",
                delimiter: None
            }
            .fold("a/b"),
            None
        );
    }

    #[test]
    fn a_token_leads_back_to_its_place() {
        for cursor in [
            Cursor::AfterKey("a/ü b".into()),
            Cursor::AfterPrefix("a/".into()),
        ] {
            assert!(matches!(open_token(&seal_token(&cursor)), Ok(found) if found == cursor));
        }
        assert!(open_token("").is_err());
        assert!(open_token("!!").is_err());
    }
}
