//! What each code says to people: one sentence each, in one place, so that every page says the same.
//!
//! A sentence names the thing and, where something went wrong, what to do next.

mod problem;

#[cfg(feature = "ssr")]
pub(crate) use problem::page_problem;
#[cfg(feature = "ssr")]
pub use problem::told;
pub(crate) use problem::{problem, wire_error};

use crate::{
    clock::{duration, utc},
    view::{
        ActorView, ApprovalKind, AskState, EventKind, Evidence, FindingKind, GivesView, GrantState,
        Reason, ReceiptKind, RequestState, RouteView, TargetView, Thing, Trouble, WhyNot,
    },
};

/// `1 approval`, `2 approvals`.
pub(crate) fn count(number: u32, thing: &str) -> String {
    let many = match thing {
        _ if number == 1 => "",
        _ if thing.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{number} {thing}{many}")
}

/// `7`, `1,204`, `1,000,000`.
pub(crate) fn number(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    String::from_utf8(groups.join(&b',')).unwrap_or(digits)
}

/// `A`, `A or B`, `A, B or C`.
pub(crate) fn any_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// `ReadOnlyAccess in Payments Production`, `Membership of Incident Response`.
pub(crate) fn target(target: &TargetView) -> String {
    match target {
        TargetView::Account {
            account_name,
            permission_set,
            ..
        } => format!("{permission_set} in {account_name}"),
        TargetView::Group { name, .. } => format!("Membership of {name}"),
    }
}

/// What a group gives, in one line: `ReadOnlyAccess in Orders Production and 2 more`.
pub(crate) fn gives(gives: &GivesView) -> String {
    const NAMED_AT_MOST: usize = 3;
    if gives.read_at.is_none() {
        return "What it gives is not known just now".to_owned();
    }
    let named: Vec<String> = gives
        .held
        .iter()
        .take(NAMED_AT_MOST)
        .map(|held| format!("{} in {}", held.permission_set, held.account_name))
        .collect();
    let more = (gives.total as usize).saturating_sub(named.len());
    match (named.is_empty(), more) {
        (true, _) => "Gives nothing as yet".to_owned(),
        (false, 0) => format!("Gives {}", all_of(&named)),
        (false, more) => format!("Gives {} and {more} more", named.join(", ")),
    }
}

/// `A`, `A and B`, `A, B and C`.
fn all_of(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Why a pass takes nothing away, by its code.
pub(crate) fn halted(code: &str) -> &'static str {
    match code {
        "not-enforcing" => "it only warns.",
        "no-baseline" => "there is no baseline.",
        "no-look" => "everything has to be looked at twice first.",
        "incomplete" => "the last look was not complete.",
        "untold" => "there is more to be found than is kept.",
        "nothing-seen" => "the last look showed nothing at all.",
        "fewer-seen" => "the last look showed far fewer than the one before.",
        _ => "something speaks against it.",
    }
}

/// Why the sweep leaves a finding alone, by its code.
pub(crate) fn left(code: &str) -> &'static str {
    match code {
        "proposed" => "left: somebody proposed what to do about it",
        "revoking" => "left: two admins agreed that it is taken away",
        "agreed" => "left: two admins agreed about it",
        "allowed" => "left: the deployment's allow-list names it",
        "protected" => "left: the account is protected",
        "beyond-reach" => "left: Belay cannot change it from where it is",
        "standing" => "left: it stood before Belay",
        "promised" => "left: somebody was promised it",
        "under-way" => "left: something of Belay's is under way on it",
        "lately" => "left: Belay changed it within the last quarter of an hour",
        "baseline" => "left: it is in the baseline",
        "seen-once" => "left: it has to be seen once more",
        "young" => "left: it has not been known for long enough, until",
        _ => "left",
    }
}

/// A kind of finding, as a heading.
pub(crate) const fn finding(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Missing => "Missing",
        FindingKind::Overdue => "Overdue",
        FindingKind::Unmanaged => "Unmanaged",
        FindingKind::NoLongerAllowed => "No longer allowed",
    }
}

