//! What was asked, decided and done, for auditors and admins.

use serde::{Deserialize, Serialize};

use super::{EpochMs, FieldProblem, PersonView, ReceiptKind, RequestState, TargetView};

/// A search, as typed: the server parses it and answers with its problems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HistoryFilter {
    /// First day, `YYYY-MM-DD`, UTC; empty for no limit.
    pub from: String,
    /// Last day, `YYYY-MM-DD`, UTC; empty for no limit.
    pub to: String,
    /// Part of a requester's name or e-mail; empty for everyone.
    pub person: String,
    /// Part of an account's name or id; empty for all.
    pub account: String,
    /// Part of a permission set's name; empty for all.
    pub permission_set: String,
    /// A [`RequestState`] in kebab-case; empty for all.
    pub state: String,
    /// Part of the reason; empty for all.
    pub text: String,
    /// Where the page before ended; empty for the first.
    pub cursor: String,
}

/// One page of history, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// At most 50.
    pub rows: Vec<HistoryRow>,
    /// Where the next page begins; absent at the end.
    pub next: Option<String>,
    /// The search stopped here, before the end: more may be found by going on.
    pub searched_back_to: Option<EpochMs>,
    /// What is wrong with the search.
    pub problems: Vec<FieldProblem>,
}

/// A request in history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Which.
    pub request_id: String,
    /// When it was submitted.
    pub submitted_at: EpochMs,
    /// Who asked.
    pub requester: PersonView,
    /// What.
    pub targets: Vec<TargetView>,
    /// What it is now.
    pub state: RequestState,
    /// Why.
    pub reason: String,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// Who reviewed it: display names.
    pub reviewers: Vec<String>,
    /// Start of the grant, if there was one.
    pub from: Option<EpochMs>,
    /// When it was over, if it is.
    pub ended_at: Option<EpochMs>,
    /// How its grant ended.
    pub receipt: Option<ReceiptKind>,
    /// It was granted as break-glass.
    pub is_break_glass: bool,
}
