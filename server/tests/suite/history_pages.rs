//! History as auditors have it: found page by page, asked about at a moment, taken away as a file.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use domain::event::{Actor, Source};
use domain::grant::GrantState;
use domain::id::{AskIndex, RequestId, UserId};
use domain::request::{Ask, AskState, Names, Request, Terms, Who};
use domain::target::Target;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use server::store::Commit;
use uuid::Uuid;

use crate::harness::{Belay, Browser, Page, Sandbox, automatic, eventually, promise};

const ACCOUNT: &str = "111122223333";
const SET: &str = "ReadOnlyAccess";

/// More than one query of an export reads.
const MORE_THAN_A_QUERY: usize = 1_100;

/// A request of Carla's that is over.
struct Past {
    reason: String,
    ticket: Option<String>,
    at: Timestamp,
}

async fn request(sandbox: &Sandbox) -> impl Fn(&Past) -> Request {
    let user: UserId = sandbox.user_id("carla.rossi").await.parse().unwrap();
    let assignment = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let set = assignment["permission_set_arn"].as_str().unwrap();
    let target = Target::Account {
        account: ACCOUNT.parse().unwrap(),
        permission_set: set.parse().unwrap(),
    };
    let verdict = automatic();
    move |past| Request {
        id: RequestId::new(Uuid::now_v7()),
        requester: Who {
            id: user.clone(),
            name: "Carla Rossi".to_owned(),
            email: Some("carla.rossi@example.com".to_owned()),
        },
        reason: past.reason.clone(),
        duration_seconds: 900,
        submitted_at: past.at,
        expires_at: past.at,
        policy: verdict.policy.clone(),
        terms: Terms {
            ticket: past.ticket.clone(),
            ..Terms::default()
        },
        asks: vec![Ask {
            index: AskIndex(0),
            target: target.clone(),
            names: Names {
                account: "Payments Production".to_owned(),
                permission_set: SET.to_owned(),
                session_seconds: 3_600,
            },
            state: AskState::Expired { at: past.at },
            verdict: serde_json::to_value(&verdict).unwrap(),
            reviews: Vec::new(),
            glass: None,
        }],
        nudged_at: None,
        version: 1,
    }
}

/// Records them as they lie in the table when they are long over, and gives their ids.
async fn record(sandbox: &Sandbox, all: &[Past]) -> BTreeSet<String> {
    const BATCH: usize = 25;
    let request = request(sandbox).await;
    let mut ids = BTreeSet::new();
    let mut puts = Vec::new();
    for past in all {
        let request = request(past);
        ids.insert(request.id.to_string());
        let actor = Actor::Person(request.requester.clone());
        let mut commit = Commit::new(actor, Source::Portal, past.at);
        commit.submit(&request).unwrap();
        let items = commit.into_puts().unwrap().into_iter();
        // The rest is news, which nobody waits for.
        puts.extend(items.filter(|item| item["pk"].as_s().unwrap().starts_with("request#")));
    }
    let client = sandbox.dynamodb();
    for batch in puts.chunks(BATCH) {
        let batch = batch.iter().map(|item| {
            let put = PutRequest::builder().set_item(Some(item.clone()));
            WriteRequest::builder()
                .put_request(put.build().unwrap())
                .build()
        });
        let answer = client
            .batch_write_item()
            .request_items("belay", batch.collect())
            .send()
            .await
            .unwrap();
        assert!(answer.unprocessed_items.unwrap_or_default().is_empty());
    }
    ids
}

/// So many, a second apart, the last of them this long ago.
fn pasts(count: usize, ago: SignedDuration) -> Vec<Past> {
    let last = Timestamp::now() - ago;
    let seconds = |nth: usize| SignedDuration::from_secs(i64::try_from(nth).unwrap());
    (0..count)
        .map(|nth| Past {
            reason: format!("INC-{nth}: the batch is stuck"),
            ticket: None,
            at: last - seconds(nth),
        })
        .collect()
}

fn one(reason: &str, ticket: Option<&str>) -> Past {
    Past {
        reason: reason.to_owned(),
        ticket: ticket.map(str::to_owned),
        at: Timestamp::now() - SignedDuration::from_mins(5),
    }
}

