//! Who gets in, and who does not.

use serde_json::{Value, json};
use url::Url;

use crate::harness::{Belay, Browser, Key, Page, Provider, Sandbox, Say, Setup};

/// A refusal is a page, leads nowhere by itself, and offers to try again.
fn assert_refused(page: &Page, status: u16) {
    assert_eq!(page.status, status, "{}", page.text());
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{}",
        page.text()
    );
    // A part that is away is no reason to sign in again at once; the first page will ask.
    let way_on = if status == 503 {
        "href=\"/\""
    } else {
        "/auth/start"
    };
    assert!(
        page.body.contains(way_on),
        "no way to try again: {}",
        page.text()
    );
    assert!(
        !page.body.contains("http-equiv=\"refresh\""),
        "{}",
        page.text()
    );
}

async fn assert_nobody(browser: &Browser) {
    assert_eq!(browser.get("/mine").await.status, 303);
}

fn changed(url: &Url, name: &str, value: Option<&str>) -> String {
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let mut url = url.clone();
    url.query_pairs_mut()
        .clear()
        .extend_pairs(pairs.iter().filter(|(have, _)| have != name));
    if let Some(value) = value {
        url.query_pairs_mut().append_pair(name, value);
    }
    url.into()
}

#[tokio::test]
async fn a_person_signs_in_and_arrives_where_they_wanted_to_go() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let page = browser.get("/access/111122223333/ReadOnlyAccess").await;
    let start = browser.get(&page.location()).await;
    let provider = Url::parse(&start.location()).unwrap();
    let asked = |name: &str| {
        let pair = provider.query_pairs().find(|(have, _)| have == name);
        pair.map(|(_, value)| value.into_owned())
            .unwrap_or_default()
    };
    assert_eq!(asked("response_type"), "code");
    assert_eq!(asked("code_challenge_method"), "S256");
    assert!(asked("state").len() >= 22 && asked("nonce").len() >= 22);
    assert_eq!(
        asked("redirect_uri"),
        format!("{}/auth/callback", belay.portal)
    );
    assert!(
        !provider.as_str().contains("return_to"),
        "it is kept server-side"
    );
    let callback = browser.at_callback(provider, "ana.silva").await;
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.url.path(), "/access/111122223333/ReadOnlyAccess");
    assert!(page.body.contains("Ana Silva"), "{}", page.text());
}

#[tokio::test]
async fn a_forged_answer_signs_nobody_in() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    for (name, value) in [
        ("state", Some("forged")),
        ("state", None),
        ("iss", Some("https://evil.example")),
        ("iss", None),
        ("code", None),
    ] {
        let browser = belay.browser();
        let provider = browser.begin_sign_in("/").await;
        let callback = browser.at_callback(provider, "ana.silva").await;
        let page = browser.get(&changed(&callback, name, value)).await;
        assert_refused(&page, 400);
        assert_nobody(&browser).await;
    }
}

#[tokio::test]
async fn an_answer_works_once_and_only_in_the_browser_that_asked() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let provider = browser.begin_sign_in("/").await;
    let callback = browser.at_callback(provider, "ana.silva").await;

    // Somebody is made to follow an answer that was made for somebody else.
    let victim = belay.browser();
    assert_refused(&victim.get(callback.as_str()).await, 400);
    assert_nobody(&victim).await;
    victim.begin_sign_in("/").await;
    assert_refused(&victim.get(callback.as_str()).await, 400);
    assert_nobody(&victim).await;

    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert_refused(&browser.get(callback.as_str()).await, 400);
    assert_eq!(
        browser.get("/mine").await.status,
        200,
        "the sign-in before still holds"
    );
}

#[tokio::test]
async fn of_copies_of_one_answer_that_arrive_at_once_one_signs_in() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let provider = browser.begin_sign_in("/").await;
    let callback = browser.at_callback(provider, "ana.silva").await;
    // Each takes its time to read the session, so that all have read it before any has written.
    sandbox
        .fault(json!({
            "operation": "dynamodb:GetItem", "kind": "latency", "ms": 300, "times": 8,
        }))
        .await;
    let copies = (0..8).map(|_| browser.get(callback.as_str()));
    let pages = futures::future::join_all(copies).await;
    let signed_in = pages.iter().filter(|page| page.status == 303).count();
    assert_eq!(signed_in, 1);
    assert!(pages.iter().all(|page| matches!(page.status, 303 | 400)));
    assert_eq!(sandbox.calls("identitystore:GetUserId").await.len(), 1);
}

