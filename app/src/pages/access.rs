//! Access: what may I ask for? Searched as one types, by hand or by keys alone, and without script by a plain form.
//!
//! The address is what is looked for: it follows the typing, so that a search can be kept, sent and come back to. A
//! page that holds everything is narrowed here; of a larger organisation the server is asked for each page.

mod keys;
mod offers;

use std::time::Duration;

use leptos::prelude::*;
use leptos_router::{NavigateOptions, hooks::use_navigate, hooks::use_query_map};

use crate::{
    browser::title,
    components::{Done, Icon, Interruption, changing, refuse, skeleton},
    follow::{Followed, follow},
    link, live, read,
    search::narrow,
    sentence,
    view::{AccessFilter, AccessView},
};

/// The server is asked, and the address follows, once the typing has paused this long: shorter than it takes to look
/// up, longer than between two keys.
const TYPING_PAUSES: Duration = Duration::from_millis(120);

/// What was found is said once the typing has rested this long, so that nobody hears a number for each key.
const TYPING_RESTS: Duration = Duration::from_millis(700);

/// Longer than anything that is named; what is pasted beyond it is of no use here.
const TYPED_MAX: u32 = 200;

/// The topic by which this page asks itself to read again.
const SEARCH: &str = "search";

/// What is looked for.
#[derive(Clone, Copy, Debug)]
struct Search {
    /// What stands in the field.
    typed: RwSignal<String>,
    /// What the server is asked.
    asked: RwSignal<AccessFilter>,
    /// What this page put into the address itself.
    put: RwSignal<String>,
    /// The first of what is found is to be opened once it is.
    opens_first: RwSignal<bool>,
}

/// Everything that the reader may ask for, narrowed as they type.
#[component]
pub(crate) fn Access() -> impl IntoView {
    title("Access");
    let query = use_query_map();
    let wanted = Memo::new(move |_| {
        let query = query.read();
        let field = |name: &str| query.get_str(name).unwrap_or_default().trim().to_owned();
        AccessFilter {
            q: field("q"),
            within: field("in"),
            page: field("page").parse().unwrap_or(1).max(1),
        }
    });
    let first = wanted.get_untracked();
    let search = Search {
        typed: RwSignal::new(first.q.clone()),
        put: RwSignal::new(first.q.clone()),
        asked: RwSignal::new(first),
        opens_first: RwSignal::new(false),
    };
    follow(
        move || Box::pin(read::read_access(search.asked.get_untracked())),
        |topic| topic == "mine" || topic == SEARCH,
        skeleton,
        move |access| page(access, search, wanted),
        refuse,
    )
}

fn page(access: Followed<AccessView>, search: Search, wanted: Memo<AccessFilter>) -> AnyView {
    let value = access.value;
    follow_address(value, search, wanted);
    let seen = Memo::new(move |_| shown(&value.read(), &search.typed.read()));
    let said = announced(value, seen, search);
    #[cfg(feature = "hydrate")]
    keys::listen(value, search);
    view! {
        <Interruption problem=access.problem/>
        <div class="page-head">
            <h1>"Access"</h1>
            <p class="lead">
                "Ask for what you need, for as long as you need it. It goes away by itself."
            </p>
        </div>
        <Done/>
        {field(search)}
        <p class="sr" role="status">{changing(move || said.get().into_any())}</p>
        {changing(move || offers::list(&seen.read()))}
    }
    .into_any()
}

/// What of the newest answer is to be seen.
fn shown(value: &AccessView, typed: &str) -> AccessView {
    if value.is_whole {
        narrow(value, typed)
    } else {
        value.clone()
    }
}

/// Whether what is shown is what was typed, and not an answer to less of it.
fn is_settled(value: &AccessView, typed: &str) -> bool {
    value.is_whole || value.filter.q == typed.trim()
}

