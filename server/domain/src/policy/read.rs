//! Gives the tree its meaning, and reports everything in it that has none.
//!
//! A key that was not asked for is unknown, so the list of known keys is never written down twice.
//! Parts of the language that this Belay does not read yet are errors: a guardrail that was skipped
//! in silence would be a hole.

use std::collections::{BTreeMap, BTreeSet};

use super::language::{
    AccountSelector, Approval, Defaults, MAX_APPROVALS, MAX_WAIT, MAX_WINDOW, PersonSelector,
    Placed, PolicyFile, REASON_MAX, RuleName, RuleSource, SelfApproval, SetSelector, Unreadable,
};
use super::problem::{Place, Problem, ProblemCode, Problems, quote};
use super::seconds::Seconds;
use super::source::{Format, Node, Value, tree};
use super::table::{Need, Table, choice, length, list, not_yet, text, whole};

/// The version of the language, the only one so far.
const LANGUAGE: i64 = 1;

/// Far beyond what people can keep in their heads, and still decided in microseconds.
const MAX_RULES: usize = 5_000;

/// What a form can offer without becoming a puzzle.
const MAX_DURATIONS: usize = 12;

/// Reads a policy. Either all of it is right, or every problem is reported, in the file's order.
pub fn parse(source: &str, format: Format, file_name: &str) -> Result<PolicyFile, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    let file =
        tree(source, format, &mut problems).map(|root| policy(&root, file_name, &mut problems));
    match file {
        Some(file) if problems.is_empty() => Ok(file),
        _ => Err(problems.into_sorted()),
    }
}

