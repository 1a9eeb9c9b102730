//! The policy on pages: what stands in the address becomes a search or a question, and what the
//! policy says becomes lines.

use app::view::{
    Answer, DraftPage, ExplainField as FieldView, ExplainFilter, ExplainPage, ExplainView,
    PolicyChange, PolicyFilter, PolicyLine, PolicyPage, PolicyPart, PolicyProblem, VersionRow,
    VersionView, VersionsPage,
};
use domain::directory::NotOne;
use domain::id::PolicyVersion;
use domain::policy::{
    Change, Code, Described, Format, KeptPolicy, Line, Outcome, Part, Problem, Reason, Route,
};
use domain::target::Target;
use jiff::Timestamp;

use crate::service::{Draft, ExplainField, Explained, Explaining, NotExplained};
use crate::store::Versions;
use crate::world::World;

use super::names::{self, count, ms};

/// Rules and guardrails on a page: about 100 kB, as long as anybody scrolls.
const A_PAGE: usize = 50;

/// Differences on a page. A draft with more of them is compared in parts.
const CHANGES_MAX: usize = 200;

/// Problems on a page: whoever has more mends these first.
const PROBLEMS_MAX: usize = 100;

/// What a page shows of a version's files: more is a download.
pub(super) const FILES_MAX_BYTES: usize = 60_000;

/// The longest name or word that is looked for; a longer one names nothing.
const TYPED_MAX_CHARS: usize = 300;

/// What is in force, as far as it is looked for.
pub(super) fn page(world: &World, described: &Described, filter: &PolicyFilter) -> PolicyPage {
    let rules = described.rules.iter().map(|part| (part, false));
    let guardrails = described.guardrails.iter().map(|part| (part, true));
    let all: Vec<(&Part, bool)> = rules.chain(guardrails).collect();
    let found: Vec<PolicyPart> = all
        .iter()
        .filter(|(part, _)| part.mentions(&filter.text))
        .map(|(part, is_guardrail)| PolicyPart {
            name: part.name.to_string(),
            is_guardrail: *is_guardrail,
            lines: part.lines.iter().map(line).collect(),
        })
        .collect();
    let after = filter.after.parse().unwrap_or(0).min(found.len());
    let next = after + A_PAGE;
    PolicyPage {
        version: world.policy.version().to_string(),
        overall: described.overall.iter().map(line).collect(),
        found: count(found.len()),
        of: count(all.len()),
        next: (next < found.len()).then(|| count(next)),
        parts: found.into_iter().skip(after).take(A_PAGE).collect(),
    }
}

fn line(line: &Line) -> PolicyLine {
    PolicyLine {
        about: line.about.to_owned(),
        text: line.text.clone(),
    }
}

/// The question.
pub(super) fn explaining(filter: &ExplainFilter) -> Explaining {
    let typed = |text: &str| text.chars().take(TYPED_MAX_CHARS).collect::<String>();
    Explaining {
        person: typed(&filter.person),
        account: typed(&filter.account),
        permission_set: typed(&filter.permission_set),
        group: typed(&filter.group),
        duration: typed(&filter.duration),
        ticket: typed(&filter.ticket),
        break_glass: !filter.break_glass.is_empty(),
    }
}

/// The policy's answer, or what is wrong with the question.
pub(super) fn answer(
    world: &World,
    answer: Result<Explained, Vec<(ExplainField, NotExplained)>>,
) -> ExplainPage {
    match answer {
        Ok(explained) => ExplainPage::Answer(explained_view(world, &explained)),
        Err(problems) => ExplainPage::Problems(
            problems
                .into_iter()
                .map(|(field, problem)| (self::field(field), self::problem(field, problem)))
                .collect(),
        ),
    }
}

const fn field(field: ExplainField) -> FieldView {
    match field {
        ExplainField::Person => FieldView::Person,
        ExplainField::Account => FieldView::Account,
        ExplainField::PermissionSet => FieldView::PermissionSet,
        ExplainField::Group => FieldView::Group,
        ExplainField::Duration => FieldView::Duration,
    }
}

