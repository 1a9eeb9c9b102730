//! What people can do, one file a verb: load, decide, commit, wake.
//!
//! Both doors come here. They prove who is asking and render what comes back; everything that is
//! allowed or refused is decided here, at this instant, against the policy in force and a live
//! look-up of the groups that it rests on (invariant 7). Deliberately absent: AWS writes (only the
//! worker makes those) and any way to act for somebody else.

mod adopt;
mod again;
mod approve;
mod approver;
mod asked;
mod begin;
mod depart;
mod end;
mod end_finding;
mod ends;
mod expire;
mod export;
mod facts;
mod favourite;
mod findings;
mod first;
mod held;
mod judge;
mod look;
mod nudge;
mod overdue;
mod policy;
mod preview;
mod prove;
mod reopen;
mod review;
mod search;
mod sign;
mod signing;
mod submit;
mod sweep;
mod versions;
mod waiting;
mod who_held;
mod withdraw;

use std::sync::Arc;

use domain::adoption::{self, Unfit};
use domain::event::{Actor, Source};
use domain::glass;
use domain::id::{RequestId, ServerId};
use domain::policy::{Verdict, WhyNot};
use domain::request::{AskState, NOTE_MAX_CHARS, Refused, Stands, Who};
use jiff::Timestamp;
use thiserror::Error;
use tokio::sync::Semaphore;

use crate::assignments::Holders;
use crate::directory::DirectoryError;
use crate::people::People;
use crate::proof::Sitting;
use crate::store::{Store, StoreError};
use crate::sweep::Rules;
use crate::world::{Keeper, World};

pub use adopt::{Answer, Proposing, Which};
pub use approver::Past;
pub use asked::{Submission, Wanted};
pub use begin::Begin;
pub use depart::Left;
pub use end::{Ending, Whose};
pub use ends::Ends;
pub use export::Export;
pub use favourite::{FAVOURITES_MAX, Starred};
pub use findings::{AgreementsFound, FindingsFound, FindingsSearch, OpenFinding};
pub use first::CONFIRMATION;
pub use look::{AskDetail, Mine, Offer, RequestDetail, Role, Waiting};
pub use policy::{Draft, ExplainField, Explained, Explaining, NotExplained};
pub use preview::Foreseen;
pub use prove::SignInAgain;
pub use review::{Reviewing, Verb};
pub use search::HistorySearch;
pub(crate) use search::OVERDUE_AFTER;
pub use sign::{Signature, Word};
pub use signing::{BreakGlassOffer, SigningDetail, ToSign};
pub use submit::Submitted;
pub use sweep::{NotSteered, Steering, SweepFound, baseline_keys};
pub use versions::PolicyFound;
pub use who_held::HeldFound;

/// Open requests that are looked through for "waits for me". 20 open a person, and expiry, keep an
/// organisation of hundreds below it.
const OPEN_MAX: i32 = 1_000;

/// Requests that My access shows.
const MINE_MAX: i32 = 50;

/// Targets that a person may wait for at once (DESIGN 7).
const PENDING_MAX: usize = 20;

/// Requests that a person may submit in an hour (DESIGN 7).
const SUBMISSIONS_AN_HOUR: usize = 30;

/// A signed-in person, and the door they came through.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub who: Who,
    /// Through which door.
    pub source: Source,
    /// Their stay at it, where proofs of theirs are kept; a door without stays has no proofs.
    pub sitting: Option<Sitting>,
}

impl Caller {
    fn actor(&self) -> Actor {
        Actor::Person(self.who.clone())
    }
}

/// A part that did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The table.
    Store,
    /// The Identity Store.
    IdentityStore,
    /// Accounts, people or policy have not been read yet.
    World,
    /// Another policy is in force than this server has.
    PolicyBehind,
}

