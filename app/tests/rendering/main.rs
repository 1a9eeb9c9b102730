//! Pages as the server draws them: statuses, what was typed, and what nobody may smuggle in.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod fixture;

use app::{
    FormState, Theme,
    view::{Field, FieldProblem, PageProblem, Part, Problem},
};
use fixture::{ASSETS, Door, Person, problem_page, routes};

const EVIL: &str = "</textarea></title><script>alert('x')</script>";

#[tokio::test]
async fn these_are_all_pages_and_each_is_rendered_before_its_first_byte() {
    assert_eq!(
        routes(),
        [
            "/ Async",
            "/access/{account_id}/{permission_set} Async",
            "/mine Async",
            "/approvals Async",
            "/requests/{id} Async",
            "/history Async",
            "/history/held Async",
            "/findings Async",
            "/policy Async",
            "/policy/explain Async",
            "/policy/draft Async",
            "/policy/versions Async",
            "/policy/versions/{id} Async",
            "/signed-out Async",
        ]
    );
}

#[tokio::test]
async fn every_page_is_whole_without_script() {
    let ana = Door::of(Person::named("Ana Silva").auditor());
    for (path, words) in [
        ("/", "ReadOnlyAccess"),
        ("/access/111122223333/ReadOnlyAccess", "Why do you need it?"),
        ("/mine", "Open console"),
        ("/approvals", "Deny"),
        ("/requests/r1", "What happened"),
        ("/history", "Go on"),
        ("/history/held?account=1", "May have held"),
        ("/findings", "Adopted and ignored"),
        ("/policy", "Guardrail"),
        ("/policy/explain?group=g", "By rule"),
        ("/policy/explain?person=x", "field-wrong"),
        ("/policy/draft", "The draft"),
        ("/policy/versions", "Came into force"),
        ("/policy/versions/v", "Download all of it"),
        ("/signed-out", "Sign in"),
    ] {
        let page = ana.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.html.contains(words),
            "{path} lacks {words}: {}",
            page.html
        );
        assert!(page.html.contains("<h1"), "{path} has no heading");
    }
}

