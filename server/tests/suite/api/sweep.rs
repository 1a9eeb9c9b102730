//! The sweep, read by programs, and what admins do about it by their sessions.

use super::*;
use crate::sweeping::{DELETE, by_hand, enforcing, look, rows, until};

/// How much is left for that reason.
fn left(sweep: &Value, why: &str) -> Value {
    let all = sweep["left"].as_array().unwrap();
    let one = all.iter().find(|one| one["why"] == why);
    one.map_or(json!(0), |one| one["count"].clone())
}

#[tokio::test]
async fn two_admins_agree_on_a_baseline_and_one_lets_a_list_go() {
    let sandbox = Sandbox::start();
    let setup = enforcing(&sandbox).with("BELAY_API_AUDIENCE", AUDIENCE);
    let belay = Belay::launch(&setup).ready().await;
    let nobody = Api::of(&belay).await;
    let grace = nobody.session(&belay.signed_in("grace.chen").await);
    let keiko = nobody.session(&belay.signed_in("keiko.tanaka").await);
    let hugo = nobody.session(&belay.signed_in("hugo.martin").await);
    let emma = nobody.session(&belay.signed_in(EMMA).await);
    let reads = speaks(&sandbox, &belay, "hugo.martin", "belay:read").await;
    let program = speaks(&sandbox, &belay, "grace.chen", ALL).await;
    look(&sandbox).await;
    look(&sandbox).await;

    let sweep = reads.get("/sweep").await.ok();
    assert_eq!(
        (&sweep["mode"], &sweep["outcome"]),
        (&json!("enforce"), &json!("no-baseline"))
    );
    let ripe = sweep["ripe"].as_array().unwrap().len();
    assert!(ripe > 0, "{sweep}");
    assert!(sweep["looked"]["assignments"].as_u64().unwrap() > 0);
    assert_eq!(
        (&sweep["baseline"], &sweep["may_propose"]),
        (&Value::Null, &Value::Null)
    );
    let may = grace.get("/sweep").await.ok()["may_propose"].clone();
    let digest = may["digest"].as_str().unwrap();
    let list = json!({ "digest": digest });
    let proposed = json!({ "digest": digest, "reason": "all known" });
    is_only_for_admins(digest, &program, &hugo, &emma).await;

    let propose = "/sweep/baseline/propose";
    let refused = grace
        .post(propose, &json!({ "digest": "x", "reason": "known" }))
        .await;
    assert_eq!(why(&refused), (409, "list-changed", ""));
    let refused = grace
        .post(propose, &json!({ "digest": digest, "reason": "" }))
        .await;
    assert_eq!(why(&refused), (422, "missing", "/reason"));
    let refused = grace.post(propose, &list).await;
    assert_eq!((refused.status, refused.code()), (422, "invalid"));

    // Proposed, dropped, proposed again and agreed on.
    assert_eq!(grace.post(propose, &proposed).await.status, 204);
    let read = keiko.get("/sweep").await.ok()["proposed"].clone();
    assert_eq!(
        (&read["digest"], &read["by"]),
        (&json!(digest), &json!("Grace Chen"))
    );
    assert_eq!(json!(read["lines"].as_array().unwrap().len()), may["count"]);
    assert_eq!(
        (&read["can_agree"], &read["can_drop"]),
        (&json!(true), &json!(true))
    );
    let own = grace.get("/sweep").await.ok()["proposed"].clone();
    assert_eq!(
        (&own["can_agree"], &own["can_drop"]),
        (&json!(false), &json!(true))
    );
    let agree = "/sweep/baseline/agree";
    assert_eq!(
        why(&grace.post(agree, &list).await),
        (403, "own-proposal", "")
    );
    let other = json!({ "digest": "x" });
    assert_eq!(
        why(&keiko.post(agree, &other).await),
        (409, "not-proposed", "")
    );
    let drop = "/sweep/baseline/drop";
    assert_eq!(
        why(&keiko.post(drop, &other).await),
        (409, "not-proposed", "")
    );
    assert_eq!(keiko.post(drop, &list).await.status, 204);
    assert_eq!(
        why(&keiko.post(agree, &list).await),
        (409, "not-proposed", "")
    );
    assert_eq!(grace.post(propose, &proposed).await.status, 204);
    assert_eq!(keiko.post(agree, &list).await.status, 204);
    let sweep = reads.get("/sweep").await.ok();
    assert_eq!(sweep["baseline"]["count"], may["count"]);
    assert_eq!(sweep["baseline"]["agreed_by"], "Keiko Tanaka");
    assert_eq!(
        (&sweep["outcome"], &sweep["ripe"]),
        (&json!("within"), &json!([]))
    );
    assert_eq!(left(&sweep, "baseline"), json!(ripe));
    let confirm = "/sweep/confirm";
    let nothing = json!({ "digest": sweep["digest"] });
    assert_eq!(
        why(&grace.post(confirm, &nothing).await),
        (409, "list-changed", "")
    );

    a_list_waits(&sandbox, &grace, &reads).await;
}

