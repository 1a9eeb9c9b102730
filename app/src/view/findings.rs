//! Where grants and assignments differ, for auditors and admins, and what admins agreed about it.

use serde::{Deserialize, Serialize};

use super::{EpochMs, PersonView, TargetView};

/// What is looked for, as it stands in the address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FindingsFilter {
    /// A [`FindingKind`] in kebab-case; empty for all.
    pub kind: String,
    /// Where the page of findings before ended; empty for the first.
    pub cursor: String,
    /// Where the page of agreements before ended; empty for the first.
    pub agreed_cursor: String,
}

/// One page of each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingsPage {
    /// Open findings by kind, at most 20.
    pub open: Vec<FindingView>,
    /// Where the next page of them begins; absent at the end.
    pub next: Option<String>,
    /// What two admins agreed about, at most 20.
    pub agreed: Vec<AgreementView>,
    /// Where the next page of them begins; absent at the end.
    pub agreed_next: Option<String>,
    /// The longest note, in characters.
    pub note_max_chars: u32,
    /// What the sweep would do.
    pub sweep: SweepView,
}

/// What is done about what nobody promised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepMode {
    /// It is not looked for.
    #[default]
    Off,
    /// It is found, and left alone.
    Warn,
    /// It is found, and taken away.
    Enforce,
}

/// The sweep: how it stands, what it would do, and what the person looking may do about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepView {
    /// What is done about what nobody promised.
    pub mode: SweepMode,
    /// How long it is known before it is taken away.
    pub grace_seconds: u32,
    /// When everything was last looked at, and how many assignments of people that showed.
    pub looked: Option<(EpochMs, u32)>,
    /// What two admins agreed to leave alone.
    pub baseline: Option<BaselineView>,
    /// What is proposed for that.
    pub proposed: Option<ProposedBaselineView>,
    /// The list that the person looking may propose: its digest, and how many it has.
    pub may_propose: Option<(String, u32)>,
    /// What the next pass does about what is ripe.
    pub outcome: SweepOutcome,
    /// What is ripe to be taken away: on a page, the first of it.
    pub ripe: Vec<RipeView>,
    /// How much is.
    pub ripe_count: u32,
    /// The most that a pass takes away by itself.
    pub cap: u32,
    /// Of what is ripe; forms give it back.
    pub digest: String,
    /// Whether the person looking may let it go.
    pub can_confirm: bool,
}

/// What the next pass does about what is ripe.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SweepOutcome {
    /// Nothing, for this reason: one of the domain's codes.
    Halted(String),
    /// It takes it away.
    #[default]
    Within,
    /// It waits for an admin.
    Waits,
    /// It takes it away: an admin let it go.
    Confirmed,
}

/// What two admins agreed to leave alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BaselineView {
    /// How many are (still) in it.
    pub count: u32,
    /// Who proposed it.
    pub proposed_by: String,
    /// Who agreed.
    pub agreed_by: String,
    /// When.
    pub agreed_at: EpochMs,
}

/// What an admin proposes to leave alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedBaselineView {
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: EpochMs,
    /// When it lapses.
    pub lapses_at: EpochMs,
    /// Of the list; forms give it back.
    pub digest: String,
    /// The list, one line each: on a page, the first of it.
    pub lines: Vec<String>,
    /// How many it has.
    pub count: u32,
    /// Whether the person looking may agree.
    pub can_agree: bool,
    /// Whether they may take it back, or say no.
    pub can_drop: bool,
}

/// Something that is ripe to be taken away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RipeView {
    /// The finding's id.
    pub finding: String,
    /// Whose.
    pub person: PersonView,
    /// What.
    pub target: TargetView,
    /// Since when it is known.
    pub known_since: EpochMs,
}

/// Why the sweep leaves a finding alone: one of the domain's codes; and, of one that is young, until
/// when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftView {
    /// The code.
    pub why: String,
    /// Until when, where that is known.
    pub until: Option<EpochMs>,
}

/// How grants and assignments differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingKind {
    /// Promised, and not there.
    Missing,
    /// Over, and not proven gone.
    Overdue,
    /// There, and nobody's.
    Unmanaged,
    /// Promised, and today's policy would refuse it.
    NoLongerAllowed,
}

