//! Every example of the reference page is run.

use domain::policy::{
    Code, Format, ProblemCode, Setting, cases_text, check, check_with, decide, included_files,
    parse, report_text, resolve, run_cases,
};

use crate::organisation::{Organisation, at, included, rule};

const PAGE: &str = include_str!("../../docs/policy.md");

/// Fenced blocks with their info string, in order.
fn blocks(kind: &str) -> Vec<&'static str> {
    let fence = format!("```{kind}\n");
    PAGE.split(&fence)
        .skip(1)
        .map(|rest| rest.split("\n```").next().unwrap())
        .collect()
}

#[test]
fn every_policy_on_the_page_is_valid_and_means_somebody() {
    let mut organisation = Organisation::new();
    organisation.group_or_new("Night shift");
    let policies = blocks("toml");
    assert!(!policies.is_empty() && !blocks("json").is_empty());
    for source in policies {
        let mut found = check(
            source,
            Format::Toml,
            "policy.toml",
            Some(&organisation.directory),
        );
        // How long sessions last is the organisation's, and not what the examples are about.
        found.retain(|problem| problem.code != ProblemCode::SessionOutlives);
        assert_eq!(
            report_text("policy.toml", &found),
            "policy.toml: no problems\n",
            "{source}"
        );
    }
    for source in blocks("json") {
        let mut found = check(
            source,
            Format::Json,
            "policy.json",
            Some(&organisation.directory),
        );
        found.retain(|problem| problem.code != ProblemCode::SessionOutlives);
        assert_eq!(found, [], "{source}");
    }
}

#[test]
fn every_case_on_the_page_passes() {
    let cases = blocks("json cases");
    assert_eq!(cases.len(), 1);
    let reports = run_cases(cases[0], "cases.json", None).unwrap();
    assert_eq!(reports.len(), 2);
    let text = cases_text(&reports);
    assert!(text.ends_with("2 passed, 0 failed\n"), "{text}");
}

#[test]
fn every_line_of_a_rule_on_the_page_is_one_that_a_rule_can_have() {
    let lines = blocks("toml rule");
    assert!(lines.len() >= 4);
    let organisation = Organisation::new();
    for block in lines {
        for line in block.lines().filter(|line| !line.is_empty()) {
            let (key, value) = line.split_once(" = ").unwrap();
            let value = value.split("  #").next().unwrap();
            let source = format!("version = 1\n{}", rule("r", &[(key, value)]));
            let found = check(
                &source,
                Format::Toml,
                "policy.toml",
                Some(&organisation.directory),
            );
            assert_eq!(found, [], "{line}");
        }
    }
}

#[test]
fn every_table_row_of_asks_has_the_verdict_that_the_page_says() {
    let organisation = Organisation::new();
    let source = blocks("toml")[0];
    let file = parse(source, Format::Toml, "policy.toml").unwrap();
    let policy = resolve(&file, &organisation.directory, &Setting::default()).policy;
    let mut rows = 0;
    for row in PAGE
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 6)
    {
        let cells: Vec<&str> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [_, by, account, set, duration, expected, _] = cells[..] else {
            panic!("{row}");
        };
        let verdict = organisation.ask(&policy, by, account, set, duration);
        assert_eq!(
            verdict.code.as_str(),
            expected,
            "{row}: {:?}",
            verdict.reasons
        );
        rows += 1;
    }
    assert!(rows >= 5);
}

#[test]
fn every_row_with_a_time_or_a_ticket_has_the_verdict_that_the_page_says() {
    let mut organisation = Organisation::new();
    organisation.hold("Night shift", &[("Network", "Billing")]);
    let policy = blocks("toml")[1];
    let policy = organisation.policy(&policy.replacen("version = 1", "", 1));
    let mut rows = 0;
    for row in PAGE
        .lines()
        .filter(|line| line.starts_with("| `") && line.matches('|').count() == 9)
    {
        let cells: Vec<&str> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        let [
            _,
            by,
            account,
            set,
            duration,
            now,
            start,
            ticket,
            expected,
            _,
        ] = cells[..]
        else {
            panic!("{row}");
        };
        let mut proposal = organisation.proposal(by, account, set, duration);
        proposal.now = at(now);
        proposal.start = (!start.is_empty()).then(|| at(start));
        proposal.ticket = (!ticket.is_empty()).then(|| ticket.to_owned());
        let verdict = decide(&policy, &proposal, &organisation.facts());
        assert_eq!(verdict.code.as_str(), expected, "{row}: {verdict:#?}");
        rows += 1;
    }
    assert!(rows >= 8);
}

#[test]
fn the_include_on_the_page_reads_what_it_says() {
    let source = blocks("toml include")[0];
    assert_eq!(
        included_files(source, Format::Toml),
        ["teams/payments.toml"]
    );
    let theirs = format!("version = 1\n{}", rule("theirs", &[]));
    let files = included(&[("teams/payments.toml", &theirs)]);
    assert_eq!(check_with(source, Format::Toml, "p", &files, None), []);
}

/// Every key that a table of the language knows is on the page: the reader's own message lists them.
#[test]
fn the_page_has_every_key() {
    let source = "version = 1\nx = 1\n[defaults]\nx = 1\nreason = { x = 1 }\n[[rule]]\nx = 1\n\
        [[guardrail]]\nx = 1\nticket = { x = 1 }\nhours = { x = 1 }\n[[include]]\nx = 1\nwithin = { x = 1 }\n";
    let found = check(source, Format::Toml, "p", None);
    let mut keys = 0;
    for problem in found.iter().filter(|p| p.code == ProblemCode::UnknownKey) {
        let known = problem.help.strip_prefix("known here: ").unwrap();
        for key in known.split(", ") {
            let written = [
                format!("`{key}`"),
                format!("`[{key}]`"),
                format!("`[[{key}]]`"),
                format!("{key} = "),
                format!("{{ {key} }}"),
            ];
            assert!(written.iter().any(|text| PAGE.contains(text)), "{key}");
            keys += 1;
        }
    }
    assert!(keys > 40, "{keys}");
}

#[test]
fn the_page_shows_the_problems_that_its_wrong_policy_has() {
    let source = blocks("toml wrong")[0];
    let found = check(source, Format::Toml, "policy.toml", None);
    assert_eq!(
        report_text("policy.toml", &found).trim_end(),
        blocks("text")[0]
    );
}

#[test]
fn the_page_lists_every_code() {
    let codes = |listed: &[&str]| {
        for code in listed {
            assert!(
                PAGE.contains(&format!("| `{code}` |")),
                "{code} is not on the page"
            );
        }
    };
    codes(&Code::ALL.map(Code::as_str));
    codes(&ProblemCode::ALL.map(ProblemCode::as_str));
}
