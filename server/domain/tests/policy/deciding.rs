//! What a policy says of a proposal: DESIGN 6, step by step.

use std::collections::BTreeSet;

use domain::directory::Beyond;
use domain::policy::{Code, Proposal, REASON_MAX, Reason, decide};
use domain::target::Target;

use crate::organisation::{Organisation, now, rule, seconds};

/// Who asks for what and for how long, and the verdict's line.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, &'a str);

fn check(rules: &str, cases: &[Case<'_>]) {
    let organisation = Organisation::new();
    let policy = organisation.policy(rules);
    for (by, account, set, duration, expected) in cases {
        let verdict = organisation.ask(&policy, by, account, set, duration);
        assert_eq!(
            organisation.line(&verdict),
            *expected,
            "{by} asks for {set} in {account} for {duration}: {:#?}",
            verdict.reasons
        );
    }
}

#[test]
fn routes_keep_their_own_approvers_numbers_and_durations() {
    let rules = [
        rule("long", &[("max_duration", "\"8h\""), ("approvals", "2")]),
        rule(
            "short",
            &[
                ("max_duration", "\"1h\""),
                ("approvers", "[\"group:Platform\"]"),
            ],
        ),
        rule(
            "not-mine",
            &[
                ("requesters", "[\"group:Data\"]"),
                ("approvers", "[\"group:Audit\"]"),
            ],
        ),
    ]
    .concat();
    check(
        &rules,
        &[
            (
                "carla.rossi",
                "Network",
                "Billing",
                "1h",
                "pending needs-approval: long 2 of emma farid mia; short 1 of grace keiko",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "2h",
                "pending needs-approval: long 2 of emma farid mia",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "9h",
                "refused too-long (8h would be allowed.)",
            ),
            (
                "ines.costa",
                "Network",
                "Billing",
                "1h",
                "pending needs-approval: not-mine 1 of hugo",
            ),
            (
                "liam.murphy",
                "Network",
                "Billing",
                "1h",
                "refused requester-not-allowed",
            ),
            (
                "noah.berg",
                "Network",
                "Billing",
                "1h",
                "refused requester-inactive",
            ),
        ],
    );
}

#[test]
fn a_rule_without_approval_grants_at_once_unless_another_requires_it() {
    let free = rule(
        "free",
        &[
            ("approval", "\"none\""),
            ("approvers", ""),
            ("max_duration", "\"4h\""),
        ],
    );
    let silent = rule("silent", &[("max_duration", "\"8h\"")]);
    let required = rule(
        "required",
        &[("approval", "\"required\""), ("max_duration", "\"1h\"")],
    );
    let others = rule(
        "others",
        &[
            ("approval", "\"required\""),
            ("requesters", "[\"group:Data\"]"),
        ],
    );
    let ask = |duration, expected| [("carla.rossi", "Network", "Billing", duration, expected)];

    check(&free, &ask("1h", "granted automatic: free at once"));
    // A rule that says nothing of approval is another way, and takes nothing away.
    check(
        &[free.clone(), silent.clone()].concat(),
        &ask("1h", "granted automatic: free at once"),
    );
    check(
        &[free.clone(), silent].concat(),
        &ask("8h", "pending needs-approval: silent 1 of emma farid mia"),
    );
    // One that requires approval does, even for a duration that it would not allow itself.
    let both = [free.clone(), required].concat();
    check(
        &both,
        &ask("1h", "pending needs-approval: required 1 of emma farid mia"),
    );
    check(&both, &ask("2h", "refused too-long (1h would be allowed.)"));
    // But only where it is for this requester.
    check(
        &[free, others].concat(),
        &ask("1h", "granted automatic: free at once"),
    );
}

#[test]
fn a_rule_that_would_grant_at_once_waits_for_its_own_approvers_if_approval_is_required() {
    let free = rule(
        "free",
        &[("approval", "\"none\""), ("approvers", "[\"group:Data\"]")],
    );
    let required = rule("required", &[("approval", "\"required\"")]);
    check(
        &[free, required].concat(),
        &[(
            "carla.rossi",
            "Network",
            "Billing",
            "1h",
            "pending needs-approval: free 1 of ines jonas; required 1 of emma farid mia",
        )],
    );
}

#[test]
fn approving_for_oneself_counts_only_where_it_is_allowed_and_nowhere_denied() {
    let own = [("requesters", "[\"group:Payments\", \"group:Security\"]")];
    let with = |name, extra: &[(&str, &str)]| rule(name, &[&own[..], extra].concat());
    let silent = with("silent", &[]);
    let allow = with("allow", &[("self_approval", "\"allow\"")]);
    let allow_two = with(
        "allow",
        &[("self_approval", "\"allow\""), ("approvals", "2")],
    );
    let deny = with(
        "deny",
        &[("self_approval", "\"deny\""), ("max_duration", "\"30m\"")],
    );
    let deny_others = with(
        "deny",
        &[
            ("self_approval", "\"deny\""),
            ("approvers", "[\"group:Platform\"]"),
        ],
    );
    let deny_foreign = rule(
        "deny",
        &[
            ("self_approval", "\"deny\""),
            ("requesters", "[\"group:Data\"]"),
        ],
    );
    let mia = |expected| [("mia.novak", "Network", "Billing", "1h", expected)];

    check(
        &silent,
        &mia("pending needs-approval: silent 1 of emma farid"),
    );
    check(
        &allow,
        &mia("granted self-approved: allow 1 of emma farid and self"),
    );
    check(
        &allow_two,
        &mia("pending needs-approval: allow 2 of emma farid and self"),
    );
    // Denied by a rule in which she is an approver, although that rule does not allow an hour.
    check(
        &[allow.clone(), deny].concat(),
        &mia("pending needs-approval: allow 1 of emma farid"),
    );
    // Rules in which she is no approver, or no requester, have no say.
    check(
        &[allow.clone(), deny_others].concat(),
        &mia("granted self-approved: allow 1 of emma farid and self"),
    );
    check(
        &[allow.clone(), deny_foreign].concat(),
        &mia("granted self-approved: allow 1 of emma farid and self"),
    );
    // Someone who is no approver gains nothing.
    check(
        &allow,
        &[(
            "carla.rossi",
            "Network",
            "Billing",
            "1h",
            "pending needs-approval: allow 1 of emma farid mia",
        )],
    );
}

#[test]
fn a_request_that_nobody_could_approve_is_refused_at_once() {
    let emma = rule(
        "r",
        &[
            ("requesters", "[\"*\"]"),
            ("approvers", "[\"user:emma.lindqvist\"]"),
        ],
    );
    let three = rule("r", &[("requesters", "[\"*\"]"), ("approvals", "3")]);
    let shorter = rule(
        "short",
        &[
            ("max_duration", "\"1h\""),
            ("requesters", "[\"*\"]"),
            ("approvers", "[\"group:Platform\"]"),
        ],
    );
    check(
        &emma,
        &[
            (
                "carla.rossi",
                "Network",
                "Billing",
                "1h",
                "pending needs-approval: r 1 of emma",
            ),
            (
                "emma.lindqvist",
                "Network",
                "Billing",
                "1h",
                "refused no-approvers",
            ),
        ],
    );
    // Disabled people are no approvers: of Security's four, three can.
    check(
        &three,
        &[
            (
                "carla.rossi",
                "Network",
                "Billing",
                "1h",
                "pending needs-approval: r 3 of emma farid mia",
            ),
            (
                "mia.novak",
                "Network",
                "Billing",
                "1h",
                "refused no-approvers",
            ),
        ],
    );
    check(
        &[three, shorter].concat(),
        &[
            (
                "mia.novak",
                "Network",
                "Billing",
                "2h",
                "refused no-approvers (1h would be allowed.)",
            ),
            (
                "mia.novak",
                "Network",
                "Billing",
                "1h",
                "pending needs-approval: short 1 of grace keiko",
            ),
        ],
    );
}

#[test]
fn durations_have_a_shortest_and_a_longest() {
    let rules = format!(
        "[defaults]\nmin_duration = \"10m\"\nmax_duration = \"3h\"\n{}",
        rule("r", &[])
    );
    check(
        &rules,
        &[
            (
                "carla.rossi",
                "Network",
                "Billing",
                "0s",
                "refused too-short (10m would be allowed.)",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "599s",
                "refused too-short (10m would be allowed.)",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "10m",
                "pending needs-approval: r 1 of emma farid mia",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "3h",
                "pending needs-approval: r 1 of emma farid mia",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "3h1s",
                "refused too-long (3h would be allowed.)",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "366d",
                "refused too-long (3h would be allowed.)",
            ),
        ],
    );
    // Without [defaults]: five minutes to a working day.
    check(
        &rule("r", &[]),
        &[
            (
                "carla.rossi",
                "Network",
                "Billing",
                "4m",
                "refused too-short (5m would be allowed.)",
            ),
            (
                "carla.rossi",
                "Network",
                "Billing",
                "9h",
                "refused too-long (8h would be allowed.)",
            ),
        ],
    );
}

#[test]
fn a_reason_has_a_shortest_and_a_longest() {
    let organisation = Organisation::new();
    let policy = organisation.policy(&format!(
        "[defaults]\nreason = {{ min_length = 10 }}\n{}",
        rule("r", &[("max_duration", "\"1h\"")])
    ));
    let ask = |reason_chars, duration| {
        let proposal = Proposal::new(
            organisation.user("carla.rossi"),
            organisation.target("Network", "Billing"),
            seconds(duration),
            reason_chars,
            now(),
        );
        decide(&policy, &proposal, &organisation.facts())
    };
    for (reason_chars, duration, expected) in [
        (
            9,
            "1h",
            "refused reason-too-short (A reason of 10 characters would be allowed.)",
        ),
        (10, "1h", "pending needs-approval: r 1 of emma farid mia"),
        (
            REASON_MAX,
            "1h",
            "pending needs-approval: r 1 of emma farid mia",
        ),
        (
            REASON_MAX + 1,
            "1h",
            "refused reason-too-long (A reason of 2000 characters would be allowed.)",
        ),
        (
            0,
            "2h",
            "refused too-long (1h, with a reason of 10 characters, would be allowed.)",
        ),
    ] {
        assert_eq!(organisation.line(&ask(reason_chars, duration)), expected);
    }
}

#[test]
fn a_delegated_administrator_does_not_promise_what_aws_would_refuse() {
    let mut organisation = Organisation::new();
    let arn = |name: &str, organisation: &Organisation| {
        let set = organisation.directory.permission_set_named(name).unwrap();
        set.arn.clone()
    };
    organisation.directory.beyond = Beyond {
        account: Some("100000000001".parse().unwrap()),
        permission_sets: BTreeSet::from([arn("Billing", &organisation)]),
    };
    let free = rule("r", &[("approval", "\"none\""), ("approvers", "")]);
    let policy = organisation.policy(&free);
    let verdict = |account, set| organisation.ask(&policy, "carla.rossi", account, set, "1h");
    let management = verdict("Management", "ReadOnlyAccess");
    assert_eq!(management.code, Code::BeyondReach);
    assert!(matches!(
        management.reasons[0],
        Reason::ManagementAccount { .. }
    ));
    let billing = verdict("Shared Services", "Billing");
    assert_eq!(billing.code, Code::BeyondReach);
    assert!(matches!(
        billing.reasons[0],
        Reason::ProvisionedInManagement { .. }
    ));
    assert_eq!(
        verdict("Shared Services", "ReadOnlyAccess").code,
        Code::Automatic
    );
}

#[test]
fn protected_and_closed_accounts_are_refused_whatever_the_policy_says() {
    let mut organisation = Organisation::new();
    organisation.account("Network").active = false;
    let setting = domain::policy::Setting {
        protected: BTreeSet::from(["100000000001".parse().unwrap()]),
        earlier: None,
    };
    let free = rule("r", &[("approval", "\"none\""), ("approvers", "")]);
    let policy = organisation.resolved(&free, &setting).policy;
    let code = |account| {
        organisation
            .ask(&policy, "carla.rossi", account, "Billing", "1h")
            .code
    };
    assert_eq!(code("Management"), Code::Protected);
    assert_eq!(code("Network"), Code::UnknownTarget);
    assert_eq!(code("Shared Services"), Code::Automatic);

    let nowhere = Target::Account {
        account: "000000000000".parse().unwrap(),
        permission_set: organisation
            .directory
            .permission_set_named("Billing")
            .unwrap()
            .arn
            .clone(),
    };
    let nobody = Target::Group {
        group: crate::organisation::group_id(999),
    };
    for target in [nowhere, nobody] {
        let verdict = organisation.decide(&policy, "carla.rossi", &target, "1h");
        assert_eq!(verdict.code, Code::UnknownTarget, "{target}");
    }
}
