//! The HTTP API: what programs do with it, for whom, and what they are told.

use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{
    ALL, AUDIENCE, Answer, Api, Belay, Key, Provider, Sandbox, Say, Setup, eventually, within,
};

/// Somebody who may read payments if Security agrees, and somebody of Security.
const CARLA: &str = "carla.rossi";
const EMMA: &str = "emma.lindqvist";

fn read_payments() -> Value {
    json!({
        "targets": [{
            "kind": "account",
            "account_id": "111122223333",
            "permission_set": "ReadOnlyAccess",
        }],
        "duration_seconds": 900,
        "reason": "INC-9: the payment logs",
    })
}

/// A Belay that takes tokens of the sandbox's provider.
async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).with("BELAY_API_AUDIENCE", AUDIENCE);
    Belay::launch(&setup).ready().await
}

/// What speaks for somebody by a token, after they have signed in once.
async fn speaks(sandbox: &Sandbox, belay: &Belay, name: &str, scopes: &str) -> Api {
    belay.signed_in(name).await;
    let token = sandbox.token(name, scopes, AUDIENCE).await;
    Api::of(belay).await.token(&token)
}

#[tokio::test]
async fn a_program_asks_a_person_approves_and_the_program_gives_it_back() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = speaks(&sandbox, &belay, CARLA, ALL).await;
    let me = carla.get("/me").await.ok();
    assert_eq!(
        (&me["by"], &me["role"]),
        (&json!("token"), &json!("person"))
    );
    assert_eq!(me["email"], "carla.rossi@example.com");

    let terms = "/access/accounts/111122223333/ReadOnlyAccess";
    let terms = carla.get(terms).await.ok();
    assert_eq!(terms["outcome"], "needs-approval");
    assert!(terms["routes"][0]["approvers"].to_string().contains("Emma"));

    let submitted = carla.post("/requests", &read_payments()).await;
    assert_eq!(submitted.status, 201, "{submitted:?}");
    let id = submitted.body["id"].as_str().unwrap().to_owned();
    let path = format!("/requests/{id}");
    assert_eq!(submitted.header("location"), format!("/api/v1{path}"));
    assert_eq!(submitted.body["request"]["state"], "pending");
    let again = carla.post("/requests", &read_payments()).await;
    assert_eq!(
        (again.status, &again.body["id"], &again.body["outcome"]),
        (200, &json!(id), &json!("already-pending"))
    );

    let emma_in_browser = belay.signed_in(EMMA).await;
    let emma = Api::of(&belay).await.session(&emma_in_browser);
    let waiting = emma.get("/approvals").await.ok();
    assert_eq!(waiting["items"][0]["request_id"], json!(id));
    let by_token = speaks(&sandbox, &belay, EMMA, ALL).await;
    let refused = by_token.post(&format!("{path}/approve"), &json!({})).await;
    assert_eq!((refused.status, refused.code()), (403, "session-only"));
    assert_eq!(carla.get(&path).await.ok()["state"], "pending");
    let approved = emma
        .post(&format!("{path}/approve"), &json!({ "note": "go on" }))
        .await;
    assert_eq!(approved.status, 204, "{approved:?}");

    let active = eventually("the access is there", || async {
        let request = carla.get(&path).await.ok();
        (request["state"] == "active").then_some(request)
    })
    .await;
    assert_eq!(active["asks"][0]["reviews"][0]["note"], "go on");
    let grant = active["asks"][0]["grant"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let held = carla.get("/grants").await.ok();
    assert_eq!(held["items"][0]["id"], json!(grant));
    assert_eq!(
        carla.get("/requests?state=live").await.ok()["items"][0]["id"],
        json!(id)
    );
    assert_eq!(
        carla.get("/requests?state=over").await.ok()["items"],
        json!([])
    );

    // An admin may end it, and nothing that speaks for one.
    let end = format!("/grants/{grant}/end");
    let over = json!({ "reason": "enough" });
    let grace = speaks(&sandbox, &belay, "grace.chen", ALL).await;
    let refused = grace.post(&end, &over).await;
    assert_eq!((refused.status, refused.code()), (403, "not-yours"));
    let ines = speaks(&sandbox, &belay, "ines.costa", ALL).await;
    let refused = ines.post(&end, &over).await;
    assert_eq!((refused.status, refused.code()), (404, "not-found"));
    assert_eq!(carla.get(&path).await.ok()["state"], "active");

    let ended = carla
        .post(
            &format!("/grants/{grant}/end"),
            &json!({ "reason": "found it" }),
        )
        .await;
    assert_eq!(ended.status, 204, "{ended:?}");
    let over = eventually("the access is gone", || async {
        let request = carla.get(&path).await.ok();
        (request["state"] == "ended").then_some(request)
    })
    .await;
    let receipt = &over["asks"][0]["grant"]["receipt"];
    assert_eq!(receipt["kind"], "removed");
    assert_eq!(carla.get("/grants").await.ok()["items"], json!([]));
    // By which door it came is on record, whoever it came for.
    let events = sandbox.events(&format!("request:{id}")).await;
    let by = |event: &Value| (event["kind"].clone(), event["source"].clone());
    assert_eq!(by(&events[0]), (json!("request.submitted"), json!("api")));
}

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
    let provider = Provider::start().await;
    let setup = Setup::of(&sandbox)
        .with("BELAY_OIDC_ISSUER", provider.issuer())
        .with("BELAY_API_AUDIENCE", AUDIENCE);
    let belay = Belay::launch(&setup).ready().await;
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
async fn a_session_speaks_from_our_own_pages_alone() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let nobody = Api::of(&belay).await;
    let carla = nobody.session(&belay.signed_in(CARLA).await);
    for origin in ["https://evil.example", "null"] {
        let elsewhere = carla.with("origin", origin);
        let answer = elsewhere.post("/requests", &read_payments()).await;
        assert_eq!((answer.status, answer.code()), (403, "cross-origin"));
    }
    assert_eq!(carla.get("/requests").await.ok()["items"], json!([]));
    assert_eq!(carla.post("/requests", &read_payments()).await.status, 201);
    let answer = nobody.get("/requests").await;
    assert_eq!((answer.status, answer.code()), (401, "signed-out"));
    assert!(answer.header("www-authenticate").starts_with("Bearer "));
    // A token is sent on purpose: no browser adds it by itself.
    let token = sandbox.token(CARLA, ALL, AUDIENCE).await;
    let abroad = nobody.token(&token).with("origin", "https://tool.example");
    assert_eq!(abroad.post("/requests", &read_payments()).await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_with_a_submission_is_said_with_its_place() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = Api::of(&belay).await.session(&belay.signed_in(CARLA).await);
    let with = |member: &str, value: Value| {
        let mut body = read_payments();
        body[member] = value;
        body
    };
    for (body, status, code, errors) in [
        (
            with("duration_seconds", json!("1h")),
            422,
            "invalid",
            vec![("not-understood", "/duration_seconds")],
        ),
        (
            with("duration", json!(900)),
            422,
            "invalid",
            vec![("not-understood", "/duration")],
        ),
        (
            with(
                "targets",
                json!([{ "kind": "account", "account_id": "1", "permission_set": "A" }]),
            ),
            422,
            "invalid",
            vec![("not-understood", "/targets/0/account_id")],
        ),
        (
            with("targets", json!([])),
            422,
            "targets",
            vec![("targets", "/targets")],
        ),
        (
            with("reason", json!(" ")),
            422,
            "invalid",
            vec![("not-understood", "/reason")],
        ),
        (
            with("reason", json!("short")),
            422,
            "too-few-chars",
            vec![("too-few-chars", "/reason")],
        ),
        (
            with("duration_seconds", json!(8_640_000)),
            422,
            "too-long",
            vec![("too-long", "/duration_seconds")],
        ),
        (
            with("start", json!("2020-01-01T00:00:00Z")),
            422,
            "passed",
            vec![("passed", "/start")],
        ),
        (
            with("extends", json!("x")),
            422,
            "invalid",
            vec![("not-understood", "/extends")],
        ),
        (
            with(
                "targets",
                json!([{ "kind": "account", "account_id": "999999999999", "permission_set": "ReadOnlyAccess" }]),
            ),
            403,
            "not-available",
            vec![("not-available", "/targets/0")],
        ),
    ] {
        let answer = carla.post("/requests", &body).await;
        let found = (answer.status, answer.code(), answer.errors());
        assert_eq!(found, (status, code, errors), "{body}");
    }
    let two = json!([
        { "kind": "account", "account_id": "111122223333", "permission_set": "ReadOnlyAccess" },
        { "kind": "account", "account_id": "666677778888", "permission_set": "AdministratorAccess" },
    ]);
    let answer = carla.post("/requests", &with("targets", two)).await;
    assert_eq!(answer.errors(), [("not-available", "/targets/1")]);
    assert_eq!(
        carla.get("/requests").await.ok()["items"],
        json!([]),
        "all or nothing"
    );
}