/// The requests that a page links to, in its order.
fn linked(page: &Page) -> Vec<String> {
    assert_eq!(page.status, 200, "{}", page.text());
    let parts = page.body.split("href=\"/requests/").skip(1);
    parts
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

/// Where that link of a page leads.
fn link(page: &Page, name: &str) -> Option<String> {
    let before = page.body.split(&format!(">{name}<")).next()?;
    if before.len() == page.body.len() {
        return None;
    }
    let href = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(href.replace("&amp;", "&"))
}

fn typed(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3f").to_string()
}

async fn lines(browser: &Browser, query: &str) -> Vec<Value> {
    let page = browser.get(&format!("/history/export.jsonl?{query}")).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let lines = page.body.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn pages_lose_and_repeat_nothing_while_new_requests_arrive() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    let there = record(&sandbox, &pasts(130, SignedDuration::from_mins(10))).await;
    let mut page = hugo.get("/history").await;
    let mut seen = linked(&page);
    assert_eq!(seen.len(), 50);
    let mut pages = 1;
    while let Some(older) = link(&page, "Older") {
        record(&sandbox, &pasts(3, SignedDuration::from_secs(pages))).await;
        page = hugo.get(&older).await;
        seen.extend(linked(&page));
        pages += 1;
        assert!(pages < 10, "there is always an older page");
    }
    assert_eq!(pages, 3);
    let once: BTreeSet<String> = seen.iter().cloned().collect();
    assert_eq!(once.len(), seen.len(), "something is on two pages");
    assert_eq!(once, there);
}

#[tokio::test]
async fn a_search_finds_by_day_state_ticket_and_reason_and_says_how_far_it_looked() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    let needle = record(&sandbox, &[one("needle in a reason", Some("PAY-42"))]).await;
    record(
        &sandbox,
        &pasts(MORE_THAN_A_QUERY * 2, SignedDuration::from_secs(1)),
    )
    .await;
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let sought = |query: String| {
        let hugo = &hugo;
        async move {
            let page = hugo.get(&format!("/history?{query}")).await;
            (linked(&page).into_iter().collect::<BTreeSet<_>>(), page)
        }
    };
    for query in [
        "text=NEEDLE",
        "text=pay-42",
        "text=pay-42&state=expired&account=Payments",
    ] {
        let (found, _) = sought(query.to_owned()).await;
        assert_eq!(found, needle, "{query}");
    }
    for query in [
        "text=pay-42&state=active".to_owned(),
        format!("text=pay-42&to={today}&zone=Pacific%2FKiritimati&from=2020-01-01&state=denied"),
        "from=2020-01-01&to=2020-01-02".to_owned(),
    ] {
        let (found, _) = sought(query.clone()).await;
        assert_eq!(found, BTreeSet::new(), "{query}");
    }
    // Nothing has it: a page looks through 2,000 and says so.
    let (found, page) = sought("text=haystack".to_owned()).await;
    assert_eq!(found, BTreeSet::new());
    assert!(page.body.contains("2000 requests"), "{}", page.text());
    let further = link(&page, "Go on").expect("there is more");
    let page = hugo.get(&further).await;
    assert!(link(&page, "Go on").is_none(), "{}", page.text());
    assert!(page.body.contains("Nothing was found"));
    // A name is looked for in all of it; whose it may be is offered by id, which finds at once.
    let (_, page) = sought("person=Ana+Silva".to_owned()).await;
    let ana = sandbox.user_id("ana.silva").await;
    assert!(page.body.contains(&format!("/history?person={ana}")));
    let page = hugo.get(&format!("/history?person={ana}")).await;
    assert!(!page.body.contains("Looked through"), "{}", page.text());
    assert!(page.body.contains("Ana Silva"), "an id has a name");
}

#[tokio::test]
async fn what_a_search_does_not_understand_is_refused_where_it_was_typed() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    let ana = belay.signed_in("ana.silva").await;
    for (path, says) in [
        ("/history?from=yesterday&text=kept", "This is not a date."),
        (
            "/history?state=finished&text=kept",
            "There is no such state.",
        ),
        (
            "/history?from=2026-11-02&to=2026-11-01&text=kept",
            "before the time",
        ),
        (
            "/history?cursor=x&text=kept",
            "does not go on with a search",
        ),
        (
            "/history?cursor=1795333685000%2301932c07-20a1-7e3c-a0a5-0123456789ab%230&to=2026-01-01&text=kept",
            "does not go on with a search",
        ),
        ("/history?zone=Middle%2FEarth&text=kept", "time zone"),
        (
            "/history/export.csv?from=yesterday&text=kept",
            "This is not a date.",
        ),
        (
            "/history/held?from=noon&person=kept",
            "This is not a date and time.",
        ),
        (
            "/history/held?from=2099-01-01T00:00&person=kept",
            "still to come",
        ),
        (
            "/history/held?from=2026-11-01T00:00&permission_set=",
            "Say who",
        ),
    ] {
        let page = hugo.get(path).await;
        assert_eq!(page.status, 400, "{path}: {}", page.text());
        assert!(page.body.contains(says), "{path}: {}", page.text());
        assert!(
            !path.contains("kept") || page.body.contains("value=\"kept\""),
            "{path}"
        );
        // Who may not search does not learn what is wrong.
        let page = ana.get(path).await;
        assert_eq!(page.status, 403, "{path}: {}", page.text());
    }
}