/// What to do about it.
fn problem(field: ExplainField, problem: NotExplained) -> String {
    let thing = match field {
        ExplainField::Person => "person",
        ExplainField::Account => "account",
        ExplainField::PermissionSet => "permission set",
        ExplainField::Group => "group",
        ExplainField::Duration => "length of time",
    };
    match problem {
        NotExplained::Missing => format!("Name the {thing}."),
        NotExplained::NotOne(NotOne::Nothing { near: Some(near) }) => {
            format!("There is no such {thing}. Did you mean {near}?")
        }
        NotExplained::NotOne(NotOne::Nothing { near: None }) => {
            format!("There is no such {thing}.")
        }
        NotExplained::NotOne(NotOne::Several(several)) => {
            format!("{several} are called that. Give the id of one.")
        }
        NotExplained::NotOne(NotOne::Digits(digits)) => {
            format!("That has {digits} digits, and the id of an AWS account has 12.")
        }
        NotExplained::Duration(_) => {
            "A length of time is numbers with units, such as 20s, 15m or 1h30m.".to_owned()
        }
    }
}

fn explained_view(world: &World, explained: &Explained) -> ExplainView {
    let verdict = &explained.verdict;
    let person = names::name(world, &explained.person);
    let directory = &world.directory;
    let target = match &explained.target {
        Target::Account {
            account,
            permission_set,
        } => {
            let set = directory.permission_sets.get(permission_set);
            let set = set.map_or_else(|| permission_set.to_string(), |set| set.name.to_string());
            let known = directory.accounts.get(account);
            let account = known.map_or_else(
                || account.to_string(),
                |known| format!("{} ({account})", known.name),
            );
            format!("{set} in {account}")
        }
        Target::Group { group } => {
            let known = directory.groups.get(group);
            let name = known.map_or_else(|| group.to_string(), |group| group.name.clone());
            format!("membership of {name}")
        }
    };
    let mut reasons: Vec<String> = verdict.reasons.iter().map(Reason::sentence).collect();
    if verdict.reauthenticate {
        let who = if verdict.code == Code::BreakGlass {
            "Whoever goes in first"
        } else {
            "Whoever approves"
        };
        reasons.push(format!("{who} has to have signed in just before."));
    }
    ExplainView {
        asked: format!("{person} asks for {target}, for {}", explained.duration),
        answer: match verdict.outcome {
            Outcome::Granted => Answer::Granted,
            Outcome::Pending => Answer::Pending,
            Outcome::Refused => Answer::Refused,
        },
        code: verdict.code.to_string(),
        sentence: verdict.sentence(),
        reasons,
        routes: verdict
            .routes
            .iter()
            .map(|one| route(world, one, verdict.code))
            .collect(),
        version: verdict.policy.to_string(),
    }
}

fn route(world: &World, route: &Route, code: Code) -> PolicyPart {
    let say = |about: &str, text: String| PolicyLine {
        about: about.to_owned(),
        text,
    };
    let mut lines = vec![say("How long", format!("At most {}.", route.max_duration))];
    if route.approvals > 0 {
        let mut who = names::names(world, &route.approvers);
        let more = route.approvers.len() - who.len();
        if more > 0 {
            who.push(format!("{more} more"));
        }
        let who = if who.is_empty() {
            "nobody".to_owned()
        } else {
            who.join(", ")
        };
        let about = if code == Code::BreakGlass {
            "Signed afterwards by"
        } else {
            "Approved by"
        };
        lines.push(say(
            about,
            format!("{} of: {who}", route.needed_from_others()),
        ));
        if route.self_counts {
            lines.push(say("Own approval", "Counts as one.".to_owned()));
        }
    }
    PolicyPart {
        name: route.rule.to_string(),
        is_guardrail: false,
        lines,
    }
}

