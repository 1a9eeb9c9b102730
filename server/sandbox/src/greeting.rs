//! What is said once everything listens: on the terminal for people, in a file for programs.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde::Serialize;

use crate::organisation::Organisation;

/// People named on the terminal; a bigger organisation does not fit.
const PEOPLE_SHOWN: usize = 20;

/// Where everything is.
#[derive(Debug, Serialize)]
pub(crate) struct Addresses {
    pub(crate) aws: String,
    pub(crate) oidc: String,
    pub(crate) control: String,
}

impl Addresses {
    /// Writes them as JSON, all at once: whoever sees the file sees all of it.
    pub(crate) fn write(&self, file: &Path) -> io::Result<()> {
        let fresh = file.with_extension("tmp");
        fs::write(&fresh, serde_json::to_vec_pretty(self)?)?;
        fs::rename(&fresh, file)
    }

    /// Says where everything is and who one may be.
    pub(crate) fn greet(&self, data: &Path, organisation: &Organisation) -> io::Result<()> {
        let people = organisation.people();
        let mut lines = vec![format!(
            "The sandbox is up. It keeps everything in {}.\n\n  \
             AWS      {}   (region eu-central-1, keys sandbox / sandbox)\n  \
             OIDC     {}   (client belay, secret belay-sandbox-secret)\n  \
             control  {}\n\n  Sign in as\n",
            data.display(),
            self.aws,
            self.oidc,
            self.control
        )];
        for one in people.iter().take(PEOPLE_SHOWN) {
            let name = &one.person.user_name;
            let standing = match (one.person.is_enabled(), one.groups.is_empty()) {
                (false, _) => "disabled".to_owned(),
                (true, true) => "no groups".to_owned(),
                (true, false) => one.groups.join(", "),
            };
            lines.push(format!("    {name:<18} {standing}\n"));
        }
        if people.len() > PEOPLE_SHOWN {
            let more = people.len() - PEOPLE_SHOWN;
            lines.push(format!("    and {more} more: GET {}/state\n", self.control));
        }
        let mut stdout = io::stdout().lock();
        stdout.write_all(lines.concat().as_bytes())?;
        stdout.flush()
    }
}
