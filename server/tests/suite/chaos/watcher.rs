//! Looks at what AWS really has, all the while.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::harness::Sandbox;

/// How often: twice in the shortest time in which anything could come and go.
const EVERY: Duration = Duration::from_millis(400);

/// A person, an account and a permission set.
pub(super) type Triple = (String, String, String);

/// What people had at an instant, beyond what was there before.
#[derive(Debug)]
pub(super) struct Sample {
    /// The look began no earlier ...
    pub(super) began: Timestamp,
    /// ... and was over no later.
    pub(super) ended: Timestamp,
    pub(super) had: BTreeSet<Triple>,
}

#[derive(Debug)]
pub(super) struct Watcher {
    sandbox: Arc<Sandbox>,
    before: BTreeSet<Triple>,
    stop: oneshot::Sender<()>,
    watching: JoinHandle<Vec<Sample>>,
}

async fn look(sandbox: &Sandbox) -> BTreeSet<Triple> {
    let state = sandbox.state().await;
    let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
    state["assignments"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                text(row, "principal_id"),
                text(row, "account_id"),
                text(row, "permission_set_arn"),
            )
        })
        .collect()
}

impl Watcher {
    pub(super) async fn begin(sandbox: &Arc<Sandbox>) -> Self {
        let before = look(sandbox).await;
        let (stop, mut stopped) = oneshot::channel();
        let (eyes, standing) = (Arc::clone(sandbox), before.clone());
        let watching = tokio::spawn(async move {
            let mut samples = Vec::new();
            loop {
                let began = Timestamp::now();
                let now = look(&eyes).await;
                let ended = Timestamp::now();
                let gone: Vec<&Triple> = standing.difference(&now).collect();
                assert!(gone.is_empty(), "never ours to remove: {gone:?}");
                samples.push(Sample {
                    began,
                    ended,
                    had: now.difference(&standing).cloned().collect(),
                });
                tokio::select! {
                    _ = &mut stopped => return samples,
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
        });
        Self {
            sandbox: Arc::clone(sandbox),
            before,
            stop,
            watching,
        }
    }

    pub(super) async fn sees_what_was_there_before(&self) -> bool {
        look(&self.sandbox).await == self.before
    }

    pub(super) async fn end(self) -> Vec<Sample> {
        // It is told by this being dropped as well.
        let _ = self.stop.send(());
        self.watching.await.unwrap()
    }
}
