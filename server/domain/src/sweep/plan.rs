//! What the sweep would take away, and why it leaves everything else. Pure.
//!
//! One wrong removal takes somebody's access from them, so each rule here only ever leaves more
//! alone: what is not known is left, and what cannot be told apart from ours is left. The plan is
//! made of what one complete look found; [`judge`] is asked once more about each removal, by what is
//! read at that moment. Deliberately absent: memberships of groups and what groups are assigned,
//! which nobody sweeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::baseline::{Baseline, digest_of};
use super::look::{Look, Looks};
use super::{AllowList, Sweep};
use crate::directory::Beyond;
use crate::event::{Details, Kind};
use crate::finding::{Difference, Finding};
use crate::id::{AccountId, FindingId};
use crate::key::{KeyState, Standing};
use crate::plan::SETTLED_AFTER;
use crate::request::Who;
use crate::target::Target;

/// The most that one pass removes by itself: what a person can put back by hand.
pub const REMOVALS_MAX: usize = 20;

/// Or this part of what people were seen to have, in percent, rounded up: one of fifty or fewer. A
/// rounded-down part would have every small organisation confirm each removal, unread.
pub const PERCENT_MAX: usize = 2;

/// A confirmation counts for the pass that is under way, or one that begins within an hour: whoever
/// confirmed is still there to see what comes of it.
pub const CONFIRMED_FOR: SignedDuration = SignedDuration::from_hours(1);

/// From one look to the next, fewer by this many or fewer is nothing odd: a pass may have taken them
/// ([`REMOVALS_MAX`]).
const FEWER_IS_PLAIN: u32 = 20;

/// What stands of a key in our own table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ours {
    /// Nothing: nobody was promised it, and nothing of ours is on its way.
    Nothing,
    /// A grant of it has not ended, or is to come.
    Promised,
    /// It was there before us.
    Standing,
    /// Something of ours is under way, or may still take effect.
    UnderWay,
    /// We wrote less than [`SETTLED_AFTER`] ago.
    Lately,
}

impl Ours {
    /// By the key's item; `None`: there is none.
    #[must_use]
    pub fn of(key: Option<&KeyState>, now: Timestamp) -> Self {
        let Some(key) = key else {
            return Self::Nothing;
        };
        if key.standing == Standing::Standing {
            return Self::Standing;
        }
        if !key.live.is_empty() {
            return Self::Promised;
        }
        let may_strike = |at: Timestamp| now.duration_since(at) < SETTLED_AFTER;
        let lost = key.lost_create.is_some_and(|lost| may_strike(lost.last_at))
            || key.lost_delete_at.is_some_and(may_strike);
        if key.operation.is_some() || lost {
            return Self::UnderWay;
        }
        let wrote = [key.last_write_at, key.last_delete_at];
        if wrote.into_iter().flatten().any(may_strike) {
            return Self::Lately;
        }
        Self::Nothing
    }

    const fn is_nothing(self) -> Result<(), Left> {
        match self {
            Self::Nothing => Ok(()),
            Self::Promised => Err(Left::Promised),
            Self::Standing => Err(Left::Standing),
            Self::UnderWay => Err(Left::UnderWay),
            Self::Lately => Err(Left::Lately),
        }
    }
}

impl Left {
    /// Whether that passes by itself, within seconds or minutes.
    #[must_use]
    pub const fn passes(self) -> bool {
        matches!(self, Self::UnderWay)
    }
}

/// What two admins have to say of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// Nothing.
    No,
    /// It is adopted or ignored, as far as it can be read.
    Yes,
}

/// A finding, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// The open finding.
    pub finding: &'a Finding,
    /// What stands of its key in our table.
    pub ours: Ours,
    /// What is agreed under its name.
    pub agreed: Agreed,
}

