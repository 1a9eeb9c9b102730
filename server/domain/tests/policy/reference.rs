//! Every example of the reference page is run.

use domain::policy::{Code, Format, ProblemCode, Setting, check, parse, report_text, resolve};

use crate::organisation::{Organisation, rule};

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
    let organisation = Organisation::new();
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