/// What that means.
pub(crate) const fn finding_means(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::Missing => "A grant is active, and a complete read did not show its access.",
        FindingKind::Overdue => "Its time is up, and that it is gone is not proven yet.",
        FindingKind::Unmanaged => "They have it by themselves, and no grant wants it.",
        FindingKind::NoLongerAllowed => "A grant is live that today's policy would refuse.",
    }
}

/// The targets of a request in one line: `ReadOnlyAccess in Payments Production and 2 more`.
pub(crate) fn targets(targets: &[TargetView]) -> String {
    match targets {
        [] => "Nothing".to_owned(),
        [only] => target(only),
        [first, rest @ ..] => format!("{} and {} more", target(first), rest.len()),
    }
}

/// Who could approve on a route: `Emma Lindqvist, Mia Novak or 3 more`.
pub(crate) fn approvers(route: &RouteView) -> String {
    approver_names(&route.approvers, route.approvers_total)
}

/// As [`approvers`], of names and how many there are in all. More than five are counted, not listed.
pub(crate) fn approver_names(names: &[String], total: u32) -> String {
    const NAMED_AT_MOST: usize = 5;
    let shown = names
        .iter()
        .take(NAMED_AT_MOST)
        .cloned()
        .collect::<Vec<_>>();
    let hidden = (total as usize).saturating_sub(shown.len());
    if hidden == 0 {
        any_of(&shown)
    } else {
        format!("{} or {hidden} more", shown.join(", "))
    }
}

/// What would happen to a request, on the catalogue.
pub(crate) fn approval_kind(kind: ApprovalKind) -> String {
    match kind {
        ApprovalKind::Automatic => "Automatic".to_owned(),
        ApprovalKind::SelfApproved => "You approve".to_owned(),
        ApprovalKind::Needed { approvals } => count(approvals, "approval"),
        ApprovalKind::BreakGlass => "Break-glass only".to_owned(),
    }
}

/// A reason of a verdict as a sentence, for doors that draw no pages.
#[cfg(feature = "ssr")]
#[must_use]
pub fn told_reason(why: &Reason) -> String {
    reason(why)
}

/// A reason of a verdict.
pub(crate) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::Automatic { rule } => format!("Rule {rule} grants this at once, without approval."),
        Reason::SelfApproved { rule } => {
            format!("Rule {rule} counts the requester's own approval.")
        }
        Reason::NeedsApproval { rule, approvals } => {
            format!("Rule {rule} asks for {}.", count(*approvals, "approval"))
        }
        Reason::NoRule => "No rule of the policy covers this.".to_owned(),
        Reason::RequesterNotAllowed => {
            "The policy covers this, but none of its rules lets this person ask.".to_owned()
        }
        Reason::NotAvailable => "This is not available.".to_owned(),
        Reason::ProtectedAccount => "This account is protected: no rule can open it.".to_owned(),
        Reason::NoApprovers {
            rule,
            needed,
            found,
        } => format!(
            "Rule {rule} asks for {}, and {} could give one. An admin has to change the policy or its groups.",
            count(*needed, "approval"),
            match found {
                0 => "nobody".to_owned(),
                1 => "only one person".to_owned(),
                more => format!("only {more} people"),
            }
        ),
        Reason::TooLong { max_seconds } => {
            format!("At most {} may be asked for.", duration(*max_seconds))
        }
        Reason::TooShort { min_seconds } => {
            format!("At least {} must be asked for.", duration(*min_seconds))
        }
        Reason::ReasonTooShort { min_chars } => {
            format!(
                "The reason needs at least {}.",
                count(*min_chars, "character")
            )
        }
        Reason::Policy { sentence } => sentence.clone(),
        Reason::ReasonTooLong { max_chars } => {
            format!(
                "The reason may have at most {}.",
                count(*max_chars, "character")
            )
        }
    }
}

/// A request's state in a word or two.
pub(crate) const fn request_state(state: RequestState) -> &'static str {
    match state {
        RequestState::Pending => "Pending",
        RequestState::Scheduled => "Scheduled",
        RequestState::Granting => "Granting",
        RequestState::Active => "Active",
        RequestState::Revoking => "Ending",
        RequestState::Overdue => "Overdue",
        RequestState::Ended => "Ended",
        RequestState::Denied => "Denied",
        RequestState::Withdrawn => "Withdrawn",
        RequestState::Expired => "Expired",
        RequestState::Mixed => "Mixed",
    }
}

