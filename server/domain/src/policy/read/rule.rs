//! One `[[rule]]`.

use std::collections::BTreeSet;

use super::{name, shorter_than_min, tables, title};
use crate::policy::language::{
    Approval, Defaults, IncludeIndex, MAX_APPROVALS, MAX_WINDOW, Placed, RuleSource, SelfApproval,
};
use crate::policy::problem::{ProblemCode, Problems, quote};
use crate::policy::seconds::Seconds;
use crate::policy::selector::{
    AccountSelector, Channel, GroupSelector, PersonSelector, SetSelector, Unreadable,
};
use crate::policy::source::Node;
use crate::policy::table::{Need, Table, choice, length, list, whole};

/// Far beyond what people can keep in their heads, and still decided in microseconds.
pub(super) const MAX_RULES: usize = 5_000;

/// What a form can offer without becoming a puzzle.
const MAX_DURATIONS: usize = 12;

pub(super) fn rules(
    top: &mut Table<'_>,
    defaults: &Defaults,
    included: Option<IncludeIndex>,
    problems: &mut Problems<'_>,
) -> Vec<RuleSource> {
    tables(top, "rule", MAX_RULES, problems)
        .iter()
        .filter_map(|node| rule(node, defaults, included, problems))
        .collect()
}

/// `None` only without a usable name; every other problem is reported and the reading goes on.
fn rule(
    node: &Node,
    defaults: &Defaults,
    included: Option<IncludeIndex>,
    problems: &mut Problems<'_>,
) -> Option<RuleSource> {
    let mut table = Table::open(node, &title(node, "rule"), problems);
    let name = name(&mut table, "rule", problems);
    let approval = choice(
        &mut table,
        "approval",
        &[
            ("required", Approval::Required),
            ("none", Approval::None),
            ("after", Approval::After),
        ],
        problems,
    );
    let self_approval = choice(
        &mut table,
        "self_approval",
        &[("allow", SelfApproval::Allow), ("deny", SelfApproval::Deny)],
        problems,
    );
    let (accounts, permission_sets, groups) = targets(&mut table, included, problems);
    let requesters = requesters(&mut table, approval, problems);
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
    let notify = list(
        &mut table,
        "notify",
        Need::MayBeEmpty,
        Channel::parse,
        problems,
    );
    table.close(problems);
    Some(RuleSource {
        included,
        name: name?,
        accounts,
        permission_sets,
        groups,
        requesters,
        approvers,
        approvals,
        approval,
        max_duration: max.map(|max| max.value),
        durations,
        self_approval,
        notify: notify.into_iter().map(|channel| channel.value).collect(),
    })
}

type Targets = (
    Vec<Placed<AccountSelector>>,
    Vec<Placed<SetSelector>>,
    Vec<Placed<GroupSelector>>,
);

/// Accounts with permission sets, or groups: one or the other.
fn targets(
    table: &mut Table<'_>,
    included: Option<IncludeIndex>,
    problems: &mut Problems<'_>,
) -> Targets {
    let place = table.take("groups").map(|entry| entry.place);
    let groups = list(
        table,
        "groups",
        Need::Optional,
        GroupSelector::parse,
        problems,
    );
    let needed = if place.is_some() {
        Need::Optional
    } else {
        Need::Required
    };
    let accounts = list(table, "accounts", needed, AccountSelector::parse, problems);
    let sets = list(
        table,
        "permission_sets",
        needed,
        SetSelector::parse,
        problems,
    );
    if let Some(place) = place {
        if !accounts.is_empty() || !sets.is_empty() {
            problems.error(
                place,
                ProblemCode::Contradiction,
                format!("{}: names both groups and accounts", table.title),
                "make it two rules: one for the groups, one for the accounts",
            );
        }
        if included.is_some() {
            problems.error(
                place,
                ProblemCode::Include,
                format!("{}: an included file cannot give groups", table.title),
                "what a group holds may reach beyond `within`; write the rule in the policy itself",
            );
        }
    }
    (accounts, sets, groups)
}

fn requesters(
    table: &mut Table<'_>,
    approval: Option<Approval>,
    problems: &mut Problems<'_>,
) -> Vec<Placed<PersonSelector>> {
    let requesters = list(
        table,
        "requesters",
        Need::Required,
        PersonSelector::parse,
        problems,
    );
    for requester in &requesters {
        if approval == Some(Approval::After) && requester.value == PersonSelector::Everyone {
            problems.error(
                requester.place,
                ProblemCode::Contradiction,
                format!(
                    "{}: lets everyone in first and asks afterwards",
                    table.title
                ),
                "with approval = \"after\", name the users or groups",
            );
        }
    }
    requesters
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
