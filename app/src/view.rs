//! What pages show: plain values that cross from the server to the browser.
//!
//! Views carry permissions as facts (`can_approve`, `why_not`) and everything that is decided as a closed code with
//! its facts; the sentences are written here, in the interface. Deliberately absent: free text about errors, clock
//! and calendar types (times are epoch milliseconds, so that the browser's half needs no date library), and anything
//! that would let a page work out authority.

mod access;
mod code;
mod ends;
mod findings;
mod form;
mod glass;
mod history;
mod mine;
mod policy;
mod request;
mod target;

pub use access::{
    AccessFilter, AccessView, AccountView, AskFormView, FavouriteView, ForeseenView, GROUPS,
    GroupOfferView, NearestView, OfferView, PermissionSetView, PrefillView, PreviewView,
    RecentView, StarredOfferView, TicketView, UnitView,
};
pub use code::{
    ApprovalKind, AskState, EventKind, Evidence, GrantState, PageProblem, Part, PreviewOutcome,
    Reason, ReceiptKind, RequestState, ReviewKind, SignInAgain, Thing, Trouble, WhyNot, WireError,
};
pub use ends::EndsView;
pub use findings::{
    AgreementView, BaselineView, Course, FindingKind, FindingProblem, FindingView, FindingsFilter,
    FindingsPage, LeftView, ProposalView, ProposedBaselineView, RevokingView, RipeView, SweepMode,
    SweepOutcome, SweepView,
};
pub use form::{Field, FieldProblem, FormState, NotProven, Problem, Stay};
pub use glass::{BreakGlassStands, BreakGlassView, ClosureView, GlassState, GlassView};
pub use history::{
    Certainty, HeldFilter, HeldPage, HeldRow, HistoryFilter, HistoryPage, HistoryRow, NarrowerView,
};
pub use mine::{CliView, CurrentView, GrantCard, MyAccessView, PastCard, PendingCard};
pub use policy::{
    Answer, DraftPage, ExplainField, ExplainFilter, ExplainPage, ExplainView, PolicyChange,
    PolicyFilter, PolicyLine, PolicyPage, PolicyPart, PolicyProblem, VersionRow, VersionView,
    VersionsPage,
};
pub use request::{
    APPROVALS_MAX, ActionsView, ActorView, ApprovalView, AskView, BesideView, DeniedView,
    EventView, EvidenceView, GrantView, HasView, LastTimeView, PastView, ReceiptView, RequestView,
    ReviewView, ReviewableView, RouteView,
};
pub use target::{GivesView, HeldView, TargetView};

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type EpochMs = i64;

/// The signed-in person, as every page's header shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Me {
    /// Display name.
    pub name: String,
    /// Primary e-mail; may be empty.
    pub email: String,
    /// Auditors and admins see History, Findings and Policy.
    pub can_see_history: bool,
    /// Admins see everything and may end anything; never approve by being admin.
    pub is_admin: bool,
    /// Open asks that wait for this person's review.
    pub waiting_count: u32,
}

/// A person as pages name them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonView {
    /// Identity Store `UserId`.
    pub id: String,
    /// Display name.
    pub name: String,
    /// Primary e-mail; may be empty.
    pub email: String,
}
