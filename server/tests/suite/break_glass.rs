//! Going in first: granted at once, signed afterwards, and what follows if it is not.

use domain::event::{Actor, Source};
use domain::id::{RequestId, ServerId, UserId};
use domain::request::Stands;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use server::store::{Commit, Store};
use uuid::Uuid;

use crate::harness::{Belay, Browser, Page, Sandbox, Setup, eventually};
use crate::killed::events;

pub(crate) const ADMIN: &str = "/access/111122223333/AdministratorAccess";
const OTHER: &str = "/access/222233334444/AdministratorAccess";
const POLICY: &str = include_str!("../../sandbox/policy.toml");

const GLASS: [(&str, &str); 4] = [
    ("duration", "900"),
    ("reason", "the ledger is on fire"),
    ("break_glass", "yes"),
    ("confirmation", "break glass"),
];
const SIGN: [(&str, &str); 2] = [("act", "sign"), ("note", "right to go in")];
pub(crate) const REJECT: [(&str, &str); 2] = [("act", "reject"), ("note", "no fire at all")];

fn glass_with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    let mut form: Vec<_> = GLASS
        .into_iter()
        .filter(|(name, _)| more.iter().all(|(other, _)| other != name))
        .collect();
    form.extend(more);
    form
}

fn request_of(page: &Page) -> String {
    assert_eq!(page.status, 303, "{}", page.text());
    let location = page.location();
    assert!(location.starts_with("/requests/"), "{location}");
    location.split('?').next().unwrap().to_owned()
}

fn wants_sign_in(page: &Page) -> bool {
    page.status == 303 && page.location().contains("prompt=login")
}

/// Signs in again for that form, and is back on its page.
async fn proves(browser: &Browser, path: &str, form: &[(&str, &str)], user_name: &str) -> Page {
    let page = browser.post(path, form).await;
    assert!(wants_sign_in(&page), "{}", page.text());
    let door = url::Url::parse(&page.location()).unwrap();
    let callback = browser.at_callback(door, user_name).await;
    browser.visit(callback.as_str()).await
}

/// Goes in first: the address of the request.
pub(crate) async fn goes_in(browser: &Browser, path: &str, user_name: &str) -> String {
    proves(browser, path, &GLASS, user_name).await;
    request_of(&browser.post(path, &GLASS).await)
}

fn id_of(request: &str) -> RequestId {
    RequestId::parse(request.rsplit('/').next().unwrap()).unwrap()
}

fn store(sandbox: &Sandbox) -> Store {
    Store::new(sandbox.dynamodb(), "belay".to_owned())
}

async fn glass_of(sandbox: &Sandbox, user_name: &str) -> domain::glass::GlassState {
    let user = UserId::parse(&sandbox.user_id(user_name).await).unwrap();
    store(sandbox).glass(&user).await.unwrap()
}

async fn stands(sandbox: &Sandbox, request: &str, place: usize) -> Stands {
    let request = store(sandbox)
        .request(id_of(request))
        .await
        .unwrap()
        .unwrap();
    request.asks[place].glass.clone().unwrap().stands
}

/// The records of one kind.
async fn of_kind(sandbox: &Sandbox, kind: &str) -> Vec<Value> {
    let all = events(sandbox).await.into_values();
    all.filter(|event| event["kind"] == kind).collect()
}

async fn has(sandbox: &Sandbox, user_name: &str, account: &str) -> bool {
    let wanted = sandbox
        .assignment(user_name, account, "AdministratorAccess")
        .await;
    let state = sandbox.state().await;
    let all = state["assignments"].as_array().unwrap();
    all.iter().any(|one| {
        ["principal_id", "account_id", "permission_set_arn"]
            .iter()
            .all(|name| one[*name] == wanted[*name])
    })
}

async fn until_has(sandbox: &Sandbox, user_name: &str, account: &str, is_there: bool) {
    let what = format!("{user_name} in {account}: {is_there}");
    eventually(&what, || async {
        (has(sandbox, user_name, account).await == is_there).then_some(())
    })
    .await;
}

