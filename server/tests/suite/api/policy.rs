//! The policy, as auditors' programs read it, ask it and compare it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;

use super::*;

const POLICY: &str = include_str!("../../../sandbox/policy.toml");

const GUARDRAIL: &str = r#"
[[guardrail]]
name = "production-by-day"
accounts = ["ou:Production"]
max_duration = "2h"
"#;

/// Everyone in Data may read payments too.
fn changed() -> String {
    POLICY.replacen(
        "requesters = [\"group:Payments\", \"group:SRE\"]",
        "requesters = [\"group:Payments\", \"group:SRE\", \"group:Data\"]",
        1,
    )
}

#[tokio::test]
async fn the_policy_is_read_in_sentences_and_so_is_each_version_of_it() {
    let sandbox = Sandbox::start();
    let written = format!("{POLICY}{GUARDRAIL}");
    let setup = Setup::of(&sandbox)
        .policy(&sandbox, &written)
        .with("BELAY_API_AUDIENCE", AUDIENCE);
    let belay = Belay::launch(&setup).ready().await;
    let hugo = speaks(&sandbox, &belay, "hugo.martin", "belay:read").await;
    let whole = hugo.get("/policy").await.ok();
    let parts = whole["items"].as_array().unwrap();
    assert_eq!(whole["of"], json!(parts.len()));
    assert!(!whole["overall"].as_array().unwrap().is_empty());
    let named = |kind: &str, name: &str| {
        parts
            .iter()
            .any(|part| part["kind"] == kind && part["name"] == name)
    };
    assert!(named("rule", "payments-production-read"), "{whole}");
    assert!(named("guardrail", "production-by-day"), "{whole}");
    let some = hugo.get("/policy?q=payments-production-read").await.ok();
    let some = some["items"].as_array().unwrap();
    assert!(!some.is_empty() && some.len() < parts.len(), "{some:?}");
    assert!(some.iter().all(|part| parts.contains(part)));

    let of_another = BASE64URL.encode(format!("{} 1", "0".repeat(64)));
    let long = "x".repeat(201);
    for (query, code) in [
        (format!("cursor={of_another}"), "bad-cursor"),
        ("cursor=x".to_owned(), "bad-cursor"),
        (format!("q={long}"), "bad-query"),
        ("text=x".to_owned(), "bad-query"),
    ] {
        let refused = hugo.get(&format!("/policy?{query}")).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{query}");
    }
    // Where the version is the one in force, it goes on.
    let in_force = whole["version"].as_str().unwrap();
    let after_one = BASE64URL.encode(format!("{in_force} 1"));
    let rest = hugo.get(&format!("/policy?cursor={after_one}")).await.ok();
    assert_eq!(rest["items"].as_array().unwrap(), &parts[1..]);

    let versions = hugo.get("/policy/versions").await.ok();
    let latest = &versions["items"][0];
    assert_eq!(
        (&latest["version"], &latest["is_in_force"]),
        (&json!(in_force), &json!(true))
    );
    let version = hugo.get(&format!("/policy/versions/{in_force}")).await.ok();
    assert_eq!(version["files"][0]["text"], written);
    assert_eq!(
        (&version["is_in_force"], &version["changes"]),
        (&json!(true), &json!([]))
    );
    for address in ["0".repeat(64), "x".to_owned()] {
        let refused = hugo.get(&format!("/policy/versions/{address}")).await;
        assert_eq!(why(&refused), (404, "not-found", ""), "{address}");
    }
    let beyond = BASE64URL.encode(i64::MAX.to_string());
    let refused = hugo.get(&format!("/policy/versions?cursor={beyond}")).await;
    assert_eq!((refused.status, refused.code()), (400, "bad-cursor"));
}

