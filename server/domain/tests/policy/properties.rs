//! What holds for every policy, every person and every proposal.

mod made_up;

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::policy::{
    AskFacts, BreakGlass, Code, Decision, Format, Included, KeptPolicy, Outcome, Policy, Reason,
    Review, ReviewOutcome, Route, RuleName, Seconds, Verdict, decide, may_review, parse, review,
};
use domain::target::Target;
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;

use self::made_up::{
    ACCOUNTS, LENGTHS, SETS, guardrails, person, proposal, rules, wish, with_a_group,
};
use crate::organisation::{Organisation, PEOPLE, TICKET, guardrail, near, now, rule};

fn same_rule<'r>(routes: &'r [Route], route: &Route) -> Option<&'r Route> {
    routes.iter().find(|other| other.rule == route.rule)
}

/// Everything that reviews by these people, each agreeing to all of it, come to.
fn agreed_by(
    organisation: &Organisation,
    policy: &Policy,
    ask: &AskFacts<'_>,
    people: &[&str],
) -> ReviewOutcome {
    let reviews: Vec<Review> = people
        .iter()
        .map(|name| Review {
            reviewer: organisation.user(name),
            decision: Decision::Approve,
            duration: ask.duration,
            at: Timestamp::UNIX_EPOCH,
        })
        .collect();
    review(policy, ask, &reviews, &organisation.facts())
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
    fn the_order_of_rules_and_guardrails_does_not_matter(
        written in (rules(), guardrails(0..4)).prop_flat_map(|(rules, guardrails)| {
            let all = [rules, guardrails].concat();
            (Just(all.clone()), Just(all).prop_shuffle())
        }),
        wish in wish(),
    ) {
        let (organisation, joins) = with_a_group();
        let policy = |parts: &[String]| organisation.policy(&format!("{joins}{}", parts.concat()));
        let (first, second) = (policy(&written.0), policy(&written.1));
        prop_assert_eq!(first.version(), second.version());
        let (ask, facts) = (wish.proposal(&organisation), organisation.facts());
        prop_assert_eq!(decide(&first, &ask, &facts), decide(&second, &ask, &facts));
    }

    /// Whatever is called the nearest would be allowed.
    #[test]
    fn what_is_nearest_is_allowed(rules in rules(), guardrails in guardrails(0..4), wish in wish()) {
        let (organisation, joins) = with_a_group();
        let policy = organisation.policy(&[rules, guardrails, vec![joins]].concat().concat());
        let (ask, facts) = (wish.proposal(&organisation), organisation.facts());
        let verdict = decide(&policy, &ask, &facts);
        if let Some(nearest) = &verdict.nearest {
            prop_assert_eq!(verdict.outcome, Outcome::Refused);
            let instead = decide(&policy, &near(&ask, nearest), &facts);
            prop_assert_ne!(instead.outcome, Outcome::Refused, "{} {:?} {:?}", nearest, verdict.code, instead);
        }
    }

    /// One guardrail more never gives anybody anything, or anything sooner, longer or by fewer.
    #[test]
    fn a_guardrail_only_narrows(rules in rules(), guardrails in guardrails(1..4), wish in wish()) {
        let (organisation, joins) = with_a_group();
        let (_, without) = guardrails.split_first().unwrap();
        let policy = |guardrails: &[String]| organisation.policy(&format!("{joins}{}{}", rules.concat(), guardrails.concat()));
        let (before, after) = (policy(without), policy(&guardrails));
        let (ask, facts) = (wish.proposal(&organisation), organisation.facts());
        let (wide, narrow) = (decide(&before, &ask, &facts), decide(&after, &ask, &facts));
        match (wide.outcome, narrow.outcome) {
            (Outcome::Refused, outcome) => prop_assert_eq!(outcome, Outcome::Refused),
            (Outcome::Pending, outcome) => prop_assert_ne!(outcome, Outcome::Granted),
            (Outcome::Granted, _) => {}
        }
        prop_assert!(narrow.reauthenticate || !wide.reauthenticate || narrow.outcome != wide.outcome || narrow.eligible.is_empty());
        if wide.outcome == narrow.outcome {
            for route in &narrow.routes {
                let Some(wider) = same_rule(&wide.routes, route) else {
                    // Only at once: another rule that asks nobody, or another that lets in first.
                    prop_assert_eq!(narrow.outcome, Outcome::Granted);
                    continue;
                };
                prop_assert!(route.max_duration <= wider.max_duration);
                // Where one's own no longer counts, that one is not asked for either.
                let own = wider.self_counts && !route.self_counts;
                prop_assert!(route.approvals + u32::from(own) >= wider.approvals || wide.code != narrow.code);
                prop_assert!(route.needed_from_others() >= wider.needed_from_others() || wide.code != narrow.code);
                prop_assert!(route.approvers.is_subset(&wider.approvers) || wide.code != narrow.code);
                prop_assert!(wider.self_counts || !route.self_counts);
            }
        }
        // Nor by review.
        let (user, submitted) = (organisation.user(wish.by), wide.route_rules());
        let facts_of = AskFacts { start: ask.start, run: ask.run, ticket: ask.ticket.as_deref(),
            ..AskFacts::new(&user, &ask.target, ask.duration, &submitted, now()) };
        let everyone = PEOPLE.map(|(name, _)| name);
        for people in [&everyone[..], &everyone[4..7], &["emma.lindqvist"][..], &["mia.novak"]] {
            if let ReviewOutcome::Completed { duration, .. } = agreed_by(&organisation, &after, &facts_of, people) {
                let wider = agreed_by(&organisation, &before, &facts_of, people);
                let enough = matches!(&wider, ReviewOutcome::Completed { duration: longer, .. } if *longer >= duration);
                prop_assert!(enough, "{:?}", wider);
            }
        }
    }

    #[test]
    fn what_is_denied_is_given_to_nobody(rules in rules(), guardrails in guardrails(0..3), wish in wish()) {
        let (organisation, joins) = with_a_group();
        let deny = guardrail("never", &[("deny", "true")]);
        let policy = organisation.policy(&format!("{joins}{}{}{deny}", rules.concat(), guardrails.concat()));
        let (ask, facts) = (wish.proposal(&organisation), organisation.facts());
        let verdict = decide(&policy, &ask, &facts);
        prop_assert_eq!(verdict.outcome, Outcome::Refused);
        prop_assert_eq!(verdict.nearest, None);
        prop_assert!(verdict.eligible.is_empty() || [Code::Denied, Code::PolicyGroup].contains(&verdict.code), "{}", verdict.code);
    }

    #[test]
    fn the_index_decides_as_the_policy_does(rules in rules(), guardrails in guardrails(0..4), wishes in prop::collection::vec(wish(), 1..6)) {
        let (organisation, joins) = with_a_group();
        let policy = Arc::new(organisation.policy(&format!("{joins}{}{}", rules.concat(), guardrails.concat())));
        let catalogue = Catalogue::build(Arc::clone(&policy), &organisation.directory);
        let facts = organisation.facts();
        for wish in wishes {
            let ask = wish.proposal(&organisation);
            let verdict = decide(&policy, &ask, &facts);
            prop_assert_eq!(&catalogue.decide(&ask, &facts), &verdict);
            if verdict.outcome != Outcome::Refused {
                prop_assert!(catalogue.offer(&ask.requester, &ask.target, &facts).is_some());
            }
        }
    }

    /// A version that was kept is the same policy, whatever has become of the organisation.
    #[test]
    fn what_is_kept_of_a_policy_is_all_of_it(rules in rules(), guardrails in guardrails(0..4)) {
        let (organisation, joins) = with_a_group();
        let text = format!("version = 1\n{joins}{}{}", rules.concat(), guardrails.concat());
        let policy = organisation.policy(text.trim_start_matches("version = 1\n"));
        let kept = KeptPolicy::of(&policy, "policy.toml", &text, &Included::new());
        let stored = serde_json::to_string(&kept).unwrap();
        let read: KeptPolicy = serde_json::from_str(&stored).unwrap();
        prop_assert_eq!(read.policy().unwrap(), policy);
    }

    /// What reviews give by today's guardrails, asking for it today would not refuse for its length,
    /// its hours or anything else that a guardrail says.
    #[test]
    fn a_review_gives_no_more_than_a_verdict_would(rules in rules(), before in guardrails(0..2), today in guardrails(0..4), wish in wish()) {
        let (organisation, joins) = with_a_group();
        let policy = |guardrails: &[String]| organisation.policy(&format!("{joins}{}{}", rules.concat(), guardrails.concat()));
        let (then, today) = (policy(&before), policy(&today));
        let (mut ask, facts) = (wish.proposal(&organisation), organisation.facts());
        let submitted = decide(&then, &ask, &facts).route_rules();
        let user = organisation.user(wish.by);
        let ask_facts = AskFacts { start: ask.start, run: ask.run, ticket: ask.ticket.as_deref(),
            ..AskFacts::new(&user, &ask.target, ask.duration, &submitted, now()) };
        let everyone = PEOPLE.map(|(name, _)| name);
        if let ReviewOutcome::Completed { duration, rule, .. } = agreed_by(&organisation, &today, &ask_facts, &everyone) {
            prop_assert!(duration <= ask.duration);
            let approves = may_review(&today, &ask_facts, &user, &facts);
            prop_assert!(approves.is_err() || decide(&today, &ask, &facts).eligible.contains(&rule));
            ask.duration = duration;
            ask.reason_chars = 20;
            ask.break_glass = BreakGlass::No;
            let fresh = decide(&today, &ask, &facts);
            // However far ahead it was when it was submitted, that has been judged; and what little is
            // left of the hours is given.
            let harmless = [Code::TooFarAhead, Code::TooShort];
            prop_assert!(fresh.outcome != Outcome::Refused || harmless.contains(&fresh.code), "{:?}", fresh);
        }
    }

    /// Nobody's own word counts where a guardrail denies it, nor for signing.
    #[test]
    fn no_guardrail_that_denies_it_is_got_around(rules in rules(), guardrails in guardrails(0..3), wish in wish()) {
        let (organisation, joins) = with_a_group();
        let deny = guardrail("no-self", &[("self_approval", "\"deny\"")]);
        let policy = organisation.policy(&format!("{joins}{}{}{deny}", rules.concat(), guardrails.concat()));
        let (ask, facts) = (wish.proposal(&organisation), organisation.facts());
        let verdict = decide(&policy, &ask, &facts);
        prop_assert_ne!(verdict.code, Code::SelfApproved);
        prop_assert!(verdict.routes.iter().all(|route| !route.self_counts && !route.approvers.contains(&ask.requester)));
        let submitted = verdict.route_rules();
        let ask_facts = AskFacts { ticket: ask.ticket.as_deref(), ..AskFacts::new(&ask.requester, &ask.target, ask.duration, &submitted, now()) };
        prop_assert!(may_review(&policy, &ask_facts, &ask.requester, &facts).is_err());
        let alone = agreed_by(&organisation, &policy, &ask_facts, &[wish.by]);
        prop_assert!(!matches!(alone, ReviewOutcome::Completed { .. }), "completed alone");
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
    fn a_catalogue_entry_says_what_asking_for_it_says(rules in rules(), guardrails in guardrails(0..4), by in person()) {
        let organisation = Organisation::new();
        let policy = Arc::new(organisation.policy(&[rules, guardrails].concat().concat()));
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
                    let mut ask = proposal(&organisation, by, &target, length);
                    ask.ticket = listed.filter(|entry| entry.offer.ticket).map(|_| TICKET.to_owned());
                    let mut verdict = decide(&policy, &ask, &facts);
                    if verdict.outcome == Outcome::Refused {
                        ask.break_glass = BreakGlass::Asked;
                        let glass = decide(&policy, &ask, &facts);
                        let up_to = listed.and_then(|entry| entry.offer.break_glass_up_to);
                        if glass.outcome != Outcome::Refused {
                            prop_assert!(up_to.is_some_and(|max| length <= max.get()), "{:?}", glass);
                            verdict = glass;
                        }
                    }
                    if verdict.outcome != Outcome::Refused {
                        possible.insert(length);
                    }
                    let entry = listed.filter(|entry| entry.offer.durations.contains(&Seconds::new(length)));
                    if let Some(entry) = entry {
                        // A page shows what may be asked for at some hour; it is noon.
                        let closed = entry.offer.hours && verdict.outcome == Outcome::Refused
                            && verdict.reasons.iter().any(|reason| matches!(reason, Reason::OutsideHours { .. }));
                        prop_assert!(closed || verdict.outcome != Outcome::Refused, "offered {}: {:?}", length, verdict);
                        let pending = verdict.outcome == Outcome::Pending;
                        if !closed && verdict.code != Code::BreakGlass {
                            prop_assert_eq!(entry.offer.needs_approval(Seconds::new(length)), pending);
                        }
                    }
                    if verdict.outcome == Outcome::Pending {
                        let all = catalogue.possible_approvers(&target, &user, &facts);
                        prop_assert!(verdict.approvers().is_subset(&all));
                    }
                }
                prop_assert_eq!(listed.is_some(), !possible.is_empty());
                let longest = listed.map(|entry| Some(entry.offer.max_duration).max(entry.offer.break_glass_up_to).map_or(0, Seconds::get));
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

    /// Two whose addresses differ in case only: the address means neither of them.
    #[test]
    fn an_email_that_two_people_have_means_neither(by in person(), upper in any::<u32>()) {
        let mut organisation = Organisation::new();
        let email: String = format!("{by}@example.com").chars().enumerate()
            .map(|(n, c)| if upper >> (n % 32) & 1 == 1 { c.to_ascii_uppercase() } else { c })
            .collect();
        organisation.add_person("twin", &[&email], &[]);
        let policy = organisation.policy(&rule("r", &[("requesters", &format!("[\"user:{by}@example.com\"]"))]));
        let target = organisation.target("Network", "Billing");
        for name in [by, "twin"] {
            let verdict = decide(&policy, &proposal(&organisation, name, &target, 3_600), &organisation.facts());
            prop_assert!([Code::RequesterNotAllowed, Code::RequesterInactive].contains(&verdict.code));
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
