//! What is typed into a form outlives the session that it was typed in, for whoever typed it.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::harness::{Belay, Browser, Page, Sandbox};

const ASK: &str = "/access/111122223333/ReadOnlyAccess";
const POWER: &str = "/access/111122223333/PowerUserAccess";
const ADMIN: &str = "/access/111122223333/AdministratorAccess";
const REASON: &str = "look at the payment logs, <b>again</b>";
const SHOWN: &str = "look at the payment logs, &lt;b&gt;again&lt;/b&gt;</textarea>";
const SAID: &str = "You were signed out, so nothing was sent.";

/// What a page carries of whose it is.
fn mark(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.text());
    let (_, rest) = page.body.split_once("name=\"stay\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

async fn signs_out(browser: &Browser) {
    assert_eq!(browser.post("/auth/sign-out", &[]).await.status, 303);
}

/// Sends a form that finds nobody signed in.
async fn sends(browser: &Browser, path: &str, mark: &str, form: &[(&str, &str)]) {
    let mut form = form.to_vec();
    form.push(("stay", mark));
    let page = browser.post(path, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let address = browser.address("/auth/start");
    let encoded = path.replace('/', "%2F");
    let expected = format!("{}?return_to={encoded}", address.path());
    assert_eq!(page.location(), expected);
}

/// Signs in as that person, on the way to that page.
async fn returns(browser: &Browser, user_name: &str, path: &str) -> Page {
    let provider = browser.begin_sign_in(path).await;
    let callback = browser.at_callback(provider, user_name).await;
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.url.path(), path);
    page
}

const fn ask() -> [(&'static str, &'static str); 2] {
    [("duration", "900"), ("reason", REASON)]
}

async fn has_asked(browser: &Browser) -> bool {
    browser.get("/mine").await.body.contains("/requests/")
}

fn is_shown(page: &Page) -> bool {
    assert_eq!(page.status, 200, "{}", page.text());
    let (shown, said) = (page.body.contains(SHOWN), page.body.contains(SAID));
    assert_eq!(shown, said, "{}", page.text());
    shown
}

async fn rows(sandbox: &Sandbox, sk: &str) -> Vec<HashMap<String, AttributeValue>> {
    let all = sandbox.dynamodb().scan().table_name("belay");
    let all = all.consistent_read(true).send().await.unwrap();
    let mut rows = all.items.unwrap_or_default();
    rows.retain(|row| row["sk"].as_s().unwrap() == sk);
    rows
}

/// Carla's browser, signed out, and the mark of a form that she has left open in it.
async fn left_open(belay: &Belay) -> (Browser, String) {
    let carla = belay.signed_in("carla.rossi").await;
    let stay = mark(&carla.get(ASK).await);
    signs_out(&carla).await;
    (carla, stay)
}

#[tokio::test]
async fn what_is_sent_signed_out_is_there_after_signing_in_once_and_was_not_carried_out() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (carla, stay) = left_open(&belay).await;
    sends(&carla, ASK, &stay, &ask()).await;
    let page = returns(&carla, "carla.rossi", ASK).await;
    assert!(is_shown(&page), "{}", page.text());
    assert!(!has_asked(&carla).await, "nobody pressed the button");
    assert!(!is_shown(&carla.get(ASK).await), "it comes once");

    // A page that was left open is theirs in the next session, too, however that ends.
    for row in rows(&sandbox, "session").await {
        let keys = row.into_iter();
        let keys = keys.filter(|(name, _)| name == "pk" || name == "sk");
        let delete = sandbox.dynamodb().delete_item().table_name("belay");
        delete.set_key(Some(keys.collect())).send().await.unwrap();
    }
    sends(&carla, ASK, &stay, &ask()).await;
    let page = returns(&carla, "carla.rossi", ASK).await;
    assert!(is_shown(&page), "{}", page.text());
    let mut form = ask().to_vec();
    let stay = mark(&page);
    form.push(("stay", &stay));
    let page = carla.post(ASK, &form).await;
    assert!(page.location().ends_with("?done=submitted"));
}