#[tokio::test]
async fn history_is_read_asked_and_taken_away_by_auditors_and_admins_alone() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let theirs = record(&sandbox, &[one("their own", None)]).await;
    let theirs = theirs.first().unwrap();
    let held = format!("/history/held?account={ACCOUNT}");
    let paths = [
        "/history",
        &*held,
        "/history/export.csv",
        "/history/export.jsonl",
    ];
    for (person, status) in [
        ("carla.rossi", 403),
        ("emma.lindqvist", 403),
        ("hugo.martin", 200),
        ("grace.chen", 200),
    ] {
        let browser = belay.signed_in(person).await;
        for path in paths {
            let page = browser.get(path).await;
            assert_eq!(page.status, status, "{person} {path}: {}", page.text());
            assert_eq!(page.header("cache-control"), "no-store", "{path}");
            assert!(status == 200 || !page.body.contains(theirs), "{path}");
        }
    }
    for path in paths {
        assert_eq!(belay.browser().get(path).await.status, 303, "{path}");
    }
    // Whoever leaves the group has no more of it, though a session lasts.
    let hugo = belay.signed_in("hugo.martin").await;
    sandbox.leave("hugo.martin", "Audit").await;
    let page = hugo.get("/history/export.csv").await;
    assert_ne!(page.status, 200, "{}", page.text());
    assert!(!page.body.contains(theirs));
}

#[tokio::test]
async fn a_file_has_what_the_search_finds_whole_and_runs_nothing() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    let evil = "=HYPERLINK(\"https://evil.example\",\"a\")\r\n@b";
    let long = format!("{}end", "a reason, ".repeat(100));
    let wanted = record(
        &sandbox,
        &[one(evil, Some("+PAY-1")), one(&long, Some("PAY-2"))],
    )
    .await;
    record(
        &sandbox,
        &pasts(MORE_THAN_A_QUERY, SignedDuration::from_mins(10)),
    )
    .await;
    let page = hugo.get("/history/export.csv?text=PAY-").await;
    assert_eq!(page.status, 200, "{}", page.text());
    assert!(page.header("content-type").starts_with("text/csv"));
    let disposition = page.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"belay-history-"));
    let mut reader = csv::Reader::from_reader(page.body.as_bytes());
    let columns = reader.headers().unwrap().clone();
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let cells = |name: &str| -> BTreeSet<&str> {
        rows.iter()
            .map(|row| row.get(column(name)).unwrap())
            .collect()
    };
    let ids: BTreeSet<&str> = wanted.iter().map(String::as_str).collect();
    assert_eq!(cells("request_id"), ids);
    let defused = format!("'{evil}");
    assert_eq!(cells("reason"), BTreeSet::from([&*defused, &long]));
    assert_eq!(cells("ticket"), BTreeSet::from(["'+PAY-1", "PAY-2"]));
    assert_eq!(cells("state"), BTreeSet::from(["expired"]));
    let lines = lines(&hugo, "text=PAY-").await;
    let reasons: BTreeSet<&str> = lines
        .iter()
        .map(|line| line["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, BTreeSet::from([evil, &long]));
    // All of it: over several queries, each once.
    let page = hugo.get("/history/export.csv").await;
    let mut reader = csv::Reader::from_reader(page.body.as_bytes());
    let all: Vec<String> = reader
        .records()
        .map(|row| row.unwrap().get(column("request_id")).unwrap().to_owned())
        .collect();
    let once: BTreeSet<&String> = all.iter().collect();
    assert_eq!(all.len(), MORE_THAN_A_QUERY + 2);
    assert_eq!(once.len(), all.len());
}

#[tokio::test]
async fn a_file_that_stops_in_the_middle_never_looks_whole() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    record(
        &sandbox,
        &pasts(MORE_THAN_A_QUERY, SignedDuration::from_secs(1)),
    )
    .await;
    let of_export = json!({ "IndexName": "gsi1", "Limit": 1_000 });
    for (path, last) in [
        (
            "/history/export.csv",
            "NOT WHOLE,unavailable,after ROWS rows\r\n",
        ),
        (
            "/history/export.jsonl",
            "{\"not_whole\":\"unavailable\",\"rows\":ROWS}\n",
        ),
    ] {
        let held_up = sandbox
            .fault(json!({
                "operation": "dynamodb:Query", "kind": "stall", "times": 1, "match": of_export,
            }))
            .await;
        let mut file = hugo.open(path).await;
        eventually("the first query", || async {
            let fired = sandbox.faults_fired().await;
            (fired.get(&held_up) == Some(&1)).then_some(())
        })
        .await;
        let refused = sandbox
            .fault(json!({
                "operation": "dynamodb:Query", "kind": "error", "match": of_export,
                "error": "ResourceNotFoundException", "times": 1_000_000,
            }))
            .await;
        sandbox.lift(&held_up).await;
        let (text, ended) = file.whole().await;
        let rows = text.matches("Carla Rossi").count();
        assert!((1..MORE_THAN_A_QUERY).contains(&rows), "{rows}");
        let last = last.replace("ROWS", &rows.to_string());
        assert!(
            text.ends_with(&last),
            "{}",
            &text[text.len().saturating_sub(400)..]
        );
        assert!(!ended, "{path} ends as if it were whole");
        sandbox.lift(&refused).await;
    }
    // Undisturbed it ends as it should.
    let (text, ended) = hugo.open("/history/export.csv").await.whole().await;
    assert!(ended);
    assert_eq!(text.lines().count(), MORE_THAN_A_QUERY + 1);
}

