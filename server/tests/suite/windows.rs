//! When access begins and ends: later, longer, sooner than first said.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::harness::{Belay, Browser, Page, Sandbox, Setup, eventually};

const STAGING: &str = "/access/111122223334/ReadOnlyAccess";
const PAYMENTS: &str = "/access/111122223333/ReadOnlyAccess";
const REASON: &str = "watch the nightly payments run";

/// One rule that asks nobody, one that asks Security, and a guardrail that wants tickets.
const POLICY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "staging"
accounts = ["111122223334"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "1h"

[[rule]]
name = "payments"
accounts = ["111122223333"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "1h"

[[rule]]
name = "orders"
accounts = ["222233334445"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "1h"

[[guardrail]]
name = "orders-need-tickets"
accounts = ["222233334445"]
ticket = { required = true, pattern = "^[A-Z]+-[0-9]+$" }

[[guardrail]]
name = "breaks"
accounts = ["111122223334"]
max_continuous = "30m"
"#;

async fn start(sandbox: &Sandbox) -> Belay {
    let setup = Setup::of(sandbox).policy(sandbox, POLICY);
    Belay::launch(&setup).ready().await
}

async fn post(browser: &Browser, path: &str, duration: &str, more: &[(&str, &str)]) -> Page {
    let form = [("duration", duration), ("reason", REASON)];
    browser.post(path, &[&form, more].concat()).await
}

fn path_of(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

async fn get(browser: &Browser, path: &str, duration: &str, more: &[(&str, &str)]) -> String {
    path_of(&post(browser, path, duration, more).await)
}

async fn calls(sandbox: &Sandbox, what: &str) -> usize {
    let operation = format!("sso-admin:{what}AccountAssignment");
    sandbox.calls(&operation).await.len()
}

fn at(grant: &Value, name: &str) -> Timestamp {
    grant[name].as_str().unwrap().parse().unwrap()
}

async fn grant(sandbox: &Sandbox, request: &str) -> Value {
    let mut grants = sandbox.grants(request).await;
    assert_eq!(grants.len(), 1, "{grants:?}");
    grants.remove(0)
}

async fn becomes(sandbox: &Sandbox, request: &str, state: &str) -> Value {
    eventually(&format!("it is {state}"), || async {
        let grant = grant(sandbox, request).await;
        (grant["state"]["state"] == state).then_some(grant)
    })
    .await
}

async fn end(browser: &Browser, request: &str, grants: &[&Value], why: &str) -> Page {
    let mut form = vec![("act", "end"), ("note", why)];
    for (place, grant) in grants.iter().enumerate() {
        let name = if place == 0 { "grant" } else { "also" };
        form.push((name, grant["id"].as_str().unwrap()));
    }
    browser.post(request, &form).await
}

/// So many seconds from now, as a form has it.
fn later(seconds: i64) -> String {
    let start = Timestamp::now() + SignedDuration::from_secs(seconds);
    start.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

#[tokio::test]
async fn the_form_of_an_extension_begins_with_what_is_possible() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let request = get(&carla, STAGING, "600", &[]).await;
    let first = becomes(&sandbox, &request, "active").await;
    // Half an hour in one go is what may be, and what the form begins with otherwise.
    let form = carla.get(STAGING).await;
    assert!(
        form.body.contains("value=\"1800\" checked"),
        "{}",
        form.text()
    );
    let id = first["id"].as_str().unwrap();
    let form = carla.get(&format!("{STAGING}?extend={id}")).await;
    assert!(
        form.body.contains("value=\"1200\" checked"),
        "{}",
        form.text()
    );
    assert!(
        form.body.contains("You get this at once"),
        "{}",
        form.text()
    );
    // Whoever chooses more is told how much there is.
    let more = post(&carla, STAGING, "1800", &[("extend", id)]).await;
    assert_eq!(more.status, 403, "{}", more.text());
    assert!(
        more.body.contains("Possible instead: 20 minutes"),
        "{}",
        more.text()
    );
    let extended = post(&carla, STAGING, "1200", &[("extend", id)]).await;
    assert_eq!(extended.status, 303, "{}", extended.text());
}

#[tokio::test]
async fn whoever_has_it_ends_it_early_and_says_why() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let request = get(&carla, STAGING, "900", &[]).await;
    let active = becomes(&sandbox, &request, "active").await;
    assert!(carla.get(&request).await.body.contains("End it early"));
    let page = end(&carla, &request, &[&active], " ").await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.body.contains("Say why."), "{}", page.text());
    let page = end(&carla, &request, &[&active], "it was quick").await;
    assert_eq!(page.status, 303, "{}", page.text());
    let ended = becomes(&sandbox, &request, "ended").await;
    assert_eq!(ended["state"]["receipt"]["kind"], "removed");
    assert!(
        at(&ended, "until") < at(&active, "until"),
        "it moved earlier"
    );
    let id = ended["id"].as_str().unwrap();
    let events = sandbox.events(&format!("grant:{id}")).await;
    let kinds: Vec<&str> = events
        .iter()
        .map(|event| event["kind"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.shortened",
            "grant.revoking",
            "grant.ended",
        ]
    );
    assert_eq!(events[3]["note"], "it was quick");
    assert_eq!(events[3]["actor"]["name"], "Carla Rossi");
    let page = end(&carla, &request, &[&active], "again").await;
    assert_eq!(page.status, 409, "{}", page.text());
    assert!(page.body.contains("again"), "what was typed is kept");
}

#[tokio::test]
async fn its_approvers_and_admins_may_end_it_and_nobody_else() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let grace = belay.signed_in("grace.chen").await;
    let dmitri = belay.signed_in("dmitri.volkov").await;
    let request = get(&carla, PAYMENTS, "900", &[]).await;
    let approve = [("act", "approve"), ("note", "")];
    assert_eq!(emma.post(&request, &approve).await.status, 303);
    let active = becomes(&sandbox, &request, "active").await;

    // A colleague with the same rights has nothing to do with it, nor with its number elsewhere.
    let page = end(&dmitri, &request, &[&active], "not mine").await;
    assert_eq!(page.status, 404, "{}", page.text());
    // Whoever could look at it a moment ago and has left the group ends nothing.
    sandbox.leave("farid.haddad", "Security").await;
    let page = end(&farid, &request, &[&active], "too late").await;
    assert_eq!(page.status, 403, "{}", page.text());
    // A look-up that fails refuses others, and not whom it belongs to.
    let fault = "identitystore:IsMemberInGroups";
    sandbox.refuse(fault, "InternalServerException").await;
    let page = end(&emma, &request, &[&active], "cannot tell").await;
    assert_eq!(page.status, 503, "{}", page.text());
    sandbox.heal().await;
    assert_eq!(grant(&sandbox, &request).await["until"], active["until"]);

    let page = end(&emma, &request, &[&active], "the run is over").await;
    assert_eq!(page.status, 303, "{}", page.text());
    becomes(&sandbox, &request, "ended").await;

    let request = get(&carla, STAGING, "900", &[]).await;
    let active = becomes(&sandbox, &request, "active").await;
    let page = end(&emma, &request, &[&active], "not my route").await;
    assert!([403, 404].contains(&page.status), "{}", page.text());
    let page = end(&grace, &request, &[&active], "an admin may").await;
    assert_eq!(page.status, 303, "{}", page.text());
    becomes(&sandbox, &request, "ended").await;
}

#[tokio::test]
async fn on_a_shared_key_they_choose_which() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let shorter = get(&carla, STAGING, "600", &[]).await;
    let longer = get(&carla, STAGING, "900", &[]).await;
    let first = becomes(&sandbox, &shorter, "active").await;
    let second = becomes(&sandbox, &longer, "active").await;
    let page = carla.get(&shorter).await;
    assert!(page.body.contains("also promised"), "{}", page.text());
    let page = end(&carla, &shorter, &[&first], "only this one").await;
    assert_eq!(page.status, 303, "{}", page.text());
    let ended = becomes(&sandbox, &shorter, "ended").await;
    assert_eq!(ended["state"]["receipt"]["kind"], "held-by");
    assert_eq!(calls(&sandbox, "Delete").await, 0);
    // A new one, and now both at once.
    let third = get(&carla, STAGING, "700", &[]).await;
    let third_grant = becomes(&sandbox, &third, "active").await;
    let page = end(&carla, &third, &[&third_grant, &second], "all of it").await;
    assert_eq!(page.status, 303, "{}", page.text());
    for request in [&longer, &third] {
        let ended = becomes(&sandbox, request, "ended").await;
        assert_eq!(ended["state"]["receipt"]["kind"], "removed");
    }
    assert_eq!(calls(&sandbox, "Delete").await, 1);
}

