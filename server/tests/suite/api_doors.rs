//! Who may do what by the API: each door, for each who comes, as one table that is reviewed when it
//! changes. No door is missing from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use crate::api::with_provider;
use crate::harness::{ALL, AUDIENCE, Api, Belay, Key, Sandbox};

const GOLDEN: &str = include_str!("api_doors.golden.txt");

/// Whoever comes with a session, by what they are to a request of Carla's that waits.
const PEOPLE: [(&str, &str); 6] = [
    ("signed out", ""),
    ("requester", "carla.rossi"),
    ("approver", "emma.lindqvist"),
    ("somebody", "ines.costa"),
    ("auditor", "hugo.martin"),
    ("admin", "grace.chen"),
];

/// Tokens of the admin, who may see everything: what a token lacks is then the token's own.
const TOKENS: [(&str, &str, &str, i64); 5] = [
    ("reads", "belay:read", AUDIENCE, 300),
    ("submits", "belay:submit", AUDIENCE, 300),
    ("no scope", "", AUDIENCE, 300),
    ("elsewhere", ALL, "https://other.example", 300),
    ("expired", ALL, AUDIENCE, -61),
];

/// Doors by their pattern, and an address of each.
const READS: [(&str, &str); 16] = [
    ("/openapi.json", "/openapi.json"),
    ("/me", "/me"),
    ("/access", "/access"),
    (
        "/access/accounts/{account_id}/{permission_set}",
        "/access/accounts/111122223333/ReadOnlyAccess",
    ),
    (
        "/access/groups/{group_id}",
        "/access/groups/01932c07-20a1-7e3c-a0a5-0123456789ab",
    ),
    ("/requests", "/requests"),
    ("/requests/{id}", "/requests/REQUEST"),
    ("/grants", "/grants"),
    ("/approvals", "/approvals"),
    ("/history", "/history"),
    ("/findings", "/findings"),
    ("/agreements", "/agreements"),
    ("/sweep", "/sweep"),
    ("/policy", "/policy"),
    ("/policy/versions", "/policy/versions"),
    ("/policy/versions/{version}", "/policy/versions/x"),
];

/// What changes something, each tried by all in turn.
fn acts() -> Vec<(&'static str, &'static str, Value)> {
    let target = json!({
        "kind": "account", "account_id": "111122223333", "permission_set": "ReadOnlyAccess",
    });
    let submission =
        json!({ "targets": [target.clone()], "duration_seconds": 900, "reason": "short" });
    let end = json!({ "reason": "over" });
    let word = json!({ "note": "" });
    let mut acts = vec![
        ("/requests/preview", "/requests/preview", submission.clone()),
        ("/requests", "/requests", submission),
        (
            "/requests/{id}/nudge",
            "/requests/REQUEST/nudge",
            Value::Null,
        ),
        (
            "/requests/{id}/retract",
            "/requests/REQUEST/retract",
            word.clone(),
        ),
        (
            "/requests/{id}/sign",
            "/requests/REQUEST/sign",
            word.clone(),
        ),
        (
            "/requests/{id}/reject",
            "/requests/REQUEST/reject",
            word.clone(),
        ),
        (
            "/grants/{id}/end",
            "/grants/01932c07-20a1-7e3c-a0a5-0123456789ab/end",
            end,
        ),
        (
            "/requests/{id}/approve",
            "/requests/REQUEST/approve",
            json!({ "asks": [9] }),
        ),
        ("/requests/{id}/deny", "/requests/REQUEST/deny", word),
        (
            "/requests/{id}/withdraw",
            "/requests/REQUEST/withdraw",
            Value::Null,
        ),
        (
            "/requests/{id}/reopen",
            "/requests/REQUEST/reopen",
            json!({ "note": "we talked" }),
        ),
    ];
    acts.extend(about_findings());
    acts.extend(about_the_sweep());
    acts.extend([
        (
            "/policy/explain",
            "/policy/explain",
            json!({ "person": "ana.silva", "target": target }),
        ),
        (
            "/policy/compare",
            "/policy/compare",
            json!({ "text": "version = 1" }),
        ),
    ]);
    acts
}

/// About a finding that there is not.
fn about_findings() -> [(&'static str, &'static str, Value); 6] {
    // `unmanaged#x`
    let place = "dW5tYW5hZ2VkI3g";
    let proposal = json!({
        "place": place, "course": "adopt", "reason": "known", "duration_seconds": 86_400,
    });
    let read = json!({ "place": place, "proposal": 1 });
    let refusal = json!({ "place": place, "proposal": 1, "note": "whose is it?" });
    [
        (
            "/findings/{id}/propose",
            "/findings/01932c07-20a1-7e3c-a0a5-0123456789ab/propose",
            proposal,
        ),
        (
            "/findings/{id}/confirm",
            "/findings/01932c07-20a1-7e3c-a0a5-0123456789ab/confirm",
            read.clone(),
        ),
        (
            "/findings/{id}/refuse",
            "/findings/01932c07-20a1-7e3c-a0a5-0123456789ab/refuse",
            refusal,
        ),
        (
            "/findings/{id}/take-back",
            "/findings/01932c07-20a1-7e3c-a0a5-0123456789ab/take-back",
            read,
        ),
        (
            "/findings/{id}/end",
            "/findings/01932c07-20a1-7e3c-a0a5-0123456789ab/end",
            json!({ "place": place, "reason": "over" }),
        ),
        (
            "/agreements/{id}/give-up",
            "/agreements/01932c07-20a1-7e3c-a0a5-0123456789ab/give-up",
            json!({ "place": place }),
        ),
    ]
}

