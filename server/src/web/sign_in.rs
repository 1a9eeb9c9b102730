//! Signing in and out: a browser leaves for the provider and comes back as a person.
//!
//! Every refusal is a page of its own with a way to try again. None redirects to the provider by
//! itself: a browser that refuses our cookie (Safari does, on `http://localhost`) would go round
//! for ever.

pub(super) mod again;
mod attempt;
pub(super) mod binding;
mod person;

use app::view::{PageProblem, Part};
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use http::HeaderMap;
use http::header::HOST;
use serde::Deserialize;
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::{Expiry, Session};

use crate::config::{Attribute, Unverified};
use crate::store::StoreError;

use super::Portal;
use super::addresses::PagePath;
use super::kept;
use super::listen::Peer;
use super::oidc::{Login, LoginError};
use super::pace;
use super::problem;
use super::signed_in::{self, PERSON, Person};

use self::attempt::Attempt;
use self::binding::BindingError;
use self::person::PersonError;

/// An ID token beyond this (hundreds of groups) is not kept: it would not fit into the address
/// that it is kept for.
const MAX_ID_TOKEN_BYTES: usize = 4_000;

/// The three addresses.
pub(super) fn router() -> Router<Portal> {
    Router::new()
        .route("/auth/start", get(start))
        .route("/auth/callback", get(callback))
        .route("/auth/sign-out", post(sign_out))
}

#[derive(Debug, Deserialize)]
struct Start {
    return_to: Option<String>,
}

async fn start(
    State(portal): State<Portal>,
    session: Session,
    headers: HeaderMap,
    peer: Option<Extension<Peer>>,
    Query(query): Query<Start>,
) -> Response {
    let return_to = PagePath::parse_or_home(query.return_to.as_deref());
    if let Some(elsewhere) = under_our_name(&portal, &headers, &return_to) {
        return Redirect::to(&elsewhere).into_response();
    }
    let who = pace::Who::of(&headers, peer.map(|Extension(Peer(address))| address));
    match begin(&portal, &session, &return_to, &who).await {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(refusal) => refusal.page(&portal, &headers),
    }
}

/// Where a sign-in has to begin instead, on a laptop whose owner typed `127.0.0.1` for `localhost`:
/// the provider sends them back to the public address, where the cookie of another name is not
/// sent. Elsewhere a load balancer may have changed the name, so there it is left alone.
fn under_our_name(portal: &Portal, headers: &HeaderMap, return_to: &PagePath) -> Option<String> {
    let typed = headers.get(HOST)?.to_str().ok()?;
    let origin = portal.public_url.origin();
    let ours = origin.split("://").nth(1)?;
    let differs = portal.public_url.is_loopback() && !typed.eq_ignore_ascii_case(ours);
    differs.then(|| {
        portal
            .public_url
            .join(&signed_in::start_at(Some(return_to.as_str())))
    })
}

async fn begin(
    portal: &Portal,
    session: &Session,
    return_to: &PagePath,
    who: &pace::Who,
) -> Result<String, Refusal> {
    if signed_in::person(session).await?.is_some() {
        return Ok(return_to.as_str().to_owned());
    }
    if !portal.pace.allows(who) {
        return Err(Refusal::new(
            PageProblem::TooMany,
            "too many sign-ins begin at once",
        ));
    }
    let (url, pending) = portal.provider.begin(None)?;
    let browser = signed_in::name_browser(session).await?;
    session.set_expiry(Some(Expiry::OnInactivity(attempt::LIFETIME)));
    session.save().await?;
    Attempt::new(browser, pending, return_to.as_str(), None)
        .keep(portal)
        .await?;
    Ok(url.into())
}

