//! What changed, one JSON line a change, appended before the change is answered.
//!
//! A line is one write, so a killed sandbox has lost at most the line that it was writing, whose
//! caller was never answered. It is not synced to the disk: a power cut is not what a sandbox is for.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ledger::{Operation, Triple};
use super::membership::Membership;
use super::person::UserStatus;
use crate::clock::Moment;

/// One line: a change, and how far everything that was planned had been carried out before it. What
/// ended before a change has to have ended before it after a restart too.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) settled: Moment,
    #[serde(flatten)]
    pub(super) change: Change,
}

/// One change to the organisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub(super) enum Change {
    /// An assignment put from outside, through the control door.
    Assigned { triple: Triple, at: Moment },
    /// An assignment removed from outside.
    Unassigned { triple: Triple, at: Moment },
    /// `CreateAccountAssignment` or `DeleteAccountAssignment` was accepted.
    Started { operation: Operation },
    /// Stalled operations may end.
    Released { at: Moment },
    /// Somebody joined a group.
    Joined { membership: Membership },
    /// Somebody left a group; reads show it until `visible_until`.
    Left {
        membership_id: String,
        visible_until: Moment,
    },
    /// Somebody was disabled or enabled.
    StatusSet { user_id: String, status: UserStatus },
    /// Somebody was deleted.
    Removed { user_id: String, at: Moment },
}

/// The file of changes.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes of whole lines.
    length: u64,
}

impl Journal {
    /// Opens it, or makes it, and gives every change in it. A torn last line is cut off.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<Entry>)> {
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .append(true)
            .open(path)?;
        let mut entries = Vec::new();
        let mut whole = 0;
        let mut reader = BufReader::new(&mut file);
        let mut line = String::new();
        loop {
            line.clear();
            let length = reader.read_line(&mut line)?;
            if length == 0 || !line.ends_with('\n') {
                break;
            }
            let entry = serde_json::from_str(&line).map_err(|problem| {
                let place = format!("{}, byte {whole}: {problem}", path.display());
                io::Error::new(io::ErrorKind::InvalidData, place)
            })?;
            entries.push(entry);
            whole += length as u64;
        }
        file.set_len(whole)?;
        let path = path.to_owned();
        let journal = Self {
            path,
            file,
            length: whole,
        };
        Ok((journal, entries))
    }

    /// Writes one change, or nothing of it.
    pub(super) fn append(&mut self, entry: &Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        if let Err(problem) = self.file.write_all(&line) {
            self.file.set_len(self.length)?;
            return Err(problem);
        }
        self.length += line.len() as u64;
        Ok(())
    }

    /// Forgets everything, in one step: a kill leaves the old file or the new one.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        let fresh = self.path.with_extension("new");
        File::create(&fresh)?;
        fs::rename(&fresh, &self.path)?;
        self.file = OpenOptions::new().append(true).open(&self.path)?;
        self.length = 0;
        Ok(())
    }
}
