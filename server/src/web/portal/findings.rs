//! Findings: what stands in the address becomes a search, what was found becomes cards.

pub(super) mod sweep;

use app::view::{
    AgreementView, Course as CourseView, FindingKind, FindingView, FindingsFilter, FindingsPage,
    ProposalView, RevokingView,
};
use domain::adoption::{Agreement, Course, Proposal};
use domain::finding::Difference;
use domain::request::NOTE_MAX_CHARS;
use domain::sweep::plan::Left;

use crate::service::{AgreementsFound, Caller, FindingsFound, FindingsSearch, OpenFinding};
use crate::world::World;

use super::names::{self, ms};

/// The longest name that a finding has in the table; a longer text names none.
pub(in crate::web) const NAME_MAX_BYTES: usize = 300;

/// The search. What is not a kind, or no place, is none.
pub(super) fn search(filter: &FindingsFilter) -> FindingsSearch {
    let place = |text: &str| {
        if text.len() <= NAME_MAX_BYTES {
            text.to_owned()
        } else {
            String::new()
        }
    };
    let mut kinds = Difference::ALL.into_iter();
    FindingsSearch {
        kind: kinds.find(|kind| kind.word() == filter.kind),
        after: place(&filter.cursor),
        agreed_after: place(&filter.agreed_cursor),
    }
}

/// One page.
pub(super) fn view(world: &World, caller: &Caller, found: &FindingsFound) -> FindingsPage {
    FindingsPage {
        open: found
            .open
            .iter()
            .map(|one| open(world, caller, found, one))
            .collect(),
        next: found.next.clone(),
        agreed: found
            .agreed
            .iter()
            .map(|(name, one)| agreed(world, found.is_admin, name, one))
            .collect(),
        agreed_next: found.agreed_next.clone(),
        note_max_chars: u32::try_from(NOTE_MAX_CHARS).unwrap_or(u32::MAX),
        sweep: sweep::view(world, caller, found.is_admin, &found.sweep),
    }
}

/// What was agreed, as a list of its own.
pub(super) fn agreements(world: &World, found: &AgreementsFound) -> Vec<AgreementView> {
    let all = found.agreed.iter();
    all.map(|(name, one)| agreed(world, found.is_admin, name, one))
        .collect()
}

/// Open findings as a list of their own, each with why the sweep leaves it alone.
pub(super) fn list(
    world: &World,
    caller: &Caller,
    found: &FindingsFound,
) -> Vec<(FindingView, Option<Left>)> {
    let all = found.open.iter();
    all.map(|one| {
        let left = sweep::why_left(&found.sweep, &one.finding);
        (open(world, caller, found, one), left)
    })
    .collect()
}

const fn kind(difference: Difference) -> FindingKind {
    match difference {
        Difference::Missing => FindingKind::Missing,
        Difference::Overdue => FindingKind::Overdue,
        Difference::Unmanaged => FindingKind::Unmanaged,
        Difference::NoLongerAllowed => FindingKind::NoLongerAllowed,
    }
}

const fn course(course: Course) -> CourseView {
    match course {
        Course::Adopt => CourseView::Adopt,
        Course::Ignore => CourseView::Ignore,
        Course::Revoke => CourseView::Revoke,
    }
}

fn open(world: &World, caller: &Caller, found: &FindingsFound, one: &OpenFinding) -> FindingView {
    let finding = &one.finding;
    let courses = if found.is_admin && finding.revocation.is_none() {
        one.courses.iter().map(|one| course(*one)).collect()
    } else {
        Vec::new()
    };
    FindingView {
        id: finding.id.to_string(),
        name: one.name.clone(),
        kind: kind(finding.difference),
        person: names::person(&finding.who),
        target: names::target(world, &finding.key.target, &finding.names),
        found_at: ms(finding.opened_at),
        read: finding
            .read
            .as_ref()
            .map(|read| (ms(read.finished_at), read.pages)),
        why: finding.why.clone().unwrap_or_default(),
        grants: finding.grants.iter().map(ToString::to_string).collect(),
        courses,
        is_own: one.is_own,
        is_ripe: sweep::is_ripe(&found.sweep, finding),
        left: sweep::left(&found.sweep, finding),
        proposal: finding.proposal.as_deref().map(|proposal| {
            let is_mine = proposal.by.id == caller.who.id;
            self::proposal(proposal, found.is_admin, is_mine, one.is_own)
        }),
        can_end: one.can_end,
        revoking: finding.revocation.as_deref().map(|one| RevokingView {
            proposed_by: one.proposal.by.name.clone(),
            reason: one.proposal.reason.clone(),
            confirmed_by: one.confirmed_by.name.clone(),
            confirmed_at: ms(one.confirmed_at),
            lapses_at: ms(one.lapses_at()),
        }),
        failed: finding
            .failed
            .as_ref()
            .map(|failed| (ms(failed.at), failed.reason.clone())),
    }
}

fn proposal(one: &Proposal, is_admin: bool, is_mine: bool, is_own: bool) -> ProposalView {
    ProposalView {
        number: one.number,
        course: course(one.course),
        by: one.by.name.clone(),
        reason: one.reason.clone(),
        at: ms(one.at),
        until: ms(one.until),
        lapses_at: ms(one.lapses_at()),
        can_answer: is_admin && !is_mine && !is_own,
        can_take_back: is_admin && is_mine,
    }
}

fn agreed(world: &World, is_admin: bool, name: &str, one: &Agreement) -> AgreementView {
    let finding = &one.finding;
    AgreementView {
        id: finding.id.to_string(),
        name: name.to_owned(),
        course: course(one.proposal.course),
        kind: kind(finding.difference),
        person: names::person(&finding.who),
        target: names::target(world, &finding.key.target, &finding.names),
        proposed_by: one.proposal.by.name.clone(),
        reason: one.proposal.reason.clone(),
        confirmed_by: one.confirmed_by.name.clone(),
        confirmed_at: ms(one.confirmed_at),
        until: ms(one.until()),
        can_give_up: is_admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_kind_and_no_place_looks_for_everything() {
        let filter = FindingsFilter {
            kind: "unmanaged#x".to_owned(),
            cursor: "a".repeat(NAME_MAX_BYTES + 1),
            agreed_cursor: "unmanaged#x".to_owned(),
        };
        let search = search(&filter);
        assert_eq!(search.kind, None);
        assert_eq!(search.after, "");
        assert_eq!(search.agreed_after, "unmanaged#x");
    }
}
