//! The catalogue and the form: what may I ask for, and who would approve it?

use serde::{Deserialize, Serialize};

use super::{
    ApprovalKind, BreakGlassView, CurrentView, EpochMs, FieldProblem, GivesView, PreviewOutcome,
    Reason, RouteView, SignInAgain, TargetView,
};

/// What of it somebody wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccessFilter {
    /// What they look for; empty for everything.
    pub q: String,
    /// Only in this account, by its id, or only [`GROUPS`]; empty for everywhere.
    pub within: String,
    /// Which page, from 1; 0 is the first, too.
    pub page: u32,
}

/// Stands for an account where only groups are wanted.
pub const GROUPS: &str = "groups";

/// A page of what this person may ask for, and of nothing else: never more than some 100 offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessView {
    /// What this is the answer to.
    pub filter: AccessFilter,
    /// What they asked for lately and may ask for again, newest first; only on the first page of everything.
    pub recent: Vec<RecentView>,
    /// What they starred, in that order; on every page, so that rows know whether they have a star.
    pub favourites: Vec<FavouriteView>,
    /// Organizational units, and groups as one of them, in the order to show them.
    pub units: Vec<UnitView>,
    /// Each permission set that some offer here names, once: accounts refer to it by name.
    pub permission_sets: Vec<PermissionSetView>,
    /// Offers that were found, on all pages together.
    pub total: u32,
    /// How many pages there are: at least one.
    pub pages: u32,
    /// Nothing was left out or cut short, so that a browser can search in this as the server would.
    pub is_whole: bool,
    /// When the directory snapshot behind this page was taken.
    pub directory_at: EpochMs,
    /// The snapshot is older than it should be: what is shown may be out of date.
    pub directory_is_stale: bool,
}

/// What somebody asked for lately.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentView {
    /// The request whose words a new one begins with.
    pub request_id: String,
    /// What was asked for, all of which they may ask for today.
    pub targets: Vec<TargetView>,
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// When.
    pub submitted_at: EpochMs,
    /// What would happen to a request for the first of it.
    pub approval: ApprovalKind,
    /// What this person already has or waits for on the first of it.
    pub current: Option<CurrentView>,
}

/// What somebody starred.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FavouriteView {
    /// As forms name it.
    pub offer: String,
    /// The permission set's or the group's name.
    pub name: String,
    /// The account's name; empty for a group.
    pub place: String,
    /// What it comes to; `None` if it is not offered to them any more, for whatever reason.
    pub offered: Option<StarredOfferView>,
}

/// What something starred comes to today.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StarredOfferView {
    /// The longest window over all of this person's routes, in seconds.
    pub max_duration_seconds: u32,
    /// What would happen to a request.
    pub approval: ApprovalKind,
    /// What this person already has or waits for here.
    pub current: Option<CurrentView>,
}

/// What stands under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum UnitView {
    /// Groups that may be asked for.
    Groups {
        /// By name, or the best found first.
        offers: Vec<GroupOfferView>,
        /// How many more there are than a list shows.
        more: u32,
    },
    /// Accounts that sit in the same organizational unit.
    Accounts {
        /// Organizational units from the root, joined by ` / `: `Root / Production / Payments`.
        path: String,
        /// By name, or the best found first.
        accounts: Vec<AccountView>,
    },
}

impl UnitView {
    /// How many offers are listed.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Groups { offers, .. } => offers.len(),
            Self::Accounts { accounts, .. } => {
                accounts.iter().map(|account| account.offers.len()).sum()
            }
        }
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A group that this person may ask to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupOfferView {
    /// The Identity Store's `GroupId`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is assigned.
    pub gives: GivesView,
    /// The longest window over all of this person's routes, in seconds.
    pub max_duration_seconds: u32,
    /// What would happen to a request.
    pub approval: ApprovalKind,
    /// What this person already has or waits for here.
    pub current: Option<CurrentView>,
}

