//! What those who run it see: health, readiness, metrics, a stop in order, and what comes up later.

use domain::grant::GrantState;
use domain::target::Target;
use jiff::SignedDuration;
use serde_json::json;

use crate::harness::{Belay, Provider, Sandbox, Setup, create_table, eventually, promise, reserve};

#[tokio::test]
async fn it_listens_apart_for_people_and_for_metrics() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    assert_eq!(browser.get("/healthz").await.body, "ok\n");
    let page = browser.get("/metrics").await;
    assert_eq!(page.status, 404, "people must not see metrics");
    let metrics = browser.get(&format!("{}/metrics", belay.metrics)).await;
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .body
            .contains(r#"belay_http_requests_total{method="GET",route="/healthz",status="200"}"#),
        "{}",
        metrics.body
    );
}

#[tokio::test]
async fn assets_are_kept_for_ever_and_served_compressed() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let login = browser.get("/signed-out").await;
    let start = login
        .body
        .find("/pkg/")
        .expect("the page names its style sheet");
    let path: String = login.body[start..]
        .chars()
        .take_while(|c| !matches!(c, '"' | '\''))
        .collect();
    let plain = browser.get(&path).await;
    assert_eq!(plain.status, 200, "{}", plain.text());
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    assert_eq!(plain.header("content-encoding"), "");
    let css = path.rsplit('.').next() == Some("css");
    let compressed = browser
        .send(
            http::Method::GET,
            browser.address(&path),
            None,
            &[("accept-encoding", "br")],
        )
        .await;
    assert!(!css || compressed.header("content-encoding") == "br");
    assert_eq!(browser.get("/pkg/nothing.js").await.status, 404);
    assert_eq!(
        browser.get("/pkg/nothing.js").await.header("cache-control"),
        "no-store"
    );
    for outside in [
        "/pkg/../manifest.json",
        "/pkg/%2e%2e/manifest.json",
        "/pkg/..%2fmanifest.json",
    ] {
        let answer = browser.get(outside).await;
        assert!(
            !answer.body.starts_with('{'),
            "{outside}: {}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn a_provider_that_comes_up_later_is_picked_up_without_a_restart() {
    let sandbox = Sandbox::start();
    let (issuer, port) = reserve().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", &issuer);
    let belay = Belay::launch(&setup);
    let browser = belay.browser();
    let page = browser.visit("/mine").await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert_eq!(page.header("retry-after"), "5");
    assert!(page.header("content-type").starts_with("text/html"));
    assert_eq!(
        belay.readiness().await["parts"]["issuer"]["ready"],
        json!(false)
    );

    let provider = Provider::start_on(port).await;
    provider.claims(&json!({"email": "ana.silva@example.com", "email_verified": true}));
    let belay = belay.ready().await;
    let page = belay.browser().sign_in("ana.silva").await;
    assert_eq!(page.status, 200, "{}", page.text());
}

#[tokio::test]
async fn a_table_that_comes_up_later_is_picked_up_without_a_restart() {
    let sandbox = Sandbox::start();
    let belay = Belay::launch(&Setup::of(&sandbox).with("BELAY_TABLE", "later"));
    eventually("readiness names the table", || async {
        let readiness = belay.readiness().await;
        let table = &readiness["parts"]["table"];
        (table["ready"] == json!(false) && table["why"] != "has not been tried yet").then_some(())
    })
    .await;
    // With nowhere to keep a sign-in, none can begin, and the page says why.
    let page = eventually("the provider is known", || async {
        let page = belay.browser().visit("/").await;
        (!page.body.contains("sign-in-unavailable")).then_some(page)
    })
    .await;
    assert_eq!(page.status, 503, "{}", page.text());

    create_table(&sandbox.dynamodb(), "later").await;
    let belay = belay.ready().await;
    let page = belay.browser().sign_in("ana.silva").await;
    assert_eq!(page.status, 200, "{}", page.text());
}

#[tokio::test]
async fn it_stops_in_order_when_it_is_asked_to() {
    let sandbox = Sandbox::start();
    let mut belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let mut live = browser.open("/live").await;
    let status = belay.stop();
    assert!(status.success(), "{status}: {}", belay.said());
    // A live page learns of the end at once, and does not hold it up.
    assert_eq!(live.rest().await, "");
}

#[tokio::test]
async fn a_worker_serves_nobody() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox)
        .without("BELAY_OIDC_ISSUER")
        .without("BELAY_OIDC_CLIENT_ID")
        .without("BELAY_OIDC_CLIENT_SECRET")
        .role("worker");
    let belay = Belay::launch(&setup).ready().await;
    let browser = belay.browser();
    assert_eq!(browser.get("/healthz").await.status, 200);
    assert_eq!(browser.get("/").await.status, 404);
    assert_eq!(browser.get("/auth/start").await.status, 404);
}

/// A disk that is full, or a pipe that nobody reads any more: people go on, and access ends.
#[tokio::test]
async fn a_log_that_cannot_be_written_keeps_nobody_from_anything() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).says_into("/dev/full");
    let belay = Belay::launch(&setup).ready().await;
    belay.signed_in("carla.rossi").await;
    let row = sandbox
        .assignment("carla.rossi", "111122223333", "ReadOnlyAccess")
        .await;
    let target = Target::Account {
        account: "111122223333".parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let user = row["principal_id"].as_str().unwrap();
    // AWS refuses once, and that is told in vain.
    let refused = "sso-admin:DeleteAccountAssignment";
    sandbox
        .fault(json!({"operation": refused, "kind": "error", "error": "AccessDeniedException"}))
        .await;
    let promised = promise(&sandbox, user, target, SignedDuration::from_secs(10)).await;
    let receipt = eventually("it is over", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Ended { receipt, .. } => Some(receipt),
            _ => None,
        }
    })
    .await;
    assert!(receipt.access_is_gone(), "{receipt:?}");
}