#[tokio::test]
async fn every_form_with_words_in_it_gets_them_back() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let page = carla.post(ASK, &ask()).await;
    let request = page.location().split('?').next().unwrap().to_owned();
    let note = |act: &'static str| vec![("act", act), ("note", REASON)];
    let glass = vec![
        ("reason", REASON),
        ("break_glass", "yes"),
        ("confirmation", "break glass"),
        ("duration", "1800"),
    ];
    let several = vec![
        ("reason", REASON),
        ("duration", "900"),
        ("also", "222233334444/PowerUserAccess"),
        ("ticket", "INC-4711"),
        ("start", "2099-01-01T10:00"),
    ];
    for (user_name, path, form, kept) in [
        ("emma.lindqvist", &*request, note("deny"), ""),
        ("ben.okafor", ADMIN, glass, "value=\"break glass\""),
        ("ben.okafor", POWER, several, "value=\"INC-4711\""),
        ("grace.chen", "/findings", note("propose-baseline"), ""),
    ] {
        let browser = belay.signed_in(user_name).await;
        // Findings has such a form once everything was looked through; any page of hers carries the mark.
        let stay = mark(
            &browser
                .get(if path == "/findings" {
                    ASK_OF_GRACE
                } else {
                    path
                })
                .await,
        );
        signs_out(&browser).await;
        sends(&browser, path, &stay, &form).await;
        let page = returns(&browser, user_name, path).await;
        assert!(page.body.contains(SAID), "{path}: {}", page.text());
        let is_there = path == "/findings" || page.body.contains(SHOWN);
        assert!(
            is_there && page.body.contains(kept),
            "{path}: {}",
            page.text()
        );
    }
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = emma.get(&request).await;
    assert!(
        page.body.contains("Waiting for approval"),
        "{}",
        page.text()
    );
    let ben = belay.signed_in("ben.okafor").await;
    assert!(!has_asked(&ben).await);

    // A draft changes nothing, so it is compared at once.
    let hugo = belay.signed_in("hugo.martin").await;
    let stay = mark(&hugo.get("/policy/draft").await);
    signs_out(&hugo).await;
    let draft = [("draft", "version = 7 # mine"), ("notation", "toml")];
    sends(&hugo, "/policy/draft", &stay, &draft).await;
    let page = returns(&hugo, "hugo.martin", "/policy/draft").await;
    assert!(page.body.contains("version = 7 # mine"), "{}", page.text());
    assert!(page.body.contains("not a policy yet"), "{}", page.text());
}

/// Something that an admin may ask for.
const ASK_OF_GRACE: &str = "/access/555566667777/NetworkAdministrator";

#[tokio::test]
async fn nobody_else_sees_it_who_signs_in_at_the_same_browser() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (browser, hers) = left_open(&belay).await;
    sends(&browser, ASK, &hers, &ask()).await;
    assert!(!is_shown(&returns(&browser, "ana.silva", ASK).await));
    let anas = mark(&browser.get(ASK).await);
    assert_ne!(anas, hers);

    // Carla's page, sent while Ana is signed in: neither of them asks for that.
    let mut form = ask().to_vec();
    form.push(("stay", &hers));
    let page = browser.post(ASK, &form).await;
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(page.body.contains("somebody else"), "{}", page.text());
    assert!(!page.body.contains("payment logs"), "{}", page.text());
    assert!(!has_asked(&browser).await);

    // The same, after Ana has signed out: it is nobody's, for it could be either's.
    signs_out(&browser).await;
    sends(&browser, ASK, &hers, &ask()).await;
    assert!(!is_shown(&returns(&browser, "ana.silva", ASK).await));
    signs_out(&browser).await;
    assert!(!is_shown(&returns(&browser, "carla.rossi", ASK).await));
}