#[tokio::test]
async fn who_held_access_at_a_moment_is_told_from_what_is_proven() {
    let sandbox = Sandbox::start();
    let belay = Belay::start(&sandbox).await;
    let hugo = belay.signed_in("hugo.martin").await;
    let user = sandbox.user_id("carla.rossi").await;
    let row = sandbox.assignment("carla.rossi", ACCOUNT, SET).await;
    let target = Target::Account {
        account: ACCOUNT.parse().unwrap(),
        permission_set: row["permission_set_arn"].as_str().unwrap().parse().unwrap(),
    };
    let before = Timestamp::now() - SignedDuration::from_secs(1);
    let promised = promise(&sandbox, &user, target, SignedDuration::from_mins(30)).await;
    let active = eventually("active", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Active { since, .. } => Some(since),
            _ => None,
        }
    })
    .await;
    let request = promised.now(&sandbox).await.request.to_string();
    let asked = async |what: String| {
        let page = hugo.get(&format!("/history/held?{what}")).await;
        let links = linked(&page);
        assert!(links.len() <= 1, "{}", page.text());
        let is_it = links.contains(&request);
        let is_sure = page.body.contains("pill-good\">Held<");
        let perhaps = page.body.contains("pill-wait\">May have held<");
        assert_eq!(is_it, is_sure || perhaps, "{}", page.text());
        (is_sure, perhaps)
    };
    let at = |at: Timestamp| format!("account={ACCOUNT}&from={}", typed(at));
    // Active since some fraction of a millisecond after what can be typed.
    let ms = SignedDuration::from_millis(1);
    assert_eq!(asked(at(active + ms)).await, (true, false));
    assert_eq!(asked(format!("account={ACCOUNT}")).await, (true, false));
    assert_eq!(asked(at(before)).await, (false, false));

    let carla = belay.signed_in("carla.rossi").await;
    let grant = promised.grant.to_string();
    let form = [("act", "end"), ("grant", &*grant), ("note", "done")];
    let ended = carla.post(&format!("/requests/{request}"), &form).await;
    assert_eq!(ended.status, 303, "{}", ended.text());
    let over = eventually("over", || async {
        match promised.now(&sandbox).await.state {
            GrantState::Ended { at, .. } => Some(at),
            _ => None,
        }
    })
    .await;
    let until = promised.now(&sandbox).await.until;
    assert_eq!(asked(at(active + ms)).await, (true, false));
    assert_eq!(asked(at(until + ms)).await, (false, until + ms < over));
    assert_eq!(asked(at(over + ms)).await, (false, false));
    // What this person held between.
    let held = |from: Timestamp, to: Timestamp| {
        format!("person={user}&from={}&to={}", typed(from), typed(to))
    };
    let hour = SignedDuration::from_hours(1);
    assert_eq!(asked(held(before - hour, over + ms)).await, (true, false));
    assert_eq!(asked(held(before - hour, before)).await, (false, false));
    assert_eq!(asked(held(over + ms, over + hour)).await, (false, false));
    let page = hugo
        .get(&format!("/history/held?{}", at(active + ms)))
        .await;
    assert!(page.body.contains("Removed"), "{}", page.text());
    // The file has the same times.
    let lines = lines(&hugo, &format!("person={user}")).await;
    let line = lines.iter().find(|line| line["request_id"] == *request);
    let line = line.unwrap();
    let time = |name: &str| -> Timestamp { line[name].as_str().unwrap().parse().unwrap() };
    assert_eq!(time("active_at"), active);
    assert_eq!(time("ended_at"), over);
    assert!(time("begun_at") < active);
    assert_eq!(line["receipt"], "removed");
}
