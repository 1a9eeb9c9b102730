//! Where the browser's half begins.

use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, closure::Closure, prelude::wasm_bindgen};

use crate::App;

/// Takes over the page that the server drew. Called by the document's script once this code has arrived.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    send_each_form_once();
    leptos::mount::hydrate_body(App);
}

/// A second click on the same button, while the first is under way, would show its own answer ("you have reviewed this
/// already") in place of the first's. The server takes it well; people would not.
fn send_each_form_once() {
    /// Long enough for a slow answer, short enough to try again after one that never came.
    const PAUSE: std::time::Duration = std::time::Duration::from_secs(5);
    const MARK: &str = "data-sent";

    let on_submit = Closure::<dyn Fn(web_sys::Event)>::new(|event: web_sys::Event| {
        let form = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::Element>().ok());
        let Some(form) = form else { return };
        if event.default_prevented() {
            return;
        }
        if form.has_attribute(MARK) {
            event.prevent_default();
            return;
        }
        // An attribute of letters and a dash cannot be refused.
        let _ = form.set_attribute(MARK, "");
        set_timeout(
            move || {
                let _ = form.remove_attribute(MARK);
            },
            PAUSE,
        );
    });
    // The only error is a listener that is not one.
    let _ =
        document().add_event_listener_with_callback("submit", on_submit.as_ref().unchecked_ref());
    on_submit.forget();
}