#[derive(Debug, Deserialize)]
struct Callback {
    state: Option<String>,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

async fn callback(
    State(portal): State<Portal>,
    session: Session,
    headers: HeaderMap,
    Query(answer): Query<Callback>,
) -> Response {
    match finish(&portal, &session, answer).await {
        Ok(to) => {
            let mut response = Redirect::to(to.as_str()).into_response();
            kept::remember(&portal, &session, &headers, &mut response).await;
            response
        }
        Err(refusal) => refusal.page(&portal, &headers),
    }
}

async fn finish(portal: &Portal, session: &Session, answer: Callback) -> Result<PagePath, Refusal> {
    let mut attempt = attempt::take(portal, session, answer.state.as_deref()).await?;
    if let Some(again) = attempt.again.take() {
        return again::finish(portal, session, attempt, again, answer).await;
    }
    if let Some(error) = &answer.error {
        portal.provider.check_issuer(answer.iss.as_deref())?;
        return Err(Refusal::new(
            PageProblem::SignInDeclined,
            format!("the provider answered {error}"),
        ));
    }
    let wanted = wanted_claims(portal);
    let login = login(portal, &attempt, answer, &wanted).await?;
    let found = person::find(portal, &login).await?;
    binding::bind(portal, &login, &found).await?;
    enter(session, login, found, OffsetDateTime::now_utc()).await?;
    metrics::counter!("belay_sign_ins_total", "outcome" => "signed-in").increment(1);
    Ok(PagePath::parse_or_home(Some(&attempt.return_to)))
}

/// What the provider says of who came back, verified.
async fn login(
    portal: &Portal,
    attempt: &Attempt,
    answer: Callback,
    wanted: &[&str],
) -> Result<Login, LoginError> {
    portal.provider.check_issuer(answer.iss.as_deref())?;
    if attempt.is_over(OffsetDateTime::now_utc()) {
        return Err(LoginError::Refused("it left too long ago".to_owned()));
    }
    let code = answer
        .code
        .ok_or_else(|| LoginError::Invalid("it has no code".to_owned()))?;
    portal.provider.finish(&attempt.pending, code, wanted).await
}

/// Names what the claim rules look at.
fn wanted_claims(portal: &Portal) -> Vec<&str> {
    let rules = &portal.provider.oidc().claims;
    let verified = rules
        .iter()
        .any(|rule| rule.attribute == Attribute::Email(Unverified::Refused))
        .then_some("email_verified");
    rules
        .iter()
        .map(|rule| rule.claim.as_str())
        .chain(verified)
        .collect()
}

/// Gives the browser a session of its own under a new id: one that was planted before sign-in is
/// worth nothing after it.
async fn enter(
    session: &Session,
    login: Login,
    found: person::Found,
    now: OffsetDateTime,
) -> Result<(), Refusal> {
    let id_token = Some(login.id_token).filter(|token| token.len() <= MAX_ID_TOKEN_BYTES);
    let person = Person {
        user: found.user,
        name: found.name,
        email: found.email,
        issuer: login.issuer,
        subject: login.subject,
        auth_time: login.auth_time,
        id_token: id_token.unwrap_or_default(),
        signed_in_at: now.unix_timestamp(),
        touched_at: now.unix_timestamp(),
    };
    // Sign-ins that other tabs have under way stay: each is still bound to its own state.
    session.cycle_id().await?;
    session.insert(PERSON, &person).await?;
    session.set_expiry(Some(Expiry::AtDateTime(person.expiry(now))));
    session.save().await?;
    tracing::info!(user = %person.user, "signed in");
    Ok(())
}

async fn sign_out(State(portal): State<Portal>, session: Session, headers: HeaderMap) -> Response {
    // Without a query: providers compare it with what was registered, character by character.
    const SIGNED_OUT: &str = "/signed-out";
    let person = match session.get::<Person>(PERSON).await {
        Ok(person) => person,
        Err(error) => return Refusal::from(error).page(&portal, &headers),
    };
    if let Err(error) = session.flush().await {
        return Refusal::from(error).page(&portal, &headers);
    }
    let at_provider = person.and_then(|person| {
        tracing::info!(user = %person.user, "signed out");
        portal
            .provider
            .sign_out(&person.id_token, &portal.public_url.join(SIGNED_OUT))
    });
    match at_provider {
        Some(url) => Redirect::to(url.as_str()).into_response(),
        None => Redirect::to(SIGNED_OUT).into_response(),
    }
}

/// Why a sign-in ended without a person: the page for them, the reason for the log.
#[derive(Debug)]
struct Refusal {
    problem: PageProblem,
    why: String,
}

impl Refusal {
    fn new(problem: PageProblem, why: impl Into<String>) -> Self {
        Self {
            problem,
            why: why.into(),
        }
    }

    fn page(self, portal: &Portal, headers: &HeaderMap) -> Response {
        let code = problem::code(self.problem);
        metrics::counter!("belay_sign_ins_total", "outcome" => code.clone()).increment(1);
        if self.problem.status() >= 500 {
            tracing::error!(code, why = self.why, "a sign-in could not be finished");
        } else {
            tracing::warn!(code, why = self.why, "a sign-in was refused");
        }
        problem::page(portal, headers, self.problem)
    }
}

impl From<tower_sessions::session::Error> for Refusal {
    fn from(error: tower_sessions::session::Error) -> Self {
        Self::new(PageProblem::Unavailable(Part::Store), error.to_string())
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        let why = error
            .detail()
            .map_or_else(|| error.to_string(), str::to_owned);
        Self::new(PageProblem::Unavailable(Part::Store), why)
    }
}

impl From<LoginError> for Refusal {
    fn from(error: LoginError) -> Self {
        let problem = match &error {
            LoginError::Unavailable(_) => PageProblem::Unavailable(Part::SignIn),
            LoginError::Mismatch(_) => PageProblem::SignInMismatch,
            LoginError::Refused(_) => PageProblem::SignInExpired,
            LoginError::Invalid(_) => PageProblem::SignInInvalid,
        };
        Self::new(problem, error.to_string())
    }
}

impl From<PersonError> for Refusal {
    fn from(error: PersonError) -> Self {
        let problem = match &error {
            PersonError::Nobody => PageProblem::SignInNobody,
            PersonError::Ambiguous(_) => PageProblem::SignInAmbiguous,
            PersonError::Disabled => PageProblem::SignInDisabled,
            PersonError::Unavailable(_) => PageProblem::Unavailable(Part::IdentityCenter),
        };
        Self::new(problem, error.to_string())
    }
}

impl From<BindingError> for Refusal {
    fn from(error: BindingError) -> Self {
        let problem = match &error {
            BindingError::BoundElsewhere => PageProblem::SignInBoundElsewhere,
            BindingError::Store(_) => PageProblem::Unavailable(Part::Store),
        };
        Self::new(problem, error.to_string())
    }
}
