//! One key, planned by hand: the situations that are too rare, or too subtle, to be left to the
//! simulation alone. Several of them are bugs that it found.

#![expect(clippy::expect_used, clippy::panic, reason = "tests")]

mod bench;
mod gates;
mod losing;
mod pacing;
mod reading;
mod removing;
mod sharing;
mod vanishing;
