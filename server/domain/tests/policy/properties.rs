//! What holds for every policy, every person and every proposal.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::policy::{
    AskFacts, Code, Decision, Format, Outcome, Proposal, Review, ReviewOutcome, RuleName, Seconds,
    Verdict, decide, may_review, parse, review,
};
use domain::target::Target;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::organisation::{Organisation, PEOPLE, now, rule};

const ACCOUNTS: [&str; 4] = [
    "Payments Production",
    "Orders Production",
    "Network",
    "Management",
];
const SETS: [&str; 2] = ["ReadOnlyAccess", "Billing"];
const LENGTHS: [u32; 6] = [60, 300, 900, 3_600, 7_200, 28_800];

/// One rule of a made-up policy, as the keys that it is written with.
type Keys = Vec<(&'static str, String)>;

fn texts(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    subsequence(from, 1..=from.len().min(3)).prop_map(|some| format!("{some:?}"))
}

fn one_rule() -> impl Strategy<Value = Keys> {
    const WHO: &[&str] = &[
        "group:Payments",
        "group:Security",
        "group:SRE",
        "group:Engineering",
        "user:mia.novak",
        "user:Carla.Rossi@Example.com",
        "user:liam.murphy",
        "group:Nobody",
        "*",
    ];
    (
        texts(&[
            "ou:Production",
            "ou:Payments",
            "555566667777",
            "name:*Production",
            "tag:env=prod",
            "*",
        ]),
        texts(&["ReadOnlyAccess", "Bill*", "*"]),
        texts(WHO),
        texts(WHO),
        1..=3_u32,
        select(vec!["", "\"none\"", "\"required\""]),
        select(vec!["", "\"allow\"", "\"deny\""]),
        select(vec!["5m", "1h", "4h"]),
    )
        .prop_map(
            |(accounts, sets, requesters, approvers, approvals, approval, own, max)| {
                vec![
                    ("accounts", accounts),
                    ("permission_sets", sets),
                    ("requesters", requesters),
                    ("approvers", approvers),
                    ("approvals", approvals.to_string()),
                    ("approval", approval.to_owned()),
                    ("self_approval", own.to_owned()),
                    ("max_duration", format!("\"{max}\"")),
                ]
            },
        )
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(one_rule(), 1..6).prop_map(|rules| {
        rules
            .iter()
            .enumerate()
            .map(|(n, keys)| {
                let keys: Vec<(&str, &str)> = keys
                    .iter()
                    .map(|(key, value)| (*key, value.as_str()))
                    .collect();
                rule(&format!("r{n}"), &keys)
            })
            .collect()
    })
}

fn person() -> impl Strategy<Value = &'static str> {
    select(PEOPLE.map(|(name, _)| name).to_vec())
}

fn proposal(organisation: &Organisation, by: &str, target: &Target, duration: u32) -> Proposal {
    Proposal::new(
        organisation.user(by),
        target.clone(),
        Seconds::new(duration),
        20,
        now(),
    )
}

/// Everything that the verdict says, but for the policy's version.
fn said(verdict: Verdict) -> (Outcome, String) {
    let outcome = verdict.outcome;
    let Verdict {
        code,
        granted_by,
        eligible,
        routes,
        reasons,
        nearest,
        ..
    } = verdict;
    (
        outcome,
        format!("{code} {granted_by:?} {eligible:?} {routes:?} {reasons:?} {nearest:?}"),
    )
}

