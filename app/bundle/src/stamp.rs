//! Whether there is anything to do: a hash over every input's content, not its time, so that a
//! fresh checkout of the same files does not build again.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::site::{files_under, hex};

/// Everything the site is made from. `Cargo.lock` stands for all the crates.
const FILES: [&str; 5] = [
    "Cargo.toml",
    "Cargo.lock",
    ".cargo/config.toml",
    "app/Cargo.toml",
    "app/bundle/package-lock.json",
];
const FOLDERS: [&str; 4] = ["app/src", "app/assets", "app/bundle/src", "style"];

#[derive(Debug)]
pub(crate) struct Stamp(String);

/// `tools` names the compiler, the optimiser and the profile.
pub(crate) fn of(root: &Path, tools: &str) -> Result<Stamp> {
    let mut paths: Vec<PathBuf> = FILES.iter().map(|file| root.join(file)).collect();
    for folder in FOLDERS
        .iter()
        .map(|folder| root.join(folder))
        .filter(|folder| folder.exists())
    {
        paths.extend(files_under(&folder)?);
    }
    let mut hash = Sha256::new();
    hash.update(tools);
    for path in paths {
        let content =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        hash.update(path.strip_prefix(root)?.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(content.len().to_le_bytes());
        hash.update(content);
    }
    Ok(Stamp(hex(&hash.finalize())))
}

impl Stamp {
    pub(crate) fn matches(&self, out: &Path) -> bool {
        let recorded = std::fs::read_to_string(place(out)).unwrap_or_default();
        recorded == self.0 && named_files_exist(out)
    }

    pub(crate) fn write(&self, out: &Path) -> Result<()> {
        std::fs::write(place(out), &self.0)
            .with_context(|| format!("cannot write {}", place(out).display()))
    }
}

/// Beside the site folder: everything inside is served.
fn place(out: &Path) -> PathBuf {
    out.with_extension("stamp")
}

fn named_files_exist(out: &Path) -> bool {
    let Ok(manifest) = std::fs::read(out.join("manifest.json")) else {
        return false;
    };
    let Ok(serde_json::Value::Object(manifest)) = serde_json::from_slice(&manifest) else {
        return false;
    };
    manifest.values().all(|address| {
        address
            .as_str()
            .is_some_and(|address| out.join(address.trim_start_matches('/')).exists())
    })
}
