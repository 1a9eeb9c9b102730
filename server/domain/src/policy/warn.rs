//! What is doubtful in a policy that is valid: DESIGN's warnings.
//!
//! None of it stops a policy from loading. Each names what somebody who reads rules one by one would
//! not see. Rules are compared by the classes of accounts and permission sets that they cover, so a
//! thousand rules take a moment however many accounts there are; each rule is named at most once for
//! each kind of doubt.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::facts::Facts;
use super::language::{Approval, PolicyFile, RuleName, RuleSource, SelfApproval};
use super::problem::{Problem, ProblemCode, Problems, counted};
use super::resolve::{Setting, resolve};
use super::seconds::Seconds;
use super::selector::PersonSelector;
use super::{Policy, Rule};
use crate::catalogue::coverage::{Reach, Reaches};
use crate::directory::Directory;
use crate::id::UserId;

/// Every warning; those that need to know who and what there is only with a directory.
#[must_use]
pub fn warnings(file: &PolicyFile, directory: Option<&Directory>) -> Vec<Problem> {
    let mut problems = Problems::new(&file.file);
    everyone_approves(file, &mut problems);
    if let Some(directory) = directory {
        let policy = resolve(file, directory, &Setting::default()).policy;
        let reaches = Reaches::of(&policy, directory);
        let doubts = Doubts::new(file, &policy, directory, &reaches);
        doubts.nobody_is_left_to_approve(&mut problems);
        doubts.sessions_outlive_access(&mut problems);
        doubts.others_have_it_easier(&mut problems);
        doubts.another_rule_undercuts(&mut problems);
    }
    problems.into_sorted()
}

/// Whoever asks finds somebody who nods.
fn everyone_approves<'a>(file: &'a PolicyFile, problems: &mut Problems<'a>) {
    for rule in &file.rules {
        if rule.approval == Some(Approval::None) {
            continue;
        }
        for approver in &rule.approvers {
            if approver.value == PersonSelector::Everyone {
                problems.enter(file.file_of(rule.included));
                problems.warn(
                    approver.place,
                    ProblemCode::EveryoneApproves,
                    format!("rule `{}` lets everyone approve", rule.name.value),
                    "name the users or groups whose approval means something",
                );
            }
        }
    }
    problems.leave();
}

/// A rule with what it reaches and whom it is for.
struct Seen<'a> {
    rule: &'a Rule,
    source: &'a RuleSource,
    reach: &'a Reach,
    requesters: FixedBitSet,
    approvers: FixedBitSet,
}

impl Seen<'_> {
    fn name(&self) -> &RuleName {
        &self.rule.name
    }

    fn at_once(&self) -> bool {
        self.rule.approval == Some(Approval::None)
    }

    fn is_break_glass(&self) -> bool {
        self.rule.approval == Some(Approval::After)
    }
}

/// What a rule asks of people before they have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Burden {
    Nothing,
    /// Afterwards, and loudly.
    Signatures(u32),
    /// Before.
    Approvals(u32),
}

impl Burden {
    /// Whether that is less of the same, or nothing at all. Going in first is neither less nor more
    /// than asking first: it is for other hours.
    const fn is_less_than(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nothing, Self::Signatures(_)) => true,
            (Self::Nothing, Self::Approvals(asked)) => asked > 0,
            (Self::Approvals(one), Self::Approvals(other))
            | (Self::Signatures(one), Self::Signatures(other)) => one < other,
            _ => false,
        }
    }

    const fn people(self) -> u32 {
        match self {
            Self::Nothing => 0,
            Self::Signatures(n) | Self::Approvals(n) => n,
        }
    }

    /// For `rule x ...`.
    fn asks_for(self, what: &str) -> String {
        match self {
            Self::Nothing => format!("asks nobody for {what}"),
            Self::Signatures(n) => format!(
                "gives {what} as break-glass with {} afterwards",
                counted(n as usize, "signature")
            ),
            Self::Approvals(n) => {
                format!("asks for {} for {what}", counted(n as usize, "approval"))
            }
        }
    }

    /// For `gives that ...`.
    fn with(self) -> String {
        match self {
            Self::Nothing | Self::Approvals(0) => "without approval".to_owned(),
            Self::Approvals(n) => format!("with {}", counted(n as usize, "approval")),
            Self::Signatures(n) => format!("with {}", counted(n as usize, "signature")),
        }
    }
}

/// What approvers of the rule give.
fn what(seen: &Seen<'_>) -> &'static str {
    if seen.is_break_glass() {
        "signature"
    } else {
        "approval"
    }
}

struct Doubts<'a> {
    file: &'a PolicyFile,
    policy: &'a Policy,
    directory: &'a Directory,
    reaches: &'a Reaches,
    rules: Vec<Seen<'a>>,
}

