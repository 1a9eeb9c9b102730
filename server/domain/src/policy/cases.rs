//! Policy tests: cases that people keep beside their policy, each with a little world of its own.
//!
//! A case names a policy, who and what there is, what somebody asks for, and what should come of it.
//! What a case does not say is filled in with what it names: it speaks of what it is about, and of
//! nothing else.

mod reading;
mod world;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use self::reading::{Case, CaseAccount, CasePerson, Length, Source};
use self::world::World;
use super::decide::{BreakGlass, Proposal, Run, decide};
use super::facts::Facts;
use super::import::import_or_nothing;
use super::language::PolicyFile;
use super::problem::{Place, Problem, ProblemCode, Problems};
use super::read::parse;
use super::resolve::{Setting, resolve};
use super::review::{AskFacts, Decision, Review, may_review};
use super::seconds::Seconds;
use super::signature::{Broken, Signing, Turn, sign};
use super::source::Format;
use super::verdict::{Code, Outcome, Verdict};
use crate::id::UserId;

/// A file of cases larger than this is not one that people keep.
const MAX_BYTES: usize = 16 << 20;

/// When a case is judged that does not say: a Wednesday at noon, UTC, so that the same file gives the
/// same answer on any day.
const NOON: Timestamp = Timestamp::constant(1_767_787_200, 0);

/// What a case expects; what is absent is not compared, and lists compare as sets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "what is expected, in braces")]
pub struct Expected {
    /// `granted`, `pending` or `denied`.
    pub outcome: Option<String>,
    /// The verdict's code.
    pub reason: Option<String>,
    /// Who could approve, by e-mail.
    pub approvers: Option<Vec<String>>,
    /// The rule that granted, or every rule that is open if the ask is pending.
    pub rules: Option<Vec<String>>,
    /// `accepted` or `refused`.
    pub review: Option<String>,
}

/// What came of a case, in the fields of [`Expected`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Actual {
    /// The case's name.
    pub name: String,
    /// `granted`, `pending` or `denied`.
    pub outcome: &'static str,
    /// The verdict's code.
    pub reason: Code,
    /// Who could approve, by e-mail; nobody unless the ask is pending.
    pub approvers: Vec<String>,
    /// The rule that granted, or every rule that is open if the ask is pending.
    pub rules: Vec<String>,
    /// `accepted` or `refused`, if the case has a review.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review: Option<&'static str>,
}

/// One field in which a case came out other than expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which.
    pub field: &'static str,
    /// What the case says.
    pub expected: String,
    /// What is.
    pub actual: String,
}

/// A case that was run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseReport {
    /// Its name.
    pub name: String,
    /// What came of it, or every problem that kept it from being run.
    pub actual: Result<Actual, Vec<Problem>>,
    /// What differs; nothing if it passed.
    pub differences: Vec<Difference>,
}

impl CaseReport {
    /// Whether everything was as expected.
    #[must_use]
    pub const fn passed(&self) -> bool {
        self.actual.is_ok() && self.differences.is_empty()
    }
}

impl fmt::Display for CaseReport {
    /// A line for what passed; expected and actual side by side for what failed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.passed() {
            return writeln!(f, "ok    {}", self.name);
        }
        writeln!(f, "FAIL  {}", self.name)?;
        if let Err(problems) = &self.actual {
            return problems
                .iter()
                .try_for_each(|problem| writeln!(f, "      {problem}"));
        }
        let width = self
            .differences
            .iter()
            .map(|difference| difference.expected.chars().count())
            .chain(["expected".len()])
            .max()
            .unwrap_or_default();
        writeln!(f, "      {:<9}  {:<width$}  actual", "", "expected")?;
        self.differences.iter().try_for_each(|difference| {
            let Difference {
                field,
                expected,
                actual,
            } = difference;
            writeln!(f, "      {field:<9}  {expected:<width$}  {actual}")
        })
    }
}

/// The results as text: each case, then a line that sums up.
#[must_use]
pub fn cases_text(reports: &[CaseReport]) -> String {
    let mut text = String::new();
    for report in reports {
        // Writing to a String cannot fail.
        let _ = write!(text, "{report}");
    }
    text.push_str(&cases_summary(reports));
    text.push('\n');
    text
}

/// `N passed, N failed`.
#[must_use]
pub fn cases_summary(reports: &[CaseReport]) -> String {
    let passed = reports.iter().filter(|report| report.passed()).count();
    format!("{passed} passed, {} failed", reports.len() - passed)
}

