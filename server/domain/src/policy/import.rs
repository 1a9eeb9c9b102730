//! From SSO Elevator's configuration to a policy that decides the same.
//!
//! Read from that tool's documentation and behaviour, release 5: a statement that covers the target
//! and whose restrictions admit the requester is *eligible*. `ApprovalIsNotRequired: true` grants at
//! once unless an eligible statement says `false`. `AllowSelfApproval: true` grants at once to a
//! requester who is an approver of that statement, unless an eligible statement of which they are an
//! approver says `false`. Otherwise the approvers of all eligible statements, but for the requester,
//! are asked, and any one of them is enough. A flag that is absent or `null` says nothing.
//!
//! Each of these is one key of our language, so a statement becomes a rule, and nothing of one
//! statement is mixed into another. Where that tool is unsafe the policy differs and a comment says
//! so. `writing` knows our language, `statement` knows theirs.
//!
//! Deliberately absent: names of accounts, OUs and groups. That tool knows none, and the ids that it
//! is configured with mean the same for ever.

mod statement;
mod writing;

use super::problem::{Problem, ProblemCode, Problems};
use super::source::{Format, Node, tree};
use super::written::too_large;
use statement::{Kind, Statement, statements};

/// The approver of a statement that has none. That tool counts such a statement: it covers the
/// target, and what it forbids binds. Our language wants approvers wherever somebody has to agree.
/// This id is all zeros, and nobody can be given it.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

/// Turns SSO Elevator's JSON, an object with the lists `config` and `group_config`, into a policy in
/// TOML. The names that its own bucket uses, `statements` and `group_statements`, are read too.
///
/// Either all of it is right, or every problem is reported, in the file's order.
pub fn import(source: &str, file_name: &str) -> Result<String, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    let policy =
        read(source, &mut problems).and_then(|(root, found)| policy(&root, &found, &mut problems));
    match policy {
        Some(policy) if problems.is_empty() => Ok(policy),
        _ => Err(problems.into_sorted()),
    }
}

/// The same for a test of what it decides: `None` if no statement says anything, which that tool
/// takes, and which is no policy of ours.
pub(super) fn import_or_nothing(
    source: &str,
    file_name: &str,
) -> Result<Option<String>, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    match read(source, &mut problems) {
        Some((_, found)) if says_nothing(&found) => Ok(None),
        _ => import(source, file_name).map(Some),
    }
}

fn says_nothing(found: &[Statement]) -> bool {
    found
        .iter()
        .all(|statement| statement.kind == Kind::Nothing)
}

/// Every statement, if all of them are right.
fn read(source: &str, problems: &mut Problems<'_>) -> Option<(Node, Vec<Statement>)> {
    let root = tree(source, Format::Json, problems)?;
    let found = statements(&root, problems);
    problems.is_empty().then_some((root, found))
}

fn policy(root: &Node, found: &[Statement], problems: &mut Problems<'_>) -> Option<String> {
    if found.is_empty() {
        problems.error(
            root.place,
            ProblemCode::MissingKey,
            "the configuration has no statement, so nobody may ask for anything",
            "give the statements as the lists `config` and `group_config`",
        );
        return None;
    }
    if says_nothing(found) {
        problems.error(
            root.place,
            ProblemCode::InvalidValue,
            "no statement names anything that could be asked for",
            "fill in `Resource`, and `PermissionSet` where it is for accounts",
        );
        return None;
    }
    let policy = writing::policy(found);
    too_large(&policy, problems);
    Some(policy)
}
