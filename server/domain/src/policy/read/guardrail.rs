//! One `[[guardrail]]`.

use super::{name, shorter_than_min, tables, title};
use crate::policy::hours::{Days, Hours, TimeOfDay, Zone};
use crate::policy::language::{
    Defaults, GuardrailSource, IncludeIndex, Limits, MAX_APPROVALS, MAX_START_AHEAD, MAX_WINDOW,
};
use crate::policy::problem::{ProblemCode, Problems, nearest, quote};
use crate::policy::selector::{AccountSelector, GroupSelector, SetSelector, Unreadable};
use crate::policy::source::{Entry, Node};
use crate::policy::table::{Need, Table, choice, flag, length, list, text, whole};
use crate::policy::ticket::{TicketPattern, TicketRule};

/// As many as rules is already more than anybody could oversee.
pub(super) const MAX_GUARDRAILS: usize = 1_000;

/// The longest session that Identity Center has:
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/howtosessionduration.html>
const MAX_SESSION: crate::policy::Seconds = crate::policy::Seconds::from_hours(12);

/// The longest address of a ticket.
const MAX_URL: usize = 500;

pub(super) fn guardrails(
    top: &mut Table<'_>,
    defaults: &Defaults,
    included: Option<IncludeIndex>,
    problems: &mut Problems<'_>,
) -> Vec<GuardrailSource> {
    tables(top, "guardrail", MAX_GUARDRAILS, problems)
        .iter()
        .filter_map(|node| guardrail(node, defaults, included, problems))
        .collect()
}

fn guardrail(
    node: &Node,
    defaults: &Defaults,
    included: Option<IncludeIndex>,
    problems: &mut Problems<'_>,
) -> Option<GuardrailSource> {
    let mut table = Table::open(node, &title(node, "guardrail"), problems);
    let name = name(&mut table, "guardrail", problems);
    let accounts = list(
        &mut table,
        "accounts",
        Need::Optional,
        AccountSelector::parse,
        problems,
    );
    let permission_sets = list(
        &mut table,
        "permission_sets",
        Need::Optional,
        SetSelector::parse,
        problems,
    );
    let groups = list(
        &mut table,
        "groups",
        Need::Optional,
        GroupSelector::parse,
        problems,
    );
    if included.is_some()
        && let Some(entry) = table.take("groups")
    {
        problems.error(
            entry.place,
            ProblemCode::Include,
            format!("{}: an included file cannot speak of groups", table.title),
            "what a group holds may reach beyond `within`; write it in the policy itself",
        );
    }
    let somewhere = ["accounts", "permission_sets", "groups"];
    if somewhere.iter().all(|key| table.take(key).is_none()) {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            format!("{} does not say what it covers", table.title),
            "name accounts, permission sets or groups; accounts = [\"*\"] is everything",
        );
    }
    let before = problems.len();
    let limits = limits(&mut table, defaults, problems);
    // What could not be read was meant to hold something back.
    if limits == Limits::default() && problems.len() == before {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            format!("{} holds nothing back", table.title),
            "add what it limits, such as max_duration or deny = true",
        );
    }
    table.close(problems);
    Some(GuardrailSource {
        included,
        name: name?,
        accounts,
        permission_sets,
        groups,
        limits,
    })
}

fn limits(table: &mut Table<'_>, defaults: &Defaults, problems: &mut Problems<'_>) -> Limits {
    let max_duration = length(table, "max_duration", MAX_WINDOW, problems);
    let max_continuous = length(table, "max_continuous", MAX_WINDOW, problems);
    for (found, key) in [
        (&max_duration, "max_duration"),
        (&max_continuous, "max_continuous"),
    ] {
        if let Some(found) = found
            && found.value < defaults.min_duration
        {
            shorter_than_min(found, key, defaults.min_duration, problems);
        }
    }
    let min_approvals = whole(table, "min_approvals", 1, MAX_APPROVALS as usize, problems)
        .and_then(|n| u32::try_from(n).ok())
        .unwrap_or_default();
    Limits {
        deny: only_true(table, "deny", problems),
        max_duration: max_duration.map(|max| max.value),
        max_session: length(table, "max_session", MAX_SESSION, problems).map(|max| max.value),
        min_approvals,
        no_self_approval: only_deny(table, "self_approval", problems),
        no_break_glass: only_deny(table, "break_glass", problems),
        ticket: table.take("ticket").map(|entry| ticket(entry, problems)),
        hours: table.take("hours").and_then(|entry| hours(entry, problems)),
        reauthenticate: only_true(table, "reauthenticate", problems),
        max_continuous: max_continuous.map(|max| max.value),
        max_start_ahead: length(table, "max_start_ahead", MAX_START_AHEAD, problems)
            .map(|max| max.value),
    }
}

