//! What is too large for one item: zstd, in parts that fit, whole or not there at all.
//!
//! Whoever writes them names them in a manifest last, or in the same transaction; whoever reads them
//! compares the whole with the digest that the manifest has.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::event::hex;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::item::Attributes;
use super::keys::At;
use super::reads::place;
use super::{Store, StoreError};

/// An item holds 400 KB, with its names and keys (DESIGN 5).
const PART_BYTES: usize = 350 * 1024;

/// A good trade for text that is written every few minutes: a tenth of the size, in milliseconds.
const LEVEL: i32 = 3;

/// Where a part has its bytes.
const ZSTD: &str = "zstd";

/// Why something large could not be kept or had.
#[derive(Debug, Error)]
pub enum PartsError {
    /// The table did not do its part, or somebody else wrote one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not all of it is there, or not as it was written.
    #[error("{what} is not whole: {why}")]
    NotWhole {
        /// What.
        what: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It could not be packed.
    #[error("it cannot be packed")]
    Pack(#[source] std::io::Error),
    /// It could not be written or read as JSON.
    #[error("it is not understood")]
    Json(#[source] serde_json::Error),
    /// More than there is room for.
    #[error("{bytes} bytes, packed, are too many to be kept")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
}

/// Something large, ready to be written.
#[derive(Debug)]
pub(super) struct Packed {
    /// Of the whole, unpacked.
    pub(super) sha256: String,
    /// What each part holds.
    pub(super) parts: Vec<Attributes>,
}

pub(super) fn digest(whole: &[u8]) -> String {
    hex(&Sha256::digest(whole))
}

/// Packs it into at most that many parts.
pub(super) async fn pack(whole: Vec<u8>, parts_max: usize) -> Result<Packed, PartsError> {
    let sha256 = digest(&whole);
    let packed = tokio::task::spawn_blocking(move || zstd::bulk::compress(&whole, LEVEL))
        .await
        .map_err(std::io::Error::other)
        .and_then(|packed| packed)
        .map_err(PartsError::Pack)?;
    let parts: Vec<Attributes> = packed
        .chunks(PART_BYTES)
        .map(|part| Attributes::from([(ZSTD.to_owned(), AttributeValue::B(Blob::new(part)))]))
        .collect();
    if parts.len() > parts_max {
        let bytes = packed.len();
        return Err(PartsError::TooLarge { bytes });
    }
    Ok(Packed { sha256, parts })
}

impl Store {
    /// The whole, from its parts in the order of their places; `what` is for messages. A damaged part
    /// must not fill the memory, so it has at most that many bytes.
    pub(super) async fn whole(
        &self,
        what: &str,
        places: &[At],
        sha256: &str,
        bytes_max: usize,
    ) -> Result<Vec<u8>, PartsError> {
        let not_whole = |why| PartsError::NotWhole {
            what: what.to_owned(),
            why,
        };
        let mut parts: Vec<(At, Attributes)> = self
            .get_many(places)
            .await?
            .into_iter()
            .map(|item| (place(&item), item))
            .collect();
        parts.sort_by(|a, b| a.0.cmp(&b.0));
        if parts.len() != places.len() {
            return Err(not_whole("a part is missing"));
        }
        let mut packed = Vec::new();
        for (_, part) in &parts {
            match part.get(ZSTD) {
                Some(AttributeValue::B(blob)) => packed.extend_from_slice(blob.as_ref()),
                _ => return Err(not_whole("a part has no bytes")),
            }
        }
        let unpacked =
            tokio::task::spawn_blocking(move || zstd::bulk::decompress(&packed, bytes_max)).await;
        let Ok(Ok(whole)) = unpacked else {
            return Err(not_whole("it cannot be unpacked"));
        };
        if digest(&whole) == sha256 {
            Ok(whole)
        } else {
            Err(not_whole("it is not what was written"))
        }
    }
}
