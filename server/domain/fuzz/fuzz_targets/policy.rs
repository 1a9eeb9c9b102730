//! Whatever is written as a policy, in either notation, it is read or refused with its places.

#![no_main]

use domain::directory::Directory;
use domain::policy::{Format, Problem, Setting, Severity, check, parse, report_text, resolve};
use libfuzzer_sys::fuzz_target;

fn shown(problems: &[Problem]) {
    assert!(!problems.is_empty(), "refused without a reason");
    let text = report_text("p", problems);
    assert_eq!(text.lines().count(), problems.len() + 1, "{text}");
}

fuzz_target!(|source: &str| {
    for format in [Format::Toml, Format::Json] {
        match parse(source, format, "p") {
            Err(problems) => shown(&problems),
            Ok(file) => {
                let directory = Directory::default();
                let first = resolve(&file, &directory, &Setting::default());
                let again = resolve(&file, &directory, &Setting::default());
                assert_eq!(first.policy.version(), again.policy.version());
                let found = check(source, format, "p", Some(&directory));
                let warnings = found.iter().all(|p| p.severity == Severity::Warning);
                assert!(warnings, "{found:?}");
            }
        }
    }
});
