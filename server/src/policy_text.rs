//! Where a policy is written: a file or an object, with the files that it includes beside it.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::string::FromUtf8Error;

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
    read_text(path, BYTES_MAX)
}

/// The text of a file that has at most so many bytes: of one that has no end, no more is read.
pub(crate) fn read_text(path: &Path, bytes_max: usize) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let one_more = u64::try_from(bytes_max)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut bytes = Vec::new();
    file.take(one_more)
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    text(bytes, bytes_max)
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
        PolicySource::File(path) => {
            let path = path.clone();
            return tokio::task::spawn_blocking(move || read_file(&path))
                .await
                .map_err(|error| error.to_string())?;
        }
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
                return Err(too_long(BYTES_MAX));
            }
            let body = object.body.collect().await;
            body.map_err(|error| error.to_string())?.to_vec()
        }
    };
    text(bytes, BYTES_MAX)
}

fn text(bytes: Vec<u8>, bytes_max: usize) -> Result<String, String> {
    if bytes.len() > bytes_max {
        return Err(too_long(bytes_max));
    }
    let text = String::from_utf8(bytes).map_err(|error| not_utf8(&error))?;
    // Some editors begin with it, and none shows it.
    Ok(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    })
}

/// Where the first byte is that belongs to no character, as editors count.
fn not_utf8(error: &FromUtf8Error) -> String {
    let right = error.as_bytes().get(..error.utf8_error().valid_up_to());
    let before = String::from_utf8_lossy(right.unwrap_or_default());
    let line = before.matches('\n').count() + 1;
    let last = before.rsplit('\n').next().unwrap_or_default();
    let column = last.chars().count() + 1;
    format!("line {line}, column {column} is not UTF-8; save it as UTF-8")
}

fn too_long(bytes_max: usize) -> String {
    format!("it has more than {bytes_max} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_utf_8_of_a_size_that_can_be_read() {
        let read = |bytes: &[u8]| text(bytes.to_vec(), 12);
        assert_eq!(read(b"a = \"\xc3\xa9\"").as_deref(), Ok("a = \"\u{e9}\""));
        assert_eq!(
            read(b"\xef\xbb\xbf{}").as_deref(),
            Ok("{}"),
            "without its mark"
        );
        for (bytes, why) in [
            (
                &b"a\n\xc3\xa9 \xff\xfe"[..],
                "line 2, column 3 is not UTF-8; save it as UTF-8",
            ),
            // UTF-16, as Windows writes it.
            (
                b"\xff\xfea\0",
                "line 1, column 1 is not UTF-8; save it as UTF-8",
            ),
            (b"1234567890123", "it has more than 12 bytes"),
        ] {
            assert_eq!(read(bytes), Err(why.to_owned()));
        }
    }

    /// It has no end: a reader that waited for one would fill the memory.
    #[test]
    fn of_a_file_without_an_end_no_more_is_read_than_there_is_room_for() {
        assert_eq!(
            read_text(Path::new("/dev/zero"), 1_000),
            Err("it has more than 1000 bytes".to_owned())
        );
    }
}
