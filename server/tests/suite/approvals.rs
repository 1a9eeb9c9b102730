//! What waits, with what an approver needs to answer it, and nothing that is not theirs to know.

use jiff::{SignedDuration, Timestamp};

use crate::harness::{Belay, Browser, Sandbox, Setup, eventually};

const PAYMENTS: &str = "/access/111122223333/ReadOnlyAccess";
const ORDERS: &str = "222233334444/ReadOnlyAccess";
const REASON: &str = "follow a payment through both";

/// Two routes with different approvers, and a ticket that is to be found somewhere.
const POLICY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "payments"
accounts = ["111122223333"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "1h"

[[rule]]
name = "orders"
accounts = ["222233334444"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["user:keiko.tanaka@example.com"]
max_duration = "1h"

[[guardrail]]
name = "tickets"
accounts = ["111122223333"]
ticket = { required = false, pattern = "^[A-Z]+-[0-9]+$", url = "https://tickets.example.com/browse/{ticket}" }
"#;

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).policy(sandbox, POLICY);
    Belay::launch(&setup).ready().await
}

async fn ask(browser: &Browser, path: &str, more: &[(&str, &str)]) -> String {
    let form = [("duration", "900"), ("reason", REASON)];
    let page = browser.post(path, &[&form, more].concat()).await;
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

async fn answer(browser: &Browser, request: &str, act: &str, note: &str) {
    let page = browser.post(request, &[("act", act), ("note", note)]).await;
    assert_eq!(page.status, 303, "{}", page.text());
}

/// The text of what waits for this person, without the marks inside of sentences.
async fn waits_for(browser: &Browser) -> String {
    let page = browser.get("/approvals").await;
    assert_eq!(page.status, 200, "{}", page.text());
    // What the browser's half is handed comes in scripts.
    let mut text = String::new();
    for part in page.body.split("<script") {
        let shown = part
            .split_once("</script>")
            .map_or(part, |(_, shown)| shown);
        for tag in shown.split('<') {
            text.push_str(tag.split_once('>').map_or(tag, |(_, words)| words));
        }
    }
    text
}

async fn active(sandbox: &Sandbox, request: &str) {
    eventually("it is active", || async {
        let grants = sandbox.grants(request).await;
        let mut grants = grants.iter();
        grants
            .all(|grant| grant["state"]["state"] == "active")
            .then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_approver_sees_when_for_which_ticket_and_how_it_is_granted() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let start = Timestamp::now() + SignedDuration::from_hours(1);
    let start = start.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let more = [
        ("start", start.as_str()),
        ("ticket", "INC-7"),
        ("also", ORDERS),
    ];
    ask(&carla, PAYMENTS, &more).await;
    let page = emma.get("/approvals").await;
    assert!(
        page.body
            .contains("href=\"https://tickets.example.com/browse/INC-7\""),
        "{}",
        page.text()
    );
    assert!(
        page.body.contains(&format!("datetime=\"{start}Z\"")),
        "{}",
        page.text()
    );
    let text = waits_for(&emma).await;
    for said in [
        "if approved by then",
        "All of these together, or none.",
        "Denying one of these ends all of them.",
        "Has not had it through Belay in the last 30 days.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[tokio::test]
async fn an_approver_sees_what_the_requester_has_had_and_was_denied_of_the_same() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;

    let denied = ask(&carla, PAYMENTS, &[]).await;
    answer(&farid, &denied, "deny", "use the replica").await;
    ask_again(&carla, &emma, &sandbox).await;
    let current = ask(&carla, PAYMENTS, &[]).await;
    answer(&emma, &current, "approve", "").await;
    active(&sandbox, &current).await;
    let grants = sandbox.grants(&current).await;
    ask(
        &carla,
        PAYMENTS,
        &[("extend", grants[0]["id"].as_str().unwrap())],
    )
    .await;

    let text = waits_for(&emma).await;
    for said in [
        "Has it now until ",
        ": this would extend it.",
        " by Farid Haddad: “use the replica”",
        "Had it 1 time in the last 30 days, last until ",
        ", approved by Emma Lindqvist",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// Carla has it once, and gives it back.
async fn ask_again(carla: &Browser, emma: &Browser, sandbox: &Sandbox) {
    let request = ask(carla, PAYMENTS, &[]).await;
    answer(emma, &request, "approve", "").await;
    active(sandbox, &request).await;
    let grants = sandbox.grants(&request).await;
    let end = [
        ("act", "end"),
        ("grant", grants[0]["id"].as_str().unwrap()),
        ("note", "it was quick"),
    ];
    let page = carla.post(&request, &end).await;
    assert_eq!(page.status, 303, "{}", page.text());
    eventually("it has ended", || async {
        let grants = sandbox.grants(&request).await;
        (grants[0]["state"]["state"] == "ended").then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_somebody_else_approves_is_nobody_elses_to_know() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    let orders = format!("/access/{ORDERS}");

    // Of the orders: once denied, and now hers.
    let denied = ask(&carla, &orders, &[]).await;
    answer(&keiko, &denied, "deny", "not in the dark").await;
    let has = ask(&carla, &orders, &[]).await;
    answer(&keiko, &has, "approve", "").await;
    active(&sandbox, &has).await;

    // Payments alone, and both in one.
    for more in [&[][..], &[("also", "222233334444/ReadOnlyAccess")][..]] {
        let request = ask(&carla, PAYMENTS, more).await;
        let text = waits_for(&emma).await;
        assert!(
            text.contains("Has not had it through Belay in the last 30 days."),
            "{text}"
        );
        for untold in ["Has it now", "not in the dark", "Had it", "Keiko Tanaka"] {
            assert!(!text.contains(untold), "{untold}: {text}");
        }
        let data = emma.read("/api/ui/approvals").await;
        let data = String::from_utf8_lossy(&data.bytes);
        assert!(data.contains(REASON), "it is the right answer: {data}");
        assert!(!data.contains("not in the dark"), "nor in its data: {data}");
        let theirs = waits_for(&keiko).await;
        if more.is_empty() {
            assert!(theirs.contains("Nothing waits for you"), "{theirs}");
            answer(&carla, &request, "withdraw", "").await;
        } else {
            assert!(theirs.contains("Has it now until "), "{theirs}");
            assert!(theirs.contains("not in the dark"), "{theirs}");
        }
    }
}

/// So many that nobody answers them in one go: more than a page shows.
const MANY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "all"
accounts = ["111122223333", "111122223334", "222233334444", "222233334445", "333344445556", "888899990000"]
permission_sets = ["*"]
requesters = ["*"]
approvers = ["group:Security"]
max_duration = "1h"
"#;

#[tokio::test]
async fn of_many_the_oldest_are_shown_and_the_rest_comes_up() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).policy(&sandbox, MANY);
    let belay = Belay::launch(&setup).ready().await;
    let emma = belay.signed_in("emma.lindqvist").await;
    // As long as a reason may be.
    let long = "x".repeat(1_900);
    let mut asked = Vec::new();
    for who in ["carla.rossi", "ben.okafor"] {
        let browser = belay.signed_in(who).await;
        for account in [
            "111122223333",
            "111122223334",
            "222233334444",
            "222233334445",
            "333344445556",
            "888899990000",
        ] {
            for set in ["ReadOnlyAccess", "PowerUserAccess"] {
                let path = format!("/access/{account}/{set}");
                let form = [("duration", "900"), ("reason", long.as_str())];
                let page = browser.post(&path, &form).await;
                assert_eq!(page.status, 303, "{}", page.text());
                asked.push(page.location().split('?').next().unwrap().to_owned());
            }
        }
    }
    let shown = |page: &crate::harness::Page| {
        let is_shown = |path: &&String| page.body.contains(&format!("action=\"{path}\""));
        asked.iter().filter(is_shown).cloned().collect::<Vec<_>>()
    };
    let page = emma.get("/approvals").await;
    assert_eq!(shown(&page), asked[..20]);
    assert!(page.body.contains("The oldest 20 are shown."));
    assert!(page.body.contains(">24<"), "the badge counts all");
    assert!(page.body.len() < 200_000, "{} bytes", page.body.len());

    answer(&emma, &asked[3], "deny", "not that one").await;
    let page = emma.get("/approvals").await;
    assert_eq!(shown(&page).last(), Some(&asked[20]));
    for request in &asked[4..9] {
        answer(&emma, request, "deny", "nor that").await;
    }
    let page = emma.get("/approvals").await;
    assert_eq!(shown(&page).len(), 18);
    assert!(!page.body.contains("are shown."));
}