#[tokio::test]
async fn a_ticket_is_asked_for_where_policy_wants_one_and_kept() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let orders = "/access/222233334445/ReadOnlyAccess";
    let form = carla.get(orders).await;
    assert!(form.body.contains("name=\"ticket\""), "{}", form.text());
    let form = carla.get(STAGING).await;
    assert!(!form.body.contains("name=\"ticket\""), "{}", form.text());
    for wrong in ["", "  ", "not a ticket", "INC-7\n"] {
        let page = post(&carla, orders, "900", &[("ticket", wrong)]).await;
        let stored = wrong.trim() == "INC-7";
        assert_eq!(page.status, if stored { 303 } else { 422 }, "{wrong:?}");
        if !stored {
            assert!(page.body.contains("ticket-problem"), "{}", page.text());
        }
    }
    let request = path_of(&post(&carla, orders, "900", &[("ticket", "INC-7")]).await);
    let stored = sandbox.request(&request).await;
    assert_eq!(stored["terms"]["ticket"], "INC-7");
    assert!(carla.get(&request).await.body.contains("INC-7"));
    let id = request.rsplit('/').next().unwrap();
    let events = sandbox.events(&format!("request:{id}")).await;
    assert!(events.iter().all(|event| event["ticket"] == "INC-7"));
}

