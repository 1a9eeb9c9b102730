//! A request and what belongs to it, as programs read it. Times are RFC 3339 in UTC, durations whole
//! seconds.

use app::view as from;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::word::{
    self, AskState, Evidence, GlassState, GrantState, ReceiptKind, RequestState, ReviewKind,
    Trouble,
};

/// Milliseconds since 1970 as a time. Ours are all in the calendar.
pub(super) fn time(at: from::EpochMs) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or_default()
}

/// A text, or nothing where pages have an empty one.
pub(super) fn text(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Person {
    /// The Identity Store's `UserId`.
    pub(super) user_id: String,
    /// Display name, as it was when this was recorded.
    pub(super) name: String,
    /// Primary e-mail, if there is one.
    pub(super) email: Option<String>,
}

impl From<from::PersonView> for Person {
    fn from(view: from::PersonView) -> Self {
        Self {
            user_id: view.id,
            name: view.name,
            email: text(view.email),
        }
    }
}

/// What is asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(super) enum Target {
    /// A permission set in an account.
    Account {
        /// Twelve digits.
        #[schema(pattern = "^[0-9]{12}$")]
        account_id: String,
        /// The account's name; its id if the name is not known.
        account_name: String,
        /// Organizational units from the root, joined by ` / `; may be empty.
        ou_path: String,
        /// The permission set's name.
        permission_set: String,
    },
    /// Membership of a group.
    Group {
        /// The Identity Store's `GroupId`.
        group_id: String,
        /// Its name; its id if the name is not known.
        group_name: String,
    },
}

impl From<from::TargetView> for Target {
    fn from(view: from::TargetView) -> Self {
        match view {
            from::TargetView::Account {
                account_id,
                account_name,
                ou_path,
                permission_set,
            } => Self::Account {
                account_id,
                account_name,
                ou_path,
                permission_set,
            },
            from::TargetView::Group { id, name, .. } => Self::Group {
                group_id: id,
                group_name: name,
            },
        }
    }
}

/// A request with everything that this person may see of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Request)]
pub(super) struct RequestBody {
    /// Its id.
    #[schema(format = Uuid)]
    id: String,
    /// Who asks.
    requester: Person,
    /// Whether that is the caller.
    is_mine: bool,
    /// Why, as typed.
    reason: String,
    /// The ticket that it is for.
    ticket: Option<String>,
    /// For how long, in seconds.
    duration_seconds: u32,
    /// When it was submitted.
    submitted_at: Timestamp,
    /// When it lapses if nobody answers.
    expires_at: Timestamp,
    /// From when, if not at once.
    start: Option<Timestamp>,
    /// Whether its targets wait for each other.
    granting: Granting,
    /// Summary of the asks.
    state: RequestState,
    /// One a target: one to ten.
    #[schema(min_items = 1, max_items = 10)]
    asks: Vec<Ask>,
    /// What happened, oldest first; empty in lists. At most some hundreds.
    events: Vec<Event>,
    /// What the caller may do with it, by what is known now; judged again when they do it.
    may: May,
}

/// Whether a request's targets wait for each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Granting {
    /// None is granted until all are approved.
    #[default]
    Together,
    /// Each is granted when it is approved.
    Separately,
}

/// What the caller may do with a request.
#[expect(
    clippy::struct_excessive_bools,
    reason = "facts that do not depend on each other"
)]
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct May {
    /// Take it back.
    withdraw: bool,
    /// Remind its approvers.
    nudge: bool,
    /// Approve or deny something of it; by a session only.
    review: bool,
    /// Take back their approval of something that is open; by a session only.
    retract: bool,
    /// Sign or reject its break-glass; by a session only.
    sign: bool,
    /// Open break-glass again for its requester; by a session only.
    reopen: bool,
}

