//! Which tokens count, for what, and how many that do not are looked at.

use std::time::Duration;

use futures::future::join_all;

use super::*;
use crate::harness::{Key, Say, within};

/// These claims with others in their place, or without those that are null.
fn with_changes(claims: &Value, changes: &Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

#[tokio::test]
async fn only_an_access_token_of_the_issuer_for_this_api_counts() {
    let sandbox = Sandbox::start();
    let (provider, belay) = with_provider(&sandbox).await;
    provider.claims(&json!({ "email": "ana.silva@example.com", "email_verified": true }));
    belay.signed_in("").await;
    let nobody = Api::of(&belay).await;

    let now = jiff::Timestamp::now().as_second();
    let good = json!({
        "iss": provider.issuer(), "aud": AUDIENCE, "sub": "1", "scope": "belay:read",
        "client_id": "a-program", "jti": "1", "iat": now, "exp": now + 300,
    });
    let changed = |changes: Value| with_changes(&good, &changes);
    let at = json!({ "typ": "at+jwt" });
    for (header, claims) in [
        (&at, good.clone()),
        (&json!({ "typ": "application/at+jwt" }), good.clone()),
        (
            &at,
            changed(json!({ "aud": ["https://other.example", AUDIENCE] })),
        ),
        (&at, changed(json!({ "nbf": now + 30 }))),
    ] {
        let token = provider.token(Key::Known, header, &claims);
        let me = nobody.token(&token).get("/me").await.ok();
        assert_eq!(me["email"], "ana.silva@example.com");
    }

    let bad = |key, header: &Value, changes: Value| provider.token(key, header, &changed(changes));
    let none = {
        let token = bad(
            Key::Known,
            &json!({ "typ": "at+jwt", "alg": "none" }),
            json!({}),
        );
        let unsigned = token.rsplit_once('.').unwrap().0.to_owned();
        format!("{unsigned}.")
    };
    for (what, token) in [
        (
            "an ID token",
            bad(Key::Known, &json!({ "typ": "JWT" }), json!({})),
        ),
        ("a token of no kind", bad(Key::Known, &json!({}), json!({}))),
        ("unsigned", none),
        ("by a shared secret", bad(Key::Secret, &at, json!({}))),
        ("forged", bad(Key::Forged, &at, json!({}))),
        (
            "another issuer's",
            bad(Key::Known, &at, json!({ "iss": "https://evil.example" })),
        ),
        (
            "for the portal",
            bad(Key::Known, &at, json!({ "aud": "belay" })),
        ),
        ("for nobody", bad(Key::Known, &at, json!({ "aud": null }))),
        ("expired", bad(Key::Known, &at, json!({ "exp": now - 61 }))),
        ("endless", bad(Key::Known, &at, json!({ "exp": null }))),
        (
            "of tomorrow",
            bad(Key::Known, &at, json!({ "nbf": now + 600 })),
        ),
        ("of nobody", bad(Key::Known, &at, json!({ "sub": null }))),
        ("no token", "nonsense".to_owned()),
        ("too long", "x".repeat(20_000)),
    ] {
        let answer = nobody.token(&token).get("/me").await;
        assert_eq!(
            (answer.status, answer.code()),
            (401, "invalid-token"),
            "{what}"
        );
        let challenge = answer.header("www-authenticate");
        assert!(
            challenge.starts_with("Bearer ") && challenge.contains("error=\"invalid_token\""),
            "{what}: {challenge}"
        );
    }
    // What is refused is said in the log, and the token is not.
    let said = belay.said();
    assert!(said.contains("a bearer token was refused"));
    assert!(!said.contains("eyJ"), "a token is in the log");

    // Made-up keys do not flood the provider.
    let asked = provider.asked_for_keys();
    for n in 0..20 {
        let token = bad(
            Key::Forged,
            &json!({ "typ": "at+jwt", "kid": format!("k{n}") }),
            json!({}),
        );
        let answer = nobody.token(&token).get("/me").await;
        assert_eq!(answer.code(), "invalid-token");
    }
    assert!(provider.asked_for_keys() <= asked + 2, "asked too often");

    // Whoever has never signed in is told what to do.
    let token = bad(Key::Known, &at, json!({ "sub": "2" }));
    let answer = nobody.token(&token).get("/me").await;
    assert_eq!((answer.status, answer.code()), (403, "login-not-bound"));
    provider.says(Say::default());
}

#[tokio::test]
async fn a_token_does_what_its_scopes_say_whatever_else_comes_with_it() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let reads = speaks(&sandbox, &belay, CARLA, "belay:read").await;
    let submits = speaks(&sandbox, &belay, CARLA, "belay:submit").await;
    let neither = speaks(&sandbox, &belay, CARLA, "email").await;
    let lacks = |answer: &Answer, scope: &str| {
        assert_eq!((answer.status, answer.code()), (403, "insufficient-scope"));
        let wanted = format!("scope=\"{scope}\"");
        assert!(answer.header("www-authenticate").contains(&wanted));
    };
    lacks(
        &reads.post("/requests", &read_payments()).await,
        "belay:submit",
    );
    lacks(&neither.get("/me").await, "belay:read");
    lacks(&submits.get("/requests").await, "belay:read");
    let submitted = submits.post("/requests", &read_payments()).await;
    assert_eq!(submitted.status, 201);
    assert_eq!(submitted.body.get("request"), None, "it may not read");

    // The token alone counts, whosever browser it comes from.
    let grace = belay.signed_in("grace.chen").await;
    let both = neither.session(&grace);
    lacks(&both.get("/me").await, "belay:read");
    let me = reads.session(&grace).get("/me").await.ok();
    assert_eq!(me["email"], "carla.rossi@example.com");
    let basic = Api::of(&belay)
        .await
        .session(&grace)
        .with("authorization", "Basic eDp5");
    assert_eq!(basic.get("/me").await.status, 401);

    // To break glass is nothing that a program does, nor to end what is another's.
    let mut glass = read_payments();
    glass["break_glass"] = json!("break glass");
    let refused = submits.post("/requests", &glass).await;
    assert_eq!((refused.status, refused.code()), (403, "session-only"));
}

