//! What nobody waits for: giving and taking away, under each kind of fault, on each operation of
//! Identity Center that the worker uses. Each case is a grant on a key of its own, all of them at
//! once in one server, so that together they take as long as the slowest.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use serde_json::{Value, json};

use crate::harness::{ANYTHING_AT_ONCE, Belay, Browser, Sandbox, Setup};
use crate::killed::{assert_chained, events};

/// A window of 20 s, operations that are sent a second time, and the two reads 30 s apart that prove
/// an absence which no deletion that we heard of explains; the rest is for slow machines.
const PATIENCE: Duration = Duration::from_mins(3);

/// Who asks: nobody of the sandbox's permanent assignments.
const PERSON: &str = "ines.costa";

/// What becomes of a grant under a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// It comes and goes, and its receipt says that it is gone.
    Gone,
    /// It never came, and its receipt says that nothing is there.
    NeverCame,
    /// It went, and nobody says so yet: a creation that was never heard of may still take effect
    /// until AWS refuses its signature (DESIGN 9), which is a quarter of an hour.
    GoneUnproven,
}

/// One key under one fault.
#[derive(Debug)]
struct Case {
    operation: &'static str,
    fault: Value,
    expect: Expect,
    account: String,
    permission_set: String,
    permission_set_arn: String,
    /// The fault's id.
    id: String,
    /// The request's page.
    request: String,
}

impl Case {
    fn name(&self) -> String {
        format!("{} under {}", self.operation, self.fault)
    }
}

/// The faults, and what they lead to.
pub(super) fn cases() -> Vec<(&'static str, Value, Expect)> {
    use Expect::{Gone, GoneUnproven, NeverCame};
    let error = |code: &str, times: u32| json!({"kind": "error", "error": code, "times": times});
    let create = "sso-admin:CreateAccountAssignment";
    let delete = "sso-admin:DeleteAccountAssignment";
    let list = "sso-admin:ListAccountAssignments";
    vec![
        (create, json!({"kind": "latency", "ms": 2_000}), Gone),
        (create, json!({"kind": "throttle", "times": 2}), Gone),
        (create, error("AccessDeniedException", 2), Gone),
        (create, error("ConflictException", 1), Gone),
        // A 5xx does not say that nothing happened, and what then comes may be either of two.
        (create, error("InternalServerException", 1), GoneUnproven),
        (create, json!({"kind": "lose-response"}), Gone),
        (create, json!({"kind": "fail-status"}), Gone),
        (create, json!({"kind": "fail-status", "done": true}), Gone),
        (create, json!({"kind": "stall", "ms": 4_000}), Gone),
        (create, error("AccessDeniedException", 0), NeverCame),
        (create, json!({"kind": "throttle", "times": 0}), NeverCame),
        (
            create,
            json!({"kind": "fail-status", "times": 0}),
            NeverCame,
        ),
        (delete, json!({"kind": "latency", "ms": 2_000}), Gone),
        (delete, json!({"kind": "throttle", "times": 2}), Gone),
        (delete, error("AccessDeniedException", 2), Gone),
        (delete, error("ConflictException", 1), Gone),
        (delete, error("InternalServerException", 1), Gone),
        (delete, json!({"kind": "lose-response"}), Gone),
        (delete, json!({"kind": "fail-status"}), Gone),
        (delete, json!({"kind": "fail-status", "done": true}), Gone),
        (delete, json!({"kind": "stall", "ms": 4_000}), Gone),
        (
            list,
            json!({"kind": "latency", "ms": 2_000, "times": 2}),
            Gone,
        ),
        (list, json!({"kind": "throttle", "times": 2}), Gone),
        (list, error("InternalServerException", 2), Gone),
        (list, json!({"kind": "lose-response", "times": 2}), Gone),
        (list, json!({"kind": "lose-page", "times": 2}), Gone),
        (list, json!({"kind": "stall", "ms": 11_000}), Gone),
    ]
}

/// A key for each case, each in an account and permission set of its own, so that no fault befalls
/// another's calls.
async fn keys(sandbox: &Sandbox) -> Vec<Case> {
    let state = sandbox.state().await;
    let list = |name: &str| state[name].as_array().unwrap().clone();
    let taken = list("assignments");
    let mut free = Vec::new();
    for set in list("permission_sets") {
        for account in list("accounts") {
            let id = account["account_id"].as_str().unwrap();
            // Protected, both.
            let is_free = !["100000000001", "666677778888"].contains(&id)
                && !taken.iter().any(|have| {
                    have["account_id"] == id && have["permission_set_arn"] == set["arn"]
                });
            if is_free {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                free.push((id.to_owned(), text(&set["name"]), text(&set["arn"])));
            }
        }
    }
    let cases = cases();
    assert!(free.len() >= cases.len(), "{} free keys", free.len());
    cases
        .into_iter()
        .zip(free)
        .map(|((operation, fault, expect), key)| Case {
            operation,
            fault,
            expect,
            account: key.0,
            permission_set: key.1,
            permission_set_arn: key.2,
            id: String::new(),
            request: String::new(),
        })
        .collect()
}

