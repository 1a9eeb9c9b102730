//! The sandbox's binary, started on ports of its own, killed without warning and started again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tempfile::TempDir;

/// A debug build on a busy machine starts in under two seconds.
const START: Duration = Duration::from_mins(1);

/// A sandbox that dies with this value.
#[derive(Debug)]
pub(crate) struct Sandbox {
    folder: TempDir,
    process: Child,
    addresses: Value,
}

impl Sandbox {
    /// A sandbox with an empty folder.
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (process, addresses) = spawn(folder.path(), [0, 0]);
        Self {
            folder,
            process,
            addresses,
        }
    }

    /// Kills it as `kill -9` does, whatever it is doing.
    pub(crate) fn kill(&mut self) {
        self.process.kill().expect("kill");
        self.process.wait().expect("wait");
    }

    /// Starts it again on the same folder and the same ports: its issuer is part of what a restart must keep.
    pub(crate) fn start_again(&mut self) {
        let port = |name: &str| {
            let address = self.address(name);
            address
                .rsplit(':')
                .next()
                .and_then(|port| port.parse().ok())
                .expect("a port")
        };
        let ports = [port("aws"), port("oidc")];
        let (process, addresses) = spawn(self.folder.path(), ports);
        self.process = process;
        self.addresses = addresses;
    }

    /// The address of a door: `aws`, `oidc` or `control`.
    pub(crate) fn address(&self, door: &str) -> String {
        self.addresses[door].as_str().expect(door).to_owned()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn binary() -> PathBuf {
    std::env::var_os("TEST_SANDBOX_BIN")
        .map_or_else(|| env!("CARGO_BIN_EXE_sandbox").into(), PathBuf::from)
}

fn spawn(folder: &Path, [aws, oidc]: [u16; 2]) -> (Child, Value) {
    let ports_file = folder.join("ports.json");
    let _ = fs::remove_file(&ports_file);
    let log = fs::File::create(folder.join("log")).expect("a log");
    let mut process = Command::new(binary())
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--ports-file")
        .arg(&ports_file)
        .args([
            "--aws-port",
            &aws.to_string(),
            "--oidc-port",
            &oidc.to_string(),
            "--control-port",
            "0",
        ])
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the sandbox starts");
    let deadline = Instant::now() + START;
    loop {
        // Written by renaming, so what is there is whole.
        if let Ok(text) = fs::read(&ports_file) {
            return (process, serde_json::from_slice(&text).expect("addresses"));
        }
        let log = || fs::read_to_string(folder.join("log")).unwrap_or_default();
        if let Some(status) = process.try_wait().expect("wait") {
            panic!("the sandbox ended with {status}:\n{}", log());
        }
        assert!(
            Instant::now() < deadline,
            "the sandbox did not start:\n{}",
            log()
        );
        thread::sleep(Duration::from_millis(20));
    }
}
