//! What was before: what the requester has of the same, had of it, and was denied of it.

use leptos::prelude::*;

use crate::{
    components::Time,
    sentence,
    view::{DeniedView, HasView, PastView},
};

/// Line by line, what matters most first.
pub(super) fn past(one: &PastView) -> AnyView {
    let nothing_now = one.has.is_none() || one.times > 0;
    view! {
        <ul class="plain small">
            {one.has.as_ref().map(has)} {one.denied.as_ref().map(denied)}
            {nothing_now.then(|| had(one))}
        </ul>
    }
    .into_any()
}

fn has(one: &HasView) -> AnyView {
    let from = match one.from {
        Some(from) => view! { "Is to have it from " <Time at=from/> }.into_any(),
        None => "Has it now".into_any(),
    };
    let extends = if one.is_extended {
        ": this would extend it."
    } else {
        "."
    };
    view! { <li>{from} " until " <Time at=one.until/> {extends}</li> }.into_any()
}

fn had(one: &PastView) -> AnyView {
    let Some(last) = &one.last else {
        let never = if one.is_all {
            "Has not had it through Belay in the last 30 days."
        } else {
            "None of their latest requests gave it to them in the last 30 days."
        };
        return view! { <li>{never}</li> }.into_any();
    };
    let at_least = if one.is_all { "" } else { "at least " };
    let often = sentence::count(one.times, "time");
    let approved = if last.approved_by.is_empty() {
        String::new()
    } else {
        format!(", approved by {}", last.approved_by)
    };
    view! {
        <li>
            {format!("Had it {at_least}{often} in the last 30 days, last until ")}
            <Time at=last.until/> {approved} "."
        </li>
    }
    .into_any()
}

fn denied(one: &DeniedView) -> AnyView {
    let said = if one.note.is_empty() {
        ".".to_owned()
    } else {
        format!(": “{}”", one.note)
    };
    view! {
        <li>
            <strong>"Denied " <Time at=one.at/></strong>
            " by " {one.by.clone()} {said}
        </li>
    }
    .into_any()
}
