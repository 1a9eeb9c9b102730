//! Break-glass is opened again by an admin, by their session.

use super::*;
use crate::break_glass::{ADMIN, REJECT, goes_in};

#[tokio::test]
async fn an_admin_opens_break_glass_again_and_nothing_that_speaks_for_one() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let ben_in_browser = belay.signed_in("ben.okafor").await;
    let request = goes_in(&ben_in_browser, ADMIN, "ben.okafor").await;
    let emma_in_browser = belay.signed_in(EMMA).await;
    let rejected = emma_in_browser.post(&request, &REJECT).await;
    assert_eq!(rejected.status, 303, "{}", rejected.text());

    let nobody = Api::of(&belay).await;
    let reopen = format!("{request}/reopen");
    let note = json!({ "note": "we talked" });
    let grace_in_browser = belay.signed_in("grace.chen").await;
    let grace = nobody.session(&grace_in_browser);
    let may = async |api: &Api| api.get(&request).await.ok()["may"]["reopen"].clone();
    let ben = nobody.session(&ben_in_browser);
    let emma = nobody.session(&emma_in_browser);
    for other in [&ben, &emma] {
        assert_eq!(may(other).await, json!(false));
        let refused = other.post(&reopen, &note).await;
        assert_eq!(why(&refused), (403, "not-yours", ""));
    }
    let program = speaks(&sandbox, &belay, "grace.chen", ALL).await;
    let refused = program.post(&reopen, &note).await;
    assert_eq!(why(&refused), (403, "session-only", ""));
    let refused = grace
        .with("origin", "https://evil.example")
        .post(&reopen, &note)
        .await;
    assert_eq!(why(&refused), (403, "cross-origin", ""));
    let refused = grace.post(&reopen, &json!({ "note": " " })).await;
    assert_eq!(why(&refused), (422, "missing", "/note"));
    assert_eq!(may(&grace).await, json!(true));

    assert_eq!(grace.post(&reopen, &note).await.status, 204);
    assert_eq!(may(&grace).await, json!(false));
    let again = grace.post(&reopen, &note).await;
    assert_eq!(why(&again), (409, "not-closed", ""));
    let id = sandbox.user_id("ben.okafor").await;
    let events = sandbox.events(&format!("person:{id}")).await;
    let last = events.last().unwrap();
    assert_eq!(last["kind"], "break-glass.reopened");
    assert_eq!(
        (&last["source"], &last["note"]),
        (&json!("api"), &json!("we talked"))
    );
}
