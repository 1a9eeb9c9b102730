//! The only `<textarea>` of the interface.
//!
//! Leptos 0.8 writes the children of a `<textarea>` into the page as they are, so that a reason of
//! `</textarea><script>` would end the field and begin a script. Here they are escaped. (Leptos 0.9 does it by itself.)

use leptos::prelude::*;

use crate::{components::changing, form_state::Arrived};

/// A field for text of several lines, with its label, a hint, what is wrong with it, and what was typed before.
#[component]
pub(crate) fn TextArea(
    /// The form's name for it, and its element id.
    name: &'static str,
    /// Its element id, where a page has several of the same name.
    #[prop(optional, into)]
    id: Option<String>,
    /// What it asks for.
    label: &'static str,
    /// What makes a good answer.
    #[prop(optional, into)]
    hint: String,
    /// What is wrong with what was typed; empty if nothing is.
    #[prop(optional, into)]
    problem: String,
    /// What was typed before.
    #[prop(optional, into)]
    value: String,
    /// How many lines to show.
    #[prop(default = 3)]
    rows: u32,
    /// The longest text that is taken, in characters: counted down once the browser's half is alive.
    #[prop(default = 0)]
    max_chars: u32,
) -> impl IntoView {
    let id = id.unwrap_or_else(|| name.to_owned());
    let hint_id = format!("{id}-hint");
    let problem_id = format!("{id}-problem");
    let is_wrong = !problem.is_empty();
    let described_by = [(!hint.is_empty(), &hint_id), (is_wrong, &problem_id)]
        .into_iter()
        .filter(|(is_there, _)| *is_there)
        .map(|(_, id)| id.clone())
        .collect::<Vec<_>>()
        .join(" ");
    let typed = RwSignal::new(None::<usize>);
    let over = changing(move || {
        let near_the_limit = typed
            .get()
            .filter(|chars| max_chars > 0 && *chars * 10 > max_chars as usize * 9);
        near_the_limit
            .map(|chars| format!("{chars} of {max_chars} characters").into_any())
            .into_any()
    });

    view! {
        <div class=if is_wrong { "field field-wrong" } else { "field" }>
            {Arrived::stay()}
            <label class="label" for=id.clone()>{label}</label>
            {(!hint.is_empty()).then(|| view! { <p class="hint" id=hint_id>{hint}</p> }.into_any())}
            {is_wrong.then(|| view! { <p class="field-problem" id=problem_id>{problem}</p> }.into_any())}
            <textarea
                class="input"
                id=id
                name=name
                rows=rows
                autofocus=is_wrong
                aria-invalid=is_wrong.then_some("true")
                aria-describedby=(!described_by.is_empty()).then_some(described_by)
                on:input=move |event| typed.set(Some(event_target_value(&event).chars().count()))
                inner_html=contents(&value)
            ></textarea>
            <p class="hint counter">{over}</p>
        </div>
    }
}

/// HTML drops a newline that directly follows the opening tag, so one that was typed needs another before it.
fn contents(value: &str) -> String {
    let escaped = escape(value);
    if escaped.starts_with(['\n', '\r']) {
        format!("\n{escaped}")
    } else {
        escaped
    }
}

/// Escapes text for where HTML reads character references but no tags: a `<textarea>` or a `<title>`.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::prelude::*;

    use super::TextArea;

    fn rendered(value: &str) -> String {
        let value = value.to_owned();
        Owner::new().with(|| view! { <TextArea name="reason" label="Why" value=value/> }.to_html())
    }

    #[test]
    fn what_was_typed_cannot_end_the_field() {
        let html = rendered("</textarea><script>alert(1)</script>");
        assert!(!html.contains("<script"), "{html}");
        assert_eq!(html.matches("</textarea>").count(), 1, "{html}");
        assert!(
            html.contains("&lt;/textarea&gt;&lt;script&gt;alert(1)&lt;/script&gt;</textarea>"),
            "{html}"
        );
    }

    #[test]
    fn references_stay_as_typed_and_a_first_newline_is_kept() {
        assert!(rendered("&lt; &amp;").contains(">&amp;lt; &amp;amp;</textarea>"));
        assert!(rendered("\nsecond line").contains(">\n\nsecond line</textarea>"));
        assert!(rendered("").contains("></textarea>"));
    }
}