#[tokio::test]
async fn a_page_that_cannot_be_shown_says_so_in_its_status_too() {
    let ana = Door::of(Person::named("Ana Silva"));
    for (path, status, words) in [
        ("/no/such/page", 404, "There is nothing here for you"),
        ("/requests/unknown", 404, "There is nothing here for you"),
        (
            "/access/111122223333/Unknown",
            404,
            "There is nothing here for you",
        ),
        ("/history", 403, "This page is not for you"),
        ("/history/held", 403, "This page is not for you"),
        ("/findings", 404, "There is nothing here for you"),
        ("/policy", 403, "This page is not for you"),
        ("/policy/explain", 403, "This page is not for you"),
        ("/policy/draft", 403, "This page is not for you"),
        ("/policy/versions", 403, "This page is not for you"),
        ("/policy/versions/v", 403, "This page is not for you"),
        ("/requests/broken", 503, "Belay's table does not answer"),
    ] {
        let page = ana.get(path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(page.text().contains(words), "{path}: {}", page.html);
    }
}

#[tokio::test]
async fn how_late_ends_were_stands_with_the_findings_for_who_may_see_them() {
    let auditor = Door::of(Person::named("Ana Silva").auditor());
    let text = auditor.get("/findings").await.text();
    let figures = [
        "Ends in the last 30 days",
        "1,204",
        "Half within",
        "99 of 100 within",
        "9\u{a0}s",
        "the longest since",
    ];
    for words in figures {
        assert!(text.contains(words), "{words}: {text}");
    }
    let other = Door::of(Person::named("Ana Silva"));
    let text = other.get("/findings").await.text();
    assert!(!text.contains("Ends in the last"), "{text}");
}

#[tokio::test]
async fn favourites_stand_on_top_and_say_what_is_not_offered_any_more() {
    let ana = Door::of(Person::named("Ana Silva"));
    let html = ana.get("/").await.html;
    let start = html.find("id=\"favourites\"").unwrap_or_default();
    let end = html.find("id=\"lately\"").unwrap_or_default();
    assert!(0 < start && start < end, "{start} {end}");
    let rows: Vec<&str> = html[start..end].split("<li ").skip(1).collect();
    assert_eq!(rows.len(), 3);
    assert!(rows[0].contains("href=\"/access/111122223333/ReadOnlyAccess\""));
    assert!(rows[1].contains("not offered to you any more") && !rows[1].contains("href="));
    assert!(rows[2].contains("href=\"/access/group/93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b\""));
    for (row, offer) in rows.iter().zip([
        "111122223333/ReadOnlyAccess",
        "222233334444/Gone",
        "group/93a4c8d2-1011-70e2-3a5b-1c2d3e4f5a6b",
    ]) {
        let button = format!("form=\"stars\" name=\"drop\" value=\"{offer}\" aria-label=");
        assert!(row.contains(&button), "{row}");
    }
    // In its place further down it has its star, too.
    assert!(html[end..].contains("name=\"unstar\" value=\"111122223333/ReadOnlyAccess\""));
    let found = ana.get("/?q=x").await.html;
    assert!(
        !found.contains("id=\"favourites\""),
        "only where everything is shown"
    );
}

#[tokio::test]
async fn nobody_signed_in_is_led_back_to_where_they_were_going() {
    let page = Door::of_nobody().get("/requests/r1?done=submitted").await;
    assert_eq!(page.status, 401);
    assert!(
        page.html
            .contains("/auth/start?return_to=%2Frequests%2Fr1%3Fdone%3Dsubmitted"),
        "{}",
        page.html
    );
    assert!(
        !page.html.contains("My access"),
        "no navigation without a person"
    );
}

#[tokio::test]
async fn a_refused_form_comes_back_with_everything_that_was_typed() {
    let refused = FormState {
        status: 422,
        values: vec![
            ("duration".to_owned(), "60".to_owned()),
            ("reason".to_owned(), format!("short {EVIL}")),
        ],
        problems: vec![
            FieldProblem {
                field: Field::Duration,
                problem: Problem::TooLong { max_seconds: 20 },
            },
            FieldProblem {
                field: Field::Reason,
                problem: Problem::TooFewChars { min_chars: 1000 },
            },
        ],
    };
    let page = Door::of(Person::named("Ana Silva"))
        .refusing(refused)
        .get("/access/111122223333/ReadOnlyAccess")
        .await;
    assert_eq!(page.status, 422);
    assert!(
        page.html.contains("short &lt;/textarea&gt;"),
        "{}",
        page.html
    );
    assert!(page.html.contains("At most 20 seconds is possible here."));
    assert!(page.html.contains("Write at least 1000 characters"));
    let chosen = page.element_with(r#"value="60""#);
    assert!(chosen.contains("checked"), "{chosen}");
    let default = page.element_with(r#"value="900""#);
    assert!(!default.contains("checked"), "{default}");
    page.holds_no_foreign_script();
}

#[tokio::test]
async fn a_note_is_shown_even_when_its_form_has_no_place_any_more() {
    let refused = FormState {
        status: 409,
        values: vec![("note".to_owned(), "my careful words".to_owned())],
        problems: vec![FieldProblem {
            field: Field::Form,
            problem: Problem::AlreadyDecided {
                state: app::view::AskState::Denied,
                by: Some("Mia Novak".to_owned()),
                at: 1_795_333_685_000,
            },
        }],
    };
    let page = Door::of(Person::named("Ana Silva"))
        .refusing(refused)
        .get("/requests/r1")
        .await;
    assert_eq!(page.status, 409);
    assert!(page.html.contains("my careful words"));
    assert!(
        page.text()
            .contains("already denied by Mia Novak at 22 Nov 2026, 07:48 UTC"),
        "{}",
        page.html
    );
}

#[tokio::test]
async fn a_search_without_script_is_a_plain_form_and_its_answer_a_page() {
    let ana = Door::of(Person::named("Ana Silva"));
    let page = ana.get("/?q=pay%20prod&in=groups&page=2").await;
    let form = page.element_with("role=\"search\"");
    assert!(
        form.contains("method=\"get\"") && form.contains("action=\"/\""),
        "{form}"
    );
    let field = page.element_with("id=\"q\"");
    assert!(field.contains("value=\"pay prod\""), "{field}");
    for address in [
        "/?q=pay%20prod&amp;in=111122223333",
        "/?q=pay%20prod&amp;in=groups&amp;page=3",
        "/?q=pay%20prod&amp;in=groups\"",
        "/access/111122223333/ReadOnlyAccess?like=r1",
    ] {
        assert!(page.html.contains(address), "{address}: {}", page.html);
    }
    assert!(
        page.text().contains("240 offers, page 2 of 3"),
        "{}",
        page.html
    );
    let page = ana.get("/?q=nothing").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Nothing matches"), "{}", page.html);
}

#[tokio::test]
async fn a_full_page_of_the_longest_names_stays_below_200_kb() {
    let ana = Door::of(Person::named("Ana Silva").in_a_large_organisation());
    let page = ana.get("/").await;
    let (starred, lately) = (50, 1);
    let rows = page.html.matches("class=\"offer\"").count();
    assert_eq!(rows, 12 * 9 + starred + lately);
    assert!(page.html.len() < 200_000, "{} bytes", page.html.len());
}

#[tokio::test]
async fn whoever_holds_access_reads_how_the_cli_gets_at_it() {
    let ana = Door::of(Person::named("Ana Silva"));
    let page = ana.get("/mine").await;
    assert!(
        page.text().contains(
            "[profile payments-production-readonlyaccess]\nsso_session = belay\n\
             sso_account_id = 111122223333\nsso_role_name = ReadOnlyAccess\n"
        ),
        "{}",
        page.html
    );
    // Once on what they hold, once on what they held.
    assert_eq!(
        page.text().matches("Break-glass").count(),
        2,
        "{}",
        page.html
    );
    assert!(page.html.contains("?like=r0"), "{}", page.html);
    assert!(page.html.contains("/mine?before=Payments%20Production"));
    let page = ana.get("/mine?before=x").await;
    assert!(!page.text().contains("[profile"), "{}", page.html);
    assert!(page.html.contains("href=\"/mine\""));
}

#[tokio::test]
async fn names_and_reasons_are_text_wherever_they_stand() {
    let ana = Door::of(Person::named(EVIL).auditor().in_a_world_of(EVIL));
    for path in [
        "/",
        "/access/111122223333/ReadOnlyAccess",
        "/mine",
        "/mine?before=%3Cscript%3E",
        "/?q=x&in=%22%3E%3Cscript%3E&page=%22%3E",
        "/approvals",
        "/requests/r1",
        "/findings?kind=%22%3E%3Cscript%3E",
        "/policy?text=%22%3E%3Cscript%3E",
        "/policy/explain?group=%22%3E%3Cscript%3E",
        "/policy/explain?person=%22%3E%3Cscript%3E",
        "/policy/versions",
        "/policy/versions/%22%3E%3Cscript%3E",
        "/history?person=%3Cscript%3E&text=%22%3E%3Cscript%3E",
        "/history/held?person=%3Cscript%3E&from=%22%3E%3Cscript%3E&zone=%22%3E%3Cscript%3E",
        "/?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
    ] {
        let page = ana.get(path).await;
        assert_eq!(page.status, 200, "{path}");
        page.holds_no_foreign_script();
    }
}

#[tokio::test]
async fn an_address_that_is_not_of_the_web_is_not_linked() {
    let page = Door::of(Person::named("Ana Silva").with_console("javascript:alert(1)"))
        .get("/mine")
        .await;
    assert_eq!(page.status, 200);
    assert!(!page.html.contains("href=\"javascript"), "{}", page.html);
    assert!(!page.html.contains("Open console"));
}

#[tokio::test]
async fn nothing_needs_more_than_the_strictest_policy() {
    let ana = Door::of(Person::named("Ana Silva").auditor());
    for path in [
        "/",
        "/access/111122223333/ReadOnlyAccess",
        "/mine",
        "/approvals",
        "/requests/r1",
        "/findings",
        "/policy",
        "/policy/explain?group=g",
        "/policy/draft",
        "/policy/versions/v",
        "/history",
        "/history/held",
    ] {
        let page = ana.get(path).await;
        page.holds_no_foreign_script();
        for forbidden in [" style=\"", " onclick", " onload", "javascript:", "<style"] {
            assert!(!page.html.contains(forbidden), "{path} has {forbidden}");
        }
    }
}

#[tokio::test]
async fn the_chosen_colours_are_there_from_the_first_byte() {
    let dark = Door::of(Person::named("Ana Silva"))
        .in_colours(Theme::Dark)
        .get("/mine")
        .await;
    assert!(
        dark.html
            .starts_with("<!DOCTYPE html><html lang=\"en\" data-theme=\"dark\">")
    );
    assert_eq!(Theme::parse(Theme::Dark.as_str()), Theme::Dark);
    assert_eq!(Theme::parse("\"><script>"), Theme::System);
}

#[tokio::test]
async fn times_are_in_the_readers_zone_from_the_first_byte_where_it_is_known() {
    let known = Door::of(Person::named("Ana Silva").auditor()).in_zone("Europe/Berlin");
    let unknown = Door::of(Person::named("Ana Silva").auditor());
    let mut is_today = false;
    for path in [
        "/",
        "/mine",
        "/approvals",
        "/requests/r1",
        "/history",
        "/history/held?account=1",
        "/findings",
        "/policy/versions",
    ] {
        for (door, is_known) in [(&known, true), (&unknown, false)] {
            let page = door.get(path).await;
            let times: Vec<&str> = page.html.split("<time ").skip(1).collect();
            assert!(!times.is_empty(), "{path} has no time");
            for time in times {
                let (tag, rest) = time.split_once('>').unwrap();
                let said = rest.split("</time>").next().unwrap();
                assert!(tag.contains(" UTC\""), "{path}: {tag}");
                assert!(tag.contains("Z\""), "{path}: {tag}");
                assert_eq!(said.contains(" UTC"), !is_known, "{path}: {said}");
                is_today |= said.contains("08:48 today") && tag.contains("07:48:05 UTC");
            }
        }
    }
    assert!(is_today, "an hour later there, on the same day");
}

/// The start as it was typed, and the zone that it was typed in.
fn later(start: &str, zone: &str, problems: Vec<FieldProblem>) -> FormState {
    FormState {
        status: 422,
        values: vec![
            ("start".to_owned(), start.to_owned()),
            ("zone".to_owned(), zone.to_owned()),
        ],
        problems,
    }
}

#[tokio::test]
async fn a_start_is_typed_in_the_zone_that_stands_there() {
    let ask = "/access/111122223333/ReadOnlyAccess";
    let ana = Door::of(Person::named("Ana Silva"));
    let unknown = FieldProblem {
        field: Field::Zone,
        problem: Problem::NotUnderstood,
    };
    let ten = "2026-11-22T10:00";
    let berlin = "Europe/Berlin";
    for (door, sent, said) in [
        (ana.clone(), "", "UTC"),
        (ana.clone().in_zone(berlin), berlin, berlin),
        // What was typed stays what it meant.
        (
            ana.clone()
                .in_zone(berlin)
                .refusing(later(ten, "Asia/Tokyo", Vec::new())),
            "Asia/Tokyo",
            "Asia/Tokyo",
        ),
        (
            ana.clone()
                .in_zone(berlin)
                .refusing(later(ten, "", Vec::new())),
            "UTC",
            "UTC",
        ),
        // Where nothing was, the reader's is as good.
        (
            ana.clone()
                .in_zone(berlin)
                .refusing(later("", "Asia/Tokyo", Vec::new())),
            berlin,
            berlin,
        ),
        // Sent again as it is, it would only be refused again.
        (
            ana.clone()
                .in_zone(berlin)
                .refusing(later(ten, "Middle/Earth", vec![unknown])),
            "UTC",
            "UTC",
        ),
    ] {
        let page = door.get(ask).await;
        let field = page.element_with("name=\"zone\"");
        assert!(field.contains(&format!("value=\"{sent}\"")), "{field}");
        let text = page.text();
        assert!(text.contains(&format!("A time in {said}. ")), "{text}");
    }
    let refused = ana.refusing(later(
        ten,
        "Middle/Earth",
        vec![FieldProblem {
            field: Field::Zone,
            problem: Problem::NotUnderstood,
        }],
    ));
    let page = refused.get(ask).await;
    assert!(page.element_with("name=\"start\"").contains(ten));
    assert!(page.element_with("id=\"start-problem\"").contains("<p"));
    assert!(page.text().contains("does not know the time zone"));
}

#[test]
fn a_whole_page_problem_needs_no_script_and_says_what_to_do() {
    for problem in [
        PageProblem::SignInMismatch,
        PageProblem::SignInExpired,
        PageProblem::SignInDeclined,
        PageProblem::SignInInvalid,
        PageProblem::SignInNobody,
        PageProblem::SignInAmbiguous,
        PageProblem::SignInDisabled,
        PageProblem::AnotherPerson,
        PageProblem::SignInBoundElsewhere,
        PageProblem::Unavailable(Part::SignIn),
        PageProblem::Unavailable(Part::Store),
        PageProblem::CrossOrigin,
        PageProblem::TooLarge,
        PageProblem::BadForm,
        PageProblem::MethodNotAllowed,
        PageProblem::TooMany,
        PageProblem::NotFound,
        PageProblem::Broken,
    ] {
        let html = problem_page(problem);
        assert!(html.starts_with("<!DOCTYPE html><html"), "{html}");
        assert!(html.ends_with("</html>"), "{html}");
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains(ASSETS.2), "{html}");
        assert!(html.contains("class=\"button button-main\""), "{html}");
        assert!((400..=599).contains(&problem.status()));
    }
}

#[tokio::test]
async fn an_approver_reads_the_reason_first_and_all_that_an_answer_needs() {
    let emma = Person::named("Emma Lindqvist").in_a_world_of("INC-1");
    let page = Door::of(emma).get("/approvals").await;
    let text = page.text();
    for said in [
        "Has it now until 22 Nov 2026, 07:58 UTC: this would extend it.",
        "Denied 22 Nov 2026, 07:33 UTC by INC-1: “INC-1”",
        "Had it 3 times in the last 30 days, last until 22 Nov 2026, 07:38 UTC, approved by INC-1.",
        "from 22 Nov 2026, 08:48 UTC until 22 Nov 2026, 09:03 UTC, if approved by then",
        "All of these together, or none.",
        "Denying one of these ends all of them.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    let link = page.element_with("https://tickets.example.com/INC-1");
    assert!(
        link.contains("target=\"_blank\"") && link.contains("noreferrer"),
        "{link}"
    );
    let at = |part: &str| page.html.find(part).unwrap();
    assert!(at("class=\"quote\"") < at("class=\"split"), "{}", page.html);
}