fn field(search: Search) -> AnyView {
    let navigate = use_navigate();
    let timer = StoredValue::new(None::<TimeoutHandle>);
    let settle = move |typed: String| {
        if search.put.get_untracked() == typed.trim() {
            return;
        }
        search.put.set(typed.trim().to_owned());
        let options = NavigateOptions {
            replace: true,
            scroll: false,
            ..NavigateOptions::default()
        };
        navigate(&link::access(typed.trim(), "", 1), options);
    };
    let settle_later = settle.clone();
    let on_input = move |event| {
        let typed = event_target_value(&event);
        search.typed.set(typed.clone());
        search.opens_first.set(false);
        let settle = settle_later.clone();
        again_later(timer, TYPING_PAUSES, move || settle(typed));
    };
    // Who leaves the field, for a row of what was found, is done with typing: the address is right before another
    // page is opened, and nothing changes it afterwards.
    let on_change = move |event| {
        forget(timer);
        settle(event_target_value(&event));
    };
    on_cleanup(move || forget(timer));
    view! {
        <form class="search" method="get" action="/" role="search" on:submit=|event| event.prevent_default()>
            {Icon::Search.draw()}
            <label class="sr" for="q">"Search accounts, units, tags, permission sets and groups"</label>
            <input
                class="input"
                id="q"
                name="q"
                type="search"
                autocomplete="off"
                spellcheck="false"
                maxlength=TYPED_MAX
                placeholder="Account, unit, tag, permission set or group"
                aria-keyshortcuts="/"
                aria-describedby="keys"
                value=search.typed.get_untracked()
                on:input=on_input
                on:change=on_change
            />
            <p class="keys quiet small" id="keys">
                <kbd>"/"</kbd> " to search, " <kbd>"↓"</kbd> " " <kbd>"↑"</kbd> " to move, "
                <kbd>"Enter"</kbd> " to open, " <kbd>"Esc"</kbd> " to clear"
            </p>
        </form>
    }
    .into_any()
}

/// Another address of this page is another search: by a link of it, or by going back.
fn follow_address(value: RwSignal<AccessView>, search: Search, wanted: Memo<AccessFilter>) {
    Effect::new(move |before: Option<AccessFilter>| {
        let wanted = wanted.get();
        if before.as_ref().is_some_and(|before| *before != wanted) {
            if wanted.q != search.put.get_untracked() {
                search.put.set(wanted.q.clone());
                search.typed.set(wanted.q.clone());
                keys::put(&wanted.q);
            }
            // What holds everything has the answer already.
            let has_it = value.with_untracked(|value| value.is_whole)
                && wanted.within.is_empty()
                && wanted.page == 1;
            if !has_it {
                search.asked.set(wanted.clone());
                live::moved_here(SEARCH);
            }
        }
        wanted
    });
}

/// What was found, for those who listen: once it is settled, and only if something was typed.
fn announced(
    value: RwSignal<AccessView>,
    seen: Memo<AccessView>,
    search: Search,
) -> RwSignal<String> {
    let said = RwSignal::new(String::new());
    let timer = StoredValue::new(None::<TimeoutHandle>);
    Effect::new(move |before: Option<()>| {
        let typed = search.typed.read().clone();
        let total = seen.read().total;
        if before.is_none() || !is_settled(&value.read(), &typed) {
            return;
        }
        if search.opens_first.get_untracked() {
            search.opens_first.set(false);
            keys::open_first();
        }
        again_later(timer, TYPING_RESTS, move || {
            let heard = match (typed.trim().is_empty(), total) {
                (true, _) => String::new(),
                (false, 0) => "Nothing matches".to_owned(),
                (false, total) => format!("{}, best first", sentence::count(total, "match")),
            };
            if said.try_with_untracked(|said| *said != heard) == Some(true) {
                said.set(heard);
            }
        });
    });
    said
}

/// Does it after that time, unless something else is to be done later first.
fn again_later(
    timer: StoredValue<Option<TimeoutHandle>>,
    after: Duration,
    act: impl FnOnce() + 'static,
) {
    forget(timer);
    timer.set_value(set_timeout_with_handle(act, after).ok());
}

/// Does not do it at all.
fn forget(timer: StoredValue<Option<TimeoutHandle>>) {
    if let Some(before) = timer.try_update_value(Option::take).flatten() {
        before.clear();
    }
}