impl<'a> Doubts<'a> {
    fn new(
        file: &'a PolicyFile,
        policy: &'a Policy,
        directory: &'a Directory,
        reaches: &'a Reaches,
    ) -> Self {
        let facts = Facts::of_snapshot(directory);
        let at: BTreeMap<&UserId, usize> = facts.active_people().zip(0..).collect();
        let bits = |people: Vec<&UserId>| {
            let mut bits = FixedBitSet::with_capacity(at.len());
            bits.extend(people.into_iter().filter_map(|user| at.get(user).copied()));
            bits
        };
        let sources: BTreeMap<&RuleName, &RuleSource> = file
            .rules
            .iter()
            .map(|rule| (&rule.name.value, rule))
            .collect();
        let rules = policy
            .rules()
            .iter()
            .zip(&reaches.rules)
            .filter_map(|(rule, reach)| {
                Some(Seen {
                    rule,
                    source: sources.get(&rule.name)?,
                    reach,
                    requesters: bits(rule.requesters.each(&facts)),
                    approvers: bits(rule.approvers.each(&facts)),
                })
            })
            .collect();
        Self {
            file,
            policy,
            directory,
            reaches,
            rules,
        }
    }

    fn warn(
        &self,
        problems: &mut Problems<'_>,
        seen: &Seen<'_>,
        code: ProblemCode,
        message: &str,
        help: &str,
    ) {
        let file = self.file.file_of(seen.source.included);
        problems.warn_in(file, seen.source.name.place, code, message, help);
    }

    /// How many approvals by others guardrails ask for, wherever that is.
    fn floor(&self, at: &Reach) -> u32 {
        self.guardrails_over(at)
            .map(|limits| limits.min_approvals)
            .max()
            .unwrap_or_default()
    }

    fn guardrails_over(&self, at: &Reach) -> impl Iterator<Item = &super::language::Limits> {
        self.policy
            .guardrails()
            .iter()
            .zip(&self.reaches.guardrails)
            .filter(|(_, reach)| !at.is_empty() && reach.contains(at))
            .map(|(guardrail, _)| &guardrail.limits)
    }

    /// What that rule asks for there; `None` where a guardrail forbids all that it could give.
    fn burden(&self, seen: &Seen<'_>, at: &Reach) -> Option<Burden> {
        let forbids = |limits: &super::language::Limits| {
            limits.deny || seen.is_break_glass() && limits.no_break_glass
        };
        if self.guardrails_over(at).any(forbids) {
            return None;
        }
        let floor = self.floor(at);
        Some(if seen.is_break_glass() {
            Burden::Signatures(seen.rule.approvals.max(floor))
        } else if !seen.at_once() {
            Burden::Approvals(seen.rule.approvals.max(floor))
        } else if floor > 0 {
            Burden::Approvals(floor)
        } else {
            Burden::Nothing
        })
    }

    /// Enough approvers in all, and too few for one of them who asks, or is away; or none where a
    /// guardrail wants some. What has too few for anybody is reported when names are looked up.
    fn nobody_is_left_to_approve(&self, problems: &mut Problems<'_>) {
        for seen in &self.rules {
            let floor = self.floor(seen.reach);
            let found = u32::try_from(seen.approvers.count_ones(..)).unwrap_or(u32::MAX);
            let own_counts =
                seen.rule.self_approval == Some(SelfApproval::Allow) && !seen.is_break_glass();
            let name = seen.name();
            if seen.at_once() && floor == 0 {
                continue;
            }
            let asked = if seen.at_once() {
                1
            } else {
                seen.rule.approvals
            };
            if !seen.at_once() && found < asked {
                continue;
            }
            let ask_and_approve = !seen.requesters.is_disjoint(&seen.approvers);
            let needed = asked.max(floor);
            let (code, message) = if found < floor {
                let message = format!(
                    "rule `{name}` has {}, and guardrails ask for {}",
                    counted(found as usize, "active approver"),
                    counted(floor as usize, "approval")
                );
                (ProblemCode::NobodyCanApprove, message)
            } else if ask_and_approve && found - 1 < floor.max(asked - u32::from(own_counts)) {
                let message = format!(
                    "rule `{name}` has {}, who may ask by it too and cannot approve for themselves",
                    counted(found as usize, "active approver"),
                );
                (ProblemCode::NobodyCanApprove, message)
            } else if found <= needed {
                let message = format!(
                    "rule `{name}` needs {} and has {}, so none can be away",
                    counted(needed as usize, what(seen)),
                    counted(found as usize, "active approver")
                );
                (ProblemCode::FewApprovers, message)
            } else {
                continue;
            };
            let help = "name more approvers, so that enough are left whoever asks or is away";
            self.warn(problems, seen, code, &message, help);
        }
    }

