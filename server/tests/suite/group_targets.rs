//! Asking for membership of a group, from the form to the proof that it is over.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::harness::{Belay, Browser, Page, Sandbox, Setup, eventually};

const STAGING: &str = "/access/111122223334/ReadOnlyAccess";
const HELD: &str = "sso-admin:ListAccountAssignmentsForPrincipal";
const CREATE: &str = "identitystore:CreateGroupMembership";
const REASON: &str = "INC-9: follow the incident";

/// Nobody's group: neither AWS nor the policy knows it.
const UNKNOWN: &str = "93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b";

/// The whole organisation is looked through at a call every few milliseconds, after half a minute.
const LOOKED_THROUGH: Duration = Duration::from_mins(4);

/// One group, through approvers for some and at once for others, and nothing in the network.
const POLICY: &str = r#"
version = 1
admins = ["group:Platform"]

[defaults]
max_duration = "8h"
min_duration = "2s"
request_expires_after = "8h"
reason = { min_length = 10 }

[[rule]]
name = "incident"
groups = ["group:Incident Response"]
requesters = ["group:Payments"]
approvers = ["group:Security"]
max_duration = "1h"

[[rule]]
name = "incident-at-once"
groups = ["group:Incident Response"]
requesters = ["user:ben.okafor@example.com"]
approval = "none"
max_duration = "1h"

[[rule]]
name = "staging"
accounts = ["111122223334"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Payments"]
approval = "none"
max_duration = "1h"

[[guardrail]]
name = "no-network"
accounts = ["555566667777"]
deny = true
"#;

struct Scene {
    sandbox: Sandbox,
    belay: Belay,
    group: String,
}

impl Scene {
    async fn begin(flags: &[&str]) -> Self {
        let sandbox = Sandbox::start_with(flags);
        let setup = Setup::of(&sandbox).policy(&sandbox, POLICY);
        let belay = Belay::launch(&setup).ready().await;
        let group = sandbox.group_id("Incident Response").await;
        Self {
            sandbox,
            belay,
            group,
        }
    }

    /// The form's address.
    fn form(&self) -> String {
        format!("/access/group/{}", self.group)
    }

    async fn ask(&self, browser: &Browser, duration: &str, more: &[(&str, &str)]) -> Page {
        let form = [("duration", duration), ("reason", REASON)];
        browser.post(&self.form(), &[&form, more].concat()).await
    }

    async fn membership(&self, user_name: &str) -> Option<String> {
        let user = self.sandbox.user_id(user_name).await;
        self.sandbox.membership(&user, &self.group).await
    }

    async fn becomes(&self, request: &str, place: usize, state: &str) -> Value {
        eventually(&format!("{request} is {state}"), || async {
            let grants = self.sandbox.grants(request).await;
            let grant = grants.get(place).cloned().unwrap_or_default();
            (grant["state"]["state"] == state).then_some(grant)
        })
        .await
    }

    /// What the group is assigned in the network, where nobody may be let in.
    async fn assignment_in_network(&self) -> Value {
        let own = self
            .sandbox
            .assignment("ana.silva", "555566667777", "NetworkAdministrator")
            .await;
        json!({
            "account_id": own["account_id"],
            "permission_set_arn": own["permission_set_arn"],
            "principal_type": "GROUP",
            "principal_id": self.group,
        })
    }
}

fn path_of(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text());
    page.location().split('?').next().unwrap().to_owned()
}

