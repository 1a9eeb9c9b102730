//! What goes on at AWS at the same time is asked about in one call.

use crate::harness::{Belay, Sandbox, Setup, eventually};

#[tokio::test]
async fn operations_that_go_on_together_are_asked_about_together() {
    let sandbox = Sandbox::start_with(&["--operation-ms=4000"]);
    // Wide enough for two targets of one approver.
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/../end2end/bench/policy.toml");
    let setup = Setup::of(&sandbox).with("BELAY_POLICY", policy);
    let belay = Belay::launch(&setup).ready().await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let mut requests = Vec::new();
    for account in ["111122223333", "111122223334"] {
        let form = [("duration", "3600"), ("reason", "INC-21: at the same time")];
        let page = carla
            .post(&format!("/access/{account}/ReadOnlyAccess"), &form)
            .await;
        assert_eq!(page.status, 303, "{}", page.text());
        requests.push(page.location().split('?').next().unwrap().to_owned());
    }
    for request in requests {
        let form = [("act", "approve"), ("note", "")];
        let page = emma.post(&request, &form).await;
        assert_eq!(page.status, 303, "{}", page.text());
    }
    let user = sandbox.user_id("carla.rossi").await;
    eventually("both are there", || async {
        let state = sandbox.state().await;
        let rows = state["assignments"].as_array().unwrap();
        let mine = rows.iter().filter(|row| row["principal_id"] == *user);
        (mine.count() >= 2).then_some(())
    })
    .await;
    let lists = sandbox
        .calls("sso-admin:ListAccountAssignmentCreationStatus")
        .await;
    assert!(!lists.is_empty(), "one list for both");
}