impl Case {
    /// Sets its fault, where it befalls nobody else.
    async fn begin(&mut self, sandbox: &Sandbox) {
        let account = if self.operation.ends_with("ListAccountAssignments") {
            "AccountId"
        } else {
            "TargetId"
        };
        self.fault["operation"] = self.operation.into();
        self.fault["match"] = json!({
            account: self.account, "PermissionSetArn": self.permission_set_arn,
        });
        if self.fault["kind"] == "lose-page" {
            // Two others have it for good, so that there is always a second page.
            for other in ["hugo.martin", "grace.chen"] {
                let other = json!({
                    "principal_id": sandbox.user_id(other).await,
                    "principal_type": "USER",
                    "account_id": self.account,
                    "permission_set_arn": self.permission_set_arn,
                });
                sandbox.assign(&other).await;
            }
        }
        self.id = sandbox.fault(self.fault.clone()).await;
    }

    async fn ask(&mut self, browser: &Browser) {
        let path = format!("/access/{}/{}", self.account, self.permission_set);
        let form = [("duration", "20"), ("reason", "INC-9: while AWS is unwell")];
        let page = browser.post(&path, &form).await;
        assert_eq!(page.status, 303, "{}: {}", self.name(), page.text());
        let location = page.location();
        location
            .split('?')
            .next()
            .unwrap()
            .clone_into(&mut self.request);
    }

    /// What is recorded of its grant: the kinds, in order, and the last record.
    fn told(&self, events: &BTreeMap<(String, String), Value>) -> (Vec<String>, Value) {
        let id = self.request.rsplit('/').next().unwrap();
        let of_it: Vec<&Value> = events
            .iter()
            .filter(|((stream, _), record)| {
                stream.starts_with("stream#grant:") && record["belay_request_id"] == id
            })
            .map(|(_, record)| record)
            .collect();
        let kinds = of_it
            .iter()
            .map(|record| record["kind"].as_str().unwrap().to_owned())
            .collect();
        (
            kinds,
            of_it.last().map_or(Value::Null, |&last| last.clone()),
        )
    }

    /// Whether it is as far as it will come.
    fn is_over(&self, events: &BTreeMap<(String, String), Value>) -> bool {
        let (kinds, _) = self.told(events);
        let last = match self.expect {
            Expect::Gone | Expect::NeverCame => "grant.ended",
            Expect::GoneUnproven => "grant.revoking",
        };
        kinds.last().is_some_and(|kind| kind == last)
    }

    fn check(&self, events: &BTreeMap<(String, String), Value>) {
        let (kinds, last) = self.told(events);
        let whole = [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended",
        ];
        let expected: Vec<&str> = match self.expect {
            Expect::Gone => whole.to_vec(),
            Expect::NeverCame => whole
                .into_iter()
                .filter(|kind| !kind.ends_with("activated"))
                .collect(),
            Expect::GoneUnproven => whole[..4].to_vec(),
        };
        assert_eq!(kinds, expected, "{}", self.name());
        if self.expect != Expect::GoneUnproven {
            assert_eq!(last["access_is_gone"], "true", "{}: {last}", self.name());
        }
    }

