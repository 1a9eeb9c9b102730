//! What no rule can give: each limit by itself, and several together.

use domain::policy::{
    AskFacts, Code, Decision, Format, Policy, Proposal, Reason, Review, ReviewOutcome, check,
    decide, report_text, review,
};

use crate::organisation::{Organisation, guardrail, now, rule, seconds};

fn free(max: &str) -> String {
    rule(
        "free",
        &[
            ("approval", "\"none\""),
            ("approvers", ""),
            ("max_duration", &format!("\"{max}\"")),
        ],
    )
}

/// Carla asks for Billing in Network.
fn carla(rules: &[String], duration: &str) -> String {
    asked(rules, "carla.rossi", duration, |_| ())
}

fn asked(rules: &[String], by: &str, duration: &str, change: impl Fn(&mut Proposal)) -> String {
    let organisation = Organisation::new();
    let policy = organisation.policy(&rules.concat());
    let mut proposal = organisation.proposal(by, "Network", "Billing", duration);
    change(&mut proposal);
    organisation.judge(&policy, &proposal)
}

#[test]
fn a_guardrail_that_denies_denies_everyone_and_everything_that_it_covers() {
    let organisation = Organisation::new();
    let policy = organisation.policy(
        &[
            free("8h"),
            guardrail(
                "no-production",
                &[("accounts", "[\"ou:Production\"]"), ("deny", "true")],
            ),
            guardrail(
                "no-admins",
                &[
                    ("permission_sets", "[\"AdministratorAccess\"]"),
                    ("deny", "true"),
                ],
            ),
        ]
        .concat(),
    );
    for (account, set, expected) in [
        ("Network", "Billing", "granted automatic: free at once"),
        ("Web Production", "Billing", "refused denied"),
        ("Network", "AdministratorAccess", "refused denied"),
        ("Web Production", "AdministratorAccess", "refused denied"),
    ] {
        let verdict = organisation.ask(&policy, "carla.rossi", account, set, "1h");
        assert_eq!(organisation.line(&verdict), expected, "{account} {set}");
        assert_eq!(verdict.nearest, None);
    }
    // Nobody is told of a guardrail who could not ask anyway.
    let verdict = organisation.ask(&policy, "liam.murphy", "Web Production", "Billing", "1h");
    assert_eq!(verdict.for_requester().code, Code::NotAvailable);
}

#[test]
fn the_shortest_of_all_longest_durations_counts() {
    let two = guardrail("two", &[("max_duration", "\"2h\"")]);
    let three = guardrail("three", &[("max_duration", "\"3h\"")]);
    let elsewhere = guardrail(
        "elsewhere",
        &[
            ("accounts", "[\"ou:Production\"]"),
            ("max_duration", "\"5m\""),
        ],
    );
    let r = rule("r", &[]);
    let all = [r.clone(), two, three, elsewhere];
    assert_eq!(
        carla(&all, "2h"),
        "pending needs-approval: r 1 of emma farid mia"
    );
    assert_eq!(
        carla(&all, "2h1s"),
        "refused too-long (2h would be allowed.)"
    );
    // It never makes a rule longer.
    let nine = guardrail("nine", &[("max_duration", "\"9h\"")]);
    assert_eq!(
        carla(&[r.clone(), nine], "9h"),
        "refused too-long (8h would be allowed.)"
    );
    // Nor does it reach a form: what it leaves is offered.
    let listed = rule("r", &[("durations", "[\"1h\", \"4h\", \"8h\"]")]);
    let organisation = Organisation::new();
    for (max, offered) in [("\"4h\"", "1h 4h"), ("\"10m\"", "10m")] {
        let guard = guardrail("g", &[("max_duration", max)]);
        let policy = organisation.policy(&format!("{listed}{guard}"));
        let verdict = organisation.ask(&policy, "carla.rossi", "Network", "Billing", "5m");
        let durations: Vec<String> = verdict.routes[0]
            .durations
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(durations.join(" "), offered);
    }
}

