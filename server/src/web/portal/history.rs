//! History: what was typed becomes a search, what was found becomes rows.

mod called;
mod days;
mod held;

use app::view::{
    Field, FieldProblem, HistoryFilter, HistoryPage, HistoryRow, Problem, ReceiptKind, RequestState,
};
use jiff::Timestamp;

use crate::service::HistorySearch;
use crate::store::history::{Found, Place};
use crate::store::item::Summary;
use crate::world::World;

use super::names;

pub(super) use held::{search as held_search, view as held_view};

/// The search, or what is wrong with what was typed.
pub(in crate::web) fn search(filter: &HistoryFilter) -> Result<HistorySearch, Vec<FieldProblem>> {
    let mut problems = Problems::default();
    let zone = problems.or_default(Field::Zone, days::zone(&filter.zone));
    let from = problems.or_default(Field::From, days::first_instant(&filter.from, &zone));
    let before = problems.or_default(Field::To, days::end_of(&filter.to, &zone));
    if let (Some(from), Some(before)) = (from, before)
        && before <= from
    {
        problems.add(Field::To, Problem::Backwards);
    }
    let state = filter.state.trim();
    if !state.is_empty() && names::state_of_word(state).is_none() {
        problems.add(Field::State, Problem::NotUnderstood);
    }
    let after = problems.place(&filter.cursor, from, before);
    problems.none().map(|()| HistorySearch {
        from,
        before,
        person: filter.person.trim().to_owned(),
        account: filter.account.trim().to_owned(),
        permission_set: filter.permission_set.trim().to_owned(),
        state: state.to_owned(),
        text: filter.text.trim().to_owned(),
        after,
    })
}

/// What is wrong with what was typed; all of it is said at once.
#[derive(Debug, Default)]
struct Problems(Vec<FieldProblem>);

impl Problems {
    fn add(&mut self, field: Field, problem: Problem) {
        self.0.push(FieldProblem { field, problem });
    }

    /// What was understood; else what stands for nothing typed, and it is said.
    fn or_default<T: Default>(
        &mut self,
        field: Field,
        understood: Result<T, days::NotUnderstood>,
    ) -> T {
        understood.unwrap_or_else(|days::NotUnderstood| {
            self.add(field, Problem::NotUnderstood);
            T::default()
        })
    }

    /// A place in the search that it goes on with. One elsewhere is of another search, and would
    /// show what this one does not find.
    fn place(
        &mut self,
        cursor: &str,
        from: Option<Timestamp>,
        before: Option<Timestamp>,
    ) -> Option<Place> {
        if cursor.is_empty() {
            return None;
        }
        let place = Place::parse(cursor).filter(|place| {
            from.is_none_or(|from| from <= place.at)
                && before.is_none_or(|before| place.at < before)
        });
        if place.is_none() {
            self.add(Field::Place, Problem::NotUnderstood);
        }
        place
    }

    fn none(self) -> Result<(), Vec<FieldProblem>> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(self.0)
        }
    }
}

/// One page.
pub(super) fn view(
    world: &World,
    wanted: &HistorySearch,
    found: &Found,
    now: Timestamp,
) -> HistoryPage {
    let typed = called::Typed::of(wanted);
    HistoryPage {
        rows: found
            .rows
            .iter()
            .map(|row| row_view(world, row, now))
            .collect(),
        next: found.next.as_ref().map(Place::to_text),
        searched_back_to: found.searched_back_to.map(names::ms),
        looked_through: names::count(found.looked_through),
        called: typed.called(world),
        // What was found at once needs no narrower search.
        narrower: if found.searched_back_to.is_some() {
            typed.narrower(world)
        } else {
            Vec::new()
        },
        problems: Vec::new(),
    }
}

fn row_view(world: &World, row: &Summary, now: Timestamp) -> HistoryRow {
    HistoryRow {
        request_id: row.request.to_string(),
        submitted_at: names::ms(row.submitted_at),
        requester: names::person(&row.requester),
        targets: vec![names::listed(names::target(world, &row.target, &row.names))],
        // A word of a later version: something is going on that this one cannot name.
        state: names::state_of_word(row.word(now)).unwrap_or(RequestState::Mixed),
        reason: row.reason.clone(),
        ticket: row.ticket.clone().unwrap_or_default(),
        duration_seconds: row.duration_seconds,
        reviewers: row.reviewers.clone(),
        from: row.granted_from.map(names::ms),
        ended_at: row.ended_at.map(names::ms),
        receipt: row.receipt.as_deref().and_then(receipt),
        is_break_glass: row.break_glass,
    }
}

fn receipt(word: &str) -> Option<ReceiptKind> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn typed(change: impl FnOnce(&mut HistoryFilter)) -> HistoryFilter {
        let mut filter = HistoryFilter::default();
        change(&mut filter);
        filter
    }

    fn wrong(filter: &HistoryFilter) -> Vec<Field> {
        let problems = search(filter).unwrap_err();
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn the_last_day_counts_whole_in_the_zone_it_was_typed_in() {
        let mut filter = typed(|filter| {
            "2026-11-01".clone_into(&mut filter.from);
            "2026-11-30".clone_into(&mut filter.to);
        });
        let found = search(&filter).unwrap();
        assert_eq!(found.from.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(found.before.unwrap().to_string(), "2026-12-01T00:00:00Z");
        "America/New_York".clone_into(&mut filter.zone);
        let found = search(&filter).unwrap();
        // The clocks go back on the first.
        assert_eq!(found.from.unwrap().to_string(), "2026-11-01T04:00:00Z");
        assert_eq!(found.before.unwrap().to_string(), "2026-12-01T05:00:00Z");
    }

    #[test]
    fn what_is_not_understood_is_said_where_it_was_typed_and_all_at_once() {
        let filter = typed(|filter| {
            "yesterday".clone_into(&mut filter.from);
            "2026-02-30".clone_into(&mut filter.to);
            "Middle/Earth".clone_into(&mut filter.zone);
            "finished".clone_into(&mut filter.state);
            "back".clone_into(&mut filter.cursor);
        });
        let all = [
            Field::Zone,
            Field::From,
            Field::To,
            Field::State,
            Field::Place,
        ];
        assert_eq!(wrong(&filter), all);
        let backwards = typed(|filter| {
            "2026-11-02".clone_into(&mut filter.from);
            "2026-11-01".clone_into(&mut filter.to);
        });
        assert_eq!(wrong(&backwards), [Field::To]);
    }

    #[test]
    fn a_place_of_another_search_is_none_of_this_one() {
        let mut filter = typed(|filter| {
            // 2026-11-22.
            "1795333685000#01932c07-20a1-7e3c-a0a5-0123456789ab#0".clone_into(&mut filter.cursor);
        });
        assert!(search(&filter).unwrap().after.is_some());
        "2026-11-21".clone_into(&mut filter.to);
        assert_eq!(wrong(&filter), [Field::Place]);
        filter.to.clear();
        "2026-11-23".clone_into(&mut filter.from);
        assert_eq!(wrong(&filter), [Field::Place]);
    }
}
