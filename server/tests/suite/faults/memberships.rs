//! Memberships of groups, under each kind of fault on each operation that giving, taking and reading
//! them takes.

use domain::grant::{GrantState, Receipt};
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::promised::{Case, Expect, come_and_go, in_time};
use crate::harness::{Belay, Sandbox, promise};

const CREATE: &str = "identitystore:CreateGroupMembership";
const DELETE: &str = "identitystore:DeleteGroupMembership";
const IS_MEMBER: &str = "identitystore:IsMemberInGroups";
const ID: &str = "identitystore:GetGroupMembershipId";
const DESCRIBE: &str = "identitystore:DescribeGroupMembership";

/// What befalls what, and what comes of it.
pub(super) fn faults() -> Vec<(&'static str, Value, Expect)> {
    use Expect::{Gone, GoneUnproven};
    let error = |code: &str, times: u32| json!({"kind": "error", "error": code, "times": times});
    let mut faults = Vec::new();
    for write in [CREATE, DELETE] {
        faults.extend([
            (write, json!({"kind": "latency", "ms": 2_000}), Gone),
            (write, json!({"kind": "throttle", "times": 2}), Gone),
            (write, error("AccessDeniedException", 2), Gone),
            (write, error("ConflictException", 1), Gone),
            (write, json!({"kind": "lose-response"}), Gone),
            (write, json!({"kind": "stall", "ms": 4_000}), Gone),
        ]);
    }
    // A 5xx does not say that nothing happened.
    faults.push((CREATE, error("InternalServerException", 1), GoneUnproven));
    faults.push((DELETE, error("InternalServerException", 1), Gone));
    for read in [IS_MEMBER, ID, DESCRIBE] {
        faults.extend([
            (read, json!({"kind": "latency", "ms": 2_000}), Gone),
            (read, json!({"kind": "throttle"}), Gone),
            (read, error("InternalServerException", 1), Gone),
            (read, json!({"kind": "lose-response"}), Gone),
            // Longer than it is waited for.
            (read, json!({"kind": "stall", "ms": 11_000}), Gone),
        ]);
    }
    faults
}

/// People who are not in a group, one for each fault.
async fn strangers(sandbox: &Sandbox) -> Vec<(String, String)> {
    let state = sandbox.state().await;
    let list = |name: &str| state[name].as_array().unwrap().clone();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let members = list("memberships");
    let mut free = Vec::new();
    for group in list("groups") {
        for person in list("people") {
            let is_in = members.iter().any(|have| {
                have["group_id"] == group["group_id"] && have["user_id"] == person["user_id"]
            });
            if !is_in {
                free.push((text(&person["user_id"]), text(&group["group_id"])));
            }
        }
    }
    free
}

/// A fault on what is asked about one person in one group.
fn case(operation: &str, fault: Value, expect: Expect, (user, group): (String, String)) -> Case {
    let mut fault = fault;
    fault["operation"] = operation.into();
    let member = json!({"UserId": user});
    let of_pair = json!({"GroupId": group, "MemberId": member});
    // Only where the answer to its creation was lost does anybody ask for its id.
    let mut faults = if operation == ID {
        let lost = json!({"operation": CREATE, "kind": "lose-response", "match": of_pair});
        vec![lost]
    } else {
        Vec::new()
    };
    let mut of_membership = None;
    match operation {
        DELETE | DESCRIBE => of_membership = Some(fault),
        IS_MEMBER => {
            fault["match"] = json!({"GroupIds": [group], "MemberId": member});
            faults.push(fault);
        }
        _ => {
            fault["match"] = of_pair;
            faults.push(fault);
        }
    }
    Case {
        user,
        target: Target::Group {
            group: group.parse().unwrap(),
        },
        faults,
        of_membership,
        expect,
    }
}

#[tokio::test]
async fn whatever_goes_wrong_with_memberships_they_come_and_go() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let strangers = strangers(&sandbox).await;
    assert!(strangers.len() > faults().len());
    let cases = faults()
        .into_iter()
        .zip(strangers)
        .map(|((operation, fault, expect), pair)| case(operation, fault, expect, pair));
    come_and_go(&sandbox, &belay, cases.collect()).await;
}

/// How often somebody asks before it is plain that no error is taken for an answer.
const ASKED_AGAIN: usize = 3;

#[tokio::test]
async fn a_membership_of_which_nobody_says_how_it_goes_is_neither_active_nor_gone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("carla.rossi").await;
    let user = sandbox.user_id("carla.rossi").await;
    let target = Target::Group {
        group: sandbox.group_id("Oncall").await.parse().unwrap(),
    };
    let asked = || async { sandbox.calls(DESCRIBE).await.len() };

    let untold = sandbox.refuse(DESCRIBE, "InternalServerException").await;
    // Long enough to be asked about three times, and to become active after that.
    let promised = promise(&sandbox, &user, target, SignedDuration::from_secs(40)).await;
    let page = format!("/requests/{}", promised.now(&sandbox).await.request);
    in_time("it is asked again whether it came", || async {
        (asked().await >= ASKED_AGAIN).then_some(())
    })
    .await;
    let state = promised.now(&sandbox).await.state;
    assert!(matches!(state, GrantState::Granting { .. }), "{state:?}");
    let told = browser.get(&page).await;
    assert!(
        told.body.contains("Being created in AWS"),
        "{}",
        told.text()
    );
    sandbox.lift(&untold).await;
    in_time("it is active", || async {
        let state = promised.now(&sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;

    let untold = sandbox.refuse(DESCRIBE, "InternalServerException").await;
    let before = asked().await;
    in_time("it is asked again whether it went", || async {
        (asked().await >= before + ASKED_AGAIN).then_some(())
    })
    .await;
    let state = promised.now(&sandbox).await.state;
    assert!(matches!(state, GrantState::Revoking { .. }), "{state:?}");
    let told = browser.get(&page).await;
    assert!(
        told.body
            .contains("It counts as gone once a read proves it"),
        "{}",
        told.text()
    );
    sandbox.lift(&untold).await;
    let receipt = in_time("it is over", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Ended { receipt, .. } => Some(receipt),
            _ => None,
        }
    })
    .await;
    assert!(matches!(receipt, Receipt::Removed { .. }), "{receipt:?}");
}
