//! People who ask for the same again and again, at whichever server answers.

use std::time::{Duration, Instant};

use http::Method;
use http::header::ORIGIN;
use url::Url;

use super::Dice;
use crate::harness::{Belay, Browser, Sandbox};

/// Requests of one person: below the 30 that one may submit in an hour.
pub(super) const EACH: u64 = 8;

/// What they ask for: few, so that most windows overlap with another on their key.
const TARGETS: [&str; 3] = [
    "/access/111122223333/ReadOnlyAccess",
    "/access/222233334444/PowerUserAccess",
    "/access/999900001111/AdministratorAccess",
];

/// A server that is frozen does not answer: the other one is asked.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Both may be down at once, for about as long as one takes to start.
const ASKS_FOR: Duration = Duration::from_secs(90);

/// Somebody with a browser.
#[derive(Debug)]
pub(super) struct Person {
    browser: Browser,
    requests: u64,
}

/// Signs in as many as it takes.
pub(super) async fn sign_in(sandbox: &Sandbox, servers: &[Belay; 2], requests: u64) -> Vec<Person> {
    let state = sandbox.state().await;
    let names: Vec<&str> = state["people"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|person| person["user_name"].as_str())
        .filter(|name| name.starts_with("person"))
        .collect();
    let mut crowd = Vec::new();
    let mut left = requests;
    for (nth, name) in names.into_iter().enumerate() {
        if left == 0 {
            return crowd;
        }
        let requests = left.min(EACH);
        left -= requests;
        // A session is good at every server.
        let browser = servers[nth % 2].signed_in(name).await;
        crowd.push(Person { browser, requests });
    }
    assert_eq!(left, 0, "there are too few people");
    crowd
}

impl Person {
    /// Asks over that time, and tells which requests were accepted.
    pub(super) async fn ask_now_and_then(
        self,
        portals: [String; 2],
        mut dice: Dice,
        lasts: Duration,
    ) -> Vec<String> {
        let mut accepted = Vec::new();
        let pause = u64::try_from(lasts.as_millis()).unwrap() / self.requests;
        for nth in 0..self.requests {
            tokio::time::sleep(Duration::from_millis(dice.below(2 * pause))).await;
            let target = dice.one_of(&TARGETS);
            let duration = (10 + dice.below(40)).to_string();
            let reason = format!("INC-{nth}: chaos");
            accepted.extend(
                self.ask(&portals, &mut dice, target, &duration, &reason)
                    .await,
            );
        }
        accepted
    }

    /// Asks until a server answers; `None`: it refuses.
    async fn ask(
        &self,
        portals: &[String; 2],
        dice: &mut Dice,
        target: &str,
        duration: &str,
        reason: &str,
    ) -> Option<String> {
        let form = [("duration", duration), ("reason", reason)];
        let began = Instant::now();
        loop {
            let portal = Url::parse(dice.one_of::<String>(portals)).unwrap();
            let origin = portal.origin().ascii_serialization();
            let headers = [(ORIGIN.as_str(), origin.as_str())];
            let url = portal.join(target).unwrap();
            let asked = self
                .browser
                .try_send(Method::POST, url, Some(&form), &headers);
            match tokio::time::timeout(ANSWERS_WITHIN, asked).await {
                Ok(Ok(page)) if page.status == 303 => {
                    let location = page.location();
                    let id = location.strip_prefix("/requests/");
                    let id = id.unwrap_or_else(|| panic!("sent to {location}"));
                    return Some(id.split('?').next().unwrap().to_owned());
                }
                Ok(Ok(page)) if page.status < 500 => return None,
                // Down, frozen, or without its table: nobody knows whether it was stored.
                Ok(Ok(_) | Err(_)) | Err(_) => {}
            }
            assert!(began.elapsed() < ASKS_FOR, "no server answers");
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }
}
