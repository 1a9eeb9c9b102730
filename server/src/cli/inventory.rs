//! `belay inventory`: who holds what, as a table, CSV or JSON.
//!
//! Reads and changes nothing. It needs AWS credentials and no server: no table, no provider, no
//! Slack. What it prints is complete, or it prints nothing and ends with 3.

mod rows;

use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use domain::inventory::{Holding, Inventory};
use serde::Serialize;

use crate::directory::DirectoryError;
use crate::inventory::{self, InventoryError, Progress};

use super::{
    Inventory as Command, InventoryFormat, Outcome, chain, print, print_json, runtime, say,
};

/// How often somebody who waits for minutes wants to see that it moves.
const TELL_EVERY: Duration = Duration::from_secs(5);

/// More than [`crate::config`] allows a server helps nobody: AWS allows 20.
const RATE_MAX: u32 = 500;

/// Calls a second, as typed.
pub(super) fn rate(text: &str) -> Result<NonZeroU32, String> {
    text.trim()
        .parse::<NonZeroU32>()
        .ok()
        .filter(|rate| rate.get() <= RATE_MAX)
        .ok_or_else(|| format!("give calls a second, 1 to {RATE_MAX}"))
}

/// The JSON form: the read, and beside it the rows that the other forms show.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    inventory: &'a Inventory,
    holdings: Vec<Holding<'a>>,
}

/// Reads, prints, and says how it ended.
pub(super) fn run(command: &Command) -> Outcome {
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(outcome) => return outcome,
    };
    let told = Mutex::new(Instant::now());
    let tell = |progress| tell(progress, &told);
    // Set and empty is how shells and containers say "not set".
    let instance = command.instance_arn.clone().filter(|arn| !arn.is_empty());
    let inventory = match runtime.block_on(inventory::read(instance, command.rate, tell)) {
        Ok(inventory) => inventory,
        Err(error) => {
            return unread("no inventory", &error);
        }
    };
    let format = if command.json {
        InventoryFormat::Json
    } else {
        command.format
    };
    match format {
        InventoryFormat::Table => print(rows::table(&inventory.holdings()).trim_end()),
        InventoryFormat::Csv => print(rows::csv(&inventory.holdings()).trim_end()),
        InventoryFormat::Json => print_json(&Whole {
            inventory: &inventory,
            holdings: inventory.holdings(),
        }),
    }
    Outcome::Yes
}

/// Says why nothing could be read, with the whole story of a call that failed.
pub(super) fn unread(what: &str, error: &InventoryError) -> Outcome {
    say(&format!("{what}: {}", chain(error)));
    if let InventoryError::Read(DirectoryError::Call { detail, .. }) = error {
        say(&format!("  {detail}"));
        say("  check region, credentials and network");
    }
    Outcome::Unknown
}

fn tell(progress: Progress, told: &Mutex<Instant>) {
    match progress {
        Progress::PermissionSets(sets) => say(&format!("{sets} permission sets")),
        Progress::Pairs(pairs) => say(&format!("provisioned in accounts {pairs} times")),
        Progress::Assignments(found) => say(&format!("{found} assignments; reading names")),
        Progress::Read(done, all) => {
            // A poisoned clock is a clock all the same.
            let mut told = told
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            if told.elapsed() >= TELL_EVERY {
                *told = Instant::now();
                say(&format!("{done} of {all} read"));
            }
        }
    }
}
