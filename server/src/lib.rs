//! How Belay touches the world: use cases, worker, store, sign-in, AWS.
//!
//! Reading order for someone new:
//!
//! 1. [`cli`]: what the binary can be asked to do; [`config`]: what it was told.
//! 2. [`web`]: who is asking, and what they may be shown.
//! 3. [`service`]: what people can do, some of it on [`proof`] that they signed in anew; [`worker`]:
//!    what follows of it in AWS.
//! 4. [`store`]: what is remembered; [`audit`] and [`feed`]: who is told.
//! 5. [`world`]: what is known, read by [`directory`] and, for decisions, [`people`].
//! 6. [`assignments`]: what is changed, through [`aws`], as fast as the [`limiter`]
//!    lets it, by whoever holds the [`lease`].
//! 7. [`reconcile`]: whether what was promised and what is there are the same; [`delays`]: how late
//!    it ended; [`live`]: what there is to look after.
//! 8. [`readiness`] and [`telemetry`]: what is said about all this to those who run it.

pub mod assignments;
pub mod audit;
pub mod aws;
pub mod cli;
pub mod config;
pub mod copy;
pub mod delays;
pub mod directory;
pub mod engine;
pub mod feed;
pub mod inventory;
pub mod lease;
pub mod limiter;
pub mod live;
pub mod people;
pub mod policy_text;
pub mod proof;
pub mod readiness;
pub mod reconcile;
pub mod service;
pub mod store;
pub mod sweep;
pub mod telemetry;
pub mod web;
pub mod worker;
pub mod world;