#[test]
fn more_approvals_turn_at_once_into_pending_and_never_count_the_requester() {
    let one = guardrail("one", &[("min_approvals", "1")]);
    let two = guardrail("two", &[("min_approvals", "2")]);
    let named = rule(
        "named",
        &[("approval", "\"none\""), ("approvers", "[\"group:Data\"]")],
    );
    let asks = rule("asks", &[]);
    let own = rule(
        "own",
        &[
            ("requesters", "[\"group:Security\"]"),
            ("self_approval", "\"allow\""),
        ],
    );
    let own_three = rule(
        "own",
        &[
            ("requesters", "[\"group:Security\"]"),
            ("approvers", "[\"group:Security\", \"group:Data\"]"),
            ("approvals", "3"),
            ("self_approval", "\"allow\""),
        ],
    );
    for (rules, by, expected) in [
        (
            vec![free("8h"), one.clone()],
            "carla.rossi",
            "refused no-approvers",
        ),
        (
            vec![named.clone(), one.clone()],
            "carla.rossi",
            "pending needs-approval: named 1 of ines jonas",
        ),
        // The stricter of two; each rule with its own approvers.
        (
            vec![named.clone(), free("8h"), asks, one.clone(), two.clone()],
            "carla.rossi",
            "pending needs-approval: asks 2 of emma farid mia; named 2 of ines jonas",
        ),
        (
            vec![own.clone()],
            "mia.novak",
            "granted self-approved: own 1 of emma farid and self",
        ),
        (
            vec![own.clone(), one.clone()],
            "mia.novak",
            "pending needs-approval: own 2 of emma farid and self",
        ),
        (
            vec![own.clone(), two.clone()],
            "mia.novak",
            "pending needs-approval: own 3 of emma farid and self",
        ),
        // Three with the requester are two others already.
        (
            vec![own_three, two],
            "mia.novak",
            "pending needs-approval: own 3 of emma farid ines jonas and self",
        ),
        (
            vec![own, guardrail("three", &[("min_approvals", "3")])],
            "mia.novak",
            "refused no-approvers",
        ),
    ] {
        assert_eq!(asked(&rules, by, "1h", |_| ()), expected, "{rules:#?}");
    }
}

#[test]
fn no_rule_lets_anybody_approve_for_themselves_where_a_guardrail_denies_it() {
    let own = [
        ("requesters", "[\"group:Security\"]"),
        ("self_approval", "\"allow\""),
    ];
    let deny = guardrail("no-self", &[("self_approval", "\"deny\"")]);
    let rules = [rule("own", &own), deny];
    assert_eq!(
        asked(&rules, "mia.novak", "1h", |_| ()),
        "pending needs-approval: own 1 of emma farid"
    );
    // A guardrail elsewhere says nothing here.
    let elsewhere = guardrail(
        "no-self",
        &[
            ("accounts", "[\"ou:Production\"]"),
            ("self_approval", "\"deny\""),
        ],
    );
    assert_eq!(
        asked(&[rule("own", &own), elsewhere], "mia.novak", "1h", |_| ()),
        "granted self-approved: own 1 of emma farid and self"
    );
}

#[test]
fn permission_sets_whose_sessions_last_too_long_are_refused() {
    let organisation = Organisation::new();
    let policy = organisation.policy(&format!(
        "{}{}",
        rule("r", &[]),
        guardrail("short-sessions", &[("max_session", "\"4h\"")])
    ));
    for (set, expected) in [
        ("Billing", "pending needs-approval: r 1 of emma farid mia"),
        (
            "PowerUserAccess",
            "pending needs-approval: r 1 of emma farid mia",
        ),
        ("ReadOnlyAccess", "refused session-too-long"),
        ("SecurityAudit", "refused session-too-long"),
    ] {
        let proposal = organisation.proposal("carla.rossi", "Network", set, "1h");
        assert_eq!(organisation.judge(&policy, &proposal), expected, "{set}");
    }
}