#[tokio::test]
async fn what_begins_later_begins_then_and_not_before() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    for (wrong, status) in [
        ("soon", 422),
        ("2020-01-01T00:00", 422),
        (&later(40 * 86_400), 422),
    ] {
        let page = post(&carla, STAGING, "900", &[("start", wrong)]).await;
        assert_eq!(page.status, status, "{wrong}: {}", page.text());
        assert!(page.body.contains("start-problem"), "{}", page.text());
        assert!(page.body.contains(wrong), "it is kept");
    }
    let start = later(8);
    let request = get(&carla, STAGING, "4", &[("start", &start)]).await;
    let promised = grant(&sandbox, &request).await;
    assert_eq!(promised["state"]["state"], "scheduled");
    assert!(at(&promised, "from").to_string().starts_with(&start));
    let ended = becomes(&sandbox, &request, "ended").await;
    assert_eq!(ended["state"]["receipt"]["kind"], "removed");
    assert_eq!(ended["until"], promised["until"], "the window stayed");
    let created = &sandbox.calls("sso-admin:CreateAccountAssignment").await[0];
    let id = ended["id"].as_str().unwrap();
    let events = sandbox.events(&format!("grant:{id}")).await;
    let began: Timestamp = events[1]["at"].as_str().unwrap().parse().unwrap();
    assert_eq!(events[1]["kind"], "grant.granting");
    assert!(began >= at(&promised, "from"), "{created}");
}

/// What every time on a page says.
fn times(page: &Page) -> Vec<&str> {
    page.body
        .split("<time ")
        .skip(1)
        .filter_map(|time| {
            let (_, said) = time.split_once('>')?;
            said.split_once("</time>").map(|(said, _)| said)
        })
        .collect()
}

