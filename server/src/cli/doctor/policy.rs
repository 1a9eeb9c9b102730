//! The policy, as a server would read it.

use domain::policy;

use crate::aws::Clients;
use crate::config::Config;
use crate::policy_text::PolicyText;

use super::Finding;

/// The policy is there and has no problems.
pub(super) async fn valid(clients: &Clients, config: &Config) -> Finding {
    const CHECK: &str = "policy";
    let place = config.policy.to_string();
    let source = match PolicyText::read(&config.policy, &clients.s3).await {
        Ok(source) => source,
        Err(error) => {
            return Finding::unknown(
                CHECK,
                super::super::chain(&error),
                "check BELAY_POLICY and that this process may read it",
            );
        }
    };
    let problems = policy::check_with(
        &source.text,
        source.format(),
        &place,
        &source.included,
        None,
    );
    match problems.first() {
        None => Finding::ok(CHECK, format!("{place} has no problems")),
        Some(first) => Finding::problem(
            CHECK,
            format!(
                "{place} has {} problems; the first: {first}",
                problems.len()
            ),
            format!("run `belay policy check {place}`"),
        ),
    }
}
