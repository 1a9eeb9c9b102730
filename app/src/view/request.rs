//! A request, whole, and the short form of it that waits for an approver.

use serde::{Deserialize, Serialize};

use super::{
    AskState, ClosureView, EpochMs, EventKind, Evidence, GlassView, GrantState, PersonView, Reason,
    ReceiptKind, RequestState, ReviewKind, SignInAgain, TargetView, Thing, Trouble, WhyNot,
};

/// A request with everything that this person may see of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// The server's clock when this was made: countdowns correct a wrong clock by it.
    pub now: EpochMs,
    /// Its id.
    pub id: String,
    /// Who asks.
    pub requester: PersonView,
    /// The person looking is the requester.
    pub is_mine: bool,
    /// Why, as typed.
    pub reason: String,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// When it was submitted.
    pub submitted_at: EpochMs,
    /// When it lapses if nobody answers.
    pub expires_at: EpochMs,
    /// From when, if not at once.
    pub start: Option<EpochMs>,
    /// The ticket that it is for; may be empty.
    pub ticket: String,
    /// Its asks do not wait for each other.
    pub is_separate: bool,
    /// Summary of the asks.
    pub state: RequestState,
    /// One to ten.
    pub asks: Vec<AskView>,
    /// What happened, oldest first.
    pub events: Vec<EventView>,
    /// What the person looking may do.
    pub actions: ActionsView,
}

/// What the person looking may do, as facts; judged again when they do it.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on each other"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionsView {
    /// May approve.
    pub can_approve: bool,
    /// May deny.
    pub can_deny: bool,
    /// May withdraw.
    pub can_withdraw: bool,
    /// May take back their approval of something that is still open.
    pub can_retract: bool,
    /// May remind its approvers.
    pub can_nudge: bool,
    /// May sign or reject what was granted as break-glass.
    pub can_sign: bool,
    /// What they may sign, where it is not simply all of it: empty if it is.
    pub signable: Vec<ReviewableView>,
    /// Break-glass is closed for the requester.
    pub closed: Option<ClosureView>,
    /// What they may review, where it is not simply all of it: empty if it is.
    pub reviewable: Vec<ReviewableView>,
    /// Shorter windows that they may agree to, in seconds.
    pub shorter_seconds: Vec<u32>,
    /// Why they may not review, where that is worth saying.
    pub why_not: Option<WhyNot>,
    /// Whether they have to sign in again to approve.
    pub sign_in_again: SignInAgain,
    /// Longest note, in characters.
    pub note_max_chars: u32,
}

/// An ask that the person looking may review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewableView {
    /// Its place in the request, from 0.
    pub index: u32,
    /// What.
    pub target: TargetView,
}

/// One target of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskView {
    /// Its place in the request, from 0.
    pub index: u32,
    /// What.
    pub target: TargetView,
    /// How far.
    pub state: AskState,
    /// Why the policy said what it said.
    pub reasons: Vec<Reason>,
    /// The routes, each whole.
    pub routes: Vec<RouteView>,
    /// Reviews, oldest first.
    pub reviews: Vec<ReviewView>,
    /// What was promised, once approved.
    pub grant: Option<GrantView>,
    /// It was granted as break-glass.
    pub glass: Option<GlassView>,
}

/// A rule that opens a way to the access.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteView {
    /// The rule's name.
    pub rule: String,
    /// Approvals that it wants.
    pub approvals_needed: u32,
    /// Approvals that count at this instant.
    pub approvals_given: u32,
    /// The longest window on this route, in seconds.
    pub max_duration_seconds: u32,
    /// Who could approve, other than the requester: display names, at most 20.
    pub approvers: Vec<String>,
    /// How many there are in all.
    pub approvers_total: u32,
    /// In how many seconds its approvers usually answer, where that is known and of use.
    pub usually_seconds: Option<u32>,
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewView {
    /// Who.
    pub by: PersonView,
    /// Yes or no.
    pub kind: ReviewKind,
    /// As typed; may be empty.
    pub note: String,
    /// The longest that they agreed to, in seconds, if that is less than was asked.
    pub seconds: Option<u32>,
    /// When.
    pub at: EpochMs,
    /// Counts at this instant: the reviewer is still an approver.
    pub counts: bool,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantView {
    /// Its id.
    pub id: String,
    /// How far.
    pub state: GrantState,
    /// Past its end and not yet proven gone.
    pub is_overdue: bool,
    /// Start of the window.
    pub from: EpochMs,
    /// End of the window.
    pub until: EpochMs,
    /// When AWS said that it is there.
    pub active_at: Option<EpochMs>,
    /// Opens the AWS console with it; only while active, only for the requester.
    pub console_url: Option<String>,
    /// Sessions opened until the end may last until then.
    pub sessions_may_last_until: EpochMs,
    /// What holds it up, if anything does.
    pub trouble: Option<Trouble>,
    /// The person looking may end it now.
    pub can_end: bool,
    /// Other grants that keep the same access, and would keep it after this one has ended.
    pub beside: Vec<BesideView>,
    /// How it ended.
    pub receipt: Option<ReceiptView>,
}

/// Another grant of the same access to the same person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BesideView {
    /// Its id.
    pub id: String,
    /// The request that it came from.
    pub request_id: String,
    /// Start of its window.
    pub from: EpochMs,
    /// End of its window.
    pub until: EpochMs,
}

