//! Authorization codes and the access tokens made from them.
//!
//! In memory only: a code lives a minute and an access token five, so a restart costs at most one sign-in.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::authorize::Challenge;
use super::keys::{self, KeysError};

/// RFC 6749 §4.1.2 allows ten minutes at most; a browser needs one redirect.
const CODE_LIFE: Duration = Duration::from_mins(1);

/// As long as the ID token of the same sign-in.
pub(crate) const TOKEN_LIFE: Duration = Duration::from_mins(5);

/// A spent code is remembered as long as a token made from it could live, so that a replay can revoke it.
const SPENT_KEPT: Duration = Duration::from_secs(CODE_LIFE.as_secs() + TOKEN_LIFE.as_secs());

/// Far more sign-ins than a laptop makes in six minutes; beyond it the oldest are dropped.
const CODES_AT_MOST: usize = 10_000;

/// What a person agreed to by choosing who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SignIn {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) challenge: Challenge,
    pub(crate) nonce: Option<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) user_id: String,
    pub(crate) auth_time: Timestamp,
    pub(crate) resource: Option<String>,
}

/// What an access token may read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) user_id: String,
    pub(crate) scopes: Vec<String>,
}

/// Why a code was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CodeRefused {
    #[error("this code was never issued, or was forgotten long ago")]
    Unknown,
    #[error("this code was issued more than 60 seconds ago")]
    Expired,
    #[error("this code was used before; the tokens made from it are revoked")]
    Replayed,
}

enum Code {
    Fresh {
        sign_in: Box<SignIn>,
        issued: Instant,
    },
    Spent {
        token: Option<String>,
        issued: Instant,
    },
    /// Seen twice: no token may come of it any more, not even of the redemption that was first.
    Burned { issued: Instant },
}

impl Code {
    fn issued(&self) -> Instant {
        match self {
            Self::Fresh { issued, .. } | Self::Spent { issued, .. } | Self::Burned { issued } => {
                *issued
            }
        }
    }
}

#[derive(Default)]
struct Books {
    codes: HashMap<String, Code>,
    tokens: HashMap<String, (Access, Instant)>,
}

/// Every code and token that is still of any use. The caller's clock is an argument, so that tests need not wait.
#[derive(Default)]
pub(crate) struct Codes(Mutex<Books>);

impl Codes {
    /// A code that redeems `sign_in` once, within a minute.
    pub(crate) fn issue(&self, sign_in: SignIn, now: Instant) -> Result<String, KeysError> {
        let code = keys::secret()?;
        self.with(now, |books| {
            books.codes.insert(
                code.clone(),
                Code::Fresh {
                    sign_in: Box::new(sign_in),
                    issued: now,
                },
            );
        });
        Ok(code)
    }

    /// Spends a code, whatever the caller then makes of it. A second time revokes what the first gave
    /// (RFC 6749 §4.1.2).
    pub(crate) fn redeem(&self, code: &str, now: Instant) -> Result<SignIn, CodeRefused> {
        self.with(now, |books| {
            let entry = books.codes.get_mut(code).ok_or(CodeRefused::Unknown)?;
            let issued = entry.issued();
            match std::mem::replace(entry, Code::Burned { issued }) {
                Code::Fresh { .. } if now.duration_since(issued) > CODE_LIFE => {
                    Err(CodeRefused::Expired)
                }
                Code::Fresh { sign_in, .. } => {
                    *entry = Code::Spent {
                        token: None,
                        issued,
                    };
                    Ok(*sign_in)
                }
                Code::Spent {
                    token: Some(token), ..
                } => {
                    books.tokens.remove(&token);
                    Err(CodeRefused::Replayed)
                }
                Code::Spent { token: None, .. } | Code::Burned { .. } => Err(CodeRefused::Replayed),
            }
        })
    }

    /// An access token that dies with the code it came from. It is born dead if the code was replayed meanwhile.
    pub(crate) fn token(
        &self,
        code: &str,
        access: Access,
        now: Instant,
    ) -> Result<String, KeysError> {
        let token = keys::secret()?;
        self.with(now, |books| {
            if let Some(Code::Spent { token: made, .. }) = books.codes.get_mut(code) {
                *made = Some(token.clone());
                books.tokens.insert(token.clone(), (access, now));
            }
        });
        Ok(token)
    }

    /// What `token` may read, while it lives.
    pub(crate) fn access(&self, token: &str, now: Instant) -> Option<Access> {
        self.with(now, |books| {
            books.tokens.get(token).map(|(access, _)| access.clone())
        })
    }

    fn with<T>(&self, now: Instant, act: impl FnOnce(&mut Books) -> T) -> T {
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        books
            .tokens
            .retain(|_, (_, issued)| now.duration_since(*issued) <= TOKEN_LIFE);
        books
            .codes
            .retain(|_, code| now.duration_since(code.issued()) <= SPENT_KEPT);
        while books.codes.len() >= CODES_AT_MOST {
            let Some(oldest) = books
                .codes
                .iter()
                .min_by_key(|(_, code)| code.issued())
                .map(|(name, _)| name.clone())
            else {
                break;
            };
            books.codes.remove(&oldest);
        }
        act(&mut books)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn sign_in() -> SignIn {
        SignIn {
            client_id: "belay".into(),
            redirect_uri: "http://localhost:8000/auth/callback".into(),
            challenge: Challenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").unwrap(),
            nonce: None,
            scopes: vec!["openid".into()],
            user_id: "u-ana".into(),
            auth_time: Timestamp::UNIX_EPOCH,
            resource: None,
        }
    }

    fn access() -> Access {
        Access {
            user_id: "u-ana".into(),
            scopes: vec!["openid".into()],
        }
    }

    #[test]
    fn a_code_works_once_and_its_replay_revokes_the_token() {
        let (codes, now) = (Codes::default(), Instant::now());
        let code = codes.issue(sign_in(), now).unwrap();
        assert_eq!(codes.redeem(&code, now), Ok(sign_in()));
        let token = codes.token(&code, access(), now).unwrap();
        assert_eq!(codes.access(&token, now), Some(access()));
        assert_eq!(codes.redeem(&code, now), Err(CodeRefused::Replayed));
        assert_eq!(codes.access(&token, now), None);
    }

    #[test]
    fn a_code_is_good_for_sixty_seconds_and_not_for_one_more() {
        let (codes, now) = (Codes::default(), Instant::now());
        let in_time = codes.issue(sign_in(), now).unwrap();
        let late = codes.issue(sign_in(), now).unwrap();
        assert!(codes.redeem(&in_time, now + Duration::from_mins(1)).is_ok());
        assert_eq!(
            codes.redeem(&late, now + Duration::from_secs(61)),
            Err(CodeRefused::Expired)
        );
    }

    #[test]
    fn a_token_dies_after_five_minutes() {
        let (codes, now) = (Codes::default(), Instant::now());
        let code = codes.issue(sign_in(), now).unwrap();
        codes.redeem(&code, now).unwrap();
        let token = codes.token(&code, access(), now).unwrap();
        assert!(codes.access(&token, now + Duration::from_mins(5)).is_some());
        assert!(
            codes
                .access(&token, now + Duration::from_secs(301))
                .is_none()
        );
    }

    #[test]
    fn a_name_that_was_never_issued_is_unknown() {
        assert_eq!(
            Codes::default().redeem("nothing", Instant::now()),
            Err(CodeRefused::Unknown)
        );
    }
}