/// All states of a request with the codes that a search names them by.
pub(crate) const REQUEST_STATES: [(&str, RequestState); 11] = [
    ("pending", RequestState::Pending),
    ("scheduled", RequestState::Scheduled),
    ("granting", RequestState::Granting),
    ("active", RequestState::Active),
    ("revoking", RequestState::Revoking),
    ("overdue", RequestState::Overdue),
    ("ended", RequestState::Ended),
    ("denied", RequestState::Denied),
    ("withdrawn", RequestState::Withdrawn),
    ("expired", RequestState::Expired),
    ("mixed", RequestState::Mixed),
];

/// An ask's state as part of a sentence: `already denied`.
pub(crate) const fn ask_state(state: AskState) -> &'static str {
    match state {
        AskState::Pending => "pending",
        AskState::Approved => "approved",
        AskState::Denied => "denied",
        AskState::Withdrawn => "withdrawn",
        AskState::Expired => "expired",
    }
}

/// A grant's state as a request's, so that one set of pills serves both.
pub(crate) const fn grant_state(state: GrantState, is_overdue: bool) -> RequestState {
    match state {
        _ if is_overdue => RequestState::Overdue,
        GrantState::Scheduled => RequestState::Scheduled,
        GrantState::Granting => RequestState::Granting,
        GrantState::Active => RequestState::Active,
        GrantState::Revoking => RequestState::Revoking,
        GrantState::Ended => RequestState::Ended,
    }
}

/// Why the person looking cannot review.
pub(crate) const fn why_not(why: WhyNot) -> &'static str {
    match why {
        WhyNot::OwnRequest => "This is your own request, so somebody else has to approve it.",
        WhyNot::NotAnApprover => "You are not one of its approvers.",
        WhyNot::AlreadyReviewed => "You have reviewed this already.",
        WhyNot::AlreadyDecided => "This waits for nobody any more.",
        WhyNot::Reauthenticate => "Approving this needs you to have signed in just before.",
        WhyNot::CannotTell => {
            "Whether you may approve could not be looked up just now. Reload the page in a moment to try again."
        }
    }
}

/// How a grant ended, in a few words.
pub(crate) const fn receipt_short(kind: ReceiptKind) -> &'static str {
    match kind {
        ReceiptKind::Removed => "Removed",
        ReceiptKind::AbsentAlready => "Was gone already",
        ReceiptKind::HeldBy => "Held by another grant",
        ReceiptKind::Standing => "Standing access stays",
        ReceiptKind::TargetGone => "Target gone",
        ReceiptKind::NeverGranted => "Never granted",
    }
}

/// How a grant ended. Only the first two may say that access is gone.
pub(crate) const fn receipt(kind: ReceiptKind, thing: Thing) -> &'static str {
    match (kind, thing) {
        (ReceiptKind::Removed, Thing::Assignment) => {
            "Access is gone: AWS deleted the assignment, and an independent, complete read shows it absent."
        }
        (ReceiptKind::Removed, Thing::Membership) => {
            "Access is gone: AWS deleted the membership, and an independent, complete read shows it absent."
        }
        (ReceiptKind::AbsentAlready, Thing::Assignment) => {
            "Access is gone: the assignment was no longer there, as two complete reads half a minute apart agree."
        }
        (ReceiptKind::AbsentAlready, Thing::Membership) => {
            "Access is gone: the membership was no longer there, as two complete reads half a minute apart agree."
        }
        (ReceiptKind::HeldBy, _) => {
            "This grant is over. The access itself stays, because another grant still needs it."
        }
        (ReceiptKind::Standing, _) => {
            "This grant is over. The access itself stays, because it was there before Belay and is not Belay's to remove."
        }
        (ReceiptKind::TargetGone, Thing::Assignment) => {
            "The account, the permission set or the person no longer exists."
        }
        (ReceiptKind::TargetGone, Thing::Membership) => "The group or the person no longer exists.",
        (ReceiptKind::NeverGranted, _) => {
            "Nothing was created in AWS, so there was nothing to remove."
        }
    }
}

