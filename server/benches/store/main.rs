//! What each access pattern costs, and that none of them costs more in a table that has grown.
//!
//! Fills a sandbox's table with the history of a few hundred people, beside a fixed number of open
//! requests and live grants, and reads and writes as the server does: calls, items and capacity
//! units of each pattern, at each size. All patterns but history's must cost the same at every
//! size, and history must keep to its stated bound; else this ends with 1.
//!
//! `BENCH_REQUESTS=1000,1000000 cargo bench --workspace --bench store` (`make bench-store`). A
//! million takes an hour or more and 15 GB of disk, nearly all of it to fill the table.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::zombie_processes,
    reason = "a bench that cannot go on stops there, and what it has to report goes to stdout; its \
              sandbox is waited for where it ends"
)]

mod counted;
mod fill;
mod patterns;
mod sandbox;

use std::process::ExitCode;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use server::store::Store;
use server::store::history::QUERIES_A_PAGE;

use counted::{Cost, Counter};
use patterns::Pattern;
use sandbox::Sandbox;

const SIZES: &str = "1000,20000";

fn main() -> ExitCode {
    // `cargo bench` passes `--bench`; a test runner that lists the tests here finds none.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let sizes = std::env::var("BENCH_REQUESTS").unwrap_or_else(|_| SIZES.to_owned());
    let sizes: Vec<usize> = sizes
        .split(',')
        .map(|size| {
            size.trim()
                .parse()
                .expect("BENCH_REQUESTS is a list of numbers")
        })
        .collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let measured: Vec<Vec<(Pattern, Cost)>> = sizes
        .iter()
        .map(|requests| runtime.block_on(measure(*requests)))
        .collect();
    report(&sizes, &measured)
}

async fn measure(requests: usize) -> Vec<(Pattern, Cost)> {
    let sandbox = Sandbox::start();
    let counter = Counter::default();
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "bench"))
        .endpoint_url(&sandbox.aws)
        .interceptor(counter.clone())
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let store = Store::new(client.clone(), "belay".to_owned());
    let begun = std::time::Instant::now();
    let live = fill::live(&store).await;
    fill::history(&client, requests).await;
    eprintln!(
        "{requests} requests are there after {:.0} s",
        begun.elapsed().as_secs_f64()
    );
    let mut costs = Vec::new();
    for pattern in Pattern::ALL {
        counter.take();
        pattern.run(&store, &live).await;
        costs.push((pattern, counter.take()));
    }
    costs
}

fn report(sizes: &[usize], measured: &[Vec<(Pattern, Cost)>]) -> ExitCode {
    print!("{:<44}", "pattern");
    for size in sizes {
        print!("{:>34}", format!("at {size} requests"));
    }
    println!();
    let mut kept = true;
    for (at, pattern) in Pattern::ALL.into_iter().enumerate() {
        print!("{:<44}", pattern.name());
        for costs in measured {
            print!("{:>34}", costs[at].1.to_string());
        }
        let mut all = measured.iter().map(|costs| &costs[at].1);
        let fine = if pattern.is_of_history() {
            all.all(|cost| cost.calls <= QUERIES_A_PAGE)
        } else {
            let first = all.next();
            all.all(|cost| first.is_some_and(|first| cost.is_at_most(first)))
        };
        println!("{}", if fine { "" } else { "  GROWS" });
        kept &= fine;
    }
    if kept {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