#[tokio::test]
async fn sign_ins_begin_only_so_often_from_one_address_and_others_still_do() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let from = |address: &'static str| {
        let browser = belay.browser();
        async move {
            let start = browser.address("/auth/start");
            let headers = [("x-forwarded-for", address)];
            browser.send(http::Method::GET, start, None, &headers).await
        }
    };
    let flood = futures::future::join_all((0..300).map(|_| from("192.0.2.1"))).await;
    let begun = flood.iter().filter(|page| page.status == 303).count();
    // A burst of 120, and five a second after that; the rest of the time is the machine's.
    assert!((120..300).contains(&begun), "{begun}");
    assert!(flood.iter().all(|page| matches!(page.status, 303 | 429)));
    assert_eq!(from("192.0.2.2").await.status, 303);
}

#[tokio::test]
async fn look_ups_at_sign_in_slow_down_with_all_others() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let throttled = || async { belay.metric("belay_aws_throttled_total").await };
    let before = throttled().await;
    sandbox
        .refuse("identitystore:GetUserId", "ThrottlingException")
        .await;
    assert_refused(&belay.browser().sign_in("ana.silva").await, 503);
    assert!(throttled().await > before);
}

#[tokio::test]
async fn an_answer_that_failed_cannot_be_tried_again() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let browser = belay.browser();
    provider.says(Say {
        key: Key::Forged,
        claims: claims(&json!({"email": "ana.silva@example.com", "email_verified": true})),
        ..Say::default()
    });
    let door = browser.begin_sign_in("/").await;
    let callback = browser.at_callback(door, "").await;
    assert_refused(&browser.get(callback.as_str()).await, 400);
    assert_refused(&browser.get(callback.as_str()).await, 400);
    assert_nobody(&browser).await;
}

#[tokio::test]
async fn who_typed_another_name_of_this_machine_is_led_to_the_right_one() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let other = belay.portal.replace("localhost", "127.0.0.1");
    let page = Browser::new(&other)
        .get("/auth/start?return_to=%2Fmine")
        .await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.location(),
        format!("{}/auth/start?return_to=%2Fmine", belay.portal)
    );
    assert_eq!(page.cookies(), Vec::<String>::new());
}

#[tokio::test]
async fn several_sign_ins_may_be_under_way_in_one_browser() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let first = browser.begin_sign_in("/mine").await;
    let second = browser.begin_sign_in("/approvals").await;
    let first = browser.at_callback(first, "ana.silva").await;
    let page = browser.visit(first.as_str()).await;
    assert_eq!((page.status, page.url.path()), (200, "/mine"));
    let second = browser.at_callback(second, "ana.silva").await;
    let page = browser.visit(second.as_str()).await;
    assert_eq!((page.status, page.url.path()), (200, "/approvals"));
}

#[tokio::test]
async fn return_to_never_leaves_the_portal() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    for elsewhere in [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "/\t/evil.example",
        "\\\\evil.example",
        "/auth/sign-out",
        "/live",
        "javascript:alert(1)",
        "/%2f%2fevil.example",
        "/mine/../../evil",
    ] {
        let browser = belay.browser();
        let provider = browser.begin_sign_in(elsewhere).await;
        let callback = browser.at_callback(provider, "ana.silva").await;
        let page = browser.get(callback.as_str()).await;
        assert_eq!(
            (page.status, page.location().as_str()),
            (303, "/"),
            "{elsewhere}"
        );
        // Nor does it once they are signed in.
        let mut start = browser.address("/auth/start");
        start.query_pairs_mut().append_pair("return_to", elsewhere);
        assert_eq!(
            browser.get(start.as_str()).await.location(),
            "/",
            "{elsewhere}"
        );
    }
}

#[tokio::test]
async fn who_is_disabled_or_unknown_is_told_and_stays_outside() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    for email in ["noah.berg@example.com", "nobody@example.com", "ana.silva"] {
        provider.claims(&json!({"sub": email, "email": email, "email_verified": true}));
        let browser = belay.browser();
        assert_refused(&browser.sign_in("").await, 403);
        assert_nobody(&browser).await;
    }
}

