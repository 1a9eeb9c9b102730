//! What the two searches of history share: fields that say what is wrong with them, the reader's zone, and how far
//! was looked.

use leptos::prelude::*;

use crate::{
    Zone,
    browser::{self, Alive},
    components::{Time, changing, line, problem_at},
    sentence,
    view::{EpochMs, Field, FieldProblem, NarrowerView},
};

/// A field of a search, as typed.
struct Given<'p> {
    what: Field,
    name: &'static str,
    label: &'static str,
    value: &'p str,
    problems: &'p [FieldProblem],
    /// What ids are called.
    called: &'p [(Field, String)],
}

/// With what is wrong with it, or what is called by what was typed.
fn field(given: &Given<'_>) -> AnyView {
    let kind = match given.what {
        Field::From | Field::To => "date",
        Field::Moment | Field::Until => "datetime-local",
        _ => "text",
    };
    let problem = problem_at(given.problems, given.what);
    // A date that is none would be dropped by a field for dates, and what was typed is to be seen.
    let kind = if problem.is_empty() { kind } else { "text" };
    let called = given.called.iter().find(|(field, _)| *field == given.what);
    let called = called.map_or("", |(_, called)| called);
    line(given.name, given.label, kind, given.value, called, problem)
}

/// Draws the fields of one search, each with what is wrong with it.
pub(in crate::pages) fn given<'p>(
    problems: &'p [FieldProblem],
    called: &'p [(Field, String)],
) -> impl Fn(Field, &'static str, &'static str, &'p str) -> AnyView {
    move |what, name, label, value| {
        field(&Given {
            what,
            name,
            label,
            value,
            problems,
            called,
        })
    }
}

/// What is wrong with the address and stands in no field.
pub(in crate::pages) fn elsewhere(problems: &[FieldProblem]) -> AnyView {
    let said: Vec<_> = problems
        .iter()
        .filter(|found| matches!(found.field, Field::Zone | Field::Place))
        .map(|found| {
            let said = sentence::problem(found.field, &found.problem);
            view! { <p>{said}</p> }.into_any()
        })
        .collect();
    (!said.is_empty())
        .then(|| view! { <div class="notice notice-bad" role="alert">{said}</div> }.into_any())
        .into_any()
}

/// The zone that days are in: what the address says, so that it means the same to everyone it is sent to; else the
/// reader's, by their cookie, and once the browser has said which that is, by that.
pub(in crate::pages) fn zone(typed: &str) -> Signal<String> {
    let typed = typed.to_owned();
    let first = browser::zone_at_first();
    Signal::derive(move || {
        if !typed.is_empty() {
            typed.clone()
        } else if Alive::get() {
            browser::zone()
        } else {
            first.clone()
        }
    })
}

/// Says which zone times are typed in, and sends it along.
pub(in crate::pages) fn named(zone: Signal<String>) -> AnyView {
    let named = changing(move || match zone.get() {
        zone if zone.is_empty() => "UTC".into_any(),
        zone => zone.into_any(),
    });
    view! {
        <input type="hidden" name=Zone::NAME prop:value=move || zone.get() value=move || zone.get()/>
        {named}
    }
    .into_any()
}

/// In which zone the days of a search are.
pub(in crate::pages) fn days_in(zone: Signal<String>, words: &'static str) -> AnyView {
    view! { <p class="hint filter-hint">{words} {named(zone)} "."</p> }.into_any()
}

/// How much was looked through, where there is more.
pub(in crate::pages) fn progress(looked_through: u32, back_to: Option<EpochMs>) -> Option<AnyView> {
    back_to.map(|at| {
        let looked_through = sentence::count(looked_through, "request");
        view! {
            <p class="quiet" role="status">
                "Looked through " {looked_through} ", back to " <Time at/> "."
            </p>
        }
        .into_any()
    })
}

/// Whom a search may mean: by id it is found at once.
pub(in crate::pages) fn narrower(
    offered: &[NarrowerView],
    address: impl Fn(Field, String) -> String,
) -> Option<AnyView> {
    if offered.is_empty() {
        return None;
    }
    let links: Vec<_> = offered
        .iter()
        .map(|one| {
            let address = address(one.field, one.id.clone());
            view! { <li><a href=address>{one.name.clone()}</a></li> }.into_any()
        })
        .collect();
    Some(
        view! {
            <div class="notice">
                <p>"Names are looked for in every request. By id it takes one look; do you mean one of these?"</p>
                <ul class="narrower">{links}</ul>
            </div>
        }
        .into_any(),
    )
}

/// The way to another page of the same search.
pub(in crate::pages) fn paging(address: String, name: &'static str) -> AnyView {
    view! { <a class="button" href=address>{name}</a> }.into_any()
}
