//! What the table holds while it is measured: a fixed number of open requests and live grants, as
//! an organisation has them at any time, and as much history as is asked for.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::event::{Actor, Source, Stream};
use domain::grant::{Evidence, Grant, GrantState, ReadEvidence};
use domain::id::{
    AccountId, AskIndex, GrantId, PermissionSetArn, PolicyVersion, RequestId, UserId,
};
use domain::key::{KeyState, Phase, Standing};
use domain::request::{Ask, AskState, Names, Opinion, Request, Review, Terms, Who};
use domain::target::{Key, Target};
use futures::stream::{StreamExt as _, TryStreamExt as _};
use jiff::{SignedDuration, Timestamp};
use server::store::item::{Attributes, StoredKey};
use server::store::{Commit, Store, Tally, now};
use uuid::Uuid;

const PEOPLE: usize = 300;
const ACCOUNTS: usize = 300;
const SETS: usize = 20;

/// Requests that wait for review, and grants that are live, at any time.
const OPEN: usize = 40;
const LIVE: usize = 200;

/// Requests of the person whose pages are measured, newer than all history: more than a page.
const OF_ONE_PERSON: usize = 60;

/// History lies within this time before today: Belay is not older.
const BEGAN: Timestamp = Timestamp::constant(1_793_491_200, 0);

/// What `BatchWriteItem` takes.
const BATCH: usize = 25;
const BATCHES_AT_ONCE: usize = 4;

/// What the patterns look for.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) person: UserId,
    pub(crate) request: RequestId,
    pub(crate) pending: Target,
    pub(crate) grants: Vec<GrantId>,
    pub(crate) key: Key,
}

pub(crate) fn user(nth: usize) -> UserId {
    UserId::parse(&format!("93a4c8d2-1011-70e2-3a5b-{:012x}", nth % PEOPLE)).unwrap()
}

pub(crate) fn account(nth: usize) -> AccountId {
    AccountId::parse(&format!("{:012}", 100_000_000_000 + nth % ACCOUNTS)).unwrap()
}

pub(crate) fn permission_set(nth: usize) -> PermissionSetArn {
    let set = format!("ps-{:016x}", nth % SETS);
    PermissionSetArn::parse(&format!(
        "arn:aws:sso:::permissionSet/ssoins-6987a1b2c3d4e5f6/{set}"
    ))
    .unwrap()
}

fn who(nth: usize) -> Who {
    Who {
        id: user(nth),
        name: format!("Person {}", nth % PEOPLE),
        email: Some(format!("person{}@example.com", nth % PEOPLE)),
    }
}

/// A request whose id, as all of Belay's, begins with its time.
pub(crate) fn request(nth: usize, by: usize, at: Timestamp) -> Request {
    let target = Target::Account {
        account: account(nth),
        permission_set: permission_set(nth / ACCOUNTS + nth),
    };
    let millis = u64::try_from(at.as_millisecond()).unwrap();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&(nth as u64).to_be_bytes());
    let id = uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid();
    Request {
        id: RequestId::new(id),
        requester: who(by),
        reason: format!("INC-{nth}: the settlement batch is stuck, reading its logs"),
        duration_seconds: 3600,
        submitted_at: at,
        expires_at: at + SignedDuration::from_hours(8),
        policy: PolicyVersion::of_digest([7; 32]),
        terms: Terms::default(),
        asks: vec![Ask {
            index: AskIndex(0),
            target,
            names: Names {
                account: format!("Account {}", nth % ACCOUNTS),
                permission_set: format!("Set{}", nth % SETS),
                session_seconds: 3600,
            },
            state: AskState::Pending,
            verdict: serde_json::json!({ "outcome": "needs-approval", "routes": [] }),
            reviews: Vec::new(),
            glass: None,
        }],
        nudged_at: None,
        version: 1,
    }
}

/// Everything that does not belong to history.
pub(crate) async fn live(store: &Store) -> Live {
    let mut requests = Vec::new();
    for nth in 0..OPEN.max(OF_ONE_PERSON) {
        let at = now() - SignedDuration::from_mins(minutes(nth));
        // The first open requests are other people's; the measured person waits for one.
        let by = if nth < OPEN && nth > 0 { nth } else { 0 };
        let open = request(nth, by, at);
        let stored = if nth < OPEN { open } else { decided(open, nth) };
        store.commit(submission(&stored)).await.unwrap();
        requests.push(stored);
    }
    for nth in 0..OF_ONE_PERSON {
        let at = now() - SignedDuration::from_mins(100 + minutes(nth));
        let request = decided(request(1_000 + nth, 0, at), nth);
        store.commit(submission(&request)).await.unwrap();
    }
    let mut grants = Vec::new();
    for nth in 0..LIVE {
        grants.push(hold(store, nth).await);
    }
    let first = &requests[0];
    tally(store, first).await;
    Live {
        person: first.requester.id.clone(),
        request: first.id,
        pending: first.asks[0].target.clone(),
        grants: grants.iter().take(10).map(|grant| grant.id).collect(),
        key: grants[0].key.clone(),
    }
}

fn minutes(nth: usize) -> i64 {
    i64::try_from(nth).unwrap()
}

