//! Which login belongs to which person: one to one, kept for ever.
//!
//! | item | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | login | `login#SHA-256 of issuer and subject` | `login` | `GetItem`, consistent: each sign-in |
//! | a person's login | `person#USER` | `login` | `GetItem`, consistent: the first sign-in |
//!
//! Both are written in one transaction, with its event, and only if neither is there. A provider
//! account that is given another's e-mail therefore finds that person taken, and an account whose
//! e-mail changes hands stays who it was.

use domain::event::{self, Actor, Details, Kind, Source, Stream};
use domain::id::UserId;
use domain::request::Who;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::store::keys::{self, At};
use crate::store::{Commit, Expect, Store, StoreError, item, now};
use crate::web::Portal;
use crate::web::oidc::Login;

use super::person::Found;

/// Another sign-in of this server may move its stream's head meanwhile; each loser reads again.
const ATTEMPTS: u32 = 5;

/// The layout of these items.
const SCHEMA: u32 = 1;

/// The kind of both items, and their sort key.
const LOGIN: &str = "login";

/// Why a login is not bound to a person.
#[derive(Debug, Error)]
pub(super) enum BindingError {
    /// One of the two is bound to another.
    #[error("the login or the person is bound to another")]
    BoundElsewhere,
    /// The table did not do its part.
    #[error("the table did not do its part")]
    Store(#[from] StoreError),
}

/// Both items hold the same, so that either answers for the pair.
#[derive(Debug, Serialize, Deserialize)]
struct Binding {
    schema: u32,
    item: String,
    user: UserId,
    login: String,
    /// So that an admin who is asked can say whose login it is.
    issuer: String,
    subject: String,
}

/// Binds the login to the person, or confirms that they are bound.
pub(super) async fn bind(
    portal: &Portal,
    login: &Login,
    found: &Found,
) -> Result<(), BindingError> {
    let store = portal.service.store();
    let hash = login_hash(&login.issuer, &login.subject);
    for _ in 0..ATTEMPTS {
        if is_bound(store, &hash, &found.user).await? {
            return Ok(());
        }
        match write(portal, store, login, found, &hash).await {
            Err(StoreError::Changed) => {}
            other => return Ok(other?),
        }
    }
    Err(StoreError::Changed.into())
}

/// The person of a login that has been used to sign in.
pub(in crate::web) async fn person_of(
    store: &Store,
    issuer: &str,
    subject: &str,
) -> Result<Option<UserId>, StoreError> {
    let bound: Option<Binding> = store.get(&login_at(&login_hash(issuer, subject))).await?;
    Ok(bound.map(|bound| bound.user))
}

async fn is_bound(store: &Store, hash: &str, user: &UserId) -> Result<bool, BindingError> {
    let of_login: Option<Binding> = store.get(&login_at(hash)).await?;
    let of_person: Option<Binding> = match of_login {
        Some(_) => None,
        None => store.get(&person_at(user)).await?,
    };
    match of_login.or(of_person) {
        None => Ok(false),
        Some(bound) if bound.user == *user && bound.login == hash => Ok(true),
        Some(_) => {
            tracing::error!(%user, login = hash, "refused a login: it or its person is bound to another");
            metrics::counter!("belay_logins_bound_elsewhere_total").increment(1);
            Err(BindingError::BoundElsewhere)
        }
    }
}

async fn write(
    portal: &Portal,
    store: &Store,
    login: &Login,
    found: &Found,
    hash: &str,
) -> Result<(), StoreError> {
    let binding = Binding {
        schema: SCHEMA,
        item: LOGIN.to_owned(),
        user: found.user.clone(),
        login: hash.to_owned(),
        issuer: login.issuer.clone(),
        subject: login.subject.clone(),
    };
    let who = Who {
        id: found.user.clone(),
        name: found.name.clone(),
        email: Some(found.email.clone()).filter(|email| !email.is_empty()),
    };
    let stream = Stream::Server(portal.service.me());
    let mut commit = Commit::new(Actor::Person(who.clone()), Source::Portal, now());
    commit.continue_stream(&stream, store.head(&stream).await?);
    for at in [login_at(hash), person_at(&found.user)] {
        commit.put(&at, item::attributes(&binding)?, Some(Expect::Absent))?;
    }
    let mut details = Details {
        requester: Some(who),
        ..Details::default()
    };
    details.more.insert("issuer", login.issuer.clone().into());
    details.more.insert("subject", login.subject.clone().into());
    commit.event(&stream, Kind::PersonBound, &details)?;
    store.commit(commit).await?;
    tracing::info!(user = %found.user, "bound a login to a person");
    Ok(())
}

fn login_at(hash: &str) -> At {
    At {
        pk: format!("login#{hash}"),
        sk: LOGIN.to_owned(),
    }
}

fn person_at(user: &UserId) -> At {
    At {
        pk: keys::person(user),
        sk: LOGIN.to_owned(),
    }
}

/// Issuer and subject with a byte between them that neither can contain, so that no two logins
/// read the same.
fn login_hash(issuer: &str, subject: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(issuer.as_bytes());
    hash.update([0]);
    hash.update(subject.as_bytes());
    event::hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_do_not_run_into_each_other() {
        assert_ne!(
            login_hash("https://idp.example", "/a1"),
            login_hash("https://idp.example/a", "1")
        );
    }
}
