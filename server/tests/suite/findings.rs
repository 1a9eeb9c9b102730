//! What people do about findings: two admins who hold nothing of it agree, for a while.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::adoption::{Course, PROPOSAL_GOOD_FOR};
use domain::event::{Actor, Head, Source, Stream};
use domain::finding::{Closed, Difference, Finding};
use domain::grant::{GrantState, ReadEvidence};
use domain::id::{FindingId, ServerId, UserId};
use domain::request::{Names, Who};
use domain::target::{Key, Target};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::store::{Commit, Pass, Store, StoreError, keys};
use uuid::Uuid;

use crate::harness::{Belay, Browser, Page, Sandbox, Setup, promise, within};
use crate::killed::{assert_chained, events, kinds};

/// Half a minute after a takeover, and a pass over the sandbox's organisation at a call a second; the
/// rest is for slow machines.
const FOUND: Duration = Duration::from_mins(6);

/// Ana's own, from before anybody asked.
pub(crate) const ACCOUNT: &str = "888899990000";
const SET: &str = "AdministratorAccess";

const LIST: &str = "sso-admin:ListAccountAssignments";

pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    ask: impl FnMut() -> F,
) -> T {
    within(what, FOUND, ask).await
}

pub(crate) fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

fn target(assignment: &Value) -> Target {
    Target::Account {
        account: assignment["account_id"].as_str().unwrap().parse().unwrap(),
        permission_set: assignment["permission_set_arn"]
            .as_str()
            .unwrap()
            .parse()
            .unwrap(),
    }
}

pub(crate) fn server() -> Actor {
    Actor::Server(ServerId::new(Uuid::nil()))
}

/// The open finding about this person's access to that account's [`SET`], as a pass would have found
/// it by now.
pub(crate) async fn found(sandbox: &Sandbox, user_name: &str, account: &str) -> Finding {
    let assignment = sandbox.assignment(user_name, account, SET).await;
    let now = Timestamp::now();
    let user: UserId = sandbox.user_id(user_name).await.parse().unwrap();
    let finding = Finding {
        id: FindingId::new(Uuid::now_v7()),
        difference: Difference::Unmanaged,
        key: Key {
            user: user.clone(),
            target: target(&assignment),
        },
        names: Names {
            account: "The Account".to_owned(),
            permission_set: SET.to_owned(),
            session_seconds: 3_600,
        },
        who: Who {
            id: user,
            name: user_name.to_owned(),
            email: None,
        },
        grants: Vec::new(),
        opened_at: now,
        read: Some(ReadEvidence {
            began_at: now,
            finished_at: now,
            pages: 1,
        }),
        why: None,
        proposal: None,
        proposals: 0,
        revocation: None,
        failed: None,
    };
    let mut commit = Commit::new(server(), Source::Worker, now);
    commit.open_finding(&finding).unwrap();
    match store(sandbox).commit(commit).await {
        // A pass was faster.
        Ok(_) | Err(StoreError::Changed) => open(sandbox, &finding).await.unwrap(),
        Err(error) => panic!("{error}"),
    }
}

fn place(finding: &Finding) -> String {
    keys::finding(finding.difference, &finding.key).sk
}

/// What is open at the same place.
pub(crate) async fn open(sandbox: &Sandbox, finding: &Finding) -> Option<Finding> {
    store(sandbox).finding_at(&place(finding)).await.unwrap()
}

pub(crate) async fn is_agreed(sandbox: &Sandbox, finding: &Finding) -> bool {
    let agreed = store(sandbox).agreement_at(&place(finding)).await.unwrap();
    agreed.is_some_and(|agreed| agreed.finding.id == finding.id)
}

/// Does that about a finding.
pub(crate) async fn act(
    browser: &Browser,
    finding: &Finding,
    act: &str,
    more: &[(&str, &str)],
) -> Page {
    let (id, place) = (finding.id.to_string(), place(finding));
    let mut form = vec![("act", act), ("finding", &*id), ("place", &*place)];
    form.extend(more);
    browser.post("/findings", &form).await
}

pub(crate) const A_DAY: [(&str, &str); 2] = [("duration", "86400"), ("note", "it is the vendor's")];
pub(crate) const FIRST: [(&str, &str); 1] = [("proposal", "1")];