#[tokio::test]
async fn whoever_goes_in_first_is_in_at_once_and_it_is_signed_and_stays_on_record() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let form = ben.get(ADMIN).await;
    assert!(
        form.body.contains("Break glass: go in now"),
        "{}",
        form.text()
    );

    let page = proves(&ben, ADMIN, &GLASS, "ben.okafor").await;
    for kept in ["the ledger is on fire", "You have signed in again"] {
        assert!(page.body.contains(kept), "{kept}: {}", page.text());
    }
    assert!(of_kind(&sandbox, "request.submitted").await.is_empty());
    let request = request_of(&ben.post(ADMIN, &GLASS).await);
    until_has(&sandbox, "ben.okafor", "111122223333", true).await;

    let approved = of_kind(&sandbox, "ask.approved").await;
    assert_eq!(approved.len(), 1);
    assert_eq!(approved[0]["break_glass"], "true");
    assert!(approved[0]["signed_in_again_at"].is_string());
    let mut skipped: Vec<&str> = approved[0]["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one.as_str().unwrap())
        .collect();
    skipped.sort_unstable();
    let mut security = Vec::new();
    for name in ["emma.lindqvist", "farid.haddad", "mia.novak"] {
        security.push(sandbox.user_id(name).await);
    }
    security.sort_unstable();
    assert_eq!(skipped, security);

    let emma = belay.signed_in("emma.lindqvist").await;
    let waiting = emma.get("/approvals").await;
    assert!(waiting.body.contains("To sign"), "{}", waiting.text());
    assert!(waiting.body.contains(&request), "{}", waiting.text());
    let page = emma.get(&request).await;
    assert!(
        page.body.contains("Break-glass, not signed yet"),
        "{}",
        page.text()
    );
    let page = emma.post(&request, &SIGN).await;
    assert_eq!(page.location(), format!("{request}?done=signed"));
    let page = emma.get(&request).await;
    assert!(
        page.body.contains("Break-glass, signed afterwards"),
        "{}",
        page.text()
    );
    assert!(page.body.contains("right to go in"));
    assert!(!emma.get("/approvals").await.body.contains("To sign"));
    assert!(matches!(
        stands(&sandbox, &request, 0).await,
        Stands::Signed { .. }
    ));
    for kind in ["grant.scheduled", "grant.activated", "ask.signed"] {
        let marked = eventually(kind, || async { of_kind(&sandbox, kind).await.pop() }).await;
        assert_eq!(marked["break_glass"], "true", "{kind}");
    }
    // Twice is not more, and what is signed is not rejected.
    for again in [SIGN, REJECT] {
        assert_eq!(emma.post(&request, &again).await.status, 409);
    }
    assert!(has(&sandbox, "ben.okafor", "111122223333").await);
    assert_eq!(glass_of(&sandbox, "ben.okafor").await.unsigned.len(), 0);
    goes_in(&ben, OTHER, "ben.okafor").await;
    assert!((belay.metric("belay_break_glass_total").await - 2.0).abs() < 0.1);
}

#[tokio::test]
async fn without_a_new_sign_in_the_words_or_a_reason_nobody_goes_in() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    // A proof for the ordinary way is none for this one, and that for this one none for another.
    assert!(wants_sign_in(&ben.post(ADMIN, &GLASS).await));
    proves(&ben, ADMIN, &GLASS, "ben.okafor").await;
    assert!(wants_sign_in(&ben.post(OTHER, &GLASS).await));
    let elsewhere = belay.signed_in("ben.okafor").await;
    assert!(wants_sign_in(&elsewhere.post(ADMIN, &GLASS).await));
    for (name, typed) in [
        ("confirmation", ""),
        ("confirmation", "yes"),
        ("confirmation", "break glass please"),
        ("reason", " "),
        ("start", "2099-01-01T08:00"),
    ] {
        let page = ben.post(ADMIN, &glass_with(&[(name, typed)])).await;
        assert_eq!(page.status, 422, "{name} {typed}: {}", page.text());
    }
    // Longer than the rule allows, and where there is no such rule: somebody has to agree.
    let long = ben.post(ADMIN, &glass_with(&[("duration", "7200")])).await;
    let read = ben
        .post("/access/111122223333/ReadOnlyAccess", &GLASS)
        .await;
    for page in [long, read] {
        assert_eq!(page.status, 403, "{}", page.text());
        let said = "As break-glass this is not possible";
        assert!(page.body.contains(said), "{}", page.text());
    }
    // Somebody whom the rule does not know.
    let carla = belay.signed_in("carla.rossi").await;
    let refused = carla.post(ADMIN, &GLASS).await;
    assert_eq!(refused.status, 403, "{}", refused.text());
    assert!(of_kind(&sandbox, "request.submitted").await.is_empty());
    assert!(
        sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty()
    );
    // None of that has used the proof up.
    request_of(
        &ben.post(ADMIN, &glass_with(&[("confirmation", " Break Glass ")]))
            .await,
    );
}

