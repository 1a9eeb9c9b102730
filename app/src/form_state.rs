//! What the server knew when it made the page, handed to the browser's half so that both draw the same.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{FormState, Stay, Theme, wire::Compact};

/// In context: what came with the page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrived {
    /// The form that the server refused, if it made this page for that, with the page's path; gone once another page
    /// is opened.
    form: RwSignal<Option<(String, FormState)>>,
    /// The colours chosen.
    pub(crate) theme: RwSignal<Theme>,
    /// The [`Stay`] that the page was made in.
    stay: StoredValue<String>,
}

impl Arrived {
    /// Takes what came out of the server's context, or out of the page, and puts it in context. Called inside the
    /// router.
    ///
    /// Made at the root and before anything that waits, because both halves number such values in the order in which
    /// they meet them.
    pub(crate) fn provide() {
        let (form, theme, stay) = SharedValue::<_, Compact>::new_with_encoding(|| {
            (
                use_context::<Option<FormState>>().flatten(),
                use_context::<Theme>().unwrap_or_default(),
                use_context::<Stay>().unwrap_or_default().0,
            )
        })
        .into_inner();
        if let Some(form) = &form {
            crate::browser::status(form.status);
        }
        let path = use_location().pathname.get_untracked();
        provide_context(Self {
            form: RwSignal::new(form.map(|form| (path, form))),
            theme: RwSignal::new(theme),
            stay: StoredValue::new(stay),
        });
    }

    /// The refused form of this page; an untouched one if none was.
    pub(crate) fn form() -> FormState {
        let here = use_location().pathname.get_untracked();
        use_context::<Self>()
            .and_then(|arrived| arrived.form.get_untracked())
            .filter(|(path, _)| *path == here)
            .map(|(_, form)| form)
            .unwrap_or_default()
    }

    /// The field that tells the server whose words it is sent; it stands wherever words are typed.
    pub(crate) fn stay() -> AnyView {
        use_context::<Self>()
            .map(|arrived| {
                view! { <input type="hidden" name=Stay::NAME value=arrived.stay.get_value()/> }
            })
            .into_any()
    }

    /// Forgets the refused form when another page is opened, and moves the focus there, since a page that is opened
    /// without loading tells nobody that it has changed. Called inside the router.
    pub(crate) fn leave_behind_on_navigation() {
        let path = use_location().pathname;
        let arrived = use_context::<Self>();
        Effect::new(move |before: Option<String>| {
            let now = path.get();
            if before.is_some_and(|before| before != now) {
                if let Some(arrived) = arrived {
                    arrived.form.set(None);
                }
                focus("main");
            }
            now
        });
    }
}

/// Moves the focus to whatever has this id, if it takes it.
#[cfg(feature = "hydrate")]
pub(crate) fn focus(id: &str) {
    use wasm_bindgen::JsCast as _;
    if let Some(there) = document()
        .get_element_by_id(id)
        .and_then(|there| there.dyn_into::<web_sys::HtmlElement>().ok())
    {
        // Fails on nothing that is there.
        let _ = there.focus();
    }
}

/// Nobody is at the server's page yet.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn focus(_id: &str) {}
