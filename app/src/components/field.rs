//! A field of one line, as every form that searches has it.

use leptos::prelude::*;

/// A field with its name, which is its element's id, what it asks for, its kind of input, what was typed, what is
/// worth knowing of it, and what is wrong with it; both may be empty.
pub(crate) fn line(
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &str,
    hint: &str,
    problem: String,
) -> AnyView {
    let is_wrong = !problem.is_empty();
    let problem_id = format!("{name}-problem");
    let hint_id = format!("{name}-hint");
    let described_by = match (is_wrong, hint.is_empty()) {
        (false, true) => None,
        (false, false) => Some(hint_id.clone()),
        (true, true) => Some(problem_id.clone()),
        (true, false) => Some(format!("{problem_id} {hint_id}")),
    };
    let problem =
        is_wrong.then(|| view! { <p class="field-problem" id=problem_id>{problem}</p> }.into_any());
    let hint = (!hint.is_empty())
        .then(|| view! { <p class="hint" id=hint_id>{hint.to_owned()}</p> }.into_any());
    view! {
        <div class=if is_wrong { "field field-wrong" } else { "field" }>
            <label class="label" for=name>{label}</label>
            <input
                class="input"
                id=name
                name=name
                type=kind
                value=value.to_owned()
                autocomplete="off"
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=described_by
            />
            {problem} {hint}
        </div>
    }
    .into_any()
}