#[tokio::test]
async fn the_policy_answers_about_anybody_to_those_who_oversee() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let hugo = speaks(&sandbox, &belay, "hugo.martin", "belay:read").await;
    let ask = |person: &str| {
        json!({
            "person": person,
            "target": {
                "kind": "account", "account_id": "111122223333", "permission_set": "ReadOnlyAccess",
            },
            "duration_seconds": 900,
        })
    };
    let explain = "/policy/explain";
    let refused = hugo
        .post(explain, &ask("Ines.Costa@example.com"))
        .await
        .ok();
    assert_eq!(
        (&refused["answer"], &refused["code"]),
        (&json!("refused"), &json!("requester-not-allowed"))
    );
    assert_eq!(refused["routes"], json!([]));
    let pending = hugo.post(explain, &ask("carla.rossi")).await.ok();
    assert_eq!(
        (&pending["answer"], &pending["code"]),
        (&json!("pending"), &json!("needs-approval"))
    );
    let route = &pending["routes"][0];
    assert_eq!(route["rule"], "payments-production-read");
    assert!(route["approvers"].to_string().contains("Emma"), "{pending}");
    let mut glass = ask("ben.okafor");
    glass["target"]["permission_set"] = json!("AdministratorAccess");
    glass["break_glass"] = json!(true);
    let glass = hugo.post(explain, &glass).await.ok();
    assert_eq!(glass["code"], "break-glass", "{glass}");
    let mut group = ask("carla.rossi");
    let platform = sandbox.group_id("Platform").await;
    group["target"] = json!({ "kind": "group", "group_id": platform });
    assert_eq!(hugo.post(explain, &group).await.ok()["answer"], "refused");

    let with = |member: &str, value: Value| {
        let mut body = ask("carla.rossi");
        body[member] = value;
        body
    };
    let account =
        |id: &str, set: &str| json!({ "kind": "account", "account_id": id, "permission_set": set });
    for (body, at) in [
        (with("person", json!("nobody.at.all")), "/person"),
        (with("person", json!("")), "/person"),
        (with("person", json!("x".repeat(301))), "/person"),
        (with("ticket", json!("x".repeat(301))), "/ticket"),
        (
            with("target", account("1", "ReadOnlyAccess")),
            "/target/account_id",
        ),
        (
            with("target", account("111122223333", "NoSuchSet")),
            "/target/permission_set",
        ),
        (
            with("duration_seconds", json!(400 * 86_400)),
            "/duration_seconds",
        ),
        (with("break_glass", json!("yes")), "/break_glass"),
        (with("as", json!("x")), "/as"),
    ] {
        let refused = hugo.post(explain, &body).await;
        assert_eq!(why(&refused), (422, "invalid", at), "{body}");
    }
    let mut two = with("person", json!("nobody.at.all"));
    two["duration_seconds"] = json!(400 * 86_400);
    let refused = hugo.post(explain, &two).await;
    let at: Vec<&str> = refused.errors().into_iter().map(|(_, at)| at).collect();
    assert_eq!(at, ["/person", "/duration_seconds"]);
}

#[tokio::test]
async fn a_draft_is_compared_with_what_is_in_force_and_nothing_is_kept() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let nobody = Api::of(&belay).await;
    let hugo = nobody.session(&belay.signed_in("hugo.martin").await);
    let compare = "/policy/compare";
    let before = hugo.get("/policy").await.ok()["version"].clone();
    let same = hugo.post(compare, &json!({ "text": POLICY })).await.ok();
    assert_eq!(
        (&same["outcome"], &same["is_in_force"], &same["changes"]),
        (&json!("valid"), &json!(true), &json!([]))
    );
    // Longer than what other addresses take.
    let long = format!("{}\n{}", "# ".repeat(50_000), changed());
    let other = hugo
        .post(compare, &json!({ "text": long, "notation": "toml" }))
        .await
        .ok();
    assert_eq!(other["is_in_force"], false);
    let change = &other["changes"][0];
    assert_eq!(change["gains"], true);
    let said = change["sentence"].as_str().unwrap();
    assert!(
        said.starts_with("ines.costa and jonas.weber can now"),
        "{said}"
    );
    for (text, notation, file) in [
        ("version = ", "toml", "draft.toml:"),
        ("{", "json", "draft.json:"),
    ] {
        let body = json!({ "text": text, "notation": notation });
        let invalid = hugo.post(compare, &body).await.ok();
        assert_eq!(invalid["outcome"], "invalid");
        let place = invalid["problems"][0]["place"].as_str().unwrap();
        assert!(place.starts_with(file), "{place}");
    }
    for (body, expected) in [
        (json!({ "text": " " }), (422, "invalid", "/text")),
        (
            json!({ "text": POLICY, "notation": "yaml" }),
            (422, "invalid", "/notation"),
        ),
        (
            json!({ "text": "#".repeat(330_000) }),
            (413, "too-large", ""),
        ),
    ] {
        assert_eq!(why(&hugo.post(compare, &body).await), expected);
    }
    assert_eq!(hugo.get("/policy").await.ok()["version"], before);
    // A page of ours asks it, and no other.
    let elsewhere = hugo.with("origin", "https://evil.example");
    let refused = elsewhere.post(compare, &json!({ "text": POLICY })).await;
    assert_eq!(why(&refused), (403, "cross-origin", ""));
}
