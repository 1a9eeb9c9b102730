//! What was typed: texts by name, from the environment and from a file, before any has a meaning.

use std::collections::BTreeMap;
use std::path::Path;

use super::Problem;
use super::variables::{self, VARIABLES};

/// A configuration of some 20 short lines; more than this is another file given by mistake.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// The texts, each with where it came from. The environment wins over the file, so that one value
/// can be changed for one run.
#[derive(Debug, Default)]
pub(super) struct Typed {
    texts: BTreeMap<String, String>,
}

impl Typed {
    /// Collects both sources; every name that is unknown, reserved or not a text is a problem.
    pub(super) fn collect(
        environment: impl IntoIterator<Item = (String, String)>,
        file: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut typed = Self::default();
        if let Some(path) = file {
            typed.read_file(path, problems);
        }
        for (name, value) in environment {
            if name.starts_with("BELAY_") && known(&name, "the environment", problems) {
                typed.texts.insert(name, value);
            }
        }
        typed
    }

    /// The text of a variable; one that is empty or blank counts as absent, as shells and
    /// container definitions often leave them.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.texts
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    fn read_file(&mut self, path: &Path, problems: &mut Vec<Problem>) {
        let table = match read_table(path) {
            Ok(table) => table,
            Err(why) => {
                problems.push(Problem::new(
                    "--config",
                    why,
                    "give a TOML file of BELAY_... = \"...\" lines",
                ));
                return;
            }
        };
        let shown = path.display().to_string();
        for (name, value) in table {
            if !known(&name, &shown, problems) {
                continue;
            }
            match text_of(&value) {
                Some(text) => {
                    self.texts.insert(name, text);
                }
                None => problems.push(Problem::new(
                    &name,
                    format!("is a {} in {shown}", value.type_str()),
                    "write a text, a number or a list of texts",
                )),
            }
        }
    }
}

fn read_table(path: &Path) -> Result<toml::Table, String> {
    let shown = path.display();
    let size = std::fs::metadata(path)
        .map_err(|error| format!("cannot read {shown}: {error}"))?
        .len();
    if size > MAX_FILE_BYTES {
        return Err(format!(
            "{shown} has {size} bytes; a configuration has at most {MAX_FILE_BYTES}"
        ));
    }
    std::fs::read_to_string(path)
        .map_err(|error| format!("cannot read {shown}: {error}"))?
        .parse::<toml::Table>()
        .map_err(|error| format!("{shown} is not TOML: {}", error.to_string().trim_end()))
}

/// Lists are written as lists in TOML and with commas in the environment; both mean the same.
fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
            .map(|texts| texts.join(",")),
        _ => None,
    }
}

fn known(name: &str, from: &str, problems: &mut Vec<Problem>) -> bool {
    if VARIABLES.iter().any(|variable| variable.name == name) {
        return true;
    }
    let problem = if variables::is_reserved(name) {
        Problem::new(
            name,
            format!("is set in {from} but is not supported yet"),
            "remove it: nothing would happen",
        )
    } else if name.starts_with("AWS_") {
        Problem::new(
            name,
            format!("is set in {from}; AWS's names are read from the environment only"),
            "set it in the environment",
        )
    } else if let Some(nearest) = variables::nearest(name) {
        Problem::new(
            name,
            format!("is set in {from} and is not a name that Belay knows"),
            format!("did you mean {nearest}?"),
        )
    } else {
        Problem::new(
            name,
            format!("is set in {from} and is not a name that Belay knows"),
            "remove it, or see `belay reference` for all names",
        )
    };
    problems.push(problem);
    false
}
