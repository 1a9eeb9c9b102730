//! The header: where one can go, who one is, and how it should look.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    Theme,
    browser::Waiting,
    components::{Icon, Logo, changing},
    follow::{Followed, follow},
    form_state::Arrived,
    live::{self, Interrupted},
    read,
    view::{Me, WireError},
};

/// The header of every page.
#[component]
pub(crate) fn Header() -> impl IntoView {
    let person = follow(
        || Box::pin(read::read_me()),
        |topic| topic == "approvals",
        || ().into_any(),
        |me: Followed<Me>| signed_in(me.value),
        signed_out,
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

fn signed_in(me: RwSignal<Me>) -> AnyView {
    let who = me.get_untracked();
    let counted = use_context::<Waiting>();
    let interrupted = use_context::<Interrupted>();
    Effect::new(move |_| {
        if let Some(Waiting(counted)) = counted {
            counted.set(me.read().waiting_count);
        }
    });
    // Somebody else has signed in from another tab: this page is nobody's any more.
    let whose = who.email.clone();
    Effect::new(move |_| {
        if me.read().email != whose {
            crate::browser::reload();
        }
    });
    // An effect, so that it waits for the page to be drawn.
    Effect::new(move |_| {
        if let Some(interrupted) = interrupted {
            live::connect(interrupted);
        }
    });

    let badge = changing(move || {
        let count = me.read().waiting_count;
        let badge = (count > 0).then(|| {
            let count = count.to_string();
            view! { <span class="badge">{count} <span class="sr">" waiting for you"</span></span> }
                .into_any()
        });
        badge.into_any()
    });
    let history = changing(move || {
        let may = me.read().can_see_history;
        let item = may.then(|| {
            view! {
                <li>{place("/history", "History", Icon::History)}</li>
                <li>{place("/findings", "Findings", Icon::Search)}</li>
                <li>{place("/policy", "Policy", Icon::Policy)}</li>
            }
            .into_any()
        });
        item.into_any()
    });
    view! {
        <nav class="nav" aria-label="Pages">
            <ul>
                <li>{place("/", "Access", Icon::Access)}</li>
                <li>{place("/mine", "My access", Icon::Mine)}</li>
                <li class="nav-badged">
                    {place("/approvals", "Approvals", Icon::Approvals)} {badge}
                </li>
                {history}
            </ul>
        </nav>
        <button class="menu" type="button" popovertarget="menu">
            <span class="avatar" aria-hidden="true">{initials(&who.name)}</span>
            <span class="menu-name">{who.name.clone()}</span>
        </button>
        // A popover closes itself, by Escape or a click elsewhere, without script.
        <div class="menu-sheet" id="menu" popover="auto">
            <p class="menu-who">
                <strong>{who.name}</strong> <span class="quiet">{who.email}</span>
            </p>
            {theme_choice()}
            <form method="post" action="/auth/sign-out">
                <button class="button button-wide" type="submit">"Sign out"</button>
            </form>
        </div>
    }
    .into_any()
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "the shape of what `follow` calls"
)]
fn signed_out(error: WireError) -> AnyView {
    let sign_in = (error == WireError::SignedOut).then(|| {
        view! { <a class="button" rel="external" href="/auth/start">"Sign in"</a> }.into_any()
    });
    view! { <div class="top-out">{sign_in}</div> }.into_any()
}

/// One entry of the navigation, marked if it is where one is.
fn place(path: &'static str, name: &'static str, icon: Icon) -> AnyView {
    let here = use_location().pathname;
    let current = Signal::derive(move || {
        let here = here.read();
        let is_here = match path {
            "/" => *here == "/" || here.starts_with("/access/"),
            "/policy" => here.starts_with(path),
            "/history" => here.starts_with("/history"),
            path => here.as_str() == path,
        };
        is_here.then_some("page")
    });
    view! {
        <a class="nav-place" href=path aria-current=current>
            {icon.draw()} <span>{name}</span>
        </a>
    }
    .into_any()
}

fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    let first = words.next();
    let last = words.next_back();
    first.into_iter().chain(last).collect()
}

/// Light, dark, or as the system says. A form, so that it works without script; with script it acts at once.
fn theme_choice() -> AnyView {
    let location = use_location();
    let return_to = Signal::derive(move || {
        let (path, search) = (location.pathname.get(), location.search.get());
        Some(if search.is_empty() {
            path
        } else {
            format!("{path}?{search}")
        })
    });
    let chosen = use_context::<Arrived>()
        .map_or_else(|| RwSignal::new(Theme::System), |arrived| arrived.theme);
    let choices: Vec<_> = [
        (Theme::System, "System"),
        (Theme::Light, "Light"),
        (Theme::Dark, "Dark"),
    ]
    .into_iter()
    .map(|(theme, name)| {
        let pressed = Signal::derive(move || {
            Some(if chosen.get() == theme {
                "true"
            } else {
                "false"
            })
        });
        view! {
            <button
                type="submit"
                name=Theme::NAME
                value=theme.as_str()
                aria-pressed=pressed
                on:click=move |event| {
                    event.prevent_default();
                    chosen.set(theme);
                    apply(theme);
                }
            >
                {name}
            </button>
        }
        .into_any()
    })
    .collect();
    view! {
        <form method="post" action="/theme">
            <input type="hidden" name="return_to" value=return_to/>
            <fieldset class="segments">
                <legend class="label">"Colours"</legend>
                {choices}
            </fieldset>
        </form>
    }
    .into_any()
}

/// Shows the choice and keeps it in the cookie that the server reads.
#[cfg(feature = "hydrate")]
fn apply(theme: Theme) {
    if let Some(root) = document().document_element() {
        // Does not fail on plain characters.
        let _ = root.set_attribute("data-theme", theme.as_str());
    }
    crate::browser::keep(Theme::NAME, theme.as_str());
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
        assert_eq!(initials("Ömer"), "Ö");
        assert_eq!(initials(""), "");
    }
}
