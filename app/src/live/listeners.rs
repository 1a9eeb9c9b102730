//! Whoever on this page wants to know that something has moved.

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::*;

/// What a listener is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum News {
    /// What it shows has moved, or may have.
    Moved,
    /// Now is a good moment for what could not be read before.
    TryAgain,
}

struct Listener {
    id: u64,
    wants: Box<dyn Fn(&str) -> bool>,
    tell: Rc<dyn Fn(News)>,
}

#[derive(Default)]
struct Listeners {
    next_id: u64,
    all: Vec<Listener>,
}

thread_local! {
    static LISTENERS: RefCell<Listeners> = RefCell::default();
}

/// Calls `tell` whenever a topic that `wants` accepts has moved, and whenever the stream opens, since anything may
/// have moved before; until the current owner is gone.
pub(crate) fn on_change(wants: Box<dyn Fn(&str) -> bool>, tell: impl Fn(News) + 'static) {
    let id = LISTENERS.with_borrow_mut(|listeners| {
        listeners.next_id += 1;
        let id = listeners.next_id;
        listeners.all.push(Listener {
            id,
            wants,
            tell: Rc::new(tell),
        });
        id
    });
    on_cleanup(move || {
        LISTENERS.with_borrow_mut(|listeners| listeners.all.retain(|listener| listener.id != id));
    });
}

/// The page itself wants something else to be read: as if the stream had said so.
pub(crate) fn moved_here(topic: &'static str) {
    tell_of(&[topic.to_owned()]);
}

/// Tells those who want one of the topics.
pub(super) fn tell_of(topics: &[String]) {
    tell(News::Moved, &|listener| {
        topics.iter().any(|topic| (listener.wants)(topic))
    });
}

pub(super) fn tell_everyone(news: News) {
    tell(news, &|_| true);
}

fn tell(news: News, is_meant: &dyn Fn(&Listener) -> bool) {
    // Collected first: whoever is told may add or drop listeners.
    let told: Vec<_> = LISTENERS.with_borrow(|listeners| {
        let meant = listeners.all.iter().filter(|listener| is_meant(listener));
        meant.map(|listener| listener.tell.clone()).collect()
    });
    for tell in told {
        tell(news);
    }
}
