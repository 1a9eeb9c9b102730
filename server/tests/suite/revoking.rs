//! Two admins agree that what nobody promised is taken away, and it is: once, judged at that moment,
//! and with the proof.

use domain::adoption::Course;
use domain::event::{Source, Stream};
use domain::finding::{Closed, Finding};
use domain::revocation::REVOCATION_GOOD_FOR;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use server::store::Commit;

use crate::findings::{
    A_DAY, FIRST, act, done, found, kinds_of, open, refused, server, store, until,
};
use crate::harness::{Belay, Sandbox, Setup, within};

/// What people have from before anybody asked.
const ACCOUNT: &str = "888899990000";
const SET: &str = "AdministratorAccess";

const DELETE: &str = "sso-admin:DeleteAccountAssignment";

const WHY: &[(&str, &str)] = &[("note", "nobody knows this one")];

/// Two admins agree; `number` is the proposal's.
async fn agree(belay: &Belay, finding: &Finding, number: &str) {
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    done(&act(&grace, finding, "revoke", WHY).await, "proposed");
    let which = [("proposal", number)];
    done(&act(&keiko, finding, "confirm", &which).await, "confirmed");
}

/// As two admins had agreed then, while no server ran.
async fn agreed_at(sandbox: &Sandbox, finding: &Finding, then: Timestamp) {
    let by = |name: &str| domain::request::Who {
        name: name.to_owned(),
        ..finding.who.clone()
    };
    let other = domain::request::Who {
        id: "93a4c8d2-1011-70e2-3a5b-0123456789ab".parse().unwrap(),
        ..by("Keiko")
    };
    let keep = SignedDuration::from_hours(1);
    let proposed = finding
        .clone()
        .propose(Course::Revoke, (by("Grace"), "nobody's"), keep, then);
    let (proposed, event) = proposed.unwrap();
    let mut commit = Commit::new(server(), Source::Portal, then);
    let stream = Stream::Finding(finding.id);
    let head = store(sandbox).head(&stream).await.unwrap();
    commit.change_finding(&proposed, head, event).unwrap();
    store(sandbox).commit(commit).await.unwrap();
    let (agreed, event) = proposed.confirm_revocation(other, 1, then).unwrap();
    let mut commit = Commit::new(server(), Source::Portal, then);
    let head = store(sandbox).head(&stream).await.unwrap();
    commit.agree_to_revoke(&agreed, head, event).unwrap();
    store(sandbox).commit(commit).await.unwrap();
}

async fn closed_as(sandbox: &Sandbox, finding: &Finding) -> Option<Closed> {
    let closed = store(sandbox).closed_findings(50).await.unwrap();
    let closed = closed.into_iter().find(|one| one.finding.id == finding.id);
    closed.map(|closed| closed.closed_as)
}

#[tokio::test]
async fn two_admins_agree_and_it_is_taken_away_without_a_sweep() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    let others = sandbox.assignment("ben.okafor", "888899990001", SET).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;

    refused(
        &act(&grace, &finding, "revoke", &[("note", " ")]).await,
        422,
        "Say why.",
    );
    done(&act(&grace, &finding, "revoke", WHY).await, "proposed");
    let page = keiko.get("/findings").await;
    assert!(page.body.contains("Confirm, and take it away"));
    let own = act(&grace, &finding, "confirm", &FIRST).await;
    refused(&own, 403, "Another admin has to answer it.");
    done(&act(&keiko, &finding, "confirm", &FIRST).await, "confirmed");
    // Where it is read before that has happened, it says so; and nobody proposes anything else.
    let now = open(&sandbox, &finding).await;
    if now.is_some_and(|now| now.revocation.is_some()) {
        let page = act(&keiko, &finding, "adopt", &A_DAY).await;
        assert_eq!(page.status, 409, "{}", page.text());
    }

    until("it is closed", || closed_as(&sandbox, &finding)).await;
    assert_eq!(closed_as(&sandbox, &finding).await, Some(Closed::Removed));
    assert!(!sandbox.has(&hers).await);
    assert!(sandbox.has(&others).await, "what nobody spoke of stays");
    assert_eq!(
        kinds_of(&sandbox, &finding).await,
        [
            "finding.opened",
            "finding.proposed",
            "finding.revoking",
            "finding.removing",
            "finding.removed",
        ]
    );
    let events = sandbox.events(&format!("finding:{}", finding.id)).await;
    assert_eq!(events[2]["approver_email"], "keiko.tanaka@example.com");
    assert_eq!(events[3]["proposed_by"], events[2]["proposed_by"]);
    assert_eq!(events[4]["access_is_gone"], "true");
    assert_eq!(store(&sandbox).revocations().await.unwrap(), []);
    assert_eq!(sandbox.calls(DELETE).await.len(), 1);
}