#[tokio::test]
async fn an_e_mail_that_is_not_verified_finds_nobody_unless_it_is_configured_to() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let strict = Belay::launch(&setup).ready().await;
    let trusting = setup.with("BELAY_OIDC_CLAIMS", "email=emails.value trust-unverified");
    let trusting = Belay::launch(&trusting).ready().await;
    for verified in [json!(false), json!(null), json!("false")] {
        provider.claims(&json!({"email": "ana.silva@example.com", "email_verified": verified}));
        assert_refused(&strict.browser().sign_in("").await, 403);
        assert_eq!(
            trusting.browser().sign_in("").await.status,
            200,
            "{verified}"
        );
    }
}

/// An e-mail is looked for as it was told and in small letters, so that it is found whether the
/// Identity Store minds the case or not.
#[tokio::test]
async fn claim_rules_are_tried_in_order_and_ambiguity_stops_them() {
    for case in ["--name-case=ignored", "--name-case=exact"] {
        claim_rules_are_tried_in_order(case).await;
    }
}

async fn claim_rules_are_tried_in_order(case: &str) {
    let sandbox = Sandbox::start_with(&[case]);
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox)
        .with("BELAY_OIDC_ISSUER", provider.issuer())
        .with(
            "BELAY_OIDC_CLAIMS",
            "email=emails.value, mails=emails.value trust-unverified, preferred_username=userName",
        );
    let belay = Belay::launch(&setup).ready().await;
    let says = |claims: Value| provider.claims(&claims);

    says(
        json!({"sub": "b", "email": "nobody@example.com", "email_verified": true, "preferred_username": "ben.okafor"}),
    );
    let page = belay.browser().sign_in("").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.body.contains("Ben Okafor"), "{}", page.text());

    says(
        json!({"sub": "a", "email": "ANA.Silva@Example.com", "email_verified": true, "preferred_username": "ben.okafor"}),
    );
    let page = belay.browser().sign_in("").await;
    assert!(page.body.contains("Ana Silva"), "{}", page.text());

    says(
        json!({"sub": "c", "mails": ["carla.rossi@example.com"], "preferred_username": "carla.rossi"}),
    );
    assert_refused(&belay.browser().sign_in("").await, 403);
}

#[tokio::test]
async fn a_person_has_one_login_and_a_login_one_person() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let ana =
        |sub: &str| json!({"sub": sub, "email": "ana.silva@example.com", "email_verified": true});
    let ben =
        |sub: &str| json!({"sub": sub, "email": "ben.okafor@example.com", "email_verified": true});

    provider.claims(&ana("1"));
    assert_eq!(belay.browser().sign_in("").await.status, 200);
    assert_eq!(
        belay.browser().sign_in("").await.status,
        200,
        "again and again"
    );

    provider.claims(&ana("2"));
    let browser = belay.browser();
    assert_refused(&browser.sign_in("").await, 403);
    assert_nobody(&browser).await;

    provider.claims(&ben("1"));
    assert_refused(&belay.browser().sign_in("").await, 403);

    provider.claims(&ben("3"));
    assert_eq!(
        belay.browser().sign_in("").await.status,
        200,
        "nobody else is kept out"
    );
    provider.claims(&ana("1"));
    assert_eq!(belay.browser().sign_in("").await.status, 200);
}

#[tokio::test]
async fn two_logins_that_race_for_a_person_leave_one() {
    let sandbox = Sandbox::start();
    let one = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", one.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let mut ready = Vec::new();
    for sub in ["1", "2", "3", "4"] {
        one.claims(&json!({"sub": sub, "email": "ana.silva@example.com", "email_verified": true}));
        let browser = belay.browser();
        let door = browser.begin_sign_in("/").await;
        ready.push((browser.at_callback(door, "").await, browser));
    }
    // All of them now say the same subject or another, whichever the provider says last; the point
    // is that no two different ones are both let in.
    let answers = ready.iter().enumerate().map(|(at, (callback, browser))| {
        let one = &one;
        async move {
            one.claims(&json!({"sub": at.to_string(), "email": "ana.silva@example.com", "email_verified": true}));
            browser.get(callback.as_str()).await.status
        }
    });
    let statuses = futures::future::join_all(answers).await;
    assert!(statuses.contains(&303), "{statuses:?}");
    let bound = sandbox
        .dynamodb()
        .scan()
        .table_name("belay")
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let logins = bound
        .items()
        .iter()
        .filter(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with("login#")))
        .count();
    assert_eq!(logins, 1, "{statuses:?}");
}

