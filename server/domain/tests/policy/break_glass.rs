//! Going in first, and having it signed afterwards.

use domain::policy::{
    AskFacts, BreakGlass, Broken, Decision, Format, Policy, ProblemCode, Review, RuleName, Signing,
    Turn, check, decide, sign,
};
use jiff::Timestamp;

use crate::organisation::{Organisation, guardrail, now, rule, seconds};

fn after(keys: &[(&str, &str)]) -> String {
    let all = [
        &[("approval", "\"after\""), ("max_duration", "\"1h\"")],
        keys,
    ]
    .concat();
    rule("glass", &all)
}

fn asked(rules: &[String], duration: &str, state: BreakGlass) -> String {
    let organisation = Organisation::new();
    let policy = organisation.policy(&rules.concat());
    let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", duration);
    proposal.break_glass = state;
    organisation.judge(&policy, &proposal)
}

const GRANTED: &str = "granted break-glass: glass 1 of emma farid mia";

#[test]
fn break_glass_is_only_for_those_who_ask_for_it() {
    use BreakGlass::{Asked, AskedWhileClosed, AskedWhileUnsigned, No};
    let glass = after(&[]);
    let r = rule("r", &[("max_duration", "\"4h\"")]);
    let free = rule(
        "free",
        &[
            ("approval", "\"none\""),
            ("approvers", ""),
            ("max_duration", "\"30m\""),
        ],
    );
    let required = rule("r", &[("approval", "\"required\"")]);
    let five = rule("five", &[("approvals", "5")]);
    let pending = "pending needs-approval: r 1 of emma farid mia";
    for (rules, duration, state, expected) in [
        (
            vec![&glass],
            "1h",
            No,
            "refused break-glass-only (The same as break-glass would be allowed.)",
        ),
        (
            vec![&glass],
            "2h",
            No,
            "refused too-long (1h as break-glass would be allowed.)",
        ),
        (
            vec![&glass],
            "1m",
            No,
            "refused too-short (5m as break-glass would be allowed.)",
        ),
        (vec![&glass], "1h", Asked, GRANTED),
        (
            vec![&glass],
            "2h",
            Asked,
            "refused too-long (1h would be allowed.)",
        ),
        (
            vec![&glass],
            "1h",
            AskedWhileUnsigned,
            "refused break-glass-unsigned",
        ),
        (
            vec![&glass],
            "1h",
            AskedWhileClosed,
            "refused break-glass-closed",
        ),
        // Where others could be asked, whoever does not ask for it waits for them.
        (vec![&glass, &r], "1h", No, pending),
        (vec![&glass, &r], "1h", Asked, GRANTED),
        (vec![&glass, &r], "2h", Asked, pending),
        (
            vec![&glass, &r],
            "1h",
            AskedWhileUnsigned,
            "refused break-glass-unsigned (The same without break-glass would be allowed.)",
        ),
        (
            vec![&glass, &r],
            "8h",
            AskedWhileClosed,
            "refused break-glass-closed (4h without break-glass would be allowed.)",
        ),
        // A rule that requires approval is no reason to keep a door shut in an emergency.
        (vec![&glass, &required], "1h", Asked, GRANTED),
        // Nobody breaks glass where the door is open.
        (
            vec![&glass, &free],
            "30m",
            Asked,
            "granted automatic: free at once",
        ),
        (
            vec![&glass, &free],
            "30m",
            AskedWhileClosed,
            "granted automatic: free at once",
        ),
        (
            vec![&glass, &free],
            "1h",
            AskedWhileClosed,
            "refused break-glass-closed (30m without break-glass would be allowed.)",
        ),
        // A way that nobody could complete is none.
        (
            vec![&glass, &five],
            "1h",
            No,
            "refused break-glass-only (The same as break-glass would be allowed.)",
        ),
        (vec![&five], "1h", Asked, "refused no-approvers"),
    ] {
        let rules: Vec<String> = rules.into_iter().cloned().collect();
        assert_eq!(
            asked(&rules, duration, state),
            expected,
            "{duration} {state:?}\n{}",
            rules.concat()
        );
    }
}