/// An account and what this person may ask for in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Twelve digits.
    pub id: String,
    /// The account's name.
    pub name: String,
    /// Tags as `key=value`; found by search.
    pub tags: Vec<String>,
    /// Permission sets on offer here, by name, or the best found first.
    pub offers: Vec<OfferView>,
    /// How many more there are than a list shows.
    pub more: u32,
}

/// One permission set that this person may ask for in one account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// Name; described in [`AccessView::permission_sets`].
    pub permission_set: String,
    /// The longest window over all of this person's routes, in seconds.
    pub max_duration_seconds: u32,
    /// What would happen to a request.
    pub approval: ApprovalKind,
    /// What this person already has or waits for here.
    pub current: Option<CurrentView>,
}

/// A permission set as people read about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionSetView {
    /// Name.
    pub name: String,
    /// Identity Center's description; may be empty.
    pub description: String,
    /// How long an AWS session opened with it may last, in seconds.
    pub session_seconds: u32,
}

/// The form for one target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskFormView {
    /// What it is for.
    pub target: TargetView,
    /// The permission set's description; empty for a group.
    pub description: String,
    /// How long an AWS session opened with it may last, in seconds; of what a group gives, the longest.
    pub session_seconds: u32,
    /// Durations that policy offers, in seconds, ascending. Empty means: any between the two limits.
    pub durations_seconds: Vec<u32>,
    /// Which one is chosen to begin with, in seconds.
    pub default_duration_seconds: u32,
    /// Shortest window, in seconds.
    pub min_duration_seconds: u32,
    /// Longest window over all of this person's routes, in seconds.
    pub max_duration_seconds: u32,
    /// Shortest reason, in characters.
    pub reason_min_chars: u32,
    /// Longest reason, in characters.
    pub reason_max_chars: u32,
    /// What would become of this, as it is chosen now.
    pub preview: PreviewView,
    /// What would become of what is chosen besides.
    pub also: Vec<ForeseenView>,
    /// Something near it would be allowed: the form is worth filling in.
    pub can_ask: bool,
    /// What policy says of tickets here, if it says anything.
    pub ticket: Option<TicketView>,
    /// What else they may ask for in the same request: some of it, what is nearest first.
    pub others: Vec<TargetView>,
    /// What was typed in the request that they ask for again.
    pub prefill: Option<PrefillView>,
    /// What this person already has or waits for on this target.
    pub current: Option<CurrentView>,
    /// Whether they have to sign in again to get it.
    pub sign_in_again: SignInAgain,
    /// Going in first, if policy knows such a way here.
    pub break_glass: Option<BreakGlassView>,
}

/// What policy says of tickets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// There has to be one.
    pub required: bool,
    /// What one looks like, as a regular expression; may be empty.
    pub pattern: String,
}

/// What was typed in an earlier request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrefillView {
    /// For how long, in seconds.
    pub duration_seconds: u32,
    /// Why.
    pub reason: String,
    /// The ticket; may be empty.
    pub ticket: String,
    /// What was asked for besides, as forms name it.
    pub also: Vec<String>,
}

/// What would become of one more target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeseenView {
    /// What it is for.
    pub target: TargetView,
    /// What would become of it.
    pub preview: PreviewView,
}

/// The verdict as it would be now; it is decided again when the form is submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewView {
    /// What would happen.
    pub outcome: PreviewOutcome,
    /// Why, most important first.
    pub reasons: Vec<Reason>,
    /// The routes that are open, each with its approvers.
    pub routes: Vec<RouteView>,
    /// What is wrong with what is chosen, before policy is asked.
    pub problems: Vec<FieldProblem>,
    /// What would be allowed instead, if anything near is.
    pub nearest: Option<NearestView>,
}

/// What would be allowed instead of what is refused: everything else as it was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NearestView {
    /// This long instead, in seconds.
    pub duration_seconds: Option<u32>,
    /// Beginning then.
    pub start: Option<EpochMs>,
    /// With a reason of so many characters.
    pub reason_chars: Option<u32>,
    /// With a ticket.
    pub needs_ticket: bool,
    /// As break-glass.
    pub as_break_glass: bool,
    /// Not as break-glass.
    pub without_break_glass: bool,
}
