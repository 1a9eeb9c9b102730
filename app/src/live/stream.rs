//! The stream itself. The browser reconnects by itself when a line breaks, but never after an answer that is no stream:
//! a load balancer's 503, too many tabs, nobody signed in. After such an answer a new stream is opened here.

use std::{cell::RefCell, time::Duration};

use js_sys::{Array, Function, JSON, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast as _, JsValue, closure::Closure};
use web_sys::{Event, EventSource, MessageEvent};

use super::{
    Interrupted, Silence,
    listeners::{News, tell_everyone, tell_of},
    pause::pause,
};
use crate::view::WireError;

/// A deployment's restart is over within this; telling people about one would only startle them.
const SILENCE_BEFORE_SAYING_SO: Duration = Duration::from_secs(8);

/// A tab that is shown again says so in up to three ways at once.
const SAME_RETURN_MS: f64 = 1_000.0;

/// What every stream is given to call; made once, so that a new stream leaves nothing of an old one behind.
struct Ears {
    change: Function,
    open: Function,
    error: Function,
}

#[derive(Default)]
struct Stream {
    interrupted: Option<Interrupted>,
    ears: Option<Ears>,
    source: Option<EventSource>,
    /// How many streams were tried; only the newest try is followed by another.
    tries: u32,
    /// How often one has opened, to tell whether one did meanwhile.
    openings: u32,
    /// Answers that were no stream, since one opened.
    failures: u32,
    is_signed_out: bool,
    /// Something came from Belay since a stream was lost.
    is_answered: bool,
    /// It has been gone for so long that people are told.
    is_long_gone: bool,
    returned_ms: f64,
}

thread_local! {
    static STREAM: RefCell<Stream> = RefCell::default();
}

impl Stream {
    fn is(&self, state: u16) -> bool {
        self.source
            .as_ref()
            .is_some_and(|source| source.ready_state() == state)
    }

    /// What to tell people, if that is not what they are told already.
    fn silence(&self) -> Option<(Interrupted, Silence)> {
        let silence = match (self.is_long_gone && !self.is_signed_out, self.is_answered) {
            (false, _) => Silence::None,
            (true, false) => Silence::Unreachable,
            (true, true) => Silence::Untold,
        };
        self.interrupted
            .filter(|told| told.0.get_untracked() != silence)
            .map(|told| (told, silence))
    }
}

/// Changes what is known, and tells people if that makes a difference to them.
fn learn<T>(change: impl FnOnce(&mut Stream) -> T) -> T {
    let (found, silence) = STREAM.with_borrow_mut(|stream| {
        let found = change(stream);
        (found, stream.silence())
    });
    // Whoever follows the signal may come back here.
    if let Some((told, silence)) = silence {
        told.0.set(silence);
    }
    found
}

/// Opens the stream, once, and keeps it open from then on.
pub(crate) fn connect(interrupted: Interrupted) {
    let is_first =
        STREAM.with_borrow_mut(|stream| stream.interrupted.replace(interrupted).is_none());
    if !is_first {
        return;
    }
    let change = |event: MessageEvent| tell_of(&topics(&event.data()));
    let ears = Ears {
        change: Closure::<dyn Fn(MessageEvent)>::new(change)
            .into_js_value()
            .unchecked_into(),
        open: called(|_| opened()),
        error: called(|_| failed()),
    };
    STREAM.with_borrow_mut(|stream| stream.ears = Some(ears));
    open();

    let returned = called(|event| returned(&event));
    // The only error is a listener that is not one.
    let _ = document().add_event_listener_with_callback("visibilitychange", &returned);
    for event in ["focus", "online"] {
        let _ = window().add_event_listener_with_callback(event, &returned);
    }
}

fn called(call: fn(Event)) -> Function {
    Closure::<dyn Fn(Event)>::new(call)
        .into_js_value()
        .unchecked_into()
}

/// Opens a new stream in place of one that has closed for good.
fn open() {
    STREAM.with_borrow_mut(|stream| {
        stream.tries += 1;
        let (Some(ears), Ok(source)) = (&stream.ears, EventSource::new("/live")) else {
            return;
        };
        // The only error is a listener that is not one.
        let _ = source.add_event_listener_with_callback("change", &ears.change);
        source.set_onopen(Some(&ears.open));
        source.set_onerror(Some(&ears.error));
        stream.source = Some(source);
    });
}

fn opened() {
    learn(|stream| {
        stream.openings += 1;
        stream.failures = 0;
        stream.is_signed_out = false;
        stream.is_answered = true;
        stream.is_long_gone = false;
    });
    tell_everyone(News::Moved);
}

fn failed() {
    let (is_closed, openings) = learn(|stream| {
        stream.is_answered = false;
        (stream.is(EventSource::CLOSED), stream.openings)
    });
    set_timeout(
        move || {
            learn(|stream| stream.is_long_gone |= stream.openings == openings);
        },
        SILENCE_BEFORE_SAYING_SO,
    );
    if is_closed {
        open_later();
        // Reading finds out why, and says so in place; and it is all there is as long as no stream opens.
        tell_everyone(News::Moved);
    }
}

fn open_later() {
    let (tries, wait) = STREAM.with_borrow_mut(|stream| {
        let failures = if stream.is_signed_out {
            u32::MAX
        } else {
            stream.failures
        };
        stream.failures += 1;
        (stream.tries, pause(failures))
    });
    set_timeout(
        move || {
            if STREAM.with_borrow(|stream| stream.tries == tries) {
                open();
            }
        },
        wait,
    );
}

/// The reader is back at this tab, or the network is: what was lost is not left to its own pace.
fn returned(event: &Event) {
    if document().hidden() && event.type_() == "visibilitychange" {
        return;
    }
    let now = js_sys::Date::now();
    let before = STREAM.with_borrow_mut(|stream| std::mem::replace(&mut stream.returned_ms, now));
    if now - before > SAME_RETURN_MS {
        try_again();
    }
}

/// Opens the stream if it has closed, after which everything is read again; else reads what could not be read.
pub(crate) fn try_again() {
    if STREAM.with_borrow(|stream| stream.is(EventSource::CLOSED)) {
        open();
    }
    tell_everyone(News::TryAgain);
}

/// A read came back: what it says of the way to Belay is true of the stream as well.
pub(crate) fn heard(problem: Option<&WireError>) {
    learn(|stream| match problem {
        Some(WireError::Unavailable { .. }) => stream.is_answered = false,
        Some(WireError::SignedOut) => stream.is_signed_out = true,
        _ => {
            stream.is_answered = true;
            stream.is_signed_out = false;
        }
    });
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