#[tokio::test]
async fn whoever_has_left_is_shut_out_and_without_an_audience_no_token_is_taken() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    // To the snapshot noah is disabled, so the Identity Store is asked each time.
    let noah = sandbox.user_id("noah.berg").await;
    sandbox.set_status(&noah, "ENABLED").await;
    let program = speaks(&sandbox, &belay, "noah.berg", ALL).await;
    assert_eq!(program.get("/me").await.status, 200);
    sandbox.set_status(&noah, "DISABLED").await;
    // Unless it was read meanwhile: then until it is read again.
    let answer = within("they are shut out", Duration::from_mins(8), || async {
        let answer = program.get("/me").await;
        (answer.status == 403).then_some(answer)
    })
    .await;
    assert_eq!((answer.status, answer.code()), (403, "person-inactive"));

    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ana = speaks(&sandbox, &belay, "ana.silva", ALL).await;
    let answer = ana.get("/me").await;
    assert_eq!((answer.status, answer.code()), (401, "tokens-not-taken"));
}

#[tokio::test]
async fn whoever_sends_token_after_token_that_fails_is_slowed_down_and_nobody_else_is() {
    let sandbox = Sandbox::start();
    let (provider, belay) = with_provider(&sandbox).await;
    provider.claims(&json!({ "email": "ana.silva@example.com", "email_verified": true }));
    belay.signed_in("").await;
    let nobody = Api::of(&belay).await;
    let now = jiff::Timestamp::now().as_second();
    let token = |key, jti: &str| {
        let claims = json!({
            "iss": provider.issuer(), "aud": AUDIENCE, "sub": "1", "scope": "belay:read",
            "client_id": "a-program", "jti": jti, "iat": now, "exp": now + 300,
        });
        provider.token(key, &json!({ "typ": "at+jwt" }), &claims)
    };
    let mine = nobody.token(&token(Key::Known, "mine"));
    mine.get("/me").await.ok();

    let bad: Vec<Api> = (0..400)
        .map(|number| nobody.token(&token(Key::Forged, &number.to_string())))
        .collect();
    let answers = join_all(bad.iter().map(|api| api.get("/me"))).await;
    let with = |status: u16| {
        let found = answers.iter().filter(|answer| answer.status == status);
        found.collect::<Vec<_>>()
    };
    let (looked_at, refused) = (with(401), with(429));
    assert_eq!(looked_at.len() + refused.len(), 400);
    // Five more a second, for as long as a slow machine takes for it.
    assert!((120..300).contains(&looked_at.len()), "{}", looked_at.len());
    for answer in refused {
        assert_eq!(answer.code(), "too-many-tokens");
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..60).contains(&wait), "{wait}");
        assert_eq!(answer.header("www-authenticate"), "");
    }
    assert!(provider.asked_for_keys() <= 2, "the provider was asked");

    // What was good stays good from there, however many others fail beside it.
    let mut refused = 0;
    for some in bad.chunks(10).take(20) {
        let others = join_all(some.iter().map(|api| api.get("/me")));
        let (mine, others) = tokio::join!(mine.get("/me"), others);
        mine.ok();
        refused += others.iter().filter(|it| it.status == 429).count();
    }
    assert!(refused > 0);
    // And so is a new one, from anywhere else.
    let another = nobody.token(&token(Key::Known, "another"));
    let elsewhere = another.with("x-forwarded-for", "198.51.100.7");
    elsewhere.get("/me").await.ok();
    // It is known by then, and goes on from wherever it comes.
    another.get("/me").await.ok();
    // A new one from there waits its turn, and that comes.
    let third = nobody.token(&token(Key::Known, "third"));
    eventually("a new token is looked at", || async {
        (third.get("/me").await.status == 200).then_some(())
    })
    .await;
}
