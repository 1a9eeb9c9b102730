//! Who is shown what, and who may do what: each page, each read and each form, for each role, as one
//! table that is reviewed when it changes. No page and no read is missing from it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use futures::future::join_all;

use crate::harness::{Belay, Browser, Page, Sandbox};

const GOLDEN: &str = include_str!("matrix.golden.txt");

/// Whoever reads a page, by what they are to a request of Carla's that waits. An approver of it is in
/// Security; Ines has nothing to do with it.
const ROLES: [(&str, &str); 6] = [
    ("signed out", ""),
    ("requester", "carla.rossi"),
    ("approver", "emma.lindqvist"),
    ("somebody", "ines.costa"),
    ("auditor", "hugo.martin"),
    ("admin", "grace.chen"),
];

/// Pages by their pattern, and an address of each.
const PAGES: [(&str, &str); 16] = [
    ("/", "/"),
    (
        "/access/{account_id}/{permission_set}",
        "/access/111122223333/ReadOnlyAccess",
    ),
    (
        "/access/{account_id}/{permission_set}",
        "/access/666677778888/AdministratorAccess",
    ),
    ("/mine", "/mine"),
    ("/approvals", "/approvals"),
    ("/requests/{id}", "/requests/REQUEST"),
    (
        "/requests/{id}",
        "/requests/01932c07-20a1-7e3c-a0a5-0123456789ab",
    ),
    ("/history", "/history"),
    ("/history/held", "/history/held?account=111122223333"),
    ("/findings", "/findings"),
    ("/policy", "/policy"),
    (
        "/policy/explain",
        "/policy/explain?person=ana.silva&account=Network&permission_set=ReadOnlyAccess",
    ),
    ("/policy/draft", "/policy/draft"),
    ("/policy/versions", "/policy/versions"),
    ("/policy/versions/{id}", "/policy/versions/VERSION"),
    ("/signed-out", "/signed-out"),
];

/// Addresses that no list of pages has.
const OTHERS: [&str; 4] = [
    "/history/export.csv",
    "/history/export.jsonl",
    "/policy/versions/VERSION/text",
    "/no/such/page",
];

/// Reads, as pages make them after they have arrived.
const READS: [(&str, &str); 15] = [
    ("me", ""),
    ("access", "filter[q]=&filter[within]=&filter[page]=0"),
    (
        "ask-form",
        "account_id=111122223333&permission_set=ReadOnlyAccess&like=&chosen=duration%3D900",
    ),
    ("mine", "cursor="),
    ("approvals", ""),
    ("request", "id=REQUEST"),
    (
        "history",
        "filter[from]=&filter[to]=&filter[zone]=&filter[person]=&filter[account]=&filter[permission_set]=&filter[state]=&filter[text]=&filter[cursor]=",
    ),
    (
        "held",
        "filter[person]=&filter[account]=111122223333&filter[permission_set]=&filter[from]=&filter[to]=&filter[zone]=&filter[cursor]=",
    ),
    ("ends", ""),
    (
        "findings",
        "filter[kind]=&filter[cursor]=&filter[agreed_cursor]=",
    ),
    ("policy", "page=rules&fields[0]=&fields[1]="),
    (
        "policy",
        "page=explain&fields[0]=ana.silva&fields[1]=Network&fields[2]=ReadOnlyAccess",
    ),
    (
        "policy",
        "page=draft&fields[0]=version+%3D+1&fields[1]=toml",
    ),
    ("policy", "page=versions&fields[0]="),
    ("policy", "page=version&fields[0]=VERSION"),
];

/// Forms, sent by each role in turn: the one that denies decides for those after it.
const FORMS: [(&str, &[(&str, &str)]); 11] = [
    (
        "/access/111122223333/ReadOnlyAccess",
        &[("duration", "900"), ("reason", "short")],
    ),
    (
        "/requests/REQUEST",
        &[("act", "deny"), ("note", ""), ("ask", "0")],
    ),
    ("/requests/REQUEST", &[("act", "nudge")]),
    (
        "/requests/REQUEST",
        &[("act", "end"), ("grant", "x"), ("note", "over")],
    ),
    (
        "/findings",
        &[
            ("act", "adopt"),
            ("finding", "01932c07-20a1-7e3c-a0a5-0123456789ab"),
            ("place", "unmanaged#x"),
            ("note", "known"),
            ("duration", "86400"),
        ],
    ),
    ("/findings", &[("act", "propose-baseline")]),
    ("/findings", &[("act", "agree-baseline")]),
    ("/findings", &[("act", "confirm-sweep")]),
    (
        "/policy/draft",
        &[("draft", "version = 1"), ("notation", "toml")],
    ),
    ("/theme", &[("theme", "dark"), ("return_to", "/")]),
    (
        "/favourites",
        &[("star", "111122223333/ReadOnlyAccess"), ("return_to", "/")],
    ),
];