#[tokio::test]
async fn while_it_is_unsigned_it_is_neither_repeated_nor_extended_and_asking_is_as_ever() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    // Asked for in vain, before.
    let asked = request_of(&ben.post(ADMIN, &GLASS[..2]).await);
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    assert_ne!(asked, request);
    let grant = store(&sandbox)
        .request(id_of(&request))
        .await
        .unwrap()
        .unwrap();
    let domain::request::AskState::Approved { grant, .. } = &grant.asks[0].state else {
        panic!("not granted");
    };
    let grant = grant.to_string();
    let extend: Vec<(&str, &str)> = GLASS.into_iter().chain([("extend", &*grant)]).collect();
    for (path, form) in [(OTHER, &GLASS[..]), (ADMIN, &extend)] {
        let page = ben.post(path, form).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(
            page.body.contains("has to be signed first"),
            "{}",
            page.text()
        );
    }
    assert!(
        ben.get(OTHER)
            .await
            .body
            .contains("has to be signed before")
    );
    assert_eq!(of_kind(&sandbox, "ask.approved").await.len(), 1);
    // A second click on the same is the same.
    let again = ben.post(ADMIN, &GLASS).await;
    assert_eq!(again.location(), format!("{request}?done=already-pending"));
    // In the usual way.
    let page = ben.post(OTHER, &GLASS[..2]).await;
    assert_eq!(page.status, 303, "{}", page.text());

    let emma = belay.signed_in("emma.lindqvist").await;
    assert_eq!(emma.post(&request, &SIGN).await.status, 303);
    // Signed: it may be extended by the same way.
    proves(&ben, ADMIN, &extend, "ben.okafor").await;
    let longer = request_of(&ben.post(ADMIN, &extend).await);
    assert_eq!(stands(&sandbox, &longer, 0).await, Stands::Unsigned);
}

#[tokio::test]
async fn nobody_signs_for_themselves_nor_who_would_not_have_been_asked() {
    let sandbox = Sandbox::start();
    // Ben goes in, and is himself one of those who sign.
    let policy = POLICY.replacen(
        "approvers = [\"group:Security\"]\napproval = \"after\"",
        "approvers = [\"group:Security\", \"group:SRE\"]\napproval = \"after\"",
        1,
    );
    assert_ne!(policy, POLICY);
    let belay = Belay::launch(&Setup::of(&sandbox).policy(&sandbox, &policy))
        .ready()
        .await;
    let ben = belay.signed_in("ben.okafor").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    for (who, status) in [
        ("ben.okafor", 403),
        // An admin, before it is overdue.
        ("grace.chen", 403),
        // An auditor, who sees it.
        ("hugo.martin", 403),
        // Nobody in this.
        ("carla.rossi", 404),
    ] {
        let browser = belay.signed_in(who).await;
        for word in [SIGN, REJECT] {
            let page = browser.post(&request, &word).await;
            assert_eq!(page.status, status, "{who} {word:?}: {}", page.text());
        }
    }
    assert_eq!(stands(&sandbox, &request, 0).await, Stands::Unsigned);
    // Whoever has left since signs nothing either.
    let emma = belay.signed_in("emma.lindqvist").await;
    sandbox.leave("emma.lindqvist", "Security").await;
    for word in [SIGN, REJECT] {
        assert_eq!(emma.post(&request, &word).await.status, 403);
    }
    assert!(of_kind(&sandbox, "ask.signed").await.is_empty());
    assert!(of_kind(&sandbox, "ask.rejected").await.is_empty());
    let ana = belay.signed_in("ana.silva").await;
    assert_eq!(ana.post(&request, &SIGN).await.status, 303);
}

