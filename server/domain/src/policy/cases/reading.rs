//! Cases as they are written: each by itself, so that one that is not right leaves the others alone.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Expected;
use crate::id::AccountId;
use crate::policy::problem::{Place, Problem, ProblemCode, Problems};
use crate::policy::source::why_not_json;

/// One case, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a case, in braces")]
pub(super) struct Case<'s> {
    pub(super) name: String,
    /// A policy in JSON; `version` may be left out here.
    #[serde(borrow)]
    pub(super) policy: Option<&'s RawValue>,
    /// SSO Elevator's configuration, which is imported.
    #[serde(borrow)]
    pub(super) sso_elevator: Option<&'s RawValue>,
    /// Everyone there is. Absent: whoever the case and its policy name.
    pub(super) people: Option<Vec<CasePerson>>,
    /// Every account there is. Absent: whatever the case and its policy name.
    pub(super) accounts: Option<Vec<CaseAccount>>,
    /// Accounts that the deployment protects.
    #[serde(default)]
    pub(super) protected: Vec<AccountId>,
    pub(super) ask: CaseAsk,
    pub(super) review: Option<CaseReview>,
    #[serde(default)]
    pub(super) expect: Expected,
    /// The case as it is written, for where it is.
    #[serde(skip)]
    pub(super) place: &'s str,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a person, in braces")]
pub(super) struct CasePerson {
    pub(super) id: Option<String>,
    pub(super) email: Option<String>,
    pub(super) user_name: Option<String>,
    #[serde(default)]
    pub(super) groups: Vec<String>,
    /// Disabled people may have nothing and approve nothing.
    #[serde(default)]
    pub(super) disabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "an account, in braces")]
pub(super) struct CaseAccount {
    pub(super) id: AccountId,
    pub(super) name: Option<String>,
    #[serde(default)]
    pub(super) ou: Vec<String>,
    #[serde(default)]
    pub(super) tags: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "what somebody asks for, in braces")]
pub(super) struct CaseAsk {
    pub(super) by: String,
    pub(super) account: Option<String>,
    pub(super) permission_set: Option<String>,
    pub(super) group: Option<String>,
    /// Absent: the shortest that the policy allows.
    pub(super) duration: Option<Length>,
    /// Absent: one that is just long enough.
    pub(super) reason: Option<String>,
    pub(super) ticket: Option<String>,
    /// When it is judged; see [`NOON`].
    pub(super) now: Option<Timestamp>,
    /// A later start.
    pub(super) start: Option<Timestamp>,
    /// When the access began that this extends.
    pub(super) extends: Option<Timestamp>,
    #[serde(default)]
    pub(super) break_glass: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "who reviews it, in braces")]
pub(super) struct CaseReview {
    pub(super) by: String,
}

/// `"1h30m"`, or a number of seconds.
#[derive(Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "a duration is a text such as \"1h30m\", or a whole number of seconds"
)]
pub(super) enum Length {
    Text(String),
    Seconds(u32),
}

/// What a case is called, and itself or what is wrong with it.
pub(super) type Read<'s> = (String, Result<Case<'s>, Vec<Problem>>);

/// A file of cases, to say where in it something is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'s> {
    pub(super) text: &'s str,
    pub(super) name: &'s str,
}

impl<'s> Source<'s> {
    /// Each case, right or wrong.
    pub(super) fn cases(self) -> Result<Vec<Read<'s>>, Vec<Problem>> {
        let parts: Vec<&RawValue> = serde_json::from_str(self.text).map_err(|error| {
            let help = "a file of cases is a JSON list of cases";
            self.syntax(self.text, &error, help)
        })?;
        Ok(parts
            .into_iter()
            .zip(1_usize..)
            .map(|(part, number)| {
                let name = name_of(part).unwrap_or_else(|| format!("case {number}"));
                let part = part.get();
                let case = serde_json::from_str(part).map(|case| Case {
                    place: part,
                    ..case
                });
                let case = case.map_err(|error| {
                    let help = "see the policy reference on tests of a policy";
                    self.syntax(part, &error, help)
                });
                (name, case)
            })
            .collect())
    }

    fn syntax(self, part: &str, error: &serde_json::Error, help: &str) -> Vec<Problem> {
        let at = |number: usize| u32::try_from(number.max(1)).unwrap_or(u32::MAX);
        let place = Place {
            line: at(error.line()),
            column: at(error.column()),
        };
        let mut problems = Problems::new(self.name);
        let place = self.place(part, place);
        problems.error(place, ProblemCode::Syntax, why_not_json(error), help);
        problems.into_sorted()
    }

    /// Problems of a part of the file, in the places that they have in the file.
    pub(super) fn moved(self, part: &str, mut problems: Vec<Problem>) -> Vec<Problem> {
        for problem in &mut problems {
            problem.place = self.place(part, problem.place);
        }
        problems
    }

    /// Where in the file a place of a part of it is.
    pub(super) fn place(self, part: &str, at: Place) -> Place {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        let before = self.text.get(..offset).unwrap_or_default();
        let last = before.rsplit('\n').next().unwrap_or_default();
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let (lines, columns) = (
            count(before.matches('\n').count()),
            count(last.chars().count()),
        );
        Place {
            line: at.line.saturating_add(lines),
            column: if at.line == 1 {
                at.column.saturating_add(columns)
            } else {
                at.column
            },
        }
    }
}

/// What a case is called, whatever else is wrong with it.
fn name_of(case: &RawValue) -> Option<String> {
    #[derive(Deserialize)]
    struct Name {
        name: String,
    }
    let name: Name = serde_json::from_str(case.get()).ok()?;
    Some(name.name)
}
