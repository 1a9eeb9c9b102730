//! Belay in a delegated administrator's account, which is where AWS recommends it: what AWS would
//! refuse there is neither offered nor promised, and says why.

use crate::harness::{Belay, Sandbox, Setup, eventually};

const MANAGEMENT: &str = "/access/100000000001/ReadOnlyAccess";
const PROVISIONED_THERE: &str = "/access/111122223334/Billing";
const STAGING: &str = "/access/111122223334/ReadOnlyAccess";
const FORM: [(&str, &str); 2] = [("duration", "900"), ("reason", "look at last month's bill")];

const POLICY: &str = r#"
version = 1

[defaults]
max_duration = "8h"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "everything"
accounts = ["*"]
permission_sets = ["ReadOnlyAccess", "Billing"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "1h"
"#;

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).policy(sandbox, POLICY);
    // The management account would be protected anyway.
    let setup = setup.without("BELAY_PROTECTED_ACCOUNTS");
    Belay::launch(&setup).ready().await
}

#[tokio::test]
async fn what_aws_would_refuse_is_neither_offered_nor_promised() {
    let sandbox = Sandbox::start_with(&["--caller=delegated"]);
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let liam = belay.signed_in("liam.murphy").await;
    let offered = carla.read("/").await.body;
    assert!(offered.contains(STAGING), "{offered}");
    assert!(!offered.contains(MANAGEMENT), "{offered}");
    assert!(!offered.contains(PROVISIONED_THERE), "{offered}");
    for path in [MANAGEMENT, PROVISIONED_THERE] {
        for page in [carla.get(path).await, carla.post(path, &FORM).await] {
            assert_eq!(page.status, 403, "{}", page.text());
            let said = page.body;
            assert!(
                said.contains("AWS does not let Belay assign this"),
                "{said}"
            );
        }
        // To whom no rule offers it there is no such thing.
        let page = liam.get(path).await;
        assert_eq!(page.status, 404, "{}", page.text());
    }
    let created = "sso-admin:CreateAccountAssignment";
    assert_eq!(sandbox.calls(created).await.len(), 0);
    let page = carla.post(STAGING, &FORM).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let request = page.location().split('?').next().unwrap().to_owned();
    eventually("what can be assigned is", || async {
        let grants = sandbox.grants(&request).await;
        (grants[0]["state"]["state"] == "active").then_some(())
    })
    .await;
}

#[tokio::test]
async fn in_the_management_account_it_is_all_possible() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let offered = carla.read("/").await.body;
    assert!(offered.contains(MANAGEMENT), "{offered}");
    assert!(offered.contains(PROVISIONED_THERE), "{offered}");
}
