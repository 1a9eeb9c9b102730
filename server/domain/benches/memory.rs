//! How much memory the index takes, and how much more while it is being built.
//!
//! A counting allocator says so, at the size of `policy`'s largest: 1,000 rules, 5,000 accounts, 500
//! permission sets, 20,000 people in 2,000 groups. It fails beyond the limit that was promised.
//! `cargo bench -p domain --bench memory`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "benchmarks"
)]

mod organisation;

use std::sync::Arc;

use domain::catalogue::Catalogue;
use domain::policy::Facts;
use peak_alloc::PeakAlloc;

use self::organisation::{LARGEST, Size, directory, policy, user};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The index of the largest organisation fits, built and while it is built.
const LIMIT_MB: usize = 64;

fn measure(size: Size) {
    let directory = directory(size);
    let policy = Arc::new(policy(size, &directory));
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let catalogue = Catalogue::build(policy, &directory);
    let (built, peak) = (MEMORY.current_usage(), MEMORY.peak_usage());
    MEMORY.reset_peak_usage();
    let person = catalogue.for_person(&user(0), &Facts::of_snapshot(&directory));
    let page = MEMORY.peak_usage();
    let kilobytes = |of: usize| of.saturating_sub(before).div_ceil(1_024);
    println!(
        "{} rules, {} accounts, {} sets: the index {} KB, {} KB at most while it is built; one \
         person's catalogue of {} entries {} KB more",
        size.rules,
        size.accounts,
        size.sets,
        kilobytes(built),
        kilobytes(peak),
        person.len(),
        page.saturating_sub(built).div_ceil(1_024),
    );
    assert!(
        kilobytes(peak) <= LIMIT_MB * 1_024,
        "the index takes more than {LIMIT_MB} MB"
    );
}

fn main() {
    for sets in [LARGEST.sets, 150, 50] {
        measure(Size { sets, ..LARGEST });
    }
    for accounts in [1_500, 500] {
        measure(Size {
            accounts,
            ..LARGEST
        });
    }
    for rules in [300, 100] {
        measure(Size { rules, ..LARGEST });
    }
}
