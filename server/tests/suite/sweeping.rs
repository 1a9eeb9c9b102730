//! What the sweep takes away by itself, and how hard it is to have it take anything.

mod baseline;

use std::collections::BTreeSet;
use std::time::Duration;

use domain::adoption::Course;
use domain::event::{Actor, Source, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::id::{ServerId, UserId};
use domain::request::Who;
use domain::sweep::baseline::ProposedBaseline;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::service::baseline_keys;
use server::store::{Commit, Pass, Store};
use uuid::Uuid;

use crate::findings::{done, kinds_of, refused};
use crate::harness::{Belay, Browser, Page, Sandbox, Setup, within};

/// A takeover, half a minute of grace, and a pass; the rest is for slow machines.
const PATIENCE: Duration = Duration::from_mins(6);

const LIST: &str = "sso-admin:ListAccountAssignments";
pub(crate) const DELETE: &str = "sso-admin:DeleteAccountAssignment";
const SET: &str = "AdministratorAccess";

/// Open to people, and nobody's own when the sandbox begins.
const PAYMENTS: &str = "111122223333";

/// One of those that the deployment protects.
const PROTECTED: &str = "666677778888";

fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    ask: impl FnMut() -> F,
) -> T {
    within(what, PATIENCE, ask).await
}

/// Takes away what two looks have shown.
pub(crate) fn enforcing(sandbox: &Sandbox) -> Setup {
    Setup::of(sandbox)
        .with("BELAY_SWEEP", "enforce")
        .with("BELAY_SWEEP_GRACE", "0s")
}

fn server() -> Actor {
    Actor::Server(ServerId::new(Uuid::nil()))
}

/// A pass over the organisation, from its beginning, now.
async fn pass(sandbox: &Sandbox) {
    store(sandbox).set_pass(&Pass::default()).await.unwrap();
    until("the organisation was looked through", || async {
        let pass = store(sandbox).pass().await.unwrap();
        pass.completed_at.map(drop)
    })
    .await;
}

/// A pass that read everything by itself, and by now is done with what follows from it.
pub(crate) async fn look(sandbox: &Sandbox) {
    let before = looks(sandbox).await;
    until("everything was looked at", || async {
        pass(sandbox).await;
        (looks(sandbox).await > before).then_some(())
    })
    .await;
}

async fn looks(sandbox: &Sandbox) -> Option<Timestamp> {
    let looks = store(sandbox).looks().await.unwrap();
    looks.last().map(|look| look.finished_at)
}

/// What is open about this assignment.
async fn open(sandbox: &Sandbox, row: &Value) -> Option<Finding> {
    let all = store(sandbox).findings().await.unwrap();
    all.into_iter().find(|one| {
        let of = row["principal_id"].as_str().unwrap();
        let account = row["account_id"].as_str().unwrap();
        one.difference == Difference::Unmanaged
            && one.key.user.as_str() == of
            && one.key.target.to_string().starts_with(account)
    })
}

/// Everything that is assigned, to whomever.
pub(crate) async fn rows(sandbox: &Sandbox) -> BTreeSet<String> {
    let state = sandbox.state().await;
    let rows = state["assignments"].as_array().unwrap();
    rows.iter().map(triple).collect()
}

fn triple(row: &Value) -> String {
    let names = ["account_id", "permission_set_arn", "principal_id"];
    names.map(|name| row[name].as_str().unwrap()).join(" ")
}

/// Somebody gives them access to payments by hand.
pub(crate) async fn by_hand(sandbox: &Sandbox, who: &str) -> Value {
    let row = sandbox.assignment(who, PAYMENTS, SET).await;
    sandbox.assign(&row).await;
    row
}

/// The digest of the baseline that would be proposed now.
async fn digest(sandbox: &Sandbox) -> String {
    let keys = baseline_keys(&store(sandbox).findings().await.unwrap());
    ProposedBaseline::new(&keys, (somebody(1), ""), Timestamp::now()).digest
}

fn somebody(number: u8) -> Who {
    let id = format!("93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a{number:02x}");
    Who {
        id: UserId::parse(&id).unwrap(),
        name: "Somebody".to_owned(),
        email: None,
    }
}

/// What is open now is agreed on as the baseline.
async fn agree_baseline(sandbox: &Sandbox) {
    let store = store(sandbox);
    let keys = baseline_keys(&store.findings().await.unwrap());
    let now = Timestamp::now();
    let proposed = ProposedBaseline::new(&keys, (somebody(1), "known"), now);
    let mut commit = Commit::new(server(), Source::Portal, now);
    let head = store.head(&Stream::Sweep).await.unwrap();
    commit.propose_baseline(&proposed, head).unwrap();
    store.commit(commit).await.unwrap();
    let digest = proposed.digest.clone();
    let (baseline, event) = proposed.agree(somebody(2), &digest, None, now).unwrap();
    let mut commit = Commit::new(server(), Source::Portal, now);
    let head = store.head(&Stream::Sweep).await.unwrap();
    commit.agree_baseline(&baseline, head, event).unwrap();
    store.commit(commit).await.unwrap();
}