#[test]
fn guardrails_hold_in_an_emergency_too() {
    let glass = after(&[]);
    let r = rule("r", &[("max_duration", "\"4h\"")]);
    let no = guardrail("no", &[("break_glass", "\"deny\"")]);
    let two = guardrail("two", &[("min_approvals", "2")]);
    let four = guardrail("four", &[("min_approvals", "4")]);
    let short = guardrail("short", &[("max_duration", "\"10m\"")]);
    let ticket = guardrail("ticket", &[("ticket", "{ required = true }")]);
    for (rules, state, expected) in [
        (vec![&glass, &no], BreakGlass::No, "refused denied"),
        (vec![&glass, &no], BreakGlass::Asked, "refused denied"),
        (
            vec![&glass, &r, &no],
            BreakGlass::Asked,
            "pending needs-approval: r 1 of emma farid mia",
        ),
        (
            vec![&glass, &two],
            BreakGlass::Asked,
            "granted break-glass: glass 2 of emma farid mia",
        ),
        // What nobody could sign is not given.
        (
            vec![&glass, &four],
            BreakGlass::Asked,
            "refused no-approvers",
        ),
        (
            vec![&glass, &short],
            BreakGlass::Asked,
            "refused too-long (10m would be allowed.)",
        ),
        (
            vec![&glass, &ticket],
            BreakGlass::Asked,
            "refused ticket-required (The same with a ticket would be allowed.)",
        ),
    ] {
        let rules: Vec<String> = rules.into_iter().cloned().collect();
        assert_eq!(asked(&rules, "1h", state), expected, "{}", rules.concat());
    }
}

#[test]
fn whoever_goes_in_first_signs_in_anew_and_says_why() {
    let organisation = Organisation::new();
    let policy = organisation.policy(&format!(
        "[defaults]\nreason = {{ min_length = 0 }}\n{}",
        after(&[])
    ));
    let mut proposal = organisation.proposal("carla.rossi", "Network", "Billing", "1h");
    proposal.break_glass = BreakGlass::Asked;
    assert!(decide(&policy, &proposal, &organisation.facts()).reauthenticate);
    proposal.reason_chars = 0;
    assert_eq!(
        organisation.judge(&policy, &proposal),
        "refused reason-too-short (A reason of 1 characters would be allowed.)"
    );
    proposal.break_glass = BreakGlass::No;
    assert_eq!(
        organisation.judge(&policy, &proposal),
        "refused break-glass-only (The same as break-glass, with a reason of 1 characters, would be allowed.)"
    );
}

#[test]
fn nobody_signs_for_themselves_whatever_a_rule_says() {
    let organisation = Organisation::new();
    let own = after(&[
        ("requesters", "[\"group:Security\"]"),
        ("self_approval", "\"allow\""),
    ]);
    let policy = organisation.policy(&own);
    let mut proposal = organisation.proposal("mia.novak", "Network", "Billing", "1h");
    proposal.break_glass = BreakGlass::Asked;
    assert_eq!(
        organisation.judge(&policy, &proposal),
        "granted break-glass: glass 1 of emma farid"
    );
    assert_eq!(
        signed(&organisation, &policy, "mia.novak", &[("mia.novak", true)]),
        "1 missing of [emma farid]"
    );
    // Alone among the signers, they do not get in.
    let alone = after(&[
        ("requesters", "[\"group:Security\"]"),
        ("approvers", "[\"user:mia.novak\"]"),
    ]);
    assert_eq!(
        organisation.judge(&organisation.policy(&alone), &proposal),
        "refused no-approvers"
    );
}

fn signed(
    organisation: &Organisation,
    policy: &Policy,
    requester: &str,
    words: &[(&str, bool)],
) -> String {
    signed_at(organisation, policy, requester, words, Turn::Approvers)
}

