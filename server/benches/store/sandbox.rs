//! A sandbox of its own, that adds nothing to what DynamoDB costs.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A sandbox listens within a second or two.
const PATIENCE: Duration = Duration::from_secs(30);

/// Ended when dropped.
#[derive(Debug)]
pub(crate) struct Sandbox {
    child: Child,
    /// Where DynamoDB is.
    pub(crate) aws: String,
    // Gone with everything in it.
    _folder: TempDir,
}

impl Sandbox {
    pub(crate) fn start() -> Self {
        let binary = std::env::var_os("TEST_SANDBOX_BIN").map_or_else(
            || PathBuf::from(env!("CARGO_BIN_EXE_belay")).with_file_name("sandbox"),
            PathBuf::from,
        );
        let folder = tempfile::tempdir().unwrap();
        let ports = folder.path().join("ports.json");
        let mut child = Command::new(&binary)
            .args(["--aws-port=0", "--oidc-port=0", "--control-port=0"])
            .args(["--index-lag-ms-max=0", "--conflict-percent=0"])
            .arg("--data")
            .arg(folder.path().join("data"))
            .arg("--ports-file")
            .arg(&ports)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
        let begun = Instant::now();
        loop {
            if let Ok(text) = std::fs::read(&ports) {
                let ports: Value = serde_json::from_slice(&text).unwrap();
                return Self {
                    child,
                    aws: ports["aws"].as_str().unwrap().to_owned(),
                    _folder: folder,
                };
            }
            if begun.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                panic!("the sandbox does not listen");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
