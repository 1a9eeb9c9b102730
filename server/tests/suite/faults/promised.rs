//! Keys that were promised, each under faults of its own, all at once in one server.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use domain::grant::{GrantState, Receipt};
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::harness::{Belay, Promised, Sandbox, promise, within};
use crate::killed::{assert_chained, events, kinds};

/// A window of 30 s, tries that back off, two reads 30 s apart, a minute between two looks.
const PATIENCE: Duration = Duration::from_mins(4);

/// Long enough to say what befalls its end once it has begun.
const WINDOW: SignedDuration = SignedDuration::from_secs(30);

/// What becomes of a grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    /// It comes and goes, and its receipt says that it is gone.
    Gone,
    /// It went, and nobody says so yet: a creation that was never heard of may still take effect.
    GoneUnproven,
}

/// Sees everything by the sandbox's policy.
const AUDITOR: &str = "hugo.martin";

type Events = BTreeMap<(String, String), Value>;

/// Asks until there is an answer, for as long as any of these may take.
pub(super) async fn in_time<T, F>(what: &str, ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(what, PATIENCE, ask).await
}

/// One key under faults.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) user: String,
    pub(super) target: Target,
    /// What befalls it from the beginning.
    pub(super) faults: Vec<Value>,
    /// What befalls its membership once that is there, by the membership's id.
    pub(super) of_membership: Option<Value>,
    pub(super) expect: Expect,
}

/// A case that is under way.
struct Running {
    case: Case,
    promised: Promised,
    ids: Vec<String>,
}

impl Running {
    /// Whether it is as far as it will come.
    fn is_over(&self, events: &Events) -> bool {
        let last = match self.case.expect {
            Expect::Gone => "grant.ended",
            Expect::GoneUnproven => "grant.revoking",
        };
        let stream = format!("stream#grant:{}", self.promised.grant);
        kinds(events, &stream).last() == Some(&last) && self.case.of_membership.is_none()
    }

    /// Once it is there, what befalls its end is said by its id.
    async fn meet(&mut self, sandbox: &Sandbox, state: &Value) {
        let Target::Group { group } = &self.case.target else {
            return;
        };
        let memberships = state["memberships"].as_array().unwrap();
        let ours = memberships
            .iter()
            .find(|have| have["group_id"] == group.as_str() && have["user_id"] == self.case.user);
        if let Some(ours) = ours
            && let Some(mut fault) = self.case.of_membership.take()
        {
            fault["match"] = json!({"MembershipId": ours["membership_id"]});
            self.ids.push(sandbox.fault(fault.clone()).await);
            self.case.faults.push(fault);
        }
    }
}

/// Promises all, waits until all are over, and compares what they left behind.
pub(super) async fn come_and_go(sandbox: &Sandbox, belay: &Belay, cases: Vec<Case>) {
    let before = given(sandbox).await;
    let mut running = Vec::new();
    for case in cases {
        let mut ids = Vec::new();
        for fault in &case.faults {
            ids.push(sandbox.fault(fault.clone()).await);
        }
        let target = case.target.clone();
        let promised = promise(sandbox, &case.user, target, WINDOW).await;
        running.push(Running {
            case,
            promised,
            ids,
        });
    }
    let begun = Instant::now();
    loop {
        let state = sandbox.state().await;
        for one in &mut running {
            one.meet(sandbox, &state).await;
        }
        let events = events(sandbox).await;
        let open: Vec<String> = running
            .iter()
            .filter(|one| !one.is_over(&events))
            .map(|one| format!("{} {:?}", one.promised.grant, one.case.faults))
            .collect();
        if open.is_empty() && given(sandbox).await == before {
            break;
        }
        assert!(
            begun.elapsed() < PATIENCE,
            "waited in vain for: {open:#?}\n{}",
            belay.said()
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let events = events(sandbox).await;
    assert_chained(&events);
    let fired = sandbox.faults_fired().await;
    for one in &running {
        let what = &one.case.faults;
        let whole = [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended",
        ];
        let grant = one.promised.now(sandbox).await;
        let told = kinds(&events, &format!("stream#grant:{}", grant.id));
        let expected = match &grant.state {
            GrantState::Ended { receipt, .. } => {
                assert!(receipt.access_is_gone(), "{what:?}: {receipt:?}");
                &whole[..]
            }
            _ => &whole[..4],
        };
        assert_eq!(told, expected, "{what:?}");
        for (fault, id) in what.iter().zip(&one.ids) {
            assert!(fired[id] > 0, "{fault} never happened");
        }
    }
    check_pages(sandbox, belay, &running).await;
}

/// What each person reads in the end: what the receipt says, and no more than that.
async fn check_pages(sandbox: &Sandbox, belay: &Belay, running: &[Running]) {
    let state = sandbox.state().await;
    let readers: BTreeMap<&str, &str> = state["people"]
        .as_array()
        .unwrap()
        .iter()
        .map(|person| {
            let text = |name: &str| person[name].as_str().unwrap();
            // Who is disabled reads nothing; an auditor reads it.
            let is_enabled = text("status") == "ENABLED";
            let reader = if is_enabled {
                text("user_name")
            } else {
                AUDITOR
            };
            (text("user_id"), reader)
        })
        .collect();
    let mut browsers = BTreeMap::new();
    for one in running {
        let what = &one.case.faults;
        let name = readers[one.case.user.as_str()];
        if !browsers.contains_key(name) {
            browsers.insert(name, belay.signed_in(name).await);
        }
        let grant = one.promised.now(sandbox).await;
        let says = match &grant.state {
            GrantState::Ended {
                receipt: Receipt::Removed { .. },
                ..
            } => &["Removed"][..],
            GrantState::Ended {
                receipt: Receipt::AbsentAlready { .. },
                ..
            } => &["Was gone already"],
            GrantState::Revoking { .. } if one.case.expect == Expect::GoneUnproven => {
                // On a slow machine a minute may have passed since.
                &[
                    "It counts as gone once a read proves it",
                    "Overdue: it should be gone and is not proven to be",
                ]
            }
            other => panic!("{what:?}: {other:?}"),
        };
        let page = format!("/requests/{}", grant.request);
        let page = browsers[name].get(&page).await;
        let is_said = says.iter().any(|says| page.body.contains(says));
        assert!(is_said, "{what:?}: {}", page.text());
    }
}

/// What people and groups have in AWS, in order.
async fn given(sandbox: &Sandbox) -> Vec<String> {
    let state = sandbox.state().await;
    let rows = |name: &str| state[name].as_array().unwrap().clone();
    let all = rows("assignments").into_iter().chain(rows("memberships"));
    let mut all: Vec<String> = all.map(|row| row.to_string()).collect();
    all.sort();
    all
}