fn signed_at(
    organisation: &Organisation,
    policy: &Policy,
    requester: &str,
    words: &[(&str, bool)],
    turn: Turn,
) -> String {
    let signatures: Vec<Review> = words
        .iter()
        .zip(0..)
        .map(|((name, yes), n)| Review {
            reviewer: organisation.user(name),
            decision: if *yes {
                Decision::Approve
            } else {
                Decision::Deny
            },
            duration: seconds("1h"),
            at: Timestamp::from_second(1_800_000_000 + n).unwrap(),
        })
        .collect();
    let requester = organisation.user(requester);
    let target = organisation.target("Network", "Billing");
    let by = RuleName::parse("glass").unwrap();
    let by_rules = [by.clone()];
    let ask = AskFacts::new(&requester, &target, seconds("1h"), &by_rules, now());
    let names = |users: &std::collections::BTreeSet<_>| {
        let names: Vec<String> = users
            .iter()
            .map(|user| {
                organisation
                    .name(user)
                    .split('.')
                    .next()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        names.join(" ")
    };
    let broken = Broken {
        rule: by.as_str(),
        needed: 1,
        turn,
    };
    match sign(policy, &ask, broken, &signatures, &organisation.facts()) {
        Signing::Open {
            missing, signers, ..
        } => format!("{missing} missing of [{}]", names(&signers)),
        Signing::Signed { signed } => format!("signed by {}", names(&signed)),
        Signing::RejectedBy { reviewer, .. } => {
            format!("rejected by {}", organisation.name(&reviewer))
        }
        Signing::CannotTell => "cannot tell".to_owned(),
    }
}

#[test]
fn signatures_are_counted_by_what_signers_are_now() {
    let organisation = Organisation::new();
    let one = after(&[]);
    let two = [one.clone(), guardrail("two", &[("min_approvals", "2")])].concat();
    let three = [
        after(&[("approvals", "3")]),
        guardrail("two", &[("min_approvals", "2")]),
    ]
    .concat();
    let (emma, farid, mia) = ("emma.lindqvist", "farid.haddad", "mia.novak");
    for (rules, words, expected) in [
        (&one, vec![], "1 missing of [emma farid mia]"),
        (&one, vec![(emma, true)], "signed by emma"),
        (&one, vec![(emma, true), (emma, true)], "signed by emma"),
        (
            &one,
            vec![("carla.rossi", true)],
            "1 missing of [emma farid mia]",
        ),
        (
            &one,
            vec![("noah.berg", true)],
            "1 missing of [emma farid mia]",
        ),
        (
            &one,
            vec![("grace.chen", false)],
            "1 missing of [emma farid mia]",
        ),
        (
            &one,
            vec![("carla.rossi", false)],
            "1 missing of [emma farid mia]",
        ),
        (&one, vec![(emma, false)], "rejected by emma.lindqvist"),
        // Signed by enough, and rejected by one all the same.
        (
            &one,
            vec![(emma, true), (farid, false)],
            "rejected by farid.haddad",
        ),
        // Their later word is their word.
        (&one, vec![(emma, false), (emma, true)], "signed by emma"),
        (
            &one,
            vec![(emma, true), (emma, false)],
            "rejected by emma.lindqvist",
        ),
        (
            &two,
            vec![(emma, true), (emma, true)],
            "1 missing of [farid mia]",
        ),
        (
            &two,
            vec![(emma, true), (farid, true)],
            "signed by emma farid",
        ),
        (
            &three,
            vec![(emma, true), (farid, true)],
            "1 missing of [mia]",
        ),
        (
            &three,
            vec![(emma, true), (farid, true), (mia, true)],
            "signed by emma farid mia",
        ),
    ] {
        let policy = organisation.policy(rules);
        assert_eq!(
            signed(&organisation, &policy, "carla.rossi", &words),
            expected,
            "{words:?}\n{rules}"
        );
    }
    // Somebody left.
    let mut organisation = Organisation::new();
    let policy = organisation.policy(&two);
    let (security, emma_id) = (organisation.group("Security"), organisation.user(emma));
    organisation.change_members(&security, |members| {
        members.remove(&emma_id);
    });
    assert_eq!(
        signed(
            &organisation,
            &policy,
            "carla.rossi",
            &[(emma, true), (farid, true)]
        ),
        "1 missing of [mia]"
    );
    // A group could not be read.
    let unread = domain::directory::Members::default();
    let (carla, target) = (
        organisation.user("carla.rossi"),
        organisation.target("Network", "Billing"),
    );
    let by = RuleName::parse("glass").unwrap();
    let ask = AskFacts::new(
        &carla,
        &target,
        seconds("1h"),
        std::slice::from_ref(&by),
        now(),
    );
    for turn in [Turn::Approvers, Turn::Admins] {
        let broken = Broken {
            rule: by.as_str(),
            needed: 1,
            turn,
        };
        assert_eq!(
            sign(
                &policy,
                &ask,
                broken,
                &[],
                &organisation.facts_with(&unread)
            ),
            Signing::CannotTell
        );
    }
}

#[test]
fn admins_sign_what_was_not_signed_in_time_and_what_no_rule_stands_behind() {
    let organisation = Organisation::new();
    let admins = "admins = [\"group:Platform\"]\n";
    let policy = organisation.policy(&format!("{admins}{}", after(&[])));
    let (emma, grace) = ("emma.lindqvist", "grace.chen");
    for (words, turn, expected) in [
        (
            vec![(grace, true)],
            Turn::Approvers,
            "1 missing of [emma farid mia]",
        ),
        (
            vec![(grace, false)],
            Turn::Approvers,
            "1 missing of [emma farid mia]",
        ),
        (vec![(grace, true)], Turn::Admins, "signed by grace"),
        (vec![(grace, false)], Turn::Admins, "rejected by grace.chen"),
        // It is still the approvers' as well.
        (vec![(emma, true)], Turn::Admins, "signed by emma"),
        (
            vec![(emma, false)],
            Turn::Admins,
            "rejected by emma.lindqvist",
        ),
        // Never the requester, and nobody who has nothing to do with it.
        (
            vec![("carla.rossi", true)],
            Turn::Admins,
            "1 missing of [emma farid grace keiko mia]",
        ),
    ] {
        assert_eq!(
            signed_at(&organisation, &policy, "carla.rossi", &words, turn),
            expected,
            "{words:?} {turn:?}"
        );
    }
    // An admin who went in first does not sign that either.
    let own = signed_at(
        &organisation,
        &policy,
        grace,
        &[(grace, true)],
        Turn::Admins,
    );
    assert_eq!(own, "1 missing of [emma farid keiko mia]");
    // The rule is gone, or lets nobody in first any more: its approvers answer for nothing.
    for rules in [rule("other", &[]), rule("glass", &[])] {
        let policy = organisation.policy(&format!("{admins}{rules}"));
        for turn in [Turn::Approvers, Turn::Admins] {
            let by = |words: &[(&str, bool)]| {
                signed_at(&organisation, &policy, "carla.rossi", words, turn)
            };
            assert_eq!(by(&[(emma, true)]), "1 missing of [grace keiko]");
            assert_eq!(by(&[(emma, false)]), "1 missing of [grace keiko]");
            assert_eq!(by(&[(grace, true)]), "signed by grace");
            assert_eq!(by(&[(grace, false)]), "rejected by grace.chen");
        }
    }
}

#[test]
fn break_glass_names_its_people() {
    let source = format!("version = 1\n{}", after(&[("requesters", "[\"*\"]")]));
    let found = check(&source, Format::Toml, "p.toml", None);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, ProblemCode::Contradiction);
    let source = format!("version = 1\n{}", after(&[("approvers", "")]));
    let found = check(&source, Format::Toml, "p.toml", None);
    assert_eq!(found[0].code, ProblemCode::MissingKey);
}
