//! A process of ours: its output kept, its end certain.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::PATIENCE;

/// Killed when dropped, so that a failed test leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it with what it says in a file of the folder.
    pub(crate) fn start(command: Command, folder: &Path, name: &str) -> Self {
        let log = folder.join(format!("{name}.log"));
        Self::start_into(command, &log, folder, name)
    }

    /// Starts it with what it says in that file, which need not be one that keeps it.
    pub(crate) fn start_into(
        mut command: Command,
        output: &Path,
        folder: &Path,
        name: &str,
    ) -> Self {
        let log = folder.join(format!("{name}.log"));
        let open = |path: &Path| {
            File::options()
                .create(true)
                .append(true)
                .open(path)
                .unwrap()
        };
        open(&log);
        let output = open(output);
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} cannot be started: {error}"));
        Self { child, log }
    }

    /// Waits for the file in which it says where it listens.
    pub(crate) fn ports(&mut self, file: &Path) -> Value {
        let begun = Instant::now();
        loop {
            if let Ok(text) = std::fs::read(file) {
                return serde_json::from_slice(&text).expect("the ports file is JSON");
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                panic!("it ended ({status}) before it listened:\n{}", self.said());
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not listen:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL, as a power cut would.
    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, as orchestrators do.
    pub(crate) fn terminate(&self) {
        self.signal("-TERM");
    }

    /// SIGSTOP, as a machine that freezes would; [`Process::thaw`] ends it.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// SIGCONT.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, which: &str) {
        let status = Command::new("kill")
            .args([which, &self.child.id().to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Everything that it said so far.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Shown by the test runner with the failure.
            eprintln!("--- {}\n{}", self.log.display(), self.said());
        }
        self.kill();
    }
}
