//! SSO Elevator's statements, checked as that tool checks them when it starts.
//!
//! A value that it would refuse is refused here with its place. Two things are stricter: a key that
//! it would ignore is reported, since a misspelt restriction restricts nobody; and a flag is `true`
//! or `false`, never a text that reads like one.

use crate::id::{AccountId, GroupId, PermissionSetName};
use crate::policy::problem::{ProblemCode, Problems, quote};
use crate::policy::selector::Unreadable;
use crate::policy::source::{Entry, Node, Value};
use crate::policy::table::Table;

/// One statement that is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    /// What its rule is called: its kind and number, counted from 1 as it was written.
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) approvers: Vec<String>,
    pub(super) allow_self_approval: Option<bool>,
    pub(super) approval_is_not_required: Option<bool>,
    pub(super) allowed_groups: Vec<String>,
    pub(super) allowed_users: Vec<String>,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// Permission sets in accounts, `*` among them for all.
    Accounts {
        accounts: Vec<String>,
        permission_sets: Vec<String>,
    },
    /// Memberships, by the groups' ids.
    Groups(Vec<String>),
    /// A list was written and is empty: there it covers nothing, and says nothing.
    Nothing,
}

/// Which of the two lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Accounts,
    Groups,
}

/// Every statement, accounts first, in the order in which they were written.
pub(super) fn statements(root: &Node, problems: &mut Problems<'_>) -> Vec<Statement> {
    let mut top = Table::open(root, "the configuration", problems);
    let mut found = Vec::new();
    for (list, key, stored) in [
        (List::Accounts, "config", "statements"),
        (List::Groups, "group_config", "group_statements"),
    ] {
        let (named, kept) = (top.take(key), top.take(stored));
        if let (Some(_), Some(kept)) = (named, kept) {
            problems.error(
                kept.place,
                ProblemCode::Contradiction,
                format!("`{stored}` and `{key}` are two names of one list"),
                "keep one of them",
            );
        }
        if let Some(entry) = named.or(kept) {
            found.extend(statements_of(list, entry, problems));
        }
    }
    top.close(problems);
    found
}

fn statements_of(list: List, entry: &Entry, problems: &mut Problems<'_>) -> Vec<Statement> {
    match &entry.node.value {
        Value::List(nodes) => nodes
            .iter()
            .zip(1_u32..)
            .filter_map(|(node, number)| statement(list, number, node, problems))
            .collect(),
        // What Terraform writes for a variable that was not set.
        Value::Other(NULL) => Vec::new(),
        other => {
            problems.error(
                entry.node.place,
                ProblemCode::WrongType,
                format!("`{}` is {}, not a list", entry.key, other.kind()),
                "write the statements in square brackets",
            );
            Vec::new()
        }
    }
}

/// `None` if something in it is wrong, all of which was reported.
fn statement(
    list: List,
    number: u32,
    node: &Node,
    problems: &mut Problems<'_>,
) -> Option<Statement> {
    let name = match list {
        List::Accounts => format!("statement-{number}"),
        List::Groups => format!("group-statement-{number}"),
    };
    let mut table = Table::open(node, &name, problems);
    if !matches!(node.value, Value::Table(_)) {
        return None;
    }
    let kind = match list {
        List::Accounts => {
            resource_type(&mut table, problems);
            let accounts = texts(&mut table, "Resource", ACCOUNTS, account, problems);
            let sets = texts(&mut table, "PermissionSet", SETS, permission_set, problems);
            accounts.zip(sets).map(|(accounts, permission_sets)| {
                if accounts.is_empty() || permission_sets.is_empty() {
                    return Kind::Nothing;
                }
                Kind::Accounts {
                    accounts,
                    permission_sets,
                }
            })
        }
        List::Groups => texts(&mut table, "Resource", GROUPS, group, problems).map(|groups| {
            if groups.is_empty() {
                return Kind::Nothing;
            }
            Kind::Groups(groups)
        }),
    };
    let approvers = texts(&mut table, "Approvers", None, email, problems);
    let allow_self_approval = flag(&mut table, "AllowSelfApproval", problems);
    let approval_is_not_required = flag(&mut table, "ApprovalIsNotRequired", problems);
    let allowed_groups = texts(&mut table, "AllowedGroups", None, group, problems);
    let allowed_users = texts(&mut table, "AllowedUsers", None, email, problems);
    table.close(problems);
    Some(Statement {
        name,
        kind: kind?,
        approvers: approvers?,
        allow_self_approval,
        approval_is_not_required,
        allowed_groups: allowed_groups?,
        allowed_users: allowed_users?,
    })
}

/// That tool has a second word, `OU`, that it reads and never obeys.
fn resource_type(table: &mut Table<'_>, problems: &mut Problems<'_>) {
    let Some(entry) = table.take("ResourceType") else {
        // It can be nothing else.
        return;
    };
    let (code, found) = match &entry.node.value {
        Value::Text(text) if text == "Account" => return,
        Value::Text(text) => (ProblemCode::InvalidValue, quote(text)),
        other => (ProblemCode::WrongType, other.kind().to_owned()),
    };
    problems.error(
        entry.node.place,
        code,
        format!("{}: `ResourceType` cannot be {found}", table.title),
        "write \"Account\", the only kind that SSO Elevator supports",
    );
}

