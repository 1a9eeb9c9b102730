//! Findings, read by programs, and what two admins agree about them by their sessions.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use domain::event::Source;
use domain::finding::Finding;
use domain::id::{FindingId, UserId};
use jiff::Timestamp;
use server::store::Commit;
use uuid::Uuid;

use super::*;
use crate::findings::{ACCOUNT, found, is_agreed, kinds_of, server, store};

/// The finding as somebody reads it; null if it is not open.
async fn item(api: &Api, finding: &Finding) -> Value {
    let list = api.get("/findings?kind=unmanaged").await.ok();
    let items = list["items"].as_array().unwrap().clone();
    let id = json!(finding.id.to_string());
    let found = items.into_iter().find(|item| item["id"] == id);
    found.unwrap_or_default()
}

/// A finding about Ana, and those who have to do with it or not.
struct Room {
    _belay: Belay,
    sandbox: Sandbox,
    finding: Finding,
    grace: Api,
    keiko: Api,
    /// An auditor's program, and the auditor.
    hugo: Api,
    hugo_himself: Api,
    ana: Api,
    /// What speaks for Grace, with both scopes.
    program: Api,
}

impl Room {
    async fn new() -> Self {
        let sandbox = Sandbox::start();
        let belay = start(&sandbox).await;
        let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
        let nobody = Api::of(&belay).await;
        Self {
            finding,
            grace: nobody.session(&belay.signed_in("grace.chen").await),
            keiko: nobody.session(&belay.signed_in("keiko.tanaka").await),
            hugo: speaks(&sandbox, &belay, "hugo.martin", "belay:read").await,
            hugo_himself: nobody.session(&belay.signed_in("hugo.martin").await),
            ana: nobody.session(&belay.signed_in("ana.silva").await),
            program: speaks(&sandbox, &belay, "grace.chen", ALL).await,
            sandbox,
            _belay: belay,
        }
    }

    async fn place(&self) -> Value {
        item(&self.grace, &self.finding).await["place"].clone()
    }
}

fn act(finding: &Finding, act: &str) -> String {
    format!("/findings/{}/{act}", finding.id)
}

fn adopting(place: &Value) -> Value {
    json!({
        "place": place, "course": "adopt", "reason": "it is the vendor's", "duration_seconds": 86_400,
    })
}

fn with(body: &Value, member: &str, value: Value) -> Value {
    let mut body = body.clone();
    body[member] = value;
    body
}

#[tokio::test]
async fn findings_are_for_those_who_oversee_and_for_admins_to_propose_about() {
    let room = &Room::new().await;
    let Room {
        grace,
        hugo,
        hugo_himself,
        ana,
        program,
        finding,
        ..
    } = room;
    // Who reads what, and what is offered to whom.
    for address in ["/findings", "/agreements", "/sweep"] {
        let refused = ana.get(address).await;
        assert_eq!(why(&refused), (404, "not-found", ""), "{address}");
    }
    let read = item(hugo, finding).await;
    assert_eq!(
        read["person"]["user_id"],
        finding.key.user.as_str(),
        "{read}"
    );
    assert_eq!(read["target"]["account_id"], ACCOUNT);
    assert_eq!(
        (&read["kind"], &read["courses"]),
        (&json!("unmanaged"), &json!([]))
    );
    // As many looks as there were by now.
    let left = read["left"]["why"].as_str().unwrap();
    assert!(["seen-once", "young"].contains(&left), "{left}");
    let courses = item(grace, finding).await["courses"].clone();
    assert!(
        courses.as_array().unwrap().contains(&json!("adopt")),
        "{courses}"
    );

    let proposal = adopting(&read["place"]);
    for (who, status, code) in [
        (program, 403, "session-only"),
        (hugo_himself, 403, "not-yours"),
        (ana, 404, "not-found"),
        (
            &grace.with("origin", "https://evil.example"),
            403,
            "cross-origin",
        ),
    ] {
        let refused = who.post(&act(finding, "propose"), &proposal).await;
        assert_eq!(why(&refused), (status, code, ""));
    }
    for (member, value, code, at) in [
        (
            "duration_seconds",
            json!(7_776_001),
            "too-long",
            "/duration_seconds",
        ),
        (
            "duration_seconds",
            json!(0),
            "too-long",
            "/duration_seconds",
        ),
        ("reason", json!(" "), "missing", "/reason"),
        ("course", json!("burn"), "invalid", "/course"),
        ("place", json!("unmanaged#x"), "invalid", "/place"),
        ("place", json!(""), "invalid", "/place"),
        ("note", json!("x"), "invalid", "/note"),
    ] {
        let refused = grace
            .post(&act(finding, "propose"), &with(&proposal, member, value))
            .await;
        assert_eq!(why(&refused), (422, code, at), "{member}");
    }
    assert_eq!(item(grace, finding).await["proposal"], Value::Null);
}

