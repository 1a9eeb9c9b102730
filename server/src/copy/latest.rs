//! Finds the newest copy.

use aws_sdk_s3::error::DisplayErrorContext;
use domain::event;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::{Copy, NotACopy, folder, since};
use crate::config::AuditLog;

/// How far back it is looked for: first where it mostly is, then for as long as any session or grant
/// could matter.
const BACK: [SignedDuration; 2] = [
    SignedDuration::from_hours(1),
    SignedDuration::from_hours(30 * 24),
];

/// A server that leads is within 30 s of AWS's time, and whoever looks is, too.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(1);

/// Pages of a thousand names: more than a copy a minute for thirty days.
const PAGES_MAX: u32 = 50;

/// A copy, and which it is.
#[derive(Debug)]
pub struct Found {
    /// Its object's name.
    pub name: String,
    /// SHA-256 of its object, in hexadecimal.
    pub sha256: String,
    /// What it says.
    pub copy: Copy,
}

/// Why there is none.
#[derive(Debug, Error)]
pub enum LookFailed {
    /// The bucket did not answer.
    #[error("the bucket {bucket} cannot be read: {detail}")]
    Bucket {
        /// Which.
        bucket: String,
        /// What it said.
        detail: String,
    },
    /// It is not what it should be.
    #[error("{name}: {source}")]
    NotACopy {
        /// Which object.
        name: String,
        /// Why.
        source: NotACopy,
    },
    /// More names than there can be.
    #[error("there are more than {PAGES_MAX} pages of copies")]
    TooMany,
}

/// The newest copy as of this instant; `None`: there is none in thirty days. One that claims to be of
/// later than clocks differ is nobody's.
pub async fn latest(
    s3: &aws_sdk_s3::Client,
    log: &AuditLog,
    now: Timestamp,
) -> Result<Option<Found>, LookFailed> {
    for back in BACK {
        let from = now.saturating_sub(back).unwrap_or(Timestamp::UNIX_EPOCH);
        let to = now.saturating_add(CLOCKS_DIFFER).unwrap_or(now);
        if let Some(name) = last_between(s3, log, from, to).await? {
            return read(s3, log, name).await.map(Some);
        }
    }
    Ok(None)
}

async fn last_between(
    s3: &aws_sdk_s3::Client,
    log: &AuditLog,
    from: Timestamp,
    to: Timestamp,
) -> Result<Option<String>, LookFailed> {
    let mut last = None;
    let (mut after, end) = (since(log, from), since(log, to));
    for _ in 0..PAGES_MAX {
        let page = s3
            .list_objects_v2()
            .bucket(&log.bucket)
            .prefix(folder(log))
            .start_after(&after)
            .send()
            .await
            .map_err(|error| unreadable(log, &error))?;
        let names = page.contents().iter().filter_map(|object| object.key());
        let in_time = names.take_while(|name| **name < *end).last();
        let Some(name) = in_time else {
            return Ok(last);
        };
        after = name.to_owned();
        last = Some(after.clone());
        if page.is_truncated() != Some(true) {
            return Ok(last);
        }
    }
    Err(LookFailed::TooMany)
}

async fn read(s3: &aws_sdk_s3::Client, log: &AuditLog, name: String) -> Result<Found, LookFailed> {
    let object = s3
        .get_object()
        .bucket(&log.bucket)
        .key(&name)
        .send()
        .await
        .map_err(|error| unreadable(log, &error))?;
    let bytes = object
        .body
        .collect()
        .await
        .map_err(|error| unreadable(log, &error))?
        .into_bytes();
    let sha256 = event::hex(&Sha256::digest(&bytes));
    match Copy::unpack(&bytes) {
        Ok(copy) => Ok(Found { name, sha256, copy }),
        Err(source) => Err(LookFailed::NotACopy { name, source }),
    }
}

fn unreadable(log: &AuditLog, error: &(impl std::error::Error + 'static)) -> LookFailed {
    LookFailed::Bucket {
        bucket: log.bucket.clone(),
        detail: DisplayErrorContext(error).to_string(),
    }
}