/// How a draft is written.
pub(super) fn format(notation: &str) -> Format {
    if notation == "json" {
        Format::Json
    } else {
        Format::Toml
    }
}

/// What a draft comes to.
pub(super) fn draft(draft: Draft) -> DraftPage {
    match draft {
        Draft::Invalid(problems) => DraftPage::Invalid(problems_of(&problems)),
        Draft::Valid {
            warnings,
            changes,
            is_in_force,
        } => {
            let (changes, more) = changes_of(changes);
            DraftPage::Valid {
                warnings: problems_of(&warnings),
                changes,
                more,
                is_in_force,
            }
        }
    }
}

fn problems_of(problems: &[Problem]) -> Vec<PolicyProblem> {
    problems
        .iter()
        .take(PROBLEMS_MAX)
        .map(|problem| PolicyProblem {
            place: format!(
                "{}:{}:{}",
                problem.file, problem.place.line, problem.place.column
            ),
            text: format!("{}; {}", problem.message, problem.help),
        })
        .collect()
}

/// As many as a page shows, and how many more there are.
fn changes_of(changes: Option<Vec<Change>>) -> (Option<Vec<PolicyChange>>, u32) {
    let more = changes
        .as_ref()
        .map_or(0, |all| all.len().saturating_sub(CHANGES_MAX));
    let shown = changes.map(|all| {
        all.into_iter()
            .take(CHANGES_MAX)
            .map(|change| PolicyChange {
                gains: change.gains,
                sentence: change.sentence,
            })
            .collect()
    });
    (shown, count(more))
}

/// The instant after which nothing is shown; what is none shows everything.
pub(super) fn before(text: &str) -> Option<Timestamp> {
    let milliseconds = text.parse().ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

/// What was in force.
pub(super) fn versions(world: &World, found: &Versions, is_first: bool) -> VersionsPage {
    let in_force = world.policy.version();
    let last = found.rows.last();
    VersionsPage {
        rows: found
            .rows
            .iter()
            .enumerate()
            .map(|(nth, row)| VersionRow {
                version: row.policy_version.to_string(),
                at: ms(row.at),
                server: row.server.to_string(),
                // One that came back is in force by its newest row alone.
                is_in_force: is_first
                    && row.policy_version == *in_force
                    && found
                        .rows
                        .iter()
                        .take(nth)
                        .all(|newer| newer.policy_version != *in_force),
            })
            .collect(),
        next: found.more.then_some(last).flatten().map(|row| ms(row.at)),
    }
}

/// The files of a version, its own first.
pub(in crate::web) fn files_of(kept: &KeptPolicy) -> impl Iterator<Item = (&str, &str)> {
    let included = kept.included.iter();
    std::iter::once((kept.file.as_str(), kept.text.as_str()))
        .chain(included.map(|(name, text)| (name.as_str(), text.as_str())))
}

/// One version, with so much of its files.
pub(super) fn version(
    kept: &KeptPolicy,
    in_force: &PolicyVersion,
    changes: Option<Vec<Change>>,
    mut room: usize,
) -> VersionView {
    let mut is_cut = false;
    let mut files = Vec::new();
    for (name, text) in files_of(kept) {
        let shown = text.floor_char_boundary(room);
        is_cut |= shown < text.len();
        room -= shown;
        let text = text.get(..shown).unwrap_or_default();
        files.push((name.to_owned(), text.to_owned()));
    }
    let (changes, more) = changes_of(changes);
    VersionView {
        version: kept.version.to_string(),
        is_in_force: kept.version == *in_force,
        files,
        is_cut,
        changes,
        more,
    }
}

/// One that the table has no more.
pub(super) fn damaged(version: &PolicyVersion) -> VersionView {
    VersionView {
        version: version.to_string(),
        is_in_force: false,
        files: Vec::new(),
        is_cut: false,
        changes: None,
        more: 0,
    }
}
