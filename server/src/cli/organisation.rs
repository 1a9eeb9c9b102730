//! Who and what there is, for commands that judge a policy: from a file, or read from AWS.

use std::path::Path;

use domain::directory::Directory;

use crate::inventory;

use super::{Connection, Organisation, Outcome, chain, print_json, runtime, say};

/// `belay policy directory`: the organisation as JSON.
pub(super) fn write(connection: &Connection) -> Outcome {
    match read(connection) {
        Ok(directory) => {
            print_json(&directory);
            Outcome::Yes
        }
        Err(outcome) => outcome,
    }
}

impl Organisation {
    /// From the file that was named, or from AWS.
    pub(super) fn load(&self) -> Result<Directory, Outcome> {
        match &self.directory {
            Some(file) => from_file(file),
            None => read(&self.connection),
        }
    }
}

fn from_file(file: &Path) -> Result<Directory, Outcome> {
    let unusable = |error: &dyn std::fmt::Display| {
        say(&format!("{} cannot be read: {error}", file.display()));
        say("  write it with `belay policy directory`");
        Outcome::Unknown
    };
    let text = std::fs::read_to_string(file).map_err(|error| unusable(&error))?;
    serde_json::from_str(&text).map_err(|error| unusable(&error))
}

fn read(connection: &Connection) -> Result<Directory, Outcome> {
    // Set and empty is how shells and containers say "not set".
    let instance = connection
        .instance_arn
        .clone()
        .filter(|arn| !arn.is_empty());
    say("reading accounts, permission sets, people and groups from AWS");
    runtime()?
        .block_on(inventory::directory(instance, connection.rate))
        .map_err(|error| {
            say(&format!(
                "the organisation could not be read: {}",
                chain(&error)
            ));
            Outcome::Unknown
        })
}
