//! The site folder: names with fingerprints, brotli beside, the manifest last.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};

/// Long enough that two builds do not meet by chance, short enough to read in a log.
const FINGERPRINT_DIGITS: usize = 16;
/// The slowest and smallest: files are compressed once and sent many times.
const BROTLI_QUALITY: u32 = 11;
/// The largest window every browser takes (16 MiB).
const BROTLI_WINDOW_BITS: u32 = 24;
/// Worth compressing; pictures and fonts are compressed already.
const TEXT_LIKE: [&str; 7] = ["js", "wasm", "css", "svg", "txt", "json", "webmanifest"];

#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) wasm_brotli_bytes: usize,
    pub(crate) css_bytes: usize,
}

#[derive(Debug)]
struct Part {
    kind: &'static str,
    address: String,
    bytes: usize,
    brotli_bytes: usize,
}

/// A site being written. Old files stay until `finish`, so a server that reads the old manifest
/// still finds what it names.
#[derive(Debug)]
pub(crate) struct Site {
    out: PathBuf,
    written: BTreeSet<PathBuf>,
    parts: Vec<Part>,
}

impl Site {
    pub(crate) fn begin(out: &Path) -> Result<Self> {
        std::fs::create_dir_all(out.join("pkg"))
            .with_context(|| format!("cannot write to {}", out.display()))?;
        Ok(Self {
            out: out.to_owned(),
            written: BTreeSet::new(),
            parts: Vec::new(),
        })
    }

    /// Writes one of the three files that every page names.
    pub(crate) fn fingerprinted(&mut self, kind: &'static str, content: &[u8]) -> Result<()> {
        let name = format!("belay.{}.{kind}", fingerprint(content));
        let brotli_bytes = self.plain(&Path::new("pkg").join(&name), content)?;
        self.parts.push(Part {
            kind,
            address: format!("/pkg/{name}"),
            bytes: content.len(),
            brotli_bytes,
        });
        Ok(())
    }

    /// Writes a file under its own name and returns its size when compressed.
    pub(crate) fn plain(&mut self, name: &Path, content: &[u8]) -> Result<usize> {
        let path = self.out.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(&path, content)?;
        let extension = path
            .extension()
            .and_then(|extension| extension.to_str())
            .unwrap_or_default();
        let mut size = content.len();
        if TEXT_LIKE.contains(&extension) {
            let compressed = brotli(content)?;
            size = compressed.len();
            let sibling = path.with_extension(format!("{extension}.br"));
            std::fs::write(&sibling, compressed)?;
            self.written.insert(sibling);
        }
        self.written.insert(path);
        Ok(size)
    }

    /// Copies everything in `folder` to the root of the site; a folder that is not there is empty.
    pub(crate) fn copy_folder(&mut self, folder: &Path) -> Result<()> {
        if !folder.exists() {
            return Ok(());
        }
        for file in files_under(folder)? {
            let name = file.strip_prefix(folder)?.to_owned();
            self.plain(&name, &std::fs::read(&file)?)?;
        }
        Ok(())
    }

    pub(crate) fn report(&self) -> Vec<String> {
        let line = |part: &Part| {
            format!(
                "{:>4} {:>9} bytes, brotli {:>8}",
                part.kind, part.bytes, part.brotli_bytes
            )
        };
        self.parts.iter().map(line).collect()
    }

    pub(crate) fn check(&self, limits: &Limits) -> Result<()> {
        for part in &self.parts {
            let (size, limit, what) = match part.kind {
                "wasm" => (part.brotli_bytes, limits.wasm_brotli_bytes, "brotli"),
                "css" => (part.bytes, limits.css_bytes, "uncompressed"),
                _ => continue,
            };
            ensure!(
                size <= limit,
                "the {} is {size} bytes {what}; the limit is {limit}. Take something out before the limit is moved",
                part.kind
            );
        }
        Ok(())
    }

    /// Puts the manifest in place, then removes what no manifest names any more.
    pub(crate) fn finish(mut self) -> Result<()> {
        let manifest: serde_json::Map<_, _> = self
            .parts
            .iter()
            .map(|part| (part.kind.to_owned(), part.address.clone().into()))
            .collect();
        let path = self.out.join("manifest.json");
        let fresh = self.out.join("manifest.json.new");
        let mut file = std::fs::File::create(&fresh)?;
        serde_json::to_writer_pretty(&mut file, &manifest)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        std::fs::rename(&fresh, &path)?;
        self.written.insert(path);
        for file in files_under(&self.out)? {
            if !self.written.contains(&file) {
                std::fs::remove_file(&file)?;
            }
        }
        Ok(())
    }
}

/// All files below `folder`, sorted, so that whatever is made from the list is repeatable.
pub(crate) fn files_under(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)
            .with_context(|| format!("cannot read {}", folder.display()))?
        {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            } else {
                bail!("{} is neither a file nor a folder", entry.path().display());
            }
        }
    }
    files.sort();
    Ok(files)
}

pub(crate) fn fingerprint(content: &[u8]) -> String {
    let mut digits = hex(&Sha256::digest(content));
    digits.truncate(FINGERPRINT_DIGITS);
    digits
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let mut writer = brotli::CompressorWriter::new(
        &mut compressed,
        content.len().max(1),
        BROTLI_QUALITY,
        BROTLI_WINDOW_BITS,
    );
    writer.write_all(content)?;
    drop(writer);
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("bundle-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn the_manifest_names_files_that_exist_and_older_ones_are_gone() {
        let out = scratch("manifest");
        for text in ["first", "second"] {
            let mut site = Site::begin(&out).unwrap();
            site.fingerprinted("css", text.as_bytes()).unwrap();
            site.finish().unwrap();
        }
        let manifest = std::fs::read_to_string(out.join("manifest.json")).unwrap();
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        let address = manifest["css"].as_str().unwrap().trim_start_matches('/');
        assert_eq!(
            std::fs::read_to_string(out.join(address)).unwrap(),
            "second"
        );
        let names: Vec<_> = files_under(&out).unwrap();
        assert_eq!(
            names.len(),
            3,
            "the file, its brotli, the manifest: {names:?}"
        );
        std::fs::remove_dir_all(out).unwrap();
    }

    #[test]
    fn compressed_siblings_decompress_to_the_file() {
        let text = "belay ".repeat(1000);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut brotli(text.as_bytes()).unwrap().as_slice(), &mut back)
            .unwrap();
        assert_eq!(back, text.as_bytes());
    }

    #[test]
    fn styles_over_the_limit_are_refused() {
        let out = scratch("limit");
        let mut site = Site::begin(&out).unwrap();
        site.fingerprinted("css", &[b'a'; 11]).unwrap();
        let limits = |css_bytes| Limits {
            wasm_brotli_bytes: 0,
            css_bytes,
        };
        assert!(site.check(&limits(11)).is_ok());
        assert!(site.check(&limits(10)).is_err());
        std::fs::remove_dir_all(out).unwrap();
    }
}
