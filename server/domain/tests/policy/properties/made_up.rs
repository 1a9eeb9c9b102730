//! Policies, people and proposals, whatever they may be.

use domain::policy::{BreakGlass, Proposal, Run, Seconds};
use domain::target::Target;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::organisation::{Organisation, PEOPLE, TICKET, guardrail, now, rule};

pub(super) const ACCOUNTS: [&str; 4] = [
    "Payments Production",
    "Orders Production",
    "Network",
    "Management",
];
pub(super) const SETS: [&str; 2] = ["ReadOnlyAccess", "Billing"];
pub(super) const LENGTHS: [u32; 6] = [60, 300, 900, 3_600, 7_200, 28_800];

/// One rule of a made-up policy, as the keys that it is written with.
pub(super) type Keys = Vec<(&'static str, String)>;

pub(super) fn texts(from: &'static [&'static str]) -> impl Strategy<Value = String> {
    subsequence(from, 1..=from.len().min(3)).prop_map(|some| format!("{some:?}"))
}

pub(super) fn one_rule() -> impl Strategy<Value = Keys> {
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
        select(vec!["", "\"none\"", "\"required\"", "\"after\""]),
        select(vec!["", "\"allow\"", "\"deny\""]),
        select(vec!["5m", "1h", "4h"]),
    )
        .prop_map(
            |(accounts, sets, requesters, approvers, approvals, approval, own, max)| {
                // Break-glass names its people.
                let everyone = approval == "\"after\"" && requesters.contains("\"*\"");
                let requesters = if everyone {
                    "[\"group:Engineering\"]".to_owned()
                } else {
                    requesters
                };
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

pub(super) fn rules() -> impl Strategy<Value = Vec<String>> {
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

/// One that narrows what rules give, in every way that the language has.
pub(super) fn one_guardrail() -> impl Strategy<Value = Vec<(&'static str, String)>> {
    let places = prop_oneof![
        texts(&["ou:Production", "555566667777", "*"]).prop_map(|some| ("accounts", some)),
        texts(&["ReadOnlyAccess", "Bill*"]).prop_map(|some| ("permission_sets", some)),
        texts(&["group:Night shift", "group:Oncall"]).prop_map(|some| ("groups", some)),
    ];
    let limits = [
        "deny = true",
        "max_duration = \"1h\"",
        "max_duration = \"10m\"",
        "max_session = \"4h\"",
        "min_approvals = 1",
        "min_approvals = 2",
        "self_approval = \"deny\"",
        "break_glass = \"deny\"",
        "ticket = { pattern = \"[A-Z]+-[0-9]+\" }",
        "ticket = { required = false, pattern = \"[A-Z]+-[0-9]+\" }",
        "hours = { zone = \"UTC\", days = [\"mon-fri\"], from = \"08:00\", to = \"13:00\" }",
        "hours = { zone = \"Asia/Tokyo\", from = \"20:00\", to = \"06:00\" }",
        "reauthenticate = true",
        "max_continuous = \"3h\"",
        "max_start_ahead = \"1d\"",
    ];
    (places, subsequence(limits.to_vec(), 1..4)).prop_map(|(place, limits)| {
        let mut keys = vec![place];
        for limit in limits {
            let (key, value) = limit.split_once(" = ").unwrap();
            if !keys.iter().any(|(known, _)| *known == key) {
                keys.push((key, value.to_owned()));
            }
        }
        keys
    })
}

pub(super) fn guardrails(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(one_guardrail(), count).prop_map(|guardrails| {
        guardrails
            .iter()
            .enumerate()
            .map(|(n, keys)| {
                let keys: Vec<(&str, &str)> = keys
                    .iter()
                    .map(|(key, value)| (*key, value.as_str()))
                    .collect();
                guardrail(&format!("g{n}"), &keys)
            })
            .collect()
    })
}

/// The group that the rule `joins` of these tests offers.
pub(super) fn with_a_group() -> (Organisation, String) {
    let mut organisation = Organisation::new();
    let pairs = [("Network", "Billing"), ("Web Production", "ReadOnlyAccess")];
    organisation.hold("Night shift", &pairs);
    let keys = [
        ("accounts", ""),
        ("permission_sets", ""),
        ("groups", "[\"group:Night shift\"]"),
        ("requesters", "[\"group:Engineering\"]"),
    ];
    (organisation, rule("joins", &keys))
}

/// What may vary in a proposal: who, what, how long, reason, ticket, start, run and break-glass.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) by: &'static str,
    /// An account and a set; `None` is the group.
    pub(super) pair: Option<(&'static str, &'static str)>,
    pub(super) duration: u32,
    pub(super) reason_chars: usize,
    pub(super) ticket: Option<&'static str>,
    /// In minutes from now.
    pub(super) start: Option<i64>,
    /// How many minutes it has been going on, and whether this extends it.
    pub(super) run: Option<(i64, bool)>,
    pub(super) break_glass: BreakGlass,
}

pub(super) fn wish() -> impl Strategy<Value = Wish> {
    let pair = prop::option::weighted(0.85, (select(&ACCOUNTS[..]), select(&SETS[..])));
    let states = [
        BreakGlass::No,
        BreakGlass::No,
        BreakGlass::Asked,
        BreakGlass::AskedWhileUnsigned,
        BreakGlass::AskedWhileClosed,
    ];
    (
        person(),
        pair,
        select(&LENGTHS[..]),
        select(&[0, 20, 20, 3_000][..]),
        select(&[None, Some(TICKET), Some("nonsense"), Some("")][..]),
        select(&[None, None, Some(-60), Some(90), Some(2_000), Some(50_000)][..]),
        prop::option::weighted(0.3, (select(&[5_i64, 100, 170, 600][..]), any::<bool>())),
        select(states.to_vec()),
    )
        .prop_map(
            |(by, pair, duration, reason_chars, ticket, start, run, break_glass)| Wish {
                by,
                pair,
                duration,
                reason_chars,
                ticket,
                start,
                run,
                break_glass,
            },
        )
}

impl Wish {
    pub(super) fn proposal(&self, organisation: &Organisation) -> Proposal {
        let target = match self.pair {
            Some((account, set)) => organisation.target(account, set),
            None => organisation.group_target("Night shift"),
        };
        let minutes = |n: i64| now() + jiff::SignedDuration::from_mins(n);
        Proposal {
            reason_chars: self.reason_chars,
            ticket: self.ticket.map(str::to_owned),
            start: self.start.map(minutes),
            run: self.run.map(|(ago, extended)| Run {
                from: minutes(-ago),
                extended,
            }),
            break_glass: self.break_glass,
            ..proposal(organisation, self.by, &target, self.duration)
        }
    }
}

pub(super) fn person() -> impl Strategy<Value = &'static str> {
    select(PEOPLE.map(|(name, _)| name).to_vec())
}

pub(super) fn proposal(
    organisation: &Organisation,
    by: &str,
    target: &Target,
    duration: u32,
) -> Proposal {
    Proposal::new(
        organisation.user(by),
        target.clone(),
        Seconds::new(duration),
        20,
        now(),
    )
}