pub(crate) fn done(page: &Page, what: &str) {
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(page.location(), format!("/findings?done={what}"));
}

pub(crate) fn refused(page: &Page, status: u16, said: &str) {
    assert_eq!(page.status, status, "{}", page.text());
    assert!(page.body.contains(said), "{said}: {}", page.text());
}

pub(crate) async fn kinds_of(sandbox: &Sandbox, finding: &Finding) -> Vec<String> {
    let events = events(sandbox).await;
    assert_chained(&events);
    let stream = format!("stream#finding:{}", finding.id);
    let kinds = kinds(&events, &stream);
    kinds.into_iter().map(str::to_owned).collect()
}

/// Grace proposes, Keiko confirms.
async fn adopt(belay: &Belay, finding: &Finding, form: &[(&str, &str)]) {
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    done(&act(&grace, finding, "adopt", form).await, "proposed");
    done(&act(&keiko, finding, "confirm", &FIRST).await, "confirmed");
}

#[tokio::test]
async fn two_admins_adopt_what_is_found_and_nobody_else_does() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    let hugo = belay.signed_in("hugo.martin").await;
    let ana = belay.signed_in("ana.silva").await;
    let emma = belay.signed_in("emma.lindqvist").await;

    // Whose access it is, and whoever is nobody in this, has no such page; an auditor looks.
    for (who, browser) in [("ana", &ana), ("emma", &emma)] {
        let page = browser.get("/findings").await;
        assert_eq!(page.status, 404, "{who}");
        assert!(!page.body.contains(ACCOUNT), "{who}");
        assert!(!browser.get("/").await.body.contains("href=\"/findings\""));
        for verb in [
            "adopt",
            "ignore",
            "confirm",
            "refuse",
            "take-back",
            "give-up",
        ] {
            let form: Vec<_> = A_DAY.into_iter().chain(FIRST).collect();
            let page = act(browser, &finding, verb, &form).await;
            assert_eq!(page.status, 404, "{who} {verb}: {}", page.text());
        }
    }
    let seen = hugo.get("/findings").await;
    assert_eq!(seen.status, 200);
    for shown in [ACCOUNT, finding.key.user.as_str(), "Unmanaged", "1 page"] {
        assert!(seen.body.contains(shown), "{shown}: {}", seen.text());
    }
    assert!(!seen.body.contains("Propose to adopt"), "{}", seen.text());
    refused(
        &act(&hugo, &finding, "adopt", &A_DAY).await,
        403,
        "not yours to do",
    );
    assert_eq!(kinds_of(&sandbox, &finding).await, ["finding.opened"]);

    let before = grace.get("/findings?kind=unmanaged").await;
    assert!(
        before.body.contains("Propose to adopt"),
        "{}",
        before.text()
    );
    let other = grace.get("/findings?kind=missing").await;
    assert!(!other.body.contains(ACCOUNT), "{}", other.text());
    done(&act(&grace, &finding, "adopt", &A_DAY).await, "proposed");
    // One is not two, and looking on is not deciding.
    let twice = act(&grace, &finding, "confirm", &FIRST).await;
    refused(&twice, 403, "You proposed this yourself");
    let auditor = act(&hugo, &finding, "confirm", &FIRST).await;
    refused(&auditor, 403, "not yours to do");
    assert_eq!(act(&ana, &finding, "confirm", &FIRST).await.status, 404);
    let second = act(&keiko, &finding, "ignore", &A_DAY).await;
    refused(&second, 409, "has proposed something about this already");
    assert!(!is_agreed(&sandbox, &finding).await);

    let waiting = keiko.get("/findings").await;
    for shown in ["Grace Chen", "Confirm", "Refuse"] {
        assert!(waiting.body.contains(shown), "{shown}: {}", waiting.body);
    }
    done(&act(&keiko, &finding, "confirm", &FIRST).await, "confirmed");
    assert!(is_agreed(&sandbox, &finding).await);
    assert_eq!(open(&sandbox, &finding).await, None);
    let closed = store(&sandbox).closed_findings(10).await.unwrap();
    let closed = closed.iter().find(|one| one.finding.id == finding.id);
    assert_eq!(closed.unwrap().closed_as, Closed::Adopted);
    let after = hugo.get("/findings").await;
    assert!(
        after.body.contains("Adopted and ignored"),
        "{}",
        after.text()
    );
    assert!(!after.body.contains("Give it up"), "{}", after.text());
    let late = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&late, 409, "not so any more");

    // Any admin gives it up.
    let auditor = act(&hugo, &finding, "give-up", &[]).await;
    refused(&auditor, 403, "not yours to do");
    done(&act(&grace, &finding, "give-up", &[]).await, "given-up");
    assert!(!is_agreed(&sandbox, &finding).await);
    assert_eq!(act(&grace, &finding, "give-up", &[]).await.status, 409);
    assert_eq!(
        kinds_of(&sandbox, &finding).await,
        [
            "finding.opened",
            "finding.proposed",
            "finding.closed",
            "finding.agreement-ended"
        ]
    );
    let writes = [
        "sso-admin:DeleteAccountAssignment",
        "sso-admin:CreateAccountAssignment",
    ];
    for write in writes {
        assert!(sandbox.calls(write).await.is_empty(), "{write}");
    }
}

