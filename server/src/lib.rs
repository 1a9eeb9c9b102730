//! How Belay touches the world: use cases, worker, store, sign-in, AWS.
//!
//! Reading order for someone new:
//!
//! 1. [`cli`]: what the binary can be asked to do; [`config`]: what it was told.
//! 2. [`web`]: who is asking, and what they may be shown.
//! 3. [`aws`]: what is changed.

pub mod cli;
pub mod config;
pub mod aws;
pub mod telemetry;
pub mod web;
