//! A policy as people read it.

use std::collections::BTreeSet;
use std::fmt::Write;

use domain::directory::{NotOne, Status};
use domain::id::AccountId;
use domain::policy::{Described, Format, Policy, Setting, parse, resolve};

use crate::organisation::Organisation;

/// All that it says, for the eye.
fn told(described: &Described) -> String {
    let mut text = String::new();
    for line in &described.overall {
        writeln!(text, "{}: {}", line.about, line.text).unwrap();
    }
    let rules = described.rules.iter().map(|part| ("rule", part));
    let guardrails = described.guardrails.iter().map(|part| ("guardrail", part));
    for (kind, part) in rules.chain(guardrails) {
        writeln!(text, "\n{kind} {}", part.name).unwrap();
        for line in &part.lines {
            writeln!(text, "  {}: {}", line.about, line.text).unwrap();
        }
    }
    text
}

fn described(organisation: &Organisation, policy: &Policy) -> Described {
    policy.describe(&organisation.facts())
}

#[test]
fn the_sandboxs_policy_reads_as_it_is_meant() {
    let organisation = Organisation::new();
    let source = include_str!("../../../sandbox/policy.toml");
    let file = parse(source, Format::Toml, "policy.toml").unwrap();
    let policy = resolve(&file, &organisation.directory, &Setting::default()).policy;
    insta::assert_snapshot!(told(&described(&organisation, &policy)));
}

/// Every key of the language, with names that mean nobody any more.
const RICH: &str = r#"
admins = ["group:Platform", "user:liam.murphy"]

[defaults]
reason = { min_length = 1 }

[[rule]]
name = "all"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["*"]
approvers = ["group:Security"]
approvals = 2
approval = "required"
self_approval = "allow"
max_duration = "4h"
durations = ["15m", "1h"]
notify = ["slack:#prod-access"]

[[rule]]
name = "one"
accounts = ["111122223333", "ou:Staging", "name:web-*", "tag:env=dev"]
permission_sets = ["ReadOnlyAccess", "*Access"]
requesters = ["user:noah.berg", "user:no.such"]
approval = "none"

[[rule]]
name = "glass"
accounts = ["ou:Production"]
permission_sets = ["AdministratorAccess"]
requesters = ["group:Oncall"]
approvers = ["group:Security", "user:emma.lindqvist"]
approval = "after"
self_approval = "deny"

[[rule]]
name = "join"
groups = ["group:Incident Response"]
requesters = ["group:SRE"]
approvers = ["group:Security"]

[[guardrail]]
name = "everything"
accounts = ["*"]
permission_sets = ["Billing"]
max_duration = "1h"
max_session = "8h"
min_approvals = 1
self_approval = "deny"
break_glass = "deny"
ticket = { required = true, pattern = "PAY-[0-9]+" }
hours = { zone = "Europe/Berlin", days = ["mon-fri"], from = "08:00", to = "19:00" }
reauthenticate = true
max_continuous = "24h"
max_start_ahead = "7d"

[[guardrail]]
name = "never"
accounts = ["ou:Security"]
deny = true

[[guardrail]]
name = "tickets"
accounts = ["*"]
ticket = { required = false, pattern = "OPS-[0-9]+" }
"#;

#[test]
fn everything_that_the_language_says_is_told() {
    let mut organisation = Organisation::new();
    organisation.account("Log Archive").active = false;
    let setting = Setting {
        protected: BTreeSet::from([
            "100000000001".parse::<AccountId>().unwrap(),
            "999999999999".parse::<AccountId>().unwrap(),
        ]),
        earlier: None,
    };
    let policy = organisation.resolved(RICH, &setting).policy;
    // Since then somebody was disabled, and somebody has left.
    organisation.person("liam.murphy").status = Status::Disabled;
    let emma = organisation.user("emma.lindqvist");
    organisation.directory.people.remove(&emma);
    let described = described(&organisation, &policy);
    insta::assert_snapshot!(told(&described));

    let mention = |words: &str| -> Vec<String> {
        let parts = described.rules.iter().chain(&described.guardrails);
        let found = parts.filter(|part| part.mentions(words));
        found.map(|part| part.name.to_string()).collect()
    };
    assert_eq!(mention("incident"), ["join"]);
    assert_eq!(mention("SLACK security"), ["all"]);
    assert_eq!(mention("payments production"), ["one"]);
    assert_eq!(mention("glass"), ["glass", "everything"]);
    assert_eq!(mention("").len(), 7);
    assert!(mention("no-such-word").is_empty());
}

#[test]
fn what_people_type_means_one_thing_or_says_why_not() {
    let mut organisation = Organisation::new();
    organisation.account("Orders Staging").name = "Web Production".to_owned();
    let directory = &organisation.directory;
    let ana = organisation.user("ana.silva");
    for name in ["ana.silva", "ANA.SILVA@example.com", ana.as_str()] {
        assert_eq!(directory.person_called(name).unwrap().id, ana, "{name}");
    }
    let nothing = |near: Option<&str>| NotOne::Nothing {
        near: near.map(str::to_owned),
    };
    assert_eq!(
        directory.person_called("ana.silba").unwrap_err(),
        nothing(Some("ana.silva"))
    );
    assert_eq!(directory.person_called("x").unwrap_err(), nothing(None));
    let account = |name| directory.account_called(name);
    assert_eq!(account("network").unwrap().as_str(), "555566667777");
    assert_eq!(account("555566667777").unwrap().as_str(), "555566667777");
    assert_eq!(account("999999999999").unwrap().as_str(), "999999999999");
    assert_eq!(account("5555").unwrap_err(), NotOne::Digits(4));
    assert_eq!(account("Web Production").unwrap_err(), NotOne::Several(2));
    assert_eq!(account("Netwrok").unwrap_err(), nothing(Some("Network")));
    let set = directory.permission_set_called("readonlyaccess").unwrap();
    assert_eq!(
        directory.permission_sets[&set].name.as_str(),
        "ReadOnlyAccess"
    );
    assert_eq!(directory.permission_set_called(set.as_str()).unwrap(), set);
    let group = directory.group_called("oncall").unwrap();
    assert_eq!(group, organisation.group("Oncall"));
    assert_eq!(directory.group_called(group.as_str()).unwrap(), group);
    assert_eq!(
        directory.group_called("Oncal").unwrap_err(),
        nothing(Some("Oncall"))
    );
}