#[test]
fn a_ticket_is_asked_for_and_the_whole_of_it_has_to_match() {
    let r = rule("r", &[]);
    let required = guardrail("any", &[("ticket", "{ required = true }")]);
    let absent = guardrail("absent", &[("ticket", "{ pattern = \"[A-Z]+-[0-9]+\" }")]);
    let optional = guardrail(
        "optional",
        &[(
            "ticket",
            "{ required = false, pattern = \"[A-Z]+-[0-9]+\" }",
        )],
    );
    let allowed = "pending needs-approval: r 1 of emma farid mia";
    let missing = "refused ticket-required (The same with a ticket would be allowed.)";
    let wrong = "refused ticket-invalid (The same with a ticket would be allowed.)";
    for (guard, ticket, expected) in [
        (&required, None, missing),
        (&required, Some(""), missing),
        (&required, Some("  \t"), missing),
        (&required, Some("anything"), allowed),
        (&absent, None, missing),
        (&absent, Some("PAY-12"), allowed),
        (&absent, Some("see PAY-12"), wrong),
        (&absent, Some("PAY-12\n"), wrong),
        (&absent, Some("pay-12"), wrong),
        (&optional, None, allowed),
        (&optional, Some(" "), allowed),
        (&optional, Some("PAY-12"), allowed),
        (&optional, Some("none"), wrong),
        (&r, Some(&*"x".repeat(100)), allowed),
        (&r, Some(&*"x".repeat(101)), wrong),
    ] {
        let mut rules = vec![rule("r", &[])];
        rules.extend((guard != &r).then(|| guard.clone()));
        let line = asked(&rules, "carla.rossi", "1h", |proposal| {
            proposal.ticket = ticket.map(ToOwned::to_owned);
        });
        assert_eq!(line, expected, "{ticket:?}\n{guard}");
    }
}