#[tokio::test]
async fn what_is_no_call_of_this_api_is_a_problem_and_never_a_page() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = Api::of(&belay).await.session(&belay.signed_in(CARLA).await);
    let json = carla.with("content-type", "application/json");
    let post = async |api: &Api, body: String| {
        let answer = api.send(Method::POST, "/requests", Some(body)).await;
        (answer.status, answer.code().to_owned())
    };
    let said = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(
        post(&json, "{".to_owned()).await,
        said(400, "malformed-json")
    );
    assert_eq!(
        post(&json, format!("{} x", read_payments())).await,
        said(400, "malformed-json")
    );
    let form = carla.with("content-type", "application/x-www-form-urlencoded");
    assert_eq!(
        post(&form, "reason=x".to_owned()).await,
        said(415, "not-json")
    );
    let mut large = read_payments();
    large["reason"] = json!("x".repeat(70_000));
    assert_eq!(post(&json, large.to_string()).await, said(413, "too-large"));

    for (path, status, code) in [
        ("/nothing", 404, "not-found"),
        ("", 404, "not-found"),
        ("/", 404, "not-found"),
        ("/requests/x", 404, "not-found"),
        (
            "/requests/01932c07-20a1-7e3c-a0a5-0123456789ab",
            404,
            "not-found",
        ),
        ("/access/accounts/group/x", 404, "not-found"),
        ("/access?cursor=x", 400, "bad-cursor"),
        ("/access?limit=0", 400, "bad-query"),
        ("/access?limit=101", 400, "bad-query"),
        ("/access?account_id=1", 400, "bad-query"),
        ("/access?account=111122223333", 400, "bad-query"),
        ("/requests?state=lost", 400, "bad-query"),
        ("/history", 403, "not-allowed"),
    ] {
        let answer = carla.with("accept", "text/html").get(path).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{path}");
    }
    let answer = carla.send(Method::DELETE, "/requests", None).await;
    assert_eq!((answer.status, answer.code()), (405, "method-not-allowed"));
    let mut allowed: Vec<&str> = answer.header("allow").split(',').collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["GET", "HEAD", "POST"]);
    let answer = carla.send(Method::OPTIONS, "/requests", None).await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn what_cannot_be_done_now_says_when_it_can() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = Api::of(&belay).await.session(&belay.signed_in(CARLA).await);
    // Twice is too often; when it may be again is said.
    let id = carla.post("/requests", &read_payments()).await.ok();
    let nudge = format!("/requests/{}/nudge", id["id"].as_str().unwrap());
    assert_eq!(carla.post(&nudge, &Value::Null).await.status, 204);
    let answer = carla.post(&nudge, &Value::Null).await;
    assert_eq!((answer.status, answer.code()), (429, "nudged-already"));
    let seconds: u64 = answer.header("retry-after").parse().unwrap();
    assert!((1_000..=1_801).contains(&seconds), "{seconds}");
    let withdraw = format!("/requests/{}/withdraw", id["id"].as_str().unwrap());
    assert_eq!(carla.post(&withdraw, &Value::Null).await.status, 204);
    let answer = carla.post(&withdraw, &Value::Null).await;
    assert_eq!((answer.status, answer.code()), (409, "already-decided"));

    sandbox
        .refuse("dynamodb:Query", "InternalServerError")
        .await;
    let answer = carla.get("/requests").await;
    assert_eq!((answer.status, answer.code()), (503, "unavailable"));
    assert_eq!(answer.header("retry-after"), "5");
}