#[tokio::test]
async fn whoever_holds_that_access_decides_nothing_about_it() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;

    // Given by hand, a moment ago: no snapshot and no finding knows.
    let hers = sandbox.assignment("keiko.tanaka", ACCOUNT, SET).await;
    sandbox.assign(&hers).await;
    let held = "You have this access yourself";
    refused(&act(&keiko, &finding, "adopt", &A_DAY).await, 403, held);
    done(&act(&grace, &finding, "adopt", &A_DAY).await, "proposed");
    refused(&act(&keiko, &finding, "confirm", &FIRST).await, 403, held);
    sandbox.unassign(&hers).await;
    // Whoever proposed it is judged again: she has it by now.
    let grace_has = sandbox.assignment("grace.chen", ACCOUNT, SET).await;
    sandbox.assign(&grace_has).await;
    let confirmed = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&confirmed, 409, "or has this access by now");
    sandbox.unassign(&grace_has).await;
    // Or is no admin any more.
    sandbox.leave("grace.chen", "Platform").await;
    let confirmed = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&confirmed, 409, "is no admin any more");
    assert_eq!(act(&grace, &finding, "take-back", &FIRST).await.status, 404);
    let platform = sandbox.group_id("Platform").await;
    let grace_id = sandbox.user_id("grace.chen").await;
    sandbox.join(&grace_id, &platform).await;

    // A grant of it counts from when it is promised, also one that begins tomorrow.
    let keiko_id = sandbox.user_id("keiko.tanaka").await;
    promise(
        &sandbox,
        &keiko_id,
        finding.key.target.clone(),
        SignedDuration::from_mins(30),
    )
    .await;
    refused(&act(&keiko, &finding, "confirm", &FIRST).await, 403, held);

    // What is about oneself is nobody's own to decide, and the page says so.
    let mia_id = sandbox.user_id("mia.novak").await;
    sandbox.join(&mia_id, &platform).await;
    let own = sandbox.assignment("mia.novak", "111122223333", SET).await;
    sandbox.assign(&own).await;
    let about_mia = found(&sandbox, "mia.novak", "111122223333").await;
    let mia = belay.signed_in("mia.novak").await;
    for verb in ["adopt", "ignore"] {
        refused(&act(&mia, &about_mia, verb, &A_DAY).await, 403, held);
    }
    done(&act(&grace, &about_mia, "adopt", &A_DAY).await, "proposed");
    refused(&act(&mia, &about_mia, "confirm", &FIRST).await, 403, held);
    assert!(!is_agreed(&sandbox, &about_mia).await);
    // About the other she may, and nobody stands in her way.
    done(&act(&mia, &finding, "confirm", &FIRST).await, "confirmed");
    assert!(is_agreed(&sandbox, &finding).await);
}

