//! Who held what: what was typed becomes a question, what is on record its answer.

use app::view::{
    Certainty, Field, FieldProblem, HeldFilter, HeldPage, HeldRow, NarrowerView, Problem,
};
use domain::held::{Held, When};
use domain::id::AccountId;
use jiff::Timestamp;

use super::{Problems, called, days, receipt};
use crate::service::{HeldFound, HistorySearch};
use crate::store::history::Place;
use crate::store::item::Summary;
use crate::web::portal::names;
use crate::world::World;

/// A question.
pub(in crate::web::portal) struct Asked {
    pub(in crate::web::portal) search: HistorySearch,
    pub(in crate::web::portal) when: When,
}

/// The question, or what is wrong with what was typed. `None`: nothing was typed as yet.
pub(in crate::web::portal) fn search(
    filter: &HeldFilter,
    now: Timestamp,
) -> Result<Option<Asked>, Vec<FieldProblem>> {
    let [person, account, permission_set, from, to] = [
        &filter.person,
        &filter.account,
        &filter.permission_set,
        &filter.from,
        &filter.to,
    ]
    .map(|text| text.trim().to_owned());
    let of_nobody = person.is_empty() && account.is_empty() && permission_set.is_empty();
    let mut problems = Problems::default();
    let zone = problems.or_default(Field::Zone, days::zone(&filter.zone));
    let first = problems.or_default(Field::Moment, days::moment(&from, &zone));
    let last = problems.or_default(Field::Until, days::moment(&to, &zone));
    if of_nobody && from.is_empty() && to.is_empty() && filter.cursor.is_empty() {
        return problems.none().map(|()| None);
    }
    if of_nobody {
        problems.add(Field::Person, Problem::Missing);
    }
    let when = match (first, last) {
        (first, None) => When::At(first.unwrap_or(now)),
        // The beginning of a time between has to be said.
        (None, Some(_)) => {
            if from.is_empty() {
                problems.add(Field::Moment, Problem::Missing);
            }
            When::At(now)
        }
        (Some(first), Some(last)) => When::Between(first, last),
    };
    if let When::Between(first, last) = when
        && last <= first
    {
        problems.add(Field::Until, Problem::Backwards);
    }
    // What is promised for later is no history; a minute that goes on may be typed as its end.
    if first.is_some_and(|first| first > now) {
        problems.add(Field::Moment, Problem::NotYet);
    }
    let after = problems.place(&filter.cursor, None, None);
    problems.none().map(|()| {
        Some(Asked {
            search: HistorySearch {
                person,
                account,
                permission_set,
                after,
                ..HistorySearch::default()
            },
            when,
        })
    })
}

/// One page.
pub(in crate::web::portal) fn view(world: &World, asked: &Asked, found: &HeldFound) -> HeldPage {
    let typed = called::Typed::of(&asked.search);
    let (from, to) = match asked.when {
        When::At(at) => (at, None),
        When::Between(from, to) => (from, Some(to)),
    };
    let rows = found.rows.iter();
    let found = &found.found;
    HeldPage {
        rows: rows
            .map(|(row, held)| row_view(world, row, *held))
            .collect(),
        from: Some(names::ms(from)),
        to: to.map(names::ms),
        next: found.next.as_ref().map(Place::to_text),
        searched_back_to: found.searched_back_to.map(names::ms),
        looked_through: names::count(found.looked_through),
        called: typed.called(world),
        narrower: if found.searched_back_to.is_some() {
            typed.narrower(world)
        } else {
            Vec::new()
        },
        groups: groups(world, &asked.search),
        problems: Vec::new(),
    }
}

fn row_view(world: &World, row: &Summary, held: Held) -> HeldRow {
    let until = row.granted_until.unwrap_or(row.submitted_at);
    HeldRow {
        request_id: row.request.to_string(),
        person: names::person(&row.requester),
        target: names::listed(names::target(world, &row.target, &row.names)),
        certainty: match held {
            Held::Surely => Certainty::Held,
            Held::Perhaps => Certainty::MayHaveHeld,
        },
        begun: row.begun_at.or(row.granted_from).map(names::ms),
        active: row.active_at.map(names::ms),
        until: names::ms(until),
        ended_at: row.ended_at.map(names::ms),
        receipt: row.receipt.as_deref().and_then(receipt),
        is_break_glass: row.break_glass,
    }
}

/// Groups that give something in the account that was asked about.
fn groups(world: &World, search: &HistorySearch) -> Vec<NarrowerView> {
    let Ok(account) = AccountId::parse(&search.account) else {
        return Vec::new();
    };
    let directory = &world.directory;
    directory
        .groups
        .values()
        .filter(|group| {
            let held = directory.holdings.of(&group.id);
            held.is_some_and(|held| held.iter().any(|(of, _)| *of == account))
        })
        .map(|group| NarrowerView {
            field: Field::PermissionSet,
            id: group.id.to_string(),
            name: group.name.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn now() -> Timestamp {
        "2026-11-22T08:00:00Z".parse().unwrap()
    }

    fn asked(from: &str, to: &str, zone: &str) -> Result<When, Vec<(Field, Problem)>> {
        let filter = HeldFilter {
            account: "111122223333".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            zone: zone.to_owned(),
            ..HeldFilter::default()
        };
        match search(&filter, now()) {
            Ok(asked) => Ok(asked.unwrap().when),
            Err(problems) => Err(problems
                .into_iter()
                .map(|one| (one.field, one.problem))
                .collect()),
        }
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_moment_is_one_in_the_zone_it_was_typed_in() {
        assert_eq!(asked("", "", ""), Ok(When::At(now())));
        let utc = at("2026-11-22T07:30:00Z");
        assert_eq!(asked("2026-11-22T07:30", "", ""), Ok(When::At(utc)));
        assert_eq!(
            asked("2026-11-22T08:30", "", "Europe/Berlin"),
            Ok(When::At(utc))
        );
        let between = When::Between(at("2026-11-01T00:00:00Z"), utc);
        assert_eq!(
            asked("2026-11-01T00:00", "2026-11-22T07:30", ""),
            Ok(between)
        );
    }

    #[test]
    fn what_cannot_be_asked_is_said_where_it_was_typed() {
        use Problem::{Backwards, Missing, NotUnderstood, NotYet};
        for (from, to, field, problem) in [
            ("noon", "", Field::Moment, NotUnderstood),
            ("2026-11-22T08:01", "", Field::Moment, NotYet),
            ("", "2026-11-22T07:00", Field::Moment, Missing),
            (
                "2026-11-22T07:00",
                "2026-11-22T07:00",
                Field::Until,
                Backwards,
            ),
            ("2026-11-22T07:00", "later", Field::Until, NotUnderstood),
        ] {
            assert_eq!(
                asked(from, to, ""),
                Err(vec![(field, problem)]),
                "{from} {to}"
            );
        }
    }

    #[test]
    fn nothing_typed_is_no_question_and_nobody_named_is_a_problem() {
        assert!(search(&HeldFilter::default(), now()).unwrap().is_none());
        let filter = HeldFilter {
            from: "2026-11-22T07:00".to_owned(),
            ..HeldFilter::default()
        };
        let problems = search(&filter, now()).err().unwrap();
        assert_eq!(problems[0].field, Field::Person);
    }
}
