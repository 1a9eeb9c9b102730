//! What the record says, against what was seen.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::watcher::{Sample, Triple};

/// A take-over, a frozen server, a backoff or two, and AWS itself: later than this is not on time,
/// whatever happens here.
const LATE_MAX: SignedDuration = SignedDuration::from_secs(90);

/// Clocks of one machine, and a look that takes a while.
const A_MOMENT: SignedDuration = SignedDuration::from_millis(1_500);

/// A grant, as its events tell it.
#[derive(Debug)]
struct Told {
    request: String,
    triple: Triple,
    from: Timestamp,
    until: Timestamp,
    kinds: Vec<String>,
    activated: Option<Timestamp>,
    receipt: Option<String>,
}

#[derive(Debug)]
pub(super) struct Story(BTreeMap<String, Told>);

fn time(value: &Value) -> Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

impl Story {
    pub(super) fn of(events: &BTreeMap<(String, String), Value>) -> Self {
        let mut grants: BTreeMap<String, Told> = BTreeMap::new();
        for ((stream, _), event) in events {
            if !stream.starts_with("stream#grant:") {
                continue;
            }
            let text = |name: &str| event[name].as_str().unwrap().to_owned();
            let told = grants.entry(stream.clone()).or_insert_with(|| Told {
                request: text("belay_request_id"),
                triple: (
                    text("sso_user_principal_id"),
                    text("account_id"),
                    text("permission_set_arn"),
                ),
                from: time(&event["from"]),
                until: time(&event["until"]),
                kinds: Vec::new(),
                activated: None,
                receipt: None,
            });
            match event["kind"].as_str().unwrap() {
                "grant.activated" => told.activated = Some(time(&event["at"])),
                "grant.ended" => {
                    told.receipt = event["receipt"]["kind"].as_str().map(str::to_owned);
                }
                _ => {}
            }
            told.kinds.push(text("kind"));
        }
        Self(grants)
    }

    /// Whether every grant has ended, or waits only for proof that nothing can come any more: a
    /// create that nobody heard of keeps its key from being called gone for a quarter of an hour.
    pub(super) fn is_over(&self) -> bool {
        self.0.values().all(|told| {
            let last = told.kinds.last().map(String::as_str);
            matches!(last, Some("grant.ended" | "grant.revoking"))
        }) && self.ended() * 2 >= self.0.len()
    }

    fn ended(&self) -> usize {
        let ended = |told: &&Told| told.receipt.is_some();
        self.0.values().filter(ended).count()
    }

    pub(super) fn open(&self) -> String {
        let open = self.0.iter().filter(|(_, told)| told.receipt.is_none());
        let lines =
            open.map(|(stream, told)| format!("{stream} until {}: {:?}", told.until, told.kinds));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Nothing that was accepted is lost.
    pub(super) fn assert_all_promised(&self, accepted: &[String]) {
        let promised: BTreeSet<&str> = self.0.values().map(|told| told.request.as_str()).collect();
        for request in accepted {
            assert!(
                promised.contains(request.as_str()),
                "{request} was accepted, and is lost"
            );
        }
    }

    /// One event a transition, in an order that a grant's life can have.
    pub(super) fn assert_told_once(&self) {
        const LIFE: [&str; 5] = [
            "grant.scheduled",
            "grant.granting",
            "grant.activated",
            "grant.revoking",
            "grant.ended",
        ];
        for (stream, told) in &self.0 {
            let places: Vec<usize> = told
                .kinds
                .iter()
                .map(|kind| LIFE.iter().position(|known| known == kind).unwrap())
                .collect();
            assert_eq!(places.first(), Some(&0), "{stream}: {:?}", told.kinds);
            assert!(
                places.is_sorted_by(|a, b| a < b),
                "{stream}: {:?}",
                told.kinds
            );
        }
    }

    /// At every look nobody had what was not promised, and everybody had what was.
    pub(super) fn assert_kept(&self, samples: &[Sample]) {
        for sample in samples {
            for triple in &sample.had {
                assert!(
                    self.of_key(triple).any(|told| {
                        told.from <= sample.ended + A_MOMENT
                            && sample.began <= told.until + LATE_MAX
                    }),
                    "{triple:?} at {} by no grant that is live: {:#?}",
                    sample.began,
                    self.of_key(triple).collect::<Vec<_>>()
                );
            }
            for told in self.0.values() {
                let has_it = told.activated.is_some_and(|at| {
                    at + A_MOMENT < sample.began && sample.ended + A_MOMENT < told.until
                });
                assert!(
                    !has_it || sample.had.contains(&told.triple),
                    "at {} nobody took away what is live: {told:?}",
                    sample.began
                );
            }
        }
    }

    fn of_key<'a>(&'a self, triple: &'a Triple) -> impl Iterator<Item = &'a Told> {
        self.0.values().filter(move |told| told.triple == *triple)
    }

    /// For whoever reads along.
    pub(super) fn summary(&self, samples: &[Sample]) -> String {
        let mut receipts: BTreeMap<&str, usize> = BTreeMap::new();
        for told in self.0.values() {
            let receipt = told.receipt.as_deref().unwrap_or("waits for proof");
            *receipts.entry(receipt).or_default() += 1;
        }
        let mut latest = SignedDuration::ZERO;
        for sample in samples {
            for triple in &sample.had {
                let until = self.of_key(triple).map(|told| told.until).max();
                let late = until.map(|until| sample.began.duration_since(until));
                latest = latest.max(late.unwrap_or_default());
            }
        }
        format!(
            "{} grants, {} looks at AWS, {receipts:?}; last seen {latest:#} after its end",
            self.0.len(),
            samples.len()
        )
    }
}