#[tokio::test]
async fn a_rejection_ends_it_and_closes_it_until_an_admin_opens_it_again() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    until_has(&sandbox, "ben.okafor", "111122223333", true).await;
    let farid = belay.signed_in("farid.haddad").await;
    let silent = farid
        .post(&request, &[("act", "reject"), ("note", " ")])
        .await;
    assert_eq!(
        silent.status,
        422,
        "a rejection says why: {}",
        silent.text()
    );
    let page = farid.post(&request, &REJECT).await;
    assert_eq!(page.location(), format!("{request}?done=rejected"));
    until_has(&sandbox, "ben.okafor", "111122223333", false).await;
    let ended = eventually("a receipt", || async {
        of_kind(&sandbox, "grant.ended").await.pop()
    })
    .await;
    assert_eq!(ended["access_is_gone"], "true");
    assert_eq!(ended["break_glass"], "true");
    let shortened = of_kind(&sandbox, "grant.shortened").await;
    assert_eq!(shortened[0]["note"], "no fire at all");
    let closed = of_kind(&sandbox, "break-glass.closed").await;
    assert_eq!(closed.len(), 1);
    let id = sandbox.user_id("ben.okafor").await;
    assert_eq!(closed[0]["stream"], format!("person:{id}"));

    let page = ben.post(OTHER, &GLASS).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        page.body.contains("until an admin opens it again"),
        "{}",
        page.text()
    );
    assert!(ben.get(OTHER).await.body.contains("closed for you"));
    assert_eq!(
        ben.post(OTHER, &GLASS[..2]).await.status,
        303,
        "asking is as ever"
    );

    let reopen = [("act", "reopen"), ("note", "we talked")];
    for who in ["ben.okafor", "farid.haddad", "hugo.martin"] {
        let page = belay.signed_in(who).await.post(&request, &reopen).await;
        assert_eq!(page.status, 403, "{who}: {}", page.text());
    }
    let grace = belay.signed_in("grace.chen").await;
    let page = grace.get(&request).await;
    assert!(
        page.body.contains("Open break-glass again"),
        "{}",
        page.text()
    );
    let page = grace
        .post(&request, &[("act", "reopen"), ("note", "")])
        .await;
    assert_eq!(page.status, 422, "{}", page.text());
    let page = grace.post(&request, &reopen).await;
    assert_eq!(page.location(), format!("{request}?done=reopened"));
    assert_eq!(grace.post(&request, &reopen).await.status, 409);
    assert_eq!(of_kind(&sandbox, "break-glass.reopened").await.len(), 1);
    goes_in(&ben, OTHER, "ben.okafor").await;
}

#[tokio::test]
async fn an_admin_does_not_open_it_for_themselves() {
    let sandbox = Sandbox::start();
    let policy = POLICY.replacen(
        "requesters = [\"group:SRE\"]\napprovers = [\"group:Security\"]\napproval = \"after\"",
        "requesters = [\"group:Platform\"]\napprovers = [\"group:Security\"]\napproval = \"after\"",
        1,
    );
    assert_ne!(policy, POLICY);
    let belay = Belay::launch(&Setup::of(&sandbox).policy(&sandbox, &policy))
        .ready()
        .await;
    let grace = belay.signed_in("grace.chen").await;
    let request = goes_in(&grace, ADMIN, "grace.chen").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    assert_eq!(emma.post(&request, &REJECT).await.status, 303);
    let reopen = [("act", "reopen"), ("note", "I am sorry")];
    assert!(
        !grace
            .get(&request)
            .await
            .body
            .contains("Open break-glass again")
    );
    assert_eq!(grace.post(&request, &reopen).await.status, 403);
    assert!(glass_of(&sandbox, "grace.chen").await.closed.is_some());
    let keiko = belay.signed_in("keiko.tanaka").await;
    assert_eq!(keiko.post(&request, &reopen).await.status, 303);
    assert!(glass_of(&sandbox, "grace.chen").await.closed.is_none());
}

