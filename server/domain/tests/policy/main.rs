//! The policy language, from text to verdict, as people who write policies meet it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::too_many_lines,
    reason = "a test says what it expects by failing, and a table of cases is long"
)]

mod break_glass;
mod cases;
mod catalogue;
mod covering;
mod damage;
mod deciding;
mod describing;
mod diffing;
mod doubts;
mod facts;
mod group_targets;
mod guardrails;
mod importing;
mod includes;
mod kept;
mod matrix;
mod organisation;
mod parsing;
mod properties;
mod reference;
mod resolving;
mod reviewing;
mod sandbox;
mod suggesting;
mod telling;
mod windows;
