//! What a page that is open hears, and what it does not.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Belay, Browser, Sandbox, Setup, within};

const ASK: &str = "/access/111122223333/ReadOnlyAccess";
const FORM: [(&str, &str); 2] = [("duration", "900"), ("reason", "look at the payment logs")];

/// What is not said within this is not said: changes of the same server come at once.
const SILENCE: Duration = Duration::from_millis(1_500);
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn whom_it_concerns_hears_of_a_request_and_nobody_else_learns_which() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let jonas = belay.signed_in("jonas.weber").await;
    let mut hers = carla.open("/live").await;
    let mut approvers = emma.open("/live").await;
    let mut others = jonas.open("/live").await;

    let page = carla.post(ASK, &FORM).await;
    let id = page.location();
    let id = id
        .trim_start_matches("/requests/")
        .split('?')
        .next()
        .unwrap()
        .to_owned();
    let topic = format!("request:{id}");
    for (who, stream) in [("carla", &mut hers), ("emma", &mut approvers)] {
        let topics = stream
            .change(SOON)
            .await
            .unwrap_or_else(|| panic!("{who} hears nothing"));
        assert!(topics.contains(&topic), "{who}: {topics:?}");
        assert!(
            topics.contains(&"approvals".to_owned()),
            "{who}: {topics:?}"
        );
    }
    while let Some(topics) = others.change(SILENCE).await {
        assert!(!topics.contains(&topic), "{topics:?}");
    }
}

#[tokio::test]
async fn what_another_server_does_is_heard_here() {
    let sandbox = Sandbox::start();
    let here = Belay::start(&sandbox).await;
    let there = Belay::launch(&Setup::of(&sandbox)).ready().await;
    let emma = here.signed_in("emma.lindqvist").await;
    let mut live = emma.open("/live").await;
    let carla = there.signed_in("carla.rossi").await;
    assert_eq!(carla.post(ASK, &FORM).await.status, 303);
    let mut heard = Vec::new();
    while let Some(topics) = live.change(SOON).await {
        heard.extend(topics);
        if heard.contains(&"approvals".to_owned()) {
            return;
        }
    }
    panic!("not heard: {heard:?}");
}

/// The number beside "Approvals" in the header.
async fn waiting(browser: &Browser) -> u32 {
    let page = browser.get("/mine").await;
    assert_eq!(page.status, 200, "{}", page.text());
    let Some((before, _)) = page.body.split_once(" waiting for you") else {
        return 0;
    };
    let (_, badge) = before.rsplit_once(r#"class="badge">"#).unwrap();
    let digits: String = badge.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().unwrap()
}

/// How often the list of what waits was read so far.
async fn readings(sandbox: &Sandbox) -> usize {
    let queries = sandbox.calls("dynamodb:Query").await;
    let of_waiting = |call: &&Value| call["input"].to_string().contains(r#""S":"open""#);
    queries.iter().filter(of_waiting).count()
}

#[tokio::test]
async fn what_waits_is_counted_at_once() {
    let sandbox = Sandbox::start();
    let here = Belay::start(&sandbox).await;
    let there = Belay::launch(&Setup::of(&sandbox)).ready().await;
    let emma = here.signed_in("emma.lindqvist").await;
    let farid = here.signed_in("farid.haddad").await;
    let carla = here.signed_in("carla.rossi").await;
    assert_eq!((waiting(&emma).await, waiting(&carla).await), (0, 0));

    // Here everybody's next page counts it; whoever asked has nothing to approve.
    let asked = carla.post(ASK, &FORM).await;
    assert_eq!((waiting(&emma).await, waiting(&farid).await), (1, 1));
    assert_eq!(waiting(&carla).await, 0);
    let path = asked.location().split('?').next().unwrap().to_owned();
    let denies = [("act", "deny"), ("note", "use the replica")];
    assert_eq!(emma.post(&path, &denies).await.status, 303);
    assert_eq!((waiting(&emma).await, waiting(&farid).await), (0, 0));

    // What another server does, once it is heard of.
    let other = there.signed_in("carla.rossi").await;
    assert_eq!(other.post(ASK, &FORM).await.status, 303);
    within("the count follows", SOON, || async {
        (waiting(&emma).await == 1).then_some(())
    })
    .await;
}

#[tokio::test]
async fn while_nothing_changes_no_page_reads_what_waits() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let carla = belay.signed_in("carla.rossi").await;
    assert_eq!(carla.post(ASK, &FORM).await.status, 303);
    assert_eq!(waiting(&emma).await, 1);
    // Forty pages read it no more often than time asks for.
    let before = readings(&sandbox).await;
    assert!(before > 0);
    for _ in 0..20 {
        assert_eq!((waiting(&emma).await, waiting(&farid).await), (1, 1));
    }
    assert!(readings(&sandbox).await <= before + 2);
}
