//! Golden tables of who may do what: a change of the policy or of the rules of deciding is a diff here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use domain::policy::{
    AskFacts, BreakGlass, Format, Outcome, Policy, Proposal, Setting, decide, may_review,
    parse_with, resolve,
};
use domain::target::Target;

use crate::organisation::{Organisation, PEOPLE, TICKET, included, now, seconds};

fn targets(organisation: &Organisation) -> Vec<(String, String, Target)> {
    let directory = &organisation.directory;
    let mut targets = Vec::new();
    for account in directory.accounts.values() {
        for set in directory.permission_sets.values() {
            let target = Target::Account {
                account: account.id.clone(),
                permission_set: set.arn.clone(),
            };
            targets.push((account.name.clone(), set.name.to_string(), target));
        }
    }
    for group in directory.groups.values() {
        let target = Target::Group {
            group: group.id.clone(),
        };
        targets.push(("groups".to_owned(), group.name.clone(), target));
    }
    targets
}

/// What comes of asking, of asking as break-glass, and who may review it, themselves included.
fn cell(organisation: &Organisation, policy: &Policy, ask: &Proposal) -> Option<String> {
    let facts = organisation.facts();
    let verdict = decide(policy, ask, &facts);
    if verdict.eligible.is_empty() {
        return None;
    }
    let mut cell = organisation.line(&verdict);
    let glass = Proposal {
        break_glass: BreakGlass::Asked,
        ..ask.clone()
    };
    let glass = decide(policy, &glass, &facts);
    if glass.outcome == Outcome::Granted && glass.code != verdict.code {
        write!(cell, " | {}", organisation.line(&glass)).unwrap();
    }
    let submitted = verdict.route_rules();
    let facts_of = AskFacts {
        ticket: ask.ticket.as_deref(),
        ..AskFacts::new(&ask.requester, &ask.target, ask.duration, &submitted, now())
    };
    let reviewers: BTreeSet<String> = PEOPLE
        .iter()
        .map(|(name, _)| organisation.user(name))
        .filter(|user| may_review(policy, &facts_of, user, &facts).is_ok())
        .map(|user| {
            let own = if user == ask.requester { "self:" } else { "" };
            format!(
                "{own}{}",
                organisation.name(&user).split('.').next().unwrap()
            )
        })
        .collect();
    if !reviewers.is_empty() {
        let names: Vec<String> = reviewers.into_iter().collect();
        write!(cell, " | reviewed by {}", names.join(" ")).unwrap();
    }
    Some(cell)
}

/// A line for each answer that a person gets, with every target that gets it.
fn matrix(organisation: &Organisation, policy: &Policy, duration: &str) -> String {
    let mut table = format!("Asking for {duration} with a ticket, on a Friday at noon.\n");
    let targets = targets(organisation);
    for (name, _) in PEOPLE {
        let mut by_cell: BTreeMap<String, BTreeMap<&str, Vec<&str>>> = BTreeMap::new();
        for (place, what, target) in &targets {
            let user = organisation.user(name);
            let mut ask = Proposal::new(user, target.clone(), seconds(duration), 40, now());
            ask.ticket = Some(TICKET.to_owned());
            if let Some(cell) = cell(organisation, policy, &ask) {
                let places = by_cell.entry(cell).or_default();
                places.entry(place).or_default().push(what);
            }
        }
        let (user, facts) = (organisation.user(name), organisation.facts());
        let admin = if policy.is_admin(&user, &facts) {
            ", an admin"
        } else {
            ""
        };
        let auditor = if policy.is_auditor(&user, &facts) {
            ", an auditor"
        } else {
            ""
        };
        writeln!(table, "{name}{admin}{auditor}").unwrap();
        for (cell, places) in by_cell {
            writeln!(table, "  {cell}").unwrap();
            let mut by_sets: BTreeMap<String, Vec<&str>> = BTreeMap::new();
            for (place, sets) in places {
                by_sets.entry(sets.join(", ")).or_default().push(place);
            }
            for (sets, places) in by_sets {
                writeln!(table, "    {sets}: {}", places.join(", ")).unwrap();
            }
        }
    }
    table
}

