//! The header: where one can go, who one is, and how it should look.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    Theme,
    browser::Waiting,
    components::{Icon, Logo},
    follow::{Followed, follow},
    form_state::Arrived,
    live, read,
    view::{Me, WireError},
};

/// The header of every page.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let person = follow(
        read::read_me,
        |topic| topic == "approvals",
        || ().into_any(),
        |me: Followed<Me>| signed_in(me.value),
        |error| signed_out(&error),
    );
    view! {
        <header class="top">
            <div class="top-row">
                <a class="brand" href="/"><Logo/> "Belay"</a>
                <div class="top-me">{person}</div>
            </div>
        </header>
    }
}

fn signed_in(me: Signal<Me>) -> impl IntoView {
    let waiting = Memo::new(move |_| me.read().waiting_count);
    let can_see_history = Memo::new(move |_| me.read().can_see_history);
    let who = me.get_untracked();

    Effect::new(move |_| {
        if let Some(Waiting(counted)) = use_context() {
            counted.set(waiting.get());
        }
    });
    // An effect, so that it waits for the page to be drawn.
    let interrupted = use_context::<live::Interrupted>();
    Effect::new(move |_| {
        if let Some(interrupted) = interrupted {
            live::connect(interrupted);
        }
    });

    let badge = move || {
        let count = waiting.get();
        (count > 0).then(|| {
            view! { <span class="badge">{count} <span class="sr">" waiting for you"</span></span> }
        })
    };
    view! {
        <nav class="nav" aria-label="Pages">
            <ul>
                <li>{place("/", "Access", Icon::Access)}</li>
                <li>{place("/mine", "My access", Icon::Mine)}</li>
                <li class="nav-badged">{place("/approvals", "Approvals", Icon::Approvals)} {badge}</li>
                {move || {
                    can_see_history.get().then(|| view! { <li>{place("/history", "History", Icon::History)}</li> })
                }}
            </ul>
        </nav>
        <button class="menu" type="button" popovertarget="menu">
            <span class="avatar" aria-hidden="true">{initials(&who.name)}</span>
            <span class="menu-name">{who.name.clone()}</span>
        </button>
        // A popover closes itself, by Escape or a click elsewhere, without script.
        <div class="menu-sheet" id="menu" popover="auto">
            <p class="menu-who"><strong>{who.name}</strong> <span class="quiet">{who.email}</span></p>
            <ThemeChoice/>
            <form method="post" action="/auth/sign-out">
                <button class="button button-wide" type="submit">"Sign out"</button>
            </form>
        </div>
    }
}

fn signed_out(error: &WireError) -> impl IntoView + use<> {
    let sign_in = (*error == WireError::SignedOut)
        .then(|| view! { <a class="button" rel="external" href="/auth/start">"Sign in"</a> });
    view! { <div class="top-out">{sign_in}</div> }
}

/// One entry of the navigation, marked if it is where one is.
fn place(path: &'static str, name: &'static str, icon: Icon) -> impl IntoView {
    let here = use_location().pathname;
    let is_here = move || {
        let here = here.read();
        match path {
            "/" => *here == "/" || here.starts_with("/access/"),
            path => here.as_str() == path,
        }
    };
    view! {
        <a class="nav-place" href=path aria-current=move || is_here().then_some("page")>
            {icon.draw()} <span>{name}</span>
        </a>
    }
}

fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .collect()
}

/// Light, dark, or as the system says. A form, so that it works without script; with script it acts at once.
#[component]
fn ThemeChoice() -> impl IntoView {
    let location = use_location();
    let chosen = use_context::<Arrived>()
        .map_or_else(|| RwSignal::new(Theme::System), |arrived| arrived.theme);
    let choices = [
        (Theme::System, "System"),
        (Theme::Light, "Light"),
        (Theme::Dark, "Dark"),
    ]
    .map(|(theme, name)| {
        view! {
            <button
                type="submit"
                name=Theme::NAME
                value=theme.as_str()
                aria-pressed=move || if chosen.get() == theme { "true" } else { "false" }
                on:click=move |event| {
                    event.prevent_default();
                    chosen.set(theme);
                    apply(theme);
                }
            >
                {name}
            </button>
        }
    })
    .collect_view();
    view! {
        <form class="theme" method="post" action="/theme">
            <input type="hidden" name="return_to" value=move || location.pathname.get()/>
            <fieldset class="segments">
                <legend class="label">"Colours"</legend>
                {choices}
            </fieldset>
        </form>
    }
}

/// Shows the choice and keeps it in the cookie that the server reads.
#[cfg(feature = "hydrate")]
fn apply(theme: Theme) {
    use wasm_bindgen::JsCast as _;

    /// A year; each choice starts it anew.
    const KEPT_SECONDS: u32 = 31_536_000;

    let document = document();
    if let Some(root) = document.document_element() {
        // Neither fails on an attribute's and a cookie's plain characters.
        let _ = root.set_attribute("data-theme", theme.as_str());
    }
    if let Ok(document) = document.dyn_into::<web_sys::HtmlDocument>() {
        let _ = document.set_cookie(&format!(
            "{}={}; Path=/; Max-Age={KEPT_SECONDS}; SameSite=Lax",
            Theme::NAME,
            theme.as_str()
        ));
    }
}

#[cfg(not(feature = "hydrate"))]
fn apply(_theme: Theme) {}

#[cfg(test)]
mod tests {
    use super::initials;

    #[test]
    fn initials_are_of_the_first_and_the_last_name() {
        assert_eq!(initials("Ana Silva"), "AS");
        assert_eq!(initials("Ana Maria de Souza"), "AS");
        assert_eq!(initials("ömer"), "Ö");
        assert_eq!(initials(""), "");
    }
}
