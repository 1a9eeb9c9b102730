//! Reading one table of the tree: each value checked, each problem reported, what nobody asked for
//! reported too.

use std::collections::BTreeSet;

use super::language::Placed;
use super::problem::{Place, ProblemCode, Problems, nearest, quote};
use super::seconds::Seconds;
use super::selector::Unreadable;
use super::source::{Entry, Node, Value};

/// Characters in one entry: a group's name has up to 1,024, the longest of all that can be named.
const MAX_TEXT: usize = 1_100;

/// Entries in one list. Longer lists of people are groups, and of accounts OUs or tags.
const MAX_ENTRIES: usize = 1_000;

/// A table being read: what was asked for is known, what is left over is not.
pub(super) struct Table<'n> {
    pub(super) title: String,
    pub(super) place: Place,
    entries: &'n [Entry],
    asked: BTreeSet<&'static str>,
}

impl<'n> Table<'n> {
    pub(super) fn open(node: &'n Node, title: &str, problems: &mut Problems<'_>) -> Self {
        let entries = if let Value::Table(entries) = &node.value {
            entries.as_slice()
        } else {
            problems.error(
                node.place,
                ProblemCode::WrongType,
                format!("{title} is {}, not a table", node.value.kind()),
                "write it as keys with values",
            );
            &[]
        };
        Self {
            title: title.to_owned(),
            place: node.place,
            entries,
            asked: BTreeSet::new(),
        }
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<&'n Entry> {
        self.asked.insert(key);
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(super) fn close(self, problems: &mut Problems<'_>) {
        for entry in self.entries {
            if self.asked.contains(entry.key.as_str()) {
                continue;
            }
            let help = nearest(&entry.key, self.asked.iter().copied()).map_or_else(
                || {
                    let known: Vec<&str> = self.asked.iter().copied().collect();
                    format!("known here: {}", known.join(", "))
                },
                |known| format!("did you mean `{known}`?"),
            );
            problems.error(
                entry.place,
                ProblemCode::UnknownKey,
                format!("{} has no key {}", self.title, quote(&entry.key)),
                help,
            );
        }
    }
}

pub(super) fn text(
    entry: &Entry,
    table: &Table<'_>,
    problems: &mut Problems<'_>,
) -> Option<Placed<String>> {
    if let Value::Text(value) = &entry.node.value {
        return Some(Placed {
            place: entry.node.place,
            value: value.clone(),
        });
    }
    problems.error(
        entry.node.place,
        ProblemCode::WrongType,
        format!(
            "{}: `{}` is {}, not a text",
            table.title,
            entry.key,
            entry.node.value.kind()
        ),
        "put it in double quotes",
    );
    None
}

pub(super) fn length(
    table: &mut Table<'_>,
    key: &'static str,
    max: Seconds,
    problems: &mut Problems<'_>,
) -> Option<Placed<Seconds>> {
    let entry = table.take(key)?;
    let text = text(entry, table, problems)?;
    match Seconds::parse(&text.value) {
        Ok(value) if value.get() == 0 => problems.error(
            text.place,
            ProblemCode::InvalidValue,
            format!("{}: `{key}` is nothing", table.title),
            "write at least \"1s\"",
        ),
        Ok(value) if value > max => problems.error(
            text.place,
            ProblemCode::InvalidValue,
            format!("{}: `{key}` is longer than {max}", table.title),
            if key == "max_duration" {
                "write less: longer needs are standing access".to_owned()
            } else {
                format!("write at most \"{max}\"")
            },
        ),
        Ok(value) => {
            return Some(Placed {
                place: text.place,
                value,
            });
        }
        Err(e) => problems.error(
            text.place,
            ProblemCode::InvalidValue,
            format!(
                "{}: `{key}`: {} is not a duration: {e}",
                table.title,
                quote(&text.value)
            ),
            "write it like \"20s\", \"15m\" or \"1h30m\"",
        ),
    }
    None
}

pub(super) fn whole(
    table: &mut Table<'_>,
    key: &'static str,
    min: usize,
    max: usize,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let entry = table.take(key)?;
    let value = match &entry.node.value {
        Value::Whole(value) => usize::try_from(*value)
            .ok()
            .filter(|value| (min..=max).contains(value)),
        other => {
            problems.error(
                entry.node.place,
                ProblemCode::WrongType,
                format!("{}: `{key}` is {}, not a number", table.title, other.kind()),
                format!("write a number from {min} to {max}, without quotes"),
            );
            return None;
        }
    };
    if value.is_none() {
        problems.error(
            entry.node.place,
            ProblemCode::InvalidValue,
            format!("{}: `{key}` is out of range", table.title),
            format!("write a number from {min} to {max}"),
        );
    }
    value
}

/// `true` or `false`.
pub(super) fn flag(
    table: &mut Table<'_>,
    key: &'static str,
    problems: &mut Problems<'_>,
) -> Option<bool> {
    let entry = table.take(key)?;
    if let Value::Flag(flag) = entry.node.value {
        return Some(flag);
    }
    problems.error(
        entry.node.place,
        ProblemCode::WrongType,
        format!(
            "{}: `{key}` is {}, not true or false",
            table.title,
            entry.node.value.kind()
        ),
        "write true or false, without quotes",
    );
    None
}

/// One of a few words.
pub(super) fn choice<T: Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let entry = table.take(key)?;
    let known: Vec<String> = words
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    let help = format!("write {}, or leave it out", either(&known));
    let at = entry.node.place;
    let Value::Text(text) = &entry.node.value else {
        problems.error(
            at,
            ProblemCode::WrongType,
            format!(
                "{}: `{key}` cannot be {}",
                table.title,
                entry.node.value.kind()
            ),
            help,
        );
        return None;
    };
    if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
        return Some(*value);
    }
    problems.error(
        at,
        ProblemCode::InvalidValue,
        format!("{}: `{key}` cannot be {}", table.title, quote(text)),
        help,
    );
    None
}