/// What the deployment and the organisation say.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Whether anything is removed at all.
    pub mode: Sweep,
    /// How long a finding is known before it is swept.
    pub grace: SignedDuration,
    /// Where what nobody promised is known.
    pub allowed: &'a AllowList,
    /// Belay's own accounts, management, log archive.
    pub protected: &'a BTreeSet<AccountId>,
    /// What AWS does not let Belay assign; `None`: the directory has not been read.
    pub beyond: Option<&'a Beyond>,
    /// What was there when the sweep began.
    pub baseline: Option<&'a Baseline>,
    /// The complete looks so far.
    pub looks: &'a Looks,
}

/// Why a finding is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Left {
    /// It is of another kind: what is missing or overdue is not swept.
    OtherKind,
    /// It is no account assignment of a person.
    NotAnAssignment,
    /// Two admins adopted or ignored it.
    Agreed,
    /// An admin proposed something about it, and nobody has answered.
    Proposed,
    /// Two admins agreed that it is taken away, which is done by itself.
    Revoking,
    /// `BELAY_SWEEP_ALLOW` names it.
    Allowed,
    /// Its account is protected.
    Protected,
    /// A delegated administrator cannot change it, or it is not known whether it can.
    BeyondReach,
    /// It stood before Belay.
    Standing,
    /// Somebody was promised it.
    Promised,
    /// Something of ours on it is under way or uncertain.
    UnderWay,
    /// We changed it a moment ago.
    Lately,
    /// It was there when the sweep began.
    Baseline,
    /// No look since it was found has shown it again.
    SeenOnce,
    /// It has not been known long enough.
    Young {
        /// From when it has.
        until: Timestamp,
    },
}

impl Left {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::OtherKind => "other-kind",
            Self::NotAnAssignment => "not-an-assignment",
            Self::Agreed => "agreed",
            Self::Proposed => "proposed",
            Self::Revoking => "revoking",
            Self::Allowed => "allowed",
            Self::Protected => "protected",
            Self::BeyondReach => "beyond-reach",
            Self::Standing => "standing",
            Self::Promised => "promised",
            Self::UnderWay => "under-way",
            Self::Lately => "lately",
            Self::Baseline => "baseline",
            Self::SeenOnce => "seen-once",
            Self::Young { .. } => "young",
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether this finding is one to remove now: since when it is known, or why it is left.
pub fn judge(
    one: &Candidate<'_>,
    setting: &Setting<'_>,
    now: Timestamp,
) -> Result<Timestamp, Left> {
    let finding = one.finding;
    may_be_swept(finding)?;
    if one.agreed == Agreed::Yes {
        return Err(Left::Agreed);
    }
    if finding.proposal.is_some() {
        return Err(Left::Proposed);
    }
    if finding.revocation.is_some() {
        return Err(Left::Revoking);
    }
    if setting.allowed.covers(&finding.key) {
        return Err(Left::Allowed);
    }
    within_reach(&finding.key.target, setting.protected, setting.beyond)?;
    one.ours.is_nothing()?;
    let in_baseline = |baseline: &Baseline| baseline.covers(&finding.key);
    if setting.baseline.is_some_and(in_baseline) {
        return Err(Left::Baseline);
    }
    let known = setting.looks.known_since(finding.opened_at);
    let known = known.ok_or(Left::SeenOnce)?;
    match known.checked_add(setting.grace) {
        Ok(until) if until <= now => Ok(known),
        Ok(until) => Err(Left::Young { until }),
        Err(_) => Err(Left::SeenOnce),
    }
}

/// Whether what two admins agreed to take away is taken away now: what the sweep looks at besides is
/// what they have looked at themselves, whether it was there before and how long it is known. That
/// Belay changed it lately says nothing either, once what came of that is known.
pub fn judge_revocation(
    finding: &Finding,
    ours: Ours,
    protected: &BTreeSet<AccountId>,
    beyond: Option<&Beyond>,
) -> Result<(), Left> {
    may_be_swept(finding)?;
    within_reach(&finding.key.target, protected, beyond)?;
    match ours {
        Ours::Lately => Ok(()),
        other => other.is_nothing(),
    }
}

/// Only a person's own account assignment is ever taken away that nobody promised.
const fn may_be_swept(finding: &Finding) -> Result<(), Left> {
    if !matches!(finding.difference, Difference::Unmanaged) {
        return Err(Left::OtherKind);
    }
    match finding.key.target {
        Target::Account { .. } => Ok(()),
        Target::Group { .. } => Err(Left::NotAnAssignment),
    }
}

/// Whether it is somewhere that Belay changes anything, and may.
fn within_reach(
    target: &Target,
    protected: &BTreeSet<AccountId>,
    beyond: Option<&Beyond>,
) -> Result<(), Left> {
    let Target::Account {
        account,
        permission_set,
    } = target
    else {
        return Err(Left::NotAnAssignment);
    };
    if protected.contains(account) {
        return Err(Left::Protected);
    }
    let is_beyond = beyond.is_none_or(|beyond| {
        beyond.account.as_ref() == Some(account) || beyond.permission_sets.contains(permission_set)
    });
    if is_beyond {
        return Err(Left::BeyondReach);
    }
    Ok(())
}

/// Why a pass removes nothing, whatever it found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
pub enum Halt {
    /// `BELAY_SWEEP` is not `enforce`.
    NotEnforcing,
    /// Two admins have not agreed on a baseline.
    NoBaseline,
    /// Nobody has looked at everything yet, or not twice.
    NoLook,
    /// The last look was not complete.
    Incomplete,
    /// More is to be found than is kept.
    Untold,
    /// The look showed nothing at all.
    Nothing,
    /// It showed far fewer than the look before.
    Fewer {
        /// What the look before showed.
        before: u32,
        /// What this one showed.
        seen: u32,
    },
}

impl Halt {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::NotEnforcing => "not-enforcing",
            Self::NoBaseline => "no-baseline",
            Self::NoLook => "no-look",
            Self::Incomplete => "incomplete",
            Self::Untold => "untold",
            Self::Nothing => "nothing-seen",
            Self::Fewer { .. } => "fewer-seen",
        }
    }
}