/// `false` says what is so without it, and is accepted as that.
fn only_true(table: &mut Table<'_>, key: &'static str, problems: &mut Problems<'_>) -> bool {
    flag(table, key, problems).unwrap_or_default()
}

/// A guardrail can only take away, so it has no word for allowing.
fn only_deny(table: &mut Table<'_>, key: &'static str, problems: &mut Problems<'_>) -> bool {
    choice(table, key, &[("deny", ())], problems).is_some()
}

fn ticket(entry: &Entry, problems: &mut Problems<'_>) -> TicketRule {
    let mut table = Table::open(&entry.node, "`ticket`", problems);
    let required = flag(&mut table, "required", problems).unwrap_or(true);
    let pattern = table.take("pattern").and_then(|entry| {
        let pattern = text(entry, &table, problems)?;
        match TicketPattern::parse(&pattern.value) {
            Ok(pattern) => Some(pattern),
            Err(why) => {
                problems.error(
                    pattern.place,
                    ProblemCode::InvalidValue,
                    format!(
                        "`pattern`: {} is not a pattern: {why}",
                        quote(&pattern.value)
                    ),
                    "write a regular expression that the whole ticket matches, such as \
                     \"[A-Z]+-[0-9]+\"",
                );
                None
            }
        }
    });
    let url = table.take("url").and_then(|entry| {
        let url = text(entry, &table, problems)?;
        let well_formed = url.value.starts_with("https://")
            && url.value.matches("{ticket}").count() == 1
            && url.value.len() <= MAX_URL
            && !url
                .value
                .chars()
                .any(|c| c.is_whitespace() || c.is_control());
        if !well_formed {
            problems.error(
                url.place,
                ProblemCode::InvalidValue,
                format!(
                    "`url`: {} is not the address of a ticket",
                    quote(&url.value)
                ),
                format!(
                    "write at most {MAX_URL} characters that begin with https:// and have \
                     {{ticket}} in them once"
                ),
            );
            return None;
        }
        Some(url.value)
    });
    table.close(problems);
    TicketRule {
        required,
        pattern,
        url,
    }
}

fn hours(entry: &Entry, problems: &mut Problems<'_>) -> Option<Hours> {
    let mut table = Table::open(&entry.node, "`hours`", problems);
    let zone = zone(&mut table, problems);
    let days = list(
        &mut table,
        "days",
        Need::Optional,
        |text| {
            Days::parse(text).ok_or_else(|| Unreadable {
                message: format!("{} is no day of the week", quote(text)),
                help: "write mon, tue, wed, thu, fri, sat or sun, or a range such as mon-fri"
                    .to_owned(),
            })
        },
        problems,
    );
    let everyday = table.take("days").is_none();
    let from = time(&mut table, "from", problems);
    let to = time(&mut table, "to", problems);
    if let (Some(from), Some(to)) = (from, to)
        && from == to
    {
        problems.error(
            table.place,
            ProblemCode::Contradiction,
            format!("`hours` begins and ends at {from}"),
            "for whole days write from = \"00:00\" and to = \"24:00\"",
        );
    }
    table.close(problems);
    let days = if everyday {
        Days::EVERY
    } else {
        days.iter()
            .fold(Days::NONE, |all, days| all.and(days.value))
    };
    Some(Hours::new(zone?, days, from?, to?))
}

fn zone(table: &mut Table<'_>, problems: &mut Problems<'_>) -> Option<Zone> {
    let Some(entry) = table.take("zone") else {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            "`hours` has no `zone`",
            "name the time zone, such as \"Europe/Berlin\" or \"UTC\"",
        );
        return None;
    };
    let name = text(entry, table, problems)?;
    let zone = Zone::parse(&name.value);
    if zone.is_none() {
        let names = Zone::names();
        let help = nearest(&name.value, names.iter().map(String::as_str)).map_or_else(
            || "write a name of the IANA database, such as \"Europe/Berlin\"".to_owned(),
            |near| format!("did you mean \"{near}\"?"),
        );
        problems.error(
            name.place,
            ProblemCode::InvalidValue,
            format!("`zone`: there is no time zone {}", quote(&name.value)),
            help,
        );
    }
    zone
}

fn time(
    table: &mut Table<'_>,
    key: &'static str,
    problems: &mut Problems<'_>,
) -> Option<TimeOfDay> {
    let Some(entry) = table.take(key) else {
        problems.error(
            table.place,
            ProblemCode::MissingKey,
            format!("`hours` has no `{key}`"),
            "write a time of day such as \"08:00\"",
        );
        return None;
    };
    let time = text(entry, table, problems)?;
    let parsed = TimeOfDay::parse(&time.value);
    if parsed.is_none() {
        problems.error(
            time.place,
            ProblemCode::InvalidValue,
            format!("`{key}`: {} is no time of day", quote(&time.value)),
            "write it with four digits, \"00:00\" to \"24:00\"",
        );
    }
    parsed
}
