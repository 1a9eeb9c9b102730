//! Who decides, at which moment, against what.

use serde_json::json;

use crate::harness::{Belay, Sandbox, eventually};

const ASK: &str = "/access/111122223333/ReadOnlyAccess";
const FORM: [(&str, &str); 2] = [("duration", "900"), ("reason", "look at the payment logs")];

#[tokio::test]
async fn whoever_has_left_the_group_since_the_snapshot_approves_nothing() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = carla.post(ASK, &FORM).await;
    let request = page.location().split('?').next().unwrap().to_owned();
    sandbox.leave("emma.lindqvist", "Security").await;
    let page = emma
        .post(&request, &[("act", "approve"), ("note", "")])
        .await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn whoever_has_left_the_group_since_the_snapshot_is_given_nothing() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    assert_eq!(carla.get(ASK).await.status, 200);
    sandbox.leave("carla.rossi", "Payments").await;
    let page = carla.post(ASK, &FORM).await;
    assert!(!(300..400).contains(&page.status), "{}", page.location());
}

#[tokio::test]
async fn a_look_up_that_fails_refuses() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = carla.post(ASK, &FORM).await;
    let request = page.location().split('?').next().unwrap().to_owned();
    sandbox
        .refuse("identitystore:IsMemberInGroups", "InternalServerException")
        .await;
    let approve = [("act", "approve"), ("note", "kept in the form")];
    let page = emma.post(&request, &approve).await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.body.contains("kept in the form"), "{}", page.text());
    sandbox.heal().await;
    let page = emma.post(&request, &approve).await;
    assert_eq!(page.status, 303, "{}", page.text());
}

#[tokio::test]
async fn of_two_approvers_at_once_one_decides_and_the_other_is_told() {
    // Transactions conflict now and then, as they do.
    let sandbox = Sandbox::start_with(&["--conflict-percent=20"]);
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let page = carla.post(ASK, &FORM).await;
    let request = page.location().split('?').next().unwrap().to_owned();
    let approve = [("act", "approve"), ("note", "")];
    let (one, other) = tokio::join!(
        emma.post(&request, &approve),
        farid.post(&request, &approve)
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409]);
    eventually("the assignment is created", || async {
        let calls = sandbox.calls("sso-admin:CreateAccountAssignment").await;
        (calls.len() == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_same_submitted_twice_at_once_is_one_request() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let (one, other) = tokio::join!(carla.post(ASK, &FORM), carla.post(ASK, &FORM));
    let id = |location: String| location.split('?').next().unwrap().to_owned();
    assert_eq!(one.status, 303, "{}", one.text());
    assert_eq!(id(one.location()), id(other.location()));
}

#[tokio::test]
async fn access_that_was_there_before_is_never_taken_away() {
    let sandbox = Sandbox::start();
    let state = sandbox.state().await;
    let set = state["permission_sets"]
        .as_array()
        .unwrap()
        .iter()
        .find(|set| set["name"] == "ReadOnlyAccess")
        .unwrap_or_else(|| panic!("{}", state["permission_sets"]));
    let assignment = json!({
        "principal_id": sandbox.user_id("ana.silva").await,
        "principal_type": "USER",
        "account_id": "333344445556",
        "permission_set_arn": set["arn"],
    });
    sandbox.assign(&assignment).await;
    let belay = Belay::start(&sandbox).await;
    let ana = belay.signed_in("ana.silva").await;
    let page = ana
        .post(
            "/access/333344445556/ReadOnlyAccess",
            &[("duration", "20"), ("reason", "already mine, but anyway")],
        )
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    eventually("it has ended, as standing", || async {
        let page = ana.get(&request).await;
        page.body.contains("Standing access stays").then_some(())
    })
    .await;
    assert!(
        sandbox
            .calls("sso-admin:DeleteAccountAssignment")
            .await
            .is_empty()
    );
    let after = sandbox.state().await;
    let still = after["assignments"].as_array().unwrap().iter().any(|have| {
        have["principal_id"] == assignment["principal_id"]
            && have["account_id"] == assignment["account_id"]
    });
    assert!(still, "{}", after["assignments"]);
}