#[tokio::test]
async fn a_start_is_in_the_zone_that_it_was_typed_in() {
    const ZONE: &str = "Asia/Tokyo";
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let begins = Timestamp::now() + SignedDuration::from_secs(3_600);
    let there = begins.to_zoned(TimeZone::get(ZONE).unwrap());
    let typed = there.strftime("%Y-%m-%dT%H:%M:%S").to_string();

    let unknown = [("start", typed.as_str()), ("zone", "Middle/Earth")];
    let page = post(&carla, STAGING, "900", &unknown).await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(page.body.contains("start-problem"), "{}", page.text());
    assert!(page.body.contains("time zone"), "{}", page.text());
    assert!(page.body.contains(&typed), "it is kept");
    // An hour from now in UTC was eight hours ago in Tokyo, and the verdict says so, too.
    let passed = later(3_600);
    let passed = [("start", passed.as_str()), ("zone", ZONE)];
    let page = post(&carla, STAGING, "900", &passed).await;
    assert_eq!(page.status, 422, "{}", page.text());
    assert!(
        !page.body.contains("You get this at once"),
        "{}",
        page.text()
    );
    assert!(
        page.body.contains(&format!("value=\"{ZONE}\"")),
        "it is kept"
    );

    let more = [("start", typed.as_str()), ("zone", ZONE)];
    let request = get(&carla, STAGING, "900", &more).await;
    let promised = grant(&sandbox, &request).await;
    assert_eq!(at(&promised, "from").as_second(), begins.as_second());

    // Times are in UTC, and say so, until the browser has told its zone; then they are in that, also
    // for those who have no script.
    let page = carla.get(&request).await;
    assert!(!times(&page).is_empty(), "{}", page.text());
    assert!(times(&page).iter().all(|said| said.contains(" UTC")));
    carla.set_cookie("zone", ZONE);
    let page = carla.get(&request).await;
    let clock = there.strftime("%H:%M").to_string();
    assert!(times(&page).iter().any(|said| said.contains(&clock)));
    assert!(times(&page).iter().all(|said| !said.contains("UTC")));
    let form = carla.get(STAGING).await;
    assert!(form.body.contains(&format!("value=\"{ZONE}\"")));
    // What is no zone is as none.
    carla.set_cookie("zone", "<script>alert(1)</script>");
    let page = carla.get(&request).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(times(&page).iter().all(|said| said.contains(" UTC")));
    assert!(!page.body.contains("<script>alert"), "{}", page.text());

    // Where nothing is typed, no zone is in the way.
    let page = post(&carla, PAYMENTS, "900", &[("zone", "Middle/Earth")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
}

#[tokio::test]
async fn what_is_no_longer_allowed_when_it_would_begin_is_cancelled_and_says_why() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let dmitri = belay.signed_in("dmitri.volkov").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let (own, reviewed) = (later(15), later(15));
    // One whose requester leaves, one whose approver does.
    let own = get(&carla, STAGING, "900", &[("start", &own)]).await;
    let reviewed = get(&dmitri, PAYMENTS, "900", &[("start", &reviewed)]).await;
    let approve = [("act", "approve"), ("note", "")];
    assert_eq!(emma.post(&reviewed, &approve).await.status, 303);
    sandbox.leave("carla.rossi", "Payments").await;
    sandbox.leave("emma.lindqvist", "Security").await;
    for (request, why) in [(own, "No rule for this"), (reviewed, "no longer does")] {
        let ended = becomes(&sandbox, &request, "ended").await;
        assert_eq!(ended["state"]["receipt"]["kind"], "never-granted");
        let id = ended["id"].as_str().unwrap();
        let events = sandbox.events(&format!("grant:{id}")).await;
        let note = events.last().unwrap()["note"].as_str().unwrap();
        assert!(note.contains(why), "{note}");
    }
    assert_eq!(calls(&sandbox, "Create").await, 0);
}

#[tokio::test]
async fn while_nobody_can_tell_nothing_begins() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let dmitri = belay.signed_in("dmitri.volkov").await;
    let start = later(10);
    let short = get(&dmitri, STAGING, "3", &[("start", &start)]).await;
    let long = get(&carla, STAGING, "900", &[("start", &start)]).await;
    let fault = "identitystore:IsMemberInGroups";
    sandbox.refuse(fault, "InternalServerException").await;
    // Its end comes before anybody could tell.
    let ended = becomes(&sandbox, &short, "ended").await;
    assert_eq!(ended["state"]["receipt"]["kind"], "never-granted");
    assert_eq!(grant(&sandbox, &long).await["state"]["state"], "scheduled");
    assert_eq!(calls(&sandbox, "Create").await, 0);
    sandbox.heal().await;
    becomes(&sandbox, &long, "active").await;
}