/// A line of evidence.
pub(crate) const fn evidence(what: Evidence, thing: Thing) -> &'static str {
    match (what, thing) {
        (Evidence::CreationAccepted, _) => "AWS accepted the creation",
        (Evidence::CreationSucceeded, _) => "AWS reported the creation as succeeded",
        (Evidence::CreationFailed, _) => "AWS reported the creation as failed",
        (Evidence::DeletionAccepted, _) => "AWS accepted the deletion",
        (Evidence::DeletionSucceeded, _) => "AWS reported the deletion as succeeded",
        (Evidence::ReadPresent, Thing::Assignment) => "A complete read shows the assignment",
        (Evidence::ReadPresent, Thing::Membership) => "A complete read shows the membership",
        (Evidence::ReadAbsent, Thing::Assignment) => "A complete read shows the assignment absent",
        (Evidence::ReadAbsent, Thing::Membership) => "A complete read shows the membership absent",
        (Evidence::TargetGone, _) => "The target was found to be gone",
        (Evidence::NothingAsked, _) => "Nothing was asked of AWS",
    }
}

/// What holds a grant up.
pub(crate) const fn trouble(trouble: Trouble) -> &'static str {
    match trouble {
        Trouble::Throttled => "AWS asks Belay to slow down. It goes on by itself.",
        Trouble::AccessDenied => {
            "AWS refuses Belay's own rights. An admin has to look; Belay keeps trying."
        }
        Trouble::Conflict => {
            "Another change of the same access is under way in AWS. It goes on by itself."
        }
        Trouble::Failed => "AWS reported a failure. Belay keeps trying.",
        Trouble::Unreachable => "AWS does not answer. Belay keeps trying.",
    }
}

/// What happened, and who did it if somebody did: what Belay and the policy do goes without saying.
pub(crate) fn event(kind: &EventKind, actor: &ActorView) -> String {
    let by_nobody = match kind {
        EventKind::Submitted => "Asked",
        EventKind::ReviewedApprove => "One more approval",
        EventKind::ReviewedDeny => "A reviewer denied it",
        EventKind::Approved => "Approved",
        EventKind::Retracted => "An approval was taken back",
        EventKind::Reopened => "Waiting for approval again: what had approved it no longer held",
        EventKind::Nudged => "Its approvers were reminded",
        EventKind::EndedEarly => "Ended early",
        EventKind::Denied => "Denied",
        EventKind::Withdrawn => "Withdrawn",
        EventKind::Expired => "Lapsed without an answer",
        EventKind::BrokeGlass => "Break-glass: granted at once, to be signed afterwards",
        EventKind::Signed => "Signed",
        EventKind::Rejected => "Rejected: it ends",
        EventKind::Unsigned => "Not signed in time: it goes to the admins",
        EventKind::Scheduled => "Start and end fixed",
        EventKind::Granting => "Creating it in AWS",
        EventKind::Active => "Active: AWS reports it created",
        EventKind::Revoking => "Removing it from AWS",
        EventKind::Attempted => "An attempt at AWS failed; it goes on",
        EventKind::Ended => "Ended, with a receipt",
        EventKind::Other(kind) => return kind.replace(['.', '-', '_'], " "),
    };
    let name = match (actor, kind) {
        (ActorView::Person(name), _) => name,
        (ActorView::Policy, EventKind::Approved) => {
            return "Approved by the policy: nobody had to be asked".to_owned();
        }
        _ => return by_nobody.to_owned(),
    };
    match kind {
        EventKind::Submitted => format!("{name} asked"),
        EventKind::ReviewedApprove | EventKind::Approved => format!("{name} approved"),
        EventKind::ReviewedDeny | EventKind::Denied => format!("{name} denied"),
        EventKind::Withdrawn => format!("{name} withdrew it"),
        EventKind::Retracted => format!("{name} took their approval back"),
        EventKind::BrokeGlass => format!("{name} went in by break-glass, to be signed afterwards"),
        EventKind::Signed => format!("{name} signed"),
        EventKind::Rejected => format!("{name} rejected the break-glass"),
        EventKind::Nudged => format!("{name} reminded its approvers"),
        EventKind::EndedEarly => format!("{name} ended it early"),
        EventKind::Revoking => format!("{name} ended it; removing it from AWS"),
        // It follows from somebody's approval, which stands on the line before.
        EventKind::Scheduled => by_nobody.to_owned(),
        _ => format!("{by_nobody} ({name})"),
    }
}

