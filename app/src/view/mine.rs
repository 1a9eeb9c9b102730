//! What one person has, waits for and had.

use serde::{Deserialize, Serialize};

use super::{EpochMs, GrantState, ReceiptKind, RequestState, TargetView, Trouble};

/// What a person already has or waits for on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CurrentView {
    /// An open request.
    Pending {
        /// Which.
        request_id: String,
    },
    /// A live grant.
    Active {
        /// Which request it came from.
        request_id: String,
        /// Its end.
        until: EpochMs,
    },
    /// Access that was there before Belay.
    Standing,
}

/// My access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyAccessView {
    /// The server's clock when this was made: countdowns correct a wrong clock by it.
    pub now: EpochMs,
    /// Grants that are not over, soonest end first.
    pub active: Vec<GrantCard>,
    /// Open requests, newest first.
    pub pending: Vec<PendingCard>,
    /// What is over, newest first: at most 50.
    pub past: Vec<PastCard>,
    /// Where what was asked before that begins; absent: there is none.
    pub next: Option<String>,
}

/// What the AWS CLI has to know to use a grant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CliView {
    /// The address of the AWS access portal.
    pub start_url: String,
    /// The region of Identity Center.
    pub region: String,
}

/// A grant that is not over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantCard {
    /// Ours.
    pub id: String,
    /// The request it came from.
    pub request_id: String,
    /// Which of the request's asks.
    pub ask: u32,
    /// What.
    pub target: TargetView,
    /// How far it is.
    pub state: GrantState,
    /// Past its end and not yet proven gone.
    pub is_overdue: bool,
    /// Start of the window.
    pub from: EpochMs,
    /// End of the window.
    pub until: EpochMs,
    /// Opens the AWS console with it; only while active.
    pub console_url: Option<String>,
    /// How to use it with the AWS CLI; only while active, and not of a group.
    pub cli: Option<CliView>,
    /// Whether nobody was asked before.
    pub is_break_glass: bool,
    /// Sessions opened until the end may last until then.
    pub sessions_may_last_until: EpochMs,
    /// What holds it up, if anything does.
    pub trouble: Option<Trouble>,
}

/// An open request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingCard {
    /// Which.
    pub request_id: String,
    /// What is asked.
    pub targets: Vec<TargetView>,
    /// Why.
    pub reason: String,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// When it is to begin; absent if at once.
    pub start: Option<EpochMs>,
    /// When it was submitted.
    pub submitted_at: EpochMs,
    /// When it lapses if nobody answers.
    pub expires_at: EpochMs,
    /// Approvals that count so far, on the route that is nearest to completion.
    pub approvals_given: u32,
    /// Approvals that this route wants.
    pub approvals_needed: u32,
    /// Who could approve: display names, at most 20.
    pub approvers: Vec<String>,
}

/// A request that is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastCard {
    /// Which.
    pub request_id: String,
    /// What was asked.
    pub targets: Vec<TargetView>,
    /// What it became.
    pub state: RequestState,
    /// When it was over.
    pub at: EpochMs,
    /// For how long it was asked, in seconds.
    pub duration_seconds: u32,
    /// How its grant ended, if there was one.
    pub receipt: Option<ReceiptKind>,
    /// Whether nobody was asked before.
    pub is_break_glass: bool,
    /// Sessions may still be open until then, if there was a grant.
    pub sessions_may_last_until: Option<EpochMs>,
}
