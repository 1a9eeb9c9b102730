//! `belay reference`: every configuration variable, from the same list that start-up checks.

use serde::Serialize;

use crate::config::{Absent, VARIABLES};

use super::{Outcome, print, print_json};

#[derive(Serialize)]
struct Row {
    name: &'static str,
    meaning: &'static str,
    absent: String,
}

/// Prints the list.
pub(super) fn run(json: bool) -> Outcome {
    let rows: Vec<Row> = VARIABLES
        .iter()
        .map(|variable| Row {
            name: variable.name,
            meaning: variable.meaning.trim(),
            absent: absent(variable.absent),
        })
        .collect();
    if json {
        print_json(&rows);
        return Outcome::Yes;
    }
    for row in rows {
        print(&format!(
            "{}\n    {}\n    {}\n",
            row.name, row.meaning, row.absent
        ));
    }
    Outcome::Yes
}

fn absent(absent: Absent) -> String {
    match absent {
        Absent::Refused => "Required.".to_owned(),
        Absent::RefusedForPortal => "Required, except with --role worker.".to_owned(),
        Absent::Default("") => "Empty unless set.".to_owned(),
        Absent::Default(text) => format!("`{text}` unless set."),
        Absent::Off => "Off unless set.".to_owned(),
    }
}