#[tokio::test]
async fn what_was_only_promised_is_cancelled_by_ending_it() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let request = get(&carla, STAGING, "900", &[("start", &later(600))]).await;
    let promised = grant(&sandbox, &request).await;
    let page = end(&carla, &request, &[&promised], "not needed").await;
    assert_eq!(page.status, 303, "{}", page.text());
    let ended = grant(&sandbox, &request).await;
    assert_eq!(ended["state"]["receipt"]["kind"], "never-granted");
    let page = carla.get("/mine").await;
    assert!(page.body.contains("Never granted"), "{}", page.text());
}

#[tokio::test]
async fn an_extension_follows_without_a_gap_and_counts_as_one_window() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let request = get(&carla, STAGING, "20", &[]).await;
    let active = becomes(&sandbox, &request, "active").await;
    let id = active["id"].as_str().unwrap().to_owned();
    let form = carla.get(&format!("{STAGING}?extend={id}")).await;
    assert!(
        form.body.contains("continues the access"),
        "{}",
        form.text()
    );
    // 30 minutes without a break is all there may be, whatever part of it is asked for at once.
    let page = post(&carla, STAGING, "1800", &[("extend", &id)]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    let extended = get(&carla, STAGING, "8", &[("extend", &id)]).await;
    let promised = grant(&sandbox, &extended).await;
    assert_eq!(promised["from"], active["until"], "no gap");
    assert_eq!(promised["run_from"], active["from"]);
    // Of an extension, too, the run counts from its first beginning.
    let next = promised["id"].as_str().unwrap();
    let page = post(&carla, STAGING, "1790", &[("extend", next)]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    let first = becomes(&sandbox, &request, "ended").await;
    assert_eq!(first["state"]["receipt"]["kind"], "held-by");
    assert_eq!(calls(&sandbox, "Delete").await, 0);
    let second = becomes(&sandbox, &extended, "ended").await;
    assert_eq!(second["state"]["receipt"]["kind"], "removed");
    assert_eq!(calls(&sandbox, "Create").await, 1);
    let page = post(&carla, STAGING, "8", &[("extend", &id)]).await;
    assert_eq!(page.status, 409, "what is over is asked for anew");

    // With the words of the first.
    let id = request.rsplit('/').next().unwrap();
    let form = carla.get(&format!("{STAGING}?like={id}")).await;
    assert!(form.body.contains(REASON), "{}", form.text());
    let dmitri = belay.signed_in("dmitri.volkov").await;
    let form = dmitri.get(&format!("{STAGING}?like={id}")).await;
    assert!(
        !form.body.contains(REASON),
        "other people's words stay theirs"
    );
}

#[tokio::test]
async fn approvers_are_reminded_once_in_a_while() {
    let sandbox = Sandbox::start();
    let belay = start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let request = get(&carla, PAYMENTS, "900", &[]).await;
    let nudge = [("act", "nudge")];
    assert_eq!(emma.post(&request, &nudge).await.status, 403);
    assert_eq!(carla.post(&request, &nudge).await.status, 303);
    assert_eq!(carla.post(&request, &nudge).await.status, 429);
    assert_eq!(
        sandbox.kinds(&request).await,
        ["request.submitted", "request.nudged"]
    );
}
