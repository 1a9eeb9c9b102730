//! Whether a browser is signed in, and as whom.

use app::view::Part;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use domain::directory::Status;
use domain::event::Source;
use domain::id::UserId;
use domain::request::Who;
use http::Method;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::{Expiry, Session};

use crate::directory::DirectoryError;
use crate::proof::Sitting;
use crate::service::Caller;

use super::Portal;
use super::addresses::PagePath;
use super::forms::Form;
use super::kept;
use super::problem;
use super::session::{ABSOLUTE, IDLE};

/// What a session keeps of a person. Names and e-mail are as they were at sign-in.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Person {
    pub(super) user: UserId,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) issuer: String,
    pub(super) subject: String,
    /// When the provider says that the person proved who they are; absent if it does not say.
    pub(super) auth_time: Option<i64>,
    /// For the provider, when the person signs out there.
    pub(super) id_token: String,
    /// When this session began, in epoch seconds.
    pub(super) signed_in_at: i64,
    /// When its expiry was last moved, in epoch seconds.
    pub(super) touched_at: i64,
}

/// Where a session keeps it.
pub(super) const PERSON: &str = "person";

/// A session's expiry moves once a minute at most: one write a minute of a person's activity,
/// for an idle time that is at most a minute short.
const TOUCH_SECONDS: i64 = 60;

impl Person {
    /// Who they are to the service; `browser` is what [`browser`] found.
    pub(super) fn caller(&self, browser: Option<&str>) -> Caller {
        Caller {
            who: Who {
                id: self.user.clone(),
                name: self.name.clone(),
                email: Some(self.email.clone()).filter(|email| !email.is_empty()),
            },
            source: Source::Portal,
            sitting: browser.map(|browser| self.sitting(browser)),
        }
    }

    /// This stay of theirs: another begins when they sign in anew, and none goes on after signing out.
    pub(super) fn sitting(&self, browser: &str) -> Sitting {
        Sitting::of(browser, &self.user, self.signed_in_at)
    }

    /// Whether the session has lasted as long as any may. Idleness is the store's to judge.
    pub(super) fn is_over(&self) -> bool {
        let now = OffsetDateTime::now_utc();
        self.expiry(now) <= now
    }

    /// When the session ends if nothing more happens.
    pub(super) fn expiry(&self, now: OffsetDateTime) -> OffsetDateTime {
        let began = OffsetDateTime::from_unix_timestamp(self.signed_in_at).unwrap_or(now);
        (now + IDLE).min(began + ABSOLUTE)
    }
}

/// Where a session keeps the name of its browser.
const BROWSER: &str = "browser";

/// The name of a session's browser. It stays when the session changes its own, so that what left for
/// the provider before finds its way back; it never leaves the server.
pub(super) async fn browser(
    session: &Session,
) -> Result<Option<String>, tower_sessions::session::Error> {
    session.get(BROWSER).await
}

/// The same; one that has no name gets one.
pub(super) async fn name_browser(
    session: &Session,
) -> Result<String, tower_sessions::session::Error> {
    if let Some(name) = browser(session).await? {
        return Ok(name);
    }
    let name = format!("{:032x}", rand::random::<u128>());
    session.insert(BROWSER, &name).await?;
    Ok(name)
}

