//! The sandbox's provider, spoken to with a client library that was not written for it.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

#[path = "running/relying_party.rs"]
mod relying_party;
#[path = "running/sandbox.rs"]
mod sandbox;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use relying_party::{Browser, Portal, REDIRECT};
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, WWW_AUTHENTICATE};
use sandbox::Sandbox;
use serde_json::Value;

#[tokio::test]
async fn a_hinted_sign_in_ends_with_a_token_that_a_strict_client_accepts() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let answer = Browser::default()
        .authorize(&portal, &[("login_hint", "Ana.Silva@Example.com")])
        .await;
    let code = answer.code(&portal);
    let tokens = portal.exchange(&code).await.unwrap();
    // Verified by `openidconnect`: signature by the published key, issuer, audience, expiry, nonce.
    let claims = portal.verified(&tokens);
    assert_eq!(claims["email"], "ana.silva@example.com");
    assert_eq!(claims["email_verified"], true);
    assert_eq!(claims["name"], "Ana Silva");
    assert_eq!(claims["preferred_username"], "ana.silva");
    let age_s = claims["iat"].as_i64().unwrap() - claims["auth_time"].as_i64().unwrap();
    assert!((0..=60).contains(&age_s), "auth_time is now: {claims}");
    let info = portal.user_info(&tokens.access_token).await.unwrap();
    assert_eq!(info["sub"], claims["sub"]);
    assert_eq!(info["email"], claims["email"]);
}

/// The parts of a token that everybody can read.
fn read(token: &str) -> (Value, Value) {
    let part = |n: usize| {
        let part = BASE64URL.decode(token.split('.').nth(n).unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    (part(0), part(1))
}

#[tokio::test]
async fn a_token_for_a_resource_is_one_that_the_resource_can_read() {
    const API: &str = "https://belay.example.com/api/v1";
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let code = async |resource: &str| {
        let asked = [
            ("login_hint", "ana.silva"),
            ("scope", "openid belay:read"),
            ("resource", resource),
        ];
        let mut browser = Browser::default();
        browser.authorize(&portal, &asked).await
    };
    let tokens = code(API).await.code(&portal);
    let tokens = portal.exchange(&tokens).await.unwrap();
    let (header, claims) = read(&tokens.access_token);
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["kid"], portal.jwks["keys"][0]["kid"]);
    for (name, value) in [
        ("iss", portal.issuer.as_str()),
        ("aud", API),
        ("client_id", "belay"),
        ("scope", "openid belay:read"),
    ] {
        assert_eq!(claims[name], value, "{claims}");
    }
    assert_eq!(claims["sub"], portal.verified(&tokens)["sub"]);
    let lasts = claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap();
    assert_eq!(lasts, 300);
    // The ID token is another thing, for another audience.
    let (header, claims) = read(&tokens.id_token);
    assert_eq!(
        (&header["typ"], &claims["aud"]),
        (&"JWT".into(), &"belay".into())
    );

    assert_eq!(code("not-absolute").await.error(&portal), "invalid_target");
    let agreed = code(API).await.code(&portal);
    let other = [("resource", "https://other.example")];
    let refused = portal.token(&agreed, &other).await;
    assert_eq!(refused.json()["error"], "invalid_target");
    let plain = code("").await.code(&portal);
    let plain = portal.exchange(&plain).await.unwrap();
    assert!(
        !plain.access_token.contains('.'),
        "it says nothing by itself"
    );
}

#[tokio::test]
async fn a_command_line_has_no_secret_and_its_own_address() {
    const BACK: &str = "http://127.0.0.1:9/callback";
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let asked = [
        ("login_hint", "ana.silva"),
        ("client_id", "belay-cli"),
        ("redirect_uri", BACK),
    ];
    let answer = Browser::default().authorize(&portal, &asked).await;
    let back = answer.headers[LOCATION].to_str().unwrap().to_owned();
    let back = reqwest::Url::parse(&back).unwrap();
    assert!(back.as_str().starts_with(BACK), "{back}");
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    // The portal's secret opens nothing that is the command line's.
    let mine = [("client_id", "belay-cli"), ("redirect_uri", BACK)];
    let tokens = portal.token_as(None, &code, &mine).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    let answer = Browser::default().authorize(&portal, &asked).await;
    let back = answer.headers[LOCATION].to_str().unwrap().to_owned();
    let back = reqwest::Url::parse(&back).unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let portals = portal.token(&code, &[("redirect_uri", BACK)]).await;
    assert_eq!(portals.json()["error"], "invalid_grant");
    // Nor may it come back to the portal.
    let asked = [("client_id", "belay-cli"), ("login_hint", "ana.silva")];
    let answer = Browser::default().authorize(&portal, &asked).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_subject_is_the_same_at_every_sign_in_and_is_no_user_id() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let subject = async |hint: &str| {
        let answer = Browser::default()
            .authorize(&portal, &[("login_hint", hint)])
            .await;
        let tokens = portal.exchange(&answer.code(&portal)).await.unwrap();
        portal.verified(&tokens)["sub"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        subject("ana.silva").await,
        subject("ana.silva@example.com").await
    );
    assert_ne!(subject("ana.silva").await, subject("ben.okafor").await);
}

#[tokio::test]
async fn the_page_shows_everybody_and_a_click_signs_in() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let page = browser.authorize(&portal, &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    for text in [
        "Ana Silva",
        "ana.silva@example.com",
        "SRE",
        "Liam Murphy",
        "Noah Berg",
        "Disabled",
    ] {
        assert!(page.body.contains(text), "{text} is on the page");
    }
    assert!(!page.body.contains("<script"));
    let csp = page.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(csp.contains(part), "{csp}");
    }
    assert_eq!(page.headers[CACHE_CONTROL], "no-store");

    let answer = browser
        .pick(&portal, &page, &[("person", "ben.okafor")])
        .await;
    let tokens = portal.exchange(&answer.code(&portal)).await.unwrap();
    assert_eq!(portal.verified(&tokens)["preferred_username"], "ben.okafor");
}

#[tokio::test]
async fn a_disabled_person_can_sign_in_here_because_refusing_them_is_belays_work() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let answer = Browser::default()
        .authorize(&portal, &[("login_hint", "noah.berg")])
        .await;
    let tokens = portal.exchange(&answer.code(&portal)).await.unwrap();
    assert_eq!(portal.verified(&tokens)["email"], "noah.berg@example.com");
}