/// One target of a request.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Ask {
    /// Its place in the request, from 0.
    #[schema(maximum = 9)]
    index: u32,
    /// What.
    target: Target,
    /// How far.
    state: AskState,
    /// The ways to it that policy knows, each whole.
    routes: Vec<Route>,
    /// Reviews, oldest first.
    reviews: Vec<Review>,
    /// What was promised, once it is approved.
    grant: Option<Grant>,
    /// It was granted as break-glass.
    break_glass: Option<BreakGlass>,
}

/// A rule that opens a way to the access.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Route {
    /// The rule's name.
    rule: String,
    /// Approvals that it wants.
    approvals_needed: u32,
    /// Approvals that count now.
    approvals_given: u32,
    /// The longest window on this way, in seconds.
    max_duration_seconds: u32,
    /// Who could approve, other than the requester: display names.
    #[schema(max_items = 20)]
    approvers: Vec<String>,
    /// How many there are in all.
    approvers_total: u32,
    /// In how many seconds they usually answer, half of the latest answers taking no longer; in terms
    /// and previews, once there are three.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    usually_answered_in_seconds: Option<u32>,
}

/// A review, or a signature.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Review {
    /// Who.
    by: Person,
    /// Yes or no.
    kind: ReviewKind,
    /// What they wrote.
    note: Option<String>,
    /// The longest that they agreed to, in seconds, if that is less than was asked.
    duration_seconds: Option<u32>,
    /// When.
    at: Timestamp,
    /// Whether it counts now: the reviewer is still an approver.
    counts: bool,
}

/// A grant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Grant {
    /// Its id: what `POST /grants/{id}/end` takes.
    #[schema(format = Uuid)]
    pub(super) id: String,
    /// The request that it came from.
    #[schema(format = Uuid)]
    pub(super) request_id: String,
    /// Which of the request's asks.
    pub(super) ask: u32,
    /// What.
    pub(super) target: Target,
    /// How far.
    pub(super) state: GrantState,
    /// Past its end and not yet proven gone.
    pub(super) is_overdue: bool,
    /// Start of the window.
    pub(super) from: Timestamp,
    /// End of the window.
    pub(super) until: Timestamp,
    /// Sessions opened until the end may last until then.
    pub(super) sessions_may_last_until: Timestamp,
    /// Opens the AWS console with it; only while active, only for whom it is.
    pub(super) console_url: Option<String>,
    /// What holds it up, if anything is known to.
    pub(super) trouble: Option<Trouble>,
    /// How it ended.
    pub(super) receipt: Option<Receipt>,
}

/// The evidence of how a grant ended.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Receipt {
    /// How.
    kind: ReceiptKind,
    /// When it was proven.
    at: Timestamp,
    /// Line by line, oldest first.
    evidence: Vec<EvidenceLine>,
    /// Requests whose grants hold the same access.
    held_by: Vec<String>,
}

/// A line of evidence.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EvidenceLine {
    /// What.
    what: Evidence,
    /// When.
    at: Timestamp,
    /// AWS's request id, or the id of the membership.
    aws_request_id: Option<String>,
}

/// How an ask that was granted as break-glass stands.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BreakGlass {
    /// How it stands.
    state: GlassState,
    /// Signatures that are missing.
    missing: u32,
    /// Until when it is its approvers' alone to sign.
    sign_by: Timestamp,
    /// What signers said, oldest first.
    signatures: Vec<Review>,
    /// Who could sign it: display names.
    #[schema(max_items = 20)]
    signers: Vec<String>,
    /// How many there are in all.
    signers_total: u32,
}

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Event {
    /// Its id, as in the audit log.
    id: String,
    /// What: `submitted`, `approved`, `active`, `ended` ... A later version may know more.
    kind: String,
    /// Who: a person's name; absent if it was Belay.
    actor: Option<String>,
    /// When.
    at: Timestamp,
    /// The ask that it is about, from 0, if it is about one.
    ask: Option<u32>,
    /// What somebody wrote, or why Belay did it.
    note: Option<String>,
}

