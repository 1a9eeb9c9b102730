//! One `[[include]]`: a team's own file, read as part of the policy, within its bounds.

use std::collections::BTreeMap;

use super::{guardrails, rules, tables};
use crate::policy::language::{IncludeIndex, IncludeSource, Placed, PolicyFile};
use crate::policy::problem::{ProblemCode, Problems, quote};
use crate::policy::selector::{AccountSelector, SetSelector};
use crate::policy::source::{Format, Node, Value, tree};
use crate::policy::table::{Need, Table, list, text};

/// A file for each team of a large company.
const MAX_INCLUDES: usize = 100;

/// The longest name of an included file.
const MAX_NAME: usize = 200;

/// The texts of included files by the name that the policy calls them, or why one could not be read.
pub type Included = BTreeMap<String, Result<String, String>>;

/// The files that a policy includes, in their order, each once. Says nothing of problems:
/// [`super::parse_with`] does.
#[must_use]
pub fn included_files(source: &str, format: Format) -> Vec<String> {
    let mut ignored = Problems::new("");
    let Some(Node {
        value: Value::Table(entries),
        ..
    }) = tree(source, format, &mut ignored)
    else {
        return Vec::new();
    };
    let Some(Value::List(nodes)) = entries
        .iter()
        .find(|entry| entry.key == "include")
        .map(|entry| &entry.node.value)
    else {
        return Vec::new();
    };
    let mut files: Vec<String> = Vec::new();
    for node in nodes.iter().take(MAX_INCLUDES) {
        if let Value::Table(entries) = &node.value
            && let Some(Value::Text(name)) = entries
                .iter()
                .find(|entry| entry.key == "file")
                .map(|entry| &entry.node.value)
            && is_file_name(name)
            && !files.contains(name)
        {
            files.push(name.clone());
        }
    }
    files
}

/// Beside the policy or below it: a team's file cannot be somewhere that only the policy's author
/// could have put it.
fn is_file_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        })
}

pub(super) fn includes<'a>(
    top: &mut Table<'_>,
    policy: &mut PolicyFile,
    included: &'a Included,
    problems: &mut Problems<'a>,
) {
    for node in tables(top, "include", MAX_INCLUDES, problems) {
        let Some(source) = include(node, problems) else {
            continue;
        };
        let name = &source.file;
        if policy
            .includes
            .iter()
            .any(|other| other.file.value == name.value)
        {
            problems.error(
                name.place,
                ProblemCode::Include,
                format!("{} is included twice", quote(&name.value)),
                "include it once, with all that it may reach in `within`",
            );
            continue;
        }
        match included.get_key_value(name.value.as_str()) {
            Some((file, Ok(text))) => {
                let index = policy.includes.len();
                problems.enter(file);
                contents(text, Format::of_file_name(file), index, policy, problems);
                problems.leave();
            }
            Some((_, Err(why))) => problems.error(
                name.place,
                ProblemCode::Include,
                format!("{} could not be read: {why}", quote(&name.value)),
                "it stands beside the policy, or below it",
            ),
            None => problems.error(
                name.place,
                ProblemCode::Include,
                format!("{} is not at hand", quote(&name.value)),
                "give the policy as a file, with what it includes beside it",
            ),
        }
        policy.includes.push(source);
    }
}

fn include(node: &Node, problems: &mut Problems<'_>) -> Option<IncludeSource> {
    let mut table = Table::open(node, "an include", problems);
    let file = file(&mut table, problems);
    let (accounts, permission_sets) = match table.take("within") {
        None => {
            problems.error(
                table.place,
                ProblemCode::MissingKey,
                "an include does not say how far it reaches",
                "add within = { accounts = [...], permission_sets = [...] }",
            );
            (Vec::new(), Vec::new())
        }
        Some(entry) => {
            let mut within = Table::open(&entry.node, "`within`", problems);
            let accounts = list(
                &mut within,
                "accounts",
                Need::Required,
                AccountSelector::parse,
                problems,
            );
            let sets = list(
                &mut within,
                "permission_sets",
                Need::Required,
                SetSelector::parse,
                problems,
            );
            within.close(problems);
            (accounts, sets)
        }
    };
    table.close(problems);
    Some(IncludeSource {
        file: file?,
        accounts,
        permission_sets,
    })
}

fn file(table: &mut Table<'_>, problems: &mut Problems<'_>) -> Option<Placed<String>> {
    let Some(entry) = table.take("file") else {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            "an include names no file",
            "add file = \"team.toml\"",
        );
        return None;
    };
    let name = text(entry, table, problems)?;
    if !is_file_name(&name.value) {
        problems.error(
            name.place,
            ProblemCode::InvalidValue,
            format!("{} is not a file beside the policy", quote(&name.value)),
            "write a name such as \"payments.toml\" or \"teams/payments.toml\"",
        );
        return None;
    }
    Some(name)
}

/// Rules and guardrails, and nothing else: who oversees, what holds by default and what is included
/// are the policy's own to say.
fn contents(
    text: &str,
    format: Format,
    index: IncludeIndex,
    policy: &mut PolicyFile,
    problems: &mut Problems<'_>,
) {
    let Some(root) = tree(text, format, problems) else {
        return;
    };
    let mut top = Table::open(&root, "the included file", problems);
    super::version(&mut top, problems);
    for key in ["admins", "auditors", "defaults", "include"] {
        if let Some(entry) = top.take(key) {
            problems.error(
                entry.place,
                ProblemCode::Include,
                format!("an included file cannot say `{key}`"),
                "write it in the policy that includes this file",
            );
        }
    }
    let defaults = policy.defaults;
    policy
        .rules
        .extend(rules(&mut top, &defaults, Some(index), problems));
    policy
        .guardrails
        .extend(guardrails(&mut top, &defaults, Some(index), problems));
    top.close(problems);
}
