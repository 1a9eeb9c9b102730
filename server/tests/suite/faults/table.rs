//! The worker's own table, under each kind of fault at each stage of a grant: what the table did and
//! did not tell is found out about, so that AWS is asked once for each key, and each event is there
//! once.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::grant::{GrantState, Receipt};
use domain::plan;
use domain::target::{Key, Target};
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use server::store::keys;

use super::promised::in_time;
use crate::harness::{ANYTHING_AT_ONCE, Belay, Browser, Sandbox, Setup, eventually, promise};
use crate::killed::{assert_chained, events};

/// A window of 75 s at most, and attempts that are given up after some seconds, stage by stage.
const PATIENCE: Duration = Duration::from_mins(4);

/// Who ask, in turn: nobody may ask for more than thirty things in an hour.
const PEOPLE: [&str; 2] = ["ines.costa", "carla.rossi"];

const TRANSACT: &str = "dynamodb:TransactWriteItems";

/// The attempts that the SDK makes of one call: more than these, and the call has failed.
const ATTEMPTS: u32 = 4;

/// The whole life of a grant, each stage one transaction of the worker's that records it.
const STAGES: [&str; 4] = [
    "grant.granting",
    "grant.activated",
    "grant.revoking",
    "grant.ended",
];

/// No answer is heard while it is given; its window is longer, so that it comes all the same.
const EVERY_STAGE: &str = "every stage";

/// What befalls a call of the table, and how often.
pub(super) fn faults() -> Vec<Value> {
    let broken =
        |times: u32| json!({"kind": "error", "error": "InternalServerError", "times": times});
    vec![
        broken(1),
        broken(ATTEMPTS + 1),
        json!({"kind": "throttle", "times": ATTEMPTS + 1}),
        json!({"kind": "latency", "ms": 1_500}),
        // Longer than an attempt may take.
        json!({"kind": "stall", "ms": 4_000}),
        // Done, and not heard of: by one attempt, and by all of them.
        json!({"kind": "lose-response"}),
        json!({"kind": "lose-response", "times": ATTEMPTS}),
    ]
}

/// A grant on a key of its own, and what befalls the table when it is about that key.
#[derive(Debug)]
struct Case {
    /// What the fault is about.
    what: String,
    fault: Value,
    account: String,
    permission_set: String,
    permission_set_arn: String,
    seconds: &'static str,
    id: String,
    request: String,
}

/// Every fault at every stage; on each read of the key; and on every transaction about a key, so that
/// the one which records nothing but an answer of AWS has its turn.
fn cases(users: &[String], free: &[(String, String, String)]) -> Vec<Case> {
    let mut free = free.iter().zip(users.iter().cycle());
    let mut cases = Vec::new();
    let mut add = |what: &str, operation: &str, mut fault: Value, of: &dyn Fn(&str) -> Value| {
        let (key, user) = free.next().expect("a free key");
        fault["operation"] = operation.into();
        fault["match"] = of(&partition(user, key));
        cases.push(Case {
            what: format!("{what} under {fault}"),
            fault,
            account: key.0.clone(),
            permission_set: key.1.clone(),
            permission_set_arn: key.2.clone(),
            seconds: if what == EVERY_STAGE { "75" } else { "45" },
            id: String::new(),
            request: String::new(),
        });
    };
    // Only the worker changes a key that is there, or records these kinds.
    let key_is_changed = |pk: &str| json!({"Update": {"Key": {"pk": {"S": pk}}}});
    for stage in STAGES {
        for fault in faults() {
            let of = |pk: &str| {
                let event = json!({"Put": {"Item": {"kind": {"S": stage}}}});
                json!({"TransactItems": [key_is_changed(pk), event]})
            };
            add(stage, TRANSACT, fault, &of);
        }
    }
    let often = json!({"kind": "lose-response", "times": 5 * ATTEMPTS});
    let any = |pk: &str| json!({"TransactItems": [key_is_changed(pk)]});
    add(EVERY_STAGE, TRANSACT, often, &any);
    for fault in faults() {
        let of = |pk: &str| json!({"Key": {"pk": {"S": pk}, "sk": {"S": "key"}}});
        add("the key", "dynamodb:GetItem", fault, &of);
    }
    cases
}

/// Where the table keeps what is wanted of a key.
fn partition(user: &str, (account, _, arn): &(String, String, String)) -> String {
    let key = Key {
        user: user.parse().unwrap(),
        target: Target::Account {
            account: account.parse().unwrap(),
            permission_set: arn.parse().unwrap(),
        },
    };
    keys::key(&key).pk
}