impl From<from::RequestView> for RequestBody {
    fn from(view: from::RequestView) -> Self {
        let from::ActionsView {
            can_approve,
            can_deny,
            can_withdraw,
            can_retract,
            can_nudge,
            can_sign,
            closed,
            ..
        } = view.actions;
        let id = view.id.clone();
        Self {
            id: view.id,
            requester: view.requester.into(),
            is_mine: view.is_mine,
            reason: view.reason,
            ticket: text(view.ticket),
            duration_seconds: view.duration_seconds,
            submitted_at: time(view.submitted_at),
            expires_at: time(view.expires_at),
            start: view.start.map(time),
            granting: if view.is_separate {
                Granting::Separately
            } else {
                Granting::Together
            },
            state: view.state.into(),
            asks: view.asks.into_iter().map(|ask| Ask::of(&id, ask)).collect(),
            events: view.events.into_iter().map(Event::from).collect(),
            may: May {
                withdraw: can_withdraw,
                nudge: can_nudge,
                review: can_approve || can_deny,
                retract: can_retract,
                sign: can_sign,
                reopen: closed.is_some_and(|closed| closed.can_reopen),
            },
        }
    }
}

impl Ask {
    fn of(request: &str, view: from::AskView) -> Self {
        let grant = view
            .grant
            .map(|grant| Grant::of(request, view.index, view.target.clone().into(), grant));
        Self {
            index: view.index,
            target: view.target.into(),
            state: view.state.into(),
            routes: view.routes.into_iter().map(Route::from).collect(),
            reviews: view.reviews.into_iter().map(Review::from).collect(),
            grant,
            break_glass: view.glass.map(BreakGlass::from),
        }
    }
}

impl Grant {
    fn of(request: &str, ask: u32, target: Target, view: from::GrantView) -> Self {
        Self {
            id: view.id,
            request_id: request.to_owned(),
            ask,
            target,
            state: view.state.into(),
            is_overdue: view.is_overdue,
            from: time(view.from),
            until: time(view.until),
            sessions_may_last_until: time(view.sessions_may_last_until),
            console_url: view.console_url,
            trouble: view.trouble.map(Trouble::from),
            receipt: view.receipt.map(Receipt::from),
        }
    }
}

impl From<from::ReceiptView> for Receipt {
    fn from(view: from::ReceiptView) -> Self {
        let line = |line: from::EvidenceView| EvidenceLine {
            what: line.what.into(),
            at: time(line.at),
            aws_request_id: text(line.aws_request_id),
        };
        Self {
            kind: view.kind.into(),
            at: time(view.at),
            evidence: view.evidence.into_iter().map(line).collect(),
            held_by: view.held_by,
        }
    }
}

impl From<from::RouteView> for Route {
    fn from(view: from::RouteView) -> Self {
        Self {
            rule: view.rule,
            approvals_needed: view.approvals_needed,
            approvals_given: view.approvals_given,
            max_duration_seconds: view.max_duration_seconds,
            approvers: view.approvers,
            approvers_total: view.approvers_total,
            usually_answered_in_seconds: view.usually_seconds,
        }
    }
}

impl From<from::ReviewView> for Review {
    fn from(view: from::ReviewView) -> Self {
        Self {
            by: view.by.into(),
            kind: view.kind.into(),
            note: text(view.note),
            duration_seconds: view.seconds,
            at: time(view.at),
            counts: view.counts,
        }
    }
}

impl From<from::GlassView> for BreakGlass {
    fn from(view: from::GlassView) -> Self {
        Self {
            state: view.state.into(),
            missing: view.missing,
            sign_by: time(view.sign_by),
            signatures: view.signatures.into_iter().map(Review::from).collect(),
            signers: view.signers,
            signers_total: view.signers_total,
        }
    }
}

impl From<from::EventView> for Event {
    fn from(view: from::EventView) -> Self {
        Self {
            id: view.id,
            kind: word::event(&view.kind),
            actor: match view.actor {
                from::ActorView::Person(name) => Some(name),
                from::ActorView::Policy | from::ActorView::Worker => None,
            },
            at: time(view.at),
            ask: view.ask,
            note: text(view.note),
        }
    }
}