/// The approvers' time to sign is over, as if a day had gone by.
async fn a_day_later(sandbox: &Sandbox, request: &str) {
    let store = store(sandbox);
    let before = store.request(id_of(request)).await.unwrap().unwrap();
    let mut now = before.clone();
    for glass in now.asks.iter_mut().filter_map(|ask| ask.glass.as_mut()) {
        glass.sign_by = Timestamp::now() - SignedDuration::from_secs(1);
    }
    let me = ServerId::new(Uuid::nil());
    let mut commit = Commit::new(Actor::Server(me), Source::Cli, Timestamp::now());
    commit.change_request(&before, &now).unwrap();
    store.commit(commit).await.unwrap();
}

#[tokio::test]
async fn what_is_not_signed_in_a_day_goes_to_admins_and_still_bars_the_next() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let grace = belay.signed_in("grace.chen").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    assert!(!grace.get("/approvals").await.body.contains("To sign"));
    a_day_later(&sandbox, &request).await;
    let handed = eventually("it is handed to admins", || async {
        of_kind(&sandbox, "ask.unsigned").await.pop()
    })
    .await;
    assert_eq!(handed["break_glass"], "true");
    assert_eq!(handed["source"], "worker");
    assert!(matches!(
        stands(&sandbox, &request, 0).await,
        Stands::Overdue { .. }
    ));
    let page = ben.post(OTHER, &GLASS).await;
    assert!(
        page.body.contains("has to be signed first"),
        "{}",
        page.text()
    );
    assert!(grace.get("/approvals").await.body.contains("To sign"));
    let page = grace.get(&request).await;
    assert!(page.body.contains("not signed in time"), "{}", page.text());
    assert_eq!(ben.post(&request, &SIGN).await.status, 403);
    let page = grace
        .post(
            &request,
            &[("act", "sign"), ("note", ""), ("from", "approvals")],
        )
        .await;
    assert_eq!(page.location(), "/approvals?done=signed");
    assert!(matches!(
        stands(&sandbox, &request, 0).await,
        Stands::Signed { .. }
    ));
    assert_eq!(of_kind(&sandbox, "ask.unsigned").await.len(), 1, "once");
    goes_in(&ben, OTHER, "ben.okafor").await;
}

#[tokio::test]
async fn of_two_that_go_in_at_once_one_does() {
    let sandbox = Sandbox::start_with(&["--conflict-percent=20"]);
    let belay = Belay::start(&sandbox).await;
    let one = belay.signed_in("ben.okafor").await;
    let other = belay.signed_in("ben.okafor").await;
    proves(&one, ADMIN, &GLASS, "ben.okafor").await;
    proves(&other, OTHER, &GLASS, "ben.okafor").await;
    let (first, second) = tokio::join!(one.post(ADMIN, &GLASS), other.post(OTHER, &GLASS));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 403], "{} {}", first.text(), second.text());
    assert_eq!(of_kind(&sandbox, "ask.approved").await.len(), 1);
    assert_eq!(glass_of(&sandbox, "ben.okafor").await.unsigned.len(), 1);

    // Likewise of two who sign, and of one who signs while another rejects.
    let won = if first.status == 303 { &first } else { &second };
    let request = request_of(won);
    let emma = belay.signed_in("emma.lindqvist").await;
    let farid = belay.signed_in("farid.haddad").await;
    let (signed, rejected) =
        tokio::join!(emma.post(&request, &SIGN), farid.post(&request, &REJECT));
    let mut statuses = [signed.status, rejected.status];
    statuses.sort_unstable();
    assert_eq!(
        statuses,
        [303, 409],
        "{} {}",
        signed.text(),
        rejected.text()
    );
    let state = glass_of(&sandbox, "ben.okafor").await;
    assert_eq!(state.closed.is_some(), rejected.status == 303);
    assert!(state.unsigned.is_empty());
}