/// `by Emma Lindqvist at 22 Nov 2026, 14:02 UTC`, for sentences that must be whole.
pub(crate) fn by_whom_and_when(by: Option<&str>, at: i64) -> String {
    match by {
        Some(by) => format!("by {by} at {}", utc(at)),
        None => format!("at {}", utc(at)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::HeldView;

    fn names(all: &[&str]) -> Vec<String> {
        all.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn more_than_one_is_many() {
        assert_eq!(count(1, "match"), "1 match");
        assert_eq!(count(12, "match"), "12 matches");
        assert_eq!(count(0, "approval"), "0 approvals");
    }

    #[test]
    fn names_read_as_a_list() {
        assert_eq!(any_of(&names(&["A"])), "A");
        assert_eq!(any_of(&names(&["A", "B"])), "A or B");
        assert_eq!(any_of(&names(&["A", "B", "C"])), "A, B or C");
    }

    #[test]
    fn many_approvers_are_counted_rather_than_listed() {
        let many = names(&["A", "B", "C", "D", "E", "F", "G"]);
        assert_eq!(approver_names(&many, 40), "A, B, C, D, E or 35 more");
        assert_eq!(approver_names(&many[..2], 2), "A or B");
    }

    #[test]
    fn what_a_group_gives_is_one_line_however_much_it_is() {
        let mut some = GivesView {
            held: ["One", "Two", "Three", "Four"]
                .into_iter()
                .map(|account| HeldView {
                    account_id: String::new(),
                    account_name: account.to_owned(),
                    permission_set: "Read".to_owned(),
                })
                .collect(),
            total: 9,
            read_at: Some(0),
        };
        let line = "Gives Read in One, Read in Two, Read in Three and 6 more";
        assert_eq!(gives(&some), line);
        some.held.truncate(2);
        some.total = 2;
        assert_eq!(gives(&some), "Gives Read in One and Read in Two");
        some.held.clear();
        some.total = 0;
        assert_eq!(gives(&some), "Gives nothing as yet");
        // Not known is not nothing.
        assert!(gives(&GivesView::default()).contains("not known"));
    }

    #[test]
    fn a_timeline_names_people_and_not_machines() {
        let ana = ActorView::Person("Ana Silva".to_owned());
        assert_eq!(event(&EventKind::Submitted, &ana), "Ana Silva asked");
        assert_eq!(event(&EventKind::Approved, &ana), "Ana Silva approved");
        assert_eq!(
            event(&EventKind::Approved, &ActorView::Policy),
            "Approved by the policy: nobody had to be asked"
        );
        assert_eq!(event(&EventKind::Scheduled, &ana), "Start and end fixed");
        assert_eq!(
            event(&EventKind::Granting, &ActorView::Worker),
            "Creating it in AWS"
        );
        let unknown = EventKind::Other("grant.extended".to_owned());
        assert_eq!(event(&unknown, &ActorView::Worker), "grant extended");
    }

    #[test]
    fn every_state_is_searched_by_its_wire_code() {
        for (code, state) in REQUEST_STATES {
            let wire = serde_json::to_string(&state).unwrap_or_default();
            assert_eq!(wire, format!("\"{code}\""));
        }
    }

    #[test]
    fn only_a_proven_removal_says_that_access_is_gone() {
        use ReceiptKind as K;
        for kind in [
            K::Removed,
            K::AbsentAlready,
            K::HeldBy,
            K::Standing,
            K::TargetGone,
            K::NeverGranted,
        ] {
            let may = matches!(kind, K::Removed | K::AbsentAlready);
            for thing in [Thing::Assignment, Thing::Membership] {
                let says = receipt(kind, thing).contains("Access is gone");
                assert_eq!(says, may, "{kind:?} {thing:?}");
            }
        }
    }
}
