//! Who and what there is, for commands that judge a policy: from a file, or read from AWS.

use std::path::Path;

use domain::directory::Directory;
use domain::policy::why_not_json;

use crate::inventory;

use super::inventory::unread;
use super::{Connection, Organisation, Outcome, print_json, runtime, say};

/// `belay policy directory`: the organisation as JSON.
pub(super) fn write(connection: &Connection) -> Outcome {
    match from_aws(connection) {
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
            None => from_aws(&self.connection),
        }
    }
}

fn from_file(file: &Path) -> Result<Directory, Outcome> {
    const HELP: &str = "write it with `belay policy directory`";
    let text = super::read(file).inspect_err(|_| say(&format!("  {HELP}")))?;
    serde_json::from_str(&text).map_err(|error| {
        say(&format!(
            "{}:{}:{}: syntax: {}; {HELP}",
            file.display(),
            error.line().max(1),
            error.column().max(1),
            why_not_json(&error)
        ));
        Outcome::Unknown
    })
}

fn from_aws(connection: &Connection) -> Result<Directory, Outcome> {
    // Set and empty is how shells and containers say "not set".
    let instance = connection
        .instance_arn
        .clone()
        .filter(|arn| !arn.is_empty());
    say("reading accounts, permission sets, people and groups from AWS");
    runtime()?
        .block_on(inventory::directory(instance, connection.rate))
        .map_err(|error| unread("the organisation could not be read", &error))
}
