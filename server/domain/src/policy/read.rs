//! Gives the tree its meaning, and reports everything in it that has none.
//!
//! A key that was not asked for is unknown, so the list of known keys is never written down twice.

mod guardrail;
mod include;
mod rule;

use std::collections::BTreeMap;

use self::guardrail::{MAX_GUARDRAILS, guardrails};
use self::include::includes;
pub use self::include::{Included, included_files};
use self::rule::{MAX_RULES, rules};
use super::language::{
    Defaults, IncludeIndex, MAX_WAIT, MAX_WINDOW, Placed, PolicyFile, REASON_MAX, RuleName,
};
use super::problem::{Place, Problem, ProblemCode, Problems, quote};
use super::seconds::Seconds;
use super::selector::PersonSelector;
use super::source::{Entry, Format, Node, Value, tree};
use super::table::{Need, Table, length, list, text, whole};

/// The version of the language, the only one so far.
const LANGUAGE: i64 = 1;

/// The most rules that there may be, written generously, are some 2 MB. Each version is kept whole, in
/// one transaction of the table, which takes 4 MB.
const MAX_WHOLE: usize = 2 << 20;

/// Reads a policy that includes no other file. Either all of it is right, or every problem is
/// reported, in the file's order.
pub fn parse(source: &str, format: Format, file_name: &str) -> Result<PolicyFile, Vec<Problem>> {
    parse_with(source, format, file_name, &Included::new())
}

/// Reads a policy with the files that it includes ([`included_files`] names them). Either all of it
/// is right, or every problem is reported.
pub fn parse_with(
    source: &str,
    format: Format,
    file_name: &str,
    included: &Included,
) -> Result<PolicyFile, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    let texts = included.values().filter_map(|text| text.as_ref().ok());
    let whole = source.len() + texts.map(String::len).sum::<usize>();
    if whole > MAX_WHOLE {
        problems.error(
            Place::START,
            ProblemCode::TooLarge,
            format!("with what it includes the policy has {whole} bytes"),
            format!("all files together have at most {MAX_WHOLE}"),
        );
        return Err(problems.into_sorted());
    }
    let file = tree(source, format, &mut problems)
        .map(|root| policy(&root, file_name, included, &mut problems));
    match file {
        Some(file) if problems.is_empty() => Ok(file),
        _ => Err(problems.into_sorted()),
    }
}

fn policy<'a>(
    root: &Node,
    file_name: &'a str,
    included: &'a Included,
    problems: &mut Problems<'a>,
) -> PolicyFile {
    let mut top = Table::open(root, "the policy", problems);
    version(&mut top, problems);
    let admins = named_people(&mut top, "admins", problems);
    let auditors = named_people(&mut top, "auditors", problems);
    let defaults = top
        .take("defaults")
        .map_or_else(Defaults::default, |entry| defaults(&entry.node, problems));
    let mut file = PolicyFile {
        file: file_name.to_owned(),
        admins,
        auditors,
        defaults,
        rules: rules(&mut top, &defaults, None, problems),
        guardrails: guardrails(&mut top, &defaults, None, problems),
        includes: Vec::new(),
    };
    includes(&mut top, &mut file, included, problems);
    top.close(problems);
    for (key, found, max) in [
        ("rule", file.rules.len(), MAX_RULES),
        ("guardrail", file.guardrails.len(), MAX_GUARDRAILS),
    ] {
        if found > max {
            problems.error(
                Place::START,
                ProblemCode::TooLarge,
                format!("with what is included there are {found} of `{key}`"),
                format!("a policy has at most {max}"),
            );
        }
    }
    if file.rules.is_empty() && problems.is_empty() {
        problems.error(
            Place::START,
            ProblemCode::MissingKey,
            "the policy has no rules, so nobody may ask for anything",
            "add a [[rule]]",
        );
    }
    names_are_unique(&file, problems);
    file
}

/// Verdicts, pages and the audit log call rules and guardrails by their names.
fn names_are_unique(file: &PolicyFile, problems: &mut Problems<'_>) {
    let rules = file.rules.iter().map(|rule| (&rule.name, rule.included));
    let guardrails = file
        .guardrails
        .iter()
        .map(|guardrail| (&guardrail.name, guardrail.included));
    let mut first: BTreeMap<&RuleName, (Place, Option<IncludeIndex>)> = BTreeMap::new();
    for (name, included) in rules.chain(guardrails) {
        let Some((earlier, place)) = first.get(&name.value) else {
            first.insert(&name.value, (name.place, included));
            continue;
        };
        let elsewhere = if *place == included {
            String::new()
        } else {
            format!(" of {}", file.file_of(*place))
        };
        let message = format!(
            "another rule or guardrail is named `{}`, in line {}{elsewhere}",
            name.value, earlier.line
        );
        problems.error_in(
            file.file_of(included),
            name.place,
            ProblemCode::DuplicateName,
            message,
            "give each rule and guardrail a name of its own: verdicts and the audit log use it",
        );
    }
}