#[tokio::test]
async fn what_cannot_be_read_or_is_no_more_is_not_agreed_about() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    done(&act(&grace, &finding, "adopt", &A_DAY).await, "proposed");

    let fault = json!({
        "operation": LIST, "kind": "error", "error": "InternalServerException", "times": 1_000,
    });
    let id = sandbox.fault(fault).await;
    let page = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&page, 503, "does not answer");
    sandbox.lift(&id).await;
    for operation in [
        "identitystore:IsMemberInGroups",
        "identitystore:DescribeUser",
    ] {
        let id = sandbox.refuse(operation, "InternalServerException").await;
        let page = act(&keiko, &finding, "confirm", &FIRST).await;
        assert_eq!(page.status, 503, "{operation}: {}", page.text());
        sandbox.lift(&id).await;
    }
    assert!(!is_agreed(&sandbox, &finding).await);

    // Taken away by hand, so that it could be given again under what was agreed.
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    sandbox.unassign(&hers).await;
    let page = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&page, 409, "not so any more");
    assert!(!is_agreed(&sandbox, &finding).await);
    // Saying no needs none of that.
    let page = act(&keiko, &finding, "refuse", &[FIRST[0], ("note", " ")]).await;
    refused(&page, 422, "Say why.");
    let no = [FIRST[0], ("note", "whose is it?")];
    done(&act(&keiko, &finding, "refuse", &no).await, "refused");
    assert_eq!(
        kinds_of(&sandbox, &finding).await,
        ["finding.opened", "finding.proposed", "finding.refused"]
    );
}

#[tokio::test]
async fn what_was_read_is_what_is_confirmed() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    for (form, said) in [
        ([("duration", "7776001"), A_DAY[1]], "At most"),
        ([("duration", "0"), A_DAY[1]], "At most"),
        ([("duration", "for ever"), A_DAY[1]], "not a duration"),
        ([A_DAY[0], ("note", "  ")], "Say why."),
    ] {
        refused(&act(&grace, &finding, "adopt", &form).await, 422, said);
    }
    done(&act(&grace, &finding, "adopt", &A_DAY).await, "proposed");
    // Only whoever proposed it takes it back; and while Keiko reads, another takes its place.
    let theirs = act(&keiko, &finding, "take-back", &FIRST).await;
    refused(&theirs, 403, "Only whoever proposed this");
    let back = act(&grace, &finding, "take-back", &FIRST).await;
    done(&back, "taken-back");
    let longer = [("duration", "7776000"), A_DAY[1]];
    done(&act(&grace, &finding, "ignore", &longer).await, "proposed");
    let page = act(&keiko, &finding, "confirm", &FIRST).await;
    refused(&page, 409, "not proposed any more");
    assert!(!is_agreed(&sandbox, &finding).await);
    // Another finding at the same place is another.
    let other = Finding {
        id: FindingId::new(Uuid::now_v7()),
        ..finding.clone()
    };
    let second = [("proposal", "2")];
    assert_eq!(act(&keiko, &other, "confirm", &second).await.status, 409);
    done(
        &act(&keiko, &finding, "confirm", &second).await,
        "confirmed",
    );
    let agreed = store(&sandbox).agreement_at(&place(&finding)).await;
    let agreed = agreed.unwrap().unwrap();
    assert_eq!(agreed.proposal.course, Course::Ignore);
    let kept = agreed.until().duration_since(agreed.proposal.at);
    assert_eq!(kept, SignedDuration::from_hours(90 * 24));
    let closed = store(&sandbox).closed_findings(10).await.unwrap();
    let closed = closed.iter().find(|one| one.finding.id == finding.id);
    assert_eq!(closed.unwrap().closed_as, Closed::Ignored);
}

#[tokio::test]
async fn of_all_who_answer_at_once_one_does() {
    let sandbox = Sandbox::start();
    let first = Belay::start(&sandbox).await;
    let second = Belay::start(&sandbox).await;
    let platform = sandbox.group_id("Platform").await;
    let mia_id = sandbox.user_id("mia.novak").await;
    sandbox.join(&mia_id, &platform).await;
    let grace = first.signed_in("grace.chen").await;
    let keiko = first.signed_in("keiko.tanaka").await;
    let mia = second.signed_in("mia.novak").await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    done(&act(&grace, &finding, "adopt", &A_DAY).await, "proposed");
    let no = [FIRST[0], ("note", "whose is it?")];
    let pages = tokio::join!(
        act(&keiko, &finding, "confirm", &FIRST),
        act(&mia, &finding, "confirm", &FIRST),
        act(&mia, &finding, "refuse", &no),
        act(&grace, &finding, "take-back", &FIRST),
    );
    let pages = [pages.0, pages.1, pages.2, pages.3];
    let mut statuses: Vec<u16> = pages.iter().map(|page| page.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 409, 409, 409]);
    let kinds = kinds_of(&sandbox, &finding).await;
    assert_eq!(kinds.len(), 3, "{kinds:?}");
    let was_agreed = is_agreed(&sandbox, &finding).await;
    assert_eq!(was_agreed, kinds[2] == "finding.closed", "{kinds:?}");
    assert_eq!(was_agreed, open(&sandbox, &finding).await.is_none());
}

