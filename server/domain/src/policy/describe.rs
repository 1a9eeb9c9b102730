//! A policy as people read it: each rule and guardrail in sentences, with the names of today.
//!
//! It tells what is in force, by ids: a name that was given to somebody else since shows as theirs
//! here only if the id is. Deliberately absent: what it all comes to for one person and one target,
//! which is a verdict.

use std::collections::BTreeSet;
use std::fmt::Display;

use super::facts::Facts;
use super::guardrail::Guardrail;
use super::language::{Approval, Limits, SelfApproval};
use super::scope::{Scope, SetMatch};
use super::selector::AccountSelector;
use super::who::Who;
use super::{Policy, Rule, RuleName};
use crate::directory::{Account, PermissionSet};
use crate::id::AccountId;

/// As many names as anybody reads in a sentence; of more it says how many.
const NAMED: usize = 12;

/// One rule or guardrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its name, as verdicts give it.
    pub name: RuleName,
    /// What it says, from what it covers to its fine print.
    pub lines: Vec<Line>,
}

/// One thing that it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What about, in a word or two.
    pub about: &'static str,
    /// A sentence, or a list of names.
    pub text: String,
}

/// The whole policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Who oversees, what holds for every request, and what no policy can open.
    pub overall: Vec<Line>,
    /// By name.
    pub rules: Vec<Part>,
    /// By name.
    pub guardrails: Vec<Part>,
}

impl Part {
    /// Whether every one of these words is in its name or in what it says, in any case.
    #[must_use]
    pub fn mentions(&self, words: &str) -> bool {
        let mut all = self.name.as_str().to_lowercase();
        for line in &self.lines {
            for text in [line.about, line.text.as_str()] {
                all.push('\n');
                all.push_str(&text.to_lowercase());
            }
        }
        words
            .to_lowercase()
            .split_whitespace()
            .all(|word| all.contains(word))
    }
}

impl Policy {
    /// What it says, with the names of this directory.
    #[must_use]
    pub fn describe(&self, facts: &Facts<'_>) -> Described {
        let names = Names { facts };
        Described {
            overall: names.overall(self),
            rules: self.rules.iter().map(|rule| names.rule(rule)).collect(),
            guardrails: self
                .guardrails
                .iter()
                .map(|guardrail| names.guardrail(guardrail))
                .collect(),
        }
    }
}

/// Words for ids.
struct Names<'a, 'f> {
    facts: &'a Facts<'f>,
}

fn line(about: &'static str, text: impl Into<String>) -> Line {
    Line {
        about,
        text: text.into(),
    }
}

/// `one account`, `3 accounts`.
fn count(number: usize, of: &str) -> String {
    if number == 1 {
        format!("1 {of}")
    } else {
        format!("{number} {of}s")
    }
}

/// `a`, `a and b`, `a, b and c`; the rest only counted.
fn list<T: Display>(all: impl IntoIterator<Item = T>) -> String {
    joined(all, "and")
}

fn joined<T: Display>(all: impl IntoIterator<Item = T>, word: &str) -> String {
    let mut shown: Vec<String> = all.into_iter().map(|one| one.to_string()).collect();
    if shown.len() > NAMED {
        let more = shown.len() - (NAMED - 1);
        shown.truncate(NAMED - 1);
        shown.push(format!("{more} more"));
    }
    let last = shown.pop().unwrap_or_default();
    if shown.is_empty() {
        last
    } else {
        format!("{} {word} {last}", shown.join(", "))
    }
}

impl Names<'_, '_> {
    fn overall(&self, policy: &Policy) -> Vec<Line> {
        let defaults = &policy.defaults;
        let mut lines = vec![
            line("Admins", self.who(&policy.admins)),
            line("Auditors", self.who(&policy.auditors)),
            line(
                "Every request",
                format!(
                    "For at least {}, with a reason of at least {}; waits {} for its approvers.",
                    defaults.min_duration,
                    count(defaults.reason_min, "character"),
                    defaults.request_expires_after,
                ),
            ),
        ];
        if !policy.protected.is_empty() {
            let accounts = list(policy.protected.iter().map(|id| self.account(id)));
            lines.push(line(
                "Protected",
                format!("{accounts}: no rule opens them."),
            ));
        }
        lines
    }

