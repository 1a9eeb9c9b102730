//! What a page that is open hears, and what it does not.

use std::time::Duration;

use crate::harness::{Belay, Sandbox, Setup};

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
