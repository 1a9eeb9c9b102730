//! What was asked, decided and done, for auditors and admins.

use serde::{Deserialize, Serialize};

use super::{EpochMs, Field, FieldProblem, PersonView, ReceiptKind, RequestState, TargetView};

/// A search, as typed: the server parses it and answers with its problems.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HistoryFilter {
    /// First day, `YYYY-MM-DD`; empty for no limit.
    pub from: String,
    /// Last day, `YYYY-MM-DD`; empty for no limit.
    pub to: String,
    /// The zone whose days those are, by its IANA name; empty for UTC.
    pub zone: String,
    /// Part of a requester's name or e-mail, or their id; empty for everyone.
    pub person: String,
    /// Part of an account's name or id; empty for all.
    pub account: String,
    /// Part of a permission set's name or a group's, or the id of either; empty for all.
    pub permission_set: String,
    /// A [`RequestState`] in kebab-case; empty for all.
    pub state: String,
    /// Part of the reason or of the ticket; empty for all.
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
    /// How many requests it looked through.
    pub looked_through: u32,
    /// What the ids that were typed are called, as far as anybody knows.
    pub called: Vec<(Field, String)>,
    /// Ids of what is called as it was typed: a search by id is found at once.
    pub narrower: Vec<NarrowerView>,
    /// What is wrong with the search.
    pub problems: Vec<FieldProblem>,
}

/// Somebody, or something, that a search may mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NarrowerView {
    /// What it would stand in for.
    pub field: Field,
    /// Its id.
    pub id: String,
    /// What it is called.
    pub name: String,
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
    /// Why: the beginning of it.
    pub reason: String,
    /// The ticket that it is for; empty if none.
    pub ticket: String,
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

/// Who held what, as typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeldFilter {
    /// As in [`HistoryFilter`].
    pub person: String,
    /// As in [`HistoryFilter`].
    pub account: String,
    /// As in [`HistoryFilter`].
    pub permission_set: String,
    /// The moment, or the first of a time between: `YYYY-MM-DDTHH:MM`; empty for now.
    pub from: String,
    /// The end of a time between; empty for the moment alone.
    pub to: String,
    /// The zone of both, by its IANA name; empty for UTC.
    pub zone: String,
    /// Where the page before ended; empty for the first.
    pub cursor: String,
}

/// Who held what: one page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldPage {
    /// The newest request first.
    pub rows: Vec<HeldRow>,
    /// What was asked about, if that was understood: a moment, or the first of a time between.
    pub from: Option<EpochMs>,
    /// The end of a time between.
    pub to: Option<EpochMs>,
    /// Where the next page begins; absent at the end.
    pub next: Option<String>,
    /// Requests that were submitted before this have not been looked through yet.
    pub searched_back_to: Option<EpochMs>,
    /// How many requests were looked through.
    pub looked_through: u32,
    /// What the ids that were typed are called, as far as anybody knows.
    pub called: Vec<(Field, String)>,
    /// Ids of what is called as it was typed.
    pub narrower: Vec<NarrowerView>,
    /// Groups that are assigned something in that account, as far as is known today: whoever was
    /// their member is not among the rows.
    pub groups: Vec<NarrowerView>,
    /// What is wrong with what was typed.
    pub problems: Vec<FieldProblem>,
}

/// Access that somebody held.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRow {
    /// The request that led to it.
    pub request_id: String,
    /// Who.
    pub person: PersonView,
    /// What.
    pub target: TargetView,
    /// How sure that is.
    pub certainty: Certainty,
    /// From when it may have been there.
    pub begun: Option<EpochMs>,
    /// From when it was there.
    pub active: Option<EpochMs>,
    /// When its time was up.
    pub until: EpochMs,
    /// When it was over, if it is.
    pub ended_at: Option<EpochMs>,
    /// How it ended.
    pub receipt: Option<ReceiptKind>,
    /// It was granted as break-glass.
    pub is_break_glass: bool,
}

/// How sure it is that somebody held something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is on record.
    Held,
    /// It was being made, or taken away, or was never proven gone.
    MayHaveHeld,
}
