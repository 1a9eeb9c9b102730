//! `belay policy check`: every problem of a policy, without a server and without AWS.

use std::path::Path;

use domain::policy::{self, Format};

use super::{Outcome, print, print_json, say};

/// Reports the problems of one file.
pub(super) fn check(file: &Path, json: bool) -> Outcome {
    let source = match std::fs::read_to_string(file) {
        Ok(source) => source,
        Err(error) => {
            say(&format!("{} cannot be read: {error}", file.display()));
            return Outcome::Unknown;
        }
    };
    let name = file.display().to_string();
    let problems = policy::check(&source, Format::of_file_name(&name), &name, None);
    if json {
        print_json(&problems);
    } else {
        print(policy::report_text(&name, &problems).trim_end());
    }
    if problems.is_empty() {
        Outcome::Yes
    } else {
        Outcome::No
    }
}
