//! Who asks: a person at the portal, by their session, or whoever speaks for them, by a bearer token.
//!
//! A request that has both is judged by its token alone. A token's person is the one whose login at
//! the portal it is; it has no sitting, so that nothing it does is ever proven by a new sign-in.

use std::collections::BTreeSet;

use axum::extract::FromRequestParts;
use domain::directory::Status;
use domain::event::Source;
use domain::id::UserId;
use domain::request::Who;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http::request::Parts;
use tower_sessions::Session;

use crate::service::{Caller, Whose};
use crate::web::headers::cookie;
use crate::web::listen::Peer;
use crate::web::oidc::{AccessToken, TokenError};
use crate::web::session::COOKIE;
use crate::web::sign_in::binding;
use crate::web::{Portal, origin, pace, signed_in};

use super::code::ApiCode;
use super::failures::Sender;
use super::problem::Problem;
use super::scope::Scope;

/// Whoever asks, and by what.
#[derive(Debug, Clone)]
pub(super) struct Asker {
    pub(super) caller: Caller,
    /// The scopes of the token; none: it is a session.
    pub(super) token: Option<BTreeSet<String>>,
}

impl Asker {
    /// Whether they may read: a session always, a token if it says so.
    pub(super) fn may(&self, scope: Scope) -> bool {
        self.token
            .as_ref()
            .is_none_or(|scopes| scopes.contains(scope.word()))
    }

    /// Whose access they may end.
    pub(super) const fn whose(&self) -> Whose {
        match self.token {
            Some(_) => Whose::Own,
            None => Whose::Anyones,
        }
    }
}

/// Somebody who reads.
#[derive(Debug)]
pub(super) struct Reads(pub(super) Asker);

/// Somebody who asks for access, or gives back their own.
#[derive(Debug)]
pub(super) struct Submits(pub(super) Asker);

/// Somebody who answers for what they do, by their session.
#[derive(Debug)]
pub(super) struct Acts(pub(super) Caller);

impl FromRequestParts<Portal> for Reads {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        with_scope(parts, portal, Scope::Read).await.map(Self)
    }
}

impl FromRequestParts<Portal> for Submits {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        with_scope(parts, portal, Scope::Submit).await.map(Self)
    }
}

impl FromRequestParts<Portal> for Acts {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, portal: &Portal) -> Result<Self, Problem> {
        if parts.headers.contains_key(AUTHORIZATION) {
            // Whatever it says.
            return Err(Problem::insufficient_scope(ApiCode::SessionOnly, None));
        }
        by_session(parts, portal).await.map(Self)
    }
}

async fn with_scope(parts: &mut Parts, portal: &Portal, scope: Scope) -> Result<Asker, Problem> {
    if !parts.headers.contains_key(AUTHORIZATION) {
        return Ok(Asker {
            caller: by_session(parts, portal).await?,
            token: None,
        });
    }
    let asker = by_token(parts, portal).await?;
    if asker.may(scope) {
        Ok(asker)
    } else {
        Err(Problem::insufficient_scope(
            ApiCode::InsufficientScope,
            Some(scope.word()),
        ))
    }
}

/// The person of a session. What changes something has to come from our own pages, as everywhere.
async fn by_session(parts: &mut Parts, portal: &Portal) -> Result<Caller, Problem> {
    if !has_session(&parts.headers) {
        return Err(Problem::of(ApiCode::SignedOut));
    }
    let ours = portal.public_url.origin();
    if !origin::is_safe(&parts.method) && !origin::is_from(&ours, &parts.headers) {
        return Err(Problem::of(ApiCode::CrossOrigin));
    }
    let session = Session::from_request_parts(parts, portal).await;
    let session = session.map_err(|_| Problem::of(ApiCode::Broken))?;
    match signed_in::caller(portal, &session).await {
        Ok(Some(caller)) => Ok(Caller {
            source: Source::Api,
            ..caller
        }),
        Ok(None) => Err(Problem::of(ApiCode::SignedOut)),
        Err(error) => {
            tracing::error!(%error, "who is asking cannot be told");
            Err(Problem::of(ApiCode::Unavailable))
        }
    }
}

/// Whether a browser sends the cookie of a session. Whoever sends none is nobody, wherever they are.
fn has_session(headers: &HeaderMap) -> bool {
    cookie(headers, COOKIE).is_some()
}

/// The person of a token.
async fn by_token(parts: &Parts, portal: &Portal) -> Result<Asker, Problem> {
    let token = token(parts, portal).await?;
    let store = portal.service.store();
    let user = match binding::person_of(store, &token.issuer, &token.subject).await {
        Ok(Some(user)) => user,
        Ok(None) => return Err(Problem::of(ApiCode::LoginNotBound)),
        Err(error) => {
            tracing::error!(%error, detail = error.detail(), "whose token it is cannot be told");
            return Err(Problem::of(ApiCode::Unavailable));
        }
    };
    Ok(Asker {
        caller: Caller {
            who: who(portal, user).await?,
            source: Source::Api,
            sitting: None,
        },
        token: Some(token.scopes),
    })
}

/// What a good token says, if there is time for one that may not be.
async fn token(parts: &Parts, portal: &Portal) -> Result<AccessToken, Problem> {
    let text = bearer(&parts.headers)?;
    let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
    let sender = Sender {
        peer,
        told: pace::Who::of(&parts.headers, peer),
    };
    let failures = &portal.failures;
    let refused = metrics::counter!("belay_api_tokens_refused_total");
    if let Err(wait) = failures.may_look(&sender, text) {
        // Not logged: so many came that this is what they are for.
        refused.increment(1);
        return Err(Problem::too_many_tokens(wait));
    }
    match portal.provider.access_token(text).await {
        Ok(token) => {
            failures.was_good(text);
            Ok(token)
        }
        Err(why) => {
            refused.increment(1);
            tracing::info!(%why, "a bearer token was refused");
            Err(match why {
                TokenError::NotTaken => Problem::of(ApiCode::TokensNotTaken),
                TokenError::Unavailable => Problem::of(ApiCode::Unavailable),
                TokenError::Invalid(why) => {
                    failures.failed(sender, text);
                    Problem::invalid_token(why)
                }
            })
        }
    }
}

/// The token that a request carries.
fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return Err(
            Problem::of(ApiCode::BadRequest).because("There are two Authorization headers.")
        );
    };
    only.to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or_else(|| {
            Problem::of(ApiCode::SignedOut)
                .because("The Authorization header has no bearer token in it.")
        })
}

/// The person as they are now. Whoever the snapshot does not have as active is asked about live, as
/// for a session; only the Identity Store itself shuts anybody out.
async fn who(portal: &Portal, user: UserId) -> Result<Who, Problem> {
    let world = portal.service.world();
    let world = world.map_err(|_| Problem::of(ApiCode::Unavailable))?;
    let known = world.directory.people.get(&user);
    if known.is_none_or(|known| known.status != Status::Active) {
        match portal.service.people().status(&user).await {
            Ok(Some(Status::Active)) => {}
            Ok(_) => return Err(Problem::of(ApiCode::PersonInactive)),
            Err(error) => {
                tracing::error!(%error, "whether a token's person is active cannot be told");
                return Err(Problem::of(ApiCode::Unavailable));
            }
        }
    }
    Ok(Who {
        name: known.map_or_else(|| user.to_string(), |known| known.display_name.clone()),
        email: known.and_then(|known| known.emails.first().cloned()),
        id: user,
    })
}
