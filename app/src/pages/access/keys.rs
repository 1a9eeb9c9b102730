//! Access by keys alone: `/` looks for something, arrows go through what was found, Enter opens it, Escape forgets it.
//!
//! Rows stay links, and the arrows move the focus itself: so whatever is read aloud is where one is, Tab and links of
//! a screen reader go on working, and there is nothing that only script would make sense of. A listbox could hold
//! neither the headings nor the accounts between the rows.

#[cfg(feature = "hydrate")]
pub(super) use browser::{listen, open_first, put};

/// There is no field on the server.
#[cfg(not(feature = "hydrate"))]
pub(super) const fn put(_typed: &str) {}

/// There is nothing to press on the server.
#[cfg(not(feature = "hydrate"))]
pub(super) const fn open_first() {}

#[cfg(feature = "hydrate")]
mod browser {
    use leptos::{ev, prelude::*};
    use wasm_bindgen::JsCast as _;
    use web_sys::{HtmlElement, HtmlInputElement, KeyboardEvent};

    use super::super::{Search, is_settled};
    use crate::view::AccessView;

    /// What the arrows go through.
    const ROWS: &str = ".offer-link";

    /// Listens until the page is left.
    pub(in super::super) fn listen(value: RwSignal<AccessView>, search: Search) {
        Effect::new(move |_| {
            // What was typed before this half was there stands in the field already.
            if let Some(field) = field()
                && field.value() != search.typed.get_untracked()
            {
                tell(&field, "input");
            }
            let listener = window_event_listener(ev::keydown, move |event| {
                if !event.default_prevented() {
                    pressed(&event, value, search);
                }
            });
            on_cleanup(move || listener.remove());
        });
    }

    fn pressed(event: &KeyboardEvent, value: RwSignal<AccessView>, search: Search) {
        let held = event.ctrl_key() || event.meta_key() || event.alt_key();
        if held || event.is_composing() {
            return;
        }
        let Some(field) = field() else { return };
        let key = event.key();
        let active = document().active_element();
        let is_in_field = active
            .as_ref()
            .is_some_and(|active| active.is_same_node(Some(&field)));
        let row = active.as_ref().and_then(row_of);
        let done = match (key.as_str(), is_in_field, row) {
            ("/", false, _) if !active.as_ref().is_some_and(takes_text) => {
                focus(&field);
                field.select();
                true
            }
            ("ArrowDown", true, _) | ("Home", false, Some(_)) => focus_row(0),
            ("ArrowDown", false, Some(row)) => focus_row(row + 1),
            ("ArrowUp", false, Some(0)) => focus(&field),
            ("ArrowUp", false, Some(row)) => focus_row(row - 1),
            ("End", false, Some(_)) => focus_row(rows().len().saturating_sub(1)),
            ("Escape", true, _) | ("Escape", false, Some(_)) => clear(&field),
            ("Enter", true, _) if !field.value().trim().is_empty() => {
                let typed = field.value();
                tell(&field, "change");
                if value
                    .try_with_untracked(|value| is_settled(value, &typed))
                    .unwrap_or_default()
                {
                    open_first();
                } else {
                    search.opens_first.set(true);
                }
                true
            }
            _ => false,
        };
        if done {
            event.prevent_default();
        }
    }

    /// Puts that into the field, as the address has it.
    pub(in super::super) fn put(typed: &str) {
        if let Some(field) = field()
            && field.value().trim() != typed
        {
            field.set_value(typed);
        }
    }

    /// Opens the first of what is found, once it is drawn.
    pub(in super::super) fn open_first() {
        request_animation_frame(|| {
            if let Some(first) = rows().first() {
                first.click();
            }
        });
    }

    fn clear(field: &HtmlInputElement) -> bool {
        let is_empty = field.value().is_empty();
        focus(field);
        if !is_empty {
            field.set_value("");
            tell(field, "input");
        }
        // An empty field leaves the key to whatever else waits for it.
        !is_empty
    }

    /// As if it had been typed, or left.
    fn tell(field: &HtmlInputElement, what: &str) {
        if let Ok(event) = web_sys::Event::new(what) {
            // Nobody prevents it, and nothing else can go wrong.
            let _ = field.dispatch_event(&event);
        }
    }

    fn field() -> Option<HtmlInputElement> {
        document().get_element_by_id("q")?.dyn_into().ok()
    }

    fn takes_text(element: &web_sys::Element) -> bool {
        matches!(element.tag_name().as_str(), "INPUT" | "TEXTAREA" | "SELECT")
    }

    fn rows() -> Vec<HtmlElement> {
        let Ok(found) = document().query_selector_all(ROWS) else {
            return Vec::new();
        };
        (0..found.length())
            .filter_map(|at| found.get(at)?.dyn_into().ok())
            .collect()
    }

    fn row_of(element: &web_sys::Element) -> Option<usize> {
        rows()
            .iter()
            .position(|row| row.is_same_node(Some(element)))
    }

    fn focus_row(at: usize) -> bool {
        rows().get(at).is_some_and(focus)
    }

    fn focus(element: &HtmlElement) -> bool {
        // Fails on nothing that is there.
        element.focus().is_ok()
    }
}