fn claims(value: &Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_and_here_signs_nobody_in() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let ana = json!({"email": "ana.silva@example.com", "email_verified": true});
    let now = jiff::Timestamp::now().as_second();
    let with = |name: &str, value: Value| {
        let mut claims = claims(&ana);
        claims.insert(name.to_owned(), value);
        Say {
            claims,
            ..Say::default()
        }
    };
    let honest = || Say {
        claims: claims(&ana),
        ..Say::default()
    };
    let lies = [
        ("another audience", with("aud", json!("someone-else"))),
        ("no audience", with("aud", json!([]))),
        (
            "given to another client",
            with("azp", json!("someone-else")),
        ),
        ("another issuer", with("iss", json!("https://evil.example"))),
        ("expired", with("exp", json!(now - 3_600))),
        ("another nonce", with("nonce", json!("forged"))),
        ("no nonce", with("nonce", json!(null))),
        (
            "another key",
            Say {
                key: Key::Forged,
                ..honest()
            },
        ),
        (
            "the client's secret as key",
            Say {
                key: Key::Secret,
                ..honest()
            },
        ),
        (
            "another issuer in the address",
            Say {
                iss: Some("https://evil.example"),
                ..honest()
            },
        ),
        (
            "no issuer in the address",
            Say {
                without_iss: true,
                ..honest()
            },
        ),
    ];
    for (what, say) in lies {
        provider.says(say);
        let browser = belay.browser();
        let page = browser.sign_in("").await;
        assert_eq!(page.status, 400, "{what}: {}", page.text());
        assert_refused(&page, 400);
        assert_nobody(&browser).await;
    }
    provider.says(honest());
    assert_eq!(belay.browser().sign_in("").await.status, 200);
}

#[tokio::test]
async fn a_person_who_declines_can_try_again() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    provider.says(Say {
        error: Some("access_denied"),
        ..Say::default()
    });
    let browser = belay.browser();
    assert_refused(&browser.sign_in("").await, 403);
    provider.claims(&json!({"email": "ana.silva@example.com", "email_verified": true}));
    assert_eq!(browser.sign_in("").await.status, 200);
}

#[tokio::test]
async fn new_keys_are_fetched_when_they_are_met_and_forged_ones_do_not_flood_the_provider() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let ana = claims(&json!({"email": "ana.silva@example.com", "email_verified": true}));
    let asked = provider.asked_for_keys();
    provider.says(Say {
        key: Key::New,
        claims: ana,
        ..Say::default()
    });
    // Keys were read just now, so the first tries may come too early to read them again.
    let page = crate::harness::eventually("the new key is known", || async {
        let page = belay.browser().sign_in("").await;
        (page.status == 200).then_some(page)
    })
    .await;
    assert_eq!(page.status, 200);
    assert!(provider.asked_for_keys() <= asked + 2, "asked too often");
}

#[tokio::test]
async fn claims_that_are_not_in_the_token_are_asked_of_userinfo() {
    let sandbox = Sandbox::start();
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox).with("BELAY_OIDC_ISSUER", provider.issuer());
    let belay = Belay::launch(&setup).ready().await;
    let info = |sub: &str| Say {
        user_info: Some(json!({
            "sub": sub, "email": "ana.silva@example.com", "email_verified": true,
        })),
        ..Say::default()
    };
    provider.says(info("1"));
    assert_eq!(belay.browser().sign_in("").await.status, 200);
    provider.says(info("someone-else"));
    assert_refused(&belay.browser().sign_in("").await, 400);
}

#[tokio::test]
async fn a_part_that_is_away_is_named_and_nothing_is_half_done() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    sandbox
        .refuse("identitystore:GetUserId", "InternalServerException")
        .await;
    let browser = belay.browser();
    assert_refused(&browser.sign_in("ana.silva").await, 503);
    assert_nobody(&browser).await;
    sandbox.heal().await;
    assert_eq!(browser.sign_in("ana.silva").await.status, 200);
}
