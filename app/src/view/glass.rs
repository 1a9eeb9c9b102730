//! Break-glass: going in first, having it signed afterwards, and what follows if it is rejected.

use serde::{Deserialize, Serialize};

use super::{EpochMs, ReviewView, SignInAgain};

/// What the form says of going in first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BreakGlassView {
    /// The longest window by it, in seconds.
    pub up_to_seconds: u32,
    /// Nothing else leads there.
    pub is_only_way: bool,
    /// What has to be typed to confirm it.
    pub confirmation: String,
    /// Whether the person may, at this instant.
    pub stands: BreakGlassStands,
    /// Whether they have to sign in again for it.
    pub sign_in_again: SignInAgain,
}

/// Whether a person may go in first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BreakGlassStands {
    /// They may.
    Open,
    /// An earlier one of theirs has to be signed first.
    Unsigned {
        /// Which.
        request_id: String,
    },
    /// An approver rejected one of theirs: an admin has to open it again.
    Closed {
        /// Which.
        request_id: String,
    },
}

/// An ask that was granted as break-glass. It is shown for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassView {
    /// How it stands.
    pub state: GlassState,
    /// Signatures that are missing, as policy counts at this instant.
    pub missing: u32,
    /// Until when it is its approvers' alone to sign.
    pub sign_by: EpochMs,
    /// What signers said, oldest first.
    pub signatures: Vec<ReviewView>,
    /// Who could sign it: display names, at most 20.
    pub signers: Vec<String>,
    /// How many there are in all.
    pub signers_total: u32,
}

/// How a break-glass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GlassState {
    /// Signatures are missing.
    Unsigned,
    /// They still are, after the time for that.
    Overdue,
    /// Enough people signed it.
    Signed,
    /// Somebody who could have signed rejected it.
    Rejected,
}

/// Break-glass is closed for the requester.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosureView {
    /// Who rejected one of theirs.
    pub by: String,
    /// When.
    pub at: EpochMs,
    /// Which.
    pub request_id: String,
    /// The person looking may open it again.
    pub can_reopen: bool,
}
