//! Fills a table with history for whoever measures what reads it: `cargo bench --workspace --bench
//! fill -- ENDPOINT REQUESTS`, which `make bench-history` does.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "what fills a table for a bench stops where it cannot go on"
)]

#[path = "store/fill.rs"]
#[expect(
    dead_code,
    reason = "the store's bench has open requests and live grants as well"
)]
mod fill;

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo bench` passes `--bench`; a test runner that lists the tests here finds none.
    let mut given = arguments
        .iter()
        .filter(|argument| !argument.starts_with("--"));
    let (Some(endpoint), Some(requests)) = (given.next(), given.next()) else {
        return;
    };
    let requests: usize = requests.parse().expect("REQUESTS is a number");
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("sandbox", "sandbox", None, None, "bench"))
        .endpoint_url(endpoint)
        .build();
    let client = aws_sdk_dynamodb::Client::from_conf(config);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let begun = std::time::Instant::now();
    runtime.block_on(fill::history(&client, requests));
    println!(
        "{requests} requests in {:.0} s",
        begun.elapsed().as_secs_f64()
    );
}