    fn rule(&self, rule: &Rule) -> Part {
        let mut lines = self.scope(&rule.scope);
        lines.push(line("Who may ask", self.who(&rule.requesters)));
        lines.push(line("Approval", self.approval(rule)));
        match rule.self_approval {
            Some(SelfApproval::Allow) => lines.push(line(
                "Own approval",
                "A requester who is one of its approvers counts as one.",
            )),
            Some(SelfApproval::Deny) => lines.push(line(
                "Own approval",
                "Never counts, here or by any other rule.",
            )),
            None => {}
        }
        let mut longest = format!("At most {}", rule.max_duration);
        if !rule.durations.is_empty() {
            longest.push_str("; forms offer ");
            longest.push_str(&list(&rule.durations));
        }
        longest.push('.');
        lines.push(line("How long", longest));
        if !rule.notify.is_empty() {
            lines.push(line("Tells", list(&rule.notify)));
        }
        Part {
            name: rule.name.clone(),
            lines,
        }
    }

    fn guardrail(&self, guardrail: &Guardrail) -> Part {
        let mut lines = self.scope(&guardrail.scope);
        lines.extend(limits(&guardrail.limits));
        Part {
            name: guardrail.name.clone(),
            lines,
        }
    }

    fn approval(&self, rule: &Rule) -> String {
        let by = || {
            format!(
                "{} of {}",
                rule.approvals.max(1),
                self.any(&rule.approvers, "or")
            )
        };
        match rule.approval {
            Some(Approval::None) if rule.approvers.is_nobody() => {
                "None: granted at once, unless another rule requires approval.".to_owned()
            }
            Some(Approval::None) => format!(
                "None: granted at once, unless another rule requires approval; then by {}.",
                by()
            ),
            Some(Approval::After) => format!(
                "Break-glass: granted at once, told to everyone, and signed afterwards by {}.",
                by()
            ),
            Some(Approval::Required) | None if rule.approvers.is_nobody() => {
                "Nobody is named who could approve it.".to_owned()
            }
            Some(Approval::Required) => {
                format!("By {}, even where another rule would grant at once.", by())
            }
            None => format!("By {}.", by()),
        }
    }

    /// What is covered, and how much of the organisation that is today.
    fn scope(&self, scope: &Scope) -> Vec<Line> {
        let mut lines = Vec::new();
        if !scope.accounts.is_empty() || !scope.sets.is_empty() {
            lines.push(line("Accounts", self.accounts(scope)));
            lines.push(line("Permission sets", self.sets(scope)));
        }
        if !scope.groups.is_empty() || !scope.group_names.is_empty() {
            let mut names: BTreeSet<String> = scope.group_names.clone();
            names.extend(scope.groups.iter().map(|id| self.group(id)));
            lines.push(line("Groups to join", list(names)));
        }
        if let Some(within) = &scope.within {
            lines.push(line(
                "Reaches no further than",
                format!("{}; {}", self.accounts(within), self.sets(within)),
            ));
        }
        lines
    }

    fn accounts(&self, scope: &Scope) -> String {
        let covered = |account: &&Account| account.active && scope.covers_account(account);
        let found = self.facts.directory.accounts.values().filter(covered);
        let now = count(found.count(), "account");
        if scope.accounts.contains(&AccountSelector::All) && scope.within.is_none() {
            return format!("every account ({now} now)");
        }
        let written = scope.accounts.iter().map(|selector| match selector {
            AccountSelector::Id(id) => self.account(id),
            other => other.to_string(),
        });
        format!("{} ({now} now)", list(written))
    }

