//! The sandbox's AWS side, over the wire and without AWS's SDKs: what it promises beyond the shapes,
//! which `oracle/` judges.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod control;
mod dynamodb;
mod faults;
mod lists;
mod operations;
mod refusals;
mod running;
mod signatures;