/// A pass over the organisation, from its beginning, now.
pub(crate) async fn look_through(sandbox: &Sandbox) {
    store(sandbox).set_pass(&Pass::default()).await.unwrap();
    until("the organisation was looked through", || async {
        let pass = store(sandbox).pass().await.unwrap();
        pass.completed_at.map(drop)
    })
    .await;
}

#[tokio::test]
async fn what_is_adopted_stays_closed_until_it_is_given_up_or_gone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    adopt(&belay, &finding, &A_DAY).await;
    look_through(&sandbox).await;
    // Her other one was found, so this one was looked at, too.
    let open_now = store(&sandbox).findings().await.unwrap();
    let accounts: BTreeSet<String> = open_now
        .iter()
        .filter(|one| one.key.user == finding.key.user)
        .map(|one| one.key.target.to_string())
        .collect();
    assert_eq!(accounts.len(), 1, "{accounts:?}");
    assert!(!accounts.contains(&finding.key.target.to_string()));
    assert!(is_agreed(&sandbox, &finding).await);

    let grace = belay.signed_in("grace.chen").await;
    done(&act(&grace, &finding, "give-up", &[]).await, "given-up");
    let again = until("it opens again", || open(&sandbox, &finding)).await;
    assert_ne!(again.id, finding.id);

    // Adopted once more, and then taken away by hand: what was agreed ends with it.
    adopt(&belay, &again, &A_DAY).await;
    let hers = sandbox.assignment("ana.silva", ACCOUNT, SET).await;
    sandbox.unassign(&hers).await;
    look_through(&sandbox).await;
    assert!(!is_agreed(&sandbox, &again).await);
    let ended = sandbox.events(&format!("finding:{}", again.id)).await;
    assert_eq!(ended.last().unwrap()["ended_as"], "gone");
    // Whoever gives it again gives it anew.
    sandbox.assign(&hers).await;
    let anew = until("it is found anew", || open(&sandbox, &finding)).await;
    assert_ne!(anew.id, again.id);
    drop(belay);
}

#[tokio::test]
async fn what_is_agreed_ends_by_itself_whoever_is_killed() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    let finding = found(&sandbox, "ana.silva", ACCOUNT).await;
    // Nobody answered this one for a week.
    let stale = found(&sandbox, "ben.okafor", "888899990001").await;
    let then = Timestamp::now() - PROPOSAL_GOOD_FOR;
    let keep = SignedDuration::from_hours(90 * 24);
    let (proposed, event) = stale
        .clone()
        .propose(Course::Adopt, (finding.who.clone(), "known"), keep, then)
        .unwrap();
    let head: Head = store(&sandbox)
        .head(&Stream::Finding(stale.id))
        .await
        .unwrap();
    let mut commit = Commit::new(server(), Source::Portal, then);
    commit.change_finding(&proposed, head, event).unwrap();
    store(&sandbox).commit(commit).await.unwrap();
    let keiko = belay.signed_in("keiko.tanaka").await;
    let late = act(&keiko, &stale, "confirm", &FIRST).await;
    assert_eq!(late.status, 409, "{}", late.text());

    adopt(&belay, &finding, &[("duration", "90"), A_DAY[1]]).await;
    belay.kill();
    let belay = Belay::launch(&setup).ready().await;
    assert!(is_agreed(&sandbox, &finding).await);
    let again = until("it opens again", || open(&sandbox, &finding)).await;
    assert_ne!(again.id, finding.id);
    let ended = sandbox.events(&format!("finding:{}", finding.id)).await;
    let last = ended.last().unwrap();
    assert_eq!(last["kind"], "finding.agreement-ended");
    assert_eq!(last["ended_as"], "expired");
    let until_then: Timestamp = last["until"].as_str().unwrap().parse().unwrap();
    assert!(again.opened_at >= until_then, "{last}");
    until("what nobody answered lapses", || async {
        let open = open(&sandbox, &stale).await.unwrap();
        open.proposal.is_none().then_some(())
    })
    .await;
    assert_eq!(
        kinds_of(&sandbox, &stale).await,
        ["finding.opened", "finding.proposed", "finding.lapsed"]
    );
    drop(belay);
}