/// Why a read has no answer, by the number that it travels as.
const ERRORS: [&str; 6] = [
    "signed out",
    "not found",
    "not allowed",
    "beyond reach",
    "unavailable",
    "stale",
];

/// What a read came to: a fingerprint of eight bytes, then whether it is an answer, then which error.
fn read(page: &Page) -> String {
    match (page.status, page.bytes.get(8), page.bytes.get(9)) {
        (200, Some(0), _) => "shown".to_owned(),
        (200, Some(1), Some(error)) => ERRORS[usize::from(*error)].to_owned(),
        (status, ..) => format!("{status} {}", page.body),
    }
}

struct Table {
    browsers: Vec<Browser>,
    request: String,
    version: String,
    text: String,
}

impl Table {
    fn address(&self, path: &str) -> String {
        path.replace("REQUEST", &self.request)
            .replace("VERSION", &self.version)
    }

    fn row(&mut self, name: &str, cells: &[String]) {
        write!(self.text, "{name:<52}").unwrap();
        for cell in cells {
            write!(self.text, " {cell:<12}").unwrap();
        }
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        self.text.push('\n');
    }

    async fn got(&self, path: &str) -> Vec<Page> {
        let address = self.address(path);
        join_all(self.browsers.iter().map(|browser| browser.get(&address))).await
    }
}

/// Where somebody is led: to sign in, or on.
fn status(page: &Page) -> String {
    match page.status {
        303 if page.location().starts_with("/auth/start") => "sign in".to_owned(),
        other => other.to_string(),
    }
}

#[tokio::test]
async fn everybody_is_shown_what_is_theirs_and_nothing_else() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let mut browsers = Vec::new();
    for (_, name) in ROLES {
        browsers.push(if name.is_empty() {
            belay.browser()
        } else {
            belay.signed_in(name).await
        });
    }
    let form = [("duration", "900"), ("reason", "INC-9: the payment logs")];
    let page = browsers[1]
        .post("/access/111122223333/ReadOnlyAccess", &form)
        .await;
    let request = page.location();
    let request = request.split(['/', '?']).nth(2).unwrap().to_owned();
    let versions = browsers[4].get("/policy/versions").await.body;
    let (_, version) = versions.split_once("href=\"/policy/versions/").unwrap();
    let version = version.split('"').next().unwrap().to_owned();
    let mut table = Table {
        browsers,
        request,
        version,
        text: String::new(),
    };
    table.row("", &ROLES.map(|(role, _)| role.to_owned()));

    for path in PAGES.iter().map(|(_, path)| *path).chain(OTHERS) {
        let cells: Vec<String> = table.got(path).await.iter().map(status).collect();
        table.row(path.split('?').next().unwrap(), &cells);
    }
    for (name, query) in READS {
        let path = format!("/api/ui/{name}?{query}");
        let address = table.address(&path);
        let asked = table.browsers.iter().map(|browser| browser.read(&address));
        let cells: Vec<String> = join_all(asked).await.iter().map(read).collect();
        let page = query
            .strip_prefix("page=")
            .map_or("", |page| page.split('&').next().unwrap_or_default());
        table.row(format!("read {name} {page}").trim_end(), &cells);
    }
    for (path, form) in FORMS {
        let address = table.address(path);
        let mut cells = Vec::new();
        // One after the other: what an approver may do changes what the next finds.
        for browser in &table.browsers {
            cells.push(status(&browser.post(&address, form).await));
        }
        let act = form.iter().find(|(name, _)| *name == "act");
        let act = act.map_or_else(String::new, |(_, act)| format!(" {act}"));
        table.row(&format!("POST {path}{act}"), &cells);
    }

    let differing: Vec<(&str, &str)> = table
        .text
        .lines()
        .zip(GOLDEN.lines())
        .filter(|(found, golden)| found != golden)
        .collect();
    assert!(
        differing.is_empty() && table.text.lines().count() == GOLDEN.lines().count(),
        "found and expected differ in {differing:#?}; found\n{}",
        table.text
    );
}

/// Every page that the interface has, and every read that a browser may make, is in the table.
#[tokio::test]
async fn no_page_and_no_read_is_missing_from_the_table() {
    let listed: BTreeSet<String> = leptos_axum::generate_route_list(app::App)
        .iter()
        .map(|listing| listing.path().to_owned())
        .collect();
    let pages: BTreeSet<String> = PAGES.iter().map(|(page, _)| (*page).to_owned()).collect();
    assert_eq!(listed, pages);
    let registered: BTreeSet<String> = leptos::server_fn::axum::server_fn_paths()
        .map(|(path, _)| path.to_owned())
        .collect();
    let reads: BTreeSet<String> = READS
        .iter()
        .map(|(name, _)| format!("/api/ui/{name}"))
        .collect();
    assert_eq!(registered, reads);
}