/// The evidence of how a grant ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    /// Of what.
    pub thing: Thing,
    /// How.
    pub kind: ReceiptKind,
    /// When it was proven.
    pub at: EpochMs,
    /// Line by line, oldest first.
    pub evidence: Vec<EvidenceView>,
    /// Other grants that hold the access: request ids.
    pub held_by: Vec<String>,
}

/// A line of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceView {
    /// What.
    pub what: Evidence,
    /// When.
    pub at: EpochMs,
    /// AWS's request id, or the id of the membership; may be empty.
    pub aws_request_id: String,
}

/// Who did something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorView {
    /// A person, by display name.
    Person(String),
    /// Belay's policy: nobody had to decide.
    Policy,
    /// Belay's worker.
    Worker,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Its id.
    pub id: String,
    /// What.
    pub kind: EventKind,
    /// Who.
    pub actor: ActorView,
    /// When.
    pub at: EpochMs,
    /// The ask it is about, if it is about one; from 0.
    pub ask: Option<u32>,
    /// A note that somebody typed; may be empty.
    pub note: String,
}

/// The most that Approvals shows of what waits for review, and of what waits for a signature: with
/// long reasons it is still a page of 200 kB. What is newer comes up as these are answered.
pub const APPROVALS_MAX: usize = 20;

/// A request that waits for the person looking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalView {
    /// Which.
    pub request_id: String,
    /// Who asks.
    pub requester: PersonView,
    /// Their groups' names, as far as the policy knows them.
    pub requester_groups: Vec<String>,
    /// What is asked.
    pub targets: Vec<TargetView>,
    /// Why, as typed.
    pub reason: String,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// When it was submitted.
    pub submitted_at: EpochMs,
    /// When it lapses if nobody answers.
    pub expires_at: EpochMs,
    /// From when, if not at once.
    pub start: Option<EpochMs>,
    /// The ticket that it is for; may be empty.
    pub ticket: String,
    /// Where the ticket is to be found; empty if the policy does not say.
    pub ticket_url: String,
    /// Its targets do not wait for each other.
    pub is_separate: bool,
    /// What was before, target by target: only of those that this person may approve.
    pub past: Vec<PastView>,
    /// The routes on which this person may approve.
    pub routes: Vec<RouteView>,
    /// What is to be signed, if it was granted as break-glass and that is what it waits for.
    pub signing: Vec<GlassView>,
    /// What this person may do.
    pub actions: ActionsView,
}

/// What the requester has, and had, of one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastView {
    /// The target's place in the request, from 0.
    pub index: u32,
    /// What they have of it, or are about to have.
    pub has: Option<HasView>,
    /// How often they had it in the last 30 days.
    pub times: u32,
    /// That is all of it: all of those days was looked at.
    pub is_all: bool,
    /// The last of those times.
    pub last: Option<LastTimeView>,
    /// The last time that it was denied.
    pub denied: Option<DeniedView>,
}

/// Access that somebody has, or is about to have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HasView {
    /// When it begins, if it has not.
    pub from: Option<EpochMs>,
    /// Until when.
    pub until: EpochMs,
    /// What is asked for continues it without a gap.
    pub is_extended: bool,
}

/// Access that somebody had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTimeView {
    /// Until when.
    pub until: EpochMs,
    /// Who approved it; empty if nobody had to.
    pub approved_by: String,
}

/// Somebody's no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeniedView {
    /// Who.
    pub by: String,
    /// When.
    pub at: EpochMs,
    /// As typed; may be empty.
    pub note: String,
}