#[tokio::test]
async fn what_the_policy_would_refuse_is_ignored_and_never_adopted() {
    let sandbox = Sandbox::start();
    // No rule gives this to anybody. It is judged with the policy that comes into force.
    let row = sandbox.assignment("liam.murphy", ACCOUNT, SET).await;
    let liam = sandbox.user_id("liam.murphy").await;
    let promised = promise(&sandbox, &liam, target(&row), SignedDuration::from_mins(60)).await;
    let of_liam = || async {
        let open = store(&sandbox).findings().await.unwrap();
        open.into_iter().find(|one| {
            one.key.user.as_str() == liam && one.difference == Difference::NoLongerAllowed
        })
    };
    let belay = Belay::start(&sandbox).await;
    let finding = until("what is no longer allowed is found", of_liam).await;
    let grace = belay.signed_in("grace.chen").await;
    let keiko = belay.signed_in("keiko.tanaka").await;
    let page = act(&grace, &finding, "adopt", &A_DAY).await;
    refused(&page, 409, "can be ignored or ended, never adopted");
    done(&act(&grace, &finding, "ignore", &A_DAY).await, "proposed");
    done(&act(&keiko, &finding, "confirm", &FIRST).await, "confirmed");
    assert!(is_agreed(&sandbox, &finding).await);
    done(&act(&grace, &finding, "give-up", &[]).await, "given-up");
    let again = until("it opens again", of_liam).await;
    assert_ne!(again.id, finding.id);

    // Two people agree to what stays; to end what was granted, one is enough, as anywhere else.
    let page = act(&grace, &again, "revoke", &A_DAY[1..]).await;
    refused(&page, 409, "only what nobody promised is taken away");
    let page = act(&grace, &again, "end", &[("note", " ")]).await;
    refused(&page, 422, "Say why.");
    let hugo = belay.signed_in("hugo.martin").await;
    let page = act(&hugo, &again, "end", &A_DAY[1..]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    let ben = belay.signed_in("ben.okafor").await;
    let page = act(&ben, &again, "end", &A_DAY[1..]).await;
    assert_eq!(page.status, 404, "{}", page.text());
    done(&act(&grace, &again, "end", &A_DAY[1..]).await, "ended");
    until("it has ended", || async {
        let grant = promised.now(&sandbox).await;
        matches!(grant.state, GrantState::Ended { .. }).then_some(())
    })
    .await;
    until("it is found no more", || async {
        of_liam().await.is_none().then_some(())
    })
    .await;
    let page = act(&grace, &again, "end", &A_DAY[1..]).await;
    refused(&page, 409, "not so any more");
    drop(belay);
}

/// Whose own assignments are found by a pass, by their accounts.
async fn found_with(name: &str, value: &str) -> BTreeSet<String> {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox).with(name, value).role("worker");
    let belay = Belay::launch(&setup);
    look_through(&sandbox).await;
    let open = store(&sandbox).findings().await.unwrap();
    let accounts = open.iter().filter_map(|one| match &one.key.target {
        Target::Account { account, .. } => Some(account.to_string()),
        Target::Group { .. } => None,
    });
    let accounts = accounts.collect();
    drop(belay);
    accounts
}

#[tokio::test]
async fn what_is_allowed_is_not_found_and_with_the_sweep_off_nothing_is() {
    let known = format!("{ACCOUNT}/*/*");
    let (warned, allowed, off) = tokio::join!(
        found_with("BELAY_SWEEP", "warn"),
        found_with("BELAY_SWEEP_ALLOW", &known),
        found_with("BELAY_SWEEP", "off"),
    );
    assert!(warned.contains(ACCOUNT) && warned.len() == 4, "{warned:?}");
    let but_one: BTreeSet<String> = warned
        .into_iter()
        .filter(|account| account != ACCOUNT)
        .collect();
    assert_eq!(allowed, but_one);
    assert!(off.is_empty(), "{off:?}");
}