/// Whether a list has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    /// It does, with at least one entry.
    Required,
    /// It may be left out, but if it is there it says something.
    Optional,
    /// It may be left out or empty.
    MayBeEmpty,
}

pub(super) fn list<T>(
    table: &mut Table<'_>,
    key: &'static str,
    need: Need,
    parse: impl Fn(&str) -> Result<T, Unreadable>,
    problems: &mut Problems<'_>,
) -> Vec<Placed<T>> {
    let Some(entry) = table.take(key) else {
        if need == Need::Required {
            problems.error(
                table.place,
                ProblemCode::MissingKey,
                format!("{} has no `{key}`", table.title),
                missing_help(key),
            );
        }
        return Vec::new();
    };
    let Value::List(nodes) = &entry.node.value else {
        problems.error(
            entry.node.place,
            ProblemCode::WrongType,
            format!(
                "{}: `{key}` is {}, not a list",
                table.title,
                entry.node.value.kind()
            ),
            "write it in square brackets, each entry in double quotes",
        );
        return Vec::new();
    };
    if nodes.is_empty() && need != Need::MayBeEmpty {
        problems.error(
            entry.node.place,
            ProblemCode::InvalidValue,
            format!("{}: `{key}` is empty", table.title),
            missing_help(key),
        );
    }
    if nodes.len() > MAX_ENTRIES {
        problems.error(
            entry.node.place,
            ProblemCode::TooLarge,
            format!("{}: `{key}` has {} entries", table.title, nodes.len()),
            format!("a list has at most {MAX_ENTRIES}; use a group, an OU or a tag"),
        );
        return Vec::new();
    }
    nodes
        .iter()
        .filter_map(|node| item(node, key, table, &parse, problems))
        .collect()
}

fn item<T>(
    node: &Node,
    key: &str,
    table: &Table<'_>,
    parse: impl Fn(&str) -> Result<T, Unreadable>,
    problems: &mut Problems<'_>,
) -> Option<Placed<T>> {
    let at = node.place;
    let text = match &node.value {
        Value::Text(text) => text,
        other => {
            problems.error(
                at,
                ProblemCode::WrongType,
                format!("{}: `{key}` has {} in it", table.title, other.kind()),
                "put each entry in double quotes, account ids too",
            );
            return None;
        }
    };
    let wrong = if text.trim() != text {
        Unreadable {
            message: format!("{} begins or ends with a space", quote(text)),
            help: "remove the space".to_owned(),
        }
    } else if text.chars().count() > MAX_TEXT {
        Unreadable {
            message: format!("{} is longer than anything it could name", quote(text)),
            help: format!("write at most {MAX_TEXT} characters"),
        }
    } else {
        match parse(text) {
            Ok(value) => return Some(Placed { place: at, value }),
            Err(wrong) => wrong,
        }
    };
    problems.error(
        at,
        ProblemCode::InvalidValue,
        format!("{}: `{key}`: {}", table.title, wrong.message),
        wrong.help,
    );
    None
}

fn missing_help(key: &str) -> &'static str {
    match key {
        "accounts" => "name accounts; \"*\" is all of them",
        "permission_sets" => "name permission sets; \"*\" is all of them",
        "requesters" => "name who may ask; \"*\" is everyone, and has to be written",
        "approvers" => "name who may approve, or write approval = \"none\"",
        "groups" => "name groups",
        _ => "add an entry, or leave the key out",
    }
}

/// `a`, `a or b`, `a, b or c`.
fn either(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}