#[tokio::test]
async fn a_look_up_that_fails_lets_nobody_in_and_counts_no_signature() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let grace = belay.signed_in("grace.chen").await;
    proves(&ben, ADMIN, &GLASS, "ben.okafor").await;
    let fails = || sandbox.refuse("identitystore:IsMemberInGroups", "InternalServerException");
    fails().await;
    assert_eq!(ben.post(ADMIN, &GLASS).await.status, 503);
    sandbox.heal().await;
    let request = request_of(&ben.post(ADMIN, &GLASS).await);
    fails().await;
    for word in [SIGN, REJECT] {
        let page = emma.post(&request, &word).await;
        assert_eq!(page.status, 503, "{}", page.text());
        assert!(page.body.contains(word[1].1), "{}", page.text());
    }
    sandbox.heal().await;
    assert_eq!(emma.post(&request, &REJECT).await.status, 303);
    fails().await;
    let reopen = [("act", "reopen"), ("note", "we talked")];
    assert_eq!(grace.post(&request, &reopen).await.status, 503);
    sandbox.heal().await;
    assert!(glass_of(&sandbox, "ben.okafor").await.closed.is_some());
    assert_eq!(grace.post(&request, &reopen).await.status, 303);
}

#[tokio::test]
async fn of_several_each_is_signed_by_itself_and_one_rejected_closes_the_way() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    let both = glass_with(&[("also", "222233334444/AdministratorAccess")]);
    proves(&ben, ADMIN, &both, "ben.okafor").await;
    // The proof is for both, and for neither alone.
    assert!(wants_sign_in(&ben.post(ADMIN, &GLASS).await));
    let request = request_of(&ben.post(ADMIN, &both).await);
    for account in ["111122223333", "222233334444"] {
        until_has(&sandbox, "ben.okafor", account, true).await;
    }
    let emma = belay.signed_in("emma.lindqvist").await;
    let sign = [("act", "sign"), ("asks", "0"), ("note", "this one, yes")];
    assert_eq!(emma.post(&request, &sign).await.status, 303);
    assert_eq!(glass_of(&sandbox, "ben.okafor").await.unsigned.len(), 1);
    let farid = belay.signed_in("farid.haddad").await;
    assert_eq!(farid.post(&request, &REJECT).await.status, 303);
    assert!(matches!(
        stands(&sandbox, &request, 0).await,
        Stands::Signed { .. }
    ));
    assert!(matches!(
        stands(&sandbox, &request, 1).await,
        Stands::Rejected { .. }
    ));
    until_has(&sandbox, "ben.okafor", "222233334444", false).await;
    assert!(has(&sandbox, "ben.okafor", "111122223333").await);
    let state = glass_of(&sandbox, "ben.okafor").await;
    assert!(state.closed.is_some() && state.unsigned.is_empty());
}

#[tokio::test]
async fn all_of_it_is_break_glass_or_at_once_or_none_of_it_is_granted() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let ben = belay.signed_in("ben.okafor").await;
    for granting in ["together", "separately"] {
        let mixed = glass_with(&[
            ("also", "111122223333/ReadOnlyAccess"),
            ("granting", granting),
        ]);
        let page = ben.post(ADMIN, &mixed).await;
        assert_eq!(page.status, 403, "{}", page.text());
    }
    assert!(of_kind(&sandbox, "request.submitted").await.is_empty());
}

#[tokio::test]
async fn when_the_rule_is_gone_admins_sign_and_the_person_still_waits_for_it() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    let portal = belay.portal.clone();
    let ben = belay.signed_in("ben.okafor").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let grace = belay.signed_in("grace.chen").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    belay.kill();
    let without = POLICY.replacen("approval = \"after\"", "approval = \"required\"", 1);
    let without = setup.at(&portal).policy(&sandbox, &without);
    let belay = Belay::launch(&without).ready().await;
    let page = emma.post(&request, &SIGN).await;
    assert!(matches!(page.status, 403 | 404), "{}", page.text());
    assert!(grace.get("/approvals").await.body.contains("To sign"));
    assert_eq!(glass_of(&sandbox, "ben.okafor").await.unsigned.len(), 1);
    assert_eq!(grace.post(&request, &SIGN).await.status, 303);
    assert!(glass_of(&sandbox, "ben.okafor").await.unsigned.is_empty());
    drop(belay);
}