fn policy(root: &Node, file_name: &str, problems: &mut Problems<'_>) -> PolicyFile {
    let mut top = Table::open(root, "the policy", problems);
    version(&mut top, problems);
    let admins = named_people(&mut top, "admins", problems);
    let auditors = named_people(&mut top, "auditors", problems);
    let defaults = top
        .take("defaults")
        .map_or_else(Defaults::default, |entry| defaults(&entry.node, problems));
    let rules = rules(&mut top, &defaults, problems);
    for (key, what) in [
        ("guardrail", "guardrails are"),
        ("include", "included files are"),
    ] {
        if let Some(entry) = top.take(key) {
            for place in places(&entry.node) {
                not_yet(place, &format!("{what} not supported yet"), problems);
            }
        }
    }
    top.close(problems);
    PolicyFile {
        file: file_name.to_owned(),
        admins,
        auditors,
        defaults,
        rules,
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

fn rules(top: &mut Table<'_>, defaults: &Defaults, problems: &mut Problems<'_>) -> Vec<RuleSource> {
    let Some(entry) = top.take("rule") else {
        problems.error(
            top.place,
            ProblemCode::MissingKey,
            "the policy has no rules, so nobody may ask for anything",
            "add a [[rule]]",
        );
        return Vec::new();
    };
    let Value::List(nodes) = &entry.node.value else {
        problems.error(
            entry.place,
            ProblemCode::WrongType,
            format!(
                "`rule` is {}, not a list of tables",
                entry.node.value.kind()
            ),
            "write [[rule]], with two brackets, above each rule",
        );
        return Vec::new();
    };
    if nodes.len() > MAX_RULES {
        problems.error(
            entry.place,
            ProblemCode::TooLarge,
            format!("there are {} rules", nodes.len()),
            format!("a policy has at most {MAX_RULES}"),
        );
        return Vec::new();
    }
    let rules: Vec<RuleSource> = nodes
        .iter()
        .filter_map(|node| rule(node, defaults, problems))
        .collect();
    let mut first: BTreeMap<&RuleName, Place> = BTreeMap::new();
    for rule in &rules {
        if let Some(earlier) = first.get(&rule.name.value) {
            problems.error(
                rule.name.place,
                ProblemCode::DuplicateName,
                format!(
                    "another rule is named `{}`, in line {}",
                    rule.name.value, earlier.line
                ),
                "give each rule a name of its own: verdicts and the audit log use it",
            );
        } else {
            first.insert(&rule.name.value, rule.name.place);
        }
    }
    rules
}

/// `None` only without a usable name; every other problem is reported and the reading goes on.
fn rule(node: &Node, defaults: &Defaults, problems: &mut Problems<'_>) -> Option<RuleSource> {
    let title = rule_title(node);
    let mut table = Table::open(node, &title, problems);
    let name = rule_name(&mut table, problems);
    let approval = choice(
        &mut table,
        "approval",
        &[("required", Approval::Required), ("none", Approval::None)],
        &[(
            "after",
            "break-glass (`approval = \"after\"`) is not supported yet",
        )],
        problems,
    );
    let self_approval = choice(
        &mut table,
        "self_approval",
        &[("allow", SelfApproval::Allow), ("deny", SelfApproval::Deny)],
        &[],
        problems,
    );
    let groups = table.take("groups");
    if let Some(groups) = groups {
        not_yet(
            groups.place,
            &format!("{title}: groups as targets are not supported yet"),
            problems,
        );
    }
    if let Some(notify) = table.take("notify") {
        not_yet(
            notify.place,
            &format!("{title}: `notify` is not supported yet"),
            problems,
        );
    }
    let needed = if groups.is_some() {
        Need::Optional
    } else {
        Need::Required
    };
    let accounts = list(
        &mut table,
        "accounts",
        needed,
        AccountSelector::parse,
        problems,
    );
    let permission_sets = list(
        &mut table,
        "permission_sets",
        needed,
        SetSelector::parse,
        problems,
    );
    let requesters = list(
        &mut table,
        "requesters",
        Need::Required,
        PersonSelector::parse,
        problems,
    );
    let needed = if approval == Some(Approval::None) {
        Need::Optional
    } else {
        Need::Required
    };
    let approvers = list(
        &mut table,
        "approvers",
        needed,
        PersonSelector::parse,
        problems,
    );
    let approvals = whole(&mut table, "approvals", 1, MAX_APPROVALS as usize, problems)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or(1);
    let max = length(&mut table, "max_duration", MAX_WINDOW, problems);
    if let Some(max) = &max
        && max.value < defaults.min_duration
    {
        shorter_than_min(max, "max_duration", defaults.min_duration, problems);
    }
    let limit = max.as_ref().map_or(defaults.max_duration, |max| max.value);
    let durations = durations(&mut table, defaults.min_duration, limit, problems);
    table.close(problems);
    Some(RuleSource {
        name: name?,
        accounts,
        permission_sets,
        requesters,
        approvers,
        approvals,
        approval,
        max_duration: max.map(|max| max.value),
        durations,
        self_approval,
    })
}

/// How messages call a rule: by its name if it has a readable one.
fn rule_title(node: &Node) -> String {
    let Value::Table(entries) = &node.value else {
        return "a rule".to_owned();
    };
    entries
        .iter()
        .find(|entry| entry.key == "name")
        .and_then(|entry| match &entry.node.value {
            Value::Text(name) if !name.is_empty() => Some(format!("rule {}", quote(name))),
            _ => None,
        })
        .unwrap_or_else(|| "a rule without a name".to_owned())
}

fn rule_name(table: &mut Table<'_>, problems: &mut Problems<'_>) -> Option<Placed<RuleName>> {
    const FORM: &str =
        "a name is 1 to 64 letters, digits, spaces or ._-, with a letter or digit at both ends";
    let Some(entry) = table.take("name") else {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            "a rule has no name",
            "add a name: verdicts and the audit log call the rule by it",
        );
        return None;
    };
    let text = text(entry, table, problems)?;
    let Some(value) = RuleName::parse(&text.value) else {
        problems.error(
            text.place,
            ProblemCode::InvalidValue,
            format!("{} is not a rule name", quote(&text.value)),
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

fn durations(
    table: &mut Table<'_>,
    min: Seconds,
    max: Seconds,
    problems: &mut Problems<'_>,
) -> Vec<Seconds> {
    let found = list(
        table,
        "durations",
        Need::Optional,
        |text| {
            Seconds::parse(text).map_err(|e| Unreadable {
                message: format!("{} is not a duration: {e}", quote(text)),
                help: "write it like \"20s\", \"15m\" or \"1h30m\"".to_owned(),
            })
        },
        problems,
    );
    if found.len() > MAX_DURATIONS {
        problems.error(
            found[MAX_DURATIONS].place,
            ProblemCode::TooLarge,
            format!("{}: `durations` has {} entries", table.title, found.len()),
            format!("a form offers at most {MAX_DURATIONS}"),
        );
    }
    for entry in &found {
        if entry.value < min {
            shorter_than_min(entry, "durations", min, problems);
        } else if entry.value > max {
            problems.error(
                entry.place,
                ProblemCode::Contradiction,
                format!(
                    "{}: offers {}, and allows at most {max}",
                    table.title, entry.value
                ),
                "offer less, or raise `max_duration`",
            );
        }
    }
    let unique: BTreeSet<Seconds> = found.into_iter().map(|entry| entry.value).collect();
    unique.into_iter().collect()
}

fn shorter_than_min(found: &Placed<Seconds>, key: &str, min: Seconds, problems: &mut Problems<'_>) {
    problems.error(
        found.place,
        ProblemCode::Contradiction,
        format!("`{key}` says {}, and `min_duration` is {min}", found.value),
        "make it longer, or lower `min_duration` in [defaults]",
    );
}

/// Where each of several tables begins, or the one.
fn places(node: &Node) -> Vec<Place> {
    match &node.value {
        Value::List(items) if !items.is_empty() => items.iter().map(|item| item.place).collect(),
        _ => vec![node.place],
    }
}
