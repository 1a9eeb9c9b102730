//! Stored checksums, as the several answers of S3 carry them.

use s3s::dto::{Checksum, ChecksumAlgorithm, ChecksumType};

use super::upload::Algorithm;
use super::versions::Object;

/// In an answer that has a field for each algorithm.
pub(crate) fn fields(object: &Object) -> Checksum {
    let mut fields = Checksum::default();
    if let Some((algorithm, sum)) = &object.checksum {
        let field = match algorithm {
            Algorithm::Crc32 => &mut fields.checksum_crc32,
            Algorithm::Crc32c => &mut fields.checksum_crc32c,
            Algorithm::Crc64Nvme => &mut fields.checksum_crc64nvme,
            Algorithm::Sha1 => &mut fields.checksum_sha1,
            Algorithm::Sha256 => &mut fields.checksum_sha256,
        };
        *field = Some(sum.clone());
        fields.checksum_type = kind(object);
    }
    fields
}

/// In a list, which names the algorithm only.
pub(crate) fn algorithms(object: &Object) -> Option<Vec<ChecksumAlgorithm>> {
    let (algorithm, _) = object.checksum.as_ref()?;
    Some(vec![ChecksumAlgorithm::from_static(match algorithm {
        Algorithm::Crc32 => ChecksumAlgorithm::CRC32,
        Algorithm::Crc32c => ChecksumAlgorithm::CRC32C,
        Algorithm::Crc64Nvme => ChecksumAlgorithm::CRC64NVME,
        Algorithm::Sha1 => ChecksumAlgorithm::SHA1,
        Algorithm::Sha256 => ChecksumAlgorithm::SHA256,
    })])
}

/// Objects here are put in one piece, so a checksum is always of the whole.
pub(crate) fn kind(object: &Object) -> Option<ChecksumType> {
    object
        .checksum
        .as_ref()
        .map(|_| ChecksumType::from_static(ChecksumType::FULL_OBJECT))
}