/// About a list that nobody has read.
fn about_the_sweep() -> [(&'static str, &'static str, Value); 4] {
    let list = json!({ "digest": "x" });
    let proposed = json!({ "digest": "x", "reason": "known" });
    [
        (
            "/sweep/baseline/propose",
            "/sweep/baseline/propose",
            proposed,
        ),
        (
            "/sweep/baseline/agree",
            "/sweep/baseline/agree",
            list.clone(),
        ),
        ("/sweep/baseline/drop", "/sweep/baseline/drop", list.clone()),
        ("/sweep/confirm", "/sweep/confirm", list),
    ]
}

fn row(text: &mut String, name: &str, cells: &[String]) {
    write!(text, "{name:<52}").unwrap();
    for cell in cells {
        write!(text, " {cell:<10}").unwrap();
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
}

#[tokio::test]
async fn each_door_opens_for_whom_it_is() {
    let sandbox = Sandbox::start();
    let (provider, belay) = with_provider(&sandbox).await;
    let nobody = Api::of(&belay).await;
    let mut all = Vec::new();
    for (_, name) in PEOPLE {
        all.push(if name.is_empty() {
            nobody.clone()
        } else {
            provider.claims(&json!({
                "sub": name, "email": format!("{name}@example.com"), "email_verified": true,
            }));
            nobody.session(&belay.signed_in(name).await)
        });
    }
    let now = jiff::Timestamp::now().as_second();
    for (_, scope, audience, lasts) in TOKENS {
        let claims = json!({
            "iss": provider.issuer(), "sub": "grace.chen", "aud": audience, "scope": scope,
            "iat": now - 100, "exp": now + lasts,
        });
        let token = provider.token(Key::Known, &json!({ "typ": "at+jwt" }), &claims);
        all.push(nobody.token(&token));
    }
    let mut submission = acts()[0].2.clone();
    submission["reason"] = json!("INC-9: the payment logs");
    let submitted = all[1].post("/requests", &submission).await.ok();
    let request = submitted["id"].as_str().unwrap();

    let mut table = String::new();
    let names = PEOPLE.iter().map(|(name, _)| *name);
    let names = names.chain(TOKENS.iter().map(|(name, ..)| *name));
    row(
        &mut table,
        "",
        &names.map(str::to_owned).collect::<Vec<_>>(),
    );
    for (pattern, address) in READS {
        let mut cells = Vec::new();
        for api in &all {
            let answer = api.get(&address.replace("REQUEST", request)).await;
            cells.push(answer.status.to_string());
        }
        row(&mut table, &format!("GET {pattern}"), &cells);
    }
    for (pattern, address, body) in acts() {
        let mut cells = Vec::new();
        // One after the other: what one does changes what the next finds.
        for api in &all {
            let answer = api.post(&address.replace("REQUEST", request), &body).await;
            cells.push(answer.status.to_string());
        }
        row(&mut table, &format!("POST {pattern}"), &cells);
    }
    assert_eq!(table, GOLDEN, "found\n{table}");
}

/// Every door that the contract has is in the table, and every door of the table in the contract.
#[tokio::test]
async fn no_door_is_missing_from_the_table() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let nobody = Api::of(&belay).await;
    let doors = nobody.document()["paths"].as_object().unwrap();
    let promised: BTreeSet<(String, String)> = doors
        .iter()
        .flat_map(|(path, door)| {
            let methods = door.as_object().unwrap().keys();
            methods.map(move |method| (method.clone(), path.clone()))
        })
        .collect();
    let reads = READS
        .iter()
        .map(|(path, _)| ("get".to_owned(), (*path).to_owned()));
    let acts = acts();
    let acts = acts
        .iter()
        .map(|(path, ..)| ("post".to_owned(), (*path).to_owned()));
    let listed: BTreeSet<(String, String)> = reads.chain(acts).collect();
    assert_eq!(promised, listed);
    // And each is served: what is none says that there is no such thing, to whomever.
    for (method, path) in promised {
        let method: Method = method.to_uppercase().parse().unwrap();
        let answer = nobody.send(method, &path, None).await;
        assert_ne!(answer.code(), "not-found", "{path}");
    }
}

/// What programs rely on changes on purpose: `UPDATE_GOLDEN=1` writes it anew.
#[tokio::test]
async fn the_contract_is_as_it_was() {
    const PATH: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/web/api/openapi.golden.json"
    );
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let page = belay.browser().get("/api/v1/openapi.json").await;
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(PATH, &page.body).unwrap();
    }
    let golden = std::fs::read_to_string(PATH).unwrap();
    let mut lines = page.body.lines().zip(golden.lines());
    let differing = lines.find(|(found, golden)| found != golden);
    assert!(
        page.body == golden,
        "the contract differs, first in {differing:?} (found, golden)"
    );
}
