//! The fields of the form that not every request needs.

use leptos::prelude::*;

use crate::{
    Zone,
    components::problem_at,
    pages::history::form::{named, zone},
    sentence,
    view::{AskFormView, Field, FormState},
};

/// A later start, in the reader's zone as far as that is known.
pub(super) fn start(before: &FormState) -> AnyView {
    if !before.value("extend").is_empty() {
        return ().into_any();
    }
    let typed = before.value("start").to_owned();
    let problem = [Field::Start, Field::Zone]
        .map(|field| problem_at(&before.problems, field))
        .concat();
    let is_open = !typed.is_empty() || !problem.is_empty();
    let start = Text {
        name: "start",
        kind: "datetime-local",
        label: "From when?".to_owned(),
        hint: "Leave it empty to begin as soon as it is approved.".to_owned(),
        value: typed,
        problem,
    };
    view! {
        <details class="more" open=is_open>
            <summary>"Begin later"</summary>
            {field_in(start, Some(zone(zone_of(before))))}
        </details>
    }
    .into_any()
}

/// The zone that the start was typed in; empty if none was typed, and the reader's is as good.
fn zone_of(before: &FormState) -> &str {
    let is_unknown = before
        .problems
        .iter()
        .any(|found| found.field == Field::Zone);
    let typed_in = before.value(Zone::NAME);
    if before.value("start").is_empty() {
        ""
    } else if is_unknown || typed_in.is_empty() {
        "UTC"
    } else {
        typed_in
    }
}

/// The ticket, where policy says something of tickets or somebody named one.
pub(super) fn ticket(form: &AskFormView, before: &FormState) -> AnyView {
    let typed = before.value("ticket").to_owned();
    let problem = problem_at(&before.problems, Field::Ticket);
    let (hint, is_required) = match &form.ticket {
        None if typed.is_empty() && problem.is_empty() => return ().into_any(),
        None => (String::new(), false),
        Some(ticket) if ticket.pattern.is_empty() => (String::new(), ticket.required),
        Some(ticket) => (format!("It looks like {}", ticket.pattern), ticket.required),
    };
    field(Text {
        name: "ticket",
        kind: "text",
        label: if is_required {
            "Ticket".to_owned()
        } else {
            "Ticket, if there is one".to_owned()
        },
        hint,
        value: typed,
        problem,
    })
}

pub(super) struct Text {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) label: String,
    pub(super) hint: String,
    pub(super) value: String,
    pub(super) problem: String,
}

pub(super) fn field(text: Text) -> AnyView {
    field_in(text, None)
}

/// A field, with the zone of the time that is typed there.
fn field_in(text: Text, zone: Option<Signal<String>>) -> AnyView {
    let Text {
        name,
        kind,
        label,
        hint,
        value,
        problem,
    } = text;
    let is_wrong = !problem.is_empty();
    let zone = zone.map(|zone| view! { "A time in " {named(zone)} ". " }.into_any());
    let (hint_id, problem_id) = (format!("{name}-hint"), format!("{name}-problem"));
    let described_by = [(!hint.is_empty(), &hint_id), (is_wrong, &problem_id)]
        .into_iter()
        .filter(|(is_there, _)| *is_there)
        .map(|(_, id)| id.clone())
        .collect::<Vec<_>>()
        .join(" ");
    view! {
        <div class=if is_wrong { "field field-wrong" } else { "field" }>
            <label class="label" for=name>{label}</label>
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{zone} {hint}</p> }.into_any())}
            {is_wrong.then(|| view! { <p class="field-problem" id=problem_id>{problem}</p> }.into_any())}
            <input
                class="input"
                type=kind
                id=name
                name=name
                value=value
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=(!described_by.is_empty()).then_some(described_by)
            />
        </div>
    }
    .into_any()
}

/// What else to ask for in the same request.
pub(super) fn others(form: &AskFormView, before: &FormState) -> AnyView {
    if form.others.is_empty() || !before.value("extend").is_empty() {
        return ().into_any();
    }
    let is_open = !before.value("also").is_empty();
    let boxes: Vec<_> = form
        .others
        .iter()
        .map(|target| {
            let value = target.spelled();
            let is_ticked = before.has("also", &value);
            view! {
                <label class="choice">
                    <input type="checkbox" name="also" value=value checked=is_ticked/>
                    <span>{sentence::target(target)}</span>
                </label>
            }
            .into_any()
        })
        .collect();
    let is_separate = before.has("granting", "separately");
    view! {
        <details class="more" open=is_open>
            <summary>"Ask for more in the same request"</summary>
            <div class="stack">
                <fieldset class="field">
                    <legend class="label">"Also"</legend>
                    <p class="hint">"Up to ten in all, for the same time and the same reason."</p>
                    <div class="choices">{boxes}</div>
                </fieldset>
                <label class="choice">
                    <input type="checkbox" name="granting" value="separately" checked=is_separate/>
                    <span>"Grant each as soon as it is approved, not all together"</span>
                </label>
            </div>
        </details>
    }
    .into_any()
}