/// Pairs that nobody has, of accounts that are not protected.
async fn free(sandbox: &Sandbox) -> Vec<(String, String, String)> {
    let state = sandbox.state().await;
    let list = |name: &str| state[name].as_array().unwrap().clone();
    let taken = list("assignments");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut free = Vec::new();
    for set in list("permission_sets") {
        for account in list("accounts") {
            let id = text(&account["account_id"]);
            let is_taken = taken
                .iter()
                .any(|have| have["account_id"] == id && have["permission_set_arn"] == set["arn"]);
            if !is_taken && !["100000000001", "666677778888"].contains(&id.as_str()) {
                free.push((id, text(&set["name"]), text(&set["arn"])));
            }
        }
    }
    free
}

impl Case {
    async fn begin(&mut self, sandbox: &Sandbox, browser: &Browser) {
        self.id = sandbox.fault(self.fault.clone()).await;
        let path = format!("/access/{}/{}", self.account, self.permission_set);
        let form = [
            ("duration", self.seconds),
            ("reason", "INC-9: the table is unwell"),
        ];
        // The read of a key that is refused is the person's, too.
        let begun = Instant::now();
        let page = loop {
            let page = browser.post(&path, &form).await;
            if page.status == 303 {
                break page;
            }
            assert_eq!(page.status, 503, "{}: {}", self.what, page.text());
            assert!(begun.elapsed() < PATIENCE, "{}", self.what);
        };
        let location = page.location();
        location
            .split('?')
            .next()
            .unwrap()
            .clone_into(&mut self.request);
    }

    /// What is recorded of its grant, oldest first.
    fn told<'a>(&self, events: &'a BTreeMap<(String, String), Value>) -> Vec<&'a Value> {
        let id = self.request.rsplit('/').next().unwrap();
        let of_it = |((stream, _), record): &(&'a (String, String), &'a Value)| {
            stream.starts_with("stream#grant:") && record["belay_request_id"] == id
        };
        events
            .iter()
            .filter(of_it)
            .map(|(_, record)| record)
            .collect()
    }

    fn has_ended(&self, events: &BTreeMap<(String, String), Value>) -> bool {
        let told = self.told(events);
        told.last()
            .is_some_and(|last| last["kind"] == "grant.ended")
    }

    fn check(&self, events: &BTreeMap<(String, String), Value>, calls: &[Value]) {
        let told = self.told(events);
        let kinds: Vec<&str> = told
            .iter()
            .map(|record| record["kind"].as_str().unwrap())
            .collect();
        let expected: Vec<&str> = ["grant.scheduled"].into_iter().chain(STAGES).collect();
        assert_eq!(kinds, expected, "{}", self.what);
        let last = told.last().unwrap();
        assert_eq!(last["access_is_gone"], "true", "{}: {last}", self.what);
        // A transaction that is sent again, or found to have happened, is no second promise.
        for operation in [
            "sso-admin:CreateAccountAssignment",
            "sso-admin:DeleteAccountAssignment",
        ] {
            let of_it = calls.iter().filter(|call| {
                call["operation"] == operation
                    && call["input"]["TargetId"] == self.account
                    && call["input"]["PermissionSetArn"] == self.permission_set_arn
            });
            assert_eq!(of_it.count(), 1, "{}: {operation}", self.what);
        }
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_the_workers_table_aws_is_asked_once_and_each_event_is_there_once()
{
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).policy(&sandbox, ANYTHING_AT_ONCE);
    let belay = Belay::launch(&setup).ready().await;
    let mut browsers = Vec::new();
    let mut users = Vec::new();
    for person in PEOPLE {
        browsers.push(belay.signed_in(person).await);
        users.push(sandbox.user_id(person).await);
    }
    let mut cases = cases(&users, &free(&sandbox).await);
    let before = sorted(&sandbox.state().await["assignments"]);
    for (case, browser) in cases.iter_mut().zip(browsers.iter().cycle()) {
        case.begin(&sandbox, browser).await;
    }

    let begun = Instant::now();
    let events = loop {
        let events = events(&sandbox).await;
        let open: Vec<&str> = cases
            .iter()
            .filter(|case| !case.has_ended(&events))
            .map(|case| case.what.as_str())
            .collect();
        if open.is_empty() {
            break events;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "waited in vain for: {open:#?}\n{}",
            belay.said()
        );
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert_chained(&events);
    assert_eq!(sorted(&sandbox.state().await["assignments"]), before);
    let fired = sandbox.faults_fired().await;
    let mut calls = sandbox.calls("sso-admin:CreateAccountAssignment").await;
    calls.extend(sandbox.calls("sso-admin:DeleteAccountAssignment").await);
    for case in &cases {
        case.check(&events, &calls);
        let times = case.fault["times"].as_u64().unwrap_or(1);
        let expected = if case.what.starts_with(EVERY_STAGE) {
            1
        } else {
            times
        };
        assert!(
            fired[&case.id] >= expected,
            "{}: {}",
            case.what,
            fired[&case.id]
        );
    }
    let pages = cases.iter().zip(browsers.iter().cycle());
    let pages = pages.map(|(case, browser)| async {
        let page = browser.get(&case.request).await;
        assert!(
            page.body.contains("Removed"),
            "{}: {}",
            case.what,
            page.text()
        );
    });
    join_all(pages).await;
}

/// AWS says once that a deletion was accepted. While that cannot be stored it is kept, and so the
/// receipt tells of a deletion, and not of something that was gone already.
#[tokio::test]
async fn what_aws_said_while_the_table_was_away_is_on_the_receipt() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).policy(&sandbox, ANYTHING_AT_ONCE);
    let belay = Belay::launch(&setup).ready().await;
    let browser = belay.signed_in(PEOPLE[0]).await;
    let delete = "sso-admin:DeleteAccountAssignment";
    sandbox
        .fault(json!({"operation": delete, "kind": "latency", "ms": 4_000}))
        .await;
    let form = [("duration", "10"), ("reason", "INC-9: the table is unwell")];
    let page = browser
        .post("/access/111122223333/NetworkAdministrator", &form)
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    eventually("the deletion is on its way", || async {
        (!sandbox.calls(delete).await.is_empty()).then_some(())
    })
    .await;
    let away = sandbox
        .fault(json!({
            "operation": TRANSACT, "kind": "error", "error": "InternalServerError",
            "times": 2 * ATTEMPTS + 1,
        }))
        .await;
    let page = eventually("it is told as removed", || async {
        let page = browser.get(&request).await;
        (page.status == 200 && page.body.contains("Removed")).then_some(page)
    })
    .await;
    assert!(!page.body.contains("Was gone already"), "{}", page.text());
    assert!(sandbox.faults_fired().await[&away] > u64::from(2 * ATTEMPTS));
    let events = events(&sandbox).await;
    assert_chained(&events);
    let ended = events
        .values()
        .find(|record| record["kind"] == "grant.ended");
    assert_eq!(ended.unwrap()["receipt"]["kind"], "removed");
    assert_eq!(sandbox.calls(delete).await.len(), 1);
}

