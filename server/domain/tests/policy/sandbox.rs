//! The sandbox's policy, against the sandbox's organisation: a golden table of who gets what.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::policy::{Format, Proposal, Setting, check, parse, report_text, resolve};
use domain::target::Target;

use crate::organisation::{Organisation, PEOPLE, now};

const SOURCE: &str = include_str!("../../../sandbox/policy.toml");

#[test]
fn the_sandboxs_policy_has_no_problems_but_long_sessions_and_one_alone_on_call() {
    let organisation = Organisation::new();
    let found = check(
        SOURCE,
        Format::Toml,
        "policy.toml",
        Some(&organisation.directory),
    );
    insta::assert_snapshot!(report_text("policy.toml", &found), @r"
    policy.toml:20:8: session-outlives: rule `payments-production-read` gives at most 1h, and sessions with `ReadOnlyAccess` go on for up to 8h after that; shorten the sessions of the permission set in Identity Center
    policy.toml:31:8: session-outlives: rule `production-read` gives at most 4h, and sessions with `ReadOnlyAccess` go on for up to 8h after that; shorten the sessions of the permission set in Identity Center
    policy.toml:57:8: few-approvers: rule `oncall-power` needs 1 approval and has 1 active approver, so none can be away; name more approvers, so that enough are left whoever asks or is away
    policy.toml:57:8: session-outlives: rule `oncall-power` gives at most 2h, and sessions with `PowerUserAccess` go on for up to 4h after that; shorten the sessions of the permission set in Identity Center
    policy.toml:88:8: session-outlives: rule `staging-power` gives at most 4h, and sessions with `ReadOnlyAccess` go on for up to 8h after that; shorten the sessions of the permission set in Identity Center
    policy.toml:99:8: session-outlives: rule `infrastructure` gives at most 1h, and sessions with `ReadOnlyAccess` go on for up to 8h after that; shorten the sessions of the permission set in Identity Center
    policy.toml:109:8: session-outlives: rule `security-audit` gives at most 8h, and sessions with `SecurityAudit` go on for up to 12h after that; shorten the sessions of the permission set in Identity Center
    policy.toml: 7 warnings; the policy can be used
    ");
}

#[test]
fn who_may_ask_for_what_in_the_sandbox() {
    let organisation = Organisation::new();
    let file = parse(SOURCE, Format::Toml, "policy.toml").unwrap();
    let policy = Arc::new(resolve(&file, &organisation.directory, &Setting::default()).policy);
    let catalogue = Catalogue::build(Arc::clone(&policy), &organisation.directory);
    let mut table = String::new();
    for (name, _) in PEOPLE {
        writeln!(table, "{name}").unwrap();
        for entry in catalogue
            .for_person(&organisation.user(name), &organisation.facts())
            .entries()
        {
            let account = &organisation.directory.accounts[&entry.account].name;
            let set = &organisation.directory.permission_sets[&entry.permission_set].name;
            let mut by_line: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for duration in &entry.offer.durations {
                let duration = duration.to_string();
                let verdict = organisation.ask(&policy, name, account, set.as_str(), &duration);
                by_line
                    .entry(organisation.line(&verdict))
                    .or_default()
                    .push(duration);
            }
            for (line, durations) in by_line {
                writeln!(table, "  {account} / {set} {}: {line}", durations.join(" ")).unwrap();
            }
        }
        let user = organisation.user(name);
        for (group, offer) in catalogue.groups_for_person(&user, &organisation.facts()) {
            let group_name = &organisation.directory.groups[&group].name;
            for duration in &offer.durations {
                let proposal = Proposal::new(
                    user.clone(),
                    Target::Group {
                        group: group.clone(),
                    },
                    *duration,
                    40,
                    now(),
                );
                let line = organisation.judge(&policy, &proposal);
                writeln!(table, "  group {group_name} {duration}: {line}").unwrap();
            }
        }
    }
    insta::assert_snapshot!("who_may_ask_for_what", table);
}

#[test]
fn the_first_loop_works_as_the_walkthrough_tells_it() {
    let organisation = Organisation::new();
    let file = parse(SOURCE, Format::Toml, "policy.toml").unwrap();
    let policy = resolve(&file, &organisation.directory, &Setting::default()).policy;
    for duration in ["20s", "1m", "15m", "1h"] {
        let verdict = organisation.ask(
            &policy,
            "ana.silva",
            "Payments Production",
            "ReadOnlyAccess",
            duration,
        );
        assert_eq!(
            organisation.line(&verdict),
            "pending needs-approval: payments-production-read 1 of emma farid mia"
        );
    }
}
