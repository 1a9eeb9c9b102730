//! Sign-ins that have left for the provider.
//!
//! | item | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | sign-in | `sign-in#SHA-256 of the state` | `sign-in` | `DeleteItem`, conditional: the provider's answer |
//!
//! Each is an item of its own, and is taken by deleting it: a session is written whole, so of two
//! copies of one answer that arrive together both would find what they belong to there.

use app::view::PageProblem;
use domain::event;
use domain::id::UserId;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tower_sessions::Session;
use tower_sessions::cookie::time::{Duration, OffsetDateTime};

use crate::proof::{Purpose, Sitting};
use crate::store::keys::At;
use crate::store::{StoreError, item};
use crate::web::Portal;
use crate::web::oidc::Pending;
use crate::web::signed_in;

use super::Refusal;

/// Long enough to find one's second factor; the provider's own pages give up around then.
pub(super) const LIFETIME: Duration = Duration::minutes(10);

/// The layout of these items.
const SCHEMA: u32 = 1;

/// The kind of these items, and their sort key.
const SIGN_IN: &str = "sign-in";

/// One of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Attempt {
    schema: u32,
    item: String,
    /// The browser that left.
    browser: String,
    pub(super) pending: Pending,
    /// The page that it comes back to.
    pub(super) return_to: String,
    /// Epoch seconds.
    at: i64,
    /// Epoch seconds; DynamoDB removes it some time later.
    expires_at: i64,
    /// For what somebody who is signed in already does it again.
    #[serde(default)]
    pub(super) again: Option<Again>,
}

/// Somebody who is signed in, and for what they sign in again.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Again {
    pub(super) sitting: Sitting,
    pub(super) user: UserId,
    pub(super) purpose: Purpose,
    /// What they had typed, to be shown to them again.
    pub(super) typed: Vec<(String, String)>,
}

impl Attempt {
    pub(super) fn new(
        browser: String,
        pending: Pending,
        return_to: &str,
        again: Option<Again>,
    ) -> Self {
        let now = OffsetDateTime::now_utc();
        Self {
            schema: SCHEMA,
            item: SIGN_IN.to_owned(),
            browser,
            pending,
            return_to: return_to.to_owned(),
            at: now.unix_timestamp(),
            expires_at: (now + LIFETIME).unix_timestamp(),
            again,
        }
    }

    /// Keeps it: before anybody leaves for the provider, or they would come back to a stranger.
    pub(super) async fn keep(&self, portal: &Portal) -> Result<(), StoreError> {
        let at = place(&self.pending.state);
        portal
            .service
            .store()
            .keep(&at, item::attributes(self)?)
            .await
    }

    pub(super) fn is_over(&self, now: OffsetDateTime) -> bool {
        now.unix_timestamp() - self.at > LIFETIME.whole_seconds()
    }
}

/// Takes the attempt that an answer belongs to, for good, before anything else happens: the same
/// answer never works twice, nor two copies of it at once.
pub(super) async fn take(
    portal: &Portal,
    session: &Session,
    state: Option<&str>,
) -> Result<Attempt, Refusal> {
    let mismatch = |why: &str| Refusal::new(PageProblem::SignInMismatch, why);
    let state = state.ok_or_else(|| mismatch("the answer has no state"))?;
    let browser = signed_in::browser(session)
        .await?
        .ok_or_else(|| mismatch("this browser has no sign-in under way"))?;
    let taken: Option<Attempt> = portal
        .service
        .store()
        .take(&place(state), "browser", &browser)
        .await?;
    taken.ok_or_else(|| mismatch("no sign-in of this browser has that state"))
}

/// The state is hashed at rest: who reads the table cannot answer for a provider.
fn place(state: &str) -> At {
    let hash = event::hex(&Sha256::digest(state.as_bytes()));
    At {
        pk: format!("sign-in#{hash}"),
        sk: SIGN_IN.to_owned(),
    }
}
