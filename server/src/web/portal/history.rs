//! History: what was typed becomes a search, what was found becomes rows.

use app::view::{
    Field, FieldProblem, HistoryFilter, HistoryPage, HistoryRow, Problem, ReceiptKind, RequestState,
};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::service::{HistoryFound, HistorySearch};
use crate::store::history::Place;
use crate::store::item::Summary;
use crate::world::World;

use super::names;

/// The search, and what is wrong with what was typed.
pub(super) fn search(filter: &HistoryFilter) -> (HistorySearch, Vec<FieldProblem>) {
    let mut problems = Vec::new();
    let mut day = |field: Field, text: &str| {
        parse_day(text).unwrap_or_else(|()| {
            problems.push(FieldProblem {
                field,
                problem: Problem::NotUnderstood,
            });
            None
        })
    };
    let from = day(Field::From, &filter.from).and_then(start_of);
    // The last day counts whole.
    let before = day(Field::To, &filter.to)
        .and_then(|day| day.tomorrow().ok())
        .and_then(start_of);
    let search = HistorySearch {
        from,
        before,
        person: filter.person.trim().to_owned(),
        account: filter.account.trim().to_owned(),
        permission_set: filter.permission_set.trim().to_owned(),
        state: filter.state.clone(),
        text: filter.text.trim().to_owned(),
        after: Place::parse(&filter.cursor),
    };
    (search, problems)
}

/// An empty text is no limit.
fn parse_day(text: &str) -> Result<Option<Date>, ()> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some).map_err(|_| ()),
    }
}

fn start_of(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC)
        .ok()
        .map(|start| start.timestamp())
}

/// One page.
pub(super) fn view(world: &World, found: &HistoryFound) -> HistoryPage {
    HistoryPage {
        rows: found.rows.iter().map(|row| row_view(world, row)).collect(),
        next: found.next.as_ref().map(Place::to_text),
        searched_back_to: found.searched_back_to.map(names::ms),
        problems: Vec::new(),
    }
}

fn row_view(world: &World, row: &Summary) -> HistoryRow {
    HistoryRow {
        request_id: row.request.to_string(),
        submitted_at: names::ms(row.submitted_at),
        requester: names::person(&row.requester),
        targets: vec![names::listed(names::target(world, &row.target, &row.names))],
        // A word of a later version: something is going on that this one cannot name.
        state: names::state_of_word(&row.state).unwrap_or(RequestState::Mixed),
        reason: row.reason.clone(),
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

    #[test]
    fn the_last_day_counts_whole() {
        let filter = HistoryFilter {
            from: "2026-11-01".to_owned(),
            to: "2026-11-30".to_owned(),
            ..HistoryFilter::default()
        };
        let (search, problems) = search(&filter);
        assert!(problems.is_empty());
        assert_eq!(search.from.unwrap().to_string(), "2026-11-01T00:00:00Z");
        assert_eq!(search.before.unwrap().to_string(), "2026-12-01T00:00:00Z");
    }

    #[test]
    fn a_day_that_is_none_is_said_where_it_was_typed() {
        let filter = HistoryFilter {
            from: "yesterday".to_owned(),
            to: "2026-02-30".to_owned(),
            ..HistoryFilter::default()
        };
        let fields: Vec<Field> = search(&filter)
            .1
            .iter()
            .map(|problem| problem.field)
            .collect();
        assert_eq!(fields, [Field::From, Field::To]);
    }
}
