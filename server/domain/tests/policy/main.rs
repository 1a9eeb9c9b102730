//! The policy language, from text to verdict, as people who write policies meet it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what it expects by failing"
)]

mod cases;
mod catalogue;
mod covering;
mod damage;
mod deciding;
mod diffing;
mod facts;
mod importing;
mod organisation;
mod parsing;
mod properties;
mod reference;
mod resolving;
mod reviewing;
mod sandbox;
mod suggesting;
mod telling;