/// Runs every case of a JSON file: a list of cases. Those without a policy of their own are judged by
/// `policy`.
pub fn run_cases(
    source: &str,
    file_name: &str,
    policy: Option<&PolicyFile>,
) -> Result<Vec<CaseReport>, Vec<Problem>> {
    let mut problems = Problems::new(file_name);
    if source.len() > MAX_BYTES {
        problems.error(
            Place::START,
            ProblemCode::TooLarge,
            format!("the file has {} bytes", source.len()),
            format!("cases have at most {MAX_BYTES}; make it several files"),
        );
        return Err(problems.into_sorted());
    }
    let source = Source {
        text: source,
        name: file_name,
    };
    let cases = source.cases()?;
    Ok(cases
        .into_iter()
        .map(|(name, case)| run(name, case, source, policy))
        .collect())
}

fn run(
    name: String,
    case: Result<Case<'_>, Vec<Problem>>,
    source: Source<'_>,
    policy: Option<&PolicyFile>,
) -> CaseReport {
    let judged = case.and_then(|case| {
        let actual = judge(&case, source, policy)?;
        Ok((differences(&case.expect, &actual), actual))
    });
    let (actual, differences) = match judged {
        Ok((differences, actual)) => (Ok(actual), differences),
        Err(problems) => (Err(problems), Vec::new()),
    };
    CaseReport {
        name,
        actual,
        differences,
    }
}

fn wrong(case: &Case<'_>, source: Source<'_>, message: &str, help: &str) -> Vec<Problem> {
    let mut problems = Problems::new(source.name);
    let place = source.place(case.place, Place::START);
    problems.error(place, ProblemCode::InvalidValue, message, help);
    problems.into_sorted()
}

/// The policy that a case is judged by.
fn policy_of(
    case: &Case<'_>,
    source: Source<'_>,
    shared: Option<&PolicyFile>,
) -> Result<PolicyFile, Vec<Problem>> {
    let wrong = |message, help| Err(wrong(case, source, message, help));
    match (case.policy, case.sso_elevator, shared) {
        (Some(_), Some(_), _) => wrong(
            "the case has both `policy` and `sso_elevator`",
            "keep one of them",
        ),
        (Some(policy), None, _) => {
            let policy = policy.get();
            let (text, added) = versioned(policy);
            parse(&text, Format::Json, source.name).map_err(|mut problems| {
                for problem in &mut problems {
                    if problem.place.line == 1 {
                        let column = problem.place.column.saturating_sub(added);
                        problem.place.column = column.max(1);
                    }
                }
                source.moved(policy, problems)
            })
        }
        (None, Some(theirs), _) => {
            let theirs = theirs.get();
            let imported = import_or_nothing(theirs, source.name)
                .map_err(|problems| source.moved(theirs, problems))?;
            match imported {
                Some(imported) => parse(&imported, Format::Toml, source.name),
                // That tool starts without a statement, and lets nobody in.
                None => Ok(PolicyFile::without_rules(source.name)),
            }
        }
        (None, None, Some(shared)) => Ok(shared.clone()),
        (None, None, None) => wrong(
            "the case has no policy",
            "write `policy` or `sso_elevator` in it, or give --policy FILE",
        ),
    }
}

/// A case need not say which version of the language it is written in: there is one. With how many
/// characters that put before the rest of the first line.
fn versioned(policy: &str) -> (Cow<'_, str>, u32) {
    const VERSION: &str = "\"version\":1";
    let keys: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(policy).ok();
    match (keys, policy.strip_prefix('{')) {
        (Some(keys), Some(rest)) if !keys.contains_key("version") => {
            let comma = if keys.is_empty() { "" } else { "," };
            let added = u32::try_from(VERSION.len() + comma.len()).unwrap_or_default();
            (format!("{{{VERSION}{comma}{rest}").into(), added)
        }
        _ => (policy.into(), 0),
    }
}