    /// Access ends, and what it was used to open goes on.
    fn sessions_outlive_access(&self, problems: &mut Problems<'_>) {
        for seen in &self.rules {
            let max = seen.rule.max_duration;
            let longest = seen
                .reach
                .sets
                .ones()
                .filter_map(|class| self.reaches.set_of.get(class))
                .filter_map(|arn| self.directory.permission_sets.get(arn))
                .filter(|set| seen.rule.scope.covers_set(set))
                .max_by_key(|set| (set.session_seconds, &set.arn));
            let Some(set) = longest.filter(|set| set.session_seconds > max.get()) else {
                continue;
            };
            let message = format!(
                "rule `{}` gives at most {max}, and sessions with `{}` go on for up to {} after that",
                seen.name(),
                set.name,
                Seconds::new(set.session_seconds)
            );
            let help = "shorten the sessions of the permission set in Identity Center";
            self.warn(problems, seen, ProblemCode::SessionOutlives, &message, help);
        }
    }

    /// A rule is careful with some people, and another is not with others.
    fn others_have_it_easier(&self, problems: &mut Problems<'_>) {
        let careful = |seen: &&Seen<'_>| {
            !seen.at_once()
                && (seen.is_break_glass()
                    || seen.rule.approval == Some(Approval::Required)
                    || seen.rule.approvals > 1)
        };
        for easy in &self.rules {
            let mut hardest: Option<(Burden, Burden, &Seen<'_>, Reach)> = None;
            for hard in self.rules.iter().filter(careful) {
                if easy.name() == hard.name() || !easy.reach.meets(hard.reach) {
                    continue;
                }
                let outside = !easy.requesters.is_subset(&hard.requesters);
                // Whoever may ask by both has it as easy, unless approval is required of them.
                let inside = !hard.requesters.is_subset(&easy.requesters)
                    || easy.at_once() && hard.rule.approval == Some(Approval::Required);
                if !outside || !inside || hard.requesters.is_clear() {
                    continue;
                }
                let both = easy.reach.common(hard.reach);
                let (Some(asks), Some(instead)) =
                    (self.burden(hard, &both), self.burden(easy, &both))
                else {
                    continue;
                };
                let more = hardest
                    .as_ref()
                    .is_none_or(|(most, ..)| asks.people() > most.people());
                if instead.is_less_than(asks) && more {
                    hardest = Some((asks, instead, hard, both));
                }
            }
            let Some((asks, instead, hard, both)) = hardest else {
                continue;
            };
            let message = format!(
                "rule `{}` {}, and rule `{}` gives that {} to people whom the other leaves out",
                hard.name(),
                asks.asks_for(&self.example(&both)),
                easy.name(),
                instead.with(),
            );
            let help = format!(
                "ask for as much in both, or let a guardrail say min_approvals = {}",
                asks.people()
            );
            self.warn(problems, easy, ProblemCode::EasierOutside, &message, &help);
        }
    }

    /// A rule that nobody needs, since another gives all of it to all of them for less.
    fn another_rule_undercuts(&self, problems: &mut Problems<'_>) {
        for idle in &self.rules {
            if idle.requesters.is_clear() || idle.reach.is_empty() {
                continue;
            }
            let Some(asks) = self.burden(idle, idle.reach) else {
                continue;
            };
            let own_counts = idle.rule.self_approval == Some(SelfApproval::Allow);
            let least = match asks {
                Burden::Approvals(n) => Burden::Approvals(n.saturating_sub(u32::from(own_counts))),
                as_asked => as_asked,
            };
            let undercut = self.rules.iter().find_map(|other| {
                let cancelled = other.at_once() && idle.rule.approval == Some(Approval::Required);
                let enough = self.burden(other, idle.reach)?;
                let undercuts = enough.is_less_than(least)
                    && !cancelled
                    && other.rule.max_duration >= idle.rule.max_duration
                    && idle.requesters.is_subset(&other.requesters)
                    && other.reach.contains(idle.reach)
                    // One of them may be who asks.
                    && (enough == Burden::Nothing
                        || other.approvers.count_ones(..) > enough.people() as usize);
                undercuts.then_some((other, enough))
            });
            let Some((other, enough)) = undercut else {
                continue;
            };
            let message = format!(
                "rule `{}` asks for {}, and rule `{}` gives the same people all of it {}",
                idle.name(),
                match asks {
                    Burden::Signatures(n) => counted(n as usize, "signature"),
                    other => counted(other.people() as usize, "approval"),
                },
                other.name(),
                enough.with(),
            );
            let help = "drop it, or narrow or tighten the other";
            self.warn(problems, idle, ProblemCode::Undercut, &message, help);
        }
    }

    /// Something that is covered, as people call it.
    fn example(&self, at: &Reach) -> String {
        let account = at.accounts.ones().find_map(|class| {
            self.directory
                .accounts
                .get(self.reaches.account_of.get(class)?)
        });
        let set = at.sets.ones().find_map(|class| {
            self.directory
                .permission_sets
                .get(self.reaches.set_of.get(class)?)
        });
        let group = || {
            let group = at
                .groups
                .ones()
                .find_map(|at| self.reaches.groups.get(at))?;
            self.directory.groups.get(group)
        };
        match (account, set) {
            (Some(account), Some(set)) => format!("`{}` in `{}`", set.name, account.name),
            _ => group().map_or_else(
                || "the same".to_owned(),
                |group| format!("membership of `{}`", group.name),
            ),
        }
    }
}