#[test]
fn of_several_things_that_are_wrong_the_first_names_the_verdict_and_all_are_told() {
    let all = [
        rule("r", &[("max_duration", "\"1h\"")]),
        guardrail("no", &[("deny", "true")]),
        guardrail("session", &[("max_session", "\"15m\"")]),
        guardrail("ahead", &[("max_start_ahead", "\"1h\"")]),
        guardrail("ticket", &[("ticket", "{ required = true }")]),
        guardrail("run", &[("max_continuous", "\"1h\"")]),
        guardrail(
            "hours",
            &[(
                "hours",
                "{ zone = \"UTC\", from = \"08:00\", to = \"09:00\" }",
            )],
        ),
    ];
    let mut kept = all.to_vec();
    let mut codes = Vec::new();
    // What is wrong is taken away, one by one, in the order in which it is named.
    for _ in 0..9 {
        let line = asked(&kept, "carla.rossi", "2h", |proposal| {
            proposal.start = Some("2026-11-20T15:00:00Z".parse().unwrap());
            proposal.reason_chars = 0;
        });
        let code = line.split(' ').nth(1).unwrap().to_owned();
        let name = match code.as_str() {
            "denied" => "no",
            "session-too-long" => "session",
            "too-far-ahead" => "ahead",
            "too-long" => "r",
            "outside-hours" => "hours",
            "continuous-too-long" => "run",
            "ticket-required" => "ticket",
            other => {
                codes.push(other.to_owned());
                break;
            }
        };
        codes.push(code);
        if name == "r" {
            kept[0] = rule("r", &[]);
        } else {
            kept.retain(|text| !text.contains(&format!("name = \"{name}\"")));
        }
    }
    assert_eq!(
        codes,
        [
            "denied",
            "session-too-long",
            "too-far-ahead",
            "too-long",
            "outside-hours",
            "continuous-too-long",
            "ticket-required",
            "reason-too-short",
        ]
    );
    let organisation = Organisation::new();
    let policy = organisation.policy(&all.concat());
    let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", "2h");
    proposal.start = Some("2026-11-20T15:00:00Z".parse().unwrap());
    proposal.reason_chars = 0;
    let verdict = decide(&policy, &proposal, &organisation.facts());
    let sentences: Vec<String> = verdict.reasons.iter().map(Reason::sentence).collect();
    insta::assert_snapshot!(sentences.join("\n"), @r"
    Rule `r` needs 1 approval from 3 people who could give it.
    Rule `r` allows at most 1h, not 2h.
    Guardrail `no` denies it.
    Sessions with `Billing` last 1h, and guardrail `session` allows 15m.
    Guardrail `ahead` lets access begin at most 1h ahead.
    It would begin outside the hours of guardrail `hours`.
    Guardrail `run` allows 1h without a break, and there would be 0s before this.
    Guardrail `ticket` asks for a ticket.
    The reason has 0 characters, and needs at least 1.
    ");
}

#[test]
fn guardrails_of_the_moment_judge_reviews() {
    let organisation = Organisation::new();
    let r = rule("r", &[]);
    let before = organisation.policy(&r);
    let (carla, emma) = (
        organisation.user("carla.rossi"),
        organisation.user("emma.lindqvist"),
    );
    let target = organisation.target("Network", "Billing");
    let verdict = organisation.ask(&before, "carla.rossi", "Network", "Billing", "4h");
    let submitted = verdict.route_rules();
    let approved = Review {
        reviewer: emma,
        decision: Decision::Approve,
        duration: seconds("4h"),
        at: now(),
    };
    let line = |policy: &Policy, ticket| {
        let mut ask = AskFacts::new(&carla, &target, seconds("4h"), &submitted, now());
        ask.ticket = ticket;
        match review(
            policy,
            &ask,
            std::slice::from_ref(&approved),
            &organisation.facts(),
        ) {
            ReviewOutcome::Completed { duration, .. } => format!("completed for {duration}"),
            ReviewOutcome::Open { routes } => format!("open, {} missing", routes[0].missing),
            ReviewOutcome::NotPossible { code } => format!("not possible: {code}"),
            other @ ReviewOutcome::DeniedBy { .. } => panic!("{other:?}"),
        }
    };
    assert_eq!(line(&before, None), "completed for 4h");
    for (keys, ticket, expected) in [
        (("max_duration", "\"1h\""), None, "completed for 1h"),
        (("min_approvals", "2"), None, "open, 1 missing"),
        (("deny", "true"), None, "not possible: denied"),
        (
            ("max_session", "\"30m\""),
            None,
            "not possible: session-too-long",
        ),
        (
            ("ticket", "{ required = true }"),
            None,
            "not possible: ticket-required",
        ),
        (
            ("ticket", "{ pattern = \"[A-Z]+-[0-9]+\" }"),
            Some("PAY-1"),
            "completed for 4h",
        ),
        (
            ("ticket", "{ pattern = \"[A-Z]+\" }"),
            Some("PAY-1"),
            "not possible: ticket-invalid",
        ),
        (("max_continuous", "\"2h\""), None, "completed for 2h"),
        // Noon in UTC; closing in an hour and a half.
        (
            (
                "hours",
                "{ zone = \"UTC\", from = \"08:00\", to = \"13:30\" }",
            ),
            None,
            "completed for 1h30m",
        ),
        (
            (
                "hours",
                "{ zone = \"UTC\", from = \"08:00\", to = \"12:00\" }",
            ),
            None,
            "not possible: outside-hours",
        ),
    ] {
        let policy = organisation.policy(&format!("{r}{}", guardrail("g", &[keys])));
        assert_eq!(line(&policy, ticket), expected, "{keys:?}");
    }
}

#[test]
fn a_guardrail_binds_what_its_names_may_come_to_mean() {
    let mut organisation = Organisation::new();
    organisation.group_or_new("Later");
    // The set is called otherwise when the policy loads, and renamed afterwards.
    let guard = guardrail(
        "g",
        &[("permission_sets", "[\"Renamed\"]"), ("deny", "true")],
    );
    let policy = organisation.policy(&format!("{}{guard}", free("8h")));
    let line = |organisation: &Organisation| {
        let target = organisation.target("Network", "Billing");
        let verdict = organisation.decide(&policy, "carla.rossi", &target, "1h");
        verdict.code
    };
    assert_eq!(line(&organisation), Code::Automatic);
    let arn = organisation
        .directory
        .permission_set_named("Billing")
        .unwrap()
        .arn
        .clone();
    let target = organisation.target("Network", "Billing");
    organisation
        .directory
        .permission_sets
        .get_mut(&arn)
        .unwrap()
        .name = domain::id::PermissionSetName::parse("Renamed").unwrap();
    let verdict = organisation.decide(&policy, "carla.rossi", &target, "1h");
    assert_eq!(verdict.code, Code::Denied);
}

#[test]
fn every_problem_of_a_guardrail_has_its_place_and_a_way_out() {
    let source = r#"version = 1
[[rule]]
name = "r"
accounts = ["*"]
permission_sets = ["*"]
requesters = ["*"]
approvers = ["group:Security"]

[[guardrail]]
name = "g"
accounts = ["*"]
requesters = ["*"]
deny = "yes"
max_duration = "1m"
max_session = "13h"
min_approvals = 0
self_approval = "allow"
break_glass = "allow"
ticket = { required = true, pattern = "(", url = "http://tickets/{ticket}", prefix = "X" }
hours = { zone = "Europe/Berln", days = ["monday"], from = "8:00", to = "24:01" }
reauthenticate = 1
max_continuous = "31d"
max_start_ahead = "31d"

[[guardrail]]
name = "h"
groups = ["Oncall"]
ticket = {}
hours = { zone = "UTC", from = "08:00", to = "08:00" }

[[guardrail]]
name = "i"
accounts = []
hours = { days = [] }
"#;
    let found = check(source, Format::Toml, "policy.toml", None);
    insta::assert_snapshot!(report_text("policy.toml", &found), @r#"
    policy.toml:12:1: unknown-key: guardrail `g` has no key `requesters`; known here: accounts, break_glass, deny, groups, hours, max_continuous, max_duration, max_session, max_start_ahead, min_approvals, name, permission_sets, reauthenticate, self_approval, ticket
    policy.toml:13:8: wrong-type: guardrail `g`: `deny` is a text, not true or false; write true or false, without quotes
    policy.toml:14:16: contradiction: `max_duration` says 1m, and `min_duration` is 5m; make it longer, or lower `min_duration` in [defaults]
    policy.toml:15:15: invalid-value: guardrail `g`: `max_session` is longer than 12h; write at most "12h"
    policy.toml:16:17: invalid-value: guardrail `g`: `min_approvals` is out of range; write a number from 1 to 10
    policy.toml:17:17: invalid-value: guardrail `g`: `self_approval` cannot be `allow`; write "deny", or leave it out
    policy.toml:18:15: invalid-value: guardrail `g`: `break_glass` cannot be `allow`; write "deny", or leave it out
    policy.toml:19:39: invalid-value: `pattern`: `(` is not a pattern: unclosed group; write a regular expression that the whole ticket matches, such as "[A-Z]+-[0-9]+"
    policy.toml:19:50: invalid-value: `url`: `http://tickets/{ticket}` is not the address of a ticket; write at most 500 characters that begin with https:// and have {ticket} in them once
    policy.toml:19:77: unknown-key: `ticket` has no key `prefix`; known here: pattern, required, url
    policy.toml:20:18: invalid-value: `zone`: there is no time zone `Europe/Berln`; did you mean "Europe/Berlin"?
    policy.toml:20:42: invalid-value: `hours`: `days`: `monday` is no day of the week; write mon, tue, wed, thu, fri, sat or sun, or a range such as mon-fri
    policy.toml:20:60: invalid-value: `from`: `8:00` is no time of day; write it with four digits, "00:00" to "24:00"
    policy.toml:20:73: invalid-value: `to`: `24:01` is no time of day; write it with four digits, "00:00" to "24:00"
    policy.toml:21:18: wrong-type: guardrail `g`: `reauthenticate` is a number, not true or false; write true or false, without quotes
    policy.toml:22:18: invalid-value: guardrail `g`: `max_continuous` is longer than 30d; write at most "30d"
    policy.toml:23:19: invalid-value: guardrail `g`: `max_start_ahead` is longer than 30d; write at most "30d"
    policy.toml:27:11: invalid-value: guardrail `h`: `groups`: `Oncall` does not name a group; write "group:Oncall"
    policy.toml:29:9: contradiction: `hours` begins and ends at 08:00; for whole days write from = "00:00" and to = "24:00"
    policy.toml:33:12: invalid-value: guardrail `i`: `accounts` is empty; name accounts; "*" is all of them
    policy.toml:34:9: missing-key: `hours` has no `from`; write a time of day such as "08:00"
    policy.toml:34:9: missing-key: `hours` has no `to`; write a time of day such as "08:00"
    policy.toml:34:9: missing-key: `hours` has no `zone`; name the time zone, such as "Europe/Berlin" or "UTC"
    policy.toml:34:18: invalid-value: `hours`: `days` is empty; add an entry, or leave the key out
    policy.toml: 24 errors; the policy is refused
    "#);
}

#[test]
fn whoever_approves_behind_such_a_guardrail_signs_in_anew_and_nobody_else_has_to() {
    let organisation = Organisation::new();
    let anew = guardrail(
        "anew",
        &[
            ("accounts", "[\"ou:Production\"]"),
            ("reauthenticate", "true"),
        ],
    );
    let policy = organisation.policy(&format!("{}{anew}", rule("r", &[])));
    for (account, expected) in [("Payments Production", true), ("Network", false)] {
        let verdict = organisation.ask(&policy, "carla.rossi", account, "Billing", "1h");
        assert_eq!(verdict.code, Code::NeedsApproval, "{account}");
        assert_eq!(verdict.reauthenticate, expected, "{account}");
        let target = organisation.target(account, "Billing");
        assert_eq!(
            policy.reauthenticates(&target, &organisation.facts()),
            expected,
            "{account}"
        );
    }
}