fn judge(
    case: &Case<'_>,
    source: Source<'_>,
    shared: Option<&PolicyFile>,
) -> Result<Actual, Vec<Problem>> {
    let wrong = |message: &str, help| wrong(case, source, message, help);
    let file = policy_of(case, source, shared)?;
    let world = World::of(case, &file)
        .map_err(|message| wrong(&message, "see the policy reference on tests of a policy"))?;
    let setting = Setting {
        protected: case.protected.iter().cloned().collect(),
        earlier: None,
    };
    let policy = resolve(&file, &world.directory, &setting).policy;
    let facts = Facts::of_snapshot(&world.directory);
    let ask = &case.ask;
    let duration = match &ask.duration {
        None => policy.min_duration(),
        Some(Length::Seconds(seconds)) => Seconds::new(*seconds),
        Some(Length::Text(text)) => Seconds::parse(text).map_err(|error| {
            wrong(
                &format!("`duration`: {text} is not a duration: {error}"),
                "write it like \"20s\", \"15m\" or \"1h30m\"",
            )
        })?,
    };
    let reason_chars = ask
        .reason
        .as_ref()
        .map_or(policy.reason_min(), |reason| reason.trim().chars().count());
    let now = ask.now.unwrap_or(NOON);
    let proposal = Proposal {
        ticket: ask.ticket.clone(),
        start: ask.start,
        run: ask.extends.map(|from| Run {
            from,
            extended: true,
        }),
        break_glass: if ask.break_glass {
            BreakGlass::Asked
        } else {
            BreakGlass::No
        },
        ..Proposal::new(
            world.person(&ask.by),
            world.target.clone(),
            duration,
            reason_chars,
            now,
        )
    };
    let verdict = decide(&policy, &proposal, &facts);
    let review = case.review.as_ref().map(|review| {
        let reviewer = world.person(&review.by);
        let submitted = verdict.route_rules();
        let facts_of_ask = AskFacts {
            start: proposal.start,
            run: proposal.run,
            ticket: proposal.ticket.as_deref(),
            ..AskFacts::new(
                &proposal.requester,
                &proposal.target,
                duration,
                &submitted,
                now,
            )
        };
        let accepted = match verdict.outcome {
            Outcome::Pending => may_review(&policy, &facts_of_ask, &reviewer, &facts).is_ok(),
            Outcome::Granted => signs(&policy, &verdict, &facts_of_ask, &reviewer, &facts),
            Outcome::Refused => false,
        };
        if accepted { "accepted" } else { "refused" }
    });
    Ok(Actual {
        name: case.name.clone(),
        outcome: match verdict.outcome {
            Outcome::Granted => "granted",
            Outcome::Pending => "pending",
            Outcome::Refused => "denied",
        },
        reason: verdict.code,
        approvers: match verdict.outcome {
            Outcome::Pending => world.emails(&verdict.approvers()),
            Outcome::Granted | Outcome::Refused => Vec::new(),
        },
        rules: match verdict.outcome {
            Outcome::Granted => verdict.granted_by.iter().map(ToString::to_string).collect(),
            Outcome::Pending => verdict.eligible.iter().map(ToString::to_string).collect(),
            Outcome::Refused => Vec::new(),
        },
        review,
    })
}

/// Whether the person's signature counts under what was granted as break-glass.
fn signs(
    policy: &super::Policy,
    verdict: &Verdict,
    ask: &AskFacts<'_>,
    reviewer: &UserId,
    facts: &Facts<'_>,
) -> bool {
    let (Code::BreakGlass, Some(rule)) = (verdict.code, &verdict.granted_by) else {
        return false;
    };
    let signature = Review {
        reviewer: reviewer.clone(),
        decision: Decision::Approve,
        duration: ask.duration,
        at: ask.now,
    };
    let broken = Broken {
        rule: rule.as_str(),
        needed: verdict.routes.iter().map(|route| route.approvals).sum(),
        turn: Turn::Approvers,
    };
    match sign(policy, ask, broken, &[signature], facts) {
        Signing::Open { signed, .. } | Signing::Signed { signed } => signed.contains(reviewer),
        Signing::RejectedBy { .. } | Signing::CannotTell => false,
    }
}

fn differences(expected: &Expected, actual: &Actual) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut compare = |field, expected: Option<&str>, actual: &str| {
        if let Some(expected) = expected
            && expected != actual
        {
            found.push(Difference {
                field,
                expected: expected.to_owned(),
                actual: actual.to_owned(),
            });
        }
    };
    compare("outcome", expected.outcome.as_deref(), actual.outcome);
    compare("reason", expected.reason.as_deref(), actual.reason.as_str());
    compare(
        "review",
        expected.review.as_deref(),
        actual.review.unwrap_or("none"),
    );
    let rules = expected
        .rules
        .as_deref()
        .map(|rules| set(rules, str::to_owned));
    compare(
        "rules",
        rules.as_deref(),
        &set(&actual.rules, str::to_owned),
    );
    // One address in another case is the same.
    let approvers = expected
        .approvers
        .as_deref()
        .map(|approvers| set(approvers, str::to_lowercase));
    compare(
        "approvers",
        approvers.as_deref(),
        &set(&actual.approvers, str::to_lowercase),
    );
    found
}

/// As one text, whatever the order and however often.
fn set(items: &[String], spelt: impl Fn(&str) -> String) -> String {
    let items: BTreeSet<String> = items.iter().map(|item| spelt(item)).collect();
    if items.is_empty() {
        return "none".to_owned();
    }
    items.into_iter().collect::<Vec<_>>().join(", ")
}
