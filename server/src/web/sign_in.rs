//! Signing in and out: a browser leaves for the provider and comes back as a person.
//!
//! Every refusal is a page of its own with a way to try again. None redirects to the provider by
//! itself: a browser that refuses our cookie (Safari does, on `http://localhost`) would go round
//! for ever.

mod binding;
mod person;

use app::view::{PageProblem, Part};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use http::HeaderMap;
use http::header::HOST;
use serde::{Deserialize, Serialize};
use tower_sessions::cookie::time::{Duration, OffsetDateTime};
use tower_sessions::{Expiry, Session};

use crate::config::{Attribute, Unverified};

use super::Portal;
use super::addresses::PagePath;
use super::oidc::{Login, LoginError, Pending};
use super::problem;
use super::signed_in::{self, PERSON, Person};

use self::binding::BindingError;
use self::person::PersonError;

/// Sign-ins that have left for the provider, in the session.
const ATTEMPTS: &str = "attempts";

/// A person with this many tabs restores them all at once; older ones give way.
const MAX_ATTEMPTS: usize = 8;

/// Long enough to find one's second factor; the provider's own pages give up around then.
const ATTEMPT_LIFETIME: Duration = Duration::minutes(10);

/// An ID token beyond this (hundreds of groups) is not kept: it would not fit into the address
/// that it is kept for.
const MAX_ID_TOKEN_BYTES: usize = 4_000;

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Attempt {
    pending: Pending,
    return_to: String,
    /// Epoch seconds.
    at: i64,
}

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
    Query(query): Query<Start>,
) -> Response {
    let return_to = PagePath::parse_or_home(query.return_to.as_deref());
    if let Some(elsewhere) = under_our_name(&portal, &headers, &return_to) {
        return Redirect::to(&elsewhere).into_response();
    }
    match begin(&portal, &session, &return_to).await {
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
) -> Result<String, Refusal> {
    if signed_in::person(session).await?.is_some() {
        return Ok(return_to.as_str().to_owned());
    }
    let (url, pending) = portal.provider.begin()?;
    let now = OffsetDateTime::now_utc();
    let mut attempts: Vec<Attempt> = session.get(ATTEMPTS).await?.unwrap_or_default();
    attempts.retain(|attempt| !is_over(attempt, now));
    let surplus = (attempts.len() + 1).saturating_sub(MAX_ATTEMPTS);
    attempts.drain(..surplus);
    attempts.push(Attempt {
        pending,
        return_to: return_to.as_str().to_owned(),
        at: now.unix_timestamp(),
    });
    session.insert(ATTEMPTS, attempts).await?;
    session.set_expiry(Some(Expiry::OnInactivity(ATTEMPT_LIFETIME)));
    // Kept before anybody leaves for the provider, or they would come back to a stranger.
    session.save().await?;
    Ok(url.into())
}

fn is_over(attempt: &Attempt, now: OffsetDateTime) -> bool {
    now.unix_timestamp() - attempt.at > ATTEMPT_LIFETIME.whole_seconds()
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
            metrics::counter!("belay_sign_ins_total", "outcome" => "signed-in").increment(1);
            Redirect::to(to.as_str()).into_response()
        }
        Err(refusal) => refusal.page(&portal, &headers),
    }
}

async fn finish(portal: &Portal, session: &Session, answer: Callback) -> Result<PagePath, Refusal> {
    let attempt = take_attempt(session, answer.state.as_deref()).await?;
    portal.provider.check_issuer(answer.iss.as_deref())?;
    if let Some(error) = answer.error {
        return Err(Refusal::new(
            PageProblem::SignInDeclined,
            format!("the provider answered {error}"),
        ));
    }
    let now = OffsetDateTime::now_utc();
    if is_over(&attempt, now) {
        return Err(Refusal::new(
            PageProblem::SignInExpired,
            "it left more than ten minutes ago",
        ));
    }
    let Some(code) = answer.code else {
        return Err(Refusal::new(
            PageProblem::SignInInvalid,
            "the answer has no code",
        ));
    };
    let wanted = wanted_claims(portal);
    let login = portal
        .provider
        .finish(&attempt.pending, code, &wanted)
        .await?;
    let found = person::find(portal, &login).await?;
    binding::bind(portal, &login, &found).await?;
    enter(session, login, found, now).await?;
    Ok(PagePath::parse_or_home(Some(&attempt.return_to)))
}

/// Takes the attempt that an answer belongs to out of the session, for good, before anything else
/// happens: the same answer never works twice.
async fn take_attempt(session: &Session, state: Option<&str>) -> Result<Attempt, Refusal> {
    let mismatch = |why: &str| Refusal::new(PageProblem::SignInMismatch, why);
    let state = state.ok_or_else(|| mismatch("the answer has no state"))?;
    let mut attempts: Vec<Attempt> = session
        .get(ATTEMPTS)
        .await?
        .ok_or_else(|| mismatch("this browser has no sign-in under way"))?;
    let at = attempts
        .iter()
        .position(|attempt| attempt.pending.state == state)
        .ok_or_else(|| mismatch("no sign-in of this browser has that state"))?;
    let attempt = attempts.remove(at);
    session.insert(ATTEMPTS, attempts).await?;
    session.save().await?;
    Ok(attempt)
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