#[tokio::test]
async fn it_stays_at_the_browser_and_the_page_where_it_was_typed() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (carla, stay) = left_open(&belay).await;
    sends(&carla, ASK, &stay, &ask()).await;

    let elsewhere = belay.browser();
    elsewhere.set_cookie("__Host-belay-kept", "1");
    assert!(!is_shown(&returns(&elsewhere, "carla.rossi", ASK).await));
    // What another browser knows of the page is of no use there.
    signs_out(&elsewhere).await;
    sends(&elsewhere, ASK, &stay, &ask()).await;
    assert!(!is_shown(&returns(&elsewhere, "carla.rossi", ASK).await));

    // Nor is what that browser itself knows, to somebody else.
    let ana = belay.signed_in("ana.silva").await;
    let name = carla.cookie("__Host-belay-stay").unwrap();
    ana.set_cookie("__Host-belay-stay", &name);
    ana.set_cookie("__Host-belay-kept", "1");
    assert!(!is_shown(&ana.get(ASK).await));

    let other = "/access/222233334444/ReadOnlyAccess";
    assert!(!is_shown(&returns(&carla, "carla.rossi", other).await));
    assert!(is_shown(&carla.get(ASK).await));
}

#[tokio::test]
async fn it_is_kept_for_half_an_hour() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (carla, stay) = left_open(&belay).await;
    sends(&carla, ASK, &stay, &ask()).await;
    let mut kept = rows(&sandbox, "kept").await;
    assert_eq!(kept.len(), 1);
    let mut row = kept.remove(0);
    let now = jiff::Timestamp::now().as_second();
    let until: i64 = row["expires_at"].as_n().unwrap().parse().unwrap();
    assert!((1_740..=1_800).contains(&(until - now)), "{}", until - now);
    // The table removes it when it pleases.
    let passed = AttributeValue::N((now - 1).to_string());
    row.insert("expires_at".to_owned(), passed);
    let put = sandbox.dynamodb().put_item().table_name("belay");
    put.set_item(Some(row)).send().await.unwrap();
    assert!(!is_shown(&returns(&carla, "carla.rossi", ASK).await));
}

#[tokio::test]
async fn the_longest_form_that_may_be_sent_is_given_back_too() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (carla, stay) = left_open(&belay).await;
    let long = "x".repeat(319 * 1024);
    let form = [("duration", "900"), ("reason", long.as_str())];
    sends(&carla, ASK, &stay, &form).await;
    let page = returns(&carla, "carla.rossi", ASK).await;
    assert!(page.body.contains(&long), "{}", page.text());
}

#[tokio::test]
async fn a_browser_has_one_of_a_bounded_size_and_strangers_have_none() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let (carla, stay) = left_open(&belay).await;
    let kept = || rows(&sandbox, "kept");

    let long = "x".repeat(321 * 1024);
    let form = [("duration", "900"), ("reason", &long), ("stay", &stay)];
    assert_eq!(carla.post(ASK, &form).await.status, 413);
    assert!(kept().await.is_empty(), "too much");
    sends(&carla, ASK, "", &ask()).await;
    sends(&carla, ASK, &"0".repeat(64), &ask()).await;
    assert!(kept().await.is_empty(), "no page of hers");
    let evil = [("origin", "https://evil.example")];
    let form = [("reason", REASON), ("stay", &stay)];
    let page = carla.post_from(ASK, &form, &evil).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(kept().await.is_empty(), "another site's");
    let stranger = belay.browser();
    sends(&stranger, ASK, &stay, &ask()).await;
    stranger.set_cookie("__Host-belay-stay", &"0".repeat(32));
    sends(&stranger, ASK, &stay, &ask()).await;
    assert!(kept().await.is_empty(), "nobody has signed in there");

    for reason in ["the first of two", REASON] {
        sends(
            &carla,
            ASK,
            &stay,
            &[("duration", "900"), ("reason", reason)],
        )
        .await;
        assert_eq!(kept().await.len(), 1, "{reason}");
    }
    assert!(is_shown(&returns(&carla, "carla.rossi", ASK).await));
}

#[tokio::test]
async fn who_cannot_be_remembered_signs_in_all_the_same_and_is_not_taken_for_who_was_there_before()
{
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("carla.rossi").await;
    assert!(!mark(&browser.get(ASK).await).is_empty());
    signs_out(&browser).await;
    sandbox
        .fault(json!({
            "operation": "dynamodb:PutItem", "kind": "error", "error": "InternalServerError",
            "times": 1_000, "match": {"Item": {"sk": {"S": "stay"}}},
        }))
        .await;
    let page = returns(&browser, "ana.silva", ASK).await;
    assert_eq!(mark(&page), "");
    assert_eq!(browser.cookie("__Host-belay-stay"), None);
}