#[tokio::test]
async fn what_one_admin_proposes_is_another_ones_to_answer() {
    let room = &Room::new().await;
    let Room {
        grace,
        keiko,
        hugo,
        hugo_himself,
        ana,
        program,
        finding,
        sandbox,
        ..
    } = room;
    let place = room.place().await;
    let first = json!({ "place": place, "proposal": 1 });
    let proposal = adopting(&place);
    assert_eq!(
        grace.post(&act(finding, "propose"), &proposal).await.status,
        204
    );
    let refused = keiko.post(&act(finding, "propose"), &proposal).await;
    assert_eq!(why(&refused), (409, "already-proposed", ""));
    assert_eq!(refused.body["errors"][0]["facts"]["by"], "Grace Chen");
    let to_keiko = item(keiko, finding).await["proposal"].clone();
    assert_eq!(
        (&to_keiko["number"], &to_keiko["course"], &to_keiko["by"]),
        (&json!(1), &json!("adopt"), &json!("Grace Chen"))
    );
    let may = |proposal: &Value| {
        (
            proposal["can_answer"] == true,
            proposal["can_take_back"] == true,
        )
    };
    assert_eq!(may(&to_keiko), (true, false));
    assert_eq!(may(&item(grace, finding).await["proposal"]), (false, true));
    assert_eq!(may(&item(hugo, finding).await["proposal"]), (false, false));

    let second = with(&first, "proposal", json!(2));
    let no = with(&first, "note", json!(" "));
    for (who, verb, body, expected) in [
        (grace, "confirm", &first, (403, "own-proposal", "")),
        (keiko, "take-back", &first, (403, "not-their-proposal", "")),
        (keiko, "confirm", &second, (409, "not-proposed", "")),
        (keiko, "refuse", &no, (422, "missing", "/note")),
        (keiko, "refuse", &first, (422, "invalid", "")),
        (program, "confirm", &first, (403, "session-only", "")),
        (hugo_himself, "confirm", &first, (403, "not-yours", "")),
        (ana, "confirm", &first, (404, "not-found", "")),
    ] {
        let refused = who.post(&act(finding, verb), body).await;
        assert_eq!(why(&refused), expected, "{verb}");
    }
    assert!(!is_agreed(sandbox, finding).await);
}