/// Why it cannot be said who is asking.
#[derive(Debug, Error)]
pub(super) enum CallerError {
    #[error(transparent)]
    Session(#[from] tower_sessions::session::Error),
    #[error(transparent)]
    Directory(#[from] DirectoryError),
}

impl CallerError {
    pub(super) const fn part(&self) -> Part {
        match self {
            Self::Session(_) => Part::Store,
            Self::Directory(_) => Part::IdentityCenter,
        }
    }
}

/// The person of a session and the name of its browser, for a request that may act for them.
pub(super) async fn caller(
    portal: &Portal,
    session: &Session,
) -> Result<Option<Caller>, CallerError> {
    let Some(person) = person(session).await? else {
        return Ok(None);
    };
    if seems_gone(portal, &person) {
        let status = portal.service.people().status(&person.user).await?;
        if status != Some(Status::Active) {
            tracing::warn!(user = %person.user, "signed out: disabled or gone in Identity Center");
            session.flush().await?;
            return Ok(None);
        }
    }
    let browser = browser(session).await?;
    Ok(Some(person.caller(browser.as_deref())))
}

/// Whether the snapshot has this person as disabled, or no more. It may lag: only the Identity Store
/// itself signs anybody out.
fn seems_gone(portal: &Portal, person: &Person) -> bool {
    let Ok(world) = portal.service.world() else {
        return false;
    };
    match world.directory.people.get(&person.user) {
        Some(known) => known.status != Status::Active,
        // Whoever came after it was read is not in it.
        None => world
            .directory
            .read_at
            .is_some_and(|read_at| read_at.as_second() > person.signed_in_at),
    }
}

/// The person of a session, if there is one and their time is not up. Leaves the session as it is:
/// a page that is merely open does not keep its reader signed in.
pub(super) async fn look(
    session: &Session,
) -> Result<Option<Person>, tower_sessions::session::Error> {
    let person = session.get::<Person>(PERSON).await?;
    Ok(person.filter(|person| !person.is_over()))
}

/// The person of a session, if there is one and their time is not up. Keeps the session alive.
pub(super) async fn person(
    session: &Session,
) -> Result<Option<Person>, tower_sessions::session::Error> {
    let Some(mut person) = session.get::<Person>(PERSON).await? else {
        return Ok(None);
    };
    if person.is_over() {
        session.flush().await?;
        return Ok(None);
    }
    let now = OffsetDateTime::now_utc();
    if now.unix_timestamp() - person.touched_at >= TOUCH_SECONDS {
        person.touched_at = now.unix_timestamp();
        session.insert(PERSON, &person).await?;
        session.set_expiry(Some(Expiry::AtDateTime(person.expiry(now))));
    }
    Ok(Some(person))
}

/// Lets signed-in people through, with their [`Caller`]; sends the others to sign in.
pub(super) async fn required(
    State(portal): State<Portal>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&portal, &session).await {
        Ok(Some(caller)) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Ok(None) if matches!(*request.method(), Method::GET | Method::HEAD) => {
            let here = request.uri().path_and_query().map(ToString::to_string);
            Redirect::to(&start_at(here.as_deref())).into_response()
        }
        Ok(None) => leave(&portal, request).await,
        Err(error) => {
            tracing::error!(%error, "who is asking cannot be told");
            problem::page(
                &portal,
                request.headers(),
                app::view::PageProblem::Unavailable(error.part()),
            )
        }
    }
}

/// Sends whoever posted a form to sign in, and back to the page that it came from, with what they typed.
async fn leave(portal: &Portal, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let page = PagePath::parse_or_home(Some(head.uri.path()));
    let mut response = Redirect::to(&start_at(Some(page.as_str()))).into_response();
    if let Ok(form) = Form::read(&head.headers, body).await {
        kept::keep(portal, &head.headers, &page, form, &mut response).await;
    }
    response
}

/// Adds the [`Caller`] if somebody is signed in, and lets everybody through.
pub(super) async fn optional(
    State(portal): State<Portal>,
    session: Session,
    mut request: Request,
    next: Next,
) -> Response {
    match caller(&portal, &session).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            next.run(request).await
        }
        Err(error) => {
            tracing::error!(%error, "who is asking cannot be told");
            problem::page(
                &portal,
                request.headers(),
                app::view::PageProblem::Unavailable(error.part()),
            )
        }
    }
}

/// The address that begins a sign-in and comes back here.
pub(super) fn start_at(here: Option<&str>) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("return_to", PagePath::parse_or_home(here).as_str())
        .finish();
    format!("/auth/start?{query}")
}