/// Two people, not of this test, adopt a finding.
async fn adopt(sandbox: &Sandbox, finding: &Finding) {
    let store = store(sandbox);
    let stream = Stream::Finding(finding.id);
    let day = SignedDuration::from_hours(24);
    let now = Timestamp::now();
    let (proposed, event) = finding
        .clone()
        .propose(Course::Adopt, (somebody(1), "known"), day, now)
        .unwrap();
    let mut commit = Commit::new(server(), Source::Portal, now);
    let head = store.head(&stream).await.unwrap();
    commit.change_finding(&proposed, head, event).unwrap();
    store.commit(commit).await.unwrap();
    let (agreement, closed, event) = proposed.confirm(somebody(2), 1, now).unwrap();
    let mut commit = Commit::new(server(), Source::Portal, now);
    let head = store.head(&stream).await.unwrap();
    commit.agree(&agreement, head, closed, event).unwrap();
    store.commit(commit).await.unwrap();
}

async fn steer(browser: &Browser, act: &str, digest: &str) -> Page {
    let form = [("act", act), ("digest", digest), ("note", "all known")];
    browser.post("/findings", &form).await
}

fn shows(page: &Page, said: &str) {
    assert!(page.body.contains(said), "{said}: {}", page.text());
}

/// `belay sweep --dry-run --json`: how it ended, and what it said.
async fn dry_run(setup: &Setup) -> (i32, Value) {
    let setup = setup.clone();
    let run = move || setup.run(&["sweep", "--dry-run", "--json"]);
    let ran = tokio::task::spawn_blocking(run).await.unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let told = serde_json::from_str(&said).unwrap_or(Value::Null);
    (ran.status.code().unwrap(), told)
}

#[tokio::test]
async fn what_came_after_the_baseline_is_taken_away_and_nothing_else_is() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox).with("BELAY_SWEEP_ALLOW", "888899990001/*/*");
    assert_eq!(dry_run(&setup).await.0, 3);
    let belay = Belay::launch(&setup).ready().await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    let hugo = belay.signed_in("hugo.martin").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    look(&sandbox).await;
    look(&sandbox).await;
    // Ripe as it is, nobody has agreed to anything.
    shows(&hugo.get("/findings").await, "There is no baseline.");
    let (code, told) = dry_run(&setup).await;
    assert_eq!(
        (code, &told["halted"]),
        (0, &json!("no-baseline")),
        "{told}"
    );
    assert!(!told["ripe"].as_array().unwrap().is_empty(), "{told}");
    let (code, told) = dry_run(&setup.clone().with("BELAY_SWEEP_GRACE", "24h")).await;
    assert_eq!((code, &told["ripe"]), (0, &json!([])), "{told}");
    assert_eq!(told["left"][0]["why"], "young", "{told}");
    assert_eq!(sandbox.calls(DELETE).await, Vec::<Value>::new());

    let list = digest(&sandbox).await;
    for act in [
        "propose-baseline",
        "agree-baseline",
        "drop-baseline",
        "confirm-sweep",
    ] {
        refused(&steer(&hugo, act, &list).await, 403, "not yours to do");
        assert_eq!(steer(&emma, act, &list).await.status, 404, "{act}");
    }
    refused(
        &steer(&grace, "propose-baseline", "other").await,
        409,
        "The list has changed",
    );
    done(
        &steer(&grace, "propose-baseline", &list).await,
        "baseline-proposed",
    );
    refused(
        &steer(&grace, "agree-baseline", &list).await,
        403,
        "You proposed this yourself",
    );
    refused(
        &steer(&keiko, "agree-baseline", "other").await,
        409,
        "not proposed any more",
    );
    assert!(store(&sandbox).baseline().await.unwrap().is_none());
    shows(&keiko.get("/findings").await, "Agree to this baseline");
    done(
        &steer(&keiko, "agree-baseline", &list).await,
        "baseline-agreed",
    );

    let before = rows(&sandbox).await;
    let bad = sandbox.assignment("mia.novak", PAYMENTS, SET).await;
    let allowed = sandbox.assignment("mia.novak", "888899990001", SET).await;
    let protected = sandbox.assignment("mia.novak", PROTECTED, SET).await;
    let adopted = sandbox.assignment("carla.rossi", PAYMENTS, SET).await;
    let good = [allowed, protected, adopted.clone()];
    for row in good.iter().chain([&bad]) {
        sandbox.assign(row).await;
    }
    look(&sandbox).await;
    let found = open(&sandbox, &bad).await.unwrap();
    adopt(&sandbox, &open(&sandbox, &adopted).await.unwrap()).await;
    look(&sandbox).await;
    until("what nobody promised is gone", || async {
        (!sandbox.has(&bad).await).then_some(())
    })
    .await;
    let closed = until("and that is proved", || async {
        let closed = store(&sandbox).closed_findings(20).await.unwrap();
        closed.into_iter().find(|one| one.finding.id == found.id)
    })
    .await;
    assert_eq!(closed.closed_as, Closed::Removed);
    look(&sandbox).await;
    let expected: BTreeSet<_> = before.into_iter().chain(good.iter().map(triple)).collect();
    assert_eq!(rows(&sandbox).await, expected);
    assert_eq!(sandbox.calls(DELETE).await.len(), 1);
    assert_eq!(
        kinds_of(&sandbox, &found).await,
        ["finding.opened", "finding.removing", "finding.removed"]
    );
    let told = sandbox.events(&format!("finding:{}", found.id)).await;
    let removed = told.last().unwrap();
    assert_eq!(removed["receipt"]["kind"], "removed", "{removed}");
    assert_ne!(removed["request_id"], "NA", "{removed}");
    let (code, told) = dry_run(&setup).await;
    assert_eq!(code, 0, "{told}");
    let left = told["left"].as_array().unwrap();
    let why: BTreeSet<_> = left
        .iter()
        .map(|one| one["why"].as_str().unwrap())
        .collect();
    assert_eq!(why, BTreeSet::from(["baseline", "protected"]), "{told}");
    drop(belay);
}

