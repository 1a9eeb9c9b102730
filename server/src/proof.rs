//! Proof that somebody has just signed in anew: for one act, once, in the session they act in.
//!
//! | item | `pk` | `sk` | read by |
//! | --- | --- | --- | --- |
//! | proof | `proof#SHA-256 of the sitting` | SHA-256 of the purpose | `GetItem`, consistent: the act it is for, and the page that leads to it |
//!
//! A guardrail's `reauthenticate` is fulfilled by nothing else. The door that watched the sign-in
//! keeps the proof ([`Store::keep_proof`]); a verb that needs it finds it, judges its age at that
//! instant, and uses it up in the transaction of what it decides ([`Commit::use_up`]): of two that
//! decide by one proof, one is refused by DynamoDB. Deliberately absent: a way to hand a proof to a
//! verb. It is looked up by who acts, where and for what, so that no other's fits.

use std::collections::BTreeSet;
use std::fmt::Display;

use domain::event;
use domain::id::{RequestId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::store::keys::At;
use crate::store::{Commit, Store, StoreError, item};

/// The oldest sign-in that still proves who acts (DESIGN 7): time to read the request once more and
/// to press the button, and not to go to lunch.
pub const MAX_AGE: SignedDuration = SignedDuration::from_mins(10);

/// How far ahead of ours a provider's clock may be. Clocks that are set by the network differ by
/// less than a second; a sign-in from further ahead would be young for longer than it may.
const AHEAD_MAX: SignedDuration = SignedDuration::from_secs(30);

/// The layout of these items; a reader that meets a higher one finds no proof.
const SCHEMA: u32 = 1;

/// The kind of these items.
const PROOF: &str = "proof";

/// One person's stay in one browser, from signing in to signing out. Only the door that keeps the
/// session makes one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sitting(String);

impl Sitting {
    /// Names a stay by what is unlike in any two of them. The name is a hash: whoever reads it learns
    /// nothing that opens a door.
    pub(crate) fn of(browser: &str, user: &UserId, signed_in_at: i64) -> Self {
        Self(hash(&[browser, user.as_str(), &signed_in_at.to_string()]))
    }
}

/// What somebody proves themselves for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose(String);

impl Purpose {
    /// To approve this request.
    #[must_use]
    pub fn approve(request: RequestId) -> Self {
        Self(format!("approve {request}"))
    }

    /// To sign this request's break-glass.
    #[must_use]
    pub fn sign(request: RequestId) -> Self {
        Self(format!("sign {request}"))
    }

    /// To ask for exactly these targets, whatever their order.
    pub fn submit(targets: impl IntoIterator<Item = impl Display>) -> Self {
        Self(format!("submit {}", each_once(targets)))
    }

    /// To go in first to exactly these targets.
    pub fn break_glass(targets: impl IntoIterator<Item = impl Display>) -> Self {
        Self(format!("break-glass {}", each_once(targets)))
    }

    /// Where its proof is kept, and how an address may name it: it says nothing of what it is.
    #[must_use]
    pub fn place(&self) -> Place {
        Place(hash(&[&self.0]))
    }
}

fn each_once(targets: impl IntoIterator<Item = impl Display>) -> String {
    let targets: BTreeSet<String> = targets
        .into_iter()
        .map(|target| target.to_string())
        .collect();
    let targets: Vec<String> = targets.into_iter().collect();
    targets.join(" ")
}

/// The place of a purpose among those of a sitting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place(String);

impl Place {
    /// Parses what an address names; any other text is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Self(text.to_owned()))
    }

    /// As it stands in an address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of leaving to sign in anew, for the page that the person comes back to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Return<P> {
    /// For what they left.
    pub(crate) purpose: Purpose,
    /// The path of the page that they left.
    pub(crate) page: String,
    /// What they had typed there.
    pub(crate) typed: Vec<(String, String)>,
    /// Why there is no proof, if there is none.
    pub(crate) problem: Option<P>,
}

/// The item. One for each purpose: who signs in twice for it has one proof, the later.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<P> {
    schema: u32,
    item: String,
    user: UserId,
    back: Return<P>,
    /// Names this proof, so that it is not taken for an earlier or later one.
    proof: Option<String>,
    /// When the provider says that the person signed in.
    signed_in_at: Option<Timestamp>,
    /// Epoch seconds; DynamoDB removes it some time later.
    expires_at: i64,
}

/// A proof that is there to be used. It counts for nothing until [`Commit::use_up`].
#[derive(Debug, Clone)]
#[must_use = "a proof that is not used up could be used again"]
pub struct Proof {
    at: At,
    id: String,
    signed_in_at: Timestamp,
}

impl Proof {
    /// When the person signed in.
    #[must_use]
    pub const fn signed_in_at(&self) -> Timestamp {
        self.signed_in_at
    }

