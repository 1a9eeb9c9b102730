//! What is wrong with a policy, where, and what to do about it.
//!
//! A problem is never reported alone: whoever writes a policy sees all of them at once, in the order
//! of the file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::closed::closed;

/// A place in a file, as editors count: from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

impl Place {
    /// Where a file begins; also the place of what is missing altogether.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// Whether a policy with this problem may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The policy is refused; the one in force stays.
    Error,
    /// The policy loads, and the part that is meant here matches nobody or nothing.
    Warning,
}

closed! {
    /// What kind of problem. A closed list: scripts and the reference page know all of them.
    ProblemCode {
        /// Not TOML, or not JSON.
        Syntax = "syntax",
        /// More than a policy may hold.
        TooLarge = "too-large",
        /// `version` is missing or not one that this Belay reads.
        UnsupportedVersion = "unsupported-version",
        /// A key that means nothing here.
        UnknownKey = "unknown-key",
        /// A key that has to be there.
        MissingKey = "missing-key",
        /// A text where a number should be, and so on.
        WrongType = "wrong-type",
        /// The right type, but not a value that means anything.
        InvalidValue = "invalid-value",
        /// A part of the language that this Belay does not read yet.
        NotSupportedYet = "not-supported-yet",
        /// Two rules of one name.
        DuplicateName = "duplicate-name",
        /// Two keys that contradict each other.
        Contradiction = "contradiction",
        /// A person, group or permission set that the directory does not have.
        UnknownName = "unknown-name",
        /// A name that means more than one person, group or permission set.
        AmbiguousName = "ambiguous-name",
        /// An account, OU, tag or pattern that covers nothing at present.
        MatchesNothing = "matches-nothing",
        /// A rule that nobody, or too few, could approve.
        NobodyCanApprove = "nobody-can-approve",
        /// A rule with just as many approvers as approvals.
        FewApprovers = "few-approvers",
        /// A name that others can change decides what is granted automatically, or what a guardrail
        /// holds back.
        ChangeableName = "changeable-name",
        /// An included file that could not be read, or says what only the policy itself may say.
        Include = "include",
        /// A group that has a part in the policy is named as a target.
        PolicyGroup = "policy-group",
        /// Everyone may approve.
        EveryoneApproves = "everyone-approves",
        /// Sessions outlive the access that opens them.
        SessionOutlives = "session-outlives",
        /// People whom a rule leaves out get the same more easily than those it is for.
        EasierOutside = "easier-outside",
        /// Another rule gives the same people the same more easily.
        Undercut = "undercut",
    }
}

/// One problem, with its place and a way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Whether the policy may be used all the same.
    pub severity: Severity,
    /// The file as the caller named it.
    pub file: String,
    /// Where in the file.
    #[serde(flatten)]
    pub place: Place,
    /// What kind.
    pub code: ProblemCode,
    /// What is wrong, naming the thing.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl fmt::Display for Problem {
    /// One line, `file:line:col: code: message; help`, as every `belay` command prints problems.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}:{}:{}: {}: {}; {}",
            self.file, self.place.line, self.place.column, self.code, self.message, self.help
        )
    }
}

/// The result of `policy check` as text: a line for each problem, then one that sums up.
#[must_use]
pub fn report_text(file: &str, problems: &[Problem]) -> String {
    let mut text = String::new();
    for problem in problems {
        text.push_str(&problem.to_string());
        text.push('\n');
    }
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    let warnings = problems.len() - errors;
    let sum = match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, n) => format!("{}; the policy can be used", counted(n, "warning")),
        (n, 0) => format!("{}; the policy is refused", counted(n, "error")),
        (n, m) => format!(
            "{}, {}; the policy is refused",
            counted(n, "error"),
            counted(m, "warning")
        ),
    };
    format!("{text}{file}: {sum}\n")
}