#[tokio::test]
async fn a_session_answers_for_its_person_until_it_is_asked_to_prove_itself() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let nobody = browser.authorize(&portal, &[("prompt", "none")]).await;
    assert_eq!(nobody.error(&portal), "login_required");

    let first = browser
        .authorize(&portal, &[("login_hint", "ana.silva")])
        .await;
    let first = portal.verified(&portal.exchange(&first.code(&portal)).await.unwrap());

    for quiet in [&[][..], &[("prompt", "none")], &[("max_age", "600")]] {
        let answer = browser.authorize(&portal, quiet).await;
        let claims = portal.verified(&portal.exchange(&answer.code(&portal)).await.unwrap());
        assert_eq!(claims["sub"], first["sub"], "{quiet:?}");
        assert_eq!(
            claims["auth_time"], first["auth_time"],
            "a session does not renew itself: {quiet:?}"
        );
    }
    for asking in [
        ("prompt", "login"),
        ("prompt", "select_account"),
        ("max_age", "0"),
    ] {
        let page = browser.authorize(&portal, &[asking]).await;
        assert_eq!(page.status, StatusCode::OK, "{asking:?}");
        assert!(page.body.contains("Signed in now"), "{asking:?}");
    }
    let expired = browser
        .authorize(&portal, &[("prompt", "none"), ("max_age", "0")])
        .await;
    assert_eq!(expired.error(&portal), "login_required");

    // `auth_time` counts whole seconds, so a later proof shows only in the next.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let again = browser
        .authorize(&portal, &[("prompt", "login"), ("login_hint", "ana.silva")])
        .await;
    let again = portal.verified(&portal.exchange(&again.code(&portal)).await.unwrap());
    assert!(
        again["auth_time"].as_i64() > first["auth_time"].as_i64(),
        "{again} after {first}"
    );

    let other = browser
        .authorize(&portal, &[("login_hint", "ben.okafor")])
        .await;
    let other = portal.verified(&portal.exchange(&other.code(&portal)).await.unwrap());
    assert_ne!(
        other["sub"], first["sub"],
        "a hint for someone else is not answered from the session"
    );
}

#[tokio::test]
async fn a_hint_for_nobody_asks_and_says_so() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let page = Browser::default()
        .authorize(&portal, &[("login_hint", "<i>nobody</i>")])
        .await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("&lt;i&gt;nobody&lt;/i&gt;") && !page.body.contains("<i>"));
}