    /// From when on it is too old.
    #[must_use]
    pub fn good_until(&self) -> Timestamp {
        self.signed_in_at
            .saturating_add(MAX_AGE)
            .unwrap_or(self.signed_in_at)
    }
}

/// Whether a sign-in at that time proves at this instant who acts.
#[must_use]
pub fn is_fresh(signed_in_at: Timestamp, now: Timestamp) -> bool {
    let age = now.duration_since(signed_in_at);
    -AHEAD_MAX <= age && age <= MAX_AGE
}

fn hash(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        // No part contains it, so that no two lists read the same.
        hash.update([0]);
    }
    event::hex(&hash.finalize())
}

fn at(sitting: &Sitting, place: &Place) -> At {
    At {
        pk: format!("proof#{}", sitting.0),
        sk: place.0.clone(),
    }
}

impl Store {
    /// Keeps what came of signing in anew: a proof if `signed_in_at` says when they did. Called by
    /// the door that has verified it, and by nobody else.
    pub(crate) async fn keep_proof<P: Serialize>(
        &self,
        sitting: &Sitting,
        user: &UserId,
        back: Return<P>,
        signed_in_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let at = at(sitting, &back.purpose.place());
        let expires = now.saturating_add(MAX_AGE).unwrap_or(now);
        let stored = Stored {
            schema: SCHEMA,
            item: PROOF.to_owned(),
            user: user.clone(),
            back,
            proof: signed_in_at.map(|_| Uuid::now_v7().to_string()),
            signed_in_at,
            expires_at: expires.as_second(),
        };
        self.keep(&at, item::attributes(&stored)?).await
    }

    /// The proof that this person gave in this sitting for this purpose, if it is fresh.
    pub(crate) async fn proof(
        &self,
        sitting: &Sitting,
        user: &UserId,
        purpose: &Purpose,
        now: Timestamp,
    ) -> Result<Option<Proof>, StoreError> {
        let at = at(sitting, &purpose.place());
        let Some(stored) = self.get::<Stored<serde_json::Value>>(&at).await? else {
            return Ok(None);
        };
        let fits = stored.schema <= SCHEMA
            && stored.item == PROOF
            && stored.user == *user
            && stored.back.purpose == *purpose;
        let (Some(id), Some(signed_in_at), true) = (stored.proof, stored.signed_in_at, fits) else {
            return Ok(None);
        };
        Ok(is_fresh(signed_in_at, now).then_some(Proof {
            at,
            id,
            signed_in_at,
        }))
    }

    /// What came of it, for the page that the person comes back to.
    pub(crate) async fn returned<P: serde::de::DeserializeOwned>(
        &self,
        sitting: &Sitting,
        place: &Place,
        now: Timestamp,
    ) -> Result<Option<Return<P>>, StoreError> {
        let stored = self.get::<Stored<P>>(&at(sitting, place)).await?;
        Ok(stored
            .filter(|stored| stored.schema <= SCHEMA && stored.expires_at > now.as_second())
            .map(|stored| stored.back))
    }
}

impl Commit {
    /// Holds only if the proof has not been used, and uses it.
    pub(crate) fn use_up(&mut self, proof: &Proof) -> Result<(), StoreError> {
        self.delete_if(&proof.at, "proof", &proof.id)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_sign_in_proves_for_ten_minutes_and_not_from_the_future() {
        let now: Timestamp = "2026-11-22T08:00:00Z".parse().unwrap();
        let fresh = |seconds| is_fresh(now - SignedDuration::from_secs(seconds), now);
        assert!(fresh(0) && fresh(600) && fresh(-30));
        assert!(!fresh(601) && !fresh(-31));
    }

    #[test]
    fn purposes_do_not_run_into_each_other() {
        let id = |end: u8| {
            RequestId::parse(&format!("01932c07-20a1-7e3c-a0a5-0123456789{end:02x}")).unwrap()
        };
        let all = [
            Purpose::approve(id(1)),
            Purpose::approve(id(2)),
            Purpose::submit([id(1)]),
            Purpose::submit([id(2)]),
            Purpose::submit([id(1), id(2)]),
            Purpose::sign(id(1)),
            Purpose::break_glass([id(1)]),
            Purpose::break_glass([id(1), id(2)]),
        ];
        let places: BTreeSet<String> = all.iter().map(|one| one.place().0).collect();
        assert_eq!(places.len(), all.len());
        assert_eq!(
            Purpose::submit([id(2), id(1)]),
            Purpose::submit([id(1), id(2)])
        );
    }

    #[test]
    fn sittings_do_not_run_into_each_other() {
        let user = UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b").unwrap();
        let other = UserId::parse("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6c").unwrap();
        let one = Sitting::of("b", &user, 1);
        assert_ne!(one, Sitting::of("c", &user, 1));
        assert_ne!(one, Sitting::of("b", &other, 1));
        assert_ne!(one, Sitting::of("b", &user, 2));
    }
}
