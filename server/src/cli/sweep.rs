//! `belay sweep`: the second line, run once by a scheduler of its own.
//!
//! Where nobody holds the executor lease, or whoever held it is gone, it takes the lease and does
//! the worker's work until nothing is late. Where somebody holds it and is alive, it only looks
//! whether anything is overdue, and says so by how it ends.

use serde::Serialize;

use crate::aws::Clients;
use crate::config::{Config, Problems, Role};
use crate::engine::{Engine, Swept};
use crate::store::StoreError;
use crate::telemetry;

use super::{Outcome, Sweep, from_copy, print, print_json, runtime, say, sweep_plan};

/// What is told.
#[derive(Debug, Serialize)]
struct Told {
    /// Whether this run led, or somebody else does.
    led: bool,
    /// What is overdue.
    overdue: Vec<Overdue>,
}

#[derive(Debug, Serialize)]
struct Overdue {
    key: String,
    since: jiff::Timestamp,
}

/// Looks once, and ends what is late if nobody else does.
pub(super) fn run(command: &Sweep) -> Outcome {
    let config = match command.config.load(Role::Worker) {
        Ok(config) => config,
        Err(outcome) => return outcome,
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(outcome) => return outcome,
    };
    if let Err(error) = telemetry::log_to_stderr(&config.log) {
        say(&format!("logs could not be set up: {error}"));
        return Outcome::Unknown;
    }
    if command.from_copy {
        let ran = from_copy::run(&config, command.confirm.as_deref(), command.json);
        return runtime
            .block_on(ran)
            .unwrap_or_else(|problems| misconfigured(&problems));
    }
    if command.dry_run {
        let ran = sweep_plan::run(&config, command.json);
        return runtime
            .block_on(ran)
            .unwrap_or_else(|problems| misconfigured(&problems));
    }
    match runtime.block_on(sweep(&config)) {
        Err(problems) => misconfigured(&problems),
        Ok(Err(error)) => {
            say(&format!(
                "it could not be found out: {error} {}",
                error.detail().unwrap_or_default()
            ));
            Outcome::Unknown
        }
        Ok(Ok(None)) => {
            say(
                "it could not be found out whether somebody leads: the lease neither moves nor can it be taken",
            );
            Outcome::Unknown
        }
        Ok(Ok(Some(swept))) => tell(swept, command.json),
    }
}

fn misconfigured(Problems(problems): &Problems) -> Outcome {
    for problem in problems {
        say(&format!("  {problem}"));
    }
    Outcome::Usage
}

async fn sweep(config: &Config) -> Result<Result<Option<Swept>, StoreError>, Problems> {
    let clients = Clients::load(config).await?;
    Ok(Engine::new(config, &clients).sweep().await)
}

fn tell(swept: Swept, json: bool) -> Outcome {
    let outcome = if swept.overdue.is_empty() {
        Outcome::Yes
    } else {
        Outcome::No
    };
    let told = Told {
        led: swept.led,
        overdue: swept
            .overdue
            .into_iter()
            .map(|(key, since)| Overdue {
                key: key.to_string(),
                since,
            })
            .collect(),
    };
    if json {
        print_json(&told);
        return outcome;
    }
    print(if told.led {
        "nobody led: this run did"
    } else {
        "somebody leads, and is alive"
    });
    for late in &told.overdue {
        print(&format!("overdue since {}: {}", late.since, late.key));
    }
    if told.overdue.is_empty() {
        print("nothing is overdue");
    }
    outcome
}
