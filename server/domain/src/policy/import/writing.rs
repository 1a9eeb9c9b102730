//! Statements as rules, in TOML, with a comment wherever Belay differs from SSO Elevator.

use std::collections::BTreeSet;

use super::NOBODY;
use super::statement::{Kind, Statement};
use crate::policy::written::list;

const HEAD: &str = r#"# Imported from SSO Elevator. It makes the same decisions, one rule for each statement, except:
#
# - How long access lasts is not part of that tool's statements. It is set in Terraform, as
#   `max_permissions_duration_time` and `request_expiration_hours`; what stands in [defaults] are
#   their defaults. Write yours.
# - E-mails ignore case. That tool compares approvers' addresses letter by letter.
# - What is forbidden binds reviews as well as submissions. There, an approver whose own approval
#   `"AllowSelfApproval": false` forbids could still press the button of their own request.
# - Who is disabled in Identity Center neither asks nor approves. An address that finds nobody, or
#   two people, matches nobody, and what its statement forbids then binds everyone it may have meant.
# - `secondary_fallback_email_domains` is not imported: a person is found by their own address.
"#;

const HEAD_GROUPS: &str = r"# - A group that has a say, as one of `AllowedGroups`, cannot be asked for: membership held through
#   Belay never counts in a policy. What a group opens in accounts is judged as well.
";

const DEFAULTS: &str = r#"
version = 1
admins = []       # who sees everything and may end anything, such as "group:Platform"
auditors = []     # who sees everything and changes nothing

[defaults]
max_duration = "24h"
request_expires_after = "8h"
"#;

/// The whole policy.
pub(super) fn policy(statements: &[Statement]) -> String {
    let mut text = HEAD.to_owned();
    if statements
        .iter()
        .any(|statement| matches!(statement.kind, Kind::Groups(_)))
    {
        text.push_str(HEAD_GROUPS);
    }
    text.push_str(DEFAULTS);
    let with_a_say: BTreeSet<String> = statements
        .iter()
        .flat_map(|statement| &statement.allowed_groups)
        .map(|group| group.to_lowercase())
        .collect();
    for statement in statements {
        text.push('\n');
        rule(statement, &with_a_say, &mut text);
    }
    text
}

fn rule(statement: &Statement, with_a_say: &BTreeSet<String>, text: &mut String) {
    let name = &statement.name;
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let targets = match &statement.kind {
        Kind::Nothing => {
            line(format!(
                "# {name} has an empty list, so it covers nothing there and is no rule here."
            ));
            return;
        }
        Kind::Accounts {
            accounts,
            permission_sets,
        } => [
            list("accounts", accounts),
            list("permission_sets", permission_sets),
        ]
        .join("\n"),
        Kind::Groups(groups) => {
            let (refused, given): (Vec<String>, Vec<String>) = groups
                .iter()
                .cloned()
                .partition(|group| with_a_say.contains(&group.to_lowercase()));
            for group in refused {
                line(format!("# {name} also gives this group, which has a say:"));
                line(format!("#   {group}"));
            }
            if given.is_empty() {
                line(format!("# Nothing is left of {name}."));
                return;
            }
            list("groups", &prefixed("group:", &given))
        }
    };
    let nobody = statement.approvers.is_empty() && statement.approval_is_not_required != Some(true);
    if nobody {
        line(format!(
            "# {name} has no approvers. Alone it lets nobody in, there as here."
        ));
    }
    line("[[rule]]".to_owned());
    line(format!("name = \"{name}\""));
    line(targets);
    line(requesters(statement));
    if nobody {
        line(format!("approvers = [\"user:{NOBODY}\"]    # nobody"));
    } else if !statement.approvers.is_empty() {
        line(list("approvers", &prefixed("user:", &statement.approvers)));
    }
    match statement.approval_is_not_required {
        Some(true) => line("approval = \"none\"".to_owned()),
        Some(false) => line("approval = \"required\"".to_owned()),
        None => {}
    }
    // It speaks of approvers of this statement only: without any it says nothing.
    let own = statement
        .allow_self_approval
        .filter(|_| !statement.approvers.is_empty());
    match own {
        Some(true) => line("self_approval = \"allow\"".to_owned()),
        Some(false) => line("self_approval = \"deny\"".to_owned()),
        None => {}
    }
}

fn requesters(statement: &Statement) -> String {
    let mut all = prefixed("group:", &statement.allowed_groups);
    all.extend(prefixed("user:", &statement.allowed_users));
    if all.is_empty() {
        // Not restricted: anyone whom that tool finds in Identity Center.
        return "requesters = [\"*\"]".to_owned();
    }
    list("requesters", &all)
}

/// The entries of that tool as ours: `user:` and an address, for one.
fn prefixed(prefix: &str, entries: &[String]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| format!("{prefix}{entry}"))
        .collect()
}
