//! Where a guardrail asks whoever decides to have signed in just before.

use std::path::Path;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use url::Url;

use crate::harness::{Belay, Browser, Page, Provider, Sandbox, Say, Setup};

const POLICY: &str = include_str!("../../sandbox/policy.toml");

/// Reading payments, and being on call for them.
const READ: &str = "/access/111122223333/ReadOnlyAccess";
const POWER: &str = "/access/111122223333/PowerUserAccess";

const APPROVE: [(&str, &str); 2] = [("act", "approve"), ("note", "kept on the way")];

const fn ask(seconds: &str) -> [(&str, &str); 2] {
    [("duration", seconds), ("reason", "the pager, again")]
}

/// The sandbox's policy, with a guardrail on payments.
fn careful(folder: &Path) -> String {
    let file = folder.join("careful.toml");
    let careful = "\n[[guardrail]]\nname = \"careful\"\naccounts = [\"111122223333\"]\nreauthenticate = true\n";
    std::fs::write(&file, format!("{POLICY}{careful}")).unwrap();
    file.to_str().unwrap().to_owned()
}

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).with("BELAY_POLICY", careful(sandbox.folder()));
    Belay::launch(&setup).ready().await
}

/// A provider that says what it is told, and a Belay that believes it.
async fn start_with_provider(sandbox: &Sandbox) -> (Belay, Provider) {
    let provider = Provider::start().await;
    let setup = Setup::of(sandbox)
        .with("BELAY_POLICY", careful(sandbox.folder()))
        .with("BELAY_OIDC_ISSUER", provider.issuer());
    (Belay::launch(&setup).ready().await, provider)
}

/// What the provider says of a person.
fn is(user_name: &str) -> serde_json::Map<String, Value> {
    let claims = json!({
        "sub": user_name,
        "email": format!("{user_name}@example.com"),
        "email_verified": true,
    });
    claims.as_object().unwrap().clone()
}

fn says(provider: &Provider, user_name: &str, more: &[(&str, Value)]) {
    let mut claims = is(user_name);
    claims.extend(
        more.iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone())),
    );
    provider.says(Say {
        claims,
        ..Say::default()
    });
}

/// A request of Carla's to read payments.
async fn asked(belay: &Belay) -> String {
    let carla = belay.signed_in("carla.rossi").await;
    request_of(&carla.post(READ, &ask("900")).await)
}

fn request_of(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text());
    let location = page.location();
    assert!(location.starts_with("/requests/"), "{location}");
    location.split('?').next().unwrap().to_owned()
}

/// Where the provider is asked for a new sign-in.
fn leaves(page: &Page) -> Url {
    assert_eq!(page.status, 303, "{}", page.text());
    let url = Url::parse(&page.location()).unwrap_or_else(|_| panic!("{}", page.location()));
    let asked = |name: &str| {
        let pair = url.query_pairs().find(|(have, _)| have == name);
        pair.map(|(_, value)| value.into_owned())
    };
    assert_eq!(asked("prompt").as_deref(), Some("login"), "{url}");
    assert_eq!(asked("max_age").as_deref(), Some("600"), "{url}");
    assert!(asked("nonce").is_some() && asked("code_challenge").is_some());
    url
}

/// Presses the button, signs in again as that person, and is back on the page that was left.
async fn proves(browser: &Browser, path: &str, form: &[(&str, &str)], user_name: &str) -> Page {
    let door = leaves(&browser.post(path, form).await);
    let callback = browser.at_callback(door, user_name).await;
    let page = browser.visit(callback.as_str()).await;
    assert_eq!(page.url.path(), path);
    page
}

/// Whether the only request is decided, as its page says.
async fn is_pending(browser: &Browser, request: &str) -> bool {
    let page = browser.get(request).await;
    assert_eq!(page.status, 200, "{}", page.text());
    page.body.contains("Waiting for approval")
}

