//! Every operation of AWS that a server uses, against every kind of fault: each pair is tried by a
//! test of these files, or it is said here why there is nothing to try. What a server uses is read
//! from its source, so that an operation nobody thought of shows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::{directory, doors, existence, memberships, shipping, table, worker};

const KINDS: [&str; 7] = [
    "latency",
    "throttle",
    "error",
    "lose-response",
    "lose-page",
    "fail-status",
    "stall",
];

/// The clients of the source, and whose they are.
const CLIENTS: [(&str, &str); 6] = [
    (".dynamodb.", "dynamodb"),
    (".ssoadmin.", "sso-admin"),
    (".identitystore.", "identitystore"),
    (".clients.people.", "identitystore"),
    (".organizations.", "organizations"),
    ("s3.", "s3"),
];

/// How the operations that exist begin.
const VERBS: [&str; 14] = [
    "get_",
    "put_",
    "list_",
    "describe_",
    "create_",
    "delete_",
    "update_",
    "batch_",
    "transact_",
    "is_",
    "head_",
    "copy_",
    "query",
    "scan",
];

/// Commands that run to their end and serve nobody: `doctor` tells what does not answer, and what reads
/// the organisation is judged in `inventory.rs` and `faults/directory.rs`, what finds the newest copy
/// in `from_copy.rs`.
const COMMANDS: [&str; 3] = ["cli", "inventory.rs", "latest.rs"];

pub(super) fn is_list(operation: &str) -> bool {
    operation.contains(":List")
}

/// Why a kind of fault has nothing to befall.
fn left_out(operation: &str, kind: &str) -> Option<&'static str> {
    let writes = operation.ends_with("AccountAssignment");
    match kind {
        "fail-status" if !writes => Some("it starts nothing that could fail later"),
        "lose-page" if operation == "dynamodb:Query" => Some(
            "a page of the table is a call like the first, and an error in any of them is the whole read's",
        ),
        "lose-page" if operation.ends_with("Status") => {
            Some("only the first page is read: who is not on it is asked about alone")
        }
        "lose-page" if doors::ONE_PAGE.contains(&operation) => {
            Some("nothing after its first page matters: see there")
        }
        "lose-page" if !is_list(operation) => Some("it has no pages"),
        _ => None,
    }
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if COMMANDS.contains(&name) {
            continue;
        }
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// `list_users` is `ListUsers`.
fn camel(snake: &str) -> String {
    let words = snake.split('_').filter(|word| !word.is_empty());
    words
        .map(|word| word[..1].to_uppercase() + &word[1..])
        .collect()
}

fn word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit()));
    &text[..end.unwrap_or(text.len())]
}

/// What the server's source calls.
fn used() -> BTreeSet<String> {
    let mut all = Vec::new();
    files(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut all,
    );
    let mut used = BTreeSet::new();
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap();
        let code: String = text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .flat_map(str::chars)
            .filter(|c| !c.is_whitespace())
            .collect();
        for (client, service) in CLIENTS {
            for (at, _) in code.match_indices(client) {
                let rest = &code[at + client.len()..];
                let called = word(rest);
                let is_call = rest[called.len()..].starts_with("()");
                if is_call && VERBS.iter().any(|verb| called.starts_with(verb)) {
                    used.insert(format!("{service}:{}", camel(called)));
                }
                // A call that a macro names: what the macro is given.
                if rest.starts_with("$call()") {
                    for (at, _) in code.match_indices("!(") {
                        let given = word(&code[at + 2..]);
                        if VERBS.iter().any(|verb| given.starts_with(verb)) {
                            used.insert(format!("{service}:{}", camel(given)));
                        }
                    }
                }
            }
        }
    }
    used
}

/// What tests try: operation and kind.
fn tried() -> BTreeSet<(String, String)> {
    let mut tried = BTreeSet::new();
    let mut add = |operation: &str, kind: &str| {
        tried.insert((operation.to_owned(), kind.to_owned()));
    };
    for operation in super::WAITED_FOR {
        for kind in super::TRIED {
            add(operation, kind);
        }
    }
    for (operation, kind) in doors::cells() {
        add(operation, kind);
    }
    let kind = |fault: &serde_json::Value| fault["kind"].as_str().unwrap().to_owned();
    for fault in directory::faults() {
        for operation in directory::OPERATIONS {
            add(operation, &kind(&fault));
        }
    }
    for fault in table::faults() {
        add("dynamodb:TransactWriteItems", &kind(&fault));
        add("dynamodb:GetItem", &kind(&fault));
    }
    for (operation, fault, _) in worker::cases() {
        add(operation, &kind(&fault));
    }
    for fault in worker::status_faults() {
        for operation in worker::STATUSES {
            add(&format!("sso-admin:{operation}"), &kind(&fault));
        }
    }
    for (operation, fault, _) in memberships::faults() {
        add(operation, &kind(&fault));
    }
    for fault in existence::faults() {
        for (operation, _) in existence::QUESTIONS {
            add(operation, &kind(&fault));
        }
    }
    for fault in shipping::faults().into_iter().flatten() {
        add(fault["operation"].as_str().unwrap(), &kind(&fault));
    }
    tried
}

#[test]
fn every_kind_of_fault_is_tried_on_every_operation_that_a_server_uses() {
    let used = used();
    // What was found is what is there: some of each service, and of what macros name.
    for known in [
        "dynamodb:TransactWriteItems",
        "sso-admin:CreateAccountAssignment",
        "sso-admin:ListAccountAssignmentDeletionStatus",
        "identitystore:GetUserId",
        "identitystore:IsMemberInGroups",
        "organizations:ListRoots",
        "s3:PutObject",
    ] {
        assert!(used.contains(known), "{known} is not found among {used:#?}");
    }
    let tried = tried();
    let mut wrong = Vec::new();
    for operation in &used {
        for kind in KINDS {
            let is_tried = tried.contains(&(operation.clone(), kind.to_owned()));
            match (is_tried, left_out(operation, kind)) {
                (true, None) | (false, Some(_)) => {}
                (false, None) => wrong.push(format!("{operation} under {kind} is not tried")),
                (true, Some(why)) => {
                    wrong.push(format!("{operation} under {kind} is tried, although {why}"));
                }
            }
        }
    }
    for (operation, _) in &tried {
        if !used.contains(operation) {
            wrong.push(format!("{operation} is tried, and not used"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
