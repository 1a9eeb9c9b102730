//! Whatever is given as SSO Elevator's configuration, it is refused with its places, or becomes a
//! policy that can be read.

#![no_main]

use domain::policy::{Format, import, parse, report_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    match import(source, "p") {
        Err(problems) => {
            assert!(!problems.is_empty(), "refused without a reason");
            let text = report_text("p", &problems);
            assert_eq!(text.lines().count(), problems.len() + 1, "{text}");
        }
        Ok(policy) => {
            let read = parse(&policy, Format::Toml, "p");
            assert!(read.is_ok(), "{read:?}\n{policy}");
        }
    }
});