fn sorted(rows: &Value) -> Vec<String> {
    let mut rows: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(Value::to_string)
        .collect();
    rows.sort();
    rows
}

/// The intent is stored, and the table says so only when it is too old to be sent. Who recorded it
/// knows that it was not: nothing has to be waited for, and the end can be proven.
#[tokio::test]
async fn an_intent_that_was_never_sent_is_taken_back_and_leaves_no_doubt() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let row = sandbox
        .assignment(PEOPLE[0], "111122223333", "NetworkAdministrator")
        .await;
    let text = |name: &str| row[name].as_str().unwrap().to_owned();
    let (user, arn) = (text("principal_id"), text("permission_set_arn"));
    let pk = partition(&user, &(text("account_id"), String::new(), arn.clone()));
    let of_intent = json!({"TransactItems": [
        {"Update": {"Key": {"pk": {"S": pk}}}},
        {"Put": {"Item": {"kind": {"S": STAGES[0]}}}},
    ]});
    // Each attempt is done late, and not heard of: together they take longer than an intent is good.
    let late = plan::SEND_WITHIN.as_millis() / i128::from(ATTEMPTS) + 500;
    let late = json!({"kind": "latency", "ms": i64::try_from(late).unwrap(), "times": ATTEMPTS});
    let lost = json!({"kind": "lose-response", "times": ATTEMPTS});
    for mut fault in [late, lost] {
        fault["operation"] = TRANSACT.into();
        fault["match"] = of_intent.clone();
        sandbox.fault(fault).await;
    }
    let target = Target::Account {
        account: text("account_id").parse().unwrap(),
        permission_set: arn.parse().unwrap(),
    };
    let promised = promise(&sandbox, &user, target, SignedDuration::from_secs(60)).await;
    let receipt = in_time("it comes and goes", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Ended { receipt, .. } => Some(receipt),
            _ => None,
        }
    })
    .await;
    assert!(matches!(receipt, Receipt::Removed { .. }), "{receipt:?}");
    // The last attempt may not be made: with the pauses between them, which are drawn, they come to
    // 7 to 14 s, and the SDK has 10 s for all of them. Either is longer than an intent is good.
    let fired = sandbox.faults_fired().await;
    let attempts = 2..=u64::from(ATTEMPTS);
    assert!(
        fired.values().all(|fired| attempts.contains(fired)),
        "{fired:?}"
    );
    let sent = sandbox.calls("sso-admin:CreateAccountAssignment").await;
    assert_eq!(sent.len(), 1, "{sent:?}");
    drop(belay);
}
