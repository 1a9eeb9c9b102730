//! The HTTP API: what programs do with it, for whom, and what they are told.

mod findings;
mod policy;
mod reopening;
mod sweep;
mod tokens;

use http::Method;
use serde_json::{Value, json};

use crate::harness::{ALL, AUDIENCE, Answer, Api, Belay, Provider, Sandbox, Setup, eventually};

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

/// One that takes tokens of a provider of its own, which says what a test has it say.
pub(crate) async fn with_provider(sandbox: &Sandbox) -> (Provider, Belay) {
    let provider = Provider::start().await;
    let setup = Setup::of(sandbox)
        .with("BELAY_OIDC_ISSUER", provider.issuer())
        .with("BELAY_API_AUDIENCE", AUDIENCE);
    let belay = Belay::launch(&setup).ready().await;
    (provider, belay)
}

/// What speaks for somebody by a token, after they have signed in once.
async fn speaks(sandbox: &Sandbox, belay: &Belay, name: &str, scopes: &str) -> Api {
    belay.signed_in(name).await;
    let token = sandbox.token(name, scopes, AUDIENCE).await;
    Api::of(belay).await.token(&token)
}

/// Why nothing was done, and where that is in the body.
fn why(answer: &Answer) -> (u16, &str, &str) {
    let place = answer.errors().first().map_or("", |(_, place)| *place);
    (answer.status, answer.code(), place)
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