/// More than a pass takes away by itself waits for that very list to be let go.
async fn a_list_waits(sandbox: &Sandbox, grace: &Api, reads: &Api) {
    let confirm = "/sweep/confirm";
    let before = rows(sandbox).await;
    for who in ["mia.novak", "carla.rossi"] {
        by_hand(sandbox, who).await;
    }
    look(sandbox).await;
    look(sandbox).await;
    let waits = grace.get("/sweep").await.ok();
    assert_eq!(
        (&waits["outcome"], &waits["cap"]),
        (&json!("waits"), &json!(1)),
        "{waits}"
    );
    let mut whose: Vec<&str> = waits["ripe"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["person"]["email"].as_str().unwrap())
        .collect();
    whose.sort_unstable();
    assert_eq!(whose, ["carla.rossi@example.com", "mia.novak@example.com"]);
    // By its name each is in the list of findings too.
    let found = grace.get("/findings?kind=unmanaged").await.ok();
    let open = found["items"].as_array().unwrap();
    for ripe in waits["ripe"].as_array().unwrap() {
        let same = open.iter().find(|one| one["id"] == ripe["finding"]);
        assert_eq!(same.unwrap()["person"], ripe["person"], "{found}");
    }
    assert_eq!(waits["can_confirm"], true);
    assert_eq!(reads.get("/sweep").await.ok()["can_confirm"], false);
    assert_eq!(
        why(&grace.post(confirm, &json!({ "digest": "x" })).await),
        (409, "list-changed", "")
    );
    assert_eq!(sandbox.calls(DELETE).await, Vec::<Value>::new());
    let read = json!({ "digest": waits["digest"] });
    assert_eq!(grace.post(confirm, &read).await.status, 204);
    until("the list is gone", || async {
        (rows(sandbox).await == before).then_some(())
    })
    .await;
    assert_eq!(sandbox.calls(DELETE).await.len(), 2);
    let events = sandbox.events("sweep").await;
    let by_people = events.iter().filter(|event| event["source"] == "api");
    let kinds: Vec<&Value> = by_people.map(|event| &event["kind"]).collect();
    assert_eq!(
        kinds,
        [
            "sweep.baseline-proposed",
            "sweep.baseline-dropped",
            "sweep.baseline-proposed",
            "sweep.baseline-agreed",
            "sweep.confirmed",
        ]
    );
}

/// Nothing that speaks for an admin does any of it, no auditor, and nobody else knows of it.
async fn is_only_for_admins(digest: &str, program: &Api, hugo: &Api, emma: &Api) {
    let list = json!({ "digest": digest });
    let proposed = json!({ "digest": digest, "reason": "all known" });
    for (act, body) in [
        ("/sweep/baseline/propose", &proposed),
        ("/sweep/baseline/agree", &list),
        ("/sweep/baseline/drop", &list),
        ("/sweep/confirm", &list),
    ] {
        for (who, expected) in [
            (program, (403, "session-only", "")),
            (hugo, (403, "not-yours", "")),
            (emma, (404, "not-found", "")),
        ] {
            assert_eq!(why(&who.post(act, body).await), expected, "{act}");
        }
    }
}