/// What may be done about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Course {
    /// The access is right, and known.
    Adopt,
    /// It is not, and is left for now.
    Ignore,
    /// It is not, and is taken away.
    Revoke,
}

/// An open finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingView {
    /// Ours.
    pub id: String,
    /// Its name in the table, which forms give back.
    pub name: String,
    /// How grants and assignments differ.
    pub kind: FindingKind,
    /// Whose access it is about.
    pub person: PersonView,
    /// What it is about.
    pub target: TargetView,
    /// When it was found.
    pub found_at: EpochMs,
    /// The complete read that showed it: when it ended, and how many pages it had.
    pub read: Option<(EpochMs, u32)>,
    /// The policy's code, for what it would refuse; may be empty.
    pub why: String,
    /// The grants that it is about.
    pub grants: Vec<String>,
    /// What the person looking may propose; empty if nothing.
    pub courses: Vec<Course>,
    /// Whether it is about the person looking, so that others have to decide.
    pub is_own: bool,
    /// Whether the sweep would take it away.
    pub is_ripe: bool,
    /// Why the sweep leaves it alone; absent where it does not, or sweeps nothing.
    pub left: Option<LeftView>,
    /// What is proposed, if something is.
    pub proposal: Option<ProposalView>,
    /// Whether the person looking may end the grants that it is about.
    pub can_end: bool,
    /// That it is to be taken away, if two admins agreed so.
    pub revoking: Option<RevokingView>,
    /// When taking it away failed last, and as what: AWS's code, or Belay's.
    pub failed: Option<(EpochMs, String)>,
}

/// Two admins agreed that it is taken away, and the worker has not begun with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokingView {
    /// Who proposed it.
    pub proposed_by: String,
    /// Why.
    pub reason: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: EpochMs,
    /// When it is not done any more.
    pub lapses_at: EpochMs,
}

/// What an admin proposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalView {
    /// Which of the finding's proposals: forms give it back.
    pub number: u32,
    /// What to do.
    pub course: Course,
    /// Who proposed it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: EpochMs,
    /// Until when it would be kept.
    pub until: EpochMs,
    /// When it lapses.
    pub lapses_at: EpochMs,
    /// Whether the person looking may answer it: confirm or refuse.
    pub can_answer: bool,
    /// Whether the person looking may take it back.
    pub can_take_back: bool,
}

/// What two admins agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgreementView {
    /// The finding's.
    pub id: String,
    /// Its name in the table, which the form gives back.
    pub name: String,
    /// What was done.
    pub course: Course,
    /// How grants and assignments differ.
    pub kind: FindingKind,
    /// Whose access it is about.
    pub person: PersonView,
    /// What it is about.
    pub target: TargetView,
    /// Who proposed it.
    pub proposed_by: String,
    /// Why.
    pub reason: String,
    /// Who confirmed it.
    pub confirmed_by: String,
    /// When.
    pub confirmed_at: EpochMs,
    /// Until when it holds.
    pub until: EpochMs,
    /// Whether the person looking may give it up.
    pub can_give_up: bool,
}

/// Why a finding does not change so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FindingProblem {
    /// It is no more, or is not so any more.
    Gone,
    /// That is not done about findings of this kind.
    NotForThis,
    /// Two admins agreed that it is taken away.
    Revoking,
    /// It is never taken away.
    NotRevocable {
        /// The sweep's code for why it leaves it.
        why: String,
    },
    /// Somebody has proposed something already.
    Proposed {
        /// Who.
        by: String,
    },
    /// What they have read is not proposed any more.
    NotProposed,
    /// What they have read has lapsed.
    Lapsed,
    /// They proposed it themselves.
    Own,
    /// Somebody else proposed it.
    NotTheirs,
    /// They have that access themselves.
    Holder,
    /// Whoever proposed it may not decide about it any more.
    ProposerUnfit,
    /// Nothing is looked for, or not everything has been looked at.
    NotLookedThrough,
    /// It is not the list that they have read.
    ListChanged,
}