#[tokio::test]
async fn a_removal_that_fails_stays_to_be_seen_and_is_not_tried_again_by_itself() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    sandbox
        .fault(json!({ "operation": DELETE, "kind": "fail-status", "times": 1 }))
        .await;
    agree(&belay, &finding, "1").await;
    let failed = until("it is known that it failed", || async {
        let now = open(&sandbox, &finding).await?;
        now.failed
    })
    .await;
    assert!(!failed.reason.is_empty());
    assert!(sandbox.has(&hers).await);
    let grace = belay.signed_in("grace.chen").await;
    let page = grace.get("/findings?kind=unmanaged").await;
    assert!(page.body.contains("Not taken away"), "{}", page.text());
    assert!(page.body.contains(&failed.reason), "{}", page.text());
    assert_eq!(store(&sandbox).revocations().await.unwrap(), []);
    let kinds = kinds_of(&sandbox, &finding).await;
    assert_eq!(kinds[3..], ["finding.removing", "finding.not-removed"]);

    // Whoever still wants it gone agrees once more.
    agree(&belay, &finding, "2").await;
    until("it is closed", || closed_as(&sandbox, &finding)).await;
    assert!(!sandbox.has(&hers).await);
    assert_eq!(sandbox.calls(DELETE).await.len(), 2);
}

#[tokio::test]
async fn what_is_not_belays_to_take_is_refused_before_anybody_agrees() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).with("BELAY_PROTECTED_ACCOUNTS", "888899990001");
    let belay = Belay::launch(&setup).ready().await;
    let protected = found(&sandbox, "ben.okafor", "888899990001").await;
    let grace = belay.signed_in("grace.chen").await;
    let page = act(&grace, &protected, "revoke", WHY).await;
    refused(&page, 409, "Its account is protected");
    // Nobody else may, whatever it is about.
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    for (user, status) in [("hugo.martin", 403), ("farid.haddad", 404)] {
        let browser = belay.signed_in(user).await;
        let page = act(&browser, &finding, "revoke", WHY).await;
        assert_eq!(page.status, status, "{user}: {}", page.text());
    }
    let own = open(&sandbox, &finding).await.unwrap();
    assert_eq!(own.proposal, None);
}

#[tokio::test]
async fn what_is_gone_by_then_closes_as_that_and_what_took_too_long_is_left() {
    let sandbox = Sandbox::start();
    let now = Timestamp::now();
    let gone = found(&sandbox, "ana.silva", ACCOUNT).await;
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    agreed_at(&sandbox, &gone, now).await;
    sandbox.unassign(&hers).await;
    let late = found(&sandbox, "ben.okafor", "888899990001").await;
    let his = sandbox.assignment("ben.okafor", "888899990001", SET).await;
    agreed_at(&sandbox, &late, now - REVOCATION_GOOD_FOR).await;

    let belay = Belay::start(&sandbox).await;
    until("it is closed", || closed_as(&sandbox, &gone)).await;
    assert_eq!(closed_as(&sandbox, &gone).await, Some(Closed::Gone));
    until("what nobody could do in time lapses", || async {
        let late = open(&sandbox, &late).await.unwrap();
        late.revocation.is_none().then_some(())
    })
    .await;
    within(
        "it is looked for no more",
        std::time::Duration::from_mins(1),
        || async {
            let left = store(&sandbox).revocations().await.unwrap();
            left.is_empty().then_some(())
        },
    )
    .await;
    let kinds = kinds_of(&sandbox, &late).await;
    assert_eq!(kinds.last().map(String::as_str), Some("finding.lapsed"));
    assert!(sandbox.has(&his).await);
    assert_eq!(sandbox.calls(DELETE).await.len(), 0);
    drop(belay);
}

#[tokio::test]
async fn what_somebody_was_promised_meanwhile_is_not_taken() {
    let sandbox = Sandbox::start();
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    agreed_at(&sandbox, &finding, Timestamp::now()).await;
    let target = finding.key.target.clone();
    let user = finding.key.user.to_string();
    let promised =
        crate::harness::promise(&sandbox, &user, target, SignedDuration::from_mins(30)).await;
    let belay = Belay::start(&sandbox).await;
    // It was there before: it stands, whoever agreed to what.
    until("the grant has what stands", || async {
        let grant = promised.now(&sandbox).await;
        matches!(grant.state, domain::grant::GrantState::Active { .. }).then_some(())
    })
    .await;
    until("the finding is closed", || closed_as(&sandbox, &finding)).await;
    assert_eq!(closed_as(&sandbox, &finding).await, Some(Closed::Wanted));
    assert!(sandbox.has(&hers).await);
    assert_eq!(sandbox.calls(DELETE).await.len(), 0);
    drop(belay);
}
