//! What is allowed, and what must happen next.
//!
//! Pure and synchronous. Deliberately absent: I/O, clocks, randomness, and any notion of where the
//! facts came from. The instant, new ids and every fact are arguments, so that each decision can be
//! repeated from its inputs, and a simulation can own time.
//!
//! Reading order for someone new:
//!
//! 1. [`id`], [`target`], [`directory`]: what exists.
//! 2. [`policy`]: who may have what, who must agree, and why; [`catalogue`]: the same, indexed.
//! 3. [`request`] and [`grant`]: the life of a request, and of what was promised; [`glass`]: what
//!    going in first leaves open for a person.
//! 4. [`key`], [`plan`], [`progress`]: what must happen in AWS, one step at a time.
//! 5. [`reconcile`] and [`finding`]: where what was promised and what is there differ;
//!    [`adoption`]: what people may do about that; [`sweep`]: what is not looked for,
//!    and what is taken away.
//! 6. [`departure`]: whose access ends because they have left.
//! 7. [`event`]: the record of each step; [`held`]: who held what, said afterwards; [`delay`]: how
//!    late ends were.
//! 8. [`inventory`]: what was held before any of this.

pub mod adoption;
pub mod answer;
pub mod catalogue;
pub mod delay;
pub mod departure;
pub mod directory;
pub mod event;
pub mod finding;
pub mod glass;
pub mod grant;
pub mod held;
pub mod id;
pub mod inventory;
pub mod key;
pub mod plan;
pub mod policy;
pub mod progress;
pub mod reconcile;
pub mod request;
pub mod revocation;
pub mod sweep;
pub mod target;