    fn sets(&self, scope: &Scope) -> String {
        let known = &self.facts.directory.permission_sets;
        let covered = |set: &&PermissionSet| scope.covers_set(set);
        let now = known.values().filter(covered).count();
        let written = scope.sets.iter().map(|set| match set {
            SetMatch::Arn(arn) => known
                .get(arn)
                .map_or_else(|| arn.to_string(), |set| set.name.to_string()),
            SetMatch::Pattern(pattern) => pattern.to_string(),
        });
        // What holds back names a set by its id and by its name.
        let mut written: Vec<String> = written.collect();
        written.dedup();
        if written == ["*"] && scope.within.is_none() {
            return format!("every permission set ({now} now)");
        }
        let by_name = |set: &SetMatch| matches!(set, SetMatch::Arn(_));
        if scope.sets.iter().all(by_name) && scope.within.is_none() {
            return list(written);
        }
        format!("{} ({} now)", list(written), count(now, "permission set"))
    }

    fn account(&self, id: &AccountId) -> String {
        match self.facts.directory.accounts.get(id) {
            Some(account) => format!("{} ({id})", account.name),
            None => format!("{id} (not in the organisation)"),
        }
    }

    fn group(&self, id: &crate::id::GroupId) -> String {
        match self.facts.directory.groups.get(id) {
            Some(group) => group.name.clone(),
            None => format!("{id} (no such group)"),
        }
    }

    fn who(&self, who: &Who) -> String {
        self.any(who, "and")
    }

    fn any(&self, who: &Who, word: &str) -> String {
        if who.everyone {
            return format!("everyone ({})", people(who.all(self.facts)));
        }
        let users = who
            .users
            .iter()
            .map(|id| match self.facts.directory.people.get(id) {
                Some(person) if self.facts.is_active(id) => person.display_name.clone(),
                Some(person) => format!("{} (disabled)", person.display_name),
                None => format!("{id} (not in the directory)"),
            });
        let groups = who.groups.iter().map(|id| {
            let members = self.facts.members.of(id);
            let members = members.filter(|user| self.facts.is_active(user)).count();
            if self.facts.members.knows(id) {
                format!("{} ({})", self.group(id), people(members))
            } else {
                format!("{} (members not known)", self.group(id))
            }
        });
        let mut all: Vec<String> = groups.chain(users).collect();
        if who.incomplete {
            all.push("a name that means nobody".to_owned());
        }
        if all.is_empty() {
            return "nobody".to_owned();
        }
        joined(all, word)
    }
}

fn people(number: usize) -> String {
    if number == 1 {
        "1 person".to_owned()
    } else {
        format!("{number} people")
    }
}

fn limits(limits: &Limits) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut say = |about, text: String| lines.push(line(about, text));
    if limits.deny {
        say("Access", "None at all, for anybody.".to_owned());
    }
    if let Some(max) = limits.max_duration {
        say("How long", format!("At most {max}."));
    }
    if let Some(max) = limits.max_session {
        say(
            "Sessions",
            format!("Only permission sets whose sessions last at most {max}."),
        );
    }
    if limits.min_approvals > 0 {
        let others = people(usize::try_from(limits.min_approvals).unwrap_or(usize::MAX));
        say(
            "Approval",
            format!("At least {others} other than the requester."),
        );
    }
    if limits.no_self_approval {
        say("Own approval", "Never counts.".to_owned());
    }
    if limits.no_break_glass {
        say("Break-glass", "Not here.".to_owned());
    }
    if let Some(ticket) = &limits.ticket {
        let looks = ticket
            .pattern
            .as_ref()
            .map(|pattern| pattern.as_str().to_owned());
        say(
            "Ticket",
            match (ticket.required, looks) {
                (true, None) => "Has to be given.".to_owned(),
                (true, Some(looks)) => format!("Has to be given, and to match {looks}."),
                (false, Some(looks)) => format!("If one is given, it has to match {looks}."),
                (false, None) => "May be given.".to_owned(),
            },
        );
    }
    if let Some(hours) = &limits.hours {
        say("Hours", format!("Only {hours}."));
    }
    if limits.reauthenticate {
        say(
            "Signing in",
            "Whoever approves has to have signed in just before.".to_owned(),
        );
    }
    if let Some(max) = limits.max_continuous {
        say(
            "Unbroken access",
            format!("At most {max}, extensions included."),
        );
    }
    if let Some(max) = limits.max_start_ahead {
        say("Starting later", format!("At most {max} ahead."));
    }
    lines
}