#[test]
fn who_may_do_what_by_the_sandboxs_policy() {
    let organisation = Organisation::new();
    let source = include_str!("../../../sandbox/policy.toml");
    let policy = organisation.policy(&source.replacen("version = 1", "", 1));
    insta::assert_snapshot!("sandbox", matrix(&organisation, &policy, "1h"));
}

/// Every key of the language.
const RICH: &str = r#"
version = 1
admins = ["group:Platform"]
auditors = ["group:Audit"]
[defaults]
max_duration = "4h"
min_duration = "1m"
request_expires_after = "2h"
reason = { min_length = 10 }

[[rule]]
name = "read"
accounts = ["ou:Production", "tag:env=staging"]
permission_sets = ["ReadOnlyAccess"]
requesters = ["group:Engineering"]
approvers = ["group:SRE"]
notify = ["slack:#prod", "webhook:pager"]

[[rule]]
name = "admin"
accounts = ["name:* Production", "555566667777"]
permission_sets = ["Admin*"]
requesters = ["group:SRE", "group:Security"]
approvers = ["group:Security", "user:grace.chen@example.com"]
approvals = 2
approval = "required"
self_approval = "allow"
durations = ["15m", "1h"]

[[rule]]
name = "emergency"
accounts = ["ou:Production"]
permission_sets = ["AdministratorAccess"]
requesters = ["group:Oncall", "group:Payments"]
approvers = ["group:Security"]
approval = "after"
max_duration = "1h"

[[rule]]
name = "free"
accounts = ["*"]
permission_sets = ["Billing", "DatabaseOperator"]
requesters = ["group:Data"]
approvers = ["group:Platform"]
approval = "none"

[[rule]]
name = "no-self"
accounts = ["ou:Payments"]
permission_sets = ["*"]
requesters = ["group:Security"]
approvers = ["group:Security"]
self_approval = "deny"

[[rule]]
name = "night"
groups = ["group:Night shift"]
requesters = ["group:Data"]
approvers = ["group:Platform"]

[[guardrail]]
name = "careful"
accounts = ["ou:Production/Data", "ou:Payments"]
max_duration = "2h"
min_approvals = 1
self_approval = "deny"
break_glass = "deny"
ticket = { required = true, pattern = "[A-Z]+-[0-9]+", url = "https://t.example.com/{ticket}" }
reauthenticate = true
max_continuous = "3h"
max_start_ahead = "7d"

[[guardrail]]
name = "short-sessions"
permission_sets = ["*"]
accounts = ["tag:env=staging"]
max_session = "4h"

[[guardrail]]
name = "never"
accounts = ["ou:Security"]
deny = true

[[guardrail]]
name = "afternoon"
accounts = ["ou:Infrastructure"]
hours = { zone = "UTC", days = ["mon-fri"], from = "13:00", to = "18:00" }

[[include]]
file = "team.toml"
within = { accounts = ["ou:Sandboxes"], permission_sets = ["*"] }
"#;

const TEAM: &str = r#"
version = 1
[[rule]]
name = "team-free"
accounts = ["*"]
permission_sets = ["PowerUserAccess"]
requesters = ["*"]
approval = "none"
[[guardrail]]
name = "team-careful"
accounts = ["888899990001"]
min_approvals = 1
"#;

#[test]
fn who_may_do_what_by_a_policy_with_every_key() {
    let mut organisation = Organisation::new();
    organisation.hold("Night shift", &[("Network", "Billing")]);
    let files = included(&[("team.toml", TEAM)]);
    let file = parse_with(RICH, Format::Toml, "p.toml", &files).unwrap();
    let setting = Setting {
        protected: BTreeSet::from(["100000000001".parse().unwrap()]),
        earlier: None,
    };
    let policy = resolve(&file, &organisation.directory, &setting).policy;
    insta::assert_snapshot!("rich", matrix(&organisation, &policy, "1h"));
}
