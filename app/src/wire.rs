//! How views travel from the server to the browser: as postcard, behind a fingerprint of their definitions.
//!
//! Why not JSON: decoding it was a fifth of the browser's code, because each struct brings a reader of its own for its
//! field names. Postcard has no names, so a browser's half of one version could misread a server's of another; the
//! fingerprint makes that impossible. A view is encoded once and decoded once, whichever way it came: inside the page
//! or as the answer to a read.

use leptos::{
    server::codee::{Decoder, Encoder},
    server_fn::{
        Bytes, ContentType, Decodes, Encodes, Format, FormatType,
        error::{FromServerFnError, ServerFnErrorErr},
    },
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::view::{Part, WireError};

/// A read's answer, encoded: a fingerprint of eight bytes, then postcard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload(Vec<u8>);

impl Payload {
    /// Encodes an answer. The refusal travels inside a successful reply: Leptos 0.8 gives every server-function error
    /// the status 500, and browsers log failed fetches on the console as errors, which a session that ended is not.
    pub(crate) fn of<T: Serialize>(answer: &Result<T, WireError>) -> Self {
        let mut bytes = FINGERPRINT.to_le_bytes().to_vec();
        // Encoding into memory fails on no value that these views can hold.
        bytes.extend(postcard::to_allocvec(answer).unwrap_or_default());
        Self(bytes)
    }

    /// What came, as it came.
    #[cfg(feature = "hydrate")]
    pub(crate) const fn arrived(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Decodes an answer; [`WireError::Stale`] if it is of another version's making.
    pub(crate) fn open<T: DeserializeOwned>(&self) -> Result<T, WireError> {
        let Some((fingerprint, answer)) = self.0.split_first_chunk() else {
            return Err(WireError::Stale);
        };
        if *fingerprint != FINGERPRINT.to_le_bytes() {
            return Err(WireError::Stale);
        }
        postcard::from_bytes(answer).unwrap_or(Err(WireError::Stale))
    }

    /// Why the answer is none, whatever it would have been.
    #[cfg(any(feature = "hydrate", test))]
    pub(crate) fn problem(&self) -> Option<WireError> {
        // An answer comes first as such; what follows is not looked at.
        self.open::<()>().err()
    }
}

/// FNV-1a over the sources of every view: two builds whose views could differ have different ones.
const FINGERPRINT: u64 = {
    let sources: [&[u8]; 12] = [
        include_bytes!("view.rs"),
        include_bytes!("view/access.rs"),
        include_bytes!("view/code.rs"),
        include_bytes!("view/ends.rs"),
        include_bytes!("view/findings.rs"),
        include_bytes!("view/form.rs"),
        include_bytes!("view/glass.rs"),
        include_bytes!("view/history.rs"),
        include_bytes!("view/mine.rs"),
        include_bytes!("view/policy.rs"),
        include_bytes!("view/request.rs"),
        include_bytes!("view/target.rs"),
    ];
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut source = 0;
    while source < sources.len() {
        let mut byte = 0;
        while byte < sources[source].len() {
            hash = (hash ^ sources[source][byte] as u64).wrapping_mul(0x0000_0100_0000_01b3);
            byte += 1;
        }
        source += 1;
    }
    hash
};

/// The codec, wherever Leptos asks for one: postcard, as bytes or as base64 in a page.
#[derive(Clone, Copy, Debug)]
pub struct Compact;

impl Compact {
    /// Why a read has no answer at all, as far as what came instead of one says so. What is not Belay's, as a load
    /// balancer's page for a server that restarts, only says that there was no way to it.
    #[cfg(any(feature = "hydrate", test))]
    pub(crate) fn refusal(bytes: &[u8]) -> WireError {
        postcard::from_bytes(bytes).unwrap_or(WireError::Unavailable {
            part: Part::Network,
        })
    }
}

impl<T: Serialize> Encoder<T> for Compact {
    type Error = postcard::Error;
    type Encoded = Vec<u8>;

    fn encode(value: &T) -> Result<Self::Encoded, Self::Error> {
        postcard::to_allocvec(value)
    }
}

impl<T: DeserializeOwned> Decoder<T> for Compact {
    type Error = postcard::Error;
    type Encoded = [u8];

    fn decode(value: &Self::Encoded) -> Result<T, Self::Error> {
        postcard::from_bytes(value)
    }
}

impl ContentType for Compact {
    const CONTENT_TYPE: &'static str = "application/octet-stream";
}

impl FormatType for Compact {
    const FORMAT_TYPE: Format = Format::Binary;
}

impl Encodes<Payload> for Compact {
    type Error = std::convert::Infallible;

    fn encode(payload: &Payload) -> Result<Bytes, Self::Error> {
        Ok(Bytes::copy_from_slice(&payload.0))
    }
}

impl Decodes<Payload> for Compact {
    type Error = std::convert::Infallible;

    fn decode(bytes: Bytes) -> Result<Payload, Self::Error> {
        Ok(Payload(bytes.to_vec()))
    }
}

impl Encodes<WireError> for Compact {
    type Error = postcard::Error;

    fn encode(error: &WireError) -> Result<Bytes, Self::Error> {
        postcard::to_allocvec(error).map(Bytes::from)
    }
}

impl Decodes<WireError> for Compact {
    type Error = postcard::Error;

    fn decode(bytes: Bytes) -> Result<WireError, Self::Error> {
        postcard::from_bytes(&bytes)
    }
}

/// What keeps a read from having an answer at all. It never leaves the browser, except as a code in the answer to a
/// read that no page of ours makes.
impl FromServerFnError for WireError {
    type Encoder = Compact;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Unavailable {
                part: Part::Network,
            },
            ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_) => Self::Stale,
            _ => Self::Unavailable { part: Part::Server },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Compact, Payload};
    use crate::{
        FormState, Theme,
        view::{EventKind, Me, Part, Reason, WireError},
    };
    use leptos::server::codee::{Decoder as _, Encoder as _};

    fn me() -> Me {
        Me {
            name: "Ana Silva".to_owned(),
            email: "ana.silva@example.com".to_owned(),
            can_see_history: true,
            is_admin: false,
            waiting_count: 3,
        }
    }

    #[test]
    fn an_answer_arrives_as_it_left() {
        assert_eq!(Payload::of(&Ok(me())).open(), Ok(me()));
        let refused = Payload::of::<Me>(&Err(WireError::NotAllowed));
        assert_eq!(refused.open::<Me>(), Err(WireError::NotAllowed));
        let reasons = vec![
            Reason::NoRule,
            Reason::NeedsApproval {
                rule: "r".to_owned(),
                approvals: 2,
            },
        ];
        assert_eq!(Payload::of(&Ok(reasons.clone())).open(), Ok(reasons));
        let kinds = vec![EventKind::Other("x.y".to_owned()), EventKind::Ended];
        assert_eq!(Payload::of(&Ok(kinds.clone())).open(), Ok(kinds));
    }

    #[test]
    fn another_versions_answer_is_stale_and_never_misread() {
        let mut payload = Payload::of(&Ok(me()));
        payload.0[0] ^= 1;
        assert_eq!(payload.open::<Me>(), Err(WireError::Stale));
        assert_eq!(Payload(Vec::new()).open::<Me>(), Err(WireError::Stale));
        let mut cut = Payload::of(&Ok(me()));
        cut.0.truncate(12);
        assert_eq!(cut.open::<Me>(), Err(WireError::Stale));
    }

    #[test]
    fn an_answer_tells_of_its_problem_whatever_it_holds() {
        assert_eq!(Payload::of(&Ok(me())).problem(), None);
        let refused = Payload::of::<Me>(&Err(WireError::SignedOut));
        assert_eq!(refused.problem(), Some(WireError::SignedOut));
    }

    #[test]
    fn only_what_belay_wrote_speaks_of_its_version() {
        let network = WireError::Unavailable {
            part: Part::Network,
        };
        for foreign in ["", "<html>503</html>", "{\"message\":null}", "Bad gateway"] {
            assert_eq!(Compact::refusal(foreign.as_bytes()), network);
        }
        let ours = Compact::encode(&WireError::Stale).unwrap_or_default();
        assert_eq!(Compact::refusal(&ours), WireError::Stale);
    }

    #[test]
    fn what_comes_with_a_page_survives_it() {
        let arrived = (
            Some(FormState {
                status: 422,
                values: vec![("reason".to_owned(), "</script>\u{0}é".to_owned())],
                problems: Vec::new(),
            }),
            Theme::Dark,
        );
        let encoded = Compact::encode(&arrived).unwrap_or_default();
        assert_eq!(Compact::decode(&encoded), Ok(arrived));
    }
}
