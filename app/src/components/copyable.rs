//! Text to take along: always to be seen, with a button that copies it where there is script.

use leptos::prelude::*;

use crate::{browser::Alive, components::changing};

/// The text behind a heading that opens it, and the button.
pub(crate) fn copyable(heading: &'static str, hint: AnyView, text: String) -> AnyView {
    let said = RwSignal::new("");
    let copied = text.clone();
    // Without script it is marked by hand, and a button that does nothing would only be in the way.
    let button = changing(move || {
        let copied = copied.clone();
        let button = Alive::get().then(|| {
            view! {
                <button class="button button-small" type="button" on:click=move |_| copy(&copied, said)>
                    "Copy"
                </button>
            }
            .into_any()
        });
        button.into_any()
    });
    view! {
        <details class="more copyable">
            <summary>{heading}</summary>
            {hint}
            // It scrolls, and so has to be reached by keys.
            <pre class="code" tabindex="0">{text}</pre>
            <p class="actions">
                {button} <span class="quiet" role="status">{changing(move || said.get().into_any())}</span>
            </p>
        </details>
    }
    .into_any()
}

/// Asks the browser, which may refuse: then the text is still there to be marked.
#[cfg(feature = "hydrate")]
fn copy(text: &str, said: RwSignal<&'static str>) {
    let writing = window().navigator().clipboard().write_text(text);
    leptos::task::spawn_local(async move {
        let done = wasm_bindgen_futures::JsFuture::from(writing).await;
        said.try_set(match done {
            Ok(_) => "Copied",
            Err(_) => "The browser did not allow it: mark the text and copy it",
        });
    });
}

/// There is nothing to press on the server.
#[cfg(not(feature = "hydrate"))]
const fn copy(_text: &str, _said: RwSignal<&'static str>) {}