/// How the pass that the plan is for went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// It read every pair by itself.
    Complete,
    /// Something could not be read, or another server read a part of it.
    Incomplete,
}

/// An admin has seen a list that is longer than a pass removes by itself, and lets it go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Grows by one with each change.
    pub version: u64,
    /// Of the list.
    pub digest: String,
    /// How many it names.
    pub removals: u32,
    /// Who.
    pub by: Who,
    /// When.
    pub at: Timestamp,
    /// When a pass took it: it counts for one.
    pub used_at: Option<Timestamp>,
}

impl Confirmation {
    /// Whether it lets that list go in a pass that began then.
    #[must_use]
    pub fn counts(&self, digest: &str, began_at: Timestamp) -> bool {
        let is_in_time = began_at.duration_since(self.at) <= CONFIRMED_FOR;
        self.used_at.is_none() && self.digest == digest && is_in_time
    }

    /// What happened.
    #[must_use]
    pub fn confirmed(&self) -> (Kind, Details) {
        let mut details = Details {
            approver: Some(self.by.clone()),
            ..Details::default()
        };
        details.note("digest", &self.digest);
        details.note("removals", &self.removals.to_string());
        (Kind::SweepConfirmed, details)
    }
}

/// What a pass does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing, and why.
    Halted(Halt),
    /// It removes these, by itself.
    Within,
    /// There are more than it removes by itself: it waits for an admin.
    Waits,
    /// An admin confirmed this very list.
    Confirmed,
}

/// One finding that is to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The finding.
    pub finding: Finding,
    /// Since when two looks agree on it.
    pub known_since: Timestamp,
}

/// What one pass would do, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What it does about them.
    pub outcome: Outcome,
    /// What is ripe to be removed, by key.
    pub ripe: Vec<Removal>,
    /// Why each of the others is left.
    pub left: BTreeMap<FindingId, Left>,
    /// The most that it removes by itself.
    pub cap: usize,
    /// Of what is ripe: a confirmation names it.
    pub digest: String,
}

