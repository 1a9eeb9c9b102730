//! Whatever is given as an inventory, it is refused with its place, or becomes a policy that can be
//! read: no name in it writes anything of its own.

#![no_main]

use domain::policy::{Format, parse, suggest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    match suggest(source, "p") {
        Err(problems) => assert!(!problems.is_empty(), "refused without a reason"),
        Ok(policy) => {
            let read = parse(&policy, Format::Toml, "p");
            assert!(read.is_ok(), "{read:?}\n{policy}");
        }
    }
});