/// Everything of one kind that the table holds.
async fn items(
    sandbox: &Sandbox,
    prefix: &str,
) -> Vec<std::collections::HashMap<String, AttributeValue>> {
    let all = sandbox
        .dynamodb()
        .scan()
        .table_name("belay")
        .consistent_read(true)
        .send()
        .await
        .unwrap();
    let mut items = all.items().to_vec();
    items.retain(|item| item["pk"].as_s().is_ok_and(|pk| pk.starts_with(prefix)));
    items
}

/// Sets when the only proof's sign-in was.
async fn age_proof(sandbox: &Sandbox, minutes: i64) {
    let mut proofs = items(sandbox, "proof#").await;
    assert_eq!(proofs.len(), 1);
    let mut proof = proofs.pop().unwrap();
    let then = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
    proof.insert(
        "signed_in_at".to_owned(),
        AttributeValue::S(then.to_string()),
    );
    let table = sandbox.dynamodb();
    let put = table.put_item().table_name("belay").set_item(Some(proof));
    put.send().await.unwrap();
}

/// What is on record of the grant's approval.
async fn approvals(sandbox: &Sandbox, request: &str) -> Vec<Value> {
    let id = request.rsplit('/').next().unwrap();
    items(sandbox, &format!("stream#request:{id}"))
        .await
        .iter()
        .filter_map(|item| item.get("bytes")?.as_s().ok())
        .map(|bytes| serde_json::from_str::<Value>(bytes).unwrap())
        .filter(|event| event["kind"] == "ask.approved")
        .collect()
}

#[tokio::test]
async fn an_approver_signs_in_again_comes_back_with_what_they_typed_and_presses_the_button() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let request = asked(&belay).await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = emma.get(&request).await;
    assert!(
        page.body.contains("Sign in again to approve"),
        "{}",
        page.text()
    );

    let page = proves(&emma, &request, &APPROVE, "emma.lindqvist").await;
    assert_eq!(page.status, 200, "{}", page.text());
    for shown in ["kept on the way", "You have signed in again"] {
        assert!(page.body.contains(shown), "{shown}: {}", page.text());
    }
    assert!(!page.body.contains("Sign in again to approve"));
    assert!(is_pending(&emma, &request).await, "nobody pressed anything");

    let page = emma.post(&request, &APPROVE).await;
    assert_eq!(page.location(), format!("{request}?done=approved"));
    assert!(!is_pending(&emma, &request).await);
    let approved = approvals(&sandbox, &request).await;
    let at: jiff::Timestamp = approved[0]["signed_in_again_at"]
        .as_str()
        .unwrap_or_else(|| panic!("{approved:?}"))
        .parse()
        .unwrap();
    assert!(at.duration_since(jiff::Timestamp::now()).abs() < jiff::SignedDuration::from_mins(1));
    assert!(items(&sandbox, "proof#").await.is_empty(), "it is used up");
}

#[tokio::test]
async fn to_deny_nobody_has_to_sign_in_again_nor_where_no_guardrail_asks() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let request = asked(&belay).await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = emma
        .post(&request, &[("act", "deny"), ("note", "not today")])
        .await;
    assert_eq!(page.location(), format!("{request}?done=denied"));
    let ben = belay.signed_in("ben.okafor").await;
    let page = ben
        .post("/access/999900001111/PowerUserAccess", &ask("900"))
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    request_of(&page);
}