impl Plan {
    /// What is removed in this pass.
    #[must_use]
    pub fn removals(&self) -> &[Removal] {
        match self.outcome {
            Outcome::Halted(_) | Outcome::Waits => &[],
            Outcome::Within | Outcome::Confirmed => &self.ripe,
        }
    }
}

/// The most that a pass removes by itself, where people were seen to have so much.
#[must_use]
pub fn cap(seen: u32) -> usize {
    let seen = usize::try_from(seen).unwrap_or(usize::MAX);
    seen.saturating_mul(PERCENT_MAX)
        .div_ceil(100)
        .min(REMOVALS_MAX)
}

/// What the pass whose look is the last of all does about these findings.
#[must_use]
pub fn plan<'a>(
    candidates: impl IntoIterator<Item = Candidate<'a>>,
    setting: &Setting<'_>,
    pass: Pass,
    confirmation: Option<&Confirmation>,
    now: Timestamp,
) -> Plan {
    let mut ripe = Vec::new();
    let mut left = BTreeMap::new();
    for one in candidates {
        match judge(&one, setting, now) {
            Ok(known_since) => ripe.push(Removal {
                finding: one.finding.clone(),
                known_since,
            }),
            Err(why) => {
                left.insert(one.finding.id, why);
            }
        }
    }
    ripe.sort_by(|a, b| {
        let place = |one: &Removal| (one.finding.key.clone(), one.finding.id);
        place(a).cmp(&place(b))
    });
    let lines: Vec<String> = ripe
        .iter()
        .map(|one| format!("{} {}", one.finding.id, one.finding.key))
        .collect();
    let digest = digest_of(lines.iter().map(String::as_str));
    let last = setting.looks.last();
    let cap = last.map_or(0, |look| cap(look.seen));
    let outcome = match halt(setting, pass) {
        Some(halt) => Outcome::Halted(halt),
        None if ripe.len() <= cap => Outcome::Within,
        None => {
            let began_at = last.map_or(now, |look| look.began_at);
            let counts = confirmation.is_some_and(|one| one.counts(&digest, began_at));
            if counts {
                Outcome::Confirmed
            } else {
                Outcome::Waits
            }
        }
    };
    Plan {
        outcome,
        ripe,
        left,
        cap,
        digest,
    }
}

fn halt(setting: &Setting<'_>, pass: Pass) -> Option<Halt> {
    if setting.mode != Sweep::Enforce {
        return Some(Halt::NotEnforcing);
    }
    if setting.baseline.is_none() {
        return Some(Halt::NoBaseline);
    }
    if setting.looks.all().len() < 2 {
        return Some(Halt::NoLook);
    }
    if pass == Pass::Incomplete {
        return Some(Halt::Incomplete);
    }
    odd(setting.looks)
}

/// Why the last look is not to be relied on, complete as it was: nothing is taken away by it, and
/// nothing is gone by it.
#[must_use]
pub fn odd(looks: &Looks) -> Option<Halt> {
    let (before, last) = match looks.all() {
        [.., before, last] => (Some(before), last),
        [last] => (None, last),
        [] => return Some(Halt::NoLook),
    };
    if last.untold > 0 {
        return Some(Halt::Untold);
    }
    if last.seen == 0 {
        return Some(Halt::Nothing);
    }
    before.and_then(|before| shrank(before, last))
}

/// Fewer than half, or a tenth fewer where that is more than a pass may have taken: what is read
/// wrongly looks like this, and what is so is believed by the next look.
fn shrank(before: &Look, last: &Look) -> Option<Halt> {
    let fewer = before.seen.saturating_sub(last.seen);
    let is_half = u64::from(last.seen) * 2 < u64::from(before.seen);
    let is_tenth = fewer > FEWER_IS_PLAIN.max(before.seen.div_ceil(10));
    (is_half || is_tenth).then_some(Halt::Fewer {
        before: before.seen,
        seen: last.seen,
    })
}
