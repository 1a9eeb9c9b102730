//! Membership of a group comes and goes as assignments do, and is ours by its id.

use std::time::{Duration, Instant};

use domain::grant::{Cause, GrantState, Receipt};
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{Belay, Promised, Sandbox, Setup, eventually, promise};
use crate::killed::{assert_chained, events, kinds};

const CREATE: &str = "identitystore:CreateGroupMembership";
const DELETE: &str = "identitystore:DeleteGroupMembership";
const DESCRIBE: &str = "identitystore:DescribeGroupMembership";

/// The two minutes of a removal by hand, a minute between two looks, and slow machines.
const PATIENCE: Duration = Duration::from_mins(5);

struct Scene {
    sandbox: Sandbox,
    belay: Belay,
    user: String,
    group: String,
}

impl Scene {
    async fn begin(flags: &[&str]) -> Self {
        let sandbox = Sandbox::start_with(flags);
        let belay = Belay::start(&sandbox).await;
        let user = sandbox.user_id("carla.rossi").await;
        let group = sandbox.group_id("Oncall").await;
        Self {
            sandbox,
            belay,
            user,
            group,
        }
    }

    async fn promise(&self, seconds: i64) -> Promised {
        let target = Target::Group {
            group: self.group.parse().unwrap(),
        };
        let lasts = SignedDuration::from_secs(seconds);
        promise(&self.sandbox, &self.user, target, lasts).await
    }

    async fn membership(&self) -> Option<String> {
        self.sandbox.membership(&self.user, &self.group).await
    }

    async fn is<T>(&self, promised: &Promised, what: impl Fn(&GrantState) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            let state = promised.now(&self.sandbox).await.state;
            if let Some(found) = what(&state) {
                return found;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "{state:?}\n{}",
                self.belay.said()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn active(&self, promised: &Promised) {
        let is_active =
            |state: &GrantState| matches!(state, GrantState::Active { .. }).then_some(());
        self.is(promised, is_active).await;
    }

    async fn receipt(&self, promised: &Promised) -> Receipt {
        let receipt = |state: &GrantState| match state {
            GrantState::Ended { receipt, .. } => Some(receipt.clone()),
            _ => None,
        };
        self.is(promised, receipt).await
    }
}

#[tokio::test]
async fn a_membership_comes_and_goes_although_reads_lag() {
    let scene = Scene::begin(&["--lag-ms-max=5000"]).await;
    assert_eq!(scene.membership().await, None);
    let promised = scene.promise(30).await;
    scene.active(&promised).await;
    let id = scene.membership().await.expect("a membership");
    let receipt = scene.receipt(&promised).await;
    let Receipt::Removed { aws_request_id, .. } = receipt else {
        panic!("{receipt:?}");
    };
    assert_eq!(aws_request_id, id, "the one that was made is deleted");
    // That it went is what AWS says of it, and not that it was told to go.
    let asked = scene.sandbox.calls(DESCRIBE).await;
    let last = asked.last().expect("a question");
    assert_eq!(last["outcome"], "ResourceNotFoundException", "{last}");
    assert_eq!(scene.membership().await, None);
    let events = events(&scene.sandbox).await;
    assert_chained(&events);
    assert_eq!(
        kinds(&events, &format!("stream#grant:{}", promised.grant)),
        [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended"
        ]
    );
}

#[tokio::test]
async fn who_was_in_the_group_before_stays_in_it() {
    let scene = Scene::begin(&[]).await;
    let id = scene.sandbox.join(&scene.user, &scene.group).await;
    let promised = scene.promise(20).await;
    assert_eq!(scene.receipt(&promised).await, Receipt::Standing);
    assert_eq!(scene.membership().await, Some(id));
    assert!(scene.sandbox.calls(DELETE).await.is_empty());
}

#[tokio::test]
async fn a_membership_whose_replies_are_lost_comes_and_goes() {
    let scene = Scene::begin(&[]).await;
    for operation in [CREATE, DELETE] {
        scene
            .sandbox
            .fault(json!({ "operation": operation, "kind": "lose-response", "times": 1 }))
            .await;
    }
    let promised = scene.promise(20).await;
    let receipt = scene.receipt(&promised).await;
    assert!(receipt.access_is_gone(), "{receipt:?}");
    assert_eq!(scene.membership().await, None);
}

#[tokio::test]
async fn a_membership_that_somebody_made_in_the_place_of_ours_is_theirs() {
    let scene = Scene::begin(&[]).await;
    let promised = scene.promise(1_800).await;
    scene.active(&promised).await;
    let ours = scene.membership().await.expect("ours");
    scene.sandbox.leave("carla.rossi", "Oncall").await;
    let theirs = scene.sandbox.join(&scene.user, &scene.group).await;
    assert_ne!(ours, theirs);
    let receipt = scene.receipt(&promised).await;
    let Receipt::AbsentAlready {
        cause,
        still_given_by,
        ..
    } = receipt
    else {
        panic!("{receipt:?}");
    };
    assert_eq!(cause, Some(Cause::RemovedByHand));
    let group = scene.group.parse().unwrap();
    assert_eq!(still_given_by, Some(vec![group]), "the access remains");
    assert_eq!(scene.membership().await, Some(theirs), "and is theirs");
    assert!(scene.sandbox.calls(DELETE).await.is_empty());
}

/// Nobody decides by Oncall yet, so it may be asked for.
const BEFORE: &str = r#"
version = 1

[[rule]]
name = "staging"
accounts = ["ou:Staging"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:SRE"]
approvers = ["group:Security"]
"#;

const DECIDES: &str = r#"
[[rule]]
name = "oncall"
accounts = ["111122223333"]
permission_sets = ["PowerUserAccess"]
requesters = ["group:SRE", "group:Oncall"]
approvers = ["group:Oncall"]
"#;

#[tokio::test]
async fn who_is_in_a_group_through_belay_has_no_part_in_the_policy_by_it() {
    const ASK: &str = "/access/111122223333/PowerUserAccess";
    const FORM: [(&str, &str); 2] = [("duration", "900"), ("reason", "look at the queue")];
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).policy(&sandbox, BEFORE);
    let belay = Belay::launch(&setup).ready().await;
    let scene = Scene {
        user: sandbox.user_id("carla.rossi").await,
        group: sandbox.group_id("Oncall").await,
        sandbox,
        belay,
    };
    let promised = scene.promise(3_600).await;
    scene.active(&promised).await;
    // Another joins for good, and from now on the group decides.
    let dmitri = scene.sandbox.user_id("dmitri.volkov").await;
    scene.sandbox.join(&dmitri, &scene.group).await;
    let _ = Setup::of(&scene.sandbox).policy(&scene.sandbox, &format!("{BEFORE}{DECIDES}"));
    let ana = scene.belay.signed_in("ana.silva").await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let dmitri = scene.belay.signed_in("dmitri.volkov").await;
    eventually("who is in it for good may ask", || async {
        (dmitri.get(ASK).await.status == 200).then_some(())
    })
    .await;

    assert_eq!(carla.get(ASK).await.status, 404, "on the page");
    let page = carla.post(ASK, &FORM).await;
    assert!(!(300..400).contains(&page.status), "{}", page.location());

    let page = ana.post(ASK, &FORM).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    let approve = [("act", "approve"), ("note", "")];
    let page = carla.post(&request, &approve).await;
    assert!([403, 404].contains(&page.status), "{}", page.text());
    let page = dmitri.post(&request, &approve).await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert!(scene.membership().await.is_some(), "she is in it still");
}