/// `1 warning`, `2 warnings`.
pub(super) fn counted(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Problems found so far in a policy: in its file, and in those that it includes.
#[derive(Debug)]
pub(super) struct Problems<'a> {
    main: &'a str,
    file: &'a str,
    found: Vec<Problem>,
}

impl<'a> Problems<'a> {
    pub(super) fn new(file: &'a str) -> Self {
        Self {
            main: file,
            file,
            found: Vec::new(),
        }
    }

    /// What is reported from now on is in this file.
    pub(super) fn enter(&mut self, file: &'a str) {
        self.file = file;
    }

    /// What is reported from now on is in the policy's own file.
    pub(super) fn leave(&mut self) {
        self.file = self.main;
    }

    /// An error in a file of the policy other than the one that is being read.
    pub(super) fn error_in(
        &mut self,
        file: &str,
        place: Place,
        code: ProblemCode,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        let (message, help) = (message.as_ref(), help.as_ref());
        self.add(file, Severity::Error, place, code, message, help);
    }

    /// A warning about a file of the policy, whichever is being read.
    pub(super) fn warn_in(
        &mut self,
        file: &str,
        place: Place,
        code: ProblemCode,
        message: &str,
        help: &str,
    ) {
        self.add(file, Severity::Warning, place, code, message, help);
    }

    pub(super) fn error(
        &mut self,
        place: Place,
        code: ProblemCode,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.add(
            self.file,
            Severity::Error,
            place,
            code,
            message.as_ref(),
            help.as_ref(),
        );
    }

    pub(super) fn warn(
        &mut self,
        place: Place,
        code: ProblemCode,
        message: impl AsRef<str>,
        help: impl AsRef<str>,
    ) {
        self.add(
            self.file,
            Severity::Warning,
            place,
            code,
            message.as_ref(),
            help.as_ref(),
        );
    }

    fn add(
        &mut self,
        file: &str,
        severity: Severity,
        place: Place,
        code: ProblemCode,
        message: &str,
        help: &str,
    ) {
        self.found.push(Problem {
            severity,
            file: file.to_owned(),
            place,
            code,
            message: one_line(message),
            help: one_line(help),
        });
    }

    pub(super) const fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of them in the order of the file, then those of included files, each once.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        fn order<'p>(
            main: &str,
            problem: &'p Problem,
        ) -> (bool, &'p str, Place, ProblemCode, &'p str) {
            (
                problem.file != main,
                &problem.file,
                problem.place,
                problem.code,
                &problem.message,
            )
        }
        let main = self.main;
        self.found
            .sort_by(|a, b| order(main, a).cmp(&order(main, b)));
        self.found.dedup();
        self.found
    }
}

/// A problem is one line on a terminal whatever was quoted in it: control characters are escaped, so
/// that a policy from elsewhere cannot write to the screen of whoever checks it.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| {
            // The two ranges reverse the direction of text, and can make a line read as another.
            if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') {
                c.escape_unicode().to_string()
            } else {
                c.to_string()
            }
        })
        .collect()
}

/// A quotation of what was written, short enough for a message.
pub(super) fn quote(text: &str) -> String {
    /// Long enough for every valid value, an ARN included, to be recognised.
    const SHOWN: usize = 80;
    if text.chars().count() > SHOWN {
        let start: String = text.chars().take(SHOWN).collect();
        format!("`{start}...`")
    } else {
        format!("`{text}`")
    }
}

/// The known word that `text` most probably was meant to be.
#[must_use]
pub fn nearest<'k>(text: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    /// Two edits in a word of six: beyond a third, a suggestion is noise.
    const CLOSE: f64 = 0.67;
    let lower: String = text.chars().take(80).collect::<String>().to_lowercase();
    known
        .into_iter()
        .map(|word| {
            (
                strsim::normalized_damerau_levenshtein(&lower, &word.to_lowercase()),
                word,
            )
        })
        .filter(|(score, _)| *score >= CLOSE)
        .max_by(|(a, left), (b, right)| a.total_cmp(b).then_with(|| right.cmp(left)))
        .map(|(_, word)| word)
}