fn version(top: &mut Table<'_>, problems: &mut Problems<'_>) {
    match top.take("version").map(|entry| &entry.node) {
        Some(Node {
            value: Value::Whole(LANGUAGE),
            ..
        }) => {}
        Some(node) => problems.error(
            node.place,
            ProblemCode::UnsupportedVersion,
            "this Belay reads version 1 of the policy language",
            "write version = 1",
        ),
        None => problems.error(
            top.place,
            ProblemCode::UnsupportedVersion,
            "the policy does not say which version of the language it is written in",
            "begin with version = 1",
        ),
    }
}

fn defaults(node: &Node, problems: &mut Problems<'_>) -> Defaults {
    let standard = Defaults::default();
    let mut table = Table::open(node, "[defaults]", problems);
    let max = length(&mut table, "max_duration", MAX_WINDOW, problems);
    let min = length(&mut table, "min_duration", MAX_WINDOW, problems);
    let wait = length(&mut table, "request_expires_after", MAX_WAIT, problems);
    let reason_min = table
        .take("reason")
        .and_then(|entry| {
            let mut reason = Table::open(&entry.node, "`reason`", problems);
            let min = whole(&mut reason, "min_length", 0, REASON_MAX, problems);
            reason.close(problems);
            min
        })
        .unwrap_or(standard.reason_min);
    table.close(problems);
    let min_duration = min.as_ref().map_or(standard.min_duration, |min| min.value);
    let max_duration = match (&max, &min) {
        (Some(max), _) => max.value,
        (None, Some(min)) => standard.max_duration.max(min.value),
        (None, None) => standard.max_duration,
    };
    if let Some(max) = max
        && max.value < min_duration
    {
        shorter_than_min(&max, "max_duration", min_duration, problems);
    }
    Defaults {
        max_duration,
        min_duration,
        request_expires_after: wait.map_or(standard.request_expires_after, |wait| wait.value),
        reason_min,
    }
}

/// The tables of one kind, `[[rule]]` and the like; none if there are too many.
fn tables<'n>(
    top: &mut Table<'n>,
    key: &'static str,
    max: usize,
    problems: &mut Problems<'_>,
) -> &'n [Node] {
    let Some(Entry { place, node, .. }) = top.take(key) else {
        return &[];
    };
    let Value::List(nodes) = &node.value else {
        problems.error(
            *place,
            ProblemCode::WrongType,
            format!("`{key}` is {}, not a list of tables", node.value.kind()),
            format!("write [[{key}]], with two brackets, above each"),
        );
        return &[];
    };
    if nodes.len() > max {
        problems.error(
            *place,
            ProblemCode::TooLarge,
            format!("there are {} of `{key}`", nodes.len()),
            format!("a policy has at most {max}"),
        );
        return &[];
    }
    nodes
}

/// How messages call a rule or guardrail: by its name if it has a readable one.
fn title(node: &Node, kind: &str) -> String {
    let Value::Table(entries) = &node.value else {
        return format!("a {kind}");
    };
    entries
        .iter()
        .find(|entry| entry.key == "name")
        .and_then(|entry| match &entry.node.value {
            Value::Text(name) if !name.is_empty() => Some(format!("{kind} {}", quote(name))),
            _ => None,
        })
        .unwrap_or_else(|| format!("a {kind} without a name"))
}

fn name(
    table: &mut Table<'_>,
    kind: &str,
    problems: &mut Problems<'_>,
) -> Option<Placed<RuleName>> {
    const FORM: &str =
        "a name is 1 to 64 letters, digits, spaces or ._-, with a letter or digit at both ends";
    let Some(entry) = table.take("name") else {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            format!("a {kind} has no name"),
            "add a name: verdicts and the audit log call it by that",
        );
        return None;
    };
    let text = text(entry, table, problems)?;
    let Some(value) = RuleName::parse(&text.value) else {
        problems.error(
            text.place,
            ProblemCode::InvalidValue,
            format!("{} is not a name for a {kind}", quote(&text.value)),
            FORM,
        );
        return None;
    };
    Some(Placed {
        place: text.place,
        value,
    })
}

/// Admins and auditors are named one by one or by group: `*` would make everyone one.
fn named_people(
    top: &mut Table<'_>,
    key: &'static str,
    problems: &mut Problems<'_>,
) -> Vec<Placed<PersonSelector>> {
    let people = list(top, key, Need::MayBeEmpty, PersonSelector::parse, problems);
    for person in &people {
        if person.value == PersonSelector::Everyone {
            problems.error(
                person.place,
                ProblemCode::InvalidValue,
                format!("`{key}` cannot be everyone"),
                "name users or groups",
            );
        }
    }
    people
}

fn shorter_than_min(found: &Placed<Seconds>, key: &str, min: Seconds, problems: &mut Problems<'_>) {
    problems.error(
        found.place,
        ProblemCode::Contradiction,
        format!("`{key}` says {}, and `min_duration` is {min}", found.value),
        "make it longer, or lower `min_duration` in [defaults]",
    );
}