#[tokio::test]
async fn two_admins_agree_about_a_finding_and_nothing_that_speaks_for_one_does() {
    let room = &Room::new().await;
    let Room {
        grace,
        keiko,
        hugo,
        hugo_himself,
        ana,
        program,
        finding,
        sandbox,
        ..
    } = room;
    let place = room.place().await;
    let first = json!({ "place": place, "proposal": 1 });
    let proposal = adopting(&place);
    assert_eq!(
        grace.post(&act(finding, "propose"), &proposal).await.status,
        204
    );
    let second = with(&first, "proposal", json!(2));
    // No, never mind, and yes.
    let no = with(&first, "note", json!("whose is it?"));
    assert_eq!(keiko.post(&act(finding, "refuse"), &no).await.status, 204);
    let ignoring = with(&proposal, "course", json!("ignore"));
    assert_eq!(
        keiko.post(&act(finding, "propose"), &ignoring).await.status,
        204
    );
    assert_eq!(
        keiko.post(&act(finding, "take-back"), &second).await.status,
        204
    );
    assert_eq!(
        grace.post(&act(finding, "propose"), &proposal).await.status,
        204
    );
    let third = with(&first, "proposal", json!(3));
    assert_eq!(
        keiko.post(&act(finding, "confirm"), &third).await.status,
        204
    );
    assert!(is_agreed(sandbox, finding).await);
    assert_eq!(item(hugo, finding).await, Value::Null);
    let agreed = hugo.get("/agreements").await.ok();
    let agreed = &agreed["items"][0];
    assert_eq!(agreed["id"], json!(finding.id.to_string()));
    assert_eq!(
        (
            &agreed["course"],
            &agreed["proposed_by"],
            &agreed["confirmed_by"]
        ),
        (
            &json!("adopt"),
            &json!("Grace Chen"),
            &json!("Keiko Tanaka")
        )
    );
    assert_eq!(
        (&agreed["place"], &agreed["can_give_up"]),
        (&place, &json!(false))
    );

    let give_up = format!("/agreements/{}/give-up", finding.id);
    let body = json!({ "place": place });
    for (who, expected) in [
        (program, (403, "session-only", "")),
        (hugo_himself, (403, "not-yours", "")),
        (ana, (404, "not-found", "")),
    ] {
        assert_eq!(why(&who.post(&give_up, &body).await), expected);
    }
    assert_eq!(keiko.post(&give_up, &body).await.status, 204);
    assert_eq!(hugo.get("/agreements").await.ok()["items"], json!([]));
    let again = keiko.post(&give_up, &body).await;
    assert_eq!(why(&again), (409, "finding-gone", ""));
    let late = grace.post(&act(finding, "propose"), &proposal).await;
    assert_eq!(why(&late), (409, "finding-gone", ""));

    assert_eq!(
        kinds_of(sandbox, finding).await,
        [
            "finding.opened",
            "finding.proposed",
            "finding.refused",
            "finding.proposed",
            "finding.taken-back",
            "finding.proposed",
            "finding.closed",
            "finding.agreement-ended",
        ]
    );
    let events = sandbox.events(&format!("finding:{}", finding.id)).await;
    assert!(
        events[1..].iter().all(|event| event["source"] == "api"),
        "{events:?}"
    );
}

/// Open findings of people who do not exist, in no order.
async fn open_many(sandbox: &Sandbox, number: u32) -> Vec<String> {
    let like = found(sandbox, "ana.silva", ACCOUNT).await;
    let mut ids = vec![like.id.to_string()];
    for nth in 0..number {
        let user = format!("93a4c8d2-1011-70e2-3a5b-{:012x}", nth * 7_919 % 65_537);
        let mut finding = Finding {
            id: FindingId::new(Uuid::now_v7()),
            ..like.clone()
        };
        finding.key.user = UserId::parse(&user).unwrap();
        let mut commit = Commit::new(server(), Source::Worker, Timestamp::now());
        commit.open_finding(&finding).unwrap();
        store(sandbox).commit(commit).await.unwrap();
        ids.push(finding.id.to_string());
    }
    ids
}

#[tokio::test]
async fn findings_come_whole_a_page_at_a_time() {
    let sandbox = Sandbox::start();
    // The worker finds what there is, and then nobody does any more.
    let mut worker = start(&sandbox).await;
    worker.kill();
    let setup = Setup::of(&sandbox).role("portal");
    let belay = Belay::launch(&setup).ready().await;
    let before = store(&sandbox).findings().await.unwrap();
    let mut ids = open_many(&sandbox, 60).await;
    ids.extend(before.iter().map(|one| one.id.to_string()));
    ids.sort();
    ids.dedup();

    let hugo = Api::of(&belay).await;
    let hugo = hugo.session(&belay.signed_in("hugo.martin").await);
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = hugo.get(&format!("/findings?{cursor}")).await.ok();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= 50, "{}", items.len());
        let of = |item: &Value| item["id"].as_str().unwrap().to_owned();
        seen.extend(items.iter().map(of));
        match page["next"].as_str() {
            Some(next) => cursor = format!("cursor={next}"),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, ids);
    let overdue = hugo.get("/findings?kind=overdue").await.ok();
    assert_eq!(overdue["items"], json!([]));

    let long = BASE64URL.encode("x".repeat(301));
    for (query, code) in [
        ("kind=lost".to_owned(), "bad-query"),
        ("limit=1".to_owned(), "bad-query"),
        ("cursor=!".to_owned(), "bad-cursor"),
        ("cursor=".to_owned(), "bad-cursor"),
        (format!("cursor={long}"), "bad-cursor"),
    ] {
        let refused = hugo.get(&format!("/findings?{query}")).await;
        assert_eq!((refused.status, refused.code()), (400, code), "{query}");
    }
}