#[tokio::test]
async fn more_than_the_cap_waits_until_an_admin_lets_that_very_list_go() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let belay = Belay::launch(&setup).ready().await;
    let grace = belay.signed_in("grace.chen").await;
    let hugo = belay.signed_in("hugo.martin").await;
    look(&sandbox).await;
    agree_baseline(&sandbox).await;
    let before = rows(&sandbox).await;
    let mut bad = Vec::new();
    for who in ["mia.novak", "carla.rossi"] {
        bad.push(by_hand(&sandbox, who).await);
    }
    look(&sandbox).await;
    look(&sandbox).await;
    until("a list waits", || async {
        (belay.metric("belay_sweep_waiting").await > 1.5).then_some(())
    })
    .await;
    let (code, told) = dry_run(&setup).await;
    assert_eq!((code, &told["outcome"]), (1, &json!("waits")), "{told}");
    assert_eq!(
        (&told["cap"], told["ripe"].as_array().unwrap().len()),
        (&json!(1), 2)
    );
    let list = told["digest"].as_str().unwrap();
    shows(&grace.get("/findings").await, "Take all 2 away");
    assert!(!hugo.get("/findings").await.body.contains("Take all 2 away"));
    refused(
        &steer(&hugo, "confirm-sweep", list).await,
        403,
        "not yours to do",
    );
    refused(
        &steer(&grace, "confirm-sweep", "other").await,
        409,
        "The list has changed",
    );
    assert_eq!(sandbox.calls(DELETE).await, Vec::<Value>::new());

    // Nobody need wait an hour for what they have just confirmed.
    done(
        &steer(&grace, "confirm-sweep", list).await,
        "sweep-confirmed",
    );
    until("the list is gone", || async {
        let now = rows(&sandbox).await;
        (now == before).then_some(())
    })
    .await;
    assert_eq!(sandbox.calls(DELETE).await.len(), 2);
    let used = store(&sandbox).confirmation().await.unwrap().unwrap();
    assert!(used.used_at.is_some());
    drop(belay);
}

#[tokio::test]
async fn a_look_that_is_not_complete_takes_nothing_away() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let belay = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    agree_baseline(&sandbox).await;
    let bad = by_hand(&sandbox, "mia.novak").await;
    look(&sandbox).await;
    let found = open(&sandbox, &bad).await.unwrap();
    // Ripe with the next look, which has one other pair that cannot be read.
    let before = looks(&sandbox).await;
    let elsewhere = sandbox.assignment("ana.silva", "888899990000", SET).await;
    let matches = json!({
        "AccountId": elsewhere["account_id"],
        "PermissionSetArn": elsewhere["permission_set_arn"],
    });
    let fault = sandbox
        .fault(json!({
            "operation": LIST, "kind": "error", "error": "InternalServerException",
            "times": 1_000_000, "match": matches,
        }))
        .await;
    pass(&sandbox).await;
    pass(&sandbox).await;
    assert_eq!(looks(&sandbox).await, before);
    assert_eq!(sandbox.calls(DELETE).await, Vec::<Value>::new());
    assert_eq!(kinds_of(&sandbox, &found).await, ["finding.opened"]);
    sandbox.lift(&fault).await;
    look(&sandbox).await;
    until("it is gone once all was read", || async {
        (!sandbox.has(&bad).await).then_some(())
    })
    .await;
    drop(belay);
}

