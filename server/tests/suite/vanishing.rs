//! What no longer exists cannot be taken away: that it is gone is said by AWS twice, or not at all.

use std::time::{Duration, Instant};

use domain::grant::{GrantState, Part, Receipt};
use domain::plan::GONE_AFTER;
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{Belay, Promised, Sandbox, eventually, promise};

/// A window of 20 s, three tries in seven seconds, and a minute between two looks; the rest is for
/// slow machines.
const ENDED: Duration = Duration::from_mins(4);

const ACCOUNT: &str = "111122223333";

async fn active(sandbox: &Sandbox, user_name: &str) -> Promised {
    let row = sandbox
        .assignment(user_name, ACCOUNT, "ReadOnlyAccess")
        .await;
    let target = Target::Account {
        account: ACCOUNT.parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let user = row["principal_id"].as_str().unwrap();
    let promised = promise(sandbox, user, target, SignedDuration::from_secs(20)).await;
    eventually("it is active", || async {
        let state = promised.now(sandbox).await.state;
        matches!(state, GrantState::Active { .. }).then_some(())
    })
    .await;
    promised
}

async fn receipt(sandbox: &Sandbox, promised: &Promised) -> Receipt {
    let begun = Instant::now();
    loop {
        if let GrantState::Ended { receipt, .. } = promised.now(sandbox).await.state {
            return receipt;
        }
        assert!(begun.elapsed() < ENDED, "it does not end");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn a_permission_set_that_is_gone_ends_its_grants_when_two_looks_say_so() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let promised = active(&sandbox, "carla.rossi").await;
    for operation in [
        "DeleteAccountAssignment",
        "ListAccountAssignments",
        "DescribePermissionSet",
    ] {
        let operation = format!("sso-admin:{operation}");
        sandbox
            .refuse(&operation, "ResourceNotFoundException")
            .await;
    }
    let receipt = receipt(&sandbox, &promised).await;
    let Receipt::TargetGone {
        gone,
        first,
        second,
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert!(gone.iter().eq([&Part::PermissionSet]), "{gone:?}");
    assert!(second.began_at.duration_since(first.finished_at) >= GONE_AFTER);
    drop(belay);
}

#[tokio::test]
async fn what_cannot_be_deleted_and_exists_is_tried_until_it_can_and_is_told_as_late() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let promised = active(&sandbox, "carla.rossi").await;
    sandbox
        .refuse("sso-admin:DeleteAccountAssignment", "AccessDeniedException")
        .await;
    // One look that says gone, and no more: a hiccup of AWS's own.
    sandbox
        .fault(json!({
            "operation": "organizations:DescribeAccount",
            "kind": "error",
            "error": "AccountNotFoundException",
            "times": 1,
        }))
        .await;
    let begun = Instant::now();
    let metrics = belay.browser();
    loop {
        let asked = sandbox.calls("organizations:DescribeAccount").await.len();
        if asked >= 2 {
            break;
        }
        assert!(begun.elapsed() < ENDED, "nobody looks again");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let state = promised.now(&sandbox).await.state;
    assert!(matches!(state, GrantState::Revoking { .. }), "{state:?}");
    let says = async |what: &'static str| {
        // The worker says it each time that it looks at what is due: about once a second.
        eventually(what, || async {
            let page = metrics.get(&format!("{}/metrics", belay.metrics)).await;
            page.body.contains(what).then_some(())
        })
        .await;
    };
    says("belay_late_ends 1").await;
    sandbox.heal().await;
    // It is tried again after at most five minutes; here it was refused for about one.
    let receipt = receipt(&sandbox, &promised).await;
    assert!(matches!(receipt, Receipt::Removed { .. }), "{receipt:?}");
    says("belay_late_ends 0").await;
    says("belay_end_delay_seconds_bucket").await;
}
