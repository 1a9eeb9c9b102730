//! `belay policy check`: every problem of a policy, without a server and without AWS.

use std::path::Path;

use domain::policy;

use crate::policy_text::PolicyText;

use super::{Outcome, print, print_json, say};

/// Reports the problems of one file.
pub(super) fn check(file: &Path, json: bool) -> Outcome {
    let source = match PolicyText::read_file(file) {
        Ok(source) => source,
        Err(error) => {
            say(&error.to_string());
            return Outcome::Unknown;
        }
    };
    let name = &source.place;
    let problems = policy::check_with(&source.text, source.format(), name, &source.included, None);
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
