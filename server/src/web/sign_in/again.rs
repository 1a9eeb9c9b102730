//! Signing in again, for one act: the provider is asked for a sign-in that is new, and what it says
//! of it is kept as a proof for that act alone (DESIGN 7).
//!
//! The person comes back to the page that they left, with what they had typed, and presses the
//! button themselves. Whatever goes wrong is said there, too: nothing was done, and nothing is lost.

use app::view::{NotProven, PageProblem, Part, Problem};
use domain::id::UserId;
use jiff::Timestamp;
use tower_sessions::Session;
use tower_sessions::cookie::time::OffsetDateTime;

use crate::proof::{self, Purpose, Return, Sitting};
use crate::store::now;
use crate::web::Portal;
use crate::web::addresses::PagePath;
use crate::web::oidc::{Fresh, LoginError};
use crate::web::pace;
use crate::web::signed_in::{self, Person};

use super::attempt::{Again, Attempt};
use super::{Callback, Refusal, login};

/// The most that is kept of a form: a reason and a note of the longest kind, in the longest letters,
/// and room for the rest. What is typed beyond that was refused before.
const TYPED_MAX_BYTES: usize = 32 * 1024;

/// Where to send a browser so that its person signs in again, for this purpose, and comes back to
/// this page with what they had typed.
pub(in crate::web) async fn begin(
    portal: &Portal,
    session: &Session,
    purpose: Purpose,
    page: &PagePath,
    typed: Vec<(String, String)>,
) -> Result<String, PageProblem> {
    let size: usize = typed
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if size > TYPED_MAX_BYTES {
        return Err(PageProblem::TooLarge);
    }
    match leave(portal, session, purpose, page, typed).await {
        Ok(url) => Ok(url),
        Err(refusal) => {
            tracing::warn!(why = refusal.why, "nobody could leave to sign in again");
            Err(refusal.problem)
        }
    }
}

async fn leave(
    portal: &Portal,
    session: &Session,
    purpose: Purpose,
    page: &PagePath,
    typed: Vec<(String, String)>,
) -> Result<String, Refusal> {
    let gone = || Refusal::new(PageProblem::SignInMismatch, "nobody is signed in");
    let person = signed_in::look(session).await?.ok_or_else(gone)?;
    if !portal.pace.allows(&pace::Who::Person(person.user.clone())) {
        return Err(Refusal::new(PageProblem::TooMany, "too many sign-ins"));
    }
    let browser = signed_in::name_browser(session).await?;
    let until = person.expiry(OffsetDateTime::now_utc());
    session.set_expiry(Some(tower_sessions::Expiry::AtDateTime(until)));
    session.save().await?;
    let (url, pending) = portal.provider.begin(Some(Fresh {
        max_age: proof::MAX_AGE.unsigned_abs(),
    }))?;
    let again = Again {
        sitting: person.sitting(&browser),
        user: person.user,
        purpose,
        typed,
    };
    Attempt::new(browser, pending, page.as_str(), Some(again))
        .keep(portal)
        .await?;
    Ok(url.into())
}

/// Comes back from the provider.
pub(super) async fn finish(
    portal: &Portal,
    session: &Session,
    attempt: Attempt,
    again: Again,
    answer: Callback,
) -> Result<PagePath, Refusal> {
    // Whoever signed out meanwhile, or in as somebody else, has nothing to come back to.
    let gone = |why| Refusal::new(PageProblem::SignInMismatch, why);
    let person = signed_in::look(session)
        .await?
        .ok_or_else(|| gone("who left to sign in again has signed out"))?;
    let browser = signed_in::name_browser(session).await?;
    if person.sitting(&browser) != again.sitting || person.user != again.user {
        return Err(gone("who left to sign in again is not who is signed in"));
    }
    let proven = verify(portal, &attempt, &person, answer).await;
    let outcome = if proven.is_ok() { "proven" } else { "refused" };
    metrics::counter!("belay_sign_ins_again_total", "outcome" => outcome).increment(1);
    if proven.is_ok() {
        renew(session, &person).await?;
    }
    let path = attempt.return_to.clone();
    let place = again.purpose.place();
    keep(
        portal,
        &again.sitting,
        &again.user,
        again.purpose,
        &path,
        again.typed,
        proven,
    )
    .await?;
    let back = format!("{path}?again={}", place.as_str());
    Ok(PagePath::parse_or_home(Some(&back)))
}

/// Whoever copied the cookie before does not have what it opens from now on.
async fn renew(session: &Session, person: &Person) -> Result<(), Refusal> {
    session.cycle_id().await?;
    let until = person.expiry(OffsetDateTime::now_utc());
    session.set_expiry(Some(tower_sessions::Expiry::AtDateTime(until)));
    session.save().await?;
    Ok(())
}

async fn keep(
    portal: &Portal,
    sitting: &Sitting,
    user: &UserId,
    purpose: Purpose,
    page: &str,
    typed: Vec<(String, String)>,
    proven: Result<Timestamp, Problem>,
) -> Result<(), Refusal> {
    let (signed_in_at, problem) = match proven {
        Ok(at) => (Some(at), None),
        Err(problem) => (None, Some(problem)),
    };
    let back = Return {
        purpose,
        page: page.to_owned(),
        typed,
        problem,
    };
    let store = portal.service.store();
    store
        .keep_proof(sitting, user, back, signed_in_at, now())
        .await?;
    Ok(())
}

/// When this person signed in, if the provider says that they just have.
async fn verify(
    portal: &Portal,
    attempt: &Attempt,
    person: &Person,
    answer: Callback,
) -> Result<Timestamp, Problem> {
    let refused = |why: NotProven, detail: &str| {
        tracing::warn!(user = %person.user, detail, "a sign-in proves nothing");
        Problem::NotProven { why }
    };
    if answer.error.is_some() {
        // Whose answer this is does not matter: it gives nothing.
        return Err(refused(
            NotProven::Declined,
            "the provider answered an error",
        ));
    }
    let login = login(portal, attempt, answer, &[]).await.map_err(|error| {
        let detail = error.to_string();
        match error {
            LoginError::Unavailable(_) => Problem::Unavailable { part: Part::SignIn },
            LoginError::Refused(_) => refused(NotProven::TooLate, &detail),
            LoginError::Mismatch(_) | LoginError::Invalid(_) => {
                refused(NotProven::NotVerified, &detail)
            }
        }
    })?;
    if login.issuer != person.issuer || login.subject != person.subject {
        return Err(refused(
            NotProven::SomebodyElse,
            "another subject signed in",
        ));
    }
    let Some(seconds) = login.auth_time else {
        return Err(refused(NotProven::TooOld, "its ID token has no auth_time"));
    };
    let at = Timestamp::from_second(seconds)
        .map_err(|_| refused(NotProven::TooOld, "its auth_time is no time"))?;
    if proof::is_fresh(at, now()) {
        Ok(at)
    } else {
        Err(refused(
            NotProven::TooOld,
            "its auth_time is not of just now",
        ))
    }
}