#[tokio::test]
async fn what_is_adopted_between_the_plan_and_the_deletion_stays() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let belay = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    agree_baseline(&sandbox).await;
    let bad = by_hand(&sandbox, "mia.novak").await;
    look(&sandbox).await;
    let found = open(&sandbox, &bad).await.unwrap();
    // Its last judgement reads for a while.
    let matches = json!({
        "AccountId": bad["account_id"],
        "PermissionSetArn": bad["permission_set_arn"],
    });
    let fault = sandbox
        .fault(json!({
            "operation": LIST, "kind": "latency", "ms": 8_000, "times": 1_000_000, "match": matches,
        }))
        .await;
    store(&sandbox).set_pass(&Pass::default()).await.unwrap();
    until("it is planned to go", || async {
        (belay.metric("belay_sweep_ripe").await > 0.5).then_some(())
    })
    .await;
    adopt(&sandbox, &found).await;
    sandbox.lift(&fault).await;
    until("it was judged once more", || async {
        belay.said().contains("it is left after all").then_some(())
    })
    .await;
    look(&sandbox).await;
    assert!(sandbox.has(&bad).await);
    assert_eq!(sandbox.calls(DELETE).await, Vec::<Value>::new());
    assert_eq!(
        kinds_of(&sandbox, &found).await,
        ["finding.opened", "finding.proposed", "finding.closed"]
    );
    drop(belay);
}

#[tokio::test]
async fn a_server_that_is_killed_in_the_middle_changes_nothing_of_the_outcome() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    look(&sandbox).await;
    agree_baseline(&sandbox).await;
    let before = rows(&sandbox).await;
    let bad = by_hand(&sandbox, "mia.novak").await;
    look(&sandbox).await;
    let found = open(&sandbox, &bad).await.unwrap();
    // Whatever is sent is done, and nothing is heard of it.
    let fault = sandbox
        .fault(json!({ "operation": DELETE, "kind": "lose-response", "times": 1 }))
        .await;
    look(&sandbox).await;
    until("the intent is on record", || async {
        // Perhaps more than that by now: it may be over before this is asked again.
        let told = sandbox.events(&format!("finding:{}", found.id)).await;
        let mut kinds = told.iter().map(|told| &told["kind"]);
        kinds.any(|kind| kind == "finding.removing").then_some(())
    })
    .await;
    belay.kill();
    sandbox.lift(&fault).await;
    let belay = Belay::launch(&setup).ready().await;
    until("what became of it is told", || async {
        let told = sandbox.events(&format!("finding:{}", found.id)).await;
        let last = told.last().unwrap()["kind"].clone();
        (last != "finding.removing").then_some(())
    })
    .await;
    if sandbox.has(&bad).await {
        // It was never sent: nothing is sent again by itself, and for a quarter of an hour nothing is
        // swept that may yet be on its way.
        let kinds = kinds_of(&sandbox, &found).await;
        assert_eq!(kinds.last().unwrap(), "finding.not-removed");
        look(&sandbox).await;
        assert!(open(&sandbox, &bad).await.is_some());
        let expected: BTreeSet<_> = before.into_iter().chain([triple(&bad)]).collect();
        assert_eq!(rows(&sandbox).await, expected);
    } else {
        let kinds = kinds_of(&sandbox, &found).await;
        assert_eq!(kinds.last().unwrap(), "finding.removed");
        assert_eq!(open(&sandbox, &bad).await, None);
        assert_eq!(rows(&sandbox).await, before);
    }
    drop(belay);
}

#[tokio::test]
async fn with_the_sweep_off_the_page_says_so() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).with("BELAY_SWEEP", "off");
    let belay = Belay::launch(&setup).ready().await;
    let grace = belay.signed_in("grace.chen").await;
    let page = grace.get("/findings").await;
    shows(&page, "Off: nobody looks for what nobody promised.");
    assert!(!page.body.contains("Propose a baseline"), "{}", page.text());
    let page = steer(&grace, "propose-baseline", "any").await;
    refused(&page, 409, "Nobody has looked at everything yet");
}
