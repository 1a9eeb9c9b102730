//! `belay policy import` and `belay policy suggest`: a file of another kind in, a policy out.
//!
//! The policy alone goes to stdout, so that `> policy.toml` holds a policy or nothing; problems go
//! to stderr. With `--json` both are one object on stdout.

use std::path::Path;

use domain::policy::Problem;
use serde::Serialize;

use super::{Outcome, print, print_json, read, say};

#[derive(Serialize)]
struct Converted<'a> {
    /// The policy as TOML; `null` if there are problems.
    policy: Option<&'a str>,
    problems: &'a [Problem],
}

/// Converts one file.
pub(super) fn run(
    file: &Path,
    json: bool,
    convert: impl Fn(&str, &str) -> Result<String, Vec<Problem>>,
) -> Outcome {
    let name = file.display().to_string();
    let source = match read(file) {
        Ok(source) => source,
        Err(outcome) => return outcome,
    };
    let converted = convert(&source, &name);
    if json {
        print_json(&Converted {
            policy: converted.as_deref().ok(),
            problems: converted.as_ref().err().map_or(&[], Vec::as_slice),
        });
    }
    match converted {
        Ok(policy) => {
            if !json {
                print(policy.trim_end());
            }
            Outcome::Yes
        }
        Err(problems) => {
            if !json {
                for problem in &problems {
                    say(&problem.to_string());
                }
                let errors = if problems.len() == 1 {
                    "error"
                } else {
                    "errors"
                };
                say(&format!(
                    "{name}: {} {errors}; no policy was written",
                    problems.len()
                ));
            }
            Outcome::No
        }
    }
}
