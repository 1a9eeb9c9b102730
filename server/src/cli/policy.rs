//! `belay policy check`, `test` and `diff`: what can be said of a policy without a server.

use std::path::Path;
use std::sync::Arc;

use domain::policy::{self, PolicyFile, Setting};

use crate::policy_text::PolicyText;

use super::{Organisation, Outcome, print, print_json, print_line, read, say};

/// Reports the problems of one file.
pub(super) fn check(file: &Path, organisation: Option<&Organisation>, json: bool) -> Outcome {
    let source = match PolicyText::read_file(file) {
        Ok(source) => source,
        Err(error) => {
            say(&error.to_string());
            return Outcome::Unknown;
        }
    };
    let directory = match organisation.map(Organisation::load).transpose() {
        Ok(directory) => directory,
        Err(outcome) => return outcome,
    };
    let name = &source.place;
    let problems = policy::check_with(
        &source.text,
        source.format(),
        name,
        &source.included,
        directory.as_ref(),
    );
    if json {
        print_json(&problems);
    } else {
        print(policy::report_text(name, &problems).trim_end());
    }
    if problems.is_empty() {
        Outcome::Yes
    } else {
        Outcome::No
    }
}

/// Compares two policies.
pub(super) fn diff(old: &Path, new: &Path, organisation: &Organisation, json: bool) -> Outcome {
    let judged = || {
        let (old, new) = (load(old)?, load(new)?);
        let directory = organisation.load()?;
        let resolved = |file: &PolicyFile| {
            let resolved = policy::resolve(file, &directory, &Setting::default());
            for problem in &resolved.problems {
                say(&problem.to_string());
            }
            Arc::new(resolved.policy)
        };
        Ok(policy::diff(&resolved(&old), &resolved(&new), &directory))
    };
    let changes = match judged() {
        Ok(changes) => changes,
        // Problems of a policy are not differences.
        Err(Outcome::No) => return Outcome::Unknown,
        Err(outcome) => return outcome,
    };
    if json {
        print_json(&changes);
    } else {
        print(policy::diff_text(&changes).trim_end());
    }
    if changes.is_empty() {
        Outcome::Yes
    } else {
        Outcome::No
    }
}

/// Runs policy tests.
pub(super) fn test(cases: &Path, shared: Option<&Path>, json: bool) -> Outcome {
    let shared = match shared.map(load).transpose() {
        Ok(shared) => shared,
        Err(outcome) => return outcome,
    };
    let name = cases.display().to_string();
    let source = match read(cases) {
        Ok(source) => source,
        Err(outcome) => return outcome,
    };
    let reports = match policy::run_cases(&source, &name, shared.as_ref()) {
        Ok(reports) => reports,
        Err(problems) => {
            for problem in &problems {
                say(&problem.to_string());
            }
            return Outcome::No;
        }
    };
    let summary = policy::cases_summary(&reports);
    if json {
        for report in &reports {
            match &report.actual {
                Ok(actual) => print_line(actual),
                Err(problems) => {
                    for problem in problems {
                        say(&problem.to_string());
                    }
                    print_line(&serde_json::json!({ "name": report.name, "problems": problems }));
                }
            }
        }
        say(&summary);
    } else {
        print(policy::cases_text(&reports).trim_end());
    }
    if reports.iter().all(policy::CaseReport::passed) {
        Outcome::Yes
    } else {
        Outcome::No
    }
}

/// Reads a policy, or reports everything that is wrong with it.
pub(super) fn load(file: &Path) -> Result<PolicyFile, Outcome> {
    let source = PolicyText::read_file(file).map_err(|error| {
        say(&error.to_string());
        Outcome::Unknown
    })?;
    policy::parse_with(
        &source.text,
        source.format(),
        &source.place,
        &source.included,
    )
    .map_err(|problems| {
        for problem in &problems {
            say(&problem.to_string());
        }
        Outcome::No
    })
}