#[tokio::test]
async fn cancelling_tells_the_client() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let page = browser.authorize(&portal, &[]).await;
    let answer = browser.pick(&portal, &page, &[("act", "cancel")]).await;
    assert_eq!(answer.error(&portal), "access_denied");
}

#[tokio::test]
async fn without_a_proof_key_there_is_no_code() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let hint = ("login_hint", "ana.silva");
    for fault in [
        ("code_challenge", ""),
        ("code_challenge_method", ""),
        ("code_challenge_method", "plain"),
    ] {
        let answer = Browser::default().authorize(&portal, &[hint, fault]).await;
        assert_eq!(answer.error(&portal), "invalid_request", "{fault:?}");
    }
}

#[tokio::test]
async fn a_code_needs_its_verifier_and_the_right_address() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let other_verifier = "a".repeat(43);
    for (fault, error) in [
        (("code_verifier", ""), "invalid_request"),
        (("code_verifier", other_verifier.as_str()), "invalid_grant"),
        (("redirect_uri", ""), "invalid_request"),
        (
            ("redirect_uri", "http://localhost:8001/auth/callback"),
            "invalid_grant",
        ),
        (("code", ""), "invalid_request"),
        (("code", "made-up"), "invalid_grant"),
        (("grant_type", ""), "invalid_request"),
        (("grant_type", "refresh_token"), "unsupported_grant_type"),
    ] {
        let answer = Browser::default()
            .authorize(&portal, &[("login_hint", "ana.silva")])
            .await;
        let refused = portal.token(&answer.code(&portal), &[fault]).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{fault:?}");
        assert_eq!(refused.json()["error"], error, "{fault:?}");
        assert_eq!(refused.headers[CACHE_CONTROL], "no-store");
    }
}

#[tokio::test]
async fn a_code_presented_with_a_wrong_verifier_is_spent() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let answer = Browser::default()
        .authorize(&portal, &[("login_hint", "ana.silva")])
        .await;
    let code = answer.code(&portal);
    let guess = "b".repeat(43);
    assert_eq!(
        portal
            .token(&code, &[("code_verifier", guess.as_str())])
            .await
            .json()["error"],
        "invalid_grant"
    );
    assert_eq!(
        portal.token(&code, &[]).await.json()["error"],
        "invalid_grant"
    );
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_takes_its_token_with_it() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let answer = Browser::default()
        .authorize(&portal, &[("login_hint", "ana.silva")])
        .await;
    let code = answer.code(&portal);
    let tokens = portal.exchange(&code).await.unwrap();
    assert!(portal.user_info(&tokens.access_token).await.is_ok());
    assert_eq!(
        portal.token(&code, &[]).await.json()["error"],
        "invalid_grant"
    );
    let refused = portal.user_info(&tokens.access_token).await.unwrap_err();
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert!(
        refused.headers[WWW_AUTHENTICATE]
            .to_str()
            .unwrap()
            .contains("invalid_token")
    );
}

#[tokio::test]
async fn the_client_proves_itself_in_one_of_two_ways() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let signed_in = async || {
        let answer = Browser::default()
            .authorize(&portal, &[("login_hint", "ana.silva")])
            .await;
        answer.code(&portal)
    };
    let in_form = [
        ("client_id", "belay"),
        ("client_secret", "belay-sandbox-secret"),
    ];
    let accepted = portal.token_as(None, &signed_in().await, &in_form).await;
    assert_eq!(accepted.status, StatusCode::OK);
    let accepted = portal
        .token_as(
            Some(("belay", "belay-sandbox-secret")),
            &signed_in().await,
            &[],
        )
        .await;
    assert_eq!(accepted.status, StatusCode::OK);

    for (basic, fields) in [
        (None, &[][..]),
        (
            None,
            &[("client_id", "belay"), ("client_secret", "guessed")][..],
        ),
        (Some(("belay", "guessed")), &[][..]),
        (Some(("someone", "belay-sandbox-secret")), &[][..]),
    ] {
        let code = signed_in().await;
        let refused = portal.token_as(basic, &code, fields).await;
        assert_eq!(
            refused.status,
            StatusCode::UNAUTHORIZED,
            "{basic:?} {fields:?}"
        );
        assert_eq!(refused.json()["error"], "invalid_client");
        assert!(refused.headers.contains_key(WWW_AUTHENTICATE));
        assert_eq!(
            portal.token(&code, &[]).await.status,
            StatusCode::OK,
            "a stranger cannot spend a code"
        );
    }
    let both = portal
        .token_as(
            Some(("belay", "belay-sandbox-secret")),
            &signed_in().await,
            &in_form,
        )
        .await;
    assert_eq!(both.json()["error"], "invalid_request");
}