#[tokio::test]
async fn a_proof_is_for_one_act_on_one_request_in_one_session_and_once() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let page = ben.get(POWER).await;
    assert!(
        page.body.contains("Sign in again to get access"),
        "{}",
        page.text()
    );
    let page = proves(&ben, POWER, &ask("900"), "ben.okafor").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.body.contains("the pager, again"), "{}", page.text());

    // The same person elsewhere, and for something else.
    let elsewhere = belay.signed_in("ben.okafor").await;
    leaves(&elsewhere.post(POWER, &ask("900")).await);
    let request = asked(&belay).await;
    let emma = belay.signed_in("emma.lindqvist").await;
    proves(&emma, &request, &APPROVE, "emma.lindqvist").await;
    let carla = belay.signed_in("carla.rossi").await;
    let withdrawn = carla.post(&request, &[("act", "withdraw")]).await;
    assert_eq!(withdrawn.status, 303);
    let other = request_of(&carla.post(READ, &ask("900")).await);
    assert_ne!(request, other);
    leaves(&emma.post(&other, &APPROVE).await);
    assert!(is_pending(&emma, &other).await);

    // Where it was given, for what it was given, it works; and then never again.
    request_of(&ben.post(POWER, &ask("900")).await);
    leaves(&ben.post(POWER, &ask("1800")).await);
}

#[tokio::test]
async fn of_two_that_decide_by_one_proof_at_once_one_does() {
    let sandbox = Sandbox::start_with(&["--conflict-percent=20"]);
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    for round in 1..=3 {
        let page = proves(&ben, POWER, &ask("900"), "ben.okafor").await;
        assert_eq!(page.status, 200, "{}", page.text());
        // For different times, so that none is another that was sent twice.
        let times = [1, 2, 3].map(|n| (900 + 10 * round + n).to_string());
        let [short, medium, long] = times.each_ref().map(|seconds| ask(seconds));
        let (one, two, three) = tokio::join!(
            ben.post(POWER, &short),
            ben.post(POWER, &medium),
            ben.post(POWER, &long)
        );
        let granted = [&one, &two, &three]
            .into_iter()
            .filter(|page| page.status == 303 && page.location().starts_with("/requests/"))
            .count();
        assert_eq!(granted, 1, "{} {} {}", one.text(), two.text(), three.text());
    }
    assert_eq!(items(&sandbox, "grant#").await.len(), 3);
}

#[tokio::test]
async fn an_answer_of_the_provider_makes_one_proof_however_often_it_arrives() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let door = leaves(&ben.post(POWER, &ask("900")).await);
    let callback = ben.at_callback(door, "ben.okafor").await;
    let copies = (0..8).map(|_| ben.get(callback.as_str()));
    let pages = futures::future::join_all(copies).await;
    let taken = pages.iter().filter(|page| page.status == 303).count();
    assert_eq!(taken, 1, "one of them is the answer");
    assert!(pages.iter().all(|page| matches!(page.status, 303 | 400)));
    request_of(&ben.post(POWER, &ask("900")).await);
    assert_eq!(ben.get(callback.as_str()).await.status, 400);
    leaves(&ben.post(POWER, &ask("1800")).await);
}

#[tokio::test]
async fn a_proof_counts_for_ten_minutes() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    proves(&ben, POWER, &ask("900"), "ben.okafor").await;
    age_proof(&sandbox, 11).await;
    leaves(&ben.post(POWER, &ask("900")).await);
    age_proof(&sandbox, 9).await;
    request_of(&ben.post(POWER, &ask("900")).await);
}

