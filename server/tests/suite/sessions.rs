//! What a session is, at the browser and at rest, and when it ends.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::harness::{Belay, Browser, Sandbox, eventually};

const COOKIE: &str = "__Host-belay";

/// The item of a browser's session: found only by who knows the cookie.
async fn stored(sandbox: &Sandbox, browser: &Browser) -> Option<HashMap<String, AttributeValue>> {
    sandbox
        .dynamodb()
        .get_item()
        .table_name("belay")
        .key("pk", AttributeValue::S(partition(&browser.cookie(COOKIE)?)))
        .key("sk", AttributeValue::S("session".to_owned()))
        .consistent_read(true)
        .send()
        .await
        .unwrap()
        .item
}

fn partition(cookie: &str) -> String {
    use base64::Engine as _;
    use std::fmt::Write as _;
    let id = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(cookie)
        .unwrap();
    Sha256::digest(id)
        .iter()
        .fold("session#".to_owned(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

/// Changes the person of a stored session.
async fn change(sandbox: &Sandbox, browser: &Browser, change: impl FnOnce(&mut Value)) {
    let mut item = stored(sandbox, browser).await.expect("a session");
    let mut data: Value = serde_json::from_str(item["data"].as_s().unwrap()).unwrap();
    change(&mut data["person"]);
    item.insert("data".to_owned(), AttributeValue::S(data.to_string()));
    put(sandbox, item).await;
}

async fn put(sandbox: &Sandbox, item: HashMap<String, AttributeValue>) {
    sandbox
        .dynamodb()
        .put_item()
        .table_name("belay")
        .set_item(Some(item))
        .send()
        .await
        .unwrap();
}

/// How often a session was written so far. Others write to the table as well, when they please.
async fn session_writes(sandbox: &Sandbox) -> usize {
    let calls = sandbox.calls("dynamodb:PutItem").await;
    let is_session = |call: &&Value| {
        let pk = call["input"]["Item"]["pk"]["S"].as_str();
        pk.is_some_and(|pk| pk.starts_with("session#"))
    };
    let writes = calls.iter().filter(is_session).count();
    assert!(writes > 0, "signing in writes one: {calls:?}");
    writes
}

#[tokio::test]
async fn the_cookie_is_one_that_other_hosts_and_scripts_cannot_touch() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let page = browser.get("/auth/start").await;
    let cookies = page.cookies();
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    let (pair, attributes) = cookies[0].split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-belay="), "{pair}");
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            "HttpOnly",
            "Max-Age=600",
            "Path=/",
            "SameSite=Lax",
            "Secure"
        ]
    );
}

#[tokio::test]
async fn the_session_changes_its_name_at_sign_in_and_the_old_one_is_gone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let provider = browser.begin_sign_in("/").await;
    let planted = browser.cookie(COOKIE).unwrap();
    let callback = browser.at_callback(provider, "ana.silva").await;
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_ne!(browser.cookie(COOKIE).unwrap(), planted);

    let other = belay.browser();
    other.set_cookie(COOKIE, &planted);
    assert_eq!(other.get("/mine").await.status, 303);
}

#[tokio::test]
async fn the_table_keeps_no_cookie() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let cookie = browser.cookie(COOKIE).unwrap();
    let all = sandbox
        .dynamodb()
        .scan()
        .table_name("belay")
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let text = format!("{:?}", all.items);
    assert!(text.contains("session#"), "sessions are stored");
    assert!(
        !text.contains(&cookie),
        "the cookie's value is in the table"
    );
}

#[tokio::test]
async fn an_idle_session_is_over_even_if_its_item_is_still_there() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let mut item = stored(&sandbox, &browser).await.unwrap();
    let until: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
    let now = jiff::Timestamp::now().as_second();
    assert!((1_790..=1_800).contains(&(until - now)), "{}", until - now);
    item.insert(
        "expires_at".to_owned(),
        AttributeValue::N((now - 1).to_string()),
    );
    put(&sandbox, item).await;
    let page = browser.get("/mine").await;
    assert_eq!(page.status, 303);
    assert_eq!(page.location(), "/auth/start?return_to=%2Fmine");
}

#[tokio::test]
async fn a_session_lasts_eight_hours_at_most_however_busy_it_is() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let eight_hours = 8 * 60 * 60;
    // Ten minutes are left: what happens now must not give it thirty.
    change(&sandbox, &browser, |person| {
        person["signed_in_at"] =
            (person["signed_in_at"].as_i64().unwrap() - eight_hours + 600).into();
        person["touched_at"] = 0.into();
    })
    .await;
    assert_eq!(browser.get("/mine").await.status, 200);
    let item = stored(&sandbox, &browser).await.unwrap();
    let until: i64 = item["expires_at"].as_n().unwrap().parse().unwrap();
    let left = until - jiff::Timestamp::now().as_second();
    assert!((580..=600).contains(&left), "{left}");

    change(&sandbox, &browser, |person| {
        person["signed_in_at"] = (person["signed_in_at"].as_i64().unwrap() - 600).into();
    })
    .await;
    assert_eq!(browser.get("/mine").await.status, 303);
    assert!(stored(&sandbox, &browser).await.is_none(), "it is deleted");
}

