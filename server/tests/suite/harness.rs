//! A sandbox, a Belay, browsers: started for one test, gone with it.

mod api;
mod belay;
mod browser;
mod process;
mod promise;
mod provider;
mod record;
mod sandbox;
mod table;

use std::future::Future;
use std::time::{Duration, Instant};

pub(crate) use api::{ALL, AUDIENCE, Answer, Api};
pub(crate) use belay::{ANYTHING_AT_ONCE, Belay, Setup, binary as belay_binary};
pub(crate) use browser::{Browser, Page};
pub(crate) use promise::{Promised, automatic, promise};
pub(crate) use provider::{Key, Provider, Say, reserve};
pub(crate) use sandbox::Sandbox;
pub(crate) use table::create_table;

/// Builds for tests are slow, and two cores are shared by as many tests as there are threads; the
/// shortest windows that policies offer are 20 s.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// Asks until there is an answer, and fails with what was waited for.
pub(crate) async fn eventually<T, F>(what: &str, ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    within(what, PATIENCE, ask).await
}

/// The same, with a patience of one's own: it is asked twelve hundred times at most.
pub(crate) async fn within<T, F>(what: &str, patience: Duration, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < patience, "waited in vain for: {what}");
        tokio::time::sleep(patience / 1_200).await;
    }
}
