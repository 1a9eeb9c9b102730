//! How late ends were: each counted once whatever happens, and shown to those who answer for it.

use std::time::Duration;

use domain::delay::{Delays, End};
use domain::event::{Actor, Source};
use domain::grant::{Grant, GrantState, ReadEvidence, Receipt};
use domain::id::ServerId;
use domain::key::{Gate, Live, Phase};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use server::store::item::StoredKey;
use server::store::{Commit, Store, StoreError, fresh_grant, now};
use uuid::Uuid;

use crate::harness::{Belay, Page, Promised, Sandbox, Setup, eventually, promise, within};

/// A window of 20 s, a takeover after each kill, and 30 s between the two reads that prove an absence
/// which no deletion that we heard of explains; the rest is for slow machines.
const ENDED: Duration = Duration::from_mins(4);

const ACCOUNTS: [&str; 3] = ["111122223333", "222233334444", "888899990000"];

fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

fn me() -> Actor {
    Actor::Server(ServerId::new(Uuid::nil()))
}

async fn promised(sandbox: &Sandbox, user_name: &str, account: &str, seconds: i64) -> Promised {
    let row = sandbox
        .assignment(user_name, account, "ReadOnlyAccess")
        .await;
    let target = Target::Account {
        account: account.parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let user = row["principal_id"].as_str().unwrap();
    promise(sandbox, user, target, SignedDuration::from_secs(seconds)).await
}

fn removed(at: Timestamp) -> Receipt {
    Receipt::Removed {
        aws_request_id: "aws".to_owned(),
        accepted_at: at,
        succeeded_at: at,
        read: ReadEvidence {
            began_at: at,
            finished_at: at,
            pages: 1,
        },
        still_given_by: None,
    }
}

/// A grant that ended at that instant, so much later than promised, as the worker records it.
async fn ended(sandbox: &Sandbox, at: Timestamp, late: SignedDuration) -> Grant {
    let store = store(sandbox);
    let promised = promised(sandbox, "carla.rossi", ACCOUNTS[0], 60).await;
    let mut grant = promised.now(sandbox).await;
    grant.until = at - late;
    let receipt = removed(at);
    grant.state = GrantState::Ended { at, receipt };
    let before = store.key(&grant.key).await.unwrap().unwrap();
    let mut state = before.state.clone();
    state.live.retain(|live| live.grant != grant.id);
    let mut commit = Commit::new(me(), Source::Cli, at);
    commit.change_grant(&grant, []).unwrap();
    let key = StoredKey {
        state,
        due_at: None,
    };
    commit.change_key(Some(&before), &key).unwrap();
    store.commit(commit).await.unwrap();
    grant
}

/// What somebody reads on a page.
fn words(page: &Page) -> String {
    let texts = page.body.split('<').map(|part| match part.split_once('>') {
        Some((_, text)) => text,
        None => part,
    });
    let text = texts.collect::<Vec<_>>().join(" ").replace('\u{a0}', " ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How late all of these were that have ended.
async fn truth(sandbox: &Sandbox, promised: &[Promised]) -> (usize, Delays) {
    let mut delays = Delays::default();
    let mut over = 0;
    for promised in promised {
        let grant = promised.now(sandbox).await;
        over += usize::from(matches!(grant.state, GrantState::Ended { .. }));
        if let Some(end) = End::of(&grant) {
            delays.count(end.late_ms);
        }
    }
    (over, delays)
}

#[tokio::test]
async fn each_end_is_counted_once_whenever_the_server_is_killed() {
    let sandbox = Sandbox::start_with(&["--operation-ms=500", "--lag-ms-max=500"]);
    let setup = Setup::of(&sandbox).role("worker");
    let store = store(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    let mut all = Vec::new();
    for account in ACCOUNTS {
        for user in ["carla.rossi", "emma.lindqvist"] {
            all.push(promised(&sandbox, user, account, 20).await);
        }
    }
    // At the first end that is recorded, at the first that is counted, and then at each change of
    // either. Nothing is done while nobody lives, so that what the table says can be compared.
    let mut known = (0, 0);
    let whole = loop {
        let seen = within("another end is recorded or counted", ENDED, || async {
            let notes = store.uncounted_ends(100, None).await.unwrap().ends.len();
            let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
            let day = store.ends_of_day(today).await.unwrap().version;
            let seen = (notes, day);
            (seen != known).then_some(seen)
        })
        .await;
        belay.kill();
        let (over, delays) = truth(&sandbox, &all).await;
        let found = store.ends(now()).await.unwrap();
        assert_eq!(found.delays, delays, "at {seen:?}, after {known:?}");
        let notes = store.uncounted_ends(100, None).await.unwrap().ends.len();
        if over == all.len() && notes == 0 {
            break delays;
        }
        let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
        known = (notes, store.ends_of_day(today).await.unwrap().version);
        belay = Belay::launch(&setup).ready().await;
    };
    assert_eq!(whole.ends(), 6, "all of them were taken away");
    assert!(whole.worst() > 0, "it takes some time");
}

#[tokio::test]
async fn two_servers_that_count_the_same_ends_count_them_once() {
    let sandbox = Sandbox::start();
    let store = store(&sandbox);
    let at = now();
    for late in [1_900, 2_900] {
        ended(&sandbox, at, SignedDuration::from_millis(late)).await;
    }
    let notes = store.uncounted_ends(10, None).await.unwrap().ends;
    assert_eq!(notes.len(), 2);
    let day = notes[0].day();
    let before = store.ends_of_day(day).await.unwrap();
    let count = async |before: &_| {
        let mut commit = Commit::new(me(), Source::Worker, now());
        commit.count_ends(day, before, &notes).unwrap();
        store.commit(commit).await
    };
    count(&before).await.unwrap();
    // One that has read both before, and one that reads the day only now.
    let after = store.ends_of_day(day).await.unwrap();
    for read in [&before, &after] {
        let again = count(read).await.map(drop);
        assert!(matches!(again, Err(StoreError::Changed)), "{again:?}");
    }
    let found = store.ends(at).await.unwrap();
    let figure = (found.delays.ends(), found.delays.worst(), found.is_behind);
    assert_eq!(figure, (2, 2_900, false));
    assert!(store.uncounted_ends(10, None).await.unwrap().is_all);
}

#[tokio::test]
async fn a_day_that_was_read_before_another_end_was_counted_is_read_again() {
    let sandbox = Sandbox::start();
    let store = store(&sandbox);
    let at = now();
    ended(&sandbox, at, SignedDuration::from_secs(2)).await;
    let first = store.uncounted_ends(10, None).await.unwrap().ends;
    let day = first[0].day();
    let before = store.ends_of_day(day).await.unwrap();
    ended(&sandbox, at, SignedDuration::from_secs(7)).await;
    let mut second = store.uncounted_ends(10, None).await.unwrap().ends;
    second.retain(|end| !first.contains(end));
    let mut commit = Commit::new(me(), Source::Worker, now());
    commit.count_ends(day, &before, &first).unwrap();
    store.commit(commit).await.unwrap();
    let mut commit = Commit::new(me(), Source::Worker, now());
    commit.count_ends(day, &before, &second).unwrap();
    let lost = store.commit(commit).await.map(drop);
    assert!(matches!(lost, Err(StoreError::Changed)), "{lost:?}");
    let found = store.ends(at).await.unwrap();
    assert_eq!((found.delays.ends(), found.delays.worst()), (2, 7_000));
}

#[tokio::test]
async fn the_figure_is_of_thirty_days_and_ends_that_are_not_counted_yet_are_in_it() {
    let sandbox = Sandbox::start();
    let store = store(&sandbox);
    let at = now();
    let days = |days: i64| at - SignedDuration::from_hours(24 * days);
    let late = SignedDuration::from_secs;
    for (when, late) in [(days(30), late(999)), (days(29), late(5)), (at, late(1))] {
        ended(&sandbox, when, late).await;
    }
    let figure = async || {
        let found = store.ends(at).await.unwrap();
        assert!(!found.is_behind);
        (found.delays.ends(), found.delays.worst())
    };
    assert_eq!(figure().await, (2, 5_000), "none of them is counted yet");
    let belay = Belay::launch(&Setup::of(&sandbox).role("worker"));
    eventually("all of them are counted", || async {
        let notes = store.uncounted_ends(10, None).await.unwrap();
        notes.ends.is_empty().then_some(())
    })
    .await;
    drop(belay);
    assert_eq!(figure().await, (2, 5_000), "and still so");
}

#[tokio::test]
async fn how_late_ends_were_is_shown_to_admins_and_auditors_alone() {
    let sandbox = Sandbox::start();
    let at = now();
    for late in [1_900, 1_950, 9_000] {
        ended(&sandbox, at, SignedDuration::from_millis(late)).await;
    }
    let belay = Belay::start(&sandbox).await;
    for user in ["grace.chen", "hugo.martin"] {
        let page = belay.signed_in(user).await.get("/findings").await;
        assert_eq!(page.status, 200, "{}", page.text());
        let text = words(&page);
        let figure = "Ends in the last 30 days Proven gone 3 Half within 2 s \
                      99 of 100 within 9 s Worst 9 s Overdue now none";
        assert!(text.contains(figure), "{user}: {text}");
    }
    let carla = belay.signed_in("carla.rossi").await;
    let page = carla.get("/findings").await;
    assert_eq!(page.status, 404);
    assert!(!words(&page).contains("Ends in the last"), "{page:?}");
    let read = carla.read("/api/ui/ends").await;
    let unknown = carla.read("/api/ui/request?id=unknown").await;
    assert_eq!(read.body, unknown.body, "nothing is there for her");
}

/// A key on which one grant should be gone and waits to be tried again, and another is promised for
/// later.
async fn late_with_one_to_come(sandbox: &Sandbox) -> Timestamp {
    let store = store(sandbox);
    let promised = promised(sandbox, "carla.rossi", ACCOUNTS[0], 60).await;
    let grant = promised.now(sandbox).await;
    let at = now();
    let since = at - SignedDuration::from_secs(90);
    let before = store.key(&grant.key).await.unwrap().unwrap();
    let mut state = before.state.clone();
    state.live[0].until = since;
    state.live[0].phase = Phase::Revoking;
    state.live.push(Live {
        grant: fresh_grant(),
        from: at + SignedDuration::from_hours(1),
        until: at + SignedDuration::from_hours(2),
        phase: Phase::Scheduled,
        gate: Gate::Open,
    });
    let due_at = Some(at + SignedDuration::from_mins(5));
    let mut commit = Commit::new(me(), Source::Cli, at);
    let key = StoredKey { state, due_at };
    commit.change_key(Some(&before), &key).unwrap();
    store.commit(commit).await.unwrap();
    since
}

#[tokio::test]
async fn what_is_late_now_is_shown_whoever_leads_and_whatever_else_is_promised() {
    let sandbox = Sandbox::start();
    let table = store(&sandbox);
    // Neither what has yet to begin nor what has yet to end is late.
    let waiting = promised(&sandbox, "emma.lindqvist", ACCOUNTS[1], 900).await;
    let late = table.late_now(now()).await.unwrap();
    assert_eq!((late.keys, late.since, late.is_at_least), (0, None, false));
    let since = late_with_one_to_come(&sandbox).await;
    let late = table.late_now(now()).await.unwrap();
    assert_eq!((late.keys, late.since), (1, Some(since)));
    // Nobody leads: this server only shows pages.
    let worker = Belay::launch(&Setup::of(&sandbox).role("worker"))
        .ready()
        .await;
    eventually("what may be granted is", || async {
        let state = waiting.now(&sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;
    drop(worker);
    let portal = Belay::launch(&Setup::of(&sandbox).role("portal"))
        .ready()
        .await;
    let grace = portal.signed_in("grace.chen").await;
    let text = words(&grace.get("/findings").await);
    assert!(text.contains("Overdue now 1 , the longest since"), "{text}");
}