/// Why a verb was not carried out. Nothing was recorded.
#[derive(Debug, Error)]
pub enum ServiceError {
    /// There is nothing here for this person.
    #[error("there is no such thing for this person")]
    NotFound,
    /// It is not for them, and they may know that it exists.
    #[error("this person may not do that")]
    NotAllowed,
    /// Policy would let them ask for it, and AWS does not let Belay assign it.
    #[error("AWS does not let Belay assign this")]
    BeyondReach,
    /// What was typed is not right.
    #[error("the submission has {} problems", .0.len())]
    Invalid(Vec<Invalid>),
    /// These targets were refused, and so all of them.
    #[error("{} targets were refused", .0.len())]
    Refused(Vec<RefusedTarget>),
    /// They may not review this.
    #[error("{0}")]
    MayNotReview(WhyNot),
    /// It has been decided.
    #[error("it is already {}", .0.word())]
    Decided(Box<AskState>),
    /// They have reviewed it already.
    #[error("this person has reviewed it already")]
    ReviewedAlready,
    /// They have not approved it, so there is nothing to take back.
    #[error("this person has not approved it")]
    NothingToRetract,
    /// Enough people have signed it, or somebody rejected it.
    #[error("the break-glass is {}", .0.word())]
    Settled(Box<Stands>),
    /// Break-glass is not closed for that person.
    #[error("break-glass is not closed for that person")]
    NotClosed,
    /// The finding does not change so.
    #[error("{0}")]
    Finding(adoption::Refused),
    /// They may not decide about that finding.
    #[error("{0}")]
    Unfit(Unfit),
    /// Whoever proposed it may not decide about that finding any more.
    #[error("whoever proposed it may not decide about it any more")]
    ProposerUnfit,
    /// The finding is no more, or is not so any more.
    #[error("the finding is no more")]
    FindingGone,
    /// The sweep does not change so.
    #[error("{0}")]
    Sweep(#[from] NotSteered),
    /// There is no such access any more.
    #[error("that access has ended")]
    NotLive,
    /// It is ending, or has ended.
    #[error("the grant is {found}")]
    EndedAlready {
        /// What it was found to be.
        found: &'static str,
    },
    /// Its approvers were reminded a moment ago.
    #[error("its approvers were reminded already")]
    NudgedAlready {
        /// When they may be again.
        again_at: Timestamp,
    },
    /// They wait for this many targets already.
    #[error("this person waits for {limit} targets already")]
    TooManyPending {
        /// The limit.
        limit: u32,
    },
    /// They hold this many grants of one target already.
    #[error("this person holds {limit} grants of this target already")]
    TooManyLive {
        /// The limit.
        limit: u32,
    },
    /// They submitted this many within the hour.
    #[error("this person submitted {limit} requests within the hour")]
    TooManySubmissions {
        /// The limit.
        limit: u32,
    },
    /// Others kept changing it; trying again is safe.
    #[error("it kept changing while this was decided")]
    Changed,
    /// A part that is needed did not answer.
    #[error("{part:?} did not answer")]
    Unavailable {
        /// Which.
        part: Part,
    },
}

/// A target that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedTarget {
    /// Which of the submission's targets, from 0.
    pub place: usize,
    /// What, as a sentence names it.
    pub target: String,
    /// Whether it was asked for with others.
    pub is_one_of_several: bool,
    /// Why.
    pub why: WhyRefused,
}

/// Why a target was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhyRefused {
    /// Not known, or not for them: one answer for both.
    NotAvailable,
    /// They wait for it already, there.
    Pending(RequestId),
    /// The policy, as this person may see it.
    Policy(Box<Verdict>),
    /// There is a way to it, and it is not break-glass: somebody has to agree first.
    NotByBreakGlass,
}

/// What is not right with what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalid {
    /// No target, too many, or one twice.
    Targets,
    /// The duration is not a number of seconds that could be a window.
    Duration,
    /// The start is in the past.
    StartPassed,
    /// An extension begins when what it extends ends.
    StartOfExtension,
    /// Who goes in first does so now.
    StartOfBreakGlass,
    /// Who goes in first types that they mean it.
    Confirmation,
    /// Nobody said why.
    NoReason,
    /// A note is too long.
    NoteTooLong {
        /// The limit, in characters.
        max: usize,
        /// What was typed.
        typed: usize,
    },
}