#[tokio::test]
async fn nobody_is_sent_to_an_address_that_is_not_on_the_list() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    for fault in [
        ("redirect_uri", "https://evil.example/auth/callback"),
        ("redirect_uri", "http://localhost:8000/elsewhere"),
        (
            "redirect_uri",
            "http://localhost:8000@evil.example/auth/callback",
        ),
        ("client_id", "someone"),
    ] {
        let answer = Browser::default()
            .authorize(&portal, &[("login_hint", "ana.silva"), fault])
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{fault:?}");
        assert!(!answer.headers.contains_key(LOCATION), "{fault:?}");
        assert!(
            answer.body.contains("This sign-in cannot go on"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn another_sites_form_signs_nobody_in() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let page = browser.authorize(&portal, &[]).await;
    browser.comes_from("cross-site");
    let answer = browser
        .pick(&portal, &page, &[("person", "ana.silva")])
        .await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.headers.contains_key(LOCATION));
}

#[tokio::test]
async fn signing_out_forgets_the_person_and_goes_back() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let answer = browser
        .authorize(&portal, &[("login_hint", "ana.silva")])
        .await;
    let tokens = portal.exchange(&answer.code(&portal)).await.unwrap();
    let back = "http://localhost:8000/signed-out";

    let refused = [
        ("id_token_hint", tokens.id_token.as_str()),
        ("post_logout_redirect_uri", "https://evil.example/"),
    ];
    let refused = browser
        .get(&format!("{}/sign-out", portal.issuer), &refused)
        .await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    let stranger = browser
        .get(
            &format!("{}/sign-out", portal.issuer),
            &[("post_logout_redirect_uri", back)],
        )
        .await;
    assert_eq!(
        stranger.status,
        StatusCode::BAD_REQUEST,
        "who asks is not known"
    );

    let asked = [
        ("id_token_hint", tokens.id_token.as_str()),
        ("post_logout_redirect_uri", back),
        ("state", "a b"),
    ];
    let gone = browser
        .get(
            portal.metadata["end_session_endpoint"].as_str().unwrap(),
            &asked,
        )
        .await;
    assert_eq!(gone.status, StatusCode::SEE_OTHER);
    assert_eq!(gone.headers[LOCATION], format!("{back}?state=a+b"));
    let nobody = browser.authorize(&portal, &[("prompt", "none")]).await;
    assert_eq!(nobody.error(&portal), "login_required");
}

#[tokio::test]
async fn a_restart_keeps_the_keys_and_the_session() {
    let mut sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let mut browser = Browser::default();
    let answer = browser
        .authorize(&portal, &[("login_hint", "ana.silva")])
        .await;
    let tokens = portal.exchange(&answer.code(&portal)).await.unwrap();
    sandbox.kill();
    sandbox.start_again();
    let after = Portal::discover(&sandbox.address("oidc")).await;
    assert_eq!(after.jwks, portal.jwks, "tokens signed before verify after");
    assert_eq!(portal.verified(&tokens)["email"], "ana.silva@example.com");
    let quiet = browser.authorize(&after, &[("prompt", "none")]).await;
    let tokens = after.exchange(&quiet.code(&after)).await.unwrap();
    assert_eq!(after.verified(&tokens)["email"], "ana.silva@example.com");
}

#[tokio::test]
async fn discovery_says_what_is_true() {
    let sandbox = Sandbox::start();
    let portal = Portal::discover(&sandbox.address("oidc")).await;
    let list = |name: &str| portal.metadata[name].clone();
    assert_eq!(list("issuer"), Value::from(portal.issuer.clone()));
    assert_eq!(
        list("response_types_supported"),
        serde_json::json!(["code"])
    );
    assert_eq!(
        list("code_challenge_methods_supported"),
        serde_json::json!(["S256"])
    );
    assert_eq!(
        list("id_token_signing_alg_values_supported"),
        serde_json::json!(["RS256"])
    );
    assert_eq!(
        list("authorization_response_iss_parameter_supported"),
        Value::Bool(true)
    );
    let keys = portal.jwks["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    for private in ["d", "p", "q", "dp", "dq", "qi"] {
        assert!(
            keys[0].get(private).is_none(),
            "the private half stays here"
        );
    }
    assert!(REDIRECT.starts_with("http://localhost:"));
}