#[tokio::test]
async fn a_sign_in_that_is_old_somebody_elses_or_declined_proves_nothing_and_loses_nothing() {
    let sandbox = Sandbox::start();
    let (belay, provider) = start_with_provider(&sandbox).await;
    says(&provider, "carla.rossi", &[]);
    let request = asked(&belay).await;
    says(&provider, "emma.lindqvist", &[]);
    let emma = belay.signed_in("emma.lindqvist").await;
    let now = jiff::Timestamp::now().as_second();
    let told = |name: &'static str, value: Value| Say {
        claims: {
            let mut claims = is("emma.lindqvist");
            claims.insert(name.to_owned(), value);
            claims
        },
        ..Say::default()
    };
    let honest = || Say {
        claims: is("emma.lindqvist"),
        ..Say::default()
    };
    let just_now = "does not say that you have just signed in";
    let lies = [
        ("too old", told("auth_time", json!(now - 660)), just_now),
        ("absent", told("auth_time", Value::Null), just_now),
        (
            "no number",
            told("auth_time", json!("now")),
            "does not check out",
        ),
        (
            "of the future",
            told("auth_time", json!(now + 600)),
            just_now,
        ),
        (
            "another subject of hers",
            told("sub", json!("someone-else")),
            "Somebody else signed in",
        ),
        (
            "somebody who may approve, too",
            Say {
                claims: is("farid.haddad"),
                ..Say::default()
            },
            "Somebody else signed in",
        ),
        (
            "declined",
            Say {
                error: Some("access_denied"),
                ..honest()
            },
            "was not completed",
        ),
        (
            "another issuer",
            told("iss", json!("https://evil.example")),
            "does not check out",
        ),
        (
            "another nonce",
            told("nonce", json!("forged")),
            "does not check out",
        ),
    ];
    for (what, say, why) in lies {
        provider.says(say);
        let page = proves(&emma, &request, &APPROVE, "").await;
        assert_eq!(page.status, 403, "{what}: {}", page.text());
        for shown in [why, "kept on the way", "Sign in again to approve"] {
            assert!(
                page.body.contains(shown),
                "{what}, {shown}: {}",
                page.text()
            );
        }
        provider.says(honest());
        leaves(&emma.post(&request, &APPROVE).await);
        assert!(is_pending(&emma, &request).await, "{what}");
    }
    proves(&emma, &request, &APPROVE, "").await;
    let page = emma.post(&request, &APPROVE).await;
    assert_eq!(page.location(), format!("{request}?done=approved"));
}

#[tokio::test]
async fn whoever_is_signed_in_as_somebody_else_meanwhile_has_no_proof() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let request = asked(&belay).await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let door = leaves(&emma.post(&request, &APPROVE).await);
    let callback = emma.at_callback(door, "emma.lindqvist").await;
    emma.post("/auth/sign-out", &[]).await;
    assert_eq!(emma.get(callback.as_str()).await.status, 400);
    emma.sign_in("farid.haddad").await;
    assert_eq!(emma.get(callback.as_str()).await.status, 400);
    leaves(&emma.post(&request, &APPROVE).await);
    assert!(is_pending(&emma, &request).await);
}

#[tokio::test]
async fn whoever_may_not_approve_is_not_sent_to_sign_in_again() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let request = asked(&belay).await;
    let carla = belay.signed_in("carla.rossi").await;
    let page = carla.post(&request, &APPROVE).await;
    assert_eq!(page.status, 403, "{}", page.text());
    let long = "x".repeat(5_000);
    let emma = belay.signed_in("emma.lindqvist").await;
    let page = emma
        .post(&request, &[("act", "approve"), ("note", &long)])
        .await;
    assert_eq!(page.status, 422, "{}", page.text());
}

#[tokio::test]
async fn a_table_that_does_not_answer_lets_nobody_approve_and_loses_nothing() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    sandbox
        .fault(json!({
            "operation": "dynamodb:PutItem", "kind": "error", "error": "InternalServerError",
            "times": 1_000_000,
        }))
        .await;
    let page = ben.post(POWER, &ask("900")).await;
    assert_eq!(page.status, 503, "{}", page.text());
    assert!(page.body.contains("the pager, again"), "{}", page.text());
    sandbox.heal().await;
    proves(&ben, POWER, &ask("900"), "ben.okafor").await;
    request_of(&ben.post(POWER, &ask("900")).await);
}

#[tokio::test]
async fn the_session_changes_its_name_with_the_proof() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let copied = ben.cookie("__Host-belay").unwrap();
    proves(&ben, POWER, &ask("900"), "ben.okafor").await;
    assert_ne!(ben.cookie("__Host-belay").unwrap(), copied);
    let thief = belay.browser();
    thief.set_cookie("__Host-belay", &copied);
    let page = thief.post(POWER, &ask("900")).await;
    assert!(
        page.location().starts_with("/auth/start"),
        "{}",
        page.text()
    );
    request_of(&ben.post(POWER, &ask("900")).await);
}
