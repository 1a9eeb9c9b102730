//! The form that ends access early.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::{
    components::{TextArea, Time, problem_at},
    link,
    view::{BesideView, Field, FormState, GrantView},
};

/// As long as a note.
const REASON_MAX_CHARS: u32 = 2_000;

/// Ends this grant, and those beside it that are ticked; nothing if the reader may not.
pub(super) fn end(request_id: &str, grant: &GrantView, before: &FormState) -> AnyView {
    if !grant.can_end {
        return ().into_any();
    }
    let was_refused = before.value("act") == "end" && before.value("grant") == grant.id;
    let refused = if was_refused {
        before.clone()
    } else {
        FormState::default()
    };
    // Whoever comes from My access has said what for.
    let is_asked_for = use_query_map().read_untracked().get_str("end") == Some(grant.id.as_str());
    let beside: Vec<_> = grant
        .beside
        .iter()
        .map(|other| choice(other, &refused))
        .collect();
    let beside = (!beside.is_empty()).then(|| {
        view! {
            <fieldset class="field">
                <legend class="label">"The same access is also promised until later. End that too?"</legend>
                <div class="choices">{beside}</div>
            </fieldset>
        }
        .into_any()
    });
    view! {
        <details class="more" open=was_refused || is_asked_for>
            <summary>"End it early"</summary>
            <form class="stack" method="post" action=link::request(request_id) novalidate>
                <input type="hidden" name="grant" value=grant.id.clone()/>
                {beside}
                <TextArea
                    name="note"
                    id=format!("end-{}", grant.id)
                    label="Why?"
                    hint="It is kept with the record."
                    rows=2
                    max_chars=REASON_MAX_CHARS
                    value=refused.value("note").to_owned()
                    problem=problem_at(&refused.problems, Field::Note)
                />
                <div class="actions">
                    <button class="button button-bad" type="submit" name="act" value="end">
                        "End it now"
                    </button>
                </div>
            </form>
        </details>
    }
    .into_any()
}

fn choice(other: &BesideView, before: &FormState) -> AnyView {
    let is_ticked = before.has("also", &other.id);
    view! {
        <label class="choice">
            <input type="checkbox" name="also" value=other.id.clone() checked=is_ticked/>
            <span>
                "until " <Time at=other.until/> " ("
                <a href=link::request(&other.request_id)>"its request"</a> ")"
            </span>
        </label>
    }
    .into_any()
}
