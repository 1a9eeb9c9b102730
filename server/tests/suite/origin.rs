//! Unsafe methods come from our own pages, or do nothing.

use http::Method;

use crate::harness::{Belay, Browser, Sandbox, Setup, eventually, reserve};

/// Everything that takes a POST, and things that do not.
const ADDRESSES: [&str; 8] = [
    "/access/111122223333/ReadOnlyAccess",
    "/requests/01932c07-20a1-7e3c-a0a5-0123456789ab",
    "/auth/sign-out",
    "/theme",
    "/favourites",
    "/api/ui/me",
    "/",
    "/nothing/here",
];

#[tokio::test]
async fn nothing_is_posted_from_elsewhere() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let port = belay.portal.rsplit(':').next().unwrap();
    let same_host_other_name = format!("http://127.0.0.1:{port}");
    let elsewhere: [&[(&str, &str)]; 8] = [
        &[],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", &same_host_other_name)],
        &[("origin", "http://localhost:1")],
        &[("sec-fetch-site", "cross-site")],
        &[("sec-fetch-site", "same-site")],
        &[("referer", &belay.portal)],
    ];
    let form = [
        ("duration", "900"),
        ("reason", "look at the logs"),
        ("theme", "dark"),
    ];
    for address in ADDRESSES {
        for headers in elsewhere {
            let page = browser.post_from(address, &form, headers).await;
            assert_eq!(
                page.status,
                403,
                "{address} from {headers:?}: {}",
                page.text()
            );
            assert_eq!(
                page.cookies(),
                Vec::<String>::new(),
                "{address} from {headers:?}"
            );
        }
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let page = browser
                .send(method.clone(), browser.address(address), None, &[])
                .await;
            assert_eq!(page.status, 403, "{method} {address}");
        }
    }
    assert_eq!(browser.get("/mine").await.status, 200, "still signed in");
    assert!(
        sandbox
            .calls("sso-admin:CreateAccountAssignment")
            .await
            .is_empty()
    );
}

#[tokio::test]
async fn our_own_pages_post() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    for from in [
        ("origin", belay.portal.as_str()),
        ("sec-fetch-site", "same-origin"),
    ] {
        let page = browser
            .post_from("/theme", &[("theme", "dark")], &[from])
            .await;
        assert_eq!(page.status, 303, "{from:?}: {}", page.text());
    }
    // A method that an address does not take is that, once it is known to be ours.
    let page = browser.post("/mine", &[]).await;
    assert_eq!(page.status, 405, "{}", page.text());
}

#[tokio::test]
async fn a_body_has_a_limit() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let long = "x".repeat(400 * 1024);
    let form = [("duration", "900"), ("reason", long.as_str())];
    let page = browser
        .post("/access/111122223333/ReadOnlyAccess", &form)
        .await;
    assert_eq!(page.status, 413, "{}", page.text());
}

#[tokio::test]
async fn every_page_carries_its_protections() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let browser = belay.signed_in("ana.silva").await;
    let mut nonces = Vec::new();
    for address in ["/", "/mine", "/approvals", "/signed-out", "/nothing/here"] {
        let page = browser.get(address).await;
        let policy = page.header("content-security-policy").to_owned();
        for part in [
            "default-src 'none'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self' data:",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "object-src 'none'",
            &format!("form-action 'self' {}", sandbox.oidc),
        ] {
            assert!(
                policy.contains(part),
                "{address}: {part} is not in {policy}"
            );
        }
        assert!(!policy.contains("unsafe-inline"), "{policy}");
        assert!(!policy.contains("'unsafe-eval'"), "{policy}");
        let nonce = policy
            .split("'nonce-")
            .nth(1)
            .and_then(|rest| rest.split('\'').next())
            .unwrap_or_else(|| panic!("{address} has no nonce: {policy}"));
        assert!(
            page.body.contains(&format!("nonce=\"{nonce}\"")),
            "{address} does not use its nonce"
        );
        nonces.push(nonce.to_owned());
        assert_eq!(page.header("cache-control"), "no-store", "{address}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert!(!page.header("x-request-id").is_empty());
        assert_eq!(
            page.header("strict-transport-security"),
            "",
            "only by https"
        );
    }
    nonces.sort();
    nonces.dedup();
    assert_eq!(nonces.len(), 5, "a nonce is used once");
    let problem = browser.post_from("/theme", &[], &[]).await;
    let policy = problem.header("content-security-policy");
    assert!(!policy.contains("script-src"), "{policy}");
    assert!(policy.contains("default-src 'none'"), "{policy}");
}

#[tokio::test]
async fn behind_tls_only_the_public_origin_is_ours() {
    let sandbox = Sandbox::start();
    let (address, port) = reserve().await;
    let public = "https://belay.example.com";
    let setup = Setup::of(&sandbox)
        .with("BELAY_PUBLIC_URL", public)
        .with("BELAY_LISTEN", format!("127.0.0.1:{port}"))
        .with("BELAY_ALLOW", "aws-endpoint, oidc-issuer, sandbox-keys");
    let belay = Belay::launch(&setup);
    assert_eq!(belay.portal, public);
    let browser = Browser::new(&address);
    let page = browser.get("/signed-out").await;
    assert!(
        page.header("strict-transport-security")
            .starts_with("max-age=63072000"),
        "{:?}",
        page.headers
    );
    for (origin, status) in [
        (public, 303),
        (address.as_str(), 403),
        ("https://belay.example.com:444", 403),
    ] {
        let page = browser
            .post_from("/theme", &[("theme", "dark")], &[("origin", origin)])
            .await;
        assert_eq!(page.status, status, "{origin}: {}", page.text());
    }
    let start = eventually("the provider is known", || async {
        let page = browser.get("/auth/start").await;
        (page.status == 303).then_some(page)
    })
    .await;
    let callback = "redirect_uri=https%3A%2F%2Fbelay.example.com%2Fauth%2Fcallback";
    assert!(start.location().contains(callback), "{}", start.location());
}