fn time(grant: &Value, name: &str) -> Timestamp {
    grant[name].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_membership_is_asked_for_approved_made_and_proven_gone() {
    let scene = Scene::begin(&[]).await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let emma = scene.belay.signed_in("emma.lindqvist").await;

    let access = carla.get("/").await.body;
    assert!(access.contains(&scene.form()), "{access}");
    let gives = "Gives ReadOnlyAccess in Data Lake Production, ReadOnlyAccess in Orders Production \
                 and SecurityAudit in Payments Production";
    assert!(access.contains(gives), "{access}");
    let form = carla.get(&scene.form()).await;
    assert_eq!(form.status, 200, "{}", form.text());
    for said in [
        "Incident Response",
        "222233334444",
        "Somebody has to approve",
    ] {
        assert!(form.body.contains(said), "{said}: {}", form.text());
    }

    let request = path_of(&scene.ask(&carla, "6", &[]).await);
    let again = path_of(&scene.ask(&carla, "6", &[]).await);
    assert_eq!(again, request, "they wait for it already");
    let approvals = emma.get("/approvals").await.body;
    assert!(
        approvals.contains("Membership of Incident Response"),
        "{approvals}"
    );
    assert!(approvals.contains("Data Lake Production"), "{approvals}");
    assert_eq!(scene.membership("carla.rossi").await, None);
    let page = emma.post(&request, &[("act", "approve")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let id = eventually("she is in the group", || scene.membership("carla.rossi")).await;
    let grant = scene.becomes(&request, 0, "ended").await;
    assert_eq!(scene.membership("carla.rossi").await, None);
    assert_eq!(grant["state"]["receipt"]["kind"], "removed", "{grant}");

    // Of the three sets, SecurityAudit's sessions are the longest: twelve hours.
    assert_eq!(grant["names"]["permission_set"], "Incident Response");
    assert_eq!(grant["names"]["session_seconds"], 43_200);
    let page = carla.get(&request).await.body;
    for said in [
        "Membership of Incident Response",
        "AWS deleted the membership",
        id.as_str(),
    ] {
        assert!(page.contains(said), "{said}: {page}");
    }
    let stream = format!("grant:{}", grant["id"].as_str().unwrap());
    let events = scene.sandbox.events(&stream).await;
    let of_kind = |kind: &str| {
        let mut found = events.iter().filter(|event| event["kind"] == kind);
        found.next().unwrap_or_else(|| panic!("{kind}: {events:?}"))
    };
    for (kind, operation) in [("grant.activated", "grant"), ("grant.ended", "revoke")] {
        let event = of_kind(kind);
        assert_eq!(event["operation_type"], operation);
        assert_eq!(event["audit_entry_type"], "group");
        assert_eq!(event["group_id"], scene.group.as_str());
        assert_eq!(event["group_name"], "Incident Response");
        assert_eq!(event["group_membership_id"], id.as_str());
        assert_eq!(event["account_id"], "NA");
    }
    let grace = scene.belay.signed_in("grace.chen").await;
    for search in ["Incident", &scene.group] {
        let found = grace
            .get(&format!("/history?permission_set={search}"))
            .await;
        assert!(found.body.contains(&request), "{}", found.text());
    }
}

#[tokio::test]
async fn what_a_group_gives_is_read_at_that_moment_or_it_is_refused() {
    let scene = Scene::begin(&[]).await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let liam = scene.belay.signed_in("liam.murphy").await;
    let unknown = format!("/access/group/{UNKNOWN}");
    let form = [("duration", "900"), ("reason", REASON)];

    let fault = scene.sandbox.refuse(HELD, "InternalServerException").await;
    let page = scene.ask(&carla, "900", &[]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        page.body.contains("could not all be read"),
        "{}",
        page.text()
    );
    // To whom it is not offered, that says nothing of it either.
    let refused = liam.post(&scene.form(), &form).await;
    assert_eq!(
        plain(&refused, &scene.group),
        plain(&liam.post(&unknown, &form).await, UNKNOWN)
    );
    scene.sandbox.lift(&fault).await;

    // It is asked of AWS each time, and not taken from what pages show.
    let by_hand = scene.assignment_in_network().await;
    scene.sandbox.assign(&by_hand).await;
    let page = scene.ask(&carla, "900", &[]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(page.body.contains("no-network"), "{}", page.text());
    scene.sandbox.unassign(&by_hand).await;
    let request = path_of(&scene.ask(&carla, "900", &[]).await);

    // And again when it is approved.
    scene.sandbox.assign(&by_hand).await;
    let emma = scene.belay.signed_in("emma.lindqvist").await;
    let page = emma.post(&request, &[("act", "approve")]).await;
    assert_ne!(page.status, 303, "{}", page.text());
    assert_eq!(scene.sandbox.asks(&request).await, ["pending"]);
    scene.sandbox.unassign(&by_hand).await;
    let page = emma.post(&request, &[("act", "approve")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(scene.sandbox.asks(&request).await, ["approved"]);
}

/// A page without what differs from one to the next: its nonce, and the id that was asked for.
fn plain(page: &Page, id: &str) -> (u16, String) {
    let mut text = String::new();
    for (place, part) in page.body.replace(id, "ID").split("nonce=\"").enumerate() {
        let rest = if place == 0 {
            part
        } else {
            part.split_once('"').unwrap().1
        };
        text.push_str(rest);
    }
    // What the browser's half is handed is encoded, and says the same.
    let shown = text.split("</main>").next().unwrap().to_owned();
    (page.status, shown)
}

#[tokio::test]
async fn who_is_offered_no_group_gets_the_answer_of_one_that_does_not_exist() {
    let scene = Scene::begin(&[]).await;
    let liam = scene.belay.signed_in("liam.murphy").await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let form = [("duration", "900"), ("reason", REASON)];
    // One that the policy offers to others, one that decides, one that nobody may have.
    let role = scene.sandbox.group_id("Security").await;
    let other = scene.sandbox.group_id("Data").await;
    for (browser, group) in [
        (&liam, &scene.group),
        (&liam, &role),
        (&carla, &role),
        (&carla, &other),
    ] {
        let path = format!("/access/group/{group}");
        let unknown = format!("/access/group/{UNKNOWN}");
        let seen = plain(&browser.get(&path).await, group);
        assert_eq!(seen.0, 404, "{}", seen.1);
        assert_eq!(seen, plain(&browser.get(&unknown).await, UNKNOWN));
        let asked = plain(&browser.post(&path, &form).await, group);
        assert_eq!(asked.0, 404, "{}", asked.1);
        assert_eq!(asked, plain(&browser.post(&unknown, &form).await, UNKNOWN));
    }
    let access = liam.get("/").await.body;
    assert!(!access.contains("Incident Response"), "{access}");
    assert!(scene.sandbox.calls(CREATE).await.is_empty());
}

#[tokio::test]
async fn a_group_and_an_account_in_one_request_are_granted_together_or_not_at_all() {
    let scene = Scene::begin(&[]).await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let emma = scene.belay.signed_in("emma.lindqvist").await;
    let own = format!("group/{}", scene.group);
    let offered = carla.get(STAGING).await.body;
    assert!(offered.contains(&format!("value=\"{own}\"")), "{offered}");

    // Two of them are nothing that she may ask for: nothing is submitted, and they are named as typed,
    // the one that there is like the one that there is not.
    let form = [("duration", "900"), ("reason", REASON)];
    let other = scene.sandbox.group_id("Data").await;
    let wrong = [format!("group/{other}"), format!("group/{UNKNOWN}")];
    let also = [&own, &wrong[0], &wrong[1]].map(|target| ("also", target.as_str()));
    let page = carla.post(STAGING, &[&form[..], &also].concat()).await;
    assert_eq!(page.status, 403, "{}", page.text());
    for group in [other.as_str(), UNKNOWN] {
        let named = format!("Group {group}");
        assert!(page.body.contains(&named), "{}", page.text());
    }
    assert!(!carla.get("/mine").await.body.contains("Withdraw"));

    let page = carla
        .post(STAGING, &[&form[..], &[("also", &own)]].concat())
        .await;
    let request = path_of(&page);
    assert_eq!(scene.sandbox.asks(&request).await, ["approved", "pending"]);
    assert!(scene.sandbox.grants(&request).await.is_empty());
    let page = emma.post(&request, &[("act", "approve")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let account = scene.becomes(&request, 0, "active").await;
    let group = scene.becomes(&request, 1, "active").await;
    assert_eq!(account["until"], group["until"], "one window for both");
    assert!(scene.membership("carla.rossi").await.is_some());

    // What she asked for is there to be asked for again, both of it.
    let id = request.rsplit('/').next().unwrap();
    let again = carla.get(&format!("{STAGING}?like={id}")).await.body;
    let ticked = again.split("<input").find(|input| input.contains(&own));
    assert!(ticked.unwrap().contains("checked"), "{again}");

    // The membership is ended before its time, the other goes on.
    let form = [("act", "end"), ("note", "the incident is over")];
    let grant = [("grant", group["id"].as_str().unwrap())];
    let page = carla.post(&request, &[&form[..], &grant].concat()).await;
    assert_eq!(page.status, 303, "{}", page.text());
    let ended = scene.becomes(&request, 1, "ended").await;
    assert_eq!(ended["state"]["receipt"]["kind"], "removed", "{ended}");
    assert_eq!(scene.membership("carla.rossi").await, None);
    scene.becomes(&request, 0, "active").await;
}

#[tokio::test]
async fn an_extension_keeps_the_membership_and_the_last_of_them_ends_it() {
    let scene = Scene::begin(&[]).await;
    let ben = scene.belay.signed_in("ben.okafor").await;
    let first = path_of(&scene.ask(&ben, "12", &[]).await);
    let grant = scene.becomes(&first, 0, "active").await;
    let id = scene.membership("ben.okafor").await.expect("a membership");
    let page = ben.get(&first).await.body;
    let grant_id = grant["id"].as_str().unwrap();
    let link = format!("{}?extend={grant_id}", scene.form());
    assert!(page.contains(&link), "{page}");
    assert!(ben.get(&link).await.body.contains("This continues"));

    let second = path_of(&scene.ask(&ben, "10", &[("extend", grant_id)]).await);
    let more = scene.sandbox.grants(&second).await.remove(0);
    assert_eq!(time(&more, "from"), time(&grant, "until"));
    let before = scene.becomes(&first, 0, "ended").await;
    assert_eq!(before["state"]["receipt"]["kind"], "held-by", "{before}");
    assert_eq!(scene.membership("ben.okafor").await, Some(id.clone()));
    let after = scene.becomes(&second, 0, "ended").await;
    assert_eq!(after["state"]["receipt"]["kind"], "removed", "{after}");
    assert_eq!(after["state"]["receipt"]["aws_request_id"], id.as_str());
    assert_eq!(scene.membership("ben.okafor").await, None);
}

#[tokio::test]
async fn a_later_start_joins_the_group_then_if_nothing_forbids_it_then() {
    let scene = Scene::begin(&[]).await;
    let ben = scene.belay.signed_in("ben.okafor").await;
    let start = (Timestamp::now() + SignedDuration::from_secs(8)).to_string();
    let request = path_of(&scene.ask(&ben, "900", &[("start", &start)]).await);
    let scheduled = scene.sandbox.grants(&request).await.remove(0);
    assert_eq!(scheduled["state"]["state"], "scheduled", "{scheduled}");
    let by_hand = scene.assignment_in_network().await;
    scene.sandbox.assign(&by_hand).await;
    let grant = scene.becomes(&request, 0, "ended").await;
    assert_eq!(
        grant["state"]["receipt"]["kind"], "never-granted",
        "{grant}"
    );
    assert!(scene.sandbox.calls(CREATE).await.is_empty());
}

#[tokio::test]
async fn a_delegated_administrator_offers_groups_once_the_organisation_was_read_whole() {
    let scene = Scene::begin(&["--caller=delegated"]).await;
    let carla = scene.belay.signed_in("carla.rossi").await;
    let page = scene.ask(&carla, "900", &[]).await;
    assert_eq!(page.status, 404, "{}", page.text());
    assert_eq!(carla.get(&scene.form()).await.status, 404);
    let begun = Instant::now();
    while carla.get(&scene.form()).await.status == 404 {
        assert!(begun.elapsed() < LOOKED_THROUGH, "{}", scene.belay.said());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let access = carla.get("/").await.body;
    assert!(
        access.contains("SecurityAudit in Payments Production"),
        "{access}"
    );
    path_of(&scene.ask(&carla, "900", &[]).await);
}
