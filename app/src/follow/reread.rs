//! Reading again what is shown, one read at a time, until it succeeds.

use std::{
    cell::Cell,
    rc::{Rc, Weak},
};

use leptos::prelude::*;

use super::{Read, Update, answered};
use crate::{
    live::{self, News},
    view::WireError,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Flight {
    None,
    One,
    /// Calls during a read make one more after it: it may have begun too early.
    OneAndAnother,
}

struct Reader {
    read: Read,
    update: StoredValue<Option<Update>>,
    flight: Cell<Flight>,
    /// The newest answer was none.
    has_problem: Cell<bool>,
    /// Reads since the last that got through.
    failures: Cell<u32>,
}

/// What to call so that it is read again.
pub(super) fn listener(read: Read, update: StoredValue<Option<Update>>) -> impl Fn(News) + 'static {
    let reader = Rc::new(Reader {
        read,
        update,
        flight: Cell::new(Flight::None),
        has_problem: Cell::new(false),
        failures: Cell::new(0),
    });
    move |news| reader.hear(news)
}

impl Reader {
    fn hear(self: &Rc<Self>, news: News) {
        if self.flight.get() != Flight::None {
            if news == News::Moved {
                self.flight.set(Flight::OneAndAnother);
            }
            return;
        }
        if news == News::TryAgain && !self.has_problem.get() {
            return;
        }
        self.flight.set(Flight::One);
        let reader = self.clone();
        leptos::task::spawn_local(async move {
            loop {
                reader.read_once().await;
                if reader.flight.replace(Flight::One) == Flight::One {
                    break;
                }
            }
            reader.flight.set(Flight::None);
            reader.read_later();
        });
    }

    async fn read_once(&self) {
        let newer = answered((self.read)()).await;
        let problem = newer.problem();
        live::heard(problem.as_ref());
        // Without a place for an answer there is nothing to try again for.
        let Some(Some(update)) = self.update.try_get_value() else {
            return;
        };
        update(&newer);
        self.has_problem.set(problem.is_some());
        self.failures.set(match problem {
            Some(WireError::Unavailable { .. }) => self.failures.get().saturating_add(1),
            _ => 0,
        });
    }

    /// What did not get through is tried again, unless something else has led to a read by then. A page that is gone
    /// takes its readers with it.
    fn read_later(self: &Rc<Self>) {
        let failures = self.failures.get();
        let Some(before) = failures.checked_sub(1) else {
            return;
        };
        let reader: Weak<Self> = Rc::downgrade(self);
        set_timeout(
            move || {
                if let Some(reader) = reader.upgrade()
                    && reader.failures.get() == failures
                {
                    reader.hear(News::TryAgain);
                }
            },
            live::pause(before),
        );
    }
}