#[tokio::test]
async fn reading_pages_writes_the_session_once_a_minute_at_most() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let writes = session_writes(&sandbox).await;
    for _ in 0..5 {
        assert_eq!(browser.get("/mine").await.status, 200);
    }
    assert_eq!(session_writes(&sandbox).await, writes);
    change(&sandbox, &browser, |person| {
        person["touched_at"] = (person["touched_at"].as_i64().unwrap() - 61).into();
    })
    .await;
    let before = stored(&sandbox, &browser).await.unwrap();
    assert_eq!(browser.get("/mine").await.status, 200);
    let after = stored(&sandbox, &browser).await.unwrap();
    assert_ne!(before["data"], after["data"], "touched after a minute");
}

#[tokio::test]
async fn signing_out_ends_it_here_and_at_the_provider() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let cookie = browser.cookie(COOKIE).unwrap();
    let page = browser.post("/auth/sign-out", &[]).await;
    assert_eq!(page.status, 303);
    assert!(
        page.location().starts_with(&sandbox.oidc),
        "{}",
        page.location()
    );
    assert_eq!(browser.cookie(COOKIE), None, "{:?}", page.cookies());
    let page = browser.follow(page).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.url.path(), "/signed-out");

    let thief = belay.browser();
    thief.set_cookie(COOKIE, &cookie);
    assert_eq!(thief.get("/mine").await.status, 303, "the session is gone");
}

#[tokio::test]
async fn a_page_that_was_under_way_does_not_bring_a_session_back() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let cookie = browser.cookie(COOKIE).unwrap();
    change(&sandbox, &browser, |person| person["touched_at"] = 0.into()).await;
    // Its session is read, then its page waits for the table, and meanwhile they sign out.
    let hers = format!("person#{}", sandbox.user_id("ana.silva").await);
    let hers = serde_json::json!({":pk": {"S": hers}});
    sandbox
        .fault(serde_json::json!({
            "operation": "dynamodb:Query", "kind": "latency", "ms": 2_500, "times": 1,
            "match": {"ExpressionAttributeValues": hers},
        }))
        .await;
    let slow = browser.get("/mine");
    let sign_out = async {
        eventually("the page waits", || async {
            let calls = sandbox.calls("dynamodb:Query").await;
            let waits = calls.iter().any(|call| {
                let of = &call["input"]["ExpressionAttributeValues"][":pk"];
                call["outcome"] == "pending" && *of == hers[":pk"]
            });
            waits.then_some(())
        })
        .await;
        let other = belay.browser();
        other.set_cookie(COOKIE, &cookie);
        assert_eq!(other.post("/auth/sign-out", &[]).await.status, 303);
    };
    let (page, ()) = tokio::join!(slow, sign_out);
    assert_eq!(page.status, 200);
    let thief = belay.browser();
    thief.set_cookie(COOKIE, &cookie);
    assert_eq!(thief.get("/mine").await.status, 303, "the session is back");
}

#[tokio::test]
async fn nobody_signed_in_is_told_so_at_each_door_in_its_own_way() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let page = browser.get("/history?text=a&from=2026-01-01").await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.location(),
        "/auth/start?return_to=%2Fhistory%3Ftext%3Da%26from%3D2026-01-01"
    );
    assert_eq!(browser.get("/live").await.status, 204);
    let read = browser.read("/api/ui/me").await;
    assert_eq!(read.status, 200);
    // A refusal (1) of the first kind (0), behind the fingerprint of the views: "signed out".
    assert!(read.body.ends_with("\u{1}\u{0}"), "{:?}", read.body);
    let form = [("duration", "900"), ("reason", "look at the logs")];
    let page = browser
        .post("/access/111122223333/ReadOnlyAccess", &form)
        .await;
    assert_eq!(page.status, 303);
    assert!(
        page.location().starts_with("/auth/start?"),
        "{}",
        page.location()
    );
    assert_eq!(
        browser.cookie(COOKIE),
        None,
        "looking around makes no session"
    );
}

/// Leptos looks for what it is asked for further up, where another's request may be under way on the
/// same thread.
#[tokio::test]
async fn who_is_signed_out_reads_nothing_of_those_who_read_at_the_same_moment() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ana = belay.signed_in("ana.silva").await;
    let nobody = belay.browser();
    for _ in 0..4 {
        let hers = futures::future::join_all(
            (0..20).map(|_| async { tokio::join!(ana.read("/api/ui/me"), ana.get("/mine")) }),
        );
        let nobodys = (0..40).map(|_| nobody.read("/api/ui/me"));
        let nobodys = futures::future::join_all(nobodys);
        let (hers, nobodys) = tokio::join!(hers, nobodys);
        for (me, mine) in hers {
            assert!(me.body.contains("Ana Silva"), "{:?}", me.body);
            assert_eq!(mine.status, 200);
        }
        for read in nobodys {
            assert!(read.body.ends_with("\u{1}\u{0}"), "{:?}", read.body);
            assert!(!read.body.contains("Ana"), "{:?}", read.body);
        }
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_read_signs_nobody_out() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    sandbox
        .refuse("dynamodb:GetItem", "InternalServerError")
        .await;
    let page = browser.get("/mine").await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert_eq!(page.header("retry-after"), "5");
    assert!(page.body.contains("<h1>"), "{}", page.text());
    sandbox.heal().await;
    assert_eq!(browser.get("/mine").await.status, 200);
}

#[tokio::test]
async fn a_made_up_cookie_is_nobody() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    for made_up in [
        "",
        "x",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "../../../../etc/passwd",
        "%00%00",
    ] {
        let browser = belay.browser();
        browser.set_cookie(COOKIE, made_up);
        assert_eq!(browser.get("/mine").await.status, 303, "{made_up}");
    }
}
