//! Complete reads of a pair's assignments, shared by all who wait for one.
//!
//! Whoever asks joins those who wait for the pair. Whoever of them gets a turn first makes the
//! read for all: it begins after each of them asked, so it is evidence for each. Who asks while a
//! read is under way waits for the next. Nothing is kept.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ssoadmin::types::PrincipalType;
use domain::grant::ReadEvidence;
use domain::id::{GroupId, UserId};
use domain::progress::{Presence, Sighting};
use thiserror::Error;
use tokio::sync::oneshot;

use super::Pair;
use super::call::Api;
use crate::limiter::{Class, Try, Turn};
use crate::store::now;

/// Pages of one pair's assignments: 100 rows each, so 10,000 people on one permission set in one
/// account. Beyond that nothing is concluded.
const PAGES_MAX: u32 = 100;

/// Why assignments could not be read. Nothing may be concluded from that (invariant 6).
#[derive(Debug, Clone, Error)]
pub enum ReadFailed {
    /// A page failed.
    #[error("{operation} failed ({code})")]
    Call {
        /// Which call.
        operation: &'static str,
        /// AWS's error code, or what kept it from answering.
        code: String,
    },
    /// The list did not end.
    #[error("ListAccountAssignments gave more than {PAGES_MAX} pages")]
    TooMany,
}

/// Who has a permission set in an account.
#[derive(Debug)]
pub struct PairRead {
    /// By assignments of their own.
    pub people: BTreeSet<UserId>,
    /// The groups that are assigned it.
    pub groups: BTreeSet<GroupId>,
    /// The read.
    pub read: ReadEvidence,
}

impl PairRead {
    /// Whether the person's own assignment is there.
    #[must_use]
    pub fn sighting(&self, user: &UserId) -> Sighting {
        Sighting {
            presence: if self.people.contains(user) {
                Presence::Present
            } else {
                Presence::Absent
            },
            read: self.read.clone(),
        }
    }
}

type Answer = Arc<Result<Arc<PairRead>, ReadFailed>>;

/// Told when a read begins: where its answer will come.
type Waiter = oneshot::Sender<oneshot::Receiver<Answer>>;

/// The reads of one instance. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Reads {
    api: Api,
    waiting: Arc<Mutex<HashMap<Pair, Vec<Waiter>>>>,
}

impl Reads {
    pub(super) fn new(api: Api) -> Self {
        Self {
            api,
            waiting: Arc::default(),
        }
    }

    /// Everybody and every group on the pair.
    pub(super) async fn read(
        &self,
        pair: Pair,
        class: Class,
        attempt: Try,
    ) -> Result<Arc<PairRead>, ReadFailed> {
        let answer = self.answer(pair, class, attempt).await;
        Result::clone(&answer)
    }

    async fn answer(&self, pair: Pair, class: Class, attempt: Try) -> Answer {
        let (tell, begun) = oneshot::channel();
        self.with_waiting(|waiting| waiting.entry(pair.clone()).or_default().push(tell));
        tokio::select! {
            biased;
            answer = begun => heard(answer).await,
            turn = self.api.limiter.acquire(class, attempt) => {
                let waiters = self.with_waiting(|waiting| waiting.remove(&pair));
                // Nobody but who takes the waiters answers them, and this is one of them.
                self.lead(&pair, class, turn, waiters.unwrap_or_default()).await
            }
        }
    }

