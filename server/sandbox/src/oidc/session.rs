//! The provider's own session: who picked whom in this browser, and when.
//!
//! It is a sealed cookie and nothing else, so that it survives a restart. Signing out drops the cookie.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, HeaderValue};
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use super::Provider;

/// A working day, as most providers keep it.
const SESSION_LIFE_H: i64 = 8;

/// Somebody who is signed in at the provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) user_id: String,
    pub(crate) auth_time: Timestamp,
}

impl Session {
    /// The session in a browser's cookies, if it is ours and not too old.
    pub(crate) fn read(provider: &Provider, headers: &HeaderMap, now: Timestamp) -> Option<Self> {
        let name = cookie_name(provider);
        let sealed = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .find_map(|pair| pair.trim().strip_prefix(&name)?.strip_prefix('='))?;
        let session: Self = serde_json::from_str(&provider.keys.unseal(sealed)?).ok()?;
        let over = session.auth_time.checked_add(SESSION_LIFE_H.hours()).ok()?;
        (now < over).then_some(session)
    }

    /// Whether its person proved who they are no longer than `max_age_s` ago.
    pub(crate) fn is_fresh(&self, max_age_s: Option<u64>, now: Timestamp) -> bool {
        let age_s = now.as_second().saturating_sub(self.auth_time.as_second());
        // 0 asks for a new proof always, also within the second of the last one.
        max_age_s.is_none_or(|max_age_s| {
            max_age_s > 0 && u64::try_from(age_s).is_ok_and(|age_s| age_s <= max_age_s)
        })
    }

    /// The cookie that keeps it.
    pub(crate) fn cookie(&self, provider: &Provider) -> Option<HeaderValue> {
        let sealed = provider.keys.seal(&serde_json::to_string(self).ok()?);
        let name = cookie_name(provider);
        let life_s = SESSION_LIFE_H * 60 * 60;
        HeaderValue::from_str(&format!(
            "{name}={sealed}; Path=/; Max-Age={life_s}; HttpOnly; SameSite=Lax"
        ))
        .ok()
    }

    /// The cookie that forgets it.
    pub(crate) fn no_cookie(provider: &Provider) -> Option<HeaderValue> {
        let name = cookie_name(provider);
        HeaderValue::from_str(&format!(
            "{name}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"
        ))
        .ok()
    }
}

/// Cookies ignore ports, so two sandboxes on one machine need two names.
fn cookie_name(provider: &Provider) -> String {
    let port = provider.issuer.rsplit(':').next().unwrap_or_default();
    format!("sandbox-session-{port}")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn signed_in_at(second: i64) -> Session {
        Session {
            user_id: "u".into(),
            auth_time: Timestamp::from_second(second).unwrap(),
        }
    }

    #[test]
    fn a_session_is_fresh_up_to_max_age_and_never_for_zero() {
        let now = Timestamp::from_second(1_000).unwrap();
        assert!(signed_in_at(0).is_fresh(None, now));
        assert!(signed_in_at(940).is_fresh(Some(60), now));
        assert!(!signed_in_at(939).is_fresh(Some(60), now));
        assert!(!signed_in_at(1_000).is_fresh(Some(0), now));
        assert!(
            !signed_in_at(2_000).is_fresh(Some(60), now),
            "a session from the future proves nothing"
        );
    }
}
