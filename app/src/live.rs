//! What changes elsewhere appears here: one stream from the server, and whoever wants to know about a topic.
//!
//! A message says only which topic moved. Whoever shows it reads again, and so is authorised again; nothing that is
//! shown ever comes from the stream itself.

#[cfg(feature = "hydrate")]
pub(crate) use browser::{connect, moved_here, on_change};

use leptos::prelude::*;

/// In context: the stream has been gone for a while, so what is shown may be behind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interrupted(pub(crate) RwSignal<bool>);

/// There is no stream on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) fn connect(_interrupted: Interrupted) {}

/// Nobody listens on the server.
#[cfg(not(feature = "hydrate"))]
pub(crate) const fn moved_here(_topic: &'static str) {}

#[cfg(feature = "hydrate")]
mod browser {
    use std::{cell::RefCell, time::Duration};

    use js_sys::{Array, JSON, Reflect};
    use leptos::prelude::*;
    use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
    use web_sys::{EventSource, MessageEvent};

    use super::Interrupted;

    /// A deployment's restart is over within this; telling people about one would only startle them.
    const SILENCE_BEFORE_SAYING_SO: Duration = Duration::from_secs(8);

    struct Listener {
        id: u64,
        wants: Box<dyn Fn(&str) -> bool>,
        tell: std::rc::Rc<dyn Fn()>,
    }

    #[derive(Default)]
    struct Listeners {
        next_id: u64,
        is_connected: bool,
        all: Vec<Listener>,
    }

    thread_local! {
        static LISTENERS: RefCell<Listeners> = RefCell::default();
    }

    /// Calls `tell` whenever a topic that `wants` accepts has moved, and whenever the stream opens, since anything may
    /// have moved before; until the current owner is gone.
    pub(crate) fn on_change(wants: impl Fn(&str) -> bool + 'static, tell: impl Fn() + 'static) {
        let id = LISTENERS.with_borrow_mut(|listeners| {
            listeners.next_id += 1;
            let id = listeners.next_id;
            listeners.all.push(Listener {
                id,
                wants: Box::new(wants),
                tell: std::rc::Rc::new(tell),
            });
            id
        });
        on_cleanup(move || {
            LISTENERS
                .with_borrow_mut(|listeners| listeners.all.retain(|listener| listener.id != id));
        });
    }

    /// The page itself wants something else to be read: as if the stream had said so.
    pub(crate) fn moved_here(topic: &'static str) {
        tell(&[topic.to_owned()]);
    }

    /// Opens the stream, once. The browser reconnects by itself.
    pub(crate) fn connect(interrupted: Interrupted) {
        let is_first = LISTENERS
            .with_borrow_mut(|listeners| !std::mem::replace(&mut listeners.is_connected, true));
        if !is_first {
            return;
        }
        let Ok(source) = EventSource::new("/live") else {
            return;
        };

        let on_change = Closure::<dyn Fn(MessageEvent)>::new(|event: MessageEvent| {
            tell(&topics(&event.data()));
        });
        // The only error is a listener that is not one.
        let _ =
            source.add_event_listener_with_callback("change", on_change.as_ref().unchecked_ref());
        on_change.forget();

        let on_open = Closure::<dyn Fn()>::new(move || {
            interrupted.0.set(false);
            tell_everyone();
        });
        source.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        on_open.forget();

        let watched = source.clone();
        let on_error = Closure::<dyn Fn()>::new(move || {
            // The server has nothing for whoever is signed out. Reading says so, in place.
            if watched.ready_state() == EventSource::CLOSED {
                return tell_everyone();
            }
            let watched = watched.clone();
            set_timeout(
                move || {
                    if watched.ready_state() == EventSource::CONNECTING {
                        interrupted.0.set(true);
                    }
                },
                SILENCE_BEFORE_SAYING_SO,
            );
        });
        source.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        on_error.forget();
    }

    /// The topics of a message; none if it is not one of ours.
    fn topics(data: &JsValue) -> Vec<String> {
        data.as_string()
            .and_then(|text| JSON::parse(&text).ok())
            .and_then(|message| Reflect::get(&message, &"topics".into()).ok())
            .and_then(|topics| topics.dyn_into::<Array>().ok())
            .map(|topics| {
                topics
                    .iter()
                    .filter_map(|topic| topic.as_string())
                    .collect()
            })
            .unwrap_or_default()
    }

    fn tell(topics: &[String]) {
        // Collected first: whoever is told may add or drop listeners.
        let told: Vec<_> = LISTENERS.with_borrow(|listeners| {
            listeners
                .all
                .iter()
                .filter(|listener| topics.iter().any(|topic| (listener.wants)(topic)))
                .map(|listener| listener.tell.clone())
                .collect()
        });
        for tell in told {
            tell();
        }
    }

    fn tell_everyone() {
        let told: Vec<_> = LISTENERS.with_borrow(|listeners| {
            listeners
                .all
                .iter()
                .map(|listener| listener.tell.clone())
                .collect()
        });
        for tell in told {
            tell();
        }
    }
}
