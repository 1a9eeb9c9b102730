//! Damaged input of every kind that is read: refused with its places, or read, and never a panic.
//!
//! A short deterministic form of the fuzz targets (`server/domain/fuzz`): the same seeds, the same
//! promises, a few hundred damages that are the same at each run.

use domain::policy::{Format, Problem, Setting, import, parse, report_text, resolve, suggest};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use crate::organisation::Organisation;

const POLICY_TOML: &str = include_str!("../../fuzz/seeds/policy/small.toml");
const POLICY_JSON: &str = include_str!("../../fuzz/seeds/policy/small.json");
const ELEVATOR: &str = include_str!("../../fuzz/seeds/import/both.json");
const INVENTORY: &str = include_str!("../../fuzz/seeds/suggest/two.json");

/// What happens to a piece of the text.
#[derive(Debug, Clone)]
enum Damage {
    /// Something else stands in its place.
    Replaced(String),
    /// It stands there twice.
    Repeated,
    /// It is found somewhere else as well.
    Copied(Index),
}

fn damages() -> impl Strategy<Value = Vec<(Index, usize, Damage)>> {
    let put = prop_oneof![
        "[\\[\\]{}=\",:*0-9a-z\n\u{e9}\u{202e}\u{0}]{0,12}",
        // What is right in one place and wrong in most others.
        select(
            &[
                "null",
                "true",
                "false",
                "-1",
                "1e9",
                "9223372036854775808",
                "\"\"",
                "[]",
                "{}",
                "*",
                "\"*\"",
                "\\u0000",
                "\\ud800",
                "\"\"\"",
                "[[rule]]",
                "# ",
                "\r\n",
                "ou:",
                "group:",
                "999999999999d",
            ][..]
        )
        .prop_map(str::to_owned),
    ];
    let damage = prop_oneof![
        4 => put.prop_map(Damage::Replaced),
        1 => Just(Damage::Repeated),
        1 => any::<Index>().prop_map(Damage::Copied),
    ];
    prop::collection::vec((any::<Index>(), 0..40_usize, damage), 1..4)
}

fn damaged(whole: &str, damages: &[(Index, usize, Damage)]) -> String {
    let mut text = whole.to_owned();
    for (at, length, damage) in damages {
        let start = text.floor_char_boundary(at.index(text.len() + 1));
        let end = text.ceil_char_boundary((start + length).min(text.len()));
        let piece = text[start..end].to_owned();
        match damage {
            Damage::Replaced(put) => text.replace_range(start..end, put),
            Damage::Repeated => text.insert_str(end, &piece),
            Damage::Copied(to) => {
                let to = text.floor_char_boundary(to.index(text.len() + 1));
                text.insert_str(to, &piece);
            }
        }
    }
    text
}

/// Runs the same damages each time: a failure in CI is one that everybody has.
fn with_damages(whole: &str, check: impl Fn(&str)) {
    let config = ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng)
        .run(&damages(), |damages| {
            check(&damaged(whole, &damages));
            Ok(())
        })
        .unwrap_or_else(|failure| panic!("{failure}"));
}

fn shown(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    let text = report_text("p", problems);
    assert_eq!(text.lines().count(), problems.len() + 1, "{text}");
}

#[test]
fn a_damaged_policy_is_read_or_refused() {
    let organisation = Organisation::new();
    for (whole, format) in [(POLICY_TOML, Format::Toml), (POLICY_JSON, Format::Json)] {
        assert!(
            parse(whole, format, "p").is_ok(),
            "the seed itself is right"
        );
        with_damages(whole, |text| match parse(text, format, "p") {
            Err(problems) => shown(&problems),
            Ok(file) => {
                let _ = resolve(&file, &organisation.directory, &Setting::default());
            }
        });
    }
}

#[test]
fn a_damaged_configuration_is_refused_or_becomes_a_policy_that_can_be_read() {
    assert!(import(ELEVATOR, "p").is_ok(), "the seed itself is right");
    with_damages(ELEVATOR, |text| match import(text, "p") {
        Err(problems) => shown(&problems),
        Ok(policy) => {
            let read = parse(&policy, Format::Toml, "p");
            assert!(read.is_ok(), "{read:?}\n{text}\n{policy}");
        }
    });
}

#[test]
fn a_damaged_inventory_is_refused_or_becomes_a_policy_that_can_be_read() {
    assert!(suggest(INVENTORY, "p").is_ok(), "the seed itself is right");
    with_damages(INVENTORY, |text| match suggest(text, "p") {
        Err(problems) => shown(&problems),
        Ok(policy) => {
            let read = parse(&policy, Format::Toml, "p");
            assert!(read.is_ok(), "{read:?}\n{text}\n{policy}");
        }
    });
}
