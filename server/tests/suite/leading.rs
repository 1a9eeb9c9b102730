//! Of two servers one acts. When it dies or freezes the other goes on within seconds, and what
//! wakes up again does no harm.

use std::time::{Duration, Instant};

use server::store::Store;

use crate::harness::{Belay, Sandbox, Setup, eventually};

const ASK: &str = "/access/111122223333/ReadOnlyAccess";

const CREATE: &str = "sso-admin:CreateAccountAssignment";
const DELETE: &str = "sso-admin:DeleteAccountAssignment";

/// What stands still for six seconds is taken over, looked at each second; and this machine may
/// be slow.
const TAKEOVER: Duration = Duration::from_secs(25);

/// Two servers on one sandbox, the one that leads first.
async fn two(sandbox: &Sandbox) -> (Belay, Belay) {
    let setup = Setup::of(sandbox);
    let leader = Belay::launch(&setup).ready().await;
    eventually("the first leads", || async { leader.leads().then_some(()) }).await;
    let other = Belay::launch(&setup).ready().await;
    (leader, other)
}

/// Carla asks at this door, and Emma approves there.
async fn grant(door: &Belay) {
    let carla = door.signed_in("carla.rossi").await;
    let emma = door.signed_in("emma.lindqvist").await;
    let form = [("duration", "20"), ("reason", "INC-9: two servers")];
    let page = carla.post(ASK, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    let page = emma
        .post(&request, &[("act", "approve"), ("note", "")])
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
}

async fn sent(sandbox: &Sandbox, operation: &str) -> usize {
    sandbox.calls(operation).await.len()
}

#[tokio::test]
async fn what_is_approved_at_the_one_that_stands_by_is_done_by_the_one_that_leads() {
    let sandbox = Sandbox::start();
    let (leader, other) = two(&sandbox).await;
    grant(&other).await;
    eventually("it is created", || async {
        (sent(&sandbox, CREATE).await == 1).then_some(())
    })
    .await;
    assert!(leader.leads() && !other.leads());
}

#[tokio::test]
async fn when_the_leader_is_killed_the_other_takes_over_within_seconds() {
    let sandbox = Sandbox::start();
    let (mut leader, other) = two(&sandbox).await;
    grant(&other).await;
    eventually("it is created", || async {
        (sent(&sandbox, CREATE).await == 1).then_some(())
    })
    .await;
    leader.kill();
    let killed = Instant::now();
    eventually("the other leads", || async { other.leads().then_some(()) }).await;
    assert!(killed.elapsed() < TAKEOVER, "{:?}", killed.elapsed());
    eventually("it is taken away", || async {
        (sent(&sandbox, DELETE).await == 1).then_some(())
    })
    .await;
    assert_eq!(sent(&sandbox, CREATE).await, 1);
}

#[tokio::test]
async fn one_that_stops_in_order_gives_the_lease_back() {
    let sandbox = Sandbox::start();
    let (mut leader, other) = two(&sandbox).await;
    let store = Store::new(sandbox.dynamodb(), "belay".to_owned());
    let holder = async || store.lease().await.unwrap().unwrap().holder;
    let led = holder().await.expect("the first");
    assert!(leader.stop().success());
    // Whoever dies holding it holds it until it has stood still for six seconds.
    assert_ne!(holder().await, Some(led), "it was not given back");
    eventually("the other leads", || async { other.leads().then_some(()) }).await;
}

#[tokio::test]
async fn a_leader_that_froze_does_nothing_when_it_wakes_up() {
    let sandbox = Sandbox::start();
    let (leader, other) = two(&sandbox).await;
    // The intent is on record, and its call on the way: it freezes before AWS answers.
    sandbox
        .fault(serde_json::json!({"operation": CREATE, "kind": "latency", "ms": 3_000, "times": 1}))
        .await;
    grant(&other).await;
    eventually("the creation is on its way", || async {
        (sent(&sandbox, CREATE).await == 1).then_some(())
    })
    .await;
    leader.freeze();
    eventually("the other leads", || async { other.leads().then_some(()) }).await;
    eventually("the other takes it away", || async {
        (sent(&sandbox, DELETE).await >= 1).then_some(())
    })
    .await;
    // What another server meant to send it may have sent: that is read about, and not sent again.
    assert_eq!(sent(&sandbox, CREATE).await, 1);
    let before = (sent(&sandbox, CREATE).await, sent(&sandbox, DELETE).await);
    leader.thaw();
    eventually("it knows", || async {
        leader
            .said()
            .contains("this server does not lead any more")
            .then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let after = (sent(&sandbox, CREATE).await, sent(&sandbox, DELETE).await);
    assert_eq!(before, after, "nothing is sent twice");
    assert!(other.leads() && !leader.leads());
    eventually("nothing is left", || async {
        let user = sandbox.user_id("carla.rossi").await;
        let state = sandbox.state().await;
        let left = state["assignments"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["principal_id"] == *user && row["account_id"] == "111122223333");
        (!left).then_some(())
    })
    .await;
}
