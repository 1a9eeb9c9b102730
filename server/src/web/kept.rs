//! What somebody typed into a form of ours and sent after their session had ended: kept, and shown to
//! them again once they have signed in. It is never carried out: they press the button themselves.
//!
//! | item | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | stay | `stay#SHA-256 of the cookie` | `stay` | `GetItem`, consistent: a form that is sent signed out, a sign-in |
//! | kept form | the same | `kept` | `DeleteItem`, conditional: its page, for its person |
//!
//! A session that is gone says nothing of whose it was, so a browser's stay outlives it: a cookie of
//! its own names who signed in there last, by an item. Pages carry a hash of that cookie with whatever
//! is typed in them. What comes without both, or with those of two different people, is not kept: it
//! is better lost than shown to somebody else. Deliberately absent: any word of a client on who it is.

use app::view::{Field, Problem};
use app::{FormState, Stay};
use axum::response::Response;
use domain::event;
use domain::id::UserId;
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tower_sessions::Session;

use crate::service::Caller;
use crate::store::keys::At;
use crate::store::{StoreError, item, now};

use super::addresses::PagePath;
use super::forms::Form;
use super::headers::cookie;
use super::pace;
use super::refusal::at;
use super::signed_in;
use super::{BODY_MAX_BYTES, Portal};

/// Names the browser's stay.
const STAY_COOKIE: &str = "__Host-belay-stay";

/// Says that something may be kept, so that other pages need not look.
const KEPT_COOKIE: &str = "__Host-belay-kept";

/// A tab that was left open on a Friday is sent on a Monday.
const STAY_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Time to sign in, with a second factor that has to be found first, and once more after a mistake.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(30);

/// Whatever may be sent may be kept, and fits in an item, which holds 400 KB. What is not text may grow
/// when it is read, and is not kept.
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>
const KEPT_MAX_BYTES: usize = BODY_MAX_BYTES;

/// The layout of these items; a reader that meets a higher one finds nothing.
const SCHEMA: u32 = 1;

/// Their kinds, and their sort keys.
const STAY: &str = "stay";
const KEPT: &str = "kept";

/// Who signed in at a browser last.
#[derive(Debug, Serialize, Deserialize)]
struct Stayed {
    schema: u32,
    item: String,
    user: UserId,
    /// Epoch seconds; DynamoDB removes it some time later.
    expires_at: i64,
}

/// What they typed. One at a browser: who sends two forms signed out has the later.
#[derive(Debug, Serialize, Deserialize)]
struct KeptForm {
    schema: u32,
    item: String,
    /// The person and the page, which both have to fit.
    whose: String,
    typed: Vec<(String, String)>,
    /// Epoch seconds; DynamoDB removes it some time later.
    expires_at: i64,
}

/// The name of a browser's stay: only its cookie has it.
struct Name(String);

impl Name {
    fn new() -> Self {
        Self(format!("{:032x}", rand::random::<u128>()))
    }

    fn of(headers: &HeaderMap) -> Option<Self> {
        let name = cookie(headers, STAY_COOKIE)?;
        let is_ours = name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_ours.then(|| Self(name.to_owned()))
    }

    /// Hashed at rest, as sessions are.
    fn place(&self, sk: &str) -> At {
        let hash = event::hex(&Sha256::digest(self.0.as_bytes()));
        At {
            pk: format!("stay#{hash}"),
            sk: sk.to_owned(),
        }
    }

    /// What pages carry of it; neither the cookie nor the item's key can be told from it.
    fn mark(&self) -> String {
        event::hex(&Sha256::digest(format!("page {}", self.0)))
    }
}

