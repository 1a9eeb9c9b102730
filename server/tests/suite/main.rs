//! The real binary against the real sandbox, over the wire.
//!
//! One binary for all of it, so that it links once. Each file is a part of what is promised.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod harness;

mod api;
mod api_doors;
mod approvals;
mod assumptions;
mod break_glass;
mod chaos;
mod configuration;
mod conversion;
mod decisions;
mod delegated;
mod departures;
mod ends;
mod faults;
mod favourites;
mod findings;
mod foreseen;
mod forms;
mod from_copy;
mod group_targets;
mod history;
mod history_pages;
mod inventory;
mod kept;
mod killed;
mod leading;
mod live;
mod matrix;
mod memberships;
mod operations;
mod origin;
mod policies;
mod reconciling;
mod revoking;
mod second_line;
mod sessions;
mod several;
mod sign_in;
mod signing_in_again;
mod snapshots;
mod sweeping;
mod together;
mod vanishing;
mod versions;
mod windows;