fn by_name(rules: &[String], names: &BTreeSet<RuleName>) -> String {
    rules
        .iter()
        .enumerate()
        .filter(|(n, _)| names.iter().any(|name| name.as_str() == format!("r{n}")))
        .map(|(_, text)| text.as_str())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_rules_does_not_matter(
        written in rules().prop_flat_map(|rules| (Just(rules.clone()), Just(rules).prop_shuffle())),
        by in person(), account in select(&ACCOUNTS[..]), set in select(&SETS[..]), duration in select(&LENGTHS[..]),
    ) {
        let organisation = Organisation::new();
        let (first, second) = (organisation.policy(&written.0.concat()), organisation.policy(&written.1.concat()));
        prop_assert_eq!(first.version(), second.version());
        let ask = proposal(&organisation, by, &organisation.target(account, set), duration);
        let facts = organisation.facts();
        prop_assert_eq!(decide(&first, &ask, &facts), decide(&second, &ask, &facts));
    }

    /// Each route of a verdict is exactly what its rule alone would open, or less where another
    /// rule's prohibition binds: never another's approvers, number or durations.
    #[test]
    fn routes_do_not_leak_into_each_other(
        rules in rules(), by in person(), account in select(&ACCOUNTS[..]), set in select(&SETS[..]), duration in select(&LENGTHS[..]),
    ) {
        let organisation = Organisation::new();
        let target = organisation.target(account, set);
        let ask = proposal(&organisation, by, &target, duration);
        let facts = organisation.facts();
        let whole = decide(&organisation.policy(&rules.concat()), &ask, &facts);
        for route in &whole.routes {
            let alone = by_name(&rules, &BTreeSet::from([route.rule.clone()]));
            // Where another rule requires approval, the rule waits for its own approvers.
            let alone = if whole.code == Code::Automatic { alone } else { alone.replace("approval = \"none\"", "") };
            let alone = decide(&organisation.policy(&alone), &ask, &facts);
            let same = alone.routes.iter().find(|other| other.rule == route.rule);
            let same = same.expect("a route is open by its rule alone");
            prop_assert_eq!(&same.approvers, &route.approvers);
            prop_assert_eq!(same.approvals, route.approvals);
            prop_assert_eq!(same.max_duration, route.max_duration);
            prop_assert!(same.self_counts || !route.self_counts);
            prop_assert!(ask.duration <= route.max_duration);
            prop_assert!(!route.approvers.contains(&ask.requester));
        }
    }

    /// Rules in which the requester is no requester change nothing for them.
    #[test]
    fn rules_for_others_change_nothing(
        rules in rules(), by in person(), account in select(&ACCOUNTS[..]), set in select(&SETS[..]), duration in select(&LENGTHS[..]),
    ) {
        // A misspelt name is the exception, tested by itself: its rule may forbid.
        let rules: Vec<String> = rules.iter().map(|rule| rule.replace("group:Nobody", "group:Audit")).collect();
        let organisation = Organisation::new();
        let ask = proposal(&organisation, by, &organisation.target(account, set), duration);
        let facts = organisation.facts();
        let whole = decide(&organisation.policy(&rules.concat()), &ask, &facts).for_requester();
        if !whole.eligible.is_empty() {
            let own = by_name(&rules, &whole.eligible.iter().cloned().collect());
            let own = decide(&organisation.policy(&own), &ask, &facts).for_requester();
            prop_assert_eq!(said(own), said(whole));
        }
    }

    #[test]
    fn a_catalogue_entry_says_what_asking_for_it_says(rules in rules(), by in person()) {
        let organisation = Organisation::new();
        let policy = Arc::new(organisation.policy(&rules.concat()));
        let catalogue = Catalogue::build(Arc::clone(&policy), &organisation.directory);
        let facts = organisation.facts();
        let user = organisation.user(by);
        let entries = catalogue.for_person(&user, &facts).entries();
        for account in organisation.directory.accounts.keys() {
            for permission_set in organisation.directory.permission_sets.keys() {
                let target = Target::Account { account: account.clone(), permission_set: permission_set.clone() };
                let listed = entries.iter().find(|entry| entry.account == *account && entry.permission_set == *permission_set);
                let single = catalogue.entry(&user, &target, &facts);
                prop_assert_eq!(listed, single.as_ref());
                let mut lengths: Vec<u32> = LENGTHS.to_vec();
                lengths.extend(listed.iter().flat_map(|entry| &entry.offer.durations).map(|offered| offered.get()));
                let mut possible = BTreeSet::new();
                for length in lengths {
                    let verdict = decide(&policy, &proposal(&organisation, by, &target, length), &facts);
                    if verdict.outcome != Outcome::Refused {
                        possible.insert(length);
                    }
                    let entry = listed.filter(|entry| entry.offer.durations.contains(&Seconds::new(length)));
                    if let Some(entry) = entry {
                        prop_assert_ne!(verdict.outcome, Outcome::Refused, "offered {}", length);
                        let pending = verdict.outcome == Outcome::Pending;
                        prop_assert_eq!(entry.offer.needs_approval(Seconds::new(length)), pending);
                    }
                    if verdict.outcome == Outcome::Pending {
                        let all = catalogue.possible_approvers(&target, &user, &facts);
                        prop_assert!(verdict.approvers().is_subset(&all));
                    }
                }
                prop_assert_eq!(listed.is_some(), !possible.is_empty());
                let longest = listed.map(|entry| entry.offer.max_duration.get());
                prop_assert!(possible.last().is_none_or(|last| longest.is_some_and(|max| *last <= max)));
            }
        }
    }

    /// However many rules allow it: where one that covers the target and has the requester among
    /// both its requesters and its approvers denies it, their own word never counts.
    #[test]
    fn nobody_approves_for_themselves_where_any_rule_denies_it(
        rules in rules(), by in person(), account in select(&ACCOUNTS[..]), duration in select(&LENGTHS[..]),
    ) {
        let denying = rule("deny", &[("requesters", "[\"*\"]"), ("approvers", "[\"*\"]"), ("self_approval", "\"deny\""), ("max_duration", "\"5m\"")]);
        let organisation = Organisation::new();
        let policy = organisation.policy(&format!("{}{denying}", rules.concat()));
        let (user, target, facts) = (organisation.user(by), organisation.target(account, "Billing"), organisation.facts());
        let verdict = decide(&policy, &proposal(&organisation, by, &target, duration), &facts);
        prop_assert_ne!(verdict.code, Code::SelfApproved);
        prop_assert!(verdict.routes.iter().all(|route| !route.self_counts));
        let submitted = verdict.route_rules();
        let ask = AskFacts::new(&user, &target, Seconds::new(duration), &submitted, now());
        prop_assert!(may_review(&policy, &ask, &user, &facts).is_err());
        let own = Review { reviewer: user.clone(), decision: Decision::Approve, duration: Seconds::new(duration), at: Timestamp::UNIX_EPOCH };
        if let ReviewOutcome::Completed { counted, .. } = review(&policy, &ask, &[own], &facts) {
            prop_assert!(counted.is_empty(), "{counted:?}");
        }
    }

    /// Reviews complete an ask exactly when enough people who may review it by one rule agree, and
    /// never for longer than was asked, agreed or allowed.
    #[test]
    fn only_those_who_may_review_complete_a_request(
        rules in rules(), by in person(), account in select(&ACCOUNTS[..]), duration in select(&LENGTHS[..]),
        said in prop::collection::vec((person(), select(&LENGTHS[..])), 0..5),
    ) {
        let organisation = Organisation::new();
        let policy = organisation.policy(&rules.concat());
        let (user, target, facts) = (organisation.user(by), organisation.target(account, "Billing"), organisation.facts());
        let verdict = decide(&policy, &proposal(&organisation, by, &target, duration), &facts);
        let submitted = verdict.route_rules();
        let ask = AskFacts::new(&user, &target, Seconds::new(duration), &submitted, now());
        let reviews: Vec<Review> = said.iter().map(|(name, length)| Review {
            reviewer: organisation.user(name), decision: Decision::Approve, duration: Seconds::new(*length), at: Timestamp::UNIX_EPOCH,
        }).collect();
        match review(&policy, &ask, &reviews, &facts) {
            ReviewOutcome::Completed { rule, duration: given, counted } => {
                prop_assert!(given <= Seconds::new(duration) && given.get() > 0);
                for person in &counted {
                    let by_rules = may_review(&policy, &ask, person, &facts);
                    prop_assert!(by_rules.is_ok_and(|rules| rules.contains(&rule)));
                }
                let needed: usize = rules.iter().zip(0..).find(|(_, n)| rule.as_str() == format!("r{n}"))
                    .and_then(|(text, _)| text.lines().find_map(|line| line.strip_prefix("approvals = ")?.parse().ok())).unwrap();
                prop_assert!(counted.len() >= needed);
            }
            ReviewOutcome::Open { routes } => {
                prop_assert!(routes.iter().all(|route| route.missing > 0 && route.missing <= route.approvals));
            }
            ReviewOutcome::NotPossible { .. } => {
                for (name, _) in PEOPLE {
                    prop_assert!(may_review(&policy, &ask, &organisation.user(name), &facts).is_err());
                }
            }
            ReviewOutcome::DeniedBy { .. } => prop_assert!(false, "nobody denied"),
        }
    }

    #[test]
    fn a_person_is_one_whatever_the_case_of_their_email(by in person(), upper in any::<u32>()) {
        let organisation = Organisation::new();
        let email: String = format!("{by}@example.com").chars().enumerate()
            .map(|(n, c)| if upper >> (n % 32) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        let policy = |email: &str| organisation.policy(&rule("r", &[("requesters", "[\"*\"]"), ("approvers", &format!("[\"user:{email}\"]"))]));
        let (lower, mixed) = (policy(&format!("{by}@example.com")), policy(&email));
        let target = organisation.target("Network", "Billing");
        for (name, _) in PEOPLE {
            let ask = proposal(&organisation, name, &target, 3_600);
            let facts = organisation.facts();
            prop_assert_eq!(said(decide(&lower, &ask, &facts)), said(decide(&mixed, &ask, &facts)));
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}|[\\[\\]{}=\",:.a-z0-9\n *-]{0,200}", json in any::<bool>()) {
        let format = if json { Format::Json } else { Format::Toml };
        if let Err(problems) = parse(&text, format, "p") {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| !problem.to_string().contains('\n')));
        }
    }

    /// A real policy with a piece torn out or put in.
    #[test]
    fn no_damage_makes_the_reader_panic(at in any::<prop::sample::Index>(), cut in 0..40_usize, put in "[\\[\\]{}=\",:*0-9a-z\n\u{e9}\u{202e}]{0,12}", json in any::<bool>()) {
        const TOML: &str = include_str!("../../../sandbox/policy.toml");
        const JSON: &str = r#"{"version":1,"admins":["group:Platform"],"defaults":{"max_duration":"8h","reason":{"min_length":10}},"rule":[{"name":"r","accounts":["ou:Production","name:p\u0061y-*"],"permission_sets":["*"],"requesters":["user:ana@example.com"],"approvers":["*"],"approvals":2,"durations":["15m"]}]}"#;
        let (whole, format) = if json { (JSON, Format::Json) } else { (TOML, Format::Toml) };
        let start = whole.floor_char_boundary(at.index(whole.len()));
        let end = whole.ceil_char_boundary((start + cut).min(whole.len()));
        let damaged = format!("{}{put}{}", &whole[..start], &whole[end..]);
        let organisation = Organisation::new();
        match parse(&damaged, format, "p") {
            Err(problems) => prop_assert!(!problems.is_empty()),
            Ok(file) => {
                let setting = domain::policy::Setting::default();
                let resolved = domain::policy::resolve(&file, &organisation.directory, &setting);
                let target = organisation.target("Network", "Billing");
                let _ = decide(&resolved.policy, &proposal(&organisation, "ana.silva", &target, 60), &organisation.facts());
            }
        }
    }
}