fn submission(request: &Request) -> Commit {
    let actor = Actor::Person(request.requester.clone());
    let mut commit = Commit::new(actor, Source::Portal, request.submitted_at);
    let (kind, details) = request.submitted();
    let stream = Stream::Request(request.id);
    commit.event(&stream, kind, &details).unwrap();
    commit.submit(request).unwrap();
    commit
}

/// The measured person waits for as much as anybody may, and has asked as often.
async fn tally(store: &Store, request: &Request) {
    let target = request.asks[0].target.to_string();
    let others = (1..20).map(|nth| (format!("{target}/{nth}"), request.id));
    let tally = Tally {
        version: 0,
        pending: others.chain([(target.clone(), request.id)]).collect(),
        submitted: vec![now(); 30],
    };
    let actor = Actor::Person(request.requester.clone());
    let mut commit = Commit::new(actor, Source::Portal, now());
    let user = &request.requester.id;
    commit
        .change_tally(user, &Tally::default(), &tally)
        .unwrap();
    store.commit(commit).await.unwrap();
}

/// Someone said no, or nobody said anything.
fn decided(request: Request, nth: usize) -> Request {
    let at = request.submitted_at + SignedDuration::from_secs(90);
    let by = who(nth + 1);
    let next = if nth.is_multiple_of(2) {
        let note = "Use the replica for this.".to_owned();
        request.denied(
            AskIndex(0),
            Review {
                by,
                opinion: Opinion::Deny,
                note,
                seconds: None,
                at,
            },
        )
    } else {
        request.expired(AskIndex(0), at)
    };
    next.unwrap().request
}

/// A grant that ends in some hours, as it is stored while it is active.
async fn hold(store: &Store, nth: usize) -> Grant {
    let from = now();
    let request = request(100_000 + nth, nth, from);
    let ask = &request.asks[0];
    let until = from + SignedDuration::from_hours(4);
    let grant = Grant {
        id: GrantId::new(Uuid::now_v7()),
        request: request.id,
        ask: AskIndex(0),
        key: Key {
            user: request.requester.id.clone(),
            target: ask.target.clone(),
        },
        names: ask.names.clone(),
        requester: request.requester.clone(),
        approver: None,
        reason: request.reason.clone(),
        ticket: None,
        from,
        until,
        run_from: None,
        state: GrantState::Active {
            since: from,
            evidence: Evidence::Seen {
                read: ReadEvidence {
                    began_at: from,
                    finished_at: from,
                    pages: 1,
                },
            },
        },
        approved_by: "0".repeat(64),
        break_glass: false,
    };
    let mut state = KeyState::new(grant.key.clone()).with(grant.id, from, until);
    state.standing = Standing::Ours;
    for live in &mut state.live {
        live.phase = Phase::Active;
    }
    let due_at = Some(until);
    let actor = Actor::Person(grant.requester.clone());
    let mut commit = Commit::new(actor, Source::Portal, from);
    commit.promise(&grant).unwrap();
    commit
        .change_key(None, &StoredKey { state, due_at })
        .unwrap();
    store.commit(commit).await.unwrap();
    grant
}

/// So many requests that are long decided.
pub(crate) async fn history(client: &Client, requests: usize) {
    // History ends where the measured person's own newest requests begin.
    let ends = now() - SignedDuration::from_hours(6);
    let span = ends.duration_since(BEGAN).as_millis();
    let puts = (0..requests).flat_map(|nth| {
        let after = span * (nth as i128) / (requests as i128);
        let at =
            Timestamp::from_millisecond(BEGAN.as_millisecond() + i64::try_from(after).unwrap())
                .unwrap();
        let request = decided(request(nth, nth, at), nth);
        let puts = submission(&request).into_puts().unwrap();
        puts.into_iter().filter(lasts)
    });
    let batches = futures::stream::iter(puts).chunks(BATCH).map(Ok);
    batches
        .try_for_each_concurrent(BATCHES_AT_ONCE, |batch| write(client, batch))
        .await
        .unwrap();
}

/// What lies beside other requests' in a partition, or in an index, when a request is long over.
/// The rest was delivered, or ran out; its events have a partition to themselves, and would only
/// double the time that filling the table takes.
fn lasts(item: &Attributes) -> bool {
    let place = |name: &str| item[name].as_s().unwrap().clone();
    let (pk, sk) = (place("pk"), place("sk"));
    pk.starts_with("request#") || sk.starts_with("request#")
}

async fn write(client: &Client, batch: Vec<Attributes>) -> Result<(), String> {
    /// The sandbox processes all of a batch; the real one needs a pause after the first refusals.
    const TRIES: u32 = 8;
    let mut rest: Vec<WriteRequest> = batch
        .into_iter()
        .map(|item| {
            let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
            WriteRequest::builder().put_request(put).build()
        })
        .collect();
    for attempt in 0..TRIES {
        let answer = client
            .batch_write_item()
            .request_items("belay", rest)
            .send()
            .await
            .map_err(|error| format!("{error:?}"))?;
        rest = answer
            .unprocessed_items
            .and_then(|mut tables| tables.remove("belay"))
            .unwrap_or_default();
        if rest.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50 << attempt)).await;
    }
    Err(format!("{} items were never written", rest.len()))
}