    /// What the person reads in the end: what the receipt says, and no more than that.
    async fn check_page(&self, browser: &Browser, events: &BTreeMap<(String, String), Value>) {
        let (_, last) = self.told(events);
        let says = match last["receipt"]["kind"].as_str() {
            Some("removed") => "Removed",
            // Its deletion was not heard of, or there was nothing to delete: two reads agree.
            Some("absent-already") => "Was gone already",
            None if self.expect == Expect::GoneUnproven => {
                "It counts as gone once a read proves it"
            }
            other => panic!("{}: {other:?}", self.name()),
        };
        let page = browser.get(&self.request).await;
        assert!(page.body.contains(says), "{}: {}", self.name(), page.text());
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_giving_taking_and_reading_access_ends_and_nobody_says_more_than_is_known()
 {
    let sandbox = Sandbox::start_with(&["--page-size-max=1"]);
    let setup = Setup::of(&sandbox).policy(&sandbox, ANYTHING_AT_ONCE);
    let belay = Belay::launch(&setup).ready().await;
    let browser = belay.signed_in(PERSON).await;
    let mut cases = keys(&sandbox).await;
    for case in &mut cases {
        case.begin(&sandbox).await;
    }
    let before = sandbox.state().await["assignments"].clone();
    // Nobody may wait for more than twenty, and these do not wait.
    for case in &mut cases {
        case.ask(&browser).await;
    }

    let begun = Instant::now();
    let mut seen_in_trouble = false;
    let events = loop {
        let events = events(&sandbox).await;
        let open: Vec<String> = cases
            .iter()
            .filter(|case| !case.is_over(&events))
            .map(|case| format!("{} ({:?})", case.name(), case.told(&events).0))
            .collect();
        if open.is_empty() && is_as(&sandbox, &before).await {
            break events;
        }
        if !seen_in_trouble {
            // While AWS refuses, the page says that it does.
            let refused = cases.iter().find(|case| {
                case.expect == Expect::NeverCame && case.fault["error"] == "AccessDeniedException"
            });
            let page = browser.get(&refused.unwrap().request).await;
            seen_in_trouble = page.body.contains("An admin has to look");
        }
        assert!(begun.elapsed() < PATIENCE, "waited in vain for: {open:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    assert!(seen_in_trouble, "nobody was told that AWS refuses");
    assert_chained(&events);
    let fired = sandbox.faults_fired().await;
    for case in &cases {
        case.check(&events);
        assert!(fired[&case.id] > 0, "{} never happened", case.name());
    }
    let pages = cases.iter().map(|case| case.check_page(&browser, &events));
    join_all(pages).await;
}

/// Whether AWS has what it had, in any order.
async fn is_as(sandbox: &Sandbox, before: &Value) -> bool {
    let sorted = |value: &Value| {
        let mut rows: Vec<String> = value
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        rows.sort();
        rows
    };
    sorted(&sandbox.state().await["assignments"]) == sorted(before)
}

pub(super) const STATUSES: [&str; 4] = [
    "DescribeAccountAssignmentCreationStatus",
    "DescribeAccountAssignmentDeletionStatus",
    "ListAccountAssignmentCreationStatus",
    "ListAccountAssignmentDeletionStatus",
];

pub(super) fn status_faults() -> [Value; 5] {
    [
        json!({"kind": "error", "error": "InternalServerException", "times": 2}),
        json!({"kind": "throttle", "times": 2}),
        json!({"kind": "lose-response", "times": 2}),
        json!({"kind": "latency", "ms": 1_000, "times": 2}),
        json!({"kind": "stall", "ms": 11_000, "times": 1}),
    ]
}

/// The statuses of operations: which of them a fault is about cannot be told beforehand, so each kind
/// has a server of its own. First one grant alone, asked about by itself, then three by one list.
async fn comes_and_goes_while_statuses_fail(fault: Value) {
    let sandbox = Sandbox::start_with(&["--operation-ms=1500"]);
    let setup = Setup::of(&sandbox).policy(&sandbox, ANYTHING_AT_ONCE);
    let belay = Belay::launch(&setup).ready().await;
    let browser = belay.signed_in(PERSON).await;
    let before = sandbox.state().await["assignments"].clone();
    let mut ids = Vec::new();
    for operation in STATUSES {
        let mut fault = fault.clone();
        fault["operation"] = format!("sso-admin:{operation}").into();
        ids.push((operation, sandbox.fault(fault).await));
    }
    let accounts = [
        "111122223333",
        "222233334444",
        "333344445555",
        "444455556666",
    ];
    let mut expected = 0;
    for group in [&accounts[..1], &accounts[1..]] {
        let asks = group.iter().map(|account| {
            let path = format!("/access/{account}/NetworkAdministrator");
            let browser = &browser;
            async move {
                let form = [
                    ("duration", "8"),
                    ("reason", "INC-9: nobody says how it goes"),
                ];
                browser.post(&path, &form).await
            }
        });
        for page in join_all(asks).await {
            assert_eq!(page.status, 303, "{fault}: {}", page.text());
        }
        expected += group.len();
        let begun = Instant::now();
        loop {
            let events = events(&sandbox).await;
            let ended: Vec<&Value> = events
                .values()
                .filter(|record| record["kind"] == "grant.ended")
                .collect();
            if ended.len() == expected {
                assert!(
                    ended
                        .iter()
                        .all(|record| record["access_is_gone"] == "true")
                );
                assert_chained(&events);
                break;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{fault}: {} of {expected} ended",
                ended.len()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
    assert!(is_as(&sandbox, &before).await, "{fault}");
    let fired = sandbox.faults_fired().await;
    for (operation, id) in ids {
        assert!(fired[&id] > 0, "{fault}: {operation} was never asked");
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_statuses_is_asked_again() {
    join_all(status_faults().map(comes_and_goes_while_statuses_fail)).await;
}

/// Reads that lag as far as is assumed, and a creation whose answer is lost: not given twice, ended
/// once. And with the server gone before it could look, the end is not proven for as long as that
/// creation may still come: the page does not say that it is gone, nor does the record.
#[tokio::test]
async fn a_lost_creation_that_reads_do_not_show_yet_is_neither_given_twice_nor_called_gone_too_early()
 {
    let sandbox = Sandbox::start_with(&["--lag-ms-max=5000"]);
    let setup = Setup::of(&sandbox).policy(&sandbox, ANYTHING_AT_ONCE);
    let mut belay = Belay::launch(&setup).ready().await;
    let browser = belay.signed_in(PERSON).await;
    let before = sandbox.state().await["assignments"].clone();
    let path = |account: &str| format!("/access/{account}/NetworkAdministrator");
    let form = [("duration", "25"), ("reason", "INC-9: nobody heard")];

    // One is done, and its answer lost. The other never arrives: it fails inside AWS, which says so
    // in a way that does not say whether it happened.
    let lost = |account: &str, fault: Value| {
        let mut fault = fault;
        fault["operation"] = "sso-admin:CreateAccountAssignment".into();
        fault["match"] = json!({"TargetId": account});
        fault
    };
    let done = lost("111122223333", json!({"kind": "lose-response"}));
    let unknown = lost(
        "222233334444",
        json!({"kind": "error", "error": "InternalServerException"}),
    );
    for fault in [done, unknown] {
        sandbox.fault(fault).await;
    }
    let mut requests = Vec::new();
    for account in ["111122223333", "222233334444"] {
        let page = browser.post(&path(account), &form).await;
        assert_eq!(page.status, 303, "{}", page.text());
        requests.push(page.location().split('?').next().unwrap().to_owned());
    }
    let created = |account: &'static str| {
        let sandbox = &sandbox;
        async move {
            let calls = sandbox.calls("sso-admin:CreateAccountAssignment").await;
            let of_it = calls
                .iter()
                .filter(|call| call["input"]["TargetId"] == account);
            of_it.count()
        }
    };
    crate::harness::eventually("the first is heard of", || async {
        let events = events(&sandbox).await;
        let is_active = |request: &String| {
            let id = request.rsplit('/').next().unwrap();
            events.values().any(|record| {
                record["belay_request_id"] == id && record["kind"] == "grant.activated"
            })
        };
        requests.iter().all(is_active).then_some(())
    })
    .await;
    assert_eq!(
        created("111122223333").await,
        1,
        "a lost answer is no reason to give twice"
    );

    // Another server takes over, and ends what it did not begin.
    let portal = belay.portal.clone();
    belay.kill();
    let _belay = Belay::launch(&setup.clone().at(&portal)).ready().await;
    let begun = Instant::now();
    let page = loop {
        let page = browser.get(&requests[0]).await;
        if page.body.contains("Removed") && is_as(&sandbox, &before).await {
            break browser.get(&requests[1]).await;
        }
        assert!(begun.elapsed() < PATIENCE, "{}", page.text());
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    // Nothing of either is left in AWS; of the second that is not said.
    assert!(
        page.body.contains("Being removed from AWS"),
        "{}",
        page.text()
    );
    assert!(
        page.body
            .contains("It counts as gone once a read proves it"),
        "{}",
        page.text()
    );
    let events = events(&sandbox).await;
    assert_chained(&events);
    let kinds = |request: &str, kind: &str| {
        let id = request.rsplit('/').next().unwrap();
        let of_it = events
            .values()
            .filter(|record| record["belay_request_id"] == id && record["kind"] == kind);
        of_it.count()
    };
    assert_eq!(kinds(&requests[0], "grant.activated"), 1);
    assert_eq!(kinds(&requests[0], "grant.ended"), 1);
    assert_eq!(kinds(&requests[1], "grant.activated"), 1);
    assert_eq!(kinds(&requests[1], "grant.ended"), 0, "it is provisional");
    assert_eq!(created("111122223333").await, 1);
}