impl From<StoreError> for ServiceError {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Changed) {
            return Self::Changed;
        }
        tracing::error!(error = %error, detail = error.detail(), "the table did not do its part");
        Self::Unavailable { part: Part::Store }
    }
}

impl From<DirectoryError> for ServiceError {
    fn from(error: DirectoryError) -> Self {
        tracing::error!(error = %error, "a live look-up failed, so nothing was decided");
        Self::Unavailable {
            part: Part::IdentityStore,
        }
    }
}

impl From<Refused> for ServiceError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Decided { found } => Self::Decided(found),
            Refused::NoSuchAsk(_) | Refused::NotBreakGlass => Self::NotFound,
            Refused::ReviewedAlready | Refused::SignedAlready => Self::ReviewedAlready,
            Refused::NothingToRetract => Self::NothingToRetract,
            Refused::NudgedAlready { again_at } => Self::NudgedAlready { again_at },
            Refused::Endless => Self::Invalid(vec![Invalid::Duration]),
            Refused::OwnBreakGlass => Self::MayNotReview(WhyNot::OwnRequest),
            Refused::Settled { found } => Self::Settled(found),
            // Of what was read a moment ago these cannot be; if they are, it is read again.
            Refused::NotAllApproved | Refused::Separate | Refused::InTime { .. } => Self::Changed,
        }
    }
}

impl From<glass::Refused> for ServiceError {
    fn from(refused: glass::Refused) -> Self {
        match refused {
            // Policy has said so before; if it is so now, it is read again.
            glass::Refused::Unsigned | glass::Refused::Closed(_) => Self::Changed,
            glass::Refused::NotClosed => Self::NotClosed,
            glass::Refused::Own => Self::NotAllowed,
        }
    }
}

impl From<adoption::Refused> for ServiceError {
    fn from(refused: adoption::Refused) -> Self {
        Self::Finding(refused)
    }
}

impl From<Unfit> for ServiceError {
    fn from(unfit: Unfit) -> Self {
        match unfit {
            Unfit::NotAdmin => Self::NotAllowed,
            Unfit::Holder => Self::Unfit(unfit),
        }
    }
}

/// Why somebody does something, in their words, without the blanks around them: never nothing.
fn why(typed: &str) -> Result<&str, ServiceError> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(ServiceError::Invalid(vec![Invalid::NoReason]));
    }
    note_fits(typed)?;
    Ok(typed)
}

/// Whether a note is as short as notes have to be.
fn note_fits(note: &str) -> Result<(), ServiceError> {
    let (max, typed) = (NOTE_MAX_CHARS, note.chars().count());
    if typed <= max {
        return Ok(());
    }
    Err(ServiceError::Invalid(vec![Invalid::NoteTooLong {
        max,
        typed,
    }]))
}

/// The use cases. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Service {
    store: Store,
    people: People,
    holders: Holders,
    keeper: Arc<Keeper>,
    rules: Rules,
    me: ServerId,
    waiting: waiting::Waiting,
    /// One comparison of policies at a time: each takes a core for a while.
    comparing: Arc<Semaphore>,
}

impl Service {
    /// Over these parts.
    #[must_use]
    pub fn new(
        store: Store,
        (people, holders): (People, Holders),
        keeper: Arc<Keeper>,
        rules: Rules,
        me: ServerId,
    ) -> Self {
        Self {
            store,
            people,
            holders,
            keeper,
            rules,
            me,
            waiting: waiting::Waiting::default(),
            comparing: Arc::new(Semaphore::new(1)),
        }
    }

    /// The table, for what is not a use case (sessions, news).
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// Live look-ups, for the door that finds out who somebody is.
    #[must_use]
    pub const fn people(&self) -> &People {
        &self.people
    }

    /// This run of this server.
    #[must_use]
    pub const fn me(&self) -> ServerId {
        self.me
    }

    /// What the deployment says of the sweep.
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// What is known of the organisation and the policy.
    pub fn world(&self) -> Result<Arc<World>, ServiceError> {
        self.keeper
            .world()
            .ok_or(ServiceError::Unavailable { part: Part::World })
    }
}