fn set_cookie(response: &mut Response, name: &str, value: &str, lasts: SignedDuration) {
    let cookie = format!(
        "{name}={value}; Path=/; Max-Age={}; HttpOnly; Secure; SameSite=Lax",
        lasts.as_secs()
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
}

fn after(lasts: SignedDuration) -> i64 {
    now()
        .saturating_add(lasts)
        .unwrap_or(Timestamp::MAX)
        .as_second()
}

fn whose(user: &UserId, page: &str) -> String {
    format!("{user} {page}")
}

/// What the pages carry that this request is answered with.
pub(super) fn mark(headers: &HeaderMap) -> Stay {
    Stay(
        Name::of(headers)
            .map(|name| name.mark())
            .unwrap_or_default(),
    )
}

/// Whether a form was made for somebody else than who has signed in at this browser since.
pub(super) fn is_of_another(headers: &HeaderMap, mark: &str) -> bool {
    !mark.is_empty() && Name::of(headers).is_some_and(|name| name.mark() != mark)
}

/// Remembers who has just signed in at this browser. The same person's stay goes on, so that pages
/// that they left open are still theirs.
pub(super) async fn remember(
    portal: &Portal,
    session: &Session,
    headers: &HeaderMap,
    response: &mut Response,
) {
    let Ok(Some(person)) = signed_in::look(session).await else {
        return;
    };
    let name = match lasting(portal, headers).await {
        Ok(Some((name, user))) if user == person.user => name,
        Ok(_) => Name::new(),
        Err(error) => return forgotten(&error, response),
    };
    let stay = Stayed {
        schema: SCHEMA,
        item: STAY.to_owned(),
        user: person.user,
        expires_at: after(STAY_FOR),
    };
    match put(portal, &name.place(STAY), &stay).await {
        Ok(()) => set_cookie(response, STAY_COOKIE, &name.0, STAY_FOR),
        Err(error) => forgotten(&error, response),
    }
}

/// Nobody is kept out for it, but a stay that could be another's ends.
fn forgotten(error: &StoreError, response: &mut Response) {
    tracing::warn!(%error, "what is typed in this browser will not outlive its session");
    set_cookie(response, STAY_COOKIE, "", SignedDuration::ZERO);
}

/// They are sent to sign in all the same.
fn lost(error: &StoreError) {
    tracing::warn!(%error, "what was typed before a sign-in could not be kept");
}

async fn put<T: Serialize + Sync>(portal: &Portal, at: &At, value: &T) -> Result<(), StoreError> {
    let store = portal.service.store();
    store.keep(at, item::attributes(value)?).await
}

/// The stay of a browser, and whose it is.
async fn lasting(
    portal: &Portal,
    headers: &HeaderMap,
) -> Result<Option<(Name, UserId)>, StoreError> {
    let Some(name) = Name::of(headers) else {
        return Ok(None);
    };
    let stayed: Option<Stayed> = portal.service.store().get(&name.place(STAY)).await?;
    let stayed = stayed.filter(|it| it.schema <= SCHEMA && it.expires_at > now().as_second());
    Ok(stayed.map(|stayed| (name, stayed.user)))
}

/// Keeps a form that was sent signed out, for whoever its page was made for.
pub(super) async fn keep(
    portal: &Portal,
    headers: &HeaderMap,
    page: &PagePath,
    form: Form,
    response: &mut Response,
) {
    // A mark of another stay is none that reading a form lets through.
    if form.value(Stay::NAME).is_empty() || form.bytes() > KEPT_MAX_BYTES {
        return;
    }
    let (name, user) = match lasting(portal, headers).await {
        Ok(Some(found)) => found,
        Ok(None) => return,
        Err(error) => return lost(&error),
    };
    if !portal.pace.allows(&pace::Who::Person(user.clone())) {
        return;
    }
    let kept = KeptForm {
        schema: SCHEMA,
        item: KEPT.to_owned(),
        whose: whose(&user, page.as_str()),
        typed: form.all_but(Stay::NAME),
        expires_at: after(KEPT_FOR),
    };
    match put(portal, &name.place(KEPT), &kept).await {
        Ok(()) => set_cookie(response, KEPT_COOKIE, "1", KEPT_FOR),
        Err(error) => lost(&error),
    }
}

/// What this person had typed on this page before they were signed out: once.
pub(super) async fn give_back(
    portal: &Portal,
    caller: &Caller,
    uri: &http::Uri,
    headers: &HeaderMap,
) -> Option<FormState> {
    cookie(headers, KEPT_COOKIE)?;
    let name = Name::of(headers)?;
    let whose = whose(&caller.who.id, uri.path());
    let store = portal.service.store();
    let taken: Option<KeptForm> = match store.take(&name.place(KEPT), "whose", &whose).await {
        Ok(taken) => taken,
        Err(error) => {
            tracing::warn!(%error, "what was typed before a sign-in could not be read");
            None
        }
    };
    let kept = taken.filter(|it| it.schema <= SCHEMA && it.expires_at > now().as_second())?;
    Some(FormState {
        status: StatusCode::OK.as_u16(),
        values: kept.typed,
        problems: vec![at(Field::Form, Problem::SignedOut)],
    })
}

/// Nothing is left to look for.
pub(super) fn forget(response: &mut Response) {
    set_cookie(response, KEPT_COOKIE, "", SignedDuration::ZERO);
}
