//! The snapshot of the organisation in the table: written by whoever leads, read by everybody else
//! and by a server that has just started.
//!
//! It is zstd in parts that fit into items, under an id of its own; the manifest that names the id
//! is swapped last. So a reader finds all of one snapshot or all of another, and one that was not
//! finished is nobody's. What was named before stays for readers that are under way, and goes with
//! the next swap.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::commit::Expect;
use super::item::{self, Attributes};
use super::keys::{self, At};
use super::parts::{self, PartsError};
use super::{Store, StoreError, now};

/// 35 MB of zstd: some ten times what 100,000 people and 3,000 accounts take.
const PARTS_MAX: usize = 100;

/// What that may become.
const WHOLE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Parts that no manifest names go by themselves after this long ...
const PART_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// ... and so those that one names are written anew long before.
const REWRITTEN_AFTER: SignedDuration = SignedDuration::from_hours(10 * 24);

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

/// A part that goes by itself.
fn expiring(mut part: Attributes, at: Timestamp) -> Attributes {
    let expires = at.saturating_add(PART_KEPT).unwrap_or(at).as_second();
    part.insert(
        "expires_at".to_owned(),
        AttributeValue::N(expires.to_string()),
    );
    part
}

impl Store {
    /// Which snapshot there is, if any.
    pub async fn snapshot_manifest(&self) -> Result<Option<Manifest>, StoreError> {
        self.get(&keys::snapshot()).await
    }

    /// The whole of a snapshot, as it was written.
    pub async fn snapshot(&self, manifest: &Manifest) -> Result<Vec<u8>, PartsError> {
        let what = format!("the snapshot {}", manifest.id);
        if manifest.parts > PARTS_MAX {
            let why = "it has too many parts";
            return Err(PartsError::NotWhole { what, why });
        }
        let places: Vec<At> = (0..manifest.parts)
            .map(|number| keys::snapshot_part(manifest.id, number))
            .collect();
        self.whole(&what, &places, &manifest.sha256, WHOLE_BYTES_MAX)
            .await
    }

    /// Keeps a snapshot of AWS as it was read from that instant. One that says the same as the one
    /// that is there only moves its time on, if the caller has had that one whole: it may be
    /// damaged. `Changed`: somebody else has written one meanwhile.
    pub async fn put_snapshot(
        &self,
        whole: Vec<u8>,
        read_at: Timestamp,
        had: Option<Uuid>,
    ) -> Result<Manifest, PartsError> {
        let before = self.snapshot_manifest().await?;
        let sha256 = parts::digest(&whole);
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
        let packed = parts::pack(whole, PARTS_MAX).await?;
        let id = Uuid::now_v7();
        let parts = packed.parts.len();
        for (number, part) in packed.parts.into_iter().enumerate() {
            let at = keys::snapshot_part(id, number);
            self.overwrite(&at, expiring(part, now)).await?;
        }
        let manifest = Manifest {
            layout: LAYOUT,
            id,
            parts,
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
