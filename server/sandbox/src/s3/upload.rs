//! The body of a put: read whole, with every checksum that was promised held against it.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html>

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::HeaderMap;
use s3s::checksum::ChecksumHasher;
use s3s::crypto::{Checksum as _, Crc32, Crc32c, Crc64Nvme, Md5, Sha1, Sha256};
use s3s::dto::{PutObjectInput, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Result, s3_error};

/// Audit records and policies are a few kilobytes. Real S3 takes 5 GB; a body here is held in memory twice.
const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A checksum algorithm, by the end of its header's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Crc32,
    Crc32c,
    Crc64Nvme,
    Sha1,
    Sha256,
}

impl Algorithm {
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64Nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// As in `x-amz-checksum-...`, and as it is stored.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Crc32 => "crc32",
            Self::Crc32c => "crc32c",
            Self::Crc64Nvme => "crc64nvme",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
        }
    }

    /// Reads any case: `x-amz-sdk-checksum-algorithm` is in capitals.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str().eq_ignore_ascii_case(name))
    }

    /// The checksum of `body`, in base64.
    pub(crate) fn of(self, body: &[u8]) -> String {
        let mut hasher = ChecksumHasher::default();
        match self {
            Self::Crc32 => hasher.crc32 = Some(Crc32::new()),
            Self::Crc32c => hasher.crc32c = Some(Crc32c::new()),
            Self::Crc64Nvme => hasher.crc64nvme = Some(Crc64Nvme::new()),
            Self::Sha1 => hasher.sha1 = Some(Sha1::new()),
            Self::Sha256 => hasher.sha256 = Some(Sha256::new()),
        }
        hasher.update(body);
        let sums = hasher.finalize();
        let sum = match self {
            Self::Crc32 => sums.checksum_crc32,
            Self::Crc32c => sums.checksum_crc32c,
            Self::Crc64Nvme => sums.checksum_crc64nvme,
            Self::Sha1 => sums.checksum_sha1,
            Self::Sha256 => sums.checksum_sha256,
        };
        sum.unwrap_or_default()
    }
}

/// A body that is what its sender meant it to be.
#[derive(Debug, Clone)]
pub(crate) struct Upload {
    pub(crate) body: Bytes,
    /// The MD5 in hex, which is the entity tag of an object put in one piece.
    pub(crate) etag: String,
    pub(crate) algorithm: Algorithm,
    /// In base64.
    pub(crate) checksum: String,
    pub(crate) integrity: Integrity,
}

/// Whether the sender said what the body's checksum is. A put with a lock must.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integrity {
    Promised,
    Unstated,
}

impl Upload {
    /// Reads and checks the body of `request`.
    pub(crate) async fn receive(request: &mut S3Request<PutObjectInput>) -> S3Result<Self> {
        let body = match request.input.body.take() {
            Some(stream) => read(stream).await?,
            None => Bytes::new(),
        };
        if request
            .input
            .content_length
            .is_some_and(|length| usize::try_from(length) != Ok(body.len()))
        {
            return Err(s3_error!(
                IncompleteBody,
                "You did not provide the number of bytes specified by the Content-Length HTTP header"
            ));
        }
        let trailers = request
            .trailing_headers
            .as_ref()
            .and_then(s3s::TrailingHeaders::take);
        Self::check(body, &request.input, &request.headers, trailers.as_ref())
    }

    fn check(
        body: Bytes,
        input: &PutObjectInput,
        headers: &HeaderMap,
        trailers: Option<&HeaderMap>,
    ) -> S3Result<Self> {
        let digest = Md5::checksum(&body);
        if let Some(promised) = &input.content_md5 {
            let promised = BASE64_STANDARD
                .decode(promised)
                .map_err(|_| invalid_digest())?;
            if promised.len() != digest.len() {
                return Err(invalid_digest());
            }
            if promised != digest {
                return Err(s3_error!(
                    BadDigest,
                    "The Content-MD5 you specified did not match what we received."
                ));
            }
        }
        let promised = promised(headers, trailers)?;
        if let Some((algorithm, sum)) = &promised
            && algorithm.of(&body) != *sum
        {
            let name = algorithm.as_str().to_uppercase();
            return Err(s3_error!(
                BadDigest,
                "The {name} you specified did not match the calculated checksum."
            ));
        }
        let integrity = if promised.is_some() || input.content_md5.is_some() {
            Integrity::Promised
        } else {
            Integrity::Unstated
        };
        // What S3 adds to an object that came without a checksum, since December 2024.
        let (algorithm, checksum) =
            promised.unwrap_or_else(|| (Algorithm::Crc64Nvme, Algorithm::Crc64Nvme.of(&body)));
        let etag = format!("{:032x}", u128::from_be_bytes(digest));
        Ok(Self {
            body,
            etag,
            algorithm,
            checksum,
            integrity,
        })
    }
}

/// The one checksum that came with the request, in a header or after the body.
fn promised(
    headers: &HeaderMap,
    trailers: Option<&HeaderMap>,
) -> S3Result<Option<(Algorithm, String)>> {
    let mut found = Vec::new();
    for algorithm in Algorithm::ALL {
        let name = format!("x-amz-checksum-{}", algorithm.as_str());
        for value in [Some(headers), trailers]
            .into_iter()
            .flatten()
            .filter_map(|map| map.get(&name))
        {
            found.push((algorithm, value.to_str().unwrap_or_default().to_owned()));
        }
    }
    if found.len() > 1 {
        return Err(s3_error!(
            InvalidRequest,
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        ));
    }
    let announced = headers
        .get("x-amz-sdk-checksum-algorithm")
        .and_then(|value| value.to_str().ok());
    match (announced, found.pop()) {
        (None, found) => Ok(found),
        (Some(announced), None) if Algorithm::parse(announced).is_none() => Err(s3_error!(
            InvalidRequest,
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]"
        )),
        (Some(_), None) => Err(s3_error!(
            InvalidRequest,
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
        )),
        (Some(announced), Some((algorithm, _)))
            if Algorithm::parse(announced) != Some(algorithm) =>
        {
            Err(s3_error!(
                InvalidRequest,
                "Value for x-amz-sdk-checksum-algorithm header is invalid."
            ))
        }
        (Some(_), Some((algorithm, sum))) => {
            let length = BASE64_STANDARD.decode(&sum).map(|bytes| bytes.len());
            let expected = BASE64_STANDARD
                .decode(algorithm.of(&[]))
                .map(|bytes| bytes.len());
            if length != expected {
                let name = algorithm.as_str();
                return Err(s3_error!(
                    InvalidRequest,
                    "Value for x-amz-checksum-{name} header is invalid."
                ));
            }
            Ok(Some((algorithm, sum)))
        }
    }
}

async fn read(mut stream: StreamingBlob) -> S3Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| unreadable(error.as_ref()))?;
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(s3_error!(
                EntityTooLarge,
                "The sandbox takes objects of at most 64 MiB."
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The protocol layer checks the body's signature while it is read and reports in types that it keeps to itself, so
/// their text is all there is to tell them apart.
fn unreadable(error: &(dyn std::error::Error + Send + Sync + 'static)) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        let mut mismatch = S3Error::with_message(
            S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        );
        mismatch.set_status_code(http::StatusCode::BAD_REQUEST);
        mismatch
    } else if text.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        s3_error!(
            IncompleteBody,
            "You did not provide the number of bytes specified by the Content-Length HTTP header"
        )
    }
}

fn invalid_digest() -> S3Error {
    s3_error!(InvalidDigest, "The Content-MD5 you specified is not valid")
}
