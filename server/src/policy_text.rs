//! Where a policy is written: a file or an object, with the files that it includes beside it.

use std::path::Path;

use domain::policy::{Format, Included, included_files};
use thiserror::Error;

use crate::config::PolicySource;

/// A file larger than this is a mistake: a thousand rules are some 300 KB.
const BYTES_MAX: usize = 2 * 1024 * 1024;

/// A policy as it was found, not read yet.
#[derive(Debug)]
pub struct PolicyText {
    /// Where it is, for messages.
    pub place: String,
    /// What it says.
    pub text: String,
    /// What it includes.
    pub included: Included,
}

/// A policy that could not be found or read.
#[derive(Debug, Error)]
#[error("the policy {place} could not be read: {why}")]
pub struct PolicyUnreadable {
    place: String,
    why: String,
}

impl PolicyText {
    /// From where the configuration says.
    pub async fn read(
        source: &PolicySource,
        s3: &aws_sdk_s3::Client,
    ) -> Result<Self, PolicyUnreadable> {
        let place = source.to_string();
        let unreadable = |why: String| PolicyUnreadable {
            place: place.clone(),
            why,
        };
        let text = read(source, s3).await.map_err(unreadable)?;
        let mut included = Included::new();
        for name in included_files(&text, Format::of_file_name(&place)) {
            let found = read(&beside(source, &name), s3).await;
            included.insert(name, found);
        }
        Ok(Self {
            place,
            text,
            included,
        })
    }

    /// From a file, for commands that need no AWS.
    pub fn read_file(path: &Path) -> Result<Self, PolicyUnreadable> {
        let place = path.display().to_string();
        let text = read_file(path).map_err(|why| PolicyUnreadable {
            place: place.clone(),
            why,
        })?;
        let included = included_files(&text, Format::of_file_name(&place))
            .into_iter()
            .map(|name| {
                let found = read_file(&path.with_file_name(&name));
                (name, found)
            })
            .collect();
        Ok(Self {
            place,
            text,
            included,
        })
    }

    /// In which notation it is.
    #[must_use]
    pub fn format(&self) -> Format {
        Format::of_file_name(&self.place)
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    text(bytes)
}

/// The domain lets a name only be beside the policy or below it.
fn beside(source: &PolicySource, name: &str) -> PolicySource {
    match source {
        PolicySource::File(path) => PolicySource::File(path.with_file_name(name)),
        PolicySource::S3 { bucket, key } => PolicySource::S3 {
            bucket: bucket.clone(),
            key: key
                .rsplit_once('/')
                .map_or_else(|| name.to_owned(), |(folder, _)| format!("{folder}/{name}")),
        },
    }
}

async fn read(source: &PolicySource, s3: &aws_sdk_s3::Client) -> Result<String, String> {
    let bytes = match source {
        PolicySource::File(path) => tokio::fs::read(path)
            .await
            .map_err(|error| error.to_string())?,
        PolicySource::S3 { bucket, key } => {
            let object = s3
                .get_object()
                .bucket(bucket)
                .key(key)
                .send()
                .await
                .map_err(|error| aws_sdk_s3::error::DisplayErrorContext(&error).to_string())?;
            let length = object.content_length().unwrap_or_default();
            if usize::try_from(length).is_ok_and(|length| length > BYTES_MAX) {
                return Err(too_long(length));
            }
            let body = object.body.collect().await;
            body.map_err(|error| error.to_string())?.to_vec()
        }
    };
    text(bytes)
}

fn text(bytes: Vec<u8>) -> Result<String, String> {
    if bytes.len() > BYTES_MAX {
        return Err(too_long(bytes.len()));
    }
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn too_long(bytes: impl std::fmt::Display) -> String {
    format!("it is {bytes} bytes long, and at most {BYTES_MAX} are read")
}