#[tokio::test]
async fn a_list_of_everything_goes_on_where_it_stopped() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ana = speaks(&sandbox, &belay, "ana.silva", ALL).await;
    let whole = ana.get("/access?limit=100").await.ok();
    assert_eq!(whole.get("next"), None);
    let whole = whole["items"].as_array().unwrap().clone();
    assert!(whole.len() > 7, "{whole:#?}");
    for limit in [1, 7] {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = ana
                .get(&format!("/access?limit={limit}{cursor}"))
                .await
                .ok();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= limit);
            found.extend(items.clone());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, whole);
    }
    // It finds what the portal finds, and each only once.
    let narrow = ana.get("/access?q=payments+read").await.ok();
    let narrow = narrow["items"].as_array().unwrap();
    assert!(!narrow.is_empty() && narrow.len() < whole.len());
    assert!(narrow.iter().all(|item| whole.contains(item)));
    let one = ana.get("/access?account_id=111122223333").await.ok();
    let one = one["items"].as_array().unwrap();
    assert!(!one.is_empty());
    for item in one {
        assert_eq!(item["target"]["account_id"], "111122223333");
    }
    // Each of them has its terms.
    for item in &whole {
        let target = &item["target"];
        let path = match target["kind"].as_str().unwrap() {
            "group" => format!("/access/groups/{}", target["group_id"].as_str().unwrap()),
            _ => format!(
                "/access/accounts/{}/{}",
                target["account_id"].as_str().unwrap(),
                target["permission_set"].as_str().unwrap()
            ),
        };
        let terms = ana.get(&path).await.ok();
        assert_eq!(
            terms["max_duration_seconds"], item["max_duration_seconds"],
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_preview_says_what_a_submission_would_and_keeps_nothing() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = speaks(&sandbox, &belay, CARLA, ALL).await;
    let preview = "/requests/preview";
    let foreseen = carla.post(preview, &read_payments()).await.ok();
    let target = &foreseen["targets"][0];
    assert_eq!(target["outcome"], "needs-approval", "{foreseen}");
    assert_eq!(target["target"]["account_name"], "Payments Production");
    assert_eq!(target["routes"][0]["approvals_needed"], 1, "{foreseen}");
    assert_eq!(carla.get("/requests").await.ok()["items"], json!([]));

    let mut long = read_payments();
    long["duration_seconds"] = json!(7_200);
    let foreseen = carla.post(preview, &long).await.ok();
    let target = &foreseen["targets"][0];
    assert_eq!(target["outcome"], "refused", "{foreseen}");
    assert!(!target["reasons"].as_array().unwrap().is_empty());
    assert_eq!(carla.post("/requests", &long).await.status, 422);

    // What cannot be submitted at all is the same problem here.
    let mut secret = read_payments();
    secret["targets"][0]["account_id"] = json!("100000000001");
    let refused = [
        carla.post(preview, &secret).await,
        carla.post("/requests", &secret).await,
    ];
    assert_eq!(refused[0].status, 403, "{:?}", refused[0]);
    assert_eq!(refused[0].body, refused[1].body);

    carla.post("/requests", &read_payments()).await;
    let foreseen = carla.post(preview, &read_payments()).await.ok();
    assert_eq!(foreseen["targets"][0]["outcome"], "waiting", "{foreseen}");
    let reads = speaks(&sandbox, &belay, CARLA, "belay:read").await;
    let refused = reads.post(preview, &read_payments()).await;
    assert_eq!(
        (refused.status, refused.code()),
        (403, "insufficient-scope")
    );
}
