//! The snapshot of the organisation in the table: written by whoever leads, read by everybody else
//! and by a server that has just started.
//!
//! It is zstd in parts that fit into items, under an id of its own; the manifest that names the id
//! is swapped last. So a reader finds all of one snapshot or all of another, and one that was not
//! finished is nobody's. What was named before stays for readers that are under way, and goes with
//! the next swap.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::hex;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

use super::commit::Expect;
use super::item::{self, Attributes};
use super::keys::{self, At};
use super::reads::place;
use super::{Store, StoreError, now};

/// An item holds 400 KB, with its names and keys (DESIGN 5).
const PART_BYTES: usize = 350 * 1024;

/// 35 MB of zstd: some ten times what 100,000 people and 3,000 accounts take.
const PARTS_MAX: usize = 100;

/// What that may become: a damaged part must not fill the memory.
const WHOLE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Parts that no manifest names go by themselves after this long ...
const PART_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// ... and so those that one names are written anew long before.
const REWRITTEN_AFTER: SignedDuration = SignedDuration::from_hours(10 * 24);

/// A good trade for text that is written every few minutes: a tenth of the size, in milliseconds.
const LEVEL: i32 = 3;

/// Which snapshot there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout: a reader that meets a higher one does without.
    pub layout: u32,
    /// Its parts are under this id.
    pub id: Uuid,
    /// How many there are.
    pub parts: usize,
    /// Of the whole, unpacked.
    pub sha256: String,
    /// When the reading of AWS began that this is of. Read again and found the same, it moves on.
    pub read_at: Timestamp,
    /// When its parts were written.
    pub written_at: Timestamp,
    /// The one before, whose parts are still there.
    #[serde(default)]
    pub before: Option<(Uuid, usize)>,
    /// Grows by one with each change; each is conditional on it.
    pub version: u64,
}

/// The layout that this version writes.
pub const LAYOUT: u32 = 1;

/// Why a snapshot could not be kept or had.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// The table did not do its part, or somebody else wrote one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not all of it is there, or not as it was written.
    #[error("the snapshot {id} is not whole")]
    NotWhole {
        /// Which.
        id: Uuid,
    },
    /// It could not be packed or unpacked.
    #[error("the snapshot cannot be packed or unpacked")]
    Pack(#[source] std::io::Error),
    /// More than an organisation of AWS's largest size takes.
    #[error("a snapshot of {bytes} bytes, packed, is too large to be kept")]
    TooLarge {
        /// How large.
        bytes: usize,
    },
}

fn digest(whole: &[u8]) -> String {
    hex(&Sha256::digest(whole))
}

/// What a part looks like.
fn part(packed: &[u8], at: Timestamp) -> Attributes {
    let expires = at.saturating_add(PART_KEPT).unwrap_or(at).as_second();
    Attributes::from([
        ("zstd".to_owned(), AttributeValue::B(Blob::new(packed))),
        (
            "expires_at".to_owned(),
            AttributeValue::N(expires.to_string()),
        ),
    ])
}

impl Store {
    /// Which snapshot there is, if any.
    pub async fn snapshot_manifest(&self) -> Result<Option<Manifest>, StoreError> {
        self.get(&keys::snapshot()).await
    }

    /// The whole of a snapshot, as it was written.
    pub async fn snapshot(&self, manifest: &Manifest) -> Result<Vec<u8>, SnapshotError> {
        let id = manifest.id;
        if manifest.parts > PARTS_MAX {
            return Err(SnapshotError::NotWhole { id });
        }
        let places: Vec<At> = (0..manifest.parts)
            .map(|number| keys::snapshot_part(id, number))
            .collect();
        let mut parts: Vec<(At, Attributes)> = self
            .get_many(&places)
            .await?
            .into_iter()
            .map(|item| (place(&item), item))
            .collect();
        parts.sort_by(|a, b| a.0.cmp(&b.0));
        let mut packed = Vec::new();
        for (_, part) in &parts {
            match part.get("zstd") {
                Some(AttributeValue::B(blob)) => packed.extend_from_slice(blob.as_ref()),
                _ => return Err(SnapshotError::NotWhole { id }),
            }
        }
        if parts.len() != manifest.parts {
            return Err(SnapshotError::NotWhole { id });
        }
        let whole =
            tokio::task::spawn_blocking(move || zstd::bulk::decompress(&packed, WHOLE_BYTES_MAX))
                .await
                .map_err(std::io::Error::other)
                .and_then(|whole| whole)
                .map_err(SnapshotError::Pack)?;
        if digest(&whole) == manifest.sha256 {
            Ok(whole)
        } else {
            Err(SnapshotError::NotWhole { id })
        }
    }

    /// Keeps a snapshot of AWS as it was read from that instant. One that says the same as the one
    /// that is there only moves its time on, if the caller has had that one whole: it may be
    /// damaged. `Changed`: somebody else has written one meanwhile.
    pub async fn put_snapshot(
        &self,
        whole: Vec<u8>,
        read_at: Timestamp,
        had: Option<Uuid>,
    ) -> Result<Manifest, SnapshotError> {
        let before = self.snapshot_manifest().await?;
        let sha256 = digest(&whole);
        let now = now();
        if let Some(before) = &before
            && before.sha256 == sha256
            && had == Some(before.id)
            && now.duration_since(before.written_at) < REWRITTEN_AFTER
        {
            let manifest = Manifest {
                read_at,
                version: before.version + 1,
                ..before.clone()
            };
            self.swap(&manifest, Some(before.version)).await?;
            return Ok(manifest);
        }
        let packed = tokio::task::spawn_blocking(move || zstd::bulk::compress(&whole, LEVEL))
            .await
            .map_err(std::io::Error::other)
            .and_then(|packed| packed)
            .map_err(SnapshotError::Pack)?;
        let parts: Vec<&[u8]> = packed.chunks(PART_BYTES).collect();
        if parts.len() > PARTS_MAX {
            let bytes = packed.len();
            return Err(SnapshotError::TooLarge { bytes });
        }
        let id = Uuid::now_v7();
        for (number, packed) in parts.iter().enumerate() {
            let at = keys::snapshot_part(id, number);
            self.overwrite(&at, part(packed, now)).await?;
        }
        let manifest = Manifest {
            layout: LAYOUT,
            id,
            parts: parts.len(),
            sha256,
            read_at,
            written_at: now,
            before: before.as_ref().map(|before| (before.id, before.parts)),
            version: before.as_ref().map_or(1, |before| before.version + 1),
        };
        self.swap(&manifest, before.as_ref().map(|before| before.version))
            .await?;
        // Nobody can be reading the one before the one before any more.
        if let Some((id, parts)) = before.and_then(|before| before.before) {
            for number in 0..parts.min(PARTS_MAX) {
                self.delivered(&keys::snapshot_part(id, number)).await?;
            }
        }
        Ok(manifest)
    }

    async fn swap(&self, manifest: &Manifest, version: Option<u64>) -> Result<(), StoreError> {
        let expect = version.map_or(Expect::Absent, Expect::Version);
        self.put_alone(&keys::snapshot(), item::attributes(manifest)?, expect)
            .await
    }
}
