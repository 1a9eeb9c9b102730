//! When access begins, how long it may go on, and at what hours.

use domain::policy::{
    AskFacts, Decision, Policy, Proposal, Review, ReviewOutcome, RuleName, Run, review,
};

use crate::organisation::{Organisation, at, guardrail, rule, seconds};

const OFFICE: &str =
    "{ zone = \"Europe/Berlin\", days = [\"mon-fri\"], from = \"08:00\", to = \"19:00\" }";

/// When, when it begins, for how long, and what the policy says of it.
type Case<'a> = (&'a str, Option<&'a str>, &'a str, &'a str);

fn check(rules: &[String], cases: &[Case<'_>]) {
    let organisation = Organisation::new();
    let policy = organisation.policy(&rules.concat());
    for (now, start, duration, expected) in cases {
        let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", duration);
        proposal.now = at(now);
        proposal.start = start.map(at);
        assert_eq!(
            organisation.judge(&policy, &proposal),
            *expected,
            "{now} {start:?} {duration}"
        );
    }
}

const YES: &str = "pending needs-approval: r 1 of emma farid mia";
// A Friday in November; Berlin is an hour ahead of UTC.
const NOON: &str = "2026-11-20T11:00:00Z";

#[test]
fn access_begins_and_ends_within_the_hours() {
    let rules = [rule("r", &[]), guardrail("office", &[("hours", OFFICE)])];
    check(
        &rules,
        &[
            (NOON, None, "7h", YES),
            (
                NOON,
                None,
                "7h1s",
                "refused outside-hours (7h would be allowed.)",
            ),
            (
                "2026-11-20T06:59:59Z",
                None,
                "1h",
                "refused outside-hours (The same from 2026-11-20T07:00:00Z would be allowed.)",
            ),
            ("2026-11-20T07:00:00Z", None, "8h", YES),
            // Four minutes before closing: too short to be worth asking for. It opens on Monday.
            (
                "2026-11-20T17:56:00Z",
                None,
                "5m",
                "refused outside-hours (The same from 2026-11-23T07:00:00Z would be allowed.)",
            ),
            ("2026-11-20T17:55:00Z", None, "5m", YES),
            // A later start is judged by the hours then, whatever the hour now.
            (
                "2026-11-21T11:00:00Z",
                Some("2026-11-23T09:00:00Z"),
                "2h",
                YES,
            ),
            (
                NOON,
                Some("2026-11-21T11:00:00Z"),
                "2h",
                "refused outside-hours (The same from 2026-11-23T07:00:00Z would be allowed.)",
            ),
            // A start that has passed is now.
            (NOON, Some("2026-11-20T05:00:00Z"), "1h", YES),
        ],
    );
    // Two guardrails: only where both are open.
    let night = "{ zone = \"UTC\", from = \"15:00\", to = \"03:00\" }";
    let both = [
        rules[0].clone(),
        rules[1].clone(),
        guardrail("late", &[("hours", night)]),
    ];
    check(
        &both,
        &[
            (
                NOON,
                None,
                "1h",
                "refused outside-hours (The same from 2026-11-20T15:00:00Z would be allowed.)",
            ),
            (NOON, Some("2026-11-20T15:00:00Z"), "3h", YES),
            // No opening is as long as that: the next gives what it has.
            (
                NOON,
                None,
                "8h",
                "refused outside-hours (3h from 2026-11-20T15:00:00Z would be allowed.)",
            ),
        ],
    );
    // Never open together.
    let never = [
        rules[0].clone(),
        guardrail(
            "a",
            &[(
                "hours",
                "{ zone = \"UTC\", from = \"08:00\", to = \"09:00\" }",
            )],
        ),
        guardrail(
            "b",
            &[(
                "hours",
                "{ zone = \"UTC\", from = \"09:00\", to = \"10:00\" }",
            )],
        ),
    ];
    check(&never, &[(NOON, None, "1h", "refused outside-hours")]);
}

#[test]
fn a_start_lies_at_most_so_far_ahead() {
    let r = rule("r", &[]);
    let week = guardrail("week", &[("max_start_ahead", "\"7d\"")]);
    let day = guardrail("day", &[("max_start_ahead", "\"1d\"")]);
    check(
        std::slice::from_ref(&r),
        &[
            (NOON, Some("2026-12-20T11:00:00Z"), "1h", YES),
            (
                NOON,
                Some("2026-12-20T11:00:01Z"),
                "1h",
                "refused too-far-ahead (The same from 2026-12-20T11:00:00Z would be allowed.)",
            ),
        ],
    );
    check(
        &[r.clone(), week.clone(), day],
        &[
            (NOON, Some("2026-11-21T11:00:00Z"), "1h", YES),
            (
                NOON,
                Some("2026-11-21T11:00:01Z"),
                "1h",
                "refused too-far-ahead (The same from 2026-11-21T11:00:00Z would be allowed.)",
            ),
        ],
    );
    // In a week it is Friday again, and open; tomorrow it is Saturday.
    let office = guardrail("office", &[("hours", OFFICE)]);
    let day = guardrail("day", &[("max_start_ahead", "\"1d\"")]);
    check(
        &[r.clone(), week, office.clone()],
        &[(
            NOON,
            Some("2026-12-20T11:00:00Z"),
            "1h",
            "refused too-far-ahead (The same from 2026-11-27T11:00:00Z would be allowed.)",
        )],
    );
    check(
        &[r, day, office],
        &[
            (
                NOON,
                Some("2026-11-23T11:00:00Z"),
                "1h",
                "refused too-far-ahead (The same from 2026-11-20T11:00:00Z would be allowed.)",
            ),
            // Monday is too far, and nothing is open before.
            ("2026-11-21T11:00:00Z", None, "1h", "refused outside-hours"),
        ],
    );
}

fn run(proposal: &mut Proposal, from: &str, extended: bool) {
    proposal.now = at("2026-11-20T12:00:00Z");
    proposal.run = Some(Run {
        from: at(from),
        extended,
    });
}

#[test]
fn an_unbroken_run_has_a_longest() {
    let organisation = Organisation::new();
    let continuous = guardrail("break", &[("max_continuous", "\"8h\"")]);
    let r = rule("r", &[("max_duration", "\"4h\"")]);
    let policy = organisation.policy(&format!("{r}{continuous}"));
    for (from, extended, duration, expected) in [
        // Asked for anew, each window is judged by itself, and the run by the guardrail.
        ("2026-11-20T08:00:00Z", false, "4h", YES),
        ("2026-11-20T08:00:01Z", false, "4h", YES),
        (
            "2026-11-20T07:59:59Z",
            false,
            "4h",
            "refused continuous-too-long (3h59m59s would be allowed.)",
        ),
        (
            "2026-11-20T04:02:00Z",
            false,
            "1h",
            "refused continuous-too-long",
        ),
        ("2026-11-20T04:02:00Z", false, "1m", "refused too-short"),
        // Extended, all of it is one window, and the rule's longest holds for that.
        ("2026-11-20T10:00:00Z", true, "2h", YES),
        (
            "2026-11-20T10:00:00Z",
            true,
            "2h1s",
            "refused too-long (2h would be allowed.)",
        ),
        ("2026-11-20T07:00:00Z", true, "5m", "refused too-long"),
    ] {
        let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", duration);
        run(&mut proposal, from, extended);
        assert_eq!(
            organisation.judge(&policy, &proposal),
            expected,
            "{from} {extended} {duration}"
        );
    }
}

#[test]
fn an_extension_is_one_window_for_guardrails_too() {
    let organisation = Organisation::new();
    let r = rule("r", &[]);
    let policy =
        |keys: &[(&str, &str)]| organisation.policy(&format!("{r}{}", guardrail("g", keys)));
    let line = |policy: &Policy, duration| {
        let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", duration);
        run(&mut proposal, "2026-11-20T10:00:00Z", true);
        organisation.judge(policy, &proposal)
    };
    let short = policy(&[("max_duration", "\"3h\"")]);
    assert_eq!(line(&short, "1h"), YES);
    assert_eq!(
        line(&short, "90m"),
        "refused too-long (1h would be allowed.)"
    );
    let run = policy(&[("max_continuous", "\"3h\"")]);
    assert_eq!(line(&run, "1h"), YES);
    assert_eq!(
        line(&run, "90m"),
        "refused continuous-too-long (1h would be allowed.)"
    );
    // What closes cannot be extended beyond, and there is no later start for it.
    let hours = policy(&[(
        "hours",
        "{ zone = \"UTC\", from = \"08:00\", to = \"13:00\" }",
    )]);
    assert_eq!(
        line(&hours, "2h"),
        "refused outside-hours (1h would be allowed.)"
    );
    let closed = policy(&[(
        "hours",
        "{ zone = \"UTC\", from = \"14:00\", to = \"18:00\" }",
    )]);
    assert_eq!(line(&closed, "2h"), "refused outside-hours");
}

#[test]
fn a_review_gives_what_is_left_of_the_hours_and_of_the_run() {
    let organisation = Organisation::new();
    let policy = organisation.policy(&format!(
        "{}{}{}",
        rule("r", &[("max_duration", "\"4h\"")]),
        guardrail("office", &[("hours", OFFICE)]),
        guardrail("break", &[("max_continuous", "\"6h\"")]),
    ));
    let target = organisation.target("Network", "Billing");
    let (carla, emma) = (
        organisation.user("carla.rossi"),
        organisation.user("emma.lindqvist"),
    );
    let submitted = [RuleName::parse("r").unwrap()];
    let approved = Review {
        reviewer: emma,
        decision: Decision::Approve,
        duration: seconds("9h"),
        at: at(NOON),
    };
    let outcome = |now: &str, start: Option<&str>, run: Option<Run>| {
        let mut ask = AskFacts::new(&carla, &target, seconds("3h"), &submitted, at(now));
        ask.start = start.map(at);
        ask.run = run;
        match review(
            &policy,
            &ask,
            std::slice::from_ref(&approved),
            &organisation.facts(),
        ) {
            ReviewOutcome::Completed { duration, .. } => duration.to_string(),
            ReviewOutcome::NotPossible { code } => code.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let since = |from: &str, extended| {
        Some(Run {
            from: at(from),
            extended,
        })
    };
    let cases = [
        (NOON, None, None, "3h"),
        ("2026-11-20T16:30:00Z", None, None, "1h30m"),
        ("2026-11-20T18:30:00Z", None, None, "outside-hours"),
        // Approved while it waits for its start: the hours then count.
        (
            "2026-11-20T20:00:00Z",
            Some("2026-11-23T09:00:00Z"),
            None,
            "3h",
        ),
        // Approved after it should have begun: it begins now.
        (
            "2026-11-20T17:00:00Z",
            Some("2026-11-20T09:00:00Z"),
            None,
            "1h",
        ),
        (NOON, None, since("2026-11-20T07:00:00Z", false), "2h"),
        (
            NOON,
            None,
            since("2026-11-20T05:00:00Z", false),
            "continuous-too-long",
        ),
        (NOON, None, since("2026-11-20T10:00:00Z", true), "3h"),
        // While it waited, the window that is extended has grown.
        (NOON, None, since("2026-11-20T08:00:00Z", true), "1h"),
        (NOON, None, since("2026-11-20T07:00:00Z", true), "too-long"),
    ];
    for (now, start, run, expected) in cases {
        assert_eq!(
            outcome(now, start, run),
            expected,
            "{now} {start:?} {run:?}"
        );
    }
}
