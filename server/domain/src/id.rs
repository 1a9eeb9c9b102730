//! Identifiers, parsed once at the edge.
//!
//! Each is its own type, so that a user can never be passed where a group is meant. Formats are
//! AWS's own; the limits beside each come from its API reference.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrayvec::ArrayString;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

/// A text that is not an id of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {expected}")]
pub struct InvalidId {
    /// What was given, cut to 80 characters so that a message stays readable.
    pub text: String,
    /// What would have been right, for a sentence.
    pub expected: &'static str,
}

impl InvalidId {
    fn new(text: &str, expected: &'static str) -> Self {
        Self {
            text: text.chars().take(80).collect(),
            expected,
        }
    }
}

/// A text of at most 47 bytes, which is what the Identity Store's ids have, where it is and not
/// elsewhere: deciding looks ids up in maps of tens of thousands, and following a pointer at each
/// comparison is what took the time.
type Short = ArrayString<47>;

/// How an id keeps its text.
trait Kept: Sized {
    /// `None` if it is too long.
    fn kept(text: &str) -> Option<Self>;
}

impl Kept for Arc<str> {
    fn kept(text: &str) -> Option<Self> {
        Some(text.into())
    }
}

impl Kept for Short {
    fn kept(text: &str) -> Option<Self> {
        Self::from(text).ok()
    }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident($kept:ty), $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name($kept);

        impl $name {
            /// Parses and checks the format.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let valid: fn(&str) -> bool = $valid;
                Some(text)
                    .filter(|text| valid(text))
                    .and_then(<$kept>::kept)
                    .map(Self)
                    .ok_or_else(|| InvalidId::new(text, $expected))
            }

            /// The id as AWS writes it.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.as_str().to_owned()
            }
        }
    };
}

text_id!(
    /// An AWS account: 12 digits.
    AccountId(Arc<str>),
    "an AWS account id (12 digits)",
    |text| text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit())
);

text_id!(
    /// A permission set's ARN. Names may be given to another set later; ARNs are not reused.
    PermissionSetArn(Arc<str>),
    "a permission set ARN (arn:aws:sso:::permissionSet/ssoins-.../ps-...)",
    |text| {
        text.len() <= 224
            && text.starts_with("arn:")
            && text.contains(":sso:::permissionSet/")
            && text.rsplit('/').next().is_some_and(|id| {
                id.strip_prefix("ps-").is_some_and(|hex| {
                    hex.len() == 16 && hex.bytes().all(|b| b.is_ascii_alphanumeric())
                })
            })
    }
);

text_id!(
    /// A permission set's name: 1 to 32 of `[\w+=,.@-]`.
    PermissionSetName(Arc<str>),
    "a permission set name (1 to 32 letters, digits or +=,.@_-)",
    |text| {
        (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-".contains(&b))
    }
);

/// The Identity Store has two shapes of id: a UUID, and 10 hex digits, a dash and a UUID.
fn identity_store_id(text: &str) -> bool {
    fn uuid(text: &str) -> bool {
        text.len() == 36
            && text.bytes().enumerate().all(|(at, b)| match at {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            })
    }
    uuid(text)
        || (text.len() == 47
            && text.as_bytes()[10] == b'-'
            && text.bytes().take(10).all(|b| b.is_ascii_hexdigit())
            && text.get(11..).is_some_and(uuid))
}

text_id!(
    /// A person: an Identity Store `UserId`. The only thing that people are compared by.
    UserId(Short),
    "an Identity Store user id",
    identity_store_id
);

text_id!(
    /// An Identity Store group.
    GroupId(Short),
    "an Identity Store group id",
    identity_store_id
);

text_id!(
    /// Which policy: the SHA-256 of what it says and whom its names mean, as 64 lower-case hex
    /// digits.
    PolicyVersion(Arc<str>),
    "a policy version (64 hex digits)",
    |text| {
        text.len() == 64
            && text
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }
);

impl PolicyVersion {
    /// The version that a SHA-256 stands for.
    #[must_use]
    pub fn of_digest(digest: [u8; 32]) -> Self {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let hex: String = digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(DIGITS[usize::from(digit)]))
            .collect();
        Self(hex.into())
    }
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an id made by the caller, who owns randomness and the clock.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// Parses the hyphenated lower-case form only, so that one id has one address.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                Uuid::parse_str(text)
                    .ok()
                    .filter(|id| id.as_hyphenated().to_string() == text)
                    .map(Self)
                    .ok_or_else(|| InvalidId::new(text, $expected))
            }

            /// The id itself.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::parse(text)
            }
        }
    };
}

uuid_id!(
    /// A request: `UUIDv7`, so that ids sort by time.
    RequestId,
    "a request id"
);
uuid_id!(
    /// A grant: `UUIDv7`.
    GrantId,
    "a grant id"
);
uuid_id!(
    /// An event: `UUIDv7`.
    EventId,
    "an event id"
);
uuid_id!(
    /// One attempt to change one key in AWS, recorded before it is made.
    OperationId,
    "an operation id"
);
uuid_id!(
    /// One run of one server process.
    ServerId,
    "a server id"
);

uuid_id!(
    /// A finding: `UUIDv7`.
    FindingId,
    "a finding id"
);

/// Which ask of a request: 0 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AskIndex(pub u8);

impl fmt::Display for AskIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_of_identity_store_ids_are_accepted() {
        assert!(UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").is_ok());
        assert!(UserId::parse("99670a1b2c-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").is_ok());
        assert!(UserId::parse("99670a1b2c-93a4c8d2").is_err());
        assert!(UserId::parse("ana@example.com").is_err());
        assert!(UserId::parse("é9670a1b2-93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").is_err());
    }

    #[test]
    fn an_account_is_twelve_digits() {
        assert!(AccountId::parse("111122223333").is_ok());
        for wrong in ["11112222333", "1111222233334", "11112222333a", ""] {
            assert!(AccountId::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_request_has_one_address() {
        let id = "01932c07-20a1-7e3c-a0a5-0123456789ab";
        assert!(RequestId::parse(id).is_ok());
        assert!(RequestId::parse(&id.to_uppercase()).is_err());
        assert!(RequestId::parse(&id.replace('-', "")).is_err());
    }
}
