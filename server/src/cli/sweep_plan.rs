//! `belay sweep --dry-run`: what the sweep would take away, and why it leaves everything else.
//!
//! It reads the table, where whoever leads keeps what it found; deliberately absent: calls to Identity
//! Center, the lease, and any change.

use domain::sweep::plan::{Left, Outcome as Planned};
use serde::Serialize;

use crate::aws::Clients;
use crate::config::{Config, Problems};
use crate::engine::Engine;
use crate::sweep::Draft;

use super::{Outcome, chain, print, print_json, say};

/// What is told.
#[derive(Debug, Serialize)]
struct Told {
    mode: &'static str,
    grace_seconds: i64,
    looked_at: Option<jiff::Timestamp>,
    seen: u32,
    baseline: Option<usize>,
    outcome: &'static str,
    /// Why nothing is taken away, where nothing is.
    halted: Option<&'static str>,
    cap: usize,
    digest: String,
    ripe: Vec<Ripe>,
    left: Vec<Kept>,
}

#[derive(Debug, Serialize)]
struct Ripe {
    finding: String,
    key: String,
    known_since: jiff::Timestamp,
    /// Whether the next pass takes it away, as things are.
    goes: bool,
}

#[derive(Debug, Serialize)]
struct Kept {
    finding: String,
    key: String,
    #[serde(flatten)]
    left: Left,
}

/// Prints the plan.
pub(super) async fn run(config: &Config, json: bool) -> Result<Outcome, Problems> {
    let clients = Clients::load(config).await?;
    match Engine::new(config, &clients).draft().await {
        Ok(Some(draft)) => Ok(tell(config, &draft, json)),
        Ok(None) => {
            say("it could not be found out: nobody has looked at the whole organisation yet");
            Ok(Outcome::Unknown)
        }
        Err(error) => {
            say(&format!("it could not be found out: {}", chain(&error)));
            Ok(Outcome::Unknown)
        }
    }
}

fn tell(config: &Config, draft: &Draft, json: bool) -> Outcome {
    let told = told(config, draft);
    let goes = told.ripe.iter().any(|one| one.goes) || told.outcome == "waits";
    let outcome = if goes { Outcome::No } else { Outcome::Yes };
    if json {
        print_json(&told);
        return outcome;
    }
    print(&format!(
        "BELAY_SWEEP={} after {} s; {} may go by itself",
        told.mode, told.grace_seconds, told.cap
    ));
    print(&match (told.outcome, told.halted) {
        (_, Some(why)) => format!("the next pass takes nothing away: {why}"),
        ("waits", None) => format!("the next pass waits for an admin: {}", told.digest),
        _ => format!("the next pass takes {} away", told.ripe.len()),
    });
    for one in &told.ripe {
        let verb = if one.goes { "goes" } else { "ripe" };
        print(&format!("{verb} {} since {}", one.key, one.known_since));
    }
    for one in &told.left {
        print(&format!("left {} {}", one.key, one.left));
    }
    outcome
}

fn told(config: &Config, draft: &Draft) -> Told {
    let (known, plan) = (&draft.known, &draft.plan);
    let look = known.looks.last();
    let goes = !plan.removals().is_empty();
    let (outcome, halted) = match plan.outcome {
        Planned::Halted(halt) => ("halted", Some(halt.word())),
        Planned::Within => ("within", None),
        Planned::Waits => ("waits", None),
        Planned::Confirmed => ("confirmed", None),
    };
    let left = draft.findings.iter().filter_map(|finding| {
        let left = plan.left.get(&finding.id)?;
        Some(Kept {
            finding: finding.id.to_string(),
            key: finding.key.to_string(),
            left: *left,
        })
    });
    Told {
        mode: config.sweep.word(),
        grace_seconds: config.sweep_grace.as_secs(),
        looked_at: look.map(|look| look.finished_at),
        seen: look.map_or(0, |look| look.seen),
        baseline: known.baseline.as_ref().map(|one| one.keys.len()),
        outcome,
        halted,
        cap: plan.cap,
        digest: plan.digest.clone(),
        ripe: plan
            .ripe
            .iter()
            .map(|one| Ripe {
                finding: one.finding.id.to_string(),
                key: one.finding.key.to_string(),
                known_since: one.known_since,
                goes,
            })
            .collect(),
        left: left.collect(),
    }
}