    fn with_waiting<T>(&self, act: impl FnOnce(&mut HashMap<Pair, Vec<Waiter>>) -> T) -> T {
        act(&mut self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads for all who wait.
    async fn lead(&self, pair: &Pair, class: Class, turn: Turn, waiters: Vec<Waiter>) -> Answer {
        let answers: Vec<oneshot::Sender<Answer>> = waiters
            .into_iter()
            .filter_map(|waiter| {
                let (tell, told) = oneshot::channel();
                waiter.send(told).ok().map(|()| tell)
            })
            .collect();
        let answer = Arc::new(self.every_page(pair, class, turn).await.map(Arc::new));
        for tell in answers {
            // Who left needs no answer.
            let _ = tell.send(Arc::clone(&answer));
        }
        answer
    }

    async fn every_page(
        &self,
        pair: &Pair,
        class: Class,
        turn: Turn,
    ) -> Result<PairRead, ReadFailed> {
        turn.spend();
        let began_at = now();
        let mut people = BTreeSet::new();
        let mut groups = BTreeSet::new();
        let mut token: Option<String> = None;
        for pages in 1..=PAGES_MAX {
            if pages > 1 {
                self.api.limiter.pass(class).await;
            }
            let page = self
                .api
                .assignments(pair, token.take())
                .await
                .map_err(call_failed)?;
            for row in page.account_assignments() {
                let id = row.principal_id().unwrap_or_default();
                // A row that cannot be read may be the one that is looked for.
                let odd = |_| call_failed("a principal id that is not understood".to_owned());
                match row.principal_type() {
                    Some(PrincipalType::User) => {
                        people.insert(UserId::parse(id).map_err(odd)?);
                    }
                    Some(PrincipalType::Group) => {
                        groups.insert(GroupId::parse(id).map_err(odd)?);
                    }
                    // A kind that came later is nobody's own assignment.
                    _ => {}
                }
            }
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                let read = ReadEvidence {
                    began_at,
                    finished_at: now(),
                    pages,
                };
                return Ok(PairRead {
                    people,
                    groups,
                    read,
                });
            }
        }
        Err(ReadFailed::TooMany)
    }
}

fn call_failed(code: String) -> ReadFailed {
    ReadFailed::Call {
        operation: "ListAccountAssignments",
        code,
    }
}

/// An answer that never comes is a failed read: whoever made it is gone.
async fn heard(begun: Result<oneshot::Receiver<Answer>, oneshot::error::RecvError>) -> Answer {
    let gone = || Arc::new(Err(call_failed("abandoned".to_owned())));
    match begun {
        Ok(told) => told.await.unwrap_or_else(|_| gone()),
        Err(_) => gone(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::num::NonZeroU32;

    use aws_config::{BehaviorVersion, Region, SdkConfig};
    use aws_sdk_ssoadmin::config::{Credentials, SharedCredentialsProvider};

    use super::*;
    use crate::aws::Clients;
    use crate::limiter::Limiter;

    /// Reads of an AWS that nobody answers for: what matters is who shares an answer.
    fn reads(limiter: Limiter) -> Reads {
        let key = Credentials::new("sandbox", "sandbox", None, None, "test");
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(key))
            .endpoint_url("http://127.0.0.1:9")
            .build();
        let arn = "arn:aws:sso:::instance/ssoins-6987a1b2c3d4e5f6".to_owned();
        Reads::new(Api::new(Clients::new(&shared), arn, limiter))
    }

    fn pair(account: &str) -> Pair {
        Pair {
            account: account.parse().unwrap(),
            permission_set:
                "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/ps-0123456789abcdef"
                    .parse()
                    .unwrap(),
        }
    }

    #[tokio::test]
    async fn one_read_serves_all_who_wait_for_a_pair_and_nobody_who_comes_later() {
        let limiter = Limiter::new(NonZeroU32::new(2).unwrap());
        // All that has gathered: now everybody waits.
        for _ in 0..4 {
            limiter.pass(Class::Revoke).await;
        }
        let reads = reads(limiter);
        let ask = |account, class| reads.answer(pair(account), class, Try::First);
        // The one that would wait longest is served with the others.
        let (first, second, third, other) = tokio::join!(
            ask("111122223333", Class::Refresh),
            ask("111122223333", Class::Grant),
            ask("111122223333", Class::Proof),
            ask("222233334444", Class::Grant),
        );
        assert!(Arc::ptr_eq(&first, &second) && Arc::ptr_eq(&second, &third));
        assert!(!Arc::ptr_eq(&first, &other), "another pair is another read");
        let later = ask("111122223333", Class::Grant).await;
        assert!(!Arc::ptr_eq(&first, &later), "nothing is kept");
    }
}
