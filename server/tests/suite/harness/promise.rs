//! A grant that was promised without anybody asking for it: what the worker finds in the table.

use domain::event::{Actor, NO_HASH, Source};
use domain::grant::{Grant, GrantState};
use domain::id::{AskIndex, GrantId, PolicyVersion, RequestId, ServerId, UserId};
use domain::key::KeyState;
use domain::policy::{Code, Outcome, Verdict};
use domain::request::{Ask, AskState, Names, Promise, Request, Terms, Who};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use server::store::item::StoredKey;
use server::store::{Commit, Store};
use uuid::Uuid;

use super::Sandbox;

/// Which.
#[derive(Debug, Clone)]
pub(crate) struct Promised {
    pub(crate) grant: GrantId,
}

/// Promises this from now on, in one transaction, as an approval does.
pub(crate) async fn promise(
    sandbox: &Sandbox,
    user_id: &str,
    target: Target,
    lasts: SignedDuration,
) -> Promised {
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let now = Timestamp::now();
    let who = Who {
        id: UserId::parse(user_id).unwrap(),
        name: "Somebody".to_owned(),
        email: None,
    };
    let names = Names {
        account: "An Account".to_owned(),
        permission_set: "ASet".to_owned(),
        session_seconds: 3_600,
    };
    let key = Key {
        user: who.id.clone(),
        target: target.clone(),
    };
    let grant = Grant {
        id: GrantId::new(Uuid::now_v7()),
        request: RequestId::new(Uuid::now_v7()),
        ask: AskIndex(0),
        key: key.clone(),
        names: names.clone(),
        requester: who.clone(),
        approver: None,
        reason: "INC-77: promised by a test".to_owned(),
        ticket: None,
        from: now,
        until: now + lasts,
        run_from: None,
        state: GrantState::Scheduled,
        approved_by: NO_HASH.to_owned(),
        break_glass: false,
    };
    // What people read of it names the verdict.
    let verdict = automatic();
    let request = Request {
        id: grant.request,
        requester: who.clone(),
        reason: grant.reason.clone(),
        duration_seconds: u32::try_from(lasts.as_secs()).unwrap(),
        submitted_at: now,
        expires_at: now,
        policy: verdict.policy.clone(),
        terms: Terms::default(),
        asks: vec![Ask {
            index: AskIndex(0),
            target,
            names,
            state: AskState::Approved {
                at: now,
                rule: "test".to_owned(),
                grant: grant.id,
                seconds: u32::try_from(lasts.as_secs()).unwrap(),
                approved_by: NO_HASH.to_owned(),
                promise: Promise::Made,
            },
            verdict: serde_json::to_value(&verdict).unwrap(),
            reviews: Vec::new(),
            glass: None,
        }],
        nudged_at: None,
        version: 1,
    };
    let before = store.key(&key).await.unwrap();
    let state = before
        .as_ref()
        .map_or_else(|| KeyState::new(key.clone()), |before| before.state.clone())
        .with(grant.id, grant.from, grant.until);
    let stored = StoredKey {
        state,
        due_at: Some(now),
    };
    let me = ServerId::new(Uuid::nil());
    let mut commit = Commit::new(Actor::Server(me), Source::Cli, now);
    commit.submit(&request).unwrap();
    commit.promise(&grant).unwrap();
    commit.change_key(before.as_ref(), &stored).unwrap();
    store.commit(commit).await.unwrap();
    Promised { grant: grant.id }
}

impl Promised {
    /// The grant as it is now.
    pub(crate) async fn now(&self, sandbox: &Sandbox) -> Grant {
        let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
        store.grant(self.grant).await.unwrap().unwrap()
    }
}

/// The verdict of a policy that nobody has: granted at once, and for no reason.
pub(crate) fn automatic() -> Verdict {
    Verdict {
        policy: PolicyVersion::of_digest([7; 32]),
        outcome: Outcome::Granted,
        code: Code::Automatic,
        granted_by: None,
        eligible: Vec::new(),
        routes: Vec::new(),
        reasons: Vec::new(),
        nearest: None,
        reauthenticate: false,
    }
}