/// What to say where a list is missing that has to be there.
type Missing = Option<&'static str>;
const ACCOUNTS: Missing = Some("name accounts by their ids; \"*\" is all of them");
const SETS: Missing = Some("name permission sets; \"*\" is all of them");
const GROUPS: Missing = Some("name groups by their ids");

/// One text or a list of texts, each once. `None` if something in it is wrong.
fn texts(
    table: &mut Table<'_>,
    key: &'static str,
    missing: Missing,
    parse: impl Fn(&str) -> Result<(), Unreadable>,
    problems: &mut Problems<'_>,
) -> Option<Vec<String>> {
    let Some(entry) = table.take(key) else {
        let Some(help) = missing else {
            return Some(Vec::new());
        };
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            format!("{} has no `{key}`", table.title),
            help,
        );
        return None;
    };
    let nodes = match &entry.node.value {
        Value::List(nodes) => nodes.as_slice(),
        Value::Text(_) => std::slice::from_ref(&entry.node),
        other => {
            problems.error(
                entry.node.place,
                ProblemCode::WrongType,
                format!(
                    "{}: `{key}` is {}, not a text or a list of texts",
                    table.title,
                    other.kind()
                ),
                "put it in double quotes, an account id too, or leave the key out",
            );
            return None;
        }
    };
    let mut found: Vec<String> = Vec::with_capacity(nodes.len());
    let mut right = true;
    for node in nodes {
        let wrong = match &node.value {
            Value::Text(text) => match parse(text) {
                Ok(()) => {
                    found.push(text.clone());
                    continue;
                }
                Err(wrong) => (ProblemCode::InvalidValue, wrong),
            },
            other => (
                ProblemCode::WrongType,
                Unreadable {
                    message: format!("{} is in it", other.kind()),
                    help: "put each entry in double quotes, account ids too".to_owned(),
                },
            ),
        };
        right = false;
        let (code, Unreadable { message, help }) = wrong;
        let message = format!("{}: `{key}`: {message}", table.title);
        problems.error(node.place, code, message, help);
    }
    // That tool keeps sets: the same entry twice says nothing more.
    let mut seen = std::collections::BTreeSet::new();
    found.retain(|text| seen.insert(text.clone()));
    right.then_some(found)
}

/// What the tree calls `null`: here the same as a key that is not there.
const NULL: &str = "null";

/// `null` and absent say nothing, which is not what `false` says.
fn flag(table: &mut Table<'_>, key: &'static str, problems: &mut Problems<'_>) -> Option<bool> {
    let entry = table.take(key)?;
    match &entry.node.value {
        Value::Flag(flag) => Some(*flag),
        Value::Other(NULL) => None,
        other => {
            problems.error(
                entry.node.place,
                ProblemCode::WrongType,
                format!(
                    "{}: `{key}` is {}, not true or false",
                    table.title,
                    other.kind()
                ),
                "write true or false without quotes, or leave it out: each of the three means \
                 something else",
            );
            None
        }
    }
}

fn account(text: &str) -> Result<(), Unreadable> {
    if text == "*" || AccountId::parse(text).is_ok() {
        return Ok(());
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    Err(if digits {
        Unreadable {
            message: format!("{} has {} digits", quote(text), text.len()),
            help: "an AWS account id has 12".to_owned(),
        }
    } else {
        Unreadable {
            message: format!("{} is not an account", quote(text)),
            help: "write a 12-digit id, or \"*\" for all".to_owned(),
        }
    })
}

fn permission_set(text: &str) -> Result<(), Unreadable> {
    if text == "*" || PermissionSetName::parse(text).is_ok() {
        return Ok(());
    }
    Err(Unreadable {
        message: format!("{} is not a permission set", quote(text)),
        help: "a name is 1 to 32 letters, digits or +=,.@_-; \"*\" is all of them".to_owned(),
    })
}

fn group(text: &str) -> Result<(), Unreadable> {
    GroupId::parse(text).map(|_| ()).map_err(|_| Unreadable {
        message: format!("{} is not a group's id", quote(text)),
        help: "copy the group id from Identity Center, a UUID with or without ten digits before it"
            .to_owned(),
    })
}

/// As RFC 5321 and what people are really called: a part before the `@`, and a domain with a dot.
/// Nothing that passes needs quoting in TOML.
fn email(text: &str) -> Result<(), Unreadable> {
    /// The longest address that a mail server has to take.
    /// <https://www.rfc-editor.org/errata/eid1690>
    const LONGEST: usize = 254;
    let dotted = |part: &str, more: &str| {
        part.split('.').all(|piece| {
            !piece.is_empty()
                && piece
                    .chars()
                    .all(|c| c.is_alphanumeric() || more.contains(c))
        })
    };
    let right = text.len() <= LONGEST
        && text.split_once('@').is_some_and(|(person, domain)| {
            dotted(person, "!#$%&'*+/=?^_`{|}~-") && dotted(domain, "-") && domain.contains('.')
        });
    if right {
        return Ok(());
    }
    Err(Unreadable {
        message: format!("{} is not an e-mail address", quote(text)),
        help: "write it like \"ana@example.com\"".to_owned(),
    })
}
