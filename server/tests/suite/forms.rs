//! Forms: what leads on, and what comes back with everything that was typed.

use crate::harness::{Belay, Sandbox, eventually};

const ASK: &str = "/access/111122223333/ReadOnlyAccess";
const REASON: &str = "look at the payment logs";

/// The request that a submission led to.
fn request_of(location: &str) -> String {
    location.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_request_is_submitted_and_approved_by_forms_alone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let form = carla.get(ASK).await;
    assert_eq!(form.status, 200, "{}", form.text());
    let page = carla
        .post(ASK, &[("duration", "900"), ("reason", REASON)])
        .await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert!(
        page.location().ends_with("?done=submitted"),
        "{}",
        page.location()
    );
    let request = request_of(&page.location());
    let page = carla.get(&request).await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(
        page.body.contains(REASON) && page.body.contains("Emma Lindqvist"),
        "{}",
        page.text()
    );

    // Asking twice leads to the request that waits already.
    let page = carla
        .post(ASK, &[("duration", "60"), ("reason", REASON)])
        .await;
    assert_eq!(page.location(), format!("{request}?done=already-pending"));

    let emma = belay.signed_in("emma.lindqvist").await;
    let page = emma.get("/approvals").await;
    assert!(page.body.contains("Carla Rossi"), "{}", page.text());
    let form = [
        ("act", "approve"),
        ("note", "go ahead"),
        ("from", "approvals"),
    ];
    let page = emma.post(&request, &form).await;
    assert_eq!(page.status, 303, "{}", page.text());
    assert_eq!(page.location(), "/approvals?done=approved");
    eventually("the assignment is created", || async {
        (!sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty())
        .then_some(())
    })
    .await;

    // Somebody else was slower.
    let farid = belay.signed_in("farid.haddad").await;
    let page = farid
        .post(&request, &[("act", "deny"), ("note", "wait <b>!")])
        .await;
    assert_eq!(page.status, 409, "{}", page.text());
}

#[tokio::test]
async fn nobody_approves_their_own_request_nor_one_that_is_not_for_them() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let mia = belay.signed_in("mia.novak").await;
    let page = mia
        .post(ASK, &[("duration", "900"), ("reason", REASON)])
        .await;
    let request = request_of(&page.location());
    let page = mia
        .post(&request, &[("act", "approve"), ("note", "mine")])
        .await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        page.body.contains("mine"),
        "the note is kept: {}",
        page.text()
    );
    // To people whom it does not concern there is no such request.
    let jonas = belay.signed_in("jonas.weber").await;
    assert_eq!(jonas.get(&request).await.status, 404);
    let page = jonas.post(&request, &[("act", "approve")]).await;
    assert_eq!(page.status, 404, "{}", page.text());
    // An admin sees it, and does not approve by being admin.
    let grace = belay.signed_in("grace.chen").await;
    assert_eq!(grace.get(&request).await.status, 200);
    let page = grace.post(&request, &[("act", "approve")]).await;
    assert_eq!(page.status, 403, "{}", page.text());
    assert!(
        sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty()
    );
    let page = mia.post(&request, &[("act", "withdraw")]).await;
    assert_eq!(page.status, 303, "{}", page.text());
}

#[tokio::test]
async fn what_is_refused_comes_back_as_it_was_typed() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    // 100 kB, which browsers send as 300.
    let long = "é".repeat(50_000);
    let hours = (999 * 60 * 60).to_string();
    for (duration, reason) in [
        ("0", REASON),
        (hours.as_str(), REASON),
        ("-1", REASON),
        ("99999999999999999999", REASON),
        ("soon", REASON),
        ("", REASON),
        ("900", ""),
        ("900", "short"),
        ("900", &long),
        ("0", "</textarea><script>alert(1)</script>"),
    ] {
        let page = carla
            .post(ASK, &[("duration", duration), ("reason", reason)])
            .await;
        assert_eq!(page.status, 422, "{duration} {}", page.text());
        assert!(!page.body.contains("<script>alert"), "{}", page.text());
        if reason == REASON || reason == long {
            assert!(page.body.contains(reason), "the reason is lost: {duration}");
        }
        assert!(page.body.contains("nonce=\""), "it is a whole page");
    }
    let page = carla.get("/mine").await;
    assert!(!page.body.contains("/requests/"), "{}", page.text());
}

#[tokio::test]
async fn a_forged_target_gets_the_answer_of_one_that_is_not_there() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    for target in [
        // Not hers, unknown, protected, not an account, not a permission set.
        "/access/333344445555/DatabaseOperator",
        "/access/999999999999/ReadOnlyAccess",
        "/access/100000000001/ReadOnlyAccess",
        "/access/1/ReadOnlyAccess",
        "/access/111122223333/NoSuchSet",
        "/access/111122223333/%3Cscript%3E",
    ] {
        assert_eq!(carla.get(target).await.status, 404, "{target}");
        let page = carla
            .post(target, &[("duration", "900"), ("reason", REASON)])
            .await;
        assert!(
            [403, 404].contains(&page.status),
            "{target}: {}",
            page.text()
        );
        assert!(!page.body.contains("<script>alert"), "{}", page.text());
    }
}

#[tokio::test]
async fn a_form_that_is_none_of_ours_is_said_to_be_that() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let carla = belay.signed_in("carla.rossi").await;
    let request = "/requests/01932c07-20a1-7e3c-a0a5-0123456789ab";
    assert_eq!(carla.post(request, &[("act", "explode")]).await.status, 400);
    assert_eq!(carla.post(request, &[]).await.status, 400);
    assert_eq!(
        carla
            .post("/requests/17", &[("act", "approve")])
            .await
            .status,
        404
    );
    let many: Vec<(String, String)> = (0..50)
        .map(|at| (format!("f{at}"), String::new()))
        .collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    assert_eq!(carla.post(ASK, &many).await.status, 400);
}

#[tokio::test]
async fn the_colours_are_kept_and_lead_back_to_our_own_pages_only() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.browser();
    let page = browser
        .post("/theme", &[("theme", "dark"), ("return_to", "/mine")])
        .await;
    assert_eq!((page.status, page.location().as_str()), (303, "/mine"));
    assert_eq!(browser.cookie("theme").as_deref(), Some("dark"));
    for elsewhere in [
        "https://evil.example",
        "//evil.example",
        "/auth/sign-out",
        "",
    ] {
        let form = [
            ("theme", "dark\r\nset-cookie: a=b"),
            ("return_to", elsewhere),
        ];
        let page = browser.post("/theme", &form).await;
        assert_eq!(page.location(), "/", "{elsewhere}");
        assert_eq!(browser.cookie("theme").as_deref(), Some("system"));
    }
}