#[tokio::test]
async fn where_a_guardrail_asks_for_it_signers_sign_in_again_and_there_are_as_many_as_it_says() {
    let sandbox = Sandbox::start();
    let careful = "\n[[guardrail]]\nname = \"careful\"\naccounts = [\"111122223333\"]\nreauthenticate = true\nmin_approvals = 2\n";
    let policy = format!("{POLICY}{careful}");
    let belay = Belay::launch(&Setup::of(&sandbox).policy(&sandbox, &policy))
        .ready()
        .await;
    let ben = belay.signed_in("ben.okafor").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    for (who, missing) in [("emma.lindqvist", "1"), ("farid.haddad", "0")] {
        let browser = belay.signed_in(who).await;
        let page = proves(&browser, &request, &SIGN, who).await;
        assert!(page.body.contains("right to go in"), "{}", page.text());
        assert_eq!(browser.post(&request, &SIGN).await.status, 303);
        let signed = of_kind(&sandbox, "ask.signed").await;
        let last = signed.last().unwrap();
        assert_eq!(last["signatures_missing"], missing);
        assert!(last["signed_in_again_at"].is_string());
        if missing == "1" {
            // One signature a person, and it does not open the way yet.
            assert_eq!(stands(&sandbox, &request, 0).await, Stands::Unsigned);
            assert_eq!(browser.post(&request, &SIGN).await.status, 409);
            assert_eq!(glass_of(&sandbox, "ben.okafor").await.unsigned.len(), 1);
        }
    }
    assert!(matches!(
        stands(&sandbox, &request, 0).await,
        Stands::Signed { .. }
    ));
}

#[tokio::test]
async fn a_server_that_is_killed_leaves_all_of_a_rejection_or_none_of_it() {
    let sandbox = Sandbox::start();
    let setup = Setup::of(&sandbox);
    let mut belay = Belay::launch(&setup).ready().await;
    let setup = setup.at(&belay.portal);
    let ben = belay.signed_in("ben.okafor").await;
    let emma = belay.signed_in("emma.lindqvist").await;
    let request = goes_in(&ben, ADMIN, "ben.okafor").await;
    belay.kill();
    belay = Belay::launch(&setup).ready().await;
    until_has(&sandbox, "ben.okafor", "111122223333", true).await;
    for patience in [0, 2, 5, 10, 20, 40] {
        let url = emma.address(&request);
        let origin = url.origin().ascii_serialization();
        let headers = [("origin", origin.as_str())];
        let posted = emma.try_send(http::Method::POST, url, Some(&REJECT), &headers);
        let ((), _) = tokio::join!(
            async {
                tokio::time::sleep(std::time::Duration::from_millis(patience)).await;
                belay.kill();
            },
            posted
        );
        let count = |kind| {
            let sandbox = &sandbox;
            async move { of_kind(sandbox, kind).await.len() }
        };
        let rejected = count("ask.rejected").await;
        assert_eq!(count("break-glass.closed").await, rejected);
        assert_eq!(count("grant.shortened").await, rejected);
        let state = glass_of(&sandbox, "ben.okafor").await;
        assert_eq!(state.closed.is_some(), rejected == 1);
        assert_eq!(state.unsigned.is_empty(), rejected == 1);
        belay = Belay::launch(&setup).ready().await;
    }
    if of_kind(&sandbox, "ask.rejected").await.is_empty() {
        assert_eq!(emma.post(&request, &REJECT).await.status, 303);
    }
    until_has(&sandbox, "ben.okafor", "111122223333", false).await;
    eventually("a proven end", || async {
        let ended = of_kind(&sandbox, "grant.ended").await.pop()?;
        (ended["access_is_gone"] == "true").then_some(())
    })
    .await;
    assert_eq!(ben.post(OTHER, &GLASS).await.status, 403);
}
